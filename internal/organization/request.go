package organization

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Request asks for an organization's place in a commission, or for another
// level; the commission's officers decide, unless everybody may join.
type Request struct {
	ID               uuid.UUID  `db:"id" json:"id"`
	OrganizationID   uuid.UUID  `db:"organization_id" json:"-"`
	Organization     string     `db:"organization_slug" json:"organization" doc:"Slug."`
	OrganizationName string     `db:"organization_name" json:"organization_name"`
	Commission       string     `db:"commission_slug" json:"commission" doc:"Slug."`
	CommissionName   string     `db:"commission_name" json:"commission_name"`
	Level            string     `db:"level" json:"level" enum:"P,O,L"`
	Message          string     `db:"message" json:"message"`
	RequestedBy      *uuid.UUID `db:"requested_by" json:"-"`
	Requester        *string    `db:"requester" json:"requested_by,omitempty"`
	State            string     `db:"state" json:"state" enum:"pending,granted,declined,withdrawn"`
	Reason           string     `db:"reason" json:"reason,omitempty"`
	CreatedAt        time.Time  `db:"created_at" json:"created_at"`
	DecidedAt        *time.Time `db:"decided_at" json:"decided_at,omitempty"`
}

const requestSelect = `SELECT r.id, r.organization_id, o.slug AS organization_slug, o.name AS organization_name, c.slug AS commission_slug, c.name AS commission_name,
	r.level, r.message, r.requested_by, p.name AS requester, r.state, r.reason, r.created_at, r.decided_at
	FROM participation_request r JOIN organization o ON o.id = r.organization_id JOIN commission c ON c.id = r.commission_id LEFT JOIN person p ON p.id = r.requested_by `

func requestByID(ctx context.Context, q postgres.Q, commission, id uuid.UUID) (Request, error) {
	return postgres.One[Request](ctx, q, access.ErrNotFound, requestSelect+`WHERE r.commission_id = $1 AND r.id = $2`, commission, id)
}

// RequestParticipation asks for a level in a commission for an organization that
// the actor represents. Where the join mode is open it is granted at once.
func (s *Service) RequestParticipation(ctx context.Context, who access.Actor, commission, organization, level, message string) (Request, error) {
	c, err := s.mayParticipations(ctx, who, commission, &ParticipationFilter{})
	if err != nil {
		return Request{}, err
	}
	o, err := s.Show(ctx, who, organization)
	if problem.Of(err, problem.NotFound) {
		return Request{}, problem.Field("organization", "Choose one of your organizations.")
	}
	if err != nil {
		return Request{}, err
	}
	if err := o.active(); err != nil { // nobody represents one that is suspended
		return Request{}, err
	}
	permit, err := s.access.Require(ctx, who, o.Scope(), "participation", "request")
	if err != nil {
		return Request{}, err
	}
	var f problem.Fields
	check.OneOf(&f, "level", level, Levels...)
	check.Text(&f, "message", &message, 0, 2000)
	if err := f.Err(); err != nil {
		return Request{}, err
	}
	id := uuid.Must(uuid.NewV7())
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		o, err := LockMember(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if c, err = lockCommission(ctx, tx, c.ID); err != nil {
			return err
		}
		if err := c.takes(); err != nil {
			return err
		}
		if now, err := participation(ctx, tx, c.ID, o.Slug, tx.Now); err == nil && now.Level == level {
			return problem.New(problem.Conflict, "%s has this level already.", o.Name)
		} else if err != nil && !problem.Of(err, problem.NotFound) {
			return err
		}
		state, decided := "pending", (*time.Time)(nil)
		switch c.JoinMode {
		case "open":
			state, decided = "granted", &tx.Now
		case "closed":
			return problem.New(problem.Conflict, "%s takes no new organizations at present.", c.Name)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO participation_request (id, organization_id, commission_id, level, message, requested_by, state, decided_at, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, id, o.ID, c.ID, level, message, who.ID, state, decided, tx.Now); err != nil {
			if postgres.Constraint(err) == "participation_request_once" {
				return problem.New(problem.Conflict, "%s has asked already; the officers will decide.", o.Name)
			}
			return err
		}
		if state == "granted" {
			if err := s.place(ctx, tx, c, o.ID, level, nil); err != nil {
				return err
			}
			return s.tellOfficers(ctx, tx, c, o, "participation.joined", joinedNote(o, c, level))
		}
		if err := tx.RecordAs("participation", "request", c.ID, journal.Say("%s asked to take part in %s as %s", o.Name, c.Name, level)); err != nil {
			return err
		}
		return s.tellOfficers(ctx, tx, c, o, "participation.requested", requestedNote(o, c, level, message))
	})
	if err != nil {
		return Request{}, err
	}
	return requestByID(ctx, s.db, c.ID, id)
}

