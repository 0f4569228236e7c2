package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"commissionportal/internal/jobs"
)

// count is a job that the tests enqueue: what it does is the test's to say.
type count struct {
	N int `json:"n"`
}

func (count) Kind() string { return "test.count" }

// long may run for an hour.
type long struct{}

func (long) Kind() string           { return "test.long" }
func (long) Timeout() time.Duration { return time.Hour }

func soon(int) time.Duration { return 10 * time.Millisecond }

func queue(t *testing.T, db *sql.DB, o jobs.Options) *jobs.Queue {
	t.Helper()
	if o.Poll == 0 {
		o.Poll = 20 * time.Millisecond
	}
	if o.Backoff == nil {
		o.Backoff = soon
	}
	q, err := jobs.New(db, o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func start(t *testing.T, q *jobs.Queue) {
	t.Helper()
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func enqueue(t *testing.T, db *sql.DB, q *jobs.Queue, commit bool, js ...jobs.Job) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Enqueue(t.Context(), tx, js...); err != nil {
		t.Fatal(err)
	}
	end := tx.Rollback
	if commit {
		end = tx.Commit
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until ok holds, and fails the test if that takes too long.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}

func states(t *testing.T, db *sql.DB) string {
	t.Helper()
	var s string
	if err := db.QueryRow(`SELECT coalesce(string_agg(state || ' ' || n, ', ' ORDER BY state::text), '') FROM
		(SELECT state, count(*) AS n FROM river_job WHERE kind LIKE 'test.%' GROUP BY state) AS s`).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRunsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	q := queue(t, db, jobs.Options{})
	ran := make(chan int, 10)
	jobs.Handle(q, func(_ context.Context, c count) error { ran <- c.N; return nil })
	start(t, q)
	enqueue(t, db, q, false, count{1}, count{2})
	enqueue(t, db, q, true, count{3})
	if n := <-ran; n != 3 {
		t.Fatalf("ran %d, which was rolled back", n)
	}
	eventually(t, "completed", func() bool { return states(t, db) == "completed 1" })
}

func TestEachOnceAmongProcesses(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	var mu sync.Mutex
	ran := map[int]int{}
	var queues []*jobs.Queue
	for range 2 {
		q := queue(t, db, jobs.Options{Workers: 20})
		jobs.Handle(q, func(_ context.Context, c count) error {
			mu.Lock()
			defer mu.Unlock()
			ran[c.N]++
			return nil
		})
		queues = append(queues, q)
	}
	const n = 500
	many := make([]jobs.Job, n)
	for i := range many {
		many[i] = count{i}
	}
	enqueue(t, db, queues[0], true, many...)
	start(t, queues[0])
	start(t, queues[1])
	eventually(t, "all completed", func() bool { return states(t, db) == fmt.Sprintf("completed %d", n) })
	for i := range n {
		if ran[i] != 1 {
			t.Errorf("job %d ran %d times", i, ran[i])
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		work   func(ctx context.Context, tries int) error
		tries  int
		states string
		text   string // in the stored error
	}{
		{"tried again until it succeeds", func(_ context.Context, n int) error {
			if n < 3 {
				return errors.New("the server is down")
			}
			return nil
		}, 3, "completed 1", "the server is down"},
		{"later is no failure", func(_ context.Context, n int) error {
			if n < 2 {
				return jobs.Later(time.Millisecond)
			}
			return nil
		}, 2, "completed 1", ""},
		{"permanent ends it", func(context.Context, int) error {
			return fmt.Errorf("wrapped: %w", jobs.Permanent(errors.New("no such mailbox")))
		}, 1, "cancelled 1", "no such mailbox"},
		{"given up after the last attempt, which knows it is", func(ctx context.Context, n int) error {
			if last := n == 16; jobs.LastAttempt(ctx) != last {
				t.Errorf("attempt %d: LastAttempt is %t", n, !last)
			}
			return errors.New("never works")
		}, 16, "discarded 1", "never works"},
		{"NUL and broken UTF-8 in an error", func(_ context.Context, n int) error {
			if n < 2 {
				return errors.New("answer was \x00\xff.")
			}
			return nil
		}, 2, "completed 1", "answer was \uFFFD."},
		{"panic, with a NUL", func(_ context.Context, n int) error {
			if n < 2 {
				panic("lost\x00 it")
			}
			return nil
		}, 2, "completed 1", "panic: lost it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := database(t, "")
			q := queue(t, db, jobs.Options{})
			var tries atomic.Int64
			jobs.Handle(q, func(ctx context.Context, _ count) error { return tt.work(ctx, int(tries.Add(1))) })
			start(t, q)
			enqueue(t, db, q, true, count{})
			eventually(t, tt.states, func() bool { return states(t, db) == tt.states })
			if int(tries.Load()) != tt.tries {
				t.Errorf("tried %d times, want %d", tries.Load(), tt.tries)
			}
			var text string
			if err := db.QueryRow(`SELECT coalesce(errors[1] ->> 'error', '') FROM river_job WHERE kind = 'test.count'`).Scan(&text); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text, tt.text) || tt.text == "" && text != "" {
				t.Errorf("stored error is %q, want %q", text, tt.text)
			}
		})
	}
}

func TestUnknownKindIsRefused(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	q := queue(t, db, jobs.Options{})
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing to keep
	if err := q.Enqueue(t.Context(), tx, count{}); err == nil || !strings.Contains(err.Error(), "test.count") {
		t.Fatalf("enqueued a job that nobody handles: %v", err)
	}
}

func TestEveryOncePerInterval(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	var mu sync.Mutex
	var at []time.Time
	for range 3 {
		q := queue(t, db, jobs.Options{})
		q.Every("test.second", time.Second, func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Now())
			return nil
		})
		start(t, q)
	}
	eventually(t, "four intervals", func() bool { mu.Lock(); defer mu.Unlock(); return len(at) >= 4 })
	mu.Lock()
	defer mu.Unlock()
	if d := at[len(at)-1].Sub(at[0]); d < 1800*time.Millisecond || d > 6*time.Second {
		t.Errorf("%d runs within %s", len(at), d)
	}
	var twice int
	if err := db.QueryRow(`SELECT count(*) FROM (SELECT args FROM river_job WHERE kind = 'every' GROUP BY args HAVING count(*) > 1) AS s`).Scan(&twice); err != nil || twice > 0 {
		t.Errorf("%d intervals had more than one job (%v)", twice, err)
	}
}

