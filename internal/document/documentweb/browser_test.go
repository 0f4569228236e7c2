package documentweb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
)

// TestJourney submits a document in a real browser, as its author, and decides on
// it, as the chair; each page is looked at on the way.
func TestJourney(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.document(1, "Minutes of the first meeting", "public", `UPDATE document SET action = 'comment', due_on = '2099-05-06', languages = '{en,fr}', keywords = '{grid,storage}' WHERE id = $1`)
	path := filepath.Join(t.TempDir(), "study.pdf")
	if err := os.WriteFile(path, []byte(pdf), 0o600); err != nil {
		t.Fatal(err)
	}
	author := w.member.Browser()
	author.Open("/commissions/energy/documents")
	author.See("Minutes of the first meeting")
	author.Look("document-register")
	author.Click("Submit a document")
	author.Look("document-new")
	author.Fill("Title", "x")
	author.Choose("organization", "Acme")
	author.Upload("file", path)
	author.Expect(422)
	author.Click("main .btn-primary")
	author.See("study.pdf (125 bytes) is kept.")
	author.Look("document-refused")
	author.Fill("Title", "A study of grids")
	author.Click("main .btn-primary")
	author.See("It waits for the officers")
	author.Look("document-waiting")

	chair := w.chair.Browser()
	chair.Open("/commissions/energy/documents")
	chair.Look("document-register-officer")
	chair.Click("A study of grids")
	chair.Click("Accept")
	chair.See("ENERGY-N0002")
	chair.Look("document-show")
	for _, page := range []string{"edit", "versions/new", "supersede", "withdraw"} {
		chair.Open("/documents/ENERGY-N0002/" + page)
		chair.Look("document-" + filepath.Dir(page) + filepath.Base(page))
	}
	chair.Open("/commissions/energy/documents/settings")
	chair.Look("document-settings")
	chair.Click("What members submit goes to the officers first") // it does, so that ends
	chair.Click("main .btn-primary")
	chair.See("Saved.")
	if apptest.Value[bool](w.Portal, `SELECT review FROM register`) {
		t.Error("the switch for review does not show how it stands")
	}
	chair.Open("/commissions/energy/documents/reserve")
	chair.Look("document-reserve")
	chair.Open("/documents/ENERGY-N0002")
	chair.Click("Withdraw…")
	chair.Fill("Reason", "It was a rehearsal.")
	chair.Click("dialog .btn-danger")
	chair.See("It was a rehearsal.")
	chair.Click("Restore")
	chair.SeeNot("It was a rehearsal.")

	// Acts on many: all on the page, then what will happen, then done.
	chair.Open("/commissions/energy/documents")
	chair.Click("Choose all on this page")
	chair.Choose("act", "Change who may read them")
	chair.Choose("visibility", "Its officers")
	chair.Look("document-register-chosen")
	chair.Click("See what will happen")
	chair.See("2 documents are concerned")
	chair.Look("document-bulk")
	chair.Click("main .btn-primary")
	chair.See("Done for 2 documents.")
	chair.Open("/commissions/energy/documents?below=true")
	chair.Look("document-register-below")

	// The texts of two versions, side by side.
	first := "The grid of the region is old.\nIt was built in 1974.\nIts losses are nine per cent.\nIt serves two million people.\n"
	ref := w.submit("The state of the grid", "a.txt", first, "commission")
	w.chair.API("POST", "/documents/"+ref+"/versions", map[string]any{"upload": send(w.chair, "b.txt", strings.Replace(first, "nine per cent", "seven per cent, measured anew", 1))}).Want(201)
	w.read(t)
	chair.Open("/documents/" + ref)
	chair.Look("document-versions")
	chair.Click("Compare with version 1")
	chair.See("measured anew")
	chair.Look("document-compare")

	// A draft is discarded.
	r := w.member.API("POST", "/commissions/energy/documents", map[string]any{"title": "Not to be sent", "type": "report", "upload": send(w.member, "d.txt", "Draft."), "draft": true}).Want(201)
	author.Open("/documents/" + apptest.JSON[struct{ ID string }](r).ID)
	author.Click("Discard…")
	author.See("Discard this draft?")
	author.Look("document-discard")
	author.Click("dialog .btn-danger")
	author.See("Discarded.")
}

// TestTraceGrows: the trace that its owner has open shows what another person does,
// with nothing asked for.
func TestTraceGrows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Date(2027, 3, 2, 12, 0, 0, 0, time.UTC)
	w.At(now)
	w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": "A report on grids", "type": "report", "upload": send(w.chair, "r.txt", "Hello")}).Want(201)
	w.Exec(`UPDATE document SET created_at = $1::timestamptz - interval '20 days'`, now)
	w.Exec(`INSERT INTO document_access (document_id, kind, number, language, person_id, organization_id, at)
		SELECT d.id, k, 1, 'en', $1, $2, $3::timestamptz - i * i * interval '3 hours' FROM document d, generate_series(1, 12) i, unnest(ARRAY['view', 'view', 'preview', 'download']) WITH ORDINALITY x (k, n) WHERE n < 4 OR i % 3 = 0`, w.member.ID, w.acme, now)
	id := apptest.Value[uuid.UUID](w.Portal, `SELECT id FROM document`)
	grant := w.share(id, "to_person", w.outsider.ID, "see")
	w.Exec(`UPDATE share SET created_at = $2::timestamptz - interval '1 hour' WHERE id = $1`, grant, now)
	owner := w.chair.Browser()
	owner.Open("/documents/ENERGY-N0001")
	owner.See("Opening and downloading it is recorded")
	owner.Look("document-recorded")
	owner.Click("See its trace")
	owner.See("Shared with Otto Outsider")
	owner.SeeNot("Bea Boss")
	owner.Click("As a table")
	w.Exec(`UPDATE document SET visibility = 'portal'`)
	w.boss.Get("/documents/ENERGY-N0001/versions/1/content").Want(200)
	owner.See("Bea Boss")
	owner.See("times,") // what was opened stays open
	// What happens while the page still waits for what happened before is shown too.
	pam, told := w.Person("Pam Plain"), w.chair.Events("/events?document="+id.String())
	told.Want("changed")
	release := owner.Hold("/documents/ENERGY-N0001/trace")
	for _, c := range []*apptest.Client{w.member, pam} {
		c.Get("/documents/ENERGY-N0001/versions/1/content").Want(200)
		told.Want("changed")
	}
	release()
	owner.See("Pam Plain")
	owner.Look("document-trace")
	owner.Choose("kind", "Downloaded")
	owner.See("Remove this filter")
	owner.SeeNot("Shared with Otto Outsider")
	w.outsider.Get("/documents/ENERGY-N0001/versions/1/content").Want(200)
	owner.See("Otto Outsider")
	reader := w.outsider.Browser()
	reader.Open("/documents/ENERGY-N0001/trace")
	reader.See("Downloaded 4 times")
	reader.SeeNot("Bea Boss")
	reader.Look("document-trace-reader")
}
