-- +goose Up
ALTER TABLE upload ADD COLUMN scan text NOT NULL DEFAULT 'none' CONSTRAINT upload_scan CHECK (scan IN ('none', 'clean', 'too_large', 'waiting'));
COMMENT ON COLUMN upload.scan IS 'What the search for viruses came to; waiting: all of it is there, and is not taken before it was searched.';
ALTER TABLE file DROP CONSTRAINT file_scan_check;
ALTER TABLE file ADD CONSTRAINT file_scan CHECK (scan IN ('none', 'clean', 'too_large', 'infected'));
COMMENT ON COLUMN file.scan IS 'What the search for viruses came to; none: there was none yet. What is infected stays, and is given to nobody.';
CREATE INDEX file_unscanned ON file (digest) WHERE scan = 'none';
