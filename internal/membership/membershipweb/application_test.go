package membershipweb_test

import (
	"strings"
	"sync"
	"testing"

	"commissionportal/internal/app/apptest"
)

func TestApply(t *testing.T) {
	w := newWorld(t)
	const form = "/commissions/energy/apply"
	w.Visitor().Get("/commissions/energy/apply").Want(303)
	w.nobody.Get(form).Want(200, "in a personal capacity", "Find your organization", `value="invited_expert"`, `value="observer"`).Lacks("voting_representative", "liaison_officer")
	w.nobody.Post(form, "role", "voting_representative").Want(422, "Choose the organization", `href="#f-role"`).Lacks("For which organization?")
	w.ada.Get(form).Want(200, "Acme", "Its officers decide", "Needed for representatives", `value="voting_representative"`, `value="liaison_officer"`)
	pending := w.Person("Petra Pending")
	pending.Post("/organizations", "name", "Nova Grid", "kind", "company", "country", "DE", "website", "https://nova.example").Want(303)
	pending.Get(form).Want(200, "Nova Grid is being looked at by the secretariat", "in a personal capacity").Lacks("voting_representative", "Find your organization")
	claims := w.Person("Clara Claims")
	w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, period) VALUES ($1, $2, 'claimed', tstzrange(now() - interval '1 day', NULL))`, claims.ID, w.acme)
	claims.Get(form).Want(200, "Acme has not confirmed yet that you act for it").Lacks("voting_representative")
	w.takesPart("O")
	w.ada.Get(form).Want(200, "Acme", `value="observer"`).Lacks("voting_representative", "liaison_officer")
	w.Exec(`DELETE FROM participation`)
	for _, tt := range []struct {
		name   string
		who    *apptest.Client
		form   []string
		status int
		want   string
	}{
		{"a visitor signs in", w.Visitor(), []string{"role", "observer"}, 401, "Sign in"},
		{"a role is needed, what was typed stays", w.ada, []string{"statement", "Hello <b>"}, 422, "Hello &lt;b&gt;</textarea>"},
		{"voting needs an organization", w.ada, []string{"role", "voting_representative"}, 422, "Choose the organization"},
		{"an expert stands for none", w.ada, []string{"role", "invited_expert", "organization", "acme"}, 422, "personal capacity"},
		{"not one's organization", w.nobody, []string{"role", "observer", "organization", "acme"}, 422, "does not act for this organization"},
		{"no such organization", w.ada, []string{"role", "observer", "organization", "nowhere"}, 422, "no such organization"},
		{"too long", w.ada, []string{"role", "observer", "statement", strings.Repeat("x", 5001)}, 422, "at most 5,000"},
		{"goes to the queue", w.ada, []string{"role", "voting_representative", "organization", "acme"}, 303, ""},
		{"twice is refused kindly", w.ada, []string{"role", "voting_representative", "organization", "acme"}, 409, "There is an application"},
	} {
		t.Log(tt.name)
		tt.who.Post(form, tt.form...).Want(tt.status, tt.want)
	}
	w.wantMail("application.received", w.chair, 1)
	for mode, want := range map[string]string{"invitation": "given by invitation", "closed": "is closed"} {
		w.Exec(`UPDATE commission SET join_mode = $1`, mode)
		w.ben.Get("/commissions/energy/apply").Want(200, want)
		w.ben.Post(form, "role", "invited_expert").Want(409, want)
	}
	w.Exec(`UPDATE commission SET join_mode = 'open', seats_per_organization = 1`)
	w.ben.Post(form, "role", "alternate_representative", "organization", "acme").Want(303)
	if w.live("alternate_representative") != 1 {
		t.Error("an open commission gave no seat")
	}
	w.wantMail("seat.given", w.ben, 1)
	w.wantMail("seat.taken", w.chair, 1)
	w.wantMail("seat.gained", w.rep, 1)
	w.rep.Post(form, "role", "observer", "organization", "acme").Want(409, "as many as an organization may have")
	w.Exec(`UPDATE commission SET state = 'dormant'`)
	w.rep.Post(form, "role", "invited_expert").Want(409, "is dormant")
}

func TestDecide(t *testing.T) {
	w := newWorld(t)
	// Ada is on a roster as well that the chair does not see.
	w.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, roster_visibility) VALUES ('closed', 'CLOSED', 'Closed', 'commission', 'active', 'officers')`)
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange(now() - interval '1 day', NULL), id, $1, $2, 'observer', 'chair' FROM commission WHERE slug = 'closed'`, w.ada.ID, w.ada.Name)
	id := w.apply(w.ada, "voting_representative", "acme")
	path := "/commissions/energy/applications/" + id
	w.ada.Get(path).Want(200, "Grids &lt;and&gt; storage", "The officers of Energy decide").Lacks(`action="` + path + `/approve"`)
	w.nobody.Get(path).Want(404)
	w.nobody.Get("/commissions/energy/applications").Want(404)
	w.ada.Post(path+"/approve", "role", "chair").Want(404)
	w.chair.Get("/commissions/energy/applications").Want(200, "Ada Lovelace", "Acme")
	w.chair.Get(path).Want(200, `action="`+path+`/approve"`, `href="/organizations/acme"`, `href="/commissions/energy"`).Lacks("/persons/" + w.ada.ID.String())
	w.chair.Post(path+"/reject").Want(422, "Say why")
	w.chair.Post(path+"/approve", "role", "voting_representative", "until", "2020-01-01").Want(422, "Choose a day that lies ahead", `value="2020-01-01"`)
	w.chair.Post(path+"/approve", "role", "observer", "voting", "true").Want(422, "has no vote")
	w.chair.Post(path+"/approve", "role", "voting_representative", "voting", "true", "until", "2999-12-31").Want(303)
	w.Visitor().Get("/commissions/energy/roster").Want(200, "Ada Lovelace", "Votes", "Germany")
	w.wantMail("application.approved", w.ada, 1)
	w.wantMail("seat.gained", w.rep, 1)
	w.chair.Get(path).Want(200, `href="/persons/`+w.ada.ID.String()+`"`)
	w.chair.Post(path+"/approve", "role", "voting_representative").Want(409, "Grace Hopper has approved this application already")
	w.chair.Post(path+"/reject", "reason", "Too late").Want(409, "Grace Hopper has approved")
	w.ada.Post(path+"/withdraw").Want(409, "approved")

	other := "/commissions/energy/applications/" + w.apply(w.ben, "observer", "")
	w.nobody.Post(other + "/withdraw").Want(404)
	w.ben.Get(other+"/withdraw").Want(200, "Withdraw the application")
	w.ben.Post(other + "/withdraw").Want(303)
	w.wantMail("application.withdrawn", w.chair, 1)
	w.chair.Post(other+"/approve", "role", "observer").Want(409, "Ben Stone has withdrawn")
	third := "/commissions/energy/applications/" + w.apply(w.ben, "observer", "")
	w.chair.Post(third+"/reject", "reason", "We have <enough> observers").Want(303)
	w.wantMail("application.rejected", w.ben, 1)
	w.ben.Get(third).Want(200, "We have &lt;enough&gt; observers", "Rejected")
	w.chair.Get("/commissions/energy/applications?state=decided").Want(200, "Ben Stone", "Rejected", "Withdrawn", "Approved")
	// Who appointed is said as it was.
	sam := w.Secretariat()
	fourth := w.apply(w.ben, "observer", "")
	sam.Post("/commissions/energy/applications/"+fourth+"/approve", "role", "observer").Want(303)
	w.Visitor().Get("/commissions/energy/seats/"+apptest.Value[string](w.Portal, `SELECT seat_id FROM application WHERE id = $1`, fourth)).Want(200, "appointed by the secretariat")
	w.Visitor().Get("/commissions/energy/roster.csv").Want(200, "the secretariat", "an officer of the commission")
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object = 'application' AND scope_id = $1`, w.energy); n != 8 {
		t.Errorf("%d journal entries of applications, want 6", n)
	}
}

