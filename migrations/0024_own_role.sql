-- +goose Up
-- Roles that a commission makes for itself, such as rapporteur; see docs/access.md.
CREATE TABLE commission_role (
  commission_id uuid NOT NULL REFERENCES commission,
  slot          text NOT NULL CHECK (slot ~ '^own_([1-9]|10)$'),
  name          text NOT NULL CHECK (name <> '' AND length(name) <= 40),
  purpose       text NOT NULL DEFAULT '' CHECK (length(purpose) <= 500),
  created_at    timestamptz NOT NULL,
  version       int NOT NULL DEFAULT 1,
  PRIMARY KEY (commission_id, slot));
COMMENT ON TABLE commission_role IS 'A role of a commission''s own, beside those of seats. It gives what rules allow for it, and takes nothing.';
COMMENT ON COLUMN commission_role.slot IS 'The name by which access knows it: at most ten at once, so that the roles of a person fit in a word.';
CREATE UNIQUE INDEX commission_role_name ON commission_role (commission_id, lower(name));

CREATE TABLE commission_role_holder (
  commission_id uuid NOT NULL,
  slot          text NOT NULL,
  seat_id       uuid NOT NULL,
  person_id     uuid NOT NULL REFERENCES person,
  since         timestamptz NOT NULL,
  PRIMARY KEY (commission_id, slot, seat_id),
  CONSTRAINT commission_role_holder_role FOREIGN KEY (commission_id, slot) REFERENCES commission_role ON DELETE CASCADE);
COMMENT ON TABLE commission_role_holder IS 'Who holds a role of the commission''s own, with a seat: as long as that person is in that seat, and it is not suspended.';
CREATE INDEX commission_role_holder_person ON commission_role_holder (person_id, commission_id);

-- Rules about a role go with it.
ALTER TABLE access_rule DROP CONSTRAINT access_rule_role_check,
  ADD CONSTRAINT access_rule_role CHECK (role IN ('member', 'officer', 'chair', 'vice_chair', 'secretary', 'voting_representative',
    'alternate_representative', 'observer', 'liaison_officer', 'invited_expert', 'emeritus') OR role LIKE 'own\_%' AND effect = 'allow'),
  ADD COLUMN own text GENERATED ALWAYS AS (CASE WHEN role LIKE 'own\_%' THEN role END) STORED,
  ADD CONSTRAINT access_rule_own FOREIGN KEY (commission_id, own) REFERENCES commission_role (commission_id, slot) ON DELETE CASCADE;

CREATE TABLE access_review (
  commission_id uuid PRIMARY KEY REFERENCES commission,
  at            timestamptz NOT NULL,
  person_id     uuid NOT NULL REFERENCES person);
COMMENT ON TABLE access_review IS 'When somebody last confirmed that the roles and rules of a commission are right: asked for every six months.';
