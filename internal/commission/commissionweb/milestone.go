package commissionweb

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/commission"
)

func (h *pages) mountMilestones() {
	edit := web.InCommission("milestone", "edit")
	h.Page("GET", "/commissions/:slug/milestones", "milestone.list", web.Kept(web.InCommission("milestone", "read")), h.getMilestones)
	h.Page("POST", "/commissions/:slug/milestones", "milestone.add", edit, h.postMilestone)
	h.Page("GET", "/commissions/:slug/milestones/:id", "milestone.edit.form", edit, h.getMilestone)
	h.Page("POST", "/commissions/:slug/milestones/:id", "milestone.edit", edit, h.postEditMilestone)
	h.Page("POST", "/commissions/:slug/milestones/:id/done", "milestone.done", edit, h.postDone(true))
	h.Page("POST", "/commissions/:slug/milestones/:id/undone", "milestone.undone", edit, h.postDone(false))
	h.Page("GET", "/commissions/:slug/milestones/:id/remove", "milestone.remove.form", edit, h.getRemoveMilestone)
	h.Page("POST", "/commissions/:slug/milestones/:id/remove", "milestone.remove", edit, h.postRemoveMilestone)
}

func (h *pages) getMilestones(c *fiber.Ctx) error {
	return h.milestones(c, 200, views.Milestone{}, nil)
}

func (h *pages) milestones(c *fiber.Ctx, status int, draft views.Milestone, errors map[string]string) error {
	ctx, who := c.UserContext(), web.Actor(c)
	body, list, err := h.commissions.Milestones(ctx, who, slug(c))
	if err != nil {
		return err
	}
	return h.Render(c, status, views.MilestonesPage(views.Milestones{Frame: h.framed(ctx, body, "/milestones"), List: list, Draft: draft, Errors: errors, Key: key(),
		Edit: !body.Ended() && h.commissions.May(who, body, "milestone", "edit")}))
}

type milestoneForm struct {
	ID      string `form:"id"`
	Title   string `form:"title"`
	Due     string `form:"due_on"`
	Done    string `form:"done_on"`
	Version int    `form:"version"`
}

func (f milestoneForm) draft() views.Milestone {
	return views.Milestone{Title: f.Title, Due: f.Due, Done: f.Done}
}

// milestoneIn decodes a form with the id that the path has; what is no id is not there.
func milestoneIn(c *fiber.Ctx) (milestoneForm, uuid.UUID, error) {
	in, err := web.Decode[milestoneForm](c)
	if err != nil {
		return in, uuid.Nil, err
	}
	id, err := uuid.Parse(in.ID)
	if err != nil {
		access.Public(c.UserContext())
		return in, id, access.ErrNotFound
	}
	return in, id, nil
}

func (h *pages) postMilestone(c *fiber.Ctx) error {
	in, err := web.Decode[milestoneForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, _, err := h.commissions.AddMilestone(ctx, web.Actor(c), slug(c), commission.Plan{Title: &in.Title, Due: &in.Due})
	if p := web.Invalid(err); p != nil {
		return h.milestones(c, 422, in.draft(), i18n.FieldProblems(ctx, p))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, body.Path()+"/milestones", i18n.T(ctx, "Added."))
}

// milestone reads one for somebody who may change it.
func (h *pages) milestone(c *fiber.Ctx, id uuid.UUID) (views.EditMilestone, error) {
	ctx, who := c.UserContext(), web.Actor(c)
	body, m, err := h.commissions.Milestone(ctx, who, slug(c), id)
	if err == nil {
		_, err = h.Policy.Require(ctx, who, body.Scope(), "milestone", "edit")
	}
	p := views.EditMilestone{Frame: h.framed(ctx, body, "/milestones"), Milestone: m, Version: m.Version, Draft: views.Milestone{Title: m.Title, Due: m.DueOn}, Key: key()}
	if m.DoneOn != nil {
		p.Draft.Done = *m.DoneOn
	}
	return p, err
}

func (h *pages) getMilestone(c *fiber.Ctx) error {
	_, id, err := milestoneIn(c)
	if err != nil {
		return err
	}
	p, err := h.milestone(c, id)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.EditMilestonePage(p))
}

func (h *pages) postEditMilestone(c *fiber.Ctx) error {
	in, id, err := milestoneIn(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, _, err := h.commissions.EditMilestone(ctx, web.Actor(c), slug(c), id, commission.Plan{Title: &in.Title, Due: &in.Due, Done: &in.Done, Version: in.Version})
	if err == nil {
		return h.SeeOther(c, body.Path()+"/milestones", i18n.T(ctx, "Saved."))
	}
	invalid, stale := web.Invalid(err), problem.Of(err, problem.Stale)
	if invalid == nil && !stale {
		return err
	}
	p, e := h.milestone(c, id)
	if e != nil {
		return e
	}
	p.Draft = in.draft()
	if stale {
		p.Stale = true
		return h.Render(c, fiber.StatusPreconditionFailed, views.EditMilestonePage(p))
	}
	p.Errors, p.Version = i18n.FieldProblems(ctx, invalid), in.Version
	return h.Render(c, 422, views.EditMilestonePage(p))
}

// postDone says of a milestone that it is done today, or not.
func (h *pages) postDone(done bool) fiber.Handler {
	return func(c *fiber.Ctx) error {
		in, id, err := milestoneIn(c)
		if err != nil {
			return err
		}
		ctx := c.UserContext()
		day, said := "", i18n.T(ctx, "Marked as not done.")
		if done {
			day, said = journal.Now(ctx).In(i18n.From(ctx).Zone).Format("2006-01-02"), i18n.T(ctx, "Marked as done.")
		}
		body, _, err := h.commissions.EditMilestone(ctx, web.Actor(c), slug(c), id, commission.Plan{Done: &day, Version: in.Version})
		if err != nil {
			return err
		}
		return h.SeeOther(c, body.Path()+"/milestones", said)
	}
}

func (h *pages) getRemoveMilestone(c *fiber.Ctx) error {
	_, id, err := milestoneIn(c)
	if err != nil {
		return err
	}
	p, err := h.milestone(c, id)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.RemoveMilestonePage(p))
}

func (h *pages) postRemoveMilestone(c *fiber.Ctx) error {
	in, id, err := milestoneIn(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	body, err := h.commissions.RemoveMilestone(ctx, web.Actor(c), slug(c), id, in.Version)
	if err != nil {
		return err
	}
	return h.SeeOther(c, body.Path()+"/milestones", i18n.T(ctx, "Removed."))
}
