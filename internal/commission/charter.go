package commission

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/markdown"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
	"commissionportal/internal/textdiff"
)

// Revision is one state of a commission's charter, in Markdown. Revisions count
// from 1 and are never changed, only followed.
type Revision struct {
	CommissionID uuid.UUID  `db:"commission_id" json:"-"`
	Number       int        `db:"number" json:"number"`
	Body         string     `db:"body" json:"body,omitempty" doc:"Markdown; absent in a list."`
	Summary      string     `db:"summary" json:"summary" doc:"What changed, in a line."`
	AuthorID     *uuid.UUID `db:"author_id" json:"-"`
	Author       *string    `db:"author_name" json:"author,omitempty"`
	CreatedAt    time.Time  `db:"created_at" json:"created_at"`
	AdoptedAt    *time.Time `db:"adopted_at" json:"adopted_at,omitempty"`
}

// Charter is what holds and what is meant to follow it.
type Charter struct {
	Adopted *Revision `json:"adopted,omitempty" doc:"The newest revision that was adopted: what holds."`
	Newest  *Revision `json:"newest,omitempty" doc:"The newest revision: a draft, unless it was adopted."`
}

// Number is that of the newest revision; 0 if there is none. A change names it.
func (c Charter) Number() int {
	if c.Newest == nil {
		return 0
	}
	return c.Newest.Number
}

// Draft reports whether the newest revision waits to be adopted.
func (c Charter) Draft() bool { return c.Newest != nil && c.Newest.AdoptedAt == nil }

// Holds is the revision to read first: the adopted one, before that the draft.
func (c Charter) Holds() *Revision {
	if c.Adopted != nil {
		return c.Adopted
	}
	return c.Newest
}

// Adoptable reports why the revision of that number cannot be adopted by of:
// Stale if it is not the newest.
func (c Charter) Adoptable(of Commission, number int) error {
	switch {
	case of.Ended():
		return ended(of)
	case of.State == Proposed:
		return problem.New(problem.Conflict, "A charter is adopted once the call for participation is out.")
	case c.Newest == nil:
		return problem.New(problem.Conflict, "There is no charter to adopt. Write one first.")
	case c.Number() != number:
		return problem.New(problem.Stale, "There is a newer revision than the one you read. Read it before it is adopted.")
	case !c.Draft():
		return problem.New(problem.Conflict, "This revision has been adopted already.")
	}
	return nil
}

const revisionColumns = `r.commission_id, r.number, r.summary, r.author_id, v.name AS author_name, r.created_at, r.adopted_at`

// Charter reads the charter of a commission.
func (s *Service) Charter(ctx context.Context, who access.Actor, slug string) (Commission, Charter, error) {
	c, _, err := s.require(ctx, who, slug, "charter", "read")
	if err != nil {
		return c, Charter{}, err
	}
	charter, err := charterOf(ctx, s.db, c.ID)
	return c, charter, err
}

func charterOf(ctx context.Context, q postgres.Q, commission uuid.UUID) (Charter, error) {
	list, err := postgres.All[Revision](ctx, q, `
		SELECT `+revisionColumns+`, r.body FROM charter r LEFT JOIN person v ON v.id = r.author_id
		WHERE r.commission_id = $1 AND r.number IN (
		  (SELECT max(number) FROM charter WHERE commission_id = $1), (SELECT max(number) FROM charter WHERE commission_id = $1 AND adopted_at IS NOT NULL))
		ORDER BY r.number`, commission)
	var c Charter
	for i := range list {
		if list[i].AdoptedAt != nil {
			c.Adopted = &list[i]
		}
		c.Newest = &list[i]
	}
	return c, err
}

// Revisions is a page of the revisions without their texts, newest first.
func (s *Service) Revisions(ctx context.Context, who access.Actor, slug string, page keyset.Page) (Commission, []Revision, string, error) {
	c, _, err := s.require(ctx, who, slug, "charter", "read")
	if err != nil {
		return c, nil, "", err
	}
	var w postgres.Where
	w.And("r.commission_id = ?", c.ID)
	w.If(page.After != nil, "r.number < ?::int", page.Key(0))
	list, err := postgres.All[Revision](ctx, s.db, `SELECT `+revisionColumns+`, '' AS body FROM charter r LEFT JOIN person v ON v.id = r.author_id
		WHERE `+w.SQL()+` ORDER BY r.number DESC LIMIT `+w.Arg(page.Fetch()), w.Args()...)
	if err != nil {
		return c, nil, "", err
	}
	list, next := keyset.Cut(page, list, func(r Revision) []string { return []string{strconv.Itoa(r.Number)} })
	return c, list, next, nil
}

// Revision reads one revision.
func (s *Service) Revision(ctx context.Context, who access.Actor, slug string, number int) (Commission, Revision, error) {
	c, _, err := s.require(ctx, who, slug, "charter", "read")
	if err != nil {
		return c, Revision{}, err
	}
	list, err := revisions(ctx, s.db, c.ID, number, number)
	if err == nil && len(list) == 0 {
		return c, Revision{}, access.ErrNotFound
	}
	if err != nil {
		return c, Revision{}, err
	}
	return c, list[0], nil
}

