// Package document is the library of each commission: its register of numbered
// documents, their versions and language variants, shares between organizations
// and the trace of what happened to each.
package document

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
)

// Types of document (JTC 1 cover page, IEEE Mentor).
var Types = []string{"contribution", "working_draft", "report", "minutes", "agenda", "resolution", "liaison_statement", "reference_architecture", "other"}

// Statuses a document goes through.
const (
	Prepared   = "draft"      // it is prepared, waits for the officers, or only its number is reserved
	Available  = "available"  // it is there to be read
	Superseded = "superseded" // another document took its place
	Withdrawn  = "withdrawn"  // taken back; the number stays, and says why
)

// Statuses are all of them.
var Statuses = []string{Prepared, Available, Superseded, Withdrawn}

// Stages of a draft on its way through the officers.
const (
	Submitted = "submitted" // it waits for them
	Returned  = "returned"  // they sent it back, with a reason
)

// Actions that a document may ask of its readers, until its due date.
var Actions = []string{"none", "information", "comment", "decision"}

// Visibilities say who may read a document, from all the world to named persons.
// The officers of the commission always see what is in their register.
var Visibilities = []string{"public", "portal", "commission", "officers", "organization", "named"}

// Document is a document with what its page shows of it.
type Document struct {
	ID               uuid.UUID      `db:"id" json:"id"`
	CommissionID     uuid.UUID      `db:"commission_id" json:"-"`
	Commission       string         `db:"commission_slug" json:"commission"`
	CommissionName   string         `db:"commission_name" json:"commission_name"`
	Prefix           string         `db:"prefix" json:"-"`
	NamesShown       bool           `db:"names_shown" json:"-"` // of its register
	Number           *int           `db:"number" json:"number,omitempty" doc:"In its commission; absent before it is accepted."`
	Title            string         `db:"title" json:"title"`
	Type             string         `db:"type" json:"type"`
	OrganizationID   *uuid.UUID     `db:"organization_id" json:"-"`
	Organization     *string        `db:"organization_slug" json:"organization,omitempty" doc:"Slug of its source; absent: the commission itself."`
	OrganizationName *string        `db:"organization_name" json:"organization_name,omitempty"`
	AuthorID         *uuid.UUID     `db:"author_id" json:"-"`
	Author           *string        `db:"author_name" json:"author,omitempty"`
	Status           string         `db:"status" json:"status"`
	StatusSince      time.Time      `db:"status_since" json:"status_since"`
	StatusReason     string         `db:"status_reason" json:"status_reason,omitempty"`
	BeforeWithdrawal string         `db:"before_withdrawal" json:"-"` // what it becomes again if it is restored
	Review           *string        `db:"review" json:"review,omitempty" doc:"Of a draft: submitted (it waits for the officers) or returned."`
	ReviewReason     string         `db:"review_reason" json:"review_reason,omitempty"`
	SubmittedAt      *time.Time     `db:"submitted_at" json:"submitted_at,omitempty"`
	Late             bool           `db:"late" json:"late"`
	Action           string         `db:"action" json:"action"`
	DueOn            *string        `db:"due_on" json:"due_on,omitempty" doc:"YYYY-MM-DD."`
	ReplacedBy       *uuid.UUID     `db:"replaced_by" json:"-"`
	Successor        *string        `db:"successor" json:"replaced_by,omitempty" doc:"Reference of the document that took its place."`
	Language         string         `db:"language" json:"language"`
	Languages        pq.StringArray `db:"languages" json:"languages"`
	Versions         int            `db:"versions" json:"versions" doc:"Number of the newest version; 0: only the number is reserved."`
	Keywords         pq.StringArray `db:"keywords" json:"keywords"`
	Summary          string         `db:"summary" json:"summary,omitempty"`
	Visibility       string         `db:"visibility" json:"visibility"`
	License          string         `db:"license" json:"license,omitempty"`
	PublishedAt      *time.Time     `db:"published_at" json:"published_at,omitempty"`
	Shared           int            `db:"shared" json:"-"` // what shares give who asks: see access.Sight.Shared
	Version          int            `db:"version" json:"version"`
	CreatedAt        time.Time      `db:"created_at" json:"created_at"`
	UpdatedAt        time.Time      `db:"updated_at" json:"updated_at"`
}

