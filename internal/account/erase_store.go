package account

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

func lockPerson(ctx context.Context, q postgres.Q, id uuid.UUID) (Person, error) {
	if _, err := postgres.One[int](ctx, q, access.ErrNotFound, `SELECT 1 FROM person WHERE id = $1 FOR UPDATE`, id); err != nil {
		return Person{}, err
	}
	return byID(ctx, q, id)
}

func pendingErasure(ctx context.Context, q postgres.Q, person uuid.UUID) (*Erasure, error) {
	rows, err := postgres.All[Erasure](ctx, q, `
		SELECT id, asked_at, due_at, held_at IS NOT NULL AS held, asked_by = person_id AS own FROM erasure WHERE person_id = $1 AND state = 'pending'`, person)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

func insertErasure(ctx context.Context, q postgres.Q, id, person, by uuid.UUID, now, due time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO erasure (id, person_id, asked_by, asked_at, due_at) VALUES ($1, $2, $3, $4, $5)`, id, person, by, now, due)
	return err
}

func setKept(ctx context.Context, q postgres.Q, person uuid.UUID) error {
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "Nothing is to be erased: it was undone, or has been carried out."),
		`UPDATE erasure SET state = 'kept' WHERE person_id = $1 AND state = 'pending'`, person)
}

func setHeld(ctx context.Context, q postgres.Q, id uuid.UUID, now, due time.Time) error {
	return postgres.ExecOne(ctx, q, access.ErrNotFound, `UPDATE erasure SET held_at = coalesce(held_at, $2), due_at = $3 WHERE id = $1 AND state = 'pending'`, id, now, due)
}

func setDone(ctx context.Context, q postgres.Q, id uuid.UUID) error {
	return postgres.ExecOne(ctx, q, access.ErrNotFound, `UPDATE erasure SET state = 'done', names = '{}', addresses = '{}' WHERE id = $1 AND state = 'closed'`, id)
}

// erasuresWhere are the oldest that meet a condition at an instant.
func erasuresWhere(ctx context.Context, q postgres.Q, condition string, at time.Time) ([]uuid.UUID, error) {
	return postgres.All[uuid.UUID](ctx, q, `SELECT id FROM erasure WHERE `+condition+` ORDER BY due_at, id LIMIT 100`, at)
}

type erasureRow struct {
	ID        uuid.UUID      `db:"id"`
	PersonID  uuid.UUID      `db:"person_id"`
	HeldAt    *time.Time     `db:"held_at"`
	Names     pq.StringArray `db:"names"`
	Addresses pq.StringArray `db:"addresses"`
}

func lockErasure(ctx context.Context, q postgres.Q, id uuid.UUID, state string) (erasureRow, error) {
	return postgres.One[erasureRow](ctx, q, access.ErrNotFound, `
		SELECT id, person_id, held_at, names, addresses FROM erasure WHERE id = $1 AND state = $2 FOR UPDATE`, id, state)
}

func otherStaff(ctx context.Context, q postgres.Q, person uuid.UUID) (int, error) {
	return postgres.One[int](ctx, q, nil, `
		SELECT count(*) FROM portal_role r JOIN person p ON p.id = r.person_id WHERE r.role = 'secretariat' AND p.state = 'active' AND p.id <> $1`, person)
}

// emptyAccount takes away what a person has here, and all that is said of them but
// a pseudonym. What is to be searched for is kept with the erasure until that is done.
func emptyAccount(ctx context.Context, q postgres.Q, p Person, erasure uuid.UUID, name string, now time.Time) error {
	if err := postgres.ExecOne(ctx, q, access.ErrNotFound, `
		UPDATE erasure SET state = 'closed', closed_at = $3,
		  names = ARRAY(SELECT $4::text UNION SELECT value FROM person_former WHERE person_id = $2 AND kind = 'name'),
		  addresses = ARRAY(SELECT $5::text UNION SELECT value FROM person_former WHERE person_id = $2 AND kind = 'email'
		    UNION SELECT lower(email) FROM identity WHERE person_id = $2 AND email <> '')
		WHERE id = $1 AND state = 'pending'`, erasure, p.ID, now, p.Name, p.Email); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM session WHERE person_id = $1`,
		`DELETE FROM half_session WHERE person_id = $1`,
		`DELETE FROM token WHERE person_id = $1`,
		`DELETE FROM ticket WHERE person_id = $1`,
		`DELETE FROM address_change WHERE person_id = $1`,
		`DELETE FROM passkey_challenge WHERE person_id = $1`,
		`DELETE FROM identity WHERE person_id = $1`,
		`DELETE FROM identity_request WHERE person_id = $1`,
		`DELETE FROM portal_role WHERE person_id = $1`,
		`DELETE FROM idempotency WHERE person_id = $1`,
		`DELETE FROM person_former WHERE person_id = $1`,
	} {
		if _, err := q.Exec(ctx, statement, p.ID); err != nil {
			return err
		}
	}
	if _, err := deleteFactors(ctx, q, p.ID); err != nil {
		return err
	}
	if _, err := q.Exec(ctx, `
		UPDATE person SET state = 'erased', name = $2, email = id || '@erased.invalid', password_hash = NULL, confirmed_at = NULL, country = NULL, about = '',
		  language = 'en', time_zone = 'UTC', theme = 'auto', version = version + 1 WHERE id = $1`, p.ID, name); err != nil {
		return err
	}
	addresses, err := postgres.All[string](ctx, q, `SELECT unnest(addresses) FROM erasure WHERE id = $1`, erasure)
	if err != nil {
		return err
	}
	for _, email := range addresses {
		if err := deleteSignUps(ctx, q, email); err != nil {
			return err
		}
		if _, err := q.Exec(ctx, `DELETE FROM attempt WHERE strpos(key, $1) > 0`, accountKey(email)); err != nil {
			return err
		}
	}
	return nil
}

// searchFor is what is to be found of a person whose account was closed.
func searchFor(ctx context.Context, q postgres.Q, row erasureRow) (journal.Erasure, error) {
	p, err := byID(ctx, q, row.PersonID)
	if err != nil {
		return journal.Erasure{}, err
	}
	e := journal.Erasure{ID: row.ID, Person: p.ID, Pseudonym: p.Name, Names: row.Names, Addresses: row.Addresses}
	if e.Shared, err = postgres.All[string](ctx, q, `SELECT DISTINCT name FROM person WHERE name = ANY($1) AND id <> $2`, row.Names, p.ID); err != nil {
		return e, err
	}
	e.Objects, err = postgres.All[uuid.UUID](ctx, q, `
		SELECT $1::uuid UNION SELECT id FROM seat WHERE person_id = $1 UNION SELECT id FROM application WHERE person_id = $1
		UNION SELECT id FROM affiliation WHERE person_id = $1 UNION SELECT id FROM invitation WHERE email = $2`, p.ID, p.Email)
	return e, err
}

// forgetAnswers empties kept answers that name the person: who sends the request
// again learns that it was carried out.
func forgetAnswers(ctx context.Context, q postgres.Q, forms []string) error {
	marks := make(pq.ByteaArray, len(forms))
	for i, f := range forms {
		marks[i] = []byte(f)
	}
	_, err := q.Exec(ctx, `
		UPDATE idempotency SET state = 'committed', status = NULL, header = NULL, body = NULL
		WHERE state = 'answered' AND EXISTS (SELECT FROM unnest($1::bytea[]) m WHERE position(m IN body) > 0)`, marks)
	return err
}
