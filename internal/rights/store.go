package rights

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

const (
	homeColumns = `c.id, c.slug, c.acronym, c.name, c.kind, c.state, c.created_at, coalesce(r.version, 0) AS version, v.at AS reviewed_at,
		coalesce((SELECT json_agg(json_build_object('role', o.slot, 'name', o.name, 'purpose', o.purpose, 'created_at', o.created_at, 'version', o.version) ORDER BY o.created_at, o.slot)
		          FROM commission_role o WHERE o.commission_id = c.id), '[]') AS own,
		coalesce((SELECT json_agg(json_build_object('role', a.role, 'object', a.object, 'action', a.action, 'effect', a.effect) ORDER BY a.object, a.action, a.role)
		          FROM access_rule a WHERE a.commission_id = c.id), '[]') AS rules`
	homeJoins = `FROM commission c LEFT JOIN access_rules r ON r.commission_id = c.id LEFT JOIN access_review v ON v.commission_id = c.id`
)

// homeBy reads the commission of rules by its slug or key.
func homeBy(ctx context.Context, q postgres.Q, slug string) (Home, error) {
	if id, err := uuid.Parse(slug); err == nil {
		return homeByID(ctx, q, id)
	}
	return postgres.One[Home](ctx, q, access.ErrNotFound, `SELECT `+homeColumns+` `+homeJoins+` WHERE c.slug = $1`, slug)
}

func homeByID(ctx context.Context, q postgres.Q, id uuid.UUID) (Home, error) {
	return postgres.One[Home](ctx, q, access.ErrNotFound, `SELECT `+homeColumns+` `+homeJoins+` WHERE c.id = $1`, id)
}

// rulesOf are the commission's own rules as they are in a change, in one order.
func rulesOf(ctx context.Context, q postgres.Q, commission uuid.UUID) ([]access.Rule, error) {
	return postgres.All[access.Rule](ctx, q, `SELECT role, object, action, effect FROM access_rule WHERE commission_id = $1 ORDER BY object, action, role`, commission)
}

// live is the condition, for a WHERE, that the row h of commission_role_holder gives
// its role at $2.
const live = `EXISTS (SELECT FROM seat s WHERE s.id = h.seat_id AND s.person_id = h.person_id AND s.period @> $2::timestamptz AND NOT s.suspended)`

// setsOf counts the persons with a live seat by the roles they hold.
func setsOf(ctx context.Context, q postgres.Q, commission uuid.UUID, at time.Time) ([]Set, error) {
	rows, err := postgres.All[struct {
		Roles   pq.StringArray `db:"roles"`
		Persons int            `db:"persons"`
	}](ctx, q, `
		SELECT roles, count(*) AS persons
		FROM (SELECT array_agg(DISTINCT role ORDER BY role) AS roles
		      FROM (SELECT person_id, role FROM seat WHERE commission_id = $1 AND period @> $2::timestamptz AND NOT suspended
		            UNION ALL
		            SELECT h.person_id, h.slot FROM commission_role_holder h WHERE h.commission_id = $1 AND `+live+`) e GROUP BY person_id) x
		GROUP BY roles ORDER BY roles`, commission, at)
	sets := make([]Set, len(rows))
	for i, r := range rows {
		sets[i] = Set{r.Roles, r.Persons}
	}
	return sets, err
}

// documentsAt counts the documents of a commission by the level that reading them
// asks for; those that wait to be accepted stand under "submitted".
func documentsAt(ctx context.Context, q postgres.Q, commission uuid.UUID) (map[string]int, error) {
	rows, err := postgres.All[struct {
		Level string `db:"level"`
		N     int    `db:"n"`
	}](ctx, q, `
		SELECT CASE WHEN number IS NULL THEN 'submitted' ELSE visibility END AS level, count(*) AS n
		FROM document WHERE commission_id = $1 AND (number IS NOT NULL OR review IS NOT NULL) GROUP BY 1`, commission)
	by := map[string]int{}
	for _, r := range rows {
		by[r.Level] = r.N
	}
	return by, err
}

// lock takes the rules of a commission for a change; it makes their row if they
// have none.
func lock(ctx context.Context, q postgres.Q, commission uuid.UUID) (int, error) {
	if _, err := q.Exec(ctx, `INSERT INTO access_rules (commission_id) VALUES ($1) ON CONFLICT DO NOTHING`, commission); err != nil {
		return 0, err
	}
	return postgres.One[int](ctx, q, nil, `SELECT version FROM access_rules WHERE commission_id = $1 FOR UPDATE`, commission)
}

// write sets cells.
func write(ctx context.Context, q postgres.Q, commission uuid.UUID, changes []Change) error {
	n := len(changes)
	roles, objects, actions, effects := make(pq.StringArray, n), make(pq.StringArray, n), make(pq.StringArray, n), make(pq.StringArray, n)
	for i, c := range changes {
		roles[i], objects[i], actions[i], effects[i] = c.Role, c.Object, c.Action, c.Effect
	}
	const given = `unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS x (role, object, action, effect)`
	if _, err := q.Exec(ctx, `
		DELETE FROM access_rule r USING `+given+`
		WHERE r.commission_id = $1 AND r.role = x.role AND r.object = x.object AND r.action = x.action AND x.effect = 'inherit'`,
		commission, roles, objects, actions, effects); err != nil {
		return err
	}
	_, err := q.Exec(ctx, `
		INSERT INTO access_rule (commission_id, role, object, action, effect)
		SELECT $1, x.role, x.object, x.action, x.effect FROM `+given+` WHERE x.effect <> 'inherit'
		ON CONFLICT ON CONSTRAINT access_rule_cell DO UPDATE SET effect = EXCLUDED.effect`, commission, roles, objects, actions, effects)
	return err
}

