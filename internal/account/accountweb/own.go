package accountweb

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/account"
	"commissionportal/views/part"
)

func (h *pages) tabs(c *fiber.Ctx, current string) []part.Tab {
	return h.Tabs(c.UserContext(), "account", "/profile", access.Portal, current)
}

// id is the path's id; what is none names nothing.
func id(c *fiber.Ctx) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return id, access.ErrNotFound
	}
	return id, nil
}

type profileForm struct {
	Name     string `form:"name"`
	Country  string `form:"country"`
	Language string `form:"language"`
	TimeZone string `form:"time_zone"`
	About    string `form:"about"`
	Version  string `form:"version"`
}

func (h *pages) getProfile(c *fiber.Ctx) error {
	p, err := h.accounts.Me(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.ProfilePage(views.Profile{Person: p, Form: account.Of(p), Version: p.Version, Tabs: h.tabs(c, "")}))
}

func (h *pages) postProfile(c *fiber.Ctx) error {
	in, err := web.Decode[profileForm](c)
	if err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	version, err := strconv.Atoi(in.Version)
	if err != nil {
		return problem.New(problem.Unguarded, "The form does not say which version it was made from. Open it again.")
	}
	form := account.Profile{Name: in.Name, Country: in.Country, Language: in.Language, TimeZone: in.TimeZone, About: in.About}
	_, err = h.accounts.Describe(ctx, who, version, form)
	stale := problem.Of(err, problem.Stale)
	if p := problem.As(err); stale || web.Invalid(err) != nil {
		now, err := h.accounts.Me(ctx, who)
		if err != nil {
			return err
		}
		page := views.Profile{Person: now, Form: form, Version: version, Errors: i18n.FieldProblems(ctx, p), Tabs: h.tabs(c, "")}
		if stale { // what was typed stays; saved once more, it counts
			page.Version, page.Problem = now.Version, i18n.T(ctx, "Your profile was changed meanwhile, in another window or by a program. This is what you typed: save again to keep it.")
			return h.Render(c, http.StatusPreconditionFailed, views.ProfilePage(page))
		}
		return h.Render(c, http.StatusUnprocessableEntity, views.ProfilePage(page))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/profile", i18n.T(ctx, "Saved."))
}

func (h *pages) getPassword(c *fiber.Ctx) error {
	if err := h.may(c, "edit"); err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.PasswordPage(views.Password{Entry: views.Entry{Email: web.Actor(c).Email}, Tabs: h.tabs(c, "/password")}))
}

func (h *pages) postPassword(c *fiber.Ctx) error {
	in, e, show, err := decode(c)
	if err != nil {
		return err
	}
	if err := h.may(c, "edit"); err != nil {
		return err
	}
	ctx, who := c.UserContext(), web.Actor(c)
	e.Email = who.Email
	page := views.Password{Entry: e, Tabs: h.tabs(c, "/password")}
	if show {
		page.Current = in.Current
		return h.Render(c, http.StatusOK, views.PasswordPage(page))
	}
	session, err := h.accounts.ChangePassword(ctx, who, in.Current, in.Password, h.origin(c))
	if status := refused(c, err, &page.Entry); status != 0 {
		return h.Render(c, status, views.PasswordPage(page))
	}
	if err != nil {
		return err
	}
	if session.Secret != "" {
		h.SetSession(c, session.Secret, session.Expires)
	}
	h.keepDevice(c, session.Device)
	return h.SeeOther(c, "/profile/password", i18n.T(ctx, "The password is changed. Your other sessions have ended."))
}

func (h *pages) getSessions(c *fiber.Ctx) error {
	ctx := c.UserContext()
	rows, err := h.accounts.Sessions(ctx, web.Actor(c))
	if err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.SessionsPage(views.Sessions{Rows: rows, Life: h.accounts.Life(), Now: journal.Now(ctx), Tabs: h.tabs(c, "/sessions")}))
}

func (h *pages) postEndSession(c *fiber.Ctx) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	if err := h.accounts.EndSession(c.UserContext(), web.Actor(c), id); err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/sessions", i18n.T(c.UserContext(), "The session has ended."))
}

func (h *pages) postEndOthers(c *fiber.Ctx) error {
	n, err := h.accounts.EndOthers(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/sessions", i18n.N(c.UserContext(), n, "%d session has ended.", "%d sessions have ended."))
}

type tokenForm struct {
	Name     string `form:"name"`
	Lifetime string `form:"lifetime"`
	ReadOnly string `form:"read_only"`
}

func (h *pages) showTokens(c *fiber.Ctx, status int, page views.Tokens) error {
	ctx := c.UserContext()
	rows, err := h.accounts.Tokens(ctx, web.Actor(c))
	if err != nil {
		return err
	}
	page.Rows, page.Now, page.Tabs, page.Key = rows, journal.Now(ctx), h.tabs(c, "/tokens"), uuid.NewString()
	return h.Render(c, status, views.TokensPage(page))
}

func (h *pages) getTokens(c *fiber.Ctx) error {
	return h.showTokens(c, http.StatusOK, views.Tokens{Lifetime: "90"})
}

func (h *pages) postTokens(c *fiber.Ctx) error {
	in, err := web.Decode[tokenForm](c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	draft := account.TokenDraft{Name: in.Name, ReadOnly: in.ReadOnly == "true"}
	if in.Lifetime != "never" {
		days, err := strconv.Atoi(in.Lifetime)
		if err != nil || days < 1 || days > 3650 {
			days = 90 // not what the form offers
		}
		draft.Expires = journal.Now(ctx).Add(time.Duration(days) * 24 * time.Hour)
	}
	_, text, err := h.accounts.MakeToken(ctx, web.Actor(c), draft)
	var e views.Entry
	if status := refused(c, err, &e); status != 0 {
		return h.showTokens(c, status, views.Tokens{Name: in.Name, Lifetime: in.Lifetime, ReadOnly: draft.ReadOnly, Errors: e.Errors, Problem: e.Problem})
	}
	if err != nil {
		return err
	}
	return h.showTokens(c, http.StatusOK, views.Tokens{New: text, Lifetime: "90"})
}

func (h *pages) getRevoke(c *fiber.Ctx) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	tokens, err := h.accounts.Tokens(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.ID == id {
			return h.Render(c, http.StatusOK, views.RevokePage(id.String(), t.Name))
		}
	}
	return access.ErrNotFound
}

func (h *pages) postRevoke(c *fiber.Ctx) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	if err := h.accounts.RevokeToken(c.UserContext(), web.Actor(c), id); err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/tokens", i18n.T(c.UserContext(), "The token is revoked."))
}

type themeForm struct {
	Theme string `form:"theme"` // "" is auto
	Next  string `form:"next"`
}

func (h *pages) postTheme(c *fiber.Ctx) error {
	in, err := web.Decode[themeForm](c)
	if err != nil {
		return err
	}
	if in.Theme == "" {
		in.Theme = "auto"
	}
	if err := h.accounts.SetTheme(c.UserContext(), web.Actor(c), in.Theme); err != nil {
		return err
	}
	h.SetTheme(c, in.Theme) // of this browser too: signing out changes no colors
	return h.SeeOther(c, web.Local(in.Next, "/"), "")
}
