package rightsweb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/rights"
)

// world is a commission with a chair, a secretary and a few others, and documents.
type world struct {
	*apptest.Portal
	energy                                        uuid.UUID
	chair, secretary, member, observer, staff, ed *apptest.Client
}

func newWorld(t testing.TB, with ...func(*app.Config)) *world {
	t.Helper()
	w := &world{Portal: apptest.New(t, with...), energy: uuid.Must(uuid.NewV7())}
	w.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state) VALUES ($1, 'energy', 'ENERGY', 'Energy', 'commission', 'active')`, w.energy)
	w.chair, w.secretary, w.member, w.observer = w.Person("Carla Chair"), w.Person("Sven Secretary"), w.Person("Max Member"), w.Person("Oda Observer")
	w.staff, w.ed = w.Secretariat(), w.Person("Ed Elsewhere")
	for c, role := range map[*apptest.Client]string{w.chair: "chair", w.secretary: "secretary", w.member: "invited_expert", w.observer: "observer"} {
		w.seat(c, role)
	}
	w.Exec(`INSERT INTO register (commission_id, prefix, last_number) VALUES ($1, 'ENERGY', 3)`, w.energy)
	for i, v := range []string{"commission", "commission", "officers"} {
		w.Exec(`INSERT INTO document (commission_id, number, title, type, status, status_since, visibility, created_at, updated_at)
			VALUES ($1, $2, $3, 'report', 'available', now(), $4, now(), now())`, w.energy, i+1, fmt.Sprintf("Report %d", i+1), v)
	}
	return w
}

func (w *world) seat(c *apptest.Client, role string) {
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) VALUES ('[2020-01-01,)', $1, $2, $3, $4, 'chair')`, w.energy, c.ID, c.Name, role)
}

// change is role, object, action and effect.
type change [4]string

func body(changes ...change) map[string]any {
	list := make([]rights.Change, len(changes))
	for i, c := range changes {
		list[i] = rights.Change{Role: c[0], Object: c[1], Action: c[2], Effect: c[3]}
	}
	return map[string]any{"changes": list}
}

// set changes cells through the API and returns the answer.
func (w *world) set(c *apptest.Client, changes ...change) apptest.Reply {
	tag := c.API("GET", "/commissions/energy/access", nil).Header.Get("ETag")
	if tag == "" {
		tag = `"v0"`
	}
	return c.API("PATCH", "/commissions/energy/access", body(changes...), "If-Match", tag)
}

