-- +goose Up
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

-- +goose StatementBegin
CREATE FUNCTION uuid_v7(at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  -- RFC 9562: 48 bits of milliseconds, version 7, the rest random.
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
              PLACING substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1), 'hex')::uuid
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION uuid_v7(timestamptz) IS 'A key that sorts by the time it was made (RFC 9562, version 7).';

-- +goose StatementBegin
CREATE FUNCTION fold(t text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  -- unaccent is only STABLE because its dictionary could be changed; ours is not.
  SELECT lower(public.unaccent('public.unaccent'::regdictionary, t))
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION fold(text) IS 'How names are searched: lower case, without diacritics.';

CREATE TABLE person (
  id            uuid PRIMARY KEY DEFAULT uuid_v7(),
  email         text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
  name          text NOT NULL COLLATE "und-x-icu" CHECK (length(name) BETWEEN 1 AND 200),
  password_hash text,
  confirmed_at  timestamptz,
  state         text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
  language      text NOT NULL DEFAULT 'en' CHECK (length(language) BETWEEN 2 AND 35),
  time_zone     text NOT NULL DEFAULT 'UTC' CHECK (length(time_zone) BETWEEN 1 AND 64),
  theme         text NOT NULL DEFAULT 'auto' CHECK (theme IN ('auto', 'light', 'dark')),
  country       text CHECK (country ~ '^[A-Z]{2}$'),
  about         text NOT NULL DEFAULT '' CHECK (length(about) <= 2000),
  version       int NOT NULL DEFAULT 1,
  created_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT person_email UNIQUE (email),
  CONSTRAINT person_id_name UNIQUE (id, name),
  CONSTRAINT person_password_confirmed CHECK (password_hash IS NULL OR confirmed_at IS NOT NULL));
COMMENT ON COLUMN person.password_hash IS 'Argon2id, with its parameters. Null: signs in by a mailed link only, as those who were imported.';
COMMENT ON COLUMN person.confirmed_at IS 'When the person proved to read mail at this address; nobody signs in before.';
COMMENT ON CONSTRAINT person_id_name ON person IS 'Lets seat carry the name it is sorted by; a rename cascades.';
CREATE INDEX person_name_search ON person USING gin (fold(name) gin_trgm_ops);
CREATE INDEX person_email_search ON person USING gin (email gin_trgm_ops);
CREATE INDEX person_directory ON person (name, id);

CREATE TABLE sign_up (
  id            uuid PRIMARY KEY DEFAULT uuid_v7(),
  hash          bytea CONSTRAINT sign_up_hash UNIQUE CHECK (length(hash) = 32),
  email         text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
  name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  password_hash text NOT NULL,
  country       text CHECK (country ~ '^[A-Z]{2}$'),
  language      text NOT NULL,
  time_zone     text NOT NULL,
  next          text NOT NULL DEFAULT '' CHECK (length(next) <= 2000),
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL);
COMMENT ON TABLE sign_up IS 'Who asked for an account and has not yet proved to read mail at the address. The person is made by that proof: nobody can reserve the address of somebody else.';
COMMENT ON COLUMN sign_up.hash IS 'SHA-256 of the mailed link''s secret; null until the letter is written.';
COMMENT ON COLUMN sign_up.next IS 'Path to lead on to: an invitation, for instance.';
CREATE INDEX sign_up_email ON sign_up (email, created_at DESC);
CREATE INDEX sign_up_expires ON sign_up (expires_at);

CREATE TABLE portal_role (
  person_id uuid NOT NULL REFERENCES person ON DELETE CASCADE,
  role      text NOT NULL CHECK (role IN ('secretariat')),
  since     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (person_id, role));
COMMENT ON TABLE portal_role IS 'Rights in the whole portal. The secretariat is the staff of the convention.';

CREATE TABLE session (
  hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
  id         uuid NOT NULL DEFAULT uuid_v7() CONSTRAINT session_id UNIQUE,
  person_id  uuid NOT NULL REFERENCES person ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  seen_at    timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  agent      text NOT NULL DEFAULT '' CHECK (length(agent) <= 300));
COMMENT ON COLUMN session.hash IS 'SHA-256 of the cookie: who reads this table cannot sign in.';
COMMENT ON COLUMN session.id IS 'Names the session on its owner''s page.';
COMMENT ON COLUMN session.expires_at IS 'The earlier of two ends: of its idle time, put off when it is seen, and of its life.';
COMMENT ON COLUMN session.seen_at IS 'Written at most every few minutes, so that reading a page writes nothing.';
CREATE INDEX session_person ON session (person_id);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE token (
  id         uuid PRIMARY KEY DEFAULT uuid_v7(),
  hash       bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  person_id  uuid NOT NULL REFERENCES person ON DELETE CASCADE,
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  read_only  boolean NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  seen_at    timestamptz,
  revoked_at timestamptz);
COMMENT ON TABLE token IS 'Bearer tokens for the API.';
CREATE INDEX token_person ON token (person_id);

CREATE TABLE ticket (
  hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
  person_id  uuid NOT NULL REFERENCES person ON DELETE CASCADE,
  purpose    text NOT NULL CHECK (purpose IN ('reset')),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL);
COMMENT ON TABLE ticket IS 'Links sent by mail to a person, good for one use, which deletes the row. reset: set a new password.';
CREATE INDEX ticket_person ON ticket (person_id, purpose);
CREATE INDEX ticket_expires ON ticket (expires_at);

CREATE TABLE attempt (
  key text NOT NULL CHECK (length(key) <= 100),
  at  timestamptz NOT NULL);
COMMENT ON TABLE attempt IS 'Failed sign-ins and sent links, for throttling by account and by address; swept daily.';
CREATE INDEX attempt_key ON attempt (key, at);
CREATE INDEX attempt_age ON attempt (at);

CREATE TABLE idempotency (
  person_id    uuid NOT NULL,
  key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
  request      bytea NOT NULL CHECK (length(request) = 32),
  state        text NOT NULL DEFAULT 'started' CHECK (state IN ('started', 'committed', 'answered')),
  status       int,
  header       json,
  body         bytea,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (person_id, key));
COMMENT ON TABLE idempotency IS 'Answers already given, so that a request sent twice is carried out once. A change marks its row committed in its own transaction.';
COMMENT ON COLUMN idempotency.request IS 'SHA-256 of method, path and body: a key used again for something else is refused.';
CREATE INDEX idempotency_age ON idempotency (created_at);
