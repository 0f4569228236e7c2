package accountweb_test

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
)

func TestProfile(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	form := func(version int, name, country, zone string) []string {
		return []string{"version", strconv.Itoa(version), "name", name, "country", country, "language", "en", "time_zone", zone, "about", "Engines."}
	}
	ada.Get("/profile").Want(200, `value="Ada Lovelace"`, `name="version" value="1"`, `<optgroup label="Europe">`)
	ada.Post("/profile", form(1, "", "GB", "Europe/London")...).Want(422, "Fill this in")
	ada.Post("/profile", form(1, "Ada King", "XX", "Mars/Olympus")...).Want(422, "Choose a country", "Choose a time zone", `value="Ada King"`)
	ada.Post("/profile", "name", "Ada").Want(428)
	ada.Post("/profile", form(1, "Ada  King", "GB", "Europe/London")...).Want(303)
	ada.Get("/profile").Want(200, `value="Ada King"`, `name="version" value="2"`)
	ada.Post("/profile", form(1, "Ada Byron", "GB", "Europe/London")...).Want(412, "changed meanwhile", `value="Ada Byron"`, `name="version" value="2"`)
	p.Visitor().Post("/profile", form(2, "Eve", "GB", "Europe/London")...).Want(401)
	if n := p.Queries(func() { ada.Get("/profile").Want(200) }); n > 2 {
		t.Errorf("%d statements for the profile, want 2", n)
	}

	me := ada.API("GET", "/persons/me", nil).Want(200, `"name":"Ada King"`, `"time_zone":"Europe/London"`)
	if !strings.HasPrefix(me.Header.Get("ETag"), `"v2.`) {
		t.Errorf("ETag %s", me.Header.Get("ETag"))
	}
	ada.API("PATCH", "/persons/me", map[string]any{"about": "Notes."}).Want(428)
	ada.API("PATCH", "/persons/me", map[string]any{"about": "Notes."}, "If-Match", `"v1"`).Want(412)
	ada.API("PATCH", "/persons/me", map[string]any{"language": "tlh"}, "If-Match", `"v2"`).Want(422, `"language"`)
	ada.API("PATCH", "/persons/me", map[string]any{"theme": "pink"}, "If-Match", `"v2"`).Want(422, `"theme"`)
	ada.API("PATCH", "/persons/me", map[string]any{"about": "Notes.", "theme": "dark"}, "If-Match", `"v2"`).Want(200, `"about":"Notes."`, `"theme":"dark"`, `"name":"Ada King"`)
	p.Visitor().API("GET", "/persons/me", nil).Want(401)

	// Two at once from the same version: one of them counts.
	var wg sync.WaitGroup
	got := make([]int, 2)
	for i := range got {
		wg.Go(func() {
			got[i] = ada.API("PATCH", "/persons/me", map[string]any{"about": strconv.Itoa(i)}, "If-Match", `"v3"`).Status
		})
	}
	wg.Wait()
	if got[0]+got[1] != 200+412 {
		t.Errorf("both from one version: %v", got)
	}
}

func TestTheme(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	v := p.Visitor()
	if to := v.Post("/preferences/theme", "theme", "dark", "next", "/commissions?q=a").Want(303).Location(); to != "/commissions?q=a" {
		t.Errorf("leads to %q", to)
	}
	v.Get("/sign-in").Want(200, `data-bs-theme="dark"`)
	v.Post("/preferences/theme", "theme", "", "next", "https://evil.example").Want(303)
	v.Get("/sign-in").Want(200).Lacks("data-bs-theme")
	v.Post("/preferences/theme", "theme", "pink").Want(422)
	ada := p.Person("Ada Lovelace")
	ada.Post("/preferences/theme", "theme", "light").Want(303)
	if got := apptest.Value[string](p, `SELECT theme FROM person WHERE id = $1`, ada.ID); got != "light" {
		t.Errorf("the account has %q", got)
	}
	ada.Get("/profile").Want(200, `data-bs-theme="light"`)
	ada.Post("/preferences/theme", "theme", "").Want(303)
	ada.Get("/profile").Want(200).Lacks("data-bs-theme")
}

