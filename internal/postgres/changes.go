package postgres

import (
	"context"
	"database/sql"

	"github.com/lib/pq"
)

// Changes is how often the tables have changed, whoever changed them, or all that visitors
// are shown something of if none is named (migration 0038). What is made of them is right as
// long as that is the same: it is read before, so that what is changed meanwhile has it made anew.
func Changes(ctx context.Context, q Q, tables ...string) (int64, error) {
	const counted = `SELECT coalesce(sum(n), 0)::bigint FROM change_count`
	if len(tables) == 0 {
		return One[int64](ctx, q, nil, counted)
	}
	return One[int64](ctx, q, nil, counted+` WHERE relation = ANY($1)`, pq.StringArray(tables))
}

// SweepChanges puts together what was counted by connections that ended, as most have by
// the next sweep. It leaves out what is being counted, and so waits for nobody.
func SweepChanges(db *sql.DB) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := db.ExecContext(ctx, `
			WITH old AS (SELECT ctid FROM change_count WHERE backend <> 0 FOR UPDATE SKIP LOCKED),
			     gone AS (DELETE FROM change_count USING old WHERE change_count.ctid = old.ctid RETURNING relation, n)
			INSERT INTO change_count AS c SELECT relation, 0, sum(n) FROM gone GROUP BY relation ON CONFLICT (relation, backend) DO UPDATE SET n = c.n + EXCLUDED.n`)
		return err
	}
}
