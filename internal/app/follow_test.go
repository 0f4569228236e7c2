package app_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/web"
)

// TestOldAddresses: every address of a commission that was renamed, and of an
// organization that became part of another, leads to the same below the new one,
// and nothing is done on the way.
func TestOldAddresses(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t, 3), described(t)
	program := w.Visitor()
	program.Token = "old-addresses"
	w.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at, seen_at) VALUES ($1, $2, 'Full', false, now(), now() + interval '50 years')`, web.Hash(program.Token), w.sam.ID)
	forms, paths := w.forms(t), map[web.Route]string{}
	for _, r := range w.Web.Routes() {
		if r.Object != "" {
			paths[r] = w.path(t, r)
		}
	}
	w.sam.API("PATCH", "/commissions/grid-storage", map[string]any{"name": "Storage at Sea"}, "If-Match", `"v1"`).Want(200, `"slug":"storage-at-sea"`)
	w.sam.API("POST", "/organizations/nordwind/merge", map[string]any{"into": "o1"}).Want(200, `"slug":"o1"`)
	w.sam.API("GET", "/commissions/storage-at-sea/participations/nordwind", nil).Want(308) // both may stand in one address
	if to := w.sam.API("GET", "/commissions/grid-storage/participations/nordwind?x=/commissions/grid-storage", nil).Location(); to != "/api/v1/commissions/storage-at-sea/participations/o1?x=/commissions/grid-storage" {
		t.Errorf("both in one address lead to %q", to)
	}
	// Nobody is led elsewhere by an address that only looks like an old one.
	for _, host := range []string{"//evil.example", `/\evil.example`, "/x/..//evil.example", "/%5Cevil.example", "http://evil.example"} {
		u, err := url.Parse(w.URL)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "GET %s/commissions/grid-storage HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host, u.Host)
		answer, _ := io.ReadAll(conn)
		_ = conn.Close()
		_, after, _ := strings.Cut(string(answer), "\r\nLocation: ")
		to, _, _ := strings.Cut(after, "\r\n")
		if at, err := url.Parse(to); err != nil || at.Host != "" && at.Host != u.Host || strings.HasPrefix(to, "//") || strings.Contains(to, `\`) {
			t.Errorf("%s leads to %q", host, to)
		}
	}
	asks, before := 0, apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry`)
	for r, old := range paths {
		now := strings.NewReplacer("/commissions/grid-storage", "/commissions/storage-at-sea", "/organizations/nordwind", "/organizations/o1").Replace(old)
		if now == old {
			continue
		}
		var body any = map[string]any{"seat": w.ids["seats"]}
		if o, ok := d.operation(r.Method, r.Path); ok && o.RequestBody != nil && r.Path != "/api/v1/commissions/:slug/access/roles/:role/holders" {
			body = d.sample(o.RequestBody.Content["application/json"].Schema, 0)
		}
		var got apptest.Reply
		switch rest, api := strings.CutPrefix(old, "/api/v1"); {
		case api && asks%2 == 0:
			got = program.API(r.Method, rest+asked[r.Path], body, "If-Match", `"v1"`)
		case api:
			got = w.sam.API(r.Method, rest+asked[r.Path], body, "If-Match", `"v1"`)
		case r.Method == "GET":
			got = w.sam.Get(old + asked[r.Path])
		default:
			got = w.sam.Send("POST", old, forms[old].Encode(), "Content-Type", "application/x-www-form-urlencoded")
		}
		asks++
		if judged(got) && judgedFirst[r.Operation] != "" {
			continue
		}
		if r.Method == "GET" {
			now += asked[r.Path]
		}
		if got.Status != 308 || got.Location() != now {
			t.Errorf("%s %s: %d to %q, want 308 to %s %.200s", r.Method, old, got.Status, got.Location(), now, got.Body)
		}
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry`) - before; asks < 150 || n != 0 {
		t.Errorf("%d addresses were asked, and %d changes made", asks, n)
	}
}

// TestRightsFollow renames a commission, moves it under another, renames an
// organization and merges it into another, and compares what a dozen people may before
// and after, by every door: what docs/access.md says under "When something is renamed,
// moved or merged".
func TestRightsFollow(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Exec(`INSERT INTO sector (slug, name) VALUES ('power', 'Power')`)
	w.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, purpose, sector_id, roster_visibility)
		SELECT s, upper(s), initcap(s), 'commission', 'active', 'Batteries in public grids.', id, 'commission' FROM sector, unnest(ARRAY['energy', 'rail']) s WHERE sector.slug = 'power'`)
	w.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, purpose, sector_id, roster_visibility, parent_id, parent_kind, join_mode)
		SELECT 'storage', 'STORAGE', 'Storage', 'working_group', 'active', purpose, sector_id, 'commission', id, kind, 'application' FROM commission WHERE slug = 'energy'`)
	w.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state, country) SELECT s, initcap(s), s, 'company', 'member', 'DE' FROM unnest(ARRAY['acme', 'initech', 'globex']) s`)
	w.Exec(`INSERT INTO participation (organization_id, commission_id, level, period) SELECT o.id, c.id, 'P', tstzrange(now() - interval '1 day', NULL) FROM organization o, commission c WHERE o.slug = 'acme' AND c.slug = 'storage'`)
	w.Exec(`INSERT INTO register (commission_id, prefix, last_number) SELECT id, 'STORAGE', 5 FROM commission WHERE slug = 'storage'`)

	people := map[string]*apptest.Client{"visitor": w.Visitor(), "secretariat": w.Secretariat()}
	for _, name := range []string{"chair", "vice chair", "observer", "twice", "again", "suspended", "of acme", "leads acme", "leads initech", "of globex", "leads the parent", "of rail", "outsider"} {
		c := w.Person("Person " + name)
		c.Token = strings.ReplaceAll(name, " ", "-")
		w.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at, seen_at) VALUES ($1, $2, 'Full', false, now(), now() + interval '50 years')`, web.Hash(c.Token), c.ID)
		people[name] = c
	}
	seat := func(name, commission, role, organization string, suspended bool) uuid.UUID {
		return apptest.Value[uuid.UUID](w, `INSERT INTO seat (period, commission_id, person_id, sort_name, role, organization_id, appointed_by, suspended)
			SELECT tstzrange(now() - interval '1 day', NULL), c.id, $1, $2, $3, (SELECT id FROM organization WHERE slug = $5), 'chair', $6 FROM commission c WHERE c.slug = $4 RETURNING id`,
			people[name].ID, people[name].Name, role, commission, organization, suspended)
	}
	acts := func(name, organization string, leads bool) {
		w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period) SELECT $1, id, 'confirmed', $3, tstzrange(now() - interval '1 day', NULL) FROM organization WHERE slug = $2`, people[name].ID, organization, leads)
	}
	seat("chair", "storage", "chair", "", false)
	seat("vice chair", "storage", "vice_chair", "", false)
	mona := seat("observer", "storage", "observer", "acme", false)
	double := seat("twice", "storage", "observer", "acme", false)
	seat("twice", "storage", "observer", "initech", true)
	again := seat("again", "storage", "observer", "acme", false)
	seat("again", "storage", "observer", "initech", false)
	seat("suspended", "storage", "observer", "", true)
	seat("leads the parent", "energy", "chair", "", false)
	seat("of rail", "rail", "observer", "", false)
	for name, organization := range map[string]string{"observer": "acme", "of acme": "acme", "twice": "acme", "again": "acme", "of globex": "globex"} {
		acts(name, organization, false)
	}
	acts("twice", "initech", false)
	acts("again", "initech", false)
	acts("leads acme", "acme", true)
	acts("leads initech", "initech", true)
	// Rules: of the commission, with a role of its own, and another of the parent's.
	w.Exec(`INSERT INTO access_rules (commission_id) SELECT id FROM commission WHERE slug IN ('energy', 'storage')`)
	w.Exec(`INSERT INTO commission_role (commission_id, slot, name, created_at) SELECT id, 'own_1', 'Rapporteur', now() FROM commission WHERE slug = 'storage'`)
	w.Exec(`INSERT INTO access_rule (commission_id, role, object, action, effect) SELECT id, r.role, r.object, r.action, r.effect FROM commission c JOIN (VALUES
		('storage', 'member', 'document', 'submit', 'deny'), ('storage', 'vice_chair', 'document', 'submit', 'allow'), ('storage', 'observer', 'document', 'read:officers', 'allow'),
		('storage', 'own_1', 'application', 'read', 'allow'), ('energy', 'member', 'document', 'read:named', 'allow')) r (slug, role, object, action, effect) USING (slug)`)
	w.Exec(`INSERT INTO commission_role_holder (commission_id, slot, seat_id, person_id, since) SELECT commission_id, 'own_1', id, person_id, now() FROM seat WHERE id IN ($1, $2, $3)`, mona, double, again)
	// N1 to N3 are organizations', N4 and N5 the commission's own.
	for i, d := range []struct{ visibility, of string }{{"named", "acme"}, {"officers", "acme"}, {"organization", "initech"}, {"officers", ""}, {"commission", "acme"}} {
		w.Exec(`INSERT INTO document (commission_id, number, title, type, organization_id, author_id, status, status_since, visibility, created_at, updated_at)
			SELECT id, $1, $2, 'report', (SELECT id FROM organization WHERE slug = $3), NULL, 'available', now(), $4, now(), now() FROM commission WHERE slug = 'storage'`,
			i+1, fmt.Sprintf("Paper %d of them", i+1), d.of, d.visibility)
	}
	share := func(as, document, with, recipient, level string) apptest.Reply {
		return people[as].API("POST", "/documents/"+document+"/shares", map[string]string{"with": with, "recipient": recipient, "level": level})
	}
	share("leads acme", "STORAGE-N0001", "organization", "globex", "see").Want(201)
	share("leads acme", "STORAGE-N0002", "commission", "rail", "see").Want(201)
	share("leads acme", "STORAGE-N0002", "commission", "energy", "download").Want(201)
	share("leads initech", "STORAGE-N0003", "organization", "acme", "download").Want(201)
	ids := map[string]uuid.UUID{}
	for _, slug := range []string{"acme", "initech", "globex"} {
		ids[slug] = apptest.Value[uuid.UUID](w, `SELECT id FROM organization WHERE slug = $1`, slug)
	}
	for _, slug := range []string{"energy", "rail", "storage"} {
		ids[slug] = apptest.Value[uuid.UUID](w, `SELECT id FROM commission WHERE slug = $1`, slug)
	}

	commission := "/commissions/storage"
	applicants := 0
	// may is all that everybody may: the roles held in each place, and what each door gives.
	may := func() map[string]string {
		for apptest.Value[int](w, `SELECT count(*) FROM document_unindexed`) > 0 {
			if err := w.Documents.IndexRest(t.Context()); err != nil {
				t.Log(err) // it is at work already
			}
		}
		all := map[string]string{}
		for name, c := range people {
			who, err := w.Policy.ByPerson(t.Context(), w.DB, c.ID, w.Now())
			if err != nil {
				t.Fatal(err)
			}
			for place, id := range ids {
				scope := access.Commission(id)
				if place == "acme" || place == "initech" || place == "globex" {
					scope = access.Organization(id)
				}
				all[name+" in "+place] = strings.TrimPrefix(strings.TrimPrefix(who.Roles(scope).String(), "visitor"), " person")
			}
			pages := []string{}
			for _, page := range []string{commission + "/documents/new", commission + "/settings", commission + "/applications", commission + "/invitations", commission + "/access", commission + "/history",
				"/commissions/energy/history", "/commissions/rail/history", "/organizations/initech/edit", "/organizations/initech/people", "/organizations/initech/shares", "/organizations/initech/shares/given", "/organizations/globex/shares"} {
				if c.Get(page).Status == 200 {
					pages = append(pages, strings.NewReplacer(commission, "", "/organizations/", "", "/commissions/", "").Replace(page))
				}
			}
			all[name+" opens"] = strings.Join(pages, " ")
			list, api, csv := c.Get(commission+"/documents").Want(200).Body, c.API("GET", commission+"/documents", nil).Want(200).Body, c.Get(commission+"/documents.csv").Want(200).Body
			search, feed := c.API("GET", "/search?q=paper&kind=document", nil).Want(200).Body, c.Get(commission+"/documents.atom").Want(200).Body
			papers := []string{}
			for n := 1; n <= 5; n++ {
				title, path := fmt.Sprintf("Paper %d of them", n), fmt.Sprintf("/documents/STORAGE-N%04d", n)
				reads := c.Get(path).Status == 200
				for where, got := range map[string]bool{"list": strings.Contains(list, title), "list of the API": strings.Contains(api, title), "export": strings.Contains(csv, title), "search": strings.Contains(search, title),
					"API": c.API("GET", path, nil).Status == 200} {
					if got != reads {
						t.Errorf("%s: the page of N%d is given: %v, the %s: %v", name, n, reads, where, got)
					}
				}
				if strings.Contains(feed, title) {
					t.Errorf("%s: N%d is in the feed", name, n)
				}
				switch {
				case c.Get(path+"/shares").Status == 200:
					papers = append(papers, strconv.Itoa(n)+"s") // and whom it is shared with
				case reads:
					papers = append(papers, strconv.Itoa(n))
				}
			}
			all[name+" reads"] = strings.Join(papers, " ")
		}
		// Who hears of an application, and of a share.
		applicants++
		w.Exec(`DELETE FROM mail`)
		w.Person(fmt.Sprint("Applicant ", applicants)).API("POST", commission+"/applications", map[string]any{"role": "invited_expert", "statement": "Ten years of batteries."}).Want(201)
		all["letters"] = apptest.Value[string](w, `SELECT coalesce(string_agg(split_part(to_address, '@', 1), ' ' ORDER BY to_address), '') FROM mail WHERE kind = 'application.received'`)
		return all
	}
	streams := map[string]*apptest.Events{}
	for name, paper := range map[string]int{"observer": 2, "of globex": 1, "of rail": 2, "leads the parent": 2, "leads acme": 1, "leads initech": 3, "of acme": 2} {
		streams[name] = people[name].Events(fmt.Sprintf("/events?document=STORAGE-N%04d", paper))
		streams[name].Want("changed")
	}

	before := may()
	if before["observer reads"] != "2 3 4 5" || before["of globex reads"] != "1" || before["leads the parent reads"] != "2" || before["outsider reads"] != "" || before["suspended reads"] != "" || before["chair reads"] != "1s 2s 3s 4s 5s" || before["letters"] != "person.chair person.vice.chair" {
		t.Fatalf("before anything is done: %q", before)
	}
	for _, step := range []struct {
		name string
		do   func()
		want []string // what is another then
	}{
		{"the commission is renamed", func() {
			version := apptest.Value[string](w, `SELECT version FROM commission WHERE slug = 'storage'`)
			people["chair"].Post("/commissions/storage/settings", "version", version, "name", "Deep Sea", "acronym", "DEEP", "purpose", "Batteries in public grids.", "sector", "power", "join_mode", "application", "roster_visibility", "commission").Want(303)
			commission = "/commissions/deep-sea"
			people["visitor"].Get("/commissions/storage/documents").Want(308)
		}, nil},
		{"it is moved under another", func() {
			people["chair"].API("PATCH", commission, map[string]any{"parent": "rail"}, "If-Match", `"v2"`).Want(403)
			people["secretariat"].API("PATCH", commission, map[string]any{"parent": "rail"}, "If-Match", `"v2"`).Want(200, `"parent":"rail"`)
		}, nil},
		{"the organization is renamed", func() {
			people["leads acme"].API("PATCH", "/organizations/acme", map[string]any{"name": "Acme Works"}, "If-Match", `"v1"`).Want(200, `"slug":"acme-works"`)
		}, nil},
		{"it becomes part of another", func() {
			people["secretariat"].Post("/organizations/acme-works/merge", "into", "initech").Want(303)
			people["leads acme"].Get("/organizations/acme/edit").Want(308)
		}, []string{
			"again in acme: affiliate →",
			"leads acme in acme: affiliate representative →", "leads acme in initech: → affiliate representative",
			"leads acme opens: → initech/edit initech/people initech/shares initech/shares/given", "leads acme reads: 1s 2s 3 5s → 1s 2s 3s 5s",
			"leads initech reads: 3s → 1s 2s 3s 5s",
			"observer in acme: affiliate →", "observer in initech: → affiliate", "observer opens: /applications → /applications initech/people initech/shares",
			"of acme in acme: affiliate →", "of acme in initech: → affiliate", "of acme opens: → initech/people initech/shares",
			"twice in acme: affiliate →",
		}},
	} {
		step.do()
		after, got := may(), []string{}
		for _, what := range slices.Sorted(maps.Keys(before)) {
			if before[what] != after[what] {
				got = append(got, strings.Join(strings.Fields(what+": "+before[what]+" → "+after[what]), " "))
			}
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("%s, and that changes\n%s\nwant\n%s", step.name, strings.Join(got, "\n"), strings.Join(step.want, "\n"))
		}
		before = after
		w.Exec(`SELECT pg_notify('document', id::text) FROM document`)
		for _, s := range streams {
			s.Want("changed")
		}
	}
}
