package private

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"commissionportal/internal/problem"
)

// TestMain lets this program be the portal that is killed: see TestKilled.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PRIVATE_TEST_CHILD"); dir != "" {
		if _, err := Start(context.Background(), Config{Dir: dir, Database: "portal"}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ready")
		select {}
	}
	os.Exit(m.Run())
}

// directory is a temporary one that any account can enter; t.TempDir is not.
func directory(t *testing.T) string {
	t.Helper()
	Uncached()
	dir, err := os.MkdirTemp("/tmp", "private-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func start(t *testing.T, config Config) *Server {
	t.Helper()
	s, err := Start(t.Context(), config)
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

// query runs a statement and returns its only value.
func query(t *testing.T, url, statement string) (value string) {
	t.Helper()
	db, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := db.QueryRow(statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}

func TestStart(t *testing.T) {
	t.Parallel()
	config := Config{Dir: directory(t), Database: "portal", Settings: map[string]string{"work_mem": "8MB"}}
	s := start(t, config)
	for statement, want := range map[string]string{
		`SELECT current_setting('server_encoding')`:                                                         "UTF8",
		`SELECT datcollate FROM pg_database WHERE datname = current_database()`:                             "C.UTF-8",
		`SELECT current_setting('work_mem')`:                                                                "8MB",
		`SELECT current_setting('fsync')`:                                                                   "on",
		`SELECT current_setting('listen_addresses')`:                                                        "",
		`SELECT current_setting('timezone')`:                                                                "UTC",
		`SELECT current_user || rolsuper FROM pg_roles WHERE rolname = current_user`:                        "portalfalse",
		`SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'portal'`:                          "portal",
		`WITH t AS (SELECT 1) SELECT has_schema_privilege('public', 'CREATE') FROM t`:                       "true",
		`SELECT pg_catalog.has_database_privilege(current_user, 'portal', 'CREATE')`:                        "true",
		`SELECT count(*) FROM pg_available_extensions WHERE name IN ('pg_trgm', 'btree_gist', 'btree_gin')`: "3",
	} {
		if got := query(t, s.URL("portal"), statement); got != want {
			t.Errorf("%s: got %q, want %q", statement, got, want)
		}
	}
	query(t, s.URL("portal"), `CREATE TABLE kept (word text); INSERT INTO kept VALUES ('kept') RETURNING word`)
	if got, err := Running(config.Dir, "portal"); got != s.URL("portal") || err != nil {
		t.Errorf("to another process it runs at %q, %v", got, err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if got, err := Running(config.Dir, "portal"); got != "" || err != nil {
		t.Errorf("stopped, it runs at %q, %v", got, err)
	}
	select {
	case <-s.Done():
	default:
		t.Error("stopped, but not done")
	}
	again := start(t, config)
	if got := query(t, again.URL("portal"), `SELECT word FROM kept`); got != "kept" {
		t.Errorf("after a restart: %q", got)
	}
}

func TestTemporaryForgets(t *testing.T) {
	t.Parallel()
	config := Config{Dir: directory(t), Temporary: true}
	for range 2 {
		s := start(t, config)
		query(t, s.URL("postgres"), `SELECT current_setting('fsync')`)
		db, err := sql.Open("postgres", s.URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`CREATE DATABASE left_behind`); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(s.data()); !os.IsNotExist(err) {
			t.Errorf("data left behind: %v", err)
		}
	}
}

func TestSecondStartIsRefused(t *testing.T) {
	t.Parallel()
	config := Config{Dir: directory(t), Temporary: true}
	first := start(t, config)
	_, err := Start(t.Context(), config)
	if !problem.Of(err, problem.Conflict) || !strings.Contains(err.Error(), fmt.Sprintf("already running in this checkout (process %d)", os.Getpid())) {
		t.Errorf("second start: %v", err)
	}
	query(t, first.URL("postgres"), `SELECT 'undisturbed'`)
}

func TestOthersCannotReachIt(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Dir: directory(t), Temporary: true})
	info, err := os.Stat(s.socket)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's directory has mode %o", info.Mode().Perm())
	}
	if os.Geteuid() != 0 {
		return // the owner is us
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if owner == 0 || !strings.Contains(string(status), fmt.Sprintf("\nUid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", owner)) {
		t.Errorf("started by root, the server is not run by the ordinary owner of its data (%d):\n%s", owner, status)
	}
	other := Account{&syscall.Credential{Uid: 54321, Gid: 54321}}
	if out, err := other.Command(t.Context(), "/bin/sh", "-c", `test -e "$1"`, "sh", filepath.Join(s.socket, ".s.PGSQL.5432")).CombinedOutput(); err == nil {
		t.Errorf("another account sees the socket %s", out)
	}
}

// A portal that is killed takes its server along, or the next start does; and
// what was acknowledged is there again.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	for _, tt := range []struct {
		name string
		kill func(portal *os.Process, server int)
	}{
		{"portal", func(p *os.Process, _ int) { kill(t, p.Pid) }},
		{"server, then portal", func(p *os.Process, server int) { kill(t, server); kill(t, p.Pid) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			portal := exec.Command(os.Args[0])
			portal.Env = append(os.Environ(), "PRIVATE_TEST_CHILD="+dir)
			out, err := portal.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := portal.Start(); err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
				t.Fatalf("the portal says %q (%v)", line, err)
			}
			data := filepath.Join(dir, "data")
			running := &Server{config: Config{Dir: dir}, place: dir, socket: data}
			query(t, running.URL("portal"), `CREATE TABLE IF NOT EXISTS kept (word text); INSERT INTO kept VALUES ('kept') RETURNING word`)
			var server int
			pidFile, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Sscan(string(pidFile), &server); err != nil {
				t.Fatal(err)
			}
			tt.kill(portal.Process, server)
			if err := portal.Wait(); err == nil {
				t.Error("the portal was not killed")
			}
			s := start(t, Config{Dir: dir, Database: "portal"})
			if got := query(t, s.URL("portal"), `SELECT word FROM kept LIMIT 1`); got != "kept" {
				t.Errorf("after kill -9: %q", got)
			}
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
			for end := time.Now().Add(10 * time.Second); len(servers(data)) > 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("processes left: %v", servers(data))
				}
			}
		})
	}
}

