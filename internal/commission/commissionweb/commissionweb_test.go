package commissionweb_test

import (
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/commission"
)

var draft = map[string]any{
	"name": "Grid Storage", "acronym": "GRID", "kind": "commission", "sector": "energy",
	"purpose": "Batteries, pumped water and hydrogen that keep the lights on.", "charter": "# Scope\n\nStorage of electric energy in public grids.",
}

func TestPropose(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	form := func(name, acronym, purpose string) []string {
		return []string{"name", name, "acronym", acronym, "kind", "commission", "sector", "energy", "purpose", purpose, "charter", "What it is there to do, at some length."}
	}
	const purpose = "Batteries and water that keep the lights on."
	for _, tt := range []struct {
		name   string
		who    *apptest.Client
		form   []string
		status int
		want   string
	}{
		{"a visitor is asked to sign in", p.Visitor(), form("Grid Storage", "GRID", purpose), 401, "Sign in"},
		{"too short keeps what was typed", ada, form("Grid Storage", "GRID", "Short <b>"), 422, "Short &lt;b&gt;</textarea>"},
		{"bad acronym is said at the field", ada, form("Grid Storage", "grid storage!", purpose), 422, "Use 2 to 40 letters"},
		{"proposes", ada, form("Grid Storage", "grid", purpose), 303, ""},
		{"the name is taken", ada, form("Grid  Storage", "GRID2", purpose), 422, "of this name is there already"},
		{"the acronym is taken", ada, form("Grid Storage Two", "GRID", purpose), 422, "has this acronym"},
	} {
		tt.who.Post("/commissions", tt.form...).Want(tt.status, tt.want)
		t.Log(tt.name)
	}
	p.Visitor().Get("/commissions/grid-storage").Want(200, "Grid Storage", "Proposed", purpose)
	p.Visitor().Get("/commissions?q=storage").Want(200, "Grid Storage")
	p.Visitor().Get("/commissions?q=nothing-like-it").Want(200, "No commission is like that")
	if n := apptest.Value[int](p, `SELECT count(*) FROM journal_entry WHERE object = 'commission' AND action = 'propose'`); n != 1 {
		t.Errorf("%d journal entries, want 1", n)
	}
}

func TestProposeAPI(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	p.Visitor().API("POST", "/commissions", draft).Want(401, `"type":"/problems/sign-in"`)
	first := ada.API("POST", "/commissions", draft, "Idempotency-Key", "k1").Want(201, `"slug":"grid-storage"`)
	again := ada.API("POST", "/commissions", draft, "Idempotency-Key", "k1").Want(201)
	if first.Body != again.Body || first.Location() != again.Location() {
		t.Errorf("the repetition answered otherwise:\n%s\n%s", first.Body, again.Body)
	}
	ada.API("POST", "/commissions", draft, "Idempotency-Key", "k2").Want(422, `"fields":{"name":`)
	other := map[string]any{"name": "Other"}
	ada.API("POST", "/commissions", other, "Idempotency-Key", "k1").Want(422, "another request")
	c := apptest.JSON[commission.Commission](p.Visitor().API("GET", "/commissions/grid-storage", nil).Want(200))
	if c.State != commission.Proposed || c.Acronym != "GRID" {
		t.Errorf("got %+v", c)
	}
	p.Visitor().API("GET", "/commissions/nowhere", nil).Want(404, `"type":"/problems/not-found"`)
	p.Visitor().API("GET", "/commissions?limit=500", nil).Want(422, `"limit"`)
	p.Visitor().API("GET", "/commissions?cursor=x", nil).Want(422, `"cursor"`)
}
