package accountweb_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// named gives the portal a name: browsers have passkeys for names alone.
func named(c *app.Config) { c.BaseURL = fmt.Sprintf("http://localhost:%d", c.Port) }

func TestJourneyWithPasskeys(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, named)
	newAccount(t, p, "ada@example.org")
	tab := apptest.Browser(t, strings.Replace(p.URL, "127.0.0.1", "localhost", 1))
	tab.Authenticator()
	look := func(name string) { t.Helper(); tab.Look("passkey-" + name) }
	tab.Open("/sign-in?next=/profile/factors")
	tab.See("Sign in with a passkey")
	look("sign-in")
	tab.Fill("E-mail", "ada@example.org")
	tab.Fill("Password", password)
	tab.Click("main .btn-primary")
	tab.See("no false page can ask for it")
	look("none")
	tab.Fill("Name", "My “phone”")
	tab.Click("Set up a passkey")
	tab.See("Save these codes now")
	tab.Click("I have saved them")
	tab.See("My “phone”")
	look("set-up")
	signOut := func() {
		t.Helper()
		p.Exec(`DELETE FROM session`)
		tab.Open("/sign-in?next=/profile/factors")
	}
	// In place of the password.
	signOut()
	tab.Click("Sign in with a passkey")
	tab.See("My “phone”")
	// As second factor.
	signOut()
	tab.Fill("E-mail", "ada@example.org")
	tab.Fill("Password", password)
	tab.Click("main .btn-primary")
	tab.See("The password is right")
	look("second")
	tab.Click("Sign in with a passkey")
	tab.See("My “phone”")
	if n := apptest.Value[int](p, `SELECT count(*) FROM session`); n != 1 {
		t.Errorf("%d sessions", n)
	}
	// To confirm what can do much harm.
	p.Exec(`UPDATE session SET created_at = created_at - interval '1 hour'`)
	tab.Expect(403)
	tab.Click("Make new codes")
	tab.See("Is it you?")
	look("again")
	tab.Click("Go on with a passkey")
	tab.See("Save these codes now")
	tab.Open("/profile/factors")
	tab.Click("Remove…")
	tab.See("Remove the passkey")
	tab.Click("dialog .btn-danger")
	tab.See("The passkey is removed")
	signOut()
	tab.Expect(422)
	tab.Click("Sign in with a passkey")
	tab.See("did not answer as it should")
	if n := apptest.Value[int](p, `SELECT count(*) FROM recovery_code`); n != 0 {
		t.Errorf("%d recovery codes are left", n)
	}
}

// device is a passkey that says what a test wants it to.
type device struct {
	key    *ecdsa.PrivateKey
	handle []byte
	owner  uuid.UUID
}

// newDevice gives somebody a passkey.
func newDevice(t *testing.T, p *apptest.Portal, email string) device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := device{key, []byte("handle of " + email), apptest.Value[uuid.UUID](p, `SELECT id FROM person WHERE email = $1`, email)}
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	cose := append([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20}, point[1:33]...) // RFC 9053: EC2, ES256, P-256
	cose = append(append(cose, 0x22, 0x58, 0x20), point[33:]...)
	credential, err := json.Marshal(map[string]any{"id": d.handle, "publicKey": cose, "attestationType": "none",
		"flags": map[string]bool{"userPresent": true, "userVerified": true}, "authenticator": map[string]any{"signCount": 5}})
	if err != nil {
		t.Fatal(err)
	}
	p.Exec(`INSERT INTO passkey (person_id, handle, name, credential, created_at) VALUES ($1, $2, 'Test', $3, now())`, d.owner, d.handle, string(credential))
	return d
}

// said is what a device answers with.
type said struct {
	origin, host string
	flags        byte
	count        uint32
}

