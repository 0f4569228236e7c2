package document

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// TraceKinds are the kinds of what happens to a document, as its trace tells them
// apart.
var TraceKinds = []string{"submission", "version", "edit", "status", "share", Viewed, Previewed, Downloaded}

// visitKinds are those of document_access.
var visitKinds = []string{Viewed, Previewed, Downloaded}

// Step is something that happened to a document. Who only sees how many read it
// gets one for each day and kind.
type Step struct {
	At               time.Time     `db:"at" json:"at" doc:"Of a count: the beginning of the day, in UTC."`
	Key              string        `db:"key" json:"-"`
	Kind             string        `db:"kind" json:"kind" enum:"submission,version,edit,status,share,view,preview,download"`
	Step             string        `db:"step" json:"step" doc:"What was done: submit, accept, return, revise, withdraw, grant, revoke, expire, view …"`
	Count            int           `db:"count" json:"count" doc:"More than one only where who it was is not told: how many on that day."`
	Daily            bool          `db:"daily" json:"daily,omitempty" doc:"It is the count of a day."`
	Number           *int          `db:"number" json:"version,omitempty"`
	Language         *string       `db:"language" json:"language,omitempty"`
	PersonID         uuid.NullUUID `db:"person_id" json:"-"`
	Person           *string       `db:"person" json:"person,omitempty" doc:"Absent for a visitor, and for who may not know."`
	Organization     *string       `db:"organization" json:"organization,omitempty" doc:"Slug of the organization that they acted for."`
	OrganizationName *string       `db:"organization_name" json:"organization_name,omitempty"`
	Share            uuid.NullUUID `db:"share_id" json:"-"`
	ShareID          *uuid.UUID    `db:"-" json:"share,omitempty" doc:"The grant that was made or that let them read it."`
	With             *string       `db:"shared_with" json:"shared_with,omitempty" doc:"Whom that grant is to; empty: whoever has its link."`
	Staff            bool          `db:"-" json:"-"` // it was imported, and it is not known by whom
	Raw              *string       `db:"note" json:"-"`
	Marks            *string       `db:"marks" json:"-"` // those of the Course, as JSON, beside the latest step
	Note             *journal.Note `db:"-" json:"-"`     // what the journal says of it, for those whose work it is
}

// key is where a step stands in the trace.
func (s Step) key() []string { return []string{s.At.UTC().Format(time.RFC3339Nano), s.Key} }

// TraceFilter narrows a trace; empty fields do not.
type TraceFilter struct {
	Kind        string
	From, Until string // days, YYYY-MM-DD, both included
}

// Trace is what happened to a document, as somebody may know it.
type Trace struct {
	Document
	Names  bool // they see who read it, and for which organization
	Shares bool // they see its shares, and what was read by them
	Steps  []Step
	Next   string // cursor of the next page
	Course
}

// Mark is how often something happened in a part of the time that a Course shows.
type Mark struct {
	Kind  string    `json:"kind"`
	At    time.Time `json:"at"` // when that part begins
	Count int       `json:"count"`
}

// Course is a trace along time: how often what happened in each part of it.
type Course struct {
	From, Until time.Time
	Part        time.Duration
	Marks       []Mark
}

// tracing is how a trace is read: of what, by whom, and which of it.
type tracing struct {
	Document
	names, shares bool
	signedIn      bool
	notes         bool // and what the journal says: reasons, former titles
	kind          string
	from, until   time.Time // zero: open
	now           time.Time
}

