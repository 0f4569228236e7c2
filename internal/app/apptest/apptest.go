// Package apptest runs the whole portal for tests: a database of its own on a
// real Postgres, a real listener on a free port, real HTTP.
package apptest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/app"
	"commissionportal/internal/extract"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/postgres/private"
	"commissionportal/internal/web"
	"commissionportal/migrations"
)

// A test binary is the program that the portal starts again to read a file, or
// with APPTEST_PORTAL set the portal itself is, and then also of a Process.
func init() {
	extract.Child()
	if program := os.Getenv("APPTEST_PORTAL"); program != "" {
		extract.Reader = program
	}
}

// Portal is a running portal with a database of its own.
type Portal struct {
	*app.App
	t   testing.TB
	URL string

	mu  sync.Mutex
	now time.Time // zero: the real time
}

// New starts a portal on a clone of the migrated template (about 25 ms); it ends
// with the test. with changes its settings.
// With TEST_IN_TURN set there are two of it, which answer in turn.
func New(t testing.TB, with ...func(*app.Config)) *Portal {
	t.Helper()
	p := start(t, Database(t), nil, with...)
	if os.Getenv("TEST_IN_TURN") != "" {
		p.InTurn()
	}
	return p
}

// Another is a second server of the portal: it has the same files and the same database,
// and the same settings but for those that with changes.
func (p *Portal) Another(with ...func(*app.Config)) *Portal {
	p.t.Helper()
	same := func(c *app.Config) {
		port := c.Port
		*c = p.Config
		c.Port, c.BaseURL = port, p.Web.Base.String()
	}
	return start(p.t, p.DatabaseURL, p.clock, append([]func(*app.Config){same}, with...)...)
}

// InTurn has another server of the portal answer every second request of p's clients,
// whoever they are and whatever was asked before.
func (p *Portal) InTurn() {
	p.t.Helper()
	other := p.Another()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	servers, asked := []string{strings.TrimPrefix(p.URL, "http://"), strings.TrimPrefix(other.URL, "http://")}, atomic.Uint64{}
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: &httputil.ReverseProxy{Transport: plain, FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", servers[asked.Add(1)%2]
	}}}
	go func() { _ = s.Serve(l) }() // until it is closed
	p.t.Cleanup(func() { _ = s.Close() })
	p.URL = "http://" + l.Addr().String()
}

func start(t testing.TB, database string, clock func() time.Time, with ...func(*app.Config)) *Portal {
	t.Helper()
	p := &Portal{t: t}
	if clock == nil {
		clock = p.clock
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port, _ := l.Addr().(*net.TCPAddr)
	c := app.Config{DatabaseURL: database, Host: "127.0.0.1", Port: port.Port, Prepare: true, Connections: 4, Patience: 10 * time.Second, Streams: 100, Development: true, LogLevel: cmp.Or(os.Getenv("TEST_LOG"), "warn"), LogTo: testWriter{t},
		Files: "file://" + t.TempDir() + "/files", MaxFile: 64 << 20, PasswordMemory: app.LeastPasswordMemory}
	for _, change := range with {
		change(&c)
	}
	p.App, err = app.New(c, app.Logger(c.LogLevel, c.LogTo), clock)
	if err != nil {
		t.Fatal(err)
	}
	p.URL = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("portal: %v", err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("portal: %v", err)
		}
	})
	return p
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	_, err := os.Stderr.WriteString(w.t.Name() + ": " + string(b))
	return len(b), err
}

// At sets the portal's clock for what follows.
func (p *Portal) At(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = now
}

// Now is the portal's time.
func (p *Portal) Now() time.Time { return p.clock() }

func (p *Portal) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.IsZero() {
		return time.Now().UTC().Truncate(time.Microsecond)
	}
	return p.now
}

var template struct {
	sync.Mutex
	name string
}

