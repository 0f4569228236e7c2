-- +goose Up
-- A seat over time. Each row says what held during its period; the rows of one
-- seat (same id) never overlap, so the roster as of an instant is one range
-- query, a term ends by itself, and the history of a seat is its rows.
CREATE TABLE seat (
  id              uuid NOT NULL DEFAULT uuid_v7(),
  since           timestamptz NOT NULL GENERATED ALWAYS AS (lower(period)) STORED,
  period          tstzrange NOT NULL,
  commission_id   uuid NOT NULL REFERENCES commission,
  person_id       uuid NOT NULL,
  sort_name       text NOT NULL COLLATE "und-x-icu",
  organization_id uuid REFERENCES organization,
  role            text NOT NULL CHECK (role IN ('chair', 'vice_chair', 'secretary', 'voting_representative',
                    'alternate_representative', 'observer', 'liaison_officer', 'invited_expert', 'emeritus')),
  rank            smallint NOT NULL GENERATED ALWAYS AS (CASE role WHEN 'chair' THEN 1 WHEN 'vice_chair' THEN 2 WHEN 'secretary' THEN 3
                    WHEN 'voting_representative' THEN 4 WHEN 'alternate_representative' THEN 5 WHEN 'liaison_officer' THEN 6
                    WHEN 'invited_expert' THEN 7 WHEN 'observer' THEN 8 ELSE 9 END) STORED,
  voting          boolean NOT NULL DEFAULT false,
  suspended       boolean NOT NULL DEFAULT false,
  appointed_by    text NOT NULL CHECK (appointed_by IN ('chair', 'organization', 'election', 'secretariat', 'self')),
  follows         uuid,
  ended           text CHECK (ended IN ('changed', 'left', 'replaced', 'recalled', 'removed', 'organization', 'merged', 'concluded')),
  reason          text NOT NULL DEFAULT '' CHECK (length(reason) <= 2000),
  version         int NOT NULL DEFAULT 1,
  CONSTRAINT seat_row PRIMARY KEY (id, since),
  CONSTRAINT seat_period CHECK (NOT isempty(period) AND lower(period) IS NOT NULL AND lower_inc(period) AND NOT upper_inc(period)),
  CONSTRAINT seat_person FOREIGN KEY (person_id, sort_name) REFERENCES person (id, name) ON UPDATE CASCADE,
  CONSTRAINT seat_once EXCLUDE USING gist (id WITH =, period WITH &&),
  CONSTRAINT seat_no_double EXCLUDE USING gist (commission_id WITH =, person_id WITH =, role WITH =,
    (coalesce(organization_id, '00000000-0000-0000-0000-000000000000'::uuid)) WITH =, period WITH &&));
COMMENT ON TABLE seat IS 'Membership: one person in one commission, for one organization or in a personal capacity, with a role and a term.';
COMMENT ON COLUMN seat.period IS 'When this row holds; the upper bound of the last row is the end of the term.';
COMMENT ON COLUMN seat.rank IS 'Order of roles in a roster.';
COMMENT ON COLUMN seat.sort_name IS 'The person''s name, kept here so that a roster is read in order from one index.';
COMMENT ON COLUMN seat.follows IS 'The seat this one replaced, when the organization sent somebody else.';
COMMENT ON COLUMN seat.appointed_by IS 'self: took the seat in a commission that is open to join.';
COMMENT ON COLUMN seat.reason IS 'Why it was suspended or ended, in the words given; for officers and the holder.';
COMMENT ON COLUMN seat.ended IS 'Why the row ended before its planned end; null: the term runs or ran out.';
CREATE INDEX seat_roster ON seat (commission_id, rank, sort_name, id) INCLUDE (period);
CREATE INDEX seat_person_live ON seat (person_id) INCLUDE (commission_id, role, period, suspended);
CREATE INDEX seat_organization ON seat (organization_id, commission_id) INCLUDE (period) WHERE organization_id IS NOT NULL;
CREATE INDEX seat_follows ON seat (follows) WHERE follows IS NOT NULL;
CREATE INDEX seat_term_end ON seat (upper(period)) WHERE ended IS NULL AND upper(period) IS NOT NULL;

