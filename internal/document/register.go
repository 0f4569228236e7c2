package document

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Orders that a register can be read in.
const (
	ByNumber  = "number"  // the newest first
	ByTitle   = "title"   //
	ByUpdated = "updated" // the last changed first
	ByDue     = "due"     // what is due next first; only what is due
)

// Filter narrows a register; empty fields do not.
type Filter struct {
	Type         string
	Organization string // slug of the source
	Status       string
	Language     string
	Query        string // part of the title, or a reference
	Due          bool   // asks for something, by a day that has not passed
	Mine         bool   // submitted by who asks
	Below        bool   // of the bodies under the commission too
	Order        string // "" is ByNumber
}

// Row is a document as a register shows it.
type Row struct {
	ID               uuid.UUID      `db:"id" json:"id"`
	CommissionID     uuid.UUID      `db:"commission_id" json:"-"`
	Commission       string         `db:"commission_slug" json:"commission"`
	Acronym          string         `db:"acronym" json:"-"` // of the commission
	Prefix           string         `db:"prefix" json:"-"`
	Number           *int           `db:"number" json:"number,omitempty"`
	Title            string         `db:"title" json:"title"`
	Type             string         `db:"type" json:"type"`
	Organization     *string        `db:"organization_slug" json:"organization,omitempty"`
	OrganizationName *string        `db:"organization_name" json:"organization_name,omitempty"`
	Status           string         `db:"status" json:"status"`
	Review           *string        `db:"review" json:"review,omitempty"`
	Late             bool           `db:"late" json:"late"`
	Action           string         `db:"action" json:"action"`
	DueOn            *string        `db:"due_on" json:"due_on,omitempty"`
	Languages        pq.StringArray `db:"languages" json:"languages"`
	Versions         int            `db:"versions" json:"versions"`
	Source           string         `db:"language" json:"-"` // the language of its source text
	Pictured         bool           `db:"pictured" json:"-"` // there is a small picture of its newest version
	Visibility       string         `db:"visibility" json:"visibility"`
	Version          int            `db:"version" json:"version"`
	UpdatedAt        time.Time      `db:"updated_at" json:"updated_at"`
}

// Reference is how the document is cited; "" before it has a number.
func (r Row) Reference() string { return Reference(r.Prefix, r.Number) }

// Path is the address of its page.
func (r Row) Path() string {
	return Document{ID: r.ID, Prefix: r.Prefix, Number: r.Number}.Path()
}

// List is a page of a register.
type List struct {
	Home
	Rows    []Row
	Next    string // cursor of the next page, "" for none
	Waiting []Row  // of the first page: without a number yet, that the reader may see
}

// mostWaiting bounds how many documents without a number a register shows.
const mostWaiting = 50

// Register reads a page of the documents that the actor may see.
func (s *Service) Register(ctx context.Context, who access.Actor, slug string, f Filter, page keyset.Page) (List, error) {
	h, _, err := s.home(ctx, who, slug, "register", "read")
	if err != nil {
		return List{}, err
	}
	if err := f.check(); err != nil {
		return List{Home: h}, err
	}
	l := List{Home: h}
	query, args := registerQuery(h, access.See(ctx, who), who, f, page, who.SignedIn() && page.After == nil, journal.Now(ctx))
	rows, err := postgres.All[Row](ctx, s.db, query, args...)
	if err != nil {
		return l, err
	}
	numbered := len(rows)
	if i := slices.IndexFunc(rows, func(r Row) bool { return r.Number == nil }); i >= 0 {
		numbered = i
	}
	l.Rows, l.Next = keyset.Cut(page, rows[:numbered], func(r Row) []string { return orders[f.Order].key(r) })
	l.Waiting = rows[numbered:]
	return l, nil
}

// mostExported is how long an export can be.
const mostExported = 200_000

// Each calls fn for every document of a register that the actor may see, one at
// a time: for exports.
func (s *Service) Each(ctx context.Context, who access.Actor, slug string, f Filter) (Home, func(func(Row) error) error, error) {
	h, _, err := s.home(ctx, who, slug, "register", "read")
	if err == nil {
		err = f.check()
	}
	return h, func(fn func(Row) error) error {
		query, args := registerQuery(h, access.See(ctx, who), who, f, keyset.Page{Limit: mostExported}, false, journal.Now(ctx))
		return postgres.Each(ctx, s.db, fn, query, args...)
	}, err
}

