package document

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Acts on many documents of a register at once.
const (
	BulkWithdraw   = "withdraw"   // take them back, with one reason
	BulkRestore    = "restore"    // undo that
	BulkVisibility = "visibility" // say who may read them
)

// BulkActs are all of them.
var BulkActs = []string{BulkWithdraw, BulkRestore, BulkVisibility}

// MostBulk is how many documents can be chosen at once.
const MostBulk = 200

// Bulk is an act on many documents. Documents are references or ids, each perhaps
// with the version that was seen: "ENERGY-N0012" or "ENERGY-N0012:3".
type Bulk struct {
	Act        string
	Documents  []string
	Visibility string
	Reason     string
}

// Planned is what a bulk act does to one document.
type Planned struct {
	Document
	Then    string // its status or who may read it, afterwards
	Skipped *problem.Error
}

// Plan is what a bulk act would do, document by document.
type Plan struct {
	Home
	Bulk
	Lines []Planned
	Done  int // how many it is carried out for
}

// chosen are documents as somebody names them, with the version that was seen; 0: any.
type chosen struct {
	prefixes pq.StringArray
	numbers  pq.Int64Array
	ids      pq.StringArray
	seen     map[string]int // by name
	names    []string       // in their order
}

// choose reads names of documents; those in lists, between commas, too.
func choose(f *problem.Fields, names []string) chosen {
	c := chosen{prefixes: pq.StringArray{}, numbers: pq.Int64Array{}, ids: pq.StringArray{}, seen: map[string]int{}}
	for _, text := range strings.FieldsFunc(strings.Join(names, ","), func(r rune) bool { return r == ',' }) {
		name, version, _ := strings.Cut(strings.TrimSpace(text), ":")
		seen, err := strconv.Atoi(version)
		if version != "" && (err != nil || seen < 1) {
			f.Add("documents", "“%s” names no document.", name)
			return c
		}
		prefix, number, ok := ParseReference(name)
		id, err := uuid.Parse(name)
		switch {
		case ok:
			name = Reference(prefix, &number)
		case err == nil:
			name = id.String()
		default:
			f.Add("documents", "“%s” names no document.", name)
			return c
		}
		if slices.Contains(c.names, name) {
			continue
		}
		if ok {
			c.prefixes, c.numbers = append(c.prefixes, prefix), append(c.numbers, int64(number))
		} else {
			c.ids = append(c.ids, name)
		}
		c.names, c.seen[name] = append(c.names, name), seen
	}
	switch {
	case len(c.names) == 0:
		f.Add("documents", "Choose at least one document from the list.")
	case len(c.names) > MostBulk:
		f.Add("documents", "Choose at most %d at a time.", MostBulk)
	}
	return c
}

// version is the one of d that was seen; 0: any.
func (c chosen) version(d Document) int {
	if v, ok := c.seen[d.Name()]; ok {
		return v
	}
	return c.seen[d.ID.String()]
}

// chosenDocuments reads them in the order of their numbers; lock keeps them as they
// are until the transaction ends. It reports Invalid (field "documents") if the
// actor may not see one of them.
func chosenDocuments(ctx context.Context, q postgres.Q, sight access.Sight, c chosen, now time.Time, lock bool) ([]Document, error) {
	var w postgres.Where
	w.And(`(d.id = ANY(?::uuid[]) OR d.id IN (SELECT x.id FROM unnest(?::text[], ?::int[]) n (prefix, number) JOIN register y ON y.prefix = n.prefix
		JOIN document x ON x.commission_id = y.commission_id AND x.number = n.number))`, c.ids, c.prefixes, c.numbers)
	w.And(sight.Document(&w, "d", now))
	query := `SELECT ` + columns + `, ` + sight.Shared(&w, "d", now) + ` AS shared ` + from + ` WHERE ` + w.SQL() + ` ORDER BY d.commission_id, d.number, d.id LIMIT ` + w.Arg(MostBulk)
	if lock {
		query += ` FOR UPDATE OF d`
	}
	list, err := postgres.All[Document](ctx, q, query, w.Args()...)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, d := range list {
		found[d.Name()], found[d.ID.String()] = true, true
	}
	for _, name := range c.names {
		if !found[name] {
			return nil, problem.Field("documents", "There is no document %s, or you may not see it.", name)
		}
	}
	return list, nil
}

// right is what an act needs in the commission.
func (b Bulk) right() string {
	if b.Act == BulkVisibility {
		return "edit"
	}
	return b.Act
}

