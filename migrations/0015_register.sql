-- +goose Up
ALTER TABLE import DROP CONSTRAINT import_kind_check;
ALTER TABLE import ADD CONSTRAINT import_kind_check CHECK (kind IN ('organizations', 'persons', 'commissions', 'participations', 'seats', 'documents'));
ALTER TABLE import DROP CONSTRAINT import_roster;
ALTER TABLE import ADD CONSTRAINT import_of_one CHECK (commission_id IS NULL OR kind IN ('seats', 'documents'));
COMMENT ON COLUMN import.commission_id IS 'The one commission whose roster or register it is for; null for an import of the secretariat.';
