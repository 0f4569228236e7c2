package accountweb_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

var (
	shownSecret = regexp.MustCompile(`otpauth://totp/[^"]*secret=([A-Z2-7]{32})`)
	shownCode   = regexp.MustCompile(`<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){5})</code>`)
)

// codeAt is what an app with that secret shows.
func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := hotp.GenerateCode(secret, uint64(at.Unix()/30))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// armed is somebody with a password and an app for codes, who is signed in.
func armed(t *testing.T, p *apptest.Portal, email string) (c *apptest.Client, secret string, codes []string) {
	t.Helper()
	c = newAccount(t, p, email)
	if to := c.Post("/profile/factors/app").Want(303).Location(); to != "/profile/factors/app" {
		t.Fatalf("setting up leads to %q", to)
	}
	secret = shownSecret.FindStringSubmatch(c.Get("/profile/factors/app").Want(200, "<svg class=\"qr\"").Body)[1]
	for _, m := range shownCode.FindAllStringSubmatch(c.Post("/profile/factors/app/confirm", "code", codeAt(t, secret, p.Now())).Want(200, "not shown again").Body, -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	if bits := 5 * len(strings.ReplaceAll(codes[0], "-", "")); bits < 112 { // less wants a slow hash
		t.Fatalf("a recovery code of %d bits", bits)
	}
	return c, secret, codes
}

// firstStep gives the password, and stands before the second step.
func firstStep(t *testing.T, p *apptest.Portal, email string) *apptest.Client {
	t.Helper()
	c := p.Visitor()
	if to := c.Post("/sign-in", "email", email, "password", password, "next", "/profile").Want(303).Location(); to != "/sign-in/second?next=%2Fprofile" {
		t.Fatalf("the password leads to %q", to)
	}
	return c
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, func(c *app.Config) { c.SecretKey = strings.Repeat("A", 43) + "=" })
	p.InTurn()
	now := time.Now().Truncate(30 * time.Second)
	p.At(now)
	ada := newAccount(t, p, "ada@example.org")
	ada.Get("/profile/factors").Want(200, "Set up an app").Lacks("Recovery codes")
	ada.Post("/profile/factors/app").Want(303)
	first := ada.Get("/profile/factors/app").Body
	ada.Post("/profile/factors/app").Want(303)
	page := ada.Get("/profile/factors/app").Want(200)
	if page.Body == first {
		t.Error("begun anew, the secret is the same")
	}
	secret := shownSecret.FindStringSubmatch(page.Body)[1]
	if kept := apptest.Value[string](p, `SELECT encode(secret, 'escape') FROM authenticator`); strings.Contains(kept, secret) {
		t.Error("with a key the secret is kept as it is")
	}
	// As long as no code was given it does not count.
	plain := p.Visitor()
	plain.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	plain.Get("/profile").Want(200)
	ada.Post("/profile/factors/app/confirm", "code", codeAt(t, secret, now.Add(5*time.Minute))).Want(422, "not the code that the app shows", secret)
	ada.Post("/profile/factors/app/confirm", "code", codeAt(t, secret, now)).Want(200, "Save these codes now", `download="recovery-codes.txt"`)
	ada.Get("/profile/factors/app").Want(303)
	ada.Post("/profile/factors/app").Want(409)
	ada.Get("/profile/factors").Want(200, "10 recovery codes are left").Lacks(secret)
	letter(t, p, "account.factor", "ada@example.org", 1)

	// The password alone opens nothing.
	c := firstStep(t, p, "ada@example.org")
	c.Get("/profile").Want(303)
	c.API("GET", "/persons/me", nil).Want(401)
	c.Get("/sign-in/second").Want(200, "The password is right")
	c.Post("/sign-in/second", "code", codeAt(t, secret, now)).Want(422, "used already") // that which set it up
	c.Post("/sign-in/second", "code", "").Want(422, "Fill this in")
	p.At(now.Add(30 * time.Second))
	code := codeAt(t, secret, p.Now())
	if to := c.Post("/sign-in/second", "code", code[:3]+" "+code[3:], "next", "/profile").Want(303).Location(); to != "/profile" {
		t.Errorf("signed in, one is led to %q", to)
	}
	c.Get("/profile").Want(200)
	c.Post("/sign-in/second", "code", codeAt(t, secret, p.Now())).Want(303) // used up
	if n := apptest.Value[int](p, `SELECT count(*) FROM half_session`); n != 0 {
		t.Errorf("%d first steps are left", n)
	}

	// Its time.
	p.At(now.Add(2 * time.Minute))
	c = firstStep(t, p, "ada@example.org")
	p.At(now.Add(13 * time.Minute))
	if to := c.Post("/sign-in/second", "code", codeAt(t, secret, p.Now())).Want(303).Location(); to != "/sign-in" {
		t.Errorf("after ten minutes one is led to %q", to)
	}
	c.Get("/profile").Want(303)

	// A mailed link sets the password and does not stand in for the factor; it ends first steps.
	c = firstStep(t, p, "ada@example.org")
	v := p.Visitor()
	v.Post("/reset", "email", "ada@example.org").Want(303)
	_, link := letter(t, p, "account.reset", "ada@example.org", 1)
	if to := v.Post(link, "password", password+" again").Want(303).Location(); to != "/sign-in/second" {
		t.Errorf("a new password leads to %q", to)
	}
	v.Get("/profile").Want(303)
	if to := c.Post("/sign-in/second", "code", codeAt(t, secret, p.Now())).Want(303).Location(); to != "/sign-in" {
		t.Errorf("the first step with the old password leads to %q", to)
	}
	v.Post("/sign-in/second", "code", codeAt(t, secret, p.Now())).Want(303)
	v.Get("/profile").Want(200)

	// Removed, it is asked for no more.
	v.Get("/profile/factors/app/remove").Want(200, "Remove the app for codes?")
	v.Post("/profile/factors/app/remove").Want(303)
	v.Post("/profile/factors/app/remove").Want(404)
	if n := apptest.Value[int](p, `SELECT count(*) FROM recovery_code`); n != 0 {
		t.Errorf("%d recovery codes are left", n)
	}
	c = p.Visitor()
	c.Post("/sign-in", "email", "ada@example.org", "password", password+" again").Want(303)
	c.Get("/profile").Want(200)
}

