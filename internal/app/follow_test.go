package app_test

import (
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/web"
)

// TestOldAddresses: every address of a commission that was renamed, and of an
// organization that became part of another, leads to the same below the new one,
// and nothing is done on the way.
func TestOldAddresses(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t, 3), described(t)
	program := w.Visitor()
	program.Token = "old-addresses"
	w.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at, seen_at) VALUES ($1, $2, 'Full', false, now(), now() + interval '50 years')`, web.Hash(program.Token), w.sam.ID)
	forms, paths := w.forms(t), map[web.Route]string{}
	for _, r := range w.Web.Routes() {
		if r.Object != "" {
			paths[r] = w.path(t, r)
		}
	}
	w.sam.API("PATCH", "/commissions/grid-storage", map[string]any{"name": "Storage at Sea"}, "If-Match", `"v1"`).Want(200, `"slug":"storage-at-sea"`)
	w.sam.API("POST", "/organizations/nordwind/merge", map[string]any{"into": "o1"}).Want(200, `"slug":"o1"`)
	w.sam.API("GET", "/commissions/storage-at-sea/participations/nordwind", nil).Want(308) // both may stand in one address
	if to := w.sam.API("GET", "/commissions/grid-storage/participations/nordwind?x=/commissions/grid-storage", nil).Location(); to != "/api/v1/commissions/storage-at-sea/participations/o1?x=/commissions/grid-storage" {
		t.Errorf("both in one address lead to %q", to)
	}
	asks, before := 0, apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry`)
	for r, old := range paths {
		now := strings.NewReplacer("/commissions/grid-storage", "/commissions/storage-at-sea", "/organizations/nordwind", "/organizations/o1").Replace(old)
		if now == old {
			continue
		}
		var body any = map[string]any{"seat": w.ids["seats"]}
		if o, ok := d.operation(r.Method, r.Path); ok && o.RequestBody != nil && r.Path != "/api/v1/commissions/:slug/access/roles/:role/holders" {
			body = d.sample(o.RequestBody.Content["application/json"].Schema, 0)
		}
		var got apptest.Reply
		switch rest, api := strings.CutPrefix(old, "/api/v1"); {
		case api && asks%2 == 0:
			got = program.API(r.Method, rest+asked[r.Path], body, "If-Match", `"v1"`)
		case api:
			got = w.sam.API(r.Method, rest+asked[r.Path], body, "If-Match", `"v1"`)
		case r.Method == "GET":
			got = w.sam.Get(old + asked[r.Path])
		default:
			got = w.sam.Send("POST", old, forms[old].Encode(), "Content-Type", "application/x-www-form-urlencoded")
		}
		asks++
		if judged(got) && judgedFirst[r.Operation] != "" {
			continue
		}
		if r.Method == "GET" {
			now += asked[r.Path]
		}
		if got.Status != 308 || got.Location() != now {
			t.Errorf("%s %s: %d to %q, want 308 to %s %.200s", r.Method, old, got.Status, got.Location(), now, got.Body)
		}
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry`) - before; asks < 150 || n != 0 {
		t.Errorf("%d addresses were asked, and %d changes made", asks, n)
	}
}
