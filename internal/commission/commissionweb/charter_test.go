package commissionweb_test

import (
	"strings"
	"sync"
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/commission"
)

const (
	first  = "# Scope\n\nStorage of electric energy in public grids."
	second = "# Scope\n\nStorage of electric energy in public grids and at sea.\n\n# Ways of working\n\nTwo meetings a year."
)

func TestCharter(t *testing.T) {
	w := newWorld(t)
	const page = "/commissions/grid-storage/charter"
	ben, visitor := w.Person("Ben Bell"), w.Visitor()
	visitor.Get(page).Want(200, "Draft", "<h2", "Storage of electric energy").Lacks("Write a revision")
	ben.Get(page + "/edit").Want(403)
	base := hidden(w.ada.Get(page+"/edit").Want(200, "Storage of electric energy in public grids.</textarea>"), "base")
	save := func(who *apptest.Client, base, body string) apptest.Reply {
		return who.Post(page, "base", base, "body", body, "summary", "The sea", "do", "save")
	}
	w.ada.Post(page, "base", base, "body", "Short", "do", "preview").Want(422, "Use at least 20 characters", ">Short</textarea>")
	w.ada.Post(page, "base", base, "body", second+"<script>alert(1)</script>", "do", "preview").Want(200, "Preview", "<h4", "at sea").Lacks("<script>alert")
	save(w.ada, base, first).Want(422, "This is the text of revision 1.")
	save(ben, base, second).Want(403)
	save(w.ada, base, second).Want(303)

	stale := save(w.staff, base, first+"\n\nMine.").Want(412, "Ada Lovelace has written revision 2 meanwhile", "Mine.</textarea>", "Two meetings a year.</textarea>", "<ins>", "<del>")
	if got := hidden(stale, "base"); got != "2" {
		t.Errorf("the next attempt is made from %q, want 2", got)
	}
	save(w.staff, hidden(stale, "base"), second+"\n\nMine.").Want(303)

	visitor.Get(page+"/revisions").Want(200, "Revision 3", "Revision 1", "The sea", "Compare")
	visitor.Get(page+"/revisions/1").Want(200, "Superseded", "public grids.").Lacks("at sea")
	visitor.Get(page+"/diff?from=1&to=2").Want(200, "From revision 1 to revision 2", "<ins>", "at sea")
	visitor.Get(page+"/diff?from=2&to=2").Want(200, "Nothing differs")
	for _, path := range []string{"/diff?from=1&to=9", "/diff?from=0&to=1", "/revisions/9", "/revisions/x", "/revisions/99999999999999999999"} {
		visitor.Get(page + path).Want(404)
	}
	visitor.Get(page + "/diff?from=x&to=1").Want(422)
}

func TestAdopt(t *testing.T) {
	w := newWorld(t)
	const page = "/commissions/grid-storage/charter"
	ben := w.Person("Ben Bell")
	w.staff.Get(page+"/adopt").Want(409, "once the call for participation is out")
	w.staff.Post(page+"/adopt", "number", "1").Want(409, "once the call for participation is out")
	w.state("forming")
	w.ada.Post(page+"/adopt", "number", "1").Want(403)
	w.sit(ben, "chair")
	ben.Get(page).Want(200, "Adopt revision 1")
	w.ada.API("PUT", "/commissions/grid-storage/charter", map[string]any{"body": second}, "If-Match", `"v1"`).Want(200)
	ben.Post(page+"/adopt", "number", "1").Want(412, "There is a newer revision")
	ben.Post(page+"/adopt", "number", "2").Want(303)
	ben.Post(page+"/adopt", "number", "2").Want(409, "adopted already")
	ben.Get(page + "/adopt").Want(409)
	w.wantMails("charter.adopted", ben, 1)
	w.Visitor().Get(page).Want(200, "Adopted", "at sea")
	w.ada.API("PUT", "/commissions/grid-storage/charter", map[string]any{"body": first + "\n\nShorter again.", "summary": "Back"}, "If-Match", `"v2"`).Want(200)
	w.Visitor().Get(page).Want(200, "at sea", "A newer draft", "Revision 3 waits to be adopted").Lacks("Shorter again")
	w.Visitor().Get("/commissions/grid-storage").Want(200, "at sea").Lacks("Shorter again")
}

func TestCharterAPI(t *testing.T) {
	w := newWorld(t)
	const path = "/commissions/grid-storage/charter"
	body := func(text string) map[string]any { return map[string]any{"body": text, "summary": "The sea"} }
	got := w.Visitor().API("GET", path, nil).Want(200, `"number":1`)
	if !strings.HasPrefix(got.Header.Get("ETag"), `"v1.`) {
		t.Errorf("ETag %s", got.Header.Get("ETag"))
	}
	if c := apptest.JSON[commission.Charter](got); c.Adopted != nil || c.Newest == nil || c.Newest.Body != first {
		t.Errorf("got %+v", c)
	}
	w.ada.API("PUT", path, body(second)).Want(428)
	w.ada.API("PUT", path, body("short"), "If-Match", `"v1"`).Want(422, `"body"`)
	w.ada.API("PUT", path, body(strings.Repeat("(", 5000)), "If-Match", `"v1"`).Want(422, `"body"`)
	w.ada.API("PUT", path, body(second), "If-Match", `"v1"`).Want(200, `"number":2`)
	w.ada.API("PUT", path, body(first), "If-Match", `"v1"`).Want(412)
	w.Visitor().API("PUT", path, body(first), "If-Match", `"v2"`).Want(401)
	w.Visitor().API("GET", path+"/revisions?limit=1", nil).Want(200, `"number":2`, `"next":"`).Lacks(`"body"`)
	w.Visitor().API("GET", path+"/revisions/1", nil).Want(200, `"body":"# Scope`)
	w.Visitor().API("GET", path+"/revisions/7", nil).Want(404)
	w.Visitor().API("GET", path+"/diff?from=1&to=2", nil).Want(200, `"kind":"added"`, `at sea`)
	w.Visitor().API("GET", path+"/diff?from=1", nil).Want(422, `"to"`)
	w.state("forming")
	w.staff.API("POST", path+"/adopt", map[string]any{"number": 1}).Want(412)
	w.staff.API("POST", path+"/adopt", map[string]any{"number": 2}).Want(200, `"adopted_at"`)
	if c := apptest.JSON[commission.Charter](w.Visitor().API("GET", path, nil).Want(200)); c.Adopted == nil || c.Adopted.Number != 2 {
		t.Errorf("got %+v", c)
	}
}

// Of those who write from one revision at once, one is saved; the others keep
// their texts.
func TestCharterWrittenAtOnce(t *testing.T) {
	w := newWorld(t)
	replies := make([]apptest.Reply, 4)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() {
			replies[i] = w.ada.API("PUT", "/commissions/grid-storage/charter", map[string]any{"body": second + strings.Repeat(".", i+1)}, "If-Match", `"v1"`)
		})
	}
	all.Wait()
	saved := 0
	for _, r := range replies {
		if r.Status == 200 {
			saved++
		} else {
			r.Want(412)
		}
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM charter`); saved != 1 || n != 2 {
		t.Errorf("%d saved, %d revisions, want 1 and 2", saved, n)
	}
}