// Requests are those that wait in a commission, the oldest first.
func (s *Service) Requests(ctx context.Context, who access.Actor, commission string, page keyset.Page) (Commission, []Request, string, error) {
	c, _, err := s.requireCommission(ctx, who, commission, "edit")
	if err != nil {
		return c, nil, "", err
	}
	var w postgres.Where
	w.And("r.commission_id = ? AND r.state = 'pending'", c.ID)
	w.If(page.After != nil, "r.id > ?::uuid", page.Key(0))
	rows, err := postgres.All[Request](ctx, s.db, requestSelect+`WHERE `+w.SQL()+` ORDER BY r.id LIMIT `+w.Arg(page.Fetch()), w.Args()...)
	if err != nil {
		return c, nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(r Request) []string { return []string{r.ID.String()} })
	return c, rows, next, nil
}

// RequestsOf are the latest requests of an organization, for its representatives.
func (s *Service) RequestsOf(ctx context.Context, who access.Actor, o Organization) ([]Request, error) {
	if !s.access.May(who, o.Scope(), "participation", "request") {
		return nil, nil
	}
	return postgres.All[Request](ctx, s.db, requestSelect+`WHERE r.organization_id = $1 AND r.state IN ('pending', 'declined') ORDER BY r.id DESC LIMIT 20`, o.ID)
}

// Represented are the organizations that the actor may ask for, by name: their own.
func (s *Service) Represented(ctx context.Context, who access.Actor) ([]Row, error) {
	ids := make([]string, 0, 8)
	for _, id := range who.Representing() {
		ids = append(ids, id.String())
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return postgres.All[Row](ctx, s.db, `SELECT id, slug, name, kind, category, country, state FROM organization
		WHERE id = ANY($1::uuid[]) AND state = 'member' ORDER BY name, id LIMIT 200`, pq.Array(ids))
}

// Grant gives what was asked for.
func (s *Service) Grant(ctx context.Context, who access.Actor, commission string, id uuid.UUID) (Request, error) {
	return s.answer(ctx, who, commission, id, "granted", "", func(tx *journal.Tx, c Commission, r Request) error {
		return s.place(ctx, tx, c, r.OrganizationID, r.Level, nil)
	})
}

// Refuse declines a request, for a reason that the organization reads.
func (s *Service) Refuse(ctx context.Context, who access.Actor, commission string, id uuid.UUID, reason string) (Request, error) {
	return s.answer(ctx, who, commission, id, "declined", reason, func(tx *journal.Tx, c Commission, r Request) error {
		return tx.RecordAs("participation", "decline", r.OrganizationID, journal.Say("Declined that %s takes part in %s as %s: %s", r.OrganizationName, c.Name, r.Level, r.Reason))
	})
}

// Request reads a request that the actor may decide on.
func (s *Service) Request(ctx context.Context, who access.Actor, commission string, id uuid.UUID) (Commission, Request, error) {
	c, _, err := s.requireCommission(ctx, who, commission, "edit")
	if err != nil {
		return c, Request{}, err
	}
	r, err := requestByID(ctx, s.db, c.ID, id)
	return c, r, err
}

func (s *Service) answer(ctx context.Context, who access.Actor, commission string, id uuid.UUID, state, reason string, fn func(*journal.Tx, Commission, Request) error) (Request, error) {
	c, permit, err := s.requireCommission(ctx, who, commission, "edit")
	if err == nil && state == "declined" {
		err = checkReason(&reason, 3)
	}
	if err != nil {
		return Request{}, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := decideRequest(ctx, tx, c.ID, id, state, reason); err != nil {
			return err
		}
		r, err := requestByID(ctx, tx, c.ID, id)
		if err != nil {
			return err
		}
		if err := fn(tx, c, r); err != nil {
			return err
		}
		to, err := person(ctx, tx, r.RequestedBy)
		if err != nil {
			return err
		}
		return s.tell(ctx, tx, to, "participation."+state, Organization{Slug: r.Organization}, answeredNote(r))
	})
	if err != nil {
		return Request{}, err
	}
	return requestByID(ctx, s.db, c.ID, id)
}

