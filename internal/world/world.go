// Package world fills an empty database with a convention of any size: what the
// portal is measured on (see docs/bench.md). All of it is invented, and a fixed seed
// makes it the same every time; times count from the moment of filling.
//
// As the sample it is an exception to two rules of the house: it writes the tables of
// every capability, and not through journal.Change. The journal's chains are written
// all the same. Files of documents have their text, and no content in the store.
package world

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
	"commissionportal/internal/sample"
)

// Size is how much of everything there is.
type Size struct {
	Commissions   int
	Organizations int
	Persons       int
	Seats         int // about; a third of them have ended
	Largest       int // seats of the largest commission, which shrinks less than the others
	Busiest       int // seats of the person who has most
	Documents     int
	Readings      int // what was opened, previewed and downloaded: the traces
	Overrides     int // commissions with rules of their own
}

// At is the size at a scale: 1 is the world that docs/bench.md measures.
func At(scale float64) Size {
	n := func(whole, least int) int { return max(least, int(math.Round(float64(whole)*scale))) }
	s := Size{Commissions: n(10_000, 60), Organizations: n(60_000, 120), Persons: n(500_000, 1000), Seats: n(1_200_000, 2400), Largest: int(20_000 * math.Pow(scale, 0.85)),
		Documents: n(1_000_000, 500), Readings: n(3_000_000, 1500), Overrides: n(2000, 5)}
	s.Busiest = min(300, s.Commissions/2)
	return s
}

// world is a convention while it is written.
type world struct {
	size          Size
	now           time.Time
	random        *rand.Rand
	organizations []organization
	persons       []person
	commissions   []commission
	sectors       []uuid.UUID
	names         []sample.Pool
	applications  []application
	say           func(format string, args ...any)
}

// Fill fills an empty database, and says what it is at. Conflict if there is something
// in it. A database in which it failed is of no use: drop it.
func Fill(ctx context.Context, db *postgres.DB, size Size, now time.Time, say func(format string, args ...any)) (err error) {
	empty, err := sample.Empty(ctx, db)
	if err != nil {
		return err
	}
	if !empty {
		return problem.New(problem.Conflict, "The database is not empty. The world needs one of its own.")
	}
	w := &world{size: size, now: now.UTC().Truncate(time.Second), random: rand.New(rand.NewPCG(7, 11)), say: say} //nolint:gosec // made up, and the same every time
	if w.names, err = sample.Names(); err != nil {
		return err
	}
	if w.sectors, err = postgres.All[uuid.UUID](ctx, db, `SELECT id FROM sector ORDER BY position`); err != nil {
		return err
	}
	w.organize()
	w.populate()
	w.found()
	if _, err := db.ExecContext(ctx, events); err != nil {
		return err
	}
	bare, err := strip(ctx, db.DB.DB)
	if err != nil {
		return err
	}
	started := time.Now()
	if err := w.publish(ctx, db.DB.DB); err != nil {
		return err
	}
	say("%d documents written in %s", size.Documents, time.Since(started).Round(time.Second))
	found := bare.begin(ctx, "document_search") // takes longest, and keeps one processor busy
	for _, step := range []struct {
		what  string
		write func(context.Context, *sql.DB) error
	}{
		{"organizations and persons", w.writePeople}, {"commissions", w.writeCommissions}, {"seats", w.writeSeats}, {"traces", w.writeReadings}, {"the journal", w.writeJournal},
	} {
		started := time.Now()
		if err := step.write(ctx, db.DB.DB); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		say("%s written in %s", step.what, time.Since(started).Round(time.Second))
	}
	if err := bare.restore(ctx, found, say); err != nil {
		return err
	}
	say("counting what there is, for the planner")
	_, err = db.ExecContext(ctx, `VACUUM ANALYZE`)
	return err
}

// id is a key that sorts by the time it was made (UUIDv7).
func (w *world) id(at time.Time) (id uuid.UUID) {
	ms, chance, more := at.UnixMilli(), w.random.Uint64(), w.random.Uint64()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	for i := range 8 {
		id[6+i] = byte(chance >> (8 * i))
	}
	id[14], id[15] = byte(more), byte(more>>8)
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

func (w *world) chance(p float64) bool { return w.random.Float64() < p }

func one[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// skewed is below n, the lower the more often: with 1 evenly, with 2 half of all are
// in the first quarter.
func skewed(r *rand.Rand, n int, by float64) int {
	return int(float64(n) * math.Pow(r.Float64(), by))
}

// shares divides a total as the sizes of bodies are: few large ones and many small.
func shares(total, n int, by float64) []int {
	sum := 0.0
	for i := range n {
		sum += math.Pow(float64(i+6), -by)
	}
	list := make([]int, n)
	for i := range n {
		list[i] = int(math.Round(float64(total) * math.Pow(float64(i+6), -by) / sum))
	}
	return list
}

// between is a time between two.
func (w *world) between(from, to time.Time) time.Time {
	if !to.After(from) {
		return from
	}
	return from.Add(time.Duration(w.random.Int64N(int64(to.Sub(from))))).Truncate(time.Second)
}

func years(n float64) time.Duration { return time.Duration(n * 365.25 * 24 * float64(time.Hour)) }

const moment = "2006-01-02T15:04:05.999999Z"

// period is a range of time as Postgres reads it; a zero until is without end.
func period(from, until time.Time) string {
	end := ""
	if !until.IsZero() {
		end = until.Format(moment)
	}
	return "[" + from.Format(moment) + "," + end + ")"
}

// load writes rows by COPY. each is given a function that takes one row.
func load(ctx context.Context, db *sql.DB, table, columns string, each func(row func(values ...any) error) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing once it is committed
	s, err := tx.PrepareContext(ctx, "COPY "+table+" ("+strings.ReplaceAll(columns, " ", ", ")+") FROM STDIN")
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	defer func() { _ = s.Close() }() // the last Exec said whether it went well
	if err := each(func(values ...any) error { _, err := s.ExecContext(ctx, values...); return err }); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	if _, err := s.ExecContext(ctx); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	if err := s.Close(); err != nil {
		return err
	}
	return tx.Commit()
}

// rows writes one row for each of a list.
func rows[T any](ctx context.Context, db *sql.DB, table, columns string, list []T, row func(T) []any) error {
	return load(ctx, db, table, columns, func(write func(...any) error) error {
		for _, v := range list {
			if values := row(v); values != nil {
				if err := write(values...); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
