package accountweb

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/account"
)

func (h *pages) mountAddress(read, edit, link web.Need) {
	h.Page("GET", "/profile/address", "address.ask.form", read, h.getAddress)
	h.Page("POST", "/profile/address", "address.ask", web.Recent(edit), h.postAddress)
	h.Page("POST", "/profile/address/stop", "address.take_back", edit, h.postTakeBack)
	h.Page("GET", "/address/:link", "address.confirm.form", link, h.getMove)
	h.Page("POST", "/address/:link", "address.confirm", link, h.postMove)
	h.Page("GET", "/address/stop/:link", "address.stop.form", link, h.getStop)
	h.Page("POST", "/address/stop/:link", "address.stop", link, h.postStop)
}

func (h *pages) showAddress(c *fiber.Ctx, status int, e views.Entry) error {
	a, err := h.accounts.Address(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	return h.Render(c, status, views.AddressPage(views.Address{Entry: e, Address: a, Key: uuid.NewString(), Tabs: h.tabs(c, "")}))
}

func (h *pages) getAddress(c *fiber.Ctx) error {
	return h.showAddress(c, http.StatusOK, views.Entry{})
}

func (h *pages) postAddress(c *fiber.Ctx) error {
	in, err := web.Decode[enterForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	_, err = h.accounts.AskAddress(ctx, web.Actor(c), in.Email)
	e := views.Entry{Email: in.Email}
	if status := refused(c, err, &e); status != 0 {
		return h.showAddress(c, status, e)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/address", i18n.T(ctx, "We have written to the new address. Open the link in that letter."))
}

func (h *pages) postTakeBack(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if err := h.accounts.StopMove(ctx, web.Actor(c), ""); err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/address", i18n.T(ctx, "Your address stays as it is."))
}

// deadAddress answers a link about an address that is not good any more.
func (h *pages) deadAddress(c *fiber.Ctx) error {
	ctx := c.UserContext()
	return h.Render(c, http.StatusNotFound, views.DeadLinkPage(i18n.T(ctx, "Another e-mail address"), "/profile/address", i18n.T(ctx, "Your address")))
}

func (h *pages) getMove(c *fiber.Ctx) error {
	private(c)
	m, err := h.accounts.Moving(c.UserContext(), web.Actor(c), c.Params("link"))
	if problem.Of(err, problem.NotFound) {
		return h.deadAddress(c)
	}
	if err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.MovePage(m, c.Params("link"), uuid.NewString(), ""))
}

func (h *pages) postMove(c *fiber.Ctx) error {
	private(c)
	ctx, who := c.UserContext(), web.Actor(c)
	m, err := h.accounts.Moving(ctx, who, c.Params("link"))
	if err == nil {
		err = h.accounts.Move(ctx, who, c.Params("link"))
	}
	if problem.Of(err, problem.NotFound) {
		return h.deadAddress(c)
	}
	var e views.Entry
	if status := refused(c, err, &e); status != 0 {
		return h.Render(c, status, views.MovePage(m, c.Params("link"), uuid.NewString(), e.Problem))
	}
	if err != nil {
		return err
	}
	if who.ID == m.Person {
		return h.SeeOther(c, "/profile", i18n.T(ctx, "From now on your address is %s. Your other sessions have ended.", m.Email))
	}
	return h.SeeOther(c, "/sign-in", i18n.T(ctx, "From now on the address is %s. Sign in with it.", m.Email))
}

func (h *pages) getStop(c *fiber.Ctx) error {
	private(c)
	m, err := h.accounts.Stopping(c.UserContext(), web.Actor(c), c.Params("link"))
	if problem.Of(err, problem.NotFound) {
		return h.deadAddress(c)
	}
	if err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.StopPage(m, c.Params("link"), uuid.NewString()))
}

func (h *pages) postStop(c *fiber.Ctx) error {
	private(c)
	ctx := c.UserContext()
	err := h.accounts.StopMove(ctx, web.Actor(c), c.Params("link"))
	if problem.Of(err, problem.NotFound) {
		return h.deadAddress(c)
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/reset", i18n.T(ctx, "The address stays as it is, and all sessions have ended. Set a new password now."))
}

func (h *api) mountAddress(s *web.Server, read, edit web.Need) {
	const tag = "Persons"
	web.API(s, web.Call{Method: "GET", Path: "/persons/me/address", Operation: "address.read.api", Need: read, Summary: "Read where you get mail, and what you asked for instead", Tag: tag}, h.address)
	web.API(s, web.Call{Method: "POST", Path: "/persons/me/address", Operation: "address.ask.api", Need: web.Recent(edit), Summary: "Ask for another e-mail address: it gets a link that confirms it", Tag: tag}, h.askAddress)
	web.API(s, web.Call{Method: "DELETE", Path: "/persons/me/address", Operation: "address.take_back.api", Need: edit, Summary: "Take that back", Tag: tag, Status: 204}, h.takeBack)
}

type address struct{ Body account.Address }

type addressInput struct {
	Body struct {
		Email string `json:"email" doc:"The same is answered whether somebody else has it or not."`
	}
}

func (h *api) address(ctx context.Context, _ *none) (*address, error) {
	a, err := h.accounts.Address(ctx, access.From(ctx))
	return &address{a}, err
}

func (h *api) askAddress(ctx context.Context, in *addressInput) (*address, error) {
	a, err := h.accounts.AskAddress(ctx, access.From(ctx), in.Body.Email)
	return &address{a}, err
}

func (h *api) takeBack(ctx context.Context, _ *none) (*none, error) {
	return &none{}, h.accounts.StopMove(ctx, access.From(ctx), "")
}
