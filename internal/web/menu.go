package web

import (
	"context"
	"net/url"
	"sort"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/views/layout"
	"commissionportal/views/part"
)

// Tab is one of the pages of a thing, such as a commission. Capabilities add
// theirs beside their routes, so that a later one appears without a change to
// the page it appears on.
type Tab struct {
	Label string // an English text of the catalog
	Path  string // below the thing's own path; "" for its first page
	Need  Need   // whom it is shown to; Open for everybody who sees the thing
	Or    Need   // who else it is shown to, if anybody
	Order int
}

// AddTab adds a page to the tabs of a kind of thing.
func (s *Server) AddTab(of string, t Tab) {
	if s.tabs == nil {
		s.tabs = map[string][]Tab{}
	}
	s.tabs[of] = append(s.tabs[of], t)
	sort.SliceStable(s.tabs[of], func(i, j int) bool { return s.tabs[of][i].Order < s.tabs[of][j].Order })
}

// Tabs are the tabs of the thing at base that the actor is shown; current is the
// Path of the one that is open.
func (s *Server) Tabs(ctx context.Context, of, base string, scope access.Scope, current string) []part.Tab {
	who := access.From(ctx)
	may := func(n Need) bool { return s.Policy.May(who, scope, n.Object, n.Action) }
	tabs := make([]part.Tab, 0, len(s.tabs[of]))
	for _, t := range s.tabs[of] {
		if t.Need != Open && !may(t.Need) && !may(t.Or) {
			continue
		}
		tabs = append(tabs, part.Tab{Label: i18n.T(ctx, t.Label), Path: base + t.Path, Active: t.Path == current})
	}
	return tabs
}

// AddEntry adds a line to the main menu.
func (s *Server) AddEntry(label, path string) {
	s.Menu = append(s.Menu, layout.Entry{Label: label, Path: path})
}

// Query is path with those of the name, value pairs that have a value.
func Query(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
