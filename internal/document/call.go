package document

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
)

// A call is a letter to the members of a commission that a document asks them
// for something by a day.

// remindDays is how many days before that day they are reminded.
const remindDays = 2

// calling reports whether a document calls its readers.
func (d Document) calling() bool {
	return d.Status == Available && d.DueOn != nil && (d.Action == "comment" || d.Action == "decision")
}

// call is the job that tells members what a document asks of them.
type call struct {
	Document uuid.UUID `json:"document"`
}

func (call) Kind() string { return "document.call" }

// callMembers has the members told, after the change, if the document calls them.
func (s *Service) callMembers(ctx context.Context, tx *journal.Tx, d Document) error {
	if !d.calling() {
		return nil
	}
	return s.queue.Enqueue(ctx, tx.SQL(), call{d.ID})
}

func (s *Service) tellCall(ctx context.Context, j call) error {
	return s.writeCalls(ctx, "call", []uuid.UUID{j.Document})
}

// remindBatch is how many documents one transaction reminds of.
const remindBatch = 100

// Remind reminds the members of what is due in two days, if they heard of it a day
// ago or longer. A letter is written once, however often this runs.
func (s *Service) Remind(ctx context.Context) error {
	now := journal.Now(ctx).UTC()
	for {
		due, err := postgres.All[uuid.UUID](ctx, s.db, `
			SELECT d.id FROM document d JOIN document_call x ON x.document_id = d.id AND x.due_on = d.due_on AND x.kind = 'call' AND x.at <= $3
			WHERE d.due_on BETWEEN $1::date AND $2::date AND d.action IN ('comment', 'decision') AND d.status = 'available'
			  AND NOT EXISTS (SELECT FROM document_call y WHERE y.document_id = d.id AND y.due_on = d.due_on AND y.kind = 'reminder')
			ORDER BY d.due_on, d.id LIMIT $4`,
			now.Format(time.DateOnly), now.AddDate(0, 0, remindDays).Format(time.DateOnly), now.AddDate(0, 0, -1), remindBatch)
		if err != nil || len(due) == 0 {
			return err
		}
		if err := s.writeCalls(ctx, "reminder", due); err != nil {
			return err
		}
	}
}

// called is a letter to be written.
type called struct {
	mail.Reader
	noted
	Key string `db:"key"`
}

// mostCalled bounds the letters about one document.
const mostCalled = 5000

// writeCalls writes the letters of a kind about documents that are due, to the
// members who may read each and want to hear it.
func (s *Service) writeCalls(ctx context.Context, kind string, documents []uuid.UUID) error {
	now := journal.Now(ctx)
	return s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		fresh, err := postgres.All[uuid.UUID](ctx, tx, `
			INSERT INTO document_call (document_id, due_on, kind, at)
			SELECT id, due_on, $2, $4 FROM document WHERE id = ANY($1::uuid[]) AND due_on >= $3::date AND action IN ('comment', 'decision') AND status = 'available'
			ON CONFLICT DO NOTHING RETURNING document_id`, postgres.IDs(documents), kind, now.UTC().Format(time.DateOnly), now)
		if err != nil || len(fresh) == 0 {
			return err
		}
		var members []uuid.UUID
		if members, err = postgres.All[uuid.UUID](ctx, tx, `
			SELECT DISTINCT t.person_id FROM seat t JOIN document d ON d.commission_id = t.commission_id WHERE d.id = ANY($1::uuid[]) AND t.period @> $2::timestamptz LIMIT $3`,
			postgres.IDs(fresh), now, mostCalled*len(fresh)); err != nil {
			return err
		}
		if err := openNotices(ctx, tx, members, now); err != nil {
			return err
		}
		open, err := s.openTo(ctx, tx, fresh)
		if err != nil {
			return err
		}
		to, err := postgres.All[called](ctx, tx, callReaders, postgres.IDs(fresh), now, mostCalled*len(fresh), open)
		if err != nil {
			return err
		}
		letters := make([]mail.Message, len(to))
		for i, c := range to {
			if letters[i], err = s.post.Compose(ctx, c.Reader, "document.due", Document{ID: c.ID, Prefix: c.Prefix, Number: c.Number}.Path(), func(ctx context.Context) mail.Note {
				return asked(ctx, c, kind)
			}); err != nil {
				return err
			}
		}
		if len(letters) == 0 {
			return nil
		}
		return s.post.Enqueue(ctx, tx.SQL(), letters...)
	})
}

