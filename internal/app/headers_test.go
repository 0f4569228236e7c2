package app_test

import (
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/web"
)

// TestHeadersOfEverything asks every route, as a visitor and as somebody who sees all,
// and holds what comes back to what keeps a browser from being turned against its owner.
func TestHeadersOfEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, func(c *app.Config) { c.BaseURL = "https://portal.example" })
	strict := regexp.MustCompile(`default-src '(self|none)'|sandbox`)
	check := func(who, what string, r apptest.Reply) {
		t.Helper()
		h := r.Header
		csp := h.Get("Content-Security-Policy")
		for name, good := range map[string]bool{
			"Content-Security-Policy":     strict.MatchString(csp) && strings.Contains(csp, "frame-ancestors '") && !strings.Contains(csp, "unsafe-eval") && !regexp.MustCompile(`script-src[^;]*unsafe`).MatchString(csp),
			"X-Content-Type-Options":      h.Get("X-Content-Type-Options") == "nosniff",
			"Referrer-Policy":             h.Get("Referrer-Policy") == "strict-origin-when-cross-origin" || h.Get("Referrer-Policy") == "no-referrer" || h.Get("Referrer-Policy") == "same-origin",
			"Strict-Transport-Security":   h.Get("Strict-Transport-Security") == "max-age=31536000; includeSubDomains",
			"Cross-Origin-Opener-Policy":  h.Get("Cross-Origin-Opener-Policy") == "same-origin",
			"Access-Control-Allow-Origin": h.Get("Access-Control-Allow-Origin") == "",
			"Server":                      h.Get("Server") == "" && h.Get("X-Powered-By") == "",
		} {
			if !good {
				t.Errorf("%s, %s: %s is %q", what, who, name, h.Get(name))
			}
		}
		if kind := h.Get("Content-Type"); r.Body != "" && (kind == "" || strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "charset=utf-8") && kind != "text/event-stream" && !strings.HasSuffix(what, "/content")) { // a text that somebody sent is of the charset it is of
			t.Errorf("%s, %s: Content-Type is %q", what, who, kind)
		}
		if cache := h.Get("Cache-Control"); who == "secretariat" && r.Status == 200 && r.Body != "" && !strings.Contains(what, "/static/") &&
			!strings.Contains(cache, "no-store") && !strings.Contains(cache, "private") && strings.Contains(r.Body, w.sam.Name) {
			t.Errorf("%s, %s: names its reader with Cache-Control %q", what, who, cache)
		}
		for _, c := range (&http.Response{Header: h}).Cookies() {
			if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || !strings.HasPrefix(c.Name, "__Host-") {
				t.Errorf("%s, %s: cookie %s", what, who, c)
			}
		}
	}
	for _, r := range w.Web.Routes() {
		if r.Live {
			continue
		}
		path := w.path(t, r) + asked[r.Path]
		check("visitor", r.Method+" "+path, w.Visitor().Send(r.Method, path, ""))
		if r.Method == "GET" {
			check("secretariat", r.Method+" "+path, w.sam.Get(path))
		}
	}
	in := w.Visitor()
	in.Post("/sign-up", "name", "Grace Hopper", "email", "grace@example.org", "country", "US", "password", "plover tidal ombudsman").Want(303)
	link := ""
	for end := time.Now().Add(10 * time.Second); link == "" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		link = regexp.MustCompile(`/confirm/[A-Za-z0-9_-]{43}`).FindString(apptest.Value[string](w.Portal, `SELECT coalesce(max(text), '') FROM mail WHERE to_address = 'grace@example.org'`))
	}
	session := in.Post(link, "password", "plover tidal ombudsman").Want(303)
	check("who signs in", "POST /confirm", session)
	if !strings.Contains(strings.Join(session.Header.Values("Set-Cookie"), "\n"), "__Host-session=") {
		t.Errorf("no session in %v", session.Header.Values("Set-Cookie"))
	}
	out := w.Person("Otto").Post("/sign-out").Want(303)
	check("who signs out", "POST /sign-out", out)
	if out.Header.Get("Clear-Site-Data") != `"cache", "storage"` {
		t.Errorf("signing out leaves %q", out.Header.Get("Clear-Site-Data"))
	}
	for _, method := range []string{"TRACE", "TRACK"} {
		if got := w.Visitor().Send(method, "/", "").Status; got < 400 {
			t.Errorf("%s is answered %d", method, got)
		}
	}
}

// TestMessagesHaveOneEnd sends what two servers in a row could read as one request or
// as two: each is refused, or read as one and the connection is closed.
func TestMessagesHaveOneEnd(t *testing.T) {
	t.Parallel()
	p := apptest.New(t, func(c *app.Config) { c.LogTo = io.Discard })
	host := strings.TrimPrefix(p.URL, "http://")
	const hidden = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, sent := range map[string]string{
		"a length and chunks":       "POST /sign-out HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"two lengths":               "POST /sign-out HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 36\r\n\r\n" + hidden,
		"a length that is none":     "POST /sign-out HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n" + hidden,
		"chunks by another name":    "POST /sign-out HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n" + hidden,
		"chunks of no size":         "POST /sign-out HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + hidden,
		"a space before the colon":  "POST /sign-out HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n" + hidden,
		"headers that never end":    "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", web.MaxHeaders) + "\r\n\r\n" + hidden,
		"a line end in a chunk end": "POST /sign-out HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" + hidden,
	} {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, sent); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		answer, _ := io.ReadAll(conn) // until it is closed, or says nothing more
		_ = conn.Close()
		if n := strings.Count(string(answer), "HTTP/1.1 "); n != 1 || strings.Contains(string(answer), "\r\n\r\nok\n") {
			t.Errorf("%s: %d answers:\n%s", name, n, answer)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	page := p.Visitor().Get("/commissions", "Accept-Encoding", "br").Want(200)
	for name, want := range map[string]string{
		"Content-Encoding": "br", "X-Content-Type-Options": "nosniff", "Cache-Control": "public, no-cache",
	} {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if own := p.Person("Ada Lovelace").Get("/commissions").Header.Get("Cache-Control"); own != "private, no-store" {
		t.Errorf("a signed-in page may be cached: %q", own)
	}
}
