// Package commission has the pages of commissions.
package commission

import (
	"context"

	"commissionportal/internal/commission"
	"commissionportal/internal/i18n"
	"commissionportal/views/part"
)

// Names are what the words of a commission are called on a page.
var names = map[string]string{
	commission.Standing: "Commission", commission.Subcommission: "Subcommission",
	commission.WorkingGroup: "Working group", commission.TaskForce: "Task force",
	commission.Proposed: "Proposed", commission.Forming: "Forming", commission.Active: "Active",
	commission.Dormant: "Dormant", commission.Concluded: "Concluded", commission.Abandoned: "Abandoned",
}

// Name is the word in the reader's language.
func Name(ctx context.Context, word string) string {
	if n, ok := names[word]; ok {
		return i18n.T(ctx, n)
	}
	return word
}

// options are words to choose from.
func options(ctx context.Context, words []string) []part.Option {
	list := make([]part.Option, len(words))
	for i, w := range words {
		list[i] = part.Option{Value: w, Label: Name(ctx, w)}
	}
	return list
}

// Sectors as options.
func sectorOptions(sectors []commission.Sector) []part.Option {
	list := make([]part.Option, len(sectors))
	for i, s := range sectors {
		list[i] = part.Option{Value: s.Slug, Label: s.Name}
	}
	return list
}

// Show is what the page of a commission shows.
type Show struct {
	Commission commission.Commission
	Tabs       []part.Tab
}

// List is what the list of commissions shows.
type List struct {
	Rows    []commission.Row
	Filter  commission.Filter
	Sectors []commission.Sector
	Paging  part.Paging
	Propose bool // the reader may propose one
}

// Propose is what the form for a new commission shows.
type Propose struct {
	Draft   commission.Draft
	Sectors []commission.Sector
	Errors  map[string]string
	Key     string
}

func (p Propose) field(ctx context.Context, name, label, value string) part.Field {
	return part.Field{Name: name, Label: i18n.T(ctx, label), Value: value, Error: p.Errors[name], Required: true}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