// Two hundred who know the password and read the same code over a shoulder, at once:
// one is let in.
func TestACodeIsTakenOnce(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	p.InTurn()
	_, secret, codes := armed(t, p, "ada@example.org")
	now := time.Now().Add(time.Minute)
	p.At(now)
	unthrottled(p)
	const waiting = 200
	p.Exec(`INSERT INTO half_session (hash, person_id, created_at, expires_at) SELECT sha256(('first' || i)::bytea), id, $1::timestamptz, $1::timestamptz + interval '5 minutes' FROM person, generate_series(0, $2) i WHERE email = 'ada@example.org'`, now, 2*waiting)
	for i, code := range []string{codeAt(t, secret, now), strings.ToUpper(codes[3])} {
		got := atOnce(waiting, func(n int) apptest.Reply {
			return p.Visitor().Send("POST", "/sign-in/second", "next=/profile&code="+code, "Content-Type", "application/x-www-form-urlencoded", "Cookie", fmt.Sprint("half=first", i*waiting+n))
		})
		if got[303] != 1 || got[422] != waiting-1 {
			t.Errorf("the code %s, %d times at once: %v", code, waiting, got)
		}
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM session`); n != 3 {
		t.Errorf("%d sessions, want hers and one for each code", n)
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM recovery_code`); n != 9 {
		t.Errorf("%d recovery codes are left", n)
	}
}

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada, secret, codes := armed(t, p, "ada@example.org")
	if n := apptest.Value[int](p, `SELECT count(*) FROM recovery_code WHERE hash = sha256(upper(replace($1, '-', ''))::bytea)`, codes[0]); n != 1 {
		t.Error("a code is not kept as its hash")
	}
	c := firstStep(t, p, "ada@example.org")
	c.Post("/sign-in/second", "code", codes[0]).Want(303)
	c.Get("/profile/factors").Want(200, "9 recovery codes are left")
	letter(t, p, "account.factor", "ada@example.org", 2)
	c = firstStep(t, p, "ada@example.org")
	c.Post("/sign-in/second", "code", codes[0]).Want(422, "used already")
	fresh := ada.Post("/profile/factors/codes", "_key", "k").Want(200, "not shown again")
	ada.Post("/profile/factors/codes", "_key", "k").Want(409) // shown once, also to who sends it again
	c.Post("/sign-in/second", "code", codes[1]).Want(422)
	c.Post("/sign-in/second", "code", shownCode.FindStringSubmatch(fresh.Body)[1]).Want(303)
	download := regexp.MustCompile(`href="(data:text/plain[^"]*)"`).FindStringSubmatch(fresh.Body)[1]
	if text, err := url.PathUnescape(download); err != nil || strings.Count(text, "\n") != 12 {
		t.Errorf("the file to save: %q (%v)", text, err)
	}
	_ = secret

	// The API has the same.
	ada.API("GET", "/persons/me/factors", nil).Want(200, `"recovery_codes":9`, `"app":"`)
	ada.API("DELETE", "/persons/me/factors/app", nil).Want(204)
	ada.API("POST", "/persons/me/factors/codes", nil).Want(409)
	made := apptest.JSON[struct{ Secret string }](ada.API("POST", "/persons/me/factors/app", nil).Want(201))
	ada.API("POST", "/persons/me/factors/app/confirm", map[string]any{"code": "000000"}).Want(422, `"code"`)
	ada.API("POST", "/persons/me/factors/app/confirm", map[string]any{"code": codeAt(t, made.Secret, p.Now())}).Want(200, `"recovery_codes":["`)
}

