package organization

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Levels of participation, the highest first: P participates and votes, O
// observes, L is in liaison (ISO/IEC Directives).
var Levels = []string{"P", "O", "L"}

// higher is the higher of two levels.
func higher(a, b string) string {
	return Levels[min(slices.Index(Levels, a), slices.Index(Levels, b))]
}

// Commission is what participations need to know of a commission.
type Commission struct {
	ID       uuid.UUID `db:"id"`
	Slug     string    `db:"slug"`
	Acronym  string    `db:"acronym"`
	Name     string    `db:"name"`
	Kind     string    `db:"kind"`
	State    string    `db:"state"`
	JoinMode string    `db:"join_mode"`
}

// Scope is the scope that access decides about the commission in.
func (c Commission) Scope() access.Scope { return access.Commission(c.ID) }

// Path is the address of its page.
func (c Commission) Path() string { return "/commissions/" + c.Slug }

// takes refuses participations in a commission that is over.
func (c Commission) takes() error {
	if c.State == "concluded" || c.State == "abandoned" {
		return problem.New(problem.Conflict, "This commission is over: no organization can take part in it any more.")
	}
	return nil
}

func commissionBySlug(ctx context.Context, q postgres.Q, slug string) (Commission, error) {
	return postgres.One[Commission](ctx, q, access.ErrNotFound, `SELECT id, slug, acronym, name, kind, state, join_mode FROM commission WHERE slug = $1`, slug)
}

// Participation is an organization's place in a commission, and since when it
// has that level.
type Participation struct {
	ID               uuid.UUID  `db:"id" json:"-"`
	OrganizationID   uuid.UUID  `db:"organization_id" json:"-"`
	Organization     string     `db:"organization_slug" json:"organization" doc:"Slug."`
	OrganizationName string     `db:"organization_name" json:"organization_name"`
	Country          *string    `db:"country" json:"country,omitempty"`
	Kind             string     `db:"kind" json:"kind"`
	Logo             *string    `db:"logo" json:"-"`
	LogoURL          string     `db:"-" json:"logo,omitempty"`
	Commission       string     `db:"commission_slug" json:"commission" doc:"Slug."`
	CommissionName   string     `db:"commission_name" json:"commission_name"`
	Level            string     `db:"level" json:"level" enum:"P,O,L"`
	Since            time.Time  `db:"since" json:"since"`
	Until            *time.Time `db:"until" json:"until,omitempty"`
}

const participationColumns = `t.id, t.organization_id, o.slug AS organization_slug, o.name AS organization_name, o.country, o.kind,
	c.slug AS commission_slug, c.name AS commission_name, t.level, lower(t.period) AS since, upper(t.period) AS until`

const participationFrom = ` FROM participation t JOIN organization o ON o.id = t.organization_id JOIN commission c ON c.id = t.commission_id `

// ParticipationFilter narrows the participations of a commission.
type ParticipationFilter struct {
	Level   string
	Country string
	Query   string
	AsOf    time.Time // zero for now
}

func (s *Service) mayParticipations(ctx context.Context, who access.Actor, slug string, f *ParticipationFilter) (Commission, error) {
	c, err := commissionBySlug(ctx, s.db, slug)
	if err != nil {
		access.Public(ctx)
		return c, err
	}
	if _, err := s.access.Require(ctx, who, c.Scope(), "participation", "read"); err != nil {
		return c, err
	}
	var p problem.Fields
	check.Line(&p, "q", &f.Query, 0, 200)
	if f.Level != "" {
		check.OneOf(&p, "level", f.Level, Levels...)
	}
	now := journal.Now(ctx)
	if f.AsOf.IsZero() {
		f.AsOf = now
	}
	if f.AsOf.After(now) {
		p.Add("as_of", "Choose today or a day that has passed.")
	}
	return c, p.Err()
}

func (f ParticipationFilter) where(c Commission) *postgres.Where {
	var w postgres.Where
	w.And("t.commission_id = ? AND t.period @> ?::timestamptz", c.ID, f.AsOf)
	w.If(f.Level != "", "t.level = ?", f.Level)
	w.If(f.Country != "", "o.country = ?", f.Country)
	w.And(w.Named("o.name", f.Query))
	return &w
}

