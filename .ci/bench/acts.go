package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"commissionportal/internal/sample"
	"commissionportal/internal/web"
)

// act is what is done and is no page: a row or more of the second table.
type act struct {
	name string
	do   func(context.Context, *stage) error
}

var acts = []act{
	{"access check", checks},
	{"start", starts},
	{"download", downloads},
	{"upload", uploads},
	{"event streams", streams}, // before the memory of sign-ins
	{"sign-in", signIns},
	{"apply and approve", applications},
	{"import", imports},
	{"page weight", weights},
	{"mixed load", mixed},
}

// stage is what acts are done on: the portal and the twin on the large world.
type stage struct {
	*servers
	o        options
	database string
	db       *sqlx.DB
	ops      []operation
	client   *http.Client
	found    []finding
}

// finding is a row of the table of acts.
type finding struct{ what, found, limit, ratio, memory string }

func (s *stage) note(f finding) {
	s.found = append(s.found, f)
	fmt.Fprintf(os.Stderr, "%-34s %s | %s | %s | %s\n", f.what, f.found, f.limit, f.ratio, f.memory)
}

// perform does the acts whose name matches, on servers of their own.
func perform(ctx context.Context, database string, o options) (found []finding, err error) {
	if o.acts == "none" {
		return nil, nil
	}
	only, err := regexp.Compile(o.acts)
	if err != nil {
		return nil, err
	}
	ops, err := learn(ctx, database, o)
	if err != nil {
		return nil, err
	}
	s := &stage{o: o, database: database, ops: ops, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if s.db, err = open(database); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	if s.servers, err = start(ctx, database, ops, o); err != nil {
		return nil, err
	}
	defer s.stop()
	for _, a := range acts {
		if !only.MatchString(a.name) {
			continue
		}
		if err := a.do(ctx, s); err != nil {
			return s.found, fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return s.found, ctx.Err()
}

// ask asks the portal, and answers what it said.
func (s *stage) ask(ctx context.Context, method, address, cookie string, body io.Reader, header ...string) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, nil, err
	}
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r, err := s.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = r.Body.Close() }()
	raw, err := io.ReadAll(r.Body)
	return r, raw, err
}

