-- +goose Up
ALTER TABLE session ADD COLUMN confirmed_at timestamptz;
COMMENT ON COLUMN session.confirmed_at IS 'When its person last proved to be there: at its beginning (null), or since, before an act that asks for it.';

CREATE TABLE half_session (
  hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
  person_id  uuid NOT NULL REFERENCES person ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL);
COMMENT ON TABLE half_session IS 'Who gave a password and has yet to give a second factor. It opens nothing; a session is made of it, once.';
CREATE INDEX half_session_person ON half_session (person_id);
CREATE INDEX half_session_expires ON half_session (expires_at);

CREATE TABLE authenticator (
  person_id    uuid PRIMARY KEY REFERENCES person ON DELETE CASCADE,
  secret       bytea NOT NULL CHECK (length(secret) BETWEEN 10 AND 200),
  step         bigint NOT NULL DEFAULT 0,
  created_at   timestamptz NOT NULL,
  confirmed_at timestamptz);
COMMENT ON TABLE authenticator IS 'An app that makes one-time codes (TOTP, RFC 6238): a second factor.';
COMMENT ON COLUMN authenticator.secret IS 'First byte 0: as it is, 1: encrypted with SECRET_KEY (AES-GCM).';
COMMENT ON COLUMN authenticator.step IS 'Of the newest code that was taken: none is taken twice, and none that is older.';
COMMENT ON COLUMN authenticator.confirmed_at IS 'When the first code was given; until then it counts for nothing.';

CREATE TABLE recovery_code (
  person_id uuid NOT NULL REFERENCES person ON DELETE CASCADE,
  hash      bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (person_id, hash));
COMMENT ON TABLE recovery_code IS 'Good once each, in place of a second factor that is lost. 80 random bits, so their SHA-256 is enough.';

CREATE TABLE passkey (
  id         uuid PRIMARY KEY DEFAULT uuid_v7(),
  person_id  uuid NOT NULL REFERENCES person ON DELETE CASCADE,
  handle     bytea NOT NULL CONSTRAINT passkey_handle UNIQUE CHECK (length(handle) BETWEEN 1 AND 1023),
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  credential json NOT NULL,
  created_at timestamptz NOT NULL,
  seen_at    timestamptz);
COMMENT ON TABLE passkey IS 'A key that a device or a password manager keeps (WebAuthn): it signs in without a password, or is the second factor.';
COMMENT ON COLUMN passkey.handle IS 'By which the device names it.';
COMMENT ON COLUMN passkey.credential IS 'Public key, count of uses and flags, as the library keeps them.';
CREATE INDEX passkey_person ON passkey (person_id);

CREATE TABLE passkey_challenge (
  hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
  person_id  uuid REFERENCES person ON DELETE CASCADE,
  session    json NOT NULL,
  expires_at timestamptz NOT NULL);
COMMENT ON TABLE passkey_challenge IS 'What a passkey was asked to sign: used once, within minutes.';
CREATE INDEX passkey_challenge_person ON passkey_challenge (person_id);
CREATE INDEX passkey_challenge_expires ON passkey_challenge (expires_at);

CREATE TABLE factor_role (
  scope text NOT NULL CHECK (scope IN ('portal', 'commission')),
  role  text NOT NULL CHECK (length(role) BETWEEN 1 AND 40),
  PRIMARY KEY (scope, role));
COMMENT ON TABLE factor_role IS 'Roles that count only for who has a second factor, as the secretariat named them.';

-- +goose StatementBegin
CREATE FUNCTION has_factor(who uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM authenticator WHERE person_id = who AND confirmed_at IS NOT NULL)
      OR EXISTS (SELECT FROM passkey WHERE person_id = who)
$$;

CREATE FUNCTION lacks_factor(who uuid, at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM factor_role) AND NOT has_factor(who) AND (
    EXISTS (SELECT FROM portal_role r JOIN factor_role f ON f.scope = 'portal' AND f.role = r.role WHERE r.person_id = who)
    OR EXISTS (SELECT FROM seat s JOIN factor_role f ON f.scope = 'commission' AND f.role = s.role
               WHERE s.person_id = who AND s.period @> at AND NOT s.suspended))
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION lacks_factor(uuid, timestamptz) IS 'Whether a person holds a role that asks for a second factor, and has none: until there is one, the person has no role at all.';