var shownToken = regexp.MustCompile(`portal_[A-Za-z0-9_-]{43}`)

func TestTokens(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	ada.Get("/profile/tokens").Want(200, "No token yet")
	ada.Post("/profile/tokens", "name", " ", "lifetime", "90").Want(422, "Fill this in")
	made := ada.Post("/profile/tokens", "name", "Roster sync", "lifetime", "90", "_key", "k").Want(200, "not shown again")
	text := shownToken.FindString(made.Body)
	ada.Get("/profile/tokens").Want(200, "Roster sync", "Read and change").Lacks(text)
	ada.Post("/profile/tokens", "name", "Roster sync", "lifetime", "90", "_key", "k").Want(409).Lacks(text)
	if n := apptest.Value[int](p, `SELECT count(*) FROM idempotency WHERE body IS NOT NULL`); n != 0 {
		t.Error("the answer with the token is kept")
	}
	letter(t, p, "account.token", ada.Email, 1)

	program := p.Visitor()
	program.Token = text
	program.API("GET", "/persons/me", nil).Want(200, `"email":"ada.lovelace@example.org"`)
	ada.Get("/profile/tokens").Want(200).Lacks("Never")
	reader := ada.API("POST", "/persons/me/tokens", map[string]any{"name": "Reader", "read_only": true, "expires_at": time.Now().Add(time.Hour)}, "Idempotency-Key", "r").Want(201, `"token":"portal_`)
	ada.API("POST", "/persons/me/tokens", map[string]any{"name": "Reader", "read_only": true}, "Idempotency-Key", "r").Want(422)
	ada.API("POST", "/persons/me/tokens", map[string]any{"name": "Past", "expires_at": "2001-01-01T00:00:00Z"}).Want(422, `"expires_at"`)
	program.Token = apptest.JSON[struct{ Token string }](reader).Token
	program.API("GET", "/persons/me", nil).Want(200)
	program.API("PATCH", "/persons/me", map[string]any{"about": "x"}, "If-Match", `"v1"`).Want(403, "may only read")
	program.API("POST", "/persons/me/tokens", map[string]any{"name": "Stronger"}).Want(403)
	p.At(time.Now().Add(2 * time.Hour))
	program.API("GET", "/persons/me", nil).Want(401, "has run out")
	p.At(time.Time{})

	list := apptest.JSON[struct{ Items []account.Token }](ada.API("GET", "/persons/me/tokens", nil).Want(200).Lacks(text)).Items
	if len(list) != 2 || list[0].Name != "Reader" || list[1].SeenAt == nil {
		t.Fatalf("tokens: %+v", list)
	}
	eve := p.Person("Eve")
	path := "/profile/tokens/" + list[1].ID.String() + "/revoke"
	eve.Get(path).Want(404)
	eve.Post(path).Want(404)
	eve.API("DELETE", "/persons/me/tokens/"+list[1].ID.String(), nil).Want(404)
	ada.Get(path).Want(200, "Revoke the token Roster sync?")
	ada.Post(path).Want(303)
	ada.Post(path).Want(404)
	program.Token = text
	program.API("GET", "/persons/me", nil).Want(401)
	ada.API("DELETE", "/persons/me/tokens/"+list[0].ID.String(), nil).Want(204)

	p.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at) SELECT sha256(n::text::bytea), $1, 'T' || n, true, now() FROM generate_series(1, 49) n`, ada.ID)
	var wg sync.WaitGroup
	got := make([]int, 3)
	for i := range got {
		wg.Go(func() { got[i] = ada.API("POST", "/persons/me/tokens", map[string]any{"name": "One more"}).Status })
	}
	wg.Wait()
	if got[0]+got[1]+got[2] != 201+409+409 {
		t.Errorf("three at once with room for one: %v", got)
	}
}

// seat gives somebody a seat in a new commission whose roster is seen by those
// of that visibility.
func seat(p *apptest.Portal, person uuid.UUID, name, visibility string) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	p.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state, roster_visibility) VALUES ($1, $2, $3, $4, 'commission', 'active', $5)`,
		id, strings.ToLower(name), strings.ToUpper(name), name, visibility)
	join(p, id, person)
	return id
}

