-- +goose Up
-- What is open for long, as a stream of events, asks for its right again when there may
-- be one less: all that rights come from tells it as a transaction commits.

-- +goose StatementBegin
CREATE FUNCTION rights_lost() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('rights', CASE WHEN TG_NARGS = 0 THEN '' ELSE coalesce(to_jsonb(OLD) ->> TG_ARGV[0], '') END);
  RETURN NULL;
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION rights_lost IS 'Tells whoever listens on the channel rights, in every process, that a person may have lost a right: their id, from the column that the trigger names; nothing where it may be anybody.';

CREATE TRIGGER rights_lost AFTER UPDATE OR DELETE ON seat FOR EACH ROW EXECUTE FUNCTION rights_lost('person_id');
CREATE TRIGGER rights_lost AFTER UPDATE OR DELETE ON commission_role_holder FOR EACH ROW EXECUTE FUNCTION rights_lost('person_id');
CREATE TRIGGER rights_lost AFTER UPDATE OR DELETE ON affiliation FOR EACH ROW EXECUTE FUNCTION rights_lost('person_id');
CREATE TRIGGER rights_lost AFTER UPDATE OR DELETE ON portal_role FOR EACH ROW EXECUTE FUNCTION rights_lost('person_id');
CREATE TRIGGER rights_lost AFTER DELETE ON session FOR EACH ROW EXECUTE FUNCTION rights_lost('person_id');
CREATE TRIGGER rights_lost AFTER UPDATE OF revoked_at OR DELETE ON token FOR EACH ROW EXECUTE FUNCTION rights_lost('person_id');
CREATE TRIGGER rights_lost AFTER DELETE ON authenticator FOR EACH ROW EXECUTE FUNCTION rights_lost('person_id');
CREATE TRIGGER rights_lost AFTER DELETE ON passkey FOR EACH ROW EXECUTE FUNCTION rights_lost('person_id');
CREATE TRIGGER rights_lost AFTER UPDATE OF state ON person FOR EACH ROW EXECUTE FUNCTION rights_lost('id');
CREATE TRIGGER rights_lost AFTER UPDATE OF state ON organization FOR EACH ROW EXECUTE FUNCTION rights_lost();
CREATE TRIGGER rights_lost AFTER UPDATE OF state, convener_id, parent_id ON commission FOR EACH ROW EXECUTE FUNCTION rights_lost();
CREATE TRIGGER rights_lost AFTER UPDATE OR DELETE ON participation FOR EACH ROW EXECUTE FUNCTION rights_lost();
CREATE TRIGGER rights_lost AFTER UPDATE ON access_version FOR EACH ROW EXECUTE FUNCTION rights_lost();
CREATE TRIGGER rights_lost AFTER INSERT ON factor_role FOR EACH STATEMENT EXECUTE FUNCTION rights_lost();
