-- +goose Up
-- Personal data can be erased, and the journal keeps proving what was decided: see
-- docs/journal.md and docs/accounts.md.
ALTER TABLE person DROP CONSTRAINT person_state_check;
ALTER TABLE person ADD CONSTRAINT person_state CHECK (state IN ('active', 'suspended', 'erased')),
  ADD CONSTRAINT person_erased CHECK (state <> 'erased' OR password_hash IS NULL AND country IS NULL AND about = '');
COMMENT ON COLUMN person.state IS 'erased: the name is a pseudonym, the address is none, and nothing else is left of the person.';

CREATE TABLE person_former (
  person_id uuid NOT NULL REFERENCES person ON DELETE CASCADE,
  kind      text NOT NULL CHECK (kind IN ('name', 'email')),
  value     text NOT NULL CHECK (length(value) BETWEEN 1 AND 254),
  PRIMARY KEY (person_id, kind, value));
COMMENT ON TABLE person_former IS 'Names and addresses that a person had before: what else is looked for when the person is erased.';

-- +goose StatementBegin
CREATE FUNCTION person_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.name IS DISTINCT FROM OLD.name THEN
    INSERT INTO person_former (person_id, kind, value) VALUES (NEW.id, 'name', OLD.name) ON CONFLICT DO NOTHING;
  END IF;
  IF NEW.email IS DISTINCT FROM OLD.email THEN
    INSERT INTO person_former (person_id, kind, value) VALUES (NEW.id, 'email', OLD.email) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION person_renamed() IS 'Notes what a person was called before, whichever way that changed.';
CREATE TRIGGER person_renamed AFTER UPDATE OF name, email ON person FOR EACH ROW
  WHEN (NEW.state <> 'erased' AND (OLD.name, OLD.email) IS DISTINCT FROM (NEW.name, NEW.email)) EXECUTE FUNCTION person_renamed();
INSERT INTO person_former (person_id, kind, value)
SELECT DISTINCT p.id, 'name', x.name FROM journal_entry j
  CROSS JOIN LATERAL (SELECT unnest(ARRAY[j.note->'before'->>'name', j.note->'after'->>'name']) AS name) x JOIN person p ON p.id = j.object_id
WHERE j.object = 'account' AND j.action = 'edit' AND x.name <> p.name AND length(x.name) BETWEEN 1 AND 254;

CREATE TABLE erasure (
  id        uuid PRIMARY KEY,
  person_id uuid NOT NULL REFERENCES person,
  asked_by  uuid NOT NULL REFERENCES person,
  asked_at  timestamptz NOT NULL,
  due_at    timestamptz NOT NULL,
  state     text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'kept', 'closed', 'done')),
  held_at   timestamptz,
  closed_at timestamptz,
  names     text[] NOT NULL DEFAULT '{}',
  addresses text[] NOT NULL DEFAULT '{}',
  CONSTRAINT erasure_closed CHECK ((state IN ('closed', 'done')) = (closed_at IS NOT NULL)),
  CONSTRAINT erasure_forgets CHECK (state = 'closed' OR names = '{}' AND addresses = '{}'));
COMMENT ON TABLE erasure IS 'Somebody''s personal data is to be erased, or was. pending: can be undone. kept: was undone. closed: the account is no more, and what others wrote is being searched. done: nothing is left.';
COMMENT ON COLUMN erasure.held_at IS 'When it was due and could not be done, as a commission would be without a chair; the person was told.';
COMMENT ON COLUMN erasure.names IS 'What is searched for, between closed and done alone.';
CREATE UNIQUE INDEX erasure_once ON erasure (person_id) WHERE state IN ('pending', 'closed');
CREATE INDEX erasure_open ON erasure (due_at) WHERE state IN ('pending', 'closed');
CREATE INDEX erasure_person ON erasure (person_id);
CREATE INDEX erasure_asked_by ON erasure (asked_by);

-- From now on an entry is chained by a digest of its note with a random salt. When
-- personal data is erased from the note the salt goes too: nobody can try names
-- until one fits. Entries from before are chained by the note itself.
ALTER TABLE journal_entry ADD COLUMN salt bytea CHECK (length(salt) = 32), ADD COLUMN sealed bytea CHECK (length(sealed) = 32);
COMMENT ON COLUMN journal_entry.sealed IS 'SHA-256 of salt and note as they were written: what the chain holds of the note. Null: the chain holds the note itself.';
COMMENT ON COLUMN journal_entry.salt IS 'Null where personal data was erased from the note.';

CREATE TABLE journal_amendment (
  id       bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  erasure  uuid NOT NULL,
  scope_id uuid NOT NULL,
  number   bigint NOT NULL,
  digest   bytea NOT NULL CHECK (length(digest) = 32),
  intact   boolean NOT NULL,
  CONSTRAINT journal_amendment_once UNIQUE (erasure, scope_id, number));
COMMENT ON TABLE journal_amendment IS 'Entries from whose notes personal data was erased. The last one of an entry vouches for what it says now, and an entry of the portal''s chain (object journal, action erase) for all of one erasure.';
COMMENT ON COLUMN journal_amendment.digest IS 'SHA-256 of all that the entry says since then, without hashes.';
COMMENT ON COLUMN journal_amendment.intact IS 'The entry was as it was written, or as it was last amended; false: somebody had altered it before, and the proof goes on saying so.';
CREATE INDEX journal_amendment_of ON journal_amendment (scope_id, number, id DESC);

