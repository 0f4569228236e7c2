-- +goose Up
-- A document for the people of its source alone needs a source. What has none was
-- read by its officers and its author; so it is now, and says so.
UPDATE document SET visibility = 'officers', version = version + 1 WHERE visibility = 'organization' AND organization_id IS NULL;
ALTER TABLE document ADD CONSTRAINT document_read_by_source CHECK (visibility <> 'organization' OR organization_id IS NOT NULL);
