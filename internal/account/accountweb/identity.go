package accountweb

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/account"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/account"
)

// stateCookie is carried while somebody signs in at the issuer.
const stateCookie = "oidc"

// mountIssuer adds the routes of signing in at an issuer, where there is one.
func (h *pages) mountIssuer(signIn, edit web.Need) {
	if h.accounts.Issuer() == nil {
		return
	}
	h.Page("GET", "/sign-in/oidc", "session.issuer.ask", signIn, h.getIssuer)
	h.Page("GET", account.IssuerPath, "session.issuer", signIn, h.getReturn)
	h.Page("POST", "/profile/factors/oidc", "identity.link", web.Recent(edit), h.postLink)
	h.Page("POST", "/profile/factors/oidc/remove", "identity.unlink", web.Recent(edit), h.postUnlink)
}

func (h *pages) issuerName() string {
	if i := h.accounts.Issuer(); i != nil {
		return i.Name
	}
	return ""
}

func (h *pages) setState(c *fiber.Ctx, state string, age int) {
	// Lax: it comes back with a link from the issuer's site.
	kept := h.Cookie(stateCookie, state)
	kept.MaxAge = age
	c.Cookie(kept)
}

const stateAge = 600 // seconds

func (h *pages) getIssuer(c *fiber.Ctx) error {
	private(c)
	in, err := web.Decode[enterForm](c)
	if err != nil {
		return err
	}
	sent, err := h.accounts.AskIssuer(c.UserContext(), web.Actor(c), web.Local(in.Next, ""), h.origin(c))
	if err != nil {
		return err
	}
	h.setState(c, sent.State, stateAge)
	return h.SeeOther(c, sent.URL, "")
}

// postLink answers with a link: a form may lead to this site alone (form-action).
func (h *pages) postLink(c *fiber.Ctx) error {
	sent, err := h.accounts.LinkIssuer(c.UserContext(), web.Actor(c), h.origin(c))
	if err != nil {
		return err
	}
	h.setState(c, sent.State, stateAge)
	return h.Render(c, http.StatusOK, views.LinkPage(h.issuerName(), sent.URL))
}

func (h *pages) postUnlink(c *fiber.Ctx) error {
	if err := h.accounts.Unlink(c.UserContext(), web.Actor(c)); err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/factors", i18n.T(c.UserContext(), "It is unlinked."))
}

type returnForm struct {
	Code  string `form:"code"`
	State string `form:"state"`
}

func (h *pages) getReturn(c *fiber.Ctx) error {
	private(c)
	in, err := web.Decode[returnForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	kept := h.Kept(c, stateCookie)
	h.setState(c, "", -1)
	session, linked, err := h.accounts.Return(ctx, web.Actor(c), account.Returned{Code: in.Code, State: in.State, Kept: kept}, h.origin(c))
	if problem.Of(err, problem.Invalid) { // for the operator: what the issuer said is not for who comes back
		h.Log.LogAttrs(ctx, slog.LevelWarn, "issuer", slog.Any("error", err))
	}
	if err != nil && web.Actor(c).SignedIn() { // who wanted to link it
		return err
	}
	switch { // by a page whose address holds neither code nor state
	case errors.Is(err, account.ErrUnlinked):
		return h.SeeOther(c, web.Query("/sign-in", "trouble", "unlinked"), "")
	case errors.Is(err, account.ErrIssuer):
		return h.SeeOther(c, web.Query("/sign-in", "trouble", "issuer"), "")
	case err != nil:
		return err
	}
	if linked {
		return h.SeeOther(c, "/profile/factors", i18n.T(ctx, "It is linked."))
	}
	return h.enter(c, session, session.Next, "")
}

// troubles are what the page to sign in says to who comes back from the issuer in vain.
var troubles = map[string]*problem.Error{"unlinked": account.ErrUnlinked, "issuer": account.ErrIssuer}