func (b *Bulk) check() (chosen, error) {
	var f problem.Fields
	check.OneOf(&f, "act", b.Act, BulkActs...)
	c := choose(&f, b.Documents)
	switch b.Act {
	case BulkVisibility:
		check.OneOf(&f, "visibility", b.Visibility, Visibilities...)
	case BulkWithdraw:
		check.Text(&f, "reason", &b.Reason, 1, 2000)
	}
	return c, f.Err()
}

// askBulk asks for the right that an act needs on every document of the register.
func (s *Service) askBulk(ctx context.Context, who access.Actor, slug string, b *Bulk) (Home, access.Permit, chosen, error) {
	right := "accept" // what is no act is asked for by those who may do any
	if slices.Contains(BulkActs, b.Act) {
		right = b.right()
	}
	h, permit, err := s.home(ctx, who, slug, "document", right)
	if err != nil {
		return h, permit, chosen{}, err
	}
	if _, err := s.access.Require(ctx, who, h.Scope(), "document", "accept"); err != nil {
		return h, permit, chosen{}, err
	}
	c, err := b.check()
	return h, permit, c, err
}

// PlanBulk says what Carry would do; it changes nothing.
func (s *Service) PlanBulk(ctx context.Context, who access.Actor, slug string, b Bulk) (Plan, error) {
	h, _, c, err := s.askBulk(ctx, who, slug, &b)
	if err != nil {
		return Plan{Home: h, Bulk: b}, err
	}
	return plan(ctx, s.db, access.See(ctx, who), h, b, c, journal.Now(ctx), false)
}

// errChanged is why a document is skipped that is not as it was seen.
var errChanged = problem.New(problem.Stale, "Somebody changed it meanwhile.")

// plan reads the documents and decides on each.
func plan(ctx context.Context, q postgres.Q, sight access.Sight, h Home, b Bulk, c chosen, now time.Time, lock bool) (Plan, error) {
	p := Plan{Home: h, Bulk: b}
	list, err := chosenDocuments(ctx, q, sight, c, now, lock)
	if err != nil {
		return p, err
	}
	for _, d := range list {
		l := Planned{Document: d}
		seen := c.version(d)
		var refused error
		switch {
		case d.CommissionID != h.ID:
			refused = problem.New(problem.Conflict, "It is in the register of %s.", d.CommissionName)
		case seen != 0 && seen != d.Version:
			refused = errChanged
		default:
			l.Then, refused = b.then(d, now)
		}
		if refused != nil {
			if l.Skipped = problem.As(refused); l.Skipped == nil {
				return p, refused
			}
		} else {
			p.Done++
		}
		p.Lines = append(p.Lines, l)
	}
	return p, nil
}

// then is what the act makes of a document.
func (b Bulk) then(d Document, now time.Time) (string, error) {
	switch b.Act {
	case BulkWithdraw:
		d, err := d.Withdraw(b.Reason, now)
		return d.Status, err
	case BulkRestore:
		if d.Status != Withdrawn {
			return "", problem.New(problem.Conflict, "It is not withdrawn.")
		}
		return d.BeforeWithdrawal, nil
	}
	if d.Number == nil {
		return "", problem.New(problem.Conflict, "It has no number yet.")
	}
	if d.Visibility == b.Visibility {
		return "", problem.New(problem.Conflict, "It is so already.")
	}
	if b.Visibility == "organization" && d.OrganizationID == nil {
		return "", problem.New(problem.Conflict, "It has no source organization that alone could read it.")
	}
	return b.Visibility, d.Editable(true)
}

// CarryBulk carries the plan out for every document that is not skipped, in one
// change. What changed since the plan was seen is skipped.
func (s *Service) CarryBulk(ctx context.Context, who access.Actor, slug string, b Bulk) (Plan, error) {
	h, permit, c, err := s.askBulk(ctx, who, slug, &b)
	if err != nil {
		return Plan{Home: h, Bulk: b}, err
	}
	sight := access.See(ctx, who)
	var p Plan
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if p, err = plan(ctx, tx, sight, h, b, c, tx.Now, true); err != nil {
			return err
		}
		var done []Document
		for _, l := range p.Lines {
			if l.Skipped != nil {
				continue
			}
			done = append(done, l.Document)
			if err := tx.Record(l.ID, b.note(l)); err != nil {
				return err
			}
		}
		if len(done) == 0 {
			return problem.New(problem.Conflict, "Nothing is left to do: every document is skipped, for the reason beside it.")
		}
		if err := errors.Join(setMany(ctx, tx, b, done, tx.Now), s.reindex(ctx, tx)); err != nil {
			return err
		}
		if b.Act != BulkWithdraw {
			return nil
		}
		return s.tellWithdrawn(ctx, tx, done, b.Reason)
	})
	return p, err
}