func join(p *apptest.Portal, commission, person uuid.UUID) {
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
		SELECT tstzrange(now() - interval '1 day', NULL), $1, id, name, 'invited_expert', 'chair' FROM person WHERE id = $2`, commission, person)
}

func TestPersonPage(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada, bob, eve, staff, visitor := p.Person("Ada Lovelace"), p.Person("Bob"), p.Person("Eve"), p.Secretariat(), p.Visitor()
	path := "/persons/" + ada.ID.String()
	nobody := uuid.NewString()
	there, gone := visitor.Get(path).Want(404), visitor.Get("/persons/"+nobody).Want(404)
	if there.Body != strings.ReplaceAll(gone.Body, nobody, ada.ID.String()) {
		t.Error("somebody without a seat in sight looks other than nobody")
	}
	inside := seat(p, ada.ID, "Inside", "commission")
	join(p, inside, bob.ID)
	visitor.Get(path).Want(404)
	eve.Get(path).Want(404)
	eve.API("GET", path, nil).Want(404)
	bob.Get(path).Want(200, "Ada Lovelace", "Inside").Lacks(ada.Email)
	ada.Get(path).Want(200, "Inside", ada.Email)
	staff.Get(path).Want(200, "Inside", ada.Email, "Suspend")
	seat(p, ada.ID, "Portalwide", "portal")
	visitor.Get(path).Want(404)
	eve.Get(path).Want(200, "Portalwide").Lacks("Inside", ada.Email)
	seat(p, ada.ID, "Open", "public")
	visitor.Get(path).Want(200, "Ada Lovelace", "Open").Lacks("Inside", "Portalwide", ada.Email)
	r := visitor.API("GET", path, nil).Want(200, `"commission":"open"`).Lacks("inside", "portalwide", ada.Email, `"account"`)
	if p := apptest.JSON[account.Public](r); len(p.Seats) != 1 || p.Affiliations == nil {
		t.Errorf("%+v", p)
	}
	bob.API("GET", path, nil).Want(200, `"inside"`)
	if n := p.Queries(func() { eve.Get(path).Want(200) }); n > 4 {
		t.Errorf("%d statements for a person's page, want 4", n)
	}
	visitor.Get("/persons/nonsense").Want(404)
}

func TestPersons(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	staff, ada := p.Secretariat(), p.Person("Ada Lovelace")
	p.Exec(`INSERT INTO person (email, name, confirmed_at) SELECT 'n' || n || '@example.com', 'Number ' || lpad(n::text, 3, '0'), now() FROM generate_series(1, 120) n`)
	p.Exec(`INSERT INTO person (email, name) VALUES ('imported@example.net', 'Zoë Imported')`)
	ada.Get("/persons").Want(404)
	p.Visitor().Get("/persons").Want(303)
	ada.API("GET", "/persons", nil).Want(404)
	staff.Get("/persons").Want(200, "Ada Lovelace", "Number 001", `rel="next"`).Lacks("Number 120")
	staff.Get("/persons?q=zoe").Want(200, "Zoë Imported", "Never signed in").Lacks("Ada Lovelace")
	staff.Get("/persons?q=N7@EXAMPLE.COM").Want(200, "Number 007").Lacks("Number 008")
	staff.Get("/persons?state=unconfirmed").Want(200, "Zoë Imported").Lacks("Number 001")
	staff.Get("/persons?state=secretariat").Want(200, "Sam Secretariat").Lacks("Number 001")
	staff.Get("/persons?q=nobody-like-that").Want(200, "Nobody is like that")
	staff.Get("/persons?state=drunk").Want(422)
	seen, cursor := map[string]bool{}, ""
	for {
		page := apptest.JSON[struct {
			Items []account.Person
			Next  string
		}](staff.API("GET", "/persons?limit=50&cursor="+cursor, nil).Want(200))
		for _, r := range page.Items {
			if seen[r.Email] {
				t.Fatalf("%s twice", r.Email)
			}
			seen[r.Email] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 123 {
		t.Errorf("%d persons in all pages, want 123", len(seen))
	}
	if n := p.Queries(func() { staff.Get("/persons").Want(200) }); n > 2 {
		t.Errorf("%d statements for the list, want 2", n)
	}
}

func TestSuspend(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	staff := p.Secretariat()
	ada := newAccount(t, p, "ada@example.org")
	id := apptest.Value[uuid.UUID](p, `SELECT id FROM person WHERE email = 'ada@example.org'`)
	token := p.Visitor()
	token.Token = apptest.JSON[struct{ Token string }](ada.API("POST", "/persons/me/tokens", map[string]any{"name": "T"}).Want(201)).Token
	var hooked []uuid.UUID
	p.Accounts.OnSuspend = append(p.Accounts.OnSuspend, func(_ context.Context, _ *journal.Tx, person uuid.UUID) error {
		hooked = append(hooked, person)
		return nil
	})
	path := "/persons/" + id.String()
	ada.Get(path + "/suspend").Want(404)
	ada.Post(path+"/suspend", "reason", "x").Want(404)
	ada.API("POST", path+"/suspend", map[string]any{"reason": "x"}).Want(404)
	staff.Get(path+"/suspend").Want(200, "1 session", "1 token")
	staff.Post(path+"/suspend", "reason", " ").Want(422, "Fill this in")
	staff.Post("/persons/"+staff.ID.String()+"/suspend", "reason", "me").Want(409, "cannot suspend yourself")
	staff.Post(path+"/suspend", "reason", "Spam in applications.").Want(303)
	staff.Post(path+"/suspend", "reason", "Again.").Want(409)
	if len(hooked) != 1 || hooked[0] != id {
		t.Errorf("hook ran for %v", hooked)
	}
	ada.Get("/profile").Want(303)
	token.API("GET", "/persons/me", nil).Want(401)
	if text, _ := letter(t, p, "person.suspended", "ada@example.org", 1); !strings.Contains(text, "Spam in applications.") {
		t.Errorf("no reason in: %s", text)
	}
	v := p.Visitor()
	v.Post("/sign-in", "email", "ada@example.org", "password", "not this one at all").Want(422)
	v.Post("/sign-in", "email", "ada@example.org", "password", password).Want(403, "suspended")
	v.Post("/reset", "email", "ada@example.org").Want(303)
	settled(t, p)
	if n := apptest.Value[int](p, `SELECT count(*) FROM ticket`); n != 0 {
		t.Error("a link for a suspended person")
	}
	staff.Get("/persons?state=suspended").Want(200, "ada@example.org")
	staff.API("POST", path+"/reinstate", nil).Want(200, `"state":"active"`)
	staff.Post(path + "/reinstate").Want(409)
	v.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	token.API("GET", "/persons/me", nil).Want(401)
	if n := apptest.Value[int](p, `SELECT count(*) FROM journal_entry WHERE object = 'person' AND object_id = $1`, id); n != 2 {
		t.Errorf("%d journal entries, want 2", n)
	}
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	v := p.Visitor()
	v.Get("/dev/mail").Want(200, "No letter yet")
	signUp(v, "ada@example.org").Want(303)
	_, link := letter(t, p, "account.confirm", "ada@example.org", 1)
	id := apptest.Value[uuid.UUID](p, `SELECT id FROM mail`)
	v.Get("/dev/mail").Want(200, "/dev/mail/"+id.String(), "Confirm your address")
	v.Get("/dev/mail/"+id.String()).Want(200, link, "sandbox=")
	body := v.Get("/dev/mail/"+id.String()+"/body").Want(200, link)
	if csp := body.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || strings.Contains(csp, "script") {
		t.Errorf("the letter's policy is %q", csp)
	}
	v.Get("/dev/mail/" + uuid.NewString()).Want(404)
	v.Get("/dev/mail/nonsense").Want(404)
	v.Get("/dev/mail?before=nonsense").Want(404)
}

func TestSweep(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	p.Exec(`INSERT INTO session (hash, person_id, created_at, seen_at, expires_at) VALUES (sha256('old'), $1, now(), now(), now() - interval '1 hour')`, ada.ID)
	p.Exec(`INSERT INTO ticket VALUES (sha256('old'), $1, 'reset', now(), now() - interval '1 hour'), (sha256('new'), $1, 'reset', now(), now() + interval '1 hour')`, ada.ID)
	p.Exec(`INSERT INTO attempt VALUES ('old', now() - interval '25 hours'), ('new', now() - interval '23 hours')`)
	p.Exec(`INSERT INTO idempotency (person_id, key, request, created_at) VALUES ($1, 'old', sha256('x'), now() - interval '49 hours'), ($1, 'new', sha256('x'), now() - interval '47 hours')`, ada.ID)
	p.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at, revoked_at) VALUES (sha256('old'), $1, 'old', true, now(), now() - interval '91 days'), (sha256('new'), $1, 'new', true, now(), NULL)`, ada.ID)
	if err := p.Accounts.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int{"session": 1, "ticket": 1, "attempt": 1, "idempotency": 1, "token": 1} {
		if n := apptest.Value[int](p, `SELECT count(*) FROM `+table); n != want {
			t.Errorf("%d rows of %s left, want %d", n, table, want)
		}
	}
	ada.Get("/profile").Want(200)
}

