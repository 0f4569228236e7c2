package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Event is an entry of the journal as a history shows it.
type Event struct {
	Scope   uuid.UUID `db:"scope_id" json:"-"`
	Number  int64     `db:"number" json:"number" doc:"Counts up in its scope, without a gap."`
	At      time.Time `db:"at" json:"at"`
	Person  *string   `db:"person_name" json:"person,omitempty" doc:"Who did it; absent for the portal itself."`
	For     *string   `db:"for_name" json:"organization,omitempty" doc:"The organization that it was done for."`
	Where   *string   `db:"where_name" json:"where,omitempty" doc:"The commission or organization in whose journal it stands; absent for the portal's."`
	Object  string    `db:"object" json:"object"`
	Action  string    `db:"action" json:"action"`
	Request string    `db:"request_id" json:"request,omitempty" doc:"The id of the request that did it, as in the logs; for jobs and commands their name."`
	Raw     string    `db:"note" json:"-"`
	Names   *string   `db:"names" json:"-"`
	Text    string    `db:"-" json:"text" doc:"What was done, in the reader's language."`
	Before  any       `db:"-" json:"before,omitempty"`
	After   any       `db:"-" json:"after,omitempty"`
}

// read fills what the note says.
func (e *Event) read(ctx context.Context) error {
	var n Note
	if err := json.Unmarshal([]byte(e.Raw), &n); err != nil {
		return fmt.Errorf("journal: entry %d of %s: %w", e.Number, e.Scope, err)
	}
	if e.Names != nil {
		if err := json.Unmarshal([]byte(*e.Names), &n.names); err != nil {
			return fmt.Errorf("journal: names in entry %d of %s: %w", e.Number, e.Scope, err)
		}
	}
	e.Text, e.Before, e.After = n.Say(ctx), n.Before, n.After
	return nil
}

// Filter narrows a history; empty fields do not.
type Filter struct {
	Who         string         // part of the name of who did it
	Kind        string         // of object
	From, Until string         // days of Zone, both included
	Zone        *time.Location // UTC if it is nil
}

// Kinds are the kinds of objects that a history can be narrowed to.
var Kinds = []string{"commission", "charter", "milestone", "support", "participation", "seat", "application", "invitation", "document", "register", "share", "upload", "access",
	"organization", "affiliation", "import", "account", "person", "sector"}

// where puts the filter into the condition for entries j.
func (f Filter) where(w *postgres.Where) error {
	zone := f.Zone
	if zone == nil {
		zone = time.UTC
	}
	var p problem.Fields
	who := strings.TrimSpace(f.Who)
	check.Line(&p, "who", &who, 0, 200)
	if f.Kind != "" {
		check.OneOf(&p, "kind", f.Kind, Kinds...)
	}
	from, until := check.Date(&p, "from", f.From, false, zone), check.Date(&p, "until", f.Until, false, zone)
	if !from.IsZero() && !until.IsZero() && until.Before(from) {
		p.Add("until", "Choose a day that is not before the first.")
	}
	if err := p.Err(); err != nil {
		return err
	}
	w.If(who != "", "j.person_id IN (SELECT id FROM person WHERE "+w.Named("name", who)+")")
	w.If(f.Kind != "", "j.object = ?", f.Kind)
	w.If(!from.IsZero(), "j.at >= ?", from)
	w.If(!until.IsZero(), "j.at < ?", until.AddDate(0, 0, 1))
	return nil
}

const (
	keys      = "j.scope_id, j.number, j.at"
	newest    = " ORDER BY j.at DESC, j.scope_id DESC, j.number DESC"
	keyColumn = "(j.at, j.scope_id, j.number) < (?::timestamptz, ?::uuid, ?::bigint)"
)

// events reads the entries whose keys a query finds, newest first.
func events(found string) string {
	return `
		SELECT e.scope_id, e.number, e.at, p.name AS person_name, f.name AS for_name, coalesce(c.name, o.name) AS where_name, e.object, e.action, e.request_id, e.note,
		       (SELECT json_object_agg(w.id, w.name)::text FROM person w WHERE e.note->'who' IS NOT NULL AND w.id IN (SELECT x.value::uuid FROM json_each_text(e.note->'who') x)) AS names
		FROM (` + found + `) k JOIN journal_entry e USING (scope_id, number)
		LEFT JOIN person p ON p.id = e.person_id LEFT JOIN organization f ON f.id = e.organization_id
		LEFT JOIN commission c ON c.id = e.scope_id LEFT JOIN organization o ON o.id = e.scope_id
		ORDER BY e.at DESC, e.scope_id DESC, e.number DESC`
}

