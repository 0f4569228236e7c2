package accountweb_test

import (
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
)

func TestJourneyFromSignUp(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	tab := apptest.Browser(t, p.URL)
	look := func(name string) { t.Helper(); tab.Look("account-" + name) }
	tab.Open("/sign-up?next=/profile")
	look("sign-up")
	tab.Expect(422)
	tab.Fill("Your name", "Grace Hopper")
	tab.Fill("E-mail", "grace@example.org")
	tab.Fill("Password", "password123")
	tab.Click("main .btn-primary")
	tab.See("Choose a country")
	look("sign-up-refused")
	tab.Choose("Country", "United States")
	tab.Fill("Password", password)
	tab.Click("Show password")
	tab.See("Hide password")
	tab.Click("Hide password")
	tab.See("Show password")
	tab.Click("main .btn-primary")
	tab.See("Look into your mailbox")
	look("sent")
	_, link := letter(t, p, "account.confirm", "grace@example.org", 1)
	tab.Open("/dev/mail")
	look("mailbox")
	tab.Open(link)
	look("confirm")
	tab.Fill("Password", password)
	tab.Click("Confirm and sign in")
	tab.See("Welcome, Grace Hopper")
	if got := tab.Path(); got != "/profile" {
		t.Errorf("the journey leads to %s", got)
	}
	look("profile")
	tab.Open("/profile/password")
	look("password")
	tab.Open("/profile/sessions")
	look("sessions")
	tab.Open("/profile/tokens")
	tab.Fill("Name", "Roster sync")
	tab.Click("Make token")
	tab.See("not shown again")
	look("tokens")
	tab.Click("Revoke")
	tab.See("are refused from then on")
	look("revoke")
	tab.Click("Keep as it is")
	tab.Open("/persons/" + apptest.Value[string](p, `SELECT id FROM person`))
	look("person")
	p.Exec(`INSERT INTO portal_role (person_id, role) SELECT id, 'secretariat' FROM person`)
	p.Person("Ada Lovelace")
	tab.Open("/persons")
	look("persons")
	tab.Click("Ada Lovelace")
	look("person-secretariat")
	tab.Click("Suspend")
	tab.See("This ends")
	look("suspend")
}

func TestJourneyWithoutScript(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	newAccount(t, p, "grace@example.org")
	tab := apptest.Browser(t, p.URL)
	look := func(name string) { t.Helper(); tab.Look("account-" + name) }
	tab.Open("/sign-in")
	look("sign-in")
	tab.Open("/reset")
	look("reset")
	tab.NoScript()
	tab.Open("/sign-in?next=/profile/sessions")
	tab.Fill("E-mail", "grace@example.org")
	tab.Fill("Password", password)
	tab.Click("Show password")
	tab.SeeNot("Show password")
	tab.Click("main .btn-primary")
	tab.See("This one")
	if got := tab.Path(); !strings.HasPrefix(got, "/profile/sessions") {
		t.Errorf("the journey leads to %s", got)
	}
}
