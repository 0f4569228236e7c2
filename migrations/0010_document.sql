-- +goose Up
CREATE TABLE register (
  commission_id uuid PRIMARY KEY REFERENCES commission ON DELETE CASCADE,
  prefix        text NOT NULL CONSTRAINT register_prefix UNIQUE CHECK (prefix ~ '^[A-Z0-9]+(-[A-Z0-9]+)*$' AND length(prefix) <= 48),
  last_number   int NOT NULL DEFAULT 0 CHECK (last_number >= 0),
  review        boolean NOT NULL DEFAULT true,
  visibility    text NOT NULL DEFAULT 'commission' CHECK (visibility IN ('public', 'portal', 'commission', 'officers', 'organization', 'named')),
  deadline      timestamptz,
  names_shown   boolean NOT NULL DEFAULT false,
  quota         bigint NOT NULL DEFAULT 107374182400 CHECK (quota >= 0),
  used          bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
  version       int NOT NULL DEFAULT 1,
  CONSTRAINT register_quota CHECK (used <= quota));
COMMENT ON TABLE register IS 'A commission''s document register: its counter, locked while a number is given, and its settings. Made with the first document.';
COMMENT ON COLUMN register.prefix IS 'Stands before its numbers, ENERGY-N0012: the acronym that the commission had when the register was made. It stays when the commission is renamed, so that references do.';
COMMENT ON COLUMN register.review IS 'What members submit goes to the officers, who accept it, which gives it its number, or return it.';
COMMENT ON COLUMN register.deadline IS 'Contributions submitted after it are marked late.';
COMMENT ON COLUMN register.names_shown IS 'The trace of a document names its readers to all who may see it, not to officers and owners alone.';
COMMENT ON COLUMN register.quota IS 'Bytes that all versions of its documents may take together.';

CREATE TABLE file (
  digest     bytea PRIMARY KEY CHECK (length(digest) = 32),
  size       bigint NOT NULL CHECK (size > 0),
  type       text NOT NULL CHECK (length(type) BETWEEN 1 AND 100),
  scan       text NOT NULL DEFAULT 'none' CHECK (scan IN ('none', 'clean', 'infected')),
  outcome    text CHECK (outcome IN ('read', 'nothing', 'encrypted', 'broken', 'too_large', 'timed_out')),
  pages      int NOT NULL DEFAULT 0 CHECK (pages >= 0),
  pictures   int NOT NULL DEFAULT 0 CHECK (pictures >= 0),
  note       text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
  created_at timestamptz NOT NULL,
  read_at    timestamptz);
COMMENT ON TABLE file IS 'Content that is in the blob store, by its SHA-256. A row is written after the content is durable; content without a row is swept.';
COMMENT ON COLUMN file.type IS 'Media type, by its content and not by its name.';
COMMENT ON COLUMN file.outcome IS 'What came of reading it: null until that was tried.';
COMMENT ON COLUMN file.pictures IS 'Pages of which there is a picture.';

CREATE TABLE upload (
  id         uuid PRIMARY KEY DEFAULT uuid_v7(),
  person_id  uuid NOT NULL REFERENCES person ON DELETE CASCADE,
  file_name  text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 255 AND file_name !~ '[\x01-\x1f\x7f/]'),
  size       bigint NOT NULL CHECK (size > 0),
  digest     bytea CHECK (length(digest) = 32),
  type       text CHECK (length(type) BETWEEN 1 AND 100),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT upload_finished CHECK ((digest IS NULL) = (type IS NULL)));
COMMENT ON TABLE upload IS 'A file on its way: in parts until all of it is there, then by its digest until a document takes it. What nobody takes is swept when it expires.';
COMMENT ON COLUMN upload.size IS 'As declared when it began; how much has come is asked of the blob store.';
CREATE INDEX upload_person ON upload (person_id, id);
CREATE INDEX upload_expires ON upload (expires_at);
CREATE INDEX upload_digest ON upload (digest) WHERE digest IS NOT NULL;

