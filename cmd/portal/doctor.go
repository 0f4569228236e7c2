package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"commissionportal/internal/app"
	"commissionportal/internal/blob"
	"commissionportal/internal/clamd"
	"commissionportal/internal/postgres"
	"commissionportal/internal/postgres/private"
	"commissionportal/migrations"
)

type doctorCommand struct{}

// Run looks at everything, also after something is wrong.
func (doctorCommand) Run(ctx context.Context) error {
	var d doctor
	c, err := beside()
	if err != nil {
		d.fail("settings", err, "Set it as `portal help` says.")
		return d.verdict()
	}
	d.settings(c)
	d.with(ctx, "database", "DATABASE_URL", c.DatabaseURL, func(db *postgres.DB) {
		d.database(ctx, db)
		d.pooler(ctx, db, c)
	})
	if c.DirectURL != "" {
		d.with(ctx, "direct", "DATABASE_DIRECT_URL", c.DirectURL, func(db *postgres.DB) { d.direct(ctx, db) })
	}
	if c.ReplicaURL != "" {
		d.replica(ctx, c)
	}
	d.files(ctx, c)
	d.mail(ctx, c)
	d.scanner(ctx, c)
	return d.verdict()
}

// doctor says what it finds as it finds it.
type doctor struct{ failed int }

func (d *doctor) ok(what, found string) { fmt.Printf("ok    %s: %s\n", what, found) }

func (d *doctor) note(what, found string) { fmt.Printf("note  %s: %s\n", what, found) }

func (d *doctor) fail(what string, err error, do string) {
	d.failed++
	fmt.Printf("FAIL  %s: %s\n      %s\n", what, sentence(err), do)
}

func (d *doctor) verdict() error {
	if d.failed > 0 {
		return fmt.Errorf("%d of these are wrong", d.failed)
	}
	return nil
}

func (d *doctor) settings(c app.Config) {
	// Putting it together reads every setting, and connects to nothing but the store of files, which has a line of its own.
	only := c
	only.Files = ""
	a, err := app.New(only, slog.New(slog.DiscardHandler), nil)
	if err == nil {
		err = a.Close()
	}
	if err != nil {
		d.fail("settings", err, "Set it as `portal help` says.")
		return
	}
	d.ok("settings", "they can be read")
	if u, err := url.Parse(c.BaseURL); err == nil && u.Scheme != "https" && !c.Development {
		d.note("settings", "BASE_URL does not begin with https://: cookies and passwords go over the network as they are")
	}
	if c.Development {
		d.note("settings", "DEVELOPMENT is on: everybody reads all mail at /dev/mail")
	}
	if c.SecretKey == "" {
		d.note("settings", "without SECRET_KEY the secrets of apps for codes stand in the database as they are")
	}
	if c.JournalKey == "" {
		d.note("settings", "without JOURNAL_KEY no signed heads of the journal are published")
	}
}

// with looks at the database at an address. No statement is kept prepared, whatever is
// in between.
func (d *doctor) with(ctx context.Context, what, setting, address string, look func(*postgres.DB)) {
	db, err := postgres.Open(ctx, postgres.Config{URL: address, Bare: true, Max: 2})
	if err != nil {
		d.fail(what, err, "Is the server running, and does "+setting+" name it, its database, an account and the password?")
		return
	}
	defer func() { _ = db.Close() }() // nothing waits to be written
	look(db)
}

// pooler looks for one between here and the database.
func (d *doctor) pooler(ctx context.Context, db *postgres.DB, c app.Config) {
	pooled, err := db.Pooled(ctx)
	switch {
	case err != nil:
		d.fail("pooler", err, "Look at the logs of the database and of what is before it.")
		return
	case !pooled && !c.Prepare:
		d.note("pooler", "none lends connections for a transaction, and DATABASE_PREPARE=false costs speed")
		return
	case !pooled:
		return
	case c.DirectURL == "":
		d.fail("pooler", errors.New("it lends connections for one transaction, and no address leads past it"), "Set DATABASE_DIRECT_URL: without it no page shows what happens while it is open, and the schema cannot be migrated.")
		return
	}
	if c.Prepare && forgets(ctx, db) {
		d.fail("pooler", errors.New("it forgets statements that are kept prepared"), "Set DATABASE_PREPARE=false, or use PgBouncer 1.21 or newer with max_prepared_statements.")
		return
	}
	d.ok("pooler", "it lends connections for one transaction")
}

