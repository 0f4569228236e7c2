package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
)

// Every has work done once in each interval, by one of all portal processes:
// River's leader writes the job, any process carries it out. Intervals are cut
// from UTC (a day begins at midnight, an hour at the full one). When the portal
// starts, the current interval's work is done at once unless it was done before.
// A failure is tried again a few times, until the next interval begins.
//
// It panics on an interval under a second or over a day and on a name given
// twice, which are faults of the program.
func (q *Queue) Every(name string, interval time.Duration, work func(context.Context) error) {
	if interval < time.Second || interval > 24*time.Hour {
		panic(fmt.Sprintf("jobs: %s: interval %s is not between a second and a day", name, interval))
	}
	if _, ok := q.ticks[name]; ok {
		panic(fmt.Sprintf("jobs: %s is done periodically already", name))
	}
	t := ticker{interval, work}
	q.ticks[name] = t
	q.client.PeriodicJobs().Add(river.NewPeriodicJob(t, func() (river.JobArgs, *river.InsertOpts) {
		return tick{Name: name, Due: t.due(time.Now())}, nil
	}, &river.PeriodicJobOpts{ID: name, RunOnStart: true}))
}

type ticker struct {
	interval time.Duration
	work     func(context.Context) error
}

// Next is the beginning of the interval after t.
func (p ticker) Next(t time.Time) time.Time { return t.UTC().Truncate(p.interval).Add(p.interval) }

// due is the beginning of the interval that now belongs to. The leader wakes up
// to 100 ms early; that is the next interval already.
func (p ticker) due(now time.Time) time.Time {
	return now.UTC().Add(200 * time.Millisecond).Truncate(p.interval)
}

// tick is the work of one interval. Its two fields make it unique, so that a new
// leader does not repeat what the one before had done.
type tick struct {
	Name string    `json:"name" river:"unique"`
	Due  time.Time `json:"due" river:"unique"`
}

func (tick) Kind() string { return "every" }

func (tick) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 5, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

func (q *Queue) tick(ctx context.Context, t tick) error {
	p, ok := q.ticks[t.Name]
	if !ok { // of another version of the program; one of its processes may get it next
		return fmt.Errorf("nothing named %q is done periodically", t.Name)
	}
	if retry(ctx) && time.Now().After(t.Due.Add(p.interval)) {
		return nil // the next interval's job does the work now
	}
	return p.work(ctx)
}

// tickTimeout keeps the work of one interval from running into the next.
func (q *Queue) tickTimeout(t tick) time.Duration {
	return min(max(q.ticks[t.Name].interval, 10*time.Second), 10*time.Minute)
}
