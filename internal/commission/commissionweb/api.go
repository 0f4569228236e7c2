package commissionweb

import (
	"context"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/web"
)

type api struct{ commissions *commission.Service }

const tag = "Commissions"

func mountAPI(s *web.Server, commissions *commission.Service) {
	h := &api{commissions}
	web.API(s, web.Call{Method: "GET", Path: "/commissions", Operation: "commission.list.api", Need: web.InPortal("commission", "list"), Summary: "List commissions", Tag: tag}, h.list)
	web.API(s, web.Call{Method: "POST", Path: "/commissions", Operation: "commission.propose.api", Need: web.InPortal("commission", "propose"), Summary: "Propose a commission", Tag: tag, Status: 201}, h.propose)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}", Operation: "commission.show.api", Need: web.InCommission("commission", "read"), Summary: "Read a commission", Tag: tag}, h.show)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/about", Operation: "commission.about.api", Need: web.InCommission("commission", "read"), Summary: "Read the support, officers, organizations and numbers of a commission", Tag: tag}, h.about)
	web.API(s, web.Call{Method: "PATCH", Path: "/commissions/{slug}", Operation: "commission.settings.api", Need: web.InCommission("commission", "settings"), Summary: "Change the settings of a commission", Tag: tag}, h.edit)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/transitions", Operation: "commission.transition.api", Need: web.Recent(web.InCommission("commission", "read")), Summary: "Bring a commission into another state", Tag: tag}, h.transition)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/history", Operation: "commission.history.api", Need: web.InCommission("history", "read"), Summary: "Read the history of a commission", Tag: tag}, h.history)
	h.mountFounding(s)
	h.mountCharter(s)
	h.mountMilestones(s)
	h.mountSectors(s)
}

type listInput struct {
	web.Paged
	Query  string `query:"q" maxLength:"200"`
	Sector string `query:"sector" maxLength:"80"`
	Kind   string `query:"kind" enum:"commission,subcommission,working_group,task_force"`
	State  string `query:"state" enum:"proposed,forming,active,dormant,concluded,abandoned"`
	Parent string `query:"parent" maxLength:"80" doc:"Slug: those right under it."`
}

func (h *api) list(ctx context.Context, in *listInput) (*web.Listed[commission.Row], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	rows, next, err := h.commissions.List(ctx, access.From(ctx), commission.Filter{Query: in.Query, Sector: in.Sector, Kind: in.Kind, State: in.State, Parent: in.Parent}, page)
	return web.Page(rows, next), err
}

// Named is what every operation on a commission or sector takes. Exported, so that
// huma looks into it where it is embedded.
type Named struct {
	Slug string `path:"slug" maxLength:"80"`
}

func (h *api) show(ctx context.Context, in *Named) (*web.Versioned[commission.Commission], error) {
	c, err := h.commissions.Show(ctx, access.From(ctx), in.Slug)
	return web.Version(c, c.Version), err
}

type about struct{ Body commission.About }

func (h *api) about(ctx context.Context, in *Named) (*about, error) {
	who := access.From(ctx)
	c, err := h.commissions.Show(ctx, who, in.Slug)
	if err != nil {
		return nil, err
	}
	a, err := h.commissions.About(ctx, who, c)
	return &about{a}, err
}

type proposeInput struct {
	Body struct {
		Name    string `json:"name" minLength:"1"`
		Acronym string `json:"acronym" minLength:"1"`
		Kind    string `json:"kind" enum:"commission,subcommission,working_group,task_force"`
		Parent  string `json:"parent,omitempty" doc:"Slug or acronym of the commission it will sit under."`
		Sector  string `json:"sector" minLength:"1" doc:"Slug."`
		Purpose string `json:"purpose" minLength:"1"`
		Charter string `json:"charter" minLength:"1" doc:"Markdown."`
	}
}

func (h *api) propose(ctx context.Context, in *proposeInput) (*web.Created[commission.Commission], error) {
	c, err := h.commissions.Propose(ctx, access.From(ctx), commission.Draft(in.Body))
	return web.At(c, "/api/v1"+c.Path(), c.Version), err
}

type editInput struct {
	Named
	web.Matched
	Body struct {
		Name                 *string `json:"name,omitempty" doc:"A new name is a new slug; the old address leads to the new one."`
		Acronym              *string `json:"acronym,omitempty"`
		Purpose              *string `json:"purpose,omitempty"`
		Sector               *string `json:"sector,omitempty" doc:"Slug."`
		Parent               *string `json:"parent,omitempty" doc:"Slug or acronym of the commission it sits under, empty for none; for the secretariat."`
		JoinMode             *string `json:"join_mode,omitempty" enum:"open,application,invitation,closed"`
		RosterVisibility     *string `json:"roster_visibility,omitempty" enum:"public,portal,commission,officers"`
		TermMonths           *int    `json:"term_months,omitempty" doc:"0 for terms without end."`
		SeatsPerOrganization *int    `json:"seats_per_organization,omitempty" doc:"0 for no limit."`
	}
}

func (h *api) edit(ctx context.Context, in *editInput) (*web.Versioned[commission.Commission], error) {
	who := access.From(ctx)
	if _, err := h.commissions.Show(ctx, who, in.Slug); err != nil {
		return nil, err
	}
	version, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body
	c, err := h.commissions.Edit(ctx, who, in.Slug, commission.Edit{Name: b.Name, Acronym: b.Acronym, Purpose: b.Purpose, Sector: b.Sector, Parent: b.Parent,
		JoinMode: b.JoinMode, RosterVisibility: b.RosterVisibility, TermMonths: b.TermMonths, SeatsPerOrganization: b.SeatsPerOrganization, Version: version})
	return web.Version(c, c.Version), err
}

type transitionInput struct {
	Named
	Body struct {
		To     string `json:"to" enum:"forming,active,dormant,concluded,abandoned"`
		Reason string `json:"reason,omitempty" doc:"Required for dormant, concluded and abandoned."`
	}
}

func (h *api) transition(ctx context.Context, in *transitionInput) (*web.Versioned[commission.Commission], error) {
	c, err := h.commissions.Transition(ctx, access.From(ctx), in.Slug, in.Body.To, in.Body.Reason)
	return web.Version(c, c.Version), err
}

type pagedInput struct {
	web.Paged
	Named
}

type historyInput struct {
	Named
	web.Past
}

func (h *api) history(ctx context.Context, in *historyInput) (*web.Listed[journal.Event], error) {
	page, err := keyset.Parse(in.Cursor, 3, in.Limit)
	if err != nil {
		return nil, err
	}
	_, events, next, err := h.commissions.History(ctx, access.From(ctx), in.Slug, in.Filter(ctx), page)
	return web.Page(events, next), err
}
