package accountweb_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
)

// What differs from answer to answer whatever is asked.
var changing = regexp.MustCompile(`(?i)(x-request-id|date): [^\n]*\n`)

// whole is an answer as who asks sees it: status, head and body, with the address
// they typed taken out, and what is different each time.
func whole(r apptest.Reply, address string) string {
	var b strings.Builder
	_ = r.Header.Clone().Write(&b) // of memory
	head := strings.Split(changing.ReplaceAllString(strings.ReplaceAll(b.String(), "\r\n", "\n"), ""), "\n")
	slices.Sort(head)
	return strings.ReplaceAll(fmt.Sprintf("%d\n%s\n%s", r.Status, strings.Join(head, "\n"), r.Body), address, "…")
}

// TestNoAnswerTellsOfAnAccount asks every door at which an address is given, for
// an address with an account and for addresses without: the answers are the same,
// byte for byte, and one letter at most goes to the address itself.
func TestNoAnswerTellsOfAnAccount(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	newAccount(t, p, "ada.known@example.org")
	armed(t, p, "bob.armed@example.org") // with a second factor
	suspended := newAccount(t, p, "eve.ended@example.org")
	suspended.Post("/sign-out").Want(303)
	p.Exec(`UPDATE person SET state = 'suspended' WHERE email = 'eve.ended@example.org'`)
	p.Exec(`INSERT INTO person (email, name) VALUES ('imp.orted@example.org', 'Imported')`) // never signed in, no password
	p.Exec(`DELETE FROM attempt`)
	energy := uuid.Must(uuid.NewV7())
	p.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state) VALUES ($1, 'energy', 'EN', 'Energy', 'commission', 'active')`, energy)
	chair := p.Person("Cora Chair")
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) VALUES (tstzrange(now() - interval '1 hour', NULL), $1, $2, 'Cora Chair', 'chair', 'election')`, energy, chair.ID)
	const unknown = "not.known@example.org" // all are of one length: so is what they are in
	statuses := map[string]int{"sign-up": 303, "sign-up, refused": 422, "the link again": 303, "reset": 303, "a wrong password": 422, "a password to show": 200,
		"preview of an invitation": 200, "invitation": 303, "invitation by API": 201}
	known := []string{"ada.known@example.org", "bob.armed@example.org", "eve.ended@example.org", "imp.orted@example.org"}
	for what, ask := range map[string]func(email string) apptest.Reply{
		"sign-up": func(e string) apptest.Reply { return signUp(p.Visitor(), e) },
		"sign-up, refused": func(e string) apptest.Reply {
			return p.Visitor().Post("/sign-up", "name", "Grace", "email", e, "country", "XX", "password", password)
		},
		"the link again": func(e string) apptest.Reply { return p.Visitor().Post("/sign-up/again", "email", e) },
		"reset":          func(e string) apptest.Reply { return p.Visitor().Post("/reset", "email", e) },
		"a wrong password": func(e string) apptest.Reply {
			return p.Visitor().Post("/sign-in", "email", e, "password", "not this one at all")
		},
		"a password to show": func(e string) apptest.Reply {
			return p.Visitor().Post("/sign-in", "email", e, "password", "x", "show", "true")
		},
		"preview of an invitation": func(e string) apptest.Reply {
			return chair.Post("/commissions/energy/invitations/preview", "role", "invited_expert", "addresses", e)
		},
		"invitation": func(e string) apptest.Reply {
			return chair.Post("/commissions/energy/invitations", "role", "invited_expert", "addresses", e)
		},
		"invitation by API": func(e string) apptest.Reply {
			r := chair.API("POST", "/commissions/energy/invitations", map[string]any{"role": "observer", "emails": []string{e}})
			for _, pattern := range []string{`[0-9a-f]{8}-[0-9a-f-]{27}`, `20\d\d-\d\d-\d\dT[0-9:.]+Z`} { // keys and times
				r.Body = regexp.MustCompile(pattern).ReplaceAllString(r.Body, "…")
			}
			for name := range r.Header {
				if name == "Content-Length" || name == "Location" {
					r.Header.Del(name)
				}
			}
			return r
		},
	} {
		p.Exec(`DELETE FROM invitation`)
		if r := ask("first." + unknown[4:]); r.Status != statuses[what] {
			t.Errorf("%s: status %d, want %d: %.300s", what, r.Status, statuses[what], r.Body)
		}
		keys := regexp.MustCompile(`name="_key" value="[^"]*"`)
		bare := func(email string) string {
			p.Exec(`DELETE FROM invitation`) // nobody is invited twice
			return keys.ReplaceAllString(whole(ask(email), email), "")
		}
		want := bare(unknown)
		for _, email := range known {
			if got := bare(email); got != want {
				t.Errorf("%s: %s is answered\n%.1500s\nand an unknown address\n%.1500s", what, email, got, want)
			}
		}
	}
	settled(t, p)
	if n := apptest.Value[int](p, `SELECT count(*) FROM mail WHERE to_address = ANY(ARRAY['eve.ended@example.org', 'not.known@example.org']) AND kind = 'account.reset'`); n != 0 {
		t.Errorf("%d links to set a password for who has no account, or none that is open", n)
	}
	// A suspended account is told of to who has its password, and to nobody else.
	p.Visitor().Post("/sign-in", "email", "eve.ended@example.org", "password", password).Want(403, "suspended")
}
