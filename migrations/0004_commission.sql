-- +goose Up
CREATE TABLE sector (
  id         uuid PRIMARY KEY DEFAULT uuid_v7(),
  slug       text NOT NULL CONSTRAINT sector_slug UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 80),
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  about      text NOT NULL DEFAULT '' CHECK (length(about) <= 2000),
  position   int NOT NULL DEFAULT 0,
  closed     boolean NOT NULL DEFAULT false,
  version    int NOT NULL DEFAULT 1,
  CONSTRAINT sector_name UNIQUE (name));
COMMENT ON TABLE sector IS 'A branch of the economy in the convention''s program.';
COMMENT ON COLUMN sector.closed IS 'No new commission may be founded in it; those there stay.';
INSERT INTO sector (slug, name, position, about) VALUES
  ('industry',       'Industry',        1, 'Manufacturing, machinery, materials, construction and the factories of tomorrow.'),
  ('agriculture',    'Agriculture',     2, 'Farming, food, forestry, fisheries and the land and water they live on.'),
  ('energy',         'Energy',          3, 'Generation, grids, storage, fuels and the efficient use of power.'),
  ('ai',             'AI',              4, 'Artificial intelligence, data and software that industry can trust.'),
  ('transportation', 'Transportation',  5, 'Road, rail, sea and air: vehicles, infrastructure and safety.'),
  ('healthcare',     'Healthcare',      6, 'Medicines, devices, hospitals and the data that serves patients.'),
  ('logistics',      'Logistics',       7, 'Supply chains, ports, warehouses and the papers that travel with goods.'),
  ('culture',        'Culture',         8, 'Heritage, media, design and the creative economy.'),
  ('education',      'Education',       9, 'Schools, universities, vocational training and recognition of skills.'),
  ('tourism',        'Tourism',        10, 'Travel, hospitality and destinations that last.'),
  ('finance',        'Finance',        11, 'Banking, insurance, investment and payments.');

CREATE TABLE founding_threshold (
  id            boolean PRIMARY KEY DEFAULT true CHECK (id),
  persons       int NOT NULL DEFAULT 5 CHECK (persons BETWEEN 1 AND 1000),
  organizations int NOT NULL DEFAULT 3 CHECK (organizations BETWEEN 0 AND 1000),
  countries     int NOT NULL DEFAULT 2 CHECK (countries BETWEEN 0 AND 200),
  version       int NOT NULL DEFAULT 1);
COMMENT ON TABLE founding_threshold IS 'One row: the support a proposed commission needs before its call for participation.';
INSERT INTO founding_threshold DEFAULT VALUES;

CREATE TABLE commission (
  id                     uuid PRIMARY KEY DEFAULT uuid_v7(),
  slug                   text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 80),
  acronym                text NOT NULL CHECK (acronym ~ '^[A-Z0-9]+(-[A-Z0-9]+)*$' AND length(acronym) <= 40),
  name                   text NOT NULL COLLATE "und-x-icu" CHECK (length(name) BETWEEN 1 AND 200),
  kind                   text NOT NULL CHECK (kind IN ('commission', 'subcommission', 'working_group', 'task_force')),
  parent_id              uuid,
  parent_kind            text,
  sector_id              uuid REFERENCES sector,
  state                  text NOT NULL CHECK (state IN ('proposed', 'forming', 'active', 'dormant', 'concluded', 'abandoned')),
  state_since            timestamptz NOT NULL DEFAULT now(),
  purpose                text NOT NULL DEFAULT '' CHECK (length(purpose) <= 2000),
  convener_id            uuid REFERENCES person,
  join_mode              text NOT NULL DEFAULT 'application' CHECK (join_mode IN ('open', 'application', 'invitation', 'closed')),
  roster_visibility      text NOT NULL DEFAULT 'public' CHECK (roster_visibility IN ('public', 'portal', 'commission', 'officers')),
  term_months            int CHECK (term_months BETWEEN 1 AND 240),
  seats_per_organization int CHECK (seats_per_organization BETWEEN 1 AND 1000),
  version                int NOT NULL DEFAULT 1,
  created_at             timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT commission_slug UNIQUE (slug),
  CONSTRAINT commission_acronym UNIQUE (acronym),
  CONSTRAINT commission_id_kind UNIQUE (id, kind),
  CONSTRAINT commission_parent FOREIGN KEY (parent_id, parent_kind) REFERENCES commission (id, kind),
  CONSTRAINT commission_parent_known CHECK ((parent_id IS NULL) = (parent_kind IS NULL)),
  CONSTRAINT commission_under CHECK (CASE kind
    WHEN 'commission'    THEN parent_kind IS NULL
    WHEN 'subcommission' THEN parent_kind = 'commission'
    WHEN 'working_group' THEN parent_kind IN ('commission', 'subcommission') OR parent_kind IS NULL
    WHEN 'task_force'    THEN parent_kind IN ('commission', 'subcommission', 'working_group') OR parent_kind IS NULL END));
