package membershipweb_test

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/membership"
)

func TestSeatChanges(t *testing.T) {
	w := newWorld(t)
	seat := uuid.Must(uuid.NewV7())
	w.sit(seat, w.ada, "voting_representative", &w.acme)
	path, api := seatPath(seat), "/commissions/energy/seats/"+seat.String()
	w.Visitor().Get(path).Want(200, "Ada Lovelace", "took the seat").Lacks("/edit")
	w.ben.Get(path + "/edit").Want(404)
	w.chair.Get(path+"/edit").Want(200, `name="version" value="1"`)
	w.chair.Post(path, "version", "1", "role", "voting_representative", "voting", "true", "until", "2001-01-01").Want(422, "Choose a day that lies ahead", `value="2001-01-01"`)
	w.chair.Post(path, "version", "1", "role", "observer", "voting", "true").Want(422, "has no vote")
	w.chair.Post(path, "version", "1", "role", "alternate_representative", "reason", "By agreement").Want(303)
	w.wantMail("seat.changed", w.ada, 1)
	w.chair.Post(path, "version", "1", "role", "observer").Want(412, "Somebody changed this seat meanwhile")
	w.ada.Get(path).Want(200, "From voting representative to alternate representative", "By agreement")
	w.Visitor().Get(path).Want(200, "From voting representative").Lacks("By agreement")
	w.chair.API("GET", "/commissions/energy/seats?as_of="+yesterday(w), nil).Want(200, `"role":"voting_representative"`)

	w.chair.API("PATCH", api, map[string]any{"role": "observer"}).Want(428)
	w.chair.API("PATCH", api, map[string]any{"role": "observer"}, "If-Match", `"v1"`).Want(412)
	etag := w.chair.API("GET", api, nil).Want(200, `"history":[`).Header.Get("ETag")
	w.ben.API("PATCH", api, map[string]any{"role": "observer"}, "If-Match", etag).Want(404)
	w.chair.API("PATCH", api, map[string]any{"until": "2020-01-01"}, "If-Match", etag).Want(422, `"until"`)
	etag = w.chair.API("PATCH", api, map[string]any{"until": "2999-12-31"}, "If-Match", etag).Want(200, "3000-01-01").Header.Get("ETag")
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM seat WHERE id = $1`, seat); n != 2 {
		t.Errorf("%d rows, want 2: the end of a term alone makes no new row", n)
	}
	etag = w.chair.API("PATCH", api, map[string]any{"suspended": true, "reason": "Absent"}, "If-Match", etag).Want(200, `"suspended":true`).Header.Get("ETag")
	w.chair.Post(path + "/lift").Want(303)
	w.chair.Get(path+"/suspend").Want(200, "Suspend the seat of Ada")
	w.chair.Post(path+"/suspend", "version", "5").Want(422, "Say why")
	w.chair.Post(path+"/suspend", "version", "5", "reason", "Again absent").Want(303)
	w.Visitor().Get("/commissions/energy/roster").Want(200, "Suspended")
	w.chair.API("DELETE", api, nil, "If-Match", etag).Want(412)
	w.chair.Get(path+"/end").Want(200, "End the seat of Ada Lovelace?")
	w.chair.Post(path+"/end", "version", "6", "reason", "Enough").Want(303)
	w.wantMail("seat.ended", w.ada, 1)
	w.wantMail("seat.lost", w.rep, 1)
	w.chair.Post(path+"/end", "version", "6").Want(409, "has ended already")
	w.Visitor().Get("/commissions/energy/roster").Want(200, "Grace Hopper").Lacks("Ada Lovelace")
	w.Visitor().Get(path).Want(200, "Ended by an officer")
}

func TestLastChair(t *testing.T) {
	w := newWorld(t)
	path := seatPath(w.chairSeat)
	for _, tt := range []struct {
		path string
		form []string
	}{
		{"/leave", nil}, {"/end", []string{"version", "1"}}, {"/suspend", []string{"version", "1", "reason", "x"}}, {"", []string{"version", "1", "role", "emeritus"}},
	} {
		w.chair.Post(path+tt.path, tt.form...).Want(409, "Grace Hopper is the only chair of Energy")
	}
	w.chair.API("POST", "/commissions/energy/seats/"+w.chairSeat.String()+"/leave", nil).Want(409, "only chair")
	w.chair.Post("/commissions/energy/roster/bulk", "act", "end", "ids", w.chairSeat.String()).Want(409, "Nothing is left to do")
	w.chair.Post("/commissions/energy/seats", "person", w.ada.Email, "role", "chair").Want(422, "Appoint someone who holds a seat here")
	w.chair.Post("/commissions/energy/seats", "person", "unknown@example.org", "role", "chair").Want(422, "Appoint someone who holds a seat here")
	w.sit(uuid.Must(uuid.NewV7()), w.ada, "observer", nil)
	w.chair.Post("/commissions/energy/seats", "person", w.ada.Email, "role", "chair", "organization", "acme", "election", "true").Want(303)
	w.wantMail("seat.given", w.ada, 1)
	w.chair.Get(path+"/leave").Want(200, "Leave Energy?")
	w.ada.Post(path + "/leave").Want(404)
	w.chair.Post(path + "/leave").Want(303)
	w.wantMail("seat.left", w.ada, 1)
	w.chair.Post(path + "/leave").Want(409)
	if w.live("chair") != 1 {
		t.Error("there must be one chair")
	}
	w.ada.Get("/commissions/energy/applications").Want(200)
	w.chair.Get("/commissions/energy/applications").Want(404)
}

// Two chairs who leave at the same moment: one of them stays.
func TestBothChairsLeave(t *testing.T) {
	w := newWorld(t)
	other, seat := w.Person("Ida Other"), uuid.Must(uuid.NewV7())
	w.sit(seat, other, "chair", nil)
	var a, b apptest.Reply
	var wg sync.WaitGroup
	wg.Go(func() { a = w.chair.Post(seatPath(w.chairSeat) + "/leave") })
	wg.Go(func() { b = other.Post(seatPath(seat) + "/leave") })
	wg.Wait()
	if a.Status+b.Status != 303+409 {
		t.Errorf("answers %d and %d, want 303 and 409", a.Status, b.Status)
	}
	if w.live("chair") != 1 {
		t.Error("there must be one chair")
	}
}

func TestAppointAPI(t *testing.T) {
	w := newWorld(t)
	w.sit(uuid.Must(uuid.NewV7()), w.ben, "observer", nil)
	secretary := w.Person("Sally Secretary")
	w.sit(uuid.Must(uuid.NewV7()), secretary, "secretary", nil)
	place := func(role, from, until string) map[string]any {
		return map[string]any{"person": w.ben.Email, "role": role, "from": from, "until": until}
	}
	secretary.API("POST", "/commissions/energy/seats", place("vice_chair", "", "")).Want(403)
	secretary.API("POST", "/commissions/energy/seats", place("invited_expert", "2999-01-02", "2999-01-01")).Want(422, "The term ends before it begins")
	secretary.API("POST", "/commissions/energy/seats", place("invited_expert", "2001-01-02", "")).Want(422, `"from"`)
	secretary.API("POST", "/commissions/energy/seats", place("observer", "", "")).Want(409, "holds a seat in this role already")
	secretary.API("POST", "/commissions/energy/seats", place("king", "", "")).Want(422, `"role"`)
	secretary.API("POST", "/commissions/energy/seats", place("voting_representative", "", "")).Want(422, `"role"`)
	at := w.chair.API("POST", "/commissions/energy/seats", place("vice_chair", "", "2999-01-01")).Want(201).Location()
	if !strings.Contains(at, "/api/v1/commissions/energy/seats/") {
		t.Errorf("at %q", at)
	}
	w.Secretariat().API("POST", "/commissions/energy/seats", map[string]any{"person": w.nobody.Email, "role": "emeritus"}).Want(201, `"appointed_by":"secretariat"`)
	w.chair.API("GET", "/commissions/energy/seats/"+uuid.NewString(), nil).Want(404)
	w.chair.API("GET", "/commissions/energy/seats/nonsense", nil).Want(422)
}

func TestRoster(t *testing.T) {
	w := newWorld(t)
	w.sit(uuid.Must(uuid.NewV7()), w.ada, "voting_representative", &w.acme)
	w.Exec(`UPDATE person SET country = 'FR' WHERE id = $1`, w.ben.ID)
	w.sit(uuid.Must(uuid.NewV7()), w.ben, "invited_expert", nil)
	for query, want := range map[string][2]string{ // who is there, who is not
		"":                     {"Ada Lovelace", "Nora Nobody"},
		"?role=invited_expert": {"Ben Stone", "Ada Lovelace"},
		"?organization=acme":   {"Ada Lovelace", "Ben Stone"},
		"?country=DE":          {"Ada Lovelace", "Ben Stone"},
		"?country=FR":          {"Ben Stone", "Ada Lovelace"},
		"?q=lovel":             {"Ada Lovelace", "Ben Stone"},
		"?q=acm":               {"Ada Lovelace", "Ben Stone"},
		"?q=%25":               {"Nobody sits here", "Ada Lovelace"},
		"?as_of=2001-01-01":    {"Nobody sits here", "Ada Lovelace"},
	} {
		w.Visitor().Get("/commissions/energy/roster"+query).Want(200, want[0]).Lacks(want[1])
	}
	for i, role := range membership.Roles { // found by their rank, which the schema computes
		if i >= 3 && i != 3 && i != 6 {
			w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) VALUES (tstzrange(now() - interval '1 day', NULL), $1, $2, $3, $4, 'chair')`, w.energy, w.nobody.ID, w.nobody.Name, role)
		}
		r := apptest.JSON[struct{ Items []membership.RosterSeat }](w.Visitor().API("GET", "/commissions/energy/seats?role="+role, nil).Want(200))
		if slices.ContainsFunc(r.Items, func(s membership.RosterSeat) bool { return s.Role != role }) || len(r.Items) == 0 && role != membership.ViceChair && role != membership.Secretary {
			t.Errorf("asked for %s and got %+v", role, r.Items)
		}
	}
	w.Exec(`DELETE FROM seat WHERE person_id = $1`, w.nobody.ID)
	w.Visitor().Get("/commissions/energy/roster?role=king").Want(200, "Nobody sits here")
	w.Visitor().Get("/commissions/energy/roster?as_of=tomorrow").Want(422, "Give a date as").Lacks("Ada Lovelace")
	w.Visitor().Get("/commissions/energy/roster?as_of=2999-01-01").Want(422, "day to come", "The roster of which day?").Lacks("Ada Lovelace")
	w.Visitor().Get("/commissions/energy/roster?as_of=2026-02-31").Want(422, "There is no such day in the calendar: 2026-02-31").Lacks("Ada Lovelace")
	w.rep.Get("/organizations/acme/seats?as_of=2026-02-31").Want(422, "There is no such day", `value="2026-02-31"`, "The seats of which day?").Lacks("Ada Lovelace")
	w.rep.Get("/organizations/acme/seats?as_of=2999-01-01").Want(422, "day to come").Lacks("Ada Lovelace")
	w.Visitor().Get("/commissions/energy/organizations?as_of=2026-02-31").Want(422, "There is no such day", "The organizations of which day?")
	w.Visitor().Get("/commissions/energy/organizations?as_of=2999-01-01").Want(422, "day to come")
	w.Visitor().Get("/commissions/energy/roster?as_of=2026-03-10").Want(200, "As of 10\u00a0Mar\u00a02026")
	w.Visitor().API("GET", "/commissions/energy/seats?as_of=2999-01-01", nil).Want(422, `"as_of"`)
	w.Visitor().API("GET", "/commissions/energy/seats?role=king", nil).Want(422, `"role"`)

	for _, tt := range []struct {
		name string
		most int
		ask  func()
	}{ // commission and roster, with the session of who is signed in
		{"visitor's roster", 2, func() { w.Visitor().Get("/commissions/energy/roster").Want(200) }},
		{"chair's roster", 3, func() { w.chair.Get("/commissions/energy/roster?q=a&as_of=" + yesterday(w)).Want(200) }},
		{"roster over the API", 3, func() { w.chair.API("GET", "/commissions/energy/seats", nil).Want(200) }},
		{"seat", 3, func() { w.chair.Get(seatPath(w.chairSeat)).Want(200) }},
		{"applications", 3, func() { w.chair.Get("/commissions/energy/applications").Want(200) }},
		{"invitations", 3, func() { w.chair.Get("/commissions/energy/invitations").Want(200) }},
		{"organization's seats", 3, func() { w.rep.Get("/organizations/acme/seats").Want(200) }},
	} {
		if n := w.Queries(tt.ask); n > tt.most {
			t.Errorf("%s: %d statements, want %d at most", tt.name, n, tt.most)
		}
	}
}

