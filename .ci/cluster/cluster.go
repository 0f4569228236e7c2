package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"commissionportal/internal/journal"
	"commissionportal/internal/postgres/private"
)

// cluster is the whole shape, on loopback.
type cluster struct {
	options
	dir   string // var/cluster
	place string // where Postgres's account can go: dir, if it may
	ports map[string]string

	processes []*process // all that were started
	database  *database
	store     *process
	bouncer   *process
	haproxy   *process
	portals   [3]*process
}

// parts are what has a port.
var parts = []string{"one", "two", "pgbouncer", "s3", "portal1", "portal2", "portal3", "metrics1", "metrics2", "metrics3", "haproxy"}

// begin brings up all but the portals and what is in the database.
func begin(ctx context.Context, o options) (*cluster, error) {
	c := &cluster{options: o, ports: map[string]string{}}
	var err error
	if c.dir, err = filepath.Abs(filepath.Join("var", "cluster")); err != nil {
		return nil, err
	}
	old, err := filepath.Glob(filepath.Join(c.dir, "*"))
	if err != nil {
		return nil, err
	}
	for _, path := range old { // what was built stays
		if !strings.HasPrefix(filepath.Base(path), "portal-") {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	if err := errors.Join(err, os.MkdirAll(filepath.Join(c.dir, "log"), 0o755), os.Mkdir(filepath.Join(c.dir, "s3"), 0o700)); err != nil {
		return nil, err
	}
	if err := journal.MakeKey(filepath.Join(c.dir, "journal.pem")); err != nil {
		return nil, err
	}
	if c.ports, err = free(ctx, parts); err != nil {
		return nil, err
	}
	who, err := private.AccountFor(filepath.Join(c.dir, "one"))
	if err != nil {
		return c, err
	}
	if c.place, err = who.Place(ctx, c.dir); err != nil {
		return c, err
	}
	c.database = &database{c: c, who: who, password: rand.Text()}
	for i, name := range []string{"one", "two"} {
		c.database.servers[i] = &server{name: name, dir: filepath.Join(c.place, name), port: c.ports[name]}
	}
	if err := c.database.begin(ctx); err != nil {
		return c, err
	}
	return c, errors.Join(c.pgbouncer(), c.s3(), c.way())
}

// end takes everything down, portals before what they stand on.
func (c *cluster) end() error {
	for _, first := range []string{"portal", "haproxy", "pgbouncer", ""} {
		for _, p := range c.processes {
			if strings.HasPrefix(p.name, first) {
				p.end()
			}
		}
	}
	if c.place != "" && c.place != c.dir {
		return os.RemoveAll(c.place)
	}
	return nil
}

// free finds a port for each name.
func free(ctx context.Context, names []string) (map[string]string, error) {
	ports := map[string]string{}
	for _, name := range names {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		_, ports[name], _ = net.SplitHostPort(l.Addr().String())
	}
	return ports, nil
}

func open(port string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp", "127.0.0.1:"+port)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// s3 starts the store of files; what was in it is in it.
func (c *cluster) s3() (err error) {
	cmd := exec.Command(c.s3program, "-q", "-p", "127.0.0.1:"+c.ports["s3"], "posix", filepath.Join(c.dir, "s3"))
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+c.key(), "ROOT_SECRET_KEY="+c.database.password)
	if c.store, err = c.spawn("s3", syscall.SIGTERM, cmd); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(c.dir, "s3", "portal"), 0o750); err != nil { // the bucket is a folder
		return err
	}
	return c.store.ready(func() bool { return open(c.ports["s3"]) })
}

func (c *cluster) key() string { return "portal" }

// way starts HAProxy, with the very file of deploy.
func (c *cluster) way() (err error) {
	file := filepath.Join("deploy", "cluster", "haproxy.cfg")
	environ := append(os.Environ(), "HTTP=127.0.0.1:"+c.ports["haproxy"], "ADMIN="+filepath.Join(c.dir, "haproxy.sock"))
	for i := range c.portals {
		environ = append(environ, fmt.Sprintf("PORTAL_%d=127.0.0.1:%s", i+1, c.ports[fmt.Sprint("portal", i+1)]))
	}
	check := exec.Command("haproxy", "-c", "-f", file)
	check.Env = environ
	if out, err := check.CombinedOutput(); err != nil {
		return fmt.Errorf("haproxy -c: %w\n%s", err, out)
	}
	cmd := exec.Command("haproxy", "-db", "-f", file)
	cmd.Env = environ
	if c.haproxy, err = c.spawn("haproxy", syscall.SIGTERM, cmd); err != nil {
		return err
	}
	return c.haproxy.ready(func() bool { return open(c.ports["haproxy"]) })
}

// tell says something to HAProxy's console, and answers what it answers.
func (c *cluster) tell(command string) (string, error) {
	conn, err := (&net.Dialer{Timeout: time.Second}).Dial("unix", filepath.Join(c.dir, "haproxy.sock"))
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintln(conn, command); err != nil {
		return "", err
	}
	said, err := io.ReadAll(conn)
	return string(said), err
}

// taken waits until HAProxy sends requests to a portal.
func (c *cluster) taken(i int) error {
	return until(fmt.Sprintf("HAProxy and portal %d", i+1), 20*time.Second, func() bool {
		said, err := c.tell("show stat")
		lines := bufio.NewScanner(strings.NewReader(said))
		for err == nil && lines.Scan() {
			f := strings.Split(lines.Text(), ",")
			if len(f) > 17 && f[0] == "portals" && f[1] == fmt.Sprint("portal", i+1) {
				return f[17] == "UP"
			}
		}
		return false
	})
}

// base is where people come in.
func (c *cluster) base() string { return "http://127.0.0.1:" + c.ports["haproxy"] }

// knows reports whether a program has a setting.
func knows(program, setting string) bool {
	out, err := exec.Command(program, "help").CombinedOutput()
	return err == nil && bytes.Contains(out, []byte(setting))
}

// environ are the settings of a portal of the cluster, as that program knows them.
func (c *cluster) environ(program string) []string {
	d := c.database
	e := append(os.Environ(), "HOST=127.0.0.1", "BASE_URL="+c.base(), "TRUSTED_PROXIES=127.0.0.1/32", "LOG_LEVEL=warn", "TEST_DATABASE_URL=", "JOURNAL_KEY="+filepath.Join(c.dir, "journal.pem"), "SMTP_HOST=", "CLAMD=", "OIDC_ISSUER=",
		"FILES=s3://portal?region=us-east-1&use_path_style=true&endpoint=http://127.0.0.1:"+c.ports["s3"], "AWS_ACCESS_KEY_ID="+c.key(), "AWS_SECRET_ACCESS_KEY="+d.password)
	if c.direct || !knows(program, "DATABASE_DIRECT_URL") {
		return append(e, "DATABASE_URL="+d.either("read-write"))
	}
	e = append(e, "DATABASE_PREPARE=false", "DATABASE_DIRECT_URL="+d.either("read-write"),
		fmt.Sprintf("DATABASE_URL=postgres://portal:%s@127.0.0.1:%s/portal?sslmode=disable", d.password, c.ports["pgbouncer"]))
	if knows(program, "DATABASE_REPLICA_URL") {
		e = append(e, "DATABASE_REPLICA_URL="+d.either("prefer-standby"))
	}
	return e
}

// portal starts one of them, and waits until it is ready.
func (c *cluster) portal(i int, program string, command ...string) (err error) {
	name := fmt.Sprint("portal", i+1)
	if len(command) == 0 {
		command = []string{"serve"}
	}
	cmd := exec.Command(program, command...)
	cmd.Dir = c.dir
	cmd.Env = append(c.environ(program), "PORT="+c.ports[name], "METRICS_PORT="+c.ports[fmt.Sprint("metrics", i+1)])
	if c.portals[i], err = c.spawn(name, syscall.SIGTERM, cmd); err != nil {
		return err
	}
	return c.portals[i].ready(func() bool { return c.status("http://127.0.0.1:"+c.ports[name]+"/readyz") == http.StatusOK })
}

func (c *cluster) status(url string) int {
	r, err := (&http.Client{Timeout: 3 * time.Second}).Get(url)
	if err != nil {
		return 0
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// command runs a command of the portal beside those that serve.
func (c *cluster) command(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Dir = c.environ(program), c.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("portal %s: %w\n%s", strings.Join(args, " "), err, out[max(0, len(out)-2000):])
	}
	return strings.TrimSpace(string(out)), nil
}

// fill migrates the database and fills it, as a program knows how.
func (c *cluster) fill(ctx context.Context, program string) error {
	if c.world {
		_, err := c.command(ctx, program, "world", "--scale", strconv.FormatFloat(scale, 'f', -1, 64))
		return err
	}
	// `dev` migrates, loads the sample and serves.
	if err := c.portal(0, program, "dev"); err != nil {
		return err
	}
	c.portals[0].end()
	return nil
}

// up starts the portals of a program.
func (c *cluster) up(program string) error {
	for i := range c.portals {
		if err := c.portal(i, program); err != nil {
			return err
		}
	}
	for i := range c.portals {
		if err := c.taken(i); err != nil {
			return err
		}
	}
	return nil
}
