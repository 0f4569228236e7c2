package app_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
)

// staying are columns that go on naming a person after an erasure, and why. Every other
// one that names persons has nothing of them any more: a new table has to be
// thought of.
var staying = map[string]string{
	"access_review.person_id":            "that the rules were confirmed",
	"affiliation.person_id":              "for whom somebody acted, without the title",
	"application.person_id":              "what the officers decided on",
	"application.nominated_by":           "",
	"application.decided_by":             "",
	"charter.author_id":                  "who wrote a revision",
	"commission.convener_id":             "who proposed it",
	"document.author_id":                 "what was submitted",
	"document_access.person_id":          "the trace and the ledger of shares",
	"document_version.person_id":         "",
	"erasure.person_id":                  "that it was erased",
	"erasure.asked_by":                   "",
	"import.person_id":                   "who imported",
	"invitation.invited_by":              "",
	"journal_entry.person_id":            "who did what",
	"organization.registered_by":         "",
	"participation_request.decided_by":   "",
	"participation_request.requested_by": "",
	"person.id":                          "the pseudonym",
	"seat.person_id":                     "the history of the commission",
	"share.created_by":                   "the ledger of shares",
	"share.revoked_by":                   "",
	"share.to_person":                    "",
	"support.person_id":                  "what founded a commission",
}

