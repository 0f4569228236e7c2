package postgres

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

// MostLag is how old what is read from a replica may be: it has all that was committed
// that long ago, or nobody reads from it.
const MostLag = 2 * time.Second

// look is how often it is asked how far a replica has come.
const look = 500 * time.Millisecond

// back is how long a connection to the replica is used. One that was made to the primary, while
// the replica was away (Config.Replica may say target_session_attrs=prefer-standby), would stay
// there otherwise.
const back = 10 * time.Second

// replica is a server that follows the primary.
type replica struct {
	*DB
	log   *slog.Logger
	began time.Time
	watch sync.Once
	had   atomic.Int64 // the instant, since began, of which it has all that the primary had; 0: none is known
}

// lag is where what is read under a context comes from. All of one answer comes from one
// server: what the primary said of something, a replica may not have.
type lag struct{ from atomic.Int32 }

const (
	undecided int32 = iota
	fromReplica
	fromPrimary
)

type lagKey struct{}

func lagOf(ctx context.Context) *lag {
	l, _ := ctx.Value(lagKey{}).(*lag)
	return l
}

// MayLag lets what Get and Select read under the context come from the replica. It is for
// one request.
func MayLag(ctx context.Context) context.Context { return context.WithValue(ctx, lagKey{}, new(lag)) }

// Fresh has what is read under the context come from the primary.
func Fresh(ctx context.Context) context.Context {
	if lagOf(ctx) == nil {
		return ctx
	}
	return context.WithValue(ctx, lagKey{}, (*lag)(nil))
}

// Lags reports whether what is read under the context comes from the replica.
func Lags(ctx context.Context) bool {
	l := lagOf(ctx)
	return l != nil && l.from.Load() == fromReplica
}

// Turn has what is read under the context from now on come from the primary, and reports
// whether it came from the replica before: then the primary may answer otherwise.
func Turn(ctx context.Context) bool {
	l := lagOf(ctx)
	return l != nil && l.from.Swap(fromPrimary) == fromReplica
}

// Replicated reports whether there is a replica.
func (db *DB) Replicated() bool { return db.replica != nil }

// may reports whether the replica is read from under the context.
func (r *replica) may(ctx context.Context, primary *DB) bool {
	l := lagOf(ctx)
	if l == nil {
		return false
	}
	if l.from.Load() == undecided {
		from := fromPrimary
		if r.fit(primary) {
			from = fromReplica
		}
		l.from.CompareAndSwap(undecided, from)
	}
	return l.from.Load() == fromReplica
}

func (r *replica) fit(primary *DB) bool {
	r.watch.Do(func() { go r.follow(primary) })
	return r.recent()
}

func (r *replica) recent() bool {
	had := r.had.Load()
	return had != 0 && time.Since(r.began)-time.Duration(had) < MostLag
}

// Fit reports whether there is a replica, and it is read from.
func (db *DB) Fit() bool { return db.replica != nil && db.replica.fit(db) }

// follow finds out how far the replica has come, until it is closed. It asks the primary
// where that is, and the replica until it is there: what a replica says of itself would
// not tell that it hears nothing.
func (r *replica) follow(primary *DB) {
	t := time.NewTicker(look)
	defer t.Stop()
	var at position
	var asked time.Duration
	was := true
	for {
		ctx, cancel := context.WithTimeout(context.Background(), look)
		now := time.Since(r.began)
		var err error
		if at == (position{}) || now-asked > MostLag {
			asked = now
			at, err = primary.position(ctx)
		}
		there := false
		if err == nil {
			there, err = r.reached(ctx, at)
		}
		cancel()
		if err != nil {
			at = position{}
		}
		if there {
			r.had.Store(int64(asked))
			at = position{}
		}
		if fit := r.recent(); fit != was && (fit || now > MostLag) {
			if was = fit; fit {
				r.log.Info("the replica is read from again")
			} else {
				r.log.Warn("the replica is left out: it stays behind, or does not answer", "error", err)
			}
		}
		select {
		case <-r.lines.closed:
			return
		case <-t.C:
		}
	}
}

// position is how far the primary has come: all that it has acknowledged is before it, but
// for what was committed in the last half of a second without waiting (synchronous_commit = off).
type position struct {
	System   string    `db:"system"`
	Database string    `db:"database"`
	Started  time.Time `db:"started"`
	At       string    `db:"at"`
}

func (db *DB) position(ctx context.Context) (position, error) {
	return One[position](ctx, db, nil, `
		SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system, current_database() AS database, pg_postmaster_start_time() AS started, pg_current_wal_lsn()::text AS at`)
}

// reached reports whether the server has all that the primary had at a position. One that
// has become the primary has; one that has become another one has not.
func (db *DB) reached(ctx context.Context, p position) (bool, error) {
	return One[bool](ctx, db, nil, `
		SELECT (SELECT system_identifier::text FROM pg_control_system()) = $1 AND current_database() = $2
		  AND CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_replay_lsn() >= $4::pg_lsn, false) ELSE pg_postmaster_start_time() = $3::timestamptz END`,
		p.System, p.Database, p.Started, p.At)
}

// Follows waits until the replica has all that the primary has now, and says how long that took.
func (db *DB) Follows(ctx context.Context) (time.Duration, error) {
	asked := time.Now()
	at, err := db.position(ctx)
	if err != nil {
		return 0, err
	}
	for {
		there, err := db.replica.reached(ctx, at)
		if ctx.Err() != nil {
			return 0, errors.New("it stays behind what it should follow")
		}
		if err != nil || there {
			return time.Since(asked), err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// read runs a read where the context lets it. What the replica cannot answer the primary
// is asked at once: nobody is told. But a statement that writes is a fault of the program.
func (db *DB) read(ctx context.Context, by func(runner, context.Context, any, ...any) error, dest any, query string, args []any) error {
	db.count(ctx, query, args)
	if r := db.replica; r != nil && r.may(ctx, db) {
		err := r.run(ctx, by, dest, query, args)
		var said *pq.Error
		if err == nil || errors.Is(err, sql.ErrNoRows) || ctx.Err() != nil || errors.As(err, &said) && said.Code == "25006" { // read_only_sql_transaction
			return err
		}
		if Lost(err) {
			r.had.Store(0)
		}
		Turn(ctx)
	}
	return db.run(ctx, by, dest, query, args)
}

func (db *DB) run(ctx context.Context, by func(runner, context.Context, any, ...any) error, dest any, query string, args []any) error {
	s, err := db.by(ctx, query)
	if err != nil {
		return err
	}
	return by(s, ctx, dest, args...)
}
