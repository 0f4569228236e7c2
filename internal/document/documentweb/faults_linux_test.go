package documentweb_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/document"
	"commissionportal/internal/web"
)

// line is a program that speaks to the API with a token, and survives that the
// portal does not.
type line struct {
	w     *world
	token string
}

func (w *world) line(c *apptest.Client) line {
	token := uuid.NewString()
	w.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at) VALUES ($1, $2, 'Test', false, now())`, web.Hash(token), c.ID)
	return line{w, token}
}

// open asks; the body is the caller's to read and close. err says that there was no answer.
func (l line) open(method, path string, body io.Reader, header ...string) (*http.Response, error) {
	r, err := http.NewRequest(method, l.w.URL+"/api/v1"+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+l.token)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return http.DefaultClient.Do(r)
}

func (l line) ask(method, path string, body io.Reader, header ...string) (status int, text string, h http.Header, err error) {
	r, err := l.open(method, path, body, header...)
	if err != nil {
		return 0, "", nil, err
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	return r.StatusCode, string(raw), r.Header, err
}

// submit sends a file and makes a document of it: acknowledged only if ok.
func (l line) submit(name, content string) (id string, ok bool) {
	var made struct{ ID string }
	status, text, _, err := l.ask("POST", "/uploads?name="+name+".txt", strings.NewReader(content))
	if err != nil || status != 201 || json.Unmarshal([]byte(text), &made) != nil {
		return "", false
	}
	body, err := json.Marshal(map[string]any{"title": name, "type": "report", "upload": made.ID})
	if err != nil {
		return "", false
	}
	status, text, _, err = l.ask("POST", "/commissions/energy/documents", bytes.NewReader(body), "Content-Type", "application/json")
	return made.ID, err == nil && status == 201 && json.Unmarshal([]byte(text), &made) == nil
}

// sound fails if a row has no content, or a register a gap.
func (w *world) sound(t *testing.T) {
	t.Helper()
	if _, err := w.Documents.Verify(t.Context(), func(wrong document.Wrong) { t.Errorf("%s %s", wrong.Digest, wrong.What) }, func(document.Verified) {}); err != nil {
		t.Error(err)
	}
	if got := apptest.Value[string](w.Portal, `SELECT count(number) || ' ' || coalesce(max(number), 0) || ' ' || coalesce((SELECT last_number FROM register), 0) FROM document`); len(strings.Fields(got)) != 3 ||
		strings.Fields(got)[0] != strings.Fields(got)[1] || strings.Fields(got)[1] != strings.Fields(got)[2] {
		t.Errorf("numbers, the last, and the register: %s", got)
	}
}

// TestKilled: a portal that is killed in the middle of its work loses nothing that
// it acknowledged, and no row is without its content.
func TestKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	portal := w.Process()
	l := w.line(w.chair)
	acknowledged := map[string]string{}
	for round := range 4 {
		var mu sync.Mutex
		var wait sync.WaitGroup
		stop, first := make(chan struct{}), make(chan struct{}, 1000)
		for worker := range 3 {
			wait.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					name := fmt.Sprintf("File %d-%d-%d", round, worker, i)
					content := name + strings.Repeat(" and much of it", 20_000)
					if _, ok := l.submit(strings.ReplaceAll(name, " ", "_"), content); ok {
						mu.Lock()
						acknowledged[strings.ReplaceAll(name, " ", "_")] = content
						mu.Unlock()
						select {
						case first <- struct{}{}:
						default:
						}
					}
				}
			})
		}
		select {
		case <-first:
		case <-time.After(30 * time.Second):
			t.Error("nothing is acknowledged")
		}
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond) // wherever it is then
		portal.Kill()
		close(stop)
		wait.Wait()
		portal.Start()
	}
	t.Logf("%d documents were acknowledged", len(acknowledged))
	w.sound(t)
	for name, content := range acknowledged {
		id := apptest.Value[string](w.Portal, `SELECT id::text FROM document WHERE title = $1`, name)
		if _, text, _, err := l.ask("GET", "/documents/"+id+"/versions/1/content", nil); err != nil || text != content {
			t.Errorf("%s: %d bytes came back, %v", name, len(text), err)
		}
	}
}

// TestKilledBetween kills the portal when the content is durable and its row is not
// written yet: the row is held up by a lock. Nothing has to be sent again.
func TestKilledBetween(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	portal := w.Process()
	l := w.line(w.chair)
	content := strings.Repeat("0123456789", 200_000)
	_, _, h, err := l.ask("POST", "/uploads", nil, "Upload-Length", fmt.Sprint(len(content)), "Tus-Resumable", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	at := strings.TrimPrefix(h.Get("Location"), "/api/v1")
	db, err := sql.Open("postgres", w.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err == nil {
		_, err = tx.Exec(`LOCK TABLE upload IN EXCLUSIVE MODE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, _, _, err := l.ask("PATCH", at, strings.NewReader(content), "Upload-Offset", "0", "Content-Type", "application/offset+octet-stream")
		done <- err
	}()
	sum := sha256.Sum256([]byte(content))
	stored := filepath.Join(w.FilesDir(), "blob", hex.EncodeToString(sum[:1]), hex.EncodeToString(sum[:]))
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(stored); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the content was not stored")
		}
	}
	portal.Kill()
	if err := <-done; err == nil {
		t.Error("it was acknowledged")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	portal.Start()
	w.sound(t)
	id := at[strings.LastIndex(at, "/")+1:]
	w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": "Not whole", "type": "report", "upload": id}).Want(422)
	if _, _, h, err = l.ask("HEAD", at, nil); err != nil || h.Get("Upload-Offset") != fmt.Sprint(len(content)) {
		t.Fatalf("of %d bytes that had arrived it stands at %s: %v", len(content), h.Get("Upload-Offset"), err)
	}
	if left, err := os.ReadDir(filepath.Join(w.FilesDir(), "upload")); err != nil || len(left) != 0 {
		t.Errorf("parts are left: %v %v", left, err)
	}
	w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": "Whole", "type": "report", "upload": id}).Want(201)
	w.sound(t)
}