// tracing asks for the right to a trace. Without names the days are those of UTC
// for everybody: by asking in several time zones nobody learns the hour.
func (s *Service) tracing(ctx context.Context, who access.Actor, name string, f TraceFilter, zone *time.Location) (tracing, error) {
	d, _, err := s.require(ctx, who, name, "trace", "read")
	if err != nil {
		return tracing{}, err
	}
	t := tracing{Document: d, kind: f.Kind, now: journal.Now(ctx), signedIn: who.SignedIn(), notes: s.access.May(who, d.Scope(), "trace", "read:names"), shares: s.access.May(who, d.Scope(), "share", "read")}
	t.names = d.NamesShown || t.notes
	if !t.names {
		zone = time.UTC
	}
	var p problem.Fields
	if f.Kind != "" {
		check.OneOf(&p, "kind", f.Kind, TraceKinds...)
	}
	t.from = check.Date(&p, "from", f.From, false, zone)
	if t.until = check.Date(&p, "until", f.Until, false, zone); !t.until.IsZero() {
		if t.until = t.until.AddDate(0, 0, 1); !t.from.IsZero() && !t.from.Before(t.until) {
			p.Add("until", "Choose a day that is not before the first.")
		}
	}
	return t, p.Err()
}

// Trace reads a page of what happened to a document, the latest first. The course
// of all of it comes with the first page, if it is asked for.
func (s *Service) Trace(ctx context.Context, who access.Actor, name string, f TraceFilter, zone *time.Location, page keyset.Page, course bool) (Trace, error) {
	t, err := s.tracing(ctx, who, name, f, zone)
	out := Trace{Document: t.Document, Names: t.names, Shares: t.shares}
	if err != nil {
		return out, err
	}
	if course && page.After == nil {
		out.Course = t.course()
	}
	query, args := t.list(page, out.Course)
	if out.Steps, err = postgres.All[Step](ctx, s.db, query, args...); err != nil {
		return out, err
	}
	out.Steps, out.Next = keyset.Cut(page, out.Steps, Step.key)
	for i := range out.Steps {
		if err := t.tell(&out.Steps[i]); err != nil {
			return out, err
		}
	}
	if len(out.Steps) > 0 && out.Steps[0].Marks != nil {
		err = json.Unmarshal([]byte(*out.Steps[0].Marks), &out.Marks)
	}
	return out, err
}

// EachStep calls fn for all that happened to a document, one at a time: for exports.
func (s *Service) EachStep(ctx context.Context, who access.Actor, name string, f TraceFilter, zone *time.Location) (Document, func(func(Step) error) error, error) {
	t, err := s.tracing(ctx, who, name, f, zone)
	return t.Document, func(fn func(Step) error) error {
		query, args := t.list(keyset.Page{Limit: mostExported}, Course{})
		return postgres.Each(ctx, s.db, func(step Step) error {
			if err := t.tell(&step); err != nil {
				return err
			}
			return fn(step)
		}, query, args...)
	}, err
}

// tell leaves in a step what the reader may know of it. Who submitted a document,
// took it over from a list or added its versions is told to whoever is signed in, and for which organization
// to everybody; everything else that somebody did is told without who.
func (t tracing) tell(s *Step) error {
	if s.Share.Valid && t.shares {
		s.ShareID = &s.Share.UUID
	}
	s.Staff = s.Step == "import" && !s.PersonID.Valid
	own := s.Step == "submit" || s.Step == "import" || s.Step == "revise"
	if !t.names && !(own && t.signedIn) {
		s.Person, s.PersonID = nil, uuid.NullUUID{}
	}
	if !t.names && !own {
		s.Organization, s.OrganizationName = nil, nil
	}
	if s.Raw != nil && t.notes {
		s.Note = &journal.Note{}
		if err := json.Unmarshal([]byte(*s.Raw), s.Note); err != nil {
			return fmt.Errorf("journal: an entry of document %s: %w", t.ID, err)
		}
		s.Note.Before, s.Note.After = nil, nil
	}
	return nil
}

const stepColumns = `at, key, kind, step, count, daily, number, language, person_id, organization_id, share_id, note`

