package app_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	nethtml "golang.org/x/net/html"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/web"
)

// TestAttacks tries what docs/security.md calls attacks on every route for which it
// can be tried, in one world: Sam, who may do everything, is the one who is tricked.
func TestAttacks(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t, 3), described(t)
	w.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at, seen_at) VALUES ($1, $2, 'Reader', true, now(), now() + interval '50 years')`, web.Hash("reader"), w.sam.ID)
	entries := func() int { return apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry`) }
	forms := w.forms(t)
	body := func(r web.Route) any {
		o, ok := d.operation(r.Method, r.Path)
		if !ok || o.RequestBody == nil {
			return nil
		}
		return d.sample(o.RequestBody.Content["application/json"].Schema, 0)
	}

	t.Run("another site", func(t *testing.T) {
		n, before, from := 0, entries(), [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}}
		for _, r := range w.Web.Routes() {
			if r.Method == "GET" || r.Method == "OPTIONS" {
				continue
			}
			for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "text/plain"}[n%3:][:1] {
				got := w.sam.Elsewhere(r.Method, w.path(t, r), "", append(slices.Clone(from[n%4]), "Content-Type", kind)...)
				if n++; got.Status != 403 || !strings.Contains(got.Body, "another site") {
					t.Errorf("%s %s with %v: status %d", r.Method, r.Path, from[n%4], got.Status)
				}
			}
		}
		if n < 150 || entries() != before {
			t.Errorf("%d routes were asked, and %d changes made", n, entries()-before)
		}
	})

	t.Run("a token that may only read, on pages", func(t *testing.T) {
		before := entries()
		for _, r := range w.Web.Routes() {
			if r.Method != "POST" || strings.HasPrefix(r.Path, "/api/") || r.Object == "" {
				continue
			}
			path := w.path(t, r)
			got := w.Visitor().Send("POST", path, forms[path].Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "Bearer reader")
			if got.Status < 400 || got.Status >= 500 {
				t.Errorf("POST %s: status %d %s", path, got.Status, got.Location())
			}
		}
		if n := entries() - before; n != 0 {
			t.Errorf("%d changes were made", n)
		}
	})

	// What is refused for its fields before it is looked for is sent with better ones.
	better := map[string]map[string]any{
		"/commissions/:slug/access/roles/:role/holders": {"seat": w.ids["seats"]}, "/commissions/:slug/applications/:id/approve": {"role": "observer"},
		"/organizations/:slug/affiliations/:id": {"state": "confirmed"}, "/organizations/:slug/seats/:id/replace": {"person": w.sam.ID},
	}
	t.Run("what stands elsewhere", func(t *testing.T) {
		n, before := 0, entries()
		for _, r := range w.Web.Routes() {
			right := w.path(t, r)
			path := strings.NewReplacer("/commissions/grid-storage/", "/commissions/c1/", "/organizations/nordwind/", "/organizations/o1/").Replace(right)
			if path == right || !regexp.MustCompile(`/:slug/.*:(id|seat|role|digest|number)\b`).MatchString(r.Path) {
				continue
			}
			var got apptest.Reply
			switch rest, api := strings.CutPrefix(path, "/api/v1"); {
			case api && better[r.Path[len("/api/v1"):]] != nil:
				got = w.sam.API(r.Method, rest, better[r.Path[len("/api/v1"):]], "If-Match", `"v1"`)
			case api:
				got = w.sam.API(r.Method, rest, body(r), "If-Match", `"v1"`)
			case r.Method == "GET":
				got = w.sam.Get(path + asked[r.Path])
			default:
				got = w.sam.Send("POST", path, forms[right].Encode(), "Content-Type", "application/x-www-form-urlencoded")
			}
			if n++; got.Status != 404 {
				t.Errorf("%s %s: status %d %.300s", r.Method, path, got.Status, got.Body)
			}
		}
		if n < 40 || entries() != before {
			t.Errorf("%d routes were asked, and %d changes made", n, entries()-before)
		}
	})

	t.Run("more than is asked for", func(t *testing.T) {
		n, before, more := 0, entries(), []string{"id", "person_id", "commission_id", "confirmed_at", "secretariat"}
		for _, r := range w.Web.Routes() {
			b, ok := body(r).(map[string]any)
			if !ok {
				continue
			}
			name := more[n%len(more)]
			b[name] = w.sam.ID
			if got := w.sam.API(r.Method, strings.TrimPrefix(w.path(t, r), "/api/v1"), b, "If-Match", `"v1"`); got.Status != 422 || !strings.Contains(got.Body, name) {
				t.Errorf("%s %s with %s: status %d %.300s", r.Method, r.Path, name, got.Status, got.Body)
			}
			n++
		}
		// A form takes no notice.
		olive := w.Person("Olive Overposted")
		extra := []string{"id", w.sam.ID.String(), "person", w.sam.ID.String(), "person_id", w.sam.ID.String(), "author", w.sam.ID.String(), "email", "olive@evil.example", "state", "member", "status", "superseded", "review", "",
			"category", "founding", "voting", "true", "appointed_by", "election", "roles", "secretariat", "portal_role", "secretariat", "commission", "c1", "commission_id", w.ids["imports"], "number", "77", "slug", "taken", "registered_by", w.sam.ID.String()}
		olive.Post("/profile", append([]string{"name", "Olive O", "language", "en", "time_zone", "UTC", "country", "DE", "version", "1"}, extra...)...).Want(303)
		olive.Post("/organizations", append([]string{"name", "Olive Works", "kind", "company", "country", "DE", "title", "Founder"}, extra...)...).Want(303)
		olive.Post("/commissions/grid-storage/apply", append([]string{"role", "observer", "statement", "Ten years of it."}, extra...)...).Want(303)
		edit := []string{"title", "Edited", "type", "report", "organization", "nordwind", "visibility", "public", "language", "en", "version", "1"}
		w.sam.Post("/documents/GRID-STORAGE-N0002/edit", append(edit, extra...)...).Want(303)
		for what, query := range map[string]string{
			"person":       `SELECT name || ' ' || email || ' ' || (SELECT count(*) FROM portal_role r WHERE r.person_id = p.id) FROM person p WHERE id = $1`,
			"organization": `SELECT slug || ' ' || state || ' ' || (registered_by = $1) || ' ' || category FROM organization WHERE name = 'Olive Works'`,
			"application":  `SELECT a.state || ' ' || a.role || ' ' || c.slug || ' ' || (a.person_id = $1) FROM application a JOIN commission c ON c.id = a.commission_id WHERE a.statement = 'Ten years of it.'`,
			"document":     `SELECT d.number || ' ' || d.status || ' ' || c.slug || ' ' || (d.author_id IS DISTINCT FROM $1) FROM document d JOIN commission c ON c.id = d.commission_id WHERE title = 'Edited'`,
		} {
			want := map[string]string{"person": "Olive O olive.overposted@example.org 0", "organization": "olive-works pending true associate", "application": "pending observer grid-storage true", "document": "2 available grid-storage true"}[what]
			if got := apptest.Value[string](w.Portal, query, olive.ID); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		if made := entries() - before; n < 50 || made != 4 {
			t.Errorf("%d operations were asked, and %d changes made, want those of four forms", n, made)
		}
	})

	t.Run("by its address", func(t *testing.T) { // documents, drafts and their files
		eve := w.Person("Eve Eavesdropper")
		w.Exec(`UPDATE document SET visibility = 'officers', license = '', published_at = NULL`)
		w.Exec(`UPDATE share SET revoked_at = now(), revoked_by = created_by`)
		draft := w.ids["draft"]
		w.Exec(`INSERT INTO document_version (document_id, number, language, digest, size, file_name, created_at) SELECT $1, 1, 'en', digest, size, 'draft.txt', now() FROM document_version LIMIT 1`, draft)
		w.Exec(`UPDATE document SET versions = 1, author_id = NULL WHERE id = $1`, draft)
		for _, path := range []string{"/organizations/names?organization=pend", "/organizations/similar?name=pending1", "/search?q=pending", "/api/v1/search?q=pending"} {
			eve.Get(path).Want(200).Lacks("Pending")
		}
		n := 0
		for _, r := range w.Web.Routes() {
			if r.Method != "GET" || !strings.Contains(r.Path, "/documents/:name") && r.Path != "/d/:name" {
				continue
			}
			path := w.path(t, r) + asked[r.Path]
			at := func(name string) string {
				return strings.NewReplacer("GRID-STORAGE-N0001", name, draft, name).Replace(path)
			}
			for name, none := range map[string]string{"GRID-STORAGE-N0001": "GRID-STORAGE-N9999", draft: "01980000-0000-7000-8000-000000000000"} {
				for _, c := range []*apptest.Client{eve, w.Visitor()} {
					there, missing := c.Get(at(name)), c.Get(at(none))
					n++
					if there.Status < 300 || there.Status >= 300 && bare(there, name) != bare(missing, none) {
						t.Errorf("GET %s: %d\n%.300s\nand what is not there\n%.300s", at(name), there.Status, bare(there, name), bare(missing, none))
					}
				}
			}
		}
		if n < 80 {
			t.Errorf("only %d asked", n)
		}
	})

	t.Run("somebody else's file", func(t *testing.T) {
		eve := w.Person("Eve Thief")
		upload := apptest.JSON[struct{ ID string }](eve.Send("POST", "/api/v1/uploads?name=a.txt", "Eve's own text").Want(201)).ID
		w.sam.API("POST", "/commissions/grid-storage/documents", map[string]any{"title": "A title", "type": "report", "upload": upload}).Want(422, "Choose a file.")
		w.sam.API("POST", "/documents/GRID-STORAGE-N0001/versions", map[string]any{"upload": upload, "language": "en"}).Want(422)
		w.sam.API("DELETE", "/uploads/"+upload, nil, "Sec-Fetch-Site", "same-origin").Want(404)
		// Who sends what is kept already is told nothing of it.
		w.Exec(`UPDATE file SET scan = 'infected', note = 'Somebody knows it.'`)
		own := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|20\d\d-\d\d-\d\dT[0-9:.]+Z|Content-Length: \d+`) // the length follows the digits of a time
		kept, fresh := eve.Send("POST", "/api/v1/uploads?name=b.txt", "text").Want(201), eve.Send("POST", "/api/v1/uploads?name=b.txt", "tent").Want(201)
		if a, b := own.ReplaceAllString(bare(kept, "\x00"), "…"), own.ReplaceAllString(bare(fresh, "\x00"), "…"); a != b {
			t.Errorf("what is kept already is answered\n%s\nand what is new\n%s", a, b)
		}
		w.Exec(`UPDATE file SET scan = 'none', note = ''`)
	})

	t.Run("after a removal", func(t *testing.T) {
		w.Web.Beat = 100 * time.Millisecond
		rita := w.Person("Rita Removed")
		w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT tstzrange(now() - interval '1 year', NULL), id, $1, $2, 'vice_chair', 'chair' FROM commission WHERE slug = 'grid-storage'`, rita.ID, rita.Name)
		w.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at, seen_at) VALUES ($1, $2, 'Full', false, now(), now() + interval '50 years')`, web.Hash("rita"), rita.ID)
		w.Exec(`UPDATE document SET title = 'Zebra ' || id WHERE number IS NOT NULL`)
		if err := w.Documents.IndexRest(t.Context()); err != nil {
			t.Fatal(err)
		}
		program := w.Visitor()
		program.Token = "rita"
		const file = "/documents/GRID-STORAGE-N0001/versions/1/content"
		ways := map[string]func() bool{
			"page":          func() bool { return rita.Get("/documents/GRID-STORAGE-N0001").Status == 200 },
			"file":          func() bool { return rita.Get(file).Status == 200 },
			"API by token":  func() bool { return program.API("GET", "/documents/GRID-STORAGE-N0001", nil).Status == 200 },
			"file by token": func() bool { return program.API("GET", file, nil).Status == 200 },
			"list":          func() bool { return strings.Contains(rita.Get("/commissions/grid-storage/documents").Body, "Zebra") },
			"export": func() bool {
				return strings.Contains(rita.Get("/commissions/grid-storage/documents.csv").Body, "Zebra")
			},
			"ZIP": func() bool {
				return rita.Get("/commissions/grid-storage/documents.zip?documents=GRID-STORAGE-N0001").Status == 200
			},
			"search": func() bool {
				return strings.Contains(program.API("GET", "/search?kind=document&q=zebra", nil).Body, "GRID-STORAGE")
			},
			"desk": func() bool {
				return strings.Contains(rita.Get("/desk").Body, "/commissions/grid-storage/applications/")
			},
			"history": func() bool { return rita.Get("/commissions/grid-storage/history").Status == 200 },
			"writing by token": func() bool {
				return program.API("POST", "/commissions/grid-storage/milestones", map[string]any{"title": fmt.Sprint("Plan ", uuid.New()), "due_on": "2030-01-01"}).Status == 201
			},
			"writing by a form": func() bool {
				return rita.Post("/commissions/grid-storage/documents/reserve", "title", "Reserved "+uuid.NewString(), "type", "report").Status == 303
			},
		}
		for _, name := range slices.Sorted(maps.Keys(ways)) {
			if !ways[name]() {
				t.Errorf("%s: refused before the seat ended", name)
			}
		}
		stream := rita.Events("/events?document=GRID-STORAGE-N0001")
		stream.Want("changed")
		w.Exec(`UPDATE seat SET period = tstzrange(lower(period), now()), ended = 'removed' WHERE person_id = $1`, rita.ID)
		stream.Want("end")
		for _, name := range slices.Sorted(maps.Keys(ways)) {
			if ways[name]() {
				t.Errorf("%s: given after the seat ended", name)
			}
		}
	})

	t.Run("hostile texts and hosts", func(t *testing.T) { w.hostileTexts(t) })
}

// hostileTexts puts markup, a formula and an address that must not be fetched into
// every text that the database has room for, and asks every route by another host:
// what comes is text, names no host but the portal's, and nothing has been fetched.
func (w *world) hostileTexts(t *testing.T) {
	canary, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = canary.Close() }()
	var fetched atomic.Int32
	go func() {
		for {
			c, err := canary.Accept()
			if err != nil {
				return
			}
			fetched.Add(1)
			_ = c.Close()
		}
	}()
	w.Exec(`CREATE TABLE hostile (at text)`)
	w.Exec(`DO $do$ DECLARE c record; BEGIN
		FOR c IN SELECT table_name t, column_name n FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'text' AND is_generated = 'NEVER'
			AND table_name !~ '^(river|idempotency|identity|journal|document_search|document_word|access_rule|factor_role|sign_up|attempt|erasure|ticket|hostile|document_call|document_notice)'
			AND column_name !~ '^(role|object|action|effect|state|slug|status|review|kind|parent_kind|join_mode|visibility|roster_visibility|type|license|language|time_zone|theme|country|category|appointed_by|digest|email|to_address|password_hash|key|level|scope|scan|outcome|slot|prefix|before_withdrawal|ended|domain|verdict|unsubscribe|html)$' LOOP
			BEGIN
				EXECUTE format('UPDATE %I SET %I = $1 || ctid::text', c.t, c.n) USING '=1+1<img src=//` + canary.Addr().String() + `/../a onerror=alert(1)>''"';
				INSERT INTO hostile VALUES (c.t || '.' || c.n);
			EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%.%: %', c.t, c.n, SQLERRM; -- one that takes no such text
			END;
		END LOOP; END $do$`)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM hostile`); n < 40 {
		t.Errorf("only %d columns are hostile: %s", n, apptest.Value[string](w.Portal, `SELECT string_agg(at, ' ') FROM hostile`))
	}
	poison := []string{"Host", "evil.example", "X-Forwarded-Host", "evil.example", "X-Forwarded-Server", "evil.example", "X-Forwarded-Proto", "evil", "Forwarded", "host=evil.example", "X-Original-URL", "/evil.example", "X-Rewrite-URL", "/evil.example", "X-Forwarded-Prefix", "/evil.example"}
	shown, public := map[string]int{}, 0
	for _, r := range w.Web.Routes() {
		if r.Method != "GET" || r.Live || strings.HasPrefix(r.Path, "/static/") {
			continue
		}
		path := w.path(t, r) + asked[r.Path]
		got := w.sam.Elsewhere("GET", path, "", poison...)
		if got.Status >= 500 || strings.Contains(got.Body, "evil.example") || strings.Contains(fmt.Sprint(got.Header), "evil.example") {
			t.Errorf("GET %s by another host: status %d, %v", path, got.Status, got.Header)
		}
		kind, _, _ := strings.Cut(got.Header.Get("Content-Type"), ";")
		if strings.Contains(got.Body, "=1+1") || kind == "application/zip" {
			shown[kind]++
		}
		for _, fault := range active(kind, got.Body) {
			t.Errorf("GET %s: %s", path, fault)
		}
		if cache := got.Header.Get("Cache-Control"); got.Status == 200 && strings.Contains(cache, "public") && strings.Contains(got.Body, "/sign-out") || got.Status == 200 && cache == "" && path != "/healthz" {
			t.Errorf("GET %s: what somebody sees who is signed in goes with Cache-Control %q", path, cache)
		}
		// What others may be given is the same for them.
		one := w.Visitor().Elsewhere("GET", path, "", poison...)
		if !strings.Contains(one.Header.Get("Cache-Control"), "public") {
			continue
		}
		public++
		if other := w.Visitor().Get(path); one.Body != other.Body || one.Header.Get("ETag") != other.Header.Get("ETag") || strings.Contains(one.Body, "/sign-out") {
			t.Errorf("GET %s: a cache gives what another host was asked for", path)
		}
	}
	if shown["text/html"] < 120 || shown["text/csv"] < 4 || shown["application/atom+xml"] < 1 || shown["application/zip"] < 2 || public < 15 {
		t.Errorf("hostile texts were shown by %v, and %d answers are public: they were looked for in the wrong place", shown, public)
	}
	if n := fetched.Load(); n > 0 {
		t.Errorf("the portal fetched what a text names, %d times", n)
	}
}

