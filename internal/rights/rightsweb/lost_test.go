package rightsweb_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/mail"
)

// TestRightsLost takes rights on one server while another is asked: from the answer on,
// nothing is served there to who had them, and their streams end. The second time, that
// server has lost the connection by which it hears of it.
func TestRightsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wire := apptest.NewWire(t)
	other := w.Another(func(c *app.Config) { c.DatabaseURL = wire.To(c.DatabaseURL) })
	other.Web.Beat = time.Hour // no stream ends because of it
	const title, page = "Report 1", "/documents/ENERGY-N0001"
	acme := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO organization (id, slug, name, plain_name, kind, state, country) VALUES ($1, 'acme', 'Acme', 'acme', 'company', 'member', 'DE')`, acme)
	w.Exec(`UPDATE document SET organization_id = $1 WHERE number = 1`, acme)
	seated := func(role string) func(c *apptest.Client) {
		return func(c *apptest.Client) { w.seat(c, role) }
	}
	acts := func(c *apptest.Client) {
		w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period) VALUES ($1, $2, 'confirmed', true, '[2020-01-01,)')`, c.ID, acme)
	}
	shared := func(c *apptest.Client) {
		w.Exec(`INSERT INTO share (document_id, to_person, level, created_by, created_at) SELECT id, $1, 'download', $2, now() FROM document WHERE number = 1`, c.ID, w.staff.ID)
	}
	id := func(query string, c *apptest.Client) string {
		return apptest.Value[uuid.UUID](w.Portal, query, c.ID).String()
	}
	// sees is by what ways somebody comes to the document on the other server.
	sees := func(c *apptest.Client) (ways []string) {
		c = c.On(other)
		for _, path := range []string{page, "/commissions/energy/documents", "/commissions/energy/documents.csv", "/commissions/energy/documents.atom", "/search?q=report"} {
			if strings.Contains(c.Get(path).Body, title) {
				ways = append(ways, path)
			}
		}
		for _, path := range []string{page, page + "/trace", "/commissions/energy/documents", "/search?kind=document&q=report"} {
			if r := c.API("GET", path, nil); strings.Contains(r.Body, title) || r.Status == 200 && strings.HasSuffix(path, "/trace") {
				ways = append(ways, "/api"+path)
			}
		}
		return ways
	}
	for _, deaf := range []bool{false, true} {
		if deaf {
			wire.Shut()
			w.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`)
		}
		for _, tt := range []struct {
			name  string
			gets  func(*apptest.Client)
			loses func(*apptest.Client)
		}{
			{"seat ended", seated("observer"), func(c *apptest.Client) {
				w.chair.Post("/commissions/energy/seats/"+id(`SELECT id FROM seat WHERE person_id = $1`, c)+"/end", "version", "1", "reason", "Moved on").Want(303)
			}},
			{"signed out", seated("observer"), func(c *apptest.Client) { c.Post("/sign-out").Want(303) }},
			{"suspended", seated("observer"), func(c *apptest.Client) {
				w.staff.API("POST", "/persons/"+c.ID.String()+"/suspend", map[string]string{"reason": "A test"}).Want(200)
			}},
			{"acts no more", acts, func(c *apptest.Client) {
				w.staff.API("DELETE", "/organizations/acme/affiliations/"+id(`SELECT id FROM affiliation WHERE person_id = $1`, c), nil).Want(204)
			}},
			{"share revoked", shared, func(c *apptest.Client) {
				w.staff.API("DELETE", "/shares/"+id(`SELECT id FROM share WHERE to_person = $1`, c), nil).Want(204)
			}},
			{"a rule", seated("emeritus"), func(*apptest.Client) {
				w.set(w.chair, change{"emeritus", "document", "read:commission", "deny"}).Want(200)
			}},
		} {
			c := w.Person(fmt.Sprintf("Lou %s %v", tt.name, deaf))
			tt.gets(c)
			if tt.name == "a rule" {
				w.set(w.chair, change{"emeritus", "document", "read:commission", "inherit"})
			}
			if got := sees(c); len(got) < 5 {
				t.Errorf("%s, deaf %v: before, it is seen by %v alone", tt.name, deaf, got)
			}
			stream := c.On(other).Events("/events?document=ENERGY-N0001")
			stream.Want("changed")
			tt.loses(c)
			if got := sees(c); len(got) > 0 {
				t.Errorf("%s, deaf %v: it is still served by %v", tt.name, deaf, got)
			}
			stream.WantEnd()
		}
	}
}

// TestLettersWithheld queues letters at a mail server that does not answer, takes the
// rights of some of their readers, and sends again: theirs are withheld, and the others'
// tried.
func TestLettersWithheld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *app.Config) {
		c.Mail = mail.Settings{Host: "127.0.0.1", Port: 1, TLS: "off", From: "Commission Portal <portal@example.org>"}
	})
	plain := w.Person("Pam Plain")
	share := func(c *apptest.Client) string {
		return apptest.JSON[struct{ ID string }](w.chair.API("POST", "/documents/ENERGY-N0003/shares", map[string]string{"with": "person", "recipient": c.ID.String(), "level": "see"}).Want(201)).ID
	}
	revoked := share(w.member)
	share(w.observer)
	plain.API("POST", "/commissions/energy/applications", map[string]string{"role": "invited_expert", "statement": "Ten years of batteries."}).Want(201)
	state := func(c *apptest.Client, kind string) string {
		return apptest.Value[string](w.Portal, `SELECT coalesce(max(state || CASE WHEN attempts > 1 THEN ' again' ELSE '' END), 'none') FROM mail WHERE person_id = $1 AND kind = $2`, c.ID, kind)
	}
	until := func(good func() bool) {
		for end := time.Now().Add(15 * time.Second); !good() && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		}
	}
	// A digest that names a document twice, as it is new and asks for something.
	digests := func() {
		if err := w.Documents.Digests(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	digests() // who has a seat hears from now on
	w.Exec(`UPDATE document SET status_since = now() - interval '1 day', action = 'comment', due_on = (now() + interval '5 days')::date WHERE number = 1`)
	w.Exec(`UPDATE document_notice SET digested_at = now() - interval '9 days' WHERE person_id = $1`, w.chair.ID)
	digests()
	until(func() bool { return state(w.chair, "document.digest") != "none" })
	until(func() bool {
		return apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE attempts = 0 OR claimed_until IS NOT NULL`) == 0
	})

	w.chair.API("DELETE", "/shares/"+revoked, nil).Want(204)
	w.Exec(`UPDATE seat SET period = tstzrange(lower(period), now()), ended = 'left' WHERE person_id = $1`, w.secretary.ID)
	for _, tt := range []struct {
		name, kind, want string
		to               *apptest.Client
	}{
		{"share revoked", "document.shared", "withheld again", w.member},
		{"share kept", "document.shared", "queued again", w.observer},
		{"secretary no more", "application.received", "withheld again", w.secretary},
		{"chair", "application.received", "queued again", w.chair},
		{"digest", "document.digest", "queued again", w.chair},
	} {
		until(func() bool {
			w.Exec(`UPDATE river_job SET state = 'available', scheduled_at = now() WHERE kind = 'mail.deliver' AND state = 'retryable'`) // at once
			return state(tt.to, tt.kind) == tt.want
		})
		if got := state(tt.to, tt.kind); got != tt.want {
			t.Errorf("%s: the letter is %s, want %s", tt.name, got, tt.want)
		}
	}
}
