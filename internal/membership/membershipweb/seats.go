package membershipweb

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/membership"
	"commissionportal/internal/problem"
	"commissionportal/internal/sheet"
	"commissionportal/internal/web"
	views "commissionportal/views/membership"
	"commissionportal/views/part"
)

// lastDay is the last day of a term, as a table has it.
func lastDay(ctx context.Context, until *time.Time) any {
	if until == nil {
		return nil
	}
	return sheet.Day(calendar.Last(ctx, *until))
}

func (h *pages) history(c *fiber.Ctx) (membership.History, error) {
	key, err := id(c)
	if err != nil {
		return membership.History{}, err
	}
	return h.seats.History(c.UserContext(), web.Actor(c), c.Params("slug"), key)
}

func (h *pages) getSeat(c *fiber.Ctx) error {
	x, err := h.history(c)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.SeatPage(views.Seat{History: x, Now: journal.Now(c.UserContext()), Key: uuid.NewString()}))
}

// choosable are the roles that the actor can give.
func (h *pages) choosable(c *fiber.Ctx, home membership.Home) []string {
	if h.Policy.May(web.Actor(c), home.Scope(), "seat", "appoint") {
		return membership.Roles
	}
	return slices.DeleteFunc(slices.Clone(membership.Roles), membership.Officer)
}

// kept is the history of a seat for a page that changes it.
func (h *pages) kept(c *fiber.Ctx) (membership.History, error) {
	x, err := h.history(c)
	if err != nil {
		return x, err
	}
	if _, err := h.Policy.Require(c.UserContext(), web.Actor(c), x.Scope(), "seat", "edit"); err != nil {
		return x, err
	}
	if !x.Keep {
		return x, problem.New(problem.Conflict, "The seat of %s has ended already.", x.Seat.Name)
	}
	return x, nil
}

func (h *pages) getEdit(c *fiber.Ctx) error {
	x, err := h.kept(c)
	if err != nil {
		return err
	}
	return h.showEdit(c, 200, x, blank(map[string]string{"role": x.Seat.Role, "voting": truth(x.Seat.Voting),
		"until": membership.LastDay(c.UserContext(), x.Seat.Until), "version": strconv.Itoa(x.Seat.Version)}))
}

func (h *pages) showEdit(c *fiber.Ctx, status int, x membership.History, f views.Form) error {
	return h.Render(c, status, views.EditPage(views.Edit{History: x, Form: f, Roles: h.choosable(c, x.Home)}))
}

type editForm struct {
	Role    string `form:"role"`
	Voting  string `form:"voting"`
	Until   string `form:"until"`
	Reason  string `form:"reason"`
	Version string `form:"version"`
}

