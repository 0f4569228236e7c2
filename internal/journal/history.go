package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/i18n"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
)

// Event is an entry of the journal as a history shows it.
type Event struct {
	Scope  uuid.UUID `db:"scope_id" json:"-"`
	Number int64     `db:"number" json:"number" doc:"Counts up in its scope, without a gap."`
	At     time.Time `db:"at" json:"at"`
	Person *string   `db:"person_name" json:"person,omitempty" doc:"Who did it; absent for the portal itself."`
	Object string    `db:"object" json:"object"`
	Action string    `db:"action" json:"action"`
	Raw    string    `db:"note" json:"-"`
	Text   string    `db:"-" json:"text" doc:"What was done, in the reader's language."`
	Before any       `db:"-" json:"before,omitempty"`
	After  any       `db:"-" json:"after,omitempty"`
}

// History reads what was done in the scopes, and elsewhere to the objects, with
// these ids: newest first. Whether the reader may see it is asked before.
func History(ctx context.Context, q postgres.Q, of []uuid.UUID, page keyset.Page) ([]Event, string, error) {
	ids := make([]string, len(of))
	for i, id := range of {
		ids[i] = id.String()
	}
	var w postgres.Where
	these := w.Arg(pq.Array(ids))
	w.If(page.After != nil, "(at, scope_id, number) < (?::timestamptz, ?::uuid, ?::bigint)", page.Key(0), page.Key(1), page.Key(2))
	const columns, order = "scope_id, number, at, person_id, object, action, note::text AS note", "ORDER BY at DESC, scope_id DESC, number DESC LIMIT "
	limit := w.Arg(page.Fetch())
	rows, err := postgres.All[Event](ctx, q, `
		SELECT e.scope_id, e.number, e.at, p.name AS person_name, e.object, e.action, e.note
		FROM ((SELECT `+columns+` FROM journal_entry WHERE scope_id = ANY(`+these+`::uuid[]) AND `+w.SQL()+` `+order+limit+`)
		      UNION
		      (SELECT `+columns+` FROM journal_entry WHERE object_id = ANY(`+these+`::uuid[]) AND `+w.SQL()+` `+order+limit+`)) e
		LEFT JOIN person p ON p.id = e.person_id
		ORDER BY e.at DESC, e.scope_id DESC, e.number DESC LIMIT `+limit, w.Args()...)
	if err != nil {
		return nil, "", err
	}
	for i := range rows {
		var n Note
		if err := json.Unmarshal([]byte(rows[i].Raw), &n); err != nil {
			return nil, "", fmt.Errorf("journal: entry %d of %s: %w", rows[i].Number, rows[i].Scope, err)
		}
		rows[i].Text, rows[i].Before, rows[i].After = n.Say(ctx), n.Before, n.After
	}
	rows, next := keyset.Cut(page, rows, func(e Event) []string {
		return []string{e.At.Format(time.RFC3339Nano), e.Scope.String(), strconv.FormatInt(e.Number, 10)}
	})
	return rows, next, nil
}

// Say is the note's sentence in the reader's language.
func (n Note) Say(ctx context.Context) string {
	args := make([]any, len(n.Args))
	for i, a := range n.Args {
		args[i] = a
	}
	return i18n.T(ctx, n.Text, args...)
}