CREATE TABLE document (
  id              uuid PRIMARY KEY DEFAULT uuid_v7(),
  commission_id   uuid NOT NULL REFERENCES commission,
  number          int CHECK (number > 0),
  title           text NOT NULL COLLATE "und-x-icu" CHECK (length(title) BETWEEN 1 AND 500),
  type            text NOT NULL CHECK (type IN ('contribution', 'working_draft', 'report', 'minutes', 'agenda', 'resolution',
                    'liaison_statement', 'reference_architecture', 'other')),
  organization_id uuid REFERENCES organization,
  author_id       uuid REFERENCES person,
  status          text NOT NULL CHECK (status IN ('draft', 'available', 'superseded', 'withdrawn')),
  status_since    timestamptz NOT NULL,
  status_reason   text NOT NULL DEFAULT '' CHECK (length(status_reason) <= 2000),
  before_withdrawal text CHECK (before_withdrawal IN ('draft', 'available', 'superseded')),
  review          text CHECK (review IN ('submitted', 'returned')),
  review_reason   text NOT NULL DEFAULT '' CHECK (length(review_reason) <= 2000),
  submitted_at    timestamptz,
  late            boolean NOT NULL DEFAULT false,
  action          text NOT NULL DEFAULT 'none' CHECK (action IN ('none', 'information', 'comment', 'decision')),
  due_on          date,
  replaced_by     uuid REFERENCES document,
  language        text NOT NULL DEFAULT 'en' CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  languages       text[] NOT NULL DEFAULT '{}' CHECK (cardinality(languages) <= 40),
  versions        int NOT NULL DEFAULT 0 CHECK (versions >= 0),
  keywords        text[] NOT NULL DEFAULT '{}' CHECK (cardinality(keywords) <= 20),
  summary         text NOT NULL DEFAULT '' CHECK (length(summary) <= 2000),
  visibility      text NOT NULL CHECK (visibility IN ('public', 'portal', 'commission', 'officers', 'organization', 'named')),
  license         text NOT NULL DEFAULT '' CHECK (length(license) <= 100),
  published_at    timestamptz,
  version         int NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  CONSTRAINT document_number UNIQUE (commission_id, number),
  CONSTRAINT document_numbered CHECK (number IS NOT NULL OR status = 'draft'),
  CONSTRAINT document_review_of_draft CHECK (review IS NULL OR status = 'draft'),
  CONSTRAINT document_returned_why CHECK (review IS DISTINCT FROM 'returned' OR review_reason <> ''),
  CONSTRAINT document_withdrawn_why CHECK (status <> 'withdrawn' OR status_reason <> ''),
  CONSTRAINT document_withdrawn_from CHECK ((status = 'withdrawn') = (before_withdrawal IS NOT NULL)),
  CONSTRAINT document_due_for_action CHECK (due_on IS NULL OR action <> 'none'),
  CONSTRAINT document_not_itself CHECK (replaced_by <> id),
  CONSTRAINT document_published_openly CHECK (published_at IS NULL OR visibility = 'public' AND license <> ''));
