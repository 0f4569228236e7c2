package accountweb_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// issuer is a small issuer of OpenID Connect: it signs what a test wants it to say.
type issuer struct {
	*httptest.Server
	t      *testing.T
	key    *rsa.PrivateKey
	mu     sync.Mutex
	grants map[string]grant // by code
}

type grant struct {
	challenge string
	claims    map[string]any
	key       *rsa.PrivateKey
}

var b64 = base64.RawURLEncoding.EncodeToString

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key, grants: map[string]grant{}}
	say := func(w http.ResponseWriter, status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		say(w, 200, map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		say(w, 200, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		g, ok := i.grants[r.FormValue("code")]
		delete(i.grants, r.FormValue("code"))
		i.mu.Unlock()
		id, secret, _ := r.BasicAuth()
		verifier := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if !ok || id != "portal" || secret != "its-secret" || b64(verifier[:]) != g.challenge || !strings.HasSuffix(r.FormValue("redirect_uri"), "/sign-in/oidc/callback") {
			say(w, 400, map[string]string{"error": "invalid_grant"})
			return
		}
		say(w, 200, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": sign(t, g.key, g.claims)})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func sign(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Error(err)
	}
	text := b64([]byte(`{"alg":"RS256","kid":"1","typ":"JWT"}`)) + "." + b64(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Error(err)
	}
	return text + "." + b64(signature)
}

// consent is the issuer's side of somebody who was sent to it: it is where they
// are sent back to, once they have signed in as who the claims say.
func (i *issuer) consent(sent string, now time.Time, claims map[string]any, keys ...*rsa.PrivateKey) string {
	i.t.Helper()
	u, err := url.Parse(sent)
	if err != nil || !strings.HasPrefix(sent, i.URL+"/authorize?") {
		i.t.Fatalf("sent to %q", sent)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "" || q.Get("client_id") != "portal" {
		i.t.Fatalf("asked with %v", q)
	}
	all := map[string]any{"iss": i.URL, "aud": "portal", "nonce": q.Get("nonce"), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	maps.Copy(all, claims)
	key := i.key
	if len(keys) > 0 {
		key = keys[0]
	}
	code := rand.Text()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.grants[code] = grant{q.Get("code_challenge"), all, key}
	return "/sign-in/oidc/callback?code=" + code + "&state=" + url.QueryEscape(q.Get("state"))
}

func (i *issuer) portal(t *testing.T, trusted bool) *apptest.Portal {
	t.Helper()
	return apptest.New(t, func(c *app.Config) {
		c.Issuer, c.IssuerClient, c.IssuerSecret, c.IssuerName, c.IssuerEmail = i.URL, "portal", "its-secret", "Nordwind Login", trusted
	})
}

// Where one is led who comes back without what counts.
const failed, unlinked = "/sign-in?trouble=issuer", "/sign-in?trouble=unlinked"

var goOn = regexp.MustCompile(`href="(http[^"]*/authorize[^"]*)"`)

func TestIssuer(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := i.portal(t, false)
	ada := newAccount(t, p, "ada@example.org")
	who := map[string]any{"sub": "4711", "email": "ada@example.org", "email_verified": true, "name": "Ada"}
	p.Visitor().Get("/sign-in?next=/profile").Want(200, "Sign in with Nordwind Login", `href="/sign-in/oidc?next=%2Fprofile"`)

	// An address alone opens nothing, verified or not, there or not: the answer is the same.
	var answers []string
	for _, email := range []string{"ada@example.org", "nobody@example.org"} {
		v := p.Visitor()
		r := v.Get(i.consent(v.Get("/sign-in/oidc").Want(303).Location(), p.Now(), map[string]any{"sub": "4711", "email": email, "email_verified": true})).Want(303)
		v.Get("/profile").Want(303)
		v.Get(r.Location()).Want(200, "Nobody here is linked")
		answers = append(answers, r.Location()+r.Body)
	}
	if answers[0] != answers[1] {
		t.Error("the answer tells whether there is an account with that address")
	}

	// Linked by who is signed in, and signed in a moment ago.
	ada.Get("/profile/factors").Want(200, "Sign in with Nordwind Login", ">Link<")
	p.Exec(`UPDATE session SET created_at = created_at - interval '1 hour'`)
	ada.Post("/profile/factors/oidc").Want(403, "Is it you?")
	p.Visitor().Post("/profile/factors/oidc").Want(401)
	p.Visitor().Post("/profile/factors/oidc/remove").Want(401)
	page := ada.Post("/profile/factors/oidc", "_again", password).Want(200, "Go on to Nordwind Login")
	back := i.consent(html.UnescapeString(goOn.FindStringSubmatch(page.Body)[1]), p.Now(), who)
	eve := newAccount(t, p, "eve@example.org")
	eve.Get(back).Want(422) // another browser: it does not carry the state
	if to := ada.Get(back).Want(303).Location(); to != "/profile/factors" {
		t.Errorf("linked, one is led to %q", to)
	}
	ada.Get(back).Want(422) // once
	ada.Get("/profile/factors").Want(200, "Linked", "ada@example.org")
	letter(t, p, "account.linked", "ada@example.org", 1)
	other := eve.Post("/profile/factors/oidc").Want(200)
	eve.Get(i.consent(html.UnescapeString(goOn.FindStringSubmatch(other.Body)[1]), p.Now(), who)).Want(409, "linked to another one already")

	// From then on it signs in, whatever address it has by now, and asks for the second factor.
	signIn := func(claims map[string]any, keys ...*rsa.PrivateKey) (*apptest.Client, apptest.Reply) {
		t.Helper()
		v := p.Visitor()
		return v, v.Get(i.consent(v.Get("/sign-in/oidc?next=/profile").Want(303).Location(), p.Now(), claims, keys...))
	}
	v, r := signIn(map[string]any{"sub": "4711", "email": "eve@example.org"})
	if r.Want(303).Location() != "/profile" {
		t.Errorf("signed in, one is led to %q", r.Location())
	}
	v.Get("/profile").Want(200, "ada@example.org")
	ada.Post("/profile/factors/app").Want(303)
	secret := shownSecret.FindStringSubmatch(ada.Get("/profile/factors/app").Body)[1]
	ada.Post("/profile/factors/app/confirm", "code", codeAt(t, secret, p.Now())).Want(200)
	v, r = signIn(who)
	if r.Want(303).Location() != "/sign-in/second?next=%2Fprofile" {
		t.Errorf("with a second factor one is led to %q", r.Location())
	}
	v.Get("/profile").Want(303)

	// What the issuer did not say, or not now, or not to us, or not about this request.
	forged, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) map[string]any {
		c := maps.Clone(who)
		c[name] = value
		return c
	}
	for what, claims := range map[string]map[string]any{
		"another issuer": with("iss", "https://evil.example"), "another portal": with("aud", "other"), "another request": with("nonce", "x"),
		"a time that is over": with("exp", p.Now().Add(-time.Hour).Unix()), "nobody": with("sub", ""),
	} {
		if v, r := signIn(claims); r.Location() != failed || v.Get("/profile").Status != 303 {
			t.Errorf("a token of %s: status %d", what, r.Status)
		}
	}
	if _, r := signIn(who, forged); r.Location() != failed {
		t.Errorf("a token signed by somebody else: status %d", r.Status)
	}
	v = p.Visitor()
	back = i.consent(v.Get("/sign-in/oidc").Want(303).Location(), p.Now(), who)
	for _, back := range []string{strings.Replace(back, "code=", "code=x", 1), "/sign-in/oidc/callback?error=access_denied"} {
		if r := v.Get(back).Want(303); r.Location() != failed {
			t.Errorf("coming back with %s leads to %q", back, r.Location())
		}
	}
	v.Get(failed).Want(200, "Begin again")
	back = i.consent(v.Get("/sign-in/oidc").Want(303).Location(), p.Now(), who)
	p.At(time.Now().Add(11 * time.Minute))
	if r := v.Get(back).Want(303); r.Location() != failed {
		t.Errorf("coming back late leads to %q", r.Location())
	}
	p.At(time.Time{})

	// Unlinked, it signs in no more.
	ada.Post("/profile/factors/oidc/remove").Want(303)
	ada.Post("/profile/factors/oidc/remove").Want(404)
	if _, r := signIn(who); r.Location() != unlinked {
		t.Errorf("unlinked: status %d", r.Status)
	}
	// While the issuer is down, the portal says so and works.
	down := i.portal(t, false)
	i.Close()
	down.Visitor().Get("/sign-in/oidc").Want(503, "Nordwind Login does not answer")
	down.Visitor().Get("/sign-in").Want(200)
	apptest.New(t).Visitor().Get("/sign-in/oidc").Want(404)
}

// An issuer that is trusted with addresses opens the account with a verified one.
func TestTrustedIssuer(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := i.portal(t, true)
	newAccount(t, p, "ada@example.org")
	for _, tt := range []struct {
		subject, email string
		verified       any
		status         int
		name           string
	}{
		{"1", "ada@example.org", false, 0, ""},
		{"1", "ada@example.org", "true", 0, ""}, // not what the standard says
		{"1", "", true, 0, ""},
		{"1", "no address", true, 0, ""},
		{"1", "ADA@example.org", true, 303, "Grace Hopper"},
		{"2", "ada@example.org", true, 409, ""}, // another account there, with her address
		{"3", "new@example.org", true, 303, "New Person"},
		{"3", "", false, 303, "New Person"},
	} {
		v := p.Visitor()
		r := v.Get(i.consent(v.Get("/sign-in/oidc").Want(303).Location(), p.Now(), map[string]any{"sub": tt.subject, "email": tt.email, "email_verified": tt.verified, "name": "New Person"}))
		if tt.status == 0 && r.Location() != unlinked && r.Location() != failed || tt.status != 0 && r.Status != tt.status {
			t.Errorf("%+v: status %d: %.200s", tt, r.Status, r.Body)
		}
		if tt.name != "" {
			v.Get("/profile").Want(200, `value="`+tt.name+`"`)
		} else {
			v.Get("/profile").Want(303)
		}
	}
}

// TestIssuerIsAskedAlone: where the issuer refers the portal to another address, it
// does not go there.
func TestIssuerIsAskedAlone(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(inside.Close)
	i := &issuer{t: t, Server: httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusTemporaryRedirect))}
	t.Cleanup(i.Close)
	i.portal(t, false).Visitor().Get("/sign-in/oidc").Want(503, "Nordwind Login does not answer")
	i = newIssuer(t)
	p := i.portal(t, false)
	v := p.Visitor()
	back := i.consent(v.Get("/sign-in/oidc").Want(303).Location(), p.Now(), map[string]any{"sub": "4711"})
	i.Config.Handler = http.RedirectHandler(inside.URL, http.StatusTemporaryRedirect)
	if to := v.Get(back).Want(303).Location(); to != failed {
		t.Errorf("led to %s", to)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("another address was asked %d times", n)
	}
}
