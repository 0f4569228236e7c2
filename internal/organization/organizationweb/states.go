package organizationweb

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/i18n"
	"commissionportal/internal/organization"
	"commissionportal/internal/web"
	views "commissionportal/views/organization"
	"commissionportal/views/part"
)

type reasonForm struct {
	Slug         string `form:"slug"`
	ID           string `form:"id"`
	Organization string `form:"organization"`
	Reason       string `form:"reason"`
	Category     string `form:"category"`
	Into         string `form:"into"`
}

// invalid is what is wrong with the fields, and whether err says no more.
func invalid(ctx context.Context, err error) (map[string]string, bool) {
	p := web.Invalid(err)
	return i18n.FieldProblems(ctx, p), p != nil
}

func (h *pages) postAccept(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	o, err := h.organizations.Accept(ctx, web.Actor(c), in.Slug, in.Category)
	if errors, ok := invalid(ctx, err); ok {
		return h.show(c, 422, views.Decide{Category: in.Category, Errors: errors})
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, o.Path(), i18n.T(ctx, "%s is a member now. The registrant is told.", o.Name))
}

func (h *pages) postDecline(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	o, err := h.organizations.Decline(ctx, web.Actor(c), in.Slug, in.Reason)
	if errors, ok := invalid(ctx, err); ok {
		return h.show(c, 422, views.Decide{Category: "associate", Reason: in.Reason, Errors: errors})
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, o.Path(), i18n.T(ctx, "Declined. The registrant is told."))
}

// ends says in words what an organization holds and would lose.
func ends(ctx context.Context, holdings []organization.Holding) []string {
	var list []string
	for _, x := range holdings {
		if x.Level != nil {
			list = append(list, i18n.T(ctx, "Its place in %s (%s)", x.Commission, i18n.Key(organization.LevelNames[*x.Level])))
		}
		if x.Seats > 0 {
			list = append(list, i18n.N(ctx, x.Seats, "%d seat in %s", "%d seats in %s", x.Commission))
		}
	}
	return list
}

func reasonField(ctx context.Context, value, wrong string, required bool) part.Field {
	return part.Field{Name: "reason", Label: i18n.T(ctx, "Reason"), Value: value, Error: wrong, Required: required, MaxLength: 2000, Help: i18n.T(ctx, "Those whom it concerns read it.")}
}

func (h *pages) getSuspend(c *fiber.Ctx) error { return h.suspend(c, 200, "", nil) }

func (h *pages) suspend(c *fiber.Ctx, status int, reason string, errors map[string]string) error {
	ctx := c.UserContext()
	o, holdings, err := h.organizations.Holdings(ctx, web.Actor(c), c.Params("slug"), "suspend")
	if err != nil {
		return err
	}
	return h.Render(c, status, views.AskPage(views.Ask{Title: i18n.T(ctx, "Suspend %s", o.Name), Active: "/organizations",
		Fields: []part.Field{reasonField(ctx, reason, errors["reason"], true)},
		Ending: part.Ending{Title: i18n.T(ctx, "Suspend %s?", o.Name), Intro: i18n.T(ctx, "Its people are told by mail."), Ends: ends(ctx, holdings),
			Stays: []string{i18n.T(ctx, "Its profile, its people and its history"), i18n.T(ctx, "You can reinstate it")}, Button: i18n.T(ctx, "Suspend"),
			Cancel: o.Path(), Post: part.Post{Action: o.Path() + "/suspend", Key: uuid.NewString()}}}))
}

func (h *pages) postSuspend(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	o, err := h.organizations.Suspend(ctx, web.Actor(c), in.Slug, in.Reason)
	if errors, ok := invalid(ctx, err); ok {
		return h.suspend(c, 422, in.Reason, errors)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, o.Path(), i18n.T(ctx, "%s is suspended. Its people are told.", o.Name))
}

func (h *pages) getLeave(c *fiber.Ctx) error { return h.leave(c, 200, "", nil) }

func (h *pages) leave(c *fiber.Ctx, status int, reason string, errors map[string]string) error {
	ctx := c.UserContext()
	o, holdings, err := h.organizations.Holdings(ctx, web.Actor(c), c.Params("slug"), "leave")
	if err != nil {
		return err
	}
	p := views.Ask{Title: i18n.T(ctx, "%s leaves the convention", o.Name), Active: "/organizations", Fields: []part.Field{reasonField(ctx, reason, errors["reason"], false)},
		Ending: part.Ending{Title: i18n.T(ctx, "Does %s leave the convention?", o.Name), Intro: i18n.T(ctx, "Its people are told by mail."), Ends: ends(ctx, holdings),
			Stays: []string{i18n.T(ctx, "Its profile, its people and its history"), i18n.T(ctx, "The secretariat can reinstate it")}, Button: i18n.T(ctx, "Leave the convention"),
			Cancel: o.Path(), Post: part.Post{Action: o.Path() + "/leave", Key: uuid.NewString()}}}
	if o.State == organization.Pending {
		p.Title, p.Fields = i18n.T(ctx, "Withdraw the registration"), nil
		p.Ending.Title, p.Ending.Intro, p.Ending.Stays, p.Ending.Button = i18n.T(ctx, "Withdraw the registration of %s?", o.Name), i18n.T(ctx, "The secretariat decides no more on it."), nil, i18n.T(ctx, "Withdraw")
	}
	return h.Render(c, status, views.AskPage(p))
}

