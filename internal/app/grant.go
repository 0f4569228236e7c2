package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/lib/pq"

	"commissionportal/internal/postgres"
)

// Grant gives role what the portal needs to serve, and no more: it reads and
// writes rows, but changes nothing that the journal holds, no table and no trigger.
// The owner of the tables runs it after every migration.
func Grant(ctx context.Context, url, role string) (err error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: url, Max: 1})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var who struct {
		Is    bool   `db:"is"`
		Owner bool   `db:"owner"`
		Name  string `db:"name"`
	}
	if err := db.DB.GetContext(ctx, &who, `
		SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS is, current_database() AS name,
		       coalesce((SELECT r.rolsuper OR pg_has_role(r.oid, c.relowner, 'MEMBER') FROM pg_roles r, pg_class c WHERE r.rolname = $1 AND c.oid = 'journal_entry'::regclass), false) AS owner`, role); err != nil {
		return err
	}
	switch {
	case !who.Is:
		return fmt.Errorf("there is no account %s: CREATE ROLE %s LOGIN PASSWORD '…' makes it", role, pq.QuoteIdentifier(role))
	case who.Owner:
		return fmt.Errorf("%s owns the tables, or can act as who does: it can take any guard away, whatever it is granted", role)
	}
	to := pq.QuoteIdentifier(role)
	tx, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing is left to roll back once it is committed
	for _, s := range []string{
		`GRANT CONNECT, TEMPORARY ON DATABASE ` + pq.QuoteIdentifier(who.Name) + ` TO ` + to,
		`GRANT USAGE ON SCHEMA public TO ` + to,
		`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ` + to,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ` + to,
		`GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ` + to,
		`REVOKE INSERT, UPDATE, DELETE ON goose_db_version, river_migration, journal_head FROM ` + to,
		`REVOKE UPDATE, DELETE ON journal_entry, journal_heads FROM ` + to,
		`GRANT INSERT, UPDATE (number, hash) ON journal_head TO ` + to,
		`REVOKE INSERT, UPDATE, DELETE ON journal_amendment FROM ` + to,
		`GRANT EXECUTE ON FUNCTION journal_amend TO ` + to,
	} {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return tx.Commit()
}
