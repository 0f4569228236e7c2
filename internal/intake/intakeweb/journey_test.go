package intakeweb_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/intake"
)

// TestJourney imports a file in the browser, with the bar that moves by itself,
// and again without JavaScript.
func TestJourney(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	sam := p.Secretariat()
	file := filepath.Join(t.TempDir(), "companies.csv")
	if err := os.WriteFile(file, []byte(companies), 0o600); err != nil {
		t.Fatal(err)
	}
	tab := sam.Browser()
	look := func(name string) { t.Helper(); tab.Look("import-" + name) }
	tab.Open("/imports")
	look("empty")
	tab.Choose("What the file holds", "Organizations")
	tab.Upload("File", file)
	tab.Click("Upload")
	tab.See("How the file is read")
	look("draft")
	tab.Choose("column_country", "Not in the file")
	tab.Click("Try it without changing anything")
	tab.See("nothing has been changed yet") // the page moves on by itself
	tab.See("The same as line 2.")
	look("checked")
	tab.Click("Import it like this")
	tab.See("The histories of what was created")
	look("done")
	if n := apptest.Value[int](p, `SELECT count(*) FROM organization WHERE country IS NULL`); n != 4 {
		t.Errorf("%d organizations without a country, want 4", n)
	}
	tab.Open("/imports")
	tab.See("companies.csv")
	look("list")

	tab.NoScript()
	at := sam.PostFile("/imports", "file", "more.csv", []byte("name\nWestwind\n"), "kind", "organizations").Want(303).Location()
	tab.Open(at)
	hold, err := p.DB.BeginTx(t.Context(), nil) // or it may be done before the page is there
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hold.Rollback() }() // nothing once it is let go
	if _, err := hold.ExecContext(t.Context(), `LOCK TABLE organization IN SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	tab.Click("Import now")
	tab.See("Under way")
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if apptest.Value[string](p, `SELECT state FROM import WHERE file_name = 'more.csv'`) == intake.Done {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	tab.Click("Look again")
	tab.See("Imported.")
}
