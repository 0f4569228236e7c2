package account

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

const columns = `p.id, p.email, p.name, p.country, p.language, p.time_zone, p.theme, p.about, p.state, p.confirmed_at, p.version, p.created_at,
	EXISTS (SELECT FROM portal_role r WHERE r.person_id = p.id AND r.role = 'secretariat') AS secretariat`

var errNoPerson = problem.New(problem.NotFound, "There is nobody with this address.")

func byID(ctx context.Context, q postgres.Q, id uuid.UUID) (Person, error) {
	return postgres.One[Person](ctx, q, access.ErrNotFound, `SELECT `+columns+` FROM person p WHERE p.id = $1`, id)
}

func byEmail(ctx context.Context, q postgres.Q, email string) (Person, error) {
	return postgres.One[Person](ctx, q, errNoPerson, `SELECT `+columns+` FROM person p WHERE p.email = $1`, email)
}

// list reads a page of persons in the order of their names, cut from the index first.
func list(ctx context.Context, q postgres.Q, f Filter, page keyset.Page) ([]Person, error) {
	var w postgres.Where
	w.If(f.State == "active", "state = 'active' AND confirmed_at IS NOT NULL")
	w.If(f.State == "unconfirmed", "confirmed_at IS NULL")
	w.If(f.State == "suspended", "state = 'suspended'")
	w.And("state " + map[bool]string{true: "=", false: "<>"}[f.State == "erased"] + " 'erased'")
	w.If(f.State == "secretariat", "id IN (SELECT person_id FROM portal_role WHERE role = 'secretariat')")
	if f.Query != "" {
		w.And("("+w.Named("name", f.Query)+" OR email LIKE lower(?))", postgres.Within(f.Query))
	}
	w.If(page.After != nil, `(name, id) > (? COLLATE "und-x-icu", ?::uuid)`, page.Key(0), page.Key(1))
	return postgres.All[Person](ctx, q, `
		SELECT `+columns+`
		FROM (SELECT id, email, name, country, language, time_zone, theme, about, state, confirmed_at, version, created_at FROM person
		      WHERE `+w.SQL()+` ORDER BY name, id LIMIT `+w.Arg(page.Fetch())+`) p
		ORDER BY p.name, p.id`, w.Args()...)
}

// seats are the live ones in commissions whose roster the sight takes in.
func seats(ctx context.Context, q postgres.Q, person uuid.UUID, sight access.Sight, now time.Time) ([]Seat, error) {
	var w postgres.Where
	whose, at, me := w.Arg(person), w.Arg(now), w.Arg(sight.Person)
	return postgres.All[Seat](ctx, q, `
		SELECT c.slug AS commission, c.name AS commission_name, s.role, o.slug AS organization, o.name AS organization_name, upper(s.period) AS until
		FROM seat s
		JOIN commission c ON c.id = s.commission_id
		LEFT JOIN organization o ON o.id = s.organization_id
		WHERE s.person_id = `+whose+` AND s.period @> `+at+`::timestamptz AND NOT s.suspended
		  AND (s.person_id = `+me+` OR `+sight.Roster(&w, "c.roster_visibility", "c.id")+`)
		UNION ALL
		SELECT c.slug, c.name, 'convener', NULL, NULL, NULL
		FROM commission c WHERE c.convener_id = `+whose+` AND c.state IN ('proposed', 'forming')
		ORDER BY commission_name, commission, role
		LIMIT 200`, w.Args()...)
}

func affiliations(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) ([]Affiliation, error) {
	return postgres.All[Affiliation](ctx, q, `
		SELECT o.slug AS organization, o.name AS organization_name, a.title, a.representative
		FROM affiliation a JOIN organization o ON o.id = a.organization_id
		WHERE a.person_id = $1 AND a.period @> $2::timestamptz AND a.state = 'confirmed' AND o.state = 'member'
		ORDER BY o.name, o.id
		LIMIT 100`, person, now)
}

