package documentweb_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// daemon speaks as clamd does and is none: it finds a virus where PLAGUE is
// written, and can be down. How ClamAV itself is spoken to is tested in
// internal/clamd.
func daemon(t *testing.T) (address string, down *atomic.Bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	down = &atomic.Bool{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if !down.Load() {
				in, all := bufio.NewReader(c), bytes.Buffer{}
				_, _ = in.ReadString(0)
				for n := uint32(1); n > 0 && binary.Read(in, binary.BigEndian, &n) == nil; {
					_, _ = io.CopyN(&all, in, int64(n))
				}
				said := "stream: OK\x00"
				if strings.Contains(all.String(), "PLAGUE") {
					said = "stream: Plague.A FOUND\x00"
				}
				_, _ = io.WriteString(c, said)
			}
			_ = c.Close()
		}
	}()
	return "tcp://" + l.Addr().String(), down
}

// TestViruses: what is infected is refused at the field, by every way in; while the
// scanner is down nothing is taken; and what was taken before is found later.
func TestViruses(t *testing.T) {
	t.Parallel()
	address, down := daemon(t)
	w := newWorld(t, func(c *app.Config) { c.Clamd = address })
	const list = "/commissions/energy/documents"
	body, kind := form(t, "plague.txt", "A PLAGUE on both", "title", "Infected", "type", "report")
	w.member.Send("POST", list, body, "Content-Type", kind).Want(422, "A virus was found in this file: Plague.A")
	w.member.Send("POST", "/api/v1/uploads?name=a.txt", "PLAGUE").Want(422, "Plague.A")
	tus := []string{"Tus-Resumable", "1.0.0", "Content-Type", "application/offset+octet-stream"}
	begin := func(content string) string {
		return w.member.Send("POST", "/api/v1/uploads", "", append(tus, "Upload-Length", fmt.Sprint(len(content)))...).Want(201).Location()
	}
	at := begin("PLAGUE")
	w.member.Send("PATCH", at, "PLAGUE", append(tus, "Upload-Offset", "0")...).Want(422, "Plague.A")
	w.member.Send("HEAD", at, "", tus...).Want(404)
	if n := apptest.Value[int](w.Portal, `SELECT (SELECT count(*) FROM upload) + (SELECT count(*) FROM file)`); n != 0 {
		t.Errorf("%d rows name what is infected", n)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object = 'upload' AND action = 'refuse' AND note::text LIKE '%Plague.A%'`); n != 3 {
		t.Errorf("%d entries in the journal, want 3", n)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE kind = 'document.infected' AND person_id = $1`, w.sam.ID); n != 3 {
		t.Errorf("the secretariat got %d letters, want 3", n)
	}

	down.Store(true)
	w.member.Send("POST", "/api/v1/uploads?name=a.txt", "harmless").Want(503, "viruses")
	at = begin("harmless")
	id := at[strings.LastIndex(at, "/")+1:]
	w.member.Send("PATCH", at, "harmless", append(tus, "Upload-Offset", "0")...).Want(503)
	w.member.Send("HEAD", at, "", tus...).Want(503)
	w.chair.API("POST", list, map[string]any{"title": "Not searched", "type": "report", "upload": id}).Want(422)
	w.member.API("POST", list, map[string]any{"title": "Not searched", "type": "report", "upload": id}).Want(422, "Choose a file.")
	down.Store(false)
	if got := w.member.Send("HEAD", at, "", tus...).Want(200).Header.Get("Upload-Offset"); got != "8" {
		t.Errorf("searched at last, it stands at %s: it has to be sent again", got)
	}
	w.member.API("POST", list, map[string]any{"title": "Searched", "type": "report", "upload": id, "draft": true}).Want(201)

	// As if it had been taken before there was a scanner.
	b, err := w.Files.Put(t.Context(), strings.NewReader("An old PLAGUE"), 100)
	if err != nil {
		t.Fatal(err)
	}
	w.document(1, "An old report", "commission", `UPDATE document SET versions = 1, languages = '{en}' WHERE id = $1`)
	w.Exec(`INSERT INTO file (digest, size, type, created_at) VALUES ($1, $2, 'text/plain', now())`, b.Digest, b.Size)
	w.Exec(`INSERT INTO document_version (document_id, number, language, digest, size, file_name, person_id, created_at) SELECT id, 1, 'en', $1, $2, 'old.txt', $3, now() FROM document WHERE number = 1`, b.Digest, b.Size, w.member.ID)
	const content = "/documents/ENERGY-N0001/versions/1/content"
	w.member.Get(content).Want(200)
	var all sync.WaitGroup
	for range 4 { // one finds it first, and the others nothing to do
		all.Go(func() {
			if err := w.Documents.ScanRest(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.member.Get(content).Want(403, "A virus was found in this file")
	for _, path := range []string{"/preview", "/preview/pages/1", "/thumbnail"} {
		w.member.Get(strings.TrimSuffix(content, "/content")+path).Want(403, "A virus was found in this file")
	}
	w.chair.Get(content).Want(403)
	w.chair.Get("/documents/ENERGY-N0001").Want(200, "A virus was found").Lacks("/content")
	if got := apptest.Value[string](w.Portal, `SELECT string_agg(scan, ' ' ORDER BY scan) FROM file`); got != "clean infected" {
		t.Errorf("the files are %s", got)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE kind = 'document.infected' AND person_id = $1 AND text LIKE '%An old report%'`, w.member.ID); n != 1 {
		t.Errorf("who brought it got %d letters, want 1", n)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object = 'document' AND action = 'quarantine'`); n != 1 {
		t.Errorf("%d entries in the journal, want 1", n)
	}
}
