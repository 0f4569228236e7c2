package document

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

const columns = `d.id, d.commission_id, c.slug AS commission_slug, c.name AS commission_name, coalesce(r.prefix, '') AS prefix, coalesce(r.names_shown, false) AS names_shown, d.number, d.title, d.type,
	d.organization_id, o.slug AS organization_slug, o.name AS organization_name, d.author_id, a.name AS author_name,
	d.status, d.status_since, d.status_reason, coalesce(d.before_withdrawal, '') AS before_withdrawal, d.review, d.review_reason, d.submitted_at, d.late, d.action, d.due_on::text AS due_on,
	d.replaced_by, CASE WHEN n.number IS NOT NULL THEN nr.prefix || '-N' || lpad(n.number::text, greatest(4, length(n.number::text)), '0') END AS successor,
	d.language, d.languages, d.versions, d.keywords, d.summary, d.visibility, d.license, d.published_at, d.version, d.created_at, d.updated_at`

const from = `FROM document d
	JOIN commission c ON c.id = d.commission_id
	LEFT JOIN register r ON r.commission_id = d.commission_id
	LEFT JOIN organization o ON o.id = d.organization_id
	LEFT JOIN person a ON a.id = d.author_id
	LEFT JOIN document n ON n.id = d.replaced_by
	LEFT JOIN register nr ON nr.commission_id = n.commission_id`

// byName reads a document by its reference or its id, with what shares give who
// asks. What is neither is not there.
func byName(ctx context.Context, q postgres.Q, sight access.Sight, name string, now time.Time) (Document, error) {
	var w postgres.Where
	if prefix, number, ok := ParseReference(name); ok {
		w.And("r.prefix = ? AND d.number = ?", prefix, number)
	} else if id, err := uuid.Parse(name); err == nil {
		w.And("d.id = ?", id)
	} else {
		return Document{}, access.ErrNotFound
	}
	return postgres.One[Document](ctx, q, access.ErrNotFound, `SELECT `+columns+`, `+sight.Shared(&w, "d", now)+` AS shared `+from+` WHERE `+w.SQL(), w.Args()...)
}

// lock reads a document inside a change, locked until its end.
func lock(ctx context.Context, q postgres.Q, id uuid.UUID) (Document, error) {
	return postgres.One[Document](ctx, q, access.ErrNotFound, `SELECT `+columns+`, 0 AS shared `+from+` WHERE d.id = $1 FOR UPDATE OF d`, id)
}

// insertDocument writes a new one.
func insertDocument(ctx context.Context, q postgres.Q, d Document) error {
	_, err := q.Exec(ctx, `
		INSERT INTO document (id, commission_id, number, title, type, organization_id, author_id, status, status_since, review, submitted_at, late,
		                      action, due_on, language, languages, versions, keywords, summary, visibility, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::date, $15, $16, $17, $18, $19, $20, $21, $21)`,
		d.ID, d.CommissionID, d.Number, d.Title, d.Type, d.OrganizationID, d.AuthorID, d.Status, d.StatusSince, d.Review, d.SubmittedAt, d.Late,
		d.Action, d.DueOn, d.Language, texts(d.Languages), d.Versions, texts(d.Keywords), d.Summary, d.Visibility, d.CreatedAt)
	return err
}

// texts is an array that is empty and not null.
func texts(list pq.StringArray) pq.StringArray {
	if list == nil {
		return pq.StringArray{}
	}
	return list
}

// errStale is the answer to a change made from a version that is not the current one.
var errStale = problem.New(problem.Stale, "Somebody changed this meanwhile. Look at it again, and make your change once more.")

// setDescription writes what is said of a document.
func setDescription(ctx context.Context, q postgres.Q, d Document, now time.Time) error {
	return postgres.ExecOne(ctx, q, errStale, `
		UPDATE document SET title = $3, type = $4, organization_id = $5, action = $6, due_on = $7::date, language = $8, keywords = $9, summary = $10,
		       visibility = $11, published_at = CASE WHEN $11 = 'public' THEN published_at END, updated_at = $12, version = version + 1
		WHERE id = $1 AND version = $2`,
		d.ID, d.Version, d.Title, d.Type, d.OrganizationID, d.Action, d.DueOn, d.Language, texts(d.Keywords), d.Summary, d.Visibility, now)
}

// setStatus writes a step of a document; was is the version it was decided on.
func setStatus(ctx context.Context, q postgres.Q, d Document, was Document, now time.Time) error {
	var before *string
	if d.Status == Withdrawn {
		before = &was.Status
	}
	return postgres.ExecOne(ctx, q, errStale, `
		UPDATE document SET number = $3, status = $4, status_since = $5, status_reason = $6, review = $7, review_reason = $8, submitted_at = $9, late = $10,
		       replaced_by = $11, before_withdrawal = $12, updated_at = $13, version = version + 1
		WHERE id = $1 AND version = $2`,
		d.ID, was.Version, d.Number, d.Status, d.StatusSince, d.StatusReason, d.Review, d.ReviewReason, d.SubmittedAt, d.Late, d.ReplacedBy, before, now)
}

