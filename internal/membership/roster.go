package membership

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Filter narrows a roster; empty fields do not.
type Filter struct {
	Role         string
	Organization string // slug
	Country      string // ISO 3166 alpha-2, of the organization, or of a person in a personal capacity
	Query        string // part of the name of the person or organization
}

// RosterSeat is a seat as a roster shows it.
type RosterSeat struct {
	ID               uuid.UUID  `db:"id" json:"id"`
	PersonID         uuid.UUID  `db:"person_id" json:"person_id"`
	Name             string     `db:"name" json:"name"`
	Organization     *string    `db:"organization_slug" json:"organization,omitempty" doc:"Slug; absent in a personal capacity."`
	OrganizationName *string    `db:"organization_name" json:"organization_name,omitempty"`
	Country          *string    `db:"country" json:"country,omitempty"`
	Role             string     `db:"role" json:"role"`
	Voting           bool       `db:"voting" json:"voting"`
	Suspended        bool       `db:"suspended" json:"suspended"`
	From             time.Time  `db:"began" json:"from"`
	Until            *time.Time `db:"until" json:"until,omitempty" doc:"The instant at which the term ends; absent if it is without end."`
	AppointedBy      string     `db:"appointed_by" json:"appointed_by"`
	Version          int        `db:"version" json:"version"`
	Email            *string    `db:"email" json:"-"`
	Rank             int        `db:"rank" json:"-"`
	SortName         string     `db:"sort_name" json:"-"`
}

// Roster is a page of the seats of a commission as of an instant.
type Roster struct {
	Home
	AsOf time.Time
	Rows []RosterSeat
	Next string // cursor of the next page, "" for none
	// Now: as of this moment, and not of one that has passed.
	Now bool
	// Emails: addresses are there.
	Emails bool
	// OfficersOnly: only the officers are shown, who are public in any case.
	OfficersOnly bool
}

// Roster reads the seats as of at, in the order of roles and names. Who may not
// see it finds nothing there.
func (s *Service) Roster(ctx context.Context, who access.Actor, slug string, at time.Time, f Filter, page keyset.Page) (Roster, error) {
	r, err := s.roster(ctx, who, slug, at)
	if err != nil {
		return r, err
	}
	r.Rows, r.Next, err = rosterPage(ctx, s.db, r, f, page)
	return r, err
}

// PublicRoster is Roster for a page that everybody may open: where the roster is
// hidden from the reader, it shows the officers, who stand for the commission.
func (s *Service) PublicRoster(ctx context.Context, who access.Actor, slug string, at time.Time, f Filter, page keyset.Page) (Roster, error) {
	r, err := s.roster(ctx, who, slug, at)
	if problem.Of(err, problem.NotFound) || problem.Of(err, problem.SignIn) || problem.Of(err, problem.Forbidden) {
		if r.ID == uuid.Nil {
			return r, err
		}
		if _, err := s.access.Require(ctx, who, r.Scope(), "commission", "read"); err != nil {
			return r, err
		}
		r.OfficersOnly = true
	} else if err != nil {
		return r, err
	}
	r.Rows, r.Next, err = rosterPage(ctx, s.db, r, f, page)
	return r, err
}

// Each calls fn for every seat of the roster, one at a time: for exports.
// Addresses are there only for those who keep the seats.
func (s *Service) Each(ctx context.Context, who access.Actor, slug string, at time.Time, f Filter) (Roster, func(func(RosterSeat) error) error, error) {
	r, err := s.roster(ctx, who, slug, at)
	if err != nil {
		return r, nil, err
	}
	r.Emails = s.access.May(who, r.Scope(), "seat", "edit")
	return r, func(fn func(RosterSeat) error) error {
		query, args := rosterQuery(r, f, keyset.Page{Limit: mostExported})
		return postgres.Each(ctx, s.db, func(row RosterSeat) error {
			if !r.Emails {
				row.Email = nil
			}
			return fn(row)
		}, query, args...)
	}, nil
}

// mostExported is how long an export can be; no roster is.
const mostExported = 200_000

func (s *Service) roster(ctx context.Context, who access.Actor, slug string, at time.Time) (Roster, error) {
	h, err := homeBySlug(ctx, s.db, slug)
	if err != nil {
		return Roster{}, err
	}
	r := Roster{Home: h, AsOf: at, Now: journal.Now(ctx).Sub(at) < waited}
	_, err = s.access.Require(ctx, who, h.Scope(), "roster", "read:"+h.RosterVisibility)
	return r, err
}

func rosterPage(ctx context.Context, q postgres.Q, r Roster, f Filter, page keyset.Page) ([]RosterSeat, string, error) {
	query, args := rosterQuery(r, f, page)
	rows, err := postgres.All[RosterSeat](ctx, q, query, args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(r RosterSeat) []string { return []string{itoa(r.Rank), r.SortName, r.ID.String()} })
	return rows, next, nil
}

