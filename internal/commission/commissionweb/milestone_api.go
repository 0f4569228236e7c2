package commissionweb

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/web"
)

func (h *api) mountMilestones(s *web.Server) {
	edit := web.InCommission("milestone", "edit")
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/milestones", Operation: "milestone.list.api", Need: web.InCommission("milestone", "read"), Summary: "List the milestones of a commission, at most 200", Tag: tag}, h.milestones)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/milestones", Operation: "milestone.add.api", Need: edit, Summary: "Add a milestone", Tag: tag, Status: 201}, h.addMilestone)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/milestones/{id}", Operation: "milestone.show.api", Need: web.InCommission("milestone", "read"), Summary: "Read a milestone", Tag: tag}, h.milestone)
	web.API(s, web.Call{Method: "PATCH", Path: "/commissions/{slug}/milestones/{id}", Operation: "milestone.edit.api", Need: edit, Summary: "Change a milestone, or say that it is done", Tag: tag}, h.editMilestone)
	web.API(s, web.Call{Method: "DELETE", Path: "/commissions/{slug}/milestones/{id}", Operation: "milestone.remove.api", Need: edit, Summary: "Remove a milestone", Tag: tag, Status: 204}, h.removeMilestone)
}

func (h *api) milestones(ctx context.Context, in *Named) (*web.Listed[commission.Milestone], error) {
	_, list, err := h.commissions.Milestones(ctx, access.From(ctx), in.Slug)
	return web.Page(list, ""), err
}

type milestoneBody struct {
	Title  *string `json:"title,omitempty"`
	DueOn  *string `json:"due_on,omitempty" doc:"YYYY-MM-DD."`
	DoneOn *string `json:"done_on,omitempty" doc:"YYYY-MM-DD, empty for not done."`
}

func (b milestoneBody) plan(version int) commission.Plan {
	return commission.Plan{Title: b.Title, Due: b.DueOn, Done: b.DoneOn, Version: version}
}

type addMilestoneInput struct {
	Named
	Body milestoneBody
}

func (h *api) addMilestone(ctx context.Context, in *addMilestoneInput) (*web.Created[commission.Milestone], error) {
	c, m, err := h.commissions.AddMilestone(ctx, access.From(ctx), in.Slug, in.Body.plan(0))
	return web.At(m, "/api/v1"+c.Path()+"/milestones/"+m.ID.String(), m.Version), err
}

// MilestoneNamed is what every operation on a milestone takes.
type MilestoneNamed struct {
	Named
	ID uuid.UUID `path:"id" format:"uuid"`
}

func (h *api) milestone(ctx context.Context, in *MilestoneNamed) (*web.Versioned[commission.Milestone], error) {
	_, m, err := h.commissions.Milestone(ctx, access.From(ctx), in.Slug, in.ID)
	return web.Version(m, m.Version), err
}

type editMilestoneInput struct {
	MilestoneNamed
	web.Matched
	Body milestoneBody
}

func (h *api) editMilestone(ctx context.Context, in *editMilestoneInput) (*web.Versioned[commission.Milestone], error) {
	version, err := h.matched(ctx, in.MilestoneNamed, in.Matched)
	if err != nil {
		return nil, err
	}
	_, m, err := h.commissions.EditMilestone(ctx, access.From(ctx), in.Slug, in.ID, in.Body.plan(version))
	return web.Version(m, m.Version), err
}

type removeMilestoneInput struct {
	MilestoneNamed
	web.Matched
}

func (h *api) removeMilestone(ctx context.Context, in *removeMilestoneInput) (*struct{}, error) {
	version, err := h.matched(ctx, in.MilestoneNamed, in.Matched)
	if err != nil {
		return nil, err
	}
	_, err = h.commissions.RemoveMilestone(ctx, access.From(ctx), in.Slug, in.ID, version)
	return nil, err
}

// matched is the version that a change names; what is not there is said first.
func (h *api) matched(ctx context.Context, in MilestoneNamed, m web.Matched) (int, error) {
	if _, _, err := h.commissions.Milestone(ctx, access.From(ctx), in.Slug, in.ID); err != nil {
		return 0, err
	}
	return web.IfMatch(m.IfMatch)
}
