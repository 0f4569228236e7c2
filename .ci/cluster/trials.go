package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
)

// trial breaks a part while people read and write, and says what they noticed; an error
// if that is more than they may.
type trial struct {
	name string
	do   func(ctx context.Context, c *cluster, p *people, old string) (string, error)
}

var trials = []trial{
	{"upgrade", upgrade}, // first: the cluster begins with the older program
	{"kill a portal", killPortal},
	{"stop the replica", stopReplica},
	{"kill the primary", killPrimary},
	{"cut the listeners", cutListeners},
	{"cut the store of files", cutStore},
	{"prove", prove},
}

// tried does them all.
func (c *cluster) tried(ctx context.Context, only *regexp.Regexp, old string) error {
	p, err := c.gather(ctx)
	if err != nil {
		return err
	}
	failed := 0
	for _, t := range trials {
		if !only.MatchString(t.name) {
			continue
		}
		began := time.Now()
		said, err := t.do(ctx, c, p, old)
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		word := "ok    "
		if err != nil {
			failed++
			word, said = "FAILED", strings.TrimPrefix(said+"; "+err.Error(), "; ")
		}
		fmt.Printf("%s %s (%.0f s): %s\n", word, t.name, time.Since(began).Seconds(), said)
	}
	if failed > 0 {
		return fmt.Errorf("%d of what was broken was noticed too much", failed)
	}
	return nil
}

func pause(seconds float64) { time.Sleep(time.Duration(seconds * float64(time.Second))) }

// upgrade migrates under the portals of the program before, and replaces them one after
// the other. Nobody sees a request fail.
func upgrade(ctx context.Context, c *cluster, p *people, _ string) (string, error) {
	l := p.load(ctx, "upgrade")
	pause(3)
	began := time.Now()
	said, err := c.command(ctx, c.program, "migrate")
	took := time.Since(began)
	if err != nil {
		return "", errors.Join(err, ended(l))
	}
	pause(3)
	for i := range c.portals {
		c.portals[i].end()
		if err := errors.Join(c.portal(i, c.program), c.taken(i)); err != nil {
			return "", errors.Join(err, ended(l))
		}
		pause(2)
	}
	o, err := l.end()
	if err == nil && o.again > 0 {
		err = errors.New("no request may fail")
	}
	return fmt.Sprintf("migrated in %.1f s (%s), three portals replaced; %s", took.Seconds(), strings.ReplaceAll(said, "\n", ", "), o), err
}

// ended ends a load of which nobody asks what came of it.
func ended(l *load) error {
	_, err := l.end()
	return err
}

// killPortal takes a portal away in the middle of what it does.
func killPortal(ctx context.Context, c *cluster, p *people, _ string) (string, error) {
	l := p.load(ctx, "portal")
	pause(3)
	c.portals[1].kill()
	pause(4)
	err := errors.Join(c.portal(1, c.program), c.taken(1))
	pause(3)
	o, failed := l.end()
	return o.String(), errors.Join(err, failed)
}

// stopReplica takes the replica away, and gives it back.
func stopReplica(ctx context.Context, c *cluster, p *people, _ string) (string, error) {
	d := c.database
	if !d.synchronous(ctx) {
		return "", errors.New("there is no synchronous replica")
	}
	l := p.load(ctx, "replica")
	pause(3)
	s, gone := d.replica(), time.Now()
	s.end()
	err := until("commits that wait for nobody", 20*time.Second, func() bool { return d.last(gone) && !d.waitsNow() })
	alone := time.Since(gone)
	pause(5)
	back := time.Now()
	if err == nil {
		err = d.start(s)
	}
	if err == nil {
		err = until("a synchronous replica", 30*time.Second, func() bool { return d.synchronous(ctx) })
	}
	caught, used := time.Since(back), ""
	if err == nil && knows(c.program, "DATABASE_REPLICA_URL") {
		err = until("a replica that is read", 30*time.Second, func() bool { return d.connections(ctx, s) > 0 })
		used = fmt.Sprintf(", read again after %.1f s", time.Since(back).Seconds())
	}
	pause(2)
	o, failed := l.end()
	return fmt.Sprintf("commits waited for nobody %.1f s after it stopped; started, it was synchronous again after %.1f s%s; %s", alone.Seconds(), caught.Seconds(), used, o), errors.Join(err, failed)
}