// entry is a change of rules as the journal has it.
type entry struct {
	At   time.Time `db:"at"`
	Note string    `db:"note"`
}

func entryOf(ctx context.Context, q postgres.Q, h Home, number int64) (entry, error) {
	return postgres.One[entry](ctx, q, access.ErrNotFound, `
		SELECT at, note::text AS note FROM journal_entry WHERE scope_id = $1 AND number = $2 AND object = 'access' AND action = 'edit'`, h.ID, number)
}

// seatsOf are the seats by which a person holds roles in a commission now.
func seatsOf(ctx context.Context, q postgres.Q, commission, person uuid.UUID, at time.Time) ([]Held, error) {
	return postgres.All[Held](ctx, q, `
		SELECT s.id, s.role, o.name AS organization, upper(s.period) AS until, s.suspended
		FROM seat s LEFT JOIN organization o ON o.id = s.organization_id
		WHERE s.commission_id = $1 AND s.person_id = $2 AND s.period @> $3::timestamptz ORDER BY s.rank, s.id LIMIT 20`, commission, person, at)
}

// personBy finds whom is asked about, by key or by address. Unless of is null, it
// finds only who has or had a seat in that commission, so that nobody learns of the
// accounts of others.
func personBy(ctx context.Context, q postgres.Q, written string, of uuid.NullUUID) (Subject, error) {
	column := "p.email = lower($1)"
	if _, err := uuid.Parse(written); err == nil {
		column = "p.id = $1::uuid"
	}
	return postgres.One[Subject](ctx, q, access.ErrNotFound, `
		SELECT p.id, p.name FROM person p
		WHERE p.state = 'active' AND `+column+` AND ($2::uuid IS NULL OR EXISTS (SELECT FROM seat s WHERE s.person_id = p.id AND s.commission_id = $2))`, written, of)
}

// organizationBy finds an organization by its slug or key.
func organizationBy(ctx context.Context, q postgres.Q, slug string) (uuid.UUID, error) {
	if id, err := uuid.Parse(slug); err == nil {
		return postgres.One[uuid.UUID](ctx, q, access.ErrNotFound, `SELECT id FROM organization WHERE id = $1`, id)
	}
	return postgres.One[uuid.UUID](ctx, q, access.ErrNotFound, `SELECT id FROM organization WHERE slug = $1`, slug)
}

// insertRole makes a role in the first place that is free.
func insertRole(ctx context.Context, q postgres.Q, commission uuid.UUID, r OwnRole) (string, error) {
	return postgres.One[string](ctx, q, problem.New(problem.Conflict, "A commission has at most %d roles of its own. Remove one that is not needed.", access.MostOwn), `
		INSERT INTO commission_role (commission_id, slot, name, purpose, created_at)
		SELECT $1, 'own_' || n, $2, $3, $4 FROM generate_series(1, $5::int) n
		WHERE NOT EXISTS (SELECT FROM commission_role o WHERE o.commission_id = $1 AND o.slot = 'own_' || n) ORDER BY n LIMIT 1
		RETURNING slot`, commission, r.Name, r.Purpose, r.CreatedAt, access.MostOwn)
}

// holdersOf are those who hold a role of the commission's own by a seat that has not
// ended, by name.
func holdersOf(ctx context.Context, q postgres.Q, commission uuid.UUID, role string, page keyset.Page, at time.Time) ([]Holder, error) {
	var w postgres.Where
	now := w.Arg(at)
	w.And("h.commission_id = ? AND h.slot = ?", commission, role)
	w.If(page.After != nil, `(s.sort_name, h.seat_id) > (? COLLATE "und-x-icu", ?::uuid)`, page.Key(0), page.Key(1))
	return postgres.All[Holder](ctx, q, `
		SELECT h.seat_id, h.person_id, s.sort_name AS name, s.role AS seat_role, o.name AS organization, h.since, s.suspended
		FROM commission_role_holder h JOIN seat s ON s.id = h.seat_id AND s.person_id = h.person_id AND s.period @> `+now+`::timestamptz
		LEFT JOIN organization o ON o.id = s.organization_id
		WHERE `+w.SQL()+` ORDER BY s.sort_name, h.seat_id LIMIT `+w.Arg(page.Fetch()), w.Args()...)
}

// candidates are seats that the role can be given to, in the order of the roster.
func candidates(ctx context.Context, q postgres.Q, commission uuid.UUID, role, text string, at time.Time) ([]Holder, error) {
	var w postgres.Where
	w.And("s.commission_id = ? AND s.period @> ?::timestamptz AND NOT s.suspended", commission, at)
	w.And(w.Named("s.sort_name", text))
	return postgres.All[Holder](ctx, q, `
		SELECT s.id AS seat_id, s.person_id, s.sort_name AS name, s.role AS seat_role, o.name AS organization, lower(s.period) AS since, s.suspended
		FROM seat s LEFT JOIN organization o ON o.id = s.organization_id
		WHERE `+w.SQL()+` AND NOT EXISTS (SELECT FROM commission_role_holder h WHERE h.commission_id = s.commission_id AND h.slot = `+w.Arg(role)+` AND h.seat_id = s.id AND h.person_id = s.person_id)
		ORDER BY s.rank, s.sort_name, s.id LIMIT `+w.Arg(MostCandidates), w.Args()...)
}
