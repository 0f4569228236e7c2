package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"commissionportal/internal/postgres/private"
)

// database is a primary and its replica, whichever of the two is which.
type database struct {
	c        *cluster
	who      private.Account
	password string // of all its accounts
	servers  [2]*server

	// managing is held by who makes a primary: what manages is not to look meanwhile.
	managing sync.Mutex
	primary  int
	waits    []change // when commits began and ceased to wait for the replica
}

type change struct {
	at   time.Time
	sync bool
}

// server is one of the two.
type server struct {
	name, dir, port string
	*process
}

// address is the way to a database on it, for an account.
func (d *database) address(s *server, user, name string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%s/%s?sslmode=disable&connect_timeout=2", user, d.password, s.port, name)
}

// either is the way to whichever of the two has such a role; lib/pq looks.
func (d *database) either(role string) string {
	q := url.Values{"host": {"127.0.0.1,127.0.0.1"}, "port": {d.servers[0].port + "," + d.servers[1].port}, "target_session_attrs": {role}, "sslmode": {"disable"}, "connect_timeout": {"2"}}
	return fmt.Sprintf("postgres://portal:%s@/portal?%s", d.password, q.Encode())
}

// ask runs statements on a server, as its superuser, by a connection for them alone.
func (d *database) ask(ctx context.Context, s *server, name string, fn func(db *sqlx.DB) error) (err error) {
	db, err := sqlx.Open("postgres", d.address(s, "postgres", name))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	return fn(db)
}