// last reports whether what commits wait for has changed since a moment.
func (d *database) last(since time.Time) bool {
	d.managing.Lock()
	defer d.managing.Unlock()
	return len(d.waits) > 0 && d.waits[len(d.waits)-1].at.After(since)
}

func (d *database) waitsNow() bool {
	d.managing.Lock()
	defer d.managing.Unlock()
	return d.waits[len(d.waits)-1].sync
}

// connections are how many a portal has to a server.
func (d *database) connections(ctx context.Context, s *server) (n int) {
	_ = d.ask(ctx, s, "portal", func(db *sqlx.DB) error {
		return db.GetContext(ctx, &n, `SELECT count(*) FROM pg_stat_activity WHERE usename = 'portal'`)
	})
	return n
}

// killPrimary takes the primary away as a power cut does, and makes the replica one.
func killPrimary(ctx context.Context, c *cluster, p *people, _ string) (string, error) {
	d := c.database
	if !d.synchronous(ctx) {
		return "", errors.New("there is no synchronous replica")
	}
	l := p.load(ctx, "primary")
	pause(3)
	d.managing.Lock()
	was, gone := d.servers[d.primary], time.Now()
	was.kill()
	err := d.promote(ctx)
	promoted := time.Now()
	d.managing.Unlock()
	if err != nil {
		return "", errors.Join(err, ended(l))
	}
	var first time.Time
	err = until("a write", time.Minute, func() bool {
		at, ok := l.first(promoted)
		first = at
		return ok
	})
	pause(4)
	if err == nil {
		err = d.follow(ctx, was, d.servers[d.primary])
	}
	if err == nil {
		err = until("a synchronous replica", 30*time.Second, func() bool { return d.synchronous(ctx) })
	}
	pause(2)
	o, failed := l.end()
	return fmt.Sprintf("the replica was primary and PgBouncer pointed at it after %.1f s, a write was acknowledged after %.1f s; the other came back as the replica; %s",
		promoted.Sub(gone).Seconds(), first.Sub(gone).Seconds(), o), errors.Join(err, failed)
}

// paper is a document that those of the load may read.
func (c *cluster) paper(ctx context.Context) (name string, err error) {
	d := c.database
	err = d.ask(ctx, d.servers[d.primary], "portal", func(db *sqlx.DB) error {
		return db.GetContext(ctx, &name, `SELECT r.prefix || '-N' || lpad(d.number::text, 4, '0') FROM document d JOIN register r USING (commission_id)
			WHERE d.visibility IN ('public', 'portal') AND d.status = 'available' AND d.versions > 0 AND d.number IS NOT NULL ORDER BY d.id LIMIT 1`)
	})
	return name, err
}