// TestRules changes cells and sees them hold at once on pages, in lists and in the
// API, for those concerned and for nobody else.
func TestRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const submit = "/commissions/energy/documents/new"
	w.Exec(`INSERT INTO commission_role (commission_id, slot, name, created_at) VALUES ($1, 'own_1', 'Rapporteur', now())`, w.energy)
	w.Exec(`INSERT INTO commission_role_holder (commission_id, slot, seat_id, person_id, since) SELECT commission_id, 'own_1', id, person_id, now() FROM seat WHERE person_id = $1`, w.observer.ID)
	sees := func(c *apptest.Client, n int) bool {
		t.Helper()
		listed := strings.Contains(c.Get("/commissions/energy/documents").Want(200).Body, fmt.Sprintf("Report %d", n))
		found := strings.Contains(c.API("GET", "/search?q=report&kind=document", nil).Want(200).Body, fmt.Sprintf("Report %d", n))
		shown := c.API("GET", fmt.Sprintf("/documents/ENERGY-N%04d", n), nil).Status == 200
		if listed != shown || found && !shown {
			t.Errorf("%s and document %d: listed %v, found %v, shown %v", c.Name, n, listed, found, shown)
		}
		return shown
	}
	for _, tt := range []struct {
		name    string
		changes []change
		holds   map[string]bool // who:what
	}{
		{"as everywhere", nil, map[string]bool{"observer:submit": true, "member:submit": true, "observer:1": true, "observer:3": false, "secretary:3": true}},
		{"observers read no more", []change{{"observer", "document", "read:commission", "deny"}}, map[string]bool{"observer:1": false, "member:1": true, "secretary:1": true, "chair:1": true}},
		{"only officers submit", []change{{"member", "document", "submit", "deny"}}, map[string]bool{"observer:submit": false, "member:submit": false, "chair:submit": false, "staff:submit": true}},
		{"and experts", []change{{"invited_expert", "document", "submit", "allow"}, {"officer", "document", "submit", "allow"}}, map[string]bool{"observer:submit": false, "member:submit": true, "secretary:submit": true}},
		{"experts read what is for officers", []change{{"invited_expert", "document", "read:officers", "allow"}}, map[string]bool{"member:3": true, "observer:3": false}},
		{"a secretary does not", []change{{"secretary", "document", "read:officers", "deny"}}, map[string]bool{"secretary:3": false, "chair:3": true, "secretary:1": true}},
		{"rapporteurs do", []change{{"own_1", "document", "read:officers", "allow"}}, map[string]bool{"observer:3": true, "observer:1": false, "secretary:3": false}},
		{"all taken back", []change{{"own_1", "document", "read:officers", "inherit"}, {"observer", "document", "read:commission", "inherit"}, {"member", "document", "submit", "inherit"}, {"invited_expert", "document", "submit", "inherit"},
			{"officer", "document", "submit", "inherit"}, {"invited_expert", "document", "read:officers", "inherit"}, {"secretary", "document", "read:officers", "inherit"}},
			map[string]bool{"observer:submit": true, "observer:1": true, "member:3": false, "secretary:3": true}},
	} {
		if tt.changes != nil {
			w.set(w.chair, tt.changes...).Want(200)
		}
		who := map[string]*apptest.Client{"observer": w.observer, "member": w.member, "secretary": w.secretary, "chair": w.chair, "staff": w.staff}
		for asked, want := range tt.holds {
			name, what, _ := strings.Cut(asked, ":")
			var got bool
			if what == "submit" {
				got = who[name].Get(submit).Status == 200
			} else {
				got = sees(who[name], int(what[0]-'0'))
			}
			if got != want {
				t.Errorf("%s: %s is %v, want %v", tt.name, asked, got, want)
			}
		}
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object = 'access'`); n != 7 {
		t.Errorf("%d entries in the journal, want 7", n)
	}
}

// TestRulesRefused: what nobody may change, or not they, or not so.
func TestRulesRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(w.chair, change{"secretary", "access", "edit", "allow"}).Want(200)
	for _, tt := range []struct {
		name   string
		as     *apptest.Client
		change change
		status int
		want   string
	}{
		{"who is not of it", w.ed, change{"observer", "document", "submit", "deny"}, 404, "no such page"},
		{"a member", w.member, change{"observer", "document", "submit", "deny"}, 404, "no such page"},
		{"what nobody has", w.chair, change{"observer", "document", "fly", "allow"}, 422, `"action"`},
		{"what is for everybody", w.chair, change{"observer", "charter", "read", "deny"}, 422, `"action"`},
		{"what is the secretariat's", w.chair, change{"chair", "commission", "conclude", "allow"}, 422, `"action"`},
		{"a role that is none", w.chair, change{"boss", "document", "submit", "allow"}, 422, `"role"`},
		{"the secretariat's column", w.chair, change{"secretariat", "document", "submit", "deny"}, 422, `"role"`},
		{"an effect that is none", w.chair, change{"observer", "document", "submit", "maybe"}, 422, "Choose one of"},
		{"locking the chair out", w.chair, change{"chair", "access", "edit", "deny"}, 422, "always"},
		{"the same by the secretariat", w.staff, change{"chair", "access", "read", "deny"}, 422, "always"},
		{"the chair's column by a secretary", w.secretary, change{"chair", "document", "accept", "deny"}, 422, "Only a chair"},
		{"giving what one lacks", w.secretary, change{"secretary", "seat", "appoint", "allow"}, 422, "yourself"},
		{"nothing", w.chair, change{"observer", "document", "submit", "inherit"}, 409, "already"},
	} {
		r := w.set(tt.as, tt.change)
		if r.Status != tt.status || !strings.Contains(r.Body, tt.want) {
			t.Errorf("%s: %d %s, want %d and %q", tt.name, r.Status, r.Body, tt.status, tt.want)
		}
	}
	w.chair.API("PATCH", "/commissions/energy/access", body(change{"observer", "document", "submit", "deny"}), "If-Match", `"v0"`).Want(412)
	w.chair.API("PATCH", "/commissions/energy/access", body(change{"observer", "document", "submit", "deny"})).Want(428)
	w.member.API("PATCH", "/commissions/energy/access", body(change{"observer", "document", "submit", "deny"})).Want(404)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM access_rule`); n != 1 {
		t.Errorf("%d rules, want the first alone", n)
	}
	// A rule that was written behind the portal's back counts as well, at once.
	w.Exec(`INSERT INTO access_rule (commission_id, role, object, action, effect) VALUES ($1, 'member', 'document', 'submit', 'deny')`, w.energy)
	w.member.Get("/commissions/energy/documents/new").Want(403)
}

