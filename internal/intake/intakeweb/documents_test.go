package intakeweb_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/intake"
)

// TestDocuments imports registers: one file for several, and one by an officer.
func TestDocuments(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	load(t, p, intake.Upload{Kind: "commissions", Source: "s"}, "id,name,acronym,state\nX/TC 1,Grids,,\ng2,Storage,STO,\ng3,Ended,END,concluded\n", false)
	load(t, p, intake.Upload{Kind: "organizations", Source: "s"}, "id,name\n1,Nordwind AG\n", false)
	chair := p.Person("Charlie Chair")
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
		SELECT tstzrange(now() - interval '1 year', NULL), id, $1, 'Charlie Chair', 'chair', 'secretariat' FROM commission WHERE slug = 'storage'`, chair.ID)
	// A register whose prefix is taken by a commission of before gets another.
	p.Exec(`INSERT INTO register (commission_id, prefix) SELECT id, 'X-TC-1' FROM commission WHERE slug = 'ended'`)

	const rows = `doc_id,committee_id,n number,title,doctype,status,published,organization,action,due,tags,url,readers
a,X/TC 1,N2,Second,Technical Report,published,2019-05,Nordwind,for comment,2026-04-01,"grid; storage",https://a.example/2,public
b,X/TC 1,N1,First,international-standard,withdrawn,2018-02-03,Westwind,,,,,
c,X/TC 1,N4,Fourth,essay,revised,2030,,,2026-04-01,,,everyone but me
d,storage,,Unnumbered,Minutes,,,,,,,,members
a,X/TC 1,N9,Another second,,,,,,,,,
a,STO,,The a of another register,,reserved,,,,,,,
e,nowhere,,Lost,,,,,,,,,
f,END,,Too late,,,,,,,,,
g,STO,,,,,,,,,,,
`
	want := []string{
		"2 created Second",
		"3 created First: There is no organization “Westwind” in the portal.",
		"4 created Fourth: “essay” is no type of document that the portal knows: other. It is due, but nothing is asked for: left out. “everyone but me” does not say who may read it: the officers. It is N4 in the file. The register has no gaps, so it becomes X-TC-1-2-N0003.",
		"5 created Unnumbered",
		"6 skipped Another second: The same identifier as line 2.",
		"7 created The a of another register",
		"8 refused Lost: There is no commission “nowhere” in the portal. Import it first.",
		"9 refused Too late: Ended is concluded and takes no documents.",
		"10 refused : Title: Fill this in.",
	}
	u := intake.Upload{Kind: "documents", Source: "s"}
	_, lines := load(t, p, u, rows, true)
	same(t, lines, want...)
	if n := apptest.Value[int](p, `SELECT count(*) FROM document`) + apptest.Value[int](p, `SELECT count(*) FROM register`); n != 1 {
		t.Fatalf("a dry run left %d rows", n)
	}
	_, lines = load(t, p, u, rows, false)
	same(t, lines, want...)
	state := func() []string {
		return strings.Split(apptest.Value[string](p, `SELECT string_agg(concat_ws(' | ', r.prefix || '-' || d.number, d.title, d.type, d.status, CASE WHEN d.created_at < d.updated_at THEN to_char(d.created_at, 'YYYY-MM-DD') ELSE 'today' END, o.slug, d.action, d.due_on,
				array_to_string(d.keywords, ','), d.summary, d.visibility, d.version), E'\n' ORDER BY r.prefix, d.number)
			FROM document d JOIN register r ON r.commission_id = d.commission_id LEFT JOIN organization o ON o.id = d.organization_id`), "\n")
	}
	first := []string{
		"STO-1 | Unnumbered | minutes | available | today | none | d |  | commission | 1",
		"STO-2 | The a of another register | other | draft | today | none | a |  | commission | 1",
		"X-TC-1-2-1 | First | other | withdrawn | 2018-02-03 | none | b |  | commission | 1",
		"X-TC-1-2-2 | Second | report | available | 2019-05-01 | nordwind-ag | comment | 2026-04-01 | a,grid,storage | https://a.example/2 | public | 1",
		"X-TC-1-2-3 | Fourth | other | superseded | today | none | c,N4 |  | officers | 1",
	}
	same(t, state(), first...)
	if got := apptest.Value[string](p, `SELECT string_agg(prefix || ' ' || last_number, ', ' ORDER BY prefix) FROM register`); got != "STO 2, X-TC-1 0, X-TC-1-2 3" {
		t.Errorf("the registers stand at %s", got)
	}
	for range 2 { // again it changes nothing
		i, _ := load(t, p, u, rows, false)
		if i.Created+i.Changed != 0 || i.Skipped != 6 {
			t.Errorf("again: %+v", i.Counts)
		}
		same(t, state(), first...)
	}
	// Its source corrects what is said of it, but not how it stands.
	_, lines = load(t, p, u, "doc_id,committee_id,n number,title,status\nc,X/TC 1,N4,The fourth,published\n", false)
	same(t, lines, "2 changed The fourth: Changes title.")
	// A reference of the register is that document, from whatever source.
	_, lines = load(t, p, intake.Upload{Kind: "documents", Source: "other"}, "number,title,commission,summary\nX-TC-1-2-N0001,Whatever,grids,What it says\nX-TC-1-2-N0007,New,grids,\n", false)
	same(t, lines, "2 changed Whatever: Changes summary.", "3 created New: It is X-TC-1-2-N0007 in the file. The register has no gaps, so it becomes X-TC-1-2-N0004.")
	p.Visitor().Get("/documents/X-TC-1-2-N0002").Want(200, "Second", "There is no file")
	// Its trace begins with the import, which happened today, whatever the list says of its age.
	p.Visitor().Get("/documents/X-TC-1-2-N0002/trace.csv").Want(200, "Taken over from a list", "The secretariat", p.Now().Format(time.DateOnly)).Lacks("2019", "test.csv")
	if n := apptest.Value[int](p, `SELECT count(*) FROM journal_entry e JOIN commission c ON c.id = e.scope_id WHERE c.slug = 'grids' AND note->>'text' = 'Imported documents from %s: %s'`); n != 3 {
		t.Errorf("%d entries in the history of Grids, want 3", n)
	}
	if n := apptest.Value[int](p, `SELECT count(*) FROM mail`); n != 0 {
		t.Errorf("%d letters were written", n)
	}

	// What its source alone should read, and has none, is for the officers.
	p.Exec(`UPDATE register SET visibility = 'organization' WHERE prefix = 'STO'`)
	_, lines = load(t, p, u, "doc_id,committee_id,title,organization,readers\nh,STO,For nobody,,\ni,STO,For Nordwind,Nordwind,\nk,X/TC 1,For its source,,organization\n", false)
	same(t, lines, "2 created For nobody: It has no source organization that alone could read it: the officers.", "3 created For Nordwind",
		"4 created For its source: It has no source organization that alone could read it: the officers.")
	if got := apptest.Value[string](p, `SELECT string_agg(title || ' ' || visibility, ', ' ORDER BY title) FROM document WHERE title LIKE 'For %'`); got != "For its source officers, For nobody officers, For Nordwind organization" {
		t.Error(got)
	}
	p.Exec(`UPDATE register SET visibility = 'commission' WHERE prefix = 'STO'`)

	// An officer imports one register, in the browser; what the file calls a
	// commission does not lead into another, nor do its identifiers.
	chair.Get("/commissions/grids/documents/import").Want(404)
	chair.Get("/commissions/storage/documents").Want(200, `href="/commissions/storage/documents/import"`)
	chair.Get("/commissions/storage/documents/import").Want(200, "Import a register")
	at := chair.PostFile("/commissions/storage/documents/import", "file", "s.csv", []byte("doc_id,commission,title\nb,X/TC 1,Taken over\n")).Want(303).Location()
	chair.Get(at).Want(200).Lacks("column_commission")
	chair.Get(strings.Replace(at, "/documents/", "/roster/", 1)).Want(404)
	p.Person("Other").Get(at).Want(404)
	chair.Post(at, "column_id", "doc_id", "column_title", "title", "source", "s", "act", "run").Want(303)
	if i := wait(t, chair, uuid.MustParse(at[strings.LastIndexByte(at, '/')+1:])); i.State != intake.Done || i.Created != 1 {
		t.Fatalf("%+v", i)
	}
	if title := apptest.Value[string](p, `SELECT d.title FROM document d JOIN commission c ON c.id = d.commission_id WHERE c.slug = 'storage' AND d.number = 5`); title != "Taken over" {
		t.Errorf("the fifth of Storage is %s", title)
	}
	chair.Get("/documents/STO-N0005/trace").Want(200, "Taken over from a list", chair.Name, "Imported documents from s.csv").Lacks("The secretariat")
	p.Exec(`UPDATE document SET import_id = NULL`) // as before imports were noted
	chair.Get("/documents/STO-N0005/trace").Want(200, "Taken over from a list", "The secretariat")
}

// TestDocumentsMeet imports into a register while its officers give numbers.
func TestDocumentsMeet(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	load(t, p, intake.Upload{Kind: "commissions", Source: "s"}, "id,name,acronym\ng1,Grids,GRIDS\n", false)
	sam := p.Secretariat()
	var csv strings.Builder
	csv.WriteString("commission,title\n")
	for i := range 200 {
		fmt.Fprintf(&csv, "grids,Report %d\n", i)
	}
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			if _, err := p.Imports.File(context.Background(), "", intake.Upload{Kind: "documents", Source: fmt.Sprint(i), FileName: "x.csv"}, strings.NewReader(csv.String()), int64(csv.Len()), false, func(int) {}); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			for n := range 5 {
				sam.API("POST", "/commissions/grids/documents", map[string]any{"title": fmt.Sprintf("Reserved %d %d", i, n), "type": "report"}).Want(201)
			}
		})
	}
	group.Wait()
	if got := apptest.Value[string](p, `SELECT concat_ws(' ', count(*), count(DISTINCT number), min(number), max(number), (SELECT last_number FROM register)) FROM document`); got != "820 820 1 820 820" {
		t.Errorf("count, distinct, least, most and counter are %s", got)
	}
}