// send sends JSON and wants a status of success.
func (s *stage) send(ctx context.Context, path, cookie string, body, answer any, header ...string) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, text, err := s.ask(ctx, http.MethodPost, s.portal+"/api/v1"+path, cookie, bytes.NewReader(raw), append(header, "Content-Type", "application/json")...)
	if err != nil {
		return err
	}
	if r.StatusCode >= 300 {
		return fmt.Errorf("POST %s: %d %s", path, r.StatusCode, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// cookie is the session of the member, the chair or the secretariat.
func (s *stage) cookie(who string) string {
	for _, op := range s.ops {
		if op.Who == who {
			return op.Cookie
		}
	}
	return ""
}

func (s *stage) path(operation string) string {
	for _, op := range s.ops {
		if op.Name == operation {
			return op.Path
		}
	}
	return ""
}

// sessions signs in n persons whom where chooses.
func (s *stage) sessions(ctx context.Context, n int, where string) ([]string, error) {
	var persons []string
	if err := s.db.SelectContext(ctx, &persons, `SELECT id FROM person WHERE state = 'active' AND confirmed_at IS NOT NULL AND `+where+` ORDER BY id LIMIT $1`, n); err != nil {
		return nil, err
	}
	if len(persons) < n {
		return nil, fmt.Errorf("there are %d persons, not %d", len(persons), n)
	}
	return s.signIn(ctx, persons)
}

// signIn gives each of the persons a session.
func (s *stage) signIn(ctx context.Context, persons []string) ([]string, error) {
	cookies := make([]string, len(persons))
	name, _, _ := strings.Cut(s.cookie("member"), "=")
	for i := range cookies {
		var secret [32]byte
		_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
		cookies[i] = name + "=" + hex.EncodeToString(secret[:])
	}
	_, err := s.db.ExecContext(ctx, `INSERT INTO session (hash, person_id, created_at, seen_at, confirmed_at, expires_at)
		SELECT h, p, now(), now() + interval '1 day', now(), now() + interval '1 day' FROM unnest($1::bytea[], $2::uuid[]) x (h, p)`, byteas(hashesOf(cookies)), "{"+strings.Join(persons, ",")+"}")
	return cookies, err
}

// hashesOf are what the database knows sessions by.
func hashesOf(cookies []string) [][]byte {
	hashes := make([][]byte, len(cookies))
	for i, c := range cookies {
		_, secret, _ := strings.Cut(c, "=")
		hashes[i] = web.Hash(secret)
	}
	return hashes
}

// byteas is an array of Postgres as text.
func byteas(list [][]byte) string {
	texts := make([]string, len(list))
	for i, b := range list {
		texts[i] = `"\\x` + hex.EncodeToString(b) + `"`
	}
	return "{" + strings.Join(texts, ",") + "}"
}

// each does n things by some workers, each again as soon as it has ended, and says how
// long they took.
func each(workers, n int, do func(i int) error) (took []time.Duration, all time.Duration, err error) {
	took = make([]time.Duration, n)
	errs := make([]error, workers)
	var wait sync.WaitGroup
	began := time.Now()
	for w := range workers {
		wait.Go(func() {
			for i := w; i < n && errs[w] == nil; i += workers {
				at := time.Now()
				errs[w] = do(i)
				took[i] = time.Since(at)
			}
		})
	}
	wait.Wait()
	return took, time.Since(began), errors.Join(errs...)
}

func quantile(took []time.Duration, q float64) time.Duration {
	list := slices.Clone(took)
	slices.Sort(list)
	return list[min(len(list)-1, int(q*float64(len(list))))]
}

func paces(took []time.Duration, all time.Duration) string {
	return fmt.Sprintf("%.0f a second, p50 %s ms, p99 %s ms", float64(len(took))/all.Seconds(), ms(quantile(took, .5)), ms(quantile(took, .99)))
}

func mb(bytes int64) string { return strconv.FormatInt(bytes>>20, 10) + " MB" }

// starts is how long it takes from the start of the program until it is ready.
func starts(ctx context.Context, s *stage) error {
	var took []time.Duration
	for range 2*s.o.rounds - 1 {
		var address string
		if err := ports(ctx, &address); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, s.o.portal, "serve") //nolint:gosec // our own program
		cmd.Env = append(os.Environ(), environment(s.database, address, s.files)...)
		began := time.Now()
		if err := cmd.Start(); err != nil {
			return err
		}
		for !answers(ctx, "http://"+address+"/readyz") && time.Since(began) < time.Minute {
			time.Sleep(2 * time.Millisecond)
		}
		took = append(took, time.Since(began))
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // it was told to
	}
	s.note(finding{what: "start to ready", found: fmt.Sprintf("%s ms (at most %s)", ms(quantile(took, .5)), ms(slices.Max(took))), limit: "500 ms"})
	return nil
}

// signIns signs people in by their passwords, each from an address of their own.
func signIns(ctx context.Context, s *stage) error {
	const n = 64
	if _, err := s.db.ExecContext(ctx, `UPDATE person SET password_hash = (SELECT password_hash FROM person WHERE email = 'member@example.org')
		WHERE id IN (SELECT id FROM person WHERE state = 'active' AND confirmed_at IS NOT NULL AND email NOT LIKE '%@example.org' ORDER BY id DESC LIMIT $1)`, n); err != nil {
		return err
	}
	var emails []string
	if err := s.db.SelectContext(ctx, &emails, `SELECT email FROM person WHERE state = 'active' AND confirmed_at IS NOT NULL AND email NOT LIKE '%@example.org' ORDER BY id DESC LIMIT $1`, n); err != nil {
		return err
	}
	if err := s.forget(); err != nil {
		return err
	}
	took, all, err := each(2, n, func(i int) error {
		form := strings.NewReader("email=" + url.QueryEscape(emails[i]) + "&password=" + url.QueryEscape(sample.Password))
		r, _, err := s.ask(ctx, http.MethodPost, s.portal+"/sign-in", "", form, "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", fmt.Sprintf("10.1.0.%d", i))
		if err == nil && r.StatusCode != http.StatusSeeOther {
			err = fmt.Errorf("%s: %d", emails[i], r.StatusCode)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, most, err := s.resident()
	s.note(finding{what: "sign-in with a password, 2 at once", found: paces(took, all), memory: mb(most)})
	return err
}

// applications asks for seats and grants them, each in a transaction with its audit
// entry and its letters.
func applications(ctx context.Context, s *stage) error {
	n := 200 * s.o.rounds
	cookies, err := s.sessions(ctx, n, `NOT EXISTS (SELECT FROM seat WHERE person_id = person.id)`)
	if err != nil {
		return err
	}
	var slugs []string
	if err := s.db.SelectContext(ctx, &slugs, `SELECT slug FROM commission WHERE state = 'active' AND join_mode = 'application' ORDER BY id LIMIT 500`); err != nil {
		return err
	}
	type outcome struct{ Application struct{ ID string } }
	asked := make([]outcome, n)
	took, all, err := each(8, n, func(i int) error {
		return s.send(ctx, "/commissions/"+slugs[i%len(slugs)]+"/applications", cookies[i], map[string]string{"role": "invited_expert", "statement": "Ten years of work in this field."}, &asked[i])
	})
	if err != nil {
		return err
	}
	s.note(finding{what: "apply, 8 at once", found: paces(took, all)})
	staff := s.cookie("secretariat")
	took, all, err = each(8, n, func(i int) error {
		return s.send(ctx, "/commissions/"+slugs[i%len(slugs)]+"/applications/"+asked[i].Application.ID+"/approve", staff, map[string]string{}, nil)
	})
	if err != nil {
		return err
	}
	s.note(finding{what: "approve, 8 at once", found: paces(took, all)})
	return nil
}