// sources are what a trace is read from, each a SELECT of stepColumns: the journal,
// what was read, and, for who may see them, the shares. Reading under a share is
// told to them alone.
func (t tracing) sources(w *postgres.Where) []string {
	id := w.Arg(t.ID) + "::uuid"
	list := []string{`
		SELECT e.at, 'j' || lpad(e.number::text, 18, '0') AS key,
		       CASE WHEN e.action IN ('submit', 'reserve', 'accept', 'return', 'import') THEN 'submission' WHEN e.action = 'revise' THEN 'version'
		            WHEN e.action IN ('edit', 'visibility') THEN 'edit' ELSE 'status' END AS kind,
		       e.action AS step, 1 AS count, false AS daily,
		       CASE WHEN e.action = 'revise' THEN substring(e.note->'args'->>0 FROM '^[0-9]{1,9}$')::int END AS number,
		       CASE WHEN e.action = 'revise' THEN e.note->'args'->>2 END AS language, e.person_id, e.organization_id, NULL::uuid AS share_id, e.note::text AS note
		FROM journal_entry e WHERE e.object_id = ` + id + ` AND e.object = 'document'`}
	if t.AuthorID == nil { // the journal has one entry for all that an import brought
		list = append(list, `
		SELECT coalesce(e.at, d.created_at) AS at, 'd' AS key, 'submission' AS kind, 'import' AS step, 1 AS count, false AS daily, NULL::int AS number, NULL::text AS language,
		       e.person_id, e.organization_id, NULL::uuid AS share_id, e.note::text AS note
		FROM document d LEFT JOIN LATERAL (SELECT at, person_id, organization_id, note FROM journal_entry
		  WHERE object_id = d.import_id AND object = 'import' AND action = 'run' ORDER BY at DESC LIMIT 1) e ON true WHERE d.id = `+id)
	}
	if t.kind == "" || slices.Contains(visitKinds, t.kind) {
		where := "a.document_id = " + id
		if !t.shares {
			where += " AND a.share_id IS NULL"
		}
		if t.names {
			list = append(list, `
		SELECT a.at, 'a' || a.id AS key, a.kind, a.kind AS step, 1 AS count, false AS daily, a.number, a.language, a.person_id, a.organization_id, a.share_id, NULL::text AS note
		FROM document_access a WHERE `+where)
		} else {
			list = append(list, `
		SELECT x.day AT TIME ZONE 'UTC' AS at, 'a' || x.kind AS key, x.kind, x.kind AS step, x.count, true AS daily, NULL::int AS number, NULL::text AS language,
		       NULL::uuid AS person_id, NULL::uuid AS organization_id, NULL::uuid AS share_id, NULL::text AS note
		FROM (SELECT date_trunc('day', a.at AT TIME ZONE 'UTC') AS day, a.kind, count(*)::int AS count FROM document_access a WHERE `+where+` GROUP BY 1, 2) x`)
		}
	}
	if t.shares && (t.kind == "" || t.kind == "share") {
		for _, e := range []struct{ step, at, by, owner, where string }{
			{"grant", "h.created_at", "h.created_by", "h.organization_id", "true"},
			{"revoke", "h.revoked_at", "h.revoked_by", "NULL::uuid", "h.revoked_at IS NOT NULL AND h.replaced_by IS NULL"},
			{"expire", "h.expires_at", "NULL::uuid", "NULL::uuid", "h.expires_at <= " + w.Arg(t.now) + " AND coalesce(h.revoked_at, 'infinity') > h.expires_at"},
		} {
			list = append(list, `
		SELECT `+e.at+` AS at, 's' || h.id || '`+e.step+`' AS key, 'share' AS kind, '`+e.step+`' AS step, 1 AS count, false AS daily, NULL::int AS number, NULL::text AS language,
		       `+e.by+` AS person_id, `+e.owner+` AS organization_id, h.id AS share_id, NULL::text AS note
		FROM share h WHERE h.document_id = `+id+` AND `+e.where)
		}
	}
	return list
}

// narrow is the condition that a step is one of those asked for.
func (t tracing) narrow(w *postgres.Where) string {
	conditions := []string{"true"}
	if t.kind != "" {
		conditions = append(conditions, "kind = "+w.Arg(t.kind))
	}
	if !t.from.IsZero() {
		conditions = append(conditions, "at >= "+w.Arg(t.from))
	}
	if !t.until.IsZero() {
		conditions = append(conditions, "at < "+w.Arg(t.until))
	}
	return strings.Join(conditions, " AND ")
}

