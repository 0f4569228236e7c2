package organization

import (
	"context"

	"github.com/lib/pq"

	"commissionportal/internal/journal"
)

// LoadOrganizations decides what an import does with each line of the temporary
// table staged that has no verdict, and does it. A line whose identifier is known
// (id) corrects the organization if it came from the same source (made), and else
// only fills what is empty. Without one, it is the organization, or the earlier
// line, with the same domain and plain name, or with the same name in the same
// country, or with the same name where no other domain or country speaks against
// it; whatever is less alike stays apart, which is noted.
func LoadOrganizations(ctx context.Context, tx *journal.Tx) error {
	for _, q := range []string{loadFollow, loadTwins, loadChase, loadFound, loadOnce, loadDiffer, loadNew} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	// The slug of the name, with the country, a number or a part of the id: the first that is free.
	for _, slug := range []string{"base", "base || '-' || lower(nullif(country, ''))", "base || '-2'", "base || '-3'", "coalesce(base, 'organization') || '-' || right(id::text, 12)"} {
		_, err := tx.ExecContext(ctx, `
			UPDATE staged s SET slug = c.slug FROM (
				SELECT DISTINCT ON (slug) line, slug FROM (SELECT line, left(`+slug+`, 80) AS slug FROM staged WHERE verdict = 'created' AND slug IS NULL) x
				WHERE slug IS NOT NULL AND slug <> ALL ($1) ORDER BY slug, line) c
			WHERE s.line = c.line AND NOT EXISTS (SELECT FROM organization o WHERE o.slug = c.slug)
			  AND NOT EXISTS (SELECT FROM organization_name n WHERE n.slug = c.slug) AND NOT EXISTS (SELECT FROM staged t WHERE t.slug = c.slug)`, pq.Array(reserved))
		if err != nil {
			return err
		}
	}
	for _, q := range []string{loadRenamed, loadUpdate, loadInsert, loadPaths} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// Names that differ only in marks are written the same: "Cisco Systems, Inc."
const (
	loadMarks   = `' .,;:’“”()/-–''"', ''`
	loadWritten = `translate(lower(name), ` + loadMarks + `)`
)

const (
	// What was merged away is the organization that it was merged into.
	loadFollow = `
		WITH RECURSIVE target AS (
			SELECT s.line, o.id, o.merged_into, 1 AS depth FROM staged s JOIN organization o ON o.id = s.id WHERE s.verdict IS NULL
			UNION ALL
			SELECT t.line, o.id, o.merged_into, depth + 1 FROM target t JOIN organization o ON o.id = t.merged_into WHERE depth < 20)
		UPDATE staged s SET id = t.id, made = s.made AND t.depth = 1 FROM target t WHERE t.line = s.line AND t.merged_into IS NULL AND t.id <> s.id`

	// Lines that are the same as another: in each window that one is the fullest,
	// so chains of them lead from the emptier to the fuller and end.
	loadTwins = `
		WITH w AS (
			SELECT line, id, CASE
				WHEN domain <> '' THEN first_value(line) OVER (PARTITION BY plain, domain ORDER BY line)
				WHEN country <> '' THEN first_value(line) OVER (PARTITION BY ` + loadWritten + `, country ORDER BY (domain = ''), line)
				ELSE first_value(line) OVER (PARTITION BY ` + loadWritten + ` ORDER BY (domain = ''), (country = ''), line) END AS twin
			FROM staged WHERE verdict IS NULL AND twin IS NULL)
		UPDATE staged s SET twin = w.twin FROM w JOIN staged f ON f.line = w.twin
		WHERE s.line = w.line AND w.twin <> s.line AND (s.id IS NULL OR f.id IS NULL OR s.id = f.id);
		WITH w AS (
			SELECT line, first_value(line) OVER (PARTITION BY ` + loadWritten + `, country ORDER BY line) AS twin
			FROM staged WHERE verdict IS NULL AND twin IS NULL AND country <> '')
		UPDATE staged s SET twin = w.twin FROM w JOIN staged f ON f.line = w.twin
		WHERE s.line = w.line AND w.twin <> s.line AND (s.id IS NULL OR f.id IS NULL OR s.id = f.id)`

	loadChase = `
		WITH RECURSIVE chain AS (
			SELECT line, twin, 1 AS depth FROM staged WHERE twin IS NOT NULL AND verdict IS NULL
			UNION ALL
			SELECT c.line, s.twin, depth + 1 FROM chain c JOIN staged s ON s.line = c.twin WHERE s.twin IS NOT NULL AND depth < 20),
		last AS (SELECT DISTINCT ON (line) line, twin FROM chain ORDER BY line, depth DESC)
		UPDATE staged s SET twin = l.twin, verdict = 'skipped', notes = notes || concat_ws(E'\x1f', 'The same as line %s.', l.twin)
		FROM last l WHERE l.line = s.line`

	loadFound = `
		UPDATE staged s SET id = m.id, made = false, tag = 'alike' FROM (
			SELECT DISTINCT ON (s.line) s.line, o.id FROM staged s JOIN organization o ON o.plain_name = s.plain
			WHERE s.id IS NULL AND s.verdict IS NULL AND o.state NOT IN ('merged', 'declined')
			  AND (s.domain <> '' AND o.domain = s.domain
			       OR translate(lower(o.name), ` + loadMarks + `) = translate(lower(s.name), ` + loadMarks + `) AND (o.country = s.country OR (s.domain = '' OR o.domain = '') AND (s.country = '' OR o.country IS NULL)))
			ORDER BY s.line, (o.domain = s.domain) DESC, (o.country = s.country) DESC NULLS LAST, o.id) m
		WHERE m.line = s.line`

	// Two lines for one organization: the one that is known by its identifier has
	// it. Another that is known too is the same; one that was only alike is not.
	loadOnce = `
		UPDATE staged s SET id = CASE WHEN s.tag IS NULL THEN s.id END, made = CASE WHEN s.tag IS NULL THEN s.made END,
			twin = CASE WHEN s.tag IS NULL THEN k.first END, verdict = CASE WHEN s.tag IS NULL THEN 'skipped' END,
			notes = CASE WHEN s.tag IS NULL THEN s.notes || concat_ws(E'\x1f', 'The same as line %s.', k.first) ELSE s.notes END
		FROM (SELECT line, first_value(line) OVER (PARTITION BY id ORDER BY (tag IS NOT NULL), (made IS NOT TRUE), line) AS first
		      FROM staged WHERE verdict IS NULL AND id IS NOT NULL) k
		WHERE s.line = k.line AND k.first <> s.line`

	loadDiffer = `
		UPDATE staged s SET verdict = CASE WHEN cardinality(d.fields) = 0 THEN 'skipped' ELSE 'changed' END, fields = d.fields,
			notes = s.notes || CASE WHEN cardinality(d.fields) = 0 THEN 'It is there already, as it is here.' ELSE concat_ws(E'\x1f', 'Changes %s.', array_to_string(d.fields, ', ')) END
		FROM (SELECT s.line, array_remove(ARRAY[
				CASE WHEN s.made AND s.name <> o.name THEN 'name' END,
				CASE WHEN s.made AND s.kind <> o.kind THEN 'kind' END,
				CASE WHEN s.made AND s.category <> o.category THEN 'category' END,
				CASE WHEN s.country <> '' AND (s.made AND s.country <> o.country OR o.country IS NULL) THEN 'country' END,
				CASE WHEN s.website <> '' AND (s.made AND s.website <> o.website OR o.website = '') THEN 'website' END,
				CASE WHEN s.domain <> '' AND (s.made AND s.domain <> o.domain OR o.domain = '') THEN 'domain' END,
				CASE WHEN s.about <> '' AND (s.made AND s.about <> o.about OR o.about = '') THEN 'about' END], NULL) AS fields
			FROM staged s JOIN organization o ON o.id = s.id WHERE s.verdict IS NULL) d
		WHERE d.line = s.line`

	loadNew = `
		UPDATE staged s SET verdict = 'created', id = uuid_v7(), made = true, notes = s.notes || coalesce(n.near, '{}')
		FROM (SELECT s.line, CASE
				WHEN o.name IS NOT NULL THEN ARRAY[concat_ws(E'\x1f', 'Much like %s, which is in the portal; kept apart. Merge them if they are one.', o.name)]
				WHEN f.first <> s.line THEN ARRAY[concat_ws(E'\x1f', 'Much like line %s; kept apart. Merge them if they are one.', f.first)]
				WHEN s.domain <> '' AND f.house <> s.line THEN ARRAY[concat_ws(E'\x1f', 'It has the domain of line %s; kept apart. Merge them if they are one.', f.house)]
				WHEN d.name IS NOT NULL THEN ARRAY[concat_ws(E'\x1f', 'It has the domain of %s, which is in the portal; kept apart. Merge them if they are one.', d.name)] END AS near
			FROM staged s
			JOIN (SELECT line, first_value(line) OVER (PARTITION BY plain ORDER BY line) AS first, first_value(line) OVER (PARTITION BY domain ORDER BY line) AS house
			      FROM staged WHERE verdict IS NULL) f ON f.line = s.line
			LEFT JOIN (SELECT DISTINCT ON (domain) domain, name FROM organization WHERE state <> 'merged' AND domain <> '' ORDER BY domain, id) d ON d.domain = s.domain
			LEFT JOIN (SELECT DISTINCT ON (plain_name) plain_name, name FROM organization WHERE state <> 'merged' ORDER BY plain_name, id) o ON o.plain_name = s.plain) n
		WHERE s.line = n.line AND s.verdict IS NULL`

	loadRenamed = `
		INSERT INTO organization_name (organization_id, name, until)
		SELECT o.id, o.name, s.at FROM staged s JOIN organization o ON o.id = s.id WHERE s.verdict = 'changed' AND 'name' = ANY (s.fields)`

	loadUpdate = `
		UPDATE organization o SET version = o.version + 1,
			name = CASE WHEN 'name' = ANY (s.fields) THEN s.name ELSE o.name END,
			plain_name = CASE WHEN 'name' = ANY (s.fields) THEN s.plain ELSE o.plain_name END,
			kind = CASE WHEN 'kind' = ANY (s.fields) THEN s.kind ELSE o.kind END,
			category = CASE WHEN 'category' = ANY (s.fields) THEN s.category ELSE o.category END,
			country = CASE WHEN 'country' = ANY (s.fields) THEN s.country ELSE o.country END,
			website = CASE WHEN 'website' = ANY (s.fields) THEN s.website ELSE o.website END,
			domain = CASE WHEN 'domain' = ANY (s.fields) THEN s.domain ELSE o.domain END,
			about = CASE WHEN 'about' = ANY (s.fields) THEN s.about ELSE o.about END
		FROM staged s WHERE s.verdict = 'changed' AND o.id = s.id`

	loadInsert = `
		INSERT INTO organization (id, slug, name, plain_name, kind, category, country, website, domain, about, state, state_since, created_at)
		SELECT id, slug, name, plain, coalesce(kind, kind_else), coalesce(category, 'associate'), nullif(country, ''), website, domain, about, 'member', coalesce(since, at), coalesce(since, at)
		FROM staged WHERE verdict = 'created' ORDER BY line`

	loadPaths = `
		UPDATE staged s SET id = coalesce(s.id, f.id), made = CASE WHEN s.twin IS NULL THEN s.made ELSE false END, path = '/organizations/' || o.slug
		FROM staged f JOIN organization o ON o.id = f.id WHERE f.line = coalesce(s.twin, s.line) AND s.verdict <> 'refused'`
)