func TestCodesAreThrottled(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada, secret, _ := armed(t, p, "ada@example.org")
	now := time.Now().Add(time.Minute)
	p.At(now)
	guesser := firstStep(t, p, "ada@example.org")
	ada.Post("/sign-out").Want(303)
	for range 5 {
		guesser.Post("/sign-in/second", "code", "ABCDEF").Want(422)
	}
	guesser.Post("/sign-in/second", "code", codeAt(t, secret, now)).Want(429, "somebody knows your password")
	// She is not kept out of the browser she uses.
	ada.Post("/sign-in", "email", "ada@example.org", "password", password).Want(303)
	ada.Post("/sign-in/second", "code", codeAt(t, secret, now)).Want(303)
	ada.Get("/profile").Want(200)
	// From everywhere together there is an end to it; a new password ends that.
	p.Exec(`INSERT INTO attempt (key, at) SELECT regexp_replace(key, ':[^:]*$', ''), at FROM attempt, generate_series(1, 30) WHERE key LIKE 'code:%:%'`)
	p.Exec(`DELETE FROM attempt WHERE key LIKE 'code:%:%'`)
	guesser.Post("/sign-in/second", "code", "ABCDEF").Want(429)
	v := p.Visitor()
	v.Post("/reset", "email", "ada@example.org").Want(303)
	_, link := letter(t, p, "account.reset", "ada@example.org", 1)
	v.Post(link, "password", password+" again").Want(303)
	p.At(now.Add(time.Minute))
	v.Post("/sign-in/second", "code", codeAt(t, secret, p.Now())).Want(303)
	v.Get("/profile").Want(200)
}

