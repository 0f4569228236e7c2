package mail_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"commissionportal/internal/jobs"
	"commissionportal/internal/mail"
	"commissionportal/internal/problem"
)

// office is an outbox with its queue running.
type office struct {
	db *sql.DB
	*mail.Outbox
}

func open(t *testing.T, db *sql.DB, sender mail.Sender) office {
	t.Helper()
	q, err := jobs.New(db, jobs.Options{Poll: 20 * time.Millisecond, Backoff: func(int) time.Duration { return 20 * time.Millisecond }})
	if err != nil {
		t.Fatal(err)
	}
	o := mail.New(db, q, sender)
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return office{db, o}
}

// write enqueues letters and ends the transaction.
func (o office) write(t *testing.T, commit bool, messages ...mail.Message) {
	t.Helper()
	tx, err := o.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Enqueue(t.Context(), tx, messages...); err != nil {
		t.Fatal(err)
	}
	end := tx.Rollback
	if commit {
		end = tx.Commit
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}

func (o office) recent(t *testing.T) []mail.Mail {
	t.Helper()
	mails, err := mail.Recent(t.Context(), o.db, uuid.Nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	return mails
}

// settled waits until no letter is queued and returns the newest.
func (o office) settled(t *testing.T) mail.Mail {
	t.Helper()
	var last []mail.Mail
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		last = o.recent(t)
		queued := 0
		for _, m := range last {
			if m.State == mail.Queued {
				queued++
			}
		}
		if queued == 0 && len(last) > 0 {
			return last[0]
		}
	}
	t.Fatalf("letters stay queued: %+v", last)
	return mail.Mail{}
}

func hello(to string) mail.Message {
	return mail.Message{To: netmail.Address{Address: to}, Subject: "Hello", Text: "Hello.\n", HTML: "<p>Hello.</p>", Kind: "test.hello"}
}

func TestDelivered(t *testing.T) {
	t.Parallel()
	for _, encryption := range []string{"off", "starttls", "tls"} {
		t.Run(encryption, func(t *testing.T) {
			t.Parallel()
			s := newSink(t, encryption)
			if encryption != "off" {
				s.password = "correct horse"
				s.settings.Username, s.settings.Password = "portal", "correct horse"
			}
			o := open(t, database(t), s.sender(t))
			person := uuid.New()
			long := strings.Repeat("a long line that has to be folded on its way, ", 30)
			o.write(t, true, mail.Message{
				To:      netmail.Address{Name: "Åsa Lindqvist, 李明", Address: "asa@example.org"},
				Subject: "Ihre Bewerbung für „Energie“ wurde angenommen — ενέργεια",
				Text:    "Grüße,\n.\n-- \n" + long, HTML: "<p>Grüße, <b>李明</b></p>" + long,
				Kind: "application.approved", Person: person, About: "/commissions/energy",
				Unsubscribe: "https://portal.example.org/unsubscribe/0123/digest",
			})
			m := o.settled(t)
			if m.State != mail.Sent || m.SentAt.IsZero() || m.Attempts != 1 || m.LastError != "" || m.Person != person {
				t.Errorf("row: %+v", m)
			}
			got := s.letters()
			if len(got) != 1 {
				t.Fatalf("%d letters arrived", len(got))
			}
			l := got[0]
			for what, pair := range map[string][2]string{
				"envelope from":  {l.from, "portal@example.org"},
				"envelope to":    {l.to, "asa@example.org"},
				"name":           {l.toName, "Åsa Lindqvist, 李明"},
				"subject":        {l.subject, "Ihre Bewerbung für „Energie“ wurde angenommen — ενέργεια"},
				"text":           {l.text, "Grüße,\n.\n-- \n" + long},
				"html":           {l.html, "<p>Grüße, <b>李明</b></p>" + long},
				"From":           {l.header.Get("From"), `"Commission Portal" <portal@example.org>`},
				"Message-ID":     {l.header.Get("Message-ID"), "<" + m.ID.String() + "@example.org>"},
				"Auto-Submitted": {l.header.Get("Auto-Submitted"), "auto-generated"},
				"List-Id":        {l.header.Get("List-Id"), "<application.approved.example.org>"},
				"Unsubscribe":    {l.header.Get("List-Unsubscribe"), "<https://portal.example.org/unsubscribe/0123/digest>"},
				"One click":      {l.header.Get("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click"}, // RFC 8058
				"User-Agent":     {l.header.Get("User-Agent") + l.header.Get("X-Mailer"), ""},
				"MIME":           {strings.Split(l.header.Get("Content-Type"), ";")[0], "multipart/alternative"},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
				}
			}
			if d, err := l.header.Date(); err != nil || time.Since(d) > time.Minute {
				t.Errorf("Date is %v (%v)", d, err)
			}
			if r := l.header.Get("References"); !strings.HasSuffix(r, "@example.org>") || r != l.header.Get("In-Reply-To") {
				t.Errorf("References is %q", r)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	no := func(code int) error { return &smtp.SMTPError{Code: code, Message: "not this\x01 one"} }
	for _, tt := range []struct {
		name     string
		rcpt     func(try int) error
		data     func(try int) error
		state    mail.State
		attempts int
		arrived  int
	}{
		{"4xx is tried again", func(n int) error {
			if n < 3 {
				return no(451)
			}
			return nil
		}, nil, mail.Sent, 3, 1},
		{"4xx after the content", nil, func(n int) error {
			if n < 2 {
				return no(452)
			}
			return nil
		}, mail.Sent, 2, 1},
		{"5xx to the recipient ends it", func(int) error { return no(550) }, nil, mail.Failed, 1, 0},
		{"5xx to the content ends it", nil, func(int) error { return no(554) }, mail.Failed, 1, 0},
		{"4xx for ever is given up", func(int) error { return no(450) }, nil, mail.Failed, 16, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t, "off")
			var tries atomic.Int64
			if tt.rcpt != nil {
				s.rcpt = func(string) error { return tt.rcpt(int(tries.Add(1))) }
			}
			if tt.data != nil {
				s.data = func() error { return tt.data(int(tries.Add(1))) }
			}
			o := open(t, database(t), s.sender(t))
			o.write(t, true, hello("a@example.org"))
			m := o.settled(t)
			time.Sleep(200 * time.Millisecond) // ten times the backoff: nothing more comes
			if m.State != tt.state || m.Attempts != tt.attempts || int(tries.Load()) != tt.attempts {
				t.Errorf("state %s after %d attempts (server: %d), want %s after %d: %s", m.State, m.Attempts, tries.Load(), tt.state, tt.attempts, m.LastError)
			}
			if n := len(s.letters()); n != tt.arrived {
				t.Errorf("%d letters arrived, want %d", n, tt.arrived)
			}
			if failed := tt.state == mail.Failed; failed != strings.Contains(m.LastError, "not this") {
				t.Errorf("last error is %q", m.LastError)
			}
		})
	}
}

// Wrong settings are mended by the one who runs the portal; letters wait for it.
func TestWrongSettingsAreNotTheLettersFault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		set  func(*sink)
	}{
		{"wrong password", func(s *sink) { s.settings.Username, s.settings.Password = "portal", "wrong" }},
		{"no password", func(*sink) {}},
		{"certificate not trusted", func(s *sink) { s.pool = nil }},
		{"nobody there", func(s *sink) { s.settings.Port = 1 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t, "starttls")
			s.password = "right"
			tt.set(s)
			err := s.sender(t).Send(t.Context(), mail.Mail{ID: uuid.New(), Message: hello("a@example.org"), CreatedAt: time.Now()})
			if err == nil || errors.Is(err, mail.ErrRefused) {
				t.Errorf("Send: %v", err)
			}
		})
	}
	t.Run("server without STARTTLS", func(t *testing.T) {
		t.Parallel()
		s := newSink(t, "off")
		s.settings.TLS = "starttls"
		err := s.sender(t).Send(t.Context(), mail.Mail{ID: uuid.New(), Message: hello("a@example.org"), CreatedAt: time.Now()})
		if err == nil || errors.Is(err, mail.ErrRefused) || len(s.letters()) > 0 {
			t.Errorf("sent in the clear: %v", err)
		}
	})
}

