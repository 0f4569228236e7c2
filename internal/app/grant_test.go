package app_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres/private"
)

// asAccount makes the portal serve as an account that owns nothing and has what
// `portal migrate --grant` gives.
func asAccount(t *testing.T) func(*app.Config) {
	return func(c *app.Config) {
		t.Helper()
		if err := app.Grant(t.Context(), c.DatabaseURL, private.ServingRole); err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(c.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.User(private.ServingRole)
		c.DatabaseURL = u.String()
	}
}

// TestServesAsItsOwnAccount serves as an account that does not own the tables: all
// of the portal works (TestJourneyAPI walks in that way too), and what the journal
// holds cannot be changed by it. The owner is refused too, until it takes the
// triggers away.
func TestServesAsItsOwnAccount(t *testing.T) {
	t.Parallel()
	var owner string
	key := t.TempDir() + "/key.pem"
	if err := journal.MakeKey(key); err != nil {
		t.Fatal(err)
	}
	account := asAccount(t)
	p := apptest.New(t, func(c *app.Config) {
		owner, c.JournalKey = c.DatabaseURL, key
		account(c)
	})
	ctx := t.Context()
	p.Person("Ada Lovelace").Post("/organizations", "name", "Nordwind GmbH", "kind", "company", "country", "DE", "website", "https://nordwind.example").Want(303)
	if err := journal.Change(ctx, p.DB, access.System("test", access.Portal, "import", "run"), func(tx *journal.Tx) error {
		return errors.Join(tx.Record(uuid.New(), journal.Say("x")),
			tx.RecordEach(ctx, access.OrganizationKind, "organization", "import", `SELECT id AS scope_id, '{"text":"x"}' AS note FROM organization`))
	}); err != nil {
		t.Fatal(err)
	}
	for name, job := range map[string]func(context.Context) error{"terms": p.Seats.Terms, "sweep": p.Documents.Sweep, "scan": p.Documents.ScanRest, "read": p.Documents.ReadRest,
		"digests": p.Documents.Digests, "remind": p.Documents.Remind, "index": p.Documents.IndexRest, "heads": p.Notary.Publish} {
		if err := job(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	refused := []string{
		`UPDATE journal_entry SET action = 'x'`, `DELETE FROM journal_entry`, `TRUNCATE journal_entry`,
		`UPDATE journal_heads SET chains = 0`, `DELETE FROM journal_heads`, `TRUNCATE journal_heads`,
		`DELETE FROM journal_head`, `TRUNCATE journal_head`, `UPDATE journal_head SET number = 0`, `UPDATE journal_head SET scope_id = gen_random_uuid()`,
	}
	its := []string{
		`ALTER TABLE journal_entry DISABLE TRIGGER journal_entry_kept`, `DROP TRIGGER journal_entry_kept ON journal_entry`, `ALTER TABLE journal_entry DROP COLUMN note`, `DROP TABLE journal_heads`,
		`SET session_replication_role = 'replica'`, `CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`, `CREATE TABLE own (x int)`,
		`UPDATE goose_db_version SET version_id = 0`,
	}
	as := func(url, who string, statements []string) {
		t.Helper()
		db, err := sql.Open("postgres", url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, s := range statements {
			var e *pq.Error
			if _, err := db.ExecContext(ctx, s); !errors.As(err, &e) || e.Code != "42501" { // insufficient_privilege
				t.Errorf("%s: %s: %v, want it refused", who, s, err)
			}
		}
	}
	as(p.DatabaseURL, "the account", append(its, refused...))
	as(owner, "the owner", refused)
	as(owner, "the owner, as a replica", []string{"SET session_replication_role = 'replica'; DELETE FROM journal_entry"})
	for role, want := range map[string]string{"nobody_here": "there is no account", apptest.Value[string](p, `SELECT tableowner FROM pg_tables WHERE tablename = 'journal_entry'`): "owns the tables"} {
		if err := app.Grant(ctx, owner, role); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("grant to %s: %v, want %q", role, err, want)
		}
	}
}
