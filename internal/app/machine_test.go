package app_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"commissionportal/internal/access"
	"commissionportal/internal/app/apptest"
)

// model is what the portal should think of a small world: the seats, affiliations,
// shares and rules in it, and who may do what by docs/access.md.
type model struct {
	table   map[string][]string // of docs/access.md, by role
	people  []*somebody
	rules   map[string]string // "role object action" → allow, deny
	papers  []paper
	shares  map[string]uuid.UUID // "paper recipient" → live share
	actions int
}

type somebody struct {
	*apptest.Client
	seat      uuid.UUID // zero for none
	role      string
	suspended bool
	version   int
	rail      bool // a seat in the other commission
	acts      bool // for acme, whose papers these are
	fills     bool // as its primary representative
	partner   bool // acts for globex
	staff     bool
}

type paper struct {
	number     int
	title      string
	visibility string
	own        bool // the commission's, and no organization's
	id         uuid.UUID
}

// seated is whether what the person's seat gives contains a right, by the steps that
// "The rules of a commission" describes.
func (m *model) seated(p *somebody, question string) bool {
	if p.seat == uuid.Nil || p.suspended {
		return false
	}
	steps := []string{p.role, "member"}
	if p.role == "vice_chair" || p.role == "secretary" {
		steps = []string{p.role, "officer", "member"}
	}
	for _, step := range steps {
		if effect, ok := m.rules[step+" "+question]; ok {
			return effect == "allow"
		}
		if slices.Contains(m.table[step], question) {
			return true
		}
	}
	return false
}

// may is whether the person may, in the commission and, if one is named, with a paper.
func (m *model) may(p *somebody, question string, d *paper) bool {
	roles := []string{"visitor", "person"}
	if p.staff {
		roles = append(roles, "secretariat")
	}
	if d != nil && !d.own {
		if p.acts {
			roles = append(roles, "colleague")
		}
		if p.acts && p.fills {
			roles = append(roles, "owner")
		}
		if m.shared(p, *d) {
			roles = append(roles, "recipient")
		}
	}
	return m.seated(p, question) || slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(m.table[r], question) })
}

func (m *model) shared(p *somebody, d paper) bool {
	with := []string{p.ID.String()}
	if p.rail {
		with = append(with, "rail")
	}
	if p.seat != uuid.Nil && !p.suspended {
		with = append(with, "energy")
	}
	if p.partner {
		with = append(with, "globex")
	}
	if p.acts {
		with = append(with, "acme")
	}
	return slices.ContainsFunc(with, func(r string) bool { _, ok := m.shares[fmt.Sprint(d.number, " ", r)]; return ok })
}

func (m *model) reads(p *somebody, d paper) bool {
	return m.may(p, "document read:"+d.visibility, &d)
}

