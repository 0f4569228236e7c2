package app_test

import (
	"maps"
	"os"
	"slices"
	"testing"
)

// TestCostOfEverything counts the statements of every page and of everything
// that the API can be asked for, for somebody who may see all of it: never more
// than costs says, with 3 rows of each kind and with 50, so that nothing runs in
// a loop. A route that is not in the table fails: count it (COSTS=1 prints the
// table), and think about the number.
func TestCostOfEverything(t *testing.T) {
	t.Parallel()
	few, many := count(t, 3), count(t, 50)
	for _, path := range slices.Sorted(maps.Keys(few)) {
		if most, ok := costs[path]; !ok || max(few[path], many[path]) > most {
			t.Errorf("%s costs %d statements with few rows and %d with many, want at most %d (in the table: %v)", path, few[path], many[path], most, ok)
		}
	}
	for path := range costs {
		if _, ok := few[path]; !ok {
			t.Errorf("%s is in the table and not there", path)
		}
	}
	if os.Getenv("COSTS") != "" { // the table anew
		for _, path := range slices.Sorted(maps.Keys(few)) {
			t.Logf("\t%q: %d,", path, max(few[path], many[path]))
		}
	}
}

func count(t *testing.T, n int) map[string]int {
	t.Helper()
	w := newWorld(t, n)
	costs := map[string]int{}
	for _, r := range w.Web.Routes() {
		if r.Method != "GET" || r.Live { // what goes on for ever has no sum
			continue
		}
		path := w.path(t, r) + asked[r.Path]
		costs[r.Path] = 100
		for range 2 { // some numbers are kept for half a minute, and a job may run meanwhile
			costs[r.Path] = min(costs[r.Path], w.Queries(func() {
				if got := w.sam.Get(path); got.Status >= 400 {
					t.Fatalf("%s: status %d: %.300s", path, got.Status, got.Body)
				}
			}))
		}
	}
	return costs
}

// asked is what a route wants to be asked with.
var asked = map[string]string{
	"/commissions/:slug/charter/diff":                   "?from=1&to=2",
	"/api/v1/commissions/:slug/charter/diff":            "?from=1&to=2",
	"/commissions/:slug/documents.zip":                  "?documents=GRID-STORAGE-N0001",
	"/api/v1/commissions/:slug/documents.zip":           "?documents=GRID-STORAGE-N0001",
	"/documents/:name/compare":                          "?from=1&to=1",
	"/api/v1/documents/:name/compare":                   "?from=1&to=1",
	"/organizations/names":                              "?organization=nord",
	"/organizations/similar":                            "?name=nordwind",
	"/api/v1/organizations/similar":                     "?name=nordwind",
	"/search":                                           "?q=grid",
	"/api/v1/search":                                    "?q=grid",
	"/access/why":                                       "?commission=grid-storage&object=document&action=submit",
	"/commissions/:slug/access/:object/:action/preview": "?observer=allow",
	"/api/v1/access/explain":                            "?commission=grid-storage&object=document&action=submit",
}

