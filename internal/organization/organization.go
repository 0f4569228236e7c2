// Package organization is where organizations live: who they are, how they
// become members of the convention and cease to be, who acts for them
// (affiliations), and which commissions they take part in (participations).
package organization

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/problem"
	"commissionportal/internal/slug"
)

// States of an organization.
const (
	Pending   = "pending"   // registered, and waits for the secretariat
	Member    = "member"    // of the convention
	Suspended = "suspended" // by the secretariat; it may be reinstated
	Left      = "left"      // by its own will
	Declined  = "declined"  // never accepted
	Merged    = "merged"    // it was the same as another one
)

// States are all states.
var States = []string{Pending, Member, Suspended, Left, Declined, Merged}

// Kinds are all kinds of organization.
var Kinds = []string{"company", "government", "intergovernmental", "standards_body", "academia", "association"}

// Categories are those of membership, the first the one with most rights.
var Categories = []string{"founding", "full", "associate", "observer", "liaison"}

// Organization is a member of the convention, was one, or asks to be.
type Organization struct {
	ID           uuid.UUID      `db:"id" json:"id"`
	Slug         string         `db:"slug" json:"slug"`
	Name         string         `db:"name" json:"name"`
	Kind         string         `db:"kind" json:"kind"`
	Category     string         `db:"category" json:"category"`
	Country      *string        `db:"country" json:"country,omitempty" doc:"ISO 3166 alpha-2; absent for what belongs to no country."`
	Website      string         `db:"website" json:"website"`
	Domain       string         `db:"domain" json:"-"`
	About        string         `db:"about" json:"about"`
	State        string         `db:"state" json:"state"`
	StateReason  string         `db:"state_reason" json:"state_reason,omitempty" doc:"Shown to its people and the secretariat."`
	StateSince   time.Time      `db:"state_since" json:"state_since"`
	RegisteredBy *uuid.UUID     `db:"registered_by" json:"-"`
	Logo         *string        `db:"logo" json:"-"`
	LogoURL      string         `db:"-" json:"logo,omitempty" doc:"Path of its logo."`
	Former       pq.StringArray `db:"former" json:"former_names"`
	Version      int            `db:"version" json:"version"`
	CreatedAt    time.Time      `db:"created_at" json:"created_at"`
}

// Scope is the scope that access decides about the organization in.
func (o Organization) Scope() access.Scope { return access.Organization(o.ID) }

// Path is the address of its page.
func (o Organization) Path() string { return Path(o.Slug) }

// Path is the address of the page of the organization with that slug.
func Path(slug string) string { return "/organizations/" + slug }

// logoPath is where a logo is served; its digest makes it immutable.
func logoPath(slug string, digest *string) string {
	if digest == nil {
		return ""
	}
	return Path(slug) + "/logo/" + *digest
}

// Public reports whether everybody may see it: those that wait for the
// secretariat, or were declined, are the business of their own people.
func (o Organization) Public() bool {
	return o.State == Member || o.State == Suspended || o.State == Left
}

// active refuses what only a member of the convention may do.
func (o Organization) active() error {
	switch o.State {
	case Member:
		return nil
	case Pending:
		return problem.New(problem.Conflict, "The secretariat has not accepted this organization yet.")
	case Suspended:
		return problem.New(problem.Conflict, "This organization is suspended.")
	case Left:
		return problem.New(problem.Conflict, "This organization has left the convention.")
	case Merged:
		return problem.New(problem.Conflict, "This organization was merged into another one.")
	}
	return problem.New(problem.Conflict, "This organization is not a member of the convention.")
}

// Draft is what a person registers, or edits.
type Draft struct {
	Name    string
	Kind    string
	Country string // alpha-2; "" where the kind allows it
	Website string
	About   string
}

// countryless are the kinds that need not belong to a country.
var countryless = []string{"intergovernmental", "standards_body", "association"}

// Check normalizes d and reports every field that is wrong.
func (d *Draft) Check() error {
	var f problem.Fields
	d.check(&f)
	return f.Err()
}

func (d *Draft) check(f *problem.Fields) {
	check.Line(f, "name", &d.Name, 2, 200)
	if d.Name != "" && !strings.ContainsFunc(d.Name, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		f.Add("name", "Use letters or digits.")
	}
	check.OneOf(f, "kind", d.Kind, Kinds...)
	check.Country(f, "country", &d.Country, !slices.Contains(countryless, d.Kind))
	check.Website(f, "website", &d.Website)
	check.Text(f, "about", &d.About, 0, 5000)
}

// apply puts a checked draft into o.
func (d Draft) apply(o Organization) Organization {
	o.Name, o.Kind, o.Website, o.About = d.Name, d.Kind, d.Website, d.About
	o.Domain, o.Country = Domain(d.Website), nil
	if d.Country != "" {
		o.Country = &d.Country
	}
	return o
}

// draft is what Check and an edit start from.
func (o Organization) draft() Draft {
	d := Draft{Name: o.Name, Kind: o.Kind, Website: o.Website, About: o.About}
	if o.Country != nil {
		d.Country = *o.Country
	}
	return d
}

// Plain is the normal form of a name that near-duplicates are found by.
func Plain(name string) string {
	plain := []rune(slug.Name(name))
	return string(plain[:min(len(plain), 200)])
}

// reserved are the slugs that stand for pages of their own.
var reserved = []string{"new", "names", "similar", "export", "review", "counts"}

// candidates are the slugs an organization of that name may have, best first.
func candidates(name string, id uuid.UUID) []string {
	tail := id.String()[24:]
	base := slug.Make(name)
	if base == "" { // a script we have no letters for
		return []string{"organization-" + tail}
	}
	list := make([]string, 0, 50)
	slug.Unique(base, func(s string) bool {
		if !slices.Contains(reserved, s) {
			list = append(list, s)
		}
		return len(list) < 49
	})
	return append(list, slug.Make(base[:min(len(base), 40)]+"-"+tail))
}
