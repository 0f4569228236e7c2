package commission

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/kept"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
	"commissionportal/internal/slug"
)

// Sector is a branch of the economy in the convention's program. Its slug stays
// when it gets another name.
type Sector struct {
	ID       uuid.UUID `db:"id" json:"-"`
	Slug     string    `db:"slug" json:"slug"`
	Name     string    `db:"name" json:"name"`
	About    string    `db:"about" json:"about"`
	Position int       `db:"position" json:"position" doc:"Its place in the program."`
	Closed   bool      `db:"closed" json:"closed" doc:"No new commission may be founded in it."`
	Version  int       `db:"version" json:"version"`
	// Counts, at most half a minute old.
	Commissions   int `db:"commissions" json:"commissions" doc:"Those that have not ended."`
	Organizations int `db:"organizations" json:"organizations" doc:"Those that take part in its commissions."`
}

// Path is the address of its page.
func (s Sector) Path() string { return "/sectors/" + s.Slug }

const sectorColumns = `s.id, s.slug, s.name, s.about, s.position, s.closed, s.version`

// counts keeps what is counted over much: the counts of the sectors, which stand on every
// list of commissions, the numbers of each, and the membership of large commissions.
type counts struct {
	list       *kept.Values[struct{}, map[uuid.UUID]sectorCount]
	numbers    *kept.Values[uuid.UUID, SectorNumbers] // by sector
	membership *kept.Values[uuid.UUID, Membership]    // by commission
}

type sectorCount struct {
	ID            uuid.UUID `db:"id"`
	Commissions   int       `db:"commissions"`
	Organizations int       `db:"organizations"`
}

func newCounts(db *postgres.DB) *counts {
	return &counts{kept.New[struct{}, map[uuid.UUID]sectorCount](db, keepCounts, "commission", "participation", "sector"),
		kept.New[uuid.UUID, SectorNumbers](db, keepCounts, "commission", "organization", "participation", "seat"),
		kept.New[uuid.UUID, Membership](db, keepCounts, "organization", "participation", "seat")}
}

// keepCounts is how long counts may be shown at most after a change; what this process writes of sectors it counts anew.
const keepCounts = 30 * time.Second

func (c *counts) forget() {
	c.list.Forget()
	c.numbers.Forget()
}

// Sectors are all sectors in the order of the program, with counts; a few
// dozen at most.
func (s *Service) Sectors(ctx context.Context, who access.Actor) ([]Sector, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "sector", "read"); err != nil {
		return nil, err
	}
	sectors, err := postgres.All[Sector](ctx, s.db, `SELECT `+sectorColumns+` FROM sector s ORDER BY s.position, s.name LIMIT 200`)
	if err != nil {
		return nil, err
	}
	now := journal.Now(ctx)
	counts, err := s.counts.list.Get(ctx, now, struct{}{}, func(ctx context.Context) (map[uuid.UUID]sectorCount, error) {
		list, err := postgres.All[sectorCount](ctx, s.db, `
			SELECT s.id, coalesce(c.n, 0) AS commissions, coalesce(o.n, 0) AS organizations
			FROM sector s
			LEFT JOIN (SELECT sector_id, count(*) AS n FROM commission WHERE state NOT IN ('concluded', 'abandoned') GROUP BY sector_id) c ON c.sector_id = s.id
			LEFT JOIN (SELECT sector_id, count(*) AS n FROM (
			             SELECT DISTINCT c.sector_id, p.organization_id FROM participation p JOIN commission c ON c.id = p.commission_id
			             WHERE p.period @> $1::timestamptz) x GROUP BY sector_id) o ON o.sector_id = s.id`, now)
		counts := make(map[uuid.UUID]sectorCount, len(list))
		for _, c := range list {
			counts[c.ID] = c
		}
		return counts, err
	})
	for i, s := range sectors {
		sectors[i].Commissions, sectors[i].Organizations = counts[s.ID].Commissions, counts[s.ID].Organizations
	}
	return sectors, err
}

// SectorNumbers are what the page of a sector shows in pictures.
type SectorNumbers struct {
	States        map[string]int `json:"states"`    // commissions
	Countries     map[string]int `json:"countries"` // organizations that take part
	Kinds         map[string]int `json:"kinds"`     // of organizations
	Organizations int            `json:"organizations"`
	Seats         int            `json:"seats"`
}

// Sector reads one sector.
func (s *Service) Sector(ctx context.Context, who access.Actor, slug string) (Sector, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "sector", "read"); err != nil {
		return Sector{}, err
	}
	return sectorBySlug(ctx, s.db, slug)
}