// forgets reports whether a statement that a connection has prepared is not there any
// more after another has used the server.
func forgets(ctx context.Context, db *postgres.DB) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	c, err := db.Conn(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }() // nothing waits to be written
	s, err := c.PrepareContext(ctx, `SELECT $1::int`)
	if err != nil {
		return true
	}
	defer func() { _ = s.Close() }() // it may not be there
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false
	}
	defer func() { _ = tx.Rollback() }() // it does nothing
	if _, err := tx.ExecContext(ctx, `SELECT 1`); err != nil {
		return false
	}
	_, err = s.ExecContext(ctx, 1)
	said := (*pq.Error)(nil)
	return errors.As(err, &said)
}

// direct looks at the address past the pooler.
func (d *doctor) direct(ctx context.Context, db *postgres.DB) {
	switch pooled, err := db.Pooled(ctx); {
	case err != nil:
		d.fail("direct", err, "Look at the server's log.")
	case pooled:
		d.fail("direct", errors.New("a pooler is at DATABASE_DIRECT_URL as well"), "Set it to the address of the server itself.")
	default:
		d.ok("direct", "DATABASE_DIRECT_URL leads past it")
	}
}

// replica looks whether it follows.
func (d *doctor) replica(ctx context.Context, c app.Config) {
	const do = "Does DATABASE_REPLICA_URL name a server that follows the one at DATABASE_URL, and its database? Until it does, all is read from the latter."
	ctx, cancel := context.WithTimeout(ctx, postgres.MostLag)
	defer cancel()
	db, err := postgres.Lazy(postgres.Config{URL: c.DatabaseURL, Replica: c.ReplicaURL, Bare: true, Max: 2})
	if err != nil {
		d.fail("replica", err, do)
		return
	}
	defer func() { _ = db.Close() }() // nothing waits to be written
	took, err := db.Follows(ctx)
	if err != nil {
		d.fail("replica", err, do)
		return
	}
	d.ok("replica", fmt.Sprintf("it has what the database has after %s", took.Round(100*time.Microsecond)))
}

// mostSkew is how far the clocks of this machine and the database may be apart:
// codes, links and terms are judged by the first, and order by the second.
const mostSkew = 5 * time.Second

func (d *doctor) database(ctx context.Context, db *postgres.DB) {
	started := time.Now()
	seen, err := postgres.One[struct {
		Version string    `db:"version"`
		Number  int       `db:"number"`
		At      time.Time `db:"at"`
		JIT     string    `db:"jit"`
		Plans   string    `db:"plans"`
		Helpers string    `db:"helpers"`
	}](ctx, db, nil, `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number, clock_timestamp() AS at,
		current_setting('jit') AS jit, current_setting('max_parallel_workers_per_gather') AS helpers, current_setting('plan_cache_mode') AS plans`)
	took := time.Since(started)
	switch {
	case err != nil:
		d.fail("database", err, "Look at the server's log.")
		return
	case seen.Number < 140000:
		d.fail("database", fmt.Errorf("PostgreSQL %s", seen.Version), "The portal needs PostgreSQL 14 or newer.")
	default:
		d.ok("database", fmt.Sprintf("PostgreSQL %s, answers in %s", seen.Version, took.Round(100*time.Microsecond)))
	}
	if seen.JIT == "on" {
		d.note("database", "jit is on: it costs more than it saves here (ALTER DATABASE … SET jit = off)")
	}
	if seen.Helpers != "0" {
		d.note("database", "statements may begin with helpers, which costs more than it saves here (ALTER DATABASE … SET max_parallel_workers_per_gather = 0)")
	}
	if seen.Plans != "force_generic_plan" {
		d.note("database", "statements are planned for each set of values, which may take longer than what they do (ALTER DATABASE … SET plan_cache_mode = force_generic_plan)")
	}
	if skew := seen.At.Sub(started.Add(took / 2)).Round(time.Second); skew.Abs() > mostSkew {
		d.fail("clock", fmt.Errorf("the database is %s from this machine", skew), "Let both take the time from the network (NTP).")
	} else {
		d.ok("clock", "this machine and the database agree")
	}
	switch pending, err := postgres.Pending(ctx, db.DB.DB, migrations.Files); {
	case err != nil:
		d.fail("schema", err, "Run `portal migrate`, with an account that owns the tables.")
	case len(pending) > 0:
		d.fail("schema", fmt.Errorf("%d migrations are not there yet: %s", len(pending), strings.Join(pending, ", ")), "Run `portal migrate`.")
	default:
		d.ok("schema", "up to date")
	}
	d.tool(ctx, seen.Number/10000)
}

