-- +goose Up
CREATE TABLE mail (
  id            uuid PRIMARY KEY DEFAULT uuid_v7(),
  kind          text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9.-]{0,62}$'),
  person_id     uuid,
  about         text NOT NULL DEFAULT '' CHECK (length(about) <= 200),
  to_name       text NOT NULL DEFAULT '' CHECK (length(to_name) <= 300 AND to_name !~ '[\x01-\x1f\x7f]'),
  to_address    text NOT NULL CHECK (length(to_address) BETWEEN 3 AND 320 AND to_address !~ '[\x01-\x1f\x7f]'),
  subject       text NOT NULL CHECK (length(subject) BETWEEN 1 AND 500 AND subject !~ '[\x01-\x1f\x7f]'),
  text          text NOT NULL,
  html          text NOT NULL,
  secret        boolean NOT NULL,
  state         text NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'kept')),
  attempts      int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  claimed_until timestamptz,
  last_error    text NOT NULL DEFAULT '',
  created_at    timestamptz NOT NULL DEFAULT now(),
  sent_at       timestamptz,
  CONSTRAINT mail_sent_has_time CHECK ((state = 'sent') = (sent_at IS NOT NULL)));
COMMENT ON TABLE mail IS 'The outbox: a letter is written in the transaction of the change it tells of, and sent after it. Kept 90 days. Its key sorts by time, so the newest are read from the key.';
COMMENT ON COLUMN mail.person_id IS 'Whom it was written to, if a person of the portal. Not a foreign key: the outbox knows no capability.';
COMMENT ON COLUMN mail.about IS 'What it concerns, as the path of a page; letters about one thing are shown as one thread.';
COMMENT ON COLUMN mail.secret IS 'It holds a link that opens an account: text and html are emptied once it is sent.';
COMMENT ON COLUMN mail.state IS 'kept: no mail server is configured, it is only to be looked at here.';
COMMENT ON COLUMN mail.claimed_until IS 'Until then one process is sending it and no other may.';
CREATE INDEX mail_queued ON mail (created_at) WHERE state = 'queued';