func (b Bulk) note(l Planned) journal.Note {
	switch b.Act {
	case BulkWithdraw:
		return journal.Say("Withdrew %s: %s", l.Reference(), b.Reason)
	case BulkRestore:
		return journal.Say("Restored %s", l.Reference())
	}
	return journal.Say("Changed who may read %s", l.Reference()).Changed(map[string]string{"visibility": l.Visibility}, map[string]string{"visibility": l.Then})
}

// setMany writes an act on documents, each as it was when that was decided.
func setMany(ctx context.Context, q postgres.Q, b Bulk, done []Document, now time.Time) error {
	ids, versions := pq.StringArray{}, pq.Int64Array{}
	for _, d := range done {
		ids, versions = append(ids, d.ID.String()), append(versions, int64(d.Version))
	}
	set, args := "", []any{ids, versions, now}
	switch b.Act {
	case BulkWithdraw:
		set, args = `status = 'withdrawn', status_since = $3, status_reason = $4, before_withdrawal = d.status`, append(args, b.Reason)
	case BulkRestore:
		set = `status = d.before_withdrawal, status_since = $3, status_reason = '', before_withdrawal = NULL`
	case BulkVisibility:
		set, args = `visibility = $4, published_at = CASE WHEN $4 = 'public' THEN d.published_at END`, append(args, b.Visibility)
	}
	n, err := q.Exec(ctx, `UPDATE document d SET `+set+`, updated_at = $3, version = d.version + 1
		FROM unnest($1::uuid[], $2::int[]) AS x (id, version) WHERE d.id = x.id AND d.version = x.version`, args...)
	if err == nil && n != int64(len(done)) {
		err = errStale
	}
	return err
}

// tellWithdrawn writes to the authors of documents that were withdrawn; several of
// one author make one letter.
func (s *Service) tellWithdrawn(ctx context.Context, tx *journal.Tx, done []Document, reason string) error {
	by := map[uuid.UUID][]Document{}
	authors := pq.StringArray{}
	for _, d := range done {
		if d.AuthorID == nil || *d.AuthorID == tx.Permit().Actor().ID {
			continue
		}
		if by[*d.AuthorID] == nil {
			authors = append(authors, d.AuthorID.String())
		}
		d.StatusReason = reason
		by[*d.AuthorID] = append(by[*d.AuthorID], d)
	}
	if len(authors) == 0 {
		return nil
	}
	readers, err := postgres.All[mail.Reader](ctx, tx, `SELECT id AS person_id, email, name AS person_name, language, time_zone FROM person
		WHERE id = ANY($1::uuid[]) AND state = 'active' ORDER BY id`, authors)
	if err != nil {
		return err
	}
	var messages []mail.Message
	for _, r := range readers {
		theirs := by[r.Person]
		m, err := s.post.Compose(ctx, r, "document.withdrawn", "/documents/"+theirs[0].ID.String(), func(ctx context.Context) mail.Note {
			if len(theirs) == 1 {
				return withdrawn(ctx, theirs[0])
			}
			return withdrawnMany(ctx, theirs)
		})
		if err != nil {
			return err
		}
		messages = append(messages, m)
	}
	if len(messages) == 0 {
		return nil
	}
	return s.post.Enqueue(ctx, tx.SQL(), messages...)
}

func withdrawnMany(ctx context.Context, list []Document) mail.Note {
	d := list[0]
	paragraphs := []string{i18n.T(ctx, "These were withdrawn from the register of %s. Their numbers stay.", d.CommissionName), i18n.T(ctx, "The reason given: %s", d.StatusReason)}
	for _, d := range list {
		paragraphs = append(paragraphs, d.Reference()+" "+d.Title)
	}
	return mail.Note{Subject: subject(i18n.N(ctx, len(list), "%d document was withdrawn", "%d documents were withdrawn")), Paragraphs: paragraphs,
		Button: i18n.T(ctx, "Open the register"), Path: "/commissions/" + d.Commission + "/documents", Footer: footer(ctx, d)}
}
