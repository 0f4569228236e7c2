// Package desk is where a person begins the day: what waits for them, their
// commissions and their organizations. It reads and never writes.
package desk

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// Service reads desks.
type Service struct {
	db     *postgres.DB
	access *access.Policy
}

// New makes the service.
func New(db *postgres.DB, policy *access.Policy) *Service {
	return &Service{db: db, access: policy}
}

// Kinds of what waits.
const (
	Decide     = "application.decide"   // an application in a commission I am an officer of
	Invited    = "invitation.answer"    // an invitation to my address
	Applied    = "application.pending"  // an application of mine
	TermEnds   = "term.mine"            // a term of mine ends soon
	TermsEnd   = "term.commission"      // terms in a commission I am an officer of end soon
	Accept     = "organization.accept"  // an organization asks to be a member (secretariat)
	Confirm    = "affiliation.confirm"  // a person claims to act for an organization I represent
	Grant      = "participation.decide" // an organization asks for a place in a commission I am an officer of
	Supporting = "commission.support"   // a proposal of mine collects support
	Submitted  = "document.accept"      // a document waits for the officers, of whom I am one
	Returned   = "document.returned"    // a document of mine was returned
	Review     = "access.review"        // roles and rules of a commission that I may change were not confirmed for six months
	Asked      = "document.due"         // a document asks the members of a commission of mine for something soon
)

// Item is one thing that waits. Who and Where are names; Slug, Of and ID say
// which page it leads to.
type Item struct {
	Kind  string    `db:"kind" json:"kind"`
	Slug  string    `db:"slug" json:"slug" doc:"Of the commission or organization it belongs to."`
	ID    uuid.UUID `db:"id" json:"id"`
	Who   string    `db:"who" json:"who,omitempty"`
	Where string    `db:"place" json:"where"`
	At    time.Time `db:"at" json:"at" doc:"Since when it waits, when the term ends, or by when something is asked."`
	Count int       `db:"n" json:"count" doc:"How many there are of this kind in that place."`
}

// Place is a commission or an organization of mine with what I am in it.
type Place struct {
	Slug  string     `db:"slug" json:"slug"`
	Name  string     `db:"name" json:"name"`
	Kind  string     `db:"kind" json:"kind"`
	State string     `db:"state" json:"state"`
	Role  string     `db:"role" json:"role"`
	For   *string    `db:"organization" json:"organization,omitempty"`
	Until *time.Time `db:"until" json:"until,omitempty"`
}

// Desk is all of it.
type Desk struct {
	Waiting       []Item  `json:"waiting"`
	Commissions   []Place `json:"commissions"`
	Organizations []Place `json:"organizations"`
}

// How many of a kind stand on a desk, the oldest first: of one commission, and in
// the portal. Item.Count says how many there are.
const (
	MostDecide = 3
	MostAccept = 10
)

// mostPlaces bounds what a desk lists of commissions and of organizations.
const mostPlaces = 300

// Show reads the actor's desk.
func (s *Service) Show(ctx context.Context, who access.Actor) (Desk, error) {
	var d Desk
	if _, err := s.access.Require(ctx, who, access.Portal, "desk", "read"); err != nil {
		return d, err
	}
	now := journal.Now(ctx)
	var err error
	if d.Waiting, err = waiting(ctx, s.db, s.access, who, access.See(ctx, who), now); err != nil {
		return d, err
	}
	d.Commissions, d.Organizations, err = places(ctx, s.db, who.ID, now)
	return d, err
}