// Reference is how a document is cited, ENERGY-N0012; "" before it has a number.
func (d Document) Reference() string { return Reference(d.Prefix, d.Number) }

// Reference is the number with what stands before it; "" for none.
func Reference(prefix string, number *int) string {
	if number == nil {
		return ""
	}
	digits := strconv.Itoa(*number)
	return prefix + "-N" + "000"[min(len(digits)-1, 3):] + digits // a row of a list says it six times
}

// Name is what its address calls a document: its reference, before it has one its id.
func (d Document) Name() string {
	if ref := d.Reference(); ref != "" {
		return ref
	}
	return d.ID.String()
}

// Path is the address of its page.
func (d Document) Path() string { return "/documents/" + d.Name() }

var reference = regexp.MustCompile(`^([A-Z0-9]+(?:-[A-Z0-9]+)*)-N0*([1-9][0-9]{0,8})$`)

// ParseReference reads ENERGY-N0012, in any case and with or without zeros.
func ParseReference(text string) (prefix string, number int, ok bool) {
	m := reference.FindStringSubmatch(strings.ToUpper(text))
	if m == nil {
		return "", 0, false
	}
	number, err := strconv.Atoi(m[2])
	return m[1], number, err == nil
}

// Scope is what access decides about the document in.
func (d Document) Scope() access.Scope {
	var author, source uuid.UUID
	if d.AuthorID != nil {
		author = *d.AuthorID
	}
	if d.OrganizationID != nil {
		source = *d.OrganizationID
	}
	return access.Document(d.CommissionID, author, source, [...]access.Roles{0, access.Recipient, access.Recipient | access.Holder}[d.Shared], d.Reading())
}

// Reading is the action of reading it: its visibility, or how far it is on its
// way before that counts.
func (d Document) Reading() string {
	switch {
	case d.Number != nil:
		return "read:" + d.Visibility
	case d.Review != nil: // also what was returned: the officers know of it
		return "read:submitted"
	}
	return "read:draft"
}

// Waiting reports whether it waits for the officers.
func (d Document) Waiting() bool { return d.Review != nil && *d.Review == Submitted }

// Stale are the languages whose variant is of an older version than the source.
func Stale(versions []Version, language string) []string {
	newest := map[string]int{}
	for _, v := range versions {
		newest[v.Language] = max(newest[v.Language], v.Number)
	}
	var stale []string
	for l, n := range newest {
		if n < newest[language] {
			stale = append(stale, l)
		}
	}
	slices.Sort(stale)
	return stale
}

// Draft is what is said of a document by who submits it or edits it.
type Draft struct {
	Title        string
	Type         string
	Organization string // slug of its source; "" for the commission itself, or in a personal capacity
	Action       string // "" is none
	Due          string // YYYY-MM-DD or ""
	Language     string
	Keywords     []string
	Summary      string
	Visibility   string // "" is what the register says
}

var language = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// mostKeywords and longestKeyword bound the keywords of a document.
const (
	mostKeywords   = 20
	longestKeyword = 60
)

// noSource is why nobody but the people of the source can not be who may read it.
const noSource = "There is no source organization that alone could read it: choose one, or other readers."

// Check normalizes d and reports every field that is wrong. What it asks for is not
// due before today, YYYY-MM-DD.
func (d *Draft) Check(today string) error {
	var f problem.Fields
	check.Line(&f, "title", &d.Title, 3, 500)
	check.OneOf(&f, "type", d.Type, Types...)
	if d.Action == "" {
		d.Action = "none"
	}
	check.OneOf(&f, "action", d.Action, Actions...)
	if due := check.Date(&f, "due_on", d.Due, false, time.UTC); !due.IsZero() {
		d.Due = due.Format(time.DateOnly)
		if d.Action == "none" {
			f.Add("action", "Say what is due on that day, or leave the day empty.")
		}
		if d.Due < today {
			f.Add("due_on", "This day has passed. Choose today or a later day.")
		}
	}
	checkLanguage(&f, &d.Language)
	d.Keywords = keywords(&f, d.Keywords)
	check.Text(&f, "summary", &d.Summary, 0, 2000)
	if d.Visibility != "" {
		check.OneOf(&f, "visibility", d.Visibility, Visibilities...)
	}
	if d.Visibility == "organization" && d.Organization == "" {
		f.Add("visibility", noSource)
	}
	return f.Err()
}

