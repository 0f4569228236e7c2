package membership

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/mail"
	"commissionportal/internal/organization"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

const homeColumns = `id, slug, acronym, name, kind, state, join_mode, roster_visibility, term_months, seats_per_organization, convener_id`

// homeBySlug reads a commission; access.ErrNotFound where there is none.
func homeBySlug(ctx context.Context, q postgres.Q, slug string) (Home, error) {
	return postgres.One[Home](ctx, q, access.ErrNotFound, `SELECT `+homeColumns+` FROM commission WHERE slug = $1`, slug)
}

// lockHome reads a commission and keeps its seats to this transaction: what is
// counted (chairs, seats of an organization) stays true until it commits.
func lockHome(ctx context.Context, q postgres.Q, id uuid.UUID) (Home, error) {
	return postgres.One[Home](ctx, q, access.ErrNotFound, `SELECT `+homeColumns+` FROM commission WHERE id = $1 FOR NO KEY UPDATE`, id)
}

const seatColumns = `s.id, s.since, upper(s.period) AS until, s.commission_id, s.person_id, s.sort_name, s.organization_id, s.role, s.voting,
	s.suspended, s.appointed_by, s.follows, s.ended, s.reason, s.version`

// seatByID reads the last row of a seat: what it is, or was at its end.
func seatByID(ctx context.Context, q postgres.Q, commission, id uuid.UUID) (Seat, error) {
	return postgres.One[Seat](ctx, q, access.ErrNotFound, `SELECT `+seatColumns+` FROM seat s
		WHERE s.id = $1 AND s.commission_id = $2 ORDER BY s.since DESC LIMIT 1`, id, commission)
}

// lockSeats reads the last rows of seats of a commission, for changing them.
func lockSeats(ctx context.Context, q postgres.Q, commission uuid.UUID, ids []uuid.UUID) ([]Seat, error) {
	return postgres.All[Seat](ctx, q, `SELECT `+seatColumns+` FROM seat s
		WHERE s.id = ANY($1::uuid[]) AND s.commission_id = $2
		  AND s.since = (SELECT max(l.since) FROM seat l WHERE l.id = s.id)
		ORDER BY s.rank, s.sort_name, s.id FOR NO KEY UPDATE`, postgres.IDs(ids), commission)
}

// lockSeat is lockSeats for one; access.ErrNotFound where there is none.
func lockSeat(ctx context.Context, q postgres.Q, commission, id uuid.UUID) (Seat, error) {
	seats, err := lockSeats(ctx, q, commission, []uuid.UUID{id})
	if err != nil || len(seats) == 0 {
		if err == nil {
			err = access.ErrNotFound
		}
		return Seat{}, err
	}
	return seats[0], nil
}

// otherChairs counts the chairs at an instant besides those seats: rows that
// nobody has ended, and that began at the latest while this change waited. A seat
// of a person whose account is suspended leads nothing.
func otherChairs(ctx context.Context, q postgres.Q, commission uuid.UUID, at time.Time, besides []uuid.UUID) (int, error) {
	return postgres.One[int](ctx, q, nil, `SELECT count(*) FROM seat s JOIN person p ON p.id = s.person_id
		WHERE s.commission_id = $1 AND s.rank = 1 AND s.ended IS NULL AND s.since <= $2::timestamptz + interval '1 minute'
		  AND coalesce(upper(s.period), 'infinity') > $2 AND NOT s.suspended AND p.state = 'active'
		  AND s.id <> ALL($3::uuid[])`, commission, at, postgres.IDs(besides))
}

