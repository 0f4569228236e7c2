package commissionweb

import (
	"context"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/keyset"
	"commissionportal/internal/web"
)

type api struct{ commissions *commission.Service }

func mountAPI(s *web.Server, commissions *commission.Service) {
	h := &api{commissions}
	web.API(s, web.Call{Method: "GET", Path: "/commissions", Operation: "commission.list.api", Need: web.InPortal("commission", "list"), Summary: "List commissions", Tag: "Commissions"}, h.list)
	web.API(s, web.Call{Method: "POST", Path: "/commissions", Operation: "commission.propose.api", Need: web.InPortal("commission", "propose"), Summary: "Propose a commission", Tag: "Commissions", Status: 201}, h.propose)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}", Operation: "commission.show.api", Need: web.InCommission("commission", "read"), Summary: "Read a commission", Tag: "Commissions"}, h.show)
}

type listInput struct {
	web.Paged
	Query  string `query:"q" maxLength:"200"`
	Sector string `query:"sector"`
	Kind   string `query:"kind"`
	State  string `query:"state"`
}

func (h *api) list(ctx context.Context, in *listInput) (*web.Listed[commission.Row], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	rows, next, err := h.commissions.List(ctx, access.From(ctx), commission.Filter{Query: in.Query, Sector: in.Sector, Kind: in.Kind, State: in.State}, page)
	return web.Page(rows, next), err
}

type slugInput struct {
	Slug string `path:"slug" maxLength:"80"`
}

func (h *api) show(ctx context.Context, in *slugInput) (*web.Versioned[commission.Commission], error) {
	c, err := h.commissions.Show(ctx, access.From(ctx), in.Slug)
	return web.Version(c, c.Version), err
}

type proposeInput struct {
	Body struct {
		Name    string `json:"name"`
		Acronym string `json:"acronym"`
		Kind    string `json:"kind" enum:"commission,subcommission,working_group,task_force"`
		Parent  string `json:"parent,omitempty" doc:"Slug of the commission it will sit under."`
		Sector  string `json:"sector" doc:"Slug."`
		Purpose string `json:"purpose"`
		Charter string `json:"charter" doc:"Markdown."`
	}
}

func (h *api) propose(ctx context.Context, in *proposeInput) (*web.Created[commission.Commission], error) {
	c, err := h.commissions.Propose(ctx, access.From(ctx), commission.Draft(in.Body))
	return web.At(c, "/api/v1"+c.Path(), c.Version), err
}