// TestRightsMachine joins, leaves, grants, revokes, suspends, overrides and shares at
// random, and after each step asks the policy, pages, the API, lists, search, feed and
// export what some of the people may; all have to say what the model says. `make prove`
// takes many more steps.
func TestRightsMachine(t *testing.T) {
	t.Parallel()
	checks, steps := "2", "6"
	if os.Getenv("PROVE") != "" {
		checks, steps = "20", "40"
	} else if err := flag.Set("rapid.seed", "1"); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.steps": steps, "rapid.nofailfile": "true", "rapid.shrinktime": "20s"} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	w := apptest.New(t)
	carla, boss, sam := w.Person("Carla Chair"), w.Person("Bea Boss"), w.Secretariat()
	w.Exec(`INSERT INTO commission (slug, acronym, name, kind, state) SELECT s, upper(s), initcap(s), 'commission', 'active' FROM unnest(ARRAY['energy', 'rail']) s`)
	w.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state, country) SELECT s, initcap(s), s, 'company', 'member', 'DE' FROM unnest(ARRAY['acme', 'globex']) s`)
	w.Exec(`INSERT INTO register (commission_id, prefix, last_number) SELECT id, 'ENERGY', 7 FROM commission WHERE slug = 'energy'`)
	seat := func(c *apptest.Client, commission, role string) uuid.UUID {
		return apptest.Value[uuid.UUID](w, `INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange(now(), NULL), id, $1, $2, $3, 'chair' FROM commission WHERE slug = $4 RETURNING id`, c.ID, c.Name, role, commission)
	}
	acts := func(c *apptest.Client, organization string, fills bool) {
		w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period) SELECT $1, id, 'confirmed', $3, tstzrange(now(), NULL) FROM organization WHERE slug = $2`, c.ID, organization, fills)
	}
	seat(carla, "energy", "chair")
	acts(boss, "acme", true)
	m := &model{table: documented(t)[access.CommissionKind]}
	for i, v := range []string{"public", "portal", "commission", "officers", "organization", "named", "officers"} {
		d := paper{number: i + 1, title: fmt.Sprintf("Paper %d of them", i+1), visibility: v, own: i == 6}
		d.id = apptest.Value[uuid.UUID](w, `INSERT INTO document (commission_id, number, title, type, organization_id, author_id, status, status_since, visibility, created_at, updated_at)
			SELECT c.id, $1, $2, 'report', CASE WHEN $3 THEN NULL ELSE o.id END, NULL, 'available', now(), $4, now(), now() FROM commission c, organization o WHERE c.slug = 'energy' AND o.slug = 'acme' RETURNING id`,
			d.number, d.title, d.own, v)
		m.papers = append(m.papers, d)
	}
	for i := range 4 {
		m.people = append(m.people, &somebody{Client: w.Person(fmt.Sprintf("Person %d", i))})
	}
	energy := apptest.Value[uuid.UUID](w, `SELECT id FROM commission WHERE slug = 'energy'`)
	acme := apptest.Value[uuid.UUID](w, `SELECT id FROM organization WHERE slug = 'acme'`)

	for apptest.Value[int](w, `SELECT count(*) FROM document_unindexed`) > 0 {
		if err := w.Documents.IndexRest(t.Context()); err != nil {
			t.Log(err) // it is at work already
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		for _, sql := range []string{`DELETE FROM access_rule`, `DELETE FROM share`, `DELETE FROM affiliation WHERE person_id = ANY($1::uuid[])`, `DELETE FROM seat WHERE person_id = ANY($1::uuid[])`, `DELETE FROM portal_role WHERE person_id = ANY($1::uuid[])`} {
			if strings.Contains(sql, "$1") {
				ids := []string{}
				for _, p := range m.people {
					ids = append(ids, p.ID.String())
				}
				w.Exec(sql, "{"+strings.Join(ids, ",")+"}")
			} else {
				w.Exec(sql)
			}
		}
		m.rules, m.shares = map[string]string{}, map[string]uuid.UUID{}
		for _, p := range m.people {
			*p = somebody{Client: p.Client}
		}
		somebodyOf := func() *somebody { return m.people[rapid.IntRange(0, len(m.people)-1).Draw(r, "person")] }
		patch := func(p *somebody, body map[string]any) {
			got := carla.API("PATCH", "/commissions/energy/seats/"+p.seat.String(), body, "If-Match", fmt.Sprintf(`"v%d"`, p.version))
			if got.Status != 200 {
				r.Fatalf("change of a seat %v: %d %s", body, got.Status, got.Body)
			}
			p.version = apptest.Value[int](w, `SELECT version FROM seat WHERE id = $1 AND upper(period) IS NULL`, p.seat)
		}
		r.Repeat(map[string]func(*rapid.T){
			"join": func(r *rapid.T) {
				p := somebodyOf()
				if p.seat != uuid.Nil {
					r.Skip("has a seat")
				}
				p.role, p.suspended, p.version = rapid.SampledFrom([]string{"vice_chair", "secretary", "observer", "invited_expert", "emeritus"}).Draw(r, "role"), false, 1
				p.seat = seat(p.Client, "energy", p.role)
			},
			"leave": func(r *rapid.T) {
				p := somebodyOf()
				if p.seat == uuid.Nil {
					r.Skip("no seat")
				}
				if got := p.API("POST", "/commissions/energy/seats/"+p.seat.String()+"/leave", nil); got.Status/100 != 2 {
					r.Fatalf("leave: %d %s", got.Status, got.Body)
				}
				p.seat = uuid.Nil
			},
			"suspend or lift": func(r *rapid.T) {
				p := somebodyOf()
				if p.seat == uuid.Nil {
					r.Skip("no seat")
				}
				patch(p, map[string]any{"suspended": !p.suspended, "reason": "at random"})
				p.suspended = !p.suspended
			},
			"join or leave rail": func(r *rapid.T) {
				p := somebodyOf()
				if p.rail = !p.rail; p.rail {
					seat(p.Client, "rail", "observer")
				} else {
					w.Exec(`UPDATE seat SET period = tstzrange(lower(period), now()) WHERE person_id = $1 AND commission_id <> $2 AND upper(period) IS NULL`, p.ID, energy)
				}
			},
			"act or end": func(r *rapid.T) {
				p := somebodyOf()
				if p.acts || p.partner {
					p.acts, p.fills, p.partner = false, false, false
					w.Exec(`UPDATE affiliation SET period = tstzrange(lower(period), now()) WHERE person_id = $1 AND upper(period) IS NULL`, p.ID)
				} else if p.partner = rapid.Bool().Draw(r, "for globex"); p.partner {
					acts(p.Client, "globex", false)
				} else {
					p.acts, p.fills = true, rapid.Bool().Draw(r, "as representative")
					acts(p.Client, "acme", p.fills)
				}
			},
			"of the secretariat or not": func(r *rapid.T) {
				p := somebodyOf()
				if p.staff = !p.staff; p.staff {
					w.Exec(`INSERT INTO portal_role (person_id, role) VALUES ($1, 'secretariat')`, p.ID)
				} else {
					w.Exec(`DELETE FROM portal_role WHERE person_id = $1`, p.ID)
				}
			},
			"rule": func(r *rapid.T) {
				role := rapid.SampledFrom([]string{"member", "officer", "vice_chair", "secretary", "observer", "invited_expert"}).Draw(r, "role")
				question := rapid.SampledFrom([]string{"document read:commission", "document read:officers", "document read:named", "document read:organization", "document submit", "application read"}).Draw(r, "question")
				effect := rapid.SampledFrom([]string{"allow", "deny", "inherit"}).Draw(r, "effect")
				object, action, _ := strings.Cut(question, " ")
				tag := carla.API("GET", "/commissions/energy/access", nil).Header.Get("ETag")
				got := sam.API("PATCH", "/commissions/energy/access", map[string]any{"changes": []map[string]string{{"role": role, "object": object, "action": action, "effect": effect}}}, "If-Match", tag)
				switch {
				case got.Status != 200: // it changes nothing, or nobody may give that
				case effect == "inherit":
					delete(m.rules, role+" "+question)
				default:
					m.rules[role+" "+question] = effect
				}
			},
			"share or revoke": func(r *rapid.T) {
				d := m.papers[rapid.IntRange(0, 5).Draw(r, "paper")]
				with := rapid.SampledFrom([]string{"commission", "organization", "person"}).Draw(r, "with")
				recipient := map[string]string{"commission": "rail", "organization": "globex", "person": somebodyOf().ID.String()}[with]
				key := fmt.Sprint(d.number, " ", recipient)
				if id, ok := m.shares[key]; ok {
					if got := boss.API("DELETE", "/shares/"+id.String(), nil); got.Status != 204 {
						r.Fatalf("revoke: %d %s", got.Status, got.Body)
					}
					delete(m.shares, key)
					return
				}
				got := boss.API("POST", "/documents/"+d.id.String()+"/shares", map[string]string{"with": with, "recipient": recipient, "level": rapid.SampledFrom([]string{"see", "download"}).Draw(r, "level")})
				if got.Status == 201 {
					m.shares[key] = apptest.Value[uuid.UUID](w, `SELECT id FROM share WHERE document_id = $1 AND revoked_at IS NULL ORDER BY id DESC LIMIT 1`, d.id)
				}
			},
			"": func(r *rapid.T) {
				m.actions++
				for range 2 {
					m.compare(t, r, w, energy, acme, somebodyOf())
				}
			},
		})
	})
	t.Logf("%d states, all agree", m.actions)
}