func TestEveryIsNotRepeatedByRestart(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	var ran atomic.Int64
	for i := range 2 {
		q := queue(t, db, jobs.Options{})
		q.Every("test.day", 24*time.Hour, func(context.Context) error { ran.Add(1); return nil })
		marker := make(chan struct{}, 100)
		q.Every("test.second", time.Second, func(context.Context) error { marker <- struct{}{}; return nil })
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 { // by its second mark the new leader has started what it starts
			<-marker
		}
		if err := q.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if ran.Load() != 1 {
			t.Fatalf("start %d: the day's work was done %d times", i+1, ran.Load())
		}
	}
}

func TestEveryRefusesMistakes(t *testing.T) {
	t.Parallel()
	q := queue(t, database(t, ""), jobs.Options{})
	nothing := func(context.Context) error { return nil }
	q.Every("test.taken", time.Hour, nothing)
	for name, interval := range map[string]time.Duration{"test.short": time.Millisecond, "test.longer": 48 * time.Hour, "test.taken": time.Hour} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s every %s was taken", name, interval)
				}
			}()
			q.Every(name, interval, nothing)
		}()
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	t.Run("waits for what runs", func(t *testing.T) {
		t.Parallel()
		db := database(t, "")
		q := queue(t, db, jobs.Options{})
		begun := make(chan struct{})
		jobs.Handle(q, func(ctx context.Context, _ long) error {
			close(begun)
			time.Sleep(300 * time.Millisecond)
			return ctx.Err()
		})
		ctx, cancel := context.WithCancel(t.Context())
		if err := q.Start(ctx); err != nil {
			t.Fatal(err)
		}
		enqueue(t, db, q, true, long{})
		<-begun
		cancel() // does not end the work; Stop does
		if err := q.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := states(t, db); s != "completed 1" {
			t.Errorf("after Stop: %s", s)
		}
	})
	t.Run("ends what runs longer, to be run again", func(t *testing.T) {
		t.Parallel()
		db := database(t, "")
		q := queue(t, db, jobs.Options{Grace: 100 * time.Millisecond})
		begun := make(chan struct{})
		jobs.Handle(q, func(ctx context.Context, _ long) error { close(begun); <-ctx.Done(); return ctx.Err() })
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		enqueue(t, db, q, true, long{})
		<-begun
		if err := q.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := states(t, db); s != "available 1" {
			t.Errorf("after Stop: %s", s)
		}
	})
	t.Run("never started", func(t *testing.T) {
		t.Parallel()
		if err := queue(t, database(t, ""), jobs.Options{}).Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A pooler before PgBouncer 1.21 needs binary_parameters, under which lib/pq
// sends bytes in another form.
func TestBinaryParameters(t *testing.T) {
	t.Parallel()
	db := database(t, "binary_parameters=yes")
	q := queue(t, db, jobs.Options{})
	var tries atomic.Int64
	jobs.Handle(q, func(context.Context, count) error {
		if tries.Add(1) == 1 {
			return errors.New("first")
		}
		return nil
	})
	start(t, q)
	enqueue(t, db, q, true, count{1})
	eventually(t, "completed", func() bool { return states(t, db) == "completed 1" })
}

func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	db := emptyDatabase(t, "")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := jobs.Migrate(t.Context(), db); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

type large struct {
	jobs.Heavy
	N int `json:"n"`
}

func (large) Kind() string { return "test.large" }

// TestHeavy: few heavy jobs run at once and nobody else waits for them; the same
// one is not written twice while it waits or runs, but again after it.
func TestHeavy(t *testing.T) {
	t.Parallel()
	db := database(t, "")
	q := queue(t, db, jobs.Options{Heavy: 2})
	release, light := make(chan struct{}), make(chan int, 1)
	var now, most, ran atomic.Int64
	jobs.Handle(q, func(context.Context, large) error {
		most.Store(max(most.Load(), now.Add(1)))
		<-release
		now.Add(-1)
		ran.Add(1)
		return nil
	})
	jobs.Handle(q, func(_ context.Context, c count) error { light <- c.N; return nil })
	start(t, q)
	enqueue(t, db, q, true, large{N: 1}, large{N: 2}, large{N: 3})
	enqueue(t, db, q, true, large{N: 1})
	eventually(t, "two run", func() bool { return now.Load() == 2 })
	enqueue(t, db, q, true, large{N: 2}, large{N: 3}, count{7})
	if n := <-light; n != 7 {
		t.Errorf("ran %d", n)
	}
	if got := states(t, db); got != "available 1, running 2" && got != "available 1, completed 1, running 2" && got != "available 1, running 3" {
		t.Errorf("with two that run: %s", got)
	}
	close(release)
	eventually(t, "all three ran", func() bool { return ran.Load() == 3 && strings.HasSuffix(states(t, db), "completed 4") })
	enqueue(t, db, q, true, large{N: 1})
	eventually(t, "one ran again", func() bool { return ran.Load() == 4 })
	if most.Load() > 2 {
		t.Errorf("%d ran at once", most.Load())
	}
}
