package app_test

import (
	"fmt"
	"html"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"commissionportal/internal/access"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/web"
	"commissionportal/policies"
)

// documented are the tables of docs/access.md, which say what a role may do as
// "object action": the oracle, which knows neither the policies nor Casbin.
func documented(t *testing.T) map[access.Kind]map[string][]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/access.md")
	if err != nil {
		t.Fatal(err)
	}
	headings := map[string]access.Kind{"### In the portal": access.PortalKind, "### In an organization": access.OrganizationKind, "### In a commission": access.CommissionKind}
	tables, kind := map[access.Kind]map[string][]string{}, access.Kind("")
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			kind = headings[line]
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if kind == "" || len(cells) != 3 || cells[0] == "object" {
			continue
		}
		if tables[kind] == nil {
			tables[kind] = map[string][]string{}
		}
		for _, role := range strings.Split(cells[2], ", ") {
			for _, object := range strings.Split(cells[0], ", ") {
				for _, action := range strings.Split(cells[1], ", ") {
					tables[kind][role] = append(tables[kind][role], object+" "+action)
				}
			}
		}
	}
	return tables
}

// TestTables: docs/access.md has of every role exactly the rows of the policies.
func TestTables(t *testing.T) {
	t.Parallel()
	for kind, table := range documented(t) {
		rows, err := policies.Files.ReadFile(string(kind) + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		given := map[string][]string{}
		for _, m := range regexp.MustCompile(`(?m)^(\w+), +(\S+), +(\S+)$`).FindAllStringSubmatch(string(rows), -1) {
			given[m[1]] = append(given[m[1]], m[2]+" "+m[3])
		}
		for role, questions := range given {
			for _, q := range questions {
				if !slices.Contains(table[role], q) {
					t.Errorf("%s.csv gives %s %s, and docs/access.md does not say so", kind, role, q)
				}
			}
		}
		for role, questions := range table {
			for _, q := range questions {
				if !slices.Contains(given[role], q) {
					t.Errorf("docs/access.md gives %s %s, and %s.csv does not", role, q, kind)
				}
			}
		}
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
	return r.Status == 403 || r.Status == 404 || asksToSignIn(r)
}

func asksToSignIn(r apptest.Reply) bool {
	return r.Status == 401 || r.Status == 303 && strings.HasPrefix(r.Location(), "/sign-in")
}

// judged reports whether an answer finds fault with what was sent.
func judged(r apptest.Reply) bool {
	return r.Status == 400 || r.Status == 412 || r.Status == 415 || r.Status == 422 || r.Status == 428
}

// judgedFirst are operations that find fault with what was sent before they ask who
// sent it. Nothing is done then either.
var judgedFirst = map[string]string{
	"import.upload.api":     "the bytes are decoded",
	"participation.set.api": "a version that is none",
	"affiliation.edit.api":  "what is asked for hangs on what is sent",
}

// hidden are operations on what is for nobody to see who is not known: a visitor is
// answered as if it were not there.
var hidden = map[string]string{
	"document.discard": "a draft", "document.discard.form": "a draft", "document.discard.api": "a draft",
	"share.revoke": "a share", "share.revoke.form": "a share", "share.revoke.api": "a share",
	"organization.accept": "not a member yet", "organization.accept.api": "not a member yet", "organization.decline": "not a member yet", "organization.decline.api": "not a member yet",
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

var formsAndLinks = regexp.MustCompile(`<(form|a|button)\b([^>]*)>`)
var attributes = regexp.MustCompile(`(method|action|formaction|href)="([^"]*)"`)

// offers calls f with what the forms and links of a page lead to.
func offers(page string, f func(method, path string)) {
	for _, m := range formsAndLinks.FindAllStringSubmatch(page, -1) {
		method, to := "GET", ""
		for _, a := range attributes.FindAllStringSubmatch(m[2], -1) {
			switch {
			case a[1] == "method":
				method = strings.ToUpper(a[2])
			case m[1] != "button" || a[1] == "formaction":
				to = html.UnescapeString(a[2])
			}
		}
		if m[1] == "button" {
			method = "POST"
		}
		if to, _, _ = strings.Cut(to, "?"); strings.HasPrefix(to, "/") {
			to, _, _ = strings.Cut(to, "#")
			f(method, to)
		}
	}
}

// leads is the route of an address.
func leads(routes []web.Route, method, path string) (found web.Route, ok bool) {
	got := strings.Split(path, "/")
	for _, r := range routes {
		want := strings.Split(r.Path, "/")
		if r.Method != method || r.Object == "" || len(want) != len(got) {
			continue
		}
		fits, named := true, 0
		for i := range want {
			fits = fits && (strings.HasPrefix(want[i], ":") || want[i] == got[i])
			if want[i] == got[i] {
				named++
			}
		}
		if fits && (!ok || named > strings.Count(found.Path, "/")+1-strings.Count(found.Path, "/:")) {
			found, ok = r, true
		}
	}
	return found, ok && found.Operation != "document.bulk.preview" // the form of a table, whose buttons lead elsewhere
}

// body is what the API is sent on a route: with what is there, so that no fault is found with it before.
func (w *world) body(d spec, r web.Route) any {
	o, ok := d.operation(r.Method, r.Path)
	if !ok || o.RequestBody == nil {
		return nil
	}
	body := d.sample(o.RequestBody.Content["application/json"].Schema, 0)
	if fields, ok := body.(map[string]any); ok {
		for name, value := range map[string]string{"organization": "o1", "replaced_by": "GRID-STORAGE-N0002", "seat": w.ids["own seat"]} {
			if fields[name] != nil {
				fields[name] = value
			}
		}
	}
	return body
}

// ask asks a route: the API by token, or by the session where that is "".
func (w *world) ask(c *apptest.Client, token string, r web.Route, path string, body any) apptest.Reply {
	switch api, ok := strings.CutPrefix(path+asked[r.Path], "/api/v1"); {
	case ok && token != "":
		bearer := w.Visitor()
		bearer.Token = token
		return bearer.API(r.Method, api, body, "If-Match", `"v1"`)
	case ok:
		session := *c
		session.Token = ""
		return session.API(r.Method, api, body, "If-Match", `"v1"`, "Sec-Fetch-Site", "same-origin")
	case r.Method == "GET":
		return c.Get(path + asked[r.Path])
	default:
		return c.Post(path, "version", "1", "reason", "Because", "replaced_by", "GRID-STORAGE-N0002", "license", "CC-BY-4.0", "organization", "o1", "level", "O")
	}
}

// TestMatrix asks every route as everybody: every role in the commission, in others
// of it and beside it, in organizations, in the portal, by session and by token. Who
// may not according to the tables is refused; no page is refused to who may, and
// none offers what its reader may not: a quarter of these are asked, and all by `make
// prove`.
func TestMatrix(t *testing.T) {
	t.Parallel()
	w, d, tables := newWorld(t, 3), described(t), documented(t)
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
	allowed := func(a actor, r web.Route, path string) bool {
		question := r.Object + " " + r.Action
		if a.name == "observer" && question == "document submit" { // a rule of the commission: newWorld
			return false
		}
		return slices.ContainsFunc(a.roles(r, path), func(role string) bool { return slices.Contains(tables[r.Kind][role], question) })
	}
	asks, denials, before, all, whole := 0, 0, entries(), os.Getenv("PROVE") != "", 0
	routes := w.Web.Routes()
	for n, r := range routes {
		if r.Object == "" || r.Live || r.Method == "OPTIONS" {
			continue
		}
		whole++
		t.Run(r.Operation, func(t *testing.T) {
			whole--
			path, question := w.path(t, r), r.Object+" "+r.Action
			body := w.body(d, r)
			for i, a := range actors {
				may := allowed(a, r, path)
				if may && (r.Method != "GET" || !all && (n+i)%4 != 0) {
					continue // it would be done; of pages, a part is enough each time
				}
				token := ""
				if (n+i)%2 == 0 {
					token = a.c.Token
				}
				got := w.ask(a.c, token, r, path, body)
				asks++
				switch no := refused(got); {
				case strings.HasPrefix(path, "/dev/"), path == "/sign-out": // open to everybody: the one on the developer's machine alone, the other does nothing for a visitor
				case !may && judged(got) && judgedFirst[r.Operation] != "":
				case !may && no && a.name == "visitor" && !asksToSignIn(got) && hidden[r.Operation] == "":
					t.Errorf("%s %s as a visitor, who may not %s: %d %s, not to sign in", r.Method, path, question, got.Status, got.Location())
				case !may && !no:
					t.Errorf("%s %s as %s, who may not %s: %d %.200s", r.Method, path, a.name, question, got.Status, got.Body)
				case may && no && narrower[r.Path] == "":
					t.Errorf("%s %s as %s, who may %s: %d %s", r.Method, path, a.name, question, got.Status, got.Location())
				case no:
					denials++
				case strings.HasPrefix(got.Header.Get("Content-Type"), "text/html"):
					offers(got.Body, func(method, to string) {
						r, ok := leads(routes, method, to)
						elsewhere := r.Kind == access.CommissionKind && strings.HasPrefix(to, "/commissions/") && !strings.HasPrefix(to+"/", "/commissions/grid-storage/")
						if !ok || elsewhere || a.name == "visitor" && method == "GET" || strings.HasPrefix(to, "/dev/") { // the way to sign in; open to everybody here
							return
						}
						if !allowed(a, r, to) {
							t.Errorf("%s offers %s %s to %s, who may not %s %s", path, method, to, a.name, r.Object, r.Action)
						}
					})
				}
			}
		})
	}
	t.Logf("%d asked, %d of them refused", asks, denials)
	if whole == 0 && denials < 4000 { // else some of it was asked for
		t.Errorf("%d of %d were refused: the matrix looked elsewhere", denials, asks)
	}
	if n := entries(); n != before {
		t.Errorf("those who may not made %d changes", n-before)
	}
}
