// Package postgres is the portal's way to its database: prepared statements
// that are reused, errors that name the constraint, and migrations.
package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Q is what a store function asks for: the pool to read from, or the
// transaction that a change is made in.
type Q interface {
	// Get reads one row into dest; sql.ErrNoRows if there is none.
	Get(ctx context.Context, dest any, query string, args ...any) error
	// Select reads all rows into the slice dest points to.
	Select(ctx context.Context, dest any, query string, args ...any) error
	// Exec runs a statement and returns how many rows it touched.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
}

// DB is the pool. Its statements are prepared on first use and kept: measured,
// a list page is half as fast again that way. So query texts must be constant
// or come from a small set; values go into args.
type DB struct {
	*sqlx.DB
	lines      *lines
	direct     *lines   // those past a pooler
	replica    *replica // nil: none
	bare       bool
	statements sync.Map // query text → *sqlx.Stmt
	counter    atomic.Pointer[Counter]
}

// Config is where the server is, and the size of the pool.
type Config struct {
	URL string
	// Direct is the address of the server past the pooler that URL leads to, for what
	// needs a session (Listen); "" is URL.
	Direct string
	// Bare keeps no statement prepared, and sends each with its values in one round
	// trip: for a pooler that lends a connection for one transaction and knows nothing
	// of statements. A []byte is sent to it as it is: for columns of bytea, json and
	// text, not of jsonb; and a string is never for one of bytea.
	Bare bool
	// Replica is the address of a server that follows the one at URL; see MayLag.
	Replica string
	Log     *slog.Logger // is told when the replica is left out, and when it is read from again
	Max     int          // most connections to a server; 0 means 20
	// Patience is how long the server may leave those who ask without an answer until
	// it counts as down, and they are told so; 0 is for ever.
	Patience time.Duration
}

// Open makes a pool for the server at c.URL and checks that it answers.
func Open(ctx context.Context, c Config) (*DB, error) {
	db, err := Lazy(c)
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), db.Close())
	}
	return db, nil
}

// Lazy makes a pool that connects at its first query.
func Lazy(c Config) (*DB, error) {
	address, err := pq.NewConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	address.BinaryParameters = c.Bare
	connector, err := pq.NewConnectorConfig(address)
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	db := &DB{lines: newLines(c.URL, c.Patience), bare: c.Bare}
	db.direct = db.lines
	if c.Direct != "" {
		db.direct = newLines(c.Direct, c.Patience)
	}
	connector.Dialer(db.lines)
	pool := sql.OpenDB(connector)
	if c.Max == 0 {
		c.Max = 20
	}
	pool.SetMaxOpenConns(c.Max)
	pool.SetMaxIdleConns(c.Max)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	db.DB = sqlx.NewDb(pool, "postgres")
	if c.Replica == "" {
		return db, nil
	}
	follower := c
	follower.URL, follower.Direct, follower.Replica = c.Replica, "", ""
	to, err := Lazy(follower)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("replica: %w", err), db.Close())
	}
	to.SetConnMaxLifetime(back)
	db.replica = &replica{DB: to, log: cmp.Or(c.Log, slog.Default()), began: time.Now()}
	return db, nil
}

// Close gives the connections back.
func (db *DB) Close() error {
	db.lines.close()
	db.direct.close()
	err := db.DB.Close()
	if Lost(err) { // one that is lost cannot be given back
		err = nil
	}
	if db.replica != nil {
		err = errors.Join(err, db.replica.Close())
	}
	return err
}

func (db *DB) prepared(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if s, ok := db.statements.Load(query); ok {
		return s.(*sqlx.Stmt), nil
	}
	s, err := db.PreparexContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if old, loaded := db.statements.LoadOrStore(query, s); loaded {
		return old.(*sqlx.Stmt), s.Close()
	}
	return s, nil
}

// by finds how a statement runs.
func (db *DB) by(ctx context.Context, query string) (runner, error) {
	if db.bare {
		return bare{db.DB, query}, nil
	}
	s, err := db.prepared(ctx, query)
	return ready{s}, err
}

