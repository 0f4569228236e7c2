-- +goose Up
CREATE TABLE import (
  id            uuid PRIMARY KEY DEFAULT uuid_v7(),
  kind          text NOT NULL CHECK (kind IN ('organizations', 'persons', 'commissions', 'participations', 'seats')),
  commission_id uuid REFERENCES commission,
  person_id     uuid REFERENCES person,
  file_name     text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 200),
  file_size     bigint NOT NULL CHECK (file_size >= 0),
  header        text[] NOT NULL,
  sample        json NOT NULL DEFAULT '[]',
  plan          json NOT NULL,
  state         text NOT NULL CHECK (state IN ('draft', 'queued', 'running', 'checked', 'done', 'failed')),
  dry_run       boolean NOT NULL DEFAULT true,
  progress      smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
  problem       json,
  created       int NOT NULL DEFAULT 0,
  changed       int NOT NULL DEFAULT 0,
  skipped       int NOT NULL DEFAULT 0,
  refused       int NOT NULL DEFAULT 0,
  created_at    timestamptz NOT NULL DEFAULT now(),
  finished_at   timestamptz,
  CONSTRAINT import_roster CHECK (commission_id IS NULL OR kind = 'seats'));
COMMENT ON TABLE import IS 'A file brought into the portal: how its columns are understood, and what came of it.';
COMMENT ON COLUMN import.commission_id IS 'The one roster it is for; null for an import of the secretariat.';
COMMENT ON COLUMN import.person_id IS 'Who imports; null for the command line.';
COMMENT ON COLUMN import.plan IS 'Source of the identifiers, the column of each field, and what words mean.';
COMMENT ON COLUMN import.state IS 'draft: uploaded. checked: a dry run is done. done: carried out.';
COMMENT ON COLUMN import.problem IS 'Why it failed, as format and args of a sentence.';
CREATE INDEX import_commission ON import (commission_id, id DESC) WHERE commission_id IS NOT NULL;
CREATE INDEX import_age ON import (created_at);

CREATE TABLE import_file (
  import_id uuid NOT NULL REFERENCES import ON DELETE CASCADE,
  part      int NOT NULL,
  body      bytea NOT NULL CHECK (length(body) BETWEEN 1 AND 1048576),
  PRIMARY KEY (import_id, part));
COMMENT ON TABLE import_file IS 'The uploaded file in parts of 1 MiB; deleted after seven days.';

CREATE TABLE import_line (
  import_id uuid NOT NULL REFERENCES import ON DELETE CASCADE,
  line      int NOT NULL,
  verdict   text NOT NULL CHECK (verdict IN ('created', 'changed', 'skipped', 'refused')),
  name      text NOT NULL,
  notes     text[] NOT NULL DEFAULT '{}',
  path      text,
  PRIMARY KEY (import_id, line));
COMMENT ON TABLE import_line IS 'The report of an import: what became, or would become, of each line, and why.';
COMMENT ON COLUMN import_line.notes IS 'Sentences; each is an English format and its values, separated by the unit separator.';
CREATE INDEX import_line_verdict ON import_line (import_id, verdict, line);

CREATE TABLE import_key (
  kind      text NOT NULL CHECK (kind IN ('organization', 'person', 'commission')),
  source    text NOT NULL,
  key       text NOT NULL,
  object_id uuid NOT NULL,
  made      boolean NOT NULL,
  PRIMARY KEY (kind, source, key));
COMMENT ON TABLE import_key IS 'What a source of data calls something of the portal, so that the next file of that source finds it.';
COMMENT ON COLUMN import_key.made IS 'It came into the portal from this source, which may therefore correct it.';
CREATE INDEX import_key_object ON import_key (object_id);
