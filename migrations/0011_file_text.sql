-- +goose Up
ALTER TABLE file ADD COLUMN cut boolean NOT NULL DEFAULT false, ADD COLUMN undrawn int[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN file.note IS 'Why it was not read, or no pictures were made: a sentence for readers.';
COMMENT ON COLUMN file.pictures IS 'Pages of which a picture was made, from the first; more are made when somebody turns to them.';
COMMENT ON COLUMN file.cut IS 'There is more text in it than was kept.';
COMMENT ON COLUMN file.undrawn IS 'Of the pages up to pictures, those that could not be drawn.';
CREATE INDEX file_unread ON file (created_at) WHERE read_at IS NULL;

CREATE TABLE file_text (
  digest bytea NOT NULL REFERENCES file ON DELETE CASCADE,
  page   int NOT NULL CHECK (page > 0),
  text   text NOT NULL CHECK (octet_length(text) BETWEEN 1 AND 262144),
  PRIMARY KEY (digest, page));
COMMENT ON TABLE file_text IS 'The text inside a file, by page; what has no pages is cut into parts. Pages without text have no row. Derived: it can be read again from the file.';