// Get implements Q.
func (db *DB) Get(ctx context.Context, dest any, query string, args ...any) error {
	return db.read(ctx, runner.get, dest, query, args)
}

// Select implements Q.
func (db *DB) Select(ctx context.Context, dest any, query string, args ...any) error {
	return db.read(ctx, runner.selects, dest, query, args)
}

// Exec implements Q.
func (db *DB) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	db.count(ctx, query, args)
	s, err := db.by(ctx, query)
	if err != nil {
		return 0, err
	}
	return affected(s.exec(ctx, args...))
}

// Each calls fn for every row, one at a time, so that an export of any length
// stays small in memory. T is a struct with db tags. It reads from the primary: what
// has been handed on cannot be taken back where a replica stops halfway.
func Each[T any](ctx context.Context, db *DB, fn func(T) error, query string, args ...any) (err error) {
	db.count(ctx, query, args)
	s, err := db.by(ctx, query)
	if err != nil {
		return err
	}
	rows, err := s.rows(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var row T
		if err := rows.StructScan(&row); err != nil {
			return err
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Tx is a transaction with the same prepared statements.
type Tx struct {
	*sqlx.Tx
	db     *DB
	unseen []string // texts that ran here and are not prepared yet
}

// Begin starts a transaction. Changes of state go through journal.Change,
// what jobs derive through Transaction.
func (db *DB) Begin(ctx context.Context) (*Tx, error) {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &Tx{Tx: tx, db: db}, nil
}

// Transaction runs fn in a transaction, for what jobs derive from what is there:
// that is no change of anybody's, and not in the journal.
func (db *DB) Transaction(ctx context.Context, fn func(*Tx) error) (err error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if e := tx.Rollback(); !errors.Is(e, sql.ErrTxDone) {
			err = errors.Join(err, e)
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// SQL is the transaction as the outbox and the queue take it.
func (tx *Tx) SQL() *sql.Tx { return tx.Tx.Tx }

// runner is what a statement runs by: prepared, or as it stands.
type runner interface {
	get(ctx context.Context, dest any, args ...any) error
	selects(ctx context.Context, dest any, args ...any) error
	exec(ctx context.Context, args ...any) (sql.Result, error)
	rows(ctx context.Context, args ...any) (*sqlx.Rows, error)
}

type ready struct{ *sqlx.Stmt }

func (r ready) get(ctx context.Context, dest any, args ...any) error {
	return r.GetContext(ctx, dest, args...)
}

func (r ready) selects(ctx context.Context, dest any, args ...any) error {
	return r.SelectContext(ctx, dest, args...)
}

func (r ready) exec(ctx context.Context, args ...any) (sql.Result, error) {
	return r.ExecContext(ctx, args...)
}

func (r ready) rows(ctx context.Context, args ...any) (*sqlx.Rows, error) {
	return r.QueryxContext(ctx, args...)
}

// bare runs on the pool, or on a transaction.
type bare struct {
	on interface {
		sqlx.ExtContext
		GetContext(ctx context.Context, dest any, query string, args ...any) error
		SelectContext(ctx context.Context, dest any, query string, args ...any) error
	}
	query string
}

func (b bare) get(ctx context.Context, dest any, args ...any) error {
	return b.on.GetContext(ctx, dest, b.query, args...)
}

func (b bare) selects(ctx context.Context, dest any, args ...any) error {
	return b.on.SelectContext(ctx, dest, b.query, args...)
}

func (b bare) exec(ctx context.Context, args ...any) (sql.Result, error) {
	return b.on.ExecContext(ctx, b.query, args...)
}

func (b bare) rows(ctx context.Context, args ...any) (*sqlx.Rows, error) {
	return b.on.QueryxContext(ctx, b.query, args...)
}

// by finds how a statement runs. One that nobody has prepared yet runs as it is
// and is prepared after the transaction: preparing takes a connection from the
// pool, and transactions that each hold one and wait for another never end.
func (tx *Tx) by(ctx context.Context, query string, args []any) runner {
	tx.db.count(ctx, query, args)
	if s, ok := tx.db.statements.Load(query); ok {
		return ready{tx.StmtxContext(ctx, s.(*sqlx.Stmt))}
	}
	if !tx.db.bare {
		tx.unseen = append(tx.unseen, query)
	}
	return bare{tx.Tx, query}
}

// Get implements Q.
func (tx *Tx) Get(ctx context.Context, dest any, query string, args ...any) error {
	return tx.by(ctx, query, args).get(ctx, dest, args...)
}

// Select implements Q.
func (tx *Tx) Select(ctx context.Context, dest any, query string, args ...any) error {
	return tx.by(ctx, query, args).selects(ctx, dest, args...)
}

// Exec implements Q.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return affected(tx.by(ctx, query, args).exec(ctx, args...))
}

// Commit ends the transaction and keeps its statements prepared for the next.
func (tx *Tx) Commit() error {
	if err := tx.Tx.Commit(); err != nil {
		return err
	}
	for _, query := range tx.unseen {
		// The work is done; one that cannot be prepared, because it names a
		// temporary table that has gone, runs unprepared the next time too.
		_, _ = tx.db.prepared(context.Background(), query)
	}
	return nil
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// ExecOne runs a statement that must touch a row, and returns missing if it
// touched none: somebody else was first, or it is not there.
func ExecOne(ctx context.Context, q Q, missing error, query string, args ...any) error {
	n, err := q.Exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n == 0 {
		return missing
	}
	return nil
}

// One reads one row, and returns missing where there is none.
func One[T any](ctx context.Context, q Q, missing error, query string, args ...any) (T, error) {
	var row T
	err := q.Get(ctx, &row, query, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return row, missing
	}
	return row, err
}

// All reads all rows; the query bounds how many they can be.
func All[T any](ctx context.Context, q Q, query string, args ...any) ([]T, error) {
	rows := []T{}
	err := q.Select(ctx, &rows, query, args...)
	return rows, err
}

// Constraint is the name of the constraint that err says was broken, or "".
// Capabilities map it to the field that caused it.
func Constraint(err error) string {
	var e *pq.Error
	if errors.As(err, &e) && e.Code.Class() == "23" {
		return e.Constraint
	}
	return ""
}

// Again reports whether the transaction lost against another one (deadlock,
// serialization) and would succeed if tried again from its start.
func Again(err error) bool {
	var e *pq.Error
	return errors.As(err, &e) && (e.Code == "40P01" || e.Code == "40001")
}

// Unfit reports whether Postgres could not read a value as what it was given
// for: a cursor that somebody wrote themselves, a number without end. Doors check
// what people type, each field by itself; this is for what only programs make.
func Unfit(err error) bool {
	var e *pq.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "22P02", "22P05", "22003", "22007", "22008", "22021": // representation, character, range, date, date out of range, encoding
		return true
	}
	return false
}

// Counter counts statements, for the tests that bound what a page may run.
type Counter struct {
	Of func(context.Context) bool // counts those under such a context only; nil: all

	mu         sync.Mutex
	statements []Statement
}

// Statement is one that ran, and what it ran under.
type Statement struct {
	Query   string
	Args    []any
	Context context.Context
}

// N is how many statements ran.
func (c *Counter) N() int { return len(c.Statements()) }

// Statements are those that ran, in order.
func (c *Counter) Statements() []Statement {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.statements)
}

// CountInto makes c count the statements of all that runs from now on; nil ends it.
func (db *DB) CountInto(c *Counter) { db.counter.Store(c) }

func (db *DB) count(ctx context.Context, query string, args []any) {
	c := db.counter.Load()
	if c == nil || c.Of != nil && !c.Of(ctx) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.statements = append(c.statements, Statement{query, args, ctx})
}