// TestRulesPages walks the matrix without a script: a row, its preview, the change,
// taking it back.
func TestRulesPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.observer.Get("/commissions/energy/access").Want(404)
	page := w.secretary.Get("/commissions/energy/access").Want(200, "Who may do what", "Submit documents", "Observers").Body
	if strings.Contains(page, `href="/commissions/energy/access/document/submit"`) {
		t.Error("who may not change the rules is led to it")
	}
	w.secretary.Get("/commissions/energy/access/document/submit").Want(403, "Why?")
	w.chair.Get("/commissions/energy/access").Want(200, `href="/commissions/energy/access/document/read:commission"`)
	const row = "/commissions/energy/access/document/read:commission"
	w.chair.Get(row).Want(200, "See documents for members", `name="observer"`)
	w.chair.Get("/commissions/energy/access/document/fly").Want(404)
	w.chair.Get(row+"/preview?observer=deny&reason=Too+early").Want(200, "1 person (Observers) can no longer read 2 documents.", "Observers — denied", `value="deny"`)
	w.chair.Get(row+"/preview?observer=inherit").Want(409, "already")
	w.chair.Get("/commissions/energy/access/application/decide/preview?observer=allow").Want(200, "Observers — “Decide on applications” is of no use to them without “Read applications”")
	w.chair.Get("/commissions/energy/access/application/read/preview?secretary=deny").Want(200, "“Decide on applications” is of no use to them")
	w.chair.Get("/commissions/energy/access/application/read/preview?observer=allow").Want(200).Lacks("of no use")
	w.chair.Get(row+"/preview?observer=perhaps").Want(422, "Choose allow, deny or inherit")
	w.chair.Post(row, "observer", "deny", "reason", "Too early", "version", "5").Want(412, "Somebody changed the rules")
	w.chair.Post(row, "observer", "deny", "reason", "Too early", "version", "0").Want(303)
	w.chair.Get("/commissions/energy/access").Want(200, "Not allowed, by a rule of its own")
	w.secretary.Get("/commissions/energy/access/changes").Want(200, "Carla Chair", "Too early", "Observers — denied")
	number := apptest.Value[int](w.Portal, `SELECT max(number) FROM journal_entry WHERE object = 'access'`)
	back := fmt.Sprintf("/commissions/energy/access/changes/%d/revert", number)
	w.secretary.Get(back).Want(403)
	w.chair.Get(back).Want(200, "1 person (Observers) can from now on read 2 documents.", "as everywhere")
	version := apptest.Value[int](w.Portal, `SELECT version FROM access_rules`)
	w.chair.Post(back, "version", fmt.Sprint(version)).Want(303)
	w.observer.API("GET", "/documents/ENERGY-N0001", nil).Want(200)
	w.chair.Get("/commissions/energy/history").Want(200, "Changed who may: See documents for members")
}

