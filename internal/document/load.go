package document

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"commissionportal/internal/journal"
)

// LoadDocuments decides what an import does with each line of the temporary table
// staged that has no verdict, and does it: its commission, and what the source
// calls it, have been found before. What is new is numbered behind what is in the
// register, which is locked once: numbers of the file that go on from there stay,
// everything else gets the next ones in the order of the file, and keeps its old
// number as a keyword. What is there already is corrected if it came from the
// same source, but for its status, which only its own steps change. by is the
// import, which the trace of what is new begins with.
func LoadDocuments(ctx context.Context, tx *journal.Tx, by uuid.UUID) error {
	exec := func(queries ...string) error {
		for _, q := range queries {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		return nil
	}
	if err := exec(loadHomes); err != nil {
		return err
	}
	for range mostPrefixes {
		if err := exec(loadRegisters); err != nil {
			return err
		}
		missing := false
		if err := tx.GetContext(ctx, &missing, `SELECT EXISTS (SELECT FROM staged s WHERE s.verdict IS NULL AND NOT EXISTS (SELECT FROM register r WHERE r.commission_id = s.commission_id))`); err != nil {
			return err
		}
		if !missing {
			if err := exec(loadLock, loadByReference, loadDiffer, loadNew); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, loadInsert, by); err != nil {
				return err
			}
			return exec(loadCounter, loadUpdate, loadPaths)
		}
	}
	return errors.New("document: no prefix is free for a register")
}

