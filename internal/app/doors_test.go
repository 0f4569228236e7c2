package app_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/web"
	"commissionportal/views/static"
)

// TestNotYours compares what a stranger is answered for what is not theirs with
// the answer for what is not there: the same bytes, so that nobody learns what
// there is by asking.
func TestNotYours(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	stranger := w.Person("Eve Eavesdropper")
	w.Visitor().Get("/organizations/suspended-one").Want(200)
	for _, tt := range []struct{ path, id string }{
		{"/commissions/grid-storage/applications/%s", w.ids["applications"]},
		{"/imports/%s", w.ids["imports"]}, {"/imports/%s/report.csv", w.ids["imports"]},
		{"/commissions/grid-storage/roster/import/%s", w.ids["import"]},
		{"/commissions/grid-storage/invitations/%s/revoke", w.ids["invitations"]},
		{"/commissions/grid-storage/participation-requests/%s/decline", w.ids["participation-requests"]},
		{"/organizations/nordwind/affiliations/%s/decline", w.ids["affiliations"]},
		{"/organizations/nordwind/seats/%s/recall", w.ids["seats"]},
		{"/profile/tokens/%s/revoke", w.ids["tokens"]},
		{"/organizations/%s", "pending-one"}, {"/organizations/%s/edit", "pending-one"}, {"/organizations/%s/people", "pending-one"},
		{"/organizations/%s/history", "suspended-one"},
		{"/api/v1/commissions/grid-storage/applications/%s", w.ids["applications"]},
		{"/api/v1/imports/%s", w.ids["imports"]}, {"/api/v1/imports/%s/lines", w.ids["imports"]},
		{"/api/v1/organizations/%s", "pending-one"}, {"/api/v1/organizations/%s/affiliations", "pending-one"},
	} {
		nobody := uuid.Must(uuid.NewV7()).String()
		for _, method := range []string{"GET", "HEAD"} {
			for who, c := range map[string]*apptest.Client{"a stranger": stranger, "a visitor": w.Visitor()} {
				if c.ID == uuid.Nil && signIn[tt.path] != "" {
					continue
				}
				there := fmt.Sprintf(tt.path, tt.id)
				a, b := c.Send(method, there, ""), c.Send(method, fmt.Sprintf(tt.path, nobody), "")
				if a, b := bare(a, tt.id), bare(b, nobody); a != b {
					t.Errorf("%s %s as %s answers\n%.400s\nand for what is not there\n%.400s", method, there, who, a, b)
				}
			}
		}
	}
}

// signIn are addresses that a visitor is asked to sign in for if they are there,
// and why that tells nobody anything.
var signIn = map[string]string{
	"/imports/%s":                                "an id that cannot be guessed",
	"/imports/%s/report.csv":                     "an id that cannot be guessed",
	"/commissions/grid-storage/roster/import/%s": "an id that cannot be guessed",
	"/api/v1/imports/%s":                         "an id that cannot be guessed",
	"/api/v1/imports/%s/lines":                   "an id that cannot be guessed",
	"/organizations/%s/history":                  "its page says that it is suspended",
}

var requestID = regexp.MustCompile(`(?i)(x-request-id|date): \S.*\n`)

// bare is an answer without its request's id and the address asked for.
func bare(r apptest.Reply, id string) string {
	var b strings.Builder
	_ = r.Header.Clone().Write(&b) // of memory
	head := requestID.ReplaceAllString(b.String(), "")
	if r.Status == http.StatusNotFound || r.Status == http.StatusSeeOther { // the length follows the address in it
		head = regexp.MustCompile(`Content-Length: \d+\r\n`).ReplaceAllString(head, "")
	}
	return strings.ReplaceAll(fmt.Sprintf("%d\n%s\n%s", r.Status, head, r.Body), id, "…")
}

// TestWays asks every route in the ways it has and in one it has not.
func TestWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	routes := w.Web.Routes()
	takes := map[string][]string{}
	for _, r := range routes {
		takes[r.Path] = append(takes[r.Path], r.Method)
	}
	for _, r := range routes {
		path := w.path(t, r)
		if slices.Contains(takes[r.Path], "GET") && r.Method == "GET" {
			get, head := w.sam.Send("GET", path+asked[r.Path], ""), w.sam.Send("HEAD", path+asked[r.Path], "")
			if head.Status != get.Status || head.Body != "" || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || head.Header.Get("ETag") != get.Header.Get("ETag") {
				t.Errorf("HEAD %s: %d %q, and GET %d %q", path, head.Status, head.Header.Get("Content-Type"), get.Status, get.Header.Get("Content-Type"))
			}
		}
		if wrong := "PUT"; !slices.Contains(takes[r.Path], wrong) && !overlaps(routes, wrong, path) {
			if got := w.sam.Send(wrong, path, ""); got.Status != 405 || got.Header.Get("Allow") == "" {
				t.Errorf("%s %s: status %d, Allow %q", wrong, path, got.Status, got.Header.Get("Allow"))
			}
		}
	}
	w.sam.Send("GET", "/commissions/", "").Want(404) // one address for one thing
	w.sam.Send("PUT", "/commissions", "").Want(405, "not asked in that way")
	w.sam.Send("PUT", "/api/v1/sectors", "").Want(405, `"/problems/request"`)
}

