package app_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"commissionportal/internal/access"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/rights"
	"commissionportal/internal/web"
)

// doorless are rights that lead nowhere: they decide what pages show.
var doorless = map[string]string{
	"roster read:officers": "who is in the roster", "trace read:names": "who is in the trace",
	"seat appoint":      "which roles the form to appoint offers, whose door is seat edit",
	"commission revive": "it is for commissions that are dormant",
}

// TestGrantedAlone gives a member each right that a commission can give, and follows
// every link that the pages then offer: none is refused, and one leads to what the
// member may do, unless the preview of the rule says what else it takes.
func TestGrantedAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	member := w.Person("Mara Member")
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
		SELECT tstzrange(now() - interval '1 day', NULL), id, $1, $2, 'invited_expert', 'chair' FROM commission WHERE slug = 'grid-storage'`, member.ID, member.Name)
	w.Exec(`UPDATE document SET status = 'withdrawn', status_reason = 'Because', before_withdrawal = 'available', visibility = 'commission', license = '', published_at = NULL WHERE number = 2`)
	waits := apptest.Value[string](w.Portal, `UPDATE document SET review = 'submitted' WHERE id = (SELECT min(id::text)::uuid FROM document WHERE number IS NULL) RETURNING id`)
	routes := w.Web.Routes()
	set := func(effect string, rights ...access.Question) apptest.Reply {
		changes := []map[string]string{}
		for _, q := range rights {
			changes = append(changes, map[string]string{"role": "invited_expert", "object": q.Object, "action": q.Action, "effect": effect})
		}
		shown := w.sam.API("POST", "/commissions/grid-storage/access/preview", map[string]any{"changes": changes}).Want(200)
		at := w.sam.API("GET", "/commissions/grid-storage/access", nil).Want(200).Header.Get("ETag")
		w.sam.API("PATCH", "/commissions/grid-storage/access", map[string]any{"changes": changes}, "If-Match", at).Want(200)
		return shown
	}
	for _, q := range w.Policy.AllChangeable() {
		right := q.Object + " " + q.Action
		if w.Policy.Cell(nil, "invited_expert", q.Object, q.Action).Allowed || doorless[right] != "" {
			continue
		}
		given, idle := []access.Question{q}, strings.Contains(set("allow", q).Body, `"idle":`)
		doors := follow(t, member, routes, right, waits)
		if needed, ok := rights.Needed(q); ok != idle || ok && doors[right] {
			t.Errorf("%s is said to need %v, and has a door alone: %v", right, needed, doors[right])
		}
		for needed, ok := rights.Needed(q); ok; needed, ok = rights.Needed(needed) {
			set("allow", needed)
			given = append(given, needed)
		}
		if len(given) > 1 {
			doors = follow(t, member, routes, right, waits)
		}
		if !doors[right] && level(q) == "" {
			t.Errorf("no page leads to what who may %s may do", right)
		}
		set("inherit", given...)
	}
}

func level(q access.Question) string {
	_, l, _ := strings.Cut(q.Action, ":")
	return l
}

// follow walks the pages of a commission and returns the questions of what they offer.
func follow(t *testing.T, c *apptest.Client, routes []web.Route, right, waits string) (doors map[string]bool) {
	t.Helper()
	asked, pages := map[string]bool{}, []string{"/commissions/grid-storage", "/documents/GRID-STORAGE-N0002"}
	if c.Get("/documents/"+waits).Status == 200 {
		pages = append(pages, "/documents/"+waits)
	}
	doors = map[string]bool{}
	for len(pages) > 0 {
		from := pages[0]
		pages = pages[1:]
		got := c.Get(from)
		if refused(got) {
			t.Errorf("who may %s is led to %s: %d", right, from, got.Status)
			continue
		}
		offers(got.Body, func(method, to string) {
			if r, ok := leads(routes, method, to); ok && r.Kind == access.CommissionKind && r.Operation != "document.bulk.preview" { // that form leads elsewhere
				doors[r.Object+" "+r.Action] = true
			}
		})
		for _, m := range links.FindAllStringSubmatch(got.Body, -1) {
			to := html.UnescapeString(m[1])
			path, _, _ := strings.Cut(to, "?")
			if r, ok := leads(routes, "GET", path); ok && r.Kind == access.CommissionKind && strings.HasPrefix(path, "/") && !asked[r.Path] {
				asked[r.Path] = true
				pages = append(pages, to)
			}
		}
	}
	return doors
}

var links = regexp.MustCompile(`<a\b[^>]*href="(/[^"#]*)`)
