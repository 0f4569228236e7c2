-- +goose Up
-- A name sought in a roster costs what is found, not every seat of the commission.
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE INDEX seat_name_search ON seat USING gin (commission_id, fold(sort_name) gin_trgm_ops);
-- The picture of a trace counts readings by kind and time from the index alone.
DROP INDEX document_access_trace;
CREATE INDEX document_access_trace ON document_access (document_id, at DESC, id DESC) INCLUDE (kind);
