package membershipweb

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/membership"
	"commissionportal/internal/web"
	views "commissionportal/views/membership"
	"commissionportal/views/part"
)

func (h *pages) getApply(c *fiber.Ctx) error {
	return h.showApply(c, 200, blank(map[string]string{}))
}

func (h *pages) showApply(c *fiber.Ctx, status int, f views.Form) error {
	a, err := h.seats.Applying(c.UserContext(), web.Actor(c), c.Params("slug"))
	if err != nil {
		return err
	}
	if status == 200 && len(a.Organizations) > 0 {
		f.Values["organization"] = a.Organizations[0].Slug
	}
	if wrong := f.Errors["organization"]; wrong != "" && len(a.Organizations) == 0 { // the field is not there
		delete(f.Errors, "organization")
		f.Errors["role"] = wrong
	}
	return h.Render(c, status, views.ApplyPage(views.Apply{Applying: a, Form: f}))
}

type applyForm struct {
	Organization string `form:"organization"`
	Role         string `form:"role"`
	Statement    string `form:"statement"`
}

func (h *pages) postApply(c *fiber.Ctx) error {
	in, err := web.Decode[applyForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	out, err := h.seats.Apply(ctx, web.Actor(c), c.Params("slug"), membership.Request(in))
	if f, status, ok := trouble(ctx, err, map[string]string{"organization": in.Organization, "role": in.Role, "statement": in.Statement}); ok {
		return h.showApply(c, status, f)
	}
	if err != nil {
		return err
	}
	return h.went(c, "/commissions/"+c.Params("slug"), out)
}

// went leads to what came of asking for a seat.
func (h *pages) went(c *fiber.Ctx, commission string, out membership.Outcome) error {
	ctx := c.UserContext()
	if out.Seat != nil {
		return h.SeeOther(c, commission+"/seats/"+out.Seat.ID.String(), i18n.T(ctx, "Welcome: the seat is yours."))
	}
	return h.SeeOther(c, commission+"/applications/"+out.Application.ID.String(), i18n.T(ctx, "Sent. The officers decide, and you hear by mail."))
}

type queueQuery struct {
	State  string `form:"state"`
	Cursor string `form:"cursor"`
}

func (h *pages) getQueue(c *fiber.Ctx) error {
	in, err := web.Decode[queueQuery](c)
	if err != nil {
		return err
	}
	return h.showQueue(c, 200, in, "")
}

func (h *pages) showQueue(c *fiber.Ctx, status int, in queueQuery, wrong string) error {
	ctx, who := c.UserContext(), web.Actor(c)
	page, err := keyset.Parse(in.Cursor, 2, 0)
	if err != nil {
		return err
	}
	home, rows, next, err := h.seats.Applications(ctx, who, c.Params("slug"), in.State != "decided", page)
	if err != nil {
		return err
	}
	return h.Render(c, status, views.QueuePage(views.Queue{Home: home, Rows: rows, Decided: in.State == "decided", Now: journal.Now(ctx), Error: wrong,
		Decide: h.Policy.May(who, home.Scope(), "application", "decide"), Invite: h.Policy.May(who, home.Scope(), "invitation", "send"), Tabs: h.tabs(c, home, "/applications"),
		Paging: pager(home.Path()+"/applications", in.Cursor, next, "state", in.State)}))
}

func (h *pages) postQueuePlan(c *fiber.Ctx) error {
	in, err := web.Decode[bulkForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	plan, err := h.seats.PlanApprovals(ctx, web.Actor(c), c.Params("slug"), membership.Bulk(in))
	if f, status, ok := trouble(ctx, err, nil); ok {
		return h.showQueue(c, status, queueQuery{}, first(f).Error)
	}
	if err != nil {
		return err
	}
	back := plan.Path() + "/applications"
	return h.Render(c, 200, views.PlanPage(views.Plan{Plan: plan, Action: back + "/bulk", Back: back, Key: uuid.NewString(),
		Crumbs: []part.Crumb{{Label: plan.Name, Path: plan.Path()}, {Label: i18n.T(ctx, "Applications"), Path: back}}}))
}

func (h *pages) postQueueBulk(c *fiber.Ctx) error {
	in, err := web.Decode[bulkForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	plan, err := h.seats.CarryApprovals(ctx, web.Actor(c), c.Params("slug"), membership.Bulk(in))
	if f, status, ok := trouble(ctx, err, nil); ok {
		return h.showQueue(c, status, queueQuery{}, first(f).Error)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, plan.Path()+"/applications", i18n.N(ctx, plan.Done, "One application is approved.", "%d applications are approved."))
}

func (h *pages) getApplication(c *fiber.Ctx) error {
	return h.showApplication(c, 200, nil)
}

func (h *pages) showApplication(c *fiber.Ctx, status int, f *views.Form) error {
	ctx, who := c.UserContext(), web.Actor(c)
	key, err := id(c)
	if err != nil {
		return err
	}
	home, a, err := h.seats.Application(ctx, who, c.Params("slug"), key)
	if err != nil {
		return err
	}
	if f == nil {
		b := blank(map[string]string{"role": a.Role, "voting": truth(a.Role == membership.VotingRepresentative), "until": usualEnd(ctx, home)})
		f = &b
	}
	own := a.PersonID == who.ID || a.NominatedBy != nil && *a.NominatedBy == who.ID
	known, err := h.seats.Known(ctx, who, a)
	if err != nil {
		return err
	}
	return h.Render(c, status, views.ApplicationPage(views.Application{Home: home, Application: a, Own: own, Known: known, Form: *f, Now: journal.Now(ctx),
		Decide: h.Policy.May(who, home.Scope(), "application", "decide"), Roles: h.choosable(c, home)}))
}

type approveForm struct {
	Role   string `form:"role"`
	Voting string `form:"voting"`
	From   string `form:"from"`
	Until  string `form:"until"`
}

func (h *pages) postApprove(c *fiber.Ctx) error {
	in, err := web.Decode[approveForm](c)
	if err != nil {
		return err
	}
	key, err := id(c)
	if err != nil {
		return err
	}
	ctx, voting := c.UserContext(), in.Voting == "true"
	seat, err := h.seats.Approve(ctx, web.Actor(c), c.Params("slug"), key, membership.Approval{Role: in.Role, Voting: &voting, Terms: membership.Terms{From: in.From, Until: &in.Until}})
	if f, status, ok := trouble(ctx, err, map[string]string{"role": in.Role, "voting": in.Voting, "from": in.From, "until": in.Until}); ok {
		return h.showApplication(c, status, &f)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+c.Params("slug")+"/applications", i18n.T(ctx, "%s has a seat now.", seat.Name))
}

func (h *pages) postReject(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	key, err := id(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	a, err := h.seats.Reject(ctx, web.Actor(c), c.Params("slug"), key, in.Reason)
	if f, status, ok := trouble(ctx, err, map[string]string{"reason": in.Reason}); ok {
		return h.showApplication(c, status, &f)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+c.Params("slug")+"/applications", i18n.T(ctx, "The application of %s is rejected.", a.Person))
}

func (h *pages) getWithdraw(c *fiber.Ctx) error {
	ctx := c.UserContext()
	key, err := id(c)
	if err != nil {
		return err
	}
	home, a, err := h.seats.Application(ctx, web.Actor(c), c.Params("slug"), key)
	if err != nil {
		return err
	}
	base := home.Path() + "/applications/" + a.ID.String()
	return h.ask(c, 200, views.Asking{Ending: part.Ending{
		Title: i18n.T(ctx, "Withdraw the application to %s?", home.Name), Ends: []string{i18n.T(ctx, "The application of %s as %s", a.Person, membership.Word(a.Role))},
		Stays: []string{i18n.T(ctx, "You can apply again at any time")}, Button: i18n.T(ctx, "Withdraw"), Cancel: base, Post: part.Post{Action: base + "/withdraw"}}}, views.Form{})
}

func (h *pages) postWithdraw(c *fiber.Ctx) error {
	ctx := c.UserContext()
	key, err := id(c)
	if err != nil {
		return err
	}
	_, err = h.seats.Withdraw(ctx, web.Actor(c), c.Params("slug"), key)
	if f, status, ok := trouble(ctx, err, nil); ok {
		return h.showApplication(c, status, &f)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+c.Params("slug")+"/applications/"+key.String(), i18n.T(ctx, "Withdrawn."))
}
