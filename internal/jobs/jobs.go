// Package jobs does work after a change has been committed: a job is written in
// the caller's transaction, so it exists exactly if the change does, and is
// carried out by some portal process soon after. It stands on River, which keeps
// jobs in Postgres.
//
// Jobs run at least once: a process that dies in the middle leaves its job to be
// run again by another. Work must bear that.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivertype"
)

const (
	// attempts is how often a job is tried before it is given up: with the
	// default backoff of attempt⁴ seconds the last try is two days after the first.
	attempts = 16
	// timeout is how long a job may run if it does not say so itself.
	timeout = time.Minute
	// rescue is when a job whose process died is given to another.
	rescue = 5 * time.Minute
	// keep is how long finished jobs stay in the table. Every relies on it: it is
	// longer than the longest interval allowed.
	keep = 25 * time.Hour
)

// Job is a piece of work as it is stored: its exported fields, as JSON, and the
// Kind that names its worker. Name things by key and load them when the work is
// done. A job that may run longer than a minute says so in a method
// Timeout() time.Duration.
type Job = river.JobArgs

// Heavy is embedded by a job that takes much memory or time, such as reading a
// file: a process carries out few of them at once, apart from all others, which
// do not wait for them. One that waits or runs already is not written again; the
// same one twice in one call of Enqueue is an error.
type Heavy struct{}

// InsertOpts is for River.
func (Heavy) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: heavy, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled}}}
}

const heavy = "heavy"

// Options of a queue; the zero value is right for production.
type Options struct {
	Workers int                             // jobs carried out at once by this process; 10
	Heavy   int                             // and of those that are Heavy; 2
	Poll    time.Duration                   // how often the table is looked at; 900 ms, so that a job waits less than a second
	Backoff func(attempt int) time.Duration // wait after the attempt-th failure; attempt⁴ seconds, ±10 %
	Grace   time.Duration                   // how long Stop lets running jobs finish before their context ends; 20 s
	Log     *slog.Logger                    // slog.Default()
}

// Queue takes jobs in and carries them out. Register all work (Handle, Every)
// before Start; a process that only enqueues never calls Start.
type Queue struct {
	client   *river.Client[*sql.Tx]
	workers  *river.Workers
	ticks    map[string]ticker
	log      *slog.Logger
	stopping atomic.Bool
}

// New makes a queue over the portal's database; nothing is read or written yet.
func New(db *sql.DB, o Options) (*Queue, error) {
	if o.Workers == 0 {
		o.Workers = 10
	}
	if o.Heavy == 0 {
		o.Heavy = 2
	}
	if o.Poll == 0 {
		o.Poll = 900 * time.Millisecond
	}
	if o.Grace == 0 {
		o.Grace = 20 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	q := &Queue{workers: river.NewWorkers(), ticks: map[string]ticker{}, log: o.Log}
	config := &river.Config{
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: o.Workers}, heavy: {MaxWorkers: o.Heavy}},
		Workers:                     q.workers,
		FetchCooldown:               min(50*time.Millisecond, o.Poll),
		FetchPollInterval:           o.Poll,
		PollOnly:                    true,
		MaxAttempts:                 attempts,
		JobTimeout:                  timeout,
		RescueStuckJobsAfter:        rescue,
		SoftStopTimeout:             o.Grace,
		CompletedJobRetentionPeriod: keep,
		Middleware:                  []rivertype.Middleware{river.WorkerMiddlewareFunc(q.run)},
		Logger:                      slog.New(quiet{o.Log.Handler(), &q.stopping}),
	}
	if o.Backoff != nil {
		config.RetryPolicy = backoff(o.Backoff)
	}
	var err error
	if q.client, err = river.NewClient(silent{riverdatabasesql.New(db)}, config); err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	river.AddWorker(q.workers, &worker[tick]{work: q.tick, timeout: q.tickTimeout})
	return q, nil
}

// silent keeps River from notifying at every insert: through lib/pq nobody
// listens, and a commit that notifies waits for a lock all others wait for too.
type silent struct{ *riverdatabasesql.Driver }

func (silent) SupportsListenNotify() bool { return false }

type backoff func(attempt int) time.Duration

func (b backoff) NextRetry(row *rivertype.JobRow) time.Time {
	return time.Now().Add(b(row.Attempt))
}

