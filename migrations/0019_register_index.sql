-- +goose Up
-- A register of any size answers in what it shows, also where few documents are of
-- the type or status that is asked for, or may be seen.
CREATE INDEX document_type ON document (commission_id, type, number DESC) WHERE number IS NOT NULL;
CREATE INDEX document_status ON document (commission_id, status, number DESC) WHERE number IS NOT NULL;
CREATE INDEX document_visibility ON document (commission_id, visibility, number DESC) WHERE number IS NOT NULL;
CREATE INDEX document_languages ON document USING gin (languages);