// compare asks for one person in every way.
func (m *model) compare(t *testing.T, r *rapid.T, w *apptest.Portal, energy, acme uuid.UUID, p *somebody) {
	t.Helper()
	who, err := w.Policy.ByPerson(t.Context(), w.DB, p.ID, time.Now())
	if err != nil {
		r.Fatal(err)
	}
	differ := func(where, what string, got, want bool) {
		if got != want {
			r.Fatalf("%+v: %s of %s is %v, the model says %v; rules %v, shares %v", *p, where, what, got, want, m.rules, m.shares)
		}
	}
	for _, question := range []string{"document submit", "application read", "document accept", "seat read"} {
		object, action, _ := strings.Cut(question, " ")
		_, err := w.Policy.Require(t.Context(), who, access.Commission(energy), object, action)
		differ("Require", question, err == nil, m.may(p, question, nil))
	}
	differ("the page", "submit", p.Get("/commissions/energy/documents/new").Status == 200, m.may(p, "document submit", nil))
	differ("the API", "applications", p.API("GET", "/commissions/energy/applications", nil).Status == 200, m.may(p, "application read", nil))
	list, api, csv, search, feed := p.Get("/commissions/energy/documents").Want(200).Body, p.API("GET", "/commissions/energy/documents", nil).Want(200).Body, p.Get("/commissions/energy/documents.csv").Want(200).Body,
		p.API("GET", "/search?q=paper&kind=document", nil).Want(200).Body, p.Get("/commissions/energy/documents.atom").Want(200).Body
	for _, d := range m.papers {
		reads := m.reads(p, d)
		source, shared := acme, access.Roles(0)
		if d.own {
			source = uuid.Nil
		}
		if m.shared(p, d) {
			shared = access.Recipient
		}
		_, err := w.Policy.Require(t.Context(), who, access.Document(energy, uuid.Nil, source, shared, "read:"+d.visibility), "document", "read:"+d.visibility)
		differ("Require", d.title, err == nil, reads)
		path := fmt.Sprintf("/documents/ENERGY-N%04d", d.number)
		differ("the API", d.title, p.API("GET", path, nil).Status == 200, reads)
		if d.number%2 == m.actions%2 {
			differ("the page", d.title, p.Get(path).Status == 200, reads)
		}
		for where, body := range map[string]string{"the list": list, "the list of the API": api, "the export": csv, "search": search} {
			differ(where, d.title, strings.Contains(body, d.title), reads)
		}
		differ("the feed", d.title, strings.Contains(feed, d.title), d.visibility == "public")
	}
}