func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newSink(t, "off")
	release := make(chan struct{})
	s.data = func() error { <-release; return nil }
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := s.sender(t).Send(ctx, mail.Mail{ID: uuid.New(), Message: hello("a@example.org"), CreatedAt: start})
	if err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("Send returned %v after %s", err, time.Since(start))
	}
}

func TestRollbackSendsNothing(t *testing.T) {
	t.Parallel()
	s := newSink(t, "off")
	o := open(t, database(t), s.sender(t))
	o.write(t, false, hello("never@example.org"))
	o.write(t, true, hello("after@example.org"))
	o.settled(t)
	if got := s.letters(); len(got) != 1 || got[0].to != "after@example.org" || len(o.recent(t)) != 1 {
		t.Errorf("arrived: %+v", got)
	}
}

func TestManyOnceEachAmongProcesses(t *testing.T) {
	t.Parallel()
	s := newSink(t, "off")
	db := database(t)
	o := open(t, db, s.sender(t))
	open(t, db, s.sender(t))
	const n = 600 // more than one statement writes
	messages := make([]mail.Message, n)
	for i := range messages {
		messages[i] = hello(fmt.Sprintf("p%d@example.org", i))
	}
	o.write(t, true, messages...)
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var sent int
		if err := db.QueryRow(`SELECT count(*) FROM mail WHERE state = 'sent' AND attempts = 1`).Scan(&sent); err != nil {
			t.Fatal(err)
		}
		if sent == n {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d sent", sent, n)
		}
	}
	count := map[string]int{}
	for _, l := range s.letters() {
		count[l.to]++
	}
	for i := range n {
		if to := messages[i].To.Address; count[to] != 1 {
			t.Errorf("%s got %d letters", to, count[to])
		}
	}
}

