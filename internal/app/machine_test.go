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
	shares  map[string]uuid.UUID       // "paper recipient" → live share
	streams map[string]*apptest.Events // "paper person" → open stream of its trace
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

	railSeat, affiliation uuid.UUID
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

// called is whether a letter comes that the paper asks its members for something: to
// who has a seat and reads it, and not as the secretariat does.
func (m *model) called(p *somebody, d paper) bool {
	member := *p
	member.staff = false
	return p.seat != uuid.Nil && !p.suspended && m.reads(&member, d)
}

// TestRightsMachine joins, leaves, grants, revokes, suspends, overrides and shares at
// random, through the API as people do, and after each step asks the policy, pages, the
// API, lists, search, feed and export what some of the people may, and who gets letters;
// and holds a stream of every paper open for everybody who may follow it, which ends
// when they may no more. All have to say what the model says. `make prove` takes many
// more steps.
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
	carla, boss, sam, ann := w.Person("Carla Chair"), w.Person("Bea Boss"), w.Secretariat(), w.Person("Ann Applicant")
	w.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, join_mode) SELECT s, upper(s), initcap(s), 'commission', 'active', 'application' FROM unnest(ARRAY['energy', 'rail']) s`)
	w.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state, country) SELECT s, initcap(s), s, 'company', 'member', 'DE' FROM unnest(ARRAY['acme', 'globex']) s`)
	w.Exec(`INSERT INTO register (commission_id, prefix, last_number) SELECT id, 'ENERGY', 7 FROM commission WHERE slug = 'energy'`)
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange(now(), NULL), id, $1, $2, 'chair', 'chair' FROM commission WHERE slug = 'energy'`, carla.ID, carla.Name)
	w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period) SELECT $1, id, 'confirmed', true, tstzrange(now(), NULL) FROM organization WHERE slug = 'acme'`, boss.ID)
	m := &model{table: documented(t)[access.CommissionKind], rules: map[string]string{}, shares: map[string]uuid.UUID{}, streams: map[string]*apptest.Events{}}
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
		do := func(who *apptest.Client, method, path string, body any, header ...string) apptest.Reply {
			got := who.API(method, path, body, header...)
			if got.Status/100 != 2 {
				r.Fatalf("%s: %s %s %v: %d %s", who.Name, method, path, body, got.Status, got.Body)
			}
			return got
		}
		made := func(got apptest.Reply) uuid.UUID { return apptest.JSON[struct{ ID uuid.UUID }](got).ID }
		appoint := func(p *somebody, commission, role string) uuid.UUID {
			return made(do(sam, "POST", "/commissions/"+commission+"/seats", map[string]any{"person": p.ID, "role": role}))
		}
		leave := func(p *somebody, commission string, seat *uuid.UUID) {
			do(p.Client, "POST", "/commissions/"+commission+"/seats/"+seat.String()+"/leave", nil)
			*seat = uuid.Nil
		}
		suspend := func(p *somebody, suspended bool) {
			do(carla, "PATCH", "/commissions/energy/seats/"+p.seat.String(), map[string]any{"suspended": suspended, "reason": "at random"}, "If-Match", fmt.Sprintf(`"v%d"`, p.version))
			p.suspended, p.version = suspended, apptest.Value[int](w, `SELECT version FROM seat WHERE id = $1 AND upper(period) IS NULL`, p.seat)
		}
		act := func(p *somebody, organization string) {
			p.affiliation = made(do(p.Client, "POST", "/organizations/"+organization+"/affiliations", nil))
			do(sam, "PATCH", "/organizations/"+organization+"/affiliations/"+p.affiliation.String(), map[string]any{"state": "confirmed"}, "If-Match", `"v1"`)
			if p.fills {
				do(boss, "PATCH", "/organizations/"+organization+"/affiliations/"+p.affiliation.String(), map[string]any{"representative": true}, "If-Match", `"v2"`)
			}
		}
		endActing := func(p *somebody) {
			organization := map[bool]string{true: "acme", false: "globex"}[p.acts]
			do(p.Client, "DELETE", "/organizations/"+organization+"/affiliations/"+p.affiliation.String(), nil)
			p.acts, p.fills, p.partner = false, false, false
		}
		staff := func(p *somebody, is bool) { // by who runs the portal, and nobody in it
			if p.staff = is; is {
				w.Exec(`INSERT INTO portal_role (person_id, role) VALUES ($1, 'secretariat')`, p.ID)
			} else {
				w.Exec(`DELETE FROM portal_role WHERE person_id = $1`, p.ID)
			}
		}
		rule := func(role, question, effect string) {
			object, action, _ := strings.Cut(question, " ")
			tag := sam.API("GET", "/commissions/energy/access", nil).Header.Get("ETag")
			got := sam.API("PATCH", "/commissions/energy/access", map[string]any{"changes": []map[string]string{{"role": role, "object": object, "action": action, "effect": effect}}}, "If-Match", tag)
			switch {
			case got.Status != 200: // it changes nothing, or nobody may give that
			case effect == "inherit":
				delete(m.rules, role+" "+question)
			default:
				m.rules[role+" "+question] = effect
			}
		}
		revoke := func(key string) {
			do(boss, "DELETE", "/shares/"+m.shares[key].String(), nil)
			delete(m.shares, key)
		}
		// Everything ends before it begins anew.
		for key := range m.rules {
			role, question, _ := strings.Cut(key, " ")
			rule(role, question, "inherit")
		}
		for key := range m.shares {
			revoke(key)
		}
		for _, p := range m.people {
			if p.seat != uuid.Nil {
				leave(p, "energy", &p.seat)
			}
			if p.railSeat != uuid.Nil {
				leave(p, "rail", &p.railSeat)
			}
			if p.acts || p.partner {
				endActing(p)
			}
			if p.staff {
				staff(p, false)
			}
			*p = somebody{Client: p.Client}
		}
		somebodyOf := func() *somebody { return m.people[rapid.IntRange(0, len(m.people)-1).Draw(r, "person")] }
		r.Repeat(map[string]func(*rapid.T){
			"join": func(r *rapid.T) {
				p := somebodyOf()
				if p.seat != uuid.Nil {
					r.Skip("has a seat")
				}
				p.role, p.suspended, p.version = rapid.SampledFrom([]string{"vice_chair", "secretary", "observer", "invited_expert", "emeritus"}).Draw(r, "role"), false, 1
				p.seat = appoint(p, "energy", p.role)
			},
			"leave": func(r *rapid.T) {
				p := somebodyOf()
				if p.seat == uuid.Nil {
					r.Skip("no seat")
				}
				leave(p, "energy", &p.seat)
			},
			"suspend or lift": func(r *rapid.T) {
				p := somebodyOf()
				if p.seat == uuid.Nil {
					r.Skip("no seat")
				}
				suspend(p, !p.suspended)
			},
			"join or leave rail": func(r *rapid.T) {
				p := somebodyOf()
				if p.rail = !p.rail; p.rail {
					p.railSeat = appoint(p, "rail", "observer")
				} else {
					leave(p, "rail", &p.railSeat)
				}
			},
			"act or end": func(r *rapid.T) {
				p := somebodyOf()
				if p.acts || p.partner {
					endActing(p)
				} else if p.partner = rapid.Bool().Draw(r, "for globex"); p.partner {
					act(p, "globex")
				} else {
					p.acts, p.fills = true, rapid.Bool().Draw(r, "as representative")
					act(p, "acme")
				}
			},
			"of the secretariat or not": func(r *rapid.T) {
				p := somebodyOf()
				staff(p, !p.staff)
			},
			"rule": func(r *rapid.T) {
				role := rapid.SampledFrom([]string{"member", "officer", "vice_chair", "secretary", "observer", "invited_expert"}).Draw(r, "role")
				question := rapid.SampledFrom([]string{"document read:commission", "document read:officers", "document read:named", "document read:organization", "document submit", "application read", "application decide"}).Draw(r, "question")
				rule(role, question, rapid.SampledFrom([]string{"allow", "deny", "inherit"}).Draw(r, "effect"))
			},
			"share or revoke": func(r *rapid.T) {
				d := m.papers[rapid.IntRange(0, 5).Draw(r, "paper")]
				with := rapid.SampledFrom([]string{"commission", "organization", "person"}).Draw(r, "with")
				recipient := map[string]string{"commission": "rail", "organization": "globex", "person": somebodyOf().ID.String()}[with]
				key := fmt.Sprint(d.number, " ", recipient)
				if _, ok := m.shares[key]; ok {
					revoke(key)
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
				m.letters(t, r, w, sam, ann)
				m.follow(r, w)
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

// letters lets somebody apply and a paper ask for something, and compares who is told.
func (m *model) letters(t *testing.T, r *rapid.T, w *apptest.Portal, sam, ann *apptest.Client) {
	t.Helper()
	w.Exec(`DELETE FROM mail`)
	application := ann.API("POST", "/commissions/energy/applications", map[string]any{"role": "observer", "statement": "Ten years of it."}).Want(201).Location()
	ann.API("POST", strings.TrimPrefix(application, "/api/v1")+"/withdraw", nil).Want(200)
	for _, p := range m.people {
		if got, want := letters(w, "application.received", p), m.seated(p, "application decide"); (got == 1) != want || got > 1 {
			r.Fatalf("%+v: %d letters about an application, the model says %v; rules %v", *p, got, want, m.rules)
		}
	}
	if m.actions%3 != 0 { // it is a job, and waits for its turn
		return
	}
	d := m.papers[m.actions/3%len(m.papers)]
	path := "/documents/" + d.id.String()
	due := time.Now().AddDate(0, 0, 10+m.actions).UTC().Format(time.DateOnly)
	sam.API("PATCH", path, map[string]any{"action": "comment", "due_on": due}, "If-Match", sam.API("GET", path, nil).Want(200).Header.Get("ETag")).Want(200)
	for told := false; !told; time.Sleep(5 * time.Millisecond) {
		told = apptest.Value[bool](w, `SELECT EXISTS (SELECT FROM document_call WHERE document_id = $1 AND due_on = $2::date)`, d.id, due)
	}
	for _, p := range m.people {
		if got, want := letters(w, "document.due", p), m.called(p, d); (got == 1) != want || got > 1 {
			r.Fatalf("%+v: %d letters that paper %d asks for something, the model says %v; rules %v, shares %v", *p, got, d.number, want, m.rules, m.shares)
		}
	}
}

// letters are how many of a kind somebody has got.
func letters(w *apptest.Portal, kind string, to *somebody) int {
	return apptest.Value[int](w, `SELECT count(*) FROM mail WHERE kind = $1 AND to_address = $2`, kind, to.Email)
}

// follow holds a stream of every paper open for everybody who may read it. One that
// is open ends by itself when its reader no longer may, and no other does.
func (m *model) follow(r *rapid.T, w *apptest.Portal) {
	goOn := []*apptest.Events{}
	for _, p := range m.people {
		for _, d := range m.papers {
			key, path := fmt.Sprint(d.number, " ", p.Name), "/events?document="+d.id.String()
			open, reads := m.streams[key], m.reads(p, d)
			switch {
			case open != nil && !reads:
				open.WantEnd()
				delete(m.streams, key)
			case open != nil:
				goOn = append(goOn, open)
			case reads:
				m.streams[key] = p.Events(path)
				m.streams[key].Want("changed")
			default:
				if got := p.Get(path); got.Status != 404 {
					r.Fatalf("%+v: the stream of paper %d answers %d, and the model says no; rules %v, shares %v", *p, d.number, got.Status, m.rules, m.shares)
				}
			}
		}
	}
	w.Exec(`SELECT pg_notify('document', id::text) FROM document`)
	for _, s := range goOn {
		s.WantOn()
	}
}