func revisions(ctx context.Context, q postgres.Q, commission uuid.UUID, a, b int) ([]Revision, error) {
	return postgres.All[Revision](ctx, q, `SELECT `+revisionColumns+`, r.body FROM charter r LEFT JOIN person v ON v.id = r.author_id
		WHERE r.commission_id = $1 AND r.number IN ($2, $3) ORDER BY r.number`, commission, a, b)
}

// around is how many lines a difference shows around a change.
const around = 2

// Difference is what leads from one revision to another.
type Difference struct {
	From, To Revision
	Newest   int // number of the newest there is
	Hunks    []textdiff.Hunk
}

// Compare reads the difference between two revisions; from may be the later one.
func (s *Service) Compare(ctx context.Context, who access.Actor, slug string, from, to int) (Commission, Difference, error) {
	c, _, err := s.require(ctx, who, slug, "charter", "read")
	if err != nil {
		return c, Difference{}, err
	}
	list, err := revisions(ctx, s.db, c.ID, from, to)
	if err != nil {
		return c, Difference{}, err
	}
	found := map[int]Revision{}
	for _, r := range list {
		found[r.Number] = r
	}
	d := Difference{From: found[from], To: found[to]}
	if d.From.Number == 0 || d.To.Number == 0 {
		return c, d, access.ErrNotFound
	}
	if d.Newest, err = postgres.One[int](ctx, s.db, nil, `SELECT max(number) FROM charter WHERE commission_id = $1`, c.ID); err != nil {
		return c, d, err
	}
	d.Hunks = textdiff.Compare(d.From.Body, d.To.Body, around)
	return c, d, nil
}

// Revise is a new text for a charter.
type Revise struct {
	Base    int // number of the revision that it was made from; 0 for the first
	Body    string
	Summary string
}

// Check normalizes r and reports every field that is wrong.
func (r *Revise) Check() error {
	var f problem.Fields
	check.Text(&f, "body", &r.Body, 20, 200_000)
	check.Line(&f, "summary", &r.Summary, 0, 300)
	if err := f.Err(); err != nil {
		return err
	}
	return markdown.Check("body", r.Body)
}

// errRevised is the answer when somebody else has written a revision meanwhile.
var errRevised = problem.New(problem.Stale, "Somebody has written a newer revision meanwhile. Yours has not been saved.")

// Revise adds a revision, a draft until it is adopted. It is Stale if Base is
// not the newest any more; nothing is lost then, the caller has the text still.
func (s *Service) Revise(ctx context.Context, who access.Actor, slug string, r Revise) (Commission, Revision, error) {
	c, permit, err := s.require(ctx, who, slug, "charter", "edit")
	if err != nil {
		return c, Revision{}, err
	}
	if err := r.Check(); err != nil {
		return c, Revision{}, err
	}
	var next Revision
	id := c.ID // of its own: what is read may be read again
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if c, err = lockAlive(ctx, tx, id); err != nil {
			return err
		}
		now, err := charterOf(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		switch {
		case now.Number() != r.Base:
			return errRevised
		case now.Newest != nil && now.Newest.Body == r.Body:
			return problem.Field("body", "This is the text of revision %s. Change something, or leave it as it is.", strconv.Itoa(r.Base))
		}
		next = Revision{CommissionID: c.ID, Number: r.Base + 1, Body: r.Body, Summary: r.Summary, AuthorID: &who.ID, Author: &who.Name, CreatedAt: tx.Now}
		if err := insertCharter(ctx, tx, next); err != nil {
			return err
		}
		note := journal.Say("Wrote revision %s of the charter", strconv.Itoa(next.Number))
		if r.Summary != "" {
			note = journal.Say("Wrote revision %s of the charter: %s", strconv.Itoa(next.Number), r.Summary)
		}
		return tx.Record(c.ID, note)
	})
	return c, next, err
}

// Adopt makes the newest revision the one that holds. number names it, so that
// nobody adopts what they have not read.
func (s *Service) Adopt(ctx context.Context, who access.Actor, slug string, number int) (Commission, Revision, error) {
	c, permit, err := s.require(ctx, who, slug, "charter", "adopt")
	if err != nil {
		return c, Revision{}, err
	}
	var adopted Revision
	id := c.ID // of its own: what is read may be read again
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if c, err = lockAlive(ctx, tx, id); err != nil {
			return err
		}
		now, err := charterOf(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		if err := now.Adoptable(c, number); err != nil {
			return err
		}
		adopted = *now.Newest
		if err := postgres.ExecOne(ctx, tx, problem.New(problem.Conflict, "This revision has been adopted already."), `
			UPDATE charter SET adopted_at = $3 WHERE commission_id = $1 AND number = $2 AND adopted_at IS NULL`, c.ID, number, tx.Now); err != nil {
			return err
		}
		at := tx.Now
		adopted.AdoptedAt = &at
		if err := s.tellAdopted(ctx, tx, c, adopted); err != nil {
			return err
		}
		return tx.Record(c.ID, journal.Say("Adopted revision %s of the charter", strconv.Itoa(number)))
	})
	return c, adopted, err
}