func TestRosterPages(t *testing.T) {
	w := newWorld(t)
	w.Exec(`WITH p AS (INSERT INTO person (email, name, confirmed_at) SELECT 'p' || n || '@example.org', 'Person ' || to_char(n, 'FM000'), now() FROM generate_series(1, 119) n RETURNING id, name)
		INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange(now() - interval '1 day', NULL), $1, id, name, 'observer', 'chair' FROM p`, w.energy)
	type list struct {
		Items []struct{ Name string }
		Next  string
	}
	seen, cursor := map[string]bool{}, ""
	for range 4 {
		l := apptest.JSON[list](w.Visitor().API("GET", "/commissions/energy/seats?limit=50&cursor="+cursor, nil).Want(200))
		for _, i := range l.Items {
			if seen[i.Name] {
				t.Errorf("%s is there twice", i.Name)
			}
			seen[i.Name] = true
		}
		if cursor = l.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 120 {
		t.Errorf("%d seats over all pages, want 120", len(seen))
	}
	csv := w.Visitor().Get("/commissions/energy/roster.csv?role=observer").Want(200, "Person 119", "Observer")
	if n := strings.Count(csv.Body, "\n"); n != 120 {
		t.Errorf("%d lines of CSV, want 120", n)
	}
	csv.Lacks("@example.org")
	w.chair.Get("/commissions/energy/roster.csv").Want(200, "p7@example.org")
	book, err := excelize.OpenReader(bytes.NewReader([]byte(w.chair.Get("/commissions/energy/roster.xlsx?q=person").Want(200).Body)))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows("Sheet1")
	if err != nil || len(rows) != 120 {
		t.Errorf("%d rows of XLSX, want 120 (%v)", len(rows), err)
	}
	w.Visitor().Get("/commissions/energy/roster.csv?as_of=2001-01-01").Want(200).Lacks("Person 119", "Grace Hopper")
}

// A name that a spreadsheet program would run is a text in both files.
func TestExportIsNoFormula(t *testing.T) {
	w := newWorld(t)
	const evil = `=HYPERLINK("http://evil.example","Ada")`
	w.sit(uuid.Must(uuid.NewV7()), w.ada, "observer", nil)
	w.Exec(`UPDATE person SET name = $1 WHERE id = $2`, evil, w.ada.ID)
	w.chair.Get("/commissions/energy/roster.csv").Want(200, `"'=HYPERLINK(""http`)
	book, err := excelize.OpenReader(strings.NewReader(w.chair.Get("/commissions/energy/roster.xlsx").Want(200).Body))
	if err != nil {
		t.Fatal(err)
	}
	formula, err := book.GetCellFormula("Sheet1", "A3")
	text, err2 := book.GetCellValue("Sheet1", "A3")
	if err != nil || err2 != nil || formula != "" || text != evil {
		t.Errorf("the cell has the formula %q and the text %q (%v, %v)", formula, text, err, err2)
	}
}

// Two terms of one person in one role may follow each other and never overlap.
func TestOverlappingTerms(t *testing.T) {
	w := newWorld(t)
	w.sit(uuid.Must(uuid.NewV7()), w.ben, "observer", nil)
	seat := apptest.Value[string](w.Portal, `SELECT id FROM seat WHERE role = 'observer'`)
	path, api := "/commissions/energy/seats/"+seat, "/commissions/energy/seats"
	w.chair.Post(path, "version", "1", "role", "observer", "until", "2998-12-31").Want(303)
	w.chair.Post(api, "person", w.ben.Email, "role", "observer", "from", "2998-12-31").Want(409, "holds a seat in this role already", `aria-invalid="true"`)
	w.chair.API("POST", api, map[string]any{"person": w.ben.Email, "role": "observer", "from": "2998-06-01"}).Want(409, `"role"`)
	w.chair.API("POST", api, map[string]any{"person": w.ben.Email, "role": "observer", "from": "2999-01-01"}).Want(201)
	w.chair.Post(path, "version", "2", "role", "observer", "until", "2999-01-01").Want(409, "The term overlaps", `value="2999-01-01"`)
	w.chair.API("PATCH", api+"/"+seat, map[string]any{"until": ""}, "If-Match", `"v2"`).Want(409, `"until"`, "The term overlaps")
	ids := map[string]any{"act": "term", "until": "2999-05-01", "ids": []string{seat}, "dry_run": true}
	w.chair.API("POST", api+"/bulk", ids).Want(200, `"done":0`, "The term overlaps")
	w.chair.Post("/commissions/energy/roster/preview", "act", "term", "until", "2999-05-01", "ids", seat).Want(200, "The term overlaps")
	delete(ids, "dry_run")
	w.chair.API("POST", api+"/bulk", ids).Want(409)
	w.chair.API("PATCH", api+"/"+seat, map[string]any{"until": "2998-01-01"}, "If-Match", `"v2"`).Want(200)
}

func TestRosterVisibility(t *testing.T) {
	w := newWorld(t)
	seat := uuid.Must(uuid.NewV7())
	w.sit(seat, w.ada, "observer", nil)
	for visibility, sees := range map[string][4]bool{ // visitor, person, member, chair
		"public": {true, true, true, true}, "portal": {false, true, true, true}, "commission": {false, false, true, true}, "officers": {false, false, false, true},
	} {
		w.Exec(`UPDATE commission SET roster_visibility = $1`, visibility)
		for i, c := range []*apptest.Client{w.Visitor(), w.nobody, w.ada, w.chair} {
			page := c.Get("/commissions/energy/roster").Want(200, "Grace Hopper")
			api, file := c.API("GET", "/commissions/energy/seats", nil), c.Get("/commissions/energy/roster.csv")
			if sees[i] {
				page.Want(200, "Ada Lovelace")
				api.Want(200, "Ada Lovelace")
				file.Want(200, "Ada Lovelace")
				continue
			}
			page.Want(200, "These are its officers").Lacks(`/seats/` + seat.String())
			if api.Status != 404 && api.Status != 401 || file.Status == 200 {
				t.Errorf("%s: client %d: API %d, file %d", visibility, i, api.Status, file.Status)
			}
			if c != w.ada {
				c.Get(seatPath(seat)).Want(404)
			}
			c.Get(seatPath(w.chairSeat)).Want(200)
		}
	}
	// A seat of Acme is its representatives' too; another role is the chair's to give.
	w.Exec(`UPDATE commission SET roster_visibility = 'officers'`)
	acme, sue := uuid.Must(uuid.NewV7()), w.Person("Sue Secretary")
	w.sit(acme, w.ben, "observer", &w.acme)
	w.sit(uuid.Must(uuid.NewV7()), sue, "secretary", nil)
	w.nobody.Get(seatPath(acme)).Want(404)
	w.rep.Get(seatPath(acme)).Want(200)
	sue.Get(seatPath(acme)).Want(200, "Suspend").Lacks("Another role")
	w.chair.Get(seatPath(acme)).Want(200, "Suspend", "Another role")
}

func TestBulk(t *testing.T) {
	w := newWorld(t)
	a, b := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	w.sit(a, w.ada, "observer", nil)
	w.sit(b, w.ben, "invited_expert", nil)
	ids := []string{"ids", a.String() + ":1", "ids", b.String() + ":1", "ids", w.chairSeat.String() + ":1"}
	post := func(c *apptest.Client, where string, form ...string) apptest.Reply {
		return c.Post("/commissions/energy/roster/"+where, append(form, ids...)...)
	}
	w.chair.Get("/commissions/energy/roster").Want(200, `value="`+a.String()+`:1"`)
	post(w.ada, "bulk", "act", "role", "role", "observer").Want(403)
	post(w.nobody, "preview", "act", "end").Want(404)
	w.chair.Post("/commissions/energy/roster/preview", "act", "end").Want(422, "Choose at least one")
	w.chair.Post("/commissions/energy/roster/preview", "act", "end", "ids", "x").Want(422, "Choose seats from the list")
	post(w.chair, "preview", "act", "dance").Want(422, "Choose what to do")
	// Refused, it is the same part of the roster with what was ticked and typed.
	w.chair.Post("/commissions/energy/roster/preview?on=q%3Dada%26role%3Dobserver", "act", "role", "reason", "By <vote>", "ids", a.String()+":1").
		Want(422, "Choose a role.", `value="`+a.String()+`:1" checked`, `value="By &lt;vote&gt;"`, `href="#bulk-role"`, `preview?on=q%3Dada%26role%3Dobserver"`, `>“ada”`).Lacks("Ben Stone", "New role <span class=\"optional")
	post(w.chair, "preview", "act", "role", "role", "observer").Want(200, "One person is concerned", "It is so already", "only chair", "Ben Stone")
	if w.live("observer") != 1 {
		t.Error("the preview changed something")
	}
	post(w.chair, "bulk", "act", "role", "role", "observer").Want(303)
	if w.live("observer") != 2 || w.live("chair") != 1 {
		t.Error("the roles are not as in the preview")
	}
	w.wantMail("seat.changed", w.ben, 1)
	w.chair.API("POST", "/commissions/energy/seats/bulk", map[string]any{"act": "role", "role": "emeritus", "ids": []string{a.String(), b.String()}, "dry_run": true}).Want(200, `"done":2`, `"role":"emeritus"`)
	post(w.chair, "bulk", "act", "term", "until", "2999-06-30").Want(303)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM seat WHERE upper(period) = '2999-07-01'`); n != 2 {
		t.Errorf("%d terms changed, want 2: one seat changed since it was seen", n)
	}
	out := w.chair.API("POST", "/commissions/energy/seats/bulk", map[string]any{"act": "end", "ids": []string{a.String(), b.String()}, "dry_run": true}).Want(200, `"done":2`)
	out.Lacks("skipped")
	w.chair.API("POST", "/commissions/energy/seats/bulk", map[string]any{"act": "end", "ids": []string{a.String(), b.String()}}).Want(200, `"done":2`)
	w.chair.API("POST", "/commissions/energy/seats/bulk", map[string]any{"act": "end", "ids": []string{a.String()}}).Want(409)
	w.wantMail("seat.ended", w.ada, 1)
}

func TestBulkApprove(t *testing.T) {
	w := newWorld(t)
	w.Exec(`UPDATE commission SET seats_per_organization = 1`)
	one, two, three := w.apply(w.ada, "voting_representative", "acme"), w.apply(w.ben, "alternate_representative", "acme"), w.apply(w.nobody, "invited_expert", "")
	form := []string{"ids", one, "ids", two, "ids", three}
	w.chair.Post("/commissions/energy/applications/preview", form...).Want(200, "2 persons are concerned", "as many as an organization may have")
	w.chair.Post("/commissions/energy/applications/bulk", append(form, "act", "approve")...).Want(303)
	if w.live("voting_representative")+w.live("alternate_representative") != 1 || w.live("invited_expert") != 1 {
		t.Error("not the seats of the preview")
	}
	w.wantMail("application.approved", w.nobody, 1)
	w.wantMail("seat.gained", w.rep, 1)
	w.chair.API("POST", "/commissions/energy/applications/bulk", map[string]any{"ids": []string{one, three}}).Want(409)
	n := w.Queries(func() {
		w.chair.API("POST", "/commissions/energy/applications/bulk", map[string]any{"ids": []string{one, two, three}, "dry_run": true}).Want(200, `"done":0`)
	})
	if n > 6 {
		t.Errorf("%d statements for a plan, want 6 at most", n)
	}
}

// The first seat decides as what the organization takes part; one that does not go
// with it is skipped in the preview already, and whoever nominated hears of it.
func TestBulkApproveLevels(t *testing.T) {
	w := newWorld(t)
	w.takesPart("O")
	nominated := apptest.JSON[struct{ Application struct{ ID string } }](w.rep.API("POST", "/organizations/acme/seats",
		map[string]any{"commission": "energy", "person": w.ada.ID.String(), "role": "observer"}).Want(201)).Application.ID
	personal := w.apply(w.ada, "invited_expert", "")
	w.Exec(`DELETE FROM participation`)
	votes := w.apply(w.ben, "voting_representative", "acme")
	ids := map[string]any{"ids": []string{nominated, votes, personal}, "dry_run": true}
	w.chair.API("POST", "/commissions/energy/applications/bulk", ids).Want(200, `"done":2`, "as an observing member")
	delete(ids, "dry_run")
	w.chair.API("POST", "/commissions/energy/applications/bulk", ids).Want(200, `"done":2`)
	w.wantMail("application.approved", w.rep, 1)
	w.wantMail("application.approved", w.ada, 1)
	text := apptest.Value[string](w.Portal, `SELECT text FROM mail WHERE kind = 'application.approved' AND to_address = $1`, w.ada.Email)
	if !strings.Contains(text, "you are now observer in Energy") || !strings.Contains(text, "you are now invited expert in Energy") {
		t.Errorf("the letter does not tell of both seats:\n%s", text)
	}
}

func TestTerms(t *testing.T) {
	w := newWorld(t)
	start := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	w.At(start)
	seat := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO seat (id, period, commission_id, person_id, sort_name, role, appointed_by) VALUES ($1, tstzrange('2026-12-30', '2027-03-01'), $2, $3, $4, 'observer', 'chair')`, seat, w.energy, w.ada.ID, w.ada.Name)
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) VALUES (tstzrange('2027-02-20', '2027-03-01'), $1, $2, $3, 'observer', 'chair')`, w.energy, w.ben.ID, w.ben.Name)
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, organization_id, role, appointed_by) VALUES (tstzrange('2026-12-30', '2027-03-01'), $1, $2, $3, $4, 'observer', 'organization')`, w.energy, w.rep.ID, w.rep.Name, w.acme)
	theirs := apptest.Value[uuid.UUID](w.Portal, `SELECT id FROM seat WHERE organization_id = $1`, w.acme)
	w.ada.Get(seatPath(seat)).Want(200).Lacks("Your term ends")
	w.At(start.AddDate(0, 0, 40))
	w.ada.Get(seatPath(seat)).Want(200, "Your term ends on 28\u00a0Feb\u00a02027", "ask an officer of Energy", `href="/commissions/energy#officers"`)
	w.rep.Get(seatPath(theirs)).Want(200, "or a primary representative of Acme", `href="/organizations/acme/people"`)
	w.Visitor().Get(seatPath(seat)).Want(200).Lacks("Your term ends")
	w.Exec(`DELETE FROM seat WHERE id = $1`, theirs)
	for _, tt := range []struct {
		day           int // since the start
		ending, ended int
	}{{0, 0, 0}, {30, 1, 0}, {30, 1, 0}, {40, 1, 0}, {53, 2, 0}, {54, 2, 0}, {59, 2, 1}, {60, 2, 1}} {
		w.At(start.AddDate(0, 0, tt.day))
		if err := w.Seats.Terms(w.clock()); err != nil {
			t.Fatal(err)
		}
		if ending, ended := w.mails("term.ending", w.ada), w.mails("term.ended", w.ada); ending != tt.ending || ended != tt.ended {
			t.Errorf("day %d: %d warnings and %d ends, want %d and %d", tt.day, ending, ended, tt.ending, tt.ended)
		}
	}
	if n := w.mails("term.ending", w.ben); n != 1 {
		t.Errorf("%d warnings for a term of nine days, want 1", n)
	}
	w.Visitor().Get(seatPath(seat)).Want(200, "The term ended")
	w.Visitor().Get("/commissions/energy/roster").Want(200).Lacks("Ada Lovelace")
	w.At(time.Time{})
}

