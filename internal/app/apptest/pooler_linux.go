package apptest

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"commissionportal/internal/postgres/private"
)

// Pooler is a PgBouncer before the test server, that lends a connection for one
// transaction.
type Pooler struct {
	t   testing.TB
	dir string
}

const poolerPort = "6432" // it names the socket, and is no port

// NewPooler starts one that has so many connections for each database; it ends with
// the test.
func NewPooler(t testing.TB, connections int) *Pooler {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("PgBouncer is missing: apt-get install pgbouncer")
		}
		t.Skip("PgBouncer is missing: apt-get install pgbouncer")
	}
	server, err := private.Shared(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	host := cmp.Or(u.Query().Get("host"), u.Hostname())
	p := &Pooler{t: t}
	if p.dir, err = os.MkdirTemp("/tmp", "pooler-"); err != nil { // a path short enough for a socket
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(p.dir) })
	settings := filepath.Join(p.dir, "ini")
	for name, text := range map[string]string{
		settings: fmt.Sprintf("[databases]\n* = host=%s port=%s\n[pgbouncer]\nlisten_addr =\nlisten_port = %s\nunix_socket_dir = %s\nauth_type = trust\nauth_file = %s/users\npool_mode = transaction\ndefault_pool_size = %d\nlogfile = %s/log\n",
			host, cmp.Or(u.Query().Get("port"), u.Port()), poolerPort, p.dir, p.dir, connections, p.dir),
		filepath.Join(p.dir, "users"): fmt.Sprintf("%q \"\"\n%q \"\"\n", u.User.Username(), private.ServingRole),
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil { //nolint:gosec // another account reads it
			t.Fatal(err)
		}
	}
	command := exec.Command(program, "-q", settings)
	endWithUs(command)
	if info, err := os.Stat(host); err == nil && os.Geteuid() == 0 { // it runs as whoever may enter the server's folder, and not as root
		owner, _ := info.Sys().(*syscall.Stat_t)
		command.SysProcAttr.Credential = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
		if err := os.Chown(p.dir, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
		if log, err := os.ReadFile(filepath.Join(p.dir, "log")); err == nil && t.Failed() {
			t.Logf("PgBouncer:\n%s", log)
		}
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(p.dir, ".s.PGSQL."+poolerPort)); err == nil {
			return p
		}
		if time.Now().After(end) {
			t.Fatal("PgBouncer does not start")
		}
	}
}

// To is the address by which the pooler leads to the database at address.
func (p *Pooler) To(address string) string {
	p.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	q := u.Query()
	q.Set("host", p.dir)
	q.Set("port", poolerPort)
	u.Host, u.RawQuery = "", q.Encode()
	return u.String()
}