// costs are statements, that of the session among them.
var costs = map[string]int{
	"/access/why":                                       3,
	"/api/v1/access/explain":                            3,
	"/api/v1/commissions/:slug/access":                  4,
	"/api/v1/commissions/:slug/access/changes":          3,
	"/commissions/:slug/access":                         4,
	"/commissions/:slug/access/:object/:action":         4,
	"/commissions/:slug/access/:object/:action/preview": 4,
	"/commissions/:slug/access/changes":                 3,
	"/commissions/:slug/access/changes/:number/revert":  6,
	"/commissions/:slug/access/report.csv":              4,

	"/documents/:name/versions/:version/preview":                    4,
	"/documents/:name/versions/:version/preview/pages/:page":        3,
	"/documents/:name/versions/:version/thumbnail":                  3,
	"/api/v1/documents/:name/versions/:version/preview/pages/:page": 3,
	"/api/v1/documents/:name/versions/:version/thumbnail":           3,
	"/api/v1/documents/:name/versions/:version/text":                4,

	"/":                                      1,
	"/api/docs":                              1,
	"/api/v1/commissions":                    2,
	"/api/v1/commissions/:slug":              2,
	"/api/v1/commissions/:slug/about":        3,
	"/api/v1/commissions/:slug/applications": 3,
	"/api/v1/commissions/:slug/applications/:id":             3,
	"/api/v1/commissions/:slug/charter":                      3,
	"/api/v1/commissions/:slug/charter/diff":                 4,
	"/api/v1/commissions/:slug/charter/revisions":            3,
	"/api/v1/commissions/:slug/charter/revisions/:number":    3,
	"/api/v1/commissions/:slug/documents":                    5,
	"/api/v1/commissions/:slug/history":                      3,
	"/api/v1/commissions/:slug/invitations":                  3,
	"/api/v1/commissions/:slug/milestones":                   3,
	"/api/v1/commissions/:slug/milestones/:id":               3,
	"/api/v1/commissions/:slug/participation-requests":       3,
	"/api/v1/commissions/:slug/participations":               3,
	"/api/v1/commissions/:slug/participations/:organization": 3,
	"/api/v1/commissions/:slug/register":                     3,
	"/api/v1/commissions/:slug/seats":                        3,
	"/api/v1/commissions/:slug/seats/:id":                    3,
	"/api/v1/commissions/:slug/shares":                       3,
	"/api/v1/commissions/:slug/supporters":                   4,
	"/api/v1/desk":                                           4,
	"/api/v1/documents/:name":                                2,
	"/api/v1/documents/:name/shares":                         4,
	"/api/v1/documents/:name/trace":                          3,
	"/api/v1/documents/:name/versions":                       3,
	"/api/v1/home":                                           1,
	"/api/v1/imports":                                        2,
	"/api/v1/imports/:id":                                    2,
	"/api/v1/imports/:id/lines":                              3,
	"/api/v1/invitations/:token":                             3,
	"/api/v1/openapi.json":                                   1,
	"/api/v1/organizations":                                  2,
	"/api/v1/organizations/:slug":                            2,
	"/api/v1/organizations/:slug/affiliations":               3,
	"/api/v1/organizations/:slug/history":                    4,
	"/api/v1/organizations/:slug/participations":             3,
	"/api/v1/organizations/:slug/seats":                      3,
	"/api/v1/organizations/:slug/shares":                     3,
	"/api/v1/organizations/:slug/similar":                    3,
	"/api/v1/organizations/counts":                           1,
	"/api/v1/organizations/similar":                          2,
	"/api/v1/persons":                                        2,
	"/api/v1/persons/:id":                                    4,
	"/api/v1/persons/me":                                     2,
	"/api/v1/persons/me/affiliations":                        2,
	"/api/v1/persons/me/history":                             2,
	"/api/v1/persons/me/sessions":                            2,
	"/api/v1/persons/me/shares":                              2,
	"/api/v1/persons/me/tokens":                              2,
	"/api/v1/search":                                         8,
	"/api/v1/sectors":                                        1,
	"/api/v1/sectors/:slug":                                  3,
	"/api/v1/settings/founding":                              2,
	"/api/v1/settings/sharing":                               2,
	"/commissions":                                           2,
	"/commissions/:slug":                                     3,
	"/commissions/:slug/abandon":                             4,
	"/commissions/:slug/activate":                            3,
	"/commissions/:slug/applications":                        3,
	"/commissions/:slug/applications/:id":                    3,
	"/commissions/:slug/applications/:id/withdraw":           3,
	"/commissions/:slug/apply":                               3,
	"/commissions/:slug/call":                                3,
	"/commissions/:slug/charter":                             3,
	"/commissions/:slug/charter/adopt":                       3,
	"/commissions/:slug/charter/diff":                        4,
	"/commissions/:slug/charter/edit":                        3,
	"/commissions/:slug/charter/revisions":                   3,
	"/commissions/:slug/charter/revisions/:number":           5,
	"/commissions/:slug/conclude":                            4,
	"/commissions/:slug/documents":                           5,
	"/commissions/:slug/documents.csv":                       3,
	"/commissions/:slug/documents.xlsx":                      3,
	"/commissions/:slug/documents/reserve":                   4,
	"/commissions/:slug/documents/settings":                  3,
	"/commissions/:slug/documents/shared":                    3,
	"/commissions/:slug/history.csv":                         3,
	"/commissions/:slug/history":                             3,
	"/commissions/:slug/invitations":                         3,
	"/commissions/:slug/invitations/:id/revoke":              3,
	"/commissions/:slug/invitations/new":                     2,
	"/commissions/:slug/milestones":                          3,
	"/commissions/:slug/milestones/:id":                      3,
	"/commissions/:slug/milestones/:id/remove":               3,
	"/commissions/:slug/organizations":                       7,
	"/commissions/:slug/organizations/:organization/end":     4,
	"/commissions/:slug/participation-requests/:id/decline":  3,
	"/commissions/:slug/rest":                                3,
	"/commissions/:slug/revive":                              3,
	"/commissions/:slug/roster":                              3,
	"/commissions/:slug/roster.csv":                          3,
	"/commissions/:slug/roster.xlsx":                         3,
	"/api/v1/commissions/:slug/documents.zip":                6, // and two for each document, when its turn comes
	"/api/v1/documents/:name/compare":                        6,
	"/commissions/:slug/documents.zip":                       6,
	"/documents/:name/compare":                               6,
	"/documents/:name/discard":                               2,
	"/commissions/:slug/documents/import":                    2,
	"/commissions/:slug/documents/import/:id":                3,
	"/commissions/:slug/documents/import/:id/report.csv":     3,
	"/commissions/:slug/roster/import":                       2,
	"/commissions/:slug/roster/import/:id":                   3,
	"/commissions/:slug/roster/import/:id/report.csv":        3,
	"/commissions/:slug/seats/:id":                           3,
	"/commissions/:slug/seats/:id/edit":                      3,
	"/commissions/:slug/seats/:id/end":                       3,
	"/commissions/:slug/seats/:id/leave":                     3,
	"/commissions/:slug/seats/:id/suspend":                   3,
	"/commissions/:slug/seats/new":                           2,
	"/commissions/:slug/settings":                            2,
	"/commissions/:slug/supporters":                          3,
	"/commissions/new":                                       2,
	"/commissions/options":                                   2,
	"/confirm/:link":                                         2,
	"/desk":                                                  4,
	"/dev/mail":                                              1,
	"/dev/mail/:id":                                          1,
	"/dev/mail/:id/body":                                     1,
	"/api/v1/persons/me/letters":                             2,
	"/api/v1/commissions/:slug/documents.atom":               3,
	"/api/v1/open-documents":                                 2,
	"/commissions/:slug/documents.atom":                      3,
	"/d":                                                     2,
	"/d/:name":                                               3,
	"/d/:name/citation.bib":                                  3,
	"/documents/:name/publish":                               2,
	"/documents/:name/unpublish":                             2,
	"/profile/letters":                                       2,
	"/unsubscribe/:key/:what":                                2,
	"/documents/:name":                                       4,
	"/documents/:name/share":                                 4,
	"/documents/:name/shares":                                4,
	"/documents/:name/versions/:version/content":             4,
	"/documents/:name/versions/new":                          2,
	"/api/v1/documents/:name/versions/:version/content":      4,
	"/api/v1/uploads/:id":                                    2,
	"/commissions/:slug/documents/new":                       4,
	"/commissions/:slug/documents/several":                   4,
	"/documents/:name/edit":                                  5,
	"/documents/:name/return":                                2,
	"/documents/:name/supersede":                             2,
	"/documents/:name/trace":                                 4,
	"/documents/:name/trace.csv":                             3,
	"/documents/:name/trace.xlsx":                            3,
	"/documents/:name/withdraw":                              2,
	"/healthz":                                               1,
	"/imports":                                               2,
	"/imports/:id":                                           3,
	"/imports/:id/report.csv":                                3,
	"/invitations/:token":                                    3,
	"/journal/heads.json":                                    2,
	"/journal/heads/:day":                                    2,
	"/organizations":                                         2,
	"/organizations/:slug":                                   6,
	"/organizations/:slug/affiliations/:id/decline":          3,
	"/organizations/:slug/affiliations/:id/end":              4,
	"/organizations/:slug/edit":                              2,
	"/organizations/:slug/history.csv":                       4,
	"/organizations/:slug/history":                           4,
	"/organizations/:slug/join":                              2,
	"/organizations/:slug/leave":                             3,
	"/organizations/:slug/logo/:digest":                      3,
	"/organizations/:slug/merge":                             3,
	"/organizations/:slug/people":                            4,
	"/organizations/:slug/reinstate":                         3,
	"/organizations/:slug/seats":                             3,
	"/organizations/:slug/seats/:id/recall":                  4,
	"/organizations/:slug/seats/:id/replace":                 4,
	"/organizations/:slug/seats/new":                         4,
	"/organizations/:slug/shares":                            3,
	"/organizations/:slug/shares/given":                      3,
	"/organizations/:slug/suspend":                           3,
	"/organizations/export":                                  2,
	"/organizations/new":                                     1,
	"/organizations/review":                                  2,
	"/organizations/names":                                   2,
	"/organizations/similar":                                 2,
	"/persons":                                               2,
	"/persons/:id":                                           4,
	"/persons/:id/suspend":                                   3,
	"/profile":                                               2,
	"/profile/affiliations":                                  2,
	"/profile/history":                                       2,
	"/profile/history.csv":                                   2,
	"/profile/password":                                      1,
	"/profile/factors":                                       3,
	"/profile/factors/passkeys/:id/remove":                   2,
	"/api/v1/persons/me/passkeys":                            2,
	"/profile/factors/app":                                   2,
	"/profile/factors/app/remove":                            1,
	"/sign-in/second":                                        2,
	"/api/v1/persons/me/factors":                             2,
	"/profile/sessions":                                      2,
	"/profile/shares":                                        2,
	"/profile/tokens":                                        2,
	"/profile/tokens/:id/revoke":                             2,
	"/readyz":                                                2,
	"/reset":                                                 1,
	"/reset/:link":                                           2,
	"/reset/sent":                                            1,
	"/s/:secret":                                             4,
	"/s/:secret/versions/:version/content":                   4,
	"/s/:secret/versions/:version/preview":                   4,
	"/s/:secret/versions/:version/preview/pages/:page":       3,
	"/s/:secret/versions/:version/thumbnail":                 3,
	"/search":                                                8,
	"/sectors":                                               1,
	"/sectors/:slug":                                         4,
	"/sectors/:slug/edit":                                    2,
	"/sectors/new":                                           1,
	"/settings/founding":                                     2,
	"/profile/data":                                          1,
	"/profile/data.zip":                                      27,
	"/api/v1/persons/me/data.zip":                            27,
	"/settings/factors":                                      3,
	"/api/v1/settings/factors":                               3,
	"/persons/:id/factors/remove":                            3,
	"/settings/sharing":                                      2,
	"/shares/:id/revoke":                                     3,
	"/sign-in":                                               1,
	"/sign-up":                                               1,
	"/sign-up/sent":                                          1,
	"/static/*":                                              1,
}