// TestPagesByRules: pages offer what the rules of the commission leave to their reader.
func TestPagesByRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secretary.Get("/commissions/energy/applications").Want(200, `/invitations/new"`)
	w.Exec(`INSERT INTO application (commission_id, person_id, role) VALUES ($1, $2, 'observer')`, w.energy, w.ed.ID)
	w.Exec(`INSERT INTO invitation (commission_id, email, role, hash, invited_by, expires_at) VALUES ($1, 'x@example.org', 'observer', sha256('x'), $2, now() + interval '10 days')`, w.energy, w.chair.ID)
	const at = "/commissions/energy"
	w.secretary.Get(at+"/applications").Want(200, `/applications/preview"`)
	w.secretary.Get(at+"/invitations").Want(200, `/invitations/new"`)
	w.secretary.Get(at+"/access/report.csv").Want(200, w.member.Email)
	w.set(w.chair, change{"officer", "access", "read", "deny"}, change{"secretary", "application", "decide", "deny"}, change{"secretary", "invitation", "send", "deny"}, change{"secretary", "seat", "edit", "deny"}).Want(200)
	w.secretary.Get(at+"/applications").Want(200, "Ed").Lacks(`/applications/preview"`, `/invitations/new"`)
	w.Exec(`DELETE FROM application`)
	w.secretary.Get(at + "/applications").Want(200).Lacks(`/invitations/new"`)
	w.secretary.Get(at+"/invitations").Want(200, "x@example.org").Lacks(`/invitations/new"`, "/resend")
	w.secretary.Get(at + "/access").Want(404)
	w.chair.Get(at + "/access").Want(200) // always sees the rules
	w.set(w.chair, change{"secretary", "access", "read", "allow"}).Want(200)
	w.secretary.Get(at+"/access/report.csv").Want(200, w.member.Name).Lacks(w.member.Email)
}

// TestExplain asks why, about oneself and others, through both doors.
func TestExplain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(w.chair, change{"observer", "document", "submit", "deny"}).Want(200)
	ask := func(c *apptest.Client, query string) apptest.Reply {
		return c.API("GET", "/access/explain?"+query, nil)
	}
	const submit = "commission=energy&object=document&action=submit"
	ask(w.observer, submit).Want(200, `"allowed":false`, `"row":"observer, document, submit, deny"`, `"own":true`, `"would":["secretariat","convener"`)
	ask(w.member, submit).Want(200, `"allowed":true`, `"row":"member, document, submit, allow"`, `"role":"invited_expert"`)
	ask(w.staff, submit).Want(200, `"allowed":true`, `"row":"secretariat, document, submit, allow"`)
	ask(w.ed, submit).Want(200, `"allowed":false`, `"because":[]`)
	ask(w.chair, submit+"&person="+w.observer.Email).Want(200, `"name":"Oda Observer"`, `"allowed":false`)
	ask(w.chair, submit+"&person="+w.ed.Email).Want(422, `"person"`)
	ask(w.staff, submit+"&person="+w.ed.Email).Want(200, `"name":"Ed Elsewhere"`)
	ask(w.staff, submit+"&person=nobody@example.org").Want(422, "There is nobody with this address.")
	ask(w.member, submit+"&person="+w.observer.Email).Want(404)
	ask(w.observer, "document=ENERGY-N0003&object=document&action=read:officers").Want(404)
	ask(w.chair, "document=ENERGY-N0003&object=document&action=read:officers&person="+w.observer.Email).Want(200, `"allowed":false`, `"document":"ENERGY-N0003"`)
	ask(w.chair, "commission=energy&object=document&action=fly").Want(422, `"action"`)
	ask(w.Visitor(), submit).Want(401)
	w.observer.Get("/access/why?"+submit).Want(200, "You may not do this", "denied by a rule of this commission", "Observers")
	w.chair.Get("/access/why?"+submit+"&person="+w.observer.Email).Want(200, "Oda Observer may not do this")
	ask(w.chair, "object=application&action=decide").Want(422, `"commission":"Say in which commission: “decide application” is asked there`)
	ask(w.chair, "object=seat&action=nominate").Want(422, `"organization":"Say in which organization`)
	w.chair.Get("/commissions/energy/settings").Want(200, "Why this page?")
	w.Exec(`INSERT INTO application (commission_id, person_id, role, statement) VALUES ($1, $2, 'observer', '')`, w.energy, w.ed.ID)
	application := "/commissions/energy/applications/" + apptest.Value[string](w.Portal, `SELECT id FROM application`)
	w.chair.Get(application).Want(200, "object=application", "action=read").Lacks("action=submit")
	w.ed.Get(application).Want(200)
	w.member.Get(application).Want(404)
	w.Visitor().Get(application).Want(303)
	if strings.Contains(w.member.Get("/commissions/energy").Want(200).Body, "Why this page?") {
		t.Error("a member is offered the rules")
	}
}

