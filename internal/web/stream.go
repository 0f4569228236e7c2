package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/problem"
)

// idle is how long a client may be silent in the middle of a body.
const idle = 30 * time.Second

// takeBody reads the body whole, within what the route takes, by its declared
// length and while it is read. That of a route that streams is left where it is,
// if it is large.
func (s *Server) takeBody(c *fiber.Ctx) error {
	stream := c.Request().BodyStream()
	if stream == nil {
		return nil
	}
	declared, most := c.Request().Header.ContentLength(), MaxBody
	if declared < 0 || declared > MaxBody {
		large, streams := s.takes(c)
		if streams {
			return nil
		}
		if large {
			most = MaxUpload
		}
	}
	if declared > most {
		return s.tooLarge(c, most)
	}
	body, err := io.ReadAll(io.LimitReader(&arriving{Reader: stream, conn: c.Context().Conn(), all: &s.arrivals, soon: true}, int64(most)+1))
	switch {
	case err != nil:
		c.Context().SetConnectionClose()
		if s.Stopping() {
			return errStopping
		}
		return problem.New(problem.Invalid, "What was sent broke off, or is not HTTP.")
	case len(body) > most:
		return s.tooLarge(c, most)
	}
	c.Request().SetBodyRaw(body)
	return nil
}

func (s *Server) tooLarge(c *fiber.Ctx, most int) error {
	s.drain(c)
	return problem.New(problem.TooLarge, "Send at most %d kB.", most>>10)
}

// drain reads on a while in a body that nobody wants, since a client that is still
// writing when the connection closes does not see the answer.
func (s *Server) drain(c *fiber.Ctx) {
	if c.Request().BodyStream() == nil {
		return
	}
	if s.Stopping() {
		c.Context().SetConnectionClose()
		return
	}
	if n, err := io.CopyN(io.Discard, s.Incoming(c), MaxUpload); err == nil && n == MaxUpload || err != nil && !errors.Is(err, io.EOF) {
		c.Context().SetConnectionClose() // there is more of it, or it broke off
	}
}

// takes says what kind of body the route with that path reads. The router has not
// matched yet, so it asks by pattern; it is asked for large bodies alone.
func (s *Server) takes(c *fiber.Ctx) (large, streams bool) {
	for _, r := range s.routes {
		if (r.Large || r.Stream) && r.Method == c.Method() && fiber.RoutePatternMatch(c.Path(), r.Path) {
			return r.Large, r.Stream
		}
	}
	return false, false
}

// forHuma gives huma, which reads bodies as streams where the server has them, the
// body that was taken in.
func forHuma(c *fiber.Ctx) error {
	if strings.HasPrefix(c.Path(), "/api/") && !c.Request().IsBodyStream() {
		body := c.Request().Body()
		c.Request().SetBodyStream(bytes.NewReader(body), len(body))
	}
	return c.Next()
}

// Incoming is the body of a Stream as it arrives, of any length: the handler
// bounds it. It may take as long as it needs, but not fall silent: see BrokeOff.
func (s *Server) Incoming(c *fiber.Ctx) io.Reader { return s.incoming(c, false) }

// Resumable is Incoming of a body that the client goes on with where it stopped:
// when the portal stops it is not waited for.
func (s *Server) Resumable(c *fiber.Ctx) io.Reader { return s.incoming(c, true) }

func (s *Server) incoming(c *fiber.Ctx, resumable bool) io.Reader {
	if stream := c.Request().BodyStream(); stream != nil {
		return &arriving{Reader: stream, conn: c.Context().Conn(), all: &s.arrivals, resumable: resumable}
	}
	return bytes.NewReader(c.Request().Body())
}

type arriving struct {
	io.Reader
	conn      net.Conn
	all       *arrivals
	resumable bool
	soon      bool // has to be there in the time that a request has, and not as long as it comes
}

func (a *arriving) Read(p []byte) (int, error) {
	if err := a.all.begin(a); err != nil {
		return 0, err
	}
	defer a.all.end(a)
	n, err := a.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", errBrokeOff, err)
	}
	return n, err
}

// arrivals are the bodies that are being read, to be cut off when the portal stops.
type arrivals struct {
	mu   sync.Mutex
	read map[*arriving]bool
	most bool // those that are resumable are cut off
	all  bool // all are
}

var errStopping = problem.New(problem.Unavailable, "The portal is about to stop. Send it again in a moment.")

var (
	errBrokeOff = errors.New("what was being sent broke off")
	errCut      = fmt.Errorf("the portal stops: %w", errBrokeOff)
)

func (l *arrivals) begin(a *arriving) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all || l.most && a.resumable {
		return errCut
	}
	if l.read == nil {
		l.read = map[*arriving]bool{}
	}
	l.read[a] = true
	if a.soon {
		return nil
	}
	return a.conn.SetReadDeadline(time.Now().Add(idle))
}

func (l *arrivals) end(a *arriving) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.read, a)
}

// cut ends the reading of those that are resumable, or of all.
func (l *arrivals) cut(all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.most, l.all = true, all
	for a := range l.read {
		if all || a.resumable {
			_ = a.conn.SetReadDeadline(time.Now()) // if it fails, there is nothing to read any more
		}
	}
}

// BrokeOff reports whether an error of who read an Incoming says that the client has
// gone, has fallen silent, or has sent less than it announced.
func BrokeOff(err error) bool {
	return errors.Is(err, errBrokeOff) || errors.Is(err, io.ErrUnexpectedEOF)
}

// SendStream answers with a body of size bytes that is read while it is sent; it
// may take as long as it needs, but not stand still. r is closed afterwards.
func SendStream(c *fiber.Ctx, r io.ReadCloser, size int64) error {
	c.Context().SetBodyStream(&leaving{r, c.Context().Conn()}, int(size))
	return nil
}

type leaving struct {
	io.ReadCloser
	conn net.Conn
}

func (l *leaving) Read(p []byte) (int, error) {
	if err := l.conn.SetWriteDeadline(time.Now().Add(2 * idle)); err != nil {
		return 0, err
	}
	return l.ReadCloser.Read(p)
}
