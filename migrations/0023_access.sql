-- +goose Up
CREATE TABLE access_version (
  one     boolean PRIMARY KEY DEFAULT true CHECK (one),
  version bigint NOT NULL);
COMMENT ON TABLE access_version IS 'Counts the changes of rules. Its row is locked until a change is committed: whoever reads a number finds all changes up to it.';
INSERT INTO access_version (version) VALUES (0);

CREATE TABLE access_rules (
  commission_id uuid PRIMARY KEY REFERENCES commission,
  version       bigint NOT NULL DEFAULT 0);
COMMENT ON TABLE access_rules IS 'The commissions that have, or had, rules of their own, and with which change of all they came to what they are.';
CREATE INDEX access_rules_version ON access_rules (version);

CREATE TABLE access_rule (
  commission_id uuid NOT NULL REFERENCES access_rules,
  role          text NOT NULL CHECK (role IN ('member', 'officer', 'chair', 'vice_chair', 'secretary', 'voting_representative',
                  'alternate_representative', 'observer', 'liaison_officer', 'invited_expert', 'emeritus')),
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