func TestApplyAPI(t *testing.T) {
	w := newWorld(t)
	ask := map[string]any{"role": "voting_representative", "organization": "acme"}
	w.Visitor().API("POST", "/commissions/energy/applications", ask).Want(401)
	type out struct {
		Application struct{ ID string } `json:"application"`
	}
	id := apptest.JSON[out](w.ada.API("POST", "/commissions/energy/applications", ask, "Idempotency-Key", "1").Want(201)).Application.ID
	w.ada.API("POST", "/commissions/energy/applications", ask).Want(409, `"type":"/problems/conflict"`)
	w.ada.API("POST", "/commissions/energy/applications", map[string]any{"role": "king"}).Want(422, `"role"`)
	w.nobody.API("GET", "/commissions/energy/applications", nil).Want(404)
	w.chair.API("GET", "/commissions/energy/applications", nil).Want(200, id)
	w.ada.API("GET", "/commissions/energy/applications/"+id, nil).Want(200, `"state":"pending"`)
	w.chair.API("POST", "/commissions/energy/applications/"+id+"/reject", map[string]any{"reason": ""}).Want(422, `"reason"`)
	w.chair.API("POST", "/commissions/energy/applications/"+id+"/approve", map[string]any{"until": "x"}).Want(422, `"until"`)
	w.chair.API("POST", "/commissions/energy/applications/"+id+"/approve", map[string]any{}).Want(200, `"voting":true`)
	w.chair.API("POST", "/commissions/energy/applications/"+id+"/approve", map[string]any{}).Want(409)
	second := apptest.JSON[out](w.ben.API("POST", "/commissions/energy/applications", map[string]any{"role": "observer"}).Want(201)).Application.ID
	w.ben.API("POST", "/commissions/energy/applications/"+second+"/withdraw", nil).Want(200, `"state":"withdrawn"`)
	w.chair.API("POST", "/commissions/energy/applications/"+second+"/reject", map[string]any{"reason": "No."}).Want(409, "withdrawn")
}

