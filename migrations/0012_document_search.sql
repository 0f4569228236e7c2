-- +goose Up
CREATE TABLE document_search (
  document_id uuid PRIMARY KEY REFERENCES document ON DELETE CASCADE,
  ordinal     bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  lexemes     tsvector NOT NULL DEFAULT '',
  head        tsvector NOT NULL DEFAULT '',
  words       text NOT NULL DEFAULT '');
COMMENT ON TABLE document_search IS 'What a document is found by: its title, keywords, summary, number, and the text in its newest version in each language. Derived: a job makes it anew.';
COMMENT ON COLUMN document_search.ordinal IS 'Counts up; a search goes backwards through slices of it, so that it stops when it has enough.';
COMMENT ON COLUMN document_search.lexemes IS 'Words and their stems, pairs of words (=), words of the title (/), its number (&), who can read it at all (@), what it can be filtered by (#). Without positions: the index alone decides, and rows are not read.';
COMMENT ON COLUMN document_search.head IS 'Words of the title (weight A), of keywords, summary and number (B): what results are ranked by.';
COMMENT ON COLUMN document_search.words IS 'All words as they stand, for phrases; each page begins with a form feed and language:page.';
CREATE UNIQUE INDEX document_search_ordinal ON document_search (ordinal);
-- No list of pending entries: every search would read all of it, once for each slice.
CREATE INDEX document_search_lexemes ON document_search USING gin (lexemes) WITH (fastupdate = off);

CREATE TABLE document_unindexed (
  document_id uuid PRIMARY KEY REFERENCES document ON DELETE CASCADE,
  changes     int NOT NULL DEFAULT 1);
COMMENT ON TABLE document_unindexed IS 'Documents whose row in document_search has to be made anew: written by triggers, so that no way of writing forgets it, and emptied by a job.';
COMMENT ON COLUMN document_unindexed.changes IS 'The job takes a row away only if nothing was added while it worked.';

CREATE TABLE document_word (
  word      text COLLATE "C" PRIMARY KEY CHECK (octet_length(word) BETWEEN 1 AND 512),
  documents int NOT NULL,
  in_title  boolean NOT NULL DEFAULT false);
COMMENT ON TABLE document_word IS 'Words that are or were in documents: how the beginning of a word is completed and a mistake is mended inside a search. Never shown to anybody.';
COMMENT ON COLUMN document_word.documents IS 'In about how many: words that went are not counted back.';
CREATE INDEX document_word_title ON document_word (word) WHERE in_title;
CREATE INDEX document_word_alike ON document_word USING gin (word gin_trgm_ops) WHERE in_title;

-- +goose StatementBegin
CREATE FUNCTION document_unindex() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  CASE TG_TABLE_NAME || ' ' || TG_OP
    WHEN 'document INSERT' THEN
      INSERT INTO document_unindexed (document_id) SELECT id FROM added ON CONFLICT (document_id) DO UPDATE SET changes = document_unindexed.changes + 1;
    WHEN 'document_version INSERT' THEN
      INSERT INTO document_unindexed (document_id) SELECT DISTINCT document_id FROM added ORDER BY 1 ON CONFLICT (document_id) DO UPDATE SET changes = document_unindexed.changes + 1;
    WHEN 'document UPDATE' THEN
      INSERT INTO document_unindexed (document_id) VALUES (NEW.id) ON CONFLICT (document_id) DO UPDATE SET changes = document_unindexed.changes + 1;
    WHEN 'file UPDATE' THEN
      INSERT INTO document_unindexed (document_id) SELECT DISTINCT document_id FROM document_version WHERE digest = NEW.digest ORDER BY 1
      ON CONFLICT (document_id) DO UPDATE SET changes = document_unindexed.changes + 1;
    WHEN 'share INSERT' THEN
      -- Whom it is shared with finds it at once, without waiting for the job.
      UPDATE document_search SET lexemes = lexemes || array_to_tsvector(ARRAY[coalesce('@p' || NEW.to_person, '@o' || NEW.to_organization, '@m' || NEW.to_commission)])
      WHERE document_id = NEW.document_id;
      INSERT INTO document_unindexed (document_id) VALUES (NEW.document_id) ON CONFLICT (document_id) DO UPDATE SET changes = document_unindexed.changes + 1;
  END CASE;
  RETURN NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION document_unindex() IS 'Notes that documents are to be indexed anew.';
CREATE TRIGGER document_added AFTER INSERT ON document REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION document_unindex();
CREATE TRIGGER document_said AFTER UPDATE ON document FOR EACH ROW
  WHEN ((OLD.title, OLD.keywords, OLD.summary, OLD.number, OLD.language, OLD.versions, OLD.type, OLD.status, OLD.visibility, OLD.organization_id, OLD.author_id)
    IS DISTINCT FROM (NEW.title, NEW.keywords, NEW.summary, NEW.number, NEW.language, NEW.versions, NEW.type, NEW.status, NEW.visibility, NEW.organization_id, NEW.author_id))
  EXECUTE FUNCTION document_unindex();
CREATE TRIGGER document_version_added AFTER INSERT ON document_version REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION document_unindex();
CREATE TRIGGER file_read AFTER UPDATE ON file FOR EACH ROW WHEN ((OLD.read_at, OLD.scan) IS DISTINCT FROM (NEW.read_at, NEW.scan)) EXECUTE FUNCTION document_unindex();
-- Whoever has a link is nobody that searches.
CREATE TRIGGER share_granted AFTER INSERT ON share FOR EACH ROW WHEN (NEW.link IS NULL) EXECUTE FUNCTION document_unindex();

INSERT INTO document_unindexed (document_id) SELECT id FROM document;
