// Package commission is where commissions live: sectors, hierarchy, founding,
// charter, milestones and the states a commission goes through.
package commission

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/markdown"
	"commissionportal/internal/problem"
	"commissionportal/internal/slug"
)

// Kinds of commission, each sitting only under a higher one.
const (
	Standing      = "commission"
	Subcommission = "subcommission"
	WorkingGroup  = "working_group"
	TaskForce     = "task_force"
)

// Kinds are all kinds, the highest first.
var Kinds = []string{Standing, Subcommission, WorkingGroup, TaskForce}

// parents says under which kinds a kind may sit; "" is under none.
var parents = map[string][]string{
	Standing:      {""},
	Subcommission: {Standing},
	WorkingGroup:  {"", Standing, Subcommission},
	TaskForce:     {"", Standing, Subcommission, WorkingGroup},
}

// States a commission goes through (the group states of the IETF Datatracker,
// in the convention's words).
const (
	Proposed  = "proposed"  // a convener collects support
	Forming   = "forming"   // the call for participation is out
	Active    = "active"    // it works
	Dormant   = "dormant"   // it rests, and can be revived
	Concluded = "concluded" // it is done
	Abandoned = "abandoned" // it never came to be
)

// States are all states.
var States = []string{Proposed, Forming, Active, Dormant, Concluded, Abandoned}

// JoinModes say how one comes to a seat.
var JoinModes = []string{"open", "application", "invitation", "closed"}

// Visibilities say who may see a roster.
var Visibilities = []string{"public", "portal", "commission", "officers"}

// Commission is a standing body for a sector, with what its page shows of it.
type Commission struct {
	ID                   uuid.UUID  `db:"id" json:"id"`
	Slug                 string     `db:"slug" json:"slug"`
	Acronym              string     `db:"acronym" json:"acronym"`
	Name                 string     `db:"name" json:"name"`
	Kind                 string     `db:"kind" json:"kind"`
	ParentID             *uuid.UUID `db:"parent_id" json:"-"`
	Parent               *string    `db:"parent_slug" json:"parent,omitempty" doc:"Slug of the commission it sits under."`
	ParentName           *string    `db:"parent_name" json:"-"`
	ParentAcronym        *string    `db:"parent_acronym" json:"-"`
	Sector               *string    `db:"sector_slug" json:"sector,omitempty"`
	SectorName           *string    `db:"sector_name" json:"-"`
	State                string     `db:"state" json:"state"`
	StateSince           time.Time  `db:"state_since" json:"state_since"`
	Purpose              string     `db:"purpose" json:"purpose"`
	ConvenerID           *uuid.UUID `db:"convener_id" json:"-"`
	Convener             *string    `db:"convener_name" json:"convener,omitempty"`
	JoinMode             string     `db:"join_mode" json:"join_mode"`
	RosterVisibility     string     `db:"roster_visibility" json:"roster_visibility"`
	TermMonths           *int       `db:"term_months" json:"term_months,omitempty"`
	SeatsPerOrganization *int       `db:"seats_per_organization" json:"seats_per_organization,omitempty"`
	Version              int        `db:"version" json:"version"`
	CreatedAt            time.Time  `db:"created_at" json:"created_at"`
}

// Scope is the scope that access decides about the commission in.
func (c Commission) Scope() access.Scope { return access.Commission(c.ID) }

// Path is the address of its page.
func (c Commission) Path() string { return "/commissions/" + c.Slug }

// Open reports whether people can still take seats in it.
func (c Commission) Open() bool { return c.State == Forming || c.State == Active }

// Ended reports whether it is over, for good.
func (c Commission) Ended() bool { return c.State == Concluded || c.State == Abandoned }

// Draft is what a convener proposes.
type Draft struct {
	Name    string
	Acronym string
	Kind    string
	Parent  string // slug, acronym or name; "" for none
	Sector  string // slug
	Purpose string
	Charter string // Markdown
}

// Check normalizes d and reports every field that is wrong.
func (d *Draft) Check() error {
	var f problem.Fields
	check.Line(&f, "name", &d.Name, 3, 200)
	checkName(&f, d.Name)
	checkAcronym(&f, &d.Acronym)
	check.OneOf(&f, "kind", d.Kind, Kinds...)
	if d.Sector == "" {
		f.Add("sector", "Choose a sector.")
	}
	check.Text(&f, "purpose", &d.Purpose, 20, 2000)
	check.Text(&f, "charter", &d.Charter, 20, 200_000)
	if err := f.Err(); err != nil {
		return err
	}
	return markdown.Check("charter", d.Charter)
}

// checkName refuses a name whose address is that of another page.
func checkName(f *problem.Fields, name string) {
	if s := slug.Make(name); s == "new" || s == "options" {
		f.Add("name", "Choose a name that says more.")
	}
}

// slugOf is the address of a commission: made of the name, of the acronym where
// the name has no letters for one.
func slugOf(name, acronym string) string {
	if s := slug.Make(name); s != "" {
		return s
	}
	return slug.Make(acronym)
}

// checkAcronym is what stands before the commission's document numbers.
func checkAcronym(f *problem.Fields, v *string) {
	*v = strings.ToUpper(strings.TrimSpace(*v))
	if len(*v) < 2 || len(*v) > 40 || !acronym.MatchString(*v) {
		f.Add("acronym", "Use 2 to 40 letters and digits, with hyphens between them, such as ENERGY or GRID-WG2.")
	}
}

var acronym = regexp.MustCompile(`^[A-Z0-9]+(-[A-Z0-9]+)*$`)

// Under reports whether a commission of that kind may sit under a parent of
// that kind ("" for none): Invalid (field "parent") if not.
func Under(kind, parent string) error {
	if slices.Contains(parents[kind], parent) {
		return nil
	}
	switch {
	case kind == Standing:
		return problem.Field("parent", "A commission sits under no other. Leave this empty, or choose another kind.")
	case parent == "":
		return problem.Field("parent", "Choose the commission that it will sit under.")
	}
	return problem.Field("parent", "It cannot sit under a body of that kind.")
}
