-- +goose Up
-- How many hold which roles of a commission is shown until it changes (see migration 0038).
SET LOCAL lock_timeout = '5s';
CREATE TRIGGER count_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON commission_role_holder FOR EACH STATEMENT EXECUTE FUNCTION count_change();
