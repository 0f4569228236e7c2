package organization

import (
	"context"

	"commissionportal/internal/journal"
)

// LoadAffiliations makes the persons of staged lines that will be carried out
// act for the organizations they name: confirmed where the secretariat imports
// (trusted), else claimed, for the organization to confirm. Which lines brought
// something new is in the column affiliated.
func LoadAffiliations(ctx context.Context, tx *journal.Tx) error {
	for _, q := range []string{`
		UPDATE staged s SET affiliated = true FROM (
			SELECT DISTINCT ON (person_id, organization_id) line FROM staged
			WHERE person_id IS NOT NULL AND organization_id IS NOT NULL AND coalesce(verdict, 'created') = 'created' AND coalesce(until, 'infinity') > at
			ORDER BY person_id, organization_id, line) f
		WHERE s.line = f.line AND NOT EXISTS (SELECT FROM affiliation a WHERE a.person_id = s.person_id AND a.organization_id = s.organization_id
			AND a.state <> 'declined' AND a.period && tstzrange(s.at, NULL))`, `
		INSERT INTO affiliation (person_id, organization_id, title, state, period)
		SELECT person_id, organization_id, title, CASE WHEN trusted THEN 'confirmed' ELSE 'claimed' END, tstzrange(at, NULL) FROM staged WHERE affiliated`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// LoadParticipations gives organizations the places in commissions that the
// lines of staged say, decides which are there already, and ends at the moment
// of the import those that it puts another level in the place of.
func LoadParticipations(ctx context.Context, tx *journal.Tx) error {
	for _, q := range []string{`
		SELECT 1 FROM commission WHERE id IN (SELECT commission_id FROM staged WHERE verdict IS NULL) ORDER BY id FOR SHARE`, `
		SELECT 1 FROM organization WHERE id IN (SELECT organization_id FROM staged WHERE verdict IS NULL) ORDER BY id FOR SHARE`, `
		UPDATE staged s SET verdict = 'refused', notes = s.notes || concat_ws(E'\x1f', CASE WHEN o.state = 'member' THEN '%s is %s and takes no participation.' ELSE '%s is %s, not a member.' END,
			CASE WHEN o.state = 'member' THEN c.name ELSE o.name END, CASE WHEN o.state = 'member' THEN c.state ELSE o.state END)
		FROM organization o, commission c
		WHERE s.verdict IS NULL AND o.id = s.organization_id AND c.id = s.commission_id
		  AND (o.state <> 'member' OR c.state NOT IN ('forming', 'active', 'dormant'))`, `
		UPDATE staged s SET verdict = 'skipped', twin = t.first, notes = s.notes || concat_ws(E'\x1f', 'The same as line %s.', t.first)
		FROM (SELECT line, first_value(line) OVER (PARTITION BY organization_id, commission_id, since ORDER BY line) AS first FROM staged WHERE verdict IS NULL) t
		WHERE s.line = t.line AND t.first <> s.line`, `
		UPDATE staged s SET verdict = 'refused', notes = s.notes || concat_ws(E'\x1f', 'Its time overlaps with that of line %s.', t.line)
		FROM staged t
		WHERE s.verdict IS NULL AND t.verdict IS NULL AND t.organization_id = s.organization_id AND t.commission_id = s.commission_id AND t.line < s.line
		  AND tstzrange(coalesce(t.since, t.at), t.until) && tstzrange(coalesce(s.since, s.at), s.until)`, `
		UPDATE staged s SET id = p.id, verdict = CASE WHEN coalesce(s.level, p.level) = p.level AND p.period @> s.at THEN 'skipped'
				WHEN p.period @> s.at AND lower(p.period) < s.at AND upper(p.period) IS NULL AND s.until IS NULL THEN 'changed' ELSE 'refused' END,
			notes = s.notes || CASE WHEN coalesce(s.level, p.level) = p.level AND p.period @> s.at THEN 'It is there already, as it is here.'
				WHEN p.period @> s.at AND lower(p.period) < s.at AND upper(p.period) IS NULL AND s.until IS NULL THEN concat_ws(E'\x1f', 'Changes from %s to %s.', p.level, s.level)
				ELSE 'Its time overlaps with a participation that is there.' END
		FROM (SELECT DISTINCT ON (s.line) s.line, p.id, p.level, p.period FROM staged s JOIN participation p
		        ON p.organization_id = s.organization_id AND p.commission_id = s.commission_id AND p.period && tstzrange(coalesce(s.since, s.at), s.until)
		      WHERE s.verdict IS NULL ORDER BY s.line, (p.period @> s.at) DESC, p.id) p
		WHERE s.line = p.line`,
		`UPDATE staged SET verdict = 'created', id = uuid_v7() WHERE verdict IS NULL`,
		`UPDATE participation p SET period = tstzrange(lower(p.period), s.at) FROM staged s WHERE s.verdict = 'changed' AND p.id = s.id`, `
		INSERT INTO participation (id, organization_id, commission_id, level, period)
		SELECT CASE WHEN verdict = 'created' THEN id ELSE uuid_v7() END, organization_id, commission_id, coalesce(level, 'P'),
		       tstzrange(CASE WHEN verdict = 'created' THEN coalesce(since, at) ELSE at END, until)
		FROM staged WHERE verdict IN ('created', 'changed')`, `
		UPDATE staged s SET name = left(o.name, 120) || ' – ' || left(c.name, 120), path = '/organizations/' || o.slug FROM organization o, commission c WHERE o.id = s.organization_id AND c.id = s.commission_id`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// LoadSeatParticipations gives the organizations for which the lines of staged
// take seats the participation that the seats need, where they never had one.
func LoadSeatParticipations(ctx context.Context, tx *journal.Tx) error {
	for _, q := range []string{`
		CREATE TEMP TABLE staged_place ON COMMIT DROP AS
			SELECT s.organization_id, s.commission_id, min(s.line) AS line, min(coalesce(s.since, s.at)) AS since,
			       CASE WHEN bool_or(s.role NOT IN ('observer', 'liaison_officer', 'emeritus')) THEN 'P' WHEN bool_or(s.role = 'liaison_officer') THEN 'L' ELSE 'O' END AS level
			FROM staged s WHERE s.verdict = 'created' AND s.organization_id IS NOT NULL
			  AND NOT EXISTS (SELECT FROM participation p WHERE p.organization_id = s.organization_id AND p.commission_id = s.commission_id)
			GROUP BY s.organization_id, s.commission_id`, `
		INSERT INTO participation (organization_id, commission_id, level, period)
		SELECT organization_id, commission_id, level, tstzrange(since, NULL) FROM staged_place`, `
		UPDATE staged s SET notes = s.notes || concat_ws(E'\x1f', '%s now participates (%s).', o.name, p.level)
		FROM staged_place p JOIN organization o ON o.id = p.organization_id WHERE s.line = p.line`, `
		DROP TABLE staged_place`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
