package membershipweb

import (
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/i18n"
	"commissionportal/internal/keyset"
	"commissionportal/internal/membership"
	"commissionportal/internal/web"
	views "commissionportal/views/membership"
	"commissionportal/views/part"
)

func (h *pages) getHoldings(c *fiber.Ctx) error {
	in, err := web.Decode[rosterQuery](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	page, err := keyset.Parse(in.Cursor, 4, 0)
	if err != nil {
		return err
	}
	status, wrong := 200, ""
	at, err := asOf(ctx, in.AsOf)
	if f, code, ok := trouble(ctx, err, nil); ok {
		status, wrong = code, f.Errors["as_of"]
	}
	party, rows, next, err := h.seats.Holdings(ctx, who, c.Params("slug"), at, page)
	if err != nil {
		return err
	}
	if wrong != "" {
		rows, next = nil, ""
	}
	return h.Render(c, status, views.HoldingsPage(views.Holdings{Party: party, Rows: rows, Day: in.AsOf, Today: today(ctx), AsOf: at, Error: wrong,
		Act: in.AsOf == "" || in.AsOf == today(ctx), Tabs: h.Tabs(ctx, "organization", party.Path(), party.Scope(), "/seats"),
		Paging: pager(party.Path()+"/seats", in.Cursor, next, "as_of", in.AsOf)}))
}

type nominateForm struct {
	Commission string `form:"commission"`
	Person     string `form:"person"`
	Email      string `form:"email"`
	Role       string `form:"role"`
	Statement  string `form:"statement"`
}

func (h *pages) getNominate(c *fiber.Ctx) error {
	return h.showNominate(c, 200, blank(map[string]string{"commission": c.Query("commission"), "role": membership.VotingRepresentative}))
}

func (h *pages) showNominate(c *fiber.Ctx, status int, f views.Form) error {
	n, err := h.seats.Nominating(c.UserContext(), web.Actor(c), c.Params("slug"))
	if err != nil {
		return err
	}
	return h.Render(c, status, views.NominatePage(views.Nominate{Nominating: n, Form: f}))
}

func (h *pages) postNominate(c *fiber.Ctx) error {
	in, err := web.Decode[nominateForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	out, i, err := h.seats.Nominate(ctx, web.Actor(c), c.Params("slug"), membership.Nomination(in))
	if f, status, ok := trouble(ctx, err, map[string]string{"commission": in.Commission, "person": in.Person, "email": in.Email, "role": in.Role, "statement": in.Statement}); ok {
		return h.showNominate(c, status, f)
	}
	if err != nil {
		return err
	}
	back := "/organizations/" + c.Params("slug") + "/seats"
	switch {
	case i != nil:
		return h.SeeOther(c, back, i18n.T(ctx, "%s is invited.", i.Email))
	case out.Seat != nil:
		return h.SeeOther(c, back, i18n.T(ctx, "%s has a seat now.", out.Seat.Name))
	}
	return h.SeeOther(c, back, i18n.T(ctx, "%s is nominated; the officers of the commission decide.", out.Application.Person))
}

func (h *pages) showReplace(c *fiber.Ctx, status int, f views.Form) error {
	key, err := id(c)
	if err != nil {
		return err
	}
	n, err := h.seats.Holding(c.UserContext(), web.Actor(c), c.Params("slug"), key)
	if err != nil {
		return err
	}
	return h.Render(c, status, views.ReplacePage(views.Nominate{Nominating: n, Form: f}))
}

func (h *pages) getReplace(c *fiber.Ctx) error { return h.showReplace(c, 200, blank(nil)) }

func (h *pages) postReplace(c *fiber.Ctx) error {
	in, err := web.Decode[nominateForm](c)
	if err != nil {
		return err
	}
	key, err := id(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	seat, err := h.seats.Replace(ctx, web.Actor(c), c.Params("slug"), key, in.Person)
	if f, status, ok := trouble(ctx, err, map[string]string{"person": in.Person}); ok && status == 422 {
		return h.showReplace(c, status, f)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/organizations/"+c.Params("slug")+"/seats", i18n.T(ctx, "%s has the seat now.", seat.Name))
}

func (h *pages) getRecall(c *fiber.Ctx) error {
	key, err := id(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	n, err := h.seats.Holding(ctx, web.Actor(c), c.Params("slug"), key)
	if err != nil {
		return err
	}
	base := n.Path() + "/seats"
	return h.ask(c, 200, views.Asking{Ending: part.Ending{
		Title: i18n.T(ctx, "Recall %s?", n.Held.Name), Intro: i18n.T(ctx, "To send somebody else, replace the person instead: the seat then goes on without a new approval."),
		Ends:  []string{i18n.T(ctx, "The seat as %s in %s, at once", membership.Word(n.Held.Role), n.Held.CommissionName)},
		Stays: []string{i18n.T(ctx, "The history of the seat")}, Button: i18n.T(ctx, "Recall"), Cancel: base, Post: part.Post{Action: base + "/" + key.String() + "/recall"}}}, views.Form{})
}

func (h *pages) postRecall(c *fiber.Ctx) error {
	key, err := id(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	if err := h.seats.Recall(ctx, web.Actor(c), c.Params("slug"), key); err != nil {
		return err
	}
	return h.SeeOther(c, "/organizations/"+c.Params("slug")+"/seats", i18n.T(ctx, "Recalled."))
}
