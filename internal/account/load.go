package account

import (
	"context"

	"commissionportal/internal/journal"
)

// LoadPersons finds the persons of the lines of the temporary table staged that
// are not refused by their e-mail addresses, and makes those that are missing:
// unconfirmed and without a password, so that nobody can sign in for them; they
// claim the account by signing up or resetting the password at that address, and
// are sent nothing. The person of a line is then in person_id; made says that it
// is new.
func LoadPersons(ctx context.Context, tx *journal.Tx) error {
	for _, q := range []string{`
		UPDATE staged s SET person_id = p.id, made = false FROM person p WHERE p.email = s.email AND s.verdict IS DISTINCT FROM 'refused'`, `
		UPDATE staged s SET person_id = p.id, made = false, notes = s.notes || concat_ws(E'\x1f', 'The address stays %s: only the person can change it.', p.email)
		FROM person p WHERE p.id = s.id AND s.person_id IS NULL AND s.verdict IS NULL`, `
		UPDATE staged s SET person_id = uuid_v7(), made = true FROM (
			SELECT min(line) AS line FROM staged WHERE person_id IS NULL AND email <> '' AND verdict IS DISTINCT FROM 'refused' GROUP BY email) f
		WHERE s.line = f.line`, `
		INSERT INTO person (id, email, name, country, language, time_zone, about, created_at)
		SELECT person_id, email, name, nullif(country, ''), coalesce(language, 'en'), coalesce(time_zone, 'UTC'), about, at FROM staged WHERE made ORDER BY line`, `
		UPDATE staged s SET person_id = f.person_id, made = false FROM staged f
		WHERE f.made AND f.email = s.email AND s.person_id IS NULL AND s.verdict IS DISTINCT FROM 'refused'`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// LoadProfiles corrects the persons that lines of staged are about, where the
// line says something else than the portal: only of those who came from the same
// source (id is theirs) and have not claimed their account yet; what somebody
// says of themselves is theirs. It decides the verdict of every line of persons.
func LoadProfiles(ctx context.Context, tx *journal.Tx) error {
	for _, q := range []string{`
		UPDATE staged s SET verdict = 'created' WHERE verdict IS NULL AND made`, `
		UPDATE staged s SET verdict = CASE WHEN affiliated THEN 'changed' ELSE 'skipped' END, twin = t.first,
			notes = s.notes || concat_ws(E'\x1f', CASE WHEN affiliated THEN 'The person of line %s, for another organization.' ELSE 'The same as line %s.' END, t.first)
		FROM (SELECT line, first_value(line) OVER (PARTITION BY email ORDER BY line) AS first FROM staged WHERE verdict IS NULL OR verdict = 'created') t
		WHERE s.line = t.line AND t.first <> s.line AND s.verdict IS NULL`, `
		UPDATE staged s SET verdict = CASE WHEN cardinality(d.fields) = 0 THEN 'skipped' ELSE 'changed' END, fields = d.fields,
			notes = s.notes || CASE WHEN cardinality(d.fields) = 0 THEN 'It is there already, as it is here.' ELSE concat_ws(E'\x1f', 'Changes %s.', array_to_string(d.fields, ', ')) END
		FROM (SELECT s.line, array_remove(ARRAY[
				CASE WHEN own AND s.name <> p.name THEN 'name' END,
				CASE WHEN own AND s.country <> '' AND s.country IS DISTINCT FROM p.country THEN 'country' END,
				CASE WHEN own AND s.language <> p.language THEN 'language' END,
				CASE WHEN own AND s.time_zone <> p.time_zone THEN 'time zone' END,
				CASE WHEN own AND s.about <> '' AND s.about <> p.about THEN 'about' END,
				CASE WHEN s.affiliated THEN 'organization' END], NULL) AS fields
			FROM staged s JOIN person p ON p.id = s.person_id
			CROSS JOIN LATERAL (SELECT s.tag = 'own' AND s.id = p.id AND p.confirmed_at IS NULL AND p.state = 'active' AS own) x
			WHERE s.verdict IS NULL) d
		WHERE s.line = d.line`, `
		UPDATE person p SET version = p.version + 1,
			name = CASE WHEN 'name' = ANY (s.fields) THEN s.name ELSE p.name END,
			country = CASE WHEN 'country' = ANY (s.fields) THEN s.country ELSE p.country END,
			language = CASE WHEN 'language' = ANY (s.fields) THEN s.language ELSE p.language END,
			time_zone = CASE WHEN 'time zone' = ANY (s.fields) THEN s.time_zone ELSE p.time_zone END,
			about = CASE WHEN 'about' = ANY (s.fields) THEN s.about ELSE p.about END
		FROM staged s WHERE s.verdict = 'changed' AND p.id = s.person_id AND s.fields && ARRAY['name', 'country', 'language', 'time zone', 'about']`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
