package postgres

import (
	"context"
	"database/sql"
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
// said in between is not heard. It returns once it listens. A pooler that lends connections
// for a transaction passes nothing on: hence Config.Direct.
func (db *DB) Listen(ctx context.Context, hear func(channel, payload string), channels ...string) (*Listener, error) {
	var l Listener
	l.l = pq.NewDialListener(db.direct, db.direct.url, 100*time.Millisecond, 2*time.Second, func(event pq.ListenerEventType, _ error) {
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

// Pooled reports whether the server is reached through a pooler that lends a connection for
// no longer than a transaction: then two of ours are one of the server's, or one becomes another.
func (db *DB) Pooled(ctx context.Context) (pooled bool, err error) {
	var ours [2]*sql.Conn
	for i := range ours {
		if ours[i], err = db.DB.DB.Conn(ctx); err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, ours[i].Close()) }()
	}
	var served [2]int
	for range 3 {
		for i, c := range ours {
			was := served[i]
			if err := c.QueryRowContext(ctx, `SELECT pg_backend_pid()`).Scan(&served[i]); err != nil {
				return false, err
			}
			if was != 0 && was != served[i] || served[0] == served[1] {
				return true, nil
			}
		}
	}
	return false, nil
}

// Deaf reports whether nothing is heard at the moment.
func (l *Listener) Deaf() bool { return l.deaf.Load() }

// Stop ends it.
func (l *Listener) Stop() error { return l.l.Close() }
