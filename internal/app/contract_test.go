package app_test

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"commissionportal/internal/app"
)

// spec is what the contract reads of the description of the API.
type spec struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]shape }
}

type operation struct {
	OperationID string
	Summary     string
	Tags        []string
	Parameters  []parameter
	RequestBody *struct{ Content map[string]media }
	Responses   map[string]struct {
		Content map[string]media
		Headers map[string]any
	}
}

type parameter struct {
	Name, In string
	Required bool
	Schema   shape
}

type media struct{ Schema shape }

// shape is a schema of it.
type shape struct {
	Ref        string `json:"$ref"`
	Type       any    // a word, or several where null is one of them
	Format     string
	Enum       []any
	Maximum    *float64
	MaxLength  *int
	Required   []string
	Properties map[string]shape
	Items      *shape
}

// described is the description of the API, made from the code: it takes no database.
func described(t *testing.T) spec {
	t.Helper()
	a, err := app.New(app.Config{Host: "127.0.0.1", Connections: 1}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(a.Web.API.OpenAPI())
	if err == nil {
		err = a.Close()
	}
	var s spec
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s spec) resolve(t shape) shape {
	if name, ok := strings.CutPrefix(t.Ref, "#/components/schemas/"); ok {
		return s.Components.Schemas[name]
	}
	return t
}

func (s shape) is(kind string) bool {
	switch t := s.Type.(type) {
	case string:
		return t == kind
	case []any:
		return slices.Contains(t, any(kind))
	}
	return false
}

func (o operation) parameter(in, name string) (parameter, bool) {
	for _, p := range o.Parameters {
		if p.In == in && p.Name == name {
			return p, true
		}
	}
	return parameter{}, false
}

// all calls fn for every operation, "GET" and "/api/v1/commissions".
func (s spec) all(fn func(method, path string, o operation)) {
	for path, item := range s.Paths {
		for method, o := range item {
			fn(strings.ToUpper(method), path, o)
		}
	}
}

// whole are lists that are answered in one piece: each is bounded by what it is
// of, and a decision.
var whole = map[string]string{
	"GET /api/v1/sectors":                             "branches of the economy: a dozen",
	"GET /api/v1/organizations/{slug}/similar":        "the nearest few",
	"GET /api/v1/documents/{name}/versions":           "those of one document",
	"GET /api/v1/organizations/similar":               "the nearest few",
	"GET /api/v1/commissions/{slug}/milestones":       "what one commission has promised",
	"GET /api/v1/organizations/{slug}/participations": "one for each commission it is in",
	"GET /api/v1/persons/me/affiliations":             "the reader's own",
	"GET /api/v1/persons/me/sessions":                 "the reader's own",
	"GET /api/v1/persons/me/passkeys":                 "the reader's own",
	"GET /api/v1/persons/me/tokens":                   "the reader's own",
}

// unversioned are updates that nobody's change can be lost by.
var unversioned = map[string]string{
	"PATCH /api/v1/uploads/{id}":                           "tus: each part names the offset it begins at, and is refused at another",
	"PATCH /api/v1/organizations/{slug}/affiliations/{id}": "each change names the state that it starts from, and repeats it in its WHERE",
	"PUT /api/v1/settings/factors":                         "one short list, sent whole",
	"PUT /api/v1/organizations/{slug}/logo":                "one picture, sent whole",
}

// TestContract holds every operation of the API, those of later capabilities
// too, to what the API promises: one way to repeat, to page, to guard an update,
// to refuse.
func TestContract(t *testing.T) {
	t.Parallel()
	s := described(t)
	ids := map[string]string{}
	n := 0
	s.all(func(method, path string, o operation) {
		n++
		name := method + " " + path
		if twin := ids[o.OperationID]; twin != "" || o.OperationID == "" {
			t.Errorf("%s: the id %q is that of %s", name, o.OperationID, twin)
		}
		ids[o.OperationID] = name
		if o.Summary == "" || len(o.Tags) != 1 {
			t.Errorf("%s: summary %q, tags %v: the reader of the docs wants one of each", name, o.Summary, o.Tags)
		}
		for segment := range strings.SplitSeq(path, "/") {
			if param, ok := strings.CutPrefix(segment, "{"); ok {
				if p, ok := o.parameter("path", strings.TrimSuffix(param, "}")); !ok || !p.Required {
					t.Errorf("%s: %s is not described", name, segment)
				}
			}
		}
		success := 0
		for status, r := range o.Responses {
			if status < "400" {
				success++
				if method != "GET" {
					continue
				}
				s.list(t, name, o, r.Content["application/json"].Schema)
				continue
			}
			problem := s.resolve(r.Content["application/problem+json"].Schema)
			for _, member := range []string{"type", "title", "status", "detail", "fields"} {
				if _, ok := problem.Properties[member]; !ok {
					t.Errorf("%s: the answer %s is no problem of RFC 9457 with fields: no %s", name, status, member)
				}
			}
		}
		if success != 1 {
			t.Errorf("%s: %d answers of success", name, success)
		}
		_, keyed := o.parameter("header", "Idempotency-Key")
		if keyed != (method == "POST") {
			t.Errorf("%s: takes an Idempotency-Key: %v", name, keyed)
		}
		_, guarded := o.parameter("header", "If-Match")
		if (method == "PATCH" || method == "PUT") && !guarded && unversioned[name] == "" {
			t.Errorf("%s: takes no If-Match, and changes get lost", name)
		} else if guarded && unversioned[name] != "" {
			t.Errorf("%s: takes If-Match, and need not be in the list of those that do not", name)
		}
		for status := range map[string]bool{"412": guarded, "428": guarded && (method == "PATCH" || method == "PUT")} {
			if _, ok := o.Responses[status]; guarded && !ok {
				t.Errorf("%s: takes If-Match, and the answer %s is not described", name, status)
			}
		}
	})
	if n < 70 {
		t.Errorf("only %d operations: the contract looked in the wrong place", n)
	}
}

// list holds an answer with items to the way that lists are paged.
func (s spec) list(t *testing.T, name string, o operation, answer shape) {
	t.Helper()
	answer = s.resolve(answer)
	if answer.is("array") {
		t.Errorf("%s: answers with a bare list, which cannot have a next", name)
	}
	if _, ok := answer.Properties["items"]; !ok {
		return
	}
	cursor, paged := o.parameter("query", "cursor")
	limit, limited := o.parameter("query", "limit")
	_, next := answer.Properties["next"]
	if whole[name] != "" {
		if paged || limited {
			t.Errorf("%s: is paged, and need not be in the list of those that are not", name)
		}
		return
	}
	switch {
	case !paged || !limited || !next:
		t.Errorf("%s: a list with cursor %v, limit %v, next %v", name, paged, limited, next)
	case limit.Schema.Maximum == nil || *limit.Schema.Maximum > 200:
		t.Errorf("%s: its limit is not bounded to 200", name)
	case cursor.Schema.MaxLength == nil:
		t.Errorf("%s: its cursor may be of any length", name)
	}
}

// TestPromised holds the operations that the first issue names.
func TestPromised(t *testing.T) {
	t.Parallel()
	s := described(t)
	for _, line := range []string{
		"GET POST /commissions", "GET PATCH /commissions/{slug}", "POST /commissions/{slug}/transitions", "GET PUT /commissions/{slug}/charter",
		"GET /commissions/{slug}/seats", "PATCH DELETE /commissions/{slug}/seats/{id}",
		"GET POST /commissions/{slug}/applications", "POST /commissions/{slug}/applications/{id}/approve",
		"POST /commissions/{slug}/applications/{id}/reject", "POST /commissions/{slug}/applications/{id}/withdraw",
		"GET POST /commissions/{slug}/invitations", "POST /invitations/{token}/accept", "POST /invitations/{token}/decline",
		"GET PUT DELETE /commissions/{slug}/participations/{organization}", "GET POST /organizations", "GET PATCH /organizations/{slug}",
		"POST /organizations/{slug}/accept", "POST /organizations/{slug}/suspend", "POST /organizations/{slug}/merge",
		"GET /sectors", "GET /persons/me", "GET /desk", "POST /imports", "GET /search",
	} {
		words := strings.Fields(line)
		path := "/api/v1" + words[len(words)-1]
		for _, method := range words[:len(words)-1] {
			if _, ok := s.Paths[path][strings.ToLower(method)]; !ok {
				t.Errorf("%s %s is not there", method, path)
			}
		}
	}
	seats := s.Paths["/api/v1/commissions/{slug}/seats"]["get"]
	for _, name := range []string{"as_of", "role", "organization", "q"} {
		if _, ok := seats.parameter("query", name); !ok {
			t.Errorf("the roster takes no %s", name)
		}
	}
}
