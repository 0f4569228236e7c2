// Package membership is where seats live: who sits in which commission, for
// whom, in which role and for how long; how one comes to a seat (application,
// invitation, nomination, appointment) and how it ends. Seats are temporal rows:
// what held at any instant can be read, and nothing that held is rewritten.
package membership

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
)

// Roles of a seat.
const (
	Chair                   = "chair"
	ViceChair               = "vice_chair"
	Secretary               = "secretary"
	VotingRepresentative    = "voting_representative"
	AlternateRepresentative = "alternate_representative"
	LiaisonOfficer          = "liaison_officer"
	InvitedExpert           = "invited_expert"
	Observer                = "observer"
	Emeritus                = "emeritus"
)

// Roles are all roles in the order of a roster.
var Roles = []string{Chair, ViceChair, Secretary, VotingRepresentative, AlternateRepresentative, LiaisonOfficer, InvitedExpert, Observer, Emeritus}

// roleWords are the roles inside a sentence, as texts of the catalog.
var roleWords = map[string]i18n.Key{
	Chair: "chair", ViceChair: "vice chair", Secretary: "secretary", VotingRepresentative: "voting representative",
	AlternateRepresentative: "alternate representative", LiaisonOfficer: "liaison officer", InvitedExpert: "invited expert",
	Observer: "observer", Emeritus: "emeritus",
}

// Word is a role as it stands inside a sentence.
func Word(role string) i18n.Key { return roleWords[role] }

// Officer reports whether the role leads the commission: who appoints to it
// needs the right to appoint.
func Officer(role string) bool { return role == Chair || role == ViceChair || role == Secretary }

// Who appointed to a seat.
const (
	ByChair        = "chair" // or another officer of the commission
	ByOrganization = "organization"
	ByElection     = "election"
	BySecretariat  = "secretariat"
	BySelf         = "self" // took the seat in a commission that is open to join
)

// Why a row of a seat ended before its planned end.
const (
	Changed      = "changed"      // it goes on in the next row
	Left         = "left"         // by the holder
	Replaced     = "replaced"     // the organization sent somebody else
	Recalled     = "recalled"     // the organization gave it up
	Removed      = "removed"      // by an officer
	Organization = "organization" // the organization was suspended or left, or the person left it
	Merged       = "merged"       // the organization was merged into one for which the person holds the same seat
	Concluded    = "concluded"    // the commission has concluded
)

// Seat is one row of a seat: what held during a period.
type Seat struct {
	ID             uuid.UUID  `db:"id" json:"id"`
	Since          time.Time  `db:"since" json:"since"`
	Until          *time.Time `db:"until" json:"until"`
	CommissionID   uuid.UUID  `db:"commission_id" json:"commission_id"`
	PersonID       uuid.UUID  `db:"person_id" json:"person_id"`
	Name           string     `db:"sort_name" json:"-"`
	OrganizationID *uuid.UUID `db:"organization_id" json:"organization_id"`
	Role           string     `db:"role" json:"role"`
	Voting         bool       `db:"voting" json:"voting"`
	Suspended      bool       `db:"suspended" json:"suspended"`
	AppointedBy    string     `db:"appointed_by" json:"appointed_by"`
	Follows        *uuid.UUID `db:"follows" json:"follows"`
	Ended          *string    `db:"ended" json:"ended"`
	Reason         string     `db:"reason" json:"reason"`
	Version        int        `db:"version" json:"version"`
}

// Live reports whether the row holds at that instant.
func (s Seat) Live(at time.Time) bool { return !s.Since.After(at) && !s.Over(at) }

// Over reports whether the row has ended by that instant.
func (s Seat) Over(at time.Time) bool { return s.Until != nil && !s.Until.After(at) }

// waited is how long a change may have waited for another one to commit: its own
// instant was taken before, and what began meanwhile has begun.
const waited = time.Minute

// begun reports whether the row holds, or did, for a change that is made at now.
func (s Seat) begun(now time.Time) bool { return !s.Since.After(now.Add(waited)) }

// Leads reports whether the row gives the rights of a chair at that instant.
func (s Seat) Leads(at time.Time) bool {
	return s.Role == Chair && !s.Suspended && s.begun(at) && !s.Over(at)
}

