-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = '5s';
-- What visitors are shown, and numbers counted over everything, are right until what they are
-- made of changes; what does not change it, as an application or the trace of a reading, has
-- nothing made anew. Each connection counts in rows of its own, so that no two writers wait for
-- each other, and in its transaction, so that who reads a sum reads what was counted with it.
CREATE TABLE IF NOT EXISTS change_count (
  relation text NOT NULL,
  backend integer NOT NULL,
  n bigint NOT NULL,
  PRIMARY KEY (relation, backend)
) WITH (fillfactor = 50);
COMMENT ON TABLE change_count IS 'How often each table has changed that visitors are shown something of: the sum over all backends.';
COMMENT ON COLUMN change_count.backend IS 'The process of Postgres that counts in this row (pg_backend_pid); 0: what was counted by those that were swept.';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change_count AS c VALUES (TG_TABLE_NAME, pg_backend_pid(), 1) ON CONFLICT (relation, backend) DO UPDATE SET n = c.n + 1;
  RETURN NULL;
END $$;
-- +goose StatementEnd

-- One table after the other, each in its own transaction: who holds a lock on one while it
-- waits for another could be waited for by a request that has it the other way round.
-- +goose StatementBegin
DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['access_rule', 'charter', 'commission', 'document', 'document_version', 'file', 'founding_threshold', 'milestone', 'organization',
                                  'organization_logo', 'organization_name', 'participation', 'person', 'register', 'seat', 'sector', 'sharing', 'support'] LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER count_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION count_change()', relation);
    COMMIT;
  END LOOP;
END $$;
-- +goose StatementEnd
RESET lock_timeout;
