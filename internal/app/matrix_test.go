package app_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"commissionportal/internal/access"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/web"
	"commissionportal/policies"
)

// table is a role table read by a program that knows nothing of Casbin: what a role
// may do, as "object action".
func table(t *testing.T, kind access.Kind) map[string][]string {
	t.Helper()
	f, err := policies.Files.Open(string(kind) + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = '#', true, 3 // no table denies
	may := map[string][]string{}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return may
		}
		if err != nil {
			t.Fatal(err)
		}
		may[row[0]] = append(may[row[0]], row[1]+" "+row[2])
	}
}

// actor is who asks, with the roles that docs/access.md gives them.
type actor struct {
	name         string
	c            *apptest.Client
	commission   []string            // in grid-storage
	organization map[string][]string // slug → roles in it
	everywhere   string              // a role of the portal
	document     []string            // to the documents of grid-storage, which are nordwind's and shared with it and with grid-storage
}

// roles are those that count for a route at an address.
func (a actor) roles(r web.Route, path string) []string {
	roles := []string{"visitor"}
	if a.c.ID.Version() != 0 {
		roles = append(roles, "person")
	}
	if a.everywhere != "" {
		roles = append(roles, a.everywhere)
	}
	segments := strings.Split(strings.TrimPrefix(path, "/api/v1"), "/")
	switch {
	case r.Kind == access.OrganizationKind && segments[1] == "organizations":
		roles = append(roles, a.organization[segments[2]]...)
	case r.Kind == access.OrganizationKind: // it stands in the body, or is that of a request
		for _, list := range a.organization {
			roles = append(roles, list...)
		}
	case r.Kind == access.CommissionKind && (segments[1] != "commissions" || segments[2] == "grid-storage"):
		roles = append(append(roles, a.commission...), a.document...)
	}
	return roles
}

// refused reports whether an answer is that of who may not: not there, not yours,
// or to be signed in.
func refused(r apptest.Reply) bool {
	return r.Status == 401 || r.Status == 403 || r.Status == 404 || r.Status == 303 && strings.HasPrefix(r.Location(), "/sign-in")
}

// judged reports whether an answer finds fault with what was sent, as some routes do
// before they ask who sent it. Nothing is done then either.
func judged(r apptest.Reply) bool {
	return r.Status == 400 || r.Status == 412 || r.Status == 415 || r.Status == 422 || r.Status == 428
}

// narrower are pages whose object asks for more than the role.
var narrower = map[string]string{
	"/commissions/:slug/applications/:id":                "one's own, or for whoever decides",
	"/api/v1/commissions/:slug/applications/:id":         "one's own, or for whoever decides",
	"/commissions/:slug/applications/:id/withdraw":       "one's own",
	"/organizations/:slug/affiliations/:id/end":          "one's own, or for whoever decides",
	"/sign-in/second":                                    "whoever has given a password a moment ago",
	"/commissions/:slug/seats/:id/leave":                 "one's own",
	"/api/v1/uploads/:id":                                "one's own",
	"/commissions/:slug/organizations/:organization/end": "officers, or who acts for the organization",
	"/api/v1/persons/me/data.zip":                        "a recent sign-in, which a token is not",
	"/profile/tokens/:id/revoke":                         "one's own",
	"/profile/factors/passkeys/:id/remove":               "one's own",
}

