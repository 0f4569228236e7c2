// Package home is the portal's front page and its search: what the world sees of
// all commissions, organizations and people together. It reads and never writes.
package home

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/document"
	"commissionportal/internal/journal"
	"commissionportal/internal/kept"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Service has the operations of the front page and the search.
type Service struct {
	db        *postgres.DB
	access    *access.Policy
	documents *document.Service

	front *kept.Values[struct{}, Front]
}

// New makes the service.
func New(db *postgres.DB, policy *access.Policy, documents *document.Service) *Service {
	return &Service{db: db, access: policy, documents: documents, front: kept.New[struct{}, Front](db, keep, "commission", "organization", "person", "seat", "sector", "support")}
}

// keep is how long the front page may be shown at most after a change: its numbers are
// counted over everything there is, and the same for every reader.
const keep = 10 * time.Second

// Front is what the front page shows.
type Front struct {
	Commissions   int            `json:"commissions" doc:"Those that have not ended."`
	Organizations int            `json:"organizations"`
	Seats         int            `json:"seats"`
	Sectors       []Sector       `json:"sectors"`
	Countries     map[string]int `json:"countries" doc:"Organizations by country."`
	Kinds         []Count        `json:"kinds" doc:"Organizations by kind."`
	Growth        []Month        `json:"growth" doc:"Organizations that are members, at the end of each month."`
	Founding      []Proposal     `json:"founding" doc:"The newest that look for support."`
	Newest        []Newest       `json:"newest" doc:"The last that began their work."`
	ID            string         `json:"-"` // no other has it
}

// Sector is a sector with the number of its commissions.
type Sector struct {
	Slug        string `db:"slug" json:"slug"`
	Name        string `db:"name" json:"name"`
	About       string `db:"about" json:"about"`
	Commissions int    `db:"commissions" json:"commissions"`
}

// Count is a word with a number.
type Count struct {
	Word string `db:"word" json:"word"`
	N    int    `db:"n" json:"n"`
}

// Month is how many there were at the end of a month.
type Month struct {
	At time.Time `db:"at" json:"at"`
	N  int       `db:"n" json:"n"`
}

// Proposal is a commission that looks for support.
type Proposal struct {
	Slug          string  `db:"slug" json:"slug"`
	Name          string  `db:"name" json:"name"`
	Purpose       string  `db:"purpose" json:"purpose"`
	Sector        *string `db:"sector" json:"sector,omitempty"`
	Persons       int     `db:"persons" json:"persons"`
	Organizations int     `db:"organizations" json:"organizations"`
	Countries     int     `db:"countries" json:"countries"`
}

// Newest is a commission that started working lately.
type Newest struct {
	Slug    string    `db:"slug" json:"slug"`
	Name    string    `db:"name" json:"name"`
	Purpose string    `db:"purpose" json:"purpose"`
	Sector  *string   `db:"sector" json:"sector,omitempty"`
	Since   time.Time `db:"state_since" json:"since"`
}

// Front reads the front page; its numbers are a moment old, ten seconds at most if there are many.
func (s *Service) Front(ctx context.Context, who access.Actor) (Front, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "home", "read"); err != nil {
		return Front{}, err
	}
	now := journal.Now(ctx)
	return s.front.Get(ctx, now, struct{}{}, func(ctx context.Context) (Front, error) { return front(ctx, s.db, now) })
}

// Found is what a search found: a few of each kind of thing, best first.
type Found struct {
	Commissions   []FoundCommission   `json:"commissions"`
	Organizations []FoundOrganization `json:"organizations"`
	Persons       []FoundPerson       `json:"persons"`
	Documents     document.Results    `json:"documents"`
}

// Len is how many things were found.
func (f Found) Len() int {
	return len(f.Commissions) + len(f.Organizations) + len(f.Persons) + len(f.Documents.Items)
}

// FoundCommission is a commission that a search found.
type FoundCommission struct {
	Slug    string  `db:"slug" json:"slug"`
	Acronym string  `db:"acronym" json:"acronym"`
	Name    string  `db:"name" json:"name"`
	State   string  `db:"state" json:"state"`
	Sector  *string `db:"sector" json:"sector,omitempty"`
}

// FoundOrganization is an organization that a search found.
type FoundOrganization struct {
	Slug    string  `db:"slug" json:"slug"`
	Name    string  `db:"name" json:"name"`
	Kind    string  `db:"kind" json:"kind"`
	Country *string `db:"country" json:"country,omitempty"`
}

// FoundPerson is a person that a search found and the reader may see.
type FoundPerson struct {
	ID      uuid.UUID `db:"id" json:"id"`
	Name    string    `db:"name" json:"name"`
	Country *string   `db:"country" json:"country,omitempty"`
}

// Most is how many of each kind a search shows, but for documents.
const Most = 20

// Kinds of thing that a search finds.
var Kinds = []string{"commission", "organization", "person", "document"}

// Search finds commissions, organizations and persons by name, forgiving a typo,
// and documents by what they say; all of them, or one kind. A person is found by
// who may see them on a roster. page and by are about documents.
func (s *Service) Search(ctx context.Context, who access.Actor, query, kind string, by document.Narrow, page keyset.Page) (Found, error) {
	f := Found{Commissions: []FoundCommission{}, Organizations: []FoundOrganization{}, Persons: []FoundPerson{},
		Documents: document.Results{Items: []document.Result{}, Facets: []document.Facet{}}}
	if _, err := s.access.Require(ctx, who, access.Portal, "search", "read"); err != nil {
		return f, err
	}
	var p problem.Fields
	if kind != "" {
		check.OneOf(&p, "kind", kind, Kinds...)
	}
	query = strings.Join(strings.Fields(query), " ") + strings.Repeat(" ", min(1, len(query)-len(strings.TrimRight(query, " ")))) // a word that has ended
	switch n := utf8.RuneCountInString(query); {
	case n > 200:
		p.Add("q", "Use at most %d characters; these are %d.", 200, n)
		fallthrough
	case strings.TrimSpace(query) == "":
		return f, p.Err()
	}
	if err := p.Err(); err != nil {
		return f, err
	}
	name := strings.TrimSpace(query)
	var err error
	if kind == "" || kind == "commission" {
		if f.Commissions, err = findCommissions(ctx, s.db, name); err != nil {
			return f, err
		}
	}
	if kind == "" || kind == "organization" {
		if f.Organizations, err = findOrganizations(ctx, s.db, name); err != nil {
			return f, err
		}
	}
	if kind == "" || kind == "person" {
		if f.Persons, err = findPersons(ctx, s.db, access.See(ctx, who), name, journal.Now(ctx)); err != nil {
			return f, err
		}
	}
	if kind == "" || kind == "document" {
		f.Documents, err = s.documents.Search(ctx, who, query, by, page)
	}
	return f, err
}