// Withdraw takes a request back: by a representative of the organization.
func (s *Service) Withdraw(ctx context.Context, who access.Actor, commission string, id uuid.UUID) (Request, error) {
	c, err := s.mayParticipations(ctx, who, commission, &ParticipationFilter{})
	if err != nil {
		return Request{}, err
	}
	r, err := requestByID(ctx, s.db, c.ID, id)
	if err != nil {
		return r, err
	}
	permit, err := s.access.Require(ctx, who, access.Organization(r.OrganizationID), "participation", "request")
	if err != nil {
		return Request{}, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := decideRequest(ctx, tx, c.ID, id, "withdrawn", ""); err != nil {
			return err
		}
		return tx.RecordAs("participation", "withdraw", c.ID, journal.Say("%s no longer asks to take part in %s", r.OrganizationName, c.Name))
	})
	if err != nil {
		return Request{}, err
	}
	return requestByID(ctx, s.db, c.ID, id)
}

func decideRequest(ctx context.Context, tx *journal.Tx, commission, id uuid.UUID, state, reason string) error {
	n, err := tx.Exec(ctx, `UPDATE participation_request SET state = $3, reason = $4, decided_by = $5, decided_at = $6
		WHERE commission_id = $1 AND id = $2 AND state = 'pending'`, commission, id, state, reason, tx.Permit().Actor().ID, tx.Now)
	if err != nil || n == 1 {
		return err
	}
	if _, err := requestByID(ctx, tx, commission, id); err != nil {
		return err
	}
	return errDecided
}

func lockCommission(ctx context.Context, q postgres.Q, id uuid.UUID) (Commission, error) {
	return postgres.One[Commission](ctx, q, access.ErrNotFound, `SELECT id, slug, acronym, name, kind, state, join_mode FROM commission WHERE id = $1 FOR SHARE`, id)
}

// namesOf are the names of commissions, by id.
func namesOf(ctx context.Context, q postgres.Q, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	type named struct {
		ID   uuid.UUID `db:"id"`
		Name string    `db:"name"`
	}
	rows, err := postgres.All[named](ctx, q, `SELECT id, name FROM commission WHERE id = ANY($1::uuid[])`, postgres.IDs(ids))
	names := make(map[uuid.UUID]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, err
}

// officers of a commission are whom a request is told; its convener while it is
// founded, and the secretariat where there is nobody.
func officers(ctx context.Context, tx *journal.Tx, commission uuid.UUID) ([]mail.Reader, error) {
	to, err := postgres.All[mail.Reader](ctx, tx, readers+`IN (
		SELECT person_id FROM seat WHERE commission_id = $1 AND role IN ('chair', 'vice_chair', 'secretary') AND period @> $2::timestamptz AND NOT suspended
		UNION SELECT convener_id FROM commission WHERE id = $1 AND state IN ('proposed', 'forming')) ORDER BY p.id LIMIT 50`, commission, tx.Now)
	if err != nil || len(to) > 0 {
		return to, err
	}
	return secretariat(ctx, tx)
}

// tellOfficers writes to those who keep the commission, but for the actor.
func (s *Service) tellOfficers(ctx context.Context, tx *journal.Tx, c Commission, o Organization, kind string, note func(context.Context) mail.Note) error {
	to, err := officers(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	return s.tell(ctx, tx, others(tx, to), kind, o, note)
}

// tellRepresentatives writes to those who represent the organization, but for
// the actor. (The secretariat is not told in their place: nothing waits for it.)
func (s *Service) tellRepresentatives(ctx context.Context, tx *journal.Tx, o Organization, kind string, note func(context.Context) mail.Note) error {
	to, err := postgres.All[mail.Reader](ctx, tx, representing, o.ID, tx.Now)
	if err != nil {
		return err
	}
	return s.tell(ctx, tx, others(tx, to), kind, o, note)
}

// others are the readers without the actor, who knows.
func others(tx *journal.Tx, to []mail.Reader) []mail.Reader {
	return slices.DeleteFunc(to, func(r mail.Reader) bool { return r.Person == tx.Permit().Actor().ID })
}

// LevelNames are what the levels are called, as keys of the catalog.
var LevelNames = map[string]string{"P": "Participating", "O": "Observing", "L": "Liaison"}

func requestedNote(o Organization, c Commission, level, message string) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		n := mail.Note{
			Subject:    i18n.T(ctx, "%s asks to take part in %s", o.Name, c.Name),
			Paragraphs: []string{i18n.T(ctx, "%s asks for this place in %s: %s.", o.Name, c.Name, i18n.Key(LevelNames[level]))},
			Button:     i18n.T(ctx, "Decide on it"), Path: c.Path() + "/organizations",
			Footer: i18n.T(ctx, "You get this because you are an officer of the commission, or of the secretariat."),
		}
		if message != "" {
			n.Paragraphs = append(n.Paragraphs, message)
		}
		return n
	}
}