// Database is the address of a new database with the portal's schema, dropped
// when the test ends.
func Database(t testing.TB) string {
	t.Helper()
	ctx := context.Background()
	server, err := private.Shared(ctx)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("postgres", server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	name := "test_" + hex.EncodeToString(random())
	from, err := prepare(ctx, db, server)
	if err == nil {
		_, err = db.ExecContext(ctx, "CREATE DATABASE "+pq.QuoteIdentifier(name)+" TEMPLATE "+pq.QuoteIdentifier(from)+" STRATEGY file_copy")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db, err := sql.Open("postgres", server)
		if err == nil {
			drop := "DROP DATABASE " + pq.QuoteIdentifier(name) + " WITH (FORCE)"
			// Postgres asks whose connection it is that it has to end a moment after it
			// found it; one that was just ending by itself is nobody's.
			for range 20 {
				_, err = db.ExecContext(context.Background(), drop)
				if e := (*pq.Error)(nil); !errors.As(err, &e) || e.Code != "42501" {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			_ = db.Close()
		}
		if err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
	})
	return at(server, name)
}

// prepare makes the migrated template once for all packages of a run: its name
// carries a digest of the migrations, and an advisory lock keeps others out
// meanwhile.
func prepare(ctx context.Context, db *sql.DB, server string) (string, error) {
	template.Lock()
	defer template.Unlock()
	if template.name != "" {
		return template.name, nil
	}
	digest, err := digestOf(migrations.Files)
	if err != nil {
		return "", err
	}
	name := "template_" + digest
	c, err := db.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(ctx, "SELECT pg_advisory_lock(4711)"); err != nil {
		return "", err
	}
	defer func() { _, _ = c.ExecContext(ctx, "SELECT pg_advisory_unlock(4711)") }()
	var there bool
	if err := c.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil {
		return "", err
	}
	if !there {
		making := name + "_" + hex.EncodeToString(random())
		if _, err := c.ExecContext(ctx, "CREATE DATABASE "+pq.QuoteIdentifier(making)); err != nil {
			return "", err
		}
		if _, err := app.Migrate(ctx, at(server, making)); err != nil {
			return "", err
		}
		if _, err := c.ExecContext(ctx, "ALTER DATABASE "+pq.QuoteIdentifier(making)+" RENAME TO "+pq.QuoteIdentifier(name)); err != nil {
			return "", err
		}
	}
	template.name = name
	return name, nil
}

func at(server, database string) string {
	u, err := url.Parse(server)
	if err != nil {
		panic(err)
	}
	u.Path = "/" + database
	return u.String()
}

func random() []byte {
	b := make([]byte, 8)
	_, _ = rand.Read(b)
	return b
}

// Exec runs SQL as it stands, for what a test has to arrange. The portal's own jobs run
// beside it: what loses against them is tried again, as every change of the portal is.
func (p *Portal) Exec(query string, args ...any) {
	p.t.Helper()
	_, err := p.DB.DB.ExecContext(context.Background(), query, args...)
	for try := 2; postgres.Again(err) && try <= 4; try++ {
		p.t.Logf("%s: %v; try %d", query, err, try)
		_, err = p.DB.DB.ExecContext(context.Background(), query, args...)
	}
	if err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
}

// Value reads one value.
func Value[T any](p *Portal, query string, args ...any) T {
	p.t.Helper()
	var v T
	if err := p.DB.DB.GetContext(context.Background(), &v, query, args...); err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
	return v
}

// Person makes a confirmed person with a session, and returns a browser that is
// signed in as them. name is also the local part of the address. roles are
// portal roles.
func (p *Portal) Person(name string, roles ...string) *Client {
	p.t.Helper()
	id := uuid.Must(uuid.NewV7())
	email := strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@example.org"
	p.Exec(`INSERT INTO person (id, email, name, confirmed_at) VALUES ($1, $2, $3, now())`, id, email, name)
	for _, r := range roles {
		p.Exec(`INSERT INTO portal_role (person_id, role) VALUES ($1, $2)`, id, r)
	}
	secret := hex.EncodeToString(random()) + hex.EncodeToString(random())
	// Seen far ahead: whatever the test's clock says, no page has to note that it was seen, or asks to sign in again.
	p.Exec(`INSERT INTO session (hash, person_id, created_at, seen_at, confirmed_at, expires_at) VALUES ($1, $2, $3::timestamptz, $3::timestamptz + interval '100 years', $3::timestamptz + interval '100 years', $3::timestamptz + interval '100 years')`, web.Hash(secret), id, p.clock().Add(-50*365*24*time.Hour))
	c := p.Visitor()
	c.ID, c.Name, c.Email, c.session = id, name, email, secret
	u, _ := url.Parse(p.URL)
	c.http.Jar.SetCookies(u, []*http.Cookie{{Name: p.Web.CookieName("session"), Value: secret, Path: "/"}})
	return c
}

// Secretariat is a person of the secretariat.
func (p *Portal) Secretariat() *Client { return p.Person("Sam Secretariat", "secretariat") }

// plain asks for answers as they are. Who wants them compressed says so.
var plain = func() *http.Transport {
	t, _ := http.DefaultTransport.(*http.Transport)
	t = t.Clone()
	t.DisableCompression = true
	return t
}()

// Visitor is a browser that nobody has signed in with.
func (p *Portal) Visitor() *Client {
	jar, _ := cookiejar.New(nil)
	return &Client{p: p, http: &http.Client{Jar: jar, Transport: plain, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Client is one person's (or nobody's) way in: pages with Get and Post, the API
// with API.
type Client struct {
	p           *Portal
	http        *http.Client
	ID          uuid.UUID
	Name, Email string
	Token       string // sent as bearer by API, if set
	session     string
}

// Reply is an answer, read whole.
type Reply struct {
	Status int
	Header http.Header
	Body   string
	t      testing.TB
	what   string
}

// On is the same person with the same session on another server of the same portal.
func (c *Client) On(p *Portal) *Client {
	there := *c
	there.p = p
	return &there
}

// Get asks for a page.
func (c *Client) Get(path string, header ...string) Reply {
	return c.do("GET", path, nil, header...)
}

// Post sends a form of name, value pairs.
func (c *Client) Post(path string, pairs ...string) Reply {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return c.do("POST", path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

// Send asks in any way, with a body as it stands.
func (c *Client) Send(method, path, body string, header ...string) Reply {
	c.p.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	return c.do(method, path, r, append(header, "Sec-Fetch-Site", "same-origin")...)
}

// SendChunked is Send of a body whose length is not said before.
func (c *Client) SendChunked(method, path, body string, header ...string) Reply {
	c.p.t.Helper()
	return c.do(method, path, io.MultiReader(strings.NewReader(body)), append(header, "Sec-Fetch-Site", "same-origin")...)
}

// API calls an operation below /api/v1; body, if not nil, is sent as JSON.
// header are name, value pairs.
func (c *Client) API(method, path string, body any, header ...string) Reply {
	c.p.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			c.p.t.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	if r != nil {
		header = append(header, "Content-Type", "application/json")
	}
	if c.Token != "" {
		header = append(header, "Authorization", "Bearer "+c.Token)
	}
	return c.do(method, "/api/v1"+path, r, header...)
}

func (c *Client) do(method, path string, body io.Reader, header ...string) Reply {
	c.p.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, c.p.URL+path, body)
	if err != nil {
		c.p.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return c.reply(r, c.http.Do)
}

// reply sends a request by a way and reads the answer.
func (c *Client) reply(r *http.Request, by func(*http.Request) (*http.Response, error)) Reply {
	c.p.t.Helper()
	res, err := by(r)
	if err != nil {
		c.p.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.p.t.Fatal(err)
	}
	return Reply{Status: res.StatusCode, Header: res.Header, Body: string(raw), t: c.p.t, what: r.Method + " " + r.URL.RequestURI()}
}

// Want fails the test unless the status is that and the body has all texts.
func (r Reply) Want(status int, texts ...string) Reply {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("%s: status %d, want %d\n%s", r.what, r.Status, status, short(r.Body))
	}
	for _, text := range texts {
		if !strings.Contains(r.Body, text) {
			r.t.Fatalf("%s: no %q in\n%s", r.what, text, short(r.Body))
		}
	}
	return r
}

// Lacks fails the test if the body has one of the texts.
func (r Reply) Lacks(texts ...string) Reply {
	r.t.Helper()
	for _, text := range texts {
		if strings.Contains(r.Body, text) {
			r.t.Fatalf("%s: %q is in\n%s", r.what, text, short(r.Body))
		}
	}
	return r
}

// Location is where a redirect leads.
func (r Reply) Location() string { return r.Header.Get("Location") }

// JSON decodes the body.
func JSON[T any](r Reply) T {
	r.t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.Body), &v); err != nil {
		r.t.Fatalf("%s: %v\n%s", r.what, err, short(r.Body))
	}
	return v
}

func short(s string) string {
	if len(s) > 6000 {
		return s[:6000] + "…"
	}
	return s
}

// Queries counts the statements of one request to the portal's handler.
func (p *Portal) Queries(fn func()) int {
	p.t.Helper()
	c := postgres.Counter{Of: journal.InRequest} // jobs run when they like
	p.DB.CountInto(&c)
	defer p.DB.CountInto(nil)
	fn()
	return c.N()
}
