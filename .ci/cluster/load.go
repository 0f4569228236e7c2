package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"commissionportal/internal/sample"
	"commissionportal/internal/web"
)

// patience is how long somebody tries again: as long as a request that was cut off holds
// its key, and a while (web.staleStart).
const patience = 90 * time.Second

// person is somebody who is signed in, with a commission to write in.
type person struct{ Slug, cookie string }

// people are who reads and writes.
type people struct {
	c       *cluster
	client  *http.Client
	chairs  chan *person // of commissions, who number documents in them
	others  chan *person // without a seat, who apply for one
	reads   []read
	chair   *person
	sent    sync.Map // title of a document → digest of its file
	uploads bool     // files are sent too
}

type read struct {
	path  string
	chair bool
}

// signIn makes a session.
const signIn = `INSERT INTO session (hash, person_id, created_at, seen_at, confirmed_at, expires_at) SELECT $1, id, now(), now(), now(), now() + interval '1 day'`

// gather signs people in.
func (c *cluster) gather(ctx context.Context) (*people, error) {
	p := &people{c: c, uploads: true, client: &http.Client{Timeout: 30 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	d := c.database
	return p, d.ask(ctx, d.servers[d.primary], "portal", func(db *sqlx.DB) error {
		for _, of := range []struct {
			who   string
			to    *chan *person
			query string
		}{
			{"chairs", &p.chairs, `SELECT DISTINCT ON (s.person_id) s.person_id, c.slug FROM seat s JOIN commission c ON c.id = s.commission_id JOIN register r ON r.commission_id = c.id JOIN person p ON p.id = s.person_id
				WHERE s.role = 'chair' AND s.period @> now() AND NOT s.suspended AND c.state = 'active' AND p.state = 'active' AND p.confirmed_at IS NOT NULL ORDER BY s.person_id, c.slug LIMIT 40`},
			{"others", &p.others, `SELECT p.id AS person_id, (SELECT slug FROM commission WHERE state = 'active' AND join_mode = 'application' ORDER BY id LIMIT 1) AS slug FROM person p
				WHERE p.state = 'active' AND p.confirmed_at IS NOT NULL AND NOT EXISTS (SELECT FROM seat WHERE person_id = p.id) AND NOT EXISTS (SELECT FROM application WHERE person_id = p.id AND state = 'pending') ORDER BY p.id LIMIT 40`},
		} {
			var found []struct {
				Person string `db:"person_id"`
				Slug   string
			}
			if err := db.SelectContext(ctx, &found, of.query); err != nil {
				return fmt.Errorf("%s: %w", of.who, err)
			}
			if len(found) < 5 {
				return fmt.Errorf("there are %d %s", len(found), of.who)
			}
			*of.to = make(chan *person, len(found))
			for _, f := range found {
				secret := rand.Text()
				if _, err := db.ExecContext(ctx, signIn+` FROM person WHERE id = $2`, web.Hash(secret), f.Person); err != nil {
					return err
				}
				*of.to <- &person{Slug: f.Slug, cookie: "session=" + secret}
			}
		}
		p.chair = &person{cookie: "session=" + rand.Text()}
		if err := db.GetContext(ctx, &p.chair.Slug, `SELECT c.slug FROM seat s JOIN commission c ON c.id = s.commission_id JOIN person p ON p.id = s.person_id
			WHERE p.email = $1 AND s.role = 'chair' AND s.period @> now() ORDER BY c.slug LIMIT 1`, sample.Chair); err != nil {
			return err
		}
		if _, err := db.ExecContext(ctx, signIn+` FROM person WHERE email = $2`, web.Hash(strings.TrimPrefix(p.chair.cookie, "session=")), sample.Chair); err != nil {
			return err
		}
		home := "/commissions/" + p.chair.Slug
		for _, path := range []string{"/", "/commissions", home, "/organizations"} {
			p.reads = append(p.reads, read{path: path})
		}
		for _, path := range []string{"/", "/desk", home, home + "/documents", home + "/roster", "/organizations", "/search?q=grid", "/api/v1" + home + "/documents"} {
			p.reads = append(p.reads, read{path: path, chair: true})
		}
		return nil
	})
}

// load is what people do at a fixed rate, whether answers come or not.
type load struct {
	*people
	ctx   context.Context
	name  string
	began time.Time
	stop  chan struct{}
	wait  sync.WaitGroup

	mu      sync.Mutex
	asked   int               // requests, the repetitions among them
	again   int               // that had to be sent again, once or often
	failed  map[string]int    // answers that were none, by what they were
	late    time.Duration     // the longest that anything took until it succeeded
	lost    []string          // what did not succeed in the time that people have
	wrong   []string          // what nobody should be answered
	written []acknowledgement // what the portal said was done
	read    int
}

type acknowledgement struct {
	what, name string // a document by its title, an application by its statement
	at         time.Time
}

// load begins.
func (p *people) load(ctx context.Context, name string) *load {
	l := &load{people: p, ctx: ctx, name: name + " " + rand.Text()[:6], began: time.Now(), stop: make(chan struct{}), failed: map[string]int{}}
	l.wait.Go(func() {
		t := time.NewTicker(time.Second / time.Duration(p.c.rate))
		defer t.Stop()
		for i := 0; ; i++ {
			select {
			case <-l.stop:
				return
			case <-ctx.Done():
				return
			case <-t.C:
			}
			l.wait.Go(func() { l.one(i) })
		}
	})
	return l
}

// one is what one of them does: six of ten read.
func (l *load) one(i int) {
	began := time.Now()
	var done bool
	switch i % 10 {
	case 0, 5:
		done = l.by(l.chairs, func(p *person) bool { return l.number(p, i, "") })
	case 3:
		done = l.by(l.chairs, func(p *person) bool { return l.document(p, i) })
	case 7:
		done = l.by(l.others, func(p *person) bool { return l.apply(p, i) })
	default:
		r, cookie := l.reads[mathrand.N(len(l.reads))], "" //nolint:gosec // any will do
		if r.chair {
			cookie = l.chair.cookie
		}
		_, _, done = l.ask(http.MethodGet, r.path, cookie, nil, "")
		if done {
			l.mu.Lock()
			l.read++
			l.mu.Unlock()
		}
	}
	if done {
		l.mu.Lock()
		l.late = max(l.late, time.Since(began))
		l.mu.Unlock()
	}
}

// by has somebody do something who does nothing else meanwhile.
func (l *load) by(of chan *person, do func(*person) bool) bool {
	select {
	case p := <-of:
		defer func() { of <- p }()
		return do(p)
	case <-time.After(patience): // all of them wait
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lost = append(l.lost, "everybody waits")
		return false
	}
}

// number gives a document its number: one without a file yet, or one with it.
func (l *load) number(p *person, i int, upload string) bool {
	title := fmt.Sprintf("load %s %d", l.name, i)
	if _, _, ok := l.ask(http.MethodPost, "/api/v1/commissions/"+p.Slug+"/documents", p.cookie, map[string]string{"title": title, "type": "report", "upload": upload}, title); !ok {
		return false
	}
	l.acknowledge("document", title)
	return true
}

// document sends a file and makes a document of it.
func (l *load) document(p *person, i int) bool {
	if !l.uploads {
		return l.number(p, i, "")
	}
	file := make([]byte, 2000+mathrand.N(30_000)) //nolint:gosec // any will do
	_, _ = rand.Read(file)                        // never fails (crypto/rand)
	title := fmt.Sprintf("load %s %d", l.name, i)
	r, _, ok := l.ask(http.MethodPost, "/api/v1/uploads?name=noise.bin", p.cookie, file, title+" file")
	if !ok {
		return false
	}
	at := r.Header.Get("Location")
	l.sent.Store(title, sha256.Sum256(file))
	return l.number(p, i, at[strings.LastIndexByte(at, '/')+1:])
}

// apply asks for a seat, and withdraws.
func (l *load) apply(p *person, i int) bool {
	statement := fmt.Sprintf("load %s %d", l.name, i)
	at := "/api/v1/commissions/" + p.Slug + "/applications"
	_, body, ok := l.ask(http.MethodPost, at, p.cookie, map[string]string{"role": "invited_expert", "statement": statement}, statement)
	if !ok {
		return false
	}
	l.acknowledge("application", statement)
	var made struct{ Application struct{ ID string } }
	if json.Unmarshal(body, &made) != nil || made.Application.ID == "" { // it was done, and the answer was lost
		var id string
		d := l.c.database
		if err := d.ask(l.ctx, d.servers[d.primary], "portal", func(db *sqlx.DB) error {
			return db.GetContext(l.ctx, &id, `SELECT id FROM application WHERE statement = $1`, statement)
		}); err != nil {
			l.note(&l.wrong, fmt.Sprintf("%s is acknowledged and not there: %v", statement, err))
			return false
		}
		made.Application.ID = id
	}
	_, _, ok = l.ask(http.MethodPost, at+"/"+made.Application.ID+"/withdraw", p.cookie, map[string]string{}, statement+" withdrawn")
	if ok {
		l.acknowledge("withdrawal", statement)
	}
	return ok
}

func (l *load) acknowledge(what, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written = append(l.written, acknowledgement{what, name, time.Now()})
}

func (l *load) note(to *[]string, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*to = append(*to, text)
}

// ask asks until it is answered well. What is written has a key, with which it is sent
// again as it was.
func (l *load) ask(method, path, cookie string, body any, key string) (*http.Response, []byte, bool) {
	last, again := "", false
	for end := time.Now().Add(patience); time.Now().Before(end) && l.ctx.Err() == nil; time.Sleep(250 * time.Millisecond) {
		r, answer, err := l.send(l.ctx, method, path, cookie, body, key)
		l.mu.Lock()
		l.asked++
		l.mu.Unlock()
		switch {
		case err != nil:
			last = "no answer"
		case r.StatusCode < 300:
			return r, answer, true
		case r.StatusCode == http.StatusConflict && bytes.Contains(answer, []byte("carried out already")):
			return r, nil, true // it was done, and the answer was lost
		case r.StatusCode == http.StatusConflict && bytes.Contains(answer, []byte("right now")), r.StatusCode >= 500:
			last = fmt.Sprint(r.StatusCode)
		default:
			l.note(&l.wrong, fmt.Sprintf("%s %s: %d %.300s", method, path, r.StatusCode, answer))
			return nil, nil, false
		}
		if l.ctx.Err() == nil {
			l.mu.Lock()
			l.failed[last]++
			if !again {
				l.again, again = l.again+1, true
			}
			l.mu.Unlock()
		}
	}
	if l.ctx.Err() == nil {
		l.note(&l.lost, fmt.Sprintf("%s %s (%s)", method, path, last))
	}
	return nil, nil, false
}

// send sends a request once.
func (p *people) send(ctx context.Context, method, path, cookie string, body any, key string) (*http.Response, []byte, error) {
	raw, binary := body.([]byte)
	if body != nil && !binary {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return nil, nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, p.c.base()+path, bytes.NewReader(raw))
	if err != nil {
		return nil, nil, err
	}
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if body != nil {
		req.Header.Set("Content-Type", map[bool]string{true: "application/octet-stream", false: "application/json"}[binary])
	}
	r, err := p.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = r.Body.Close() }()
	answer, err := io.ReadAll(r.Body)
	return r, answer, err
}

// first is when the portal said that something was written, after a moment.
func (l *load) first(after time.Time) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.written {
		if w.at.After(after) {
			return w.at, true
		}
	}
	return time.Time{}, false
}

