package documentweb_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
)

// pagesOf is a PDF with a page for each text. They are low: a picture of one is made
// in no time.
func pagesOf(texts ...string) string {
	var b strings.Builder
	kids := ""
	for i := range texts {
		kids += fmt.Sprintf("%d 0 R ", 10+2*i)
	}
	fmt.Fprintf(&b, "%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[%s]/Count %d>>endobj\n3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n", kids, len(texts))
	for i, text := range texts {
		content := "BT /F 24 Tf 40 120 Td (" + text + ") Tj ET"
		fmt.Fprintf(&b, "%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 200]/Resources<</Font<</F 3 0 R>>>>/Contents %d 0 R>>endobj\n", 10+2*i, 11+2*i)
		fmt.Fprintf(&b, "%d 0 obj<</Length %d>>stream\n%s\nendstream endobj\n", 11+2*i, len(content), content)
	}
	b.WriteString("trailer<</Root 1 0 R>>\n%%EOF\n")
	return b.String()
}

// twelve is a PDF of twelve pages, two more than are drawn at first.
func twelve() string {
	var texts []string
	for i := range 12 {
		texts = append(texts, fmt.Sprintf("This is page %d", i+1))
	}
	return pagesOf(texts...)
}

// submitted is a document of the chair's with a file, and its address.
func (w *world) submitted(name, content string) string {
	r := w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": "File " + name, "type": "report", "upload": send(w.chair, name, content)}).Want(201)
	return "/documents/" + apptest.JSON[struct{ Reference string }](r).Reference
}

// TestPreview: who may read a document looks into its versions, without the right
// to download them; for everybody else there is nothing, in pictures as in pages.
func TestPreview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := w.submitted("study.pdf", twelve()) + "/versions/1"
	page := strings.TrimSuffix(at, "/versions/1")
	w.read(t)
	api := func(path string) string { return "/api/v1" + at + path }

	w.member.Get(page).Want(200, "PDF document", "12 pages", at+"/preview", at+"/thumbnail")
	w.member.Get(at+"/preview").Want(200, at+"/preview/pages/1", "This is page 1", "Next page", "of 12").Lacks("Previous page", "leaf-150")
	w.member.Get(at+"/preview?page=2&zoom=150").Want(200, at+"/preview/pages/2", "This is page 2", "Previous page", "leaf-150", "page=3&amp;zoom=150")
	for _, path := range []string{at + "/preview/pages/1", at + "/preview/pages/10", at + "/thumbnail", api("/preview/pages/1"), api("/thumbnail")} {
		r := w.member.Get(path).Want(200)
		for name, want := range map[string]string{"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if !strings.HasPrefix(r.Body, "\x89PNG") || !strings.HasPrefix(r.Header.Get("Cache-Control"), "private, ") {
			t.Errorf("%s: %.10q, %s", path, r.Body, r.Header.Get("Cache-Control"))
		}
		w.member.Get(path, "If-None-Match", r.Header.Get("ETag")).Want(304)
	}
	if got := w.member.Get(at + "/preview/pages/1").Header.Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("a page is kept: %q", got)
	}
	r := w.member.Get(api("/text?page=2")).Want(200, "This is page 2").Lacks("page 1")
	if got := r.Header.Get("Link"); got != `<`+api("/text?page=3")+`>; rel="next"` {
		t.Errorf("Link is %q", got)
	}
	if got := w.member.Get(api("/text?page=12")).Want(200, "This is page 12").Header.Get("Link"); got != "" {
		t.Errorf("after the last page: %q", got)
	}
	for _, path := range []string{at + "/preview?page=13", at + "/preview?page=0", at + "/preview?page=x", at + "/preview/pages/0", at + "/preview/pages/11", at + "/preview?language=fr",
		page + "/versions/2/preview", page + "/versions/2/thumbnail", api("/text?page=13")} {
		w.member.Get(path).Want(404)
	}

	// Further pages are drawn when somebody turns to them.
	w.member.Get(at+"/preview?page=12").Want(200, "This page is being drawn", "This is page 12", "Look again")
	for end := time.Now().Add(time.Minute); strings.Contains(w.member.Get(at+"/preview?page=12").Want(200).Body, "being drawn"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("page 12 is still not drawn")
		}
	}
	w.member.Get(at+"/preview?page=12").Want(200, at+"/preview/pages/12")
	for _, n := range []string{"11", "12"} {
		w.member.Get(at + "/preview/pages/" + n).Want(200)
	}

	// By a share that lets one see, and without any.
	all := []string{at + "/preview", at + "/preview/pages/1", at + "/thumbnail", api("/preview/pages/1"), api("/thumbnail"), api("/text")}
	each := func(c *apptest.Client, status int) {
		t.Helper()
		for _, path := range all {
			c.Get(path).Want(status)
		}
	}
	missing := w.outsider.Get("/documents/ENERGY-N0099/versions/1/preview").Want(404).Body
	each(w.outsider, 404)
	each(w.Visitor(), 404)
	w.Exec(`INSERT INTO share (document_id, to_person, level, created_by, created_at) SELECT id, $1, 'see', author_id, now() FROM document`, w.outsider.ID)
	each(w.outsider, 200)
	w.outsider.Get(at+"/preview").Want(200).Lacks("/content", "Download")
	w.outsider.Get(at + "/content").Want(403)
	w.Exec(`UPDATE share SET revoked_at = now(), revoked_by = created_by`)
	each(w.outsider, 404)
	tag := w.member.Get(at + "/preview/pages/1").Header.Get("ETag")
	w.outsider.Get(at+"/preview/pages/1", "If-None-Match", tag).Want(404)
	if got := w.outsider.Get(at + "/preview").Body; len(got) != len(missing) {
		t.Errorf("what may not be seen answers otherwise than what is not there:\n%s\n%s", got, missing)
	}
	// Of a withdrawn document readers see no more than why.
	w.chair.Post(page+"/withdraw", "reason", "Superseded by events").Want(303)
	each(w.member, 403)
	w.member.Get(at+"/preview").Want(403, "Superseded by events")
	w.member.Get(page).Want(200).Lacks("/preview", "/thumbnail")
	each(w.chair, 200)

	// Before it is read, page and API say so.
	w.Exec(`UPDATE file SET outcome = NULL, read_at = NULL, pictures = 0, pages = 0`)
	w.chair.Get(page).Want(200, "It is being read")
	w.chair.Get(at+"/preview").Want(200, "It is being read", "Look again")
	w.chair.Get(api("/text")).Want(409, "being read")
}

