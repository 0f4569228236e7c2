package documentweb_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
)

// flush waits until what was read so far is written down.
func (w *world) flush(t testing.TB) {
	t.Helper()
	if err := w.Documents.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// share gives a document to a person, and returns the grant's id.
func (w *world) share(document uuid.UUID, column string, to uuid.UUID, level string) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO share (id, document_id, `+column+`, level, created_by, created_at) VALUES ($1, $2, $3, $4, $5, now() - interval '1 hour')`, id, document, to, level, w.member.ID)
	return id
}

type step struct {
	At         time.Time
	Kind, Step string
	Person     string
	Count      int
	Daily      bool
}

type steps struct {
	Items []step
	Next  string
}

// TestReadingIsNoted: who opened and downloaded what, once, for which organization
// and by which grant.
func TestReadingIsNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	w.At(start)
	open := w.document(1, "An open report", "public")
	named := w.document(2, "A report for few", "named")
	guest, rail := w.Person("Gil Guest"), uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO organization (id, slug, name, plain_name, kind, state, country) VALUES ($1, 'rail', 'Rail Works', 'rail', 'company', 'member', 'DE')`, rail)
	w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, period) VALUES ($1, $2, 'confirmed', '[2020-01-01,)')`, guest.ID, rail)
	delegate := w.Person("Dora Delegate")
	w.seat(delegate, &w.acme, "alternate_representative")
	grant := w.share(named, "to_organization", rail, "download")
	w.share(open, "to_organization", rail, "download") // the guest reads that without it too
	page := "/documents/ENERGY-N0001"

	delegate.Get(page).Want(200)
	delegate.Get(page).Want(200)
	delegate.API("GET", page, nil).Want(200)
	w.member.Get(page).Want(200) // its author
	w.chair.Send("HEAD", page, "").Want(200)
	w.chair.Get(page, "Sec-Purpose", "prefetch;prerender").Want(200)
	w.Visitor().Get(page).Want(200)
	w.Visitor().Get(page).Want(200)
	w.outsider.Get("/documents/ENERGY-N0002").Want(404)
	guest.Get("/documents/ENERGY-N0002").Want(200)
	guest.Get(page).Want(200)
	w.flush(t)
	w.At(start.Add(9 * time.Minute))
	delegate.Get(page).Want(200)
	w.flush(t)
	w.At(start.Add(11 * time.Minute))
	delegate.Get(page).Want(200)
	w.flush(t)

	w.At(start.Add(time.Hour))
	w.chair.API("POST", "/documents/ENERGY-N0002/versions", map[string]any{"upload": send(w.chair, "r.txt", "Hello")}).Want(201)
	file := "/documents/ENERGY-N0002/versions/1/content"
	if r := guest.Send("HEAD", file, ""); r.Status != 200 || r.Header.Get("Content-Length") != "5" {
		t.Errorf("HEAD of a file: %d, %s bytes", r.Status, r.Header.Get("Content-Length"))
	}
	delegate.Send("HEAD", "/documents/ENERGY-N0002/versions/1/preview", "").Want(404)
	guest.Send("HEAD", "/documents/ENERGY-N0002/versions/1/preview", "").Want(200)
	guest.Get("/documents/ENERGY-N0002/versions/1/preview").Want(200)
	guest.Get("/documents/ENERGY-N0002/versions/1/preview").Want(200)
	w.flush(t)
	guest.Get(file).Want(200, "Hello")
	guest.Get(file, "Range", "bytes=2-").Want(206, "llo")

	got := apptest.Value[string](w.Portal, `
		SELECT string_agg(concat_ws(' ', a.kind, d.number, coalesce(p.name, 'nobody'), o.slug, (a.share_id = $1)::text, to_char(a.at - $2::timestamptz, 'HH24:MI')), E'\n' ORDER BY a.at, p.name, d.number, a.id)
		FROM document_access a JOIN document d ON d.id = a.document_id LEFT JOIN person p ON p.id = a.person_id LEFT JOIN organization o ON o.id = a.organization_id`, grant, start)
	if want := strings.Join([]string{"view 1 Dora Delegate acme 00:00", "view 1 Gil Guest 00:00", "view 2 Gil Guest rail true 00:00", "view 1 nobody 00:00", "view 1 nobody 00:00",
		"view 1 Dora Delegate acme 00:11", "preview 2 Gil Guest rail true 01:00", "download 2 Gil Guest rail true 01:00"}, "\n"); got != want {
		t.Errorf("noted was\n%s\nwant\n%s", got, want)
	}
	if n := w.Documents.Dropped(); n != 0 {
		t.Errorf("%d views were dropped", n)
	}
}

// TestTraceRights: who sees names, who sees counts, and who sees that there are
// shares; on the page, in the API and in the export.
func TestTraceRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Date(2027, 3, 2, 12, 0, 0, 0, time.UTC)
	w.At(now)
	id := w.document(1, "A report", "public", `UPDATE document SET created_at = '2027-02-20' WHERE id = $1`)
	vera, guest, plain := w.Person("Vera Viewer"), w.Person("Gil Guest"), w.Person("Pam Plain")
	w.seat(plain, nil, "observer")
	grant := w.share(id, "to_person", guest.ID, "download")
	w.Exec(`INSERT INTO document_access (document_id, kind, person_id, share_id, at)
		SELECT $1, k, p, s, $2 FROM (VALUES ('view', $3::uuid, NULL::uuid), ('download', $3, NULL), ('view', NULL, NULL), ('download', $4, $5), ('preview', $4, $5)) x (k, p, s)`,
		id, now.Add(-time.Hour), vera.ID, guest.ID, grant)
	for i, e := range []struct{ action, text string }{{"submit", "Submitted Secret plan"}, {"return", "Returned Secret plan: a secret reason"}, {"submit", "Submitted A report"}, {"accept", "Accepted A report as ENERGY-N0001"}} {
		w.Exec(`SELECT journal_append('commission', $1, $2, NULL, $3::timestamptz, 'test', ARRAY['document'], ARRAY[$4], ARRAY[$5::uuid], ARRAY[json_build_object('text', $6::text)::text])`,
			w.energy, map[bool]uuid.UUID{true: w.member.ID, false: w.chair.ID}[e.action == "submit"], now.Add(time.Duration(i-50)*time.Hour), e.action, id, e.text)
	}
	const page = "/documents/ENERGY-N0001/trace"
	for _, shown := range []bool{false, true} {
		w.Exec(`UPDATE register SET names_shown = $1`, shown)
		for _, tt := range []struct {
			name  string
			c     *apptest.Client
			works bool // sees names and shares for what they are
		}{
			{"visitor", w.Visitor(), false}, {"outsider", w.outsider, false}, {"plain member", plain, false}, {"guest", guest, false}, {"reader", vera, false},
			{"author", w.member, true}, {"owner", w.boss, true}, {"chair", w.chair, true}, {"secretariat", w.sam, true},
		} {
			what := fmt.Sprintf("%s, names shown %v", tt.name, shown)
			csvBody := tt.c.Get(page + ".csv").Want(200).Body
			html := tt.c.Get(page).Want(200, "Accepted into the register", "Returned to its author").Body
			html = html[strings.Index(html, "<main"):] // the menu names who is signed in
			api := tt.c.API("GET", page, nil).Want(200)
			for where, body := range map[string]string{"page": html, "API": api.Body, "CSV": csvBody} {
				if got := strings.Contains(body, "Vera Viewer"); got != (tt.works || shown) {
					t.Errorf("%s: the %s names a reader: %v", what, where, got)
				}
				if got := strings.Contains(body, "Carla Chair"); got != (tt.works || shown) {
					t.Errorf("%s: the %s names who accepted it: %v", what, where, got)
				}
				if got := strings.Contains(body, "Gil Guest"); got != tt.works {
					t.Errorf("%s: the %s shows whom it is shared with: %v", what, where, got)
				}
				if got := strings.Contains(body, "secret reason") || strings.Contains(body, "Secret plan"); got != tt.works && where != "API" {
					t.Errorf("%s: the %s has the notes of the officers: %v", what, where, got)
				}
				if got := strings.Contains(body, "Max Member"); got != (tt.name != "visitor" || shown) || !strings.Contains(body, "Acme") {
					t.Errorf("%s: the %s says who submitted it: %v", what, where, got)
				}
			}
			if strings.Contains(html, ">Shares<") != tt.works {
				t.Errorf("%s: the page knows of shares", what)
			}
			n := map[string]int{}
			for _, s := range apptest.JSON[steps](api).Items {
				n[s.Kind] += s.Count
				if s.Daily != (!tt.works && !shown && (s.Kind == "view" || s.Kind == "download")) || s.Daily && !s.At.Equal(time.Date(2027, 3, 2, 0, 0, 0, 0, time.UTC)) {
					t.Errorf("%s: %s of %v is of the day: %v", what, s.Kind, s.At, s.Daily)
				}
			}
			want := map[string]int{"view": 2, "download": 1, "submission": 4}
			if tt.works {
				want = map[string]int{"view": 2, "download": 2, "preview": 1, "share": 1, "submission": 4}
			}
			if fmt.Sprint(n) != fmt.Sprint(want) {
				t.Errorf("%s: the API counts %v, want %v", what, n, want)
			}
		}
	}
	w.Exec(`UPDATE document SET visibility = 'officers'`)
	for _, path := range []string{page, page + ".csv", page + ".xlsx", "/api/v1" + page, "/events?document=ENERGY-N0001", "/api/v1/events?document=ENERGY-N0001"} {
		plain.Get(path).Want(404)
		w.Visitor().Get(path).Want(404)
	}
	w.Exec(`UPDATE document SET visibility = 'public'`)
	w.Visitor().Get("/documents/ENERGY-N0001").Want(200, "everybody who may read it sees your name", page)
	w.Exec(`UPDATE register SET names_shown = false`)
	w.Visitor().Get("/documents/ENERGY-N0001").Want(200, "is counted, without your name")
	vera.Get("/documents/ENERGY-N0001").Want(200, "the secretariat see your name")
}

// TestTracePages reads a long trace in pieces, whole and filtered.
func TestTracePages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Date(2027, 3, 2, 12, 0, 0, 0, time.UTC)
	w.At(now)
	id := w.document(1, "A report", "commission", `UPDATE document SET created_at = '2027-01-01', author_id = NULL WHERE id = $1`)
	grant := w.share(id, "to_person", w.outsider.ID, "see")
	w.Exec(`UPDATE share SET created_at = '2027-02-01', expires_at = '2027-02-05' WHERE id = $1`, grant)
	w.Exec(`INSERT INTO document_access (document_id, kind, person_id, number, language, at)
		SELECT $1, (ARRAY['view', 'download'])[1 + i % 2], $2, 1, 'en', $3::timestamptz - (i / 4) * interval '5 hours' FROM generate_series(0, 99) i`, id, w.chair.ID, now)
	const page = "/documents/ENERGY-N0001/trace"
	for _, c := range []*apptest.Client{w.chair, w.Person("Pam Plain")} {
		if c != w.chair {
			w.seat(c, nil, "observer")
		}
		all := apptest.JSON[steps](c.API("GET", page+"?limit=200", nil).Want(200))
		var pieces []step
		for cursor, n := "", 0; n == 0 || cursor != ""; n++ {
			s := apptest.JSON[steps](c.API("GET", page+"?limit=7&cursor="+url.QueryEscape(cursor), nil).Want(200))
			pieces, cursor = append(pieces, s.Items...), s.Next
		}
		if len(all.Items) < 10 || !slices.Equal(all.Items, pieces) {
			t.Errorf("%s: %d steps at once, %d in pieces", c.Name, len(all.Items), len(pieces))
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(c.Get(page+".csv").Want(200).Body, "\ufeff"))).ReadAll()
		if err != nil || len(rows) != len(all.Items)+1 {
			t.Errorf("%s: the export has %d rows, %v", c.Name, len(rows), err)
		}
		if b := c.Get(page + ".xlsx").Want(200).Body; !strings.HasPrefix(b, "PK") {
			t.Error("the XLSX is none")
		}
		c.Get(page).Want(200, `<circle class="lane-mark"`)
		c.Get(page+"?kind=submission").Want(200, "Taken over from a list")
	}
	for query, want := range map[string]int{
		"kind=download": 50, "kind=share": 2, "kind=submission": 1, "kind=preview": 0, "from=2027-03-02": 12, "until=2027-02-03": 2, "kind=view&from=2027-03-01&until=2027-03-01": 10,
	} {
		if n := len(apptest.JSON[steps](w.chair.API("GET", page+"?limit=200&"+query, nil).Want(200)).Items); n != want {
			t.Errorf("%s: %d steps, want %d", query, n, want)
		}
	}
	w.chair.Get(page+"?kind=download&from=2027-03-01").Want(200, "From 1\u00a0Mar\u00a02027", `kind=download`)
	// What is wrong with a filter is said at its field and where the steps would be.
	refused := w.chair.Get(page+"?from=2027-03-02&until=2027-03-01").Want(422, `id="f-until-error"`).Lacks("Nothing of this has happened")
	if _, results, _ := strings.Cut(refused.Body, `id="results"`); !strings.Contains(results, "Choose a day that is not before the first.") {
		t.Error("a filter that is refused says nothing where the steps would be")
	}
	w.chair.API("GET", page+"?from=2027-03-02&until=2027-03-01", nil).Want(422, `"until":"Choose a day`)
	w.chair.API("GET", page+"?from=tomorrow", nil).Want(422)
	w.chair.Get(page+"?kind=preview").Want(200, "Nothing of this has happened")
}

