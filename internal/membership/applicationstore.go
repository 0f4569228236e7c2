package membership

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
)

// $2 is the instant at which the affiliation is asked for.
const applicationColumns = `a.id, a.commission_id, a.person_id, p.name AS person_name, p.state AS person_state, a.organization_id,
	o.slug AS organization_slug, o.name AS organization_name, a.nominated_by, n.name AS nominator, a.role, a.statement, a.state,
	a.decided_by, d.name AS decider, a.decided_at, a.reason, a.seat_id, a.created_at,
	EXISTS (SELECT FROM affiliation f WHERE f.person_id = a.person_id AND f.organization_id = a.organization_id
	        AND f.state = 'confirmed' AND f.period @> $2::timestamptz) AS affiliated`

const applicationFrom = `
	JOIN person p ON p.id = a.person_id
	LEFT JOIN organization o ON o.id = a.organization_id
	LEFT JOIN person n ON n.id = a.nominated_by
	LEFT JOIN person d ON d.id = a.decided_by`

func applicationByID(ctx context.Context, q postgres.Q, commission, id uuid.UUID, at time.Time) (Application, error) {
	return postgres.One[Application](ctx, q, access.ErrNotFound, `SELECT `+applicationColumns+` FROM application a `+applicationFrom+`
		WHERE a.commission_id = $1 AND a.id = $3`, commission, at, id)
}

// lockApplications reads applications of a commission for deciding on them; the
// commission is locked before, so that they are decided one after the other.
func lockApplications(ctx context.Context, q postgres.Q, commission uuid.UUID, ids []uuid.UUID, at time.Time) ([]Application, error) {
	return postgres.All[Application](ctx, q, `SELECT `+applicationColumns+` FROM application a `+applicationFrom+`
		WHERE a.commission_id = $1 AND a.id = ANY($3::uuid[]) ORDER BY a.id FOR UPDATE OF a FOR SHARE OF p`, commission, at, postgres.IDs(ids))
}

func lockApplication(ctx context.Context, q postgres.Q, commission, id uuid.UUID, at time.Time) (Application, error) {
	rows, err := lockApplications(ctx, q, commission, []uuid.UUID{id}, at)
	if err != nil || len(rows) == 0 {
		if err == nil {
			err = access.ErrNotFound
		}
		return Application{}, err
	}
	return rows[0], nil
}

// listApplications reads those that wait, the oldest first, or those decided, the
// newest first.
func listApplications(ctx context.Context, q postgres.Q, commission uuid.UUID, pending bool, at time.Time, page keyset.Page) ([]Application, error) {
	var w postgres.Where
	w.And("commission_id = ?", commission)
	w.Arg(at) // $2
	order := "ORDER BY created_at, id"
	if pending {
		w.And("state = 'pending'")
		w.If(page.After != nil, "(created_at, id) > (?::timestamptz, ?::uuid)", page.Key(0), page.Key(1))
	} else {
		w.And("state <> 'pending'")
		w.If(page.After != nil, "id < ?::uuid", page.Key(1))
		order = "ORDER BY id DESC"
	}
	outer := "ORDER BY a.created_at, a.id"
	if !pending {
		outer = "ORDER BY a.id DESC"
	}
	return postgres.All[Application](ctx, q, `SELECT `+applicationColumns+`
		FROM (SELECT id, commission_id, person_id, organization_id, nominated_by, role, statement, state, decided_by, decided_at, reason, seat_id, created_at
		      FROM application WHERE `+w.SQL()+` `+order+` LIMIT `+w.Arg(page.Fetch())+`) a `+applicationFrom+` `+outer, w.Args()...)
}

func insertApplication(ctx context.Context, q postgres.Q, a Application) error {
	_, err := q.Exec(ctx, `INSERT INTO application (id, commission_id, person_id, organization_id, nominated_by, role, statement, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, a.ID, a.CommissionID, a.PersonID, a.OrganizationID, a.NominatedBy, a.Role, a.Statement, a.CreatedAt)
	return err
}

// decided is how an application is closed.
type decided struct {
	ID     uuid.UUID  `json:"id"`
	State  string     `json:"state"`
	By     *uuid.UUID `json:"by"`
	At     time.Time  `json:"at"`
	Reason string     `json:"reason"`
	Seat   *uuid.UUID `json:"seat"`
}

// setDecided closes applications that still wait.
func setDecided(ctx context.Context, q postgres.Q, all []decided) error {
	return carryAll(ctx, q, all, `UPDATE application a SET state = d.state, decided_by = d.by, decided_at = d.at, reason = d.reason, seat_id = d.seat
		FROM jsonb_to_recordset($1::jsonb) AS d (id uuid, state text, by uuid, at timestamptz, reason text, seat uuid)
		WHERE a.id = d.id AND a.state = 'pending'`)
}

// sits reports whether a person holds, or will hold, a seat in the commission for
// the organization (nil: in a personal capacity) in the role.
func sits(ctx context.Context, q postgres.Q, commission, person uuid.UUID, organization *uuid.UUID, role string, at time.Time) (bool, error) {
	return postgres.One[bool](ctx, q, nil, `SELECT EXISTS (SELECT FROM seat WHERE commission_id = $1 AND person_id = $2
		AND organization_id IS NOT DISTINCT FROM $3 AND role = $4 AND coalesce(upper(period), 'infinity') > $5)`, commission, person, organization, role, at)
}

// choice is an organization that a person acts for, or says to.
type choice struct {
	Standing
	Confirmed bool `db:"confirmed"`
}

func choices(ctx context.Context, q postgres.Q, commission, person uuid.UUID, at time.Time) ([]choice, error) {
	return postgres.All[choice](ctx, q, `SELECT o.id, o.slug, o.name, o.state, f.state = 'confirmed' AS confirmed,
			(SELECT level FROM participation p WHERE p.organization_id = o.id AND p.commission_id = $1 AND p.period @> $3::timestamptz) AS level, 0 AS seats
		FROM affiliation f JOIN organization o ON o.id = f.organization_id
		WHERE f.person_id = $2 AND f.state IN ('claimed', 'confirmed') AND f.period @> $3::timestamptz AND o.state IN ('pending', 'member') ORDER BY o.name LIMIT 100`, commission, person, at)
}