// TestSendingAcrossRestart kills the portal while a browser sends a file to it: the
// browser goes on by itself, and submits what it was told to before.
func TestSendingAcrossRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	portal := w.Process()
	tab := w.member.Browser()
	tab.Open("/commissions/energy/documents/new")
	tab.Fill("Title", "A long study")
	tab.Connect(true, 100_000)
	tab.Upload("file", write(t, "study.txt", long)[0])
	tab.See("left")
	tab.Click("main .btn-primary")
	tab.See("It is submitted as soon as all is there")
	w.arrived(t, 200_000)
	tab.Shaky()
	portal.Kill()
	tab.See("The connection is lost")
	tab.Connect(true, 0)
	portal.Start()
	tab.See("It waits for the officers")
	if got := w.member.Get(tab.Path() + "/versions/1/content").Want(200).Body; got != long {
		t.Errorf("%d bytes came, and other ones than the %d that were sent", len(got), len(long))
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM upload`); n != 0 {
		t.Errorf("%d uploads are left: it was begun anew", n)
	}
}

// TestFull: on a full disk everything that brings a file is answered 507, and
// leaves nothing; what there is room for is taken.
func TestFull(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root may mount a small disk; the store itself is tested on one by anybody")
	}
	w := newWorld(t)
	w.Process("APPTEST_DISK=4m")
	large := strings.Repeat("0123456789", 700_000)
	body, kind := form(t, "large.txt", large, "title", "Large", "type", "report")
	w.chair.Send("POST", "/commissions/energy/documents", body, "Content-Type", kind).Want(507, "There is no room left")
	w.chair.Send("POST", "/api/v1/uploads?name=large.txt", large).Want(507, "/problems/full")
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM upload`); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
	tus := []string{"Tus-Resumable", "1.0.0", "Content-Type", "application/offset+octet-stream"}
	at := w.chair.Send("POST", "/api/v1/uploads", "", append(tus, "Upload-Length", fmt.Sprint(len(large)))...).Want(201).Location()
	w.chair.Send("PATCH", at, large, append(tus, "Upload-Offset", "0")...).Want(507)
	w.chair.Send("HEAD", at, "", tus...).Want(200)
	w.chair.Send("DELETE", at, "", tus...).Want(204)
	id := send(w.chair, "small.txt", strings.Repeat("x", 1<<20))
	w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": "There is room", "type": "report", "upload": id}).Want(201)
}

