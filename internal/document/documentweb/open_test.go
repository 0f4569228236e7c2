package documentweb_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
)

// TestOpen: a commission publishes a document to the world and takes it back.
func TestOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	visitor := w.Visitor()
	w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": "Terms {of} grids & storage", "type": "reference_architecture", "summary": "What words mean.", "organization": "acme",
		"visibility": "commission", "upload": send(w.chair, "terms.pdf", pdf)}).Want(201)
	w.document(2, "A public report", "public")
	w.document(3, "A report for members", "commission")
	const page, open = "/documents/ENERGY-N0001", "/d/ENERGY-N0001"
	visitor.Get(open).Want(404)
	w.chair.Get(open).Want(404) // also for who may read it elsewhere
	visitor.Get("/d").Want(200, "Nothing is published yet")
	w.member.Post(page+"/publish", "license", "CC-BY-4.0").Want(403)
	w.outsider.Post(page+"/publish", "license", "CC-BY-4.0").Want(404)
	w.chair.Get(page+"/publish").Want(200, "CC BY 4.0")
	w.chair.Post(page+"/publish", "license", "mine").Want(422, "Choose one of")
	w.chair.Post("/documents/ENERGY-N0003/publish", "license", "CC-BY-4.0").Want(409, "Add its file first.")
	if to := w.chair.Post(page+"/publish", "license", "CC-BY-4.0").Want(303).Location(); to != open {
		t.Errorf("published, it is at %s", to)
	}
	w.chair.API("POST", page+"/publish", map[string]string{"license": "CC-BY-4.0"}).Want(409, "already")

	r := visitor.Get(open).Want(200, "Terms {of} grids", "CC BY 4.0", "creativecommons.org/licenses/by/4.0", "Acme (", "ENERGY-N0001, version 1", `rel="canonical"`, `name="citation_title"`, "citation_pdf_url", "/versions/1/content").Lacks("noindex", "Carla Chair")
	visitor.Get(open, "If-None-Match", r.Header.Get("ETag")).Want(304)
	visitor.Get("/d/energy-n1").Want(301)
	visitor.Get(page+"/versions/1/content").Want(200, "%PDF-1.4")
	visitor.Get("/d").Want(200, "Terms {of} grids").Lacks("A public report")
	visitor.Get("/d?commission=energy").Want(200, "Terms {of} grids")
	visitor.Get("/d?commission=other").Want(200).Lacks("Terms {of} grids")
	visitor.API("GET", "/open-documents", nil).Want(200, `"license":"CC-BY-4.0"`, `"path":"/d/ENERGY-N0001"`)
	visitor.Get(open+"/citation.bib").Want(200, "@techreport{ENERGY-N0001,", `title = {{Terms \{of\} grids \& storage}}`, "url = {http")
	w.chair.Get("/commissions/energy/history").Want(200, "Published ENERGY-N0001 under CC BY 4.0")

	// A feed has what all the world may read, whoever asks for it.
	for _, path := range []string{"/commissions/energy/documents.atom", "/api/v1/commissions/energy/documents.atom"} {
		feed := w.chair.Get(path).Want(200, "A public report", "/d/ENERGY-N0001", "License: CC BY 4.0").Lacks("A report for members")
		if err := xml.Unmarshal([]byte(feed.Body), new(struct {
			XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		})); err != nil {
			t.Error(err)
		}
		if feed.Body != visitor.Get(path).Body {
			t.Error("a feed depends on who reads it")
		}
		visitor.Get(path, "If-None-Match", feed.Header.Get("ETag")).Want(304)
	}
	visitor.Get("/commissions/nowhere/documents.atom").Want(404)

	// Withdrawn, its page says so to the world, and it is in no list.
	w.chair.Post(page+"/withdraw", "reason", "Wrong figures").Want(303)
	visitor.Get(open).Want(200, "Wrong figures", "noindex").Lacks("/versions/1/content")
	visitor.Get("/d").Want(200).Lacks("Terms {of} grids")
	visitor.Get("/commissions/energy/documents.atom").Want(200).Lacks("Terms")
	w.chair.Post(page + "/restore").Want(303)

	w.chair.Get(page+"/unpublish").Want(200, "Take it back", "What others have copied")
	w.chair.Post(page + "/unpublish").Want(303)
	w.chair.API("POST", page+"/unpublish", nil).Want(409)
	w.flush(t)
	w.chair.Get(page+"/trace").Want(200, "Published as an open document", "Taken back from the world", "A visitor")
	visitor.Get(open).Want(404)
	visitor.Get(open + "/citation.bib").Want(404)
	visitor.Get(page).Want(404)
	w.member.Get(page).Want(200)

	// Whoever narrows who may read it takes it back as well.
	d := w.chair.API("POST", page+"/publish", map[string]string{"license": "CC0-1.0"}).Want(200, `"license":"CC0-1.0"`, `"visibility":"public"`)
	w.chair.API("PATCH", page, map[string]string{"visibility": "portal"}, "If-Match", d.Header.Get("ETag")).Want(200).Lacks("published_at")
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM document WHERE published_at IS NOT NULL`); n != 0 || strings.Contains(visitor.Get("/d").Body, "Terms") {
		t.Error("it is still published")
	}
}
