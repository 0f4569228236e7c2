package accountweb

import (
	"context"
	"net/http"
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
)

// halfCookie is carried between the password and the second factor.
const halfCookie = "half"

// challengeField comes with web.AgainField if a passkey answered.
const challengeField = "_challenge"

func (h *pages) getFactors(c *fiber.Ctx) error {
	return h.showFactors(c, http.StatusOK, views.Factors{Name: account.Browser(c.Get(fiber.HeaderUserAgent))})
}

func (h *pages) showFactors(c *fiber.Ctx, status int, page views.Factors) (err error) {
	ctx := c.UserContext()
	if page.Factors, err = h.accounts.Factors(ctx, web.Actor(c)); err != nil {
		return err
	}
	if page.Passkeys, err = h.accounts.Passkeys(ctx, web.Actor(c)); err != nil {
		return err
	}
	if who := web.Actor(c); who.Rests() {
		if page.Asking, err = h.accounts.Asking(ctx, who); err != nil {
			return err
		}
	}
	if page.Issuer = h.issuerName(); page.Issuer != "" {
		if page.Identity, err = h.accounts.Identity(ctx, web.Actor(c)); err != nil {
			return err
		}
	}
	page.Now, page.Key, page.Can, page.Tabs = journal.Now(ctx), uuid.NewString(), h.accounts.HasPasskeys(), h.tabs(c, "/factors")
	return h.Render(c, status, views.FactorsPage(page))
}

type keyForm struct {
	Name      string `form:"name"`
	Challenge string `form:"challenge"`
	Answer    string `form:"answer"`
	Next      string `form:"next"`
}

func (h *pages) postBeginKey(c *fiber.Ctx) error {
	asked, err := h.accounts.BeginPasskey(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	private(c)
	return c.JSON(asked)
}

func (h *pages) postKey(c *fiber.Ctx) error {
	in, err := web.Decode[keyForm](c)
	if err != nil {
		return err
	}
	texts, err := h.accounts.AddPasskey(c.UserContext(), web.Actor(c), in.Name, account.Answer{Challenge: in.Challenge, Text: in.Answer})
	var e views.Entry
	if status := refused(c, err, &e); status != 0 {
		return h.showFactors(c, status, views.Factors{Name: in.Name, Problem: e.Problem, Errors: e.Errors})
	}
	if err != nil {
		return err
	}
	if texts == nil {
		return h.SeeOther(c, "/profile/factors", i18n.T(c.UserContext(), "The passkey is set up."))
	}
	return h.showCodes(c, texts)
}

func (h *pages) getRemoveKey(c *fiber.Ctx) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	keys, err := h.accounts.Passkeys(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.ID == id {
			return h.Render(c, http.StatusOK, views.RemoveKeyPage(id.String(), k.Name))
		}
	}
	return access.ErrNotFound
}

func (h *pages) postRemoveKey(c *fiber.Ctx) error {
	id, err := id(c)
	if err != nil {
		return err
	}
	if err := h.accounts.RemovePasskey(c.UserContext(), web.Actor(c), id); err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/factors", i18n.T(c.UserContext(), "The passkey is removed."))
}

func (h *pages) postAskKey(c *fiber.Ctx) error {
	asked, err := h.accounts.AskPasskey(c.UserContext(), web.Actor(c), h.origin(c))
	if err != nil {
		return err
	}
	private(c)
	return c.JSON(asked)
}

func (h *pages) postSignInKey(c *fiber.Ctx) error {
	in, err := web.Decode[keyForm](c)
	if err != nil {
		return err
	}
	session, err := h.accounts.SignInWithPasskey(c.UserContext(), web.Actor(c), account.Answer{Challenge: in.Challenge, Text: in.Answer}, h.origin(c))
	e := views.Entry{Next: web.Local(in.Next, ""), Can: true, Issuer: h.issuerName()}
	if status := refused(c, err, &e); status != 0 {
		return h.Render(c, status, views.SignInPage(e))
	}
	if err != nil {
		return err
	}
	h.setHalf(c, "", -1)
	return h.enter(c, session, in.Next, "")
}

