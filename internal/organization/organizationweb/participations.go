package organizationweb

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/calendar"
	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/organization"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/organization"
	"commissionportal/views/part"
)

type participationQuery struct {
	Slug    string `form:"slug"`
	Query   string `form:"q"`
	Level   string `form:"level"`
	Country string `form:"country"`
	AsOf    string `form:"as_of"`
	Cursor  string `form:"cursor"`
}

func (q participationQuery) link(name, value string) string {
	pairs := []string{"q", q.Query, "level", q.Level, "country", q.Country, "as_of", q.AsOf, "cursor", ""}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == name {
			pairs[i+1] = value
		}
	}
	return web.Query("/commissions/"+q.Slug+"/organizations", pairs...)
}

// asOf reads an instant, or a day of the convention; the zero time is now.
func asOf(ctx context.Context, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	var f problem.Fields
	at := check.AsOf(&f, "as_of", text, calendar.Zone(ctx), journal.Now(ctx))
	return at, f.Err()
}

func (h *pages) getParticipations(c *fiber.Ctx) error {
	return h.participations(c, 200, views.Set{Level: "P"}, nil)
}

func (h *pages) participations(c *fiber.Ctx, status int, set views.Set, errors map[string]string) error {
	var in participationQuery
	if c.Method() == fiber.MethodPost { // a form of the page was refused: show its first page
		in.Slug = c.Params("slug")
	} else {
		var err error
		if in, err = web.Decode[participationQuery](c); err != nil {
			return err
		}
	}
	page, err := keyset.Parse(in.Cursor, 2, 0)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	p := views.Participations{Filter: organization.ParticipationFilter{Level: in.Level, Country: in.Country, Query: in.Query}, AsOf: in.AsOf, Past: in.AsOf != "",
		Errors: errors, Set: set, Link: in.link, First: in.Cursor == "", Key: uuid.NewString, Own: map[string]bool{}}
	if p.Filter.AsOf, err = asOf(ctx, in.AsOf); err != nil {
		wrong, ok := invalid(ctx, err)
		if !ok {
			return err
		}
		status, p.Unknown, p.Filter.AsOf = 422, wrong["as_of"], time.Time{}
	}
	var next string
	if p.Commission, p.Rows, next, err = h.organizations.Participations(ctx, who, in.Slug, p.Filter, page); err != nil {
		return err
	}
	if p.Unknown != "" { // no day, no organizations: those of today would pass for those of that day
		p.Rows, next = nil, ""
	}
	if p.Counts, err = h.organizations.ParticipationCounts(ctx, who, p.Commission, p.Filter); err != nil {
		return err
	}
	p.Tabs = h.Tabs(ctx, "commission", p.Commission.Path(), p.Commission.Scope(), "/organizations")
	p.Paging = paging(in.Cursor, next, func(cursor string) string { return in.link("cursor", cursor) })
	if p.Edit = h.Policy.May(who, p.Commission.Scope(), "participation", "edit"); p.Edit {
		if _, p.Requests, _, err = h.organizations.Requests(ctx, who, in.Slug, keyset.First); err != nil {
			return err
		}
	}
	if len(who.Representing()) > 0 {
		if p.Mine, err = h.organizations.Represented(ctx, who); err != nil {
			return err
		}
	}
	for _, o := range p.Mine {
		p.Own[o.Slug] = true
	}
	return h.Render(c, status, views.ParticipationsPage(p))
}

type placeForm struct {
	Slug         string `form:"slug"`
	Organization string `form:"organization"`
	Level        string `form:"level"`
	Message      string `form:"message"`
}

func (f placeForm) path() string { return "/commissions/" + f.Slug + "/organizations" }

