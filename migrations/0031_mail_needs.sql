-- +goose Up
-- A letter that was written while its reader had a right, and is sent when they may have it no more.
ALTER TABLE mail ADD COLUMN needs text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN mail.needs IS 'What its reader must still have the right to when it is sent: "document ID" to read one, "commission ID OBJECT ACTION". Without it the letter is withheld.';
ALTER TABLE mail DROP CONSTRAINT mail_state_check, ADD CONSTRAINT mail_state_check CHECK (state IN ('queued', 'sent', 'failed', 'kept', 'withheld'));