// Of two chairs who approve at the same moment exactly one does; the other is told
// who was first.
func TestTwoChairsAtOnce(t *testing.T) {
	w := newWorld(t)
	other := w.Person("Ida Other")
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) VALUES (tstzrange(now() - interval '1 day', NULL), $1, $2, $3, 'chair', 'chair')`, w.energy, other.ID, other.Name)
	for range 5 {
		id := w.apply(w.ada, "observer", "")
		replies := make([]apptest.Reply, 2) // one through the API, one on the page
		var wg sync.WaitGroup
		wg.Go(func() {
			replies[0] = w.chair.API("POST", "/commissions/energy/applications/"+id+"/approve", map[string]any{})
		})
		wg.Go(func() {
			replies[1] = other.Post("/commissions/energy/applications/"+id+"/approve", "role", "observer")
		})
		wg.Wait()
		if replies[0].Status == 200 {
			replies[1].Want(409, "Grace Hopper has approved this application already")
		} else {
			replies[1].Want(303)
			replies[0].Want(409, "Ida Other has approved this application already")
		}
		if n := w.live("observer"); n != 1 {
			t.Fatalf("%d seats, want 1", n)
		}
		w.Exec(`DELETE FROM seat WHERE role = 'observer'`)
	}
}

// An organization that is suspended while its person is being approved: either
// the seat is given and ended by the suspension, or the approval is refused.
func TestSuspendedWhileApproved(t *testing.T) {
	w := newWorld(t)
	staff := w.Secretariat()
	refused := 0
	for n := range 6 {
		w.readmit()
		id := w.apply(w.ada, "voting_representative", "acme")
		var wg sync.WaitGroup
		var reply apptest.Reply
		wg.Go(func() {
			if n%2 == 0 {
				reply = w.chair.API("POST", "/commissions/energy/applications/"+id+"/approve", map[string]any{})
			} else {
				reply = w.chair.Post("/commissions/energy/applications/"+id+"/approve", "role", "voting_representative", "voting", "true")
			}
		})
		wg.Go(func() {
			staff.API("POST", "/organizations/acme/suspend", map[string]any{"reason": "Fees were not paid"}).Want(200)
		})
		wg.Wait()
		switch reply.Status {
		case 200, 303:
		case 409:
			refused++
		default:
			reply.Want(409)
		}
		if n := w.live("voting_representative"); n != 0 {
			t.Fatalf("approved with %d, and %d seats are held for a suspended organization", reply.Status, n)
		}
		if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM application WHERE state = 'pending'`); n != 0 {
			t.Fatalf("%d applications still wait", n)
		}
	}
	w.readmit()
	id := w.apply(w.ada, "voting_representative", "acme")
	w.Exec(`UPDATE organization SET state = 'suspended' WHERE id = $1`, w.acme)
	w.chair.API("POST", "/commissions/energy/applications/"+id+"/approve", map[string]any{}).Want(409, "Acme is no member of the convention")
	t.Logf("refused %d of 6", refused)
}

// readmit makes Acme a member again, with its people.
func (w *world) readmit() {
	w.Exec(`UPDATE organization SET state = 'member' WHERE id = $1`, w.acme)
	w.Exec(`UPDATE affiliation SET period = tstzrange(lower(period), NULL) WHERE organization_id = $1`, w.acme)
	w.Exec(`DELETE FROM participation WHERE organization_id = $1`, w.acme)
}

// A person whose affiliation ends while their application is being approved: no
// seat is left that they hold for the organization.
func TestUnaffiliatedWhileApproved(t *testing.T) {
	w := newWorld(t)
	staff := w.Secretariat()
	for range 6 {
		w.readmit()
		id := w.apply(w.ada, "voting_representative", "acme")
		acts := apptest.Value[string](w.Portal, `SELECT id FROM affiliation WHERE organization_id = $1 AND person_id = $2`, w.acme, w.ada.ID)
		var wg sync.WaitGroup
		var reply apptest.Reply
		wg.Go(func() {
			reply = w.chair.API("POST", "/commissions/energy/applications/"+id+"/approve", map[string]any{})
		})
		wg.Go(func() { staff.API("DELETE", "/organizations/acme/affiliations/"+acts, nil).Want(204) })
		wg.Wait()
		if reply.Status != 200 {
			reply.Want(409)
		}
		if n := w.live("voting_representative"); n != 0 {
			t.Fatalf("approved with %d, and %d seats are held by somebody who does not act for the organization", reply.Status, n)
		}
		if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM application WHERE state = 'pending'`); n != 0 {
			t.Fatalf("%d applications still wait", n)
		}
	}
}