// Participations are a page of the organizations that take part in a commission
// as of an instant, by name.
func (s *Service) Participations(ctx context.Context, who access.Actor, commission string, f ParticipationFilter, page keyset.Page) (Commission, []Participation, string, error) {
	c, err := s.mayParticipations(ctx, who, commission, &f)
	if err != nil {
		return c, nil, "", err
	}
	w := f.where(c)
	w.If(page.After != nil, `(o.name, o.id) > (? COLLATE "und-x-icu", ?::uuid)`, page.Key(0), page.Key(1))
	rows, err := postgres.All[Participation](ctx, s.db, `SELECT `+participationColumns+`, l.digest AS logo`+participationFrom+`
		LEFT JOIN organization_logo l ON l.organization_id = o.id
		WHERE `+w.SQL()+` ORDER BY o.name, o.id LIMIT `+w.Arg(page.Fetch()), w.Args()...)
	if err != nil {
		return c, nil, "", err
	}
	for i := range rows {
		rows[i].LogoURL = logoPath(rows[i].Organization, rows[i].Logo)
	}
	rows, next := keyset.Cut(page, rows, func(p Participation) []string { return []string{p.OrganizationName, p.OrganizationID.String()} })
	return c, rows, next, nil
}

// ParticipationCounts are how many take part, by country and by level, each under
// the other filters.
type ParticipationCounts struct {
	Total     int
	Countries map[string]int
	Levels    map[string]int
}

// ParticipationCounts counts what Participations lists.
func (s *Service) ParticipationCounts(ctx context.Context, who access.Actor, c Commission, f ParticipationFilter) (ParticipationCounts, error) {
	counts := ParticipationCounts{Countries: map[string]int{}, Levels: map[string]int{}}
	if _, err := s.access.Require(ctx, who, c.Scope(), "participation", "read"); err != nil {
		return counts, err
	}
	if f.AsOf.IsZero() {
		f.AsOf = journal.Now(ctx)
	}
	w := ParticipationFilter{Query: f.Query, AsOf: f.AsOf}.where(c)
	type cell struct {
		Country *string `db:"country"`
		Level   string  `db:"level"`
		N       int     `db:"n"`
	}
	cells, err := postgres.All[cell](ctx, s.db, `SELECT o.country, t.level, count(*) AS n FROM participation t JOIN organization o ON o.id = t.organization_id
		WHERE `+w.SQL()+` GROUP BY o.country, t.level`, w.Args()...)
	for _, x := range cells {
		home := ""
		if x.Country != nil {
			home = *x.Country
		}
		country, level := f.Country == "" || f.Country == home, f.Level == "" || f.Level == x.Level
		if level && home != "" {
			counts.Countries[home] += x.N
		}
		if country {
			counts.Levels[x.Level] += x.N
		}
		if country && level {
			counts.Total += x.N
		}
	}
	return counts, err
}

// ParticipationsOf are what an organization takes part in at this moment, by the
// name of the commission; at most 500.
func (s *Service) ParticipationsOf(ctx context.Context, who access.Actor, o Organization) ([]Participation, error) {
	if _, err := s.access.Require(ctx, who, o.Scope(), "organization", "read"); err != nil {
		return nil, err
	}
	return postgres.All[Participation](ctx, s.db, `SELECT `+participationColumns+participationFrom+`
		WHERE t.organization_id = $1 AND t.period @> $2::timestamptz ORDER BY c.name, c.id LIMIT 500`, o.ID, journal.Now(ctx))
}

// Participation reads one at this moment; NotFound if the organization does not
// take part.
func (s *Service) Participation(ctx context.Context, who access.Actor, commission, organization string) (Commission, Participation, error) {
	c, err := s.mayParticipations(ctx, who, commission, &ParticipationFilter{})
	if err != nil {
		return c, Participation{}, err
	}
	p, err := participation(ctx, s.db, c.ID, organization, journal.Now(ctx))
	return c, p, err
}

func participation(ctx context.Context, q postgres.Q, commission uuid.UUID, organization string, now time.Time) (Participation, error) {
	return postgres.One[Participation](ctx, q, problem.New(problem.NotFound, "This organization does not take part in the commission."),
		`SELECT `+participationColumns+participationFrom+`WHERE t.commission_id = $1 AND o.slug = $2 AND t.period @> $3::timestamptz`, commission, organization, now)
}

