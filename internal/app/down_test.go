package app_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/postgres"
	"commissionportal/internal/web"
)

// answered is what somebody heard who asked while the database was down.
type answered struct {
	path, kind, later, body string
	status                  int
	took                    time.Duration
	err                     error
}

// volley asks many times at once, as a person with a session, a program with a
// token, and a visitor.
func volley(p *apptest.Portal, session, token string, n int) []answered {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	list := make([]answered, n)
	var all sync.WaitGroup
	for i := range list {
		all.Go(func() {
			a := &list[i]
			method, body := "GET", ""
			a.path = []string{"/desk", "/commissions", "/api/v1/commissions", "/api/v1/organizations", "/sign-up"}[i%5]
			if a.path == "/sign-up" {
				method, body = "POST", "name=Grace+Hopper&email=grace@example.org&country=US&password=plover+tidal+ombudsman"
			}
			r, err := http.NewRequest(method, p.URL+a.path, strings.NewReader(body))
			if err != nil {
				a.err = err
				return
			}
			switch i % 5 {
			case 0:
				r.AddCookie(&http.Cookie{Name: "session", Value: session})
			case 2:
				r.Header.Set("Authorization", "Bearer "+token)
			case 4:
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			began := time.Now()
			res, err := client.Do(r)
			if err != nil {
				a.err = err
				return
			}
			raw, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			a.status, a.kind, a.later, a.body, a.took, a.err = res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("Retry-After"), string(raw), time.Since(began), err
		})
	}
	all.Wait()
	return list
}

// waiting counts the goroutines that wait for a database.
func waiting() int {
	b := make([]byte, 16<<20)
	n := 0
	for stack := range strings.SplitSeq(string(b[:runtime.Stack(b, true)]), "\n\n") {
		if strings.Contains(stack, "web.(*Server).begin") && (strings.Contains(stack, "database/sql.") || strings.Contains(stack, "lib/pq.")) {
			n++
		}
	}
	return n
}

// TestDatabaseDown asks while the database says nothing, and while it refuses. It runs
// by itself, since it counts goroutines.
func TestDatabaseDown(t *testing.T) {
	wire := apptest.NewWire(t)
	p := apptest.New(t, func(c *app.Config) {
		c.DatabaseURL = wire.To(c.DatabaseURL)
		c.Patience = 1200 * time.Millisecond // the default
		c.LogTo = io.Discard
	})
	ada := p.Person("Ada Lovelace")
	session, token := uuid.NewString(), uuid.NewString()
	p.Exec(`INSERT INTO session (hash, person_id, created_at, seen_at, confirmed_at, expires_at) VALUES ($1, $2, now(), now(), now(), now() + interval '1 day')`, web.Hash(session), ada.ID)
	p.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at) VALUES ($1, $2, 'Test', false, now())`, web.Hash(token), ada.ID)
	ada.Get("/desk").Want(200)

	// Connections that the server ended are made again, and nobody notices.
	p.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	for range 8 {
		ada.Get("/desk").Want(200)
		p.Visitor().API("GET", "/sectors", nil).Want(200)
	}

	for _, outage := range []struct {
		name        string
		begin, mend func()
		rounds      int
	}{
		{"says nothing", wire.Silence, wire.Speak, 2},
		{"refuses", wire.Cut, wire.Mend, 1},
	} {
		outage.begin()
		var slowest [2]time.Duration
		for round := range outage.rounds {
			for _, a := range volley(p, session, token, 200) {
				slowest[round] = max(slowest[round], a.took)
				switch {
				case a.err != nil:
					t.Fatalf("%s, %d: %s: %v", outage.name, round, a.path, a.err)
				case a.status != 503 || a.later == "":
					t.Fatalf("%s, %d: %s answers %d, Retry-After %q, after %v:\n%.300s", outage.name, round, a.path, a.status, a.later, a.took, a.body)
				case strings.HasPrefix(a.path, "/api/") != (a.kind == "application/problem+json") || !strings.Contains(a.body, "cannot reach its database"):
					t.Fatalf("%s, %d: %s answers %s:\n%.300s", outage.name, round, a.path, a.kind, a.body)
				}
			}
			if n := waiting(); n > 0 {
				t.Errorf("%s, %d: %d requests wait for the database after all were answered", outage.name, round, n)
			}
		}
		// In the second round it is known already: that is what 200 answers at once cost here.
		if waited := slowest[0] - slowest[1]; outage.rounds == 2 && waited > 2*time.Second {
			t.Errorf("%s: somebody was made to wait for %v", outage.name, waited)
		}
		ada.Get("/readyz").Want(503, "database")
		ada.Get("/healthz").Want(200)
		page := ada.Get("/desk").Want(503)
		_, rest, _ := strings.Cut(page.Body, `href="/static/`)
		sheet, _, _ := strings.Cut(rest, `"`)
		ada.Get("/static/" + sheet).Want(200) // the page looks like one of ours
		outage.mend()
		for end := time.Now().Add(5 * time.Second); ada.Get("/readyz").Status != 200; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not ready again", outage.name)
			}
		}
		for range 8 {
			ada.Get("/desk").Want(200)
		}
		p.Exec(`INSERT INTO river_job (state, max_attempts, args, kind, queue, scheduled_at) VALUES ('available', 1, '{"name": "nothing"}', 'every', 'default', now())`)
		for end := time.Now().Add(10 * time.Second); apptest.Value[int](p, `SELECT count(*) FROM river_job WHERE args->>'name' = 'nothing' AND state = 'available'`) != 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: no job is carried out", outage.name)
			}
		}
	}
}

// TestLostUnprepared loses connections in the middle of statements that are not prepared:
// the pool gives none of them out again.
func TestLostUnprepared(t *testing.T) {
	t.Parallel()
	wire := apptest.NewWire(t)
	p := apptest.New(t)
	const most = 4
	db, err := postgres.Open(t.Context(), postgres.Config{URL: wire.To(p.DatabaseURL), Bare: true, Max: most})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var all sync.WaitGroup
	for range most {
		all.Go(func() {
			var one int
			if err := db.Get(t.Context(), &one, `SELECT $1::int FROM pg_sleep(60)`, 1); !postgres.Lost(err) {
				t.Errorf("it was not lost: %v", err)
			}
		})
	}
	for end := time.Now().Add(10 * time.Second); apptest.Value[int](p, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'pg_sleep.60' AND pid <> pg_backend_pid()`) < most; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing runs")
		}
	}
	wire.Cut()
	all.Wait()
	wire.Mend()
	for range 3 * most {
		if one, err := postgres.One[int](t.Context(), db, nil, `SELECT $1::int`, 1); err != nil || one != 1 {
			t.Fatalf("%d, %v", one, err)
		}
	}
}
