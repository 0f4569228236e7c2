package organizationweb

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/organization"
	"commissionportal/internal/web"
	views "commissionportal/views/organization"
	"commissionportal/views/part"
)

func (h *pages) getPeople(c *fiber.Ctx) error {
	in, err := web.Decode[listQuery](c)
	if err != nil {
		return err
	}
	page, err := keyset.Parse(in.Cursor, 2, 0)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	o, rows, next, err := h.organizations.Affiliations(ctx, who, c.Params("slug"), organization.Confirmed, in.Query, page)
	if err != nil {
		return err
	}
	claims, more, err := h.organizations.Claims(ctx, o)
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.PeoplePage(views.People{Organization: o, Tabs: h.tabs(c, o, "/people"), Claims: claims, MoreClaims: more, Rows: rows, Query: in.Query,
		Edit: h.organizations.May(who, o, "affiliation", "edit"), Me: who.ID.String(), Now: journal.Now(ctx), Key: uuid.NewString,
		Paging: paging(in.Cursor, next, func(cursor string) string { return web.Query(o.Path()+"/people", "q", in.Query, "cursor", cursor) })}))
}

func (h *pages) getJoin(c *fiber.Ctx) error { return h.join(c, 200, "", nil) }

func (h *pages) join(c *fiber.Ctx, status int, title string, errors map[string]string) error {
	ctx, who := c.UserContext(), web.Actor(c)
	o, err := h.organizations.Show(ctx, who, c.Params("slug"))
	if err != nil {
		return err
	}
	if _, err := h.Policy.Require(ctx, who, o.Scope(), "affiliation", "claim"); err != nil {
		return err
	}
	return h.Render(c, status, views.JoinPage(views.Claim{Organization: o, Title: title, Errors: errors, Email: who.Email, Key: uuid.NewString()}))
}

type titleForm struct {
	Slug  string `form:"slug"`
	Title string `form:"title"`
}

