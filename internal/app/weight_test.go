package app_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"regexp"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/sample"
)

// TestFirstVisitIsLight holds the first visit of a page that is full to 60 kB, as
// a browser without brotli takes it: the page and every file it asks for.
func TestFirstVisitIsLight(t *testing.T) {
	t.Parallel()
	const most = 60_000
	p := apptest.New(t)
	if _, err := sample.Load(context.Background(), p.DB, p.Files, time.Now()); err != nil {
		t.Fatal(err)
	}
	visitor := p.Visitor()
	file := regexp.MustCompile(`(?:src|href)="(/static/[^"#]+)`)
	for _, path := range []string{
		"/", "/commissions", "/organizations", "/sectors", "/sectors/energy", "/sign-up",
		"/commissions/" + apptest.Value[string](p, `SELECT slug FROM commission WHERE state = 'active' ORDER BY (SELECT count(*) FROM participation q WHERE q.commission_id = commission.id) DESC, slug LIMIT 1`),
		"/organizations/" + apptest.Value[string](p, `SELECT slug FROM organization WHERE state = 'member' ORDER BY (SELECT count(*) FROM participation q WHERE q.organization_id = organization.id) DESC, slug LIMIT 1`),
	} {
		page := visitor.Get(path).Want(200).Body
		sum, seen := packed(t, page), map[string]bool{}
		for _, m := range file.FindAllStringSubmatch(page, -1) {
			if !seen[m[1]] {
				seen[m[1]] = true
				sum += packed(t, visitor.Get(m[1]).Want(200).Body)
			}
		}
		if len(seen) < 3 {
			t.Errorf("%s asks for %d files: the test looked in the wrong place", path, len(seen))
		}
		if sum > most {
			t.Errorf("%s takes %d bytes with its %d files, more than %d", path, sum, len(seen), most)
		}
	}
}

func packed(t *testing.T, body string) int {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}
