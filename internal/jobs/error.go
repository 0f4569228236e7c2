package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"
)

// textLimit is how much of an error's text is kept with the job, in bytes.
const textLimit = 8 << 10

// storable makes err's text one that Postgres takes. A NUL in one job's error
// would otherwise fail the statement that completes a whole batch of jobs, again
// and again.
func storable(err error) error {
	text := strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "\uFFFD"), "\x00", "")
	if len(text) > textLimit {
		text = strings.ToValidUTF8(text[:textLimit], "") + " …"
	}
	if text == err.Error() {
		return err
	}
	return &cleaned{err, text}
}

// cleaned is an error with another text; what it is stays what it was.
type cleaned struct {
	error
	text string
}

func (c *cleaned) Error() string { return c.text }
func (c *cleaned) Unwrap() error { return c.error }

func panicked(p any) error { return fmt.Errorf("panic: %v\n%s", p, debug.Stack()) }

// quiet passes River's own warnings and errors on. What it says below that is
// either said by run already (a job failed) or of no use (a client started), and
// once the queue is stopping, that contexts have ended is what was asked for.
type quiet struct {
	slog.Handler
	stopping *atomic.Bool
}

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	expected := false
	if q.stopping.Load() {
		r.Attrs(func(a slog.Attr) bool {
			expected = strings.HasSuffix(a.Value.String(), context.Canceled.Error())
			return !expected
		})
	}
	if expected {
		return nil
	}
	return q.Handler.Handle(ctx, r)
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler {
	return quiet{q.Handler.WithAttrs(a), q.stopping}
}

func (q quiet) WithGroup(name string) slog.Handler {
	return quiet{q.Handler.WithGroup(name), q.stopping}
}
