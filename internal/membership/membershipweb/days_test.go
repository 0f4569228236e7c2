package membershipweb_test

import (
	"bytes"
	"testing"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/intake"
)

// The days of a term are the convention's: whoever writes or reads them, and
// wherever, means the same ones.
func TestDaysOfTheConvention(t *testing.T) {
	w := newWorld(t, func(c *app.Config) { c.TimeZone = "Europe/Paris" })
	w.At(time.Date(2027, 8, 10, 23, 30, 0, 0, time.UTC)) // the 11th in Paris and Auckland, the 10th in Los Angeles
	w.Exec(`UPDATE seat SET period = tstzrange('2027-01-01', NULL)`)
	w.Exec(`UPDATE affiliation SET period = tstzrange('2026-01-01', NULL)`)
	sam := w.Secretariat()
	w.Exec(`UPDATE person SET time_zone = 'Pacific/Auckland' WHERE id IN ($1, $2, $3)`, w.chair.ID, w.ben.ID, w.rep.ID)
	w.Exec(`UPDATE person SET time_zone = 'America/Los_Angeles' WHERE id IN ($1, $2)`, w.ada.ID, sam.ID)
	w.Exec(`INSERT INTO support (commission_id, person_id, created_at) SELECT $1, id, now() FROM person`, w.energy)
	const first, last, end = "11\u00a0Aug\u00a02027", "31\u00a0Aug\u00a02027", "2027-08-31T22:00:00Z"

	// Written in Auckland and in Los Angeles, it is the same instant.
	w.chair.Post("/commissions/energy/seats", "person", w.ada.Email, "role", "observer", "organization", "acme", "from", "2027-08-11", "until", "2027-08-31").Want(303)
	adas := "/seats/" + apptest.Value[string](w.Portal, `SELECT id FROM seat WHERE person_id = $1`, w.ada.ID)
	seat := sam.API("POST", "/commissions/energy/seats", map[string]any{"person": w.ben.Email, "role": "observer", "organization": "acme", "until": "2027-08-31"}).Want(201, `"until":"`+end+`"`).Location()
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM seat WHERE upper(period) = $1`, end); n != 2 {
		t.Fatalf("%d terms end as the first of September begins in Paris, want 2", n)
	}
	seat = "/commissions/energy/seats/" + seat[len(seat)-36:]

	for _, who := range []struct {
		*apptest.Client
		desk bool
	}{{w.chair, false}, {w.ada, true}, {w.ben, true}, {sam, false}, {w.Visitor(), false}} {
		who.Get("/commissions/energy/roster").Want(200, first+" – "+last).Lacks("1\u00a0Sep\u00a02027", "30\u00a0Aug")
		who.Get("/commissions/energy/roster?as_of=2027-08-10").Want(200, "when 10\u00a0Aug\u00a02027 was over").Lacks(adas)
		who.Get("/commissions/energy/roster?as_of=2027-08-11").Want(200, adas)
		who.Get(seat).Want(200, first+" – "+last)
		who.Get("/commissions/energy/roster.csv").Want(200, "2027-08-11,2027-08-31").Lacks("2027-09-01", "2027-08-30")
		if who.desk {
			who.Get("/desk").Want(200, last, "until "+last).Lacks("1\u00a0Sep", "30\u00a0Aug")
		}
	}
	for _, who := range []*apptest.Client{w.chair, sam} {
		who.Get(seat+"/edit").Want(200, `value="2027-08-31"`)
		who.Post("/commissions/energy/roster/preview", "act", "term", "until", "2027-09-15", "ids", seat[len(seat)-36:]).Want(200, "Term ends on 15\u00a0Sep\u00a02027", "Term ends on "+last)
	}
	w.rep.Get("/organizations/acme/seats").Want(200, last)
	w.rep.Get("/organizations/acme/seats?as_of=2027-08-10").Want(200).Lacks("Ada Lovelace")
	sam.Get("/persons/"+w.ben.ID.String()).Want(200, last).Lacks("1\u00a0Sep")
	for _, who := range []*apptest.Client{w.ada, w.ben} {
		text := apptest.Value[string](w.Portal, `SELECT text FROM mail WHERE kind = 'seat.given' AND to_address = $1`, who.Email)
		if !bytes.Contains([]byte(text), []byte("It begins on "+first+" and ends on "+last)) {
			t.Errorf("the letter to %s: %s", who.Name, text)
		}
	}

	// A usual term ends with a day, too.
	w.Exec(`UPDATE commission SET term_months = 6`)
	sam.API("POST", "/commissions/energy/seats", map[string]any{"person": w.nobody.Email, "role": "invited_expert"}).Want(201, `"until":"2028-02-10T23:00:00Z"`)
	w.chair.Get("/commissions/energy/seats/new").Want(200, `value="2028-02-10"`)

	// So does what a file says, and the usual term of a line that says nothing.
	file := []byte("name,email,role,from,until\nIda Import,ida@example.org,observer,2027-08-01,2027-08-31\nIan Import,ian@example.org,observer,2027-08-31,\n")
	i, err := w.Imports.File(w.clock(), "", intake.Upload{Kind: "seats", Commission: "energy", FileName: "seats.csv"}, bytes.NewReader(file), int64(len(file)), false, func(int) {})
	if err != nil || i.Created != 2 {
		t.Fatalf("%+v, %v", i, err)
	}
	if got := apptest.Value[string](w.Portal, `SELECT string_agg(to_char(lower(period) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24') || ' ' || to_char(upper(period) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24'), ', ' ORDER BY sort_name DESC)
		FROM seat WHERE sort_name LIKE '% Import'`); got != "2027-07-31 22 2027-08-31 22, 2027-08-30 22 2028-02-29 23" {
		t.Errorf("imported %s", got)
	}

	// The last day is whole, and the term is over with it.
	w.At(time.Date(2027, 8, 31, 21, 59, 0, 0, time.UTC))
	w.Visitor().Get("/commissions/energy/roster").Want(200, "Ada Lovelace")
	if err := w.Seats.Terms(w.clock()); err != nil {
		t.Fatal(err)
	}
	w.At(time.Date(2027, 9, 1, 22, 0, 0, 0, time.UTC))
	for _, who := range []*apptest.Client{w.chair, sam} {
		who.Get("/commissions/energy/roster?as_of=2027-08-31").Want(200, "Ada Lovelace")
		who.Get("/commissions/energy/roster?as_of=2027-09-01").Want(200).Lacks("Ada Lovelace")
		who.Get(seat).Want(200, last)
	}
	w.At(time.Time{})
}