// A server that did not notice that its portal died is stopped by the next start.
func TestLeftoverIsStopped(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	first := start(t, Config{Dir: dir, Database: "portal"})
	query(t, first.URL("portal"), `CREATE TABLE kept (word text); INSERT INTO kept VALUES ('kept') RETURNING word`)
	if err := release(first.lock); err != nil { // as if its portal were gone
		t.Fatal(err)
	}
	first.lock = nil
	second := start(t, Config{Dir: dir, Database: "portal"})
	select {
	case <-first.Done():
	default:
		t.Error("two servers on one cluster")
	}
	if got := query(t, second.URL("portal"), `SELECT word FROM kept`); got != "kept" {
		t.Errorf("got %q", got)
	}
	first.stop.Do(func() {}) // it has ended, and the lock is the second's
}

// A lock file whose process number a stranger has got meanwhile is no obstacle.
func TestProcessNumberIsTaken(t *testing.T) {
	t.Parallel()
	config := Config{Dir: directory(t)}
	s := start(t, config)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	stranger := Account{}
	if os.Geteuid() == 0 {
		var err error
		if stranger, err = AccountFor(s.data()); err != nil { // PostgreSQL minds its own account's processes only
			t.Fatal(err)
		}
	}
	sleep := stranger.Command(t.Context(), "sleep", "60")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sleep.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = sleep.Wait() // "killed", as it was
	})
	for _, name := range []string{"postmaster.pid", ".s.PGSQL.5432.lock"} {
		lock := filepath.Join(s.data(), name)
		if err := os.WriteFile(lock, fmt.Appendf(nil, "%d\n%s\n0\n5432\n", sleep.Process.Pid, s.data()), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := stranger.Own(lock); err != nil {
			t.Fatal(err)
		}
	}
	start(t, config)
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestInterruptedFirstUse(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	half := filepath.Join(dir, "data.new")
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, Config{Dir: dir})
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("half a cluster is still there: %v", err)
	}
}

func TestClosedCheckout(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root lends an account to the server")
	}
	other := filepath.Join(directory(t), "elsewhere")
	old := fallback
	fallback = func(string) string { return other }
	t.Cleanup(func() { fallback = old })

	var said strings.Builder
	closed := t.TempDir() // 0700, as /root is
	s := start(t, Config{Dir: closed, Temporary: true, Out: &said})
	if s.place != other || !strings.Contains(said.String(), other) {
		t.Errorf("data in %s; said %q", s.place, said.String())
	}
	if _, err := Start(t.Context(), Config{Dir: closed, Temporary: true}); !problem.Of(err, problem.Conflict) {
		t.Errorf("second start: %v", err)
	}
}

func TestLongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(directory(t), strings.Repeat("long/", 30))
	s := start(t, Config{Dir: dir, Temporary: true})
	query(t, s.URL("postgres"), `SELECT 'reached'`)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.socket); !os.IsNotExist(err) {
		t.Errorf("the socket's directory is left behind: %v", err)
	}
}

func TestBrokenSettingIsTold(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Config{Dir: directory(t), Temporary: true, Settings: map[string]string{"max_connections": "many"}})
	if err == nil || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("the reason is missing: %v", err)
	}
}

func TestShared(t *testing.T) {
	t.Setenv(TestURL, "postgres://given/x")
	if got, err := Shared(t.Context()); got != "postgres://given/x" || err != nil {
		t.Errorf("given: %q, %v", got, err)
	}
	t.Setenv(TestURL, "")
	first, err := Shared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shared.server.Stop(); err != nil {
			t.Error(err)
		}
		shared.server = nil
	})
	if second, err := Shared(t.Context()); second != first || err != nil {
		t.Errorf("second: %q, %v; want %q", second, err, first)
	}
	if got := query(t, first, `SELECT current_setting('fsync')`); got != "off" {
		t.Errorf("fsync is %s", got)
	}
}