// joinedNote tells the officers that an organization has come, placedNote the
// organization that the officers gave it a place.
func joinedNote(o Organization, c Commission, level string) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject:    i18n.T(ctx, "%s takes part in %s", o.Name, c.Name),
			Paragraphs: []string{i18n.T(ctx, "%s has joined %s. Its place: %s.", o.Name, c.Name, i18n.Key(LevelNames[level]))},
			Button:     i18n.T(ctx, "See who takes part"), Path: c.Path() + "/organizations",
			Footer: i18n.T(ctx, "You get this because you are an officer of the commission, or of the secretariat."),
		}
	}
}

func placedNote(o Organization, c Commission, level string) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject:    i18n.T(ctx, "%s takes part in %s", o.Name, c.Name),
			Paragraphs: []string{i18n.T(ctx, "The officers of %s have given %s this place: %s.", c.Name, o.Name, i18n.Key(LevelNames[level]))},
			Button:     i18n.T(ctx, "See the commission"), Path: c.Path() + "/organizations",
			Footer: i18n.T(ctx, "You get this because you are a primary representative of the organization."),
		}
	}
}

// goneNote tells the officers that an organization has gone, endedThereNote the
// organization that the officers ended its participation.
func goneNote(o Organization, c Commission) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject:    i18n.T(ctx, "%s no longer takes part in %s", o.Name, c.Name),
			Paragraphs: []string{i18n.T(ctx, "%s has ended its participation in %s.", o.Name, c.Name)},
			Button:     i18n.T(ctx, "See who takes part"), Path: c.Path() + "/organizations",
			Footer: i18n.T(ctx, "You get this because you are an officer of the commission, or of the secretariat."),
		}
	}
}

func endedThereNote(o Organization, c Commission) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		return mail.Note{
			Subject:    i18n.T(ctx, "%s no longer takes part in %s", o.Name, c.Name),
			Paragraphs: []string{i18n.T(ctx, "The officers of %s have ended the participation of %s.", c.Name, o.Name)},
			Button:     i18n.T(ctx, "See the commission"), Path: c.Path() + "/organizations",
			Footer: i18n.T(ctx, "You get this because you are a primary representative of the organization."),
		}
	}
}

func answeredNote(r Request) func(context.Context) mail.Note {
	return func(ctx context.Context) mail.Note {
		n := mail.Note{Button: i18n.T(ctx, "See the commission"), Path: "/commissions/" + r.Commission + "/organizations",
			Footer: i18n.T(ctx, "You get this because you asked for it.")}
		if r.State == "granted" {
			n.Subject = i18n.T(ctx, "%s takes part in %s", r.OrganizationName, r.CommissionName)
			n.Paragraphs = []string{i18n.T(ctx, "The officers of %s have given %s this place: %s.", r.CommissionName, r.OrganizationName, i18n.Key(LevelNames[r.Level]))}
		} else {
			n.Subject = i18n.T(ctx, "%s does not take part in %s", r.OrganizationName, r.CommissionName)
			n.Paragraphs = []string{i18n.T(ctx, "The officers of %s have declined what %s asked for. They give this reason:", r.CommissionName, r.OrganizationName), r.Reason}
		}
		return n
	}
}
