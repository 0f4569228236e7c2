// Package backup writes all that a portal keeps into a folder, while the portal
// runs, and makes a portal of it again. The folder has
//
//	database.dump   the database at one instant, as pg_dump writes it
//	files/          the files of documents and what was derived from them, by digest
//	manifest.json   what both are: written last, so a folder without it is no backup
package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"commissionportal/internal/blob"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/postgres/private"
	"commissionportal/internal/problem"
)

// Manifest says what a backup is. Restore compares what it made with it.
type Manifest struct {
	Format  int              `json:"format"`
	At      time.Time        `json:"at"`      // the instant that the database is of
	Portal  string           `json:"portal"`  // version of the program that wrote it
	Schema  int64            `json:"schema"`  // number of the newest migration
	Dump    string           `json:"dump"`    // SHA-256 of database.dump
	Files   int              `json:"files"`   // of documents
	Bytes   int64            `json:"bytes"`   // of these
	Content string           `json:"content"` // SHA-256 of the digests of all files, in their order
	Tables  map[string]Table `json:"tables"`
}

// Table is what one table holds: how many rows, and the sum of a hash of each.
type Table struct {
	Rows int64  `json:"rows"`
	Sum  string `json:"sum"`
}

const (
	format = 1

	dumpName, filesName, manifestName = "database.dump", "files", "manifest.json"
)

// Write makes a backup of the database at address and of the files in dir, which is
// made, or is empty. The portal may go on: the database is read at one instant, and
// no file that it names then is ever changed. said is told how far it has come.
func Write(ctx context.Context, db *postgres.DB, address string, files *blob.Store, version, dir string, said func(string)) (m Manifest, err error) {
	if err := empty(dir); err != nil {
		return m, err
	}
	to, err := store(ctx, dir)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	tx, err := db.DB.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return m, err
	}
	defer func() { _ = tx.Rollback() }() // it was only read
	var snapshot string
	if err := tx.QueryRowxContext(ctx, `SELECT pg_export_snapshot(), now(), (SELECT max(version_id) FROM goose_db_version)`).Scan(&snapshot, &m.At, &m.Schema); err != nil {
		return m, err
	}
	m.Format, m.Portal = format, version
	said("The database")
	dump := filepath.Join(dir, dumpName)
	if err := os.WriteFile(dump, nil, 0o600); err != nil { // else pg_dump would make it, for others to read
		return m, err
	}
	if err := postgresTool(ctx, "pg_dump", address, "--format=custom", "--no-owner", "--no-privileges", "--snapshot="+snapshot, "--file="+dump); err != nil {
		return m, err
	}
	if m.Dump, err = flushed(dump); err != nil {
		return m, err
	}
	if m.Tables, err = tables(ctx, tx); err != nil {
		return m, err
	}
	m.Files, m.Bytes, m.Content, err = each(ctx, tx, func(d blob.Digest, n, all int) error {
		if n%1000 == 1 {
			said(fmt.Sprintf("File %d of %d", n, all))
		}
		return copyFile(ctx, files, to, d)
	})
	if err != nil {
		return m, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	return m, writeDurably(dir, manifestName, text)
}

// Restore makes of the backup in dir the database at address, which has to be empty,
// and puts its files into the store. It then proves that every row, every file and
// the journal are what they were.
func Restore(ctx context.Context, db *postgres.DB, address string, files *blob.Store, newest int64, dir string, said func(string)) (m Manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName)) //nolint:gosec // the operator names it
	if errors.Is(err, os.ErrNotExist) {
		return m, problem.New(problem.Invalid, "%s is no backup: it has no %s, which is written last.", dir, manifestName)
	}
	if err != nil {
		return m, err
	}
	switch err := json.Unmarshal(text, &m); {
	case err != nil:
		return m, fmt.Errorf("%s: %w", manifestName, err)
	case m.Format != format:
		return m, problem.New(problem.Invalid, "The backup is of format %d, and this program reads format %d.", m.Format, format)
	case m.Schema > newest:
		return m, problem.New(problem.Invalid, "The backup was made by a newer portal (schema %d; this program has %d). Restore it with that one.", m.Schema, newest)
	}
	if n, err := postgres.One[int](ctx, db, nil, `SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`); err != nil {
		return m, err
	} else if n > 0 {
		return m, problem.New(problem.Conflict, "The database is not empty: it has %d tables. Restore into a new one.", n)
	}
	dump := filepath.Join(dir, dumpName)
	sum, err := digest(dump)
	if err != nil {
		return m, err
	}
	if sum != m.Dump {
		return m, problem.New(problem.Invalid, "%s is not what it was when it was written. Nothing was restored.", dumpName)
	}
	from, err := store(ctx, dir)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	said("The database")
	if err := postgresTool(ctx, "pg_restore", address, "--exit-on-error", "--no-owner", "--no-privileges", "--single-transaction", dump); err != nil {
		return m, err
	}
	tx, err := db.DB.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return m, err
	}
	defer func() { _ = tx.Rollback() }() // it was only read
	now, err := tables(ctx, tx)
	if err != nil {
		return m, err
	}
	all := maps.Clone(m.Tables)
	maps.Copy(all, now)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if m.Tables[name] != now[name] {
			return m, fmt.Errorf("table %s: %d rows were saved (%s), and there are %d (%s)", name, m.Tables[name].Rows, m.Tables[name].Sum, now[name].Rows, now[name].Sum)
		}
	}
	_, _, content, err := each(ctx, tx, func(d blob.Digest, n, all int) error {
		if n%1000 == 1 {
			said(fmt.Sprintf("File %d of %d", n, all))
		}
		return copyFile(ctx, from, files, d)
	})
	if err != nil {
		return m, err
	}
	if content != m.Content {
		return m, errors.New("the files that the database names are not those that were saved")
	}
	said("The journal")
	broken := 0
	if _, err := journal.Verify(ctx, db, func(f journal.Fault) { broken++; said(f.String()) }); err != nil {
		return m, err
	}
	if broken > 0 {
		return m, fmt.Errorf("%d chains of the journal are broken, as they were when the backup was made", broken)
	}
	return m, nil
}

