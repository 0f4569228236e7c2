package app_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/commission"
	"commissionportal/internal/web"
)

// place is what a route is asked for: a commission in one of its states, or a
// document of grid-storage in one of its.
type place struct {
	name     string
	ids      map[string]string   // of what stands there, for world.path
	slug     string              // of the commission
	document uuid.UUID           // zero for the commission
	reads    string              // of a document: the action of reading it
	cited    string              // and its number
	held     map[string][]string // by actor: their roles there
}

// stateActors are who asks TestStates, each with a session and two tokens.
var stateActors = []string{"visitor", "person", "secretariat", "convener", "chair", "vice_chair", "secretary", "observer", "beside", "part", "suspended",
	"author", "gone", "colleague", "owner", "recipient", "holder"}

// stateWorld is the world with commissions in all their states, documents in all theirs,
// and who has to do with them.
type stateWorld struct {
	*world
	actors     map[string]*apptest.Client
	tables     map[access.Kind]map[string][]string
	places     []place
	everywhere map[string][]string
}

func newStates(t *testing.T) *stateWorld {
	t.Helper()
	w := &stateWorld{world: newWorld(t, 3), actors: map[string]*apptest.Client{}, tables: documented(t),
		everywhere: map[string][]string{"visitor": {"visitor"}, "secretariat": {"visitor", "person", "secretariat"}}}
	for i, name := range stateActors {
		if name == "visitor" {
			w.actors[name] = w.Visitor()
			continue
		}
		roles := []string{}
		if name == "secretariat" {
			roles = append(roles, name)
		} else {
			w.everywhere[name] = []string{"visitor", "person"}
		}
		c := w.Person("State "+name, roles...)
		w.actors[name], c.Token = c, fmt.Sprintf("state-%d", i)
		w.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at, seen_at) VALUES ($1, $3, 'Full', false, now(), now() + interval '50 years'), ($2, $3, 'Reader', true, now(), now() + interval '50 years')`,
			web.Hash(c.Token), web.Hash(c.Token+"-reads"), c.ID)
	}
	w.commissions(t)
	w.documents(t)
	return w
}

// seated are the roles that a seat gives.
func seated(role string) []string {
	if role == "chair" || role == "vice_chair" || role == "secretary" {
		return []string{"member", "officer", role}
	}
	return []string{"member", role}
}

// commissions makes them: those that have not ended with officers and a member, and
// each with what its pages are about. Who convened it is its convener until it is active.
func (w *stateWorld) commissions(t *testing.T) {
	t.Helper()
	w.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, sector_id, purpose)
		SELECT s || '-one', upper(s) || '-ONE', initcap(s), 'commission', s, sector_id, 'It is over.' FROM commission, unnest(ARRAY['concluded', 'abandoned']) s WHERE slug = 'grid-storage'`)
	w.Exec(`UPDATE commission SET convener_id = $1 WHERE slug LIKE '%-one'`, w.actors["convener"].ID)
	for _, role := range []string{"chair", "vice_chair", "secretary", "observer"} {
		w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by, ended)
			SELECT CASE WHEN state IN ('concluded', 'abandoned') THEN tstzrange(now() - interval '2 days', now() - interval '1 day') ELSE tstzrange(now() - interval '1 day', NULL) END,
			       id, $1, $2, $3, 'chair', CASE WHEN state IN ('concluded', 'abandoned') THEN 'concluded' END FROM commission WHERE slug LIKE '%-one' OR slug = 'grid-storage'`, w.actors[role].ID, w.actors[role].Name, role)
	}
	for role, slug := range map[string]string{"beside": "grid", "part": "c1", "suspended": "grid-storage"} {
		if slug == "grid" {
			w.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, sector_id, purpose) SELECT 'grid', 'GRID', 'Grid', 'commission', 'active', sector_id, 'Another.' FROM commission WHERE slug = 'grid-storage'`)
		}
		w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by, suspended) SELECT tstzrange(now() - interval '1 day', NULL), id, $1, $2, 'chair', 'chair', $4 FROM commission WHERE slug = $3`,
			w.actors[role].ID, w.actors[role].Name, slug, role == "suspended")
	}
	w.Exec(`INSERT INTO charter (commission_id, number, body, summary, author_id, created_at)
		SELECT c.id, i, '# Purpose', 'Revision', $1, now() FROM commission c, generate_series(1, 2) i WHERE slug IN ('dormant-one', 'concluded-one', 'abandoned-one')`, w.sam.ID)
	w.Exec(`INSERT INTO milestone (commission_id, title, due_on) SELECT id, 'Report', '2027-01-01' FROM commission WHERE slug LIKE '%-one'`)
	w.Exec(`INSERT INTO application (commission_id, person_id, role) SELECT c.id, p.id, 'observer' FROM commission c, person p WHERE c.slug LIKE '%-one' AND p.email = 'q1@example.org'`)
	w.Exec(`INSERT INTO invitation (commission_id, email, role, hash, invited_by, expires_at) SELECT id, 'x@example.org', 'observer', sha256(slug::bytea), $1, now() + interval '10 days' FROM commission WHERE slug LIKE '%-one'`, w.sam.ID)
	w.Exec(`INSERT INTO participation (organization_id, commission_id, level, period) SELECT o.id, c.id, 'P', tstzrange(now() - interval '1 day', NULL) FROM organization o, commission c WHERE o.slug = 'o1' AND c.slug LIKE '%-one'`)
	w.Exec(`INSERT INTO participation_request (organization_id, commission_id, level, requested_by) SELECT o.id, c.id, 'O', $1 FROM organization o, commission c WHERE o.slug = 'o1' AND c.slug LIKE '%-one'`, w.sam.ID)
	w.Exec(`INSERT INTO access_rules (commission_id) SELECT id FROM commission WHERE slug LIKE '%-one'`)
	w.Exec(`INSERT INTO commission_role (commission_id, slot, name, created_at) SELECT id, 'own_1', 'Editor', now() FROM commission WHERE slug LIKE '%-one'`)
	w.Exec(`INSERT INTO import (kind, commission_id, person_id, file_name, file_size, header, plan, state)
		SELECT x, id, $1, 'file.csv', 10, ARRAY['name'], '{"source":"file","columns":{"name":"name"}}', 'checked' FROM commission, unnest(ARRAY['seats', 'documents']) x WHERE slug LIKE '%-one'`, w.sam.ID)
	w.Exec(`INSERT INTO import_file (import_id, part, body) SELECT id, 1, 'name' FROM import ON CONFLICT DO NOTHING`)
	for _, state := range []string{"proposed", "forming", "dormant", "concluded", "abandoned"} {
		p := place{name: state, slug: state + "-one", ids: maps.Clone(w.ids), held: map[string][]string{}}
		for segment, query := range map[string]string{
			"milestones": `SELECT id FROM milestone WHERE commission_id = $1`, "applications": `SELECT id FROM application WHERE commission_id = $1`, "invitations": `SELECT id FROM invitation WHERE commission_id = $1`,
			"participation-requests": `SELECT id FROM participation_request WHERE commission_id = $1`, "seats": `SELECT id FROM seat WHERE commission_id = $1 AND role = 'observer'`, "own seat": `SELECT id FROM seat WHERE commission_id = $1 AND role = 'observer'`,
			"import": `SELECT id FROM import WHERE commission_id = $1 AND kind = 'seats'`, "register import": `SELECT id FROM import WHERE commission_id = $1 AND kind = 'documents'`,
		} {
			p.ids[segment] = apptest.Value[string](w.Portal, strings.Replace(query, "$1", "(SELECT id FROM commission WHERE slug = $1)", 1), p.slug)
		}
		for _, role := range []string{"chair", "vice_chair", "secretary", "observer"} {
			if state != "concluded" && state != "abandoned" {
				p.held[role] = seated(role)
			}
		}
		if state == "proposed" || state == "forming" {
			p.held["convener"] = []string{"convener"}
		}
		w.places = append(w.places, p)
	}
}

// documents makes them: nordwind's with each visibility, and in each state; and of
// grid-storage itself. One is known by shares to recipient and holder.
func (w *stateWorld) documents(t *testing.T) {
	t.Helper()
	for name, representative := range map[string]bool{"author": false, "gone": false, "colleague": false, "owner": true} {
		w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period) SELECT $1, id, 'confirmed', $2, tstzrange(now() - interval '2 days', CASE WHEN $3 THEN now() - interval '1 day' END) FROM organization WHERE slug = 'nordwind'`,
			w.actors[name].ID, representative, name == "gone")
	}
	held := map[string][]string{}
	for _, role := range []string{"chair", "vice_chair", "secretary", "observer"} {
		held[role] = seated(role)
	}
	w.places = append(w.places, place{name: "active", slug: "grid-storage", ids: w.ids, held: held})
	for i, d := range []struct{ name, visibility, status, review, author string }{
		{"public", "public", "available", "", "author"}, {"portal", "portal", "available", "", "author"}, {"commission", "commission", "available", "", "author"},
		{"officers", "officers", "available", "", "author"}, {"organization", "organization", "available", "", "author"}, {"named", "named", "available", "", "author"},
		{"of one who is gone", "named", "available", "", "gone"}, {"own", "named", "available", "", "author"},
		{"withdrawn", "commission", "withdrawn", "", "author"}, {"superseded", "commission", "superseded", "", "author"}, {"reserved", "commission", "draft", "", "author"},
		{"draft", "commission", "draft", "", "author"}, {"submitted", "public", "draft", "submitted", "author"}, {"returned", "portal", "draft", "returned", "author"},
	} {
		numbered := d.status != "draft" || d.name == "reserved"
		p := place{name: d.name, slug: "grid-storage", reads: "read:" + d.visibility, document: uuid.Must(uuid.NewV7()), cited: fmt.Sprintf("GRID-STORAGE-N%04d", 100+i), held: maps.Clone(held), ids: maps.Clone(w.ids)}
		w.Exec(`INSERT INTO document (id, commission_id, number, title, type, organization_id, author_id, status, status_since, status_reason, before_withdrawal, review, review_reason, visibility, versions, languages, created_at, updated_at)
			SELECT $1, c.id, CASE WHEN $2 THEN $3::int END, 'Paper', 'report', CASE WHEN $4 = 'own' THEN NULL ELSE o.id END, $5, $6, now(), 'Why', CASE WHEN $6 = 'withdrawn' THEN 'available' END, NULLIF($7, ''), 'Why', $8, 1, '{en}', now(), now()
			FROM commission c, organization o WHERE c.slug = 'grid-storage' AND o.slug = 'nordwind'`, p.document, numbered, 100+i, d.name, w.actors[d.author].ID, d.status, d.review, d.visibility)
		w.Exec(`INSERT INTO document_version (document_id, number, language, digest, size, file_name, person_id, created_at)
			SELECT $1, 1, 'en', digest, size, file_name, person_id, created_at FROM document_version LIMIT 1`, p.document)
		for name, level := range map[string]string{"recipient": "see", "holder": "download"} {
			p.ids["shares"] = uuid.Must(uuid.NewV7()).String()
			w.Exec(`INSERT INTO share (id, document_id, organization_id, to_person, level, created_by, created_at) SELECT $1, id, organization_id, $3, $4, $5, now() FROM document WHERE id = $2`, p.ids["shares"], p.document, w.actors[name].ID, level, w.sam.ID)
		}
		for _, name := range []string{"documents", "draft"} {
			p.ids[name] = p.document.String()
		}
		p.held["recipient"], p.held["holder"] = []string{"recipient"}, []string{"recipient", "holder"}
		if d.name == "own" {
			p.held["author"] = []string{"author"}
			for _, role := range []string{"chair", "vice_chair", "secretary"} {
				p.held[role] = append(seated(role), "owner", "colleague")
			}
		} else {
			p.held["colleague"], p.held["owner"], p.held["author"] = []string{"colleague"}, []string{"colleague", "owner"}, []string{"colleague"}
			if d.author == "author" {
				p.held["author"] = []string{"colleague", "author"}
			}
		}
		switch {
		case numbered:
		case d.review == "":
			p.reads = "read:draft"
		default:
			p.reads = "read:submitted"
		}
		w.places = append(w.places, p)
	}
}

