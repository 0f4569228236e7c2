package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
)

// TestVerify attacks chains in SQL, each in another way, and has the proof name
// the first broken entry of each; what leaves a chain whole is shown by the heads
// that were published before.
func TestVerify(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := journal.MakeKey(key); err != nil {
		t.Fatal(err)
	}
	p := apptest.New(t, func(c *app.Config) { c.JournalKey = key })
	ctx := context.Background()
	const entries = 5
	append := func(scope uuid.UUID, text string) {
		p.Exec(`SELECT journal_append('organization', $1, gen_random_uuid(), gen_random_uuid(), now(), 'request', array_fill('seat'::text, ARRAY[5]), array_fill('end'::text, ARRAY[5]),
			ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 5)), ARRAY(SELECT format('{"text":"%s %s"}', $2::text, i) FROM generate_series(1, 5) i))`, scope, text)
	}
	type attack struct {
		name, sql string
		number    int64  // the first broken entry; 0 if the chain stays whole
		what      string // is wrong with it
		kept      string // what a copy of the heads shows
	}
	set := func(column, to string) attack {
		return attack{"edit of " + column, `UPDATE journal_entry SET ` + column + ` = ` + to + ` WHERE scope_id = $1 AND number = 3`, 3, "altered", ""}
	}
	attacks := []attack{
		{"none", `SELECT $1::uuid`, 0, "", ""},
		set("at", "at + interval '1 microsecond'"), set("person_id", "NULL"), set("organization_id", "gen_random_uuid()"), set("object", "'chair'"), set("action", "'x'"),
		set("object_id", "gen_random_uuid()"), set("note", `'{"text": "x 3"}'`), set("request_id", "''"), set("previous", "'x'"), set("hash", "sha256('x')"), set("scope", "'commission'"),
		{"edit of number", `UPDATE journal_entry SET number = 9 WHERE scope_id = $1 AND number = 3`, 3, "missing", ""},
		{"edit with its own hash", `UPDATE journal_entry SET action = 'x', hash = journal_hash(previous, scope_id, number, at, person_id, organization_id, object, 'x', object_id, encode(sealed, 'hex'), request_id) WHERE scope_id = $1 AND number = 3`, 4, "out of order", ""},
		{"to another chain", `UPDATE journal_entry SET scope_id = gen_random_uuid(), number = 1 WHERE scope_id = $1 AND number = 3`, 3, "missing", ""},
		{"deletion of the first", `DELETE FROM journal_entry WHERE scope_id = $1 AND number = 1`, 1, "missing", ""},
		{"deletion in the middle", `DELETE FROM journal_entry WHERE scope_id = $1 AND number IN (3, 4)`, 3, "missing", ""},
		{"deletion, the rest moved up", `WITH gone AS (DELETE FROM journal_entry WHERE scope_id = $1 AND number = 3) UPDATE journal_entry SET number = -number + 13 WHERE scope_id = $1 AND number > 3`, 3, "missing", ""},
		{"deletion of the last", `DELETE FROM journal_entry WHERE scope_id = $1 AND number = 5`, 5, "cut off", "missing"},
		{"deletion of all", `DELETE FROM journal_entry WHERE scope_id = $1`, 1, "cut off", "missing"},
		{"deletion of the head", `DELETE FROM journal_head WHERE scope_id = $1`, 5, "end of the chain is missing", ""},
		{"another head", `UPDATE journal_head SET hash = sha256('x') WHERE scope_id = $1`, 5, "end of the chain was altered", ""},
		{"an older head", `UPDATE journal_head SET number = 4 WHERE scope_id = $1`, 5, "added", ""},
		{"two exchanged", `UPDATE journal_entry e SET number = CASE number WHEN 3 THEN 4 ELSE 3 END FROM (SELECT set_config('x.y', 'z', true)) s WHERE scope_id = $1 AND number IN (3, 4)`, 3, "out of order", ""},
		{"the end cut off, head and all", `WITH cut AS (DELETE FROM journal_entry WHERE scope_id = $1 AND number > 3)
			UPDATE journal_head h SET number = 3, hash = e.hash FROM journal_entry e WHERE h.scope_id = $1 AND e.scope_id = $1 AND e.number = 3`, 0, "", "missing"},
		{"all of it gone, head and all", `WITH cut AS (DELETE FROM journal_entry WHERE scope_id = $1) DELETE FROM journal_head WHERE scope_id = $1`, 0, "", "missing"},
		{"written anew", `WITH cut AS (DELETE FROM journal_entry WHERE scope_id = $1) DELETE FROM journal_head WHERE scope_id = $1`, 0, "", "written anew"},
	}
	scopes := make([]uuid.UUID, len(attacks))
	for i := range attacks {
		scopes[i] = uuid.Must(uuid.NewV7())
		append(scopes[i], "x")
	}
	prove := func() (map[uuid.UUID]journal.Fault, journal.Counted) {
		t.Helper()
		found := map[uuid.UUID]journal.Fault{}
		n, err := journal.Verify(ctx, p.DB, func(f journal.Fault) {
			if _, twice := found[f.Scope]; twice {
				t.Errorf("said twice: %s", f)
			}
			found[f.Scope] = f
		})
		if err != nil {
			t.Fatal(err)
		}
		return found, n
	}
	if found, n := prove(); len(found) > 0 || n != (journal.Counted{Chains: int64(len(attacks)), Entries: int64(len(attacks) * entries)}) {
		t.Fatalf("before any attack: %v, %+v", found, n)
	}
	if err := p.Notary.Publish(journal.WithNow(ctx, p.Now().AddDate(1, 0, 0))); err != nil { // after what the portal published as it started
		t.Fatal(err)
	}
	text := p.Visitor().Get("/journal/heads.json").Want(200).Body
	kept, err := journal.ReadHeads(strings.NewReader(text))
	if err != nil || len(kept.List) < len(attacks) {
		t.Fatalf("%v: %d heads", err, len(kept.List))
	}

	p.Exec(`ALTER TABLE journal_entry DISABLE TRIGGER USER; ALTER TABLE journal_head DISABLE TRIGGER USER;
		ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_pkey; ALTER TABLE journal_entry ADD PRIMARY KEY (scope_id, number) DEFERRABLE INITIALLY DEFERRED`)
	for i, a := range attacks {
		p.Exec(a.sql, scopes[i])
		if a.kept == "written anew" {
			append(scopes[i], "y")
		}
	}
	found, _ := prove()
	shown := map[uuid.UUID]string{}
	if err := journal.CheckHeads(ctx, p.DB, kept.List, func(f journal.Fault) { shown[f.Scope] = f.What }); err != nil {
		t.Fatal(err)
	}
	for i, a := range attacks {
		f := found[scopes[i]]
		if f.Number != a.number || !strings.Contains(f.What, a.what) || (a.what == "") != (f.What == "") {
			t.Errorf("%s: %q at %d, want %q at %d", a.name, f.What, f.Number, a.what, a.number)
		}
		if got := shown[scopes[i]]; a.kept != "" && !strings.HasPrefix(got, a.kept) || a.name == "none" && got != "" {
			t.Errorf("%s: the heads show %q, want %q", a.name, got, a.kept)
		}
	}

	for what, damage := range map[string]func(string) string{
		"another hash": func(s string) string {
			return strings.Replace(s, fmt.Sprintf("%x", kept.List[0].Hash), strings.Repeat("00", 32), 1)
		},
		"a line less":      func(s string) string { return strings.Replace(s, kept.List[0].Scope.String(), uuid.NewString(), 1) },
		"another day":      func(s string) string { return strings.Replace(s, `"day": "2`, `"day": "1`, 1) },
		"another format":   func(s string) string { return strings.Replace(s, "heads/1", "heads/2", 1) },
		"another number":   func(s string) string { return strings.Replace(s, " 5 ", " 4 ", 1) },
		"cut off":          func(s string) string { return s[:len(s)/2] },
		"no signature":     func(s string) string { return strings.Replace(s, `"signature"`, `"x"`, 1) },
		"no key":           func(s string) string { return strings.Replace(s, "BEGIN PUBLIC", "BEGIN", 1) },
		"some other thing": func(string) string { return "{}" },
	} {
		if h, err := journal.ReadHeads(strings.NewReader(damage(text))); err == nil {
			t.Errorf("a copy with %s was taken: %d heads", what, len(h.List))
		}
	}
}

