package documentweb_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/document"
)

// pdf is a small text file that says of itself that it is a PDF, and is one as far
// as its type goes.
const pdf = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

// send uploads a whole file through the API and returns its id.
func send(c *apptest.Client, name, content string) string {
	r := c.Send("POST", "/api/v1/uploads?name="+name, content).Want(201)
	return apptest.JSON[struct{ ID string }](r).ID
}

// form is a multipart form of name, value pairs with one file.
func form(t *testing.T, file, content string, pairs ...string) (body, kind string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		p, err := w.CreateFormFile("file", file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

// TestSubmission: a member's document waits for the officers, who return it or
// give it a number; by page and by API.
func TestSubmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const list = "/commissions/energy/documents"
	post := func(c *apptest.Client, file, content string, pairs ...string) apptest.Reply {
		body, kind := form(t, file, content, append(pairs, "_key", fmt.Sprint(pairs, file))...)
		return c.Send("POST", list, body, "Content-Type", kind)
	}
	w.seat(w.Person("Oda Observer"), nil, "observer")
	w.outsider.Get(list + "/new").Want(404)
	post(w.outsider, "a.pdf", pdf, "title", "Not mine").Want(404)
	w.member.Get(list+"/new").Want(200, `value="acme" selected`, `type="file"`)
	w.member.Get(list+"/several").Want(200, `value="acme" selected`)
	w.chair.Get(list + "/new").Want(200).Lacks(`value="acme"`)

	// A refused form keeps what was typed, and the file.
	r := post(w.member, "Grid study.pdf", pdf, "title", "x", "type", "contribution", "organization", "acme").Want(422, "Use at least 3 characters", "Grid study.pdf")
	kept := regexp.MustCompile(`name="upload" value="([0-9a-f-]{36})"`).FindStringSubmatch(r.Body)
	if kept == nil {
		t.Fatal("the file was not kept")
	}
	post(w.chair, "", "", "title", "A stolen file", "type", "report", "upload", kept[1]).Want(422, "Choose a file.")
	r = post(w.member, "", "", "title", "A study of grids", "type", "contribution", "organization", "acme", "upload", kept[1], "keywords", "grid, Grid, storage").Want(303)
	page := r.Location()
	w.member.Get(page).Want(200, "A study of grids", "It waits for the officers", "grid, storage", "Grid study.pdf")
	again := post(w.member, "", "", "title", "A study of grids", "type", "contribution", "organization", "acme", "upload", kept[1], "keywords", "grid, Grid, storage").Want(303)
	if again.Location() != page {
		t.Error("sent twice, it was carried out twice")
	}
	w.outsider.Get(page).Want(404)
	w.chair.Get(list).Want(200, "A study of grids", "Submitted")
	if to := apptest.Value[string](w.Portal, `SELECT string_agg(to_address, ' ') FROM mail WHERE kind = 'document.submitted'`); to != w.chair.Email {
		t.Errorf("letters went to %s, not to the chair alone", to)
	}

	w.member.Post(page + "/accept").Want(403)
	w.chair.Post(page+"/return", "reason", "Add figures").Want(303)
	w.member.Get(page).Want(200, "The officers returned it: Add figures")
	w.boss.Get(page+"/edit").Want(200, `value="acme" selected`) // Acme's, though without a seat
	w.member.Post(page+"/edit", "title", "A study of grids, with figures", "type", "contribution", "organization", "acme", "language", "en", "visibility", "commission",
		"version", apptest.Value[string](w.Portal, `SELECT version::text FROM document`)).Want(303)
	w.member.Post(page + "/send").Want(303)
	if to := w.chair.Post(page + "/accept").Want(303).Location(); to != "/documents/ENERGY-N0001" {
		t.Errorf("accepted, it is at %s", to)
	}
	w.chair.Post(page + "/accept").Want(409)
	w.member.Get("/documents/ENERGY-N0001").Want(200, "with figures", "Available")
	w.member.Get("/documents/ENERGY-N0001/edit").Want(409)
	w.member.Post("/documents/ENERGY-N0001/edit", "title", "Another title", "type", "contribution", "version", "9").Want(409)

	// The same through the API, with review switched off.
	reg := w.chair.API("GET", "/commissions/energy/register", nil).Want(200, `"review":true`)
	w.chair.API("PATCH", "/commissions/energy/register", map[string]any{"review": false}).Want(428)
	w.chair.API("PATCH", "/commissions/energy/register", map[string]any{"quota": 1 << 40}, "If-Match", reg.Header.Get("ETag")).Want(403) // the secretariat's
	w.chair.Get("/commissions/energy/documents/settings").Want(200).Lacks(`name="quota"`)
	w.sam.Get("/commissions/energy/documents/settings").Want(200, `name="quota"`)
	w.chair.API("PATCH", "/commissions/energy/register", map[string]any{"review": false, "deadline": "2020-01-01"}, "If-Match", reg.Header.Get("ETag")).Want(200, `"review":false`)
	d := w.member.API("POST", list, map[string]any{"title": "Second study", "type": "contribution", "organization": "acme", "upload": send(w.member, "b.pdf", pdf)}).
		Want(201, `"reference":"ENERGY-N0002"`, `"late":true`, `"status":"available"`)
	w.member.API("PATCH", "/documents/ENERGY-N0002", map[string]any{"title": "x y z"}, "If-Match", d.Header.Get("ETag")).Want(409)
	w.chair.API("PATCH", "/documents/ENERGY-N0002", map[string]any{"title": "x y z"}, "If-Match", `"v7"`).Want(412)
	w.chair.API("PATCH", "/documents/ENERGY-N0002", map[string]any{"title": "x y z"}, "If-Match", d.Header.Get("ETag")).Want(200, `"title":"x y z"`)
	w.member.API("POST", list, map[string]any{"title": "No file", "type": "report"}).Want(422, "Choose a file.") // to reserve is for officers
	w.outsider.API("POST", list, map[string]any{"title": "No file", "type": "report"}).Want(404)
	w.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state, country) VALUES ('globex', 'Globex', 'globex', 'company', 'member', 'FR')`)
	w.member.API("POST", list, map[string]any{"title": "For another", "type": "report", "organization": "globex", "upload": send(w.member, "c.pdf", pdf)}).Want(422, "that you act for")
	w.member.API("POST", list, map[string]any{"title": "For another", "type": "report", "organization": "nobody", "upload": send(w.member, "c.pdf", pdf)}).Want(422, "organization")
}

// TestSeveral: many files, one form, all of them or none.
func TestSeveral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const list, page = "/commissions/energy/documents", "/commissions/energy/documents/several"
	post := func(c *apptest.Client, files [][2]string, pairs ...string) apptest.Reply {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for i := 0; i+1 < len(pairs); i += 2 {
			if err := m.WriteField(pairs[i], pairs[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range files {
			p, err := m.CreateFormFile("file", f[0])
			if err == nil {
				_, err = p.Write([]byte(f[1]))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		return c.Send("POST", page, b.String(), "Content-Type", m.FormDataContentType())
	}
	w.outsider.Get(page).Want(404)
	post(w.outsider, [][2]string{{"a.pdf", pdf}}, "type", "report").Want(404)
	w.member.Get(page).Want(200, `multiple`, "Acme")
	post(w.member, nil, "type", "report").Want(422, "Choose at least one file.")

	// One file is refused: none is submitted, the others are kept with their titles.
	r := post(w.member, [][2]string{{"Grid_study.pdf", pdf}, {"empty.pdf", ""}, {"x.txt", "text"}}, "type", "report", "organization", "acme", "_key", "1").
		Want(422, "This file is empty.", `value="Grid study"`, `value="x.txt"`)
	kept := regexp.MustCompile(`name="upload" value="([0-9a-f-]{36})"`).FindAllStringSubmatch(r.Body, -1)
	if len(kept) != 2 {
		t.Fatalf("%d files were kept, want 2", len(kept))
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM document`); n != 0 {
		t.Fatalf("%d documents were made", n)
	}
	again := []string{"type", "report", "organization", "acme", "visibility", "officers", "_key", "1", "upload", kept[0][1], "title", "A study of grids", "upload", kept[1][1], "title", "x"}
	post(w.member, nil, again...).Want(422, "Use at least 3 characters", `value="A study of grids"`)
	post(w.chair, nil, again...).Want(422, "Use at least 3 characters", "A study of grids") // another's files
	again[len(again)-1] = "A text"
	post(w.chair, nil, again...).Want(422, "This file is not here any more.")
	more := [][2]string{{"Third.txt", "third"}}
	post(w.member, more, again...).Want(303)
	post(w.member, more, again...).Want(303) // sent twice, carried out once
	if got := apptest.Value[string](w.Portal, `SELECT string_agg(title || ' ' || review || ' ' || visibility || ' ' || versions, ', ' ORDER BY id) FROM document`); got !=
		"A study of grids submitted officers 1, A text submitted officers 1, Third submitted officers 1" {
		t.Error(got)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object = 'document'`); n != 3 {
		t.Errorf("%d entries in the journal, want one for each", n)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE kind = 'document.submitted' AND person_id = $1 AND text LIKE '%A study of grids%Third%'`, w.chair.ID); n != 1 {
		t.Errorf("the chair got %d letters", n)
	}
	// An officer's have their numbers at once, without a gap.
	w.chair.API("POST", list, map[string]any{"title": "First of all", "type": "minutes"}).Want(201)
	post(w.chair, [][2]string{{"One.txt", "1"}, {"Two.txt", "1"}}, "type", "agenda", "_key", "2").Want(303)
	post(w.chair, [][2]string{{"Draft.txt", "1"}}, "type", "agenda", "keep", "1").Want(303)
	if got := apptest.Value[string](w.Portal, `SELECT string_agg(number || ' ' || title || ' ' || status, ', ' ORDER BY number) || ' ' || (SELECT last_number || ' ' || used FROM register) FROM document WHERE number IS NOT NULL`); got !=
		fmt.Sprintf("1 First of all draft, 2 One available, 3 Two available 3 %d", len(pdf)+4+5+3) {
		t.Error(got)
	}
	if got := w.chair.Get("/documents/ENERGY-N0003/versions/1/content").Want(200).Body; got != "1" {
		t.Errorf("its file is %q", got)
	}
	w.Exec(`UPDATE register SET quota = used`)
	post(w.chair, [][2]string{{"Four.txt", "4"}}, "type", "agenda").Want(422, "no room")
	many := make([][2]string, 51)
	for i := range many {
		many[i] = [2]string{"a.txt", "a"}
	}
	post(w.chair, many, "type", "agenda").Want(413, "at most 50")
}