// paged cuts a page of events; found makes the query of their keys, each row of
// which comes from one index alone.
func paged(ctx context.Context, q postgres.Q, w *postgres.Where, f Filter, page keyset.Page, found func(condition, limit string) string) ([]Event, string, error) {
	if err := f.where(w); err != nil {
		return nil, "", err
	}
	w.If(page.After != nil, keyColumn, page.Key(0), page.Key(1), page.Key(2))
	limit := " LIMIT " + w.Arg(page.Fetch())
	rows, err := postgres.All[Event](ctx, q, events("SELECT "+keys+" FROM ("+found(w.SQL(), limit)+") j"+newest+limit), w.Args()...)
	if err != nil {
		return nil, "", err
	}
	for i := range rows {
		if err := rows[i].read(ctx); err != nil {
			return nil, "", err
		}
	}
	rows, next := keyset.Cut(page, rows, func(e Event) []string {
		return []string{e.At.Format(time.RFC3339Nano), e.Scope.String(), strconv.FormatInt(e.Number, 10)}
	})
	return rows, next, nil
}

// History reads what was done in the scopes, and elsewhere to the objects, with
// these ids: newest first. Whether the reader may see it is asked before.
func History(ctx context.Context, q postgres.Q, of []uuid.UUID, f Filter, page keyset.Page) ([]Event, string, error) {
	var w postgres.Where
	these := "unnest(" + w.Arg(postgres.IDs(of)) + "::uuid[]) i (id) CROSS JOIN LATERAL "
	return paged(ctx, q, &w, f, page, func(condition, limit string) string {
		return `SELECT k.* FROM ` + these + `(SELECT ` + keys + ` FROM journal_entry j WHERE j.scope_id = i.id AND ` + condition + ` ORDER BY j.at DESC, j.number DESC` + limit + `) k
			UNION
			SELECT k.* FROM ` + these + `(SELECT ` + keys + ` FROM journal_entry j WHERE j.object_id = i.id AND ` + condition + newest + limit + `) k`
	})
}

// EachEvent reads all of what History has pages of.
func EachEvent(ctx context.Context, db *postgres.DB, of []uuid.UUID, f Filter) (func(func(Event) error) error, error) {
	var w postgres.Where
	these := w.Arg(postgres.IDs(of)) + "::uuid[]"
	if err := f.where(&w); err != nil {
		return nil, err
	}
	return each(ctx, db, `SELECT `+keys+` FROM journal_entry j WHERE j.scope_id = ANY(`+these+`) AND `+w.SQL()+`
		UNION SELECT `+keys+` FROM journal_entry j WHERE j.object_id = ANY(`+these+`) AND `+w.SQL(), w.Args()), nil
}

func each(ctx context.Context, db *postgres.DB, found string, args []any) func(func(Event) error) error {
	return func(fn func(Event) error) error {
		return postgres.Each(ctx, db, func(e Event) error {
			if err := e.read(ctx); err != nil {
				return err
			}
			return fn(e)
		}, events(found), args...)
	}
}

// Reader has what persons read of the journal about themselves.
type Reader struct {
	db     *postgres.DB
	access *access.Policy
}

// NewReader makes a reader.
func NewReader(db *postgres.DB, policy *access.Policy) *Reader { return &Reader{db, policy} }

func (r *Reader) own(ctx context.Context, who access.Actor) (w postgres.Where, mine string, err error) {
	_, err = r.access.Require(ctx, who, access.Portal, "history", "read")
	mine = "j.person_id = " + w.Arg(who.ID)
	return w, mine, err
}

// Own is what the actor did, wherever it was, newest first.
func (r *Reader) Own(ctx context.Context, who access.Actor, f Filter, page keyset.Page) ([]Event, string, error) {
	w, mine, err := r.own(ctx, who)
	if err != nil {
		return nil, "", err
	}
	f.Who = ""
	return paged(ctx, r.db, &w, f, page, func(condition, limit string) string {
		return `SELECT ` + keys + ` FROM journal_entry j WHERE ` + mine + ` AND ` + condition + newest + limit
	})
}

// EachOwn reads all of what Own has pages of.
func (r *Reader) EachOwn(ctx context.Context, who access.Actor, f Filter) (func(func(Event) error) error, error) {
	w, mine, err := r.own(ctx, who)
	if err != nil {
		return nil, err
	}
	f.Who = ""
	if err := f.where(&w); err != nil {
		return nil, err
	}
	return each(ctx, r.db, `SELECT `+keys+` FROM journal_entry j WHERE `+mine+` AND `+w.SQL(), w.Args()), nil
}

// Say is the note's sentence in the reader's language.
func (n Note) Say(ctx context.Context) string {
	args := make([]any, len(n.Args))
	for i, a := range n.Args {
		args[i] = a
		if id, ok := n.Who[i]; ok {
			args[i] = n.names[id]
		}
	}
	return i18n.T(ctx, n.Text, args...)
}
