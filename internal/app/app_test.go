package app_test

import (
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// TestCensus fails on a route of the router that is not in the table of routes,
// where every line names the right it asks for or says that it is public.
func TestCensus(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	known := map[string]bool{}
	for _, r := range p.Web.Routes() {
		known[r.Method+" "+r.Path] = true
	}
	n := 0
	for _, r := range p.Web.App.GetRoutes(true) {
		if r.Method == fiber.MethodHead || r.Path == "/" && !known[r.Method+" /"] {
			continue // HEAD comes with GET; "/" of every method is the middleware
		}
		n++
		if !known[r.Method+" "+r.Path] {
			t.Errorf("%s %s is not in the table of routes", r.Method, r.Path)
		}
	}
	if n < 10 {
		t.Errorf("only %d routes: the census looked in the wrong place", n)
	}
}

// TestPublic holds the list of routes that ask for no right: each is a decision.
func TestPublic(t *testing.T) {
	t.Parallel()
	routes, err := app.Routes()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{
		// The secret of a mailed link is the right to see the invitation and to say no.
		"GET /invitations/:token": true, "POST /invitations/:token/decline": true,
		"GET /api/v1/invitations/:token": true, "POST /api/v1/invitations/:token/decline": true,
		// The secret of a link is the right to see one document, or to download it.
		"GET /s/:secret": true, "GET /s/:secret/versions/:version/content": true,
		"GET /s/:secret/versions/:version/preview": true, "GET /s/:secret/versions/:version/preview/pages/:page": true, "GET /s/:secret/versions/:version/thumbnail": true,
		// Ends of chains, for everybody to keep: opaque ids, numbers and hashes.
		"GET /journal/heads.json": true, "GET /journal/heads/:day": true,
		"OPTIONS /api/v1/uploads": true, // what tus clients ask first: versions and limits
		"GET /static/*":           true, "GET /healthz": true, "GET /readyz": true, "GET /api/docs": true, "GET /api/v1/openapi.json": true, "GET /api/v1": true,
	}
	for _, r := range routes {
		if r.Object == "" && !want[r.Method+" "+r.Path] {
			t.Errorf("%s %s asks for no right and is not in the list of public routes", r.Method, r.Path)
		}
	}
}

func TestUnauthorizedAnswerIsAFault(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	p.Web.App.Get("/leak", func(c *fiber.Ctx) error { return c.SendString("for nobody") })
	p.Visitor().Get("/leak").Want(500).Lacks("for nobody")
}

func TestHealth(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	p.Visitor().Get("/healthz").Want(200, "ok")
	p.Visitor().Get("/readyz").Want(200, "ready")
	p.Visitor().Get("/nowhere").Want(404, "no such page")
	p.Visitor().API("GET", "/nowhere", nil).Want(404, `"type":"/problems/not-found"`)
}

func TestDocs(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	spec := apptest.JSON[struct {
		OpenAPI string
		Paths   map[string]any
	}](p.Visitor().Get("/api/v1/openapi.json").Want(200))
	if !strings.HasPrefix(spec.OpenAPI, "3.1") || spec.Paths["/api/v1/commissions/{slug}"] == nil {
		t.Errorf("openapi %q with %d paths", spec.OpenAPI, len(spec.Paths))
	}
	p.Visitor().Get("/api/docs").Want(200, "/api/v1/commissions/{slug}", "Idempotency-Key")
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	big := `{"name":"` + strings.Repeat("x", 10<<20) + `"}`
	deep := strings.Repeat(`{"name":`, 20000) + "1" + strings.Repeat("}", 20000)
	for _, tt := range []struct {
		name, body string
		status     int
	}{
		{"10 MB of JSON", big, 413},
		{"deep JSON", deep, 422},
		{"no JSON", "{", 422},
		{"wrong type", `{"name":5,"acronym":"A","kind":"commission","sector":"energy","purpose":"p","charter":"c"}`, 422},
		{"unknown kind", `{"name":"N","acronym":"AB","kind":"team","sector":"energy","purpose":"p","charter":"c"}`, 422},
		{"NUL", `{"name":"Grid\u0000","acronym":"AB","kind":"commission","sector":"energy","purpose":"p","charter":"c"}`, 422},
		{"bad UTF-8", "{\"name\":\"Grid\xff\xfe\",\"acronym\":\"AB\",\"kind\":\"commission\",\"sector\":\"energy\",\"purpose\":\"p\",\"charter\":\"c\"}", 422},
	} {
		r := ada.API("POST", "/commissions", tt.body)
		if r.Status != tt.status && !(tt.status == 422 && r.Status == 400) {
			t.Errorf("%s: status %d, want %d: %.300s", tt.name, r.Status, tt.status, r.Body)
		}
		if !strings.Contains(r.Body, `"title"`) {
			t.Errorf("%s: not a problem: %.300s", tt.name, r.Body)
		}
	}
	ada.Post("/commissions", "name", "Gr\xffid", "_key", "k").Want(422)
	ada.Get("/commissions?q=%00").Want(422)
	ada.Get("/commissions?q=%ff").Want(422)
}

func TestOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
	} {
		r := ada.API("POST", "/commissions", map[string]string{}, header...)
		if r.Status != 403 {
			t.Errorf("%v: status %d, want 403", header, r.Status)
		}
	}
}
