package accountweb_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"commissionportal/internal/account"
	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

const password = "plover tidal ombudsman"

var linkPattern = regexp.MustCompile(`/(?:confirm|reset|address|address/stop)/[A-Za-z0-9_-]{43}`)

// letter waits for the n-th letter of a kind to an address and returns its text
// and the path of its link.
func letter(t *testing.T, p *apptest.Portal, kind, to string, n int) (text, link string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if apptest.Value[int](p, `SELECT count(*) FROM mail WHERE kind = $1 AND to_address = $2`, kind, to) >= n {
			text := apptest.Value[string](p, `SELECT text FROM mail WHERE kind = $1 AND to_address = $2 ORDER BY id OFFSET $3 LIMIT 1`, kind, to, n-1)
			return text, linkPattern.FindString(text)
		}
	}
	t.Fatalf("no letter %d of kind %s to %s", n, kind, to)
	return "", ""
}

// settled waits until the queue has nothing left to do for accounts.
func settled(t *testing.T, p *apptest.Portal) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if apptest.Value[int](p, `SELECT count(*) FROM river_job WHERE kind LIKE 'account.%' AND finalized_at IS NULL`) == 0 {
			return
		}
	}
	t.Fatal("jobs are still waiting")
}

func signUp(c *apptest.Client, email string, more ...string) apptest.Reply {
	return c.Post("/sign-up", append([]string{"name", "Grace Hopper", "email", email, "country", "US", "password", password}, more...)...)
}

