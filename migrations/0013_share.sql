-- +goose Up
CREATE TABLE sharing (
  id      boolean PRIMARY KEY DEFAULT true CHECK (id),
  links   boolean NOT NULL DEFAULT false,
  version int NOT NULL DEFAULT 1);
COMMENT ON TABLE sharing IS 'One row: what the portal allows of sharing.';
COMMENT ON COLUMN sharing.links IS 'Documents may be shared with whoever has a link. While it is off, no link opens anything.';
INSERT INTO sharing DEFAULT VALUES;

ALTER TABLE share
  ADD COLUMN replaced_by uuid REFERENCES share DEFERRABLE INITIALLY DEFERRED,
  ADD CONSTRAINT share_replaced CHECK (replaced_by IS NULL OR revoked_at IS NOT NULL AND replaced_by <> id),
  ADD CONSTRAINT share_link_within_a_year CHECK (link IS NULL OR expires_at <= created_at + interval '367 days');
COMMENT ON COLUMN share.replaced_by IS 'The grant to the same recipient that took its place: sharing again changes nothing, it ends one and makes another.';
CREATE UNIQUE INDEX share_live ON share (document_id, coalesce(to_commission, to_organization, to_person)) WHERE link IS NULL AND revoked_at IS NULL;
CREATE INDEX share_to_commission ON share (to_commission, id DESC) WHERE to_commission IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX share_to_organization ON share (to_organization, id DESC) WHERE to_organization IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX share_to_person ON share (to_person, id DESC) WHERE to_person IS NOT NULL AND revoked_at IS NULL;
