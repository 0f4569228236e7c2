package app_test

import (
	"os"
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
			tour(t, tab, r.Path, who)
		}
	}
}

// page reports whether a path answers with a whole page.
func page(c *apptest.Client, path string) bool {
	r := c.Get(path)
	return r.Status == 200 && strings.Contains(r.Body, "<html")
}

func tour(t *testing.T, tab *apptest.Tab, path, who string) {
	t.Helper()
	tab.SetWidth(1280)
	tab.Open(path)
	for _, dark := range []bool{false, true} {
		for _, width := range []int{1280, 360} {
			tab.SetDark(dark)
			tab.SetWidth(width)
			if dark == (width == 360) { // two of the four are enough for axe: light and wide, dark and narrow
				if found := tab.Axe(); found != "" {
					t.Errorf("%s as %s, %d wide, dark %v:\n%s", path, who, width, dark, found)
				}
			}
			if tab.Overflows() {
				t.Errorf("%s as %s is wider than %d", path, who, width)
			}
			if os.Getenv("LOOK") != "" {
				name := who + strings.ReplaceAll(path, "/", "-")
				if dark {
					name += "-dark"
				}
				tab.Screenshot(name, width, dark)
			}
		}
	}
}