// openTo are, for each document, the roles of its commission by whose rules it may
// be read, in one text.
func (s *Service) openTo(ctx context.Context, q postgres.Q, documents []uuid.UUID) (pq.StringArray, error) {
	rows, err := postgres.All[struct {
		ID         uuid.UUID `db:"id"`
		Commission uuid.UUID `db:"commission_id"`
		Visibility string    `db:"visibility"`
	}](ctx, q, `SELECT id, commission_id, visibility FROM document WHERE id = ANY($1::uuid[])`, postgres.IDs(documents))
	if err != nil {
		return nil, err
	}
	open, shapes := make(pq.StringArray, len(documents)), map[uuid.UUID]*access.Shape{}
	for _, r := range rows {
		shape, ok := shapes[r.Commission]
		if !ok {
			if shape, err = s.access.Shape(ctx, q, r.Commission); err != nil {
				return nil, err
			}
			shapes[r.Commission] = shape
		}
		open[slices.Index(documents, r.ID)] = strings.Join(s.access.Holders(shape, "document", "read:"+r.Visibility), " ")
	}
	return open, nil
}

// callReaders are the members of a commission who may read a document of its
// register, as access.Sight.Document has it (but for the secretariat, which hears as
// everybody does), and want to hear what it asks.
var callReaders = `
	WITH acting AS NOT MATERIALIZED (SELECT f.person_id, f.organization_id, f.representative FROM affiliation f JOIN organization s ON s.id = f.organization_id AND s.state IN ('member', 'pending')
	                WHERE f.state = 'confirmed' AND f.period @> $2::timestamptz)
	SELECT p.id AS person_id, p.email, p.name AS person_name, p.language, p.time_zone, n.key, ` + notedColumns + `, false AS shared
	FROM unnest($1::uuid[], $4::text[]) AS x (id, roles) JOIN document d ON d.id = x.id ` + rowJoins + `
	CROSS JOIN LATERAL (SELECT t.person_id, bool_or(t.role = ANY(string_to_array(x.roles, ' ')) OR EXISTS (
	                      SELECT FROM commission_role_holder h WHERE h.seat_id = t.id AND h.person_id = t.person_id AND h.slot = ANY(string_to_array(x.roles, ' '))
	                        AND h.commission_id = d.commission_id)) AS reads
	                    FROM seat t WHERE t.commission_id = d.commission_id AND t.period @> $2::timestamptz AND NOT t.suspended GROUP BY t.person_id) m
	JOIN person p ON p.id = m.person_id AND p.state = 'active'
	JOIN document_notice n ON n.person_id = p.id AND n.due
	WHERE p.id IS DISTINCT FROM d.author_id AND NOT ` + access.Resting("p.id", "$2::timestamptz") + `
	  AND (m.reads
	    OR EXISTS (SELECT FROM acting f WHERE f.person_id = p.id AND f.organization_id = d.organization_id AND (d.visibility <> 'named' OR f.representative))
	    OR EXISTS (SELECT FROM share h WHERE h.document_id = d.id AND h.revoked_at IS NULL AND coalesce(h.expires_at, 'infinity') > $2::timestamptz
	         AND (h.to_person = p.id
	           OR EXISTS (SELECT FROM acting f WHERE f.person_id = p.id AND f.organization_id = h.to_organization)
	           OR EXISTS (SELECT FROM seat t WHERE t.person_id = p.id AND t.commission_id = h.to_commission AND t.period @> $2::timestamptz AND NOT t.suspended)
	           OR EXISTS (SELECT FROM commission v WHERE v.id = h.to_commission AND v.convener_id = p.id AND v.state IN ('proposed', 'forming')))))
	ORDER BY d.id, p.id LIMIT $3`

func asked(ctx context.Context, c called, kind string) mail.Note {
	ref, day := Reference(c.Prefix, c.Number), dayOf(ctx, *c.DueOn)
	n := mail.Note{Subject: subject(i18n.T(ctx, "%s asks for comments by %s", ref, day)), Button: i18n.T(ctx, "Open the document"),
		Paragraphs: []string{i18n.T(ctx, "“%s” in the register of %s asks for your comments by %s.", c.Title, c.Commission, day)},
		Path:       Document{ID: c.ID, Prefix: c.Prefix, Number: c.Number}.Path(), Unsubscribe: unsubscribePath(c.Key, dueLetters),
		Footer: i18n.T(ctx, "You get this because you have a seat in %s.", c.Commission), Needs: mail.ToRead(c.ID)}
	if c.Action == "decision" {
		n.Subject = subject(i18n.T(ctx, "%s asks for a decision by %s", ref, day))
		n.Paragraphs = []string{i18n.T(ctx, "“%s” in the register of %s asks for your decision by %s.", c.Title, c.Commission, day)}
	}
	if kind == "reminder" {
		n.Subject = subject(i18n.T(ctx, "Reminder: %s", n.Subject))
	}
	return n
}
