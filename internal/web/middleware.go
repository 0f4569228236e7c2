package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
	"commissionportal/views/layout"
)

const (
	livePath   = "/healthz"
	staticPath = "/static/"

	sessionCookie = "session"
	flashCookie   = "flash"
	themeCookie   = "theme"
	wroteCookie   = "wrote"
)

// csp allows the portal's own files and nothing else: no inline script or
// style, no other host, no frame around us.
const csp = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// begin gives the request its id, its context and the headers of every answer,
// and afterwards refuses an answer for which nothing was authorized.
func (s *Server) begin(c *fiber.Ctx) (err error) {
	started := time.Now()
	peek := c.Method() == fiber.MethodHead || strings.Contains(c.Get("Sec-Purpose"), "prefetch") || c.Get("Purpose") == "prefetch"
	if c.Method() == fiber.MethodHead { // answered as GET is; the server leaves the body away
		c.Method(fiber.MethodGet)
	}
	id := newID()
	ctx := journal.WithRequest(calendar.With(c.UserContext(), s.Zone), id)
	if s.Now != nil {
		ctx = journal.WithNow(ctx, s.Now().UTC().Truncate(time.Microsecond))
	}
	if peek {
		ctx = journal.WithPeek(ctx)
	}
	ctx, asked := access.Track(ctx)
	c.SetUserContext(ctx)
	c.Set("X-Request-Id", id)
	c.Set(fiber.HeaderContentSecurityPolicy, csp)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "strict-origin-when-cross-origin")
	c.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	if s.Secure() {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000; includeSubDomains")
	}
	defer func() {
		if r := recover(); r != nil {
			err = s.fail(c, fmt.Errorf("panic: %v\n%s", r, debug.Stack()))
		}
		s.later(c)
		if c.GetRespHeader(fiber.HeaderCacheControl) == "" && Actor(c).SignedIn() { // what a cache would guess is not for others
			c.Set(fiber.HeaderCacheControl, "private, no-store")
		}
		if s.Stopping() {
			c.Context().SetConnectionClose()
		}
		s.follow(c)
		if s.Observe != nil {
			s.Observe(c.Method(), c.Route().Path, c.Response().StatusCode(), time.Since(started))
		}
		if level := levelOf(c.Response().StatusCode()); s.Log.Enabled(ctx, level) {
			s.Log.LogAttrs(ctx, level, "request", logAttrs(c, started)...)
		}
	}()
	err = c.Next()
	to, failed := s.moved(c, err)
	switch {
	case failed != nil:
		return s.fail(c, failed)
	case to != "":
		c.Response().ResetBody()
		c.Set(fiber.HeaderCacheControl, "no-cache") // it may be renamed back
		return c.Redirect(to, fiber.StatusPermanentRedirect)
	case err != nil:
		return s.fail(c, err)
	}
	if status := c.Response().StatusCode(); status < 400 && !asked() {
		c.Response().ResetBody()
		return s.fail(c, fmt.Errorf("%s %s answered %d and nothing was authorized", c.Method(), c.Route().Path, status))
	}
	return nil
}

func newID() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// guard takes the body in, and refuses what is too large and what another
// site's page sent: unsafe
// methods need an origin of ours, unless they carry a bearer token, which no
// browser adds by itself.
func (s *Server) guard(c *fiber.Ctx) error {
	if c.Method() == fiber.MethodGet || c.Method() == fiber.MethodOptions {
		return c.Next()
	}
	if err := s.takeBody(c); err != nil {
		return err
	}
	if bearer(c) != "" {
		return c.Next()
	}
	switch c.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return c.Next()
	case "":
		origin := c.Get(fiber.HeaderOrigin)
		if origin == "" { // no browser
			return c.Next()
		}
		if u, err := url.Parse(origin); err == nil && u.Host != "" && (u.Host == string(c.Request().Host()) || u.Host == s.Base.Host) {
			return c.Next()
		}
	}
	return problem.New(problem.Forbidden, "This came from another site. Open the page here and try again.")
}