func (f Filter) check() error {
	var p problem.Fields
	for _, w := range []struct {
		field, value string
		words        []string
	}{{"type", f.Type, Types}, {"status", f.Status, Statuses}} {
		if w.value != "" {
			check.OneOf(&p, w.field, w.value, w.words...)
		}
	}
	if _, ok := orders[f.Order]; !ok {
		p.Add("order", "Choose one of: %s.", "number, title, updated, due")
	}
	return p.Err()
}

// order is a way to read a register: its key, the same as ORDER BY and as text.
type order struct {
	by    string // ORDER BY
	after string // condition with the parts of the key to start after
	only  string // what has a place in this order
	key   func(Row) []string
}

var orders = map[string]order{
	"":       byNumber,
	ByNumber: byNumber,
	ByTitle:  {"d.title, d.id", `(d.title, d.id) > (? COLLATE "und-x-icu", ?::uuid)`, "true", func(r Row) []string { return []string{r.Title, r.ID.String()} }},
	ByUpdated: {"d.updated_at DESC, d.id DESC", "(d.updated_at, d.id) < (?::timestamptz, ?::uuid)", "true", func(r Row) []string {
		return []string{r.UpdatedAt.UTC().Format(time.RFC3339Nano), r.ID.String()}
	}},
	ByDue: {"d.due_on, d.id", "(d.due_on, d.id) > (?::date, ?::uuid)", "d.due_on IS NOT NULL AND d.status IN ('draft', 'available')", func(r Row) []string {
		return []string{*r.DueOn, r.ID.String()}
	}},
}

var byNumber = order{"d.number DESC, d.id DESC", "(d.number, d.id) < (?::int, ?::uuid)", "true", func(r Row) []string {
	return []string{strconv.Itoa(*r.Number), r.ID.String()}
}}

const rowColumns = `d.id, d.commission_id, c.slug AS commission_slug, c.acronym, coalesce(r.prefix, '') AS prefix, d.number, d.title, d.type, o.slug AS organization_slug, o.name AS organization_name,
	d.status, d.review, d.late, d.action, d.due_on::text AS due_on, d.languages, d.versions, d.language,
	coalesce(newest.pictures > 0 AND newest.scan <> 'infected' AND newest.undrawn[1] IS DISTINCT FROM 1, false) AS pictured, d.visibility, d.version, d.updated_at`

const rowJoins = `JOIN commission c ON c.id = d.commission_id
	LEFT JOIN register r ON r.commission_id = d.commission_id
	LEFT JOIN organization o ON o.id = d.organization_id
	LEFT JOIN document_version last ON last.document_id = d.id AND last.number = d.versions AND last.language = d.language
	LEFT JOIN file newest ON newest.digest = last.digest`

// cutColumns are what is read of a document before the page is cut.
const cutColumns = `d.id, d.commission_id, d.number, d.title, d.type, d.organization_id, d.status, d.review, d.late, d.action, d.due_on, d.languages, d.versions,
	d.language, d.visibility, d.version, d.updated_at`

// registerQuery cuts the page from an index of the register and joins after, so
// it costs what it shows. With the bodies under the commission, of any depth, a
// page is cut from the register of each, and then from these pages. What waits for a
// number, if it is asked for, follows, the longest waiting first.
func registerQuery(h Home, sight access.Sight, who access.Actor, f Filter, page keyset.Page, waiting bool, now time.Time) (string, []any) {
	var w postgres.Where
	o := orders[f.Order]
	if f.Below {
		w.And("d.commission_id = b.id")
	} else {
		w.And("d.commission_id = ?", h.ID)
	}
	w.And("d.number IS NOT NULL")
	w.And(o.only)
	w.If(f.Type != "", "d.type = ?", f.Type)
	w.If(f.Organization != "", "d.organization_id = (SELECT id FROM organization WHERE slug = ?)", f.Organization)
	w.If(f.Status != "", "d.status = ?", f.Status)
	w.If(f.Language != "", "d.languages @> ARRAY[?::text]", f.Language)
	w.If(f.Due, "d.due_on >= ?::date AND d.status IN ('draft', 'available')", now.Format(time.DateOnly))
	w.If(f.Mine, "d.author_id = ?", who.ID)
	if prefix, number, ok := ParseReference(f.Query); ok {
		w.And("d.number = ? AND d.commission_id = (SELECT commission_id FROM register WHERE prefix = ?)", number, prefix)
	} else {
		w.And(w.Named("d.title", f.Query))
	}
	w.And(sight.Document(&w, "d", now))
	w.If(page.After != nil, o.after, page.Key(0), page.Key(1))
	limit := w.Arg(page.Fetch())
	cut := `SELECT ` + cutColumns + ` FROM document d WHERE ` + w.SQL() + ` ORDER BY ` + o.by + ` LIMIT ` + limit
	if f.Below {
		cut = `SELECT ` + cutColumns + ` FROM (
				WITH RECURSIVE body (id) AS (SELECT ` + w.Arg(h.ID) + `::uuid UNION SELECT c.id FROM body JOIN commission c ON c.parent_id = body.id) SELECT id FROM body) b
			CROSS JOIN LATERAL (` + cut + `) d ORDER BY ` + o.by + ` LIMIT ` + limit
	}
	by := o.by
	if waiting {
		cut = `(` + cut + `) UNION ALL
			(SELECT ` + cutColumns + ` FROM document d WHERE d.commission_id = ` + w.Arg(h.ID) + ` AND d.number IS NULL AND ` + sight.Document(&w, "d", now) + `
			 ORDER BY d.review = 'submitted' DESC NULLS LAST, d.id LIMIT ` + w.Arg(mostWaiting) + `)`
		by = `d.number IS NULL, CASE WHEN d.number IS NULL THEN d.review = 'submitted' END DESC NULLS LAST, CASE WHEN d.number IS NULL THEN d.id END, ` + by
	}
	return `
		SELECT ` + rowColumns + `
		FROM (` + cut + `) d
		` + rowJoins + `
		ORDER BY ` + by, w.Args()
}

