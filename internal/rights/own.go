package rights

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// OwnRole is a role that a commission made for itself, such as rapporteur. It is
// held beside the role of a seat, gives what rules allow for it, and takes nothing.
type OwnRole struct {
	Role      string    `db:"role" json:"role" doc:"What rules call it: own_1 to own_10."`
	Name      string    `db:"name" json:"name"`
	Purpose   string    `db:"purpose" json:"purpose"`
	CreatedAt time.Time `db:"created_at" json:"created_at"`
	Version   int       `db:"version" json:"version"`
}

// OwnRoles are those of a commission, the oldest first.
type OwnRoles []OwnRole

// Scan reads them from JSON.
func (o *OwnRoles) Scan(v any) error { return scan(v, o) }

// Rules are a commission's own, in one order.
type Rules []access.Rule

// Scan reads them from JSON.
func (r *Rules) Scan(v any) error { return scan(v, r) }

func scan(v, into any) error {
	text, ok := v.([]byte)
	if !ok {
		return fmt.Errorf("rights: %T is read from JSON, and comes as %T", into, v)
	}
	return json.Unmarshal(text, into)
}

// Find is one of them.
func (o OwnRoles) Find(role string) (OwnRole, bool) {
	i := slices.IndexFunc(o, func(r OwnRole) bool { return r.Role == role })
	if i < 0 {
		return OwnRole{}, false
	}
	return o[i], true
}

// Holder is somebody who holds a role of the commission's own, by a seat.
type Holder struct {
	Seat         uuid.UUID `db:"seat_id" json:"seat"`
	Person       uuid.UUID `db:"person_id" json:"person"`
	Name         string    `db:"name" json:"name"`
	SeatRole     string    `db:"seat_role" json:"seat_role"`
	Organization *string   `db:"organization" json:"organization,omitempty"`
	Since        time.Time `db:"since" json:"since"`
	Suspended    bool      `db:"suspended" json:"suspended" doc:"The seat is: it gives nothing as long as it is."`
}

// Own is a role with what it gives and how many hold it.
type Own struct {
	OwnRole
	Gives   []access.Question `json:"gives"`
	Persons int               `json:"persons"`
}

// Naming is what is said of a role; what is nil stays.
type Naming struct {
	Name, Purpose *string
	Version       int // that the change was made from; of no meaning in AddRole
}

func (n Naming) apply(r OwnRole) (OwnRole, error) {
	var f problem.Fields
	if n.Name != nil {
		r.Name = *n.Name
	}
	check.Line(&f, "name", &r.Name, 2, 40)
	if n.Purpose != nil {
		r.Purpose = *n.Purpose
	}
	check.Text(&f, "purpose", &r.Purpose, 0, 500)
	return r, f.Err()
}

// Roles are those of the commission's own.
func (s *Service) Roles(ctx context.Context, who access.Actor, slug string) (Home, []Own, error) {
	h, _, err := s.home(ctx, who, slug, "read")
	if err != nil {
		return h, nil, err
	}
	list, err := s.own(ctx, h)
	return h, list, err
}

func (s *Service) own(ctx context.Context, h Home) ([]Own, error) {
	sets, err := setsOf(ctx, s.db, h.ID, journal.Now(ctx))
	if err != nil {
		return nil, err
	}
	list := []Own{}
	for _, r := range h.Own {
		o := Own{OwnRole: r, Gives: given(h.Rules, r.Role)}
		for _, set := range sets {
			if set.holds(r.Role) {
				o.Persons += set.Persons
			}
		}
		list = append(list, o)
	}
	return list, nil
}

// given is what rules allow for a role of the commission's own.
func given(rules []access.Rule, role string) []access.Question {
	list := []access.Question{}
	for _, r := range rules {
		if r.Role == role && r.Effect == access.Allow {
			list = append(list, access.Question{Object: r.Object, Action: r.Action})
		}
	}
	return list
}

// Role reads one with a page of its holders.
func (s *Service) Role(ctx context.Context, who access.Actor, slug, role string, page keyset.Page) (Home, Own, []Holder, string, error) {
	h, _, err := s.home(ctx, who, slug, "read")
	if err != nil {
		return h, Own{}, nil, "", err
	}
	r, ok := h.Own.Find(role)
	if !ok {
		return h, Own{}, nil, "", access.ErrNotFound
	}
	list, err := s.own(ctx, h)
	if err != nil {
		return h, Own{}, nil, "", err
	}
	holders, err := holdersOf(ctx, s.db, h.ID, role, page, journal.Now(ctx))
	if err != nil {
		return h, Own{}, nil, "", err
	}
	holders, next := keyset.Cut(page, holders, func(o Holder) []string { return []string{o.Name, o.Seat.String()} })
	return h, list[slices.Index(h.Own, r)], holders, next, nil
}