COMMENT ON CONSTRAINT commission_under ON commission IS 'Each kind sits only under a higher one: the hierarchy has no cycle.';
COMMENT ON COLUMN commission.term_months IS 'Length of a term when none is given; null: without end.';
COMMENT ON COLUMN commission.seats_per_organization IS 'Most seats one organization may hold at a time; null: no limit.';
COMMENT ON COLUMN commission.acronym IS 'Stands before document numbers: ENERGY-N0012.';
CREATE INDEX commission_parent_of ON commission (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX commission_directory ON commission (name, id) INCLUDE (slug, kind, state, sector_id);
CREATE INDEX commission_sector ON commission (sector_id, name, id);
CREATE INDEX commission_convener ON commission (convener_id) WHERE state IN ('proposed', 'forming');
CREATE INDEX commission_search ON commission USING gin (fold(acronym || ' ' || name) gin_trgm_ops);

CREATE TABLE commission_name (
  slug          text PRIMARY KEY,
  commission_id uuid NOT NULL REFERENCES commission ON DELETE CASCADE,
  name          text NOT NULL,
  until         timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE commission_name IS 'Slugs and names a commission had before: old addresses lead to it, unless another commission has taken them.';
CREATE INDEX commission_name_of ON commission_name (commission_id);

CREATE TABLE support (
  commission_id   uuid NOT NULL REFERENCES commission ON DELETE CASCADE,
  person_id       uuid NOT NULL REFERENCES person,
  organization_id uuid REFERENCES organization,
  created_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT support_once PRIMARY KEY (commission_id, person_id));
CREATE INDEX support_order ON support (commission_id, created_at, person_id);
CREATE INDEX support_organization ON support (organization_id) WHERE organization_id IS NOT NULL;
COMMENT ON TABLE support IS 'Who signs on to a proposed commission, for an organization or in person.';

CREATE TABLE charter (
  commission_id uuid NOT NULL REFERENCES commission ON DELETE CASCADE,
  number        int NOT NULL CHECK (number > 0),
  body          text NOT NULL CHECK (length(body) BETWEEN 1 AND 200000),
  summary       text NOT NULL DEFAULT '' CHECK (length(summary) <= 300),
  author_id     uuid REFERENCES person,
  created_at    timestamptz NOT NULL,
  adopted_at    timestamptz,
  PRIMARY KEY (commission_id, number));
COMMENT ON TABLE charter IS 'Revisions of a commission''s charter, in Markdown; never changed, only followed by another.';

CREATE TABLE milestone (
  id            uuid PRIMARY KEY DEFAULT uuid_v7(),
  commission_id uuid NOT NULL REFERENCES commission ON DELETE CASCADE,
  title         text NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
  due_on        date NOT NULL,
  done_on       date,
  version       int NOT NULL DEFAULT 1);
CREATE INDEX milestone_commission ON milestone (commission_id, due_on, id);

CREATE TABLE participation (
  id              uuid PRIMARY KEY DEFAULT uuid_v7(),
  organization_id uuid NOT NULL REFERENCES organization,
  commission_id   uuid NOT NULL REFERENCES commission,
  level           text NOT NULL CHECK (level IN ('P', 'O', 'L')),
  period          tstzrange NOT NULL CHECK (NOT isempty(period) AND lower(period) IS NOT NULL),
  CONSTRAINT participation_once EXCLUDE USING gist (organization_id WITH =, commission_id WITH =, period WITH &&));
COMMENT ON TABLE participation IS 'An organization''s place in one commission: P participates and votes, O observes, L is in liaison (ISO/IEC Directives).';
CREATE INDEX participation_commission ON participation (commission_id, organization_id) INCLUDE (level, period);
CREATE INDEX participation_organization ON participation (organization_id, commission_id) INCLUDE (level, period);

CREATE TABLE participation_request (
  id              uuid PRIMARY KEY DEFAULT uuid_v7(),
  organization_id uuid NOT NULL REFERENCES organization,
  commission_id   uuid NOT NULL REFERENCES commission,
  level           text NOT NULL CHECK (level IN ('P', 'O', 'L')),
  message         text NOT NULL DEFAULT '' CHECK (length(message) <= 2000),
  requested_by    uuid REFERENCES person,
  state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'granted', 'declined', 'withdrawn')),
  decided_by      uuid REFERENCES person,
  decided_at      timestamptz,
  reason          text NOT NULL DEFAULT '' CHECK (length(reason) <= 2000),
  created_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT participation_request_decided CHECK ((state = 'pending') = (decided_at IS NULL)),
  CONSTRAINT participation_request_reason CHECK (state <> 'declined' OR reason <> ''));
COMMENT ON TABLE participation_request IS 'A primary representative asks for a place in a commission, or for another level; its officers decide.';
CREATE UNIQUE INDEX participation_request_once ON participation_request (commission_id, organization_id) WHERE state = 'pending';
CREATE INDEX participation_request_organization ON participation_request (organization_id, id DESC);