// What the command line does.
func TestAddAndPromote(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ctx := t.Context()
	by := access.System("test", access.Portal, "person", "add")
	if _, err := p.Accounts.Add(ctx, by, account.Addition{Email: "ada@example.org", Name: "Ada Lovelace", Password: password}); err == nil {
		t.Error("a password for an address that is not proved")
	}
	if _, err := p.Accounts.Add(ctx, by, account.Addition{Email: "ada@example.org", Name: "Ada Lovelace", Password: password, Confirmed: true, Secretariat: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Accounts.Add(ctx, by, account.Addition{Email: "ada@example.org", Name: "Ada Again", Confirmed: true}); err == nil || !strings.Contains(err.Error(), "account with this address") {
		t.Errorf("twice: %v", err)
	}
	ada := p.Visitor()
	ada.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	ada.Get("/persons").Want(200)
	if _, err := p.Accounts.Promote(ctx, by, "ada@example.org", "secretariat", true); err != nil {
		t.Fatal(err)
	}
	ada.Get("/persons").Want(404)
	if _, err := p.Accounts.Promote(ctx, by, "ada@example.org", "secretariat", true); err == nil {
		t.Error("the role was taken twice")
	}

	if _, err := p.Accounts.Add(ctx, by, account.Addition{Email: "bob@example.org", Name: "Bob"}); err != nil {
		t.Fatal(err)
	}
	_, link := letter(t, p, "account.welcome", "bob@example.org", 1)
	bob := p.Visitor()
	bob.Post(link, "password", password).Want(303)
	bob.Get("/profile").Want(200, `value="Bob"`)
	_, text, err := p.Accounts.TokenFor(ctx, by, "bob@example.org", account.TokenDraft{Name: "CLI", ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	program := p.Visitor()
	program.Token = text
	program.API("GET", "/persons/me", nil).Want(200, `"bob@example.org"`)
}

// A person who was imported comes to the account by signing up with the address.
func TestImportedPersonSignsUp(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	p.Exec(`INSERT INTO person (email, name) VALUES ('grace@example.org', 'G. Hopper')`)
	id := apptest.Value[uuid.UUID](p, `SELECT id FROM person`)
	seat(p, id, "Open", "public")
	grace := newAccount(t, p, "grace@example.org")
	grace.Get("/profile").Want(200, `value="Grace Hopper"`)
	grace.Get("/persons/"+id.String()).Want(200, "Open")
	if got := apptest.Value[string](p, `SELECT sort_name FROM seat`); got != "Grace Hopper" {
		t.Errorf("the seat is sorted by %q", got)
	}
}
