package membership

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
)

type notice struct {
	mail.Reader
	SeatID     uuid.UUID `db:"seat_id"`
	Days       int       `db:"days"`
	Until      time.Time `db:"until"`
	Role       string    `db:"role"`
	Commission uuid.UUID `db:"commission_id"`
	Slug       string    `db:"slug"`
	Name       string    `db:"commission_name"`
}

// noticeBatch is how many letters about terms one change writes.
const noticeBatch = 500

// Terms tells the holders of seats that their term ends in 30 days, in 7, and
// when it has ended; the seats end by themselves. A letter is written once,
// however often this runs; one about a term shorter than its notice is left out,
// and so is one that would come days late.
func (s *Service) Terms(ctx context.Context) error {
	for {
		n, err := s.terms(ctx)
		if err != nil || n < noticeBatch {
			return err
		}
	}
}

func (s *Service) terms(ctx context.Context) (int, error) {
	now := journal.Now(ctx)
	due, err := dueNotices(ctx, s.db, now)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	permit := access.System("terms", access.Portal, "seat", "warn")
	return len(due), journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		type row struct {
			Seat  uuid.UUID `json:"seat"`
			Until time.Time `json:"until"`
			Days  int       `json:"days"`
		}
		rows := make([]row, len(due))
		for i, d := range due {
			rows[i] = row{d.SeatID, d.Until, d.Days}
			h := Home{ID: d.Commission, Slug: d.Slug, Name: d.Name}
			seat := Seat{ID: d.SeatID, Role: d.Role}
			note, kind := journal.Say("Told %s that the term ends in %s days", journal.Person(d.Reader.Person), itoa(d.Days)), "term.ending"
			if d.Days == 0 {
				note, kind = journal.Say("The term of %s as %s has ended", journal.Person(d.Reader.Person), Word(d.Role)), "term.ended"
			}
			if err := letters.to(ctx, d.Reader, kind, h.Path(), func(ctx context.Context) mail.Note {
				if d.Days == 0 {
					return ended(ctx, h, seat, "", "")
				}
				return ending(ctx, h, seat, d.Until)
			}); err != nil {
				return err
			}
			if err := tx.Record(d.SeatID, note); err != nil {
				return err
			}
		}
		// Of two who do this at once the second breaks the key, and finds nothing due
		// when it is tried again.
		if err := carryAll(ctx, tx, rows, `INSERT INTO term_notice (seat_id, until, days)
			SELECT seat, until, days FROM jsonb_to_recordset($1::jsonb) AS n (seat uuid, until timestamptz, days int)`); err != nil {
			return err
		}
		return letters.send(ctx, tx)
	})
}

// dueNotices reads what is due from the index of ends of terms.
func dueNotices(ctx context.Context, q postgres.Q, now time.Time) ([]notice, error) {
	return postgres.All[notice](ctx, q, `
		SELECT p.id AS person_id, p.email, p.name AS person_name, p.language, p.time_zone, s.id AS seat_id, d.days, upper(s.period) AS until,
			s.role, s.commission_id, c.slug, c.name AS commission_name
		FROM seat s
		CROSS JOIN LATERAL (SELECT CASE WHEN upper(s.period) <= $1 THEN 0 WHEN upper(s.period) <= $1 + interval '7 days' THEN 7 ELSE 30 END AS days) d
		JOIN person p ON p.id = s.person_id AND p.state = 'active'
		JOIN commission c ON c.id = s.commission_id
		WHERE s.ended IS NULL AND upper(s.period) IS NOT NULL AND upper(s.period) > $1 - interval '3 days' AND upper(s.period) <= $1 + interval '30 days'
		  AND (SELECT min(b.since) FROM seat b WHERE b.id = s.id) <= upper(s.period) - make_interval(days => d.days)
		  AND NOT EXISTS (SELECT FROM term_notice n WHERE n.seat_id = s.id AND n.until = upper(s.period) AND n.days = d.days)
		ORDER BY upper(s.period), s.id LIMIT 500`, now)
}

func ending(ctx context.Context, h Home, s Seat, until time.Time) mail.Note {
	return mail.Note{Subject: subject(i18n.T(ctx, "Your term in %s ends on %s", h.Name, i18n.LastDay(ctx, until))),
		Paragraphs: paragraphs(i18n.T(ctx, "Your term as %s in %s ends on %s. Then the seat ends by itself.", Word(s.Role), h.Name, i18n.LastDay(ctx, until)),
			i18n.T(ctx, "If you want to go on, ask an officer of the commission to extend the term.")),
		Button: i18n.T(ctx, "Open your seat"), Path: seatPath(h, s.ID), Footer: why(ctx, h)}
}
