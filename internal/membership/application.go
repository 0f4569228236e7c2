package membership

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/problem"
)

// States of an application.
const (
	Pending   = "pending"
	Approved  = "approved"
	Rejected  = "rejected"
	Withdrawn = "withdrawn"
)

// Asked are the roles one can apply for, or be nominated to.
var Asked = []string{VotingRepresentative, AlternateRepresentative, LiaisonOfficer, Observer, InvitedExpert}

// Application asks for a seat: by the person, or for the person by the primary
// representative of their organization.
type Application struct {
	ID               uuid.UUID  `db:"id" json:"id"`
	CommissionID     uuid.UUID  `db:"commission_id" json:"-"`
	PersonID         uuid.UUID  `db:"person_id" json:"person_id"`
	Person           string     `db:"person_name" json:"person"`
	PersonState      string     `db:"person_state" json:"-"`
	OrganizationID   *uuid.UUID `db:"organization_id" json:"-"`
	Organization     *string    `db:"organization_slug" json:"organization,omitempty"`
	OrganizationName *string    `db:"organization_name" json:"organization_name,omitempty"`
	Affiliated       bool       `db:"affiliated" json:"-"`
	NominatedBy      *uuid.UUID `db:"nominated_by" json:"-"`
	Nominator        *string    `db:"nominator" json:"nominated_by,omitempty"`
	Role             string     `db:"role" json:"role"`
	Statement        string     `db:"statement" json:"statement"`
	State            string     `db:"state" json:"state"`
	DecidedBy        *uuid.UUID `db:"decided_by" json:"-"`
	Decider          *string    `db:"decider" json:"decided_by,omitempty"`
	DecidedAt        *time.Time `db:"decided_at" json:"decided_at,omitempty"`
	Reason           string     `db:"reason" json:"reason,omitempty"`
	SeatID           *uuid.UUID `db:"seat_id" json:"seat_id,omitempty"`
	CreatedAt        time.Time  `db:"created_at" json:"created_at"`
}

// Request is what an applicant writes.
type Request struct {
	Organization string // slug; "" in a personal capacity
	Role         string
	Statement    string
}

// Check normalizes r and reports every field that is wrong.
func (r *Request) Check() error {
	var f problem.Fields
	check.OneOf(&f, "role", r.Role, Asked...)
	check.Text(&f, "statement", &r.Statement, 0, 5000)
	switch {
	case r.Organization == "" && represents[r.Role] != "":
		f.Add("organization", "Choose the organization that you will stand for; in a personal capacity apply as invited expert or observer.")
	case r.Organization != "" && r.Role == InvitedExpert:
		f.Add("role", "An invited expert sits in a personal capacity, not for an organization.")
	}
	return f.Err()
}

// Decidable reports whether the application can still be decided or withdrawn:
// Conflict, which says who was first, if not.
func (a Application) Decidable() error {
	switch {
	case a.State == Pending:
		return nil
	case a.State == Withdrawn:
		return problem.New(problem.Conflict, "%s has withdrawn this application.", a.Person)
	case a.Decider == nil:
		return problem.New(problem.Conflict, "This application is %s already.", i18n.Key(a.State))
	case a.State == Approved:
		return problem.New(problem.Conflict, "%s has approved this application already.", *a.Decider)
	}
	return problem.New(problem.Conflict, "%s has rejected this application already.", *a.Decider)
}

// Approvable reports whether the applicant can be given a seat now.
func (a Application) Approvable() error {
	if err := a.Decidable(); err != nil {
		return err
	}
	switch {
	case a.PersonState != "active":
		return problem.New(problem.Conflict, "The account of %s is suspended.", a.Person)
	case a.OrganizationID != nil && !a.Affiliated:
		return problem.New(problem.Conflict, "%s no longer acts for %s. Ask for a new application.", a.Person, *a.OrganizationName)
	}
	return nil
}

// Approval is with what an application is approved; an empty Role is the one
// applied for, a nil Voting what is usual in the role.
type Approval struct {
	Role   string
	Voting *bool
	Terms
}

// seat is the seat that approving gives.
func (a Application) seat(with Approval, term Term, by string) (Seat, error) {
	s := Seat{ID: uuid.Must(uuid.NewV7()), Since: term.From, Until: term.Until, CommissionID: a.CommissionID, PersonID: a.PersonID, Name: a.Person,
		OrganizationID: a.OrganizationID, Role: a.Role, AppointedBy: by, Version: 1}
	if with.Role != "" {
		s.Role = with.Role
	}
	s.Voting = s.Role == VotingRepresentative
	if with.Voting != nil {
		s.Voting = *with.Voting
	}
	return s, s.check()
}

// checkReason is the reason that a refusal must give.
func checkReason(reason *string, required bool) error {
	var f problem.Fields
	check.Text(&f, "reason", reason, 0, 2000)
	if required && *reason == "" {
		f.Add("reason", "Say why, so that the person knows what to do.")
	}
	return f.Err()
}

// join says whether and how one comes into a commission by asking: Conflict,
// with the way there is, if not at all.
func (h Home) join() error {
	if err := h.Takes(); err != nil {
		return err
	}
	switch {
	case slices.Contains([]string{"open", "application"}, h.JoinMode):
		return nil
	case h.JoinMode == "invitation":
		return problem.New(problem.Conflict, "Seats in %s are given by invitation. Ask one of its officers to invite you.", h.Name)
	}
	return problem.New(problem.Conflict, "%s is closed: its officers appoint to its seats.", h.Name)
}

// Join is join for a page that explains.
func (h Home) Join() *problem.Error { return problem.As(h.join()) }
