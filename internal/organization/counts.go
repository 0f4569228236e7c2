package organization

import (
	"context"
	"sync"
	"time"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/kept"
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

// counted are the cells of a sector (or of all), and what they come to under the filters
// that were asked for: summing them takes longer than reading a page of the list.
type counted struct {
	cells []cell

	mu   sync.Mutex
	sums map[Filter]Counts
}

const mostSums = 256

func (c *counted) under(f Filter) Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	sum, ok := c.sums[f]
	if !ok {
		sum = count(c.cells, f)
		if len(c.sums) < mostSums {
			c.sums[f] = sum
		}
	}
	return sum
}

// counts keeps what is counted, by sector, and the sectors: it is counted over every
// organization, and the same for every reader.
type counts struct {
	of      *kept.Values[string, *counted]
	sectors *kept.Values[struct{}, []Sector]
}

func newCounts(db *postgres.DB) *counts {
	return &counts{kept.New[string, *counted](db, keepCounts, "commission", "organization", "participation", "sector"), kept.New[struct{}, []Sector](db, keepCounts, "sector")}
}

// keepCounts is how long the numbers beside a list may be shown at most after a change.
const keepCounts = 10 * time.Second

// Counts are the numbers beside List, a moment old, twenty seconds at most. They are
// shared by all who ask: nobody may write into them.
func (s *Service) Counts(ctx context.Context, who access.Actor, f Filter) (Counts, error) {
	if err := s.mayList(ctx, who, &f); err != nil {
		return Counts{}, err
	}
	now := journal.Now(ctx)
	find := func(ctx context.Context) ([]cell, error) {
		w := Filter{Query: f.Query, Sector: f.Sector, State: f.State}.where(now)
		return postgres.All[cell](ctx, s.db, `SELECT country, kind, category, count(*) AS n FROM organization WHERE `+w.SQL()+` GROUP BY country, kind, category`, w.Args()...)
	}
	if f.Query != "" || f.State != "" && f.State != Member {
		cells, err := find(postgres.Fresh(ctx))
		return count(cells, f), err
	}
	of, err := s.counts.of.Get(ctx, now, f.Sector, func(ctx context.Context) (*counted, error) {
		cells, err := find(ctx)
		return &counted{cells: cells, sums: map[Filter]Counts{}}, err
	})
	if err != nil {
		return Counts{}, err
	}
	return of.under(f), nil
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
	return s.counts.sectors.Get(ctx, journal.Now(ctx), struct{}{}, func(ctx context.Context) ([]Sector, error) {
		return postgres.All[Sector](ctx, s.db, `SELECT slug, name FROM sector ORDER BY position, name LIMIT 200`)
	})
}
