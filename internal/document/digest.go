package document

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/jobs"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
)

// digestHour is when digests are written, by the clock of their reader: before
// work begins. A weekly one comes on Monday.
const digestHour = 6

// digestDue is the last instant up to now at which a digest of that frequency was
// to be written for somebody in the zone.
func digestDue(frequency string, now time.Time, zone *time.Location) time.Time {
	t := now.In(zone)
	due := time.Date(t.Year(), t.Month(), t.Day(), digestHour, 0, 0, 0, zone)
	if due.After(now) {
		due = due.AddDate(0, 0, -1)
	}
	if frequency == "weekly" {
		due = due.AddDate(0, 0, -(int(due.Weekday())+6)%7)
	}
	return due
}

// digest is the job that writes one person's digest.
type digest struct {
	Person uuid.UUID `json:"person"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
}

func (digest) Kind() string { return "document.digest" }

// Digests enqueues the digests that are due: a job for each person, which
// writes the letter under the rights that the person has then. It is done every
// hour, as it is morning somewhere.
func (s *Service) Digests(ctx context.Context) error {
	now := journal.Now(ctx)
	// Whoever has a seat for the first time hears from now on.
	if _, err := s.db.Exec(ctx, `
		INSERT INTO document_notice (person_id, digested_at)
		SELECT DISTINCT t.person_id, $1::timestamptz FROM seat t JOIN person p ON p.id = t.person_id
		WHERE t.period @> $1::timestamptz AND p.state = 'active' AND NOT EXISTS (SELECT FROM document_notice n WHERE n.person_id = t.person_id)
		ON CONFLICT DO NOTHING`, now); err != nil {
		return err
	}
	type reader struct {
		Person     uuid.UUID `db:"person_id"`
		Digest     string    `db:"digest"`
		DigestedAt time.Time `db:"digested_at"`
		TimeZone   string    `db:"time_zone"`
	}
	const batch = 1000
	var after reader
	for {
		// Nobody is due whose last one is younger than most of a day.
		rows, err := postgres.All[reader](ctx, s.db, `
			SELECT n.person_id, n.digest, n.digested_at, p.time_zone FROM document_notice n JOIN person p ON p.id = n.person_id AND p.state = 'active'
			WHERE n.digest <> 'never' AND n.digested_at < $1 AND (n.digested_at, n.person_id) > ($2::timestamptz, $3::uuid)
			ORDER BY n.digested_at, n.person_id LIMIT $4`, now.Add(-20*time.Hour), after.DigestedAt, after.Person, batch)
		if err != nil || len(rows) == 0 {
			return err
		}
		var due []digest
		for _, r := range rows {
			if at := digestDue(r.Digest, now, i18n.Zone(r.TimeZone)); r.DigestedAt.Before(at) {
				due = append(due, digest{r.Person, r.DigestedAt, now})
			}
		}
		if err := s.enqueueDigests(ctx, due); err != nil {
			return err
		}
		after = rows[len(rows)-1]
	}
}

func (s *Service) enqueueDigests(ctx context.Context, due []digest) error {
	work := make([]jobs.Job, len(due))
	for i, d := range due {
		work[i] = d
	}
	return s.enqueue(ctx, work...)
}

// mostNew and mostDue bound what one digest lists.
const (
	mostNew = 30
	mostDue = 20
	dueSoon = 14 * 24 * time.Hour
)

// noted is a document as a letter has it.
type noted struct {
	ID         uuid.UUID `db:"id"`
	Prefix     string    `db:"prefix"`
	Number     *int      `db:"number"`
	Title      string    `db:"title"`
	Type       string    `db:"type"`
	Action     string    `db:"action"`
	DueOn      *string   `db:"due_on"`
	Commission string    `db:"commission_name"`
	Source     *string   `db:"organization_name"`
	Shared     bool      `db:"shared"`
}

const notedColumns = `d.id, coalesce(r.prefix, '') AS prefix, d.number, d.title, d.type, d.action, d.due_on::text AS due_on, c.name AS commission_name, o.name AS organization_name`

// news are the documents that became available in the commissions of the reader
// in that time, or were shared with them, without those they wrote themselves.
func news(ctx context.Context, q postgres.Q, sight access.Sight, since, until time.Time) ([]noted, error) {
	var w postgres.Where
	member, acting := w.Arg(sight.Seated), w.Arg(sight.Acting)
	from, to := w.Arg(since), w.Arg(until)
	person := w.Arg(sight.Person.UUID)
	w.And("d.status = 'available'")
	w.And("d.author_id IS DISTINCT FROM ?", sight.Person.UUID)
	w.And(sight.Document(&w, "d", until))
	return postgres.All[noted](ctx, q, `
		WITH recent AS (
		  SELECT id, false AS shared FROM document WHERE commission_id = ANY(`+member+`::uuid[]) AND status = 'available' AND status_since > `+from+` AND status_since <= `+to+`
		  UNION ALL
		  SELECT document_id, true FROM share WHERE revoked_at IS NULL AND created_at > `+from+` AND created_at <= `+to+`
		    AND (to_commission = ANY(`+member+`::uuid[]) OR to_organization = ANY(`+acting+`::uuid[]) OR to_person = `+person+`))
		SELECT `+notedColumns+`, bool_and(x.shared) AS shared
		FROM recent x JOIN document d ON d.id = x.id `+rowJoins+`
		WHERE `+w.SQL()+` GROUP BY d.id, c.id, r.commission_id, o.id ORDER BY c.name, d.number DESC LIMIT `+w.Arg(keyset.Page{Limit: mostNew}.Fetch()), w.Args()...)
}

// calls are what asks the members of a commission for something soon.
func calls(ctx context.Context, q postgres.Q, sight access.Sight, now time.Time) ([]noted, error) {
	var w postgres.Where
	w.And("d.commission_id = ANY(?::uuid[])", sight.Seated)
	w.And("d.due_on BETWEEN ?::date AND ?::date AND d.action IN ('comment', 'decision') AND d.status = 'available'", now.Format(time.DateOnly), now.Add(dueSoon).Format(time.DateOnly))
	w.And(sight.Document(&w, "d", now))
	return postgres.All[noted](ctx, q, `SELECT `+notedColumns+`, false AS shared FROM document d `+rowJoins+`
		WHERE `+w.SQL()+` ORDER BY d.due_on, d.id LIMIT `+w.Arg(mostDue), w.Args()...)
}

// writeDigest writes the digest of one person, if there is anything to tell. Done
// twice, the second finds that it was done.
func (s *Service) writeDigest(ctx context.Context, j digest) error {
	now := journal.Now(ctx)
	who, err := s.access.ByPerson(ctx, s.db, j.Person, now)
	if err != nil || !who.SignedIn() {
		return err
	}
	sight := access.See(ctx, who)
	sight.All = false // the secretariat reads what concerns it as everybody does
	fresh, err := news(ctx, s.db, sight, j.Since, j.Until)
	if err != nil {
		return err
	}
	due, err := calls(ctx, s.db, sight, now)
	if err != nil {
		return err
	}
	return s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		notice, err := postgres.All[Notice](ctx, tx, `
			UPDATE document_notice SET digested_at = $3 WHERE person_id = $1 AND digested_at = $2 AND digest <> 'never' RETURNING `+noticeColumns, j.Person, j.Since, j.Until)
		if err != nil || len(notice) == 0 || len(fresh)+len(due) == 0 {
			return err
		}
		to := mail.Reader{Person: who.ID, Email: who.Email, Name: who.Name, Language: who.Language, TimeZone: who.TimeZone}
		return s.post.Write(ctx, tx.SQL(), to, "document.digest", "", func(ctx context.Context) mail.Note { return digested(ctx, notice[0], fresh, due) })
	})
}

func digested(ctx context.Context, n Notice, fresh, due []noted) mail.Note {
	note := mail.Note{Button: i18n.T(ctx, "Open your desk"), Path: "/desk", Unsubscribe: unsubscribePath(n.Key, digestLetters),
		Footer: i18n.T(ctx, "You get this once a week, because you take part in commissions. How often is in your profile, under Letters.")}
	if n.Digest == "daily" {
		note.Footer = i18n.T(ctx, "You get this on days with news, because you take part in commissions. How often is in your profile, under Letters.")
	}
	switch {
	case len(fresh) > mostNew:
		fresh = fresh[:mostNew]
		note.Subject = i18n.T(ctx, "More than %d new documents", mostNew)
		note.Paragraphs = []string{i18n.T(ctx, "These are the first %d of them; the registers have all.", mostNew)}
	case len(fresh) > 0:
		note.Subject = i18n.N(ctx, len(fresh), "%d new document", "%d new documents")
	default:
		note.Subject = i18n.N(ctx, len(due), "%d document waits for your comments or decision", "%d documents wait for your comments or decision")
	}
	section := func(title string, list []noted) {
		if len(list) == 0 {
			return
		}
		items := make([]mail.Item, len(list))
		for i, d := range list {
			note.Needs = append(note.Needs, mail.ToRead(d.ID)...)
			items[i] = mail.Item{Title: d.heading(), Path: Document{ID: d.ID, Prefix: d.Prefix, Number: d.Number}.Path(), Line: d.line(ctx)}
		}
		note.Sections = append(note.Sections, mail.Section{Title: title, Items: items})
	}
	section(i18n.T(ctx, "Asked of you"), due)
	section(i18n.T(ctx, "New documents"), fresh)
	return note
}

func (d noted) heading() string { return Reference(d.Prefix, d.Number) + " " + subject(d.Title) }

// line says where a document is from and what it asks.
func (d noted) line(ctx context.Context) string {
	line := d.Commission
	if d.Source != nil {
		line = i18n.T(ctx, "%s, from %s", d.Commission, *d.Source)
	}
	if d.Shared {
		line = i18n.T(ctx, "%s, shared with you", line)
	}
	if d.DueOn == nil || d.Action == "none" {
		return line
	}
	return i18n.T(ctx, "%s: %s by %s", line, actionWords[d.Action], dayOf(ctx, *d.DueOn))
}

// actionWords are the actions inside a sentence.
var actionWords = map[string]i18n.Key{"information": "for information", "comment": "for comment", "decision": "for decision"}

// dayOf is a calendar day in the reader's language.
func dayOf(ctx context.Context, day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return i18n.Day(ctx, t)
}