// SetParticipation gives an organization a place in a commission, or another
// level: by the commission's officers. seen is the participation that it is to
// take the place of, the zero id where the organization took no part; nil is
// whatever there is. The organization's representatives are told.
func (s *Service) SetParticipation(ctx context.Context, who access.Actor, commission, organization, level string, seen *uuid.UUID) (Participation, error) {
	c, permit, err := s.requireCommission(ctx, who, commission, "edit")
	if err != nil {
		return Participation{}, err
	}
	var f problem.Fields
	check.OneOf(&f, "level", level, Levels...)
	if err := f.Err(); err != nil {
		return Participation{}, err
	}
	if organization, err = Named(ctx, s.db, organization); err != nil {
		return Participation{}, err
	}
	o, err := s.Show(ctx, who, organization)
	if problem.Of(err, problem.NotFound) {
		return Participation{}, problem.Field("organization", "There is no such organization.")
	}
	if err != nil {
		return Participation{}, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := s.place(ctx, tx, c, o.ID, level, seen); err != nil {
			return err
		}
		// A request that asked for it has been answered with it.
		if _, err := tx.Exec(ctx, `UPDATE participation_request SET state = 'granted', decided_by = $3, decided_at = $4
			WHERE commission_id = $1 AND organization_id = $2 AND state = 'pending'`, c.ID, o.ID, who.ID, tx.Now); err != nil {
			return err
		}
		return s.tellRepresentatives(ctx, tx, o, "participation.set", placedNote(o, c, level))
	})
	if err != nil {
		return Participation{}, err
	}
	return participation(ctx, s.db, c.ID, o.Slug, journal.Now(ctx))
}

func (s *Service) requireCommission(ctx context.Context, who access.Actor, slug, action string) (Commission, access.Permit, error) {
	c, err := commissionBySlug(ctx, s.db, slug)
	if err != nil {
		access.Public(ctx)
		return c, access.Permit{}, err
	}
	permit, err := s.access.Require(ctx, who, c.Scope(), "participation", action)
	return c, permit, err
}

// place gives an organization a level in a commission from now on, in a change:
// both are kept as they are meanwhile. seen: see SetParticipation.
func (s *Service) place(ctx context.Context, tx *journal.Tx, c Commission, organization uuid.UUID, level string, seen *uuid.UUID) error {
	o, err := LockMember(ctx, tx, organization)
	if err != nil {
		return err
	}
	if c, err = lockCommission(ctx, tx, c.ID); err != nil {
		return err
	}
	if err := c.takes(); err != nil {
		return err
	}
	was, before, err := endParticipation(ctx, tx, c.ID, o.ID, tx.Now)
	switch {
	case err != nil:
		return err
	case seen != nil && *seen == uuid.Nil && before != "":
		return problem.New(problem.Unguarded, "%s takes part already. Send If-Match with the ETag that you read, so that nobody's change is lost.", o.Name)
	case seen != nil && *seen != was:
		return problem.New(problem.Stale, "Somebody has changed this participation meanwhile. Look at it again.")
	}
	if before == level {
		return problem.New(problem.Conflict, "%s has this level already.", o.Name)
	}
	if before != "" {
		if err := fits(ctx, tx, c, o, level); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `INSERT INTO participation (organization_id, commission_id, level, period) VALUES ($1, $2, $3, tstzrange($4, NULL))`,
		o.ID, c.ID, level, tx.Now); err != nil {
		if postgres.Constraint(err) == "participation_once" {
			return problem.New(problem.Conflict, "Somebody has changed this participation meanwhile. Look at it again.")
		}
		return err
	}
	note := journal.Say("%s takes part in %s as %s", o.Name, c.Name, level)
	if before != "" {
		note = journal.Say("%s takes part in %s as %s and no longer as %s", o.Name, c.Name, level, before)
	}
	// Found in the history of both: one is the scope, the other the object.
	object := o.ID
	if tx.Permit().Scope().Kind == access.OrganizationKind {
		object = c.ID
	}
	return tx.RecordAs("participation", "set", object, note)
}

