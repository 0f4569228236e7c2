package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

const (
	usualBeat = 15 * time.Second
	// asksEvery is how many beats after it asked a stream that nothing puts in doubt asks again.
	asksEvery = 4
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
	c.Locals(eventsKey{}, &events{Happening: h, server: s, who: s.identityOf(c), signedIn: Actor(c).SignedIn(), beat: beat, began: time.Now(), asked: time.Now(),
		ctx: journal.WithRequest(calendar.With(context.Background(), s.Zone), journal.Request(ctx))}) // and nothing else of what the request holds
	return nil
}

type eventsKey struct{}

// events are what is sent by one connection.
type events struct {
	Happening
	server   *Server
	ctx      context.Context
	who      identity
	signedIn bool // when it began
	beat     time.Duration
	began    time.Time
	told     time.Time // when the last event was
	asked    time.Time // when it last asked
	doubt    bool      // it was sent doubt since then
	over     bool
}

// follow takes the connection of a request that Events answered away from the server,
// which would hold buffers, a stack and all of the request for it as long as it is open,
// ten times as much as the stream needs.
func (s *Server) follow(c *fiber.Ctx) {
	e, ok := c.Locals(eventsKey{}).(*events)
	if !ok {
		return
	}
	if c.Response().StatusCode() != fiber.StatusOK {
		e.close()
		return
	}
	http := c.Context()
	http.SetConnectionClose() // nothing comes after it
	chunked := http.Request.Header.IsHTTP11()
	if chunked {
		http.Response.Header.SetContentLength(-1)
	}
	head := append([]byte(nil), http.Response.Header.Header()...)
	http.HijackSetNoResponse(true)
	http.Hijack(func(conn net.Conn) {
		if own, ok := conn.(interface{ UnsafeConn() net.Conn }); ok {
			conn = own.UnsafeConn()
		}
		go e.send(conn, head, chunked)
	})
}

// send writes events as they come. A client that has gone, or takes nothing, is found
// out when the next beat is written.
func (e *events) send(conn net.Conn, head []byte, chunked bool) {
	defer e.close()
	defer func() { _ = conn.Close() }() // nobody is told
	write := func(text string) bool {
		if err := conn.SetWriteDeadline(time.Now().Add(stalled)); err != nil {
			return false
		}
		_, err := io.WriteString(conn, text)
		return err == nil
	}
	if !write(string(head)) {
		return
	}
	for text := e.next(); text != ""; text = e.next() {
		if chunked {
			text = fmt.Sprintf("%x\r\n%s\r\n", len(text), text)
		}
		if !write(text) {
			return
		}
	}
	if chunked {
		write("0\r\n\r\n")
	}
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
		// When it asks depends on when it asked last, whatever it tells meanwhile: not all of
		// those who were told of the same event ask at once.
		beat, text := min(e.beat, asksEvery*e.beat-time.Since(e.asked)), ": alive\n\n"
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
			if time.Since(e.asked) < asksEvery*e.beat && !e.Deaf() {
				return text
			}
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
	if time.Since(e.told) >= between {
		return true
	}
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
	return !e.doubt && len(e.Doubt) == 0 && !e.Deaf() && time.Since(e.asked) < 2*asksEvery*e.beat
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

func (e *events) close() {
	e.Happening.Close()
	e.server.Log.LogAttrs(e.ctx, slog.LevelDebug, "events ended", slog.Duration("took", time.Since(e.began)))
}
