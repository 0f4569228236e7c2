package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// kept is what a portal logs.
type kept struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (k *kept) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all.Write(p)
}

func (k *kept) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all.String()
}

// mark is in everything that somebody types in TestLog.
const mark = "zq7marked"

// TestLog does what people do with secrets and addresses, and asks every route for
// what somebody typed: none of it is in the log, at its most talkative, and each
// line of a request has its id.
func TestLog(t *testing.T) {
	t.Parallel()
	var log kept
	w := newWorld(t, 2, func(c *app.Config) { c.LogTo, c.LogLevel = &log, "debug" })
	secrets := []string{mark, w.sam.Email, w.sam.Name}
	letter := func(kind, to, link string) string {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if found := regexp.MustCompile(link + `[A-Za-z0-9_-]{20,}`).FindString(apptest.Value[string](w.Portal, `SELECT coalesce(max(text), '') FROM mail WHERE kind = $1 AND to_address = $2`, kind, to)); found != "" {
				secrets = append(secrets, strings.TrimPrefix(found, link))
				return found
			}
		}
		t.Fatalf("no letter %s", kind)
		return ""
	}

	email, password := "grace."+mark+"@example.org", mark+" tidal ombudsman"
	grace := w.Visitor()
	grace.Post("/sign-up", "name", "Grace "+mark, "email", email, "country", "US", "password", password).Want(303)
	confirm := letter("account.confirm", email, "/confirm/")
	grace.Get(confirm).Want(200)
	grace.Post(confirm, "password", password).Want(303)
	w.Visitor().Post("/sign-in", "email", email, "password", mark+" wrong").Want(422)
	w.Visitor().Post("/sign-in", "email", "nobody."+mark+"@example.org", "password", mark).Want(422)
	w.Visitor().Post("/reset", "email", email).Want(303)
	reset := letter("account.reset", email, "/reset/")
	w.Visitor().Get(reset).Want(200)
	w.Visitor().Post(reset, "password", mark+" other tidal ombudsman").Want(303)
	w.Visitor().Get(reset).Want(404)
	w.sam.API("POST", "/commissions/grid-storage/invitations", map[string]any{"emails": []string{"guest." + mark + "@example.org"}, "role": "invited_expert"}).Want(201)
	w.Visitor().Get(letter("invitation.sent", "guest."+mark+"@example.org", "/invitations/")).Want(200)
	w.Exec(`UPDATE sharing SET links = true`)
	link := apptest.JSON[struct{ URL string }](w.sam.API("POST", "/documents/GRID-STORAGE-N0001/links", map[string]string{"level": "download", "until": time.Now().AddDate(0, 0, 7).Format(time.DateOnly)}).Want(201)).URL
	link = link[strings.Index(link, "/s/"):]
	w.Visitor().Get(link).Want(200)
	w.Visitor().Get(link + "/versions/1/content").Want(200)
	token := apptest.JSON[struct{ Token string }](w.sam.API("POST", "/persons/me/tokens", map[string]any{"name": mark}).Want(201)).Token
	secrets = append(secrets, strings.TrimPrefix(link, "/s/"), token)
	program := w.Visitor()
	program.Token = token
	program.API("GET", "/persons/me", nil).Want(200)
	program.Token = "portal_" + mark
	program.API("GET", "/persons/me", nil).Want(401)
	w.Visitor().Send("GET", "/desk", "", "Cookie", "session="+mark).Want(303)

	// What goes wrong.
	eve := w.Person("Eve")
	eve.Get("/commissions/grid-storage/settings").Want(403)
	if line := regexp.MustCompile(`"route":"/commissions/:slug/settings","status":403,"took":\d+,"person":"` + eve.ID.String() + `"`); !line.MatchString(log.String()) {
		t.Error("the log does not say who was refused")
	}
	w.Exec(`UPDATE session SET seen_at = now() - interval '1 day' WHERE person_id = $1`, eve.ID)
	seen := w.Web.Seen
	for name, fault := range map[string]func(context.Context) error{
		"unique": func(ctx context.Context) error {
			_, err := w.DB.Exec(ctx, `INSERT INTO person (id, email, name) VALUES ($1, $2, $3)`, uuid.Must(uuid.NewV7()), email, mark)
			return fmt.Errorf("signing up: %w", err)
		},
		"unfit": func(ctx context.Context) error {
			_, err := w.DB.Exec(ctx, `SELECT $1::text::uuid`, mark)
			return err
		},
		"joined": func(ctx context.Context) error {
			_, err := w.DB.Exec(ctx, `SELECT ($1::text)::jsonb`, `{"a": "`+mark+`"`)
			return errors.Join(err, errors.New("and more"))
		},
		"address": func(context.Context) error {
			return &url.Error{Op: "Get", URL: "https://login.example/?code=" + mark, Err: errors.New("refused")}
		},
		"mail":     func(context.Context) error { return fmt.Errorf("550 5.1.1 <%s>: no such user", email) },
		"number":   func(context.Context) error { return fmt.Errorf("parsing %q", mark) },
		"panicked": func(context.Context) error { panic(fmt.Sprintf("no %q here", mark)) },
	} {
		w.Web.Seen = func(ctx context.Context, _ access.Actor, _ []byte) error { return fault(ctx) }
		if got := eve.Get("/desk").Lacks(mark); got.Status != 500 && got.Status != 422 {
			t.Errorf("%s: status %d", name, got.Status)
		}
	}
	w.Web.Seen = seen
	w.Exec(`INSERT INTO river_job (state, max_attempts, args, kind, queue, scheduled_at) VALUES ('available', 1, '{"name": "` + mark + `"}', 'every', 'default', now())`)
	for end := time.Now().Add(10 * time.Second); !strings.Contains(log.String(), "job given up"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the job that fails has not failed")
		}
	}
	host := strings.TrimPrefix(w.URL, "http://")
	for _, sent := range []string{"GET " + link + mark + " HTTP/1.1\r\nHost " + mark + "\r\n\r\n", "GET /s/" + mark + strings.Repeat("x", 20<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n", mark + "\r\n\r\n"} {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, sent); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, conn) // until it is refused
		_ = conn.Close()
	}

	// Whatever is asked for, by whoever.
	parameter, ids := regexp.MustCompile(`:[a-z]+`), map[string]bool{}
	for _, r := range w.Web.Routes() {
		if r.Live || r.Path == "/static/*" {
			continue
		}
		path, body := parameter.ReplaceAllString(r.Path, mark)+"?q="+mark+"&cursor="+mark+"&after="+mark+"&email="+email, ""
		if r.Method != "GET" {
			body = "q=" + mark + "&email=" + email + "&name=" + mark + "&password=" + mark
		}
		ids[w.sam.Send(r.Method, path, body, "Content-Type", "application/x-www-form-urlencoded", "Idempotency-Key", mark+r.Method+path, "If-Match", `"`+mark+`"`).Header.Get("X-Request-Id")] = true
	}

	text := log.String()
	for _, secret := range secrets {
		if i := strings.Index(strings.ToLower(text), strings.ToLower(secret)); i >= 0 {
			t.Errorf("%q is in the log: %s", secret, text[strings.LastIndex(text[:i], "\n")+1:i+strings.Index(text[i:], "\n")])
		}
	}
	logged, outside := map[string]bool{}, []string{"connection", "job given up", "job failed, will be tried again", "no heads of the journal are published: JOURNAL_KEY names no key"}
	for line := range strings.Lines(text) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		id, _ := l["request"].(string)
		switch {
		case l["msg"] != "request" && slices.Contains(outside, fmt.Sprint(l["msg"])):
		case len(id) != 12:
			t.Errorf("no id of a request: %s", line)
		case l["msg"] == "request" && logged[id]:
			t.Errorf("twice: %s", line)
		case l["msg"] == "request":
			logged[id] = true
			delete(l, "person") // of who is signed in
			if got, want := slices.Sorted(maps.Keys(l)), []string{"level", "method", "msg", "request", "route", "status", "time", "took"}; !slices.Equal(got, want) {
				t.Errorf("a request is logged with %v, want %v", got, want)
			}
		}
	}
	for id := range ids {
		if !logged[id] {
			t.Errorf("request %s is not in the log", id)
		}
	}
	if !strings.Contains(text, `person_email`) || !strings.Contains(text, `pq: invalid input syntax for type uuid: \"…\"`) || !strings.Contains(text, "goroutine") {
		t.Errorf("what went wrong cannot be found out from\n%s", text)
	}
}
