package organizationweb

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/organization"
	"commissionportal/internal/web"
)

type api struct{ organizations *organization.Service }

func mountAPI(s *web.Server, organizations *organization.Service) {
	h := &api{organizations}
	const tag, people, places = "Organizations", "Affiliations", "Participations"
	in := func(action string) web.Need { return web.InOrganization("organization", action) }
	register := web.InPortal("organization", "register")
	web.API(s, web.Call{Method: "GET", Path: "/organizations", Operation: "organization.list.api", Need: web.InPortal("organization", "list"), Summary: "List organizations", Tag: tag}, h.list)
	web.API(s, web.Call{Method: "POST", Path: "/organizations", Operation: "organization.register.api", Need: register, Summary: "Register an organization", Tag: tag, Status: 201}, h.register)
	web.API(s, web.Call{Method: "GET", Path: "/organizations/similar", Operation: "organization.similar.api", Need: register, Summary: "Find organizations that may be the same", Tag: tag}, h.similar)
	web.API(s, web.Call{Method: "GET", Path: "/organizations/counts", Operation: "organization.counts.api", Need: web.InPortal("organization", "list"), Summary: "Count organizations by country, kind and category", Tag: tag}, h.counts)
	web.API(s, web.Call{Method: "GET", Path: "/organizations/{slug}", Operation: "organization.show.api", Need: in("read"), Summary: "Read an organization", Tag: tag}, h.show)
	web.API(s, web.Call{Method: "PATCH", Path: "/organizations/{slug}", Operation: "organization.edit.api", Need: in("edit"), Summary: "Edit an organization's profile", Tag: tag}, h.edit)
	web.API(s, web.Call{Method: "PUT", Path: "/organizations/{slug}/logo", Operation: "logo.set.api", Need: in("edit"), Summary: "Replace the logo: the body is a PNG, JPEG or WebP picture", Tag: tag}, h.setLogo)
	web.API(s, web.Call{Method: "DELETE", Path: "/organizations/{slug}/logo", Operation: "logo.remove.api", Need: in("edit"), Summary: "Remove the logo", Tag: tag, Status: 204}, h.removeLogo)
	web.API(s, web.Call{Method: "GET", Path: "/organizations/{slug}/history", Operation: "organization.history.api", Need: web.InOrganization("history", "read"), Summary: "Read what was done to an organization", Tag: tag}, h.history)
	web.API(s, web.Call{Method: "GET", Path: "/organizations/{slug}/similar", Operation: "organization.similar_to.api", Need: in("accept"), Summary: "Find what may be the same as an organization, among all there are (secretariat)", Tag: tag}, h.similarTo)
	web.API(s, web.Call{Method: "GET", Path: "/organizations/{slug}/participations", Operation: "organization.participations.api", Need: in("read"), Summary: "List what an organization takes part in", Tag: places}, h.participationsOf)
	web.API(s, web.Call{Method: "POST", Path: "/organizations/{slug}/accept", Operation: "organization.accept.api", Need: in("accept"), Summary: "Accept an organization as a member", Tag: tag}, h.accept)
	web.API(s, web.Call{Method: "POST", Path: "/organizations/{slug}/decline", Operation: "organization.decline.api", Need: in("decline"), Summary: "Decline an organization", Tag: tag}, h.decline)
	web.API(s, web.Call{Method: "POST", Path: "/organizations/{slug}/suspend", Operation: "organization.suspend.api", Need: in("suspend"), Summary: "Suspend an organization; its seats and participations end", Tag: tag}, h.suspend)
	web.API(s, web.Call{Method: "POST", Path: "/organizations/{slug}/reinstate", Operation: "organization.reinstate.api", Need: in("reinstate"), Summary: "Reinstate an organization", Tag: tag}, h.reinstate)
	web.API(s, web.Call{Method: "POST", Path: "/organizations/{slug}/leave", Operation: "organization.leave.api", Need: in("leave"), Summary: "Leave the convention; seats and participations end", Tag: tag}, h.leave)
	web.API(s, web.Call{Method: "POST", Path: "/organizations/{slug}/merge", Operation: "organization.merge.api", Need: web.Recent(in("merge")), Summary: "Merge an organization into another one", Tag: tag}, h.merge)

	web.API(s, web.Call{Method: "GET", Path: "/organizations/{slug}/affiliations", Operation: "affiliation.list.api", Need: web.InOrganization("affiliation", "read"), Summary: "List who acts for an organization", Tag: people}, h.affiliations)
	web.API(s, web.Call{Method: "POST", Path: "/organizations/{slug}/affiliations", Operation: "affiliation.claim.api", Need: web.InOrganization("affiliation", "claim"), Summary: "Say that you act for an organization", Tag: people, Status: 201}, h.claim)
	web.API(s, web.Call{Method: "PATCH", Path: "/organizations/{slug}/affiliations/{id}", Operation: "affiliation.edit.api", Need: web.InOrganization("affiliation", "claim"), Summary: "Confirm or decline an affiliation, make a primary representative, change your title", Tag: people}, h.editAffiliation)
	web.API(s, web.Call{Method: "DELETE", Path: "/organizations/{slug}/affiliations/{id}", Operation: "affiliation.end.api", Need: web.InOrganization("affiliation", "leave"), Summary: "End an affiliation", Tag: people, Status: 204}, h.endAffiliation)
	web.API(s, web.Call{Method: "GET", Path: "/persons/me/affiliations", Operation: "affiliation.mine.api", Need: web.InPortal("affiliation", "claim"), Summary: "List your own affiliations", Tag: people}, h.mine)
	mountParticipations(s, h, places)
}

