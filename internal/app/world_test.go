package app_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
	"commissionportal/internal/web"
	"commissionportal/views/static"
)

// world is a portal with n rows of each kind of thing, so that every route of
// the table has something to answer with; Sam of the secretariat sees all of it.
type world struct {
	*apptest.Portal
	sam *apptest.Client
	ids map[string]string // the segment before a parameter, or the path of an object → what stands there
}

func newWorld(t *testing.T, n int, with ...func(*app.Config)) *world {
	t.Helper()
	key := filepath.Join(t.TempDir(), "journal.pem")
	if err := journal.MakeKey(key); err != nil {
		t.Fatal(err)
	}
	w := &world{Portal: apptest.New(t, append(with, func(c *app.Config) { c.JournalKey = key })...)}
	if err := w.Notary.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.sam = w.Secretariat()
	w.Exec(fill)
	w.Exec(`SELECT fill($1, $2)`, w.sam.ID, n)
	b, err := w.Files.Put(t.Context(), strings.NewReader("text"), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []string{"page-1", "thumb"} {
		if err := w.Files.PutSide(t.Context(), b.Digest, side, []byte("\x89PNG")); err != nil {
			t.Fatal(err)
		}
	}
	w.Exec(`INSERT INTO file (digest, size, type, created_at, outcome, read_at, pages, pictures) VALUES ($1, 4, 'text/plain', now(), 'read', now(), 1, 1)`, b.Digest)
	w.Exec(`INSERT INTO file_text (digest, page, text) VALUES ($1, 1, 'text')`, b.Digest)
	w.Exec(`INSERT INTO document_version (document_id, number, language, digest, size, file_name, person_id, created_at)
		SELECT d.id, i, 'en', $1, 4, 'text.txt', $2, now() FROM document d, generate_series(1, $3) i WHERE d.number = 1`, b.Digest, w.sam.ID, n)
	w.Exec(`UPDATE document SET versions = $1 WHERE number = 1`, n)
	w.Exec(`UPDATE document SET visibility = 'public', license = 'CC-BY-4.0', published_at = now()`)
	w.Exec(`INSERT INTO upload (person_id, file_name, size, digest, type, created_at, expires_at)
		SELECT $1, 'text.txt', 4, $2, 'text/plain', now(), now() + interval '1 day' FROM generate_series(1, $3)`, w.sam.ID, b.Digest, n)
	w.ids = map[string]string{"revisions": "1", "versions": "1", "logo": strings.Repeat("a", 64),
		"access": "document", "document": "submit",
		"pages": "1", "participations": "o1", "documents": "GRID-STORAGE-N0001",
		"/d": "GRID-STORAGE-N0001", "/unsubscribe": strings.Repeat("ab", 16), strings.Repeat("ab", 16): "due", "/s": "link1", "/confirm": "confirm1", "/reset": "reset1", "/address": "move1", "stop": "stop1", "/invitations": "token1"}
	w.Exec(`INSERT INTO access_rules (commission_id) SELECT id FROM commission WHERE slug = 'grid-storage'`)
	w.Exec(`INSERT INTO access_rule (commission_id, role, object, action, effect) SELECT commission_id, 'observer', 'document', 'submit', 'deny' FROM access_rules`)
	w.Exec(`SELECT journal_append('commission', commission_id, $1, NULL, now(), '', array_fill('access'::text, ARRAY[$2::int]), array_fill('edit'::text, ARRAY[$2::int]),
		array_fill($3::uuid, ARRAY[$2::int]), array_fill('{"text":"x","before":{"cells":[{"role":"observer","object":"document","action":"submit","effect":"inherit"}]}}'::text, ARRAY[$2::int])) FROM access_rules`,
		w.sam.ID, n, uuid.NewSHA1(apptest.Value[uuid.UUID](w.Portal, `SELECT commission_id FROM access_rules`), []byte("access")))
	w.Exec(`INSERT INTO commission_role (commission_id, slot, name, created_at) SELECT commission_id, 'own_' || n, 'Editor ' || n, now() FROM access_rules, generate_series(1, 9) n`)
	w.Exec(`INSERT INTO access_rule (commission_id, role, object, action, effect) SELECT commission_id, 'own_1', 'document', 'accept', 'allow' FROM access_rules`)
	w.Exec(`INSERT INTO commission_role_holder (commission_id, slot, seat_id, person_id, since)
		SELECT s.commission_id, 'own_1', s.id, s.person_id, now() FROM seat s JOIN access_rules USING (commission_id) WHERE upper(s.period) IS NULL LIMIT $1`, n)
	w.ids["roles"] = "own_1"
	for segment, query := range map[string]string{
		"heads":                  "SELECT day || '.json' FROM journal_heads ORDER BY day LIMIT 1",
		"holders":                "SELECT seat_id FROM commission_role_holder ORDER BY seat_id LIMIT 1",
		"changes":                "SELECT max(number) FROM journal_entry WHERE object = 'access'",
		"persons":                "SELECT id FROM person WHERE email = 'p1@example.org'",
		"sessions":               "SELECT id FROM session WHERE hash = sha256('session1')",
		"passkeys":               "SELECT id FROM passkey ORDER BY id LIMIT 1",
		"tokens":                 "SELECT id FROM token WHERE name = 'Token 1'",
		"affiliations":           "SELECT a.id FROM affiliation a JOIN person p ON p.id = a.person_id WHERE p.email = 'q1@example.org'",
		"applications":           "SELECT id FROM application ORDER BY id LIMIT 1",
		"invitations":            "SELECT id FROM invitation ORDER BY id LIMIT 1",
		"milestones":             "SELECT id FROM milestone ORDER BY id LIMIT 1",
		"participation-requests": "SELECT id FROM participation_request ORDER BY id LIMIT 1",
		"seats":                  "SELECT s.id FROM seat s JOIN person p ON p.id = s.person_id WHERE p.email = 'p1@example.org'",
		"own seat":               "SELECT s.id FROM seat s JOIN commission c ON c.id = s.commission_id WHERE c.slug = 'grid-storage' AND s.role = 'chair'",
		"imports":                "SELECT id FROM import WHERE commission_id IS NULL ORDER BY id LIMIT 1",
		"import":                 "SELECT id FROM import WHERE kind = 'seats' ORDER BY id LIMIT 1",
		"register import":        "SELECT id FROM import WHERE kind = 'documents' ORDER BY id LIMIT 1",
		"draft":                  "SELECT id FROM document WHERE number IS NULL ORDER BY id LIMIT 1",
		"uploads":                "SELECT id FROM upload ORDER BY id LIMIT 1",
		"shares":                 "SELECT id FROM share WHERE link = sha256('link2')",
		"mail":                   "SELECT id FROM mail ORDER BY id LIMIT 1",
	} {
		w.ids[segment] = apptest.Value[string](w.Portal, query)
	}
	return w
}

// states says which commission or organization is in the state that a route is
// for, where the usual one is not.
var states = map[string]string{
	"call": "proposed-one", "activate": "forming-one", "abandon": "proposed-one", "revive": "dormant-one", "support": "proposed-one", "supporters": "proposed-one",
	"accept": "pending-one", "decline": "pending-one", "reinstate": "suspended-one",
}

// path is the address of a route in the world.
func (w *world) path(t *testing.T, r web.Route) string {
	t.Helper()
	if r.Path == "/static/*" {
		return static.URL("app.css")
	}
	path := strings.TrimPrefix(r.Path, "/api/v1")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if !strings.HasPrefix(s, ":") {
			continue
		}
		before := segments[i-1]
		var value string
		switch {
		case s == ":slug" && before == "commissions":
			value = "grid-storage"
		case s == ":slug" && before == "organizations":
			value = "nordwind"
		case i == 2 && w.ids["/"+before] != "":
			value = w.ids["/"+before]
		case s == ":organization":
			value = "o1"
		default:
			value = w.ids[before]
		}
		if s == ":slug" && i+1 < len(segments) && states[segments[i+1]] != "" && (len(segments) == i+2 || segments[i+2] == "me" || segments[i+2] == "withdraw") {
			value = states[segments[i+1]]
		}
		if strings.HasSuffix(r.Path, "/seats/:id/leave") && s == ":id" {
			value = w.ids["own seat"]
		}
		if s == ":name" && (strings.HasSuffix(r.Path, "/discard") || r.Method == "DELETE" && i == len(segments)-1) {
			value = w.ids["draft"]
		}
		if strings.Contains(r.Path, "/documents/import/") && s == ":id" {
			value = w.ids["register import"]
		}
		if s == ":slug" && before == "sectors" {
			value = "energy"
		}
		if value == "" {
			t.Fatalf("the world has nothing for %s of %s %s: give it one", s, r.Method, r.Path)
		}
		segments[i] = value
	}
	return strings.TrimSuffix(r.Path, path) + strings.Join(segments, "/")
}