// TestReport lists who can read and through what, and leaves out who cannot.
func TestReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(w.chair, change{"observer", "document", "read:commission", "deny"}).Want(200)
	guest, boss, nordwind := w.Person("Gil Guest"), w.Person("Bea Boss"), uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO organization (id, slug, name, plain_name, kind, state, country) VALUES ($1, 'nordwind', 'Nordwind', 'nordwind', 'company', 'member', 'DE')`, nordwind)
	w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period) VALUES ($1, $2, 'confirmed', true, '[2020-01-01,)')`, boss.ID, nordwind)
	w.Exec(`UPDATE document SET organization_id = $1 WHERE number = 1`, nordwind)
	w.Exec(`INSERT INTO share (document_id, to_person, level, created_by, created_at) SELECT id, $1, 'see', $2, now() FROM document WHERE number = 1`, guest.ID, boss.ID)
	lines := func(path string) string {
		t.Helper()
		return w.chair.Get(path).Want(200).Body
	}
	const report = "/commissions/energy/access/report.csv"
	for path, want := range map[string]map[string]bool{
		report: {"Carla Chair,carla.chair@example.org,seat,chair,,commission officers organization named": true, "Max Member,max.member@example.org,seat,invited_expert,,commission": true,
			"secretariat,,,all": true, "Oda Observer": false, "Gil Guest": false, "Bea Boss": false},
		report + "?document=ENERGY-N0001": {"Gil Guest,,share,,,this": true, "Bea Boss,,representative,,Nordwind,this": true, "Max Member": true, "Oda Observer": false},
		report + "?document=ENERGY-N0003": {"Sven Secretary": true, "Max Member": false, "Gil Guest": false},
	} {
		got := lines(path)
		for text, there := range want {
			if strings.Contains(got, text) != there {
				t.Errorf("%s: %q is there: %v, want %v\n%s", path, text, !there, there, got)
			}
		}
	}
	w.chair.Get(report + "?document=ENERGY-N0099").Want(404)
	w.member.Get(report).Want(404)

	// Only who can read now: nobody for an organization that is suspended, and no role
	// of who lacks the second factor that it asks for.
	w.Exec(`UPDATE organization SET state = 'suspended' WHERE slug = 'nordwind'`)
	w.Exec(`INSERT INTO factor_role (scope, role) VALUES ('commission', 'invited_expert')`)
	for path, lost := range map[string]string{report + "?document=ENERGY-N0001": "Bea Boss", report: "Max Member"} {
		if got := lines(path); strings.Contains(got, lost) {
			t.Errorf("%s still has %s:\n%s", path, lost, got)
		}
	}
	if got := lines(report + "?document=ENERGY-N0001"); !strings.Contains(got, "Gil Guest") {
		t.Errorf("who it is shared with is lost:\n%s", got)
	}
}