type listInput struct {
	web.Paged
	Query    string `query:"q" maxLength:"200" doc:"Part of the name."`
	Country  string `query:"country" maxLength:"2" doc:"ISO 3166 alpha-2."`
	Sector   string `query:"sector" doc:"Slug: takes part in a commission of it."`
	Kind     string `query:"kind" doc:"company, government, intergovernmental, standards_body, academia or association."`
	Category string `query:"category" doc:"founding, full, associate, observer or liaison."`
	State    string `query:"state" enum:"pending,member,suspended,left,declined,merged" doc:"Members if absent; others are for the secretariat."`
}

func (in *listInput) filter() organization.Filter {
	return organization.Filter{Query: in.Query, Country: in.Country, Sector: in.Sector, Kind: in.Kind, Category: in.Category, State: in.State}
}

func (h *api) list(ctx context.Context, in *listInput) (*web.Listed[organization.Row], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		access.Public(ctx)
		return nil, err
	}
	rows, next, err := h.organizations.List(ctx, access.From(ctx), in.filter(), page)
	return web.Page(rows, next), err
}

type body[T any] struct{ Body T }

func (h *api) counts(ctx context.Context, in *listInput) (*body[organization.Counts], error) {
	counts, err := h.organizations.Counts(ctx, access.From(ctx), in.filter())
	return &body[organization.Counts]{counts}, err
}

// SlugInput names an organization, or a commission. (Embedded, so exported.)
type SlugInput struct {
	Slug string `path:"slug" maxLength:"80"`
}

type organizationBody = web.Versioned[organization.Organization]

func answer(o organization.Organization, err error) (*organizationBody, error) {
	return web.Version(o, o.Version), err
}

func (h *api) show(ctx context.Context, in *SlugInput) (*organizationBody, error) {
	return answer(h.organizations.Show(ctx, access.From(ctx), in.Slug))
}

type registerInput struct {
	Body struct {
		Name    string `json:"name" minLength:"1"`
		Kind    string `json:"kind" enum:"company,government,intergovernmental,standards_body,academia,association"`
		Country string `json:"country,omitempty" doc:"ISO 3166 alpha-2; needed but for intergovernmental organizations, standards bodies and associations."`
		Website string `json:"website,omitempty"`
		About   string `json:"about,omitempty"`
		Title   string `json:"title,omitempty" doc:"What you are there."`
		Anyway  bool   `json:"anyway,omitempty" doc:"Register it though similar ones are there; see /organizations/similar."`
	}
}

func (h *api) register(ctx context.Context, in *registerInput) (*web.Created[organization.Organization], error) {
	b := in.Body
	o, _, err := h.organizations.Register(ctx, access.From(ctx), organization.Registration{Title: b.Title, Anyway: b.Anyway,
		Draft: organization.Draft{Name: b.Name, Kind: b.Kind, Country: b.Country, Website: b.Website, About: b.About}})
	return web.At(o, "/api/v1"+o.Path(), o.Version), err
}