// TestRefusedDrafts: what cannot be is refused at its field, whichever way it comes.
func TestRefusedDrafts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const list = "/commissions/energy/documents"
	yesterday, tomorrow := w.Now().AddDate(0, 0, -1).Format(time.DateOnly), w.Now().AddDate(0, 0, 1).Format(time.DateOnly)
	asks := func(by string) []any { return []any{"action", "comment", "due_on", by} }
	post := func(path string, more ...any) apptest.Reply {
		pairs := []string{"title", "For whom?", "type", "report"}
		for _, v := range more {
			pairs = append(pairs, v.(string))
		}
		if path == list+"/reserve" {
			return w.chair.Post(path, pairs...)
		}
		body, kind := form(t, "a.txt", "text", pairs...)
		return w.chair.Send("POST", path, body, "Content-Type", kind)
	}
	call := func(upload bool, more ...any) apptest.Reply {
		body := map[string]any{"title": "For whom?", "type": "report"}
		for i := 0; i+1 < len(more); i += 2 {
			if more[i+1] != "" {
				body[more[i].(string)] = more[i+1]
			}
		}
		if upload {
			body["upload"] = send(w.chair, "a.txt", "text")
		}
		return w.chair.API("POST", list, body)
	}
	const nobody, past = "There is no source organization", "This day has passed."
	reg := w.chair.API("GET", "/commissions/energy/register", nil)
	w.chair.API("PATCH", "/commissions/energy/register", map[string]any{"visibility": "organization"}, "If-Match", reg.Header.Get("ETag")).Want(200)
	for _, visibility := range []string{"", "organization"} { // the register says so, or the document
		post(list, "visibility", visibility).Want(422, nobody)
		post(list+"/several", "visibility", visibility).Want(422, nobody)
		post(list+"/reserve", "visibility", visibility).Want(422, nobody)
		call(true, "visibility", visibility).Want(422, `"visibility":"`+nobody)
		call(false, "visibility", visibility).Want(422, `"visibility":"`+nobody)
	}
	more := append(asks(yesterday), "visibility", "commission")
	post(list, more...).Want(422, past, `value="`+yesterday+`"`)
	post(list+"/reserve", more...).Want(422, past)
	call(true, more...).Want(422, `"due_on":"`+past)
	call(false, more...).Want(422, `"due_on":"`+past)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM document`); n != 0 {
		t.Fatalf("%d documents were made", n)
	}

	// A day that has passed since stays, and is not chosen anew.
	at := "/documents/" + apptest.JSON[struct{ Reference string }](call(true, append(asks(tomorrow), "organization", "acme")...).Want(201, `"visibility":"organization"`)).Reference
	edit := func(status int, body map[string]any, want string) {
		t.Helper()
		tag := w.chair.API("GET", at, nil).Want(200).Header.Get("ETag")
		w.chair.API("PATCH", at, body, "If-Match", tag).Want(status, want)
	}
	edit(422, map[string]any{"organization": ""}, nobody)
	w.Exec(`UPDATE document SET due_on = '2020-05-06'`)
	edit(200, map[string]any{"title": "For Acme"}, `"due_on":"2020-05-06"`)
	edit(422, map[string]any{"due_on": "2020-05-07"}, past)
	edit(200, map[string]any{"due_on": tomorrow}, tomorrow)
	w.chair.Post(at+"/edit", "title", "For Acme", "type", "report", "organization", "acme", "visibility", "organization", "language", "en", "action", "comment", "due_on", yesterday,
		"version", apptest.Value[string](w.Portal, `SELECT version::text FROM document`)).Want(422, past)
	// A draft whose day passed while it was prepared is not sent with it.
	draft := "/documents/" + apptest.JSON[struct{ ID string }](call(true, append(asks(tomorrow), "visibility", "commission", "draft", true)...).Want(201)).ID
	w.Exec(`UPDATE document SET due_on = '2020-05-06' WHERE number IS NULL`)
	w.chair.API("POST", draft+"/send", nil).Want(409, "has passed")
	w.Exec(`UPDATE document SET due_on = now()::date + 1 WHERE number IS NULL`)
	w.chair.API("POST", draft+"/send", nil).Want(200, `"status":"available"`)
}

// TestOtherSites: a session's cookie is of no use to a page of another site, also
// where bodies stream.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := "/uploads/" + send(w.member, "a.txt", "text")
	for _, from := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://elsewhere.example"}} {
		w.member.API("POST", "/uploads?name=a.txt", "text", from[0], from[1]).Want(403)
		w.member.API("POST", "/uploads", "", from[0], from[1], "Upload-Length", "4").Want(403)
		w.member.API("PATCH", at, "text", from[0], from[1], "Upload-Offset", "0").Want(403)
		w.member.API("DELETE", at, nil, from[0], from[1]).Want(403)
	}
	w.member.API("DELETE", at, nil, "Sec-Fetch-Site", "same-origin").Want(204)
}

// TestVersions: a version keeps the old ones, a variant shows when it is stale.
func TestVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list, at := "/commissions/energy/documents", "/documents/ENERGY-N0001"
	w.chair.API("POST", list, map[string]any{"title": "Reserved for the minutes", "type": "minutes"}).Want(201, `"status":"draft"`, `"reference":"ENERGY-N0001"`)
	w.chair.API("POST", at+"/versions", map[string]any{"upload": send(w.chair, "m.fr.txt", "Bonjour"), "language": "fr"}).Want(422, "source language first")
	w.chair.API("POST", at+"/versions", map[string]any{"upload": send(w.chair, "m1.txt", "Hello")}).Want(201, `"status":"available"`, `"versions":1`)
	w.chair.API("POST", at+"/versions", map[string]any{"upload": send(w.chair, "m.fr.txt", "Bonjour"), "language": "fr"}).Want(201, `"versions":1`, `"languages":["en","fr"]`)
	w.chair.API("POST", at+"/versions", map[string]any{"upload": send(w.chair, "m.fr.txt", "Bonsoir"), "language": "fr"}).Want(409)
	body, kind := form(t, "m2.txt", "Hello again", "language", "en", "note", "Corrected", "_key", "k")
	w.chair.Send("POST", at+"/versions", body, "Content-Type", kind).Want(303)
	w.member.Get(at).Want(200, "Older than the source", "m1.txt", "m2.txt", "Corrected")
	w.member.API("GET", at+"/versions", nil).Want(200, "m1.txt", "m2.txt", "m.fr.txt")
	for path, want := range map[string]string{"/versions/1/content": "Hello", "/versions/2/content": "Hello again", "/versions/1/content?language=fr": "Bonjour"} {
		if got := w.member.Get(at + path).Want(200).Body; got != want {
			t.Errorf("%s is %q", path, got)
		}
	}
	for _, path := range []string{"/versions/3/content", "/versions/0/content", "/versions/x/content", "/versions/2/content?language=fr"} {
		w.member.Get(at + path).Want(404)
	}
	w.outsider.Get(at + "/versions/1/content").Want(404)

	whole := w.member.Get(at + "/versions/2/content")
	for name, want := range map[string]string{"Content-Disposition": `attachment; filename="ENERGY-N0001v2 en m2.txt"`, "X-Content-Type-Options": "nosniff", "Accept-Ranges": "bytes"} {
		if got := whole.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if csp := whole.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox;") {
		t.Errorf("not in a sandbox: %q", csp)
	}
	tag := whole.Header.Get("ETag")
	w.member.Get(at+"/versions/2/content", "If-None-Match", tag).Want(304)
	for _, tt := range []struct {
		header, ifRange string
		status          int
		body, at        string
	}{
		{"bytes=0-4", "", 206, "Hello", "bytes 0-4/11"}, {"bytes=6-", "", 206, "again", "bytes 6-10/11"}, {"bytes=-5", tag, 206, "again", "bytes 6-10/11"},
		{"bytes=6-999", "", 206, "again", "bytes 6-10/11"}, {"bytes=11-", "", 416, "", "bytes */11"}, {"bytes=-0", "", 416, "", "bytes */11"},
		{"bytes=0-1,3-4", "", 200, "Hello again", ""}, {"bytes=x", "", 200, "Hello again", ""}, {"bytes=4-2", "", 200, "Hello again", ""}, {"bytes=0-4", `"other"`, 200, "Hello again", ""},
	} {
		r := w.member.Get(at+"/versions/2/content", "Range", tt.header, "If-Range", tt.ifRange)
		if r.Status != tt.status || tt.status != 416 && r.Body != tt.body || r.Header.Get("Content-Range") != tt.at {
			t.Errorf("%s: %d %q %q", tt.header, r.Status, r.Body, r.Header.Get("Content-Range"))
		}
	}
	// What was downloaded is in the trace: each whole download once.
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM document_access WHERE kind = 'download' AND person_id = $1 AND number = 1 AND organization_id = $2`, w.member.ID, w.acme); n != 2 {
		t.Errorf("%d downloads of version 1 are noted, want 2", n)
	}
	// So is one that leaves out the beginning; one that goes on is not another.
	w.seat(w.boss, nil, "observer")
	w.boss.Get(at+"/versions/2/content", "Range", "bytes=1-").Want(206)
	w.boss.Get(at+"/versions/2/content", "Range", "bytes=6-").Want(206)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM document_access WHERE person_id = $1`, w.boss.ID); n != 1 {
		t.Errorf("%d downloads of a file without its beginning are noted, want 1", n)
	}
	// A share that lets one see does not let one download.
	w.Exec(`INSERT INTO share (document_id, to_person, level, created_by, created_at) SELECT id, $1, 'see', author_id, now() FROM document`, w.outsider.ID)
	w.outsider.Get(at).Want(200, "m2.txt").Lacks("/content")
	w.outsider.Get(at + "/versions/2/content").Want(403)
	w.Exec(`UPDATE share SET level = 'download'`)
	w.outsider.Get(at + "/versions/2/content").Want(200)
	w.Exec(`UPDATE share SET revoked_at = now(), revoked_by = created_by`)
	w.outsider.Get(at + "/versions/2/content").Want(404)
	// Of a withdrawn document readers see the page and get no file.
	w.chair.Post(at+"/withdraw", "reason", "Superseded by events").Want(303)
	w.member.Get(at+"/versions/2/content").Want(403, "Superseded by events")
	w.chair.Get(at + "/versions/2/content").Want(200)
}

// TestResumable sends a file in pieces as tus clients do, to two portals in turn.
func TestResumable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *app.Config) { c.Files = cmp.Or(os.Getenv("S3_URL"), c.Files) })
	w.InTurn()
	content := strings.Repeat("0123456789", 300_000) // over what is read whole
	tus := []string{"Tus-Resumable", "1.0.0"}
	w.Visitor().Send("POST", "/api/v1/uploads", "", append(tus, "Upload-Length", "10")...).Want(401)
	w.member.Send("OPTIONS", "/api/v1/uploads", "").Want(204)
	w.member.Send("POST", "/api/v1/uploads", "", append(tus, "Upload-Length", "0")...).Want(422)
	w.member.Send("POST", "/api/v1/uploads", "", append(tus, "Upload-Length", fmt.Sprint(1<<40))...).Want(413)
	r := w.member.Send("POST", "/api/v1/uploads", "", append(tus, "Upload-Length", fmt.Sprint(len(content)), "Upload-Metadata", "filename "+base64.StdEncoding.EncodeToString([]byte("Zahlen.txt")))...).Want(201)
	at := r.Location()
	patch := func(c *apptest.Client, offset int, b string) apptest.Reply {
		return c.Send("PATCH", at, b, append(tus, "Upload-Offset", fmt.Sprint(offset), "Content-Type", "application/offset+octet-stream")...)
	}
	patch(w.member, 0, content[:1_200_000]).Want(204)
	w.outsider.Send("HEAD", at, "", tus...).Want(404)
	patch(w.outsider, 1_200_000, content[1_200_000:]).Want(404)
	if got := w.member.Send("HEAD", at, "", tus...).Want(200).Header.Get("Upload-Offset"); got != "1200000" {
		t.Errorf("it stands at %s", got)
	}
	patch(w.member, 5, content[5:]).Want(409)
	id := at[strings.LastIndex(at, "/")+1:]
	w.member.API("POST", "/commissions/energy/documents", map[string]any{"title": "Half a file", "type": "report", "upload": id}).Want(422, "Choose a file.")
	if got := patch(w.member, 1_200_000, content[1_200_000:]).Want(204).Header.Get("Upload-Offset"); got != fmt.Sprint(len(content)) {
		t.Errorf("it ended at %s", got)
	}
	d := w.member.API("POST", "/commissions/energy/documents", map[string]any{"title": "Numbers", "type": "report", "upload": id, "draft": true}).Want(201, `"versions":1`)
	doc := apptest.JSON[struct{ ID string }](d).ID
	if got := w.member.Get("/documents/" + doc + "/versions/1/content").Want(200).Body; got != content {
		t.Errorf("%d bytes came back, and other ones than were sent", len(got))
	}
	w.member.API("POST", "/commissions/energy/documents", map[string]any{"title": "Twice", "type": "report", "upload": id}).Want(422, "Choose a file.")
	again := apptest.JSON[struct{ ID string }](w.member.Send("POST", "/api/v1/uploads?name=a.txt", "text").Want(201)).ID
	w.member.Send("DELETE", "/api/v1/uploads/"+again, "", tus...).Want(204)
	w.member.Send("DELETE", "/api/v1/uploads/"+again, "", tus...).Want(404)
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"report.pdf": "report.pdf", "/etc/cron.d/x.pdf": "x.pdf", `C:\Docs\x.pdf`: "x.pdf", "report\u202efdp.exe": "reportfdp.exe", "re\u0301sume\u0301.pdf": "résumé.pdf",
		"report.pdf.": "report.pdf", "nul\x00.pdf": "nul.pdf", "   .pdf": ".pdf", "": "file", "..": "file", "\xff.pdf": "\uFFFD.pdf",
		strings.Repeat("a", 1000) + ".pdf": strings.Repeat("a", 196) + ".pdf",
	} {
		if got := document.CleanName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

// TestSavedName: what is downloaded is called by its number and its own name.
func TestSavedName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("電力網", 40)
	for i, tt := range []struct{ name, want string }{
		{"Minutes.pdf", "ENERGY-N0001v1 Minutes.pdf"},
		{"energy-n0002v4_Minutes.PDF", "ENERGY-N0002v1 Minutes.PDF"}, // saved, corrected and sent again
		{"ENERGY-N0003v1 en Minutes.pdf", "ENERGY-N0003v1 Minutes.pdf"},
		{"ENERGY-N0004.pdf", "ENERGY-N0004v1.pdf"},
		{"ENERGY-N0099 reply.pdf", "ENERGY-N0005v1 ENERGY-N0099 reply.pdf"},
		{"ENERGY-N00061.pdf", "ENERGY-N0006v1 ENERGY-N00061.pdf"},
		{"Rapport: l’énergie?.pdf", "ENERGY-N0007v1 Rapport- l’énergie-.pdf"},
		{"محضر الاجتماع.pdf", "ENERGY-N0008v1 محضر الاجتماع.pdf"},
		{long + ".pdf", "ENERGY-N0009v1 " + long[:150] + ".pdf"},
		{"Version 2.0 of it", "ENERGY-N0010v1 Version 2.0 of it"},
	} {
		w.submit("A title", url.QueryEscape(tt.name), pdf+fmt.Sprint(i), "public")
		at := fmt.Sprintf("/documents/ENERGY-N%04d/versions/1/content", i+1)
		got := w.Visitor().Get(at).Want(200).Header.Get("Content-Disposition")
		if _, params, err := mime.ParseMediaType(got); err != nil || params["filename"] != tt.want {
			t.Errorf("%s is saved by %s: %v, want %s", tt.name, got, err, tt.want)
		}
	}
	draft := "/documents/" + apptest.JSON[struct{ ID string }](w.chair.API("POST", "/commissions/energy/documents",
		map[string]any{"title": "Not yet", "type": "report", "draft": true, "upload": send(w.chair, "Draft.pdf", pdf)}).Want(201)).ID
	if got := w.chair.Get(draft + "/versions/1/content").Want(200).Header.Get("Content-Disposition"); got != `attachment; filename="Draft.pdf"` {
		t.Error(got)
	}
}

// TestRefusedBodies: a file over the limit is refused by its declared length and
// while it comes, and nothing of it stays. Of a form that is refused for something
// else what was typed stays, and a file that was not to blame.
func TestRefusedBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *app.Config) { c.MaxFile = 8 << 20 })
	over := strings.Repeat("x", 9<<20)
	w.member.Send("POST", "/api/v1/uploads?name=big.txt", over).Want(413)
	w.member.SendChunked("POST", "/api/v1/uploads?name=big.txt", over).Want(413)
	const list, versions = "/commissions/energy/documents", "/documents/ENERGY-N0001/versions"
	w.chair.API("POST", list, map[string]any{"title": "Minutes", "type": "minutes", "upload": send(w.chair, "m.txt", "Hello")}).Want(201)
	for path, tt := range map[string]struct {
		by    *apptest.Client
		typed []string
		keeps []string
	}{
		list:              {w.member, []string{"title", "Too large", "type", "report"}, []string{`value="Too large"`, `value="report" selected`}},
		list + "/several": {w.member, []string{"type", "report"}, []string{`value="report" selected`}},
		versions:          {w.chair, []string{"language", "fr", "note", "With all figures"}, []string{`value="With all figures"`, `value="fr" selected`}},
	} {
		body, kind := form(t, "big.txt", over, tt.typed...)
		tt.by.SendChunked("POST", path, body, "Content-Type", kind).Want(413)
		body, kind = form(t, "setup.exe", "MZ\x90\x00"+strings.Repeat("\x00", 300)+"This program cannot be run in DOS mode.", tt.typed...)
		tt.by.Send("POST", path, body, "Content-Type", kind).Want(422, append(tt.keeps, "Programs are not taken.")...).Lacks("is kept.")
	}
	body, kind := form(t, "m.txt", "Hello again", "language", "no language", "note", "Corrected")
	r := w.chair.Send("POST", versions, body, "Content-Type", kind).Want(422, `value="Corrected"`, "m.txt (11 bytes) is kept.")
	kept := regexp.MustCompile(`name="upload" value="([0-9a-f-]{36})"`).FindStringSubmatch(r.Body)
	if kept == nil {
		t.Fatal("the file was not kept")
	}
	body, kind = form(t, "", "", "language", "en", "note", "Corrected", "upload", kept[1])
	w.member.Send("POST", versions, body, "Content-Type", kind).Want(403)
	w.chair.Send("POST", versions, body, "Content-Type", kind).Want(303)
	w.chair.Get(versions+"/2/content").Want(200, "Hello again")
	// Somebody who goes in the middle of a file is no fault of the portal.
	body, kind = form(t, "m.txt", strings.Repeat("Hello again. ", 1000), "title", "Half", "type", "report")
	w.member.Send("POST", list, body[:len(body)/2], "Content-Type", kind).Want(422, "could not be read to its end")
	// A resumable upload takes what was announced, and not a byte more.
	tus := []string{"Tus-Resumable", "1.0.0", "Content-Type", "application/offset+octet-stream", "Upload-Offset", "0"}
	at := w.member.Send("POST", "/api/v1/uploads", "", append(tus, "Upload-Length", "4")...).Want(201).Location()
	w.member.SendChunked("PATCH", at, strings.Repeat("x", 2<<20), tus...).Want(413)
	w.member.Send("DELETE", at, "", "Tus-Resumable", "1.0.0").Want(204)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM upload`); n != 0 {
		t.Errorf("%d uploads stayed", n)
	}
	if r := w.Visitor().Send("POST", "/api/v1/uploads?name=a.txt", "text"); r.Status != http.StatusUnauthorized {
		t.Errorf("a visitor got %d", r.Status)
	}
}