// Settings are what changes of a register's settings; what is nil stays.
type Settings struct {
	Review, NamesShown *bool
	Visibility         *string
	Deadline           *string // the last day, of the convention's calendar; "" for none
	Quota              *int64  // bytes; by the secretariat
	Version            int     // that the change was made from
}

// Settings reads the register of a commission for those who may change it.
func (s *Service) Settings(ctx context.Context, who access.Actor, slug string) (Home, error) {
	h, _, err := s.home(ctx, who, slug, "register", "settings")
	return h, err
}

// Set changes the settings of a register. It is Stale if somebody else did
// meanwhile.
func (s *Service) Set(ctx context.Context, who access.Actor, slug string, with Settings) (Home, error) {
	h, permit, err := s.home(ctx, who, slug, "register", "settings")
	if err != nil {
		return h, err
	}
	r, err := with.apply(h.Register, calendar.Zone(ctx))
	if err != nil {
		return h, err
	}
	if r.Quota != h.Register.Quota {
		if _, err := s.access.Require(ctx, who, h.Scope(), "register", "quota"); err != nil {
			return h, err
		}
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if _, err := lockRegister(ctx, tx, h.ID); err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, errStale, `
			UPDATE register SET review = $3, names_shown = $4, visibility = $5, deadline = $6, quota = $7, version = version + 1 WHERE commission_id = $1 AND version = $2`,
			h.ID, with.Version, r.Review, r.NamesShown, r.Visibility, r.Deadline, r.Quota); err != nil {
			return err
		}
		return tx.Record(h.ID, journal.Say("Changed the settings of the register").Changed(h.Register, r))
	})
	if postgres.Constraint(err) == "register_quota" {
		err = problem.Field("quota", "More than that is in use already.")
	}
	if err != nil {
		return h, err
	}
	return homeBySlug(ctx, s.db, slug)
}

func (with Settings) apply(r Register, zone *time.Location) (Register, error) {
	var f problem.Fields
	if with.Review != nil {
		r.Review = *with.Review
	}
	if with.NamesShown != nil {
		r.NamesShown = *with.NamesShown
	}
	if with.Visibility != nil {
		r.Visibility = *with.Visibility
	}
	check.OneOf(&f, "visibility", r.Visibility, Visibilities...)
	if with.Deadline != nil {
		r.Deadline = nil
		if day := check.Date(&f, "deadline", *with.Deadline, false, zone); !day.IsZero() {
			end := day.AddDate(0, 0, 1)
			r.Deadline = &end
		}
	}
	if with.Quota != nil {
		if r.Quota = *with.Quota; r.Quota < 0 || r.Quota > 1<<50 {
			f.Add("quota", "Give a number of bytes up to a petabyte.")
		}
	}
	return r, f.Err()
}

// FormSources are the organizations that the actor may submit for, for a form: their
// own, which nobody has to be asked for.
func (s *Service) FormSources(ctx context.Context, who access.Actor, h Home) ([]Source, error) {
	return sources(ctx, s.db, who.ID, h.ID, journal.Now(ctx))
}
