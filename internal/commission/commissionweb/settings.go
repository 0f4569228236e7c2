package commissionweb

import (
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/check"
	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/commission"
)

// settings reads what the form shows, for somebody who may change it.
func (h *pages) settings(c *fiber.Ctx) (views.Settings, error) {
	ctx, who := c.UserContext(), web.Actor(c)
	body, err := h.commissions.Show(ctx, who, slug(c))
	if err != nil {
		return views.Settings{}, err
	}
	if _, err := h.Policy.Require(ctx, who, body.Scope(), "commission", "settings"); err != nil {
		return views.Settings{}, err
	}
	if body.Ended() {
		return views.Settings{}, problem.New(problem.Conflict, "It is %s: nothing of it can be changed any more.", i18n.Key(body.State))
	}
	p := views.Settings{Frame: h.framed(ctx, body, "/settings"), Typed: views.Typed(body), Move: body.Kind != commission.Standing && h.commissions.May(who, body, "commission", "move"), Key: key()}
	if p.Sectors, err = h.commissions.Sectors(ctx, who); err != nil || !p.Move {
		return p, err
	}
	p.Places, err = h.commissions.Places(ctx, who, "")
	return p, err
}

func (h *pages) getSettings(c *fiber.Ctx) error {
	p, err := h.settings(c)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.SettingsPage(p))
}

// edit is what the form asks for, with what is no number marked.
func edit(in views.SettingsForm, move bool) (commission.Edit, error) {
	var f problem.Fields
	term := check.Number(&f, "term_months", in.TermMonths, false, 1, 240)
	seats := check.Number(&f, "seats_per_organization", in.SeatsPerOrganization, false, 1, 1000)
	e := commission.Edit{Name: &in.Name, Acronym: &in.Acronym, Purpose: &in.Purpose, JoinMode: &in.JoinMode, RosterVisibility: &in.RosterVisibility,
		TermMonths: &term, SeatsPerOrganization: &seats, Version: in.Version}
	if in.Sector != "" {
		e.Sector = &in.Sector
	}
	if move {
		e.Parent = &in.Parent
	}
	return e, f.Err()
}

func (h *pages) postSettings(c *fiber.Ctx) error {
	in, err := web.Decode[views.SettingsForm](c)
	if err != nil {
		return err
	}
	p, err := h.settings(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	p.Typed = in
	e, err := edit(in, p.Move)
	if err == nil {
		var body commission.Commission
		if body, err = h.commissions.Edit(ctx, web.Actor(c), slug(c), e); err == nil {
			return h.SeeOther(c, body.Path()+"/settings", i18n.T(ctx, "Saved."))
		}
	}
	switch {
	case web.Invalid(err) != nil:
		p.Errors = i18n.FieldProblems(ctx, problem.As(err))
		return h.Render(c, 422, views.SettingsPage(p))
	case problem.Of(err, problem.Stale):
		now, e := h.settings(c)
		if e != nil {
			return e
		}
		p.Stale, p.Typed.Version = true, now.Version
		return h.Render(c, fiber.StatusPreconditionFailed, views.SettingsPage(p))
	}
	return err
}
