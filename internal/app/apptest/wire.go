package apptest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Wire leads to the database server, and can be cut, or go silent.
type Wire struct {
	t       testing.TB
	address string

	mu       sync.Mutex
	pass     sync.Cond // silent has changed
	silent   bool
	network  string // of the server
	server   string
	listener net.Listener
	open     map[net.Conn]bool
}

// NewWire lays one; it ends with the test.
func NewWire(t testing.TB) *Wire {
	t.Helper()
	w := &Wire{t: t, address: "127.0.0.1:0", open: map[net.Conn]bool{}}
	w.pass.L = &w.mu
	w.listen()
	t.Cleanup(func() { w.Speak(); w.Cut() })
	return w
}

// To is the address by which the wire leads to the database at address.
func (w *Wire) To(address string) string {
	w.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		w.t.Fatal(err)
	}
	q := u.Query()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.network, w.server = "tcp", u.Host
	if dir := q.Get("host"); dir != "" {
		w.network, w.server = "unix", dir+"/.s.PGSQL."+q.Get("port")
	}
	q.Del("host")
	q.Del("port")
	u.Host, u.RawQuery = w.address, q.Encode()
	return u.String()
}

// Silence has what is sent from now on get no answer; who comes is taken and not
// answered either.
func (w *Wire) Silence() { w.silence(true) }

// Speak ends the silence.
func (w *Wire) Speak() { w.silence(false) }

func (w *Wire) silence(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent = on
	w.pass.Broadcast()
}

// Cut ends all connections, and who comes is refused.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.listener.Close()
	for c := range w.open {
		_ = c.Close()
	}
	clear(w.open)
}

// Shut refuses who comes, and keeps the connections that are open.
func (w *Wire) Shut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.listener.Close()
}

// Mend takes connections again at the same address.
func (w *Wire) Mend() {
	w.t.Helper()
	w.listen()
}

func (w *Wire) listen() {
	w.t.Helper()
	l, err := net.Listen("tcp", w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.listener, w.address = l, l.Addr().String()
	w.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			w.open[c] = true
			w.mu.Unlock()
			go w.connect(c)
		}
	}()
}

func (w *Wire) connect(c net.Conn) {
	defer func() { _ = c.Close() }()
	w.wait()
	w.mu.Lock()
	network, address := w.network, w.server
	w.mu.Unlock()
	server, err := net.Dial(network, address)
	if err != nil {
		return
	}
	w.mu.Lock()
	w.open[server] = true
	w.mu.Unlock()
	go w.carry(server, c)
	w.carry(c, server)
}

func (w *Wire) wait() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.silent {
		w.pass.Wait()
	}
}

// carry takes what comes from one end to the other.
func (w *Wire) carry(to, from net.Conn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		w.wait()
		if n > 0 {
			if _, e := to.Write(b[:n]); e != nil {
				err = io.EOF
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}