// may is what docs/access.md says.
func (w *stateWorld) may(who string, p place, kind access.Kind, question string) bool {
	roles := slices.Concat(w.everywhere[who], p.held[who])
	if who == "observer" && p.slug == "grid-storage" && question == "document submit" { // a rule of the commission: newWorld
		return false
	}
	if p.name == "with rules" && question == "access read" {
		roles = slices.DeleteFunc(roles, func(role string) bool { return role == "officer" })
	}
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(w.tables[kind][role], question) })
}

// The answers that docs/access.md leads to.
const (
	granted = "an answer"
	signsIn = "to sign in"
	no      = "a refusal"
	none    = "what is answered for what is not there, after as many statements"
	either  = "no matter which" // it would be done; or is refused for what else is the case
)

var (
	intoFiles    = regexp.MustCompile(`/versions/:version/|/compare$`)
	ofCommission = regexp.MustCompile(`/commissions/[^/]+`)
	key          = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
)

// wants is how a route has to be answered, asked with a token that may only read or not.
func (w *stateWorld) wants(who string, p place, r web.Route, reader bool) string {
	question, writes := r.Object+" "+r.Action, r.Method != "GET"
	if p.reads != "" {
		if !w.may(who, p, r.Kind, "document "+p.reads) {
			return none
		}
		if strings.HasPrefix(r.Action, "read:") {
			question = r.Object + " " + p.reads
		}
	}
	may, act := w.may(who, p, r.Kind, question), commission.Act{}
	if writes {
		act, _ = commission.ActNamed(r.Action)
	}
	switch {
	case act.Name != "" && !slices.Contains(act.From, p.name), r.Operation == "commission.transition.api": // everybody is told in which state it is
		return either
	case may && p.name == "withdrawn" && intoFiles.MatchString(r.Path): // its files are for whoever can bring it back
		if may = w.may(who, p, r.Kind, "document withdraw"); reader {
			return no
		}
	}
	switch {
	case may && reader && writes:
		return no
	case may && (writes || reader && !strings.HasPrefix(r.Action, "read")), // a list for whoever may change it
		may && r.Operation == "access.revert.form": // nothing was changed there
		return either
	case may:
		return granted
	case who == "visitor" && hidden[r.Operation] == "":
		return signsIn
	}
	return no
}