// TestPreviewKinds: each kind of file is shown as it should be, and nothing in it
// acts; what is not what its name says is marked.
func TestPreviewKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("A paragraph of some words that says little.\n\n", 1500)
	type file struct {
		name, content string
		page, preview []string // what they show
		lacks         string
	}
	files := []file{
		{"notes.md", "# Agenda\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>alert(1)</script>\n\n[x](javascript:alert(2)) ![p](https://example.org/p.png)", []string{"Markdown text"}, []string{"Agenda</h2>", "<td>1</td>"}, "<script>alert"},
		{"table.csv", "name,amount\nGrid,7\n\"=1+1\",<b>9</b>\n", []string{"CSV table"}, []string{`scope="col">B<`, ">name</td>", "&lt;b&gt;9", "=1+1"}, "<b>9"},
		{"long.txt", long, []string{"Plain text"}, []string{"of 3", "Next page", "A paragraph of some words"}, "/preview/pages"},
		{"report.docx", pagesOf("A PDF in truth"), []string{"PDF document", "Not what its name says"}, []string{"A PDF in truth", "/preview/pages/1"}, ""},
		{"broken.pdf", pdf, []string{"No preview could be made: This PDF is damaged"}, []string{"There is no preview", "No preview could be made: This PDF is damaged"}, "/preview/pages"},
		{"archive.zip", "PK\x05\x06" + strings.Repeat("\x00", 18), []string{"ZIP archive", "No preview could be made"}, []string{"There is no preview", "Files of this type are not read."}, "Not what its name says"},
		{"notes.rtf", `{\rtf1\ansi Minutes of the grid.}`, []string{"Rich text"}, []string{"This is its text alone.", "Minutes of the grid."}, ""},
		{"empty.txt", " ", []string{"Plain text"}, []string{"There is nothing in it that could be shown."}, ""},
	}
	at := map[string]string{}
	for _, f := range files {
		at[f.name] = w.submitted(f.name, f.content)
	}
	w.read(t)
	for _, f := range files {
		w.chair.Get(at[f.name]).Want(200, f.page...)
		r := w.chair.Get(at[f.name]+"/versions/1/preview").Want(200, f.preview...)
		if f.lacks != "" {
			r.Lacks(f.lacks)
		}
		w.chair.Get(at[f.name] + "/versions/1/content").Want(200)
	}
	w.chair.Get(at["long.txt"]+"/versions/1/preview?page=3").Want(200, "A paragraph", "Previous page").Lacks("Next page")
	w.chair.Get(at["notes.md"]+"/versions/1/preview").Lacks("javascript:", `<img src="https:`)
	w.chair.API("GET", at["broken.pdf"]+"/versions/1/text", nil).Want(404, "This PDF is damaged")
	w.chair.API("GET", at["broken.pdf"]+"/versions", nil).Want(200, `"outcome":"broken"`, `"outcome_note":"This PDF is damaged`)
	w.chair.Get(at["table.csv"] + "/versions/1/thumbnail").Want(404)
	w.chair.Get("/commissions/energy/documents").Want(200, at["report.docx"]+"/versions/1/thumbnail").Lacks(at["notes.md"] + "/versions/1/thumbnail")
}

// TestLooking walks through previews in a real browser.
func TestLooking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := map[string]string{}
	for name, content := range map[string]string{
		"study.pdf": twelve(), "broken.pdf": pdf, "budget.csv": "Item,2025,2026,Note\n" + strings.Repeat("Grid storage,1200,1350,\"A longer remark, with a comma\"\n", 30),
		"notes.md": "# Agenda\n\n1. Opening\n2. *Grids*\n\n| Item | Who |\n|---|---|\n| Report | Ada |\n\n> Quoted",
	} {
		at[name] = w.submitted(name, content)
	}
	w.read(t)
	tab := w.member.Browser()
	tab.Open(at["study.pdf"])
	tab.See("12 pages")
	tab.Look("preview-document")
	tab.Click("Look inside")
	tab.See("Next page")
	tab.Look("preview-pdf")
	tab.Click("150 %")
	tab.Click("Next page")
	if got := tab.Path(); !strings.Contains(got, "page=2") || !strings.Contains(got, "zoom=150") {
		t.Errorf("at %s", got)
	}
	tab.Look("preview-pdf-150")
	tab.Fill("Page", "12")
	tab.Click("Go")
	tab.See("This page is being drawn")
	tab.SeeNot("This page is being drawn") // it comes by itself
	tab.See("Previous page")
	for _, name := range []string{"broken.pdf", "budget.csv", "notes.md"} {
		tab.Open(at[name] + "/versions/1/preview")
		tab.Look("preview-" + filepath.Ext(name)[1:] + "-" + strings.TrimSuffix(name, filepath.Ext(name)))
	}
	tab.Open(at["broken.pdf"])
	tab.See("No preview could be made")
	tab.Look("preview-document-broken")
	tab.Open("/commissions/energy/documents")
	tab.Look("preview-register")
}
