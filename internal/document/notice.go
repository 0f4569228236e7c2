package document

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Digests are how often a person hears of new documents.
var Digests = []string{"never", "daily", "weekly"}

// Notice is what a person wants to hear of documents by mail.
type Notice struct {
	PersonID uuid.UUID `db:"person_id" json:"-"`
	Digest   string    `db:"digest" json:"digest" enum:"never,daily,weekly" doc:"How often a letter tells of new documents and of what is due."`
	Due      bool      `db:"due" json:"due" doc:"A letter at once when a document asks for something by a day, and one when two days are left."`
	Key      string    `db:"key" json:"-"`
	Version  int       `db:"version" json:"version"`
}

const noticeColumns = `person_id, digest, due, key, version`

// Notice reads what the actor wants to hear.
func (s *Service) Notice(ctx context.Context, who access.Actor) (Notice, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "notice", "read"); err != nil {
		return Notice{}, err
	}
	rows, err := postgres.All[Notice](ctx, s.db, `SELECT `+noticeColumns+` FROM document_notice WHERE person_id = $1`, who.ID)
	return append(rows, Notice{PersonID: who.ID, Digest: "weekly", Due: true, Version: 1})[0], err
}

// SetNotice changes what the actor wants to hear. It is Stale if that was changed
// meanwhile.
func (s *Service) SetNotice(ctx context.Context, who access.Actor, n Notice) (Notice, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "notice", "edit")
	if err != nil {
		return n, err
	}
	var f problem.Fields
	check.OneOf(&f, "digest", n.Digest, Digests...)
	if err := f.Err(); err != nil {
		return n, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := openNotices(ctx, tx, []uuid.UUID{who.ID}, tx.Now); err != nil {
			return err
		}
		// Whoever starts to read digests does not get all that there ever was.
		if err := postgres.ExecOne(ctx, tx, errStale, `
			UPDATE document_notice SET digest = $3, due = $4, version = version + 1, digested_at = CASE WHEN digest = 'never' THEN $5 ELSE digested_at END
			WHERE person_id = $1 AND version = $2`, who.ID, n.Version, n.Digest, n.Due, tx.Now); err != nil {
			return err
		}
		return tx.Record(who.ID, journal.Say("Changed which letters about documents to get"))
	})
	if err != nil {
		return n, err
	}
	return s.Notice(ctx, who)
}

// openNotices makes the rows of persons that have none yet.
func openNotices(ctx context.Context, q postgres.Q, persons []uuid.UUID, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO document_notice (person_id, digested_at) SELECT id, $2 FROM unnest($1::uuid[]) id ON CONFLICT DO NOTHING`, postgres.IDs(persons), now)
	return err
}

// The letters that an address ends.
const (
	digestLetters = "digest"
	dueLetters    = "due"
)

func unsubscribePath(key, what string) string { return "/unsubscribe/" + key + "/" + what }

// errNoLetters is the answer to an address that ends no letters.
var errNoLetters = problem.New(problem.NotFound, "This address ends no letters of ours. What you get is in your profile, under Letters.")

// Unsubscribing reports whether an address that stands in a letter ends one kind
// of them: NotFound if not.
func (s *Service) Unsubscribing(ctx context.Context, who access.Actor, key, what string) error {
	if _, err := s.access.Require(ctx, who, access.Portal, "notice", "stop"); err != nil {
		return err
	}
	if what != digestLetters && what != dueLetters {
		return errNoLetters
	}
	_, err := postgres.One[int](ctx, s.db, errNoLetters, `SELECT 1 FROM document_notice WHERE key = $1`, key)
	return err
}

// Unsubscribe ends one kind of letters, for whoever has a letter of it: at once
// and without signing in (RFC 8058). Done again it changes nothing.
func (s *Service) Unsubscribe(ctx context.Context, who access.Actor, key, what string) error {
	permit, err := s.access.Require(ctx, who, access.Portal, "notice", "stop")
	if err == nil {
		err = s.Unsubscribing(ctx, who, key, what)
	}
	if err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		person, err := postgres.One[uuid.UUID](ctx, tx, errNoLetters, `
			UPDATE document_notice SET digest = CASE WHEN $2 THEN 'never' ELSE digest END, due = due AND $2, version = version + 1 WHERE key = $1 RETURNING person_id`,
			key, what == digestLetters)
		if err != nil {
			return err
		}
		return tx.Record(person, journal.Say("Ended letters about documents by the address in one"))
	})
}