func (d *database) exec(ctx context.Context, s *server, statements ...string) error {
	return d.ask(ctx, s, "postgres", func(db *sqlx.DB) error {
		for _, statement := range statements {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

// begin makes the primary and its replica.
func (d *database) begin(ctx context.Context) error {
	s := d.servers[0]
	if err := d.empty(s); err != nil {
		return err
	}
	secret := filepath.Join(d.c.place, "secret")
	if err := errors.Join(os.WriteFile(secret, []byte(d.password), 0o600), d.who.Own(secret)); err != nil {
		return err
	}
	if err := d.run(ctx, "initdb", "--pgdata", s.dir, "--username=postgres", "--auth=scram-sha-256", "--pwfile="+secret, "--encoding=UTF8", "--locale=C.UTF-8"); err != nil {
		return err
	}
	documented, err := os.ReadFile(filepath.Join("deploy", "cluster", "postgresql.conf"))
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.dir, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(documented)
	if err := errors.Join(err, f.Close(), d.start(s)); err != nil {
		return err
	}
	if err := d.exec(ctx, s, `CREATE ROLE replicator REPLICATION LOGIN PASSWORD `+pq.QuoteLiteral(d.password), `CREATE ROLE portal LOGIN PASSWORD `+pq.QuoteLiteral(d.password), `CREATE DATABASE portal OWNER portal`); err != nil {
		return err
	}
	if err := d.follow(ctx, d.servers[1], s); err != nil {
		return err
	}
	go d.manage(ctx)
	return until("a synchronous replica", 20*time.Second, func() bool { return d.synchronous(ctx) })
}

// empty makes the folder of a server, with nothing in it.
func (d *database) empty(s *server) error {
	return errors.Join(os.RemoveAll(s.dir), os.Mkdir(s.dir, 0o700), d.who.Own(s.dir))
}

func (d *database) run(ctx context.Context, program string, args ...string) error {
	path, err := private.Tool(program)
	if err != nil {
		return err
	}
	if out, err := d.who.Command(ctx, path, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

// start starts a server that has its data.
func (d *database) start(s *server) (err error) {
	// On loopback alone, and with a little memory.
	postgres, err := private.Tool("postgres")
	if err != nil {
		return err
	}
	cmd := d.who.Command(context.Background(), postgres, "-D", s.dir, "-c", "listen_addresses=127.0.0.1", "-c", "port="+s.port, "-c", "unix_socket_directories=",
		"-c", "shared_buffers=256MB", "-c", "max_connections=150", "-c", "cluster_name="+s.name)
	if s.process, err = d.c.spawn("postgres-"+s.name, syscall.SIGINT, cmd); err != nil {
		return err
	}
	return s.ready(func() bool { return d.exec(context.Background(), s, `SELECT 1`) == nil })
}

// follow makes a server a replica of another, anew.
func (d *database) follow(ctx context.Context, s, of *server) error {
	if err := d.empty(s); err != nil {
		return err
	}
	if err := d.run(ctx, "pg_basebackup", "--pgdata", s.dir, "--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--create-slot", "--slot="+s.name,
		"--dbname", fmt.Sprintf("host=127.0.0.1 port=%s user=replicator password=%s application_name=%s", of.port, d.password, s.name)); err != nil {
		return err
	}
	return d.start(s)
}

// manage does what Patroni does in its synchronous_mode that is not strict: commits wait
// for the replica as long as one streams, and for none where none does.
func (d *database) manage(ctx context.Context) {
	for t := time.NewTicker(time.Second); ; {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		d.managing.Lock()
		_ = d.look(ctx) // it looks again in a second
		d.managing.Unlock()
	}
}

func (d *database) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s := d.servers[d.primary]
	return d.ask(ctx, s, "postgres", func(db *sqlx.DB) error {
		var now struct {
			Streams, Waits bool
		}
		if err := db.GetContext(ctx, &now, `SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND flush_lsn > sent_lsn - 16000000) AS streams,
			current_setting('synchronous_standby_names') <> '' AS waits`); err != nil || now.Streams == now.Waits {
			return err
		}
		names := ""
		if now.Streams {
			names = "ANY 1 (one, two)"
		}
		for _, statement := range []string{`ALTER SYSTEM SET synchronous_standby_names = ` + pq.QuoteLiteral(names), `SELECT pg_reload_conf()`} {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		d.waits = append(d.waits, change{time.Now(), now.Streams})
		return nil
	})
}

// synchronous reports whether what is committed now is on two servers.
func (d *database) synchronous(ctx context.Context) (yes bool) {
	_ = d.ask(ctx, d.servers[d.primary], "postgres", func(db *sqlx.DB) error {
		return db.GetContext(ctx, &yes, `SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming')`)
	})
	return yes
}

// replica is the other one.
func (d *database) replica() *server { return d.servers[1-d.primary] }

// promote makes the replica the primary, and has PgBouncer point at it.
func (d *database) promote(ctx context.Context) error {
	s := d.replica()
	// Nobody follows it yet, so nobody is waited for.
	if err := d.exec(ctx, s, `ALTER SYSTEM SET synchronous_standby_names = ''`, `SELECT pg_promote(true, 30)`, `SELECT pg_reload_conf()`); err != nil {
		return err
	}
	d.primary = 1 - d.primary
	return d.point(ctx)
}

// point has PgBouncer point at the primary, as Patroni would have it do.
func (d *database) point(ctx context.Context) error {
	psql, err := private.Tool("psql")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join("deploy", "cluster", "on-role-change"), "on_role_change", "primary", "portal")
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(psql)+":"+os.Getenv("PATH"), "PRIMARY=127.0.0.1 "+d.servers[d.primary].port, "DIR="+d.c.place,
		fmt.Sprintf("PGBOUNCER=postgres://pgbouncer:%s@127.0.0.1:%s/pgbouncer", d.password, d.c.ports["pgbouncer"]))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("on-role-change: %w\n%s", err, out)
	}
	return nil
}

// pgbouncer starts it, with the file of deploy in which the addresses are others.
func (c *cluster) pgbouncer() (err error) {
	text, err := os.ReadFile(filepath.Join("deploy", "cluster", "pgbouncer.ini"))
	if err != nil {
		return err
	}
	d := c.database
	for name, content := range map[string]string{
		"pgbouncer.ini": strings.ReplaceAll(string(text), "/etc/pgbouncer/", c.place+"/") + "\nlisten_addr = 127.0.0.1\nlisten_port = " + c.ports["pgbouncer"] + "\nunix_socket_dir =\n",
		"userlist.txt":  fmt.Sprintf("\"portal\" \"%s\"\n\"pgbouncer\" \"%[1]s\"\n", d.password),
		"primary.ini":   fmt.Sprintf("portal = host=127.0.0.1 port=%s dbname=portal\n", d.servers[d.primary].port),
	} {
		path := filepath.Join(c.place, name)
		if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), d.who.Own(path)); err != nil {
			return err
		}
	}
	c.bouncer, err = c.spawn("pgbouncer", syscall.SIGINT, d.who.Command(context.Background(), "pgbouncer", filepath.Join(c.place, "pgbouncer.ini")))
	if err != nil {
		return err
	}
	return c.bouncer.ready(func() bool { return open(c.ports["pgbouncer"]) })
}