// lockStandings reads where organizations stand in a commission, and holds them
// as they are: one that is being suspended at this moment is waited for.
func lockStandings(ctx context.Context, q postgres.Q, commission uuid.UUID, at time.Time, ids []uuid.UUID) (map[uuid.UUID]Standing, error) {
	if len(ids) == 0 {
		return map[uuid.UUID]Standing{}, nil
	}
	rows, err := postgres.All[Standing](ctx, q, `SELECT o.id, o.slug, o.name, o.state,
			(SELECT level FROM participation p WHERE p.organization_id = o.id AND p.commission_id = $1 AND p.period @> $2::timestamptz) AS level,
			(SELECT count(DISTINCT s.id) FROM seat s WHERE s.organization_id = o.id AND s.commission_id = $1
			   AND coalesce(upper(s.period), 'infinity') > $2) AS seats
		FROM organization o WHERE o.id = ANY($3::uuid[]) ORDER BY o.id FOR SHARE OF o`, commission, at, postgres.IDs(ids))
	by := make(map[uuid.UUID]Standing, len(rows))
	for _, r := range rows {
		by[r.ID] = r
	}
	return by, err
}

// standing reads one organization by its slug or its name, without a lock.
func standing(ctx context.Context, q postgres.Q, commission uuid.UUID, at time.Time, written string) (Standing, error) {
	slug, err := organization.Named(ctx, q, written)
	if err != nil {
		return Standing{}, err
	}
	return postgres.One[Standing](ctx, q, problem.Field("organization", "There is no such organization."), `SELECT o.id, o.slug, o.name, o.state,
			(SELECT level FROM participation p WHERE p.organization_id = o.id AND p.commission_id = $1 AND p.period @> $2::timestamptz) AS level,
			(SELECT count(DISTINCT s.id) FROM seat s WHERE s.organization_id = o.id AND s.commission_id = $1
			   AND coalesce(upper(s.period), 'infinity') > $2) AS seats
		FROM organization o WHERE o.slug = $3`, commission, at, slug)
}

// affiliated reports whether a person acts for an organization at an instant, and
// holds the row that says so.
func affiliated(ctx context.Context, q postgres.Q, person, organization uuid.UUID, at time.Time) (bool, error) {
	rows, err := postgres.All[int](ctx, q, `SELECT 1 FROM affiliation
		WHERE person_id = $1 AND organization_id = $2 AND state = 'confirmed' AND period @> $3::timestamptz FOR SHARE`, person, organization, at)
	return len(rows) > 0, err
}

// errMoved is the answer when a row is no longer what was decided on.
var errMoved = problem.New(problem.Stale, "Somebody changed this seat meanwhile. Look at it again.")

// carry writes steps, in three statements at most, however many there are.
// Every row that is touched must be the version that was read.
func carry(ctx context.Context, q postgres.Q, steps []Step) error {
	type closing struct {
		ID      uuid.UUID `json:"id"`
		Version int       `json:"version"`
		At      time.Time `json:"at"`
		Why     string    `json:"why"`
		Reason  string    `json:"reason"`
	}
	var closes []closing
	var begin, rewrite []Seat
	var drop []closing
	for _, st := range steps {
		switch {
		case st.Close != nil:
			closes = append(closes, closing{st.Was.ID, st.Was.Version, st.Close.At, st.Close.Why, st.Close.Reason})
			if st.Next != nil {
				begin = append(begin, *st.Next)
			}
		case st.Was != nil && st.Next != nil:
			rewrite = append(rewrite, *st.Next)
		case st.Was != nil:
			drop = append(drop, closing{ID: st.Was.ID, Version: st.Was.Version})
		default:
			begin = append(begin, *st.Next)
		}
	}
	if err := carryAll(ctx, q, closes, `UPDATE seat s SET period = tstzrange(s.since, c.at), ended = c.why, reason = c.reason
		FROM jsonb_to_recordset($1::jsonb) AS c (id uuid, version int, at timestamptz, why text, reason text)
		WHERE s.id = c.id AND s.version = c.version AND s.ended IS NULL AND coalesce(upper(s.period), 'infinity') >= c.at`); err != nil {
		return err
	}
	if err := carryAll(ctx, q, rewrite, `UPDATE seat s SET role = n.role, voting = n.voting, suspended = n.suspended, reason = n.reason,
			organization_id = n.organization_id, period = tstzrange(s.since, n.until), version = n.version
		FROM jsonb_to_recordset($1::jsonb) AS n (id uuid, version int, until timestamptz, role text, voting boolean, suspended boolean, reason text, organization_id uuid)
		WHERE s.id = n.id AND s.version = n.version - 1 AND s.ended IS NULL`); err != nil {
		return err
	}
	if err := carryAll(ctx, q, drop, `DELETE FROM seat s USING jsonb_to_recordset($1::jsonb) AS d (id uuid, version int)
		WHERE s.id = d.id AND s.version = d.version`); err != nil {
		return err
	}
	return carryAll(ctx, q, begin, `INSERT INTO seat (id, period, commission_id, person_id, sort_name, organization_id, role, voting, suspended, appointed_by, follows, reason, version)
		SELECT n.id, tstzrange(n.since, n.until), n.commission_id, n.person_id, p.name, n.organization_id, n.role, n.voting, n.suspended, n.appointed_by, n.follows, n.reason, n.version
		FROM jsonb_to_recordset($1::jsonb) AS n (id uuid, since timestamptz, until timestamptz, commission_id uuid, person_id uuid, organization_id uuid,
			role text, voting boolean, suspended boolean, appointed_by text, follows uuid, reason text, version int)
		JOIN person p ON p.id = n.person_id`)
}