// end lets everybody end what they do, and looks whether what they were told is so.
func (l *load) end() (outcome, error) {
	close(l.stop)
	l.wait.Wait()
	o := outcome{load: l, writes: len(l.written)}
	if err := l.ctx.Err(); err != nil {
		return o, err
	}
	failed := append(slices.Clone(l.wrong), l.lost...)
	if len(failed) > 0 {
		return o, fmt.Errorf("%d times nobody got what they asked for: %s", len(failed), strings.Join(failed[:min(3, len(failed))], "; "))
	}
	if o.writes == 0 || l.read == 0 {
		return o, errors.New("nothing was read or written")
	}
	return o, l.check()
}

// check compares what was acknowledged with what is in the database.
func (l *load) check() error {
	d := l.c.database
	return d.ask(l.ctx, d.servers[d.primary], "portal", func(db *sqlx.DB) error {
		there := map[string]map[string]int{}
		for what, query := range map[string]string{
			"document":    `SELECT title AS name, count(*) AS n FROM document WHERE starts_with(title, $1) GROUP BY 1`,
			"application": `SELECT statement AS name, count(*) AS n FROM application WHERE starts_with(statement, $1) GROUP BY 1`,
			"withdrawal":  `SELECT statement AS name, count(*) AS n FROM application WHERE starts_with(statement, $1) AND state = 'withdrawn' GROUP BY 1`,
		} {
			var rows []struct {
				Name string
				N    int
			}
			if err := db.SelectContext(l.ctx, &rows, query, "load "+l.name+" "); err != nil {
				return err
			}
			there[what] = map[string]int{}
			for _, r := range rows {
				there[what][r.Name] = r.N
				if r.N > 1 {
					return fmt.Errorf("%s is there %d times", r.Name, r.N)
				}
			}
		}
		for _, w := range l.written {
			if there[w.what][w.name] == 0 {
				return fmt.Errorf("the %s %s was acknowledged at %s and is not there", w.what, w.name, w.at.Format(time.TimeOnly))
			}
		}
		var gaps int
		if err := db.GetContext(l.ctx, &gaps, `SELECT count(*) FROM (SELECT FROM document GROUP BY commission_id HAVING coalesce(max(number), 0) <> count(number)) x`); err != nil {
			return err
		}
		if gaps > 0 {
			return fmt.Errorf("the numbers of %d registers have gaps", gaps)
		}
		return nil
	})
}

// outcome is what came of a load.
type outcome struct {
	*load
	writes int
}

func (o outcome) String() string {
	said := fmt.Sprintf("%d requests, %d writes acknowledged and all there once", o.asked, o.writes)
	if o.again == 0 {
		return fmt.Sprintf("%s; none failed, the slowest took %.1f s", said, o.late.Seconds())
	}
	var by []string
	for what, times := range o.failed {
		by = append(by, fmt.Sprintf("%d × %s", times, what))
	}
	slices.Sort(by)
	return fmt.Sprintf("%s; %d had to be sent again (%s), the last was done after %.1f s", said, o.again, strings.Join(by, ", "), o.late.Seconds())
}
