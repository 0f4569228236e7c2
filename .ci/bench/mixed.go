package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
	"commissionportal/internal/web"
	"commissionportal/policies"
)

// imports brings 100,000 organizations into an empty portal.
func imports(ctx context.Context, s *stage) (err error) {
	const name, rows = "bench_import", 100_000
	if _, err := s.db.ExecContext(ctx, `DROP DATABASE IF EXISTS `+name); err != nil {
		return err
	}
	if _, err := s.db.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
		return err
	}
	defer func() {
		_, dropped := s.db.ExecContext(context.WithoutCancel(ctx), `DROP DATABASE `+name)
		err = errors.Join(err, dropped)
	}()
	at, query, _ := strings.Cut(s.database, "?")
	database := at[:strings.LastIndexByte(at, '/')+1] + name + "?" + query
	file := filepath.Join(s.files, "organizations.csv")
	var text bytes.Buffer
	text.WriteString("org_id,name,level,country,website,joined\n")
	forms, countries := []string{"AG", "Ltd", "SA", "Inc."}, []string{"DE", "FR", "JP", "BR", "KE"}
	for i := range rows {
		fmt.Fprintf(&text, "o%d,Works %d of %d %s,Silver,%s,https://works%d.example.com/,2020-01-01\n", i, i, i%977, forms[i%4], countries[i%5], i)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{{"migrate"}, {"import", "organizations", file}} {
		cmd := exec.CommandContext(ctx, s.o.portal, args...) //nolint:gosec // our own program
		cmd.Env = append(os.Environ(), "DATABASE_URL="+database, "FILES=file://"+s.files+"/files", "TEST_DATABASE_URL=")
		began := time.Now()
		most, err := watch(cmd)
		if err != nil {
			return err
		}
		if args[0] == "import" {
			took := time.Since(began)
			s.note(finding{what: "import of 100,000 organizations", found: fmt.Sprintf("%.1f s, %.0f rows a second", took.Seconds(), rows/took.Seconds()), memory: mb(most)})
		}
	}
	return nil
}

// checks are what a decision costs, in this program.
func checks(ctx context.Context, s *stage) error {
	policy, err := access.Load(policies.Files)
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, postgres.Config{URL: s.database, Max: 4})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for _, q := range []struct{ what, who, commission string }{
		{"access check, a member with 300 seats", "member", `SELECT commission_id FROM seat JOIN person p ON p.id = person_id WHERE p.email = $1 AND period @> now() ORDER BY commission_id LIMIT 1`},
		{"access check, in a commission with rules of its own", "member", `SELECT commission_id FROM seat JOIN person p ON p.id = person_id WHERE p.email = $1 AND period @> now()
			AND EXISTS (SELECT FROM access_rule r WHERE r.commission_id = seat.commission_id) ORDER BY commission_id LIMIT 1`},
		{"access check, a chair", "chair", `SELECT commission_id FROM seat JOIN person p ON p.id = person_id WHERE p.email = $1 AND period @> now() ORDER BY commission_id LIMIT 1`},
	} {
		var commission uuid.UUID
		if err := s.db.GetContext(ctx, &commission, q.commission, q.who+"@example.org"); err != nil {
			return fmt.Errorf("%s: %w", q.what, err)
		}
		_, secret, _ := strings.Cut(s.cookie(q.who), "=")
		hash, scope := web.Hash(secret), access.Commission(commission)
		who, err := policy.BySession(ctx, db, hash, time.Now())
		if err != nil {
			return err
		}
		decided := clock(200_000, func() error {
			policy.May(who, scope, "document", "read:commission")
			return nil
		})
		if decided.err != nil {
			return decided.err
		}
		asked := clock(3_000, func() error {
			who, err := policy.BySession(ctx, db, hash, time.Now())
			if err == nil {
				policy.May(who, scope, "document", "read:commission")
			}
			return err
		})
		if asked.err != nil {
			return asked.err
		}
		s.note(finding{what: q.what, found: fmt.Sprintf("%.2f µs decided before, %.0f µs with its statement", micros(decided.each), micros(asked.each)), limit: "2 µs, 150 µs"})
	}
	return nil
}

type clocked struct {
	each time.Duration // the median of seven turns
	err  error
}

