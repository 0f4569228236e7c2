// Package accountweb has the two doors of accounts: pages and API.
package accountweb

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
	"commissionportal/internal/web"
	views "commissionportal/views/account"
	"commissionportal/views/layout"
)

type pages struct {
	*web.Server
	accounts *account.Service
}

// Mount adds the routes of accounts.
func Mount(s *web.Server, accounts *account.Service) {
	h := &pages{s, accounts}
	s.Seen, s.Again = accounts.Seen, h.again
	s.Own = append(s.Own, layout.Entry{Label: "Persons", Path: "/persons"}, layout.Entry{Label: "Second factor by role", Path: "/settings/factors"})
	signIn, signUp, reset := web.InPortal("account", "sign_in"), web.InPortal("account", "sign_up"), web.InPortal("account", "reset")
	read, edit := web.InPortal("account", "read"), web.InPortal("account", "edit")

	s.Page("GET", "/sign-in", "session.begin.form", signIn, h.getSignIn)
	s.Page("POST", "/sign-in", "session.begin", signIn, h.postSignIn)
	s.Page("POST", "/sign-in/passkey/ask", "session.passkey.ask", signIn, h.postAskKey)
	s.Page("POST", "/sign-in/passkey", "session.passkey", signIn, h.postSignInKey)
	h.mountIssuer(signIn, edit)
	s.Page("GET", "/sign-in/second", "session.second.form", signIn, h.getSecond)
	s.Page("POST", "/sign-in/second", "session.second", signIn, h.postSecond)
	s.Page("POST", "/sign-out", "session.finish", web.InPortal("account", "sign_out"), h.postSignOut)
	s.Page("GET", "/sign-up", "account.sign_up.form", signUp, h.getSignUp)
	s.Page("POST", "/sign-up", "account.sign_up", signUp, h.postSignUp)
	s.Page("GET", "/sign-up/sent", "account.sent", signUp, h.getSent)
	s.Page("POST", "/sign-up/again", "account.again", signUp, h.postAgain)
	s.Page("GET", "/confirm/:link", "account.confirm.form", signUp, h.getConfirm)
	s.Page("POST", "/confirm/:link", "account.confirm", signUp, h.postConfirm)
	s.Page("GET", "/reset", "password.ask.form", reset, h.getAskReset)
	s.Page("POST", "/reset", "password.ask", reset, h.postAskReset)
	s.Page("GET", "/reset/sent", "password.asked", reset, h.getAskedReset)
	s.Page("GET", "/reset/:link", "password.reset.form", reset, h.getReset)
	s.Page("POST", "/reset/:link", "password.reset", reset, h.postReset)

	s.AddTab("account", web.Tab{Label: "Profile", Path: "", Order: 0})
	s.AddTab("account", web.Tab{Label: "Password", Path: "/password", Order: 10})
	s.AddTab("account", web.Tab{Label: "Sessions", Path: "/sessions", Order: 20})
	s.AddTab("account", web.Tab{Label: "Tokens", Path: "/tokens", Order: 30})
	s.Page("GET", "/profile", "profile.read", read, h.getProfile)
	s.Page("POST", "/profile", "profile.edit", edit, h.postProfile)
	s.Page("GET", "/profile/password", "password.change.form", edit, h.getPassword)
	s.Page("POST", "/profile/password", "password.change", edit, h.postPassword)
	s.AddTab("account", web.Tab{Label: "Second factor", Path: "/factors", Order: 15})
	s.Page("GET", "/profile/factors", "factor.list", read, h.getFactors)
	s.Page("POST", "/profile/factors/app", "factor.begin", web.Recent(edit), h.postApp)
	s.Page("GET", "/profile/factors/app", "factor.begin.form", edit, h.getApp)
	s.Once("/profile/factors/app/confirm", "factor.confirm", web.Recent(edit), h.postConfirmApp)
	s.Page("GET", "/profile/factors/app/remove", "factor.remove.form", edit, h.getRemoveApp)
	s.Page("POST", "/profile/factors/app/remove", "factor.remove", web.Recent(edit), h.postRemoveApp)
	s.Page("POST", "/profile/factors/passkeys/ask", "passkey.ask", edit, h.postBeginKey)
	s.Once("/profile/factors/passkeys", "passkey.add", web.Recent(edit), h.postKey)
	s.Page("GET", "/profile/factors/passkeys/:id/remove", "passkey.remove.form", edit, h.getRemoveKey)
	s.Page("POST", "/profile/factors/passkeys/:id/remove", "passkey.remove", web.Recent(edit), h.postRemoveKey)
	s.Once("/profile/factors/codes", "factor.codes", web.Recent(edit), h.postCodes)
	s.AddTab("account", web.Tab{Label: "Your data", Path: "/data", Order: 95})
	s.Page("GET", "/profile/data", "account.data", read, h.getData)
	s.Page("POST", "/profile/data", "account.data.confirm", web.Recent(read), h.postData)
	s.Page("GET", "/profile/data.zip", "account.export", read, h.getExport)
	s.Page("GET", "/api/v1/persons/me/data.zip", "account.export.api", web.Recent(read), h.download)
	s.Describe(&huma.Operation{Method: "GET", Path: "/api/v1/persons/me/data.zip", OperationID: "account.export.api", Summary: "Save everything that is kept of you, as a ZIP of JSON files", Tags: []string{"Persons"}}, "200", "A ZIP.")
	h.mountErase(read, edit)
	h.mountAddress(read, edit, reset)
	s.Page("GET", "/profile/sessions", "session.list", read, h.getSessions)
	s.Page("POST", "/profile/sessions/end", "session.end_others", web.Recent(edit), h.postEndOthers)
	s.Page("POST", "/profile/sessions/:id/end", "session.end", web.Recent(edit), h.postEndSession)
	s.Page("GET", "/profile/tokens", "token.list", read, h.getTokens)
	s.Once("/profile/tokens", "token.make", web.Recent(edit), h.postTokens)
	s.Page("GET", "/profile/tokens/:id/revoke", "token.revoke.form", edit, h.getRevoke)
	s.Page("POST", "/profile/tokens/:id/revoke", "token.revoke", edit, h.postRevoke)
	s.Page("POST", "/preferences/theme", "preference.set", web.InPortal("preference", "set"), h.postTheme)

	s.Page("GET", "/persons", "person.list", web.InPortal("person", "list"), h.getList)
	s.Page("GET", "/persons/:id", "person.show", web.InPortal("profile", "read"), h.getShow)
	s.Page("GET", "/persons/:id/suspend", "person.suspend.form", web.InPortal("person", "suspend"), h.getSuspend)
	s.Page("POST", "/persons/:id/suspend", "person.suspend", web.Recent(web.InPortal("person", "suspend")), h.postSuspend)
	s.Page("GET", "/persons/:id/factors/remove", "person.disarm.form", web.InPortal("person", "disarm"), h.getDisarm)
	s.Page("POST", "/persons/:id/factors/remove", "person.disarm", web.Recent(web.InPortal("person", "disarm")), h.postDisarm)
	s.Page("GET", "/settings/factors", "factor.require.form", web.InPortal("factor", "require"), h.getRequire)
	s.Page("POST", "/settings/factors", "factor.require", web.Recent(web.InPortal("factor", "require")), h.postRequire)
	s.Page("POST", "/persons/:id/reinstate", "person.reinstate", web.InPortal("person", "reinstate"), h.postReinstate)
	mountAPI(s, accounts)
}

