// Package private runs a PostgreSQL server of the portal's own, for `portal dev`
// and for tests: found or installed, made on first use, started as an ordinary
// account, stopped with the process that started it.
//
// Nobody else can reach it: it does not listen on the network, and its socket
// is in its data directory, which only its account (and root) may enter. So it
// needs no port, which could be taken, and no password, which could be read.
package private

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lib/pq"

	"commissionportal/internal/problem"
)

// role is the server's ordinary account for the portal: it owns its databases
// and may make new ones, and is no superuser, as in production.
const role = "portal"

// ServingRole is an account that owns nothing: for serving as one that cannot
// change the journal, once `portal migrate --grant` has given it the rest.
const ServingRole = "portal_serve"

// Config says which server to start.
type Config struct {
	// Dir is where the server keeps its files; it is made if it is missing.
	// One process at a time can have it.
	Dir string
	// Database is made if it is missing. Optional.
	Database string
	// Settings are added to postgresql.conf's, and win over ours.
	Settings map[string]string
	// Temporary is for tests: starts empty, forgets all when stopped, and
	// trades the safety of the data for speed.
	Temporary bool
	// Primary is the server that this one follows by streaming replication, for tests: it is
	// made as a copy of it.
	Primary *Server
	// Out is told what takes time or is not where one would look. Optional.
	Out io.Writer
}

// Server is a running private server.
type Server struct {
	config Config
	place  string // Dir, or where root had to go instead
	socket string // the directory of the socket
	lock   *os.File
	cmd    *exec.Cmd
	done   chan struct{} // closed when the server has ended
	stop   sync.Once
	err    error // of stop
}

// durable and temporary are our settings. JIT costs more than it gives on short
// queries. One server serves all packages' tests at once.
var (
	durable   = map[string]string{"jit": "off", "plan_cache_mode": "force_generic_plan"}
	temporary = map[string]string{
		"jit": "off", "plan_cache_mode": "force_generic_plan", "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
		"autovacuum": "off", "max_connections": "300", "wal_level": "minimal", "max_wal_senders": "0",
		"max_wal_size": "512MB", "max_parallel_workers_per_gather": "0",
	}
)

