-- +goose Up
-- The journal is append-only for every account of the database, its owner among
-- them; who owns the tables can still take the triggers away, so the portal
-- serves as another account (docs/operating.md), and heads are kept elsewhere.
-- +goose StatementBegin
CREATE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the journal is append-only: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION journal_refuse IS 'Refuses whatever would change what the journal holds. See docs/journal.md.';

CREATE TABLE journal_heads (
  day      date PRIMARY KEY,
  at       timestamptz NOT NULL,
  chains   int NOT NULL CHECK (chains >= 0),
  document bytea NOT NULL,
  digest   bytea NOT NULL CHECK (length(digest) = 32));
ALTER TABLE journal_heads ALTER COLUMN document SET STORAGE EXTERNAL;
COMMENT ON TABLE journal_heads IS 'The ends of all chains as they were published, signed: one document a day.';
COMMENT ON COLUMN journal_heads.document IS 'What /journal/heads.json serves, with gzip.';
COMMENT ON COLUMN journal_heads.digest IS 'SHA-256 of what was signed.';

CREATE TRIGGER journal_entry_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
CREATE TRIGGER journal_heads_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_heads FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
CREATE TRIGGER journal_head_kept BEFORE DELETE OR TRUNCATE ON journal_head FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
CREATE TRIGGER journal_head_forward BEFORE UPDATE ON journal_head FOR EACH ROW
  WHEN (NEW.scope_id <> OLD.scope_id OR NEW.number <= OLD.number) EXECUTE FUNCTION journal_refuse();
-- Also where session_replication_role says that triggers are for others.
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_entry_kept;
ALTER TABLE journal_heads ENABLE ALWAYS TRIGGER journal_heads_kept;
ALTER TABLE journal_head ENABLE ALWAYS TRIGGER journal_head_kept;
ALTER TABLE journal_head ENABLE ALWAYS TRIGGER journal_head_forward;

-- A page of a history is cut from one of these alone, with its filters.
CREATE INDEX journal_entry_scope ON journal_entry (scope_id, at DESC, number DESC) INCLUDE (person_id, object);
DROP INDEX journal_entry_object;
CREATE INDEX journal_entry_object ON journal_entry (object_id, at DESC, scope_id DESC, number DESC) INCLUDE (person_id, object);
DROP INDEX journal_entry_person;
CREATE INDEX journal_entry_person ON journal_entry (person_id, at DESC, scope_id DESC, number DESC) INCLUDE (object);
