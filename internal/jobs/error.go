package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
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
// either said by run already (a job failed) or of no use (a client started).
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }
func (q quiet) WithGroup(name string) slog.Handler   { return quiet{q.Handler.WithGroup(name)} }