// instant is when a change asked for at now takes hold: after the beginning of
// the row, even if two changes meet in one microsecond.
func (s Seat) instant(now time.Time) time.Time {
	if least := s.Since.Add(time.Microsecond); now.Before(least) {
		return least
	}
	return now
}

// Step is how a seat goes on from a row: Close ends it, Next is what holds from
// then on. Without Close the row is rewritten to Next (it had not begun, or its
// term alone changed); without both it is taken back before it began; without
// Was, Next is new.
type Step struct {
	Was   *Seat
	Close *Close
	Next  *Seat
}

// Close is how a row ends.
type Close struct {
	At     time.Time
	Why    string
	Reason string
}

// Edit is what a seat shall be; Of fills it with what it is.
type Edit struct {
	Role      string
	Voting    bool
	Suspended bool
	Until     *time.Time // nil: without end
	Reason    string
}

// Of is the seat as it stands.
func Of(s Seat) Edit {
	return Edit{Role: s.Role, Voting: s.Voting, Suspended: s.Suspended, Until: s.Until}
}

// Edit changes a seat at now. A change of role, voting or suspension ends the
// row and starts the next at the same instant; the end of the term alone moves.
// It reports Conflict for a seat that is over, Invalid for what cannot be.
func (s Seat) Edit(e Edit, now time.Time) (Step, error) {
	if s.Over(now) {
		return Step{}, problem.New(problem.Conflict, "The seat of %s has ended already.", s.Name)
	}
	next := s
	next.Role, next.Voting, next.Suspended, next.Until, next.Reason = e.Role, e.Voting, e.Suspended, e.Until, e.Reason
	if err := next.check(); err != nil {
		return Step{}, err
	}
	if next.Until != nil && !next.Until.After(s.instant(now)) {
		return Step{}, problem.Field("until", "Choose a day that lies ahead. To end the seat now, end it.")
	}
	next.Version++
	if !s.begun(now) || (next.Role == s.Role && next.Voting == s.Voting && next.Suspended == s.Suspended) {
		return Step{Was: &s, Next: &next}, nil
	}
	next.Since = s.instant(now)
	return Step{Was: &s, Close: &Close{next.Since, Changed, e.Reason}, Next: &next}, nil
}

// Same reports whether the edit would change nothing.
func (s Seat) Same(e Edit) bool {
	return e.Role == s.Role && e.Voting == s.Voting && e.Suspended == s.Suspended && sameInstant(e.Until, s.Until)
}

func sameInstant(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.Equal(*b)
}

// End ends a seat at now; one whose term has not begun is taken back. It reports
// Conflict for a seat that is over.
func (s Seat) End(why, reason string, now time.Time) (Step, error) {
	switch {
	case s.Over(now):
		return Step{}, problem.New(problem.Conflict, "The seat of %s has ended already.", s.Name)
	case !s.begun(now):
		return Step{Was: &s}, nil
	}
	return Step{Was: &s, Close: &Close{s.instant(now), why, reason}}, nil
}

// Replace ends a seat and gives its rest to another person at the same instant:
// a new seat that follows it, with its role, vote and term.
func (s Seat) Replace(person uuid.UUID, name string, now time.Time) ([]Step, error) {
	if person == s.PersonID {
		return nil, problem.Field("person", "%s holds this seat already.", name)
	}
	end, err := s.End(Replaced, "", now)
	if err != nil {
		return nil, err
	}
	next := s
	next.ID, next.PersonID, next.Name, next.Follows = uuid.Must(uuid.NewV7()), person, name, &s.ID
	next.AppointedBy, next.Suspended, next.Reason, next.Version = ByOrganization, false, "", 1
	if end.Close != nil {
		next.Since = end.Close.At
	}
	return []Step{end, {Next: &next}}, nil
}

// votes are the roles that may have a vote.
var votes = []string{Chair, ViceChair, Secretary, VotingRepresentative, AlternateRepresentative, InvitedExpert}

// represents are the roles that exist only for an organization, and the level of
// participation that each belongs to (ISO/IEC Directives: P votes, O observes, L
// is in liaison).
var represents = map[string]string{VotingRepresentative: "P", AlternateRepresentative: "P", LiaisonOfficer: "L"}

// MayVote reports whether a seat in the role may have a vote.
func MayVote(role string) bool { return slices.Contains(votes, role) }