// TestHeads publishes the ends of two days, and asks for them as everybody may.
func TestHeads(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := journal.MakeKey(key); err != nil {
		t.Fatal(err)
	}
	p := apptest.New(t, func(c *app.Config) { c.JournalKey = key })
	visitor := p.Visitor()
	change := func() {
		if err := journal.Change(t.Context(), p.DB, system(), func(tx *journal.Tx) error { return tx.Record(uuid.New(), journal.Say("Said nothing of it")) }); err != nil {
			t.Fatal(err)
		}
	}
	now := p.Now().AddDate(1, 0, 0) // after what the portal published as it started
	day := func(n int) string { return now.AddDate(0, 0, n).Format("2006-01-02") }
	for n := range 2 {
		change()
		for range 2 { // the second time of a day is too late
			if err := p.Notary.Publish(journal.WithNow(t.Context(), now.AddDate(0, 0, n))); err != nil {
				t.Fatal(err)
			}
			change()
		}
	}
	last := visitor.Get("/journal/heads.json").Want(200)
	if got := visitor.Get("/journal/heads/" + day(1) + ".json").Want(200); got.Body != last.Body || got.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Errorf("the last day is served differently: %s", got.Header)
	}
	if got := visitor.Get("/journal/heads.json", "Accept-Encoding", "identity").Want(200); got.Body != last.Body || got.Header.Get("Content-Encoding") != "" {
		t.Errorf("unpacked it is another one: %s", got.Header)
	}
	first := visitor.Get("/journal/heads/" + day(0) + ".json").Want(200)
	for i, body := range []string{first.Body, last.Body} {
		h, err := journal.ReadHeads(bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		if h.Day != day(i) || len(h.List) != 1 || h.List[0].Number != int64(3*i+1) || h.List[0].Scope != uuid.Nil {
			t.Errorf("day %d: %+v", i, h)
		}
		if strings.Contains(body, "Said nothing") {
			t.Error("it says what was done")
		}
	}
	if got := visitor.Get("/journal/heads.json", "If-None-Match", last.Header.Get("ETag")); got.Status != 304 || got.Body != "" || got.Header.Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("who has it: %d, %s", got.Status, got.Header)
	}
	for _, path := range []string{day(2) + ".json", day(1), "x.json", ".json", "2026-13-45.json"} {
		visitor.Get("/journal/heads/" + path).Want(404)
	}
}