func sectorBySlug(ctx context.Context, q postgres.Q, slug string) (Sector, error) {
	return postgres.One[Sector](ctx, q, access.ErrNotFound, `SELECT `+sectorColumns+` FROM sector s WHERE s.slug = $1`, slug)
}

// Numbers counts what is in a sector; they are at most half a minute old.
func (s *Service) Numbers(ctx context.Context, who access.Actor, sector Sector) (SectorNumbers, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "sector", "read"); err != nil {
		return SectorNumbers{}, err
	}
	now := journal.Now(ctx)
	return s.counts.numbers.Get(ctx, now, sector.ID, func(ctx context.Context) (SectorNumbers, error) {
		return oneJSON[SectorNumbers](ctx, s.db, `
			WITH c AS (SELECT id, state FROM commission WHERE sector_id = $1),
			     o AS (SELECT id, country, kind FROM organization WHERE state = 'member' AND id IN (
			             SELECT p.organization_id FROM participation p JOIN c ON c.id = p.commission_id WHERE p.period @> $2::timestamptz))
			SELECT json_build_object(
			  'states', (SELECT coalesce(json_object_agg(state, n), '{}') FROM (SELECT state, count(*) AS n FROM c GROUP BY state) x),
			  'countries', (SELECT coalesce(json_object_agg(country, n), '{}') FROM (SELECT country, count(*) AS n FROM o WHERE country IS NOT NULL GROUP BY country) x),
			  'kinds', (SELECT coalesce(json_object_agg(kind, n), '{}') FROM (SELECT kind, count(*) AS n FROM o GROUP BY kind) x),
			  'organizations', (SELECT count(*) FROM o),
			  'seats', (SELECT count(*) FROM seat t JOIN c ON c.id = t.commission_id WHERE t.period @> $2::timestamptz))::text`, sector.ID, now)
	})
}

// SectorEdit is what is said of a sector; what is nil stays.
type SectorEdit struct {
	Name, About *string
	Position    *int
	Closed      *bool
	Version     int // that the change was made from; of no meaning in AddSector
}

func (e SectorEdit) apply(s Sector) (Sector, error) {
	var f problem.Fields
	set(&s.Name, e.Name)
	set(&s.About, e.About)
	check.Line(&f, "name", &s.Name, 2, 100)
	check.Text(&f, "about", &s.About, 0, 2000)
	if e.Position != nil {
		s.Position = *e.Position
	}
	if s.Position < 0 || s.Position > 1000 {
		f.Add("position", "Give a whole number from %d to %d.", 0, 1000)
	}
	if e.Closed != nil {
		s.Closed = *e.Closed
	}
	return s, f.Err()
}

// AddSector adds one to the program.
func (s *Service) AddSector(ctx context.Context, who access.Actor, e SectorEdit) (Sector, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "sector", "edit")
	if err != nil {
		return Sector{}, err
	}
	sector, err := e.apply(Sector{ID: uuid.Must(uuid.NewV7()), Version: 1})
	if err != nil {
		return sector, err
	}
	if sector.Slug = slug.Make(sector.Name); sector.Slug == "" || sector.Slug == "new" {
		return sector, problem.Field("name", "Choose a name with a few letters from A to Z: its address is made of them.")
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO sector (id, slug, name, about, position, closed) VALUES ($1, $2, $3, $4, $5, $6)`,
			sector.ID, sector.Slug, sector.Name, sector.About, sector.Position, sector.Closed); err != nil {
			return err
		}
		return tx.Record(sector.ID, journal.Say("Added the sector %s", sector.Name))
	})
	s.counts.forget()
	return sector, constraint(err)
}

// EditSector changes one: its name, its text, its place, whether it is closed.
func (s *Service) EditSector(ctx context.Context, who access.Actor, slug string, e SectorEdit) (Sector, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "sector", "edit")
	if err != nil {
		return Sector{}, err
	}
	before, err := sectorBySlug(ctx, s.db, slug)
	if err != nil {
		return before, err
	}
	sector, err := e.apply(before)
	if err != nil {
		return before, err
	}
	sector.Version = e.Version + 1
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := postgres.ExecOne(ctx, tx, errStale, `UPDATE sector SET name = $3, about = $4, position = $5, closed = $6, version = version + 1 WHERE id = $1 AND version = $2`,
			sector.ID, e.Version, sector.Name, sector.About, sector.Position, sector.Closed); err != nil {
			return err
		}
		return tx.Record(sector.ID, journal.Say("Changed the sector %s", sector.Name).Changed(before, sector))
	})
	s.counts.forget()
	return sector, constraint(err)
}

// Live is how many commissions have not ended.
func (n SectorNumbers) Live() int {
	return n.States[Proposed] + n.States[Forming] + n.States[Active] + n.States[Dormant]
}
