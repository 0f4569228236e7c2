package documentweb_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// half is a request of which only a part has been sent.
type half struct {
	t    *testing.T
	conn net.Conn
	rest string
}

// half sends a request without the second half of its body.
func (l line) half(t *testing.T, method, path, body string, header ...string) half {
	t.Helper()
	u, err := url.Parse(l.w.URL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	head := fmt.Sprintf("%s /api/v1%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n", method, path, u.Host, l.token, len(body))
	for i := 0; i+1 < len(header); i += 2 {
		head += header[i] + ": " + header[i+1] + "\r\n"
	}
	if _, err := io.WriteString(conn, head+"\r\n"+body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	return half{t, conn, body[len(body)/2:]}
}

// replied is what came back.
type replied struct {
	status int
	header http.Header
	closes bool // the connection
	body   string
}

// end sends the second half and reads the answer.
func (h half) end() replied {
	h.t.Helper()
	if _, err := io.WriteString(h.conn, h.rest); err != nil {
		h.t.Fatal(err)
	}
	return h.answer()
}

func (h half) answer() replied {
	h.t.Helper()
	if err := h.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		h.t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(h.conn), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return replied{r.StatusCode, r.Header, r.Close, string(raw)}
}

// TestStop: a portal that is told to stop ends streams of events and uploads that
// can be gone on with at once, takes nobody new, and answers what it was asked.
func TestStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.document(1, "A report", "public")
	portal := w.Process()
	l := w.line(w.chair)
	open := w.Visitor().Events("/events?document=ENERGY-N0001")
	open.Want("changed")
	content := strings.Repeat("0123456789", 200_000)
	_, _, made, err := l.ask("POST", "/uploads", strings.NewReader(""), "Upload-Length", fmt.Sprint(len(content)), "Upload-Metadata", "filename YS50eHQ=", "Tus-Resumable", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	upload := strings.TrimPrefix(made.Get("Location"), "/api/v1")
	sending := l.half(t, "PATCH", upload, content, "Content-Type", "application/offset+octet-stream", "Upload-Offset", "0", "Tus-Resumable", "1.0.0")
	form := l.half(t, "POST", "/uploads?name=b.txt", content)
	small := l.half(t, "POST", "/commissions/energy/documents", `{"title": "Asked before", "type": "report"}`, "Content-Type", "application/json")
	lock, err := w.DB.DB.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(`LOCK TABLE sector`); err != nil {
		t.Fatal(err)
	}
	waiting := l.half(t, "GET", "/sectors", "")
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) { // until all of them are under way
		var n int
		if err := w.DB.DB.QueryRow(`SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database() AND NOT granted`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no request waits for the table")
		}
	}

	ended := portal.Stop()
	open.Want("") // while others wait
	if r := sending.answer(); r.status != 503 || r.header.Get("Retry-After") == "" || !strings.Contains(r.body, "about to stop") {
		t.Errorf("the upload is answered %d: %s", r.status, r.body)
	}
	if r, err := http.Get(w.URL + "/healthz"); err == nil {
		_ = r.Body.Close()
		t.Errorf("somebody new is answered %d", r.StatusCode)
	}
	select {
	case err := <-ended:
		t.Fatalf("it ended while requests were under way: %v", err)
	default:
	}
	if r := small.end(); r.status != 201 || !r.closes {
		t.Errorf("what was asked before is answered %d (closing: %v): %s", r.status, r.closes, r.body)
	}
	if r := form.end(); r.status != 201 {
		t.Errorf("a file that was being sent is answered %d: %s", r.status, r.body)
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if r := waiting.answer(); r.status != 200 {
		t.Errorf("who waited for the database is answered %d: %s", r.status, r.body)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}

	portal.Start()
	_, _, at, err := l.ask("HEAD", upload, nil, "Tus-Resumable", "1.0.0")
	if err != nil || at.Get("Upload-Offset") != fmt.Sprint(len(content)/2) {
		t.Fatalf("of the upload %s bytes are there (%v), want %d", at.Get("Upload-Offset"), err, len(content)/2)
	}
	if status, text, _, err := l.ask("PATCH", upload, strings.NewReader(content[len(content)/2:]), "Content-Type", "application/offset+octet-stream", "Upload-Offset", at.Get("Upload-Offset"), "Tus-Resumable", "1.0.0"); err != nil || status != 204 {
		t.Errorf("its second half is answered %d %s (%v)", status, text, err)
	}
}

// TestStopWhileSending: a file that nobody can go on with is waited for, but not for ever.
func TestStopWhileSending(t *testing.T) {
	t.Parallel()
	var sending half
	t.Run("portal", func(inner *testing.T) {
		w := newWorld(inner)
		w.Grace = 600 * time.Millisecond
		w.Visitor().Get("/healthz").Want(200) // it serves
		sending = w.line(w.chair).half(t, "POST", "/uploads?name=b.txt", strings.Repeat("x", 4<<20))
		if _, err := sending.conn.Write([]byte("x")); err != nil { // it is being read: more than buffers hold is gone
			t.Fatal(err)
		}
	}) // fails if the portal does not stop in time
	if r := sending.answer(); r.status != 503 {
		t.Errorf("it is answered %d: %s", r.status, r.body)
	}
}
