// Package web is the kit of the two doors, pages and API: it turns a request
// into an actor and a decoded form, and an answer or a problem into a response.
// It and the …web packages are the only ones that know Fiber.
package web

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
	"commissionportal/views/layout"
)

// Limits of what a request may be.
const (
	MaxBody    = 1 << 20  // bytes of a form or a JSON body
	MaxUpload  = 32 << 20 // bytes on the routes that say Large
	MaxHeaders = 16 << 10 // bytes of the request line and headers
)

// Config is what a Server needs to know.
type Config struct {
	Base    *url.URL // the configured address: links in mails, cookies, origins
	DB      *postgres.DB
	Policy  *access.Policy
	Log     *slog.Logger
	Version string
	// Now, if set, is the clock of all requests; tests set it.
	Now func() time.Time
	// Beat is how often an open stream of events shows that it is alive, and a fourth as
	// often asks again whether it may go on; 0 is every 15 seconds.
	Beat time.Duration
	// KeepFor is how long visitors are shown a page without asking whether something has
	// changed; 0 makes it anew for each. See Kept.
	KeepFor time.Duration
	// Zone is the one whose days count for the convention; nil is UTC.
	Zone *time.Location
	// Proxies are those whose X-Forwarded-For is believed; see Address.
	Proxies []netip.Prefix
	// OpenMail shows all letters to everybody: for development, where they are kept
	// and not sent.
	OpenMail bool
}

// Server is the router with its table of routes.
type Server struct {
	Config
	App  *fiber.App
	API  huma.API
	Menu []layout.Entry // the main menu
	Own  []layout.Entry // what the secretariat's account menu has besides
	// Observe, if set, is told of every answer.
	Observe func(method, route string, status int, took time.Duration)
	// Seen, if set, notes that the session or token with that hash is in use; it is
	// called at most every SeenEvery of one that asks.
	Seen func(ctx context.Context, who access.Actor, hash []byte) error
	// Again, if set, asks whoever signed in too long ago for the route to sign in
	// again: it reports whether that was done, or has answered with the page that asks.
	Again    func(*fiber.Ctx) (bool, error)
	arrivals arrivals
	kept     keptPages
	taking   atomic.Pointer[door]
	stopping atomic.Bool
	room     string // capability whose operation is being described; see schemaName
	tabs     map[string][]Tab
	moves    map[string]func(ctx context.Context, slug string) (string, error) // see Moves
	routes   []Route
	byPath   map[string]Route // "GET /path" → route
}

// New makes a server with its middleware and without any route.
func New(c Config) *Server {
	s := &Server{Config: c, byPath: map[string]Route{}, moves: map[string]func(context.Context, string) (string, error){}}
	s.App = fiber.New(fiber.Config{
		Immutable:             true, // strings of a request outlive it
		DisableStartupMessage: true,
		ErrorHandler:          s.fail,
		BodyLimit:             MaxUpload,
		// Bodies are read by guard, within the limits of the route, or by the
		// handler of a route that takes a Stream.
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		ReadBufferSize:               MaxHeaders,
		WriteBufferSize:              64 << 10,
		ReadTimeout:                  30 * time.Second,
		WriteTimeout:                 60 * time.Second,
		IdleTimeout:                  90 * time.Second,
		StrictRouting:                true,
		CaseSensitive:                true,
	})
	s.App.Server().Logger, s.App.Server().SecureErrorLogMessage = wires{s.Log}, true
	s.App.Server().KeepHijackedConns = true // those of event streams, which close them
	s.App.Use(s.begin, s.guard, s.identify)
	if c.DB != nil && c.DB.Replicated() {
		s.App.Use(s.lag)
	}
	s.App.Use(s.keep, s.once, s.compress, forHuma)
	s.App.Use("/api/", s.tagged)
	api := huma.DefaultConfig("Commission Portal API", c.Version)
	api.OpenAPIPath, api.DocsPath, api.SchemasPath = "", "", ""
	api.CreateHooks = nil // no $schema property in bodies
	api.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", s.schemaName)
	api.Info.Description = "Everything the pages do, a program can do here. Errors are RFC 9457 problems; lists page by cursor; " +
		"every POST takes an Idempotency-Key; updates need If-Match."
	api.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "A token made on your account page or with `portal token create`."},
	}
	api.Security = []map[string][]string{{"token": {}}, {}}
	s.API = humafiber.New(s.App, api)
	return s
}

// Stopping reports whether the portal is about to stop.
func (s *Server) Stopping() bool { return s.stopping.Load() }

// Stop takes no further connections and waits until all that was asked is answered,
// at most until ctx ends. For a while it goes on to answer on connections that are
// there, and says that they end: who sends a request at that moment is heard. Uploads
// that can be gone on with are cut off, others shortly before ctx ends: what has
// arrived of them is kept.
func (s *Server) Stop(ctx context.Context, while time.Duration) error {
	s.stopping.Store(true)
	if d := s.taking.Load(); d != nil {
		if err := d.Close(); err != nil {
			return err
		}
	}
	select {
	case <-time.After(while):
	case <-ctx.Done():
	}
	s.arrivals.cut(false)
	if end, bounded := ctx.Deadline(); bounded {
		defer time.AfterFunc(time.Until(end)*3/4, func() { s.arrivals.cut(true) }).Stop()
	}
	return s.App.ShutdownWithContext(ctx)
}

// Serve answers what comes in by l, until Stop.
func (s *Server) Serve(l net.Listener) error {
	d := &door{Listener: l}
	s.taking.Store(d)
	if s.Stopping() { // before it began
		return d.Close()
	}
	return s.App.Listener(d)
}

// door is a listener that is closed once, by whoever comes first.
type door struct {
	net.Listener
	once sync.Once
	err  error
}

// Close implements net.Listener.
func (d *door) Close() error {
	d.once.Do(func() { d.err = d.Listener.Close() })
	return d.err
}

// URL is the absolute address of a path of the portal, from the configured base
// and never from the request.
func (c Config) URL(path string) string {
	return strings.TrimSuffix(c.Base.String(), "/") + path
}

// Secure reports whether the portal is reached by https, and so its cookies are.
func (c Config) Secure() bool { return c.Base.Scheme == "https" }

// schemaName names a type in the description of the API: with its capability
// before it, so that two of them may call something the same. A type without a
// name of its own belongs to the capability whose operation it is of.
func (s *Server) schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name, room := huma.DefaultSchemaNamer(t, hint), s.room
	if t.Name() != "" {
		room = roomOf(t)
	}
	if strings.HasPrefix(name, room) {
		return name
	}
	return room + name
}

// roomOf is the capability of a type, "Membership"; "" for what is of none.
func roomOf(t reflect.Type) string {
	where, ours := strings.CutPrefix(t.PkgPath(), "commissionportal/internal/")
	room := strings.TrimSuffix(path.Base(where), "web")
	if !ours || room == "" {
		return ""
	}
	return strings.ToUpper(room[:1]) + room[1:]
}