func (d device) answer(t *testing.T, challenge string, s said) string {
	t.Helper()
	client, err := json.Marshal(map[string]any{"type": "webauthn.get", "challenge": challenge, "origin": s.origin})
	if err != nil {
		t.Fatal(err)
	}
	host, sum := sha256.Sum256([]byte(s.host)), sha256.Sum256(client)
	data := binary.BigEndian.AppendUint32(append(host[:], s.flags), s.count)
	digest := sha256.Sum256(append(append([]byte{}, data...), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	text, err := json.Marshal(map[string]any{"id": b64(d.handle), "rawId": b64(d.handle), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]string{"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(d.owner[:])}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type asked struct {
	Challenge string
	Options   struct{ Challenge string }
}

func TestPasskeyAnswers(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, named)
	p.InTurn()
	newAccount(t, p, "ada@example.org")
	newAccount(t, p, "bob@example.org")
	ada, bob := newDevice(t, p, "ada@example.org"), newDevice(t, p, "bob@example.org")
	ask := func() asked {
		t.Helper()
		return apptest.JSON[asked](p.Visitor().Post("/sign-in/passkey/ask").Want(200))
	}
	good := said{p.Config.BaseURL, "localhost", 5, 6} // user present and verified
	post := func(c *apptest.Client, a asked, text string) apptest.Reply {
		return c.Post("/sign-in/passkey", "challenge", a.Challenge, "answer", text, "next", "/profile")
	}
	for name, tt := range map[string]struct {
		change func(*said)
		status int
	}{
		"good":                   {func(*said) {}, 303},
		"of another site":        {func(s *said) { s.origin = "http://evil.example" }, 422},
		"for another site":       {func(s *said) { s.host = "evil.example" }, 422},
		"without its owner":      {func(s *said) { s.flags = 1 }, 422},
		"with a count behind it": {func(s *said) { s.count = 4 }, 422},
	} {
		s := good
		tt.change(&s)
		a := ask()
		if got := post(p.Visitor(), a, ada.answer(t, a.Options.Challenge, s)); got.Status != tt.status {
			t.Errorf("an answer %s: status %d, want %d: %.300s", name, got.Status, tt.status, got.Body)
		}
		p.Exec(`UPDATE passkey SET credential = replace(credential::text, '"signCount":6', '"signCount":5')::json`)
	}
	// One answer for another's challenge, for nothing, for one that has been answered, or too late.
	a, b := ask(), ask()
	post(p.Visitor(), a, ada.answer(t, b.Options.Challenge, good)).Want(422)
	post(p.Visitor(), asked{}, ada.answer(t, a.Options.Challenge, good)).Want(422)
	post(p.Visitor(), a, "{").Want(422)
	forged := bob
	forged.handle, forged.owner = ada.handle, ada.owner // Bob's key, under Ada's name
	post(p.Visitor(), ask(), forged.answer(t, a.Options.Challenge, good)).Want(422)
	late := ask()
	p.At(time.Now().Add(6 * time.Minute))
	post(p.Visitor(), late, ada.answer(t, late.Options.Challenge, good)).Want(422)
	p.At(time.Time{})

	// Twenty with the same answer at once: one is let in.
	a = ask()
	good.count = 7
	text := ada.answer(t, a.Options.Challenge, good)
	var wg sync.WaitGroup
	got := make([]int, 20)
	for i := range got {
		wg.Go(func() { got[i] = post(p.Visitor(), a, text).Status })
	}
	wg.Wait()
	in := 0
	for _, status := range got {
		if status == 303 {
			in++
		} else if status != 422 {
			t.Errorf("refused with %d", status)
		}
	}
	if in != 1 {
		t.Errorf("one answer let %d in", in)
	}

	// It confirms only who it is of.
	c := p.Visitor()
	a = ask()
	good.count = 8
	post(c, a, ada.answer(t, a.Options.Challenge, good)).Want(303)
	p.Exec(`UPDATE session SET created_at = created_at - interval '1 hour'`)
	again := func(d device) apptest.Reply {
		a := ask()
		good.count++
		return c.Post("/profile/tokens", "name", "N", "lifetime", "90", "_challenge", a.Challenge, "_again", d.answer(t, a.Options.Challenge, good))
	}
	again(bob).Want(422, "did not answer as it should").Lacks("portal_")
	again(ada).Want(200, "not shown again")

	// A suspended account has no way in.
	p.Exec(`UPDATE person SET state = 'suspended' WHERE id = $1`, bob.owner)
	a = ask()
	good.count++
	post(p.Visitor(), a, bob.answer(t, a.Options.Challenge, good)).Want(409)

	// Somebody else's cannot be removed, and the last takes the codes with it.
	mine := apptest.Value[string](p, `SELECT id FROM passkey WHERE person_id = $1`, ada.owner)
	eve := p.Person("Eve")
	eve.Get("/profile/factors/passkeys/" + mine + "/remove").Want(404)
	eve.Post("/profile/factors/passkeys/" + mine + "/remove").Want(404)
	eve.API("DELETE", "/persons/me/passkeys/"+mine, nil).Want(404)
	c.API("GET", "/persons/me/passkeys", nil).Want(200, `"name":"Test"`)
	c.API("DELETE", "/persons/me/passkeys/"+mine, nil).Want(204)
	// A number has no passkeys.
	apptest.New(t).Visitor().Get("/sign-in").Want(200).Lacks("passkey")
}
