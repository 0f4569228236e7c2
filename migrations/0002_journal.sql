-- +goose Up
CREATE TABLE journal_head (
  scope_id uuid PRIMARY KEY,
  number   bigint NOT NULL,
  hash     bytea NOT NULL);
COMMENT ON TABLE journal_head IS 'The end of each chain; locked while a change appends to it.';

CREATE TABLE journal_entry (
  scope_id        uuid NOT NULL,
  number          bigint NOT NULL CHECK (number > 0),
  scope           text NOT NULL CHECK (scope IN ('portal', 'commission', 'organization')),
  at              timestamptz NOT NULL,
  person_id       uuid,
  organization_id uuid,
  object          text NOT NULL,
  action          text NOT NULL,
  object_id       uuid NOT NULL,
  note            json NOT NULL,
  request_id      text NOT NULL DEFAULT '',
  previous        bytea NOT NULL,
  hash            bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (scope_id, number));
COMMENT ON TABLE journal_entry IS 'Append-only audit record of every change, hash-chained per scope (a commission, an organization, the portal).';
COMMENT ON COLUMN journal_entry.person_id IS 'Who did it; null for the portal itself. Not a foreign key: the record outlives the account.';
COMMENT ON COLUMN journal_entry.note IS 'text and args of a sentence, before and after; json, not jsonb, so that the hashed bytes stay as written.';
CREATE INDEX journal_entry_object ON journal_entry (object_id, at DESC);
CREATE INDEX journal_entry_person ON journal_entry (person_id, at DESC);

-- +goose StatementBegin
CREATE FUNCTION journal_hash(previous bytea, scope_id uuid, number bigint, at timestamptz, person_id uuid,
  organization_id uuid, object text, action text, object_id uuid, note text, request_id text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(previous || convert_to(concat_ws(E'\x1f', scope_id, number, floor(extract(epoch FROM at) * 1000000)::bigint,
    coalesce(person_id::text, ''), coalesce(organization_id::text, ''), object, action, object_id, request_id, note), 'UTF8'))
$$;

CREATE FUNCTION journal_append(s text, sid uuid, who uuid, org uuid, t timestamptz, req text,
  objects text[], actions text[], ids uuid[], notes text[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE n bigint; prev bytea; h bytea;
BEGIN
  INSERT INTO journal_head (scope_id, number, hash) VALUES (sid, 0, ''::bytea) ON CONFLICT DO NOTHING;
  SELECT number, hash INTO n, prev FROM journal_head WHERE scope_id = sid FOR UPDATE;
  FOR i IN 1 .. cardinality(ids) LOOP
    n := n + 1;
    h := journal_hash(prev, sid, n, t, who, org, objects[i], actions[i], ids[i], notes[i], req);
    INSERT INTO journal_entry (scope_id, number, scope, at, person_id, organization_id, object, action, object_id, note, request_id, previous, hash)
    VALUES (sid, n, s, t, who, org, objects[i], actions[i], ids[i], notes[i]::json, req, prev, h);
    prev := h;
  END LOOP;
  UPDATE journal_head SET number = n, hash = prev WHERE scope_id = sid;
  RETURN n;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION journal_append IS 'Appends entries to the chain of one scope and returns the number of the last.';
