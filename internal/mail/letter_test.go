package mail_test

import (
	netmail "net/mail"
	"strings"
	"testing"

	"commissionportal/internal/mail"
)

var to = netmail.Address{Name: "Ada", Address: "ada@example.org"}

func sample() mail.Letter {
	return mail.Letter{
		Portal: "Commission Portal", Home: "https://portal.example.org", Language: "en",
		Greeting:   "Hello Ada,",
		Paragraphs: []string{"Your application was approved.", "First line\nsecond <line> & more"},
		Details:    [][2]string{{"Commission", `Energy <script>alert("x")</script>`}, {"Term", "until 2027"}},
		Action:     &mail.Action{Label: "Open the roster", URL: "https://portal.example.org/commissions/energy?tab=roster&x=1"},
		Footer:     "You get this because you applied.",
	}
}

func TestLetterSaysTheSameTwice(t *testing.T) {
	m, err := sample().Message(to, "application.approved", "Approved")
	if err != nil {
		t.Fatal(err)
	}
	want := `Hello Ada,

Your application was approved.

First line
second <line> & more

Commission: Energy <script>alert("x")</script>
Term: until 2027

Open the roster:
https://portal.example.org/commissions/energy?tab=roster&x=1

-- 
You get this because you applied.
Commission Portal
https://portal.example.org
`
	if m.Text != want {
		t.Errorf("text is\n%s", m.Text)
	}
	for _, part := range []string{
		`<html lang="en" dir="ltr">`, "Hello Ada,", "Your application was approved.", "First line<br> second &lt;line&gt; &amp; more",
		"Energy &lt;script&gt;", "until 2027", "Open the roster", "You get this because you applied.",
		`href="https://portal.example.org/commissions/energy?tab=roster&amp;x=1"`,
	} {
		if !strings.Contains(m.HTML, part) {
			t.Errorf("HTML lacks %q", part)
		}
	}
	if strings.Contains(m.HTML, "<script") {
		t.Error("HTML is not escaped")
	}
	if m.To != to || m.Subject != "Approved" || m.Kind != "application.approved" {
		t.Errorf("%+v", m)
	}
}

func TestLetterRightToLeft(t *testing.T) {
	l := sample()
	l.Language, l.Dir = "ar", "rtl"
	m, err := l.Message(to, "test.rtl", "مرحبا")
	if err != nil {
		t.Fatal(err)
	}
	// Twice: mail programs throw the html element away, the table stays.
	if strings.Count(m.HTML, `dir="rtl"`) != 2 || strings.Contains(m.HTML, "text-align:left") {
		t.Error("not right to left")
	}
}

func TestLetterRefusesAddressesThatLeadNowhere(t *testing.T) {
	for _, u := range []string{"", "/commissions/energy", "javascript:alert(1)", "portal.example.org/x", "https:///x", "ftp://portal.example.org/x"} {
		l := sample()
		l.Action.URL = u
		if _, err := l.Message(to, "test.link", "Link"); err == nil {
			t.Errorf("took %q", u)
		}
	}
	l := sample()
	l.Home = "/"
	if _, err := l.Message(to, "test.link", "Link"); err == nil {
		t.Error("took a home that is a path")
	}
}

func TestLinks(t *testing.T) {
	for base, want := range map[string]string{
		"https://portal.example.org":      "https://portal.example.org/desk",
		"https://portal.example.org/":     "https://portal.example.org/desk",
		"http://127.0.0.1:8080":           "http://127.0.0.1:8080/desk",
		"https://example.org/commissions": "https://example.org/commissions/desk",
		"portal.example.org":              "",
		"https://example.org/?x=1":        "",
		"https://user:pw@example.org":     "",
		"":                                "",
	} {
		l, err := mail.NewLinks(base)
		if want == "" {
			if err == nil {
				t.Errorf("took %q", base)
			}
			continue
		}
		if got := l.To("/desk"); err != nil || got != want {
			t.Errorf("%q leads to %q (%v)", base, got, err)
		}
	}
}

func TestSettings(t *testing.T) {
	if s, err := (mail.Settings{}).Sender(); s != nil || err != nil {
		t.Errorf("without a host: %v, %v", s, err)
	}
	good := mail.Settings{Host: "smtp.example.org", From: "Portal <portal@example.org>"}
	if s, err := good.Sender(); s == nil || err != nil {
		t.Errorf("good settings: %v", err)
	}
	for name, change := range map[string]func(*mail.Settings){
		"MAIL_FROM": func(s *mail.Settings) { s.From = "portal" },
		"SMTP_TLS":  func(s *mail.Settings) { s.TLS = "sometimes" },
		"SMTP_HOST": func(s *mail.Settings) { s.Port = 70000 },
	} {
		bad := good
		change(&bad)
		if _, err := bad.Sender(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("wrong %s: %v", name, err)
		}
	}
}