CREATE TABLE term_notice (
  seat_id uuid NOT NULL,
  until   timestamptz NOT NULL,
  days    int NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (seat_id, until, days));
COMMENT ON TABLE term_notice IS 'Warnings sent before a term ends, so that none is sent twice.';

CREATE TABLE application (
  id              uuid PRIMARY KEY DEFAULT uuid_v7(),
  commission_id   uuid NOT NULL REFERENCES commission,
  person_id       uuid NOT NULL REFERENCES person,
  organization_id uuid REFERENCES organization,
  nominated_by    uuid REFERENCES person,
  role            text NOT NULL CHECK (role IN ('voting_representative', 'alternate_representative', 'observer', 'liaison_officer', 'invited_expert')),
  statement       text NOT NULL DEFAULT '' CHECK (length(statement) <= 5000),
  state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'rejected', 'withdrawn')),
  decided_by      uuid REFERENCES person,
  decided_at      timestamptz,
  reason          text NOT NULL DEFAULT '' CHECK (length(reason) <= 2000),
  seat_id         uuid,
  created_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT application_decided CHECK ((state = 'pending') = (decided_at IS NULL)),
  CONSTRAINT application_reason CHECK (state <> 'rejected' OR reason <> ''),
  CONSTRAINT application_for CHECK (organization_id IS NOT NULL OR role IN ('invited_expert', 'observer')));
COMMENT ON COLUMN application.nominated_by IS 'The primary representative who sent the person, where it was not the person''s own idea.';
CREATE UNIQUE INDEX application_pending_once ON application (commission_id, person_id, coalesce(organization_id, '00000000-0000-0000-0000-000000000000'::uuid)) WHERE state = 'pending';
CREATE INDEX application_queue ON application (commission_id, created_at, id) WHERE state = 'pending';
CREATE INDEX application_commission ON application (commission_id, id DESC);
CREATE INDEX application_person ON application (person_id, id DESC);
CREATE INDEX application_organization ON application (organization_id) WHERE state = 'pending';

CREATE TABLE invitation (
  id              uuid PRIMARY KEY DEFAULT uuid_v7(),
  commission_id   uuid NOT NULL REFERENCES commission,
  email           text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
  role            text NOT NULL CHECK (role IN ('chair', 'vice_chair', 'secretary', 'voting_representative',
                    'alternate_representative', 'observer', 'liaison_officer', 'invited_expert', 'emeritus')),
  organization_id uuid REFERENCES organization,
  message         text NOT NULL DEFAULT '' CHECK (length(message) <= 2000),
  hash            bytea NOT NULL CONSTRAINT invitation_hash UNIQUE CHECK (length(hash) = 32),
  state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'accepted', 'declined', 'revoked')),
  invited_by      uuid NOT NULL REFERENCES person,
  appointed_by    text NOT NULL DEFAULT 'chair' CHECK (appointed_by IN ('chair', 'organization', 'secretariat')),
  created_at      timestamptz NOT NULL DEFAULT now(),
  expires_at      timestamptz NOT NULL,
  answered_at     timestamptz,
  seat_id         uuid,
  CONSTRAINT invitation_organization CHECK (appointed_by <> 'organization' OR organization_id IS NOT NULL),
  CONSTRAINT invitation_answered CHECK ((state = 'pending') = (answered_at IS NULL)));
COMMENT ON COLUMN invitation.state IS 'A pending one past expires_at reads as expired.';
CREATE UNIQUE INDEX invitation_pending_once ON invitation (commission_id, email) WHERE state = 'pending';
CREATE INDEX invitation_commission ON invitation (commission_id, id DESC);
CREATE INDEX invitation_email ON invitation (email) WHERE state = 'pending';
