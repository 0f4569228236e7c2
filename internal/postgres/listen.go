package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"
)

// quiet is after how long without a word the connection is tried.
const quiet = 90 * time.Second

// Listen hears what transactions say on a channel as they commit (NOTIFY), by a
// connection of its own that is made again when it is lost, until stop is called.
// It calls hear for each, and with "" after the connection was lost: whatever was
// said meanwhile has not been heard. It returns once it listens.
func (db *DB) Listen(ctx context.Context, channel string, hear func(payload string)) (stop func() error, err error) {
	l := pq.NewDialListener(db.lines, db.lines.url, 100*time.Millisecond, 2*time.Second, nil)
	listening := make(chan error, 1)
	go func() { listening <- l.Listen(channel) }()
	select {
	case err = <-listening:
	case <-ctx.Done():
		err = errors.Join(errDown, ctx.Err())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database: listening on %s: %w", channel, err), l.Close())
	}
	go func() {
		for {
			select {
			case n, open := <-l.Notify:
				if !open {
					return
				}
				if n == nil {
					hear("")
				} else {
					hear(n.Extra)
				}
			case <-time.After(quiet):
				go func() { _ = l.Ping() }() // if it fails, the listener connects again
			}
		}
	}()
	return l.Close, nil
}