// TestLiveTrace: what a member does appears in the owner's open stream; who loses
// the right, or signs out, is let go.
func TestLiveTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Web.Beat = 100 * time.Millisecond
	w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": "A report", "type": "report", "upload": send(w.chair, "r.txt", "Hello")}).Want(201)
	id := apptest.Value[uuid.UUID](w.Portal, `SELECT id FROM document`)
	w.Exec(`UPDATE document SET visibility = 'named'`)
	guest := w.Person("Gil Guest")
	grant := w.share(id, "to_person", guest.ID, "download")
	const at = "/documents/ENERGY-N0001"

	owner, reader := w.chair.Events("/events?document=ENERGY-N0001"), guest.Events("/api/v1/events?document="+id.String())
	owner.Want("changed") // at once
	reader.Want("changed")
	owner.Want(":")
	guest.Get(at + "/versions/1/content").Want(200)
	owner.Want("changed")
	guest.Get(at).Want(200)
	owner.Want("changed")
	w.chair.Get(at+"/trace").Want(200, "Gil Guest", "Version 1 was downloaded")

	w.Exec(`UPDATE share SET revoked_at = now(), revoked_by = created_by WHERE id = $1`, grant)
	reader.Want("end")
	reader.Want("")
	owner.Want("changed")
	guest.Get("/events?document=ENERGY-N0001").Want(404)

	w.Exec(`DELETE FROM session WHERE person_id = $1`, w.chair.ID)
	owner.Want("end")
	owner.Want("")

	// Streams are bounded, and one that has ended makes room.
	boss := make([]*apptest.Events, 11)
	for i := range boss {
		boss[i] = w.sam.Events("/events?document=ENERGY-N0001")
	}
	if boss[9].Status != 200 || boss[10].Status != 429 {
		t.Errorf("the tenth stream of one person is answered %d, the eleventh %d", boss[9].Status, boss[10].Status)
	}
}

