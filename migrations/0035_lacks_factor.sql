-- +goose Up
-- It is asked in statements that are planned once (access.Resting), and nothing calls this.
DROP FUNCTION lacks_factor(uuid, timestamptz);