// Handle says how jobs of type T are carried out. An error brings the job back
// later (see Options.Backoff), unless it is made by Permanent or Later. It panics
// if T has a worker already or a kind that is no name, which is a fault of the
// program.
func Handle[T Job](q *Queue, work func(context.Context, T) error) {
	w := &worker[T]{work: work}
	var zero T
	if t, ok := any(zero).(interface{ Timeout() time.Duration }); ok {
		w.timeout = func(T) time.Duration { return t.Timeout() }
	}
	river.AddWorker(q.workers, w)
}

type worker[T Job] struct {
	river.WorkerDefaults[T]
	work    func(context.Context, T) error
	timeout func(T) time.Duration
}

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error { return w.work(ctx, job.Args) }

func (w *worker[T]) Timeout(job *river.Job[T]) time.Duration {
	if w.timeout == nil {
		return 0 // the queue's
	}
	return w.timeout(job.Args)
}

// Enqueue writes jobs in the caller's transaction, all in one statement. They
// are carried out after it has committed, and never if it does not. A kind that
// Handle was not told of is an error.
func (q *Queue) Enqueue(ctx context.Context, tx *sql.Tx, jobs ...Job) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, job := range jobs {
		params[i].Args = job
	}
	// Not InsertManyFastTx: it panics on this driver.
	if _, err := q.client.InsertManyTx(ctx, tx, params); err != nil {
		return fmt.Errorf("jobs: enqueue: %w", err)
	}
	return nil
}

// Forget deletes finished jobs in whose arguments or errors a regular expression of
// Postgres is found. It reports whether there is one that is still to be carried
// out: then none is deleted.
func (q *Queue) Forget(ctx context.Context, tx *sql.Tx, pattern string) (waiting bool, err error) {
	const named = `(args::text ~* $1 OR array_to_string(errors, ' ') ~* $1 OR metadata::text ~* $1)`
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM river_job WHERE finalized_at IS NULL AND `+named+`)`, pattern).Scan(&waiting); err != nil || waiting {
		return waiting, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM river_job WHERE finalized_at IS NOT NULL AND `+named, pattern)
	return false, err
}

// Start begins to carry out jobs, until Stop. The end of ctx does not end it,
// so that the one who stops the portal decides what stops first.
func (q *Queue) Start(ctx context.Context) error {
	q.stopping.Store(false)
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("jobs: start: %w", err)
	}
	return nil
}

// Stop takes no further jobs and waits for the running ones; after Options.Grace,
// or when ctx ends, their contexts end, and jobs that fail by that are run again
// later. It reports an error if jobs were still running 5 s after ctx ended:
// those are run again after five minutes.
func (q *Queue) Stop(ctx context.Context) error {
	q.stopping.Store(true)
	if q.client.Stop(ctx) == nil {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := q.client.StopAndCancel(last); err != nil {
		return fmt.Errorf("jobs: still running at stop: %w", err)
	}
	return nil
}

// Permanent marks err as one that trying again cannot mend: the job ends.
func Permanent(err error) error { return river.JobCancel(err) }

// Later puts the job off by d without counting it as a failure.
func Later(d time.Duration) error { return river.JobSnooze(d) }

// LastAttempt reports whether the job that runs in ctx will not be tried again
// if it fails now.
func LastAttempt(ctx context.Context) bool {
	row, ok := ctx.Value(running{}).(*rivertype.JobRow)
	return ok && row.Attempt >= row.MaxAttempts
}

// Attempt is the how manieth the try of the job that runs in ctx is; 1 outside of one.
func Attempt(ctx context.Context) int {
	if row, ok := ctx.Value(running{}).(*rivertype.JobRow); ok {
		return row.Attempt
	}
	return 1
}

// retry reports whether the job that runs in ctx has failed before.
func retry(ctx context.Context) bool { return Attempt(ctx) > 1 }

// running is the context key of the row of the job that runs.
type running struct{}

// run surrounds every job: it makes errors storable, turns panics into errors,
// and logs what failed once.
func (q *Queue) run(ctx context.Context, row *rivertype.JobRow, work func(context.Context) error) (err error) {
	ctx = context.WithValue(ctx, running{}, row)
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
		if err == nil || errors.As(err, new(*rivertype.JobSnoozeError)) {
			return
		}
		err = storable(err)
		log := q.log.With("kind", row.Kind, "job", row.ID, "attempt", row.Attempt, "error", err)
		switch {
		case errors.As(err, new(*rivertype.JobCancelError)):
			log.WarnContext(ctx, "job refused for good")
		case LastAttempt(ctx):
			log.ErrorContext(ctx, "job given up")
		default:
			log.WarnContext(ctx, "job failed, will be tried again")
		}
	}()
	return work(ctx)
}
