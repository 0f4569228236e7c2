-- +goose Up
-- Somebody asked for another address, and has not yet proved to read mail there.
CREATE TABLE address_change (
  person_id  uuid PRIMARY KEY REFERENCES person ON DELETE CASCADE,
  id         uuid NOT NULL CONSTRAINT address_change_id UNIQUE,
  email      text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
  hash       bytea CONSTRAINT address_change_hash UNIQUE CHECK (length(hash) = 32),
  stop       bytea NOT NULL CONSTRAINT address_change_stop UNIQUE CHECK (length(stop) = 32),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL);
COMMENT ON TABLE address_change IS 'One for each person at most: asking again takes the place of what was asked before. Deleted when it is confirmed or stopped.';
COMMENT ON COLUMN address_change.hash IS 'SHA-256 of the link''s secret that the new address gets; null until the letter is written, and for good where the address is somebody else''s.';
COMMENT ON COLUMN address_change.stop IS 'SHA-256 of the link''s secret that the present address gets, which stops it.';
CREATE INDEX address_change_expires ON address_change (expires_at);
