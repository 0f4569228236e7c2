package documentweb_test

import (
	"os"
	"path/filepath"
	"testing"

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
}