func (h *pages) postSet(c *fiber.Ctx) error {
	in, err := web.Decode[placeForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	p, err := h.organizations.SetParticipation(ctx, web.Actor(c), in.Slug, in.Organization, in.Level, nil)
	if errors, ok := invalid(ctx, err); ok {
		return h.participations(c, 422, views.Set{Organization: in.Organization, Level: in.Level}, errors)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, in.path(), i18n.T(ctx, "%s takes part now.", p.OrganizationName))
}

func (h *pages) getEndParticipation(c *fiber.Ctx) error {
	ctx := c.UserContext()
	b, p, held, err := h.organizations.EndingParticipation(ctx, web.Actor(c), c.Params("slug"), c.Params("organization"))
	if err != nil {
		return err
	}
	e := part.Ending{Title: i18n.T(ctx, "%s no longer takes part in %s?", p.OrganizationName, b.Name), Button: i18n.T(ctx, "End participation"),
		Ends:   []string{i18n.T(ctx, "Its place there (%s)", i18n.Key(organization.LevelNames[p.Level]))},
		Stays:  []string{i18n.T(ctx, "The history of its participation")},
		Cancel: b.Path() + "/organizations", Post: part.Post{Action: b.Path() + "/organizations/" + p.Organization + "/end", Key: uuid.NewString()}}
	if held.Officers > 0 {
		e.Stays = append(e.Stays, i18n.N(ctx, held.Officers, "%d seat of an officer who acts for it: the commission appoints its officers", "%d seats of officers who act for it: the commission appoints its officers"))
	}
	ask := views.Ask{Title: i18n.T(ctx, "End participation"), Active: "/commissions"}
	if held.Seats > 0 {
		e.Intro = i18n.N(ctx, held.Seats, "%d seat is held for it there. It does not end with the participation, unless you say so.", "%d seats are held for it there. They do not end with the participation, unless you say so.")
		ask.Fields = []part.Field{{Name: "seats", Label: i18n.N(ctx, held.Seats, "End this seat, too", "End these %d seats, too"), Help: i18n.T(ctx, "At once. Those who hold them are told by mail.")}}
	}
	ask.Ending = e
	return h.Render(c, 200, views.AskPage(ask))
}

type endPlaceForm struct {
	Slug         string `form:"slug"`
	Organization string `form:"organization"`
	Seats        string `form:"seats"`
}

func (h *pages) postEndParticipation(c *fiber.Ctx) error {
	in, err := web.Decode[endPlaceForm](c)
	if err != nil {
		return err
	}
	if err := h.organizations.EndParticipation(c.UserContext(), web.Actor(c), in.Slug, in.Organization, in.Seats == "true"); err != nil {
		return err
	}
	return h.SeeOther(c, placeForm{Slug: in.Slug}.path(), i18n.T(c.UserContext(), "The participation has ended."))
}

func (h *pages) postRequest(c *fiber.Ctx) error {
	in, err := web.Decode[placeForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	r, err := h.organizations.RequestParticipation(ctx, web.Actor(c), in.Slug, in.Organization, in.Level, in.Message)
	if errors, ok := invalid(ctx, err); ok {
		return h.participations(c, 422, views.Set{Organization: in.Organization, Level: in.Level, Message: in.Message}, errors)
	}
	if err != nil {
		return err
	}
	if r.State == "granted" {
		return h.SeeOther(c, in.path(), i18n.T(ctx, "%s takes part now.", r.OrganizationName))
	}
	return h.SeeOther(c, in.path(), i18n.T(ctx, "The officers are told. You hear from them by mail."))
}

func (h *pages) postGrant(c *fiber.Ctx) error {
	id, err := id(c.Params("id"))
	if err != nil {
		return err
	}
	r, err := h.organizations.Grant(c.UserContext(), web.Actor(c), c.Params("slug"), id)
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+r.Commission+"/organizations", i18n.T(c.UserContext(), "%s takes part now.", r.OrganizationName))
}

func (h *pages) getRefuse(c *fiber.Ctx) error { return h.refuse(c, 200, "", nil) }

func (h *pages) refuse(c *fiber.Ctx, status int, reason string, errors map[string]string) error {
	ctx := c.UserContext()
	id, err := id(c.Params("id"))
	if err != nil {
		return err
	}
	b, r, err := h.organizations.Request(ctx, web.Actor(c), c.Params("slug"), id)
	if err != nil {
		return err
	}
	return h.Render(c, status, views.AskPage(views.Ask{Title: i18n.T(ctx, "Decline %s", r.OrganizationName), Active: "/commissions", Fields: []part.Field{reasonField(ctx, reason, errors["reason"], true)},
		Ending: part.Ending{Title: i18n.T(ctx, "Decline that %s takes part?", r.OrganizationName), Intro: i18n.T(ctx, "Who asked is told by mail."), Button: i18n.T(ctx, "Decline"),
			Cancel: b.Path() + "/organizations", Post: part.Post{Action: b.Path() + "/participation-requests/" + r.ID.String() + "/decline", Key: uuid.NewString()}}}))
}

func (h *pages) postRefuse(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	id, err := id(in.ID)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	r, err := h.organizations.Refuse(ctx, web.Actor(c), in.Slug, id, in.Reason)
	if errors, ok := invalid(ctx, err); ok {
		return h.refuse(c, 422, in.Reason, errors)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/commissions/"+r.Commission+"/organizations", i18n.T(ctx, "Declined. Who asked is told."))
}

func (h *pages) postWithdraw(c *fiber.Ctx) error {
	id, err := id(c.Params("id"))
	if err != nil {
		return err
	}
	r, err := h.organizations.Withdraw(c.UserContext(), web.Actor(c), c.Params("slug"), id)
	if err != nil {
		return err
	}
	return h.SeeOther(c, organization.Path(r.Organization), i18n.T(c.UserContext(), "The request is taken back."))
}
