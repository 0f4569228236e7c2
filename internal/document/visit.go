package document

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
)

// Kinds of reading a document.
const (
	Viewed     = "view"     // its page was opened
	Previewed  = "preview"  // a version was looked at without downloading it
	Downloaded = "download" // a version, or a part of it
)

const (
	// oneView is how long what one person opens again counts as opened once.
	oneView = 10 * time.Minute
	// oneDownload is how long requests for parts of a file count as one download.
	oneDownload = time.Hour
)

// visit is that somebody read a document, as it is noted for the trace.
type visit struct {
	ID       uuid.UUID  `json:"id"`
	Document uuid.UUID  `json:"document_id"`
	Kind     string     `json:"kind"`
	Number   *int       `json:"number"`
	Language *string    `json:"language"`
	Person   *uuid.UUID `json:"person_id"` // nil for a visitor
	At       time.Time  `json:"at"`
	Since    *time.Time `json:"since"`   // it is noted unless the same was after then
	Shared   bool       `json:"shared"`  // they may read it by a share alone
	Link     *uuid.UUID `json:"link_id"` // the share whose link they came by, whoever they are
}

// visit is that who reads d now. object is what it takes the right to: "document",
// or "file" for a download.
func (s *Service) visit(ctx context.Context, who access.Actor, d Document, kind, object string) visit {
	r := visit{ID: uuid.Must(uuid.NewV7()), Document: d.ID, Kind: kind, At: journal.Now(ctx)}
	if who.SignedIn() {
		r.Person = &who.ID
	}
	if d.Shared > 0 {
		without := d
		without.Shared = 0
		r.Shared = !s.access.May(who, without.Scope(), object, d.Reading())
	}
	return r
}

// NoteView notes that somebody opened the page of a document, once in ten minutes;
// what its author opens is not noted. It does not wait: see Record.
func (s *Service) NoteView(ctx context.Context, who access.Actor, d Document) {
	if journal.Peeks(ctx) {
		return
	}
	r := s.visit(ctx, who, d, Viewed, "document")
	if d.Versions > 0 {
		r.Number, r.Language = &d.Versions, &d.Language
	}
	s.visits.note(r, d)
}

// NotePreview notes that somebody looked at a version of a document, in the way of
// NoteView.
func (s *Service) NotePreview(ctx context.Context, who access.Actor, d Document, v Version) {
	if journal.Peeks(ctx) {
		return
	}
	r := s.visit(ctx, who, d, Previewed, "document")
	r.Number, r.Language = &v.Number, &v.Language
	s.visits.note(r, d)
}

// noteLinkPreview notes that somebody looked at a version by a link, each time. By
// whom is not asked.
func (s *Service) noteLinkPreview(ctx context.Context, o Opened, v Version) {
	if journal.Peeks(ctx) {
		return
	}
	s.visits.note(visit{ID: uuid.Must(uuid.NewV7()), Document: o.ID, Kind: Previewed, Number: &v.Number, Language: &v.Language, At: journal.Now(ctx), Link: &o.Share}, o.Document)
}

// NoteDownload writes down who downloaded what: part of the trace. part says that
// only a part was asked for, which is noted unless it goes on with a download of
// the last hour. Reading changes no state, so it is not in the journal.
func (s *Service) NoteDownload(ctx context.Context, who access.Actor, d Document, v Version, part bool) error {
	r := s.visit(ctx, who, d, Downloaded, "file")
	r.Number, r.Language = &v.Number, &v.Language
	if part {
		since := r.At.Add(-oneDownload)
		r.Since = &since
	}
	return s.writeVisits(ctx, []visit{r})
}

