-- +goose Up
ALTER TABLE mail ADD COLUMN unsubscribe text NOT NULL DEFAULT '' CHECK (length(unsubscribe) <= 500 AND unsubscribe !~ '[\x01-\x20\x7f<>]');
COMMENT ON COLUMN mail.unsubscribe IS 'Address that a mail program posts to when its reader wants no more of these (RFC 8058).';

CREATE TABLE document_notice (
  person_id   uuid PRIMARY KEY REFERENCES person ON DELETE CASCADE,
  digest      text NOT NULL DEFAULT 'weekly' CHECK (digest IN ('never', 'daily', 'weekly')),
  due         boolean NOT NULL DEFAULT true,
  key         text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', '') CONSTRAINT document_notice_key UNIQUE CHECK (key ~ '^[0-9a-f]{32}$'),
  digested_at timestamptz NOT NULL,
  version     int NOT NULL DEFAULT 1);
COMMENT ON TABLE document_notice IS 'What a person wants to hear of documents by mail. Made when a person has a seat for the first time; before that, what the defaults say.';
COMMENT ON COLUMN document_notice.key IS 'Stands in the address that ends these letters. Not hashed: it goes into every letter, and can do nothing else.';
COMMENT ON COLUMN document_notice.digested_at IS 'Until when the digest has told of documents.';
CREATE INDEX document_notice_digest ON document_notice (digested_at, person_id) WHERE digest <> 'never';

CREATE TABLE document_call (
  document_id uuid NOT NULL REFERENCES document ON DELETE CASCADE,
  due_on      date NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('call', 'reminder')),
  at          timestamptz NOT NULL,
  PRIMARY KEY (document_id, due_on, kind));
COMMENT ON TABLE document_call IS 'Members were told that a document asks them for something by that day.';

CREATE INDEX document_since ON document (commission_id, status_since DESC) WHERE status = 'available';
CREATE INDEX document_calls ON document (due_on, id) WHERE due_on IS NOT NULL AND action IN ('comment', 'decision') AND status = 'available';
CREATE INDEX share_since_commission ON share (to_commission, created_at DESC) WHERE to_commission IS NOT NULL AND revoked_at IS NULL;