var major = regexp.MustCompile(`\(PostgreSQL\) ([0-9]+)`)

// tool looks for what a backup needs.
func (d *doctor) tool(ctx context.Context, server int) {
	path, err := private.Tool("pg_dump")
	if err != nil {
		d.note("backup", sentence(err)+" (portal backup needs it)")
		return
	}
	out, err := exec.CommandContext(ctx, path, "--version").Output() //nolint:gosec // a program of Postgres
	m := major.FindSubmatch(out)
	if err != nil || m == nil {
		d.note("backup", path+" does not say its version")
		return
	}
	if n, err := strconv.Atoi(string(m[1])); err != nil || n < server {
		d.note("backup", fmt.Sprintf("%s is of PostgreSQL %s, and the server of %d: apt-get install postgresql-client-%d", path, m[1], server, server))
		return
	}
	d.ok("backup", "pg_dump fits the server")
}

func (d *doctor) files(ctx context.Context, c app.Config) {
	const do = "Does FILES name the place, and may the portal's account write there? For S3: are the credentials in the environment?"
	s, err := blob.Open(ctx, c.Files)
	if err != nil {
		d.fail("files", err, do)
		return
	}
	defer func() { _ = s.Close() }() // nothing waits to be written
	text := "portal doctor " + rand.Text()
	b, err := s.Put(ctx, strings.NewReader(text), 1000)
	if err != nil {
		d.fail("files", err, do)
		return
	}
	r, err := s.Reader(ctx, b.Digest, 0, -1)
	if err == nil {
		var got []byte
		if got, err = io.ReadAll(r); err == nil && string(got) != text {
			err = fmt.Errorf("what was written reads %q", got)
		}
		_ = r.Close() // it was only read
	}
	if err == nil {
		err = s.Delete(ctx, b.Digest, time.Now().Add(time.Hour))
	}
	if err != nil {
		d.fail("files", err, do)
		return
	}
	d.ok("files", "written, read and removed again")
}

func (d *doctor) mail(ctx context.Context, c app.Config) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	sender, err := c.Mail.SMTP()
	switch {
	case err != nil:
		d.fail("mail", err, "Set it as `portal help` says.")
	case sender == nil:
		d.note("mail", "without SMTP_HOST letters are kept and not sent")
	default:
		if err := sender.Check(ctx); err != nil {
			d.fail("mail", err, "Do SMTP_HOST, SMTP_PORT and SMTP_TLS fit the server, and SMTP_USERNAME and SMTP_PASSWORD the account?")
			return
		}
		d.ok("mail", c.Mail.Host+" lets the portal in")
	}
}

func (d *doctor) scanner(ctx context.Context, c app.Config) {
	s, err := clamd.New(c.Clamd)
	if err == nil && s != nil {
		_, err = s.Scan(ctx, strings.NewReader("portal doctor"))
	}
	switch {
	case err != nil:
		d.fail("scanner", err, "Is clamd running, and does CLAMD name its socket? No file is taken while it does not answer.")
	case s == nil:
		d.note("scanner", "without CLAMD files are not searched for viruses")
	default:
		d.ok("scanner", "answers")
	}
}