func (h *pages) postApp(c *fiber.Ctx) error {
	if _, err := h.accounts.BeginApp(c.UserContext(), web.Actor(c)); err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/factors/app", "")
}

func (h *pages) getApp(c *fiber.Ctx) error {
	return h.showApp(c, http.StatusOK, views.Entry{})
}

func (h *pages) showApp(c *fiber.Ctx, status int, e views.Entry) error {
	app, err := h.accounts.PendingApp(c.UserContext(), web.Actor(c))
	if problem.Of(err, problem.NotFound) { // none was begun, or it is set up already
		return h.SeeOther(c, "/profile/factors", "")
	}
	if err != nil {
		return err
	}
	return h.Render(c, status, views.SetUpPage(views.SetUp{App: app, Problem: e.Problem, Errors: e.Errors, Tabs: h.tabs(c, "/factors")}))
}

type codeForm struct {
	Code string `form:"code"`
	Next string `form:"next"`
}

func (h *pages) postConfirmApp(c *fiber.Ctx) error {
	in, err := web.Decode[codeForm](c)
	if err != nil {
		return err
	}
	texts, err := h.accounts.ConfirmApp(c.UserContext(), web.Actor(c), in.Code, h.origin(c))
	var e views.Entry
	if status := refused(c, err, &e); status != 0 {
		return h.showApp(c, status, e)
	}
	if err != nil {
		return err
	}
	return h.showCodes(c, texts)
}

func (h *pages) showCodes(c *fiber.Ctx, texts []string) error {
	return h.Render(c, http.StatusOK, views.CodesPage(views.Codes{Texts: texts, Email: web.Actor(c).Email, Tabs: h.tabs(c, "/factors")}))
}

func (h *pages) postCodes(c *fiber.Ctx) error {
	texts, err := h.accounts.NewCodes(c.UserContext(), web.Actor(c))
	if err != nil {
		return err
	}
	return h.showCodes(c, texts)
}

func (h *pages) getRemoveApp(c *fiber.Ctx) error {
	if err := h.may(c, "edit"); err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.RemoveAppPage())
}

func (h *pages) postRemoveApp(c *fiber.Ctx) error {
	if err := h.accounts.RemoveApp(c.UserContext(), web.Actor(c)); err != nil {
		return err
	}
	return h.SeeOther(c, "/profile/factors", i18n.T(c.UserContext(), "The app is removed."))
}

func (h *pages) setHalf(c *fiber.Ctx, secret string, age int) {
	kept := h.Cookie(halfCookie, secret)
	kept.MaxAge, kept.SameSite = age, fiber.CookieSameSiteStrictMode
	c.Cookie(kept)
}

func (h *pages) getSecond(c *fiber.Ctx) error {
	in, err := web.Decode[codeForm](c)
	if err != nil {
		return err
	}
	return h.showSecond(c, http.StatusOK, in, views.Entry{})
}

func (h *pages) showSecond(c *fiber.Ctx, status int, in codeForm, e views.Entry) error {
	next := web.Local(in.Next, "")
	f, err := h.accounts.Waiting(c.UserContext(), web.Actor(c), h.origin(c))
	if problem.Of(err, problem.NotFound) {
		return h.SeeOther(c, web.Query("/sign-in", "next", next), "")
	}
	if err != nil {
		return err
	}
	private(c)
	return h.Render(c, status, views.SecondPage(views.Second{Factors: f, Can: h.accounts.HasPasskeys(), Next: next, Problem: e.Problem, Errors: e.Errors}))
}