func (h *pages) postEdit(c *fiber.Ctx) error {
	in, err := web.Decode[editForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	seat, err := h.change(c, in.Version, func(s membership.Seat, home membership.Home) (membership.Edit, error) {
		e := membership.Of(s)
		e.Role, e.Voting, e.Reason = in.Role, in.Voting == "true", in.Reason
		if in.Until != membership.LastDay(ctx, s.Until) {
			var err error
			e.Until, err = membership.Until(in.Until, journal.Now(ctx), calendar.Zone(ctx))
			return e, err
		}
		return e, nil
	})
	if f, status, ok := trouble(ctx, err, map[string]string{"role": in.Role, "voting": in.Voting, "until": in.Until, "reason": in.Reason, "version": in.Version}); ok {
		x, err := h.kept(c)
		if err != nil {
			return err
		}
		return h.showEdit(c, status, x, f)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+c.Params("slug")+"/seats/"+seat.ID.String(), i18n.T(ctx, "Saved."))
}

// change edits the seat in the path from the version that the form was made from.
func (h *pages) change(c *fiber.Ctx, version string, edit func(membership.Seat, membership.Home) (membership.Edit, error)) (membership.Seat, error) {
	key, err := id(c)
	if err != nil {
		return membership.Seat{}, err
	}
	n, err := web.IfMatch(version)
	if err != nil {
		return membership.Seat{}, err
	}
	return h.seats.Change(c.UserContext(), web.Actor(c), c.Params("slug"), key, n, edit)
}

// ask shows a page that asks before something ends.
func (h *pages) ask(c *fiber.Ctx, status int, p views.Asking, f views.Form) error {
	if p.Form = f; p.Form.Key == "" {
		p.Form = blank(nil)
	}
	p.Post.Key = p.Form.Key
	return h.Render(c, status, views.AskPage(p))
}

func (h *pages) suspending(c *fiber.Ctx, status int, f views.Form) error {
	x, err := h.kept(c)
	if err != nil {
		return err
	}
	ctx, base := c.UserContext(), x.Path()+"/seats/"+x.Seat.ID.String()
	return h.ask(c, status, views.Asking{Reason: true, Version: x.Seat.Version, Ending: part.Ending{
		Title: i18n.T(ctx, "Suspend the seat of %s?", x.Seat.Name), Intro: i18n.T(ctx, "It can be lifted at any time."),
		Ends:  []string{i18n.T(ctx, "All rights that the seat as %s gives, until the suspension is lifted", membership.Word(x.Seat.Role))},
		Stays: []string{i18n.T(ctx, "The seat with its term, shown as suspended")}, Button: i18n.T(ctx, "Suspend"), Cancel: base, Post: part.Post{Action: base + "/suspend"}}}, f)
}

func (h *pages) getSuspend(c *fiber.Ctx) error { return h.suspending(c, 200, views.Form{}) }

type reasonForm struct {
	Reason  string `form:"reason"`
	Version string `form:"version"`
}

func (h *pages) postSuspend(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	seat, err := h.change(c, in.Version, func(s membership.Seat, _ membership.Home) (membership.Edit, error) {
		e := membership.Of(s)
		e.Suspended, e.Reason = true, in.Reason
		return e, nil
	})
	if f, status, ok := trouble(ctx, err, map[string]string{"reason": in.Reason}); ok {
		return h.suspending(c, status, f)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+c.Params("slug")+"/seats/"+seat.ID.String(), i18n.T(ctx, "Suspended."))
}

func (h *pages) postLift(c *fiber.Ctx) error {
	x, err := h.kept(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	if _, err := h.seats.Change(ctx, web.Actor(c), c.Params("slug"), x.Seat.ID, x.Seat.Version, func(s membership.Seat, _ membership.Home) (membership.Edit, error) {
		e := membership.Of(s)
		e.Suspended = false
		return e, nil
	}); err != nil {
		return err
	}
	return h.SeeOther(c, x.Path()+"/seats/"+x.Seat.ID.String(), i18n.T(ctx, "The suspension is lifted."))
}

func (h *pages) asking(c *fiber.Ctx, x membership.History, leave bool, status int, f views.Form) error {
	ctx, base := c.UserContext(), x.Path()+"/seats/"+x.Seat.ID.String()
	a := views.Asking{Reason: true, Version: x.Seat.Version, Ending: part.Ending{
		Title: i18n.T(ctx, "End the seat of %s?", x.Seat.Name), Ends: []string{i18n.T(ctx, "The seat as %s in %s, at once", membership.Word(x.Seat.Role), x.Home.Name)},
		Stays: []string{i18n.T(ctx, "The history of the seat")}, Button: i18n.T(ctx, "End seat"), Cancel: base, Post: part.Post{Action: base + "/end"}}}
	if leave {
		a.Reason, a.Title, a.Button, a.Post.Action = false, i18n.T(ctx, "Leave %s?", x.Home.Name), i18n.T(ctx, "Leave"), base+"/leave"
		a.Ends = []string{i18n.T(ctx, "Your seat as %s in %s, at once", membership.Word(x.Seat.Role), x.Home.Name)}
	}
	return h.ask(c, status, a, f)
}

func (h *pages) getEnd(c *fiber.Ctx) error {
	x, err := h.kept(c)
	if err != nil {
		return err
	}
	return h.asking(c, x, false, 200, views.Form{})
}

func (h *pages) postEnd(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	x, err := h.kept(c)
	if err != nil {
		return err
	}
	n, err := web.IfMatch(in.Version)
	if err == nil {
		err = h.seats.End(ctx, web.Actor(c), c.Params("slug"), x.Seat.ID, n, in.Reason)
	}
	if f, status, ok := trouble(ctx, err, map[string]string{"reason": in.Reason}); ok {
		return h.asking(c, x, false, status, f)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, x.Path()+"/roster", i18n.T(ctx, "The seat of %s has ended.", x.Seat.Name))
}

func (h *pages) mine(c *fiber.Ctx) (membership.History, error) {
	x, err := h.history(c)
	if err == nil {
		_, err = h.Policy.Require(c.UserContext(), web.Actor(c), x.Scope(), "seat", "leave")
	}
	if err == nil && x.Seat.PersonID != web.Actor(c).ID {
		err = access.ErrNotFound
	}
	return x, err
}

func (h *pages) getLeave(c *fiber.Ctx) error {
	x, err := h.mine(c)
	if err != nil {
		return err
	}
	return h.asking(c, x, true, 200, views.Form{})
}

func (h *pages) postLeave(c *fiber.Ctx) error {
	x, err := h.mine(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	err = h.seats.Leave(ctx, web.Actor(c), c.Params("slug"), x.Seat.ID)
	if f, status, ok := trouble(ctx, err, nil); ok {
		return h.asking(c, x, true, status, f)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, x.Path(), i18n.T(ctx, "You have left %s.", x.Home.Name))
}

func (h *pages) getAppoint(c *fiber.Ctx) error {
	in, err := web.Decode[appointForm](c)
	if err != nil {
		return err
	}
	home, err := h.appointing(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	return h.showAppoint(c, 200, home, blank(map[string]string{"person": in.Person, "role": membership.Chair, "until": usualEnd(ctx, home)}))
}

// usualEnd is the last day of a usual term that begins now.
func usualEnd(ctx context.Context, home membership.Home) string {
	return membership.LastDay(ctx, membership.Usual(journal.Now(ctx), home.TermMonths, calendar.Zone(ctx)))
}

func (h *pages) appointing(c *fiber.Ctx) (membership.Home, error) {
	ctx, who := c.UserContext(), web.Actor(c)
	home, err := h.seats.Home(ctx, who, c.Params("slug"))
	if err == nil {
		_, err = h.Policy.Require(ctx, who, home.Scope(), "seat", "edit")
	}
	return home, err
}

func (h *pages) showAppoint(c *fiber.Ctx, status int, home membership.Home, f views.Form) error {
	name := ""
	if key, err := uuid.Parse(f.Values["person"]); err == nil {
		var e error
		if name, e = h.seats.NameIn(c.UserContext(), home, key); e != nil {
			return e
		}
	}
	return h.Render(c, status, views.AppointPage(views.Appoint{Home: home, Form: f, Roles: h.choosable(c, home), Name: name, Invite: h.Policy.May(web.Actor(c), home.Scope(), "invitation", "send")}))
}

type appointForm struct {
	Person       string `form:"person"`
	Role         string `form:"role"`
	Organization string `form:"organization"`
	Voting       string `form:"voting"`
	From         string `form:"from"`
	Until        string `form:"until"`
	Election     string `form:"election"`
}

func (h *pages) postAppoint(c *fiber.Ctx) error {
	in, err := web.Decode[appointForm](c)
	if err != nil {
		return err
	}
	ctx, voting := c.UserContext(), in.Voting == "true"
	seat, err := h.seats.Appoint(ctx, web.Actor(c), c.Params("slug"), membership.Placing{Person: in.Person, Organization: in.Organization, Role: in.Role, Voting: &voting,
		Election: in.Election == "true", Terms: membership.Terms{From: in.From, Until: &in.Until}})
	if f, status, ok := trouble(ctx, err, map[string]string{"person": in.Person, "role": in.Role, "organization": in.Organization, "voting": in.Voting, "from": in.From, "until": in.Until, "election": in.Election}); ok {
		home, err := h.appointing(c)
		if err != nil {
			return err
		}
		return h.showAppoint(c, status, home, f)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+c.Params("slug")+"/seats/"+seat.ID.String(), i18n.T(ctx, "%s is appointed.", seat.Name))
}