// TestStopWithOpenStream: who follows a trace does not hold up the end.
func TestStopWithOpenStream(t *testing.T) {
	t.Parallel()
	var began time.Time
	var open *apptest.Events
	t.Run("portal", func(t *testing.T) {
		w := newWorld(t)
		w.document(1, "A report", "public")
		open = w.Visitor().Events("/events?document=ENERGY-N0001")
		open.Want("changed")
		began = time.Now()
	})
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v to stop", took)
	}
}

// TestEventsOnTheWire: a stream's connection is its own, and no less is said at its head
// than with every other answer.
func TestEventsOnTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Web.Beat = 50 * time.Millisecond
	w.document(1, "A report", "public")
	id := apptest.Value[uuid.UUID](w.Portal, `SELECT id FROM document`).String()
	u, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	changed, alive := `event: changed`+"\n"+`data: {"document":"`+id+`"}`+"\n\n", ": alive\n\n"
	for version, want := range map[string]string{
		"1.0": "retry: 3000\n\n" + changed + alive,
		"1.1": fmt.Sprintf("%x\r\nretry: 3000\n\n%s\r\n%x\r\n%s\r\n", 13+len(changed), changed, len(alive), alive),
	} {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		// What is sent after it is not answered.
		if _, err := fmt.Fprintf(conn, "GET /events?document=%s HTTP/%s\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", id, version); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		got := make([]byte, 0, 4096)
		for !strings.Contains(string(got), alive) {
			n, err := conn.Read(got[len(got):cap(got)])
			if got = got[:len(got)+n]; err != nil {
				t.Fatalf("%s: %v after %q", version, err, got)
			}
		}
		head, body, _ := strings.Cut(string(got), "\r\n\r\n")
		for _, header := range []string{" 200 OK\r\n", "\r\nContent-Type: text/event-stream", "\r\nCache-Control: no-store", "\r\nX-Content-Type-Options: nosniff", "\r\nX-Request-Id: ", "\r\nConnection: close"} {
			if !strings.Contains(head, header) {
				t.Errorf("%s: no %q in %q", version, header, head)
			}
		}
		if strings.Contains(head, "Transfer-Encoding: chunked") != (version == "1.1") || strings.Contains(head, "Content-Length") || !strings.HasPrefix(body, want) {
			t.Errorf("%s: %q\n%q instead of %q", version, head, body, want)
		}
	}
}

// BenchmarkView is what noting a view adds to a page: the same page is asked for
// as a reader does and as a browser does ahead of one, in turns.
func BenchmarkView(b *testing.B) {
	w := newWorld(b)
	w.document(1, "A report", "public")
	c := w.Visitor()
	took := map[string][]time.Duration{}
	for b.Loop() {
		for _, purpose := range []string{"", "prefetch"} {
			began := time.Now()
			c.Get("/documents/ENERGY-N0001", "Sec-Purpose", purpose).Want(200)
			took[purpose] = append(took[purpose], time.Since(began))
		}
	}
	median := func(purpose string) float64 {
		slices.Sort(took[purpose])
		return float64(took[purpose][len(took[purpose])/2].Microseconds())
	}
	b.ReportMetric(median(""), "µs/noted")
	b.ReportMetric(median("prefetch"), "µs/not")
	b.ReportMetric(0, "ns/op")
}
