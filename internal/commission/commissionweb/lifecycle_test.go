package commissionweb_test

import (
	"sync"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
)

// A commission is founded, works, rests, works again and concludes: on its pages.
func TestLife(t *testing.T) {
	w := newWorld(t)
	const page = "/commissions/grid-storage"
	ben, eve, visitor := w.Person("Ben Bell"), w.Person("Eve Ecker"), w.Visitor()

	w.ada.Get(page).Want(200, "What comes next", "It needs 5 supporters and has 1.", "Lacking:")
	w.ada.Get(page+"/call").Want(200, "Something is lacking still", "It needs the support of 3 organizations and has that of 0.").Lacks("<form class=\"form\"")
	w.ada.Post(page+"/call").Want(409, "It needs support from 2 countries and has it from 0.")
	ben.Get(page + "/call").Want(403)
	visitor.Get(page + "/call").Want(303)
	visitor.Get("/commissions/nowhere/call").Want(404)
	w.wantState("proposed")

	w.found()
	w.ada.Get(page+"/call").Want(200, "Send out the call", "Fulfilled:").Lacks("Lacking:")
	w.ada.Post(page + "/call").Want(303)
	w.wantState("forming")
	w.wantMails("commission.call", nil, 5)
	visitor.Get(page).Want(200, "Forming", page+"/apply").Lacks("Send people here")
	w.ada.Get(page+"/call").Want(409, "cannot become forming")

	w.ada.Get(page).Want(200, "It needs a chair. Appoint one on the roster page.", "The secretariat activates it when all of this is there.").Lacks(page + "/activate")
	visitor.Get(page).Want(200, page+"/supporters").Lacks("It needs a chair.")
	w.staff.Get(page).Want(200, "It needs a chair. Appoint one on the roster page.", "It needs a secretary.", "Its charter has not been adopted.")
	w.ada.Get(page + "/activate").Want(403)
	w.staff.Post(page+"/activate").Want(409, "It needs a chair.", "It needs a secretary.", "has not been adopted")
	visitor.API("GET", page+"/about", nil).Want(200, `"support":{"persons":5,"organizations":3,"countries":2}`, `"chair":false`, `"adopted":false`, `"officers":[]`)
	w.sit(ben, "chair")
	secretary := w.sit(eve, "secretary")
	w.Exec(`UPDATE seat SET suspended = true WHERE id = $1`, secretary)
	ben.Get(page+"/charter/adopt").Want(200, "Adopt revision 1")
	ben.Post(page+"/charter/adopt", "number", "1").Want(303)
	w.staff.Post(page+"/activate").Want(409, "It needs a secretary.").Lacks("<strong>It needs a chair.")
	w.Exec(`UPDATE seat SET suspended = false WHERE id = $1`, secretary)
	w.staff.Post(page + "/activate").Want(303)
	w.wantState("active")
	visitor.API("GET", page+"/about", nil).Want(200, `"name":"Ben Bell","role":"chair"`, `"name":"Eve Ecker","role":"secretary"`, `"seats":2`, `"growth":[{`)
	w.wantMails("commission.activate", nil, 7) // five supporters, two with seats
	w.ada.Get(page + "/history").Want(404)     // no longer the convener's

	ben.Post(page+"/rest", "reason", "").Want(422, "Say why. Everybody concerned reads it.")
	ben.Post(page+"/rest", "reason", "Nobody has time <b>now</b>.").Want(303)
	w.wantState("dormant")
	w.wantMails("commission.rest", eve, 1)
	visitor.Get(page).Want(200, "It rests since").Lacks(page + "/apply")
	ben.Post(page + "/revive").Want(303)
	w.wantState("active")

	ben.Get(page + "/conclude").Want(403)
	w.staff.Get(page+"/conclude").Want(200, "This ends", "2 seats", "Its page, its charter and its history")
	w.staff.Post(page+"/conclude", "reason", "It is done.").Want(303)
	w.wantState("concluded")
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM seat WHERE period @> now()`); n != 0 {
		t.Errorf("%d seats are still held", n)
	}
	w.wantMails("seat.ended", ben, 1)
	w.staff.Get(page+"/history").Want(200, "Concluded Grid Storage", "It is done.", "Nobody has time &lt;b&gt;now&lt;/b&gt;.", "Sent out the call for participation in Grid Storage", "Ada Lovelace")
	w.staff.Get(page+"/settings").Want(409, "nothing of it can be changed any more")
	visitor.Get(page).Want(200, "It concluded on")
}

func TestTransitionAPI(t *testing.T) {
	w := newWorld(t)
	const path = "/commissions/grid-storage/transitions"
	to := func(state, reason string) map[string]any { return map[string]any{"to": state, "reason": reason} }
	ben := w.Person("Ben Bell")
	w.Visitor().API("POST", path, to("forming", "")).Want(401)
	ben.API("POST", path, to("forming", "")).Want(403)
	ben.API("POST", "/commissions/nowhere/transitions", to("forming", "")).Want(404)
	w.ada.API("POST", path, to("forming", "")).Want(409, `"persons":"It needs 5 supporters and has 1.`, `"organizations":"`, `"countries":"`)
	w.ada.API("POST", path, to("active", "")).Want(409, "It is proposed now, and cannot become active.")
	w.ada.API("POST", path, to("nonsense", "")).Want(422, `"to"`)
	w.ada.API("POST", path, to("abandoned", "")).Want(422, `"reason":"Say why.`)
	w.ada.API("POST", path, to("abandoned", "Nobody came.")).Want(200, `"state":"abandoned"`)
	w.ada.API("POST", path, to("forming", "")).Want(409)
	w.wantMails("commission.abandon", w.ada, 1)
	w.staff.API("GET", "/commissions/grid-storage/history", nil).Want(200, "Abandoned Grid Storage", "Nobody came.")
	ben.API("GET", "/commissions/grid-storage/history", nil).Want(404)
}

