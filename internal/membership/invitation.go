package membership

import (
	"encoding/csv"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/check"
	"commissionportal/internal/problem"
)

// States of an invitation besides Pending. Expired is a pending one whose time
// has run out.
const (
	Accepted = "accepted"
	Declined = "declined"
	Revoked  = "revoked"
	Expired  = "expired"
)

// Limits of inviting.
const (
	MostInvited   = 200 // addresses in one go
	InvitedDays   = 14  // how long an invitation is good, if nothing else is said
	MostDays      = 180
	statementSize = 2000
)

// Invitation offers a seat to whoever reads mail at an address.
type Invitation struct {
	ID               uuid.UUID  `db:"id" json:"id"`
	CommissionID     uuid.UUID  `db:"commission_id" json:"-"`
	Email            string     `db:"email" json:"email"`
	Role             string     `db:"role" json:"role"`
	OrganizationID   *uuid.UUID `db:"organization_id" json:"-"`
	Organization     *string    `db:"organization_slug" json:"organization,omitempty"`
	OrganizationName *string    `db:"organization_name" json:"organization_name,omitempty"`
	Message          string     `db:"message" json:"message"`
	State            string     `db:"state" json:"state"`
	InvitedBy        uuid.UUID  `db:"invited_by" json:"-"`
	Inviter          string     `db:"inviter" json:"invited_by"`
	AppointedBy      string     `db:"appointed_by" json:"appointed_by"`
	CreatedAt        time.Time  `db:"created_at" json:"created_at"`
	ExpiresAt        time.Time  `db:"expires_at" json:"expires_at"`
	AnsweredAt       *time.Time `db:"answered_at" json:"answered_at,omitempty"`
	SeatID           *uuid.UUID `db:"seat_id" json:"seat_id,omitempty"`
}

// StateAt is the state with expiry taken in.
func (i Invitation) StateAt(now time.Time) string {
	if i.State == Pending && !i.ExpiresAt.After(now) {
		return Expired
	}
	return i.State
}

// Answerable reports whether the invitation can be answered at now: Conflict,
// with what has become of it, if not.
func (i Invitation) Answerable(now time.Time) error {
	switch i.StateAt(now) {
	case Pending:
		return nil
	case Expired:
		return problem.New(problem.Conflict, "This invitation has expired. Ask %s to send it again.", i.Inviter)
	case Revoked:
		return problem.New(problem.Conflict, "This invitation was taken back. Ask %s if you think that this is a mistake.", i.Inviter)
	case Accepted:
		return problem.New(problem.Conflict, "This invitation has been accepted already.")
	}
	return problem.New(problem.Conflict, "This invitation has been declined already. Ask %s to send it again.", i.Inviter)
}

// For reports whether a person with that confirmed address may answer. The link
// alone is no proof: a letter can be forwarded, and whoever accepts takes a seat
// under their own name.
func (i Invitation) For(email string) error {
	if strings.EqualFold(i.Email, email) {
		return nil
	}
	return problem.New(problem.Conflict, "This invitation is for %s, and you are signed in as %s. Sign in with that address, or ask %s to invite you at yours.", Masked(i.Email), email, i.Inviter)
}

// Masked is an address that its owner recognizes and nobody else learns.
func Masked(email string) string {
	name, host, _ := strings.Cut(email, "@")
	first := []rune(name)
	if len(first) > 1 {
		name = string(first[:1]) + "…"
	}
	return name + "@" + host
}

// Inviting is what an inviter writes.
type Inviting struct {
	Addresses    string // one a line, or separated by commas; "Name <address>" and CSV with the address anywhere in the line are understood
	Role         string
	Organization string // slug, or ""
	Message      string
	Days         string // until it expires; "" is InvitedDays
}

// Line is what was understood of one line or address.
type Line struct {
	Number int
	Text   string
	Email  string
	Wrong  *problem.FieldError // why it is left out
}

// Check normalizes i, reads its addresses and reports every field that is wrong.
// A line that is not understood is in the lines, not an error, unless none is.
func (i *Inviting) Check() (lines []Line, days int, err error) {
	var f problem.Fields
	check.OneOf(&f, "role", i.Role, Roles...)
	check.Text(&f, "message", &i.Message, 0, statementSize)
	if days = check.Number(&f, "days", i.Days, false, 1, MostDays); days == 0 {
		days = InvitedDays
	}
	switch {
	case i.Organization == "" && represents[i.Role] != "":
		f.Add("organization", "This role stands for an organization: choose it.")
	case i.Organization != "" && i.Role == InvitedExpert:
		f.Add("role", "An invited expert sits in a personal capacity, not for an organization.")
	}
	lines = Addresses(i.Addresses)
	good := slices.ContainsFunc(lines, func(l Line) bool { return l.Wrong == nil })
	switch {
	case len(lines) == 0:
		f.Add("addresses", "Give at least one address.")
	case len(lines) > MostInvited:
		f.Add("addresses", "Give at most %d addresses at a time; these are %d.", MostInvited, len(lines))
	case !good:
		f.Add("addresses", "None of these is an e-mail address.")
	}
	return lines, days, f.Err()
}

// Addresses reads what was pasted, line by line.
func Addresses(text string) []Line {
	var lines []Line
	seen := map[string]bool{}
	for n, raw := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if raw = strings.TrimSpace(raw); raw == "" {
			continue
		}
		found := 0
		for _, part := range fieldsOf(raw) {
			if !strings.Contains(part, "@") {
				continue // the name beside the address
			}
			found++
			lines = append(lines, lineOf(n+1, part, seen))
		}
		if found == 0 && !heading(raw, n) {
			lines = append(lines, Line{Number: n + 1, Text: raw, Wrong: &problem.FieldError{Format: "There is no address in this line."}})
		}
	}
	return lines
}

// heading reports whether the first line is that of a table.
func heading(raw string, n int) bool {
	l := strings.ToLower(raw)
	return n == 0 && (strings.Contains(l, "mail") || strings.Contains(l, "address"))
}

func fieldsOf(raw string) []string {
	for _, comma := range []rune{';', '\t', ','} {
		if !strings.ContainsRune(raw, comma) {
			continue
		}
		r := csv.NewReader(strings.NewReader(raw))
		r.Comma, r.LazyQuotes, r.TrimLeadingSpace = comma, true, true
		if fields, err := r.Read(); err == nil {
			return fields
		}
	}
	return []string{raw}
}

func lineOf(n int, part string, seen map[string]bool) Line {
	l := Line{Number: n, Text: strings.TrimSpace(part)}
	email := l.Text
	if open := strings.LastIndex(email, "<"); open >= 0 {
		email = strings.TrimSuffix(strings.TrimSpace(email[open+1:]), ">")
	}
	var f problem.Fields
	check.Email(&f, "addresses", &email)
	switch p := problem.As(f.Err()); {
	case p != nil:
		l.Wrong = &p.Fields[0]
	case seen[email]:
		l.Wrong = &problem.FieldError{Format: "This address is there twice."}
	default:
		l.Email, seen[email] = email, true
	}
	return l
}