// TestSignInAgain walks through an act that asks for it, as somebody who signed
// in a while ago: by every kind of door.
func TestSignInAgain(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	ada, secret, _ := armed(t, p, "ada@example.org")
	text := shownToken.FindString(ada.Post("/profile/tokens", "name", "First", "lifetime", "90").Want(200).Body)
	p.At(time.Now().Add(16 * time.Minute))
	form := []string{"name", "Roster & “sync”", "lifetime", "365", "_key", "again"}
	asked := ada.Post("/profile/tokens", form...).Want(403, "Is it you?", `name="name" value="Roster &amp; “sync”"`, `name="lifetime" value="365"`, `name="_key" value="again"`)
	if strings.Contains(asked.Body, "portal_") {
		t.Fatal("a token was made")
	}
	ada.Post("/profile/tokens", append(form, "_again", "not this one at all")...).Want(422, "This is not right", `value="365"`).Lacks("not this one at all")
	ada.API("POST", "/persons/me/tokens", map[string]any{"name": "N"}).Want(403, `"type":"/problems/sign-in-again"`)
	before := apptest.Value[string](p, `SELECT string_agg(encode(hash, 'hex'), ' ') FROM session`)
	ada.Post("/profile/tokens", append(form, "_again", password)...).Want(200, "Roster &amp; “sync”", "not shown again")
	if after := apptest.Value[string](p, `SELECT string_agg(encode(hash, 'hex'), ' ') FROM session`); after == before {
		t.Error("the session has the id it had")
	}
	ada.Post("/profile/tokens", "name", "Next", "lifetime", "90").Want(200) // for a quarter of an hour
	ada.API("POST", "/persons/me/tokens", map[string]any{"name": "By API"}).Want(201)
	p.At(time.Now().Add(40 * time.Minute))
	code := codeAt(t, secret, p.Now())
	ada.Post("/profile/factors/app/remove").Want(403, "Password, or code")
	ada.Post("/profile/tokens", "name", "With a code", "lifetime", "90", "_again", code).Want(200, "With a code")
	p.At(p.Now().Add(16 * time.Minute))
	ada.Post("/profile/tokens", "name", "Twice", "lifetime", "90", "_again", code).Want(422)
	// Whoever has no right learns nothing else by it, and a visitor is asked to sign in.
	p.Visitor().Post("/profile/tokens", form...).Want(401)
	// A token changes nothing of the account itself, and does what else it may.
	program := p.Visitor()
	program.Token = text
	program.API("POST", "/persons/me/tokens", map[string]any{"name": "Stronger"}).Want(403, `"type":"/problems/sign-in-again"`)
	program.API("DELETE", "/persons/me/factors/app", nil).Want(403, `"type":"/problems/sign-in-again"`)
	program.API("POST", "/organizations/nowhere/merge", map[string]any{"into": "x"}).Want(404)
	// Somebody without a password is led to one.
	bob := p.Person("Bob")
	p.Exec(`UPDATE session SET confirmed_at = NULL WHERE person_id = $1`, bob.ID)
	bob.Post("/profile/tokens", form...).Want(403, "no password yet")
}

// TestDangerous holds the list of what asks to sign in again.
func TestDangerous(t *testing.T) {
	t.Parallel()
	routes, err := app.Routes()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range routes {
		if r.Recent {
			got = append(got, r.Operation)
		}
	}
	for _, want := range []string{"token.make", "token.make.api", "factor.begin", "factor.confirm", "factor.remove", "factor.codes", "factor.begin.api", "factor.confirm.api",
		"factor.remove.api", "factor.codes.api", "passkey.add", "passkey.remove", "passkey.remove.api", "session.end", "session.end_others", "session.end.api", "person.suspend", "person.suspend.api", "organization.merge", "organization.merge.api", "commission.conclude", "commission.transition.api"} {
		if !strings.Contains(" "+strings.Join(got, " ")+" ", " "+want+" ") {
			t.Errorf("%s does not ask to sign in again", want)
		}
	}
}