func bearer(c *fiber.Ctx) string {
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}

// Hash is how secrets are kept: a session, a token or a link is found by it,
// and cannot be made from it.
func Hash(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// SeenEvery is how often it is written down that a session or token is in use.
const SeenEvery = 5 * time.Minute

// identity is what a request says of who asks: a bearer token or a session.
type identity struct{ token, session string }

func (s *Server) identityOf(c *fiber.Ctx) identity { return identity{bearer(c), s.Session(c)} }

// actor finds out who that is at this moment, in one query.
func (s *Server) actor(ctx context.Context, i identity) (who access.Actor, hash []byte, err error) {
	if i.token != "" {
		hash = Hash(i.token)
		if who, err = s.Policy.ByToken(ctx, s.DB, hash, journal.Now(ctx)); err == nil && !who.SignedIn() {
			err = problem.New(problem.SignIn, "This token is unknown, revoked or has run out.")
		}
	} else if i.session != "" {
		hash = Hash(i.session)
		who, err = s.Policy.BySession(ctx, s.DB, hash, journal.Now(ctx))
	}
	return who, hash, err
}

// identify finds out who asks, in one query, and in which language and zone. Style
// sheets and whether the process answers are for everybody, also without a database.
func (s *Server) identify(c *fiber.Ctx) error {
	if c.Path() == livePath || strings.HasPrefix(c.Path(), staticPath) {
		return c.Next()
	}
	ctx := c.UserContext()
	who, hash, err := s.actor(ctx, s.identityOf(c))
	if err == nil && who.SignedIn() && s.Seen != nil && journal.Now(ctx).Sub(who.SeenAt) > SeenEvery {
		err = s.Seen(ctx, who, hash)
	}
	if err != nil {
		return err
	}
	ctx = access.With(ctx, who)
	ctx = i18n.With(ctx, i18n.Locale{Language: i18n.Match(c.Get(fiber.HeaderAcceptLanguage), who.Language), Zone: i18n.Zone(who.TimeZone)})
	c.SetUserContext(ctx)
	return c.Next()
}

// wroteFor is how long after a request that may have written nothing is shown to its sender
// from the replica, which by then certainly has it: an answer is at most MostLag old.
const wroteFor = 5 * postgres.MostLag

// lag lets what visitors are shown come from the replica, unless they have just written
// something: their browser carries a mark of that.
func (s *Server) lag(c *fiber.Ctx) error {
	switch {
	case c.Method() == fiber.MethodGet && s.identityOf(c) == identity{} && s.Kept(c, wroteCookie) == "":
		c.SetUserContext(postgres.MayLag(c.UserContext()))
	case c.Method() != fiber.MethodGet && c.Method() != fiber.MethodOptions && bearer(c) == "":
		wrote := s.Cookie(wroteCookie, "1")
		wrote.MaxAge = int(wroteFor.Seconds())
		c.Cookie(wrote)
	}
	return c.Next()
}

// compress answers in gzip or brotli where the client takes it; files are
// compressed already, and small answers are not worth it.
func (s *Server) compress(c *fiber.Ctx) error {
	err := c.Next()
	if err != nil || c.Response().IsBodyStream() || len(c.Response().Body()) < 1024 || len(c.Response().Header.ContentEncoding()) > 0 {
		return err
	}
	compressFast(c.Context())
	return nil
}

var compressFast = fasthttp.CompressHandlerBrotliLevel(func(*fasthttp.RequestCtx) {}, 3, fasthttp.CompressBestSpeed)

// Actor is who asks.
func Actor(c *fiber.Ctx) access.Actor { return access.From(c.UserContext()) }

// Cookie is one that has the browser keep a value under a name: for this host alone,
// and for no script.
func (s *Server) Cookie(name, value string) *fiber.Cookie {
	return &fiber.Cookie{Name: s.CookieName(name), Value: value, Path: "/", HTTPOnly: true, Secure: s.Secure(), SameSite: fiber.CookieSameSiteLaxMode}
}

// CookieName is what the browser calls it: with https it takes one of that name from
// this host alone, and from no other below the same domain.
func (s *Server) CookieName(name string) string {
	if s.Secure() {
		return "__Host-" + name
	}
	return name
}

// Kept is the value that the browser has kept under a name, or "".
func (s *Server) Kept(c *fiber.Ctx, name string) string { return c.Cookies(s.CookieName(name)) }

// forget makes the browser forget what it has kept under a name.
func (s *Server) forget(c *fiber.Ctx, name string) {
	gone := s.Cookie(name, "")
	gone.Expires = time.Unix(1, 0)
	c.Cookie(gone)
}

// SetSession makes the browser carry a new session.
func (s *Server) SetSession(c *fiber.Ctx, secret string, expires time.Time) {
	session := s.Cookie(sessionCookie, secret)
	session.Expires = expires
	c.Cookie(session)
}

// ClearSession makes the browser forget its session.
func (s *Server) ClearSession(c *fiber.Ctx) { s.forget(c, sessionCookie) }

// Session is the secret of the request's session, or "".
func (s *Server) Session(c *fiber.Ctx) string { return s.Kept(c, sessionCookie) }

// SetTheme keeps a visitor's choice of light or dark.
func (s *Server) SetTheme(c *fiber.Ctx, theme string) {
	chosen := s.Cookie(themeCookie, theme)
	chosen.MaxAge = 365 * 24 * 3600
	c.Cookie(chosen)
}

// theme is the reader's choice: of the account, else of the browser, else "".
func (s *Server) theme(c *fiber.Ctx) string {
	if t := Actor(c).Theme; t == "light" || t == "dark" {
		return t
	}
	if t := s.Kept(c, themeCookie); t == "light" || t == "dark" {
		return t
	}
	return ""
}

// frame prepares the context of a page: the menu, who is there, what to say once.
func (s *Server) frame(c *fiber.Ctx, status int) context.Context {
	who := Actor(c)
	f := layout.Frame{OpenMail: s.OpenMail, Theme: s.theme(c), Path: c.OriginalURL(), Menu: make([]layout.Entry, len(s.Menu)), Why: s.why(c, who, status), Rests: who.Rests() && !strings.HasPrefix(c.Path(), "/profile/factors")}
	if who.SignedIn() {
		f.Person = layout.Person{ID: who.ID.String(), Name: who.Name}
	}
	for i, e := range s.Menu {
		e.Active = c.Path() == e.Path || strings.HasPrefix(c.Path(), e.Path+"/")
		f.Menu[i] = e
	}
	if who.Secretariat() {
		f.Own = s.Own
	}
	if raw := s.Kept(c, flashCookie); raw != "" {
		if text, err := base64.RawURLEncoding.DecodeString(raw); err == nil {
			f.Flash = []layout.Flash{{Kind: "success", Text: string(text)}}
		}
		s.forget(c, flashCookie)
	}
	return layout.With(c.UserContext(), f)
}

// why is where it is explained that a page is shown, to those who see the rules of
// its commission, or why something is not theirs to do. What does not exist, or may
// not be seen, has no explanation: it would tell the two apart.
func (s *Server) why(c *fiber.Ctx, who access.Actor, status int) string {
	first, last := access.Questions(c.UserContext())
	if status == fiber.StatusOK {
		last = first
	}
	if last == nil || !who.SignedIn() || status != fiber.StatusOK && status != fiber.StatusForbidden {
		return ""
	}
	scope := last.Scope
	if status == fiber.StatusOK && (scope.Kind != access.CommissionKind || !s.Policy.May(who, access.Commission(scope.ID), "access", "read")) {
		return ""
	}
	commission, organization, document := "", "", ""
	switch {
	case scope.OfDocument():
		document = c.Params("name")
	case scope.Kind == access.CommissionKind:
		commission = scope.ID.String()
	case scope.Kind == access.OrganizationKind:
		organization = scope.ID.String()
	}
	return Query("/access/why", "commission", commission, "organization", organization, "document", document, "object", last.Object, "action", last.Action)
}

func hexHash(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:16])
}
