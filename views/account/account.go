// Package account has the pages of accounts: signing up and in, the profile, and
// what the secretariat sees of persons.
package account

import (
	"context"
	"net/url"
	"strings"
	"time"

	"commissionportal/internal/account"
	"commissionportal/internal/i18n"
	"commissionportal/views/part"
)

// Entry is what was typed into one of the forms on the way in.
type Entry struct {
	Name, Email, Country string
	Password             string // only if Show
	Next                 string
	Link                 string // secret of the mailed link that led here
	Show                 bool   // the password can be read
	Can                  bool   // passkeys can be used here
	Issuer               string // whose accounts sign in here, by its name; "": nobody's
	Problem              string // what is wrong with all of it
	Errors               map[string]string
}

func (e Entry) name(ctx context.Context) part.Field {
	return part.Field{Name: "name", Label: i18n.T(ctx, "Your name"), Value: e.Name, Error: e.Errors["name"], Required: true, MaxLength: 200, Autocomplete: "name"}
}

func (e Entry) email(ctx context.Context) part.Field {
	return part.Field{Name: "email", Label: i18n.T(ctx, "E-mail"), Type: "email", Value: e.Email, Error: e.Errors["email"], Required: true, MaxLength: 254, Autocomplete: "username"}
}

func (e Entry) country(ctx context.Context) part.Field {
	return part.Field{Name: "country", Label: i18n.T(ctx, "Country"), Value: e.Country, Error: e.Errors["country"], Required: true, Autocomplete: "country"}
}

func (e Entry) oldPassword(ctx context.Context) part.Field {
	return e.secret("password", i18n.T(ctx, "Password"), "current-password")
}

func (e Entry) newPassword(ctx context.Context) part.Field {
	f := e.firstPassword(ctx)
	f.Label = i18n.T(ctx, "New password")
	return f
}

func (e Entry) firstPassword(ctx context.Context) part.Field {
	f := e.secret("password", i18n.T(ctx, "Password"), "new-password")
	f.Help = i18n.T(ctx, "At least %d characters: three or four words that do not belong together.", account.MinPassword)
	return f
}

// secret is a field for a password; what it holds is shown only on demand.
func (e Entry) secret(name, label, autocomplete string) part.Field {
	f := part.Field{Name: name, Label: label, Type: "password", Error: e.Errors[name], Required: true, Autocomplete: autocomplete}
	if e.Show {
		f.Type, f.Value = "text", e.Password
	}
	return f
}

// Password is what the page to change a password shows.
type Password struct {
	Entry
	Current string // only if Show
	Tabs    []part.Tab
}

func (p Password) current(ctx context.Context) part.Field {
	f := p.secret("current", i18n.T(ctx, "Your password now"), "current-password")
	if p.Show {
		f.Value = p.Current
	}
	return f
}

// Profile is what the page of one's own profile shows.
type Profile struct {
	Person  account.Person
	Form    account.Profile
	Version int
	Problem string
	Errors  map[string]string
	Tabs    []part.Tab
}

// Address is what the page of one's own address shows.
type Address struct {
	Entry
	account.Address
	Key  string
	Tabs []part.Tab
}

func languages() []part.Option {
	var list []part.Option
	for _, l := range i18n.Languages() {
		list = append(list, part.Option{Value: l.Tag.String(), Label: l.Name})
	}
	return list
}

func zones() []part.Option {
	names := account.Zones()
	list := make([]part.Option, len(names))
	for i, name := range names {
		o := part.Option{Value: name, Label: name}
		if region, city, ok := strings.Cut(name, "/"); ok {
			o.Group, o.Label = region, strings.ReplaceAll(strings.ReplaceAll(city, "_", " "), "/", ", ")
		}
		list[i] = o
	}
	return list
}

// Sessions is what the page of one's sessions shows.
type Sessions struct {
	Rows []account.Session
	Life account.Life
	Now  time.Time
	Tabs []part.Tab
}

// span is a length of time in words, to the hour.
func span(ctx context.Context, d time.Duration) string {
	hours := int(d.Round(time.Hour).Hours())
	switch {
	case hours >= 48:
		return i18n.N(ctx, hours/24, "%d day", "%d days")
	case hours >= 1:
		return i18n.N(ctx, hours, "%d hour", "%d hours")
	}
	return i18n.N(ctx, int(d.Minutes()), "%d minute", "%d minutes")
}