// TestStoreGone: with the disk not mounted the answer is 503, nothing is half done,
// and it works again once it is back.
func TestStoreGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": "First", "type": "report", "upload": send(w.chair, "a.txt", "text")}).Want(201)
	content := "/documents/" + apptest.JSON[struct{ Reference string }](d).Reference + "/versions/1/content"
	dir := w.FilesDir()
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	body, kind := form(t, "b.txt", "more", "title", "Second", "type", "report")
	w.chair.Send("POST", "/commissions/energy/documents", body, "Content-Type", kind).Want(503)
	w.chair.Send("POST", "/api/v1/uploads?name=b.txt", "more").Want(503, "/problems/unavailable")
	w.chair.Get(content).Want(503)
	if got := apptest.Value[string](w.Portal, `SELECT (SELECT count(*) FROM upload) || ' ' || (SELECT count(*) FROM document) || ' ' || (SELECT count(*) FROM document_access WHERE kind = 'download')`); got != "0 1 0" {
		t.Errorf("uploads, documents and downloads: %s", got)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	w.chair.Get(content).Want(200, "text")
	w.chair.Send("POST", "/commissions/energy/documents", body, "Content-Type", kind).Want(303)
}

// TestAtOnce: of versions that are added at the same instant none is lost, and a
// download that has begun ends well when its document is withdrawn.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := strings.Repeat("0123456789", 3_000_000)
	name := "/documents/" + apptest.JSON[struct{ Reference string }](w.chair.API("POST", "/commissions/energy/documents",
		map[string]any{"title": "First", "type": "report", "visibility": "commission", "upload": send(w.chair, "a.txt", first)}).Want(201)).Reference
	const n = 8
	ids := make([]string, n)
	for i := range ids {
		ids[i] = send(w.chair, fmt.Sprintf("v%d.txt", i), fmt.Sprintf("Version of %d", i))
	}
	l := w.line(w.chair)
	var mu sync.Mutex
	kept := map[string]bool{}
	var wait sync.WaitGroup
	for i, id := range ids {
		wait.Go(func() {
			status, text, _, err := l.ask("POST", name+"/versions", strings.NewReader(`{"upload":"`+id+`"}`), "Content-Type", "application/json")
			if err != nil || status != 201 && status != 409 && status != 412 {
				t.Errorf("%d %s %v", status, text, err)
			}
			if status == 201 {
				mu.Lock()
				kept[fmt.Sprintf("Version of %d", i)] = true
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if got := apptest.Value[int](w.Portal, `SELECT versions FROM document`); got != len(kept)+1 || len(kept) == 0 {
		t.Errorf("%d were taken, and it has %d versions", len(kept), got)
	}
	clear(kept)
	for v := 2; v <= apptest.Value[int](w.Portal, `SELECT versions FROM document`); v++ {
		kept[w.chair.Get(fmt.Sprintf("%s/versions/%d/content", name, v)).Want(200).Body] = true
	}
	if got := apptest.Value[int](w.Portal, `SELECT versions FROM document`); len(kept) != got-1 {
		t.Errorf("%d versions have %d contents: one took the place of another", got, len(kept))
	}

	reader := w.line(w.member)
	r, err := reader.open("GET", name+"/versions/1/content", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	begun := make([]byte, 100_000)
	if _, err := io.ReadFull(r.Body, begun); err != nil {
		t.Fatal(err)
	}
	w.chair.Post(name+"/withdraw", "reason", "Wrong figures").Want(303)
	w.member.Get(name+"/versions/1/content").Want(403, "Wrong figures")
	rest, err := io.ReadAll(r.Body)
	if err != nil || string(begun)+string(rest) != first {
		t.Errorf("of %d bytes %d came: %v", len(first), len(begun)+len(rest), err)
	}
}