// slow is a sender that waits in the middle.
type slow struct {
	sent    atomic.Int64
	begun   chan struct{}
	release chan struct{}
}

func (s *slow) Send(ctx context.Context, _ mail.Mail) error {
	s.sent.Add(1)
	s.begun <- struct{}{}
	select {
	case <-s.release:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// The same letter given to two workers at once, which only happens if a job is
// rescued from a process that was slow and not dead.
func TestClaimKeepsTheSecondWorkerOut(t *testing.T) {
	t.Parallel()
	db := database(t)
	s := &slow{begun: make(chan struct{}, 2), release: make(chan struct{})}
	o := open(t, db, s)
	o.write(t, true, hello("a@example.org"))
	<-s.begun
	id := o.recent(t)[0].ID
	second, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := o.Deliver(second, id); err == nil || second.Err() != nil {
		t.Errorf("the second worker is not put off: %v", err)
	}
	close(s.release)
	o.settled(t)
	if err := o.Deliver(t.Context(), id); err != nil { // late, after it was sent
		t.Error(err)
	}
	if s.sent.Load() != 1 {
		t.Errorf("sent %d times", s.sent.Load())
	}
}

// A process that dies between the server's yes and its own note leaves the letter
// claimed. It is sent again when the claim has run out, under the same Message-ID.
func TestDeathBetweenSendingAndNoting(t *testing.T) {
	t.Parallel()
	s := newSink(t, "off")
	db := database(t)
	q, err := jobs.New(db, jobs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := office{db, mail.New(db, q, s.sender(t))} // nobody works: this test does
	o.write(t, true, hello("a@example.org"))
	m := o.recent(t)[0]
	if m, err = mail.ByID(t.Context(), db, m.ID); err != nil {
		t.Fatal(err)
	}
	if err := mail.Claim(t.Context(), db, m.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.sender(t).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	// Here it died. While the claim holds, nobody else sends.
	if err := o.Deliver(t.Context(), m.ID); err == nil || len(s.letters()) != 1 {
		t.Fatalf("sent although claimed: %v", err)
	}
	if _, err := db.Exec(`UPDATE mail SET claimed_until = now() - interval '1 second'`); err != nil {
		t.Fatal(err)
	}
	if err := o.Deliver(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	got := s.letters()
	if len(got) != 2 || got[0].header.Get("Message-ID") != got[1].header.Get("Message-ID") || got[0].header.Get("Date") != got[1].header.Get("Date") {
		t.Errorf("the second copy is not the first again: %+v", got)
	}
	if o.settled(t).State != mail.Sent {
		t.Error("not noted as sent")
	}
}

func TestRefusedBeforeItIsWritten(t *testing.T) {
	t.Parallel()
	o := open(t, database(t), nil)
	for name, change := range map[string]func(*mail.Message){
		"line break in subject":    func(m *mail.Message) { m.Subject = "Hi\r\nBcc: all@example.org" },
		"newline in subject":       func(m *mail.Message) { m.Subject = "Hi\nBcc: all@example.org" },
		"carriage return in name":  func(m *mail.Message) { m.To.Name = "A\rBcc: all@example.org" },
		"line break in address":    func(m *mail.Message) { m.To.Address = "a@example.org\r\nRCPT TO:<b@example.org>" },
		"two addresses":            func(m *mail.Message) { m.To.Address = "a@example.org>, <b@example.org" },
		"name in the address":      func(m *mail.Message) { m.To.Address = "A <a@example.org>" },
		"no address":               func(m *mail.Message) { m.To.Address = "" },
		"line break in kind":       func(m *mail.Message) { m.Kind = "a\nb" },
		"line break in about":      func(m *mail.Message) { m.About = "/a\n" },
		"NUL in text":              func(m *mail.Message) { m.Text = "a\x00b" },
		"broken UTF-8 in the name": func(m *mail.Message) { m.To.Name = "\xff" },
		"no subject":               func(m *mail.Message) { m.Subject = "" },
		"no text":                  func(m *mail.Message) { m.Text = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := hello("a@example.org")
			change(&bad)
			tx, err := o.db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := o.Enqueue(t.Context(), tx, hello("good@example.org"), bad); err == nil {
				t.Error("taken")
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if n := len(o.recent(t)); n != 0 {
				t.Errorf("%d letters written", n)
			}
		})
	}
}

func TestKeptWithoutServer(t *testing.T) {
	t.Parallel()
	o := open(t, database(t), nil)
	var all []mail.Message
	for i := range 5 {
		m := hello(fmt.Sprintf("p%d@example.org", i))
		m.Secret = true
		all = append(all, m)
	}
	o.write(t, true, all[:2]...)
	o.write(t, true, all[2:]...)
	first, err := mail.Recent(t.Context(), o.db, uuid.Nil, 3)
	if err != nil || len(first) != 3 {
		t.Fatal(len(first), err)
	}
	rest, err := mail.Recent(t.Context(), o.db, first[2].ID, 3)
	if err != nil || len(rest) != 2 {
		t.Fatal(len(rest), err)
	}
	seen := map[string]bool{}
	for _, m := range append(first, rest...) {
		seen[m.To.Address] = true
		if m.State != mail.Kept || m.Text != "" {
			t.Errorf("%+v", m)
		}
	}
	if len(seen) != 5 || !first[0].CreatedAt.After(rest[1].CreatedAt) {
		t.Errorf("pages miss letters or are not newest first: %v", seen)
	}
	m, err := mail.ByID(t.Context(), o.db, first[0].ID)
	if err != nil || m.Text != "Hello.\n" || m.HTML != "<p>Hello.</p>" {
		t.Errorf("%+v %v", m, err)
	}
	if _, err := mail.ByID(t.Context(), o.db, uuid.New()); !problem.Of(err, problem.NotFound) {
		t.Errorf("an unknown letter is %v", err)
	}
}

// recorder takes everything.
type recorder struct {
	mu   sync.Mutex
	sent []mail.Mail
}

func (r *recorder) Send(_ context.Context, m mail.Mail) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, m)
	return nil
}

func TestSecretBodiesAreErasedOnceSent(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	o := open(t, database(t), r)
	secret, plain := hello("secret@example.org"), hello("plain@example.org")
	secret.Secret = true
	o.write(t, true, secret, plain)
	o.settled(t)
	for _, m := range o.recent(t) {
		m, err := mail.ByID(t.Context(), o.db, m.ID)
		if err != nil {
			t.Fatal(err)
		}
		if erased := m.Text == "" && m.HTML == ""; erased != (m.To.Address == "secret@example.org") {
			t.Errorf("%s: text %q, html %q", m.To.Address, m.Text, m.HTML)
		}
	}
	if len(r.sent) != 2 || r.sent[0].Text != "Hello.\n" || r.sent[1].Text != "Hello.\n" {
		t.Errorf("sent: %+v", r.sent)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	db := database(t)
	o := open(t, db, nil)
	o.write(t, true, hello("new@example.org"))
	if _, err := db.Exec(`
		INSERT INTO mail (id, kind, to_address, subject, text, html, secret, state, created_at) VALUES
		  (uuid_v7(now() - interval '91 days'), 'test.old', 'old@example.org', 'Old', 'x', '', false, 'kept', now() - interval '91 days'),
		  (uuid_v7(now() - interval '89 days'), 'test.young', 'young@example.org', 'Young', 'x', '', false, 'kept', now() - interval '89 days'),
		  (uuid_v7(now() - interval '5 days'), 'test.lost', 'lost@example.org', 'Lost', 'x', '', false, 'queued', now() - interval '5 days'),
		  (uuid_v7(now() - interval '3 days'), 'test.late', 'late@example.org', 'Late', 'x', '', false, 'queued', now() - interval '3 days')`); err != nil {
		t.Fatal(err)
	}
	if err := o.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range o.recent(t) {
		got = append(got, m.Subject+" "+string(m.State))
	}
	if s := strings.Join(got, ", "); s != "Hello kept, Late queued, Lost failed, Young kept" {
		t.Errorf("left: %s", s)
	}
}

// A server that takes the letter and hangs up without goodbye has it: sending
// again would make two.
func TestHangingUpAfterYesIsDelivered(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "220 rude.example.org\r\n")
		lines, content := bufio.NewScanner(conn), false
		for lines.Scan() {
			switch line := lines.Text(); {
			case content && line == ".":
				fmt.Fprint(conn, "250 taken\r\n")
				return
			case content:
			case line == "DATA":
				content = true
				fmt.Fprint(conn, "354 go on\r\n")
			default:
				fmt.Fprint(conn, "250 ok\r\n")
			}
		}
	}()
	sender, err := mail.Settings{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: "off", From: "portal@example.org"}.Sender()
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), mail.Mail{ID: uuid.New(), Message: hello("a@example.org"), CreatedAt: time.Now()}); err != nil {
		t.Errorf("taken, but Send says %v", err)
	}
}
