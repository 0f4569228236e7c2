-- +goose Up
SET LOCAL lock_timeout = '5s';
-- Most statements of the portal take longer to plan than to carry out, and each is a text of
-- its own for each set of filters: a plan is made once for each connection, and not for each
-- set of values. Left to itself Postgres decides that by what it guesses of costs, anew after
-- each ANALYZE. Who migrates and does not own the database is told by `portal doctor`.
-- +goose StatementBegin
DO $$
BEGIN
  EXECUTE format('ALTER DATABASE %I SET plan_cache_mode = force_generic_plan', current_database());
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'plan_cache_mode stays as it is';
END $$;
-- +goose StatementEnd
