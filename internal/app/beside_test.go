package app_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
)

// TestIndexedTwice has two portals make the index of the same documents anew at the same
// time: each is written, and its words are counted, once.
func TestIndexedTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	other := w.Another()
	if err := w.Documents.IndexRest(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Both have read what is to be made anew before one has written it.
	w.Exec(`UPDATE document SET summary = 'Plasmapheresis'`)
	tx, err := w.DB.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing once it is committed
	if _, err := tx.ExecContext(t.Context(), `LOCK TABLE document_word IN SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for _, p := range []*apptest.Portal{w.Portal, other} {
		both.Go(func() {
			if err := p.Documents.IndexRest(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	for end := time.Now().Add(10 * time.Second); apptest.Value[int](w.Portal, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) < 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("they do not wait")
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	both.Wait()
	documents := apptest.Value[int](w.Portal, `SELECT count(*) FROM document_search WHERE words LIKE '%plasmapheresis%'`)
	if n := apptest.Value[int](w.Portal, `SELECT documents FROM document_word WHERE word = 'plasmapheresis'`); n != documents || n < 20 {
		t.Errorf("a word of %d documents is counted %d times", documents, n)
	}
}

// TestBeside changes what every list shows by one portal, and reads it by another.
func TestBeside(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	other := w.Another()
	for _, path := range []string{"/sectors", "/commissions", "/organizations"} {
		w.sam.On(other).Get(path).Want(200)
	}
	at := w.sam.API("GET", "/sectors/energy", nil).Want(200).Header.Get("ETag")
	w.sam.API("PATCH", "/sectors/energy", map[string]any{"name": "Energy and grids"}, "If-Match", at).Want(200)
	for _, path := range []string{"/sectors", "/sectors/energy", "/commissions", "/commissions/grid-storage"} {
		w.sam.On(other).Get(path).Want(200, "Energy and grids")
	}
}