// MostCandidates is how many seats are offered for a role.
const MostCandidates = 20

// Candidates are seats whose persons do not hold the role yet, by a piece of the name,
// for whoever may give it.
func (s *Service) Candidates(ctx context.Context, who access.Actor, h Home, role, text string) ([]Holder, error) {
	if _, err := s.access.Require(ctx, who, access.Commission(h.ID), "access", "edit"); err != nil {
		return nil, err
	}
	return candidates(ctx, s.db, h.ID, role, text, journal.Now(ctx))
}

// AddRole makes one. It gives nothing until rules say so.
func (s *Service) AddRole(ctx context.Context, who access.Actor, slug string, n Naming) (Home, OwnRole, error) {
	h, permit, err := s.home(ctx, who, slug, "edit")
	if err != nil {
		return h, OwnRole{}, err
	}
	r, err := n.apply(OwnRole{Version: 1})
	if err != nil {
		return h, r, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		r.CreatedAt = tx.Now
		if r.Role, err = insertRole(ctx, tx, h.ID, r); err != nil {
			return err
		}
		return tx.Record(h.RulesID(), journal.Say("Made the role “%s”", r.Name).Changed(nil, r))
	})
	return h, r, named(err, r)
}

// named says of a name that is taken where it stands.
func named(err error, r OwnRole) error {
	if postgres.Constraint(err) == "commission_role_name" {
		return problem.Field("name", "There is a role “%s” already.", r.Name)
	}
	return err
}

// EditRole names one anew. What it gives is changed in the matrix.
func (s *Service) EditRole(ctx context.Context, who access.Actor, slug, role string, n Naming) (Home, OwnRole, error) {
	h, permit, err := s.home(ctx, who, slug, "edit")
	if err != nil {
		return h, OwnRole{}, err
	}
	before, ok := h.Own.Find(role)
	if !ok {
		return h, OwnRole{}, access.ErrNotFound
	}
	r, err := n.apply(before)
	if err != nil {
		return h, r, err
	}
	r.Version = n.Version + 1
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := postgres.ExecOne(ctx, tx, errStale, `UPDATE commission_role SET name = $4, purpose = $5, version = version + 1 WHERE commission_id = $1 AND slot = $2 AND version = $3`,
			h.ID, role, n.Version, r.Name, r.Purpose); err != nil {
			return err
		}
		return tx.Record(h.RulesID(), journal.Say("Changed the role “%s”", r.Name).Changed(before, r))
	})
	return h, r, named(err, r)
}

// RemoveRole takes one away from all who hold it, with the rules about it.
func (s *Service) RemoveRole(ctx context.Context, who access.Actor, slug, role string, version int) (Home, error) {
	h, permit, err := s.home(ctx, who, slug, "edit")
	if err != nil {
		return h, err
	}
	r, ok := h.Own.Find(role)
	if !ok {
		return h, access.ErrNotFound
	}
	return h, journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		rules, err := rulesOf(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		if _, err := lock(ctx, tx, h.ID); err != nil {
			return err
		}
		holders, err := postgres.One[int](ctx, tx, nil, `SELECT count(*) FROM commission_role_holder WHERE commission_id = $1 AND slot = $2`, h.ID, role)
		if err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, errStale, `DELETE FROM commission_role WHERE commission_id = $1 AND slot = $2 AND version = $3`, h.ID, role, version); err != nil {
			return err
		}
		return tx.Record(h.RulesID(), journal.Say("Removed the role “%s”", r.Name).Changed(map[string]any{"role": r, "gave": given(rules, role), "seats": holders}, nil))
	})
}

