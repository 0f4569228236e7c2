-- +goose Up
CREATE TABLE identity (
  issuer     text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
  subject    text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  person_id  uuid NOT NULL REFERENCES person ON DELETE CASCADE,
  email      text NOT NULL DEFAULT '' CHECK (length(email) <= 254),
  created_at timestamptz NOT NULL,
  seen_at    timestamptz,
  PRIMARY KEY (issuer, subject),
  CONSTRAINT identity_person UNIQUE (person_id, issuer));
COMMENT ON TABLE identity IS 'An account elsewhere (OpenID Connect) that signs in a person here.';
COMMENT ON COLUMN identity.subject IS 'What the issuer calls it, and never gives to another.';
COMMENT ON COLUMN identity.email IS 'As the issuer had it when they were linked; to be recognized by, and nothing else.';

CREATE TABLE identity_request (
  hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
  person_id  uuid REFERENCES person ON DELETE CASCADE,
  nonce      text NOT NULL,
  verifier   text NOT NULL,
  next       text NOT NULL DEFAULT '' CHECK (length(next) <= 2000),
  expires_at timestamptz NOT NULL);
COMMENT ON TABLE identity_request IS 'Who was sent to the issuer and has not come back: good once, for minutes.';
COMMENT ON COLUMN identity_request.hash IS 'SHA-256 of the state, which the browser carries in a cookie as well.';
COMMENT ON COLUMN identity_request.person_id IS 'Who asked for the two accounts to be linked; null: somebody who signs in.';
CREATE INDEX identity_request_person ON identity_request (person_id);
CREATE INDEX identity_request_expires ON identity_request (expires_at);