// TestBodyLimits sends every route that takes a body more than it takes, with the
// length said before and without.
func TestBodyLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	over, wide := strings.Repeat(" ", web.MaxBody+1), strings.Repeat(" ", web.MaxUpload+1)
	for _, r := range w.Web.Routes() {
		body, kind := over, "application/json"
		switch {
		case r.Method == "GET" || r.Method == "OPTIONS" || r.Stream: // what streams has a limit of its own: documentweb
			continue
		case r.Large:
			body = wide
		}
		if !strings.HasPrefix(r.Path, "/api/") {
			kind = "application/x-www-form-urlencoded"
		}
		path := w.path(t, r)
		if got := w.sam.Send(r.Method, path, body, "Content-Type", kind); got.Status != 413 {
			t.Errorf("%s %s takes %d bytes: %d", r.Method, path, len(body), got.Status)
		}
		if got := w.sam.SendChunked(r.Method, path, body, "Content-Type", kind); got.Status != 413 {
			t.Errorf("%s %s takes %d bytes in chunks: %d", r.Method, path, len(body), got.Status)
		}
	}
}

func overlaps(routes []web.Route, method, path string) bool {
	return slices.ContainsFunc(routes, func(r web.Route) bool {
		return r.Method == method && len(strings.Split(r.Path, "/")) == len(strings.Split(path, "/")) && strings.Contains(r.Path, ":") && matches(r.Path, path)
	})
}

func matches(pattern, path string) bool {
	a, b := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(a[i], ":") {
			return false
		}
	}
	return true
}

// TestEveryPostOnce sends to every route that takes a POST a key that another
// request was sent with, and keys that no request may have.
func TestEveryPostOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.Exec(`INSERT INTO idempotency (person_id, key, request) VALUES ($1, 'used', sha256('another'))`, w.sam.ID)
	for _, r := range w.Web.Routes() {
		if r.Method != "POST" {
			continue
		}
		path := w.path(t, r)
		for key, want := range map[string]string{"used": "used for another request", "\x80\xff": "letters", strings.Repeat("k", 201): "200 characters"} {
			got := w.sam.Send("POST", path, "{}", "Content-Type", "application/json", "Idempotency-Key", key)
			if got.Status != 422 || !strings.Contains(got.Body, want) {
				t.Errorf("POST %s with the key %.10q: status %d, no %q", path, key, got.Status, want)
			}
		}
		if !strings.HasPrefix(path, "/api/") {
			if got := w.sam.Post(path, "_key", "a\x00"); got.Status != 422 {
				t.Errorf("POST %s with NUL in its key: status %d", path, got.Status)
			}
		}
	}
}

// TestGuardedUpdates sends every update of the API without a version, and with
// one that nobody has seen.
func TestGuardedUpdates(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t, 3), described(t)
	for _, r := range w.Web.Routes() {
		o, ok := d.operation(r.Method, r.Path)
		if _, guarded := o.parameter("header", "If-Match"); !ok || !guarded || r.Method == "POST" {
			continue
		}
		path := strings.TrimPrefix(w.path(t, r), "/api/v1")
		var body any
		if o.RequestBody != nil {
			body = map[string]any{}
			full, _ := d.sample(o.RequestBody.Content["application/json"].Schema, 0).(map[string]any)
			for _, name := range d.resolve(o.RequestBody.Content["application/json"].Schema).Required {
				body.(map[string]any)[name] = full[name]
			}
		}
		if got := w.sam.API(r.Method, path, body); got.Status != 428 && r.Method != "DELETE" {
			t.Errorf("%s %s without If-Match: status %d, want 428: %s", r.Method, path, got.Status, got.Body)
		}
		if got := w.sam.API(r.Method, path, body, "If-Match", `"v999"`); got.Status != 412 {
			t.Errorf("%s %s from a version that is gone: status %d, want 412: %s", r.Method, path, got.Status, got.Body)
		}
	}
}