// fill makes the world.
const fill = `
CREATE FUNCTION fill(sam uuid, n int) RETURNS void LANGUAGE plpgsql AS $fill$
DECLARE energy uuid; grid uuid; nordwind uuid; long tstzrange := tstzrange(now() - interval '1 year', NULL);
BEGIN
  SELECT id INTO energy FROM sector WHERE slug = 'energy';
  INSERT INTO sector (slug, name) SELECT 's' || i, 'Sector ' || i FROM generate_series(1, n) i;
  INSERT INTO person (email, name, confirmed_at, country)
    SELECT l || i || '@example.org', upper(l) || ' Person ' || i, now(), 'DE' FROM unnest(ARRAY['p', 'q']) l, generate_series(1, n) i;
  INSERT INTO organization (slug, name, plain_name, kind, category, country, website, domain, state, registered_by)
    SELECT s, initcap(s), s, 'company', 'full', 'DE', 'https://' || s || '.example', s || '.example',
           CASE WHEN s LIKE 'pending%' THEN 'pending' WHEN s LIKE 'suspended%' THEN 'suspended' ELSE 'member' END, sam
    FROM (SELECT l || i AS s FROM unnest(ARRAY['o', 'pending']) l, generate_series(1, n) i UNION ALL VALUES ('nordwind'), ('pending-one'), ('suspended-one')) x;
  SELECT id INTO nordwind FROM organization WHERE slug = 'nordwind';
  INSERT INTO organization_logo (organization_id, type, digest, body) VALUES (nordwind, 'image/png', repeat('a', 64), 'x');
  INSERT INTO commission (slug, acronym, name, kind, state, sector_id, purpose, convener_id)
    SELECT s, upper(s), initcap(s), 'commission', CASE WHEN s LIKE '%-one' THEN split_part(s, '-', 1) ELSE 'active' END, energy, 'Storage in public grids.',
           CASE WHEN s LIKE '%-one' THEN sam END
    FROM unnest(ARRAY['grid-storage', 'proposed-one', 'forming-one', 'dormant-one']) s;
  SELECT id INTO grid FROM commission WHERE slug = 'grid-storage';
  INSERT INTO commission (slug, acronym, name, kind, state, sector_id, purpose, parent_id, parent_kind)
    SELECT 'c' || i, 'C' || i, 'Commission ' || i, 'subcommission', 'active', energy, 'A part of it.', grid, 'commission' FROM generate_series(1, n) i;
  INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
    SELECT long, c.id, sam, p.name, r, 'election' FROM commission c, person p, unnest(ARRAY['chair', 'secretary']) r WHERE p.id = sam AND c.state = 'active';
  INSERT INTO affiliation (person_id, organization_id, state, representative, period)
    SELECT sam, o.id, 'confirmed', o.id = nordwind, long FROM organization o WHERE o.state = 'member';
  INSERT INTO affiliation (person_id, organization_id, state, period)
    SELECT id, nordwind, CASE WHEN email LIKE 'p%' THEN 'confirmed' ELSE 'claimed' END, long FROM person WHERE email ~ '^[pq][0-9]';
  INSERT INTO seat (period, commission_id, person_id, sort_name, organization_id, role, voting, appointed_by)
    SELECT long, grid, id, name, nordwind, 'voting_representative', true, 'organization' FROM person WHERE email ~ '^p[0-9]';
  INSERT INTO support (commission_id, person_id, organization_id)
    SELECT c.id, p.id, nordwind FROM commission c, person p WHERE p.email ~ '^p[0-9]' AND c.slug IN ('grid-storage', 'proposed-one');
  INSERT INTO charter (commission_id, number, body, summary, author_id, created_at, adopted_at)
    SELECT c.id, i, '# Purpose' || i, 'Revision ' || i, sam, now(), CASE WHEN i = 1 THEN now() END
    FROM commission c, generate_series(1, n) i WHERE c.slug IN ('grid-storage', 'proposed-one', 'forming-one');
  INSERT INTO milestone (commission_id, title, due_on) SELECT grid, 'Report ' || i, '2027-01-01' FROM generate_series(1, n) i;
  INSERT INTO application (commission_id, person_id, role, statement)
    SELECT grid, id, 'invited_expert', 'Ten years of batteries.' FROM person WHERE email ~ '^q[0-9]';
  INSERT INTO invitation (commission_id, email, role, hash, invited_by, expires_at)
    SELECT grid, 'i' || i || '@example.org', 'observer', sha256(('token' || i)::bytea), sam, now() + interval '10 days' FROM generate_series(1, n) i;
  INSERT INTO participation (organization_id, commission_id, level, period)
    SELECT o.id, grid, 'P', long FROM organization o WHERE o.state = 'member'
    UNION ALL SELECT nordwind, id, 'O', long FROM commission WHERE slug ~ '^c[0-9]';
  INSERT INTO participation_request (organization_id, commission_id, level, requested_by)
    SELECT id, grid, 'O', sam FROM organization WHERE slug ~ '^o[0-9]';
  INSERT INTO session (hash, person_id, created_at, seen_at, expires_at)
    SELECT sha256(('session' || i)::bytea), sam, now(), now(), now() + interval '10 days' FROM generate_series(1, n) i;
  INSERT INTO token (hash, person_id, name, read_only, created_at)
    SELECT sha256(('token' || i)::bytea), sam, 'Token ' || i, true, now() FROM generate_series(1, n) i;
  INSERT INTO passkey (person_id, handle, name, credential, created_at)
    SELECT sam, sha256(('key' || i)::bytea), 'Key ' || i, '{}', now() FROM generate_series(1, n) i;
  INSERT INTO sign_up (hash, email, name, password_hash, language, time_zone, created_at, expires_at)
    SELECT sha256(('confirm' || i)::bytea), 'new' || i || '@example.org', 'New ' || i, '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$' || repeat('A', 43), 'en', 'UTC', now(), now() + interval '1 day' FROM generate_series(1, n) i;
  INSERT INTO ticket (hash, person_id, purpose, created_at, expires_at)
    SELECT sha256('reset1'::bytea), id, 'reset', now(), now() + interval '1 day' FROM person WHERE email = 'p1@example.org';
  INSERT INTO address_change (person_id, id, email, hash, stop, created_at, expires_at)
    SELECT id, uuid_v7(), 'moved@example.org', sha256('move1'::bytea), sha256('stop1'::bytea), now(), now() + interval '1 day' FROM person WHERE email = 'p1@example.org';
  INSERT INTO import (kind, commission_id, person_id, file_name, file_size, header, plan, state)
    SELECT x, CASE x WHEN 'organizations' THEN NULL ELSE grid END, sam, 'file.csv', 10, ARRAY['name'], '{"source":"file","columns":{"name":"name"}}', 'checked'
    FROM unnest(ARRAY['organizations', 'seats', 'documents']) x, generate_series(1, n);
  INSERT INTO import_file (import_id, part, body) SELECT id, 1, 'name' FROM import;
  INSERT INTO import_line (import_id, line, verdict, name) SELECT id, i, 'created', 'Name' FROM import, generate_series(1, n) i;
  INSERT INTO register (commission_id, prefix, last_number) VALUES (grid, 'GRID-STORAGE', n) ON CONFLICT DO NOTHING;
  INSERT INTO document (commission_id, number, title, type, organization_id, author_id, status, status_since, visibility, created_at, updated_at)
    SELECT grid, i, 'Report ' || i, 'report', nordwind, sam, 'available', now(), 'commission', now(), now() FROM generate_series(1, n) i;
  INSERT INTO document_notice (person_id, key, digested_at) VALUES (sam, repeat('ab', 16), now());
  UPDATE sharing SET links = true;
  INSERT INTO share (document_id, organization_id, to_commission, to_organization, to_person, level, created_by, created_at)
    SELECT d.id, nordwind, CASE WHEN x = 1 THEN grid END, CASE WHEN x = 2 THEN nordwind END, CASE WHEN x = 3 THEN sam END, 'download', sam, now()
    FROM document d, generate_series(1, 3) x;
  INSERT INTO share (document_id, organization_id, link, level, created_by, created_at, expires_at)
    SELECT d.id, nordwind, sha256(('link' || i)::bytea), 'download', sam, now(), now() + interval '10 days' FROM document d, generate_series(1, n) i WHERE d.number = 1;
  INSERT INTO document_access (document_id, kind, number, person_id, organization_id, share_id, at)
    SELECT document_id, 'download', 1, sam, nordwind, id, now() FROM share, generate_series(1, n);
  INSERT INTO document (commission_id, title, type, organization_id, author_id, status, status_since, visibility, created_at, updated_at)
    SELECT grid, 'Draft ' || i, 'report', nordwind, sam, 'draft', now(), 'commission', now(), now() FROM generate_series(1, n) i;
  INSERT INTO mail (kind, to_address, subject, text, html, secret, state)
    SELECT 'test.mail', 'x' || i || '@example.org', 'Subject', 'Text', '<p>Text</p>', false, 'kept' FROM generate_series(1, n) i;
  FOR i IN 1 .. n LOOP
    PERFORM journal_append('commission', grid, sam, NULL, now(), 'test', ARRAY['commission'], ARRAY['settings'], ARRAY[grid], ARRAY['{"text":"Done"}']);
    PERFORM journal_append('organization', nordwind, sam, NULL, now(), 'test', ARRAY['organization'], ARRAY['edit'], ARRAY[nordwind], ARRAY['{"text":"Done"}']);
  END LOOP;
END $fill$`
