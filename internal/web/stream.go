package web

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
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
		return tooLarge(c, most)
	}
	body, err := io.ReadAll(io.LimitReader(stream, int64(most)+1))
	switch {
	case err != nil:
		c.Context().SetConnectionClose()
		return problem.New(problem.Invalid, "What was sent broke off, or is not HTTP.")
	case len(body) > most:
		return tooLarge(c, most)
	}
	c.Request().SetBodyRaw(body)
	return nil
}

func tooLarge(c *fiber.Ctx, most int) error {
	drain(c)
	return problem.New(problem.TooLarge, "Send at most %d kB.", most>>10)
}

// drain reads on a while in a body that nobody wants, since a client that is still
// writing when the connection closes does not see the answer.
func drain(c *fiber.Ctx) {
	if c.Request().BodyStream() == nil {
		return
	}
	if n, err := io.CopyN(io.Discard, Incoming(c), MaxUpload); err == nil && n == MaxUpload || err != nil && !errors.Is(err, io.EOF) {
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
// bounds it. It may take as long as it needs, but not fall silent; what breaks off
// is io.ErrUnexpectedEOF or an error of the connection.
func Incoming(c *fiber.Ctx) io.Reader {
	if stream := c.Request().BodyStream(); stream != nil {
		return &arriving{stream, c.Context().Conn()}
	}
	return bytes.NewReader(c.Request().Body())
}

type arriving struct {
	io.Reader
	conn net.Conn
}

func (a *arriving) Read(p []byte) (int, error) {
	if err := a.conn.SetReadDeadline(time.Now().Add(idle)); err != nil {
		return 0, err
	}
	return a.Reader.Read(p)
}

// BrokeOff reports whether an error of Incoming says that the client has gone or
// fallen silent.
func BrokeOff(err error) bool {
	var n net.Error
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &n)
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
