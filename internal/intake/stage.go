package intake

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/lib/pq"

	"commissionportal/internal/journal"
	"commissionportal/internal/sheet"
)

// staged is the table that lines go through, one for all kinds. The first part
// is what the portal makes of a line; the second what the line says, normalized;
// the third what that refers to. Capabilities read it in their load.go.
const staged = `CREATE TEMP TABLE staged (
	line int NOT NULL, at timestamptz NOT NULL, trusted boolean NOT NULL,
	verdict text, notes text[] NOT NULL DEFAULT '{}', fields text[] NOT NULL DEFAULT '{}', twin int, id uuid, made boolean, path text,

	key text, name text NOT NULL DEFAULT '', plain text, base text, slug text, rank int NOT NULL DEFAULT 0,
	kind text, kind_else text, category text, country text NOT NULL DEFAULT '', website text NOT NULL DEFAULT '', domain text NOT NULL DEFAULT '', about text NOT NULL DEFAULT '',
	email text, language text, time_zone text, title text NOT NULL DEFAULT '',
	acronym text, tag text, parent text, sector text, state text, last timestamptz,
	organization text, organization_plain text, organization_key text, commission text,
	level text, role text, voting boolean, since timestamptz, until timestamptz,
	number int, reference text, action text, due date, keywords text[], visibility text, place int,

	organization_id uuid, commission_id uuid, person_id uuid, parent_id uuid, parent_kind text, parent_line int, sector_id uuid, affiliated boolean) WITH (fillfactor = 50) ON COMMIT DROP`

// columns are those that staging fills.
var columns = []string{"line", "at", "trusted", "verdict", "notes", "key", "name", "plain", "base", "rank", "kind", "kind_else", "category", "country", "website", "domain", "about",
	"email", "language", "time_zone", "title", "acronym", "tag", "parent", "sector", "state", "last",
	"organization", "organization_plain", "organization_key", "commission", "level", "role", "voting", "since", "until",
	"number", "reference", "action", "due", "keywords", "visibility"}

// stage reads the whole table into staged, by COPY; progress is told the lines
// read so far.
func stage(ctx context.Context, tx *journal.Tx, t *sheet.Reader, in *reader, trusted bool, progress func(lines int)) (err error) {
	if _, err := tx.ExecContext(ctx, staged); err != nil {
		return err
	}
	copying, err := tx.SQL().PrepareContext(ctx, "COPY staged ("+strings.Join(columns, ", ")+") FROM STDIN")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, copying.Close()) }()
	values := make([]any, len(columns))
	for n := 1; ; n++ {
		from, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		r := in.read(from)
		r.set("line", from.Line)
		r.set("at", tx.Now)
		r.set("trusted", trusted)
		if len(r.wrong) > 0 {
			r.set("verdict", "refused")
			r.notes = append(r.wrong, r.notes...)
		}
		r.set("notes", pq.Array(append([]string{}, r.notes...)))
		if r.given["name"] == nil {
			r.set("name", "")
		}
		for i, c := range columns {
			if values[i] = r.given[c]; values[i] == nil {
				values[i] = whenEmpty[c]
			}
		}
		if _, err := copying.ExecContext(ctx, values...); err != nil {
			return err
		}
		if n%1000 == 0 {
			progress(n)
		}
	}
	if _, err := copying.ExecContext(ctx); err != nil {
		return err
	}
	return nil
}

// whenEmpty is what columns that are never null hold where a line says nothing:
// COPY knows no defaults for columns it fills.
var whenEmpty = map[string]any{"country": "", "website": "", "domain": "", "about": "", "title": "", "rank": 0}

// exec runs statements of a load; they read staged, which only this transaction
// sees, so they are not prepared on the pool.
func exec(ctx context.Context, tx *journal.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}