func (h *pages) postLeave(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	o, err := h.organizations.Leave(ctx, web.Actor(c), in.Slug, in.Reason)
	if errors, ok := invalid(ctx, err); ok {
		return h.leave(c, 422, in.Reason, errors)
	}
	if err != nil {
		return err
	}
	if o.State == organization.Declined {
		return h.SeeOther(c, "/organizations", i18n.T(ctx, "The registration of %s is withdrawn.", o.Name))
	}
	return h.SeeOther(c, o.Path(), i18n.T(ctx, "%s has left the convention.", o.Name))
}

func (h *pages) getReinstate(c *fiber.Ctx) error {
	ctx := c.UserContext()
	o, _, err := h.organizations.Holdings(ctx, web.Actor(c), c.Params("slug"), "reinstate")
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.AskPage(views.Ask{Title: i18n.T(ctx, "Reinstate %s", o.Name), Active: "/organizations",
		Ending: part.Ending{Title: i18n.T(ctx, "Reinstate %s?", o.Name), Intro: i18n.T(ctx, "It is a member again. Its participations and seats do not come back by themselves. Its people are told by mail."),
			Button: i18n.T(ctx, "Reinstate"), Cancel: o.Path(), Post: part.Post{Action: o.Path() + "/reinstate", Key: uuid.NewString()}}}))
}

func (h *pages) postReinstate(c *fiber.Ctx) error {
	o, err := h.organizations.Reinstate(c.UserContext(), web.Actor(c), c.Params("slug"))
	if err != nil {
		return err
	}
	return h.SeeOther(c, o.Path(), i18n.T(c.UserContext(), "%s is a member again.", o.Name))
}

func (h *pages) getMerge(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	return h.merge(c, 200, in.Into, nil)
}

// merge asks what to merge into and, once that is said, shows all that moves.
func (h *pages) merge(c *fiber.Ctx, status int, into string, wrong map[string]string) error {
	ctx, who := c.UserContext(), web.Actor(c)
	if into != "" && wrong == nil {
		from, to, m, err := h.organizations.Merging(ctx, who, c.Params("slug"), into)
		if err == nil {
			return h.Render(c, status, views.AskPage(h.mergeAsk(ctx, from, to, m)))
		}
		errs, ok := invalid(ctx, err)
		if !ok {
			return err
		}
		status, wrong = 422, errs
	}
	o, err := h.organizations.Show(ctx, who, c.Params("slug"))
	if err != nil {
		return err
	}
	if _, err := h.Policy.Require(ctx, who, o.Scope(), "organization", "merge"); err != nil {
		return err
	}
	similar, err := h.organizations.SimilarTo(ctx, who, o)
	if err != nil {
		return err
	}
	field := part.Field{Name: "into", Label: i18n.T(ctx, "Merge into"), Value: into, Error: wrong["into"], Required: true,
		Help: i18n.T(ctx, "The name in its address, such as siemens.")}
	return h.Render(c, status, views.MergePage(o, similar, field))
}

func (h *pages) mergeAsk(ctx context.Context, from, to organization.Organization, m organization.Moving) views.Ask {
	var moves []string
	add := func(n int, one, many string) {
		if n > 0 {
			moves = append(moves, i18n.N(ctx, n, one, many))
		}
	}
	add(m.People, "%d person who acts for it", "%d people who act for it")
	add(m.Leading, "%d of them as its primary representative, as which they will fill all seats", "%d of them as its primary representatives, as which they will fill all seats")
	add(m.Participations, "%d participation; where both take part, the higher place holds", "%d participations; where both take part, the higher place holds")
	add(m.Seats, "%d seat", "%d seats")
	add(m.Applications, "%d application", "%d applications")
	add(m.Invitations, "%d invitation", "%d invitations")
	add(m.Supports, "%d signature under a proposal", "%d signatures under proposals")
	add(m.Documents, "%d document", "%d documents")
	add(m.Shares, "%d share that it gives or has", "%d shares that it gives or has")
	moves = append(moves, i18n.T(ctx, "Its name, which becomes a former name, and its address, which leads on"), i18n.T(ctx, "Its history, which both keep"))
	return views.Ask{Title: i18n.T(ctx, "Merge %s into %s", from.Name, to.Name), Active: "/organizations", Ending: part.Ending{
		Title: i18n.T(ctx, "Merge %s into %s?", from.Name, to.Name), Intro: i18n.T(ctx, "This cannot be taken back. What stays belongs to %s from then on.", to.Name),
		Ends: []string{i18n.T(ctx, "%s as an organization of its own", from.Name)}, Stays: moves,
		Button: i18n.T(ctx, "Merge"), Cancel: from.Path(), Post: part.Post{Action: from.Path() + "/merge?into=" + to.Slug, Key: uuid.NewString()}}}
}

func (h *pages) postMerge(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	o, err := h.organizations.Merge(ctx, web.Actor(c), in.Slug, in.Into)
	if errors, ok := invalid(ctx, err); ok {
		return h.merge(c, 422, in.Into, errors)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, o.Path(), i18n.T(ctx, "Merged into %s.", o.Name))
}
