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

// Factors is what the page of one's second factors shows.
type Factors struct {
	account.Factors
	Now      time.Time
	Key      string
	Passkeys []account.Passkey
	Asking   []string          // roles of the person that rest until there is a factor
	Issuer   string            // whose accounts sign in here; "": nobody\'s
	Identity *account.Identity // the one there; nil: none is linked
	Can      bool              // this portal can have passkeys
	Name     string
	Problem  string
	Errors   map[string]string
	Tabs     []part.Tab
}

// SetUp is what the page shows on which an app for codes is set up.
type SetUp struct {
	App     account.App
	Problem string
	Errors  map[string]string
	Tabs    []part.Tab
}

// Codes is what the page shows on which recovery codes are seen, once.
type Codes struct {
	Texts []string
	Email string
	Tabs  []part.Tab
}

// file is the codes as a text to be saved.
func (c Codes) file(ctx context.Context) string {
	text := i18n.T(ctx, "Recovery codes of %s on the Commission Portal. Each is good once.", c.Email) + "\n\n" + strings.Join(c.Texts, "\n") + "\n"
	return "data:text/plain;charset=utf-8," + url.PathEscape(text)
}

func code(ctx context.Context, errors map[string]string) part.Field {
	return part.Field{Name: "code", Label: i18n.T(ctx, "Code"), Error: errors["code"], Required: true, MaxLength: 40, Autocomplete: "one-time-code"}
}

// Second is what the second step of signing in shows.
type Second struct {
	account.Factors
	Next    string
	Can     bool
	Problem string
	Errors  map[string]string
}

// Again is the page that asks to sign in again before something is done: with
// what was sent, so that it is sent again.
type Again struct {
	account.Factors
	Action  string
	Can     bool
	Kept    [][2]string
	Problem string
	Errors  map[string]string
}

func (a Again) field(ctx context.Context) part.Field {
	f := part.Field{Name: "_again", Type: "password", Label: i18n.T(ctx, "Password"), Error: a.Errors["_again"], Required: true, Autocomplete: "current-password"}
	switch {
	case a.App != nil && a.Password:
		f.Label, f.Help = i18n.T(ctx, "Password, or code"), i18n.T(ctx, "Either your password, or the code that your app shows now.")
	case a.App != nil:
		f.Label, f.Help, f.Autocomplete = i18n.T(ctx, "Code"), i18n.T(ctx, "That your app shows now."), "one-time-code"
	}
	return f
}

// signInKey is the button that signs in with a passkey.
func signInKey(ctx context.Context) part.Key {
	return part.Key{Post: part.Post{Action: "/sign-in/passkey"}, Ask: "/sign-in/passkey/ask", Challenge: "challenge", Answer: "answer", Button: i18n.T(ctx, "Sign in with a passkey")}
}

// Require is what the page shows on which the secretariat names roles.
type Require struct {
	account.Required
	Problem string
	Key     string
}

// Disarm is what the page asks before somebody's second factors are removed.
type Disarm struct {
	Person  account.Person
	Factors account.Factors
	Reason  string
	Problem string
	Errors  map[string]string
	Key     string
}

func (d Disarm) ends(ctx context.Context) (list []string) {
	if d.Factors.App != nil {
		list = append(list, i18n.T(ctx, "The app for codes"))
	}
	if d.Factors.Keys > 0 {
		list = append(list, i18n.N(ctx, d.Factors.Keys, "%d passkey", "%d passkeys"))
	}
	if d.Factors.Codes > 0 {
		list = append(list, i18n.N(ctx, d.Factors.Codes, "%d recovery code", "%d recovery codes"))
	}
	return list
}

func roleName(ctx context.Context, role string) string {
	switch role {
	case "secretariat":
		return i18n.T(ctx, "Secretariat")
	case "chair":
		return i18n.T(ctx, "Chair")
	case "vice_chair":
		return i18n.T(ctx, "Vice chair")
	case "secretary":
		return i18n.T(ctx, "Secretary")
	case "voting_representative":
		return i18n.T(ctx, "Voting representative")
	case "alternate_representative":
		return i18n.T(ctx, "Alternate representative")
	case "observer":
		return i18n.T(ctx, "Observer")
	case "liaison_officer":
		return i18n.T(ctx, "Liaison officer")
	case "invited_expert":
		return i18n.T(ctx, "Invited expert")
	case "emeritus":
		return i18n.T(ctx, "Emeritus")
	}
	return role
}

func roleNames(ctx context.Context, roles []string) string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = roleName(ctx, role)
	}
	return strings.Join(names, ", ")
}
