package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

const (
	usualBeat = 15 * time.Second
	// between is the least time from one event of a stream to the next: what happens
	// meanwhile is told together.
	between = time.Second
	// stalled is how long a client may take to take an event.
	stalled = 10 * time.Second
)

// Happening is what a stream of events is about.
type Happening struct {
	// Wake is sent to when something may have changed, and closed when the stream
	// has to end because the portal does.
	Wake <-chan struct{}
	// Doubt is sent to when who listens may have lost the right to.
	Doubt <-chan struct{}
	// Deaf reports whether nothing is sent to Doubt at the moment, as it would be.
	Deaf func() bool
	// Ask asks for the right to hear of it anew; an error that is a problem is a no.
	Ask func(ctx context.Context, who access.Actor) error
	// Data is what each event says, a line.
	Data string
	// Close is called when the stream has ended.
	Close func()
}

// Events answers with server-sent events: "changed" at once, since something may
// have happened before the stream stood, and whenever it is woken. At every beat, and
// whenever there is doubt, it asks again who is there and whether they may still listen:
// for who may not, or is no longer signed in, it ends with "end". What is lost as time
// goes by (a term, a share, a session that run out) is found at the beat; an event says
// nothing but that something happened, and what did is asked for with the rights of then.
func (s *Server) Events(c *fiber.Ctx, h Happening) error {
	ctx := c.UserContext()
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Accel-Buffering", "no") // a proxy in front sends on what it gets
	if journal.Peeks(ctx) {
		h.Close()
		return nil
	}
	beat := s.Beat
	if beat == 0 {
		beat = usualBeat
	}
	c.Context().SetBodyStream(&events{Happening: h, server: s, ctx: ctx, who: s.identityOf(c), signedIn: Actor(c).SignedIn(), conn: c.Context().Conn(), beat: beat, began: time.Now()}, -1)
	return nil
}

// events is the body of the answer: what is read of it is sent at once.
type events struct {
	Happening
	server   *Server
	ctx      context.Context
	who      identity
	signedIn bool // when it began
	conn     net.Conn
	beat     time.Duration
	began    time.Time
	told     time.Time // when the last event was
	asked    time.Time // when it last asked
	doubt    bool      // it was sent doubt since then
	over     bool
	rest     []byte
	closed   sync.Once
}

// Read waits for what is next. A client that has gone, or takes nothing, is found
// out when the next beat is written.
func (e *events) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		if e.rest = []byte(e.next()); len(e.rest) == 0 {
			return 0, io.EOF
		}
	}
	if err := e.conn.SetWriteDeadline(time.Now().Add(stalled)); err != nil {
		return 0, err
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// next is what to send; "" ends the stream.
func (e *events) next() string {
	changed := fmt.Sprintf("event: changed\ndata: %s\n\n", e.Data)
	switch {
	case e.over:
		return ""
	case e.told.IsZero():
		e.told = time.Now()
		return "retry: 3000\n\n" + changed
	}
	for {
		beat, text := e.beat, ": alive\n\n"
		if e.Deaf() {
			beat = min(beat, between)
		}
		select {
		case _, open := <-e.Wake:
			if !open || !e.rested() {
				return ""
			}
			e.told, text = time.Now(), changed
			if e.sure() {
				return text
			}
		case <-e.Doubt:
			e.doubt, text = true, ""
		case <-time.After(beat):
		}
		switch err := e.ask(); {
		case problem.As(err) != nil:
			e.over = true
			return "event: end\ndata: {}\n\n"
		case err != nil: // the client comes back when it hears nothing
			e.server.Log.LogAttrs(e.ctx, slog.LevelError, "events", slog.Any("error", err))
			return ""
		}
		if text != "" {
			return text
		}
	}
}

// rested waits until the next event may be told, or there is doubt that it may be;
// false if the portal stops.
func (e *events) rested() bool {
	until := time.NewTimer(between - time.Since(e.told))
	defer until.Stop()
	for {
		select {
		case _, open := <-e.Wake:
			if !open {
				return false
			}
		case <-e.Doubt:
			e.doubt = true
			return true
		case <-until.C:
			return true
		}
	}
}

// sure reports whether nothing can have been lost since it last asked: ten thousand who
// are told of one event do not ask ten thousand times.
func (e *events) sure() bool {
	return !e.doubt && len(e.Doubt) == 0 && !e.Deaf() && time.Since(e.asked) < e.beat
}

func (e *events) ask() error {
	asked := time.Now()
	ctx, cancel := context.WithTimeout(e.ctx, stalled)
	defer cancel()
	if e.server.Now != nil {
		ctx = journal.WithNow(ctx, e.server.Now().UTC().Truncate(time.Microsecond))
	}
	who, _, err := e.server.actor(ctx, e.who)
	if err != nil {
		return err
	}
	if e.signedIn && !who.SignedIn() {
		return problem.New(problem.SignIn, "Sign in to go on.")
	}
	if err := e.Ask(ctx, who); err != nil {
		return err
	}
	e.asked, e.doubt = asked, false
	return nil
}

// Close implements io.Closer; the server calls it once the answer has ended.
func (e *events) Close() error {
	e.closed.Do(func() {
		e.Happening.Close()
		e.server.Log.LogAttrs(e.ctx, slog.LevelDebug, "events ended", slog.Duration("took", time.Since(e.began)))
	})
	return nil
}