// endParticipation ends the one that holds now and returns it and its level, ""
// if there is none. One that began at this very instant goes without a trace.
func endParticipation(ctx context.Context, q postgres.Q, commission, organization uuid.UUID, now time.Time) (uuid.UUID, string, error) {
	type live struct {
		ID    uuid.UUID `db:"id"`
		Level string    `db:"level"`
	}
	ended, err := postgres.All[live](ctx, q, `
		WITH live AS (SELECT id, level, period FROM participation WHERE commission_id = $1 AND organization_id = $2 AND (period @> $3::timestamptz OR lower(period) > $3) FOR UPDATE),
		gone AS (DELETE FROM participation t USING live WHERE t.id = live.id AND lower(t.period) >= $3),
		ended AS (UPDATE participation t SET period = tstzrange(lower(t.period), $3) FROM live WHERE t.id = live.id AND lower(t.period) < $3)
		SELECT id, level FROM live ORDER BY lower(period)`, commission, organization, now)
	if err != nil || len(ended) == 0 {
		return uuid.Nil, "", err
	}
	return ended[0].ID, ended[0].Level, nil
}

// EndParticipation takes an organization out of a commission: by the
// commission's officers, or by its own representative. The other side is told. With
// seats, those held for it there end in the same change, but for those of officers,
// whom the commission appoints; without, they stay until they are ended.
func (s *Service) EndParticipation(ctx context.Context, who access.Actor, commission, organization string, seats bool) error {
	c, p, permit, err := s.endingParticipation(ctx, who, commission, organization)
	if err != nil {
		return err
	}
	if seats {
		action := "edit"
		if permit.Scope().Kind == access.OrganizationKind {
			action = "recall"
		}
		if _, err := s.access.Require(ctx, who, permit.Scope(), "seat", action); err != nil {
			return err
		}
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if c, err = lockCommission(ctx, tx, c.ID); err != nil { // no seat is given meanwhile
			return err
		}
		_, level, err := endParticipation(ctx, tx, c.ID, p.OrganizationID, tx.Now)
		if err != nil {
			return err
		}
		if level == "" {
			return problem.New(problem.Conflict, "This participation has ended meanwhile.")
		}
		if seats && s.OnEndThere != nil {
			if err := s.OnEndThere(ctx, tx, p.OrganizationID, c.ID); err != nil {
				return err
			}
		}
		o, note := Organization{ID: p.OrganizationID, Slug: p.Organization, Name: p.OrganizationName}, journal.Say("%s no longer takes part in %s", p.OrganizationName, c.Name)
		if permit.Scope().Kind == access.OrganizationKind {
			if err := tx.RecordAs("participation", "end", c.ID, note); err != nil {
				return err
			}
			return s.tellOfficers(ctx, tx, c, o, "participation.left", goneNote(o, c))
		}
		if err := tx.RecordAs("participation", "end", o.ID, note); err != nil {
			return err
		}
		return s.tellRepresentatives(ctx, tx, o, "participation.ended", endedThereNote(o, c))
	})
}

// endingParticipation reads one that the actor may end.
func (s *Service) endingParticipation(ctx context.Context, who access.Actor, commission, organization string) (Commission, Participation, access.Permit, error) {
	c, p, err := s.Participation(ctx, who, commission, organization)
	if err != nil {
		return c, p, access.Permit{}, err
	}
	permit, err := s.access.Require(ctx, who, access.Organization(p.OrganizationID), "participation", "request")
	if err != nil || s.access.May(who, c.Scope(), "participation", "edit") {
		permit, err = s.access.Require(ctx, who, c.Scope(), "participation", "edit")
	}
	return c, p, permit, err
}

// HeldThere is how many seats an organization holds, or will hold, in a commission:
// those of officers, whom the commission appoints, and the others.
type HeldThere struct {
	Seats    int `db:"seats"`
	Officers int `db:"officers"`
}

// EndingParticipation reads a participation that the actor may end, and how many
// seats the organization has in the commission.
func (s *Service) EndingParticipation(ctx context.Context, who access.Actor, commission, organization string) (Commission, Participation, HeldThere, error) {
	c, p, _, err := s.endingParticipation(ctx, who, commission, organization)
	if err != nil {
		return c, p, HeldThere{}, err
	}
	held, err := postgres.One[HeldThere](ctx, s.db, nil, `SELECT count(DISTINCT id) FILTER (WHERE rank > 3) AS seats, count(DISTINCT id) FILTER (WHERE rank <= 3) AS officers
		FROM seat WHERE organization_id = $1 AND commission_id = $2 AND coalesce(upper(period), 'infinity') > $3`, p.OrganizationID, c.ID, journal.Now(ctx))
	return c, p, held, err
}

