-- +goose Up
CREATE TABLE access_version (
  one     boolean PRIMARY KEY DEFAULT true CHECK (one),
  version bigint NOT NULL);
COMMENT ON TABLE access_version IS 'Counts the changes of rules. Its row is locked until a change is committed: whoever reads a number finds all changes up to it.';
INSERT INTO access_version (version) VALUES (0);

CREATE TABLE access_rules (
  commission_id uuid PRIMARY KEY REFERENCES commission,
  version       bigint NOT NULL DEFAULT 0);
COMMENT ON TABLE access_rules IS 'The commissions that have, or had, rules or roles of their own, and with which change of all they came to what they are.';
CREATE INDEX access_rules_version ON access_rules (version);

CREATE TABLE commission_role (
  commission_id uuid NOT NULL REFERENCES access_rules,
  slot          smallint NOT NULL CHECK (slot BETWEEN 1 AND 10),
  name          text NOT NULL CHECK (length(name) BETWEEN 2 AND 60),
  purpose       text NOT NULL DEFAULT '' CHECK (length(purpose) <= 500),
  CONSTRAINT commission_role_slot PRIMARY KEY (commission_id, slot));
COMMENT ON TABLE commission_role IS 'A role of the commission''s own, such as rapporteur: whoever has it has a seat, and what the rules give it besides.';
COMMENT ON COLUMN commission_role.slot IS 'The role own_N of access_rule, and a bit of a set of roles.';
CREATE UNIQUE INDEX commission_role_name ON commission_role (commission_id, lower(name));

CREATE TABLE commission_role_holder (
  commission_id uuid NOT NULL,
  slot          smallint NOT NULL,
  seat_id       uuid NOT NULL,
  given_at      timestamptz NOT NULL,
  CONSTRAINT commission_role_holder_once PRIMARY KEY (commission_id, slot, seat_id),
  FOREIGN KEY (commission_id, slot) REFERENCES commission_role ON DELETE CASCADE);
COMMENT ON TABLE commission_role_holder IS 'Who has a role of the commission''s own. It hangs on the seat: it ends, and rests, with it, and does not come back with another.';
CREATE INDEX commission_role_holder_seat ON commission_role_holder (seat_id) INCLUDE (slot);

CREATE TABLE access_rule (
  commission_id uuid NOT NULL REFERENCES access_rules,
  role          text NOT NULL CHECK (role IN ('member', 'officer', 'chair', 'vice_chair', 'secretary', 'voting_representative',
                  'alternate_representative', 'observer', 'liaison_officer', 'invited_expert', 'emeritus')
                  OR role ~ '^own_([1-9]|10)$'),
  object        text NOT NULL CHECK (object <> ''),
  action        text NOT NULL CHECK (action <> ''),
  effect        text NOT NULL CHECK (effect IN ('allow', 'deny')),
  CONSTRAINT access_rule_cell PRIMARY KEY (commission_id, role, object, action),
  CONSTRAINT access_rule_chair CHECK (role <> 'chair' OR object <> 'access'));
COMMENT ON TABLE access_rule IS 'What a commission changed of policies/commission.csv for itself. See docs/access.md.';
COMMENT ON CONSTRAINT access_rule_chair ON access_rule IS 'A chair is never locked out of the rules.';

-- However a rule is changed, every server learns of it at its next request.
-- +goose StatementBegin
CREATE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v bigint;
BEGIN
  UPDATE access_version SET version = version + 1 RETURNING version INTO v;
  IF TG_OP = 'DELETE' THEN
    UPDATE access_rules SET version = v WHERE commission_id = OLD.commission_id;
  ELSE
    UPDATE access_rules SET version = v WHERE commission_id = NEW.commission_id;
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER access_rule_changed AFTER INSERT OR UPDATE OR DELETE ON access_rule FOR EACH ROW EXECUTE FUNCTION access_changed();
