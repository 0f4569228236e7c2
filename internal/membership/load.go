package membership

import (
	"context"

	"github.com/lib/pq"

	"commissionportal/internal/calendar"
	"commissionportal/internal/journal"
)

// LoadSeatsDecide decides what an import does with each line of the temporary
// table staged that has no verdict: the commission takes seats, the seat is not
// there already, the organization has a seat left. What it decides on is locked,
// so that an organization suspended meanwhile is given none.
func LoadSeatsDecide(ctx context.Context, tx *journal.Tx) error {
	zone := pq.QuoteLiteral(calendar.Zone(ctx).String())
	for _, q := range []string{`
		SELECT 1 FROM commission WHERE id IN (SELECT commission_id FROM staged WHERE verdict IS NULL) ORDER BY id FOR UPDATE`, `
		SELECT 1 FROM organization WHERE id IN (SELECT organization_id FROM staged WHERE verdict IS NULL) ORDER BY id FOR SHARE`, `
		UPDATE staged s SET verdict = 'refused', notes = s.notes || concat_ws(E'\x1f', '%s is %s and takes no seats.', c.name, c.state)
		FROM commission c WHERE s.verdict IS NULL AND c.id = s.commission_id AND c.state NOT IN ('forming', 'active', 'dormant')`, `
		UPDATE staged s SET person_id = p.id FROM person p WHERE s.verdict IS NULL AND p.email = s.email`, `
		SELECT 1 FROM person WHERE id IN (SELECT person_id FROM staged WHERE verdict IS NULL) ORDER BY id FOR SHARE`, `
		UPDATE staged s SET verdict = 'refused', notes = s.notes || concat_ws(E'\x1f', 'The account of %s is suspended.', p.name)
		FROM person p WHERE s.verdict IS NULL AND p.id = s.person_id AND p.state <> 'active'`, `
		UPDATE staged s SET verdict = 'refused', notes = s.notes || concat_ws(E'\x1f', '%s is %s, not a member.', o.name, o.state)
		FROM organization o WHERE s.verdict IS NULL AND o.id = s.organization_id AND o.state <> 'member'`, `
		UPDATE staged SET organization_id = NULL WHERE verdict IS NULL AND role = 'invited_expert'`, `
		UPDATE staged s SET since = coalesce(s.since, s.at), voting = coalesce(s.voting, s.role = 'voting_representative'),
			until = CASE WHEN s.until IS NULL AND u.usual > s.at THEN u.usual ELSE s.until END
		FROM commission c, staged r CROSS JOIN LATERAL (SELECT date_trunc('day', coalesce(r.since, r.at) AT TIME ZONE ` + zone + `) AS day) d,
		LATERAL (SELECT (d.day + make_interval(months => c.term_months)
			+ CASE WHEN extract(day FROM d.day + make_interval(months => c.term_months)) < extract(day FROM d.day) THEN interval '1 day' ELSE interval '0' END) AT TIME ZONE ` + zone + ` AS usual) u
		WHERE s.verdict IS NULL AND c.id = s.commission_id AND r.line = s.line AND r.verdict IS NULL`, `
		UPDATE staged s SET verdict = 'skipped', twin = t.first, notes = s.notes || concat_ws(E'\x1f', 'The same as line %s.', t.first)
		FROM (SELECT line, first_value(line) OVER (PARTITION BY commission_id, email, role, organization_id, since ORDER BY line) AS first FROM staged WHERE verdict IS NULL) t
		WHERE t.line = s.line AND t.first <> s.line`, `
		UPDATE staged s SET verdict = 'refused', notes = s.notes || concat_ws(E'\x1f', 'Its term overlaps with that of line %s.', t.line)
		FROM staged t WHERE s.verdict IS NULL AND t.verdict IS NULL AND t.commission_id = s.commission_id AND t.email = s.email AND t.role = s.role
		  AND t.organization_id IS NOT DISTINCT FROM s.organization_id AND t.line < s.line AND tstzrange(t.since, t.until) && tstzrange(s.since, s.until)`, `
		UPDATE staged s SET verdict = 'skipped', notes = s.notes || CASE WHEN e.same THEN 'The seat is there already.' ELSE 'The person has this role there already, for another organization.' END
		FROM (SELECT s.line, bool_or(e.organization_id IS NOT DISTINCT FROM s.organization_id) AS same FROM staged s JOIN seat e
		        ON e.commission_id = s.commission_id AND e.person_id = s.person_id AND e.role = s.role AND e.period && tstzrange(s.since, s.until)
		      WHERE s.verdict IS NULL GROUP BY s.line) e
		WHERE e.line = s.line`, `
		UPDATE staged s SET verdict = 'refused', notes = s.notes || concat_ws(E'\x1f', 'The organization has all the seats it may have here (%s).', c.seats_per_organization)
		FROM (SELECT line, commission_id, organization_id, row_number() OVER (PARTITION BY commission_id, organization_id ORDER BY line) AS n
		      FROM staged WHERE verdict IS NULL AND organization_id IS NOT NULL AND coalesce(until, 'infinity') > at AND since <= at) r
		JOIN commission c ON c.id = r.commission_id AND c.seats_per_organization IS NOT NULL
		CROSS JOIN LATERAL (SELECT count(DISTINCT e.id) AS n FROM seat e WHERE e.commission_id = r.commission_id AND e.organization_id = r.organization_id
		      AND e.period @> (SELECT min(at) FROM staged)) held
		WHERE r.line = s.line AND held.n + r.n > c.seats_per_organization`, `
		UPDATE staged SET verdict = 'created', id = uuid_v7() WHERE verdict IS NULL`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// LoadSeats gives the seats that LoadSeatsDecide has decided on; their persons
// and participations are there by now.
func LoadSeats(ctx context.Context, tx *journal.Tx) error {
	for _, q := range []string{`
		INSERT INTO seat (id, period, commission_id, person_id, sort_name, organization_id, role, voting, appointed_by)
		SELECT s.id, tstzrange(s.since, s.until), s.commission_id, s.person_id, p.name, s.organization_id, s.role, s.voting, CASE WHEN s.trusted THEN 'secretariat' ELSE 'chair' END
		FROM staged s JOIN person p ON p.id = s.person_id WHERE s.verdict = 'created' ORDER BY s.line`, `
		UPDATE staged s SET name = left(s.name || ' – ' || c.name, 250), path = '/commissions/' || c.slug || '/roster' FROM commission c WHERE c.id = s.commission_id`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