type similarInput struct {
	Name    string `query:"name" maxLength:"200"`
	Website string `query:"website" maxLength:"300"`
}

func (h *api) similar(ctx context.Context, in *similarInput) (*web.Listed[organization.Similar], error) {
	found, err := h.organizations.Similar(ctx, access.From(ctx), in.Name, in.Website)
	return web.Page(found, ""), err
}

func (h *api) similarTo(ctx context.Context, in *SlugInput) (*web.Listed[organization.Similar], error) {
	o, err := h.organizations.Show(ctx, access.From(ctx), in.Slug)
	if err != nil {
		return nil, err
	}
	found, err := h.organizations.SimilarTo(ctx, access.From(ctx), o)
	return web.Page(found, ""), err
}

type editInput struct {
	SlugInput
	web.Matched
	Body struct {
		Name     *string `json:"name,omitempty"`
		Kind     *string `json:"kind,omitempty"`
		Country  *string `json:"country,omitempty"`
		Website  *string `json:"website,omitempty"`
		About    *string `json:"about,omitempty"`
		Category *string `json:"category,omitempty" doc:"By the secretariat only."`
	}
}

func (h *api) edit(ctx context.Context, in *editInput) (*organizationBody, error) {
	version, err := web.IfMatch(in.IfMatch)
	if err != nil {
		return nil, err
	}
	b := in.Body
	return answer(h.organizations.Edit(ctx, access.From(ctx), in.Slug,
		organization.Edit{Name: b.Name, Kind: b.Kind, Country: b.Country, Website: b.Website, About: b.About, Category: b.Category, Version: version}))
}

type logoInput struct {
	SlugInput
	RawBody []byte `contentType:"application/octet-stream"`
}

func (h *api) setLogo(ctx context.Context, in *logoInput) (*organizationBody, error) {
	return answer(h.organizations.SetLogo(ctx, access.From(ctx), in.Slug, in.RawBody))
}

func (h *api) removeLogo(ctx context.Context, in *SlugInput) (*struct{}, error) {
	_, err := h.organizations.RemoveLogo(ctx, access.From(ctx), in.Slug)
	return nil, err
}

type historyInput struct {
	SlugInput
	web.Past
}

func (h *api) history(ctx context.Context, in *historyInput) (*web.Listed[journal.Event], error) {
	page, err := keyset.Parse(in.Cursor, 3, in.Limit)
	if err != nil {
		return nil, err
	}
	_, events, next, err := h.organizations.History(ctx, access.From(ctx), in.Slug, in.Filter(ctx), page)
	return web.Page(events, next), err
}

func (h *api) participationsOf(ctx context.Context, in *SlugInput) (*web.Listed[organization.Participation], error) {
	o, err := h.organizations.Show(ctx, access.From(ctx), in.Slug)
	if err != nil {
		return nil, err
	}
	rows, err := h.organizations.ParticipationsOf(ctx, access.From(ctx), o)
	return web.Page(rows, ""), err
}

type acceptInput struct {
	SlugInput
	Body struct {
		Category string `json:"category" enum:"founding,full,associate,observer,liaison"`
	}
}

func (h *api) accept(ctx context.Context, in *acceptInput) (*organizationBody, error) {
	return answer(h.organizations.Accept(ctx, access.From(ctx), in.Slug, in.Body.Category))
}

type reasonInput struct {
	SlugInput
	Body struct {
		Reason string `json:"reason"`
	}
}

func (h *api) decline(ctx context.Context, in *reasonInput) (*organizationBody, error) {
	return answer(h.organizations.Decline(ctx, access.From(ctx), in.Slug, in.Body.Reason))
}

func (h *api) suspend(ctx context.Context, in *reasonInput) (*organizationBody, error) {
	return answer(h.organizations.Suspend(ctx, access.From(ctx), in.Slug, in.Body.Reason))
}

func (h *api) reinstate(ctx context.Context, in *SlugInput) (*organizationBody, error) {
	return answer(h.organizations.Reinstate(ctx, access.From(ctx), in.Slug))
}

type leaveInput struct {
	SlugInput
	Body *struct {
		Reason string `json:"reason,omitempty"`
	}
}

