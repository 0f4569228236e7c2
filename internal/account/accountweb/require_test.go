package accountweb_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
)

func TestRolesThatAskForAFactor(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	sam, ada := p.Secretariat(), newAccount(t, p, "ada@example.org")
	id := apptest.Value[uuid.UUID](p, `SELECT id FROM person WHERE email = 'ada@example.org'`)
	energy := uuid.Must(uuid.NewV7())
	p.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state, roster_visibility) VALUES ($1, 'energy', 'EN', 'Energy', 'commission', 'active', 'officers')`, energy)
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) VALUES (tstzrange(now() - interval '1 hour', NULL), $1, $2, 'Grace Hopper', 'chair', 'election')`, energy, id)
	ada.Get("/commissions/energy/access").Want(200)
	program := p.Visitor()
	program.Token = shownToken.FindString(ada.Post("/profile/tokens", "name", "T", "lifetime", "90").Want(200).Body)
	program.API("GET", "/commissions/energy/seats", nil).Want(200, "Grace Hopper")
	permit := func() access.Permit {
		t.Helper()
		who, err := p.Policy.ByPerson(context.Background(), p.DB, id, p.Now())
		if err != nil {
			t.Fatal(err)
		}
		permit, err := p.Policy.Require(context.Background(), who, access.Commission(energy), "commission", "settings")
		if err != nil {
			t.Fatal(err)
		}
		return permit
	}
	before := permit()

	// Who may name roles, and which.
	ada.Get("/settings/factors").Want(404)
	ada.API("PUT", "/settings/factors", map[string]any{"roles": []string{}}).Want(404)
	sam.Get("/settings/factors").Want(200, "Vice chair").Lacks("checked")
	sam.API("PUT", "/settings/factors", map[string]any{"roles": []string{"emperor"}}).Want(422, "There is no such role")
	sam.Post("/settings/factors", "role", "secretariat", "role", "chair").Want(409, "your own roles would rest", `value="chair" checked`)
	sam.Post("/settings/factors", "role", "chair", "role", "secretary").Want(303)
	sam.Get("/settings/factors").Want(200, `value="chair" checked`, "The roles of 1 person rest now", "1 person has it and no second factor.")
	sam.API("GET", "/settings/factors", nil).Want(200, `"roles":["chair","secretary"]`, `"lacking":1`, `"without":{"chair":1,"secretariat":1}`)

	// The chair has the rights of a person now: by page, API, token and in a change under way.
	ada.Get("/commissions/energy/settings").Want(403)
	ada.Get("/commissions/energy/access").Want(404)
	ada.Get("/commissions").Want(200, "all your roles rest", "Set it up")
	program.API("GET", "/commissions/energy/seats", nil).Want(404)
	program.API("GET", "/persons/me", nil).Want(200)
	err := journal.Change(context.Background(), p.DB, before, func(tx *journal.Tx) error { return tx.Record(energy, journal.Say("Done")) })
	if !errors.Is(err, access.ErrLost) {
		t.Errorf("a change that was allowed before is made: %v", err)
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM (`+holding+`) x`, energy, "{chair}", time.Now()); n != 0 {
		t.Errorf("letters go to %d whose role rests", n)
	}
	ada.Post("/sign-out").Want(303)
	if to := ada.Post("/sign-in", "email", "ada@example.org", "password", password, "next", "/commissions").Want(303).Location(); to != "/profile/factors" {
		t.Errorf("signing in leads to %q", to)
	}
	ada.Get("/profile/factors").Want(200, "Your role asks for a second factor: Chair.")

	// With a factor all is as it was.
	ada.Post("/profile/factors/app").Want(303)
	secret := shownSecret.FindStringSubmatch(ada.Get("/profile/factors/app").Body)[1]
	ada.Post("/profile/factors/app/confirm", "code", codeAt(t, secret, p.Now())).Want(200)
	ada.Get("/commissions/energy/settings").Want(200).Lacks("all your roles rest")
	program.API("GET", "/commissions/energy/seats", nil).Want(200, "Grace Hopper")
	if err := journal.Change(context.Background(), p.DB, permit(), func(tx *journal.Tx) error { return tx.Record(energy, journal.Say("Done")) }); err != nil {
		t.Error(err)
	}

	// The secretariat removes factors that are lost.
	path := "/persons/" + id.String() + "/factors/remove"
	ada.Get(path).Want(404)
	ada.Post(path, "reason", "x").Want(404)
	sam.Get("/persons/"+id.String()).Want(200, "Second factor lost…")
	sam.Get(path).Want(200, "The app for codes", "10 recovery codes")
	sam.Post(path, "reason", " ").Want(422, "Fill this in")
	sam.Post(path, "reason", "Called the number in the register.").Want(303)
	sam.API("POST", "/persons/"+id.String()+"/factors/remove", map[string]any{"reason": "Again."}).Want(409)
	sam.API("POST", "/persons/"+sam.ID.String()+"/factors/remove", map[string]any{"reason": "Mine."}).Want(409)
	ada.Get("/commissions/energy/settings").Want(403)
	letter(t, p, "account.factor", "ada@example.org", 2)
	sam.API("PUT", "/settings/factors", map[string]any{"roles": []string{}}).Want(200, `"lacking":0`)
	ada.Get("/commissions/energy/settings").Want(200)
	if n := apptest.Value[int](p, `SELECT count(*) FROM journal_entry WHERE object = 'factor' AND action = 'require'`); n != 2 {
		t.Errorf("%d entries in the journal", n)
	}
}

var holding = access.Holding
