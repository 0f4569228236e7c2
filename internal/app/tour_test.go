package app_test

import (
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
)

// TestTour looks at every page that has no parameter, as the secretariat, and as a
// visitor where a visitor reads something else.
func TestTour(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	sam, visitor := p.Secretariat(), p.Visitor()
	staff, public := sam.Browser(), visitor.Browser()
	looked := 0
	for _, r := range p.Web.Routes() {
		if r.Method != "GET" || strings.ContainsAny(r.Path, ":*") {
			continue
		}
		name := strings.ReplaceAll(r.Path, "/", "-")
		theirs := content(sam, r.Path)
		if theirs != "" {
			looked++
			staff.Open(r.Path)
			staff.Look("secretariat" + name)
		}
		if read := content(visitor, r.Path); read != "" && read != theirs {
			looked++
			public.Open(r.Path)
			public.Look("visitor" + name)
		}
	}
	if looked < 25 {
		t.Errorf("only %d pages: the tour went elsewhere", looked)
	}
}

// content is what a page has between its header and its footer; "" if the path
// does not answer with a whole page.
func content(c *apptest.Client, path string) string {
	r := c.Get(path)
	from, to := strings.Index(r.Body, "<main"), strings.Index(r.Body, "</main>")
	if r.Status != 200 || from < 0 || to < from {
		return ""
	}
	return r.Body[from:to]
}