// account makes a confirmed person with a password by the front door.
func newAccount(t *testing.T, p *apptest.Portal, email string) *apptest.Client {
	t.Helper()
	c := p.Visitor()
	signUp(c, email).Want(303)
	_, link := letter(t, p, "account.confirm", email, 1)
	c.Post(link, "password", password).Want(303)
	return c
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	v := p.Visitor()
	v.Get("/sign-up?next=/commissions/energy").Want(200, `value="/commissions/energy"`, `autocomplete="new-password"`, `autocomplete="username"`)
	for _, tt := range []struct{ name, email, password, country, want string }{
		{"no name", "a@example.org", password, "US", "Fill this in"},
		{"Grace", "not an address", password, "US", "This is not an e-mail address"},
		{"Grace", "a@example.org", "short", "US", "Use at least 10 characters"},
		{"Grace", "a@example.org", strings.Repeat("ab c", 60), "US", "Use at most 200 characters; these are 240"},
		{"Grace", "a@example.org", "P4ssw0rd2026!", "US", "first that others would guess"},
		{"Grace", "grace.hopper@example.org", "grace.hopper@example.org", "US", "first that others would guess"},
		{"Grace Hopper", "a@example.org", "Grace-Hopper", "US", "first that others would guess"},
		{"Grace", "a@example.org", "qwertyuiop", "US", "first that others would guess"},
		{"Grace", "a@example.org", password, "", "Choose a country"},
		{"Grace", "a@example.org", password, "XX", "Choose a country"},
	} {
		name := tt.name
		if name == "no name" {
			name = ""
		}
		r := v.Post("/sign-up", "name", name, "email", tt.email, "password", tt.password, "country", tt.country, "next", "//evil.example")
		r.Want(422, tt.want).Lacks("evil.example")
		if tt.password != tt.email && strings.Contains(r.Body, tt.password+`"`) {
			t.Errorf("the password came back: %s", tt.password)
		}
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM sign_up`); n != 0 {
		t.Fatalf("%d applications from refused forms", n)
	}

	first := signUp(v, "Grace@Example.org", "next", "/commissions/energy").Want(303)
	text, link := letter(t, p, "account.confirm", "grace@example.org", 1)
	if !strings.Contains(text, p.URL+link) || link == "" {
		t.Fatalf("no link of ours in: %s", text)
	}
	v.Get(link).Want(200, "grace@example.org", "Confirm and sign in")
	v.Get(link).Want(200) // opened by a mail scanner: still good
	v.Post(link, "password", "something else").Want(422, "not the password that was chosen")
	r := v.Post(link, "password", password).Want(303)
	if r.Location() != "/commissions/energy" {
		t.Errorf("leads to %q", r.Location())
	}
	v.Get("/profile").Want(200, `value="Grace Hopper"`, `<option value="America/New_York" selected`)
	p.Visitor().Get(link).Want(404, "its time is over")
	p.Visitor().Post(link, "password", password).Want(404)

	// An address that has an account: the same answer, and a letter that says so.
	again := signUp(p.Visitor(), "grace@example.org").Want(303)
	if again.Location() != first.Location() || again.Body != first.Body {
		t.Error("the answer tells that there is an account")
	}
	if text, link := letter(t, p, "account.known", "grace@example.org", 1); link != "" {
		t.Errorf("the letter holds a link that opens something: %s", text)
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM person WHERE email = 'grace@example.org'`); n != 1 {
		t.Errorf("%d persons", n)
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM journal_entry WHERE action = 'confirm'`); n != 1 {
		t.Errorf("%d journal entries of the confirmation, want 1", n)
	}
}

// Somebody asks for an account with the address of somebody else: whoever reads
// the mail does not open an account whose password the other one knows.
func TestSignUpForSomebodyElse(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	attacker, owner := p.Visitor(), p.Visitor()
	attacker.Post("/sign-up", "name", "Mallory", "email", "alan@example.org", "country", "GB", "password", "mallory knows this one").Want(303)
	letter(t, p, "account.confirm", "alan@example.org", 1)
	signUp(owner, "alan@example.org").Want(303)
	_, his := letter(t, p, "account.confirm", "alan@example.org", 2)
	_, mallorys := letter(t, p, "account.confirm", "alan@example.org", 1)
	owner.Post(mallorys, "password", password).Want(422)
	owner.Post(his, "password", password).Want(303)
	owner.Get("/profile").Want(200, `value="Grace Hopper"`)
	p.Visitor().Get(mallorys).Want(404)
	p.Visitor().Post("/sign-in", "email", "alan@example.org", "password", "mallory knows this one").Want(422)
}

func TestConfirmAgainAndExpiry(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	v := p.Visitor()
	signUp(v, "ada@example.org").Want(303)
	_, first := letter(t, p, "account.confirm", "ada@example.org", 1)
	v.Post("/sign-up/again", "email", "ada@example.org").Want(303)
	_, second := letter(t, p, "account.confirm", "ada@example.org", 2)
	unknown := v.Post("/sign-up/again", "email", "nobody@example.org").Want(303)
	settled(t, p)
	if n := apptest.Value[int](p, `SELECT count(*) FROM mail WHERE to_address = 'nobody@example.org'`); n != 0 || unknown.Location() != "/sign-up/sent" {
		t.Errorf("%d letters to somebody unknown, led to %s", n, unknown.Location())
	}
	if first == second {
		t.Fatal("the same link twice")
	}
	p.At(time.Now().Add(49 * time.Hour))
	v.Get(first).Want(404)
	v.Post(second, "password", password).Want(404)
	p.At(time.Now().Add(47 * time.Hour))
	v.Get(first).Want(200)
	// Both, a hundred times each, at once: one account, one session.
	unthrottled(p)
	got := atOnce(200, func(i int) apptest.Reply {
		return p.Visitor().Post([]string{first, second}[i%2], "password", password)
	})
	if n := apptest.Value[int](p, `SELECT count(*) FROM session`); n != 1 || got[303] != 1 || got[404]+got[409] != 199 {
		t.Errorf("answers %v, %d sessions", got, n)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	newAccount(t, p, "ada@example.org")
	v := p.Visitor()
	v.Get("/profile").Want(303)
	if to := v.Get("/profile").Location(); to != "/sign-in?next=%2Fprofile" {
		t.Errorf("a visitor is led to %q", to)
	}
	v.Get("/sign-in?next=/profile").Want(200, `name="next" value="/profile"`, `autocomplete="current-password"`, `autocomplete="username"`)
	wrong := v.Post("/sign-in", "email", "ada@example.org", "password", "not this one at all").Want(422)
	unknown := v.Post("/sign-in", "email", "ad@example.org", "password", "not this one at all").Want(422)
	if strings.ReplaceAll(wrong.Body, "ada@", "ad@") != unknown.Body {
		t.Error("the answers to a wrong password and to an unknown address differ")
	}
	wrong.Want(422, "do not belong together", `value="ada@example.org"`).Lacks("not this one at all")
	v.Post("/sign-in", "email", "", "password", "").Want(422, "Fill this in")
	v.Post("/sign-in", "email", "ada@example.org", "password", password, "show", "true").Want(200, `type="text" value="`+password+`"`)
	for next, want := range map[string]string{"/commissions?q=a": "/commissions?q=a", "https://evil.example": "/desk", "//evil.example": "/desk", "": "/desk", `/\evil.example`: "/desk"} {
		r := p.Visitor().Post("/sign-in", "email", " ADA@example.org", "password", password, "next", next).Want(303)
		if r.Location() != want {
			t.Errorf("next %q leads to %q", next, r.Location())
		}
		if c := strings.Join(r.Header["Set-Cookie"], "\n"); !strings.Contains(c, "HttpOnly; SameSite=Lax") || strings.Count(c, "session=") != 1 {
			t.Errorf("cookies: %s", c)
		}
	}
	// An id that somebody else put into the browser does not become hers.
	const planted = "session=chosen-by-somebody-else; half=chosen-by-somebody-else"
	const form = "application/x-www-form-urlencoded"
	if to := p.Visitor().Send("POST", "/sign-in", "email=ada@example.org&password="+url.QueryEscape(password), "Content-Type", form, "Cookie", planted).Want(303).Header.Get("Set-Cookie"); strings.Contains(to, "chosen") || !strings.Contains(to, "session=") {
		t.Errorf("signed in with a session that was there before: %q", to)
	}
	p.Visitor().Get("/profile", "Cookie", planted).Want(303)
	v.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	v.Get("/sign-in?next=/profile").Want(303)
	before := apptest.Value[int](p, `SELECT count(*) FROM session`)
	v.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303) // in place of the one it had
	if now := apptest.Value[int](p, `SELECT count(*) FROM session`); now != before {
		t.Errorf("%d sessions after signing in again, %d before", now, before)
	}
	v.Post("/sign-out").Want(303)
	v.Get("/profile").Want(303)
	v.Post("/sign-out").Want(303) // nothing left to do
	if n := apptest.Value[int](p, `SELECT count(*) FROM session`); n != before-1 {
		t.Errorf("%d sessions after signing out, want %d", n, before-1)
	}
}

func TestSignInRenewsACheapHash(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	cheap, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 1024, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	p.Exec(`INSERT INTO person (email, name, password_hash, confirmed_at) VALUES ('ada@example.org', 'Ada Lovelace', $1, now())`, cheap)
	for range 2 {
		p.Visitor().Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	}
	if hash := apptest.Value[string](p, `SELECT password_hash FROM person`); !strings.Contains(hash, fmt.Sprintf("m=%d,t=2", p.PasswordMemory)) {
		t.Errorf("the hash is still %s", hash)
	}
}

func TestSignInTakesAsLongForNobody(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	newAccount(t, p, "ada@example.org")
	v := p.Visitor()
	known, unknown, none := time.Hour, time.Hour, time.Hour // none: refused with no hash made
	took := func(email, password string) time.Duration {
		started := time.Now()
		v.Post("/sign-in", "email", email, "password", password).Want(422)
		return time.Since(started)
	}
	// The least of several, taken in turns: whatever else the machine does only adds.
	// One that is told apart by a hash that is not made stays far below.
	for range 40 {
		known, unknown, none = min(known, took("ada@example.org", "not this one at all")), min(unknown, took("nobody@example.org", "not this one at all")), min(none, took("ada@example.org", ""))
		if unknown >= known/2 && known >= unknown/2 && unknown >= 2*none {
			return
		}
		p.Exec(`DELETE FROM attempt`) // or it would be refused for their number
	}
	t.Errorf("%v for an account, %v for none, %v with no hash made", known, unknown, none)
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	p.InTurn()
	ada := newAccount(t, p, "ada@example.org") // her browser has signed in before
	ada.Post("/sign-out").Want(303)
	now := time.Now()
	p.At(now)
	guesser := p.Visitor()
	// Many at once: no more are let through than may be.
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	for range 16 {
		wg.Go(func() {
			r := guesser.Post("/sign-in", "email", "ada@example.org", "password", "guess and guess again")
			mu.Lock()
			count[r.Status]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if count[422] > 10 || count[422] == 0 || count[422]+count[429] != 16 {
		t.Errorf("answers %v, want at most ten 422", count)
	}
	guesser.Post("/sign-in", "email", "ada@example.org", "password", password).Want(429, "Too many attempts")
	guesser.Post("/sign-in", "email", "nobody@example.org", "password", password).Want(422)
	ada.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	// The wait ends, although the guesser goes on trying.
	p.At(now.Add(14 * time.Minute))
	guesser.Post("/sign-in", "email", "ada@example.org", "password", password).Want(429)
	p.At(now.Add(16 * time.Minute))
	guesser.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	// Successes do not count.
	for range 12 {
		guesser.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	}
}

func TestLettersAreThrottled(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := p.Person("Ada Lovelace")
	v := p.Visitor()
	var replies []apptest.Reply
	for range 8 {
		replies = append(replies, v.Post("/reset", "email", ada.Email).Want(303))
	}
	settled(t, p)
	if n := apptest.Value[int](p, `SELECT count(*) FROM mail WHERE kind = 'account.reset'`); n != 5 {
		t.Errorf("%d letters to one mailbox, want 5", n)
	}
	if replies[0].Location() != replies[7].Location() {
		t.Error("the answer tells that the mailbox has had enough")
	}
	for i := range 60 {
		v.Post("/reset", "email", fmt.Sprintf("nobody%d@example.org", i))
	}
	v.Post("/reset", "email", "somebody@example.org").Want(429, "Too many letters")
}

// unthrottled forgets every attempt, for what is tried more often than is allowed:
// throttling has tests of its own.
func unthrottled(p *apptest.Portal) {
	p.Exec(`CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`)
	p.Exec(`CREATE TRIGGER forget BEFORE INSERT ON attempt FOR EACH ROW EXECUTE FUNCTION forget()`)
}

// atOnce asks n times at once, and counts the answers by their status. Who is told that
// too many want a password looked at comes again, as a slow machine lets them wait.
func atOnce(n int, ask func(i int) apptest.Reply) map[int]int {
	var wg sync.WaitGroup
	got := make([]int, n)
	for i := range got {
		wg.Go(func() {
			for got[i] == 0 || got[i] == 503 {
				got[i] = ask(i).Status
			}
		})
	}
	wg.Wait()
	count := map[int]int{}
	for _, status := range got {
		count[status]++
	}
	return count
}

func TestReset(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := newAccount(t, p, "ada@example.org")
	v := p.Visitor()
	known := v.Post("/reset", "email", "ada@example.org").Want(303)
	unknown := v.Post("/reset", "email", "nobody@example.org").Want(303)
	if known.Location() != unknown.Location() || known.Body != unknown.Body {
		t.Error("the answer tells whether there is an account")
	}
	v.Post("/reset", "email", "nonsense").Want(422, "not an e-mail address")
	_, link := letter(t, p, "account.reset", "ada@example.org", 1)
	settled(t, p)
	if n := apptest.Value[int](p, `SELECT count(*) FROM mail WHERE to_address = 'nobody@example.org'`); n != 0 {
		t.Error("a letter to somebody unknown")
	}
	v.Get(link).Want(200, `autocomplete="new-password"`, "ada@example.org")
	if c := v.Get(link).Header.Get("Cache-Control"); c != "private, no-store" {
		t.Errorf("a page with a secret in its address may be kept: %q", c)
	}
	v.Post(link, "password", "short").Want(422, "at least 10")
	p.At(time.Now().Add(61 * time.Minute))
	v.Get(link).Want(404, "Ask for another link")
	v.Post(link, "password", "another good password").Want(404)
	p.At(time.Now().Add(59 * time.Minute))
	if got := atOnce(200, func(int) apptest.Reply { return p.Visitor().Post(link, "password", "another good password") }); got[303] != 1 || got[404] != 199 {
		t.Errorf("used 200 times at once: %v", got)
	}
	ada.Get("/profile").Want(303) // her session has ended
	v.Post("/sign-in", "email", "ada@example.org", "password", password).Want(422)
	v.Post("/sign-in", "email", "ada@example.org", "password", "another good password").Want(303)
	letter(t, p, "account.password", "ada@example.org", 1)
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := newAccount(t, p, "ada@example.org")
	other := p.Visitor()
	other.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	ada.Post("/profile/password", "current", "not that", "password", "another good password").Want(422, "This is not your password")
	ada.Post("/profile/password", "current", password, "password", "ada@example.org").Want(422, "would guess")
	other.Get("/profile").Want(200)
	first := firstStepOf(p, "ada@example.org")
	before := apptest.Value[string](p, `SELECT string_agg(encode(hash, 'hex'), ' ') FROM session`)
	ada.Post("/profile/password", "current", password, "password", "another good password").Want(303)
	ada.Get("/profile").Want(200)
	if after := apptest.Value[string](p, `SELECT string_agg(encode(hash, 'hex'), ' ') FROM session`); strings.Contains(before, after) {
		t.Error("the session goes on under the id it had")
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM half_session WHERE hash = sha256($1::bytea)`, first); n != 0 {
		t.Error("a first step with the old password is left")
	}
	other.Get("/profile").Want(303)
	letter(t, p, "account.password", "ada@example.org", 1)
	p.Visitor().Post("/profile/password", "current", password, "password", "x").Want(401)
}

