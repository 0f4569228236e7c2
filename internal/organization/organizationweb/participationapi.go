package organizationweb

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/keyset"
	"commissionportal/internal/organization"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
)

var errOneChange = problem.New(problem.Invalid, "Say one of state, representative and title.")

func mountParticipations(s *web.Server, h *api, tag string) {
	there, place, ask := web.InCommission("participation", "read"), web.InCommission("participation", "edit"), web.InOrganization("participation", "request")
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/participations", Operation: "participation.list.api", Need: there, Summary: "List the organizations that take part in a commission", Tag: tag}, h.participations)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/participations/{organization}", Operation: "participation.show.api", Need: there, Summary: "Read an organization's place in a commission", Tag: tag}, h.participation)
	web.API(s, web.Call{Method: "PUT", Path: "/commissions/{slug}/participations/{organization}", Operation: "participation.set.api", Need: place, Summary: "Give an organization a place in a commission, or another level", Tag: tag}, h.setParticipation)
	web.API(s, web.Call{Method: "DELETE", Path: "/commissions/{slug}/participations/{organization}", Operation: "participation.end.api", Need: there, Summary: "End a participation: by the officers, or by the organization", Tag: tag, Status: 204}, h.endParticipation)
	web.API(s, web.Call{Method: "GET", Path: "/commissions/{slug}/participation-requests", Operation: "participation.requests.api", Need: place, Summary: "List the requests that wait for the officers", Tag: tag}, h.requests)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/participation-requests", Operation: "participation.request.api", Need: ask, Summary: "Ask for a place for an organization that you represent", Tag: tag, Status: 201}, h.request)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/participation-requests/{id}/grant", Operation: "participation.grant.api", Need: place, Summary: "Grant a request", Tag: tag}, h.grant)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/participation-requests/{id}/decline", Operation: "participation.decline.api", Need: place, Summary: "Decline a request", Tag: tag}, h.refuse)
	web.API(s, web.Call{Method: "POST", Path: "/commissions/{slug}/participation-requests/{id}/withdraw", Operation: "participation.withdraw.api", Need: ask, Summary: "Take a request back", Tag: tag}, h.withdraw)
}

type participationsInput struct {
	web.Paged
	SlugInput
	Query   string `query:"q" maxLength:"200" doc:"Part of the organization's name."`
	Level   string `query:"level" enum:"P,O,L"`
	Country string `query:"country" maxLength:"2" doc:"ISO 3166 alpha-2."`
	AsOf    string `query:"as_of" maxLength:"40" doc:"An instant (RFC 3339), or a day of the convention, which means its end; now if absent."`
}

func (h *api) participations(ctx context.Context, in *participationsInput) (*web.Listed[organization.Participation], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	f := organization.ParticipationFilter{Level: in.Level, Country: in.Country, Query: in.Query}
	if f.AsOf, err = asOf(ctx, in.AsOf); err != nil {
		return nil, err
	}
	_, rows, next, err := h.organizations.Participations(ctx, access.From(ctx), in.Slug, f, page)
	return web.Page(rows, next), err
}

// PlaceInput names an organization in a commission.
type PlaceInput struct {
	SlugInput
	Organization string `path:"organization" maxLength:"80" doc:"Slug."`
}

// placed is a participation; each is a version of the organization's place, so
// its id is the ETag.
func placed(p organization.Participation, err error) (*web.Versioned[organization.Participation], error) {
	return &web.Versioned[organization.Participation]{ETag: `"` + p.ID.String() + `"`, Body: p}, err
}

func (h *api) participation(ctx context.Context, in *PlaceInput) (*web.Versioned[organization.Participation], error) {
	_, p, err := h.organizations.Participation(ctx, access.From(ctx), in.Slug, in.Organization)
	return placed(p, err)
}

type setInput struct {
	PlaceInput
	IfMatch string `header:"If-Match" doc:"The ETag of the participation that this takes the place of; absent where the organization takes no part yet."`
	Body    struct {
		Level string `json:"level" enum:"P,O,L"`
	}
}

func (h *api) setParticipation(ctx context.Context, in *setInput) (*web.Versioned[organization.Participation], error) {
	var seen uuid.UUID
	if in.IfMatch != "" {
		var err error
		if seen, err = uuid.Parse(web.Seen(in.IfMatch)); err != nil {
			return nil, problem.New(problem.Stale, "If-Match is not an ETag of this.")
		}
	}
	return placed(h.organizations.SetParticipation(ctx, access.From(ctx), in.Slug, in.Organization, in.Body.Level, &seen))
}

type endInput struct {
	PlaceInput
	Seats bool `query:"end_seats" doc:"End the seats held for it in the commission in the same change, but for those of officers; otherwise they stay until they are ended."`
}

func (h *api) endParticipation(ctx context.Context, in *endInput) (*struct{}, error) {
	return nil, h.organizations.EndParticipation(ctx, access.From(ctx), in.Slug, in.Organization, in.Seats)
}

type requestsInput struct {
	web.Paged
	SlugInput
}

func (h *api) requests(ctx context.Context, in *requestsInput) (*web.Listed[organization.Request], error) {
	page, err := keyset.Parse(in.Cursor, 1, in.Limit)
	if err != nil {
		return nil, err
	}
	_, rows, next, err := h.organizations.Requests(ctx, access.From(ctx), in.Slug, page)
	return web.Page(rows, next), err
}

type requestInput struct {
	SlugInput
	Body struct {
		Organization string `json:"organization" doc:"Slug."`
		Level        string `json:"level" enum:"P,O,L"`
		Message      string `json:"message,omitempty"`
	}
}

func (h *api) request(ctx context.Context, in *requestInput) (*web.Created[organization.Request], error) {
	r, err := h.organizations.RequestParticipation(ctx, access.From(ctx), in.Slug, in.Body.Organization, in.Body.Level, in.Body.Message)
	return web.At(r, "/api/v1/commissions/"+r.Commission+"/participation-requests", 1), err
}

// RequestIDInput names a request in a commission.
type RequestIDInput struct {
	SlugInput
	ID string `path:"id" format:"uuid"`
}

func (h *api) grant(ctx context.Context, in *RequestIDInput) (*body[organization.Request], error) {
	id, err := id(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := h.organizations.Grant(ctx, access.From(ctx), in.Slug, id)
	return &body[organization.Request]{r}, err
}

type refuseInput struct {
	RequestIDInput
	Body struct {
		Reason string `json:"reason"`
	}
}

func (h *api) refuse(ctx context.Context, in *refuseInput) (*body[organization.Request], error) {
	id, err := id(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := h.organizations.Refuse(ctx, access.From(ctx), in.Slug, id, in.Body.Reason)
	return &body[organization.Request]{r}, err
}

func (h *api) withdraw(ctx context.Context, in *RequestIDInput) (*body[organization.Request], error) {
	id, err := id(in.ID)
	if err != nil {
		return nil, err
	}
	r, err := h.organizations.Withdraw(ctx, access.From(ctx), in.Slug, id)
	return &body[organization.Request]{r}, err
}