// Start starts the server and waits until it answers; on first use of Dir it
// makes the cluster, which takes about a second. What an earlier portal left
// behind when it was killed, a running server included, is cleared away. ctx
// limits the start, not the life of the server.
//
// It reports a Conflict if another process uses Dir, and Unavailable if
// PostgreSQL is missing (see Install).
func Start(ctx context.Context, config Config) (_ *Server, err error) {
	dir, err := absolute(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("private server: %w", err)
	}
	config.Dir = dir
	s := &Server{config: config, done: make(chan struct{})}
	if s.lock, err = acquire(filepath.Join(dir, "lock")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, release(s.lock))
		}
	}()

	who, err := AccountFor(filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	if s.place, err = who.Place(ctx, dir); err != nil {
		return nil, err
	}
	if s.place != dir {
		say(config.Out, "The account that runs PostgreSQL cannot enter %s: its data are in %s instead.", dir, s.place)
		if who, err = AccountFor(s.data()); err != nil {
			return nil, err
		}
	}
	if err := stopLeftover(ctx, s.data()); err != nil {
		return nil, err
	}
	in, err := s.cluster(ctx, who)
	if err != nil {
		return nil, err
	}
	if err := s.launch(ctx, in, who); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// absolute makes dir and returns its true path, as /proc shows it.
func absolute(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// acquire takes the lock that a process holds while it uses a directory. The
// kernel gives it back however the process ends.
func acquire(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("private server: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		pid, _ := io.ReadAll(f) // unreadable: then the sentence lacks the number
		return nil, errors.Join(problem.New(problem.Conflict,
			"The portal is already running in this checkout (process %s). Stop it first.", strings.TrimSpace(string(pid))), f.Close())
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("private server: lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

// release gives the lock back. Closing alone would leave it to any program that is just
// being started beside, which has the file too until it runs.
func release(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

func (s *Server) data() string { return filepath.Join(s.place, "data") }
func (s *Server) log() string  { return filepath.Join(s.config.Dir, "log") }

// cluster finds the cluster, or makes it, and returns the programs that fit it.
func (s *Server) cluster(ctx context.Context, who Account) (installation, error) {
	if s.config.Temporary {
		if err := os.RemoveAll(s.data()); err != nil {
			return installation{}, fmt.Errorf("private server: %w", err)
		}
	}
	written, err := os.ReadFile(filepath.Join(s.data(), "PG_VERSION"))
	if err == nil {
		major, err := strconv.Atoi(strings.TrimSpace(string(written)))
		if err != nil {
			return installation{}, fmt.Errorf("private server: %s: %w", s.data(), err)
		}
		return find(major)
	}
	if !os.IsNotExist(err) {
		return installation{}, fmt.Errorf("private server: %w", err)
	}
	in, err := find(0)
	if err != nil {
		return in, err
	}
	// Made beside its place and moved there when complete: an interruption
	// leaves no half a cluster.
	unfinished := s.data() + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return in, fmt.Errorf("private server: %w", err)
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return in, fmt.Errorf("private server: %w", err)
	}
	if err := who.Own(unfinished); err != nil {
		return in, fmt.Errorf("private server: %w", err)
	}
	program, args := filepath.Join(in.dir, "initdb"), []string{"--pgdata", unfinished, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"}
	if p := s.config.Primary; p != nil {
		if program, err = Tool("pg_basebackup"); err != nil {
			return in, err
		}
		args = []string{"--pgdata", unfinished, "--dbname", p.AdminURL(""), "--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf"}
	}
	if s.config.Temporary {
		args = append(args, "--no-sync")
	}
	if out, err := who.Command(ctx, program, args...).CombinedOutput(); err != nil {
		return in, fmt.Errorf("private server: %s: %w\n%s", filepath.Base(program), err, out)
	}
	if err := unlock(unfinished); err != nil { // a copy has the locks of what it is of
		return in, err
	}
	if err := os.Rename(unfinished, s.data()); err != nil {
		return in, fmt.Errorf("private server: %w", err)
	}
	return in, nil
}

// launch starts the server's process and waits until it takes connections.
func (s *Server) launch(ctx context.Context, in installation, who Account) error {
	var err error
	if s.socket, err = s.socketDir(who); err != nil {
		return err
	}
	settings := maps.Clone(durable)
	if s.config.Temporary {
		settings = maps.Clone(temporary)
	}
	settings["timezone"], settings["log_timezone"] = "UTC", "UTC"
	maps.Copy(settings, s.config.Settings)
	settings["listen_addresses"], settings["unix_socket_directories"] = "", s.socket
	settings["unix_socket_permissions"], settings["port"] = "0700", "5432"
	args := []string{"-D", s.data()}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	log, err := s.openLog()
	if err != nil {
		return fmt.Errorf("private server: %w", err)
	}
	// Not ctx: the server outlives the start.
	s.cmd = who.Command(context.WithoutCancel(ctx), filepath.Join(in.dir, "postgres"), args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	dieWithParent(s.cmd.SysProcAttr)

	started := make(chan error)
	go func() {
		// The kernel sends the death signal when this thread ends, not the
		// process: so keep the thread for as long as the server lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			_ = s.cmd.Wait() // how it ended is in its log; that it ended is told by done
		}
		close(s.done)
	}()
	err = errors.Join(<-started, log.Close())
	if err != nil {
		return fmt.Errorf("private server: %w", err)
	}
	for !s.ready() {
		select {
		case <-s.done:
			return fmt.Errorf("private server: it ended while starting:\n%s", s.lastWords())
		case <-ctx.Done():
			return errors.Join(ctx.Err(), s.Stop())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// socketDir is the data directory, unless its path is too long for a socket
// (the kernel takes 107 bytes); then a new directory in /tmp.
func (s *Server) socketDir(who Account) (string, error) {
	if len(s.data())+len("/.s.PGSQL.5432") <= 103 { // 103: what BSDs take
		return s.data(), nil
	}
	dir, err := os.MkdirTemp("/tmp", "portal-postgres-")
	if err == nil {
		err = who.Own(dir)
	}
	if err != nil {
		return "", fmt.Errorf("private server: %w", err)
	}
	return dir, nil
}

// openLog opens the log of this run and keeps that of the last one.
func (s *Server) openLog() (*os.File, error) {
	if err := os.Rename(s.log(), s.log()+".1"); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return os.OpenFile(s.log(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// ready reads the status that the server writes for pg_ctl: the eighth line.
func (s *Server) ready() bool {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return len(lines) > 7 && lines[0] == strconv.Itoa(s.cmd.Process.Pid) && strings.TrimSpace(lines[7]) == "ready"
}

// lastWords is the end of the server's log.
func (s *Server) lastWords() string {
	text, err := os.ReadFile(s.log())
	if err != nil {
		return err.Error()
	}
	const enough = 2000
	return string(text[max(0, len(text)-enough):])
}

// prepare makes the roles and the database, if they are missing.
func (s *Server) prepare(ctx context.Context) (err error) {
	if s.config.Primary != nil { // it has what that has
		return nil
	}
	db, err := sql.Open("postgres", s.url("postgres", "postgres"))
	if err != nil {
		return fmt.Errorf("private server: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ensure := func(exists, name, statement string) error {
		var found bool
		if err := db.QueryRowContext(ctx, exists, name).Scan(&found); err != nil || found {
			return err
		}
		_, err := db.ExecContext(ctx, statement)
		return err
	}
	for name, statement := range map[string]string{role: `CREATE ROLE portal LOGIN CREATEDB`, ServingRole: `CREATE ROLE portal_serve LOGIN`} {
		if err := ensure(`SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, name, statement); err != nil {
			return fmt.Errorf("private server: role: %w", err)
		}
	}
	if name := s.config.Database; name != "" {
		if err := ensure(`SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name,
			`CREATE DATABASE `+pq.QuoteIdentifier(name)+` OWNER portal`); err != nil {
			return fmt.Errorf("private server: database %s: %w", name, err)
		}
	}
	return nil
}

// AdminURL is the address of a database for the server's own account, which may do everything.
func (s *Server) AdminURL(database string) string { return s.url("postgres", database) }

// URL is the address of a database on this server, for DATABASE_URL, lib/pq and
// psql. Its role may make databases, and is no superuser.
func (s *Server) URL(database string) string { return s.url(role, database) }

func (s *Server) url(user, database string) string { return address(s.socket, user, database) }

// Running is the address of a database on the server that another process runs in
// dir; "" if none runs there.
func Running(dir, database string) (string, error) {
	dir, err := filepath.EvalSymlinks(dir) // as Start names it
	if os.IsNotExist(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("private server: %w", err)
	}
	for _, place := range []string{dir, fallback(dir)} {
		text, err := os.ReadFile(filepath.Join(place, "data", "postmaster.pid"))
		if errors.Is(err, os.ErrPermission) {
			return "", problem.New(problem.Conflict,
				"The database in %s belongs to another account: give the command as who started the portal (as root?), or set DATABASE_URL.", place)
		}
		// What the server writes for pg_ctl: its process, on the fifth line the directory
		// of its socket, on the eighth how it is.
		lines := strings.Split(string(text), "\n")
		if err != nil || len(lines) < 8 || strings.TrimSpace(lines[7]) != "ready" {
			continue
		}
		pid, err := strconv.Atoi(lines[0])
		if err != nil || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) { // it was killed, and its file is left
			continue
		}
		return address(lines[4], role, database), nil
	}
	return "", nil
}

func address(socket, user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database, RawQuery: url.Values{
		"host": {socket}, "port": {"5432"}, "sslmode": {"disable"}, // said, so that no PG… variable changes them
	}.Encode()}
	return u.String()
}

// Done is closed when the server has ended, asked to or not; the reason for the
// latter is in the file "log" of Dir.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop stops the server, at first letting it end what it writes, and gives Dir
// back. Further calls return what the first returned.
func (s *Server) Stop() error {
	s.stop.Do(func() { s.err = errors.Join(s.end(), s.forget(), release(s.lock)) })
	return s.err
}

func (s *Server) end() error {
	for _, step := range []struct {
		signal  syscall.Signal
		timeout time.Duration
	}{
		{syscall.SIGINT, 30 * time.Second}, // fast: ends sessions, writes all
		{syscall.SIGQUIT, 5 * time.Second}, // immediate: recovers at the next start
		{syscall.SIGKILL, 5 * time.Second},
	} {
		if err := s.cmd.Process.Signal(step.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("private server: stop: %w", err)
		}
		select {
		case <-s.done:
			return nil
		case <-time.After(step.timeout):
		}
	}
	return fmt.Errorf("private server: process %d does not end", s.cmd.Process.Pid)
}

// forget removes what is not worth keeping.
func (s *Server) forget() error {
	var err error
	if s.socket != s.data() {
		err = os.RemoveAll(s.socket)
	}
	if s.config.Temporary {
		err = errors.Join(err, os.RemoveAll(s.data()))
	}
	return err
}
