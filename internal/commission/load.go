package commission

import (
	"context"

	"commissionportal/internal/journal"
)

// LoadCommissions decides what an import does with each line of the temporary
// table staged that has no verdict, and does it. A parent is found among the
// lines (before or after), by its identifier, slug, acronym or name; a kind that
// cannot sit where the line puts it becomes the one that can, and one whose
// parent never comes sits under none; both are noted. A commission that is there
// already is corrected if it came from the same source, but for its state, which
// only its own transitions change.
func LoadCommissions(ctx context.Context, tx *journal.Tx) error {
	for _, q := range []string{loadFound, loadSector, loadParents} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	// From the top down: a line's place depends on what its parent has become.
	// No hierarchy is deeper than the kinds; what is left then goes in circles.
	for range len(Kinds) + 1 {
		if _, err := tx.ExecContext(ctx, loadPlace); err != nil {
			return err
		}
	}
	for _, q := range []string{loadTop, loadDiffer, loadNew} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	for _, slug := range []string{"nullif(base, 'new')", "left(base, 40) || '-' || lower(tag)", "'commission-' || right(id::text, 12)"} {
		if _, err := tx.ExecContext(ctx, loadFree("slug", "left("+slug+", 80)")); err != nil {
			return err
		}
	}
	for _, tag := range []string{"", "-2", "-3", "-4", "-5"} {
		if _, err := tx.ExecContext(ctx, loadFree("acronym", "tag || '"+tag+"'")); err != nil {
			return err
		}
	}
	for _, q := range []string{loadLastAcronym, loadInsert, loadUnder, loadUpdate, loadPaths} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// loadFree gives created lines the slug or acronym, if nobody has it; of slugs,
// if nobody had it, so that old addresses go on leading where they led.
func loadFree(column, value string) string {
	had := ""
	if column == "slug" {
		had = " AND NOT EXISTS (SELECT FROM commission_name n WHERE n.slug = c.value)"
	}
	return `
		UPDATE staged s SET ` + column + ` = c.value FROM (
			SELECT DISTINCT ON (value) line, value FROM (SELECT line, regexp_replace(` + value + `, '-+', '-', 'g') AS value FROM staged WHERE verdict = 'created' AND ` + column + ` IS NULL) x
			WHERE value IS NOT NULL ORDER BY value, line) c
		WHERE s.line = c.line AND NOT EXISTS (SELECT FROM commission k WHERE k.` + column + ` = c.value) AND NOT EXISTS (SELECT FROM staged t WHERE t.` + column + ` = c.value)` + had
}

const (
	// A line without a known identifier is the commission of that name under the
	// same parent; names such as "Terminology" are common to many. Where a line
	// gives no identifier of its own (its key begins with ~), that is all there is.
	loadFound = `
		UPDATE staged s SET id = m.id, made = false FROM (
			SELECT DISTINCT ON (s.line) s.line, c.id FROM staged s JOIN commission c ON lower(c.name) = lower(s.name)
			LEFT JOIN commission p ON p.id = c.parent_id
			WHERE s.id IS NULL AND s.verdict IS NULL
			  AND (s.parent IS NULL AND (c.parent_id IS NULL OR left(s.key, 1) = '~') OR s.parent IN (p.slug, p.acronym) OR lower(s.parent) = lower(p.name) OR s.parent_id = p.id)
			ORDER BY s.line, (c.parent_id IS NULL) DESC, c.id) m
		WHERE m.line = s.line AND NOT EXISTS (SELECT FROM staged t WHERE t.id = m.id);
		UPDATE staged s SET verdict = 'skipped', twin = t.first, notes = s.notes || concat_ws(E'\x1f', 'The same as line %s.', t.first)
		FROM (SELECT line, first_value(line) OVER (PARTITION BY id ORDER BY (made IS NOT TRUE), line) AS first FROM staged WHERE verdict IS NULL AND id IS NOT NULL) t
		WHERE t.line = s.line AND t.first <> s.line`

	loadSector = `
		UPDATE staged s SET sector_id = x.id FROM sector x WHERE s.verdict IS NULL AND (x.slug = s.sector OR lower(x.name) = lower(s.title));
		UPDATE staged SET notes = notes || concat_ws(E'\x1f', 'There is no sector “%s”: left empty.', title) WHERE verdict IS NULL AND sector IS NOT NULL AND sector_id IS NULL`

	loadParents = `
		UPDATE staged s SET parent_line = coalesce(p.twin, p.line) FROM staged p
		WHERE s.verdict IS NULL AND s.parent IS NOT NULL AND p.key = s.parent AND p.verdict IS DISTINCT FROM 'refused' AND (p.twin IS NULL OR p.twin <> s.line) AND p.line <> s.line;
		UPDATE staged s SET parent_line = p.line FROM staged p
		WHERE s.verdict IS NULL AND s.parent IS NOT NULL AND s.parent_line IS NULL AND s.parent_id IS NULL AND p.line <> s.line AND p.verdict IS NULL AND (upper(s.parent) = p.acronym OR lower(s.parent) = lower(p.name));
		UPDATE staged s SET parent_id = p.id, parent_kind = p.kind FROM (
			SELECT DISTINCT ON (s.line) s.line, c.id, c.kind FROM staged s JOIN commission c ON c.slug = s.parent OR c.acronym = upper(s.parent) OR lower(c.name) = lower(s.parent)
			WHERE s.verdict IS NULL AND s.parent IS NOT NULL AND s.parent_line IS NULL AND s.parent_id IS NULL
			ORDER BY s.line, (c.slug = s.parent) DESC, (c.acronym = upper(s.parent)) DESC, c.id) p
		WHERE p.line = s.line AND s.id IS DISTINCT FROM p.id;
		-- kind_else is where the line ends up; it is set when its parent's is.
		UPDATE staged SET kind_else = CASE WHEN kind = 'subcommission' THEN 'working_group' ELSE kind END
		WHERE verdict IS NULL AND parent_line IS NULL AND parent_id IS NULL;
		-- One that is there stays where it is, unless its parent has come only now.
		UPDATE staged s SET kind_else = c.kind, parent_line = NULL, parent_id = NULL, parent_kind = NULL FROM commission c
		WHERE s.verdict IS NULL AND c.id = s.id AND NOT (s.made AND c.parent_id IS NULL AND (s.parent_line IS NOT NULL OR s.parent_id IS NOT NULL)
			AND NOT EXISTS (SELECT FROM commission k WHERE k.parent_id = c.id))`

	loadPlace = `
		UPDATE staged s SET parent_kind = u.kind, kind_else = CASE u.kind
			WHEN 'commission' THEN CASE WHEN s.kind = 'commission' THEN 'subcommission' ELSE s.kind END
			WHEN 'subcommission' THEN CASE WHEN s.kind = 'task_force' THEN s.kind ELSE 'working_group' END
			ELSE 'task_force' END
		FROM (SELECT me.line, CASE WHEN me.parent_line IS NOT NULL THEN p.kind_else ELSE me.parent_kind END AS kind
		      FROM staged me LEFT JOIN staged p ON p.line = me.parent_line WHERE me.verdict IS NULL AND me.kind_else IS NULL) u
		WHERE u.line = s.line AND u.kind IN ('commission', 'subcommission', 'working_group')`

	loadTop = `
		UPDATE staged SET parent_line = NULL, parent_id = NULL, parent_kind = NULL, kind_else = CASE WHEN kind = 'subcommission' THEN 'working_group' ELSE kind END
		WHERE verdict IS NULL AND kind_else IS NULL;
		UPDATE staged SET notes = notes || concat_ws(E'\x1f', 'There is no %s to sit under: it sits under none.', parent)
		WHERE verdict IS NULL AND parent IS NOT NULL AND parent_line IS NULL AND parent_id IS NULL AND id IS NULL;
		UPDATE staged SET notes = notes || concat_ws(E'\x1f', 'Imported as %s, which can sit there.', replace(kind_else, '_', ' ')) WHERE verdict IS NULL AND kind_else <> kind AND id IS NULL`

	loadNew = `
		UPDATE staged SET verdict = 'created', id = uuid_v7(), made = true WHERE verdict IS NULL;
		UPDATE staged SET tag = acronym, acronym = NULL;
		UPDATE staged s SET parent_id = p.id, parent_kind = p.kind_else FROM staged p WHERE p.line = s.parent_line AND (s.verdict = 'created' OR 'parent' = ANY (s.fields))`

	loadDiffer = `
		UPDATE staged s SET verdict = CASE WHEN cardinality(d.fields) = 0 THEN 'skipped' ELSE 'changed' END, fields = d.fields,
			notes = s.notes || CASE WHEN cardinality(d.fields) = 0 THEN 'It is there already, as it is here.' ELSE concat_ws(E'\x1f', 'Changes %s.', array_to_string(d.fields, ', ')) END
		FROM (SELECT s.line, array_remove(ARRAY[
				CASE WHEN s.made AND s.name <> c.name THEN 'name' END,
				CASE WHEN s.about <> '' AND (s.made AND s.about <> c.purpose OR c.purpose = '') THEN 'purpose' END,
				CASE WHEN s.sector_id IS NOT NULL AND (s.made AND s.sector_id <> c.sector_id OR c.sector_id IS NULL) THEN 'sector' END,
				CASE WHEN s.parent_line IS NOT NULL OR s.parent_id IS NOT NULL THEN 'parent' END], NULL) AS fields
			FROM staged s JOIN commission c ON c.id = s.id WHERE s.verdict IS NULL) d
		WHERE d.line = s.line`

	loadLastAcronym = `
		UPDATE staged SET acronym = left(tag, 27) || '-' || upper(right(id::text, 12)) WHERE verdict = 'created' AND acronym IS NULL;
		UPDATE staged SET slug = 'commission-' || right(id::text, 12) WHERE verdict = 'created' AND slug IS NULL`

	// Parents come with the second statement: the key to them is checked row by row.
	loadInsert = `
		INSERT INTO commission (id, slug, acronym, name, kind, sector_id, state, state_since, purpose, created_at)
		SELECT id, slug, acronym, name, CASE kind_else WHEN 'subcommission' THEN 'working_group' ELSE kind_else END, sector_id, state,
		       CASE WHEN state IN ('dormant', 'concluded', 'abandoned') THEN coalesce(last, since, at) ELSE coalesce(since, at) END, about, coalesce(since, at)
		FROM staged WHERE verdict = 'created' ORDER BY line`

	// The highest first, so that each finds its parent as the kind it is.
	loadUnder = `
		UPDATE commission c SET kind = s.kind_else, parent_id = s.parent_id, parent_kind = s.parent_kind FROM staged s
		WHERE c.id = s.id AND (s.verdict = 'created' OR 'parent' = ANY (s.fields)) AND s.kind_else = 'subcommission' AND s.parent_id IS NOT NULL;
		UPDATE commission c SET kind = s.kind_else, parent_id = s.parent_id, parent_kind = s.parent_kind FROM staged s
		WHERE c.id = s.id AND (s.verdict = 'created' OR 'parent' = ANY (s.fields)) AND s.kind_else = 'working_group' AND s.parent_id IS NOT NULL;
		UPDATE commission c SET kind = s.kind_else, parent_id = s.parent_id, parent_kind = s.parent_kind FROM staged s
		WHERE c.id = s.id AND (s.verdict = 'created' OR 'parent' = ANY (s.fields)) AND s.kind_else = 'task_force' AND s.parent_id IS NOT NULL`

	loadUpdate = `
		UPDATE commission c SET version = c.version + 1,
			name = CASE WHEN 'name' = ANY (s.fields) THEN s.name ELSE c.name END,
			purpose = CASE WHEN 'purpose' = ANY (s.fields) THEN s.about ELSE c.purpose END,
			sector_id = CASE WHEN 'sector' = ANY (s.fields) THEN s.sector_id ELSE c.sector_id END
		FROM staged s WHERE s.verdict = 'changed' AND c.id = s.id`

	loadPaths = `
		UPDATE staged s SET id = coalesce(s.id, f.id), made = CASE WHEN s.twin IS NULL THEN s.made ELSE false END, path = '/commissions/' || c.slug
		FROM staged f JOIN commission c ON c.id = f.id WHERE f.line = coalesce(s.twin, s.line) AND s.verdict <> 'refused'`
)
