package mail_test

import (
	"context"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"commissionportal/internal/mail"
	views "commissionportal/views/mail"
	"commissionportal/views/part"
)

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func letter() mail.Mail {
	return mail.Mail{ID: uuid.MustParse("01a20aef-db2c-7034-8ccc-64773d307775"), State: mail.Kept, CreatedAt: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
		Message: mail.Message{To: netmail.Address{Name: "Ada <b>", Address: "ada@example.org"}, Subject: "Confirm & go", Kind: "person.confirm",
			Text: "Hello,\nfollow https://portal.example.org/confirm?a=1&b=2. Not javascript:alert(1).", HTML: "<p onclick=x>letter</p>"}}
}

func TestPages(t *testing.T) {
	m := letter()
	list := render(t, views.ListPage(views.List{Mails: []mail.Mail{m}, Paging: part.Paging{Next: "/dev/mail?before=x"}}))
	show := render(t, views.ShowPage(m))
	for _, tt := range []struct{ page, what, want string }{
		{"list", list, `<a href="/dev/mail/01a20aef-db2c-7034-8ccc-64773d307775">Confirm &amp; go</a>`},
		{"list", list, "Ada &lt;b&gt; &lt;ada@example.org&gt;"},
		{"list", list, `href="/dev/mail?before=x"`},
		{"show", show, `<a href="https://portal.example.org/confirm?a=1&amp;b=2">https://portal.example.org/confirm?a=1&amp;b=2</a>`},
		{"show", show, `src="/dev/mail/01a20aef-db2c-7034-8ccc-64773d307775/body"`},
		{"show", show, `sandbox="allow-popups allow-popups-to-escape-sandbox"`},
		{"empty", render(t, views.ListPage(views.List{})), "No letter yet"},
	} {
		if !strings.Contains(tt.what, tt.want) {
			t.Errorf("%s lacks %q", tt.page, tt.want)
		}
	}
	for _, page := range []string{list, show} {
		if strings.Contains(page, "onclick") || strings.Contains(page, " style=") || strings.Contains(page, "srcdoc") || strings.Contains(page, `href="javascript:`) {
			t.Error("the page holds what its policy forbids")
		}
	}
	m.Text, m.HTML, m.State, m.LastError, m.Attempts = "", "", mail.Failed, "550 no <such> mailbox", 2
	erased := render(t, views.ShowPage(m))
	for _, want := range []string{"Erased when it was sent", "550 no &lt;such&gt; mailbox", "2 attempts", "Failed"} {
		if !strings.Contains(erased, want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if strings.Contains(erased, "<iframe") {
		t.Error("a frame without a body")
	}
}