// cutListeners ends the connections by which the portals hear what happens: who follows
// a document hears of what happens after.
func cutListeners(ctx context.Context, c *cluster, p *people, _ string) (string, error) {
	name, err := c.paper(ctx)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	const streams = 6 // two for each portal
	heard := make(chan time.Time, 1000)
	for range streams {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base()+"/events?document="+name, nil)
		if err != nil {
			return "", err
		}
		req.Header.Set("Cookie", p.chair.cookie)
		r, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return "", err
		}
		if r.StatusCode != http.StatusOK {
			return "", fmt.Errorf("the stream of %s: %d", name, r.StatusCode)
		}
		go func() {
			defer func() { _ = r.Body.Close() }()
			for lines := bufio.NewScanner(r.Body); lines.Scan(); {
				if strings.HasPrefix(lines.Text(), "event: changed") {
					heard <- time.Now()
				}
			}
		}()
	}
	all := func(since time.Time) (time.Duration, error) { // until all have heard
		late := time.After(10 * time.Second)
		for n := range streams {
			select {
			case <-heard:
			case <-late:
				return 0, fmt.Errorf("%d of %d streams heard of it", n, streams)
			}
		}
		return time.Since(since), nil
	}
	if _, err := all(time.Now()); err != nil { // each begins with one
		return "", err
	}
	pause(2)
	d := c.database
	cut, ended := time.Now(), 0
	if err := d.ask(ctx, d.servers[d.primary], "portal", func(db *sqlx.DB) error {
		return db.GetContext(ctx, &ended, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query ~* '^\s*listen' AND usename = 'portal'`)
	}); err != nil {
		return "", err
	}
	if ended == 0 {
		return "", errors.New("nobody listens")
	}
	again, err := all(cut)
	if err != nil {
		return "", fmt.Errorf("told that something may have been missed: %w", err)
	}
	pause(3)
	for len(heard) > 0 {
		<-heard
	}
	other := <-p.chairs
	defer func() { p.chairs <- other }()
	happened := time.Now()
	if r, _, err := p.send(ctx, http.MethodGet, "/documents/"+name+"/versions/1/content", other.cookie, nil, ""); err != nil || r.StatusCode != http.StatusOK {
		return "", fmt.Errorf("downloading %s: %v %w", name, r, err)
	}
	told, err := all(happened)
	return fmt.Sprintf("%d connections cut; %d streams were told after %.1f s that something may have been missed, and of the next download after %.1f s", ended, streams, again.Seconds(), told.Seconds()), err
}

// cutStore takes the store of files away, by ending it and by having it say nothing.
func cutStore(ctx context.Context, c *cluster, p *people, _ string) (string, error) {
	name, err := c.paper(ctx)
	if err != nil {
		return "", err
	}
	who := <-p.chairs
	defer func() { p.chairs <- who }()
	p.uploads = false
	defer func() { p.uploads = true }()
	// Both are told so in a sentence, and soon.
	refused := func(how string) (string, error) {
		var slowest time.Duration
		for what, ask := range map[string]func() (*http.Response, []byte, error){
			"upload": func() (*http.Response, []byte, error) {
				return p.send(ctx, http.MethodPost, "/api/v1/uploads?name=noise.bin", who.cookie, bytes.Repeat([]byte("noise "), 1000), "")
			},
			"download": func() (*http.Response, []byte, error) {
				return p.send(ctx, http.MethodGet, "/documents/"+name+"/versions/1/content", who.cookie, nil, "")
			},
		} {
			began := time.Now()
			r, body, err := ask()
			if err != nil {
				return "", fmt.Errorf("%s, %s: %w", how, what, err)
			}
			if r.StatusCode != http.StatusServiceUnavailable || !bytes.Contains(body, []byte("cannot reach its files")) {
				return "", fmt.Errorf("%s, %s: %d %.200s", how, what, r.StatusCode, body)
			}
			slowest = max(slowest, time.Since(began))
		}
		return fmt.Sprintf("%s: 503, “The portal cannot reach its files”, after at most %.1f s", how, slowest.Seconds()), nil
	}
	l := p.load(ctx, "store")
	pause(2)
	_ = c.store.cmd.Process.Signal(syscall.SIGSTOP)
	silent, err := refused("silent")
	_ = c.store.cmd.Process.Signal(syscall.SIGCONT)
	pause(1)
	c.store.kill()
	gone, err2 := refused("gone")
	pause(2)
	err3 := c.s3()
	back := time.Now()
	err4 := until("an upload", 20*time.Second, func() bool {
		r, _, err := p.send(ctx, http.MethodPost, "/api/v1/uploads?name=noise.bin", who.cookie, []byte("it is back"), "")
		return err == nil && r.StatusCode == http.StatusCreated
	})
	took := time.Since(back)
	o, failed := l.end()
	if failed == nil && o.again > 0 {
		failed = errors.New("pages may not fail")
	}
	return fmt.Sprintf("%s; %s; taken again after %.1f s; pages meanwhile: %s", silent, gone, took.Seconds(), o), errors.Join(err, err2, err3, err4, failed)
}

// prove looks at all that was kept: every chain of the journal, and every file.
func prove(ctx context.Context, c *cluster, _ *people, _ string) (string, error) {
	journal, err := c.command(ctx, c.program, "journal", "verify")
	if err != nil {
		return "", err
	}
	files, err := c.command(ctx, c.program, "documents", "verify", "--quiet")
	return strings.Join(strings.Fields(journal+" "+files), " "), err
}
