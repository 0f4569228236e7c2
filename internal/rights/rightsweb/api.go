package rightsweb

import (
	"context"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/rights"
	"commissionportal/internal/web"
)

type api struct{ rights *rights.Service }

const tag = "Access"

func mountAPI(s *web.Server, service *rights.Service) {
	h := &api{service}
	read, edit := web.InCommission("access", "read"), web.InCommission("access", "edit")
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/access", Operation: "access.show.api", Need: read, Summary: "Read who may do what in a commission: the matrix of its roles, and its own rules", Tag: tag}, h.show)
	web.API(s, web.Call{Method: "PATCH", Path: "/commissions/{slug}/access", Operation: "access.edit.api", Need: edit, Summary: "Allow, deny or inherit: change cells of the matrix", Tag: tag}, h.set)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/access/preview", Operation: "access.preview.api", Need: edit, Summary: "Say what a change would do, and to how many persons, without making it", Tag: tag}, h.preview)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/access/changes", Operation: "access.changes.api", Need: read, Summary: "List the changes of a commission's rules, newest first", Tag: tag}, h.changes)
	h.mountRoles(s, read, edit)
	web.API(s, web.Call{Method: "GET", Path: "/access/explain", Operation: "access.explain.api", Need: web.InPortal("access", "explain"), Summary: "Say whether a person may do something, and why", Tag: tag}, h.explain)
}

// Named is what every operation on the rules of a commission takes.
type Named struct {
	Slug string `path:"slug" maxLength:"200"`
}

func (h *api) show(ctx context.Context, in *Named) (*web.Versioned[rights.Matrix], error) {
	m, err := h.rights.Show(ctx, access.From(ctx), in.Slug)
	return web.Version(m, m.Version), err
}

type setInput struct {
	Named
	web.Matched
	Body struct {
		Changes []rights.Change `json:"changes" maxItems:"200"`
		Reason  string          `json:"reason,omitempty" maxLength:"500"`
	}
}

func (h *api) set(ctx context.Context, in *setInput) (*web.Versioned[rights.Matrix], error) {
	if err := h.rights.Editable(ctx, access.From(ctx), in.Slug); err != nil { // before If-Match: what may not be seen has no version
		return nil, err
	}
	version, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	m, _, err := h.rights.Set(ctx, access.From(ctx), in.Slug, in.Body.Changes, in.Body.Reason, version)
	return web.Version(m, m.Version), err
}

type previewInput struct {
	Named
	Body struct {
		Changes []rights.Change `json:"changes" maxItems:"200"`
	}
}

type planned struct{ Body rights.Plan }

func (h *api) preview(ctx context.Context, in *previewInput) (*planned, error) {
	_, p, err := h.rights.Preview(ctx, access.From(ctx), in.Slug, in.Body.Changes)
	return &planned{p}, err
}

type changesInput struct {
	Named
	web.Paged
}

func (h *api) changes(ctx context.Context, in *changesInput) (*web.Listed[journal.Event], error) {
	page, err := keyset.Parse(in.Cursor, 3, in.Limit)
	if err != nil {
		return nil, err
	}
	_, list, next, err := h.rights.Changes(ctx, access.From(ctx), in.Slug, page)
	return web.Page(list, next), err
}

type explainInput struct {
	Object       string `query:"object" required:"true" maxLength:"60" doc:"As policies/*.csv has it, such as document."`
	Action       string `query:"action" required:"true" maxLength:"60" doc:"Such as read:officers."`
	Commission   string `query:"commission" maxLength:"200" doc:"Its slug. Without this, organization and document it is about the portal."`
	Organization string `query:"organization" maxLength:"200" doc:"Its slug."`
	Document     string `query:"document" maxLength:"200" doc:"Its number or id."`
	Person       string `query:"person" maxLength:"254" doc:"Key or address; whoever asks if absent. About others ask who sees the rules of the commission, and the secretariat."`
}

type explained struct{ Body rights.Answer }

func (h *api) explain(ctx context.Context, in *explainInput) (*explained, error) {
	a, err := h.rights.Explain(ctx, access.From(ctx), rights.Asking{Person: in.Person, Commission: in.Commission, Organization: in.Organization, Document: in.Document, Object: in.Object, Action: in.Action})
	return &explained{a}, err
}