func checkLanguage(f *problem.Fields, v *string) {
	*v = strings.TrimSpace(*v)
	if *v == "" {
		*v = "en"
	}
	if !language.MatchString(*v) || len(*v) > 35 {
		f.Add("language", "Choose a language.")
	}
}

// keywords are trimmed, without doubles.
func keywords(f *problem.Fields, words []string) []string {
	kept := []string{}
	for _, word := range words {
		word = strings.Join(strings.Fields(word), " ")
		if word == "" || slices.ContainsFunc(kept, func(k string) bool { return strings.EqualFold(k, word) }) {
			continue
		}
		if len([]rune(word)) > longestKeyword {
			f.Add("keywords", "Use at most %d characters for a keyword.", longestKeyword)
		}
		kept = append(kept, word)
	}
	if len(kept) > mostKeywords {
		f.Add("keywords", "Give at most %d keywords.", mostKeywords)
	}
	return kept
}

// Editable reports whether what is said of it may be changed by its author and
// its owner: Conflict if the officers have it in their hands.
func (d Document) Editable(officer bool) error {
	switch {
	case d.Status == Withdrawn:
		return problem.New(problem.Conflict, "It is withdrawn. Restore it first.")
	case !officer && d.Number != nil:
		return problem.New(problem.Conflict, "It is in the register now: its officers change what is said of it. You can add a version.")
	}
	return nil
}

// Revisable reports whether it may get another version.
func (d Document) Revisable() error {
	switch d.Status {
	case Withdrawn, Superseded:
		return problem.New(problem.Conflict, "It is %s: it gets no more versions.", i18n.Key(d.Status))
	}
	return nil
}

// Accept gives a document its number and makes it available; number is the next
// of its register, and is not used if d has one.
func (d Document) Accept(number int, now time.Time) (Document, error) {
	if d.Status != Prepared || d.Number == nil && !d.Waiting() {
		return d, problem.New(problem.Conflict, "Nothing waits to be accepted here.")
	}
	if d.Number == nil {
		d.Number = &number
	}
	d.Status, d.StatusSince, d.Review, d.ReviewReason = Available, now, nil, ""
	return d, nil
}

// Return sends a submitted document back to its author.
func (d Document) Return(reason string) (Document, error) {
	if !d.Waiting() {
		return d, problem.New(problem.Conflict, "Nothing waits to be returned here.")
	}
	returned := Returned
	d.Review, d.ReviewReason = &returned, reason
	return d, nil
}

// Withdraw takes a numbered document back; Restore undoes that.
func (d Document) Withdraw(reason string, now time.Time) (Document, error) {
	if d.Status == Withdrawn {
		return d, problem.New(problem.Conflict, "It is withdrawn already.")
	}
	if d.Number == nil {
		return d, problem.New(problem.Conflict, "It has no number yet. Discard the draft instead.")
	}
	d.Status, d.StatusSince, d.StatusReason = Withdrawn, now, reason
	return d, nil
}

// Discardable reports whether it may be deleted: never once it has a number.
func (d Document) Discardable() error {
	if d.Number != nil {
		return problem.New(problem.Conflict, "It has a number, which stays. Withdraw it instead.")
	}
	return nil
}

// checkReason is the reason that a step must give.
func checkReason(reason *string) error {
	var f problem.Fields
	check.Text(&f, "reason", reason, 1, 2000)
	return f.Err()
}

// Draft is what is said of the document now, for a form to change it.
func (d Document) Draft() Draft {
	draft := Draft{Title: d.Title, Type: d.Type, Action: d.Action, Language: d.Language, Keywords: d.Keywords, Summary: d.Summary, Visibility: d.Visibility}
	if d.Organization != nil {
		draft.Organization = *d.Organization
	}
	if d.DueOn != nil {
		draft.Due = *d.DueOn
	}
	return draft
}
