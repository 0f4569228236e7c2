-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = '5s';
-- Names with a letter wrong, missing, too many or changed about, by a few exact look-ups, as words
-- of documents (migration 0039): trigrams, which were asked before, go through all names that
-- share some, and do not know "enrgy" for "energy".
CREATE OR REPLACE FUNCTION words_left_out(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(SELECT left(word, n) || substr(word, n + 2) FROM regexp_split_to_table(fold(name), '[^[:alnum:]]+') word, generate_series(0, length(word)) n WHERE length(word) BETWEEN 3 AND 24);
COMMENT ON FUNCTION words_left_out IS 'The words of a name, as it is searched, each with each of its letters left out, and whole.';

DROP INDEX CONCURRENTLY IF EXISTS commission_left_out;
CREATE INDEX CONCURRENTLY IF NOT EXISTS commission_left_out ON commission USING gin (words_left_out(acronym || ' ' || name));
DROP INDEX CONCURRENTLY IF EXISTS organization_left_out;
CREATE INDEX CONCURRENTLY IF NOT EXISTS organization_left_out ON organization USING gin (words_left_out(name)) WHERE state = 'member';
DROP INDEX CONCURRENTLY IF EXISTS person_left_out;
CREATE INDEX CONCURRENTLY IF NOT EXISTS person_left_out ON person USING gin (words_left_out(name)) WHERE state = 'active';
RESET lock_timeout;
