-- +goose Up
CREATE INDEX document_open ON document (published_at DESC, id DESC) WHERE published_at IS NOT NULL;
CREATE INDEX document_feed ON document (commission_id, status_since DESC, id DESC) WHERE status = 'available' AND visibility = 'public';