// TestErasure makes a person do a lot of everything, and others do it with them,
// then erases them and searches every column of every table. The portal serves as an
// account that cannot change the journal.
func TestErasure(t *testing.T) {
	t.Parallel()
	var owner string
	p, sam, chair, rep, first, _ := arrange(t, func(c *app.Config) { owner = c.DatabaseURL }, asAccount(t))
	const name, email, password = `Zénobie O'Quuxley`, "zenobie.b@quux.example", "plover tidal ombudsman"
	marks := []string{"quuxley", "zénobie", "zenobie", "quux.example", "zq-elsewhere", "batteries since 1989", "head of cells", "slow laptop", "grandmother", "Quebec"}
	// The chair is the last one, and cannot go.
	chair.Post("/profile/data/erase", "understood", "true").Want(422, "There would be no chair: Grid Storage.")
	sam.API("POST", "/persons/me/erasure", map[string]bool{"understood": true}).Want(422, "nobody in the secretariat")
	sam.API("POST", "/persons/"+sam.ID.String()+"/erasure", map[string]bool{"understood": true}).Want(409)

	// Signing up, a profile with another name before, a token, an app for codes, another browser.
	z := p.Visitor()
	z.Post("/sign-up", "name", "Zenobie Before", "email", email, "country", "CA", "password", password).Want(303)
	link := ""
	for end := time.Now().Add(10 * time.Second); link == "" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		link = regexp.MustCompile(`/confirm/[A-Za-z0-9_-]{43}`).FindString(apptest.Value[string](p, `SELECT coalesce(max(text), '') FROM mail WHERE to_address = $1`, email))
	}
	z.Post(link, "password", password).Want(303)
	id := apptest.Value[string](p, `SELECT id FROM person WHERE email = $1`, email)
	z.Post("/profile", "version", "1", "name", name, "country", "CA", "language", "en", "time_zone", "America/Toronto", "about", "Batteries since 1989, with my grandmother in Quebec.").Want(303)
	z.Post("/profile/tokens", "name", "My slow laptop", "lifetime", "90").Want(200)
	z.Post("/profile/factors/app").Want(303)
	z.Post("/preferences/theme", "theme", "dark").Want(303)
	z.Post("/profile/address", "email", "zenobie.new@quux.example").Want(303)
	p.Visitor().Post("/reset", "email", email).Want(303)
	p.Visitor().Post("/sign-in", "email", email, "password", "quite another one").Want(422)
	p.Exec(`INSERT INTO identity (issuer, subject, person_id, email, created_at) VALUES ('https://login.example', 'zq', $1, 'zq-elsewhere@example.com', now())`, id)

	// For an organization, in a commission.
	org := apptest.JSON[keyed](rep.API("POST", "/organizations", map[string]any{"name": "Nordwind AG", "kind": "company", "country": "DE", "website": "https://nordwind.example"}).Want(201))
	sam.API("POST", "/organizations/"+org.Slug+"/accept", map[string]string{"category": "full"}).Want(200)
	chair.API("PUT", "/commissions/grid-storage/participations/"+org.Slug, map[string]string{"level": "P"}).Want(200)
	claim := apptest.JSON[keyed](z.API("POST", "/organizations/"+org.Slug+"/affiliations", map[string]string{"title": "Head of Cells"}).Want(201))
	rep.API("PATCH", "/organizations/"+org.Slug+"/affiliations/"+claim.ID, map[string]string{"state": "confirmed"}).Want(200, name[len(name)-7:])
	z.Post("/organizations/"+org.Slug+"/affiliations/"+claim.ID+"/title", "title", "Grand Head of Cells")
	application := apptest.JSON[struct{ Application keyed }](z.API("POST", "/commissions/grid-storage/applications",
		map[string]string{"role": "voting_representative", "organization": org.Slug, "statement": "Batteries since 1989."}).Want(201)).Application
	seat := apptest.JSON[struct{ Seat keyed }](chair.API("POST", "/commissions/grid-storage/applications/"+application.ID+"/approve", map[string]string{}, "Idempotency-Key", "approve-z").Want(200, "Quuxley")).Seat
	if seat.ID == "" {
		seat.ID = apptest.Value[string](p, `SELECT id FROM seat WHERE person_id = $1`, id)
	}
	// Documents: one that she submits, with her name in title and summary, and a file on its way.
	send := func(name string) string {
		return apptest.JSON[struct{ ID string }](z.Send("POST", "/api/v1/uploads?name="+name, "The cells of the grid, "+name).Want(201)).ID
	}
	document := apptest.JSON[keyed](z.API("POST", "/commissions/grid-storage/documents", map[string]any{"title": "Comments of " + name, "type": "contribution", "summary": "By " + name + ", " + email,
		"organization": org.Slug, "upload": send("cells.txt"), "visibility": "portal"}).Want(201))
	chair.API("POST", "/documents/"+document.ID+"/accept", map[string]any{}, "If-Match", fmt.Sprintf(`"v%d"`, document.Version)).Want(200)
	z.Get("/documents/" + document.ID)
	z.API("GET", "/documents/"+document.ID, nil).Want(200)
	send("grandmother.txt")
	again := apptest.JSON[struct{ Application keyed }](z.API("POST", "/commissions/grid-storage/applications", map[string]string{"role": "invited_expert", "statement": "My grandmother too."}).Want(201)).Application
	chair.API("POST", "/commissions/grid-storage/applications/"+again.ID+"/reject", map[string]string{"reason": "Ms. " + name + " has a seat, see " + email + "."}).Want(200)
	chair.API("PATCH", "/commissions/grid-storage/seats/"+seat.ID, map[string]any{"suspended": true, "reason": name + " asked for it"}, "If-Match", `"v1"`).Want(200)
	p.Exec(`INSERT INTO support (commission_id, person_id, organization_id) SELECT id, $1, NULL FROM commission`, id)
	chair.Post("/commissions/grid-storage/invitations", "role", "observer", "addresses", email, "message", "Dear "+name).Want(303)
	// The secretariat suspends her, with words about her, and opens the account again.
	sam.API("POST", "/persons/"+id+"/suspend", map[string]string{"reason": "A letter from " + strings.ToUpper(email) + ", the grandmother of " + name}).Want(200)
	sam.Post("/persons/" + id + "/reinstate").Want(303)
	z.Post("/sign-in", "email", email, "password", password).Want(303)
	// What was there before: entries that name her in the old way, an import, somebody of the former name.
	asBefore(p, "grid-storage", "seat", "appoint", seat.ID, `{"text":"Appointed %s as %s","args":["Zénobie O'Quuxley","observer"]}`)
	asBefore(p, "grid-storage", "seat", "appoint", seat.ID, `{"text":"Appointed %s as %s","args":["Zenobie Before","observer"]}`)
	asBefore(p, "grid-storage", "commission", "dormant", chair.ID.String(), `{"text":"Let %s rest","args":["Grid Storage"],"after":{"reason":["ask Zénobie O'QUUXLEY <Zenobie.B@quux.example>."]}}`)
	asBefore(p, "", "account", "edit", id, `{"text":"Changed the profile","before":{"name":"Zenobie Before","country":"CA"},"after":{"name":"Zénobie O'Quuxley","country":"CA"}}`)
	asBefore(p, "", "token", "make", id, `{"text":"Made the token %s for %s","args":["My slow laptop","Zénobie O'Quuxley"]}`)
	p.Exec(`INSERT INTO import (kind, file_name, file_size, header, sample, plan, state) VALUES ('persons', 'Zénobie O''Quuxley, zenobie.b@quux.example and others.csv', 10, ARRAY['name'], '[["Zénobie O''Quuxley"]]', '{}', 'done')`)
	p.Exec(`INSERT INTO import_file (import_id, part, body) SELECT id, n, convert_to(x, 'UTF8') FROM import, (VALUES (1, 'name,email' || chr(10) || 'Z,zenobie.b@qu'), (2, 'ux.example')) v (n, x)`)
	p.Exec(`INSERT INTO import_line (import_id, line, verdict, name, notes, path) SELECT id, n, 'skipped', 'Zénobie O''Quuxley', ARRAY['The address stays %s', 'zenobie.b@quux.example'], '/persons/' || $1 FROM import, generate_series(1, 2) n`, id)
	p.Exec(`INSERT INTO import_key (kind, source, key, object_id, made) VALUES ('person', 'list', 'quuxley', $1, true)`, id)

	// Asking, in words, with the way back.
	z.Get("/profile/data").Want(200, "/profile/data/erase")
	z.Get("/profile/data/erase").Want(200, "1 seat in a commission", "Former member")
	z.Post("/profile/data/erase").Want(422, "Say that you have read what this does.")
	first.API("POST", "/persons/"+id+"/erasure", map[string]bool{"understood": true}).Want(404)
	z.Post("/profile/data/erase", "understood", "true").Want(303)
	z.Post("/profile/data/erase", "understood", "true").Want(409)
	z.Get("/profile/data/erase").Want(200, "Keep the account")
	z.Post("/profile/data/keep").Want(303)
	z.Post("/profile/data/keep").Want(409)
	sam.Post("/persons/"+id+"/erase", "understood", "true").Want(303)
	sam.Post("/persons/" + id + "/keep").Want(303)
	sam.API("POST", "/persons/"+id+"/erasure", map[string]bool{"understood": true}).Want(200, "due_at")
	z.API("DELETE", "/persons/me/erasure", nil).Want(204)
	z.API("POST", "/persons/me/erasure", map[string]bool{"understood": true}).Want(200)
	if n := apptest.Value[int](p, `SELECT count(*) FROM mail WHERE to_address = $1 AND kind IN ('account.erasing', 'account.kept')`, email); n != 7 {
		t.Errorf("%d letters about it, want 7", n)
	}
	verified := func(when string) {
		t.Helper()
		if _, err := journal.Verify(t.Context(), p.DB, func(f journal.Fault) { t.Errorf("%s: %s", when, f) }); err != nil {
			t.Fatal(err)
		}
	}
	work := func(after time.Duration) {
		t.Helper()
		p.At(p.Now().Add(after))
		if err := p.Accounts.EraseDue(journal.WithNow(t.Context(), p.Now())); err != nil {
			t.Fatal(err)
		}
	}
	hashes := func() string {
		return apptest.Value[string](p, `SELECT string_agg(encode(hash, 'hex'), ' ' ORDER BY scope_id, number) FROM journal_entry`)
	}
	if err := p.Documents.IndexRest(t.Context()); err != nil {
		t.Fatal(err)
	}
	verified("before")
	there := naming(t, p, marks)
	for _, c := range []string{"address_change.email", "affiliation.title", "application.reason", "application.statement", "document.summary", "document.title", "document_word.word", "document_search.words", "idempotency.body", "import.file_name", "import.sample",
		"import_file.body", "import_line.name", "import_line.notes", "identity.email", "invitation.email", "invitation.message", "journal_entry.note", "mail.html", "mail.subject", "mail.text", "mail.to_address", "person.about",
		"person.email", "person.name", "person_former.value", "river_job.args", "seat.reason", "seat.sort_name", "token.name", "upload.file_name"} {
		if there[c] == "" {
			t.Errorf("%s has nothing of the person, so this test proves nothing of it", c)
		}
	}
	work(13 * 24 * time.Hour)
	z.Get("/profile").Want(200, "Quuxley")
	// By the day she has become the only chair: it waits, and says so once.
	p.Exec(`UPDATE seat SET period = tstzrange(lower(period), $2), ended = 'left' WHERE person_id = $1 AND role = 'chair'`, chair.ID, p.Now())
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange($2, NULL), c.id, p.id, p.name, 'chair', 'election' FROM commission c, person p WHERE p.id = $1`, id, p.Now())
	work(25 * time.Hour)
	work(25 * time.Hour)
	if n := apptest.Value[int](p, `SELECT count(*) FROM mail WHERE to_address = $1 AND kind = 'account.held'`, email); n != 1 {
		t.Errorf("%d letters that it waits, want 1", n)
	}
	z.Get("/profile/data/erase").Want(200, "waits for a successor", "Grid Storage")
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange($2, NULL), c.id, p.id, p.name, 'chair', 'election' FROM commission c, person p WHERE p.id = $1`, first.ID, p.Now())

	work(25 * time.Hour)
	z.Get("/profile").Want(303)
	p.Visitor().Post("/sign-in", "email", email, "password", password).Want(422)
	before := hashes()
	if got := apptest.Value[string](p, `SELECT text FROM mail WHERE to_address = $1 AND kind = 'account.erased'`, email); !strings.Contains(got, "closed") {
		t.Errorf("the last letter says %q", got)
	}
	work(time.Minute) // too early
	if n := apptest.Value[int](p, `SELECT count(*) FROM erasure WHERE state = 'closed'`); n != 1 {
		t.Errorf("%d are searched for, want 1", n)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && apptest.Value[int](p, `SELECT count(*) FROM erasure WHERE state = 'done'`) == 0; time.Sleep(50 * time.Millisecond) {
		work(time.Hour)
	}
	if err := p.Documents.IndexRest(t.Context()); err != nil {
		t.Fatal(err)
	}

	verified("after")
	if !strings.HasPrefix(hashes(), before[:64]) || apptest.Value[int](p, `SELECT count(*) FROM journal_amendment`) < 10 {
		t.Error("the chain was made anew, or nothing was amended")
	}
	if found := naming(t, p, marks); len(found) > 0 {
		t.Errorf("still there: %v", found)
	}
	unnamed(t, p, id)
	pseudonym := apptest.Value[string](p, `SELECT name FROM person WHERE id = $1`, id)
	if !regexp.MustCompile(`^Former member [0-9A-F]{8}$`).MatchString(pseudonym) {
		t.Errorf("the pseudonym is %q", pseudonym)
	}
	// What was decided stays, with the pseudonym.
	first.Get("/commissions/grid-storage/history").Want(200, "Approved the application of "+pseudonym+" as voting representative", "Appointed "+pseudonym+" as observer")
	sam.Get("/persons?state=erased").Want(200, pseudonym).Lacks("erased.invalid")
	sam.Get("/persons").Want(200).Lacks(pseudonym)
	sam.Get("/persons/"+id).Want(200, pseudonym).Lacks("erased.invalid", "Suspend", "Erase…")
	sam.API("POST", "/persons/"+id+"/erasure", map[string]bool{"understood": true}).Want(409)
	sam.API("POST", "/persons/"+id+"/suspend", map[string]string{"reason": "x"}).Want(409)
	// Whoever changes an amended entry, its list, or the words of the entry that vouches, is found.
	attacked(t, p, owner)
}