// list reads a page of the steps: the latest of each source, of these the latest,
// and then their names; and beside the first the marks of c, unless it is none.
func (t tracing) list(page keyset.Page, c Course) (string, []any) {
	var w postgres.Where
	const order = ` ORDER BY at DESC, key COLLATE "C" DESC LIMIT `
	sources, where, marks := t.sources(&w), t.narrow(&w), "NULL"
	if c.Part > 0 {
		marks = "CASE WHEN row_number() OVER (ORDER BY x.at DESC, x.key COLLATE \"C\" DESC) = 1 THEN (" + c.marks(&w, sources, where) + ") END"
	}
	limit := w.Arg(page.Fetch())
	if page.After != nil {
		where += ` AND (at, key COLLATE "C") < (` + w.Arg(page.Key(0)) + `::timestamptz, ` + w.Arg(page.Key(1)) + `::text)`
	}
	for i, source := range sources {
		sources[i] = "(SELECT " + stepColumns + " FROM (" + source + ") x WHERE " + where + order + limit + ")"
	}
	return `
		SELECT x.at, x.key, x.kind, x.step, x.count, x.daily, x.number, x.language, x.person_id, p.name AS person, o.slug AS organization, o.name AS organization_name,
		       x.share_id, x.note, CASE WHEN h.id IS NOT NULL THEN coalesce(tc.name, t.name, tp.name, '') END AS shared_with, ` + marks + ` AS marks
		FROM (SELECT ` + stepColumns + ` FROM (` + strings.Join(sources, "\n		UNION ALL ") + `) x` + order + limit + `) x
		LEFT JOIN person p ON p.id = x.person_id
		LEFT JOIN organization o ON o.id = coalesce(x.organization_id, CASE WHEN x.kind IN ('submission', 'version', 'edit', 'status') THEN
		  (SELECT s.organization_id FROM seat s WHERE s.person_id = x.person_id AND s.commission_id = ` + w.Arg(t.CommissionID) + ` AND s.period @> x.at ORDER BY s.rank LIMIT 1) END)
		LEFT JOIN share h ON h.id = x.share_id
		LEFT JOIN commission tc ON tc.id = h.to_commission LEFT JOIN organization t ON t.id = h.to_organization LEFT JOIN person tp ON tp.id = h.to_person
		ORDER BY x.at DESC, x.key COLLATE "C" DESC`, w.Args()
}

// units are what the time of a course may be divided into: as many as can be told
// apart on a phone.
var units = []time.Duration{time.Hour, day, 7 * day, 28 * day, 91 * day, 364 * day}

const (
	day       = 24 * time.Hour
	mostUnits = 40
)

// unit is the shortest of them that divides a span into no more than mostUnits;
// who only sees counts gets no part of a day.
func unit(span time.Duration, names bool) time.Duration {
	for _, p := range units {
		if span <= mostUnits*p && (names || p >= day) {
			return p
		}
	}
	return units[len(units)-1]
}

// course is the time of a trace, and the parts of it that are counted.
func (t tracing) course() Course {
	c := Course{From: t.CreatedAt.UTC().Truncate(day), Until: t.now}
	if !t.from.IsZero() {
		c.From = t.from
	}
	if !t.until.IsZero() && t.until.Before(c.Until) {
		c.Until = t.until
	}
	c.Part = unit(c.Until.Sub(c.From), t.names)
	return c
}

// marks counts what sources have in each part of the time: each source by itself, which
// puts what was read a thousand times into its few parts without sorting it.
func (c Course) marks(w *postgres.Where, sources []string, where string) string {
	part := `date_bin(make_interval(secs => ` + w.Arg(c.Part.Seconds()) + `), at, ` + w.Arg(c.From) + `)`
	counted := make([]string, len(sources))
	for i, source := range sources {
		counted[i] = "SELECT kind, " + part + " AS at, sum(count) AS count FROM (" + source + ") x WHERE " + where + " GROUP BY 1, 2"
	}
	return `
		SELECT json_agg(m) FROM (SELECT kind, at, sum(count)::int AS count
		  FROM (` + strings.Join(counted, "\n		UNION ALL ") + `) x GROUP BY 1, 2 ORDER BY 2, 1 LIMIT 1000) m`
}
