package accountweb_test

import (
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
)

// TestAddress changes an address in every way that it can go: confirmed by many at
// once, replayed, too late, stopped, taken by somebody, meanwhile or before.
func TestAddress(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	const first, second = "ada@example.org", "ada@home.example"
	ada, eve := newAccount(t, p, first), newAccount(t, p, "eve@example.org")
	sessions := func(email string) int {
		return apptest.Value[int](p, `SELECT count(*) FROM session s JOIN person p ON p.id = s.person_id WHERE p.email = $1`, email)
	}
	nth := map[string]int{}
	// ask asks for an address, and returns the links that confirm and stop it.
	ask := func(c *apptest.Client, from, to string) (confirm, stop string) {
		t.Helper()
		c.Post("/profile/address", "email", to).Want(303)
		nth["moving "+from]++
		nth["move "+to]++
		_, stop = letter(t, p, "account.moving", from, nth["moving "+from])
		_, confirm = letter(t, p, "account.move", to, nth["move "+to])
		return confirm, stop
	}
	for _, tt := range []struct{ email, want string }{{"", "Fill this in"}, {"no address", "This is not an e-mail address"}, {"ADA@example.org", "This is your address already"}} {
		ada.Post("/profile/address", "email", tt.email).Want(422, tt.want)
		ada.API("POST", "/persons/me/address", map[string]string{"email": tt.email}).Want(422)
	}

	// Somebody else's address: the same answer, the same page, and a letter to that somebody.
	free := ada.API("POST", "/persons/me/address", map[string]string{"email": "bob@example.org"}).Want(200, `"email":"bob@example.org"`)
	letter(t, p, "account.move", "bob@example.org", 1)
	taken := ada.API("POST", "/persons/me/address", map[string]string{"email": "eve@example.org"}).Want(200, `"email":"eve@example.org"`)
	said := func(r apptest.Reply, email string) string {
		before, _, _ := strings.Cut(strings.ReplaceAll(r.Body, email, "…"), `"expires_at"`)
		return before
	}
	if a, b := said(free, "bob@example.org"), said(taken, "eve@example.org"); a != b {
		t.Errorf("the answers differ:\n%s\n%s", a, b)
	}
	letter(t, p, "account.wanted", "eve@example.org", 1)
	settled(t, p)
	// Nor does the journal tell, which a person reads in the export of everything.
	if said := apptest.Value[string](p, `SELECT string_agg(DISTINCT note->>'text', E'\n') FROM journal_entry j JOIN person p ON p.id = j.object_id WHERE p.email = $1 AND action = 'move'`, first); strings.Contains(said, "\n") {
		t.Errorf("of a free address and of somebody else's the journal says\n%s", said)
	}
	ada.API("GET", "/persons/me/address", nil).Want(200, `"email":"eve@example.org"`)
	ada.Get("/profile/address").Want(200, "eve@example.org", "have not confirmed it yet")
	if n := apptest.Value[int](p, `SELECT count(*) FROM mail WHERE kind = 'account.move' AND to_address = 'eve@example.org'`); n != 0 {
		t.Error("a link went to somebody else")
	}
	ada.API("DELETE", "/persons/me/address", nil).Want(204)
	ada.API("DELETE", "/persons/me/address", nil).Want(404)
	nth["moving "+first] = 2

	// Asked for anew, the first links are good for nothing; stopped, the second ones are.
	old, oldStop := ask(ada, first, second)
	confirm, stop := ask(ada, first, second)
	for _, dead := range []string{old, oldStop} {
		p.Visitor().Get(dead).Want(404, "its time is over")
		p.Visitor().Post(dead).Want(404)
	}
	p.Visitor().Get(stop).Want(200, second, "Stop it")
	p.Visitor().Get(stop).Want(200) // opened by a mail scanner: nothing has happened
	p.Visitor().Post(stop).Want(303)
	p.Visitor().Post(confirm).Want(404)
	p.Visitor().Post(stop).Want(404)
	ada.Get("/profile").Want(303) // whoever asked is out
	ada.Post("/sign-in", "email", first, "password", password).Want(303)
	// More than a few an hour are too many, from wherever.
	ada.Post("/profile/address", "email", second).Want(303)
	ada.Post("/profile/address", "email", second).Want(429)
	letter(t, p, "account.move", second, 3)
	now := p.Now()
	p.At(now.Add(25 * time.Hour))
	ada.Post("/sign-in", "email", first, "password", password)
	late := func() string {
		p.At(now.Add(25 * time.Hour))
		nth["moving "+first], nth["move "+second] = 5, 3
		confirm, _ := ask(ada, first, second)
		p.At(now.Add(50 * time.Hour))
		return confirm
	}()
	p.Visitor().Get(late).Want(404)
	p.Visitor().Post(late).Want(404)

	// What waits at the address goes along; a link to set a password that was mailed there does not.
	ada.Post("/sign-in", "email", first, "password", password)
	p.Exec(`INSERT INTO commission (slug, acronym, name, kind, state) SELECT x, upper(x), initcap(x), 'commission', 'active' FROM unnest(ARRAY['energy', 'rail']) x`)
	p.Exec(`INSERT INTO invitation (commission_id, email, role, hash, invited_by, expires_at) SELECT c.id, x, 'observer', sha256((c.slug || x)::bytea), p.id, now() + interval '100 days'
		FROM commission c, person p, unnest(ARRAY['ada@example.org', 'ada@home.example']) x WHERE p.email = 'eve@example.org' AND (c.slug = 'rail' OR x = 'ada@example.org')`)
	p.Exec(`INSERT INTO identity (issuer, subject, person_id, email, created_at) SELECT 'https://login.example', 'ada', id, email, now() FROM person WHERE email = $1`, first)
	p.Visitor().Post("/reset", "email", first).Want(303)
	_, reset := letter(t, p, "account.reset", first, 1)
	other := p.Visitor()
	other.Post("/sign-in", "email", first, "password", password).Want(303)
	confirm, stop = ask(ada, first, second)
	ada.Get(confirm).Want(200, second)
	if got := atOnce(200, func(int) apptest.Reply { return ada.Post(confirm) }); got[303] != 1 || got[404] != 199 {
		t.Errorf("confirmed 200 times at once: %v", got)
	}
	ada.Post(confirm).Want(404)
	p.Visitor().Post(stop).Want(404)
	p.Visitor().Get(reset).Want(404)
	ada.Get("/profile").Want(200, second)
	other.Get("/profile").Want(303)
	if n := sessions(second); n != 1 {
		t.Errorf("%d sessions are left, want the one that confirmed", n)
	}
	letter(t, p, "account.moved", first, 1)
	p.Visitor().Post("/sign-in", "email", first, "password", password).Want(422)
	p.Visitor().Post("/sign-in", "email", second, "password", password).Want(303)
	if got := apptest.Value[string](p, `SELECT string_agg(c.slug || ' ' || i.email, ', ' ORDER BY c.slug, i.email) FROM invitation i JOIN commission c ON c.id = i.commission_id`); got != "energy ada@home.example, rail ada@example.org, rail ada@home.example" {
		t.Errorf("the invitations are %s", got)
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM identity i JOIN person p ON p.id = i.person_id WHERE p.email = $1`, second); n != 1 {
		t.Error("the linked account is gone")
	}

	// Two want one address: who confirms first has it. Nobody else's session ends by that.
	a, _ := ask(ada, second, "both@example.org")
	b, _ := func() (string, string) {
		eve.Post("/sign-in", "email", "eve@example.org", "password", password)
		eve.Post("/profile/address", "email", "both@example.org").Want(303)
		_, link := letter(t, p, "account.move", "both@example.org", 2)
		return link, ""
	}()
	ada.Post(b).Want(303) // in somebody else's browser: the link is the proof
	ada.Get("/profile").Want(200)
	eve.Get("/profile").Want(303)
	ada.Post(a).Want(409, "another account with this address")
	ada.Get("/profile").Want(200, second)
	p.Visitor().Post("/sign-in", "email", "both@example.org", "password", password).Want(303)
}
