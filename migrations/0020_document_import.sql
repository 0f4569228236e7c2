-- +goose Up
-- The trace of a document that came with a list begins with who brought it. The
-- report of an import is kept for a year, its entry in the journal for good.
ALTER TABLE document ADD COLUMN import_id uuid;
COMMENT ON COLUMN document.import_id IS 'The import that brought it, as its entry in the journal names it; not a reference, since the row of an import is deleted after a year. Null for what was submitted, and for imports before this column whose report is gone.';
UPDATE document d SET import_id = l.import_id
FROM import_line l JOIN import i ON i.id = l.import_id, register r
WHERE i.kind = 'documents' AND i.state = 'done' AND l.verdict = 'created' AND r.commission_id = d.commission_id AND d.author_id IS NULL
  AND l.path = '/documents/' || r.prefix || '-N' || lpad(d.number::text, greatest(4, length(d.number::text)), '0');
