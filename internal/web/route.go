package web

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Route is a line of the route table: what `portal routes` prints and what the
// census compares with the router.
type Route struct {
	Method, Path string
	Operation    string // commission.show; one name for the page and its twin in the API
	Kind         access.Kind
	Object       string // "" for a route that is public by nature
	Action       string
	Large        bool // takes a body up to MaxUpload
	Stream       bool // reads its body as it arrives, by Incoming, up to a limit of its own
	Live         bool // its answer goes on for as long as the client listens
	Secret       bool // its answer holds what is shown once: it is not kept for a repetition
	Recent       bool // asks who signed in long ago to sign in again; see Recent
	Kept         bool // visitors are shown it as it was made for another; see Kept
}

// Need is what a route's operation asks access for.
type Need struct {
	Kind           access.Kind
	Object, Action string
	recent         bool
	kept           bool
	now            bool
}

// Open is the need of a route that reads nothing of anybody: a form, a file.
var Open = Need{}

// InPortal is a Need in the scope of the portal.
func InPortal(object, action string) Need {
	return Need{Kind: access.PortalKind, Object: object, Action: action}
}

// InCommission is a Need in the scope of the commission that the path names.
func InCommission(object, action string) Need {
	return Need{Kind: access.CommissionKind, Object: object, Action: action}
}

// InOrganization is a Need in the scope of an organization.
func InOrganization(object, action string) Need {
	return Need{Kind: access.OrganizationKind, Object: object, Action: action}
}

// Now is a need of what a visitor must not read a moment late.
func Now(n Need) Need {
	n.now = true
	return n
}

// mayLag reports whether what a route shows to visitors may come from a replica: it is for
// everybody, whatever was done a moment ago. What is read at a level, such as read:public,
// hangs on a row of what is asked for, and what is open on a secret or a form: both are the
// primary's to decide.
func (n Need) mayLag() bool {
	return n.Object != "" && !n.now && !strings.HasPrefix(n.Action, "read:")
}

// Page adds a page's route.
func (s *Server) Page(method, path, operation string, need Need, h fiber.Handler) {
	s.add(Route{Method: method, Path: path, Operation: operation, Kind: need.Kind, Object: need.Object, Action: need.Action, Recent: need.recent, Kept: need.kept})
	if need.kept {
		need.kept = false
		s.kept.patterns = append(s.kept.patterns, keptPattern{path, need.mayLag()})
	}
	s.App.Add(method, path, s.open(need, h))
}

// Upload adds a page's route that takes a body up to MaxUpload.
func (s *Server) Upload(path, operation string, need Need, h fiber.Handler) {
	s.add(Route{Method: fiber.MethodPost, Path: path, Operation: operation, Kind: need.Kind, Object: need.Object, Action: need.Action, Recent: need.recent, Large: true})
	s.App.Post(path, s.open(need, h))
}

// Once adds a page's route whose answer holds what is shown once, such as a new
// token: it is not kept, so a repetition is refused and not answered again.
func (s *Server) Once(path, operation string, need Need, h fiber.Handler) {
	s.add(Route{Method: fiber.MethodPost, Path: path, Operation: operation, Kind: need.Kind, Object: need.Object, Action: need.Action, Recent: need.recent, Secret: true})
	s.App.Post(path, s.open(need, h))
}

// Stream adds a route whose handler reads the body as it arrives, by Incoming.
func (s *Server) Stream(method, path, operation string, need Need, h fiber.Handler) {
	s.add(Route{Method: method, Path: path, Operation: operation, Kind: need.Kind, Object: need.Object, Action: need.Action, Recent: need.recent, Stream: true})
	s.App.Add(method, path, s.open(need, func(c *fiber.Ctx) error {
		err := h(c)
		s.drain(c)
		return err
	}))
}

// Live adds a route whose answer goes on: its handler ends with Events.
func (s *Server) Live(path, operation string, need Need, h fiber.Handler) {
	s.add(Route{Method: fiber.MethodGet, Path: path, Operation: operation, Kind: need.Kind, Object: need.Object, Action: need.Action, Recent: need.recent, Live: true})
	s.App.Get(path, s.open(need, h))
}

// Recent is a need of who has signed in a moment ago: of an act that could do
// much harm from a browser that was left open. A page asks for the password, or a
// second factor, and then does what was sent; the API refuses. A token was made
// by who had signed in a moment before, and may do it, but for what changes the
// account itself: nobody who finds one takes the account over.
func Recent(n Need) Need {
	n.recent = true
	return n
}

// errAgain is the answer of the API to who signed in too long ago.
var errAgain = problem.New(problem.SignInAgain, "You signed in too long ago for this, or a token asks for what only its owner may do. Sign in again and repeat it.")

func stale(who access.Actor, need Need, now time.Time) bool {
	switch {
	case !need.recent || !who.SignedIn():
		return false
	case who.Session == nil:
		return need.Object == "account"
	}
	return !who.Recent(now)
}