func (h *pages) postJoin(c *fiber.Ctx) error {
	in, err := web.Decode[titleForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	a, err := h.organizations.Claim(ctx, web.Actor(c), in.Slug, in.Title)
	if errors, ok := invalid(ctx, err); ok {
		return h.join(c, 422, in.Title, errors)
	}
	if err != nil {
		return err
	}
	if a.State == organization.Confirmed {
		return h.SeeOther(c, organization.Path(a.Organization), i18n.T(ctx, "You act for %s now.", a.OrganizationName))
	}
	return h.SeeOther(c, "/profile/affiliations", i18n.T(ctx, "The primary representatives of %s are told. You hear from them by mail.", a.OrganizationName))
}

// id is a path's id; what is none is not there.
func id(text string) (uuid.UUID, error) {
	u, err := uuid.Parse(text)
	if err != nil {
		return u, access.ErrNotFound
	}
	return u, nil
}

// affiliation carries out one act on the affiliation of the path and goes back
// to the people.
func (h *pages) affiliation(c *fiber.Ctx, said string, act func(slug string, id uuid.UUID) (organization.Affiliation, error)) error {
	id, err := id(c.Params("id"))
	if err != nil {
		return err
	}
	a, err := act(c.Params("slug"), id)
	if err != nil {
		return err
	}
	return h.SeeOther(c, organization.Path(a.Organization)+"/people", i18n.T(c.UserContext(), said, a.Name))
}

func (h *pages) postConfirm(c *fiber.Ctx) error {
	return h.affiliation(c, "%s is confirmed.", func(slug string, id uuid.UUID) (organization.Affiliation, error) {
		return h.organizations.ConfirmClaim(c.UserContext(), web.Actor(c), slug, id)
	})
}

func (h *pages) postAppoint(c *fiber.Ctx) error {
	return h.affiliation(c, "%s is a primary representative now.", func(slug string, id uuid.UUID) (organization.Affiliation, error) {
		return h.organizations.Represent(c.UserContext(), web.Actor(c), slug, id, true)
	})
}

func (h *pages) postDismiss(c *fiber.Ctx) error {
	return h.affiliation(c, "%s is no longer a primary representative.", func(slug string, id uuid.UUID) (organization.Affiliation, error) {
		return h.organizations.Represent(c.UserContext(), web.Actor(c), slug, id, false)
	})
}

func (h *pages) getDeclineClaim(c *fiber.Ctx) error { return h.declineClaim(c, 200, "", nil) }

func (h *pages) declineClaim(c *fiber.Ctx, status int, reason string, errors map[string]string) error {
	ctx := c.UserContext()
	id, err := id(c.Params("id"))
	if err != nil {
		return err
	}
	o, a, err := h.organizations.Affiliation(ctx, web.Actor(c), c.Params("slug"), id)
	if err != nil {
		return err
	}
	return h.Render(c, status, views.AskPage(views.Ask{Title: i18n.T(ctx, "Decline %s", a.Name), Active: "/organizations", Fields: []part.Field{reasonField(ctx, reason, errors["reason"], false)},
		Ending: part.Ending{Title: i18n.T(ctx, "%s does not act for %s?", a.Name, o.Name), Intro: i18n.T(ctx, "%s is told by mail.", a.Name), Button: i18n.T(ctx, "Decline"),
			Cancel: o.Path() + "/people", Post: part.Post{Action: o.Path() + "/affiliations/" + a.ID.String() + "/decline", Key: uuid.NewString()}}}))
}

func (h *pages) postDeclineClaim(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	err = h.affiliation(c, "%s is told.", func(slug string, id uuid.UUID) (organization.Affiliation, error) {
		return h.organizations.DeclineClaim(c.UserContext(), web.Actor(c), slug, id, in.Reason)
	})
	if errors, ok := invalid(c.UserContext(), err); ok {
		return h.declineClaim(c, 422, in.Reason, errors)
	}
	return err
}

func (h *pages) getEnd(c *fiber.Ctx) error { return h.end(c, 200, "", nil) }

func (h *pages) end(c *fiber.Ctx, status int, reason string, errors map[string]string) error {
	ctx, who := c.UserContext(), web.Actor(c)
	id, err := id(c.Params("id"))
	if err != nil {
		return err
	}
	a, seats, err := h.organizations.Ending(ctx, who, c.Params("slug"), id)
	if err != nil {
		return err
	}
	path := organization.Path(a.Organization)
	e := part.Ending{Title: i18n.T(ctx, "%s no longer acts for %s?", a.Name, a.OrganizationName), Button: i18n.T(ctx, "End affiliation"), Cancel: path + "/people",
		Post: part.Post{Action: path + "/affiliations/" + a.ID.String() + "/end", Key: uuid.NewString()}}
	if a.PersonID == who.ID {
		e.Title, e.Cancel = i18n.T(ctx, "Do you no longer act for %s?", a.OrganizationName), "/profile/affiliations"
	}
	if a.Representative {
		e.Ends = append(e.Ends, i18n.T(ctx, "The right to fill the organization's seats"))
	}
	if seats > 0 {
		e.Ends = append(e.Ends, i18n.N(ctx, seats, "%d seat held for it", "%d seats held for it"))
	}
	return h.Render(c, status, views.AskPage(views.Ask{Title: i18n.T(ctx, "End affiliation"), Active: "/organizations", Fields: []part.Field{reasonField(ctx, reason, errors["reason"], false)}, Ending: e}))
}

func (h *pages) postEnd(c *fiber.Ctx) error {
	in, err := web.Decode[reasonForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	id, err := id(in.ID)
	if err != nil {
		return err
	}
	a, err := h.organizations.EndAffiliation(ctx, who, in.Slug, id, in.Reason)
	if errors, ok := invalid(ctx, err); ok {
		return h.end(c, 422, in.Reason, errors)
	}
	if err != nil {
		return err
	}
	if a.PersonID == who.ID {
		return h.SeeOther(c, "/profile/affiliations", i18n.T(ctx, "You no longer act for %s.", a.OrganizationName))
	}
	return h.SeeOther(c, organization.Path(a.Organization)+"/people", i18n.T(ctx, "%s no longer acts for %s.", a.Name, a.OrganizationName))
}

func (h *pages) postTitle(c *fiber.Ctx) error {
	in, err := web.Decode[titleForm](c)
	if err != nil {
		return err
	}
	id, err := id(c.Params("id"))
	if err != nil {
		return err
	}
	if _, err := h.organizations.Retitle(c.UserContext(), web.Actor(c), in.Slug, id, in.Title); err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/affiliations", i18n.T(c.UserContext(), "Saved."))
}

func (h *pages) getMine(c *fiber.Ctx) error {
	ctx := c.UserContext()
	rows, err := h.organizations.Mine(ctx, web.Actor(c))
	if err != nil {
		return err
	}
	return h.Render(c, 200, views.MinePage(views.Mine{Tabs: h.Tabs(ctx, "account", "/profile", access.Portal, "/affiliations"), Rows: rows, Now: journal.Now(ctx), Key: uuid.NewString}))
}