// active is what in an answer would do something.
func active(kind, body string) (faults []string) {
	switch kind {
	case "text/html":
		root, err := nethtml.Parse(strings.NewReader(body))
		if err != nil {
			return []string{err.Error()}
		}
		for n := range root.Descendants() {
			for _, a := range n.Attr {
				value := strings.ToLower(strings.TrimSpace(a.Val))
				switch {
				case strings.HasPrefix(a.Key, "on"), strings.HasPrefix(value, "javascript:"), strings.HasPrefix(value, "data:text/html"),
					a.Key == "src" && !strings.HasPrefix(value, "data:image/") && (!strings.HasPrefix(value, "/") || strings.HasPrefix(value, "//")),
					(a.Key == "href" || a.Key == "action" || a.Key == "formaction") && strings.HasPrefix(value, "//"):
					faults = append(faults, fmt.Sprintf("<%s %s=%q>", n.Data, a.Key, a.Val))
				}
			}
			if n.Type == nethtml.ElementNode && n.Data == "script" && n.FirstChild != nil {
				faults = append(faults, "<script> with a text")
			}
		}
	case "text/csv":
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff")))
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		if err != nil {
			return []string{err.Error()}
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.HasPrefix(cell, "=") {
					faults = append(faults, "a formula: "+cell)
				}
			}
		}
	case "application/atom+xml":
		for d := xml.NewDecoder(strings.NewReader(body)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return faults
			} else if err != nil {
				return append(faults, err.Error())
			}
			if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "img" || e.Name.Local == "script") {
				faults = append(faults, "<"+e.Name.Local+">")
			}
		}
	case "application/zip":
		z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
		if err != nil {
			return []string{err.Error()}
		}
		for _, f := range z.File {
			if strings.ContainsAny(f.Name, `/\`) || strings.HasPrefix(f.Name, ".") {
				faults = append(faults, "a file "+f.Name)
			}
		}
	}
	return faults
}

// TestNothingElseIsFetched holds the list of the places from which the portal calls
// others, each at an address of its settings. What is added here has to be safe from
// addresses that people write (SSRF).
func TestNothingElseIsFetched(t *testing.T) {
	t.Parallel()
	places := map[string]string{
		"internal/account/identity.go": "the issuer, OIDC_ISSUER", "internal/app/config.go": "the same, and nobody whom it refers to", "internal/blob/blob.go": "the store of files, FILES", "internal/clamd/clamd.go": "the scanner, CLAMD",
		"internal/mail/smtp.go": "the mail server, SMTP_HOST", "internal/postgres/line.go": "the database, DATABASE_URL",
	}
	calls := regexp.MustCompile(`\bhttp\.(Get|Head|Post|PostForm|Client|NewRequest\w*|DefaultClient|DefaultTransport|Transport)\b|\b(net|tls)\.(Dial\w*|Dialer)\b|\bsmtp\.|\boidc\.NewProvider\b|\w+blob\.Open\w*\(|\bfasthttp\.(Do|Get|Post|Client|Dial)\b|\bfiber\.(Get|Post|AcquireClient|AcquireAgent)\(`)
	found := map[string]bool{}
	for _, dir := range []string{"cmd", "internal", "views"} {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/apptest/") {
				return err
			}
			code, err := os.ReadFile(path)
			if reaches := slices.ContainsFunc([]string{`"net"`, `"net/http"`, `"crypto/tls"`, `"net/smtp"`, `go-oidc`, `gocloud.dev/blob`, `go-mail"`, `valyala/fasthttp"`, `gofiber/fiber/v2"`}, func(s string) bool { return bytes.Contains(code, []byte(s)) }); reaches && calls.Match(code) {
				at := strings.TrimPrefix(filepath.ToSlash(path), "../../")
				found[at] = true
				if places[at] == "" {
					t.Errorf("%s calls somebody: %s", at, calls.Find(code))
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for at := range places {
		if !found[at] {
			t.Errorf("%s calls nobody any more", at)
		}
	}
}

// forms are those of all pages as Sam sees them, by where they are sent, filled in
// as they are shown.
func (w *world) forms(t *testing.T) map[string]url.Values {
	t.Helper()
	all := map[string]url.Values{}
	for _, r := range w.Web.Routes() {
		if r.Method != "GET" || r.Live || strings.HasPrefix(r.Path, "/api/") || strings.HasPrefix(r.Path, "/static/") {
			continue
		}
		for _, form := range forms.FindAllString(w.sam.Get(w.path(t, r)+asked[r.Path]).Body, -1) {
			values := url.Values{}
			for _, m := range fields.FindAllStringSubmatch(form, -1) {
				if m[1] != "_key" {
					values.Set(m[1], html.UnescapeString(m[2]+m[3]))
				}
			}
			if m := action.FindStringSubmatch(form); m != nil {
				all[html.UnescapeString(m[1])] = values
			}
		}
	}
	return all
}