// empty makes dir, and refuses one that has something in it.
func empty(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	list, err := os.ReadDir(dir)
	if err == nil && len(list) > 0 {
		return problem.New(problem.Conflict, "%s is not empty. A backup has a folder of its own.", dir)
	}
	return err
}

func store(ctx context.Context, dir string) (*blob.Store, error) {
	path, err := filepath.Abs(filepath.Join(dir, filesName))
	if err != nil {
		return nil, err
	}
	return blob.Open(ctx, (&url.URL{Scheme: "file", Path: path}).String())
}

// tables reads what each table holds.
func tables(ctx context.Context, tx *sqlx.Tx) (map[string]Table, error) {
	var list []string
	if err := tx.SelectContext(ctx, &list, `SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY relname`); err != nil {
		return nil, err
	}
	// A row as text depends on these.
	if _, err := tx.ExecContext(ctx, `SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 1`); err != nil {
		return nil, err
	}
	out := map[string]Table{}
	for _, name := range list { // each of them once: they are few
		var t Table
		if err := tx.QueryRowxContext(ctx, `SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM `+pq.QuoteIdentifier(name)+` t`).Scan(&t.Rows, &t.Sum); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = t
	}
	return out, nil
}

// each calls fn for every file that the database names.
func each(ctx context.Context, tx *sqlx.Tx, fn func(d blob.Digest, n, all int) error) (files int, bytes int64, content string, err error) {
	var all int
	if err := tx.GetContext(ctx, &all, `SELECT count(*) FROM file`); err != nil {
		return 0, 0, "", err
	}
	sum := sha256.New()
	for after := []byte{}; ; {
		var rows []struct {
			Digest blob.Digest `db:"digest"`
			Size   int64       `db:"size"`
		}
		if err := tx.SelectContext(ctx, &rows, `SELECT digest, size FROM file WHERE digest > $1 ORDER BY digest LIMIT 500`, after); err != nil {
			return files, bytes, "", err
		}
		if len(rows) == 0 {
			return files, bytes, hex.EncodeToString(sum.Sum(nil)), nil
		}
		for _, r := range rows {
			files, bytes = files+1, bytes+r.Size
			if err := fn(r.Digest, files, all); err != nil {
				return files, bytes, "", fmt.Errorf("file %s: %w", r.Digest, err)
			}
			_, _ = sum.Write(r.Digest[:]) // a hash never fails
		}
		after = append([]byte{}, rows[len(rows)-1].Digest[:]...)
	}
}

// copyFile copies a file and what was derived from it. It is compared with its
// digest on the way.
func copyFile(ctx context.Context, from, to *blob.Store, d blob.Digest) error {
	r, err := from.Reader(ctx, d, 0, -1)
	if err != nil {
		return err
	}
	b, err := to.Put(ctx, r, blob.MaxSize)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	if b.Digest != d {
		return errors.New("its content is not what it was")
	}
	return from.Sides(ctx, d, func(name string, data []byte) error { return to.PutSide(ctx, d, name, data) })
}

// postgresTool runs a program of Postgres on the database at address, whose password
// others on this machine must not read from the list of processes.
func postgresTool(ctx context.Context, name, address string, args ...string) error {
	path, err := private.Tool(name)
	if err != nil {
		return err
	}
	environment := os.Environ()
	if u, err := url.Parse(address); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok {
			u.User, environment = url.User(u.User.Username()), append(environment, "PGPASSWORD="+password)
			address = u.String()
		}
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"--dbname=" + address}, args...)...) //nolint:gosec // the operator's own settings
	var said strings.Builder
	cmd.Env, cmd.Stderr = environment, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(said.String()))
	}
	return nil
}

func digest(path string) (_ string, err error) {
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// flushed makes a file that another program wrote durable, and returns its digest.
func flushed(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator names it
	if err != nil {
		return "", err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return "", err
	}
	return digest(path)
}

// writeDurably writes a small file so that it is there whole, or not at all.
func writeDurably(dir, name string, text []byte) error {
	f, err := os.CreateTemp(dir, name+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	d, err := os.Open(dir) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
