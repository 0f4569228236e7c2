-- +goose Up
SET LOCAL lock_timeout = '5s';
-- The program before this one leaves it null, and goes on as it did.
ALTER TABLE idempotency ADD COLUMN claim uuid;
COMMENT ON COLUMN idempotency.claim IS 'Whose it is to carry the request out: another claim takes it over from one that has not said for a while that it lives, and then the first cannot commit.';