// rosterQuery cuts the page from the index seat_roster, which alone has all that
// this needs, and reads the rows after, so it costs what it shows. The period is
// compared by its bounds: for @> the planner may take the index of the exclusion
// constraint, which knows no order, and then every page sorts the whole roster.
func rosterQuery(r Roster, f Filter, page keyset.Page) (string, []any) {
	var w postgres.Where
	w.And("commission_id = ?", r.ID)
	at := w.Arg(r.AsOf)
	w.And("lower(period) <= " + at + "::timestamptz AND coalesce(upper(period), 'infinity') > " + at + "::timestamptz")
	w.If(r.OfficersOnly, "rank <= 3")
	w.If(f.Role != "", "rank = ?::smallint", rank(f.Role))
	w.If(f.Organization != "", "organization_id = (SELECT id FROM organization WHERE slug = ?)", f.Organization)
	if f.Country != "" {
		// Not EXISTS: Postgres would read every person of the country first.
		w.And(`CASE WHEN organization_id IS NULL THEN (SELECT country FROM person WHERE id = person_id)
			ELSE (SELECT country FROM organization WHERE id = organization_id) END = ?`, f.Country)
	}
	if f.Query != "" {
		// As an array, so that both sides of OR are looked up in an index.
		w.And("(" + w.Named("sort_name", f.Query) + " OR organization_id = ANY (ARRAY(SELECT id FROM organization WHERE " + w.Named("name", f.Query) + ")))")
	}
	w.If(page.After != nil, `(rank, sort_name, id) > (?::smallint, ? COLLATE "und-x-icu", ?::uuid)`, page.Key(0), page.Key(1), page.Key(2))
	account := "false" // what was, an account suspended today has no part in
	if r.Now {
		account = "p.state <> 'active'"
	}
	return `
		SELECT s.id, s.person_id, s.sort_name, s.sort_name AS name, o.slug AS organization_slug, o.name AS organization_name,
			CASE WHEN o.id IS NULL THEN p.country ELSE o.country END AS country, s.role, s.rank, s.voting, s.suspended OR ` + account + ` AS suspended,
			(SELECT min(b.since) FROM seat b WHERE b.id = s.id) AS began, upper(s.period) AS until, s.appointed_by, s.version, p.email
		FROM (SELECT id, lower(period) AS since FROM seat
		      WHERE ` + w.SQL() + ` ORDER BY rank, sort_name, id LIMIT ` + w.Arg(page.Fetch()) + `) cut
		JOIN seat s ON s.id = cut.id AND s.since = cut.since
		JOIN person p ON p.id = s.person_id
		LEFT JOIN organization o ON o.id = s.organization_id
		ORDER BY s.rank, s.sort_name, s.id`, w.Args()
}

// rank is the place of a role in the order of a roster, as the schema computes
// it: the index of a roster has it, and not the role.
func rank(role string) int { return slices.Index(Roles, role) + 1 }

// Part is one row of the history of a seat, newest first.
type Part struct {
	Seat
	PersonState      string  `db:"person_state"`
	Organization     *string `db:"organization_slug"`
	OrganizationName *string `db:"organization_name"`

	NextSeat   *uuid.UUID `db:"next_seat"`   // that followed it
	NextName   *string    `db:"next_name"`   //
	BeforeName *string    `db:"before_name"` // of the holder of the seat it followed
	Began      time.Time  `db:"began"`       // the first row of the seat
}

// History is a seat with all that it was.
type History struct {
	Home
	Seat  Part   // its last row
	Parts []Part // all rows, newest first
	// What the reader may do with it.
	Keep, Appoint, Leave bool
	Private              bool // sees the reasons given
}

// History reads a seat: for those who see the roster or change seats, its holder, and
// everybody if it is an officer's.
func (s *Service) History(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (History, error) {
	h, err := homeBySlug(ctx, s.db, slug)
	if err != nil {
		return History{}, err
	}
	_, hidden := s.access.Require(ctx, who, h.Scope(), "roster", "read:"+h.RosterVisibility)
	parts, err := partsOf(ctx, s.db, h.ID, id)
	if err != nil {
		return History{}, err
	}
	if len(parts) == 0 {
		return History{}, access.ErrNotFound
	}
	x := History{Home: h, Seat: parts[0], Parts: parts}
	mine := who.SignedIn() && x.Seat.PersonID == who.ID
	ours := x.Seat.OrganizationID != nil && s.access.May(who, access.Organization(*x.Seat.OrganizationID), "seat", "nominate")
	edit := s.access.May(who, h.Scope(), "seat", "edit")
	if hidden != nil && !mine && !ours && !edit && !Officer(x.Seat.Role) {
		return History{}, access.ErrNotFound
	}
	now := journal.Now(ctx)
	x.Keep = edit && !x.Seat.Over(now)
	x.Appoint = s.access.May(who, h.Scope(), "seat", "appoint")
	x.Leave = mine && !x.Seat.Over(now)
	x.Private = mine || edit
	return x, nil
}

func partsOf(ctx context.Context, q postgres.Q, commission, id uuid.UUID) ([]Part, error) {
	return postgres.All[Part](ctx, q, `SELECT `+seatColumns+`, p.state AS person_state, o.slug AS organization_slug, o.name AS organization_name,
			n.id AS next_seat, n.sort_name AS next_name,
			(SELECT b.sort_name FROM seat b WHERE b.id = s.follows ORDER BY b.since DESC LIMIT 1) AS before_name,
			min(s.since) OVER () AS began
		FROM seat s JOIN person p ON p.id = s.person_id
		LEFT JOIN organization o ON o.id = s.organization_id
		LEFT JOIN LATERAL (SELECT f.id, f.sort_name FROM seat f WHERE f.follows = s.id AND s.ended = 'replaced' ORDER BY f.since LIMIT 1) n ON true
		WHERE s.id = $1 AND s.commission_id = $2 ORDER BY s.since DESC LIMIT 200`, id, commission)
}