-- +goose StatementBegin
CREATE FUNCTION journal_says(e journal_entry) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT sha256(convert_to(concat_ws(E'\x1f', e.scope_id, e.number, floor(extract(epoch FROM e.at) * 1000000)::bigint,
    coalesce(e.person_id::text, ''), coalesce(e.organization_id::text, ''), e.object, e.action, e.object_id, e.request_id, e.note::text), 'UTF8'))
$$;

CREATE FUNCTION journal_salt() RETURNS bytea LANGUAGE sql VOLATILE AS $$
  SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
$$;

CREATE FUNCTION journal_seal(salt bytea, note text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(salt || convert_to(note, 'UTF8'))
$$;

CREATE OR REPLACE FUNCTION journal_append(s text, sid uuid, who uuid, org uuid, t timestamptz, req text,
  objects text[], actions text[], ids uuid[], notes text[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE n bigint; prev bytea; h bytea; grain bytea; seal bytea;
BEGIN
  INSERT INTO journal_head (scope_id, number, hash) VALUES (sid, 0, ''::bytea) ON CONFLICT DO NOTHING;
  SELECT number, hash INTO n, prev FROM journal_head WHERE scope_id = sid FOR UPDATE;
  FOR i IN 1 .. cardinality(ids) LOOP
    n := n + 1;
    grain := journal_salt();
    seal := journal_seal(grain, notes[i]);
    h := journal_hash(prev, sid, n, t, who, org, objects[i], actions[i], ids[i], encode(seal, 'hex'), req);
    INSERT INTO journal_entry (scope_id, number, scope, at, person_id, organization_id, object, action, object_id, note, salt, sealed, request_id, previous, hash)
    VALUES (sid, n, s, t, who, org, objects[i], actions[i], ids[i], notes[i]::json, grain, seal, req, prev, h);
    prev := h;
  END LOOP;
  UPDATE journal_head SET number = n, hash = prev WHERE scope_id = sid;
  RETURN n;
END $$;

-- The one way by which an entry changes: its note is replaced by one that says the
-- same sentence with other values, as an amendment vouches.
CREATE FUNCTION journal_amended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.scope_id, NEW.number, NEW.scope, NEW.at, NEW.person_id, NEW.organization_id, NEW.object, NEW.action, NEW.object_id, NEW.request_id, NEW.previous, NEW.hash, NEW.sealed)
     IS NOT DISTINCT FROM
     (OLD.scope_id, OLD.number, OLD.scope, OLD.at, OLD.person_id, OLD.organization_id, OLD.object, OLD.action, OLD.object_id, OLD.request_id, OLD.previous, OLD.hash, OLD.sealed)
     AND NEW.salt IS NULL AND NEW.note->>'text' IS NOT DISTINCT FROM OLD.note->>'text'
     AND (SELECT a.digest FROM journal_amendment a WHERE a.scope_id = NEW.scope_id AND a.number = NEW.number ORDER BY a.id DESC LIMIT 1) = journal_says(NEW) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the journal is append-only: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION journal_amend(why uuid, scopes uuid[], numbers bigint[], notes text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE e journal_entry; last journal_amendment; fits boolean;
BEGIN
  FOR i IN 1 .. cardinality(numbers) LOOP
    SELECT * INTO STRICT e FROM journal_entry WHERE scope_id = scopes[i] AND number = numbers[i] FOR UPDATE;
    SELECT * INTO last FROM journal_amendment WHERE scope_id = scopes[i] AND number = numbers[i] ORDER BY id DESC LIMIT 1;
    IF FOUND THEN
      fits := last.intact AND last.digest = journal_says(e);
    ELSE
      fits := e.hash = journal_hash(e.previous, e.scope_id, e.number, e.at, e.person_id, e.organization_id, e.object, e.action, e.object_id,
                coalesce(encode(e.sealed, 'hex'), e.note::text), e.request_id)
              AND (e.sealed IS NULL OR coalesce(e.sealed = journal_seal(e.salt, e.note::text), false));
    END IF;
    e.note := notes[i]::json;
    INSERT INTO journal_amendment (erasure, scope_id, number, digest, intact) VALUES (why, scopes[i], numbers[i], journal_says(e), fits);
    UPDATE journal_entry SET note = e.note, salt = NULL WHERE scope_id = scopes[i] AND number = numbers[i];
  END LOOP;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION journal_amend IS 'Erases personal data from notes: with the rights of the owner, so that an account that cannot update the journal can do this and no more.';
REVOKE EXECUTE ON FUNCTION journal_amend FROM PUBLIC;

DROP TRIGGER journal_entry_kept ON journal_entry;
CREATE TRIGGER journal_entry_kept BEFORE DELETE OR TRUNCATE ON journal_entry FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
CREATE TRIGGER journal_entry_amended BEFORE UPDATE ON journal_entry FOR EACH ROW EXECUTE FUNCTION journal_amended();
CREATE TRIGGER journal_amendment_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_amendment FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_entry_kept;
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_entry_amended;
ALTER TABLE journal_amendment ENABLE ALWAYS TRIGGER journal_amendment_kept;
