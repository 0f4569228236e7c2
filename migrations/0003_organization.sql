-- +goose Up
CREATE TABLE organization (
  id            uuid PRIMARY KEY DEFAULT uuid_v7(),
  slug          text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 80),
  name          text NOT NULL COLLATE "und-x-icu" CHECK (length(name) BETWEEN 1 AND 200),
  plain_name    text NOT NULL CHECK (length(plain_name) BETWEEN 1 AND 200),
  kind          text NOT NULL CHECK (kind IN ('company', 'government', 'intergovernmental', 'standards_body', 'academia', 'association')),
  category      text NOT NULL DEFAULT 'associate' CHECK (category IN ('founding', 'full', 'associate', 'observer', 'liaison')),
  country       text CHECK (country ~ '^[A-Z]{2}$'),
  website       text NOT NULL DEFAULT '' CHECK (length(website) <= 300),
  domain        text NOT NULL DEFAULT '' CHECK (length(domain) <= 253),
  about         text NOT NULL DEFAULT '' CHECK (length(about) <= 5000),
  state         text NOT NULL CHECK (state IN ('pending', 'member', 'suspended', 'left', 'declined', 'merged')),
  state_reason  text NOT NULL DEFAULT '' CHECK (length(state_reason) <= 2000),
  state_since   timestamptz NOT NULL DEFAULT now(),
  merged_into   uuid REFERENCES organization,
  registered_by uuid REFERENCES person,
  version       int NOT NULL DEFAULT 1,
  created_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT organization_slug UNIQUE (slug),
  CONSTRAINT organization_merged CHECK ((state = 'merged') = (merged_into IS NOT NULL)),
  CONSTRAINT organization_not_itself CHECK (merged_into <> id));
COMMENT ON COLUMN organization.plain_name IS 'The name without case, diacritics and legal form: how near-duplicates are found.';
COMMENT ON COLUMN organization.domain IS 'The registrable domain of the website; not unique: offices of one house may join apart.';
CREATE INDEX organization_directory ON organization (name, id) INCLUDE (slug, kind, category, country, state) WHERE state = 'member';
CREATE INDEX organization_country ON organization (country, name, id) WHERE state = 'member';
CREATE INDEX organization_kind ON organization (kind, name, id) WHERE state = 'member';
CREATE INDEX organization_review ON organization (state, name, id) WHERE state <> 'member';
CREATE INDEX organization_pending ON organization (created_at, id) WHERE state = 'pending';
CREATE INDEX organization_same ON organization (plain_name);
CREATE INDEX organization_plain ON organization USING gin (plain_name gin_trgm_ops);
CREATE INDEX organization_search ON organization USING gin (fold(name) gin_trgm_ops);
CREATE INDEX organization_domain ON organization (domain) WHERE domain <> '';
CREATE INDEX organization_merged_into ON organization (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE organization_name (
  id              uuid PRIMARY KEY DEFAULT uuid_v7(),
  organization_id uuid NOT NULL REFERENCES organization,
  name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  slug            text CONSTRAINT organization_name_slug UNIQUE,
  until           timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE organization_name IS 'Names an organization had before (renamed), and those of organizations merged into it; its old addresses lead to it.';
COMMENT ON COLUMN organization_name.slug IS 'Null if the address did not change with the name, or was taken back.';
CREATE INDEX organization_name_of ON organization_name (organization_id, until DESC);

CREATE TABLE organization_logo (
  organization_id uuid PRIMARY KEY REFERENCES organization ON DELETE CASCADE,
  type            text NOT NULL CHECK (type IN ('image/png', 'image/jpeg', 'image/webp')),
  digest          text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  body            bytea NOT NULL CHECK (length(body) BETWEEN 1 AND 262144));

CREATE TABLE affiliation (
  id              uuid PRIMARY KEY DEFAULT uuid_v7(),
  person_id       uuid NOT NULL REFERENCES person,
  organization_id uuid NOT NULL REFERENCES organization,
  title           text NOT NULL DEFAULT '' CHECK (length(title) <= 200),
  state           text NOT NULL CHECK (state IN ('claimed', 'confirmed', 'declined')),
  representative  boolean NOT NULL DEFAULT false,
  period          tstzrange NOT NULL CHECK (NOT isempty(period) AND lower(period) IS NOT NULL),
  reason          text NOT NULL DEFAULT '' CHECK (length(reason) <= 2000),
  version         int NOT NULL DEFAULT 1,
  CONSTRAINT affiliation_once EXCLUDE USING gist (person_id WITH =, organization_id WITH =, period WITH &&) WHERE (state <> 'declined'),
  CONSTRAINT affiliation_representative_confirmed CHECK (NOT representative OR state = 'confirmed'));
COMMENT ON TABLE affiliation IS 'For which organization a person acts, and when.';
COMMENT ON COLUMN affiliation.state IS 'claimed by the person until a primary representative of the organization confirms.';
COMMENT ON COLUMN affiliation.reason IS 'Why it was declined or ended, for the person to read.';
COMMENT ON COLUMN affiliation.representative IS 'Primary representative: may fill the organization''s seats.';
CREATE INDEX affiliation_person ON affiliation (person_id) INCLUDE (organization_id, representative, state, period);
CREATE INDEX affiliation_organization ON affiliation (organization_id, person_id);
CREATE INDEX affiliation_claims ON affiliation (organization_id, id) WHERE state = 'claimed';