// naming searches every column of every table for texts, and returns what it found.
func naming(t *testing.T, p *apptest.Portal, marks []string) map[string]string {
	t.Helper()
	var columns []struct {
		Table  string `db:"table_name"`
		Column string `db:"column_name"`
		Type   string `db:"data_type"`
	}
	if err := p.DB.DB.SelectContext(t.Context(), &columns, `SELECT table_name, column_name, data_type FROM information_schema.columns c JOIN information_schema.tables USING (table_schema, table_name)
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'tsvector', 'ARRAY', 'bytea') ORDER BY 1, 2`); err != nil {
		t.Fatal(err)
	}
	if len(columns) < 200 {
		t.Fatalf("only %d columns: searched in the wrong place", len(columns))
	}
	like := make([]string, len(marks))
	for i, m := range marks {
		like[i] = "'%" + m + "%'"
	}
	found := map[string]string{}
	for _, c := range columns {
		text := fmt.Sprintf(`%q::text`, c.Column)
		if c.Type == "bytea" {
			text = fmt.Sprintf(`encode(%q, 'escape')`, c.Column)
		}
		if text := apptest.Value[string](p, fmt.Sprintf(`SELECT coalesce(string_agg(left(x, 300), E'\n'), '') FROM (SELECT %s AS x FROM %q) t WHERE x ILIKE ANY (ARRAY[%s])`, text, c.Table, strings.Join(like, ", "))); text != "" {
			found[c.Table+"."+c.Column] = text
		}
	}
	return found
}