func clock(n int, do func() error) (c clocked) {
	var turns []time.Duration
	for range 7 {
		began := time.Now()
		for range n / 7 {
			if c.err = do(); c.err != nil {
				return c
			}
		}
		turns = append(turns, time.Since(began)/time.Duration(n/7))
	}
	c.each = quantile(turns, .5)
	return c
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// mixedRate is how many requests a second come, one of five of them a write; at first half as
// many for a while that does not count: a portal that has just started plans each statement on
// each connection, and reads from the disk what others have in memory.
const (
	mixedRate   = 500
	warmSeconds = 60
)

// reader is a member who reads of a commission.
type reader struct {
	Person     string `db:"person"`
	Commission string `db:"commission"`
	Document   string `db:"document"`
	Word       string `db:"word"`
	cookie     string
}

// readers are the holders of a thousand seats by lot: so a large commission and who has
// many seats read and are read of as often as there are seats.
func (s *stage) readers(ctx context.Context) ([]reader, error) {
	var all []reader
	if err := s.db.SelectContext(ctx, &all, `
		SELECT DISTINCT ON (person) person, commission, document, word FROM (
		  SELECT s.person_id AS person, c.slug AS commission, r.prefix || '-N' || lpad(d.number::text, 4, '0') AS document, row_number() OVER () AS n
		  FROM (SELECT * FROM seat WHERE period @> now() AND NOT suspended ORDER BY md5(id::text) LIMIT 2000) s
		  JOIN commission c ON c.id = s.commission_id AND c.state = 'active' JOIN register r ON r.commission_id = c.id
		  JOIN person p ON p.id = s.person_id AND p.state = 'active' AND p.confirmed_at IS NOT NULL
		  JOIN LATERAL (SELECT number FROM document WHERE commission_id = c.id AND visibility = 'commission' AND status = 'available' ORDER BY id DESC LIMIT 1) d ON true) x
		JOIN (SELECT word, row_number() OVER (ORDER BY md5(word)) AS n FROM document_word WHERE documents BETWEEN 20 AND 60 AND word ~ '^[a-z]{6,}$') w USING (n)
		LIMIT 1000`); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("nobody reads: the world is too small")
	}
	persons := make([]string, len(all))
	for i, r := range all {
		persons[i] = r.Person
	}
	cookies, err := s.signIn(ctx, persons)
	for i := range cookies {
		all[i].cookie = cookies[i]
	}
	return all, err
}

// asks is op for the reader.
func (r reader) asks(op operation) operation {
	op.Path = strings.NewReplacer("{large}", r.Commission, "{some}", r.Commission, "{document}", r.Document, "{rare}", r.Word).Replace(op.Template)
	if op.Who != "" {
		op.Cookie = r.cookie
	}
	return op
}

