package organization

import (
	"context"
	"sync"
	"time"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// Counts are the numbers beside a list: how many there are by country, kind and
// category. Each is under all filters but its own, so that it shows what choosing
// another would give.
type Counts struct {
	Total      int            `json:"total"`
	Countries  map[string]int `json:"countries" doc:"By ISO 3166 alpha-2."`
	Kinds      map[string]int `json:"kinds"`
	Categories map[string]int `json:"categories"`
}

// cell is how many have a country, a kind and a category in common.
type cell struct {
	Country  *string `db:"country"`
	Kind     string  `db:"kind"`
	Category string  `db:"category"`
	N        int     `db:"n"`
}

// count sums the cells under f.
func count(cells []cell, f Filter) Counts {
	c := Counts{Countries: map[string]int{}, Kinds: map[string]int{}, Categories: map[string]int{}}
	for _, x := range cells {
		home := ""
		if x.Country != nil {
			home = *x.Country
		}
		country, kind, category := f.Country == "" || f.Country == home, f.Kind == "" || f.Kind == x.Kind, f.Category == "" || f.Category == x.Category
		if kind && category && home != "" {
			c.Countries[home] += x.N
		}
		if country && category {
			c.Kinds[x.Kind] += x.N
		}
		if country && kind {
			c.Categories[x.Category] += x.N
		}
		if country && kind && category {
			c.Total += x.N
		}
	}
	return c
}

// counts keeps the cells of a sector (or of all) for a moment: they are counted
// over every organization, and are the same for every reader.
type counts struct {
	mu      sync.Mutex
	kept    map[string]keptCells
	sectors []Sector
	until   time.Time // of sectors
}

type keptCells struct {
	cells []cell
	until time.Time
}

// keepCounts is how old the numbers beside a list may be.
const keepCounts = 10 * time.Second

func (c *counts) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = nil
}

func (c *counts) find(sector string, now time.Time) ([]cell, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[sector]
	return k.cells, ok && now.Before(k.until) && now.After(k.until.Add(-2*keepCounts))
}

func (c *counts) keep(sector string, cells []cell, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) > 200 {
		c.kept = map[string]keptCells{}
	}
	c.kept[sector] = keptCells{cells, now.Add(keepCounts)}
}

// Counts are the numbers beside List, at most ten seconds old.
func (s *Service) Counts(ctx context.Context, who access.Actor, f Filter) (Counts, error) {
	if err := s.mayList(ctx, who, &f); err != nil {
		return Counts{}, err
	}
	now := journal.Now(ctx)
	common := f.Query == "" && (f.State == "" || f.State == Member)
	if common {
		if cells, ok := s.counts.find(f.Sector, now); ok {
			return count(cells, f), nil
		}
	}
	w := Filter{Query: f.Query, Sector: f.Sector, State: f.State}.where(now)
	cells, err := postgres.All[cell](ctx, s.db, `SELECT country, kind, category, count(*) AS n FROM organization WHERE `+w.SQL()+` GROUP BY country, kind, category`, w.Args()...)
	if err != nil {
		return Counts{}, err
	}
	if common {
		s.counts.keep(f.Sector, cells, now)
	}
	return count(cells, f), nil
}

// Sector is a sector of the economy, to filter by.
type Sector struct {
	Slug string `db:"slug"`
	Name string `db:"name"`
}

// Sectors are those that a list can be filtered by, at most ten seconds old.
func (s *Service) Sectors(ctx context.Context, who access.Actor) ([]Sector, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "sector", "read"); err != nil {
		return nil, err
	}
	c, now := &s.counts, journal.Now(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.until) && now.After(c.until.Add(-2*keepCounts)) {
		return c.sectors, nil
	}
	sectors, err := postgres.All[Sector](ctx, s.db, `SELECT slug, name FROM sector ORDER BY position, name LIMIT 200`)
	if err == nil {
		c.sectors, c.until = sectors, now.Add(keepCounts)
	}
	return sectors, err
}
