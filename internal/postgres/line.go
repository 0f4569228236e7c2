package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

var (
	// errDown is the answer to all who ask while the server is down, or were asking
	// when that was found out.
	errDown = errors.New("database: the server does not answer")
	// errLost marks what went wrong with a connection to it.
	errLost = errors.New("database: no connection")
)

// lines are the connections to a server. A server that is reached and says nothing
// (the machine hangs, a firewall drops what it sends) leaves whoever asks waiting for
// as long as the system goes on sending, and those behind them for a connection of
// the pool. So where somebody has waited for a while, a connection of its own asks
// whether the server still answers anybody. If it does not, all connections are given
// up, which ends the waiting, and until it does again whoever asks is refused at once.
type lines struct {
	url string
	// patience is how long, from the first question without an answer, until the
	// server counts as down.
	patience time.Duration

	mu     sync.Mutex
	open   map[*line]bool
	down   bool
	closed chan struct{}
	ended  sync.Once
}

func newLines(url string, patience time.Duration) *lines {
	l := &lines{url: url, patience: patience, open: map[*line]bool{}, closed: make(chan struct{})}
	if patience > 0 {
		go l.watch()
	}
	return l
}

// line is a connection, or one that is being made.
type line struct {
	net.Conn
	of      *lines
	give    context.CancelFunc // gives up making it
	since   atomic.Int64       // when the question was sent that is not answered yet, in ns; 0: there is none
	givenUp atomic.Bool
}

// DialContext implements pq.DialerContext.
func (l *lines) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &line{of: l, give: cancel}
	c.asked()
	l.mu.Lock()
	if l.down {
		l.mu.Unlock()
		return nil, errDown
	}
	l.open[c] = true
	l.mu.Unlock()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && !l.open[c] { // given up as it was made
		return nil, errors.Join(errDown, conn.Close())
	}
	if err != nil {
		if !l.open[c] {
			return nil, errDown
		}
		delete(l.open, c)
		return nil, fmt.Errorf("%w: %w", errLost, err)
	}
	c.Conn = conn
	c.since.Store(0)
	return c, nil
}

// Dial implements pq.Dialer.
func (l *lines) Dial(network, address string) (net.Conn, error) {
	return l.DialContext(context.Background(), network, address)
}

// DialTimeout implements pq.Dialer.
func (l *lines) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return l.DialContext(ctx, network, address)
}

func (c *line) asked() { c.since.CompareAndSwap(0, time.Now().UnixNano()) }

// Write implements net.Conn.
func (c *line) Write(p []byte) (int, error) {
	c.asked()
	n, err := c.Conn.Write(p)
	return n, c.because(err)
}

// Read implements net.Conn.
func (c *line) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.since.Store(0)
	}
	return n, c.because(err)
}

// because says what became of the connection, as an error of its kind that lib/pq knows:
// what it does not know it takes for one of the statement, and the pool would give the
// connection out again.
func (c *line) because(err error) error {
	switch {
	case err == nil:
		return nil
	case c.givenUp.Load():
		return &net.OpError{Op: "ask", Err: errDown}
	}
	return &net.OpError{Op: "ask", Err: fmt.Errorf("%w: %w", errLost, err)}
}

// Close implements net.Conn.
func (c *line) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// watch looks for who waits, until the pool is closed.
func (l *lines) watch() {
	t := time.NewTicker(max(l.patience/12, time.Millisecond))
	defer t.Stop()
	var tried time.Time
	for {
		select {
		case <-l.closed:
			return
		case <-t.C:
		}
		if time.Since(tried) < l.patience/4 || !l.waits() {
			continue
		}
		up := l.answers()
		tried = time.Now()
		if !up {
			l.giveUp()
		} else {
			l.mu.Lock()
			l.down = false
			l.mu.Unlock()
		}
	}
}

// waits reports whether somebody has waited too long to be sure that the server
// answers; always while it does not.
func (l *lines) waits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := time.Now().Add(-l.patience / 4).UnixNano()
	for c := range l.open {
		if since := c.since.Load(); since != 0 && since < before {
			return true
		}
	}
	return l.down
}

// answers reports whether the server does, by a connection of its own.
func (l *lines) answers() bool {
	connector, err := pq.NewConnector(l.url)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.patience*2/3)
	defer cancel()
	p := &probe{ctx: ctx}
	connector.Dialer(p)
	conn, err := connector.Connect(ctx)
	if err != nil {
		var said *pq.Error // such as that there are too many connections: whoever has one goes on
		return errors.As(err, &said) && !stops(said)
	}
	err = conn.(driver.Pinger).Ping(ctx)
	_ = conn.Close() // it has been asked all it is for
	return err == nil
}

// probe dials what ends with its context, whatever it waits for.
type probe struct{ ctx context.Context }

// Dial implements pq.Dialer.
func (p *probe) Dial(network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(p.ctx, network, address)
	if err == nil {
		context.AfterFunc(p.ctx, func() { _ = c.Close() })
	}
	return c, err
}

// DialTimeout implements pq.Dialer.
func (p *probe) DialTimeout(network, address string, _ time.Duration) (net.Conn, error) {
	return p.Dial(network, address)
}

// giveUp ends all that wait, and refuses who comes.
func (l *lines) giveUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for c := range l.open {
		c.givenUp.Store(true)
		c.give()
		if c.Conn != nil {
			_ = c.Conn.Close() // whoever waits hears of it
		}
		delete(l.open, c)
	}
}

func (l *lines) close() { l.ended.Do(func() { close(l.closed) }) }

// Lost reports whether err is that the server could not be reached, has gone, or
// is about to: asked again in a while, it may answer.
func Lost(err error) bool {
	var said *pq.Error
	if errors.As(err, &said) {
		return stops(said) || said.Code == "53300" || said.Code.Class() == "08" // too many connections; the connection
	}
	return errors.Is(err, errDown) || errors.Is(err, errLost) || errors.Is(err, driver.ErrBadConn)
}

// stops reports whether the server says that it stops, has crashed or still starts.
func stops(said *pq.Error) bool {
	return said.Code == "57P01" || said.Code == "57P02" || said.Code == "57P03"
}