// wrong asks a route and returns what is wrong with the answer, "" for nothing.
func (w *stateWorld) wrong(who, token string, r web.Route, p place, path string, body any, want string) (wrong string) {
	ask := func(path, id string) (got apptest.Reply, all string) {
		statements := w.Queries(func() { got = w.ask(w.actors[who], token, r, path, body) })
		if strings.Contains(r.Path, "/shares/:id") { // which nobody can guess
			statements = 0
		}
		return got, fmt.Sprintln(statements, bare(got, id))
	}
	id, nobody := cmp.Or(key.FindString(path), p.slug), uuid.Must(uuid.NewV7()).String()
	got, all := ask(path, id)
	switch {
	case want != granted && judged(got) && judgedFirst[r.Operation] != "":
	case want == granted && refused(got) && narrower[r.Path] == "", want == signsIn && !asksToSignIn(got), want == no && !refused(got), want == none && got.Status != 404:
		return all
	case want == granted:
		offers(got.Body, func(method, to string) {
			if r, at, ok := w.leads(p, method, to); ok && !(who == "visitor" && method == "GET") && slices.Contains([]string{no, none, signsIn}, w.wants(who, at, r, false)) {
				wrong += fmt.Sprintf("an offer to %s %s, which they may not; ", method, to)
			}
		})
	case got.Status == 404 && id != p.slug:
		if _, none := ask(strings.ReplaceAll(path, id, nobody), nobody); all != none {
			return all + "and for what is not there " + none
		}
	}
	return wrong
}