// home is where somebody who has signed in goes on, if they were not on their
// way to somewhere else.
const home = "/desk"

// deviceCookie is kept longer than a session: see account.Origin.
const deviceCookie = "device"

func (h *pages) origin(c *fiber.Ctx) account.Origin {
	o := account.Origin{Address: h.Address(c), Agent: c.Get(fiber.HeaderUserAgent), Device: h.Kept(c, deviceCookie), Half: h.Kept(c, halfCookie)}
	if s := h.Session(c); s != "" {
		o.Session = web.Hash(s)
	}
	return o
}

func (h *pages) keepDevice(c *fiber.Ctx, device string) {
	kept := h.Cookie(deviceCookie, device)
	kept.MaxAge, kept.SameSite = 365*24*3600, fiber.CookieSameSiteStrictMode
	c.Cookie(kept)
}

// enter gives the browser its session and leads on: to the second step, if a
// second factor is still to be given.
func (h *pages) enter(c *fiber.Ctx, in account.SignedIn, next, flash string) error {
	if in.Half {
		h.ClearSession(c) // the one it had has ended
		h.setHalf(c, in.Secret, int(account.HalfFor.Seconds()))
		return h.SeeOther(c, web.Query("/sign-in/second", "next", web.Local(next, "")), flash)
	}
	h.SetSession(c, in.Secret, in.Expires)
	if in.Device != "" {
		h.keepDevice(c, in.Device)
	}
	if in.Rests {
		next = "/profile/factors" // which says why, and how to go on
	}
	return h.SeeOther(c, web.Local(next, home), flash)
}

// statuses are those of the problems that a form shows above its fields, with
// what was typed, instead of a page of their own.
var statuses = map[problem.Kind]int{problem.Invalid: 422, problem.Conflict: 409, problem.Forbidden: 403, problem.TooMany: 429, problem.Unavailable: 503, problem.Stale: 412}

