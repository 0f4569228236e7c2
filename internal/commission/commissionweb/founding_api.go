package commissionweb

import (
	"context"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/keyset"
	"commissionportal/internal/web"
)

func (h *api) mountFounding(s *web.Server) {
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/supporters", Operation: "support.list.api", Need: web.InCommission("support", "read"), Summary: "List the supporters of a commission", Tag: tag}, h.supporters)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/supporters", Operation: "support.sign.api", Need: web.InCommission("support", "sign"), Summary: "Support a proposed commission", Tag: tag, Status: 201}, h.sign)
	web.API(s, web.Call{Method: "DELETE", Path: "/commissions/{slug}/supporters/me", Operation: "support.withdraw.api", Need: web.InCommission("support", "withdraw"), Summary: "Take your support back", Tag: tag, Status: 204}, h.unsign)
	web.API(s, web.Call{Method: "GET", Path: "/settings/founding", Operation: "threshold.show.api", Need: web.InPortal("threshold", "read"), Summary: "Read the support a founding needs", Tag: tag}, h.threshold)
	web.API(s, web.Call{Method: "PATCH", Path: "/settings/founding", Operation: "threshold.edit.api", Need: web.InPortal("threshold", "edit"), Summary: "Set the support a founding needs (secretariat)", Tag: tag}, h.setThreshold)
}

func (h *api) supporters(ctx context.Context, in *pagedInput) (*web.Listed[commission.Supporter], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	_, rows, next, err := h.commissions.Supporters(ctx, access.From(ctx), in.Slug, page)
	return web.Page(rows, next), err
}

type signInput struct {
	Named
	Body struct {
		Organization string `json:"organization,omitempty" doc:"Slug of an organization that you act for; none to support in person."`
	}
}

func (h *api) sign(ctx context.Context, in *signInput) (*web.Created[commission.Commission], error) {
	c, err := h.commissions.Sign(ctx, access.From(ctx), in.Slug, in.Body.Organization)
	return web.At(c, "/api/v1"+c.Path()+"/supporters", c.Version), err
}

func (h *api) unsign(ctx context.Context, in *Named) (*struct{}, error) {
	_, err := h.commissions.Unsign(ctx, access.From(ctx), in.Slug)
	return nil, err
}

type none struct{}

func (h *api) threshold(ctx context.Context, _ *none) (*web.Versioned[commission.Threshold], error) {
	t, err := h.commissions.Threshold(ctx, access.From(ctx))
	return web.Version(t, t.Version), err
}

type thresholdInput struct {
	web.Matched
	Body struct {
		Persons       *int `json:"persons,omitempty"`
		Organizations *int `json:"organizations,omitempty"`
		Countries     *int `json:"countries,omitempty"`
	}
}

func (h *api) setThreshold(ctx context.Context, in *thresholdInput) (*web.Versioned[commission.Threshold], error) {
	who := access.From(ctx)
	t, err := h.commissions.Threshold(ctx, who)
	if err != nil {
		return nil, err
	}
	if t.Version, err = web.IfMatch(in.IfMatch); err != nil {
		return nil, err
	}
	for to, v := range map[*int]*int{&t.Persons: in.Body.Persons, &t.Organizations: in.Body.Organizations, &t.Countries: in.Body.Countries} {
		if v != nil {
			*to = *v
		}
	}
	t, err = h.commissions.SetThreshold(ctx, who, t)
	return web.Version(t, t.Version), err
}