// writeVisits notes what was read, with the organization that the reader acts
// for in the commission, or that the share is with, and the share that let them.
func (s *Service) writeVisits(ctx context.Context, list []visit) error {
	rows, err := json.Marshal(list)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `
		INSERT INTO document_access (id, document_id, kind, number, language, person_id, organization_id, share_id, at)
		SELECT x.id, x.document_id, x.kind, x.number, x.language, x.person_id,
		       coalesce((SELECT t.organization_id FROM seat t WHERE t.person_id = x.person_id AND t.commission_id = d.commission_id AND t.period @> x.at AND NOT t.suspended
		                 ORDER BY t.rank LIMIT 1), g.to_organization), coalesce(g.id, x.link_id), x.at
		FROM json_to_recordset($1) x (id uuid, document_id uuid, kind text, number int, language text, person_id uuid, at timestamptz, since timestamptz, shared boolean, link_id uuid)
		JOIN document d ON d.id = x.document_id
		LEFT JOIN LATERAL (
		  SELECT h.id, h.to_organization FROM share h
		  WHERE h.document_id = x.document_id AND h.created_at <= x.at AND coalesce(h.revoked_at, 'infinity') > x.at AND coalesce(h.expires_at, 'infinity') > x.at
		    AND (x.kind <> 'download' OR h.level = 'download')
		    AND (h.to_person = x.person_id
		         OR EXISTS (SELECT FROM seat t WHERE t.person_id = x.person_id AND t.commission_id = h.to_commission AND t.period @> x.at AND NOT t.suspended)
		         OR EXISTS (SELECT FROM commission c WHERE c.id = h.to_commission AND c.convener_id = x.person_id AND c.state IN ('proposed', 'forming'))
		         OR EXISTS (SELECT FROM affiliation f JOIN organization o ON o.id = f.organization_id
		                    WHERE f.person_id = x.person_id AND f.organization_id = h.to_organization AND f.period @> x.at AND f.state = 'confirmed' AND o.state IN ('member', 'pending')))
		  ORDER BY h.level, h.id LIMIT 1) g ON x.shared
		WHERE NOT EXISTS (
		  SELECT FROM document_access p WHERE p.document_id = x.document_id AND p.at > x.since AND p.kind = x.kind AND p.number IS NOT DISTINCT FROM x.number
		    AND p.language IS NOT DISTINCT FROM x.language AND p.person_id IS NOT DISTINCT FROM x.person_id)
		ORDER BY x.at, x.id`, string(rows))
	return err
}

const (
	mostVisits   = 4096                   // that wait to be written
	mostAtOnce   = 200                    // that one statement writes
	writtenEvery = 250 * time.Millisecond // after the first that waits
)

// visits are those that wait to be written, so that no page waits for it.
type visits struct {
	waiting chan visit
	flush   chan chan error
	dropped atomic.Int64
}

func newVisits() *visits {
	return &visits{waiting: make(chan visit, mostVisits), flush: make(chan chan error)}
}

// note keeps a view or a preview to be written. Of what its author reads there is
// no need; where too many wait, it is counted and forgotten.
func (q *visits) note(r visit, d Document) {
	if d.AuthorID != nil && r.Person != nil && *d.AuthorID == *r.Person {
		return
	}
	if r.Person != nil {
		since := r.At.Add(-oneView)
		r.Since = &since
	}
	select {
	case q.waiting <- r:
	default:
		q.dropped.Add(1)
	}
}

// Dropped is how many views and previews could not be noted since the start.
func (s *Service) Dropped() int64 { return s.visits.dropped.Load() }

// Record writes down what NoteView and NotePreview noted, in batches, until ctx
// ends, and then what is left.
func (s *Service) Record(ctx context.Context, log *slog.Logger) {
	q := s.visits
	b := batch{seen: map[string]bool{}}
	write := func() error {
		due := b.take()
		if len(due) == 0 {
			return nil
		}
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err := s.writeVisits(within, due)
		if err != nil {
			q.dropped.Add(int64(len(due)))
			log.LogAttrs(ctx, slog.LevelError, "views could not be noted", slog.Int("number", len(due)), slog.Any("error", err))
		}
		return err
	}
	all := func() (err error) {
		for {
			select {
			case r := <-q.waiting:
				if b.add(r); len(b.list) < mostAtOnce {
					continue
				}
			default:
				if len(b.list) == 0 {
					return err
				}
			}
			if e := write(); e != nil {
				err = e
			}
		}
	}
	var due <-chan time.Time
	for {
		select {
		case r := <-q.waiting:
			if b.add(r); due == nil {
				due = time.After(writtenEvery)
			}
			if len(b.list) < mostAtOnce {
				continue
			}
			_ = write() // it has been logged
		case <-due:
			_ = write() // it has been logged
		case done := <-q.flush:
			done <- all()
		case <-ctx.Done():
			_ = all() // it has been logged
			return
		}
		due = nil
	}
}

// Flush waits until all that has been noted so far is written.
func (s *Service) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case s.visits.flush <- done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return <-done
}

// batch are visits that one statement writes, the same of one person once: they
// do not see each other in the database.
type batch struct {
	list []visit
	seen map[string]bool
}

func (b *batch) add(r visit) {
	if r.Since != nil && r.Person != nil {
		key := r.Kind + r.Document.String() + r.Person.String()
		if r.Number != nil {
			key += Reference(*r.Language, r.Number)
		}
		if b.seen[key] {
			return
		}
		b.seen[key] = true
	}
	b.list = append(b.list, r)
}

func (b *batch) take() []visit {
	list := b.list
	b.list = nil
	clear(b.seen)
	return list
}