// fits refuses a level that does not go with seats that the organization holds, or
// will hold, in the commission: a vote and its representatives are P's, liaison
// officers are L's.
func fits(ctx context.Context, tx *journal.Tx, c Commission, o Organization, level string) error {
	n, err := postgres.One[int](ctx, tx, nil, `SELECT count(DISTINCT id) FROM seat WHERE organization_id = $1 AND commission_id = $2 AND coalesce(upper(period), 'infinity') > $3
		AND ($4 <> 'P' AND (voting OR role IN ('voting_representative', 'alternate_representative')) OR $4 <> 'L' AND role = 'liaison_officer')`, o.ID, c.ID, tx.Now, level)
	if err != nil || n == 0 {
		return err
	}
	return problem.Field("level", "Seats that %s has in %s do not go with this place (%d of them): a vote and voting or alternate representatives are of P, liaison officers of L. End or change these seats first.", o.Name, c.Name, n)
}

// endAll ends all participations of an organization and takes its requests back.
func endAll(ctx context.Context, tx *journal.Tx, o Organization) error {
	if _, err := tx.Exec(ctx, `DELETE FROM participation WHERE organization_id = $1 AND lower(period) >= $2`, o.ID, tx.Now); err != nil {
		return err
	}
	ended, err := postgres.All[uuid.UUID](ctx, tx, `
		UPDATE participation SET period = tstzrange(lower(period), $2) WHERE organization_id = $1 AND period @> $2::timestamptz RETURNING commission_id`, o.ID, tx.Now)
	if err != nil {
		return err
	}
	names, err := namesOf(ctx, tx, ended)
	if err != nil {
		return err
	}
	for _, id := range ended {
		if err := tx.RecordAs("participation", "end", id, journal.Say("%s no longer takes part in %s", o.Name, names[id])); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE participation_request SET state = 'withdrawn', decided_at = $2 WHERE organization_id = $1 AND state = 'pending'`, o.ID, tx.Now)
	return err
}

// EndParticipationsIn ends all participations in a commission that concludes or
// is abandoned, in the change that ends it.
func (s *Service) EndParticipationsIn(ctx context.Context, tx *journal.Tx, commission uuid.UUID) error {
	for _, query := range []string{
		`DELETE FROM participation WHERE commission_id = $1 AND lower(period) >= $2`,
		`UPDATE participation SET period = tstzrange(lower(period), $2) WHERE commission_id = $1 AND period @> $2::timestamptz`,
		`UPDATE participation_request SET state = 'withdrawn', decided_at = $2 WHERE commission_id = $1 AND state = 'pending'`,
	} {
		if _, err := tx.Exec(ctx, query, commission, tx.Now); err != nil {
			return err
		}
	}
	return nil
}

// Seat is a seat held for an organization, as its page shows it.
type Seat struct {
	PersonID       uuid.UUID `db:"person_id"`
	Name           string    `db:"name"`
	Role           string    `db:"role"`
	Commission     string    `db:"commission_slug"`
	CommissionName string    `db:"commission_name"`
}

// Seated are those who sit for the organization on rosters that the actor may
// see, by commission and role; at most 200.
func (s *Service) Seated(ctx context.Context, who access.Actor, o Organization) ([]Seat, error) {
	sight := access.See(ctx, who)
	var w postgres.Where
	w.And("t.organization_id = ? AND t.period @> ?::timestamptz", o.ID, journal.Now(ctx))
	w.And(sight.Roster(&w, "c.roster_visibility", "c.id"))
	return postgres.All[Seat](ctx, s.db, `
		SELECT t.person_id, t.sort_name AS name, t.role, c.slug AS commission_slug, c.name AS commission_name
		FROM seat t JOIN commission c ON c.id = t.commission_id
		WHERE `+w.SQL()+` ORDER BY c.name, c.id, t.rank, t.sort_name, t.id LIMIT 200`, w.Args()...)
}

// Participate sees that an organization takes part in a commission at least at
// that level, in a change that gives one of its people a seat there.
func (s *Service) Participate(ctx context.Context, tx *journal.Tx, organization, commission uuid.UUID, level string) error {
	held, err := postgres.All[string](ctx, tx, `SELECT level FROM participation WHERE organization_id = $1 AND commission_id = $2 AND period @> $3::timestamptz`,
		organization, commission, tx.Now)
	if err != nil || len(held) > 0 && higher(held[0], level) == held[0] {
		return err
	}
	return s.place(ctx, tx, Commission{ID: commission}, organization, level, nil)
}