// leads is the route of an address that the page of a place has, and of which place it
// is: of that one, of the commission that it is in, or the portal.
func (w *stateWorld) leads(p place, method, to string) (web.Route, place, bool) {
	r, ok := leads(w.Web.Routes(), method, to)
	switch {
	case r.Kind == access.PortalKind:
		p = place{}
	case p.reads != "" && (strings.HasPrefix(to+"/", "/documents/"+p.ids["documents"]+"/") || strings.HasPrefix(to+"/", "/documents/"+p.cited+"/")):
	case r.Kind != access.CommissionKind || !strings.HasPrefix(to+"/", "/commissions/"+p.slug+"/"):
		ok = false // it is about something else
	case p.reads != "":
		p = w.places[slices.IndexFunc(w.places, func(c place) bool { return c.name == "active" })]
	}
	return r, p, ok && !strings.HasPrefix(to, "/dev/")
}

// TestStates asks for commissions in each of their states and documents in each of
// theirs, as everybody who has to do with them, by session, token and a token that may
// only read; a part of it, and all by make prove. What may not be read is answered, to
// the byte and after as many statements, as what is not there.
func TestStates(t *testing.T) {
	t.Parallel()
	w, d := newStates(t), described(t)
	all, asks, denials := os.Getenv("PROVE") != "", 0, 0
	entries := func() int {
		return apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE person_id IS NOT NULL`)
	}
	before := entries()
	for n, r := range w.Web.Routes() {
		first := strings.Split(strings.TrimPrefix(r.Path, "/api/v1")+"/", "/")[1]
		ofDocument := first == "documents" || first == "shares" && r.Object == "share"
		if r.Kind != access.CommissionKind || r.Object == "" || r.Live || r.Method == "OPTIONS" || !ofDocument && first != "commissions" {
			continue
		}
		t.Run(r.Operation, func(t *testing.T) {
			for i, p := range w.places {
				if ofDocument != (p.reads != "") || p.name == "active" { // TestMatrix asks there
					continue
				}
				there := world{w.Portal, w.sam, p.ids}
				path, body := there.path(t, r), there.body(d, r)
				if !ofDocument {
					path = ofCommission.ReplaceAllString(path, "/commissions/"+p.slug)
				}
				for j, name := range stateActors {
					for k, token := range []string{"", w.actors[name].Token, w.actors[name].Token + "-reads"} {
						bearer := strings.HasPrefix(r.Path, "/api/") && name != "visitor"
						if k > 0 && !bearer || !all && (n+3*i+j+5*k)%36 != 0 {
							continue
						}
						want := w.wants(name, p, r, k == 2)
						if want == either {
							continue
						}
						asks++
						if want != granted {
							denials++
						}
						if got := w.wrong(name, token, r, p, path, body, want); got != "" {
							t.Errorf("%s %s, %s, as %s with token %q: want %s, got %.3000s", r.Method, path, p.name, name, token, want, got)
						}
					}
				}
			}
		})
	}
	t.Logf("%d asked, %d of them refused", asks, denials)
	if n := entries(); n != before {
		t.Errorf("those who may not made %d changes", n-before)
	}
}

// TestDecisions asks the policy every question of docs/access.md about everybody in
// every one of these places: no row is without what it gives, and to nobody else.
func TestDecisions(t *testing.T) {
	t.Parallel()
	w, decisions := newStates(t), 0
	// Where the rules take from members what members have, and from officers that they
	// see the rules, each keeps what is said of their own role.
	ruled := place{name: "with rules", slug: "grid", held: map[string][]string{}}
	w.Exec(`INSERT INTO access_rules (commission_id) SELECT id FROM commission WHERE slug = 'grid'`)
	for _, q := range append(slices.Clone(w.tables[access.CommissionKind]["member"]), "access read") {
		object, action, _ := strings.Cut(q, " ")
		w.Exec(`INSERT INTO access_rule (commission_id, role, object, action, effect) SELECT id, CASE WHEN $1 = 'access' THEN 'officer' ELSE 'member' END, $1, $2, 'deny' FROM commission WHERE slug = 'grid'`, object, action)
	}
	for _, role := range []string{"vice_chair", "secretary", "observer"} {
		w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange(now() - interval '1 day', NULL), id, $1, $2, $3, 'chair' FROM commission WHERE slug = 'grid'`, w.actors[role].ID, w.actors[role].Name, role)
		ruled.held[role] = seated(role)[1:]
	}
	ruled.held["beside"] = seated("chair")[1:]
	w.places = append(w.places, ruled)
	nordwind := place{name: "nordwind", held: map[string][]string{"author": {"affiliate"}, "colleague": {"affiliate"}, "owner": {"affiliate", "representative"}}}
	for _, name := range stateActors {
		who, err := w.Policy.ByPerson(t.Context(), w.DB, w.actors[name].ID, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		agree := func(scope access.Scope, p place) {
			for question := range questions(w.tables[scope.Kind]) {
				object, action, _ := strings.Cut(question, " ")
				decisions++
				if got, want := w.Policy.May(who, scope, object, action), w.may(name, p, scope.Kind, question); got != want {
					t.Errorf("%s, %s: %s is %v, docs/access.md says %v", name, p.name, question, got, want)
				}
			}
		}
		agree(access.Portal, place{name: "the portal"})
		agree(access.Organization(apptest.Value[uuid.UUID](w.Portal, `SELECT id FROM organization WHERE slug = 'nordwind'`)), nordwind)
		for _, p := range w.places {
			scope := access.Commission(apptest.Value[uuid.UUID](w.Portal, `SELECT id FROM commission WHERE slug = $1`, p.slug))
			if p.reads != "" {
				if scope, err = w.Documents.ScopeFor(t.Context(), who, p.document); err != nil {
					t.Fatal(err)
				}
			}
			agree(scope, p)
		}
	}
	t.Logf("%d decisions", decisions)
}

// questions are what a table speaks of.
func questions(table map[string][]string) map[string]bool {
	all := map[string]bool{}
	for _, list := range table {
		for _, q := range list {
			all[q] = true
		}
	}
	return all
}
