// Package home has the front page and the search.
package home

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"commissionportal/internal/document"
	"commissionportal/internal/home"
	"commissionportal/internal/i18n"
	documents "commissionportal/views/document"
	"commissionportal/views/part"
)

// Search is what the search page shows.
type Search struct {
	Query  string
	Kind   string // "" is everything
	By     document.Narrow
	Wrong  string // about the query
	Found  home.Found
	Paging part.Paging
	Link   func(name, value string) string // the search with one thing changed
}

// values are what narrows the search, by name.
func (p Search) values() map[string]string {
	list := map[string]string{"commission": p.By.Commission, "organization": p.By.Organization, "type": p.By.Type, "status": p.By.Status, "language": p.By.Language}
	if p.By.Year != 0 {
		list["year"] = strconv.Itoa(p.By.Year)
	}
	return list
}

var facetNames = []string{"commission", "type", "year", "language", "organization", "status"}

// kept are what stays while the query is typed anew.
func (p Search) kept() [][2]string {
	var list [][2]string
	if p.Kind != "" {
		list = append(list, [2]string{"kind", p.Kind})
	}
	values := p.values()
	for _, name := range facetNames {
		if values[name] != "" {
			list = append(list, [2]string{name, values[name]})
		}
	}
	return list
}

func (p Search) asks(ctx context.Context) string {
	if p.Kind == "document" {
		return i18n.T(ctx, "Words from a document")
	}
	return i18n.T(ctx, "Commission, organization, person or document")
}

var kindsOf = map[string]string{"commission": "Commissions", "organization": "Organizations", "person": "People", "document": "Documents"}

func (p Search) chips(ctx context.Context) []part.Chip {
	var list []part.Chip
	if p.Kind != "" {
		list = append(list, part.Chip{Label: i18n.T(ctx, kindsOf[p.Kind]), Remove: p.Link("kind", "")})
	}
	values := p.values()
	for _, name := range facetNames {
		v := values[name]
		if v == "" {
			continue
		}
		label := document.Value{Value: v, Label: v}
		for _, f := range p.Found.Documents.Facets { // it knows what the thing is called
			for _, known := range f.Values {
				if f.Name == name && known.Value == v && known.Label != "" {
					label = known
				}
			}
		}
		list = append(list, part.Chip{Label: p.valueName(ctx, name, label), Remove: p.Link(name, "")})
	}
	return list
}

// summary says how many were found of each kind, and no more than is known.
func (p Search) summary(ctx context.Context) string {
	if p.Query == "" {
		return ""
	}
	var said []string
	for _, k := range []struct {
		n                   int
		one, other, atLeast string
	}{
		{len(p.Found.Commissions), "%d commission", "%d commissions", "at least %d commissions"},
		{len(p.Found.Organizations), "%d organization", "%d organizations", "at least %d organizations"},
		{len(p.Found.Persons), "%d person", "%d persons", "at least %d persons"},
	} {
		switch {
		case k.n == home.Most:
			said = append(said, i18n.T(ctx, k.atLeast, k.n))
		case k.n > 0:
			said = append(said, i18n.N(ctx, k.n, k.one, k.other))
		}
	}
	switch d := p.Found.Documents; {
	case d.Capped:
		said = append(said, i18n.T(ctx, "More than %s documents. The newest of them are counted and shown, with those that say it in their title.", i18n.Number(ctx, d.Total)))
	case d.Total > 0:
		said = append(said, i18n.N(ctx, d.Total, "%d document", "%d documents"))
	}
	if len(said) == 0 {
		return i18n.T(ctx, "Nothing found")
	}
	return strings.Join(said, " · ")
}

// narrows reports whether a facet leaves a choice.
func (p Search) narrows(f document.Facet) bool {
	return len(f.Values) > 0 && p.values()[f.Name] == "" && (len(f.Values) > 1 || f.Name == "commission")
}

func (p Search) facetName(ctx context.Context, name string) string {
	return map[string]string{"commission": i18n.T(ctx, "Commission"), "type": i18n.T(ctx, "Type"), "year": i18n.T(ctx, "Year"), "language": i18n.T(ctx, "Language"),
		"organization": i18n.T(ctx, "Source"), "status": i18n.T(ctx, "Status")}[name]
}

func (p Search) valueName(ctx context.Context, facet string, v document.Value) string {
	switch {
	case facet == "language":
		return i18n.LanguageName(ctx, v.Value)
	case v.Label != "" && (facet == "commission" || facet == "organization"):
		return v.Label
	}
	return documents.Name(ctx, v.Value)
}

func typeName(ctx context.Context, name string) string { return documents.Name(ctx, name) }

// preview is the address of the page of a document where something stands.
func preview(r document.Result) string {
	return fmt.Sprintf("%s/versions/%d/preview?language=%s&page=%d", r.Path(), r.Passage.Version, url.QueryEscape(r.Passage.Language), r.Passage.Page)
}
