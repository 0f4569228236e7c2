-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = '5s';
-- Who holds which roles in a large commission is counted from the index of its roster alone,
-- and not from the rows of its seats, which lie all over the table.
DROP INDEX CONCURRENTLY IF EXISTS seat_roster_wide;
CREATE INDEX CONCURRENTLY IF NOT EXISTS seat_roster_wide ON seat (commission_id, rank, sort_name, id) INCLUDE (period, person_id, role, suspended);
DROP INDEX CONCURRENTLY IF EXISTS seat_roster;
ALTER INDEX seat_roster_wide RENAME TO seat_roster;
RESET lock_timeout;