// deleteDraft deletes a document without a number, and takes its bytes off the
// register.
func deleteDraft(ctx context.Context, q postgres.Q, d Document, r Register) error {
	if _, err := q.Exec(ctx, `UPDATE register SET used = used - (SELECT coalesce(sum(size), 0) FROM document_version WHERE document_id = $2) WHERE commission_id = $1`, r.CommissionID, d.ID); err != nil {
		return err
	}
	return postgres.ExecOne(ctx, q, errStale, `DELETE FROM document WHERE id = $1 AND version = $2 AND number IS NULL`, d.ID, d.Version)
}

// Register is a commission's document register: its counter and its settings.
type Register struct {
	CommissionID uuid.UUID  `db:"commission_id" json:"-"`
	Prefix       string     `db:"prefix" json:"prefix" doc:"Stands before its numbers."`
	Last         int        `db:"last_number" json:"last_number"`
	Review       bool       `db:"review" json:"review" doc:"What members submit goes to the officers first."`
	Visibility   string     `db:"visibility" json:"visibility" doc:"Of a new document, unless its author says otherwise."`
	Deadline     *time.Time `db:"deadline" json:"deadline,omitempty" doc:"The instant that follows the last day; contributions from then on are marked late."`
	NamesShown   bool       `db:"names_shown" json:"names_shown" doc:"The trace names readers to all who see the document."`
	Quota        int64      `db:"quota" json:"quota" doc:"Bytes that all versions may take together."`
	Used         int64      `db:"used" json:"used"`
	Version      int        `db:"version" json:"version"`
}

// openRegisters makes the registers of commissions c that have none; a condition on c
// and ON CONFLICT DO NOTHING follow. The prefix is the acronym, or the first of
// ACRONYM-2, ACRONYM-3 … that is free, where another commission had the acronym
// before. Any conflict is passed over, not that of the commission alone: two that
// open one register at once may meet at its prefix first, and two commissions that
// come to one prefix take turns: whoever finds no register afterwards tries again.
const openRegisters = `
	INSERT INTO register (commission_id, prefix)
	SELECT c.id, (SELECT p FROM (SELECT c.acronym AS p, 1 AS n UNION ALL SELECT c.acronym || '-' || n, n FROM generate_series(2, 99) n) x
	              WHERE NOT EXISTS (SELECT FROM register WHERE prefix = p) ORDER BY n LIMIT 1)
	FROM commission c WHERE NOT EXISTS (SELECT FROM register r WHERE r.commission_id = c.id) AND `

// mostPrefixes is how many rounds registers get to find a prefix.
const mostPrefixes = 5

// lockRegister locks the register, which it opens if it is not there yet, until the
// change ends: numbers have neither gaps nor doubles because everybody who takes
// one waits here.
func lockRegister(ctx context.Context, q postgres.Q, commission uuid.UUID) (Register, error) {
	for range mostPrefixes {
		there, err := postgres.All[Register](ctx, q, `
			SELECT commission_id, prefix, last_number, review, visibility, deadline, names_shown, quota, used, version FROM register WHERE commission_id = $1 FOR UPDATE`, commission)
		if err != nil {
			return Register{}, err
		}
		if len(there) > 0 {
			return there[0], nil
		}
		if _, err := q.Exec(ctx, openRegisters+`c.id = $1 ON CONFLICT DO NOTHING`, commission); err != nil {
			return Register{}, err
		}
	}
	return Register{}, problem.New(problem.Conflict, "Other registers are being opened at this moment. Try again.")
}

// take counts the register up to a number that has been given.
func (r Register) take(ctx context.Context, q postgres.Q, number int) error {
	return postgres.ExecOne(ctx, q, errStale, `UPDATE register SET last_number = $2 WHERE commission_id = $1 AND last_number = $2 - 1`, r.CommissionID, number)
}

// Home is the commission of a register, as its pages need it, and the register: what
// that would be, where it has not been made yet.
type Home struct {
	ID       uuid.UUID `db:"id"`
	Slug     string    `db:"slug"`
	Acronym  string    `db:"acronym"`
	Name     string    `db:"name"`
	Kind     string    `db:"kind"`
	State    string    `db:"state"`
	Register Register  `db:"register"`
}

// Scope is the scope that access decides about the register in.
func (h Home) Scope() access.Scope { return access.Commission(h.ID) }

// Path is the address of the commission's page.
func (h Home) Path() string { return "/commissions/" + h.Slug }

// Takes reports whether documents may still come into the register: Conflict if not.
func (h Home) Takes() error {
	if h.State == "concluded" || h.State == "abandoned" {
		return problem.New(problem.Conflict, "%s has ended: its register takes no more documents.", h.Name)
	}
	return nil
}

func homeBySlug(ctx context.Context, q postgres.Q, slug string) (Home, error) {
	return postgres.One[Home](ctx, q, access.ErrNotFound, `
		SELECT c.id, c.slug, c.acronym, c.name, c.kind, c.state, c.id AS "register.commission_id", coalesce(r.prefix, c.acronym) AS "register.prefix",
		       coalesce(r.last_number, 0) AS "register.last_number", coalesce(r.review, true) AS "register.review", coalesce(r.visibility, 'commission') AS "register.visibility",
		       r.deadline AS "register.deadline", coalesce(r.names_shown, false) AS "register.names_shown", coalesce(r.quota, $2) AS "register.quota",
		       coalesce(r.used, 0) AS "register.used", coalesce(r.version, 1) AS "register.version"
		FROM commission c LEFT JOIN register r ON r.commission_id = c.id WHERE c.slug = $1`, slug, defaultQuota)
}