func (s Sessions) others() bool {
	for _, r := range s.Rows {
		if !r.Current {
			return true
		}
	}
	return false
}

// Tokens is what the page of one's tokens shows.
type Tokens struct {
	Rows     []account.Token
	New      string // text of the token that was just made
	Name     string
	Lifetime string // one of Lifetimes
	ReadOnly bool
	Errors   map[string]string
	Problem  string
	Key      string
	Now      time.Time
	Tabs     []part.Tab
}

// Lifetimes are how many days a token may live, as the form offers them; never is "".
var Lifetimes = []string{"30", "90", "365", "never"}

func lifetimes(ctx context.Context) []part.Option {
	return []part.Option{
		{Value: "30", Label: i18n.T(ctx, "30 days")}, {Value: "90", Label: i18n.T(ctx, "90 days")},
		{Value: "365", Label: i18n.T(ctx, "A year")}, {Value: "never", Label: i18n.T(ctx, "Until it is revoked")},
	}
}

func truth(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// List is what the list of persons shows.
type List struct {
	Rows   []account.Person
	Filter account.Filter
	Paging part.Paging
}

func states(ctx context.Context) []part.Option {
	return []part.Option{
		{Value: "active", Label: i18n.T(ctx, "Active")}, {Value: "unconfirmed", Label: i18n.T(ctx, "Never signed in")},
		{Value: "suspended", Label: i18n.T(ctx, "Suspended")}, {Value: "erased", Label: i18n.T(ctx, "Erased")}, {Value: "secretariat", Label: i18n.T(ctx, "Secretariat")},
	}
}

func stateOf(p account.Person) string {
	if p.State == "active" && p.ConfirmedAt == nil {
		return "unconfirmed"
	}
	return p.State
}

// Show is what a person's page shows.
type Show struct {
	Person    account.Public
	Own       bool // the reader's own
	Disarm    bool // the reader may remove second factors
	Suspend   bool // the reader may suspend the account
	Reinstate bool // the reader may open it again
	Erase     bool // the reader may have it erased
}

// Suspend is what the page asks before an account is suspended.
type Suspend struct {
	Person account.Person
	Ends   account.Ends
	Reason string
	Errors map[string]string
	Key    string
}

func (s Suspend) ends(ctx context.Context) []string {
	list := []string{i18n.T(ctx, "Signing in, at once")}
	if s.Ends.Sessions > 0 {
		list = append(list, i18n.N(ctx, s.Ends.Sessions, "%d session", "%d sessions"))
	}
	if s.Ends.Tokens > 0 {
		list = append(list, i18n.N(ctx, s.Ends.Tokens, "%d token", "%d tokens"))
	}
	if s.Ends.Seats > 0 {
		list = append(list, i18n.N(ctx, s.Ends.Seats, "%d seat in a commission", "%d seats in commissions"))
	}
	return list
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func withNext(path, next string) string {
	if next == "" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}

func browser(ctx context.Context, agent string) string {
	if name := account.Browser(agent); name != "an unknown program" {
		return name
	}
	return i18n.T(ctx, "Another program")
}

func (s Show) facts(ctx context.Context) []part.Fact {
	var list []part.Fact
	if s.Person.Country != nil {
		list = append(list, part.Fact{Label: i18n.T(ctx, "Country"), Value: part.InCountry(*s.Person.Country)})
	}
	if a := s.Person.Account; a != nil {
		if a.State != "erased" {
			list = append(list, part.Fact{Label: i18n.T(ctx, "E-mail"), Value: part.Say(a.Email)})
		}
		list = append(list,
			part.Fact{Label: i18n.T(ctx, "Account"), Value: accountState(*a)},
			part.Fact{Label: i18n.T(ctx, "Account since"), Value: part.Day(a.CreatedAt)})
	}
	return list
}

// line is what stands under an organization that the person acts for.
func line(ctx context.Context, a account.Affiliation) string {
	if a.Title == "" && a.Representative {
		return i18n.T(ctx, "Primary representative")
	}
	return a.Title
}