func (h *api) leave(ctx context.Context, in *leaveInput) (*organizationBody, error) {
	reason := ""
	if in.Body != nil {
		reason = in.Body.Reason
	}
	return answer(h.organizations.Leave(ctx, access.From(ctx), in.Slug, reason))
}

type mergeInput struct {
	SlugInput
	Body struct {
		Into string `json:"into" doc:"Slug of the organization that it is the same as."`
	}
}

func (h *api) merge(ctx context.Context, in *mergeInput) (*organizationBody, error) {
	return answer(h.organizations.Merge(ctx, access.From(ctx), in.Slug, in.Body.Into))
}

type affiliationsInput struct {
	web.Paged
	SlugInput
	State string `query:"state" enum:"claimed,confirmed,declined" doc:"Confirmed if absent."`
	Query string `query:"q" maxLength:"200" doc:"Part of the name or title."`
}

func (h *api) affiliations(ctx context.Context, in *affiliationsInput) (*web.Listed[organization.Affiliation], error) {
	page, err := keyset.Parse(in.Cursor, 2, in.Limit)
	if err != nil {
		return nil, err
	}
	_, rows, next, err := h.organizations.Affiliations(ctx, access.From(ctx), in.Slug, in.State, in.Query, page)
	return web.Page(rows, next), err
}

type claimInput struct {
	SlugInput
	Body *struct {
		Title string `json:"title,omitempty" doc:"What you are there."`
	}
}

func (h *api) claim(ctx context.Context, in *claimInput) (*web.Created[organization.Affiliation], error) {
	title := ""
	if in.Body != nil {
		title = in.Body.Title
	}
	a, err := h.organizations.Claim(ctx, access.From(ctx), in.Slug, title)
	return web.At(a, "/api/v1"+organization.Path(a.Organization)+"/affiliations/"+a.ID.String(), a.Version), err
}

// AffiliationInput names an affiliation of an organization.
type AffiliationInput struct {
	SlugInput
	ID string `path:"id" format:"uuid"`
}

type editAffiliationInput struct {
	AffiliationInput
	Body struct {
		State          string  `json:"state,omitempty" enum:"confirmed,declined" doc:"Decides on a claim."`
		Reason         string  `json:"reason,omitempty" doc:"For declining."`
		Representative *bool   `json:"representative,omitempty" doc:"Makes a primary representative, or one no more."`
		Title          *string `json:"title,omitempty" doc:"Your own."`
	}
}

// editAffiliation does one thing: what it does is whom it may be done by.
func (h *api) editAffiliation(ctx context.Context, in *editAffiliationInput) (*web.Versioned[organization.Affiliation], error) {
	who := access.From(ctx)
	id, err := id(in.ID)
	if err != nil {
		return nil, err
	}
	said := 0
	for _, is := range []bool{in.Body.State != "", in.Body.Representative != nil, in.Body.Title != nil} {
		if is {
			said++
		}
	}
	if said != 1 {
		return nil, errOneChange
	}
	var a organization.Affiliation
	switch {
	case in.Body.State == organization.Confirmed:
		a, err = h.organizations.ConfirmClaim(ctx, who, in.Slug, id)
	case in.Body.State != "":
		a, err = h.organizations.DeclineClaim(ctx, who, in.Slug, id, in.Body.Reason)
	case in.Body.Representative != nil:
		a, err = h.organizations.Represent(ctx, who, in.Slug, id, *in.Body.Representative)
	default:
		a, err = h.organizations.Retitle(ctx, who, in.Slug, id, *in.Body.Title)
	}
	return web.Version(a, a.Version), err
}

type endAffiliationInput struct {
	AffiliationInput
	Reason string `query:"reason" maxLength:"2000"`
}

func (h *api) endAffiliation(ctx context.Context, in *endAffiliationInput) (*struct{}, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, access.ErrNotFound
	}
	_, err = h.organizations.EndAffiliation(ctx, access.From(ctx), in.Slug, id, in.Reason)
	return nil, err
}

func (h *api) mine(ctx context.Context, _ *struct{}) (*web.Listed[organization.Affiliation], error) {
	rows, err := h.organizations.Mine(ctx, access.From(ctx))
	return web.Page(rows, ""), err
}