// TestOwnRoles makes a role of the commission's own, gives it to an observer, lets it
// reserve numbers, and sees it hold as long as the seat, the role and the rule do.
func TestOwnRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const roles = "/commissions/energy/access/roles"
	seatOf := func(c *apptest.Client) string {
		return apptest.Value[uuid.UUID](w.Portal, `SELECT id FROM seat WHERE person_id = $1`, c.ID).String()
	}
	reserves := func() bool {
		t.Helper()
		said := strings.Contains(w.observer.API("GET", "/access/explain?commission=energy&object=document&action=reserve", nil).Want(200).Body, `"allowed":true`)
		if page := w.observer.Get("/commissions/energy/documents/reserve").Status; said != (page == 200) {
			t.Errorf("explained as %v, and the page answers %d", said, page)
		}
		return said
	}
	w.chair.API("POST", roles, map[string]any{"name": "Rapporteur", "purpose": "Looks at what is submitted"}).Want(201, `"role":"own_1"`)
	for _, tt := range []struct {
		name   string
		do     func() apptest.Reply
		status int
		may    bool
	}{
		{"the name is taken", func() apptest.Reply {
			return w.chair.API("POST", roles, map[string]any{"name": "rapporteur"})
		}, 422, false},
		{"who is no chair", func() apptest.Reply {
			return w.member.API("POST", roles, map[string]any{"name": "Boss"})
		}, 404, false},
		{"it gives nothing by itself", func() apptest.Reply {
			return w.chair.API("POST", roles+"/own_1/holders", map[string]any{"seat": seatOf(w.observer)})
		}, 204, false},
		{"twice is once", func() apptest.Reply {
			return w.chair.API("POST", roles+"/own_1/holders", map[string]any{"seat": seatOf(w.observer)})
		}, 204, false},
		{"no seat", func() apptest.Reply {
			return w.chair.API("POST", roles+"/own_1/holders", map[string]any{"seat": uuid.NewString()})
		}, 422, false},
		{"a role takes nothing away", func() apptest.Reply { return w.set(w.chair, change{"own_1", "document", "reserve", "deny"}) }, 422, false},
		{"a role that is not there", func() apptest.Reply { return w.set(w.chair, change{"own_2", "document", "reserve", "allow"}) }, 422, false},
		{"allowed", func() apptest.Reply { return w.set(w.chair, change{"own_1", "document", "reserve", "allow"}) }, 200, true},
		{"a rule for members counts beside it", func() apptest.Reply { return w.set(w.chair, change{"observer", "document", "reserve", "deny"}) }, 200, true},
		{"named anew", func() apptest.Reply {
			return w.chair.API("PATCH", roles+"/own_1", map[string]any{"name": "Reporter"}, "If-Match", `"v1"`)
		}, 200, true},
		{"named by two", func() apptest.Reply {
			return w.chair.API("PATCH", roles+"/own_1", map[string]any{"name": "Other"}, "If-Match", `"v1"`)
		}, 412, true},
		{"taken away", func() apptest.Reply {
			return w.chair.API("DELETE", roles+"/own_1/holders/"+seatOf(w.observer), nil)
		}, 204, false},
		{"given again", func() apptest.Reply {
			return w.chair.API("POST", roles+"/own_1/holders", map[string]any{"seat": seatOf(w.observer)})
		}, 204, true},
		{"listed", func() apptest.Reply { return w.chair.API("GET", roles+"/own_1/holders", nil).Want(200, "Oda Observer") }, 200, true},
		{"nobody gives what they lack", func() apptest.Reply {
			w.set(w.chair, change{"secretary", "access", "edit", "allow"}, change{"secretary", "document", "reserve", "deny"}).Want(200)
			return w.secretary.API("POST", roles+"/own_1/holders", map[string]any{"seat": seatOf(w.secretary)})
		}, 403, true},
		{"the seat is suspended", func() apptest.Reply {
			w.Exec(`UPDATE seat SET suspended = true WHERE person_id = $1`, w.observer.ID)
			return w.chair.API("GET", roles+"/own_1", nil).Want(200, `"persons":0`)
		}, 200, false},
		{"and no more", func() apptest.Reply {
			w.Exec(`UPDATE seat SET suspended = false WHERE person_id = $1`, w.observer.ID)
			return w.chair.API("GET", roles+"/own_1", nil).Want(200, `"persons":1`, `"name":"Reporter"`)
		}, 200, true},
		{"the role is removed", func() apptest.Reply { return w.chair.API("DELETE", roles+"/own_1", nil, "If-Match", `"v2"`) }, 204, false},
		{"another in its place gives nothing of it", func() apptest.Reply {
			w.chair.API("POST", roles, map[string]any{"name": "Editor"}).Want(201, `"role":"own_1"`)
			return w.chair.API("POST", roles+"/own_1/holders", map[string]any{"seat": seatOf(w.observer)})
		}, 204, false},
	} {
		if r := tt.do(); r.Status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, r.Status, r.Body, tt.status)
		}
		if got := reserves(); got != tt.may {
			t.Errorf("%s: the observer may reserve: %v, want %v", tt.name, got, tt.may)
		}
	}
	// What was allowed to the role before is not given to the one that has its place now.
	number := apptest.Value[int](w.Portal, `SELECT min(number) FROM journal_entry WHERE object = 'access' AND note::text LIKE '%Changed who may%'`)
	w.chair.Get(fmt.Sprintf("/commissions/energy/access/changes/%d/revert", number)).Want(409, "is not there any more")
	for n := range 9 {
		w.chair.API("POST", roles, map[string]any{"name": fmt.Sprintf("Role %d", n)}).Want(201)
	}
	w.chair.API("POST", roles, map[string]any{"name": "One too many"}).Want(409, "at most 10")
	w.chair.Post(roles, "name", "One too many", "purpose", "Kept").Want(409, "at most 10", "Kept")
	w.chair.Post(roles, "name", "", "purpose", "Kept").Want(422, "Kept")
	w.observer.Get(roles).Want(404)
	w.observer.Get("/commissions/energy/access/review").Want(404)
}

