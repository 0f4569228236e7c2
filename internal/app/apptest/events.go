package apptest

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Events is a stream of server-sent events that is read as it comes.
type Events struct {
	Status int
	t      testing.TB
	names  chan string // of events; ":" for a comment; closed when the stream has ended
}

// Events opens a stream; it stays open until the server ends it, or the test does.
func (c *Client) Events(path string) *Events {
	c.p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.p.URL+path, nil)
	if err != nil {
		c.p.t.Fatal(err)
	}
	res, err := (&http.Client{Jar: c.http.Jar, Transport: &http.Transport{}}).Do(r) //nolint:bodyclose // by who reads it, below
	if err != nil {
		c.p.t.Fatal(err)
	}
	e := &Events{Status: res.StatusCode, t: c.p.t, names: make(chan string, 1000)}
	c.p.t.Cleanup(cancel)
	go func() {
		defer close(e.names)
		defer func() { _ = res.Body.Close() }()
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			if name, ok := strings.CutPrefix(s.Text(), "event: "); ok {
				e.names <- name
			} else if strings.HasPrefix(s.Text(), ":") {
				e.names <- ":"
			}
		}
	}()
	return e
}

// Want waits for the next event, which has that name; "" waits for the end of the
// stream, and ":" for a beat.
func (e *Events) Want(name string) {
	e.t.Helper()
	late := time.After(15 * time.Second)
	for {
		select {
		case got := <-e.names:
			if got == ":" && name != ":" {
				continue
			}
			if got != name {
				e.t.Fatalf("event %q, want %q", got, name)
			}
			return
		case <-late:
			e.t.Fatalf("no event %q came", name)
		}
	}
}

// WantOn waits until something is told, and fails if that is the end. What was told
// before counts for nothing.
func (e *Events) WantOn() {
	e.t.Helper()
	late := time.After(15 * time.Second)
	for {
		select {
		case got := <-e.names:
			if got == "end" || got == "" {
				e.t.Fatal("the stream has ended")
			}
			if got == "changed" && len(e.names) == 0 {
				return
			}
		case <-late:
			e.t.Fatal("the stream is silent")
		}
	}
}

// WantEnd waits until the portal ends the stream because its reader may no longer hear it,
// whatever it tells before.
func (e *Events) WantEnd() {
	e.t.Helper()
	late, said := time.After(15*time.Second), false
	for {
		select {
		case got, open := <-e.names:
			if said = said || got == "end"; !open {
				if !said {
					e.t.Fatal("the stream broke off and did not end")
				}
				return
			}
		case <-late:
			e.t.Fatal("the stream goes on")
		}
	}
}