// mixed sends pages, lists, searches and applications at a fixed rate, whether answers
// come or not.
func mixed(ctx context.Context, s *stage) error {
	seconds := 60 * s.o.minutes
	if seconds == 0 {
		return nil
	}
	const persons = 20_000
	writers, err := s.sessions(ctx, persons, `NOT EXISTS (SELECT FROM seat WHERE person_id = person.id)`)
	if err != nil {
		return err
	}
	// None has asked before, in an earlier run.
	const statement = "Ten years of work, measured by the bench."
	if _, err := s.db.ExecContext(ctx, `DELETE FROM application WHERE statement = $1`, statement); err != nil {
		return err
	}
	readers, err := s.readers(ctx)
	if err != nil {
		return err
	}
	var slugs []string
	if err := s.db.SelectContext(ctx, &slugs, `SELECT slug FROM commission WHERE state = 'active' AND join_mode = 'application' ORDER BY id DESC LIMIT 2000`); err != nil {
		return err
	}
	var reads []operation
	for _, op := range s.ops {
		if op.Mixed {
			reads = append(reads, op)
		}
	}
	sent := 0 // each asks a commission once
	next := func() target {
		i := sent
		sent++
		if i%5 == 4 {
			return target{http.MethodPost, s.portal + "/api/v1/commissions/" + slugs[(i/5+i/5/persons)%len(slugs)] + "/applications",
				[]byte(`{"role": "invited_expert", "statement": "` + statement + `"}`), map[string][]string{"Content-Type": {"application/json"}, "Cookie": {writers[i/5%persons]}}}
		}
		op := readers[rand.N(len(readers))].asks(reads[rand.N(len(reads))]) //nolint:gosec // any will do
		t := target{Method: http.MethodGet, URL: s.portal + op.Path, Header: map[string][]string{}}
		for name, value := range op.header() {
			t.Header[name] = []string{value}
		}
		return t
	}
	file := filepath.Join(s.files, "mixed.bin")
	if err := s.forget(); err != nil {
		return err
	}
	if err := s.attack(ctx, mixedRate/2, warmSeconds, file, next); err != nil {
		return err
	}
	type sample struct {
		memory     int64
		goroutines float64
	}
	var samples []sample
	done := make(chan error, 1)
	go func() { done <- s.attack(ctx, mixedRate, seconds, file, next) }()
	for ended := false; !ended; {
		select {
		case err := <-done:
			if err != nil {
				return err
			}
			ended = true
		case <-time.After(10 * time.Second):
			g, err := s.gauges(ctx)
			if err != nil {
				return err
			}
			now, _, err := s.resident()
			if err != nil {
				return err
			}
			samples = append(samples, sample{now, g["go_goroutines"]})
		}
	}
	m, err := s.reported(ctx, file)
	if err != nil {
		return err
	}
	memory := ""
	if n := len(samples); n >= 4 {
		memory = fmt.Sprintf("%s after a quarter, %s at the end; goroutines %.0f, %.0f", mb(samples[n/4].memory), mb(samples[n-1].memory), samples[n/4].goroutines, samples[n-1].goroutines)
	}
	s.note(finding{what: fmt.Sprintf("%d a second for %d minutes, a fifth of them applications", mixedRate, s.o.minutes), found: m + fmt.Sprintf(", after a warm %d s at half the rate", warmSeconds), limit: "no error, p99 100 ms", memory: memory})
	return nil
}

// target is what vegeta is told to send.
type target struct {
	Method string              `json:"method"`
	URL    string              `json:"url"`
	Body   []byte              `json:"body,omitempty"`
	Header map[string][]string `json:"header"`
}

// attack sends rate requests a second, whether answers come or not, and has in file what
// became of them.
func (s *stage) attack(ctx context.Context, rate, seconds int, file string, next func() target) error {
	attack := exec.CommandContext(ctx, s.o.vegeta, "attack", "-lazy", "-format=json", "-rate", strconv.Itoa(rate), "-duration", strconv.Itoa(seconds)+"s", "-max-workers", "1000", "-redirects=-1", unkept) //nolint:gosec // our own program
	targets, err := attack.StdinPipe()
	if err != nil {
		return err
	}
	results, err := os.Create(file) //nolint:gosec // our own
	if err != nil {
		return err
	}
	defer func() { _ = results.Close() }()
	attack.Stdout, attack.Stderr = results, os.Stderr
	if err := attack.Start(); err != nil {
		return err
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		defer func() { _ = targets.Close() }()
		to := json.NewEncoder(targets)
		for range rate * seconds {
			if to.Encode(next()) != nil {
				return // it has ended, and says why itself
			}
		}
	}()
	err = attack.Wait()
	<-written
	return err
}

// reported is what vegeta says of its results.
func (s *stage) reported(ctx context.Context, file string) (string, error) {
	out, err := exec.CommandContext(ctx, s.o.vegeta, "report", "-type=json", file).Output() //nolint:gosec // our own program
	if err != nil {
		return "", err
	}
	var r struct {
		Latencies   map[string]time.Duration
		Requests    int
		StatusCodes map[string]int `json:"status_codes"`
		Errors      []string
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return "", err
	}
	wrong := r.Requests - r.StatusCodes["200"] - r.StatusCodes["201"]
	said := fmt.Sprintf("%d requests, %d errors, p50 %s ms, p99 %s ms", r.Requests, wrong, ms(r.Latencies["50th"]), ms(r.Latencies["99th"]))
	if wrong > 0 {
		said += fmt.Sprintf(" (%v; %s)", r.StatusCodes, strings.Join(r.Errors[:min(2, len(r.Errors))], "; "))
	}
	return said, nil
}