func ends(ctx context.Context, q postgres.Q, person uuid.UUID, now time.Time) (Ends, error) {
	return postgres.One[Ends](ctx, q, nil, `
		SELECT (SELECT count(*) FROM session WHERE person_id = $1 AND expires_at > $2) AS sessions,
		       (SELECT count(*) FROM token WHERE person_id = $1 AND revoked_at IS NULL AND coalesce(expires_at, 'infinity') > $2) AS tokens,
		       (SELECT count(*) FROM seat WHERE person_id = $1 AND period @> $2::timestamptz) AS seats`, person, now)
}

func insertPerson(ctx context.Context, q postgres.Q, p Person, hash *string, now time.Time) error {
	_, err := q.Exec(ctx, `INSERT INTO person (id, email, name, password_hash, confirmed_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.ID, p.Email, p.Name, hash, p.ConfirmedAt, now)
	return err
}

func setProfile(ctx context.Context, q postgres.Q, id uuid.UUID, version int, p Profile) error {
	return postgres.ExecOne(ctx, q, errStale, `
		UPDATE person SET name = $3, country = nullif($4, ''), language = $5, time_zone = $6, about = $7, theme = coalesce(nullif($8, ''), theme), version = version + 1
		WHERE id = $1 AND version = $2`, id, version, p.Name, p.Country, p.Language, p.TimeZone, p.About, p.Theme)
}

func setTheme(ctx context.Context, q postgres.Q, id uuid.UUID, theme string) error {
	_, err := q.Exec(ctx, `UPDATE person SET theme = $2 WHERE id = $1`, id, theme)
	return err
}

func setSuspended(ctx context.Context, q postgres.Q, id uuid.UUID) error {
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "This account is suspended already."),
		`UPDATE person SET state = 'suspended', version = version + 1 WHERE id = $1 AND state = 'active'`, id)
}

func setActive(ctx context.Context, q postgres.Q, id uuid.UUID) error {
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "This account is not suspended."),
		`UPDATE person SET state = 'active', version = version + 1 WHERE id = $1 AND state = 'suspended'`, id)
}

func insertRole(ctx context.Context, q postgres.Q, person uuid.UUID, role string, now time.Time) error {
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "This person has that role already."),
		`INSERT INTO portal_role (person_id, role, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, person, role, now)
}

func deleteRole(ctx context.Context, q postgres.Q, person uuid.UUID, role string) error {
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "This person does not have that role."),
		`DELETE FROM portal_role WHERE person_id = $1 AND role = $2`, person, role)
}

// credentials are what a password is checked against; the zero value where
// there is nobody.
type credentials struct {
	ID           uuid.UUID `db:"id"`
	PasswordHash *string   `db:"password_hash"`
	State        string    `db:"state"`
}

func credentialsOf(ctx context.Context, q postgres.Q, email string) (credentials, error) {
	return postgres.One[credentials](ctx, q, nil, `SELECT id, password_hash, state FROM person WHERE email = $1`, email)
}

// setPassword sets a password and takes the address as proved.
func setPassword(ctx context.Context, q postgres.Q, id uuid.UUID, hash string, now time.Time) error {
	return postgres.ExecOne(ctx, q, ErrLink, `
		UPDATE person SET password_hash = $2, confirmed_at = coalesce(confirmed_at, $3) WHERE id = $1 AND state = 'active'`, id, hash, now)
}

func changePassword(ctx context.Context, q postgres.Q, id uuid.UUID, old, hash string) error {
	return postgres.ExecOne(ctx, q, errStale, `UPDATE person SET password_hash = $3 WHERE id = $1 AND password_hash = $2`, id, old, hash)
}

// rehash keeps the same password in another way; if it was changed meanwhile, it
// stays what it is now.
func rehash(ctx context.Context, q postgres.Q, id uuid.UUID, old, hash string) error {
	return postgres.ExecOne(ctx, q, errMeanwhile, `UPDATE person SET password_hash = $3 WHERE id = $1 AND password_hash = $2`, id, old, hash)
}
