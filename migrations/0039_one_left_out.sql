-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = '5s';
-- Words with one mistake between them are alike once a letter is left out of each, or of one: an
-- index on what is left finds them by a few exact look-ups. The index on trigrams that stood here
-- came to thousands of words, and did not know "gird" for "grid". While the release before is
-- still running, its corrections read all words.
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;

CREATE OR REPLACE FUNCTION one_left_out(word text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(SELECT left(word, n) || substr(word, n + 2) FROM generate_series(0, length(word)) n);
COMMENT ON FUNCTION one_left_out IS 'The word with each of its letters left out, and the word itself.';

DROP INDEX CONCURRENTLY IF EXISTS document_word_left_out;
CREATE INDEX CONCURRENTLY IF NOT EXISTS document_word_left_out ON document_word USING gin (one_left_out(word)) WHERE in_title AND length(word) BETWEEN 3 AND 24;
-- Long words with two mistakes: those that begin with the same three letters.
DROP INDEX CONCURRENTLY IF EXISTS document_word_begin;
CREATE INDEX CONCURRENTLY IF NOT EXISTS document_word_begin ON document_word (left(word, 3)) WHERE in_title AND length(word) > 5;
DROP INDEX CONCURRENTLY IF EXISTS document_word_title;
DROP INDEX CONCURRENTLY IF EXISTS document_word_alike;
RESET lock_timeout;
