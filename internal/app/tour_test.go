package app_test

import (
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
)

// TestTour opens every page that has no parameter, as the secretariat and as a
// visitor, in both themes and on a phone: axe finds nothing, nothing is wider
// than the window. With LOOK set it takes pictures under var/shots.
func TestTour(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	sam := p.Secretariat()
	for who, client := range map[string]*apptest.Client{"visitor": p.Visitor(), "secretariat": sam} {
		tab := client.Browser()
		for _, r := range p.Web.Routes() {
			if r.Method != "GET" || strings.ContainsAny(r.Path, ":*") || !page(client, r.Path) {
				continue
			}
			tab.Open(r.Path)
			tab.Look(who + strings.ReplaceAll(r.Path, "/", "-"))
		}
	}
}

// page reports whether a path answers with a whole page.
func page(c *apptest.Client, path string) bool {
	r := c.Get(path)
	return r.Status == 200 && strings.Contains(r.Body, "<html")
}