// open puts before a handler what its need asks for: nothing but a mark that
// there is nothing to authorize, or a recent sign-in; and where it reads from.
func (s *Server) open(need Need, h fiber.Handler) fiber.Handler {
	if need.mayLag() {
		h = lagging(h)
	} else {
		h = fresh(h)
	}
	if need.recent {
		return func(c *fiber.Ctx) error {
			if who := Actor(c); stale(who, need, journal.Now(c.UserContext())) {
				if who.Session == nil || strings.HasPrefix(c.Path(), "/api/") {
					return errAgain
				}
				if done, err := s.Again(c); err != nil || !done {
					return err
				}
			}
			return h(c)
		}
	}
	if need != Open {
		return h
	}
	return func(c *fiber.Ctx) error {
		access.Public(c.UserContext())
		return h(c)
	}
}

// fresh has a page read from the primary.
func fresh(h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.SetUserContext(postgres.Fresh(c.UserContext()))
		return h(c)
	}
}

// lagging lets a page read from a replica, if its context does. What is refused, or not found
// there, is asked of the primary: it may have been made a moment ago.
func lagging(h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := h(c)
		if err == nil || !postgres.Turn(c.UserContext()) {
			return err
		}
		c.Status(fiber.StatusOK).Response().ResetBody()
		return h(c)
	}
}

// Call describes one operation of the API.
type Call struct {
	Method, Path string // below /api/v1, parameters in braces
	Operation    string
	Need         Need
	Summary      string
	Tag          string
	Status       int // of success; 0 means 200
	Large        bool
	Secret       bool // the answer holds what is shown once: a repetition is refused, not answered again
}

// API adds an operation of the API: huma decodes and documents it, problems
// come back as RFC 9457.
func API[I, O any](s *Server, c Call, h func(context.Context, *I) (*O, error)) {
	path := "/api/v1" + c.Path
	op := huma.Operation{Method: c.Method, Path: path, OperationID: c.Operation, Summary: c.Summary, Tags: []string{c.Tag}, DefaultStatus: c.Status,
		MaxBodyBytes: MaxBody, Errors: []int{401, 403, 404, 409, 422}}
	if c.Method != http.MethodGet && c.Method != http.MethodDelete {
		op.Errors = append(op.Errors, 413)
	}
	if matched(reflect.TypeFor[I]()) {
		op.Errors = append(op.Errors, 412, 428)
	}
	if c.Large {
		op.MaxBodyBytes = MaxUpload
	}
	if c.Method == http.MethodPost {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(200)},
			Description: "Any text of yours that names this request; sent again with the same body, it is answered as the first time and carried out once."})
	}
	s.add(Route{Method: c.Method, Path: fiberPath(path), Operation: c.Operation, Kind: c.Need.Kind, Object: c.Need.Object, Action: c.Need.Action, Recent: c.Need.recent, Large: c.Large, Secret: c.Secret})
	s.room = roomOf(reflect.TypeFor[I]())
	huma.Register(s.API, op, func(ctx context.Context, in *I) (*O, error) {
		if c.Need == Open {
			access.Public(ctx)
		}
		if !c.Need.mayLag() {
			ctx = postgres.Fresh(ctx)
		}
		if stale(access.From(ctx), c.Need, journal.Now(ctx)) {
			return nil, s.apiError(ctx, errAgain)
		}
		if err := clean(reflect.ValueOf(in), ""); err != nil {
			return nil, s.apiError(ctx, err)
		}
		out, err := h(ctx, in)
		if err != nil && postgres.Turn(ctx) { // see lagging
			out, err = h(ctx, in)
		}
		if err != nil {
			return nil, s.apiError(ctx, err)
		}
		return out, nil
	})
}

// matched reports whether an operation takes If-Match.
func matched(in reflect.Type) bool {
	for _, f := range reflect.VisibleFields(in) {
		if f.Tag.Get("header") == fiber.HeaderIfMatch {
			return true
		}
	}
	return false
}

// Describe puts an operation that is not huma's, because its body streams, into
// the description of the API, with the status of its success and what that means.
func (s *Server) Describe(op *huma.Operation, status, means string) {
	refused := &huma.Response{Description: "A problem (RFC 9457)", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: s.API.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[*Body](), true, "Problem")}}}
	op.Responses = map[string]*huma.Response{status: {Description: means}, "default": refused}
	s.API.OpenAPI().AddOperation(op)
}

func fiberPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

func (s *Server) add(r Route) {
	key := r.Method + " " + r.Path
	if _, twice := s.byPath[key]; twice {
		panic(fmt.Sprintf("route %s is there twice", key)) // a fault of the program, found at its start
	}
	if r.Object != "" && !s.Policy.Knows(r.Kind, r.Object, r.Action) {
		panic(fmt.Sprintf("route %s asks for %s %s, of which no row in %s.csv speaks", key, r.Object, r.Action, r.Kind))
	}
	s.byPath[key] = r
	s.routes = append(s.routes, r)
}

// Routes is the table, sorted by path.
func (s *Server) Routes() []Route {
	routes := slices.Clone(s.routes)
	slices.SortFunc(routes, func(a, b Route) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Method, b.Method)
	})
	return routes
}

// route is the line of the table that the request came in by.
func (s *Server) route(c *fiber.Ctx) (Route, bool) {
	r, ok := s.byPath[c.Method()+" "+c.Route().Path]
	return r, ok
}