// A body that others sit under ends after them.
func TestConcludeFromBelow(t *testing.T) {
	w := newWorld(t)
	w.state("active")
	w.ada.API("POST", "/commissions", map[string]any{"name": "Grid Batteries", "acronym": "GRID-B", "kind": "working_group", "parent": "grid-storage", "sector": "energy",
		"purpose": "Batteries in public grids.", "charter": "Batteries in public grids, their safety and their cost."}).Want(201)
	w.staff.Post("/commissions/grid-storage/conclude", "reason", "Done.").Want(409, "Bodies under it that have not ended: 1.")
	w.Visitor().Get("/commissions/grid-storage").Want(200, "Grid Batteries")
	w.ada.API("POST", "/commissions/grid-batteries/transitions", map[string]any{"to": "abandoned", "reason": "No."}).Want(200)
	w.staff.Post("/commissions/grid-storage/conclude", "reason", "Done.").Want(303)
}

// Of two who decide at once, one is told that it has happened.
func TestTwoTransitionsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.state("active")
	replies := make([]apptest.Reply, 4)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() {
			replies[i] = w.staff.API("POST", "/commissions/grid-storage/transitions", map[string]any{"to": "dormant", "reason": "Pause."})
		})
	}
	all.Wait()
	won := 0
	for _, r := range replies {
		if r.Status == 200 {
			won++
		} else {
			r.Want(409, "It is dormant now")
		}
	}
	if won != 1 {
		t.Errorf("%d of %d succeeded", won, len(replies))
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE action = 'rest'`); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}

// A chair who leaves at the moment of activation does so before it or after.
func TestChairLeavesDuringActivation(t *testing.T) {
	w := newWorld(t)
	w.state("forming")
	ben, eve := w.Person("Ben Bell"), w.Person("Eve Ecker")
	chair := w.sit(ben, "chair")
	w.sit(eve, "secretary")
	w.Exec(`UPDATE charter SET adopted_at = now()`)
	tx := w.DB.MustBegin()
	tx.MustExec(`UPDATE seat SET period = tstzrange(lower(period), now()) WHERE id = $1`, chair)
	var activated apptest.Reply
	var waiting sync.WaitGroup
	waiting.Go(func() { activated = w.staff.Post("/commissions/grid-storage/activate") })
	for end := time.Now().Add(10 * time.Second); apptest.Value[int](w.Portal, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 0; {
		if time.Now().After(end) {
			t.Fatal("the activation did not wait for the seat")
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	waiting.Wait()
	activated.Want(409, "It needs a chair.")
	w.wantState("forming")
}
