-- +goose Up
-- Two characters of Chinese, Japanese or Korean are a word, and trigrams find no fewer
-- than three: each stands apart. Plain ASCII, as most names are, is only lowered.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold(t text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  -- unaccent is only STABLE because its dictionary could be changed; ours is not.
  SELECT CASE WHEN octet_length(t) = length(t) THEN lower(t)
    ELSE lower(regexp_replace(public.unaccent('public.unaccent'::regdictionary, t), '([\u2E80-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\U00020000-\U0003FFFF])', ' \1 ', 'g')) END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION fold(text) IS 'How names are searched: lower case, without diacritics, characters of Chinese, Japanese and Korean apart.';
REINDEX INDEX person_name_search;
REINDEX INDEX organization_search;
REINDEX INDEX commission_search;
REINDEX INDEX document_title_search;

-- To compile a statement, or to have helpers begin with it, takes many times as long as
-- the portal's statements do. Who migrates and does not own the database is told by
-- `portal doctor`.
-- +goose StatementBegin
DO $$
BEGIN
  EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
  EXECUTE format('ALTER DATABASE %I SET max_parallel_workers_per_gather = 0', current_database());
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'jit and max_parallel_workers_per_gather stay as they are';
END $$;
-- +goose StatementEnd

-- What excludes overlaps is for that alone: asked for the seats of a person, or for who
-- takes part in a commission, Postgres thought it the best index, and went through
-- thousands of its pages. No query says what the indexes are limited to, which all rows
-- fulfill. (Among a million seats this takes a minute.)
ALTER TABLE seat DROP CONSTRAINT seat_no_double, ADD CONSTRAINT seat_no_double EXCLUDE USING gist (commission_id WITH =, person_id WITH =, role WITH =,
  (coalesce(organization_id, '00000000-0000-0000-0000-000000000000'::uuid)) WITH =, period WITH &&) WHERE (NOT isempty(period));
ALTER TABLE participation DROP CONSTRAINT participation_once, ADD CONSTRAINT participation_once EXCLUDE USING gist
  (organization_id WITH =, commission_id WITH =, period WITH &&) WHERE (NOT isempty(period));