// refused puts into e what err says, and returns the status; 0 if err is not for
// the form to show.
func refused(c *fiber.Ctx, err error, e *views.Entry) int {
	p := problem.As(err)
	if p == nil || statuses[p.Kind] == 0 {
		return 0
	}
	ctx := c.UserContext()
	if e.Errors = i18n.FieldProblems(ctx, p); e.Errors == nil {
		e.Problem = i18n.Problem(ctx, p)
	}
	if p.Kind == problem.TooMany {
		c.Set(fiber.HeaderRetryAfter, "900")
	}
	return statuses[p.Kind]
}

// private keeps a page with a mailed secret in its address out of caches.
func private(c *fiber.Ctx) { c.Set(fiber.HeaderCacheControl, "private, no-store") }

type enterForm struct {
	Name     string `form:"name"`
	Email    string `form:"email"`
	Country  string `form:"country"`
	Password string `form:"password"`
	Current  string `form:"current"`
	Next     string `form:"next"`
	Trouble  string `form:"trouble"`
	Show     string `form:"show"`
	Link     string `form:"link"`
}

// entry is the form as it comes back. A password comes back only if the reader
// asked to see it.
func (f enterForm) entry() views.Entry {
	e := views.Entry{Name: f.Name, Email: f.Email, Country: f.Country, Next: web.Local(f.Next, ""), Link: f.Link, Show: f.Show != ""}
	if e.Show {
		e.Password = f.Password
	}
	return e
}

// decode reads a form; with show it asks only to come back with the password to
// be read.
func decode(c *fiber.Ctx) (in enterForm, e views.Entry, show bool, err error) {
	in, err = web.Decode[enterForm](c)
	return in, in.entry(), in.Show != "", err
}

func (h *pages) may(c *fiber.Ctx, action string) error {
	_, err := h.Policy.Require(c.UserContext(), web.Actor(c), access.Portal, "account", action)
	return err
}

func (h *pages) getSignIn(c *fiber.Ctx) error {
	if err := h.may(c, "sign_in"); err != nil {
		return err
	}
	in, err := web.Decode[enterForm](c)
	if err != nil {
		return err
	}
	if web.Actor(c).SignedIn() {
		return h.SeeOther(c, web.Local(in.Next, home), "")
	}
	e := views.Entry{Next: web.Local(in.Next, ""), Can: h.accounts.HasPasskeys(), Issuer: h.issuerName()}
	if p := troubles[in.Trouble]; p != nil {
		e.Problem = i18n.Problem(c.UserContext(), p)
	}
	return h.Render(c, http.StatusOK, views.SignInPage(e))
}

func (h *pages) postSignIn(c *fiber.Ctx) error {
	in, e, show, err := decode(c)
	if err != nil {
		return err
	}
	e.Can, e.Issuer = h.accounts.HasPasskeys(), h.issuerName()
	if show {
		if err := h.may(c, "sign_in"); err != nil {
			return err
		}
		private(c)
		return h.Render(c, http.StatusOK, views.SignInPage(e))
	}
	session, err := h.accounts.SignIn(c.UserContext(), web.Actor(c), in.Email, in.Password, h.origin(c))
	if status := refused(c, err, &e); status != 0 {
		return h.Render(c, status, views.SignInPage(e))
	}
	if err != nil {
		return err
	}
	return h.enter(c, session, in.Next, "")
}

func (h *pages) postSignOut(c *fiber.Ctx) error {
	if web.Actor(c).SignedIn() {
		if err := h.accounts.SignOut(c.UserContext(), web.Actor(c)); err != nil {
			return err
		}
	} else {
		access.Public(c.UserContext()) // the session has ended already: nothing is left to do
	}
	h.ClearSession(c)
	c.Set("Clear-Site-Data", `"cache", "storage"`) // whoever uses the browser next finds nothing
	return h.SeeOther(c, "/", i18n.T(c.UserContext(), "You are signed out."))
}

func (h *pages) getSignUp(c *fiber.Ctx) error {
	if err := h.may(c, "sign_up"); err != nil {
		return err
	}
	in, err := web.Decode[enterForm](c)
	if err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.SignUpPage(views.Entry{Next: web.Local(in.Next, ""), Email: in.Email}))
}

func (h *pages) postSignUp(c *fiber.Ctx) error {
	in, e, show, err := decode(c)
	if err != nil {
		return err
	}
	if show {
		if err := h.may(c, "sign_up"); err != nil {
			return err
		}
		private(c)
		return h.Render(c, http.StatusOK, views.SignUpPage(e))
	}
	err = h.accounts.SignUp(c.UserContext(), web.Actor(c),
		account.Application{Name: in.Name, Email: in.Email, Password: in.Password, Country: in.Country, Next: web.Local(in.Next, "")}, h.origin(c))
	if status := refused(c, err, &e); status != 0 {
		return h.Render(c, status, views.SignUpPage(e))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/sign-up/sent", "")
}

func (h *pages) getSent(c *fiber.Ctx) error {
	if err := h.may(c, "sign_up"); err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.SentPage(views.Entry{}))
}