func TestSessions(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada := newAccount(t, p, "ada@example.org")
	second, third := p.Visitor(), p.Visitor()
	for _, c := range []*apptest.Client{second, third} {
		c.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	}
	ada.Get("/profile/sessions").Want(200, "This one", "End all other sessions")
	list := apptest.JSON[struct{ Items []account.Session }](ada.API("GET", "/persons/me/sessions", nil).Want(200)).Items
	if len(list) != 3 || !list[0].Current || list[1].Current {
		t.Fatalf("sessions: %+v", list)
	}
	eve := p.Person("Eve")
	eve.Post("/profile/sessions/" + list[1].ID.String() + "/end").Want(404)
	eve.API("DELETE", "/persons/me/sessions/"+list[1].ID.String(), nil).Want(404)
	ada.API("DELETE", "/persons/me/sessions/"+list[1].ID.String(), nil).Want(204)
	ada.Post("/profile/sessions/" + list[1].ID.String() + "/end").Want(404)
	if second.Get("/profile").Status+third.Get("/profile").Status != 200+303 {
		t.Error("not one of the two other sessions has ended")
	}
	ada.Post("/profile/sessions/end").Want(303)
	if second.Get("/profile").Status+third.Get("/profile").Status != 303+303 {
		t.Error("another session goes on")
	}
	ada.Get("/profile/sessions").Want(200).Lacks("End all other sessions")

	// Seen at most every five minutes: no page costs a write.
	if n := p.Queries(func() { ada.Get("/profile/sessions").Want(200) }); n > 2 {
		t.Errorf("%d statements for the page of sessions, want 2", n)
	}
	start := time.Now()
	idle, life := start, start
	for day := 13; day < 29; day += 13 { // in use: the idle time begins anew
		p.At(start.Add(time.Duration(day) * 24 * time.Hour))
		ada.Get("/profile").Want(200)
		life = p.Now()
	}
	p.At(start.Add(31 * 24 * time.Hour)) // but its life ends
	ada.Get("/profile").Want(303)
	if life.Sub(idle) < 25*24*time.Hour {
		t.Error("the session was not in use for long enough to tell")
	}
	p.At(start)
	bob := newAccount(t, p, "bob@example.org")
	p.At(start.Add(15 * 24 * time.Hour))
	bob.Get("/profile").Want(303)
}

// firstStepOf stands for somebody who gave the password and no second factor yet.
func firstStepOf(p *apptest.Portal, email string) string {
	p.Exec(`INSERT INTO half_session (hash, person_id, created_at, expires_at) SELECT sha256('first'), id, now(), now() + interval '1 hour' FROM person WHERE email = $1`, email)
	return "first"
}

func TestLivesOfSessionsAreSettings(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, func(c *app.Config) { c.SessionLife, c.SessionIdle = 3*time.Hour, time.Hour })
	start := time.Now()
	p.At(start)
	ada := newAccount(t, p, "ada@example.org")
	ada.Get("/profile/sessions").Want(200, "nobody uses it for 1 hour, and at the latest 3 hours after it began")
	for _, after := range []time.Duration{50 * time.Minute, 100 * time.Minute, 150 * time.Minute} {
		p.At(start.Add(after))
		ada.Get("/profile").Want(200)
	}
	p.At(start.Add(181 * time.Minute)) // used half an hour ago, and its life is over
	ada.Get("/profile").Want(303)
	p.At(start)
	bob := newAccount(t, p, "bob@example.org")
	p.At(start.Add(61 * time.Minute))
	bob.Get("/profile").Want(303)
}