// unnamed looks for the key of a person in every column that could have it.
func unnamed(t *testing.T, p *apptest.Portal, id string) {
	t.Helper()
	var columns []string
	if err := p.DB.DB.SelectContext(t.Context(), &columns, `
		SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f' AND c.confrelid = 'person'::regclass
		UNION SELECT table_name || '.' || column_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND (column_name = 'person_id' OR table_name = 'person' AND column_name = 'id')`); err != nil {
		t.Fatal(err)
	}
	for column := range staying {
		if !slices.Contains(columns, column) {
			t.Errorf("%s is in the list of what stays, and names nobody", column)
		}
	}
	for _, c := range columns {
		table, column, _ := strings.Cut(c, ".")
		if _, stays := staying[c]; !stays && apptest.Value[int](p, fmt.Sprintf(`SELECT count(*) FROM %q WHERE %q = $1`, table, column), id) > 0 {
			t.Errorf("%s still names the person, and is not in the list of what stays", c)
		}
	}
}

// attacked alters what was amended in every way, each in a transaction that is
// taken back, and wants the proof to find it.
func attacked(t *testing.T, p *apptest.Portal, owner string) {
	t.Helper()
	db, err := sql.Open("postgres", owner)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(query string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	for name, attack := range map[string]string{
		"another note":            `UPDATE journal_entry e SET note = '{"text":"x"}' FROM journal_amendment a WHERE a.scope_id = e.scope_id AND a.number = e.number AND e.sealed IS NOT NULL`,
		"another note in old one": `UPDATE journal_entry e SET note = '{"text":"x"}' FROM journal_amendment a WHERE a.scope_id = e.scope_id AND a.number = e.number AND e.sealed IS NULL`,
		"another act in old one":  `UPDATE journal_entry e SET action = 'x' FROM journal_amendment a WHERE a.scope_id = e.scope_id AND a.number = e.number AND e.sealed IS NULL`,
		"no amendment":            `DELETE FROM journal_amendment`,
		"one amendment less":      `DELETE FROM journal_amendment WHERE id = (SELECT max(id) FROM journal_amendment)`,
		"made intact":             `UPDATE journal_amendment SET intact = false WHERE id = (SELECT max(id) FROM journal_amendment)`,
		"another erasure":         `UPDATE journal_amendment SET erasure = gen_random_uuid()`,
		"a seal of its own":       `WITH n AS (SELECT journal_salt() AS salt) UPDATE journal_entry SET note = '{"text":"y"}', salt = n.salt, sealed = journal_seal(n.salt, '{"text":"y"}') FROM n WHERE number = 1`,
	} {
		exec(`ALTER TABLE journal_entry DISABLE TRIGGER USER; ALTER TABLE journal_amendment DISABLE TRIGGER USER;
			CREATE TABLE aside_e AS SELECT * FROM journal_entry; CREATE TABLE aside_a AS SELECT * FROM journal_amendment`)
		exec(attack)
		n := 0
		if _, err := journal.Verify(t.Context(), p.DB, func(journal.Fault) { n++ }); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			t.Errorf("%s: nobody would know", name)
		}
		exec(`DELETE FROM journal_entry; DELETE FROM journal_amendment; INSERT INTO journal_entry SELECT * FROM aside_e; INSERT INTO journal_amendment OVERRIDING SYSTEM VALUE SELECT * FROM aside_a; DROP TABLE aside_e, aside_a`)
	}
}

// asBefore appends an entry to the chain of a commission (or the portal) as it was
// before notes were sealed.
func asBefore(p *apptest.Portal, scope, object, action, id, note string) {
	chain := `SELECT h.scope_id FROM journal_head h WHERE h.scope_id = coalesce((SELECT id FROM commission WHERE slug = $1), '00000000-0000-0000-0000-000000000000')`
	p.Exec(`INSERT INTO journal_entry (scope_id, number, scope, at, object, action, object_id, note, request_id, previous, hash)
		SELECT h.scope_id, h.number + 1, CASE $1::text WHEN '' THEN 'portal' ELSE 'commission' END, now(), $2::text, $3::text, $4::uuid, $5::json, 'old', h.hash,
		       journal_hash(h.hash, h.scope_id, h.number + 1, now(), NULL, NULL, $2, $3, $4, $5::json::text, 'old')
		FROM journal_head h WHERE h.scope_id = (`+chain+`)`, scope, object, action, id, note)
	p.Exec(`UPDATE journal_head h SET number = e.number, hash = e.hash FROM journal_entry e WHERE e.scope_id = h.scope_id AND e.number = h.number + 1 AND h.scope_id = (`+chain+`)`, scope)
}
