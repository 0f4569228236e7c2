-- +goose Up
-- What somebody has read lately, asked for each reading that is noted.
CREATE INDEX document_access_person ON document_access (document_id, person_id, at DESC) WHERE person_id IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION document_happened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'journal_entry' THEN
    PERFORM pg_notify('document', NEW.object_id::text);
  ELSIF TG_TABLE_NAME = 'share' THEN
    PERFORM pg_notify('document', NEW.document_id || ' share');
  ELSE
    PERFORM pg_notify('document', x.said) FROM (SELECT DISTINCT document_id || CASE WHEN share_id IS NULL THEN '' ELSE ' share' END AS said FROM noted) x;
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION document_happened IS 'Tells whoever listens on the channel document, in every process, that something happened to one: its id, and share if only those may know who see its shares.';

CREATE TRIGGER document_happened AFTER INSERT ON journal_entry FOR EACH ROW WHEN (NEW.object = 'document') EXECUTE FUNCTION document_happened();
CREATE TRIGGER document_happened AFTER INSERT OR UPDATE ON share FOR EACH ROW EXECUTE FUNCTION document_happened();
CREATE TRIGGER document_happened AFTER INSERT ON document_access REFERENCING NEW TABLE AS noted FOR EACH STATEMENT EXECUTE FUNCTION document_happened();