func (h *pages) postSecond(c *fiber.Ctx) error {
	in, err := web.Decode[codeForm](c)
	if err != nil {
		return err
	}
	session, err := h.accounts.Second(c.UserContext(), web.Actor(c), in.Code, h.origin(c))
	if problem.Of(err, problem.NotFound) {
		return h.SeeOther(c, web.Query("/sign-in", "next", web.Local(in.Next, "")), "")
	}
	var e views.Entry
	if status := refused(c, err, &e); status != 0 {
		return h.showSecond(c, status, in, e)
	}
	if err != nil {
		return err
	}
	h.setHalf(c, "", -1)
	return h.enter(c, session, in.Next, "")
}

// again asks who signed in too long ago to do it again, and lets them go on with
// what they sent. See web.Recent.
func (h *pages) again(c *fiber.Ctx) (bool, error) {
	ctx, who := c.UserContext(), web.Actor(c)
	page, status := views.Again{Action: c.OriginalURL(), Can: h.accounts.HasPasskeys()}, http.StatusForbidden
	if given := c.FormValue(web.AgainField); given != "" {
		var secret string
		var expires time.Time
		var err error
		if challenge := c.FormValue(challengeField); challenge != "" {
			secret, expires, err = h.accounts.SignInAgainWithPasskey(ctx, who, account.Answer{Challenge: challenge, Text: given}, h.origin(c))
		} else {
			secret, expires, err = h.accounts.SignInAgain(ctx, who, given, h.origin(c))
		}
		if err == nil {
			h.SetSession(c, secret, expires)
			who.Session, who.Confirmed = web.Hash(secret), journal.Now(ctx)
			c.SetUserContext(access.With(ctx, who))
			return true, nil
		}
		var e views.Entry
		if status = refused(c, err, &e); status == 0 {
			return false, err
		}
		page.Problem, page.Errors = e.Problem, e.Errors
	}
	f, err := h.accounts.Factors(ctx, who)
	if err != nil {
		return false, err
	}
	page.Factors = f
	for name, value := range c.Context().PostArgs().All() {
		if string(name) != web.AgainField && string(name) != challengeField {
			page.Kept = append(page.Kept, [2]string{string(name), string(value)})
		}
	}
	return false, h.Render(c, status, views.AgainPage(page))
}

type appInput struct {
	Body struct {
		Code string `json:"code" maxLength:"40" doc:"That the app shows now."`
	}
}

type codes struct {
	Body struct {
		Codes []string `json:"recovery_codes" doc:"Each good once. Shown this once."`
	}
}

type factors struct{ Body account.Factors }
type madeApp struct{ Body account.App }

func (h *api) factors(ctx context.Context, _ *none) (*factors, error) {
	f, err := h.accounts.Factors(ctx, access.From(ctx))
	return &factors{f}, err
}

func (h *api) beginApp(ctx context.Context, _ *none) (*madeApp, error) {
	app, err := h.accounts.BeginApp(ctx, access.From(ctx))
	return &madeApp{app}, err
}

func (h *api) confirmApp(ctx context.Context, in *appInput) (*codes, error) {
	texts, err := h.accounts.ConfirmApp(ctx, access.From(ctx), in.Body.Code, account.Origin{})
	return given(texts), err
}

func given(texts []string) *codes {
	out := &codes{}
	out.Body.Codes = texts
	return out
}

func (h *api) removeApp(ctx context.Context, _ *none) (*none, error) {
	return &none{}, h.accounts.RemoveApp(ctx, access.From(ctx))
}

func (h *api) newCodes(ctx context.Context, _ *none) (*codes, error) {
	texts, err := h.accounts.NewCodes(ctx, access.From(ctx))
	return given(texts), err
}

func (h *api) passkeys(ctx context.Context, _ *none) (*web.Listed[account.Passkey], error) {
	rows, err := h.accounts.Passkeys(ctx, access.From(ctx))
	return web.Page(rows, ""), err
}

func (h *api) removePasskey(ctx context.Context, in *idInput) (*none, error) {
	return &none{}, h.accounts.RemovePasskey(ctx, access.From(ctx), in.ID)
}
