package documentweb_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
)

// submit brings a document with its file into the register, as the chair, and
// returns its reference.
func (w *world) submit(title, file, content, visibility string) string {
	r := w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": title, "type": "report", "visibility": visibility, "upload": send(w.chair, file, content)}).Want(201)
	return apptest.JSON[struct{ Reference string }](r).Reference
}

// TestBulk acts on many documents of a register, by page and by API.
func TestBulk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rail := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state) VALUES ($1, 'rail', 'RAIL', 'Rail', 'commission', 'active')`, rail)
	for i := range 4 {
		w.document(i+1, fmt.Sprintf("Report %d", i+1), "public")
	}
	w.document(5, "Withdrawn before", "commission", `UPDATE document SET status = 'withdrawn', status_reason = 'Old', before_withdrawal = 'superseded' WHERE id = $1`)
	w.Exec(`INSERT INTO register (commission_id, prefix, last_number) VALUES ($1, 'RAIL', 1)`, rail)
	w.Exec(`INSERT INTO document (commission_id, number, title, type, status, status_since, visibility, created_at, updated_at) VALUES ($1, 1, 'Of another', 'report', 'available', now(), 'public', now(), now())`, rail)

	list, act := "/commissions/energy/documents", "/commissions/energy/documents/bulk"
	w.chair.Get(list).Want(200, `name="documents" value="ENERGY-N0001:1"`, "See what will happen", "Download as one ZIP")
	w.member.Get(list).Want(200, "Download as one ZIP").Lacks("See what will happen")
	w.member.Post(act, "act", "withdraw", "documents", "ENERGY-N0001", "reason", "x").Want(404)
	w.outsider.API("POST", act, map[string]any{"act": "withdraw", "documents": []string{"ENERGY-N0001"}, "reason": "x"}).Want(404)
	for _, tt := range []struct{ pairs, want string }{
		{"act withdraw reason x", "Choose at least one document"},
		{"act withdraw documents ENERGY-N0001:1", "Fill this in"},
		{"act visibility documents ENERGY-N0001:1", "Choose"},
		{"act nonsense documents ENERGY-N0001:1", "Choose"},
		{"act withdraw reason x documents nonsense", "names no document"},
		{"act withdraw reason x documents ENERGY-N0099", "There is no document ENERGY-N0099"},
	} {
		w.chair.Post(list+"/preview", strings.Fields(tt.pairs)...).Want(422, tt.want)
	}
	w.chair.Post(list+"/preview", "act", "withdraw", "documents", "ENERGY-N0001:1").Want(422, `value="ENERGY-N0001:1" checked`) // what was chosen stays chosen

	pairs := []string{"act", "withdraw", "reason", "Wrong figures", "documents", "ENERGY-N0001:1", "documents", "ENERGY-N0002:1", "documents", "ENERGY-N0005:1", "documents", "RAIL-N0001:1"}
	w.chair.Post(list+"/preview", pairs...).Want(200, "2 documents are concerned", "It is withdrawn already.", "It is in the register of Rail.", "Wrong figures")
	status := func() string {
		return apptest.Value[string](w.Portal, `SELECT string_agg(number || ' ' || status || ' ' || visibility, ', ' ORDER BY number) FROM document WHERE commission_id = $1`, w.energy)
	}
	if got := status(); got != "1 available public, 2 available public, 3 available public, 4 available public, 5 withdrawn commission" {
		t.Fatalf("a preview changed something: %s", got)
	}
	w.Exec(`UPDATE document SET version = 2 WHERE number = 2 AND commission_id = $1`, w.energy) // somebody changes it meanwhile
	w.chair.Post(act, pairs...).Want(303)
	if got := status(); got != "1 withdrawn public, 2 available public, 3 available public, 4 available public, 5 withdrawn commission" {
		t.Errorf("after withdrawing: %s", got)
	}
	w.chair.Post(act, pairs...).Want(409, "every document is skipped")
	w.Visitor().Get("/documents/ENERGY-N0001").Want(200, "Wrong figures")
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE kind = 'document.withdrawn'`); n != 1 {
		t.Errorf("%d letters, want one to the author", n)
	}
	all := []string{"ENERGY-N0001", "ENERGY-N0002", "ENERGY-N0003", "ENERGY-N0005"}
	// Who takes many back may accept and withdraw, and does it to what they see.
	olga := w.Person("Olga Observer")
	w.seat(olga, nil, "observer")
	w.document(6, "For officers", "officers")
	w.Exec(`INSERT INTO access_rules (commission_id) VALUES ($1)`, w.energy)
	for i, rights := range []string{"{accept}", "{withdraw}", "{accept,withdraw}"} {
		w.Exec(`DELETE FROM access_rule`)
		w.Exec(`INSERT INTO access_rule (commission_id, role, object, action, effect) SELECT $1, 'observer', 'document', unnest($2::text[]), 'allow'`, w.energy, rights)
		pairs := []string{"act", "withdraw", "reason", "x", "documents", "ENERGY-N0006"}
		if i < 2 {
			olga.Post(act, pairs...).Want(404)
			continue
		}
		olga.Post(list+"/preview", pairs...).Want(422, "There is no document ENERGY-N0006")
		olga.Post(act, pairs...).Want(422, "There is no document ENERGY-N0006")
	}
	w.Exec(`DELETE FROM document WHERE number = 6`)
	w.chair.API("POST", act, map[string]any{"act": "restore", "documents": all, "dry_run": true}).Want(200, `"done":2`, "It is not withdrawn.")
	w.chair.API("POST", act, map[string]any{"act": "restore", "documents": all}).Want(200, `"done":2`, `"then":"superseded"`)
	w.chair.API("POST", act, map[string]any{"act": "visibility", "visibility": "officers", "documents": all}).Want(200, `"done":4`)
	if got := status(); got != "1 available officers, 2 available officers, 3 available officers, 4 available public, 5 superseded officers" {
		t.Errorf("at the end: %s", got)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object = 'document'`); n != 1+2+4 {
		t.Errorf("%d entries in the journal, want one for each document of each act", n)
	}
	w.document(6, "Of the commission itself", "commission", `UPDATE document SET organization_id = NULL WHERE id = $1`)
	w.chair.API("POST", act, map[string]any{"act": "visibility", "visibility": "organization", "documents": []string{"ENERGY-N0006"}, "dry_run": true}).Want(200, `"done":0`, "It has no source organization")
}

// TestArchive downloads many documents as one ZIP and reads it back.
func TestArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	arabic, chinese := w.submit("دراسة / الشبكات", "a.pdf", pdf, "public"), w.submit("电网\u202e研究: \"储能\"", "b.txt", "电网储能技术", "public")
	w.submit("For members", "c.txt", "A secret text.", "commission")
	w.document(4, "Without a file", "public")
	w.submit("Taken back", "d.txt", "Withdrawn text.", "public")
	w.chair.API("POST", "/documents/ENERGY-N0005/withdraw", map[string]string{"reason": "Wrong"}).Want(200)
	w.chair.API("POST", "/documents/"+arabic+"/versions", map[string]any{"upload": send(w.chair, "a2.pdf", pdf+"two")}).Want(201)
	w.chair.API("POST", "/documents/"+arabic+"/versions", map[string]any{"upload": send(w.chair, "a2.fr.txt", "En français."), "language": "fr"}).Want(201)

	at := "/commissions/energy/documents.zip"
	unzip := func(r apptest.Reply) map[string]string {
		t.Helper()
		z, err := zip.NewReader(strings.NewReader(r.Body), int64(len(r.Body)))
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range z.File {
			rc, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(rc)
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			if f.NonUTF8 {
				t.Errorf("%s is not marked as UTF-8", f.Name)
			}
			files[f.Name] = string(body)
		}
		return files
	}
	r := w.Visitor().Get(at + "?documents=" + arabic + ":1&documents=" + chinese + "&documents=ENERGY-N0004,ENERGY-N0005").Want(200)
	if got := r.Header.Get("Content-Type") + " " + r.Header.Get("Content-Disposition"); !strings.HasPrefix(got, `application/zip attachment; filename="energy-documents-`) {
		t.Error(got)
	}
	want := map[string]string{
		"ENERGY-N0001v2 en دراسة - الشبكات.pdf": pdf + "two",
		"ENERGY-N0001v2 fr دراسة - الشبكات.txt": "En français.",
		"ENERGY-N0002v1 en 电网研究- -储能-.txt":      "电网储能技术",
		"not-included.txt": "ENERGY-N0004: it has no file.\r\nENERGY-N0005: it is withdrawn.\r\n",
	}
	got := unzip(r)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM document_access WHERE kind = 'download'`); n != 3 {
		t.Errorf("%d downloads are noted, want 3", n)
	}
	if got := unzip(w.member.API("GET", at+"?documents=ENERGY-N0003", nil).Want(200)); got["ENERGY-N0003v1 en For members.txt"] != "A secret text." || len(got) != 1 {
		t.Errorf("got %q", got)
	}
	// What one may not see answers as what does not exist.
	w.Visitor().Get(at+"?documents=ENERGY-N0003").Want(422, "There is no document ENERGY-N0003, or you may not see it.")
	w.Visitor().API("GET", at+"?documents=ENERGY-N0099", nil).Want(422, "There is no document ENERGY-N0099, or you may not see it.")
	w.Visitor().API("GET", at, nil).Want(422, "Choose at least one document")
	w.member.Get(at+"?documents=ENERGY-N0004").Want(409, "None of these has a file")
	w.Visitor().API("GET", at+"?documents="+strings.Repeat("ENERGY-N1,", 3), nil).Want(200)
	many := ""
	for i := range 201 {
		many += fmt.Sprintf("X-N%d,", i+1)
	}
	w.Visitor().API("GET", at+"?documents="+many, nil).Want(422, "at most 200")
}

// TestArchiveBreaks: a document withdrawn while the ZIP is on its way is not in it,
// and a ZIP whose file is missing does not end well.
func TestArchiveBreaks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	large := make([]byte, 24<<20) // more than lies in the buffers between server and reader
	_, _ = rand.NewChaCha8([32]byte{1}).Read(large)
	w.submit("Large", "a.pdf", pdf+string(large), "public")
	w.submit("Withdrawn meanwhile", "b.txt", "Text of the second.", "public")
	w.submit("Third", "c.txt", "Text of the third.", "public")
	get := func(during func()) ([]byte, error) {
		t.Helper()
		r, err := http.Get(w.URL + "/commissions/energy/documents.zip?documents=ENERGY-N0001,ENERGY-N0002,ENERGY-N0003")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if r.StatusCode != 200 {
			t.Fatalf("status %d", r.StatusCode)
		}
		head := make([]byte, 1000)
		if _, err := io.ReadFull(r.Body, head); err != nil {
			t.Fatal(err)
		}
		during()
		rest, err := io.ReadAll(r.Body)
		return append(head, rest...), err
	}
	body, err := get(func() {
		w.chair.API("POST", "/documents/ENERGY-N0002/withdraw", map[string]string{"reason": "Wrong"}).Want(200)
	})
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, ", "); got != "ENERGY-N0001v1 en Large.pdf, ENERGY-N0003v1 en Third.txt, not-included.txt" {
		t.Errorf("in the ZIP are %s", got)
	}
	// Of the third more is promised than the store has.
	w.Exec(`UPDATE document_version SET size = size + 1 WHERE file_name = 'c.txt'`)
	if body, err = get(func() {}); err == nil {
		_, err = zip.NewReader(bytes.NewReader(body), int64(len(body)))
	}
	if err == nil {
		t.Error("a ZIP without one of its files ended well")
	}
}

// TestCompare compares the texts of two versions.
func TestCompare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := w.submit("Study", "a.txt", "The grid\nis old.\nIt works.\n", "commission")
	w.chair.API("POST", "/documents/"+ref+"/versions", map[string]any{"upload": send(w.chair, "b.txt", "The grid\nis new.\nIt works.\n")}).Want(201)
	w.chair.API("POST", "/documents/"+ref+"/versions", map[string]any{"upload": send(w.chair, "c.pdf", pdf)}).Want(201)
	w.read(t)
	page := "/documents/" + ref
	w.member.Get(page).Want(200, "Compare with version 1", page+"/compare?from=1&amp;to=2&amp;language=en")
	w.member.Get(page+"/compare?from=1&to=2").Want(200, "From version 1 to version 2", "old", "new", "The grid")
	w.member.API("GET", page+"/compare?from=1&to=2", nil).Want(200, `"kind":"removed","old":2`, `"kind":"added","new":2`, `"read":true`)
	w.member.Get(page+"/compare?from=2&to=3").Want(200, "The text of version 3 could not be read.")
	w.member.Get(page + "/compare?from=1&to=9").Want(404)
	w.member.Get(page + "/compare").Want(404)
	w.outsider.Get(page + "/compare?from=1&to=2").Want(404)
	w.outsider.API("GET", page+"/compare?from=1&to=2", nil).Want(404)
	w.Exec(`UPDATE file SET cut = true`)
	w.member.Get(page+"/compare?from=1&to=2").Want(200, "The text of version 2 is long")
	w.Exec(`UPDATE file SET outcome = NULL`)
	w.member.Get(page+"/compare?from=1&to=2").Want(200, "has not been read yet").Lacks("is old")
	w.chair.API("POST", page+"/withdraw", map[string]string{"reason": "Wrong"}).Want(200)
	w.boss.Get(page + "/compare?from=1&to=2").Want(404)
}

// TestDiscard deletes drafts: by their authors, never once they have a number.
func TestDiscard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	draft := func(keep bool) string {
		r := w.member.API("POST", "/commissions/energy/documents", map[string]any{"title": "A draft", "type": "report", "organization": "acme", "upload": send(w.member, "a.txt", "Text"), "draft": keep}).Want(201)
		return "/documents/" + apptest.JSON[struct{ ID string }](r).ID
	}
	mine, waiting, numbered := draft(true), draft(false), draft(false)
	w.chair.API("POST", numbered+"/accept", nil).Want(200)
	w.member.Get(mine).Want(200, "Discard…")
	w.member.Get(mine+"/discard").Want(200, "Discard this draft?")
	w.chair.Post(waiting + "/discard").Want(403)
	w.outsider.Post(mine + "/discard").Want(404)
	w.outsider.API("DELETE", mine, nil).Want(404)
	w.member.Post(numbered+"/discard").Want(409, "Withdraw it instead")
	w.member.Post(mine + "/discard").Want(303)
	w.member.Get(mine).Want(404)
	w.boss.API("DELETE", waiting, nil).Want(204) // the representative of its source
	w.boss.API("DELETE", waiting, nil).Want(404)
	if got := apptest.Value[string](w.Portal, `SELECT concat_ws(' ', (SELECT count(*) FROM document), (SELECT count(*) FROM document_version), used, last_number) FROM register`); got != "1 1 4 1" {
		t.Errorf("documents, versions, bytes and counter are %s", got)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object = 'document' AND action = 'discard'`); n != 2 {
		t.Errorf("%d entries in the journal, want 2", n)
	}
}