// TestMatrix asks every route as everybody: every role in the commission, in others
// of it and beside it, in organizations, in the portal, by session and by token. Who
// may not according to the tables is refused, and no page is refused to who may: a
// quarter of these are asked, and all by `make prove`.
func TestMatrix(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t, 3), described(t)
	tables := map[access.Kind]map[string][]string{}
	for _, kind := range []access.Kind{access.PortalKind, access.OrganizationKind, access.CommissionKind} {
		tables[kind] = table(t, kind)
	}
	w.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, sector_id, purpose) SELECT 'grid', 'GRID', 'Grid', 'commission', 'active', sector_id, 'Another.' FROM commission WHERE slug = 'grid-storage'`)
	seat := func(c *apptest.Client, commission, role, period string, suspended bool) {
		w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by, suspended) SELECT `+period+`, id, $1, $2, $3, 'chair', $5 FROM commission WHERE slug = $4`, c.ID, c.Name, role, commission, suspended)
	}
	acts := func(c *apptest.Client, organization string, representative bool) {
		w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period) SELECT $1, id, 'confirmed', $3, tstzrange(now() - interval '1 day', NULL) FROM organization WHERE slug = $2`, c.ID, organization, representative)
	}
	const long, over = "tstzrange(now() - interval '1 day', NULL)", "tstzrange(now() - interval '2 days', now() - interval '1 day')"

	actors := []actor{{name: "visitor", c: w.Visitor()}, {name: "person", c: w.Person("Pat Person")}, {name: "secretariat", c: w.Person("Sara Staff", "secretariat"), everywhere: "secretariat"}}
	for _, role := range []string{"chair", "vice_chair", "secretary", "voting_representative", "alternate_representative", "observer", "liaison_officer", "invited_expert", "emeritus"} {
		c := w.Person("Own " + role)
		seat(c, "grid-storage", role, long, false)
		roles := []string{"member", role}
		if role == "chair" || role == "vice_chair" || role == "secretary" {
			roles = append(roles, "officer")
		}
		actors = append(actors, actor{name: role, c: c, commission: roles, document: []string{"recipient", "holder"}})
	}
	for name, in := range map[string]string{"chair of a part": "c1", "chair beside": "grid", "suspended chair": "grid-storage", "former chair": "grid-storage"} {
		c, period := w.Person(name), long
		if name == "former chair" {
			period = over
		}
		seat(c, in, "chair", period, name == "suspended chair")
		actors = append(actors, actor{name: name, c: c})
	}
	for _, of := range []string{"nordwind", "o1"} {
		for _, representative := range []bool{false, true} {
			a := actor{name: fmt.Sprintf("of %s %v", of, representative), organization: map[string][]string{of: {"affiliate"}}}
			if representative {
				a.organization[of] = append(a.organization[of], "representative")
			}
			if of == "nordwind" {
				a.document = []string{"recipient", "holder", "colleague"}
				if representative {
					a.document = append(a.document, "owner")
				}
			}
			a.c = w.Person(a.name)
			acts(a.c, of, representative)
			actors = append(actors, a)
		}
	}
	for i, a := range actors {
		if a.c.ID.Version() != 0 {
			token := fmt.Sprintf("matrix-%d", i)
			w.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at, seen_at) VALUES ($1, $2, 'Full', false, now(), now() + interval '50 years')`, web.Hash(token), a.c.ID)
			a.c.Token = token
		}
	}

	entries := func() int {
		return apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE person_id IS NOT NULL`)
	}
	asks, denials, before, all := 0, 0, entries(), os.Getenv("PROVE") != ""
	for n, r := range w.Web.Routes() {
		if r.Object == "" || r.Live || r.Method == "OPTIONS" {
			continue
		}
		path, question := w.path(t, r), r.Object+" "+r.Action
		o, api := d.operation(r.Method, r.Path)
		var body any
		if o.RequestBody != nil {
			body = d.sample(o.RequestBody.Content["application/json"].Schema, 0)
		}
		for i, a := range actors {
			may := false
			for _, role := range a.roles(r, path) {
				may = may || slices.Contains(tables[r.Kind][role], question)
			}
			if a.name == "observer" && question == "document submit" { // a rule of the commission: newWorld
				may = false
			}
			if may && (r.Method != "GET" || !all && (n+i)%4 != 0) {
				continue // it would be done; of pages, a part is enough each time
			}
			var got apptest.Reply
			switch {
			case api && (n+i)%2 == 0 && a.c.Token != "": // by token
				bearer := w.Visitor()
				bearer.Token = a.c.Token
				got = bearer.API(r.Method, strings.TrimPrefix(path+asked[r.Path], "/api/v1"), body, "If-Match", `"v1"`)
			case api:
				session := *a.c
				session.Token = ""
				got = session.API(r.Method, strings.TrimPrefix(path+asked[r.Path], "/api/v1"), body, "If-Match", `"v1"`, "Sec-Fetch-Site", "same-origin")
			case r.Method == "GET":
				got = a.c.Get(path + asked[r.Path])
			default:
				got = a.c.Post(path)
			}
			asks++
			switch no := refused(got); {
			case !may && r.Method != "GET" && judged(got), strings.HasPrefix(path, "/dev/"), path == "/sign-out": // open to everybody: the one on the developer's machine alone, the other does nothing for a visitor
			case !may && !no:
				t.Errorf("%s %s as %s, who may not %s: %d %.200s", r.Method, path, a.name, question, got.Status, got.Body)
			case may && no && narrower[r.Path] == "":
				t.Errorf("%s %s as %s, who may %s: %d %s", r.Method, path, a.name, question, got.Status, got.Location())
			case no:
				denials++
			}
		}
	}
	if denials < 4000 {
		t.Errorf("%d of %d were refused: the matrix looked elsewhere", denials, asks)
	}
	if n := entries(); n != before {
		t.Errorf("those who may not made %d changes", n-before)
	}
}