// check refuses what no seat can be.
func (s Seat) check() error {
	var f problem.Fields
	if !slices.Contains(Roles, s.Role) {
		f.Add("role", "Choose a role.")
	}
	if s.Voting && !MayVote(s.Role) {
		f.Add("voting", "A seat in this role has no vote.")
	}
	if represents[s.Role] != "" && s.OrganizationID == nil {
		f.Add("role", "This role stands for an organization; in a personal capacity choose invited expert or observer.")
	}
	if s.Role == InvitedExpert && s.OrganizationID != nil {
		f.Add("role", "An invited expert sits in a personal capacity, not for an organization.")
	}
	return f.Err()
}

// Home is what membership needs to know of a commission.
type Home struct {
	ID                   uuid.UUID  `db:"id"`
	Slug                 string     `db:"slug"`
	Acronym              string     `db:"acronym"`
	Name                 string     `db:"name"`
	Kind                 string     `db:"kind"`
	State                string     `db:"state"`
	JoinMode             string     `db:"join_mode"`
	RosterVisibility     string     `db:"roster_visibility"`
	TermMonths           *int       `db:"term_months"`
	SeatsPerOrganization *int       `db:"seats_per_organization"`
	ConvenerID           *uuid.UUID `db:"convener_id"`
}

// Scope is the scope that access decides about the commission in.
func (h Home) Scope() access.Scope { return access.Commission(h.ID) }

// Path is the address of its page.
func (h Home) Path() string { return "/commissions/" + h.Slug }

// Takes reports whether people can take seats in it now: Conflict if not.
func (h Home) Takes() error {
	if h.State == "forming" || h.State == "active" {
		return nil
	}
	return problem.New(problem.Conflict, "%s is %s; seats are given only while a commission is forming or active.", h.Name, i18n.Key(h.State))
}

// KeepsChair reports Conflict if the steps leave an active commission without a
// chair: others is how many chairs it has besides the seats in steps.
func (h Home) KeepsChair(steps []Step, others int, now time.Time) error {
	if h.State != "active" || others > 0 {
		return nil
	}
	had := ""
	for _, st := range steps {
		if st.Was != nil && st.Was.Leads(now) {
			had = st.Was.Name
		}
		if st.Next != nil && st.Next.Leads(st.Next.instant(now)) {
			return nil
		}
	}
	if had == "" {
		return nil
	}
	return problem.New(problem.Conflict, "%s is the only chair of %s. Appoint a successor first.", had, h.Name)
}

// Standing is where an organization stands in a commission at an instant.
type Standing struct {
	ID    uuid.UUID `db:"id"`
	Slug  string    `db:"slug"`
	Name  string    `db:"name"`
	State string    `db:"state"`
	Level *string   `db:"level"` // of its participation: P, O, L; nil if it has none
	Seats int       `db:"seats"` // that it holds, or will hold
}

// with is the standing after one more seat in the role.
func (o Standing) with(role string) Standing {
	o.Seats++
	if l := level(role); o.Level == nil && l != "" {
		o.Level = &l
	}
	return o
}

// Admits reports whether the organization can have one more seat in the role:
// Conflict if it is no member or at its limit, Invalid (field "role") if the
// role is not for its level of participation.
func (h Home) Admits(o Standing, role string) error {
	switch {
	case o.State != "member":
		return problem.New(problem.Conflict, "%s is no member of the convention at this time, so nobody can take a seat for it.", o.Name)
	case h.SeatsPerOrganization != nil && o.Seats >= *h.SeatsPerOrganization:
		return problem.New(problem.Conflict, "%s holds %d seats in %s, which is as many as an organization may have here.", o.Name, o.Seats, h.Name)
	case o.Level == nil || Officer(role) || role == Emeritus:
		return nil
	}
	switch {
	case *o.Level == "P" && role == LiaisonOfficer, *o.Level != "P" && represents[role] == "P", *o.Level == "O" && role == LiaisonOfficer:
		return problem.Field("role", "%s takes part in this commission as %s, which does not go with this role.", o.Name, levelWords[*o.Level])
	}
	return nil
}

var levelWords = map[string]i18n.Key{"P": "a participating member", "O": "an observing member", "L": "a liaison"}

// level is the participation that a role speaks for, where the organization has
// none yet; "" for a role that needs none.
func level(role string) string {
	if role == Observer {
		return "O"
	}
	return represents[role]
}