// TestBelow shows the documents of the bodies under a commission, of any depth,
// page by page, each to those who may see it.
func TestBelow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	parent, kinds := w.energy, []string{"subcommission", "working_group", "task_force"}
	for depth, kind := range kinds {
		id := uuid.Must(uuid.NewV7())
		name := fmt.Sprintf("SUB%d", depth+1)
		w.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state, parent_id, parent_kind) SELECT $1, $2, $3, $3, $4, 'active', id, kind FROM commission WHERE id = $5`, id, strings.ToLower(name), name, kind, parent)
		w.Exec(`INSERT INTO register (commission_id, prefix, last_number) VALUES ($1, $2, 60)`, id, name)
		w.Exec(`INSERT INTO document (commission_id, number, title, type, status, status_since, visibility, created_at, updated_at)
			SELECT $1, i, $2 || ' report ' || i, 'report', 'available', now(), CASE WHEN i > 55 THEN 'commission' ELSE 'public' END, now(), now() - i * interval '1 hour' FROM generate_series(1, 60) i`, id, name)
		parent = id
	}
	w.document(1, "Of the commission", "public")
	w.Visitor().Get("/commissions/energy/documents").Want(200, "Of the commission").Lacks("SUB1")
	w.Visitor().Get("/commissions/energy/documents?below=true").Want(200, "SUB3 report 55", `href="/commissions/sub3/documents"`).Lacks("report 56")
	w.Visitor().Get("/commissions/sub2/documents?below=true").Want(200, "SUB3 report 55", "SUB2 report 55").Lacks("SUB1")
	for _, order := range []string{"number", "title", "updated"} {
		seen, cursor := map[string]bool{}, ""
		for pages := 0; ; pages++ {
			r := apptest.JSON[struct {
				Items []struct{ Reference string }
				Next  string
			}](w.Visitor().API("GET", "/commissions/energy/documents?below=true&limit=50&order="+order+"&cursor="+cursor, nil).Want(200))
			for _, d := range r.Items {
				if seen[d.Reference] {
					t.Errorf("by %s, %s comes twice", order, d.Reference)
				}
				seen[d.Reference] = true
			}
			if cursor = r.Next; cursor == "" || pages > 10 {
				break
			}
		}
		if len(seen) != 3*55+1 {
			t.Errorf("by %s: %d documents, want %d", order, len(seen), 3*55+1)
		}
	}
}