func TestOutsiders(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/commissions/nowhere/roster", "/commissions/nowhere/apply", "/commissions/energy/seats/nonsense", "/commissions/energy/applications/" + uuid.NewString(),
		"/organizations/acme/seats", "/organizations/nowhere/seats", "/commissions/energy/invitations", "/commissions/energy/seats/new", "/invitations/" + uuid.NewString(), "/invitations/x"} {
		w.nobody.Get(path).Want(404, "There is no such page")
	}
}

// TestOnlyChairsMakeOfficers: a secretary keeps seats, and makes nobody an officer by
// any of the ways there are, nor touches an officer's seat.
func TestOnlyChairsMakeOfficers(t *testing.T) {
	w := newWorld(t)
	seat := uuid.Must(uuid.NewV7())
	w.sit(uuid.Must(uuid.NewV7()), w.ada, "secretary", nil)
	w.sit(seat, w.ben, "observer", nil)
	application := "/commissions/energy/applications/" + w.apply(w.nobody, "invited_expert", "")
	w.ada.Post(application+"/approve", "role", "vice_chair").Want(403)
	w.ada.Post("/commissions/energy/invitations", "role", "vice_chair", "addresses", "x@example.org").Want(403)
	w.ada.API("PATCH", "/commissions/energy/seats/"+seat.String(), map[string]any{"role": "vice_chair"}, "If-Match", `"v1"`).Want(403)
	w.ada.API("PATCH", "/commissions/energy/seats/"+w.chairSeat.String(), map[string]any{"role": "observer"}, "If-Match", `"v1"`).Want(403)
	w.ada.Post("/commissions/energy/roster/bulk", "act", "role", "role", "vice_chair", "ids", seat.String()+":1").Want(409)
	w.ada.Get("/commissions/energy/seats/"+seat.String()+"/edit").Want(200, `value="observer"`).Lacks(`value="vice_chair"`)
	w.chair.Get("/commissions/energy/seats/"+seat.String()+"/edit").Want(200, `value="vice_chair"`)
	if n := w.live("vice_chair"); n != 0 {
		t.Errorf("%d vice chairs", n)
	}
}
