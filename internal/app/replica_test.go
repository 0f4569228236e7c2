package app_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/postgres"
	"commissionportal/internal/postgres/private"
	"commissionportal/internal/web"
)

// replicated are two servers of which the second follows the first, and a portal that
// reaches each by a wire and shows visitors what the second has.
type replicated struct {
	*world
	primary, replica   *private.Server
	toPrimary, between *apptest.Wire
	admin              *sql.DB // of the replica
}

func newReplicated(t *testing.T) *replicated {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "replica-test-") // one that PostgreSQL's account can enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // that account is another
		t.Fatal(err)
	}
	start := func(name string, follows *private.Server) *private.Server {
		s, err := private.Start(t.Context(), private.Config{Dir: dir + "/" + name, Database: "portal", Temporary: true, Primary: follows,
			Settings: map[string]string{"max_connections": "60", "wal_level": "replica", "max_wal_senders": "4", "synchronous_commit": "on"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	r := &replicated{toPrimary: apptest.NewWire(t), between: apptest.NewWire(t), primary: start("primary", nil)}
	if _, err := app.Migrate(t.Context(), r.primary.URL("portal")); err != nil {
		t.Fatal(err)
	}
	r.replica = start("replica", r.primary)
	if r.admin, err = sql.Open("postgres", r.replica.AdminURL("portal")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.admin.Close() })
	r.world = newWorld(t, 3, func(c *app.Config) {
		c.DatabaseURL, c.ReplicaURL = r.toPrimary.To(r.primary.URL("portal")), r.between.To(r.replica.URL("portal"))
		c.Connections, c.Patience = 10, 1200*time.Millisecond // the default
	})
	return r
}

// do runs a statement on the replica.
func (r *replicated) do(t *testing.T, statement string) {
	t.Helper()
	if _, err := r.admin.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

const grid = "/commissions/grid-storage"

// behind has the replica stay behind from a moment at which visitors were shown what it
// has, runs look, and lets it come after. As it may be behind for two seconds only, what
// took longer is done again.
func (r *replicated) behind(t *testing.T, look func(name string)) {
	t.Helper()
	for try := range 10 {
		now, then := fmt.Sprintf("Grid %d now", try), fmt.Sprintf("Grid %d then", try)
		r.Exec(`UPDATE commission SET name = $1 WHERE slug = 'grid-storage'`, then)
		follows(t, r.Portal)
		r.do(t, `SELECT pg_wal_replay_pause()`)
		r.Exec(`UPDATE commission SET name = $1 WHERE slug = 'grid-storage'`, now)
		shown := r.Visitor().Get(grid).Want(200).Body
		if strings.Contains(shown, then) {
			look(now)
			after := r.Visitor().Get(grid).Want(200).Body
			r.do(t, `SELECT pg_wal_replay_resume()`)
			if strings.Contains(after, then) {
				return
			}
		} else {
			r.do(t, `SELECT pg_wal_replay_resume()`)
		}
		if t.Failed() {
			return
		}
	}
	t.Fatal("visitors are not shown what the replica has")
}

// follows waits until the replica has all, and the portal knows.
func follows(t *testing.T, p *apptest.Portal) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := p.DB.Follows(t.Context())
		ctx := postgres.MayLag(t.Context())
		if err == nil {
			_, err = postgres.One[int](ctx, p.DB, nil, `SELECT 1`)
		}
		if err == nil && postgres.Lags(ctx) {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the replica is not read from", err)
		}
	}
}

// preferStandby is the address of the one of two servers that only reads, or else of the other.
func preferStandby(t *testing.T, addresses ...string) string {
	t.Helper()
	var hosts, ports []string
	var u *url.URL
	for _, address := range addresses {
		var err error
		if u, err = url.Parse(address); err != nil {
			t.Fatal(err)
		}
		hosts, ports = append(hosts, u.Hostname()), append(ports, u.Port())
	}
	q := u.Query()
	q.Set("host", strings.Join(hosts, ","))
	q.Set("port", strings.Join(ports, ","))
	q.Set("target_session_attrs", "prefer-standby")
	u.Host, u.RawQuery = "", q.Encode()
	return u.String()
}

// TestReplica has visitors be shown what a replica has, by servers that are stopped, stay
// behind and take each other's place.
func TestReplica(t *testing.T) {
	private.Uncached()
	t.Parallel()
	r := newReplicated(t)
	api := "/commissions/grid-storage"

	// Of all that visitors may ask for, nothing is refused by a server that only reads.
	follows(t, r.Portal)
	alone := r.Another(func(c *app.Config) { c.ReplicaURL = "" })
	for _, route := range r.Web.Routes() {
		if route.Method != http.MethodGet || route.Live || route.Path == "/readyz" {
			continue
		}
		path := r.path(t, route)
		if strings.HasPrefix(route.Path, "/api/v1") {
			path = "/api/v1" + path
		}
		got, want := r.Visitor().Get(path), r.Visitor().On(alone).Get(path)
		if got.Status != want.Status {
			t.Errorf("GET %s is answered %d, without a replica %d\n%.300s", path, got.Status, want.Status, got.Body)
		}
	}
	n, ctx := 0, postgres.MayLag(t.Context())
	said := (*pq.Error)(nil)
	if err := r.DB.Get(ctx, &n, `WITH x AS (INSERT INTO sector (slug, name, position) VALUES ('x', 'X', 99) RETURNING 1) SELECT 1 FROM x`); !errors.As(err, &said) || said.Code != "25006" {
		t.Errorf("a statement that writes ends with %v", err)
	}
	// What one gave up halfway the other begins anew.
	if list, err := postgres.All[int](ctx, r.DB, `SELECT CASE WHEN pg_is_in_recovery() THEN 1 / (3 - i) ELSE i END FROM generate_series(1, 3) i`); err != nil || fmt.Sprint(list) != "[1 2 3]" || postgres.Lags(ctx) {
		t.Errorf("given up halfway, it is %v, %v", list, err)
	}
	keeps := r.Another(func(c *app.Config) { c.PublicAge = time.Millisecond })
	follows(t, keeps)

	secret := uuid.NewString()
	member := r.Person("Ina Insider")
	r.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at, seen_at) VALUES ($1, $2, 'Test', true, now(), now() + interval '50 years')`, web.Hash(secret), member.ID)
	program := r.Visitor()
	program.Token = secret
	leaver := r.Person("Lea Leaver")
	r.behind(t, func(name string) {
		// Whoever is known, and whoever has just written, is shown what there is.
		r.sam.Get(grid).Want(200, name)
		program.API("GET", api, nil).Want(200, name)
		writer := r.Visitor()
		writer.Post("/preferences/theme", "theme", "dark")
		writer.Get(grid).Want(200, name)
		writer.API("GET", api, nil).Want(200, name)
		leaver.Post("/sign-out").Want(303)
		leaver.Get(grid).Want(200, name, "Sign in")
		r.Visitor().API("GET", api, nil).Want(200).Lacks(name)

		// What the replica lacks is looked for.
		slug := "c" + uuid.NewString()
		r.Exec(`INSERT INTO commission (slug, acronym, name, kind, state) VALUES ($1, upper(left($1, 8)), 'Brand New', 'commission', 'active')`, slug)
		r.Visitor().Get("/commissions/"+slug).Want(200, "Brand New")
		r.Visitor().API("GET", "/commissions/"+slug, nil).Want(200, "Brand New")
		r.Visitor().On(keeps).Get("/commissions/"+slug).Want(200, "Brand New")
		r.Exec(`UPDATE commission SET name = 'Newer still' WHERE slug = $1`, slug)
		time.Sleep(2 * time.Millisecond)
		r.Visitor().On(keeps).Get("/commissions/"+slug).Want(200, "Newer still") // the replica does not know when to make it anew

		// Who may see what is asked of the primary.
		r.Visitor().Get("/documents/GRID-STORAGE-N0002").Want(200)
		r.Exec(`UPDATE document SET visibility = 'commission', license = '', published_at = NULL WHERE number = 2`)
		for _, path := range []string{"/documents/GRID-STORAGE-N0002", "/d/GRID-STORAGE-N0002", "/documents/GRID-STORAGE-N0002/trace"} {
			if status := r.Visitor().Get(path).Status; status == 200 {
				t.Errorf("%s is shown after it was closed", path)
			}
		}
		r.Visitor().Get(grid+"/roster").Want(200, "roster.csv")
		r.Exec(`UPDATE commission SET roster_visibility = 'officers' WHERE slug = 'grid-storage'`)
		r.Visitor().Get(grid + "/roster").Want(200).Lacks("roster.csv")
		r.Exec(`UPDATE commission SET roster_visibility = 'public' WHERE slug = 'grid-storage'`)
		r.Exec(`UPDATE document SET visibility = 'public', license = 'CC-BY-4.0', published_at = now() WHERE number = 2`)
		r.Exec(`DELETE FROM session WHERE person_id = $1`, member.ID)
		member.Get("/desk").Want(303)
		r.Exec(`UPDATE token SET revoked_at = now() WHERE person_id = $1`, member.ID)
		program.API("GET", api, nil).Want(401)
		r.Exec(`UPDATE token SET revoked_at = NULL WHERE person_id = $1`, member.ID)
	})

	// A page that is kept is of one server.
	shows := func(p *apptest.Portal, name string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			body := r.Visitor().On(p).Get(grid).Want(200).Body
			if strings.Contains(body, name) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s is still not shown", name)
			}
		}
	}
	follows(t, keeps)
	change := func(statement string) *sql.Tx {
		tx, err := r.DB.BeginTx(t.Context(), nil)
		if err == nil {
			_, err = tx.ExecContext(t.Context(), statement)
		}
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	commit := func(tx *sql.Tx) {
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		follows(t, keeps)
	}
	// A replica does not say which of these have ended, but that they have come.
	first := change(`UPDATE commission SET purpose = 'First.' WHERE slug = 'c1'`)
	second := change(`UPDATE commission SET name = 'Kept before' WHERE slug = 'grid-storage'`)
	commit(change(`UPDATE commission SET purpose = 'Third.' WHERE slug = 'c2'`))
	r.Visitor().On(keeps).Get(grid).Want(200).Lacks("Kept before")
	commit(second)
	time.Sleep(2 * time.Millisecond)
	r.Visitor().On(keeps).Get(grid).Want(200, "Kept before")
	commit(first)
	r.do(t, `SELECT pg_wal_replay_pause()`)
	r.Exec(`UPDATE commission SET name = 'Kept after' WHERE slug = 'grid-storage'`)
	for _, p := range []*apptest.Portal{r.Portal, keeps} { // one that stays behind is left out
		shows(p, "Kept after")
	}
	r.do(t, `SELECT pg_wal_replay_resume()`)
	follows(t, keeps)
	for range 20 {
		r.Visitor().On(keeps).Get(grid).Want(200, "Kept after")
	}
	r.Exec(`UPDATE commission SET name = 'Kept again' WHERE slug = 'grid-storage'`)
	shows(keeps, "Kept again")

	// Whatever happens to the replica, nobody who reads is told, and it is read from again.
	follows(t, r.Portal)
	var slowest atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			began := time.Now()
			if got := r.Visitor().Get(grid); got.Status != 200 {
				t.Errorf("while the replica stops: %d\n%.300s", got.Status, got.Body)
			}
			slowest.Store(max(slowest.Load(), int64(time.Since(began))))
		}
	}()
	for _, outage := range []struct{ begin, end func() }{
		{func() { r.do(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'portal'`) }, func() {}},
		{r.between.Cut, r.between.Mend},
		{r.between.Silence, r.between.Speak},
	} {
		outage.begin()
		time.Sleep(50 * time.Millisecond)
		r.Visitor().Get(grid).Want(200)
		outage.end()
		follows(t, r.Portal)
	}
	close(stop)
	<-stopped
	if waited := time.Duration(slowest.Load()); waited > 3*time.Second {
		t.Errorf("somebody waited %v", waited)
	}

	// Connections that came to the primary instead, while the replica was away, go back to it.
	r.between.Cut()
	either := r.Another(func(c *app.Config) { c.ReplicaURL, c.Connections = preferStandby(t, c.ReplicaURL, c.DatabaseURL), 4 })
	standbys := func() (n int32) {
		var counted atomic.Int32
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				standby, err := postgres.One[bool](postgres.MayLag(t.Context()), either.DB, nil, `SELECT pg_is_in_recovery() FROM pg_sleep(0.05)`)
				if err != nil {
					t.Error(err)
				}
				if standby {
					counted.Add(1)
				}
			})
		}
		all.Wait()
		return counted.Load()
	}
	follows(t, either)
	if n := standbys(); n != 0 {
		t.Errorf("a replica answers %d times that is not there", n)
	}
	r.between.Mend()
	for end := time.Now().Add(time.Minute); standbys() != 4; {
		if time.Now().After(end) {
			t.Fatal("the replica is back, and the primary is asked still")
		}
	}

	// It takes the place of the primary, which has stopped: what has been acknowledged is there.
	r.Exec(`UPDATE commission SET name = 'After all' WHERE slug = 'grid-storage'`)
	follows(t, r.Portal)
	if err := r.primary.Stop(); err != nil {
		t.Fatal(err)
	}
	r.do(t, `SELECT pg_promote()`)
	r.toPrimary.Cut()
	r.toPrimary.To(r.replica.URL("portal"))
	r.toPrimary.Mend()
	for end := time.Now().Add(10 * time.Second); r.Visitor().Get("/readyz").Status != 200 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	follows(t, r.Portal)
	r.Visitor().Get(grid).Want(200, "After all")
	at := r.sam.API("GET", api, nil).Want(200).Header.Get("ETag")
	r.sam.API("PATCH", api, map[string]any{"purpose": "Storage that outlives what it is kept in."}, "If-Match", at).Want(200)
	shows(r.Portal, "Storage that outlives")
}