func (h *pages) postAgain(c *fiber.Ctx) error {
	in, e, _, err := decode(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	err = h.accounts.SendAgain(ctx, web.Actor(c), in.Email, h.origin(c))
	if status := refused(c, err, &e); status != 0 {
		return h.Render(c, status, views.SentPage(e))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/sign-up/sent", i18n.T(ctx, "We have written again, if an account was asked for with this address."))
}

// deadLink answers a link that is not good any more with where to get another.
func (h *pages) deadLink(c *fiber.Ctx, again string) error {
	ctx := c.UserContext()
	title, label := i18n.T(ctx, "Confirm your address"), i18n.T(ctx, "Create account")
	if again == "/reset" {
		title, label = i18n.T(ctx, "Set a new password"), i18n.T(ctx, "Ask for another link")
	}
	return h.Render(c, http.StatusNotFound, views.DeadLinkPage(title, again, label))
}

func (h *pages) getConfirm(c *fiber.Ctx) error {
	private(c)
	p, err := h.accounts.Pending(c.UserContext(), web.Actor(c), c.Params("link"))
	if problem.Of(err, problem.NotFound) {
		return h.deadLink(c, "/sign-up")
	}
	if err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.ConfirmPage(views.Entry{Email: p.Email, Name: p.Name, Link: c.Params("link")}))
}

func (h *pages) postConfirm(c *fiber.Ctx) error {
	private(c)
	ctx := c.UserContext()
	in, e, show, err := decode(c)
	if err != nil {
		return err
	}
	p, err := h.accounts.Pending(ctx, web.Actor(c), in.Link)
	if problem.Of(err, problem.NotFound) {
		return h.deadLink(c, "/sign-up")
	}
	if err != nil {
		return err
	}
	e.Email, e.Name = p.Email, p.Name
	if show {
		return h.Render(c, http.StatusOK, views.ConfirmPage(e))
	}
	session, err := h.accounts.Confirm(ctx, web.Actor(c), in.Link, in.Password, h.origin(c))
	if problem.Of(err, problem.NotFound) {
		return h.deadLink(c, "/sign-up")
	}
	if status := refused(c, err, &e); status != 0 {
		return h.Render(c, status, views.ConfirmPage(e))
	}
	if err != nil {
		return err
	}
	return h.enter(c, session, session.Next, i18n.T(ctx, "Welcome, %s. Your account is open.", p.Name))
}

func (h *pages) getAskReset(c *fiber.Ctx) error {
	if err := h.may(c, "reset"); err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.AskResetPage(views.Entry{Email: web.Actor(c).Email}))
}

func (h *pages) postAskReset(c *fiber.Ctx) error {
	in, e, _, err := decode(c)
	if err != nil {
		return err
	}
	err = h.accounts.AskReset(c.UserContext(), web.Actor(c), in.Email, h.origin(c))
	if status := refused(c, err, &e); status != 0 {
		return h.Render(c, status, views.AskResetPage(e))
	}
	if err != nil {
		return err
	}
	return h.SeeOther(c, "/reset/sent", "")
}

func (h *pages) getAskedReset(c *fiber.Ctx) error {
	if err := h.may(c, "reset"); err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.AskedResetPage())
}

func (h *pages) getReset(c *fiber.Ctx) error {
	private(c)
	p, err := h.accounts.Ticket(c.UserContext(), web.Actor(c), c.Params("link"))
	if problem.Of(err, problem.NotFound) {
		return h.deadLink(c, "/reset")
	}
	if err != nil {
		return err
	}
	return h.Render(c, http.StatusOK, views.ResetPage(views.Entry{Email: p.Email, Link: c.Params("link")}))
}

func (h *pages) postReset(c *fiber.Ctx) error {
	private(c)
	ctx := c.UserContext()
	in, e, show, err := decode(c)
	if err != nil {
		return err
	}
	p, err := h.accounts.Ticket(ctx, web.Actor(c), in.Link)
	if problem.Of(err, problem.NotFound) {
		return h.deadLink(c, "/reset")
	}
	if err != nil {
		return err
	}
	e.Email = p.Email
	if show {
		return h.Render(c, http.StatusOK, views.ResetPage(e))
	}
	session, err := h.accounts.Reset(ctx, web.Actor(c), in.Link, in.Password, h.origin(c))
	if problem.Of(err, problem.NotFound) {
		return h.deadLink(c, "/reset")
	}
	if status := refused(c, err, &e); status != 0 {
		return h.Render(c, status, views.ResetPage(e))
	}
	if err != nil {
		return err
	}
	return h.enter(c, session, "", i18n.T(ctx, "The new password is set. All other sessions have ended."))
}
