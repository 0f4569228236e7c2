package membership

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
)

// OnlyChair are the commissions, by name, that would have no chair without that person.
func (s *Service) OnlyChair(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) ([]string, error) {
	return postgres.All[string](ctx, q, `
		SELECT DISTINCT c.name FROM seat s JOIN commission c ON c.id = s.commission_id AND c.state = 'active'
		WHERE s.person_id = $1 AND s.rank = 1 AND s.period @> $2::timestamptz AND NOT s.suspended
		  AND NOT EXISTS (SELECT FROM seat o JOIN person p ON p.id = o.person_id AND p.state = 'active'
		    WHERE o.commission_id = c.id AND o.rank = 1 AND o.person_id <> $1 AND o.ended IS NULL AND NOT o.suspended AND o.since <= $2
		      AND coalesce(upper(o.period), 'infinity') > $2)
		ORDER BY c.name LIMIT 100`, person, now)
}

// ErasePerson ends the seats of a person whose account is closed for good, and
// tells officers and organizations as if the person had left; it withdraws
// applications, takes back invitations, and keeps nothing that the person wrote in
// them. Seats stay in the history of their commissions.
func (s *Service) ErasePerson(ctx context.Context, tx *journal.Tx, person uuid.UUID) error {
	withdrawn, err := postgres.All[uuid.UUID](ctx, tx, `UPDATE application SET state = 'withdrawn', decided_at = $2 WHERE person_id = $1 AND state = 'pending' RETURNING id`, person, tx.Now)
	if err != nil {
		return err
	}
	for _, id := range withdrawn {
		if err := tx.RecordAs("application", "withdraw", id, journal.Say("Withdrew the application of %s", journal.Person(person))); err != nil {
			return err
		}
	}
	seats, err := lockWhere(ctx, tx, tx.Now, "s.person_id = $2", person)
	if err != nil {
		return err
	}
	steps := make([]Step, len(seats))
	letters := letters{post: s.post, access: s.access}
	for i, p := range seats {
		if steps[i], err = p.End(Left, "", tx.Now); err != nil {
			return err
		}
		if err := tx.RecordAs("seat", "end", p.ID, journal.Say("Ended the seat of %s as %s in %s", journal.Person(p.PersonID), Word(p.Role), p.Commission)); err != nil {
			return err
		}
		h := p.home()
		if err := letters.officers(ctx, tx, h, "seat.left", h.Path()+"/roster", func(ctx context.Context) mail.Note { return left(ctx, h, p.Seat) }); err != nil {
			return err
		}
		if err := letters.representatives(ctx, tx, h, []Seat{p.Seat}, "seat.lost", lost); err != nil {
			return err
		}
	}
	if err := carry(ctx, tx, steps); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE application SET statement = '' WHERE person_id = $1`, person); err != nil {
		return err
	}
	ids, err := postgres.All[uuid.UUID](ctx, tx, `
		UPDATE invitation i SET state = 'revoked', answered_at = $2 FROM person p WHERE p.id = $1 AND i.email = p.email AND i.state = 'pending' RETURNING i.id`, person, tx.Now)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := tx.RecordAs("invitation", "revoke", id, journal.Say("Took back the invitation of %s", journal.Person(person))); err != nil {
			return err
		}
	}
	// A former address may have been invited as well.
	if _, err := tx.Exec(ctx, `
		UPDATE invitation SET email = $1::uuid || '@erased.invalid', message = '' WHERE state <> 'pending' AND email IN (
		  SELECT email FROM person WHERE id = $1 UNION SELECT value FROM person_former WHERE person_id = $1 AND kind = 'email')`, person); err != nil {
		return err
	}
	return letters.send(ctx, tx)
}

// Forget takes a person out of what others wrote about seats.
func (s *Service) Forget(ctx context.Context, tx *journal.Tx, e journal.Erasure) error {
	for _, t := range []struct {
		table, key string
		columns    []journal.Text
	}{
		{"seat", "(id, since)", []journal.Text{{Column: "reason", Max: 2000}}},
		{"application", "id", []journal.Text{{Column: "statement", Max: 5000}, {Column: "reason", Max: 2000}}},
		{"invitation", "id", []journal.Text{{Column: "message", Max: 2000}}},
	} {
		if err := e.In(ctx, tx, t.table, t.key, t.columns...); err != nil {
			return err
		}
	}
	return nil
}
