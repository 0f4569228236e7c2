package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

// quiet is after how long without a word the connection is tried.
const quiet = 90 * time.Second

// Listener hears what transactions say as they commit (NOTIFY), by a connection of its
// own that is made again when it is lost.
type Listener struct {
	l    *pq.Listener
	deaf atomic.Bool
}

// Listen hears what is said on some channels until it is stopped. It calls hear for each,
// and with no channel when the connection is lost and when it is there again: whatever is
// said in between is not heard. It returns once it listens.
func (db *DB) Listen(ctx context.Context, hear func(channel, payload string), channels ...string) (*Listener, error) {
	var l Listener
	l.l = pq.NewDialListener(db.lines, db.lines.url, 100*time.Millisecond, 2*time.Second, func(event pq.ListenerEventType, _ error) {
		switch event {
		case pq.ListenerEventDisconnected:
			l.deaf.Store(true)
			hear("", "")
		case pq.ListenerEventReconnected:
			l.deaf.Store(false)
		}
	})
	listening := make(chan error, 1)
	go func() {
		var err error
		for _, channel := range channels {
			err = errors.Join(err, l.l.Listen(channel))
		}
		listening <- err
	}()
	var err error
	select {
	case err = <-listening:
	case <-ctx.Done():
		err = errors.Join(errDown, ctx.Err())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database: listening on %s: %w", strings.Join(channels, ", "), err), l.l.Close())
	}
	go func() {
		for {
			select {
			case n, open := <-l.l.Notify:
				if !open {
					return
				}
				if n == nil {
					hear("", "")
				} else {
					hear(n.Channel, n.Extra)
				}
			case <-time.After(quiet):
				go func() { _ = l.l.Ping() }() // if it fails, the listener connects again
			}
		}
	}()
	return &l, nil
}

// Deaf reports whether nothing is heard at the moment.
func (l *Listener) Deaf() bool { return l.deaf.Load() }

// Stop ends it.
func (l *Listener) Stop() error { return l.l.Close() }