// defaultQuota is what the schema gives a new register: 100 GiB.
const defaultQuota = 100 << 30

// lockHome reads the commission inside a change; it does not end meanwhile.
func lockHome(ctx context.Context, q postgres.Q, id uuid.UUID) (Home, error) {
	return postgres.One[Home](ctx, q, access.ErrNotFound, `SELECT id, slug, acronym, name, state FROM commission WHERE id = $1 FOR SHARE`, id)
}

// Source is an organization that a person may submit for.
type Source struct {
	ID   uuid.UUID `db:"id"`
	Slug string    `db:"slug"`
	Name string    `db:"name"`
}

// sources are the organizations that a person acts for now and that take part in
// the commission, for a form.
func sources(ctx context.Context, q postgres.Q, person, commission uuid.UUID, now time.Time) ([]Source, error) {
	return postgres.All[Source](ctx, q, `
		SELECT o.id, o.slug, o.name FROM affiliation f JOIN organization o ON o.id = f.organization_id
		WHERE f.person_id = $1 AND f.period @> $3::timestamptz AND f.state = 'confirmed' AND o.state = 'member'
		  AND EXISTS (SELECT FROM participation p WHERE p.organization_id = o.id AND p.commission_id = $2 AND p.period @> $3::timestamptz)
		ORDER BY o.name, o.id LIMIT 100`, person, commission, now)
}

// sourceFor reads the organization a person submits for, locked with what makes
// it one; an officer may name any member of the convention.
func sourceFor(ctx context.Context, q postgres.Q, person, commission uuid.UUID, slug string, officer bool, now time.Time) (Source, error) {
	if officer {
		return postgres.One[Source](ctx, q, problem.Field("organization", "There is no member organization of this name."), `
			SELECT id, slug, name FROM organization WHERE slug = $1 AND state = 'member' FOR SHARE`, slug)
	}
	return postgres.One[Source](ctx, q, problem.Field("organization", "Choose an organization that you act for and that takes part in this commission."), `
		SELECT o.id, o.slug, o.name FROM affiliation f JOIN organization o ON o.id = f.organization_id
		JOIN participation p ON p.organization_id = o.id AND p.commission_id = $3
		WHERE o.slug = $1 AND f.person_id = $2 AND f.period @> $4::timestamptz AND f.state = 'confirmed' AND o.state = 'member' AND p.period @> $4::timestamptz
		FOR SHARE OF f, o, p`, slug, person, commission, now)
}

// officersOf are the officers of a commission, and the convener as long as it is
// forming.
func officersOf(ctx context.Context, q postgres.Q, commission uuid.UUID, now time.Time) ([]mail.Reader, error) {
	return readersWith(ctx, q, commission, pq.StringArray{"chair", "vice_chair", "secretary", "convener"}, now)
}

// deciders are who decides on what is submitted, as the rules of the commission
// have it: by default the officers; the convener, who sees it, hears of it too.
func (s *Service) deciders(ctx context.Context, q postgres.Q, commission uuid.UUID, now time.Time) ([]mail.Reader, error) {
	shape, err := s.access.Shape(ctx, q, commission)
	if err != nil {
		return nil, err
	}
	return readersWith(ctx, q, commission, append(s.access.Holders(shape, "document", "accept"), "convener"), now)
}

// readersWith are the persons who hold one of the roles in a commission.
func readersWith(ctx context.Context, q postgres.Q, commission uuid.UUID, roles pq.StringArray, now time.Time) ([]mail.Reader, error) {
	return postgres.All[mail.Reader](ctx, q, `SELECT p.id AS person_id, p.email, p.name AS person_name, p.language, p.time_zone
		FROM person p WHERE p.state = 'active' AND p.id IN (`+access.Holding+`) ORDER BY p.id LIMIT 50`, commission, roles, now)
}

// readerOf is a person as letters are written to them; none if the account is suspended.
func readerOf(ctx context.Context, q postgres.Q, person uuid.UUID) ([]mail.Reader, error) {
	return postgres.All[mail.Reader](ctx, q, `SELECT id AS person_id, email, name AS person_name, language, time_zone FROM person WHERE id = $1 AND state = 'active'`, person)
}

// leadsTo reports whether following replaced_by from one document comes to another.
func leadsTo(ctx context.Context, q postgres.Q, from, to uuid.UUID) (bool, error) {
	return postgres.One[bool](ctx, q, nil, `
		WITH RECURSIVE chain (id) AS (SELECT $1::uuid UNION SELECT d.replaced_by FROM chain JOIN document d ON d.id = chain.id WHERE d.replaced_by IS NOT NULL)
		SELECT EXISTS (SELECT FROM chain WHERE id = $2)`, from, to)
}