COMMENT ON COLUMN document.number IS 'Counts up in its commission, without a gap. Null while it is prepared or waits for the officers.';
COMMENT ON COLUMN document.organization_id IS 'Its source; null: the commission itself.';
COMMENT ON COLUMN document.author_id IS 'Who submitted it, or reserved its number; null: it was imported.';
COMMENT ON COLUMN document.versions IS 'Number of the newest version; 0: there is no file, only the number.';
COMMENT ON COLUMN document.language IS 'Of the source text; the others in languages are variants of it.';
COMMENT ON COLUMN document.published_at IS 'An open document: for all the world, under its license, since then.';
CREATE INDEX document_register ON document (commission_id, number DESC) WHERE number IS NOT NULL;
CREATE INDEX document_waiting ON document (commission_id, id) WHERE number IS NULL;
CREATE INDEX document_title ON document (commission_id, title, id) WHERE number IS NOT NULL;
CREATE INDEX document_updated ON document (commission_id, updated_at DESC, id DESC) WHERE number IS NOT NULL;
CREATE INDEX document_due ON document (commission_id, due_on, id) WHERE due_on IS NOT NULL AND status IN ('draft', 'available');
CREATE INDEX document_source ON document (organization_id, id DESC) WHERE organization_id IS NOT NULL;
CREATE INDEX document_author ON document (author_id, id DESC) WHERE author_id IS NOT NULL;
CREATE INDEX document_replaced_by ON document (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE INDEX document_published ON document (commission_id, published_at DESC) WHERE published_at IS NOT NULL;
CREATE INDEX document_title_search ON document USING gin (fold(title) gin_trgm_ops);

CREATE TABLE document_version (
  document_id uuid NOT NULL REFERENCES document ON DELETE CASCADE,
  number      int NOT NULL CHECK (number > 0),
  language    text NOT NULL CHECK (language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'),
  digest      bytea NOT NULL REFERENCES file,
  size        bigint NOT NULL CHECK (size > 0),
  file_name   text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 255 AND file_name !~ '[\x01-\x1f\x7f/]'),
  note        text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
  person_id   uuid REFERENCES person,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (document_id, number, language));
COMMENT ON TABLE document_version IS 'A file of a document: never changed, only followed by another. Rows of one number are the same text in several languages; a language without a row for the newest number is stale.';
CREATE INDEX document_version_digest ON document_version (digest);

CREATE TABLE share (
  id              uuid PRIMARY KEY DEFAULT uuid_v7(),
  document_id     uuid NOT NULL REFERENCES document ON DELETE CASCADE,
  organization_id uuid REFERENCES organization,
  to_commission   uuid REFERENCES commission,
  to_organization uuid REFERENCES organization,
  to_person       uuid REFERENCES person,
  link            bytea CONSTRAINT share_link UNIQUE CHECK (length(link) = 32),
  level           text NOT NULL CHECK (level IN ('see', 'download')),
  reason          text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
  created_by      uuid NOT NULL REFERENCES person,
  created_at      timestamptz NOT NULL,
  expires_at      timestamptz,
  revoked_at      timestamptz,
  revoked_by      uuid REFERENCES person,
  opened          int NOT NULL DEFAULT 0 CHECK (opened >= 0),
  CONSTRAINT share_with_one CHECK (num_nonnulls(to_commission, to_organization, to_person, link) = 1),
  CONSTRAINT share_link_expires CHECK (link IS NULL OR expires_at IS NOT NULL),
  CONSTRAINT share_expires_later CHECK (expires_at > created_at),
  CONSTRAINT share_revoked CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)));
COMMENT ON TABLE share IS 'The share ledger: a grant by a document''s owner to another commission or organization, a person, or whoever has a link.';
COMMENT ON COLUMN share.organization_id IS 'The owner that grants; null where the document is the commission''s own.';
COMMENT ON COLUMN share.link IS 'SHA-256 of the link''s secret.';
CREATE INDEX share_document ON share (document_id, id);
CREATE INDEX share_commission ON share (to_commission, document_id) INCLUDE (level, expires_at) WHERE to_commission IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX share_organization ON share (to_organization, document_id) INCLUDE (level, expires_at) WHERE to_organization IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX share_person ON share (to_person, document_id) INCLUDE (level, expires_at) WHERE to_person IS NOT NULL AND revoked_at IS NULL;
CREATE INDEX share_owner ON share (organization_id, id DESC) WHERE organization_id IS NOT NULL;

CREATE TABLE document_access (
  id              uuid PRIMARY KEY DEFAULT uuid_v7(),
  document_id     uuid NOT NULL REFERENCES document ON DELETE CASCADE,
  kind            text NOT NULL CHECK (kind IN ('view', 'preview', 'download')),
  number          int,
  language        text,
  person_id       uuid REFERENCES person,
  organization_id uuid REFERENCES organization,
  share_id        uuid REFERENCES share ON DELETE CASCADE,
  at              timestamptz NOT NULL);
COMMENT ON TABLE document_access IS 'Who opened or downloaded what, and under which grant: part of the trace. Reading changes no state, so it is not in the journal.';
COMMENT ON COLUMN document_access.organization_id IS 'For which organization the reader acts in the commission, or the one that the grant was made to.';
CREATE INDEX document_access_trace ON document_access (document_id, at DESC, id DESC);
CREATE INDEX document_access_share ON document_access (share_id, at DESC) WHERE share_id IS NOT NULL;

ALTER TABLE import_key DROP CONSTRAINT import_key_kind_check;
ALTER TABLE import_key ADD CONSTRAINT import_key_kind_check CHECK (kind IN ('organization', 'person', 'commission', 'document'));