func carryAll[T any](ctx context.Context, q postgres.Q, rows []T, statement string) error {
	if len(rows) == 0 {
		return nil
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("membership: %w", err)
	}
	n, err := q.Exec(ctx, statement, string(raw))
	if err == nil && int(n) != len(rows) {
		err = errMoved
	}
	return err
}

// constraint turns a broken constraint into the problem of what caused it.
func constraint(err error) error {
	switch postgres.Constraint(err) {
	case "seat_no_double":
		return &problem.Error{Kind: problem.Conflict, Fields: []problem.FieldError{{Field: "role", Format: errDouble.Format}}}
	case "application_pending_once":
		return problem.New(problem.Conflict, "There is an application for this person already. It waits for the officers' answer.")
	case "invitation_pending_once":
		return problem.New(problem.Conflict, "One of these persons has been invited meanwhile. Look at the list again.")
	}
	return err
}

// readersOf are persons as readers of letters.
func readersOf(ctx context.Context, q postgres.Q, ids []uuid.UUID) (map[uuid.UUID]mail.Reader, error) {
	rows, err := postgres.All[mail.Reader](ctx, q, `SELECT id AS person_id, email, name AS person_name, language, time_zone
		FROM person WHERE id = ANY($1::uuid[]) AND state = 'active'`, postgres.IDs(ids))
	by := make(map[uuid.UUID]mail.Reader, len(rows))
	for _, r := range rows {
		by[r.Person] = r
	}
	return by, err
}

// deciders are those who decide on applications, as the rules of the commission
// have it: by default the officers, and the convener as long as it is forming.
func deciders(ctx context.Context, q postgres.Q, policy *access.Policy, h Home, at time.Time) ([]mail.Reader, error) {
	shape, err := policy.Shape(ctx, q, h.ID)
	if err != nil {
		return nil, err
	}
	return postgres.All[mail.Reader](ctx, q, `SELECT p.id AS person_id, p.email, p.name AS person_name, p.language, p.time_zone
		FROM person p WHERE p.state = 'active' AND p.id IN (`+access.Holding+`) ORDER BY p.id LIMIT 50`, h.ID, policy.Holders(shape, "application", "decide"), at)
}

// homeByID reads a commission by its key.
func homeByID(ctx context.Context, q postgres.Q, id uuid.UUID) (Home, error) {
	return postgres.One[Home](ctx, q, access.ErrNotFound, `SELECT `+homeColumns+` FROM commission WHERE id = $1`, id)
}