// TestReadOnlyToken is refused every change, and a body over the limit is by
// every route.
func TestReadOnlyToken(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t, 3), described(t)
	w.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at, seen_at) VALUES ($1, $2, 'Reader', true, now(), now() + interval '50 years')`, web.Hash("reader"), w.sam.ID)
	reader := w.Visitor()
	reader.Token = "reader"
	entries := func() int { return apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry`) }
	before := entries()
	for _, r := range w.Web.Routes() {
		o, ok := d.operation(r.Method, r.Path)
		path := strings.TrimPrefix(w.path(t, r), "/api/v1")
		if !ok || r.Method == "GET" || r.Object == "" {
			continue
		}
		var body any
		if o.RequestBody != nil {
			body = d.sample(o.RequestBody.Content["application/json"].Schema, 0)
		}
		if got := reader.API(r.Method, path, body, "If-Match", `"v1"`); got.Status < 400 || got.Status >= 500 {
			t.Errorf("%s %s with a token that may only read: status %d", r.Method, path, got.Status)
		}
		if !r.Large && !r.Stream { // what streams is bounded by its handler, after the right to send it was asked
			if got := reader.API(r.Method, path, strings.Repeat(" ", web.MaxBody+1)); got.Status != 413 {
				t.Errorf("%s %s with more than it takes: status %d", r.Method, path, got.Status)
			}
		}
	}
	if n := entries(); n != before {
		t.Errorf("a token that may only read made %d changes", n-before)
	}
}

// TestAgain asks public pages and files for what the browser has already.
func TestAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	visitor := w.Visitor()
	for _, path := range []string{"/", "/commissions", "/commissions/grid-storage", "/commissions/grid-storage/charter", "/commissions/grid-storage/roster", "/sectors",
		"/sectors/energy", "/organizations", "/organizations/nordwind", static.URL("app.css")} {
		first := visitor.Get(path).Want(200)
		tag := first.Header.Get("ETag")
		if again := visitor.Get(path, "If-None-Match", tag); tag == "" || again.Status != 304 || again.Body != "" || again.Header.Get("ETag") != tag {
			t.Errorf("%s with ETag %q: status %d, %d bytes, ETag %q", path, tag, again.Status, len(again.Body), again.Header.Get("ETag"))
		}
	}
	for _, path := range []string{"/commissions/grid-storage", "/organizations/nordwind"} {
		tag := visitor.API("GET", path, nil).Want(200).Header.Get("ETag")
		if again := visitor.API("GET", path, nil, "If-None-Match", `"v0", W/`+tag); tag == "" || again.Status != 304 || again.Body != "" || again.Header.Get("ETag") != tag {
			t.Errorf("API %s with ETag %q: status %d, %d bytes, ETag %q", path, tag, again.Status, len(again.Body), again.Header.Get("ETag"))
		}
		visitor.API("GET", path, nil, "If-None-Match", `"v1"`).Want(200)
	}
	// A name that the answer shows has changed, though not the version of the thing.
	tag := visitor.API("GET", "/commissions/grid-storage", nil).Header.Get("ETag")
	w.Exec(`UPDATE commission SET acronym = 'POWER' WHERE slug = 'grid-storage'`)
	visitor.API("GET", "/commissions/grid-storage", nil, "If-None-Match", tag).Want(200, "POWER")
}

// TestSaidPlainly reads what is refused as a person does, or a program.
func TestSaidPlainly(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	visitor := p.Visitor()
	visitor.API("GET", "/commissions?limit=1000", nil).Want(422, `"limit":"Give a number of at most 200."`, "Correct what is named in fields.").Lacks("expected", "validation")
	visitor.API("GET", "/commissions?limit=many", nil).Want(422, `"limit":"Give a whole number."`)
	visitor.API("GET", "", nil).Want(200, "/api/docs", "/api/v1/openapi.json")
	ada := p.Person("Ann API")
	ada.API("POST", "/organizations", map[string]any{"website": "x.example"}).Want(422, `"name":"Fill this in."`, `"kind":"Fill this in."`).Lacks(`"body"`)
	ada.API("POST", "/organizations", map[string]any{"name": "", "kind": "x"}).Want(422, `"name":"Fill this in."`, `"kind":"Choose one of: `)
	visitor.API("GET", "/commissions?state=odd", nil).Want(422, `"state":"Choose one of: `)
	p.Secretariat().Send("POST", "/api/v1/organizations", "<x/>", "Content-Type", "text/xml").Want(415, `"title":"This kind of content is not taken here"`)
	// Who is not signed in is offered to, where a page is missing as where it may not be seen.
	p.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state) VALUES ('nord', 'Nordwind', 'nordwind', 'company', 'pending')`)
	missing, hidden := visitor.Get("/organizations/none"), visitor.Get("/organizations/nord")
	missing.Want(404, `href="/sign-in?next=%2Forganizations%2Fnone"`, "sign in and you come back to it")
	if missing.Status != hidden.Status || strings.ReplaceAll(missing.Body, "none", "nord") != strings.ReplaceAll(hidden.Body, "none", "nord") {
		t.Errorf("what is missing is answered %d and what is hidden %d, or not alike", missing.Status, hidden.Status)
	}
	visitor.Get("/nowhere").Want(404, `href="/sign-in?next=%2Fnowhere"`)
	p.Person("Ada Lovelace").Get("/nowhere").Want(404).Lacks("/sign-in")
}