// Give gives a role of the commission's own to the person of a seat. Nobody gives
// what they lack. To give it again changes nothing.
func (s *Service) Give(ctx context.Context, who access.Actor, slug, role string, seat uuid.UUID) (Home, error) {
	h, permit, err := s.home(ctx, who, slug, "edit")
	if err != nil {
		return h, err
	}
	r, ok := h.Own.Find(role)
	if !ok {
		return h, access.ErrNotFound
	}
	return h, unchanged(journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		fresh, err := s.access.ByPerson(ctx, tx, who.ID, tx.Now)
		if err != nil {
			return err
		}
		rules, err := rulesOf(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		for _, q := range given(rules, role) {
			if !s.mayGive(fresh, h, q) {
				return problem.New(problem.Forbidden, "“%s” gives what you lack yourself (%s): only somebody who may can give it to others.", r.Name, Label(q))
			}
		}
		to, err := postgres.One[Subject](ctx, tx, problem.Field("seat", "There is no such seat, or it has ended."), `
			SELECT s.person_id AS id, s.sort_name AS name FROM seat s WHERE s.commission_id = $1 AND s.id = $2 AND s.period @> $3::timestamptz FOR SHARE`, h.ID, seat, tx.Now)
		if err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, errUnchanged, `
			INSERT INTO commission_role_holder (commission_id, slot, seat_id, person_id, since) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (commission_id, slot, seat_id) DO UPDATE SET person_id = $4, since = $5 WHERE commission_role_holder.person_id <> $4`, h.ID, role, seat, to.ID, tx.Now); err != nil {
			return err
		}
		return tx.Record(h.RulesID(), journal.Say("Gave the role “%s” to %s", r.Name, journal.Person(to.ID)).Changed(nil, map[string]any{"role": role, "seat": seat, "person": to.ID}))
	}))
}

// Take takes it away from the person of a seat.
func (s *Service) Take(ctx context.Context, who access.Actor, slug, role string, seat uuid.UUID) (Home, error) {
	h, permit, err := s.home(ctx, who, slug, "edit")
	if err != nil {
		return h, err
	}
	r, ok := h.Own.Find(role)
	if !ok {
		return h, access.ErrNotFound
	}
	return h, unchanged(journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		from, err := postgres.One[Subject](ctx, tx, errUnchanged, `
			DELETE FROM commission_role_holder h USING person p WHERE h.commission_id = $1 AND h.slot = $2 AND h.seat_id = $3 AND p.id = h.person_id RETURNING p.id, p.name`, h.ID, role, seat)
		if err != nil {
			return err
		}
		return tx.Record(h.RulesID(), journal.Say("Took the role “%s” from %s", r.Name, journal.Person(from.ID)).Changed(map[string]any{"role": role, "seat": seat, "person": from.ID}, nil))
	}))
}

// MergeOrganization lets roles of a commission's own go on with the seat that stays
// where a person had the same one for two organizations that have become one.
func (s *Service) MergeOrganization(ctx context.Context, tx *journal.Tx, into uuid.UUID) error {
	kept, err := postgres.All[struct {
		Commission uuid.UUID `db:"commission_id"`
		Role       string    `db:"slot"`
		Name       string    `db:"name"`
		Seat       uuid.UUID `db:"seat_id"`
		Person     uuid.UUID `db:"person_id"`
	}](ctx, tx, `
		WITH kept AS (
		  INSERT INTO commission_role_holder (commission_id, slot, seat_id, person_id, since)
		  SELECT h.commission_id, h.slot, stays.id, h.person_id, h.since
		  FROM seat ended JOIN commission_role_holder h ON h.seat_id = ended.id AND h.person_id = ended.person_id
		  JOIN seat stays ON stays.commission_id = ended.commission_id AND stays.person_id = ended.person_id AND stays.role = ended.role
		  WHERE ended.ended = 'merged' AND upper(ended.period) = $2 AND NOT ended.suspended AND stays.organization_id = $1 AND stays.period @> $2::timestamptz
		  ON CONFLICT DO NOTHING RETURNING commission_id, slot, seat_id, person_id)
		SELECT k.commission_id, k.slot, r.name, k.seat_id, k.person_id FROM kept k JOIN commission_role r USING (commission_id, slot)`, into, tx.Now)
	if err != nil {
		return err
	}
	for _, k := range kept {
		note := journal.Say("Gave the role “%s” to %s", k.Name, journal.Person(k.Person)).Changed(nil, map[string]any{"role": k.Role, "seat": k.Seat, "person": k.Person})
		if err := tx.RecordAs("access", "edit", Home{ID: k.Commission}.RulesID(), note); err != nil {
			return err
		}
	}
	return nil
}

var (
	errStale = problem.New(problem.Stale, "Somebody changed this meanwhile. Look at it again, and make your change once more.")
	// errUnchanged takes a change back that would change nothing: it is no fault.
	errUnchanged = problem.New(problem.Conflict, "It is so already.")
)

func unchanged(err error) error {
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// mayGive is whether the actor may do this, or give back what chairs took from all
// members, themselves among them.
func (s *Service) mayGive(who access.Actor, h Home, q access.Question) bool {
	chair := who.Secretariat() || who.Roles(h.Scope()).Has(access.Chair)
	return s.access.May(who, h.Scope(), q.Object, q.Action) || chair && s.access.MayByDefault(who, h.Scope(), q.Object, q.Action)
}