// TestOwnRoleIsWrittenTo: who may decide by a role of the commission's own hears of
// what there is to decide.
func TestOwnRoleIsWrittenTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	letters := func() int {
		return apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE person_id = $1 AND kind LIKE 'application.%'`, w.observer.ID)
	}
	w.Exec(`INSERT INTO commission_role (commission_id, slot, name, created_at) VALUES ($1, 'own_1', 'Host', now())`, w.energy)
	w.Exec(`INSERT INTO commission_role_holder (commission_id, slot, seat_id, person_id, since) SELECT commission_id, 'own_1', id, person_id, now() FROM seat WHERE person_id = $1`, w.observer.ID)
	apply := map[string]any{"role": "invited_expert", "statement": "I know grids."}
	w.ed.API("POST", "/commissions/energy/applications", apply).Want(201)
	if letters() != 0 {
		t.Error("written to before it may decide")
	}
	w.set(w.chair, change{"own_1", "application", "decide", "allow"}).Want(200)
	w.Person("Ina Interested").API("POST", "/commissions/energy/applications", apply).Want(201)
	if n := letters(); n != 1 {
		t.Errorf("%d letters, want 1", n)
	}
}

// TestReview asks whoever may change the rules, six months after they were last confirmed.
func TestReview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const asks = "Confirm that roles and rules are still right"
	desk := func(c *apptest.Client) bool { t.Helper(); return strings.Contains(c.Get("/desk").Want(200).Body, asks) }
	if desk(w.chair) {
		t.Error("asked of a commission that is new")
	}
	w.Exec(`UPDATE commission SET created_at = now() - interval '7 months'`)
	if !desk(w.chair) || desk(w.secretary) || desk(w.observer) {
		t.Error("after six months the chair is asked, and nobody else")
	}
	w.chair.Get("/commissions/energy/access/review").Want(200, "Carla Chair", "Sven Secretary", "4 persons have a seat")
	w.secretary.Post("/commissions/energy/access/review").Want(403)
	w.chair.Post("/commissions/energy/access/review").Want(303)
	if desk(w.chair) {
		t.Error("asked although it was confirmed")
	}
	w.chair.Get("/commissions/energy/access/review").Want(200, "Last confirmed on")
	w.chair.Get("/commissions/energy/access/changes").Want(200, "Confirmed that roles and rules are right")
	w.Exec(`UPDATE access_review SET at = now() - interval '7 months'`)
	if !desk(w.chair) {
		t.Error("not asked again")
	}
}