const (
	// A commission that has ended takes no more documents; none ends meanwhile.
	loadHomes = `
		SELECT 1 FROM commission WHERE id IN (SELECT commission_id FROM staged WHERE verdict IS NULL) ORDER BY id FOR SHARE;
		UPDATE staged s SET verdict = 'refused', notes = s.notes || concat_ws(E'\x1f', '%s is %s and takes no documents.', c.name, c.state)
		FROM commission c WHERE s.verdict IS NULL AND c.id = s.commission_id AND c.state IN ('concluded', 'abandoned')`

	loadRegisters = openRegisters + `c.id IN (SELECT commission_id FROM staged WHERE verdict IS NULL) ORDER BY c.id ON CONFLICT DO NOTHING`

	loadLock = `SELECT 1 FROM register WHERE commission_id IN (SELECT commission_id FROM staged WHERE verdict IS NULL) ORDER BY commission_id FOR UPDATE`

	// A line that names a reference of this register is that document. Of lines
	// that come to one document the first counts.
	loadByReference = `
		UPDATE staged s SET id = d.id, made = false FROM register r JOIN document d ON d.commission_id = r.commission_id
		WHERE s.verdict IS NULL AND s.id IS NULL AND s.number IS NOT NULL AND r.commission_id = s.commission_id AND r.prefix = s.acronym AND d.number = s.number
		  AND NOT EXISTS (SELECT FROM staged t WHERE t.id = d.id);
		UPDATE staged s SET verdict = 'skipped', twin = t.first, notes = s.notes || concat_ws(E'\x1f', 'The same as line %s.', t.first)
		FROM (SELECT line, first_value(line) OVER (PARTITION BY id ORDER BY (made IS NOT TRUE), line) AS first FROM staged WHERE verdict IS NULL AND id IS NOT NULL) t
		WHERE t.line = s.line AND t.first <> s.line`

	// A number of the file that the document did not get is one of its keywords.
	loadDiffer = `
		UPDATE staged s SET keywords = coalesce(s.keywords, d.keywords) || s.reference FROM document d
		WHERE s.verdict IS NULL AND d.id = s.id AND s.made AND s.number <> d.number AND NOT s.reference = ANY (coalesce(s.keywords, d.keywords));
		UPDATE staged s SET verdict = CASE WHEN cardinality(x.fields) = 0 THEN 'skipped' ELSE 'changed' END, fields = x.fields,
			notes = s.notes || CASE WHEN cardinality(x.fields) = 0 THEN 'It is there already, as it is here.' ELSE concat_ws(E'\x1f', 'Changes %s.', array_to_string(x.fields, ', ')) END
		FROM (SELECT s.line, array_remove(ARRAY[
				CASE WHEN s.made AND s.name <> d.title THEN 'title' END,
				CASE WHEN s.made AND s.kind <> d.type THEN 'type' END,
				CASE WHEN s.organization_id IS NOT NULL AND (s.made AND s.organization_id <> d.organization_id OR d.organization_id IS NULL) THEN 'source' END,
				CASE WHEN s.made AND s.action <> 'none' AND (s.action, s.due) IS DISTINCT FROM (d.action, d.due_on) THEN 'action' END,
				CASE WHEN s.keywords <> '{}' AND (s.made AND s.keywords <> d.keywords OR d.keywords = '{}') THEN 'keywords' END,
				CASE WHEN s.about <> '' AND (s.made AND s.about <> d.summary OR d.summary = '') THEN 'summary' END], NULL) AS fields
			FROM staged s JOIN document d ON d.id = s.id WHERE s.verdict IS NULL) x
		WHERE x.line = s.line`

	// Numbers of the file stay as long as they go on from the last of the register
	// without a gap; all others follow. What its source alone should read needs one.
	// One statement, as each rewrites the table.
	loadNew = `
		WITH kept AS (
			SELECT line, number FROM (
				SELECT n.line, n.number, r.last_number + row_number() OVER (PARTITION BY n.commission_id ORDER BY n.number) AS next
				FROM (SELECT DISTINCT ON (commission_id, number) line, commission_id, number FROM staged WHERE verdict IS NULL AND number IS NOT NULL ORDER BY commission_id, number, line) n
				JOIN register r ON r.commission_id = n.commission_id WHERE n.number > r.last_number) n
			WHERE number = next),
		placed AS (
			SELECT line, place, closed, prefix || '-N' || lpad(place::text, greatest(4, length(place::text)), '0') AS name FROM (
				SELECT s.line, r.prefix, s.organization_id IS NULL AND coalesce(s.visibility, r.visibility) = 'organization' AS closed, coalesce(k.number, r.last_number + count(k.line) OVER (PARTITION BY s.commission_id)
					+ row_number() OVER (PARTITION BY s.commission_id, k.line IS NULL ORDER BY s.line)) AS place
				FROM staged s JOIN register r ON r.commission_id = s.commission_id LEFT JOIN kept k ON k.line = s.line WHERE s.verdict IS NULL) p)
		UPDATE staged s SET verdict = 'created', id = uuid_v7(), made = true, place = p.place, path = '/documents/' || p.name,
			keywords = CASE WHEN s.number <> p.place THEN coalesce(s.keywords, '{}') || s.reference ELSE s.keywords END,
			visibility = CASE WHEN p.closed THEN 'officers' ELSE s.visibility END,
			notes = s.notes || CASE WHEN p.closed THEN ARRAY['It has no source organization that alone could read it: the officers.'] ELSE '{}' END
				|| CASE WHEN s.number <> p.place THEN ARRAY[concat_ws(E'\x1f', 'It is %s in the file. The register has no gaps, so it becomes %s.', s.reference, p.name)] ELSE '{}' END
		FROM placed p WHERE p.line = s.line`

	loadInsert = `
		INSERT INTO document (id, commission_id, number, title, type, organization_id, status, status_since, status_reason, before_withdrawal,
		                      action, due_on, language, keywords, summary, visibility, created_at, updated_at, import_id)
		SELECT s.id, s.commission_id, s.place, s.name, coalesce(s.kind, 'other'), s.organization_id, s.state, coalesce(s.since, s.at),
		       CASE s.state WHEN 'withdrawn' THEN 'It was withdrawn in the register that it was imported from.' ELSE '' END, CASE s.state WHEN 'withdrawn' THEN 'available' END,
		       coalesce(s.action, 'none'), s.due, coalesce(s.language, 'en'), coalesce(s.keywords, '{}'), s.about, coalesce(s.visibility, r.visibility), coalesce(s.since, s.at), s.at, $1::uuid
		FROM staged s JOIN register r ON r.commission_id = s.commission_id WHERE s.verdict = 'created' ORDER BY s.commission_id, s.place`

	loadCounter = `
		UPDATE register r SET last_number = n.last FROM (SELECT commission_id, max(place) AS last FROM staged WHERE verdict = 'created' GROUP BY commission_id) n
		WHERE r.commission_id = n.commission_id`

	loadUpdate = `
		UPDATE document d SET version = d.version + 1, updated_at = s.at,
			title = CASE WHEN 'title' = ANY (s.fields) THEN s.name ELSE d.title END,
			type = CASE WHEN 'type' = ANY (s.fields) THEN s.kind ELSE d.type END,
			organization_id = CASE WHEN 'source' = ANY (s.fields) THEN s.organization_id ELSE d.organization_id END,
			action = CASE WHEN 'action' = ANY (s.fields) THEN s.action ELSE d.action END,
			due_on = CASE WHEN 'action' = ANY (s.fields) THEN s.due ELSE d.due_on END,
			keywords = CASE WHEN 'keywords' = ANY (s.fields) THEN s.keywords ELSE d.keywords END,
			summary = CASE WHEN 'summary' = ANY (s.fields) THEN s.about ELSE d.summary END
		FROM staged s WHERE s.verdict = 'changed' AND d.id = s.id`

	loadPaths = `
		UPDATE staged s SET id = coalesce(s.id, f.id), made = CASE WHEN s.twin IS NULL THEN s.made ELSE false END,
			path = '/documents/' || r.prefix || '-N' || lpad(d.number::text, greatest(4, length(d.number::text)), '0')
		FROM staged f JOIN document d ON d.id = f.id JOIN register r ON r.commission_id = d.commission_id
		WHERE f.line = coalesce(s.twin, s.line) AND s.verdict IN ('changed', 'skipped')`
)
