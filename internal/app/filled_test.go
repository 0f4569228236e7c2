package app_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
	"commissionportal/internal/sample"
	filled "commissionportal/internal/world"
)

// TestWorld fills a database as `portal world` does, a small one, and looks at the plans
// of what is asked there; `make plans` does so in a larger one.
func TestWorld(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	before := made(t, p)
	scale := 0.01
	if s := os.Getenv("PLANS"); s != "" {
		var err error
		if scale, err = strconv.ParseFloat(s, 64); err != nil {
			t.Fatal(err)
		}
	}
	size := filled.At(scale)
	fill := func() error {
		return filled.Fill(context.Background(), p.DB, size, time.Now(), func(format string, args ...any) { t.Logf(format, args...) })
	}
	if err := fill(); err != nil {
		t.Fatal(err)
	}
	if after := made(t, p); !slices.Equal(before, after) {
		t.Errorf("the schema is not what it was:\n%s\n\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	for _, tt := range []struct {
		name        string
		least, most int
		query       string
	}{
		{"commissions", size.Commissions, size.Commissions, `SELECT count(*) FROM commission`},
		{"organizations", size.Organizations, size.Organizations, `SELECT count(*) FROM organization`},
		{"persons", size.Persons, size.Persons, `SELECT count(*) FROM person`},
		{"seats", size.Seats * 9 / 10, size.Seats * 11 / 10, `SELECT count(*) FROM seat`},
		{"of them ended, in a hundred", 28, 40, `SELECT 100 * count(*) FILTER (WHERE upper(period) < $1) / count(*) FROM seat`},
		{"of the busiest", size.Busiest, size.Busiest, `SELECT count(*) FROM seat JOIN person p ON p.id = person_id WHERE email = 'member@example.org'`},
		{"documents", size.Documents, size.Documents, `SELECT count(*) FROM document`},
		{"that can be found", size.Documents, size.Documents, `SELECT count(*) FROM document_search WHERE lexemes @@ ('#' || (ordinal >> 13))::tsquery`},
		{"languages", 6, 6, `SELECT count(DISTINCT language) FROM document`},
		{"readings", size.Readings, size.Readings, `SELECT count(*) FROM document_access`},
		{"commissions with rules", size.Overrides, size.Overrides, `SELECT count(DISTINCT commission_id) FROM access_rule`},
		{"left to index", 0, 0, `SELECT count(*) FROM document_unindexed`},
	} {
		if n := apptest.Value[int](p, strings.ReplaceAll(tt.query, "$1", "now()")); n < tt.least || n > tt.most {
			t.Errorf("%s: %d, want %d to %d", tt.name, n, tt.least, tt.most)
		}
	}
	// What the sample tells in full, and a world does not.
	untold := []string{"somebody with two accounts of one name", "a term ending unannounced", "a document of who had no seat", "a usual term that does not end with the day before it began"}
	for _, tt := range broken {
		if n := value[int](t, p.DB, strings.ReplaceAll(tt.query, "$1", "now()")); n != 0 && !slices.Contains(untold, tt.name) {
			t.Errorf("%s: %d", tt.name, n)
		}
	}
	c := p.Visitor()
	c.Post("/sign-in", "email", sample.Chair, "password", sample.Password).Want(303)
	slug := apptest.Value[string](p, `SELECT c.slug FROM seat s JOIN commission c ON c.id = s.commission_id JOIN person p ON p.id = s.person_id WHERE p.email = '`+sample.Chair+`' AND s.role = 'chair' AND s.period @> now() LIMIT 1`)
	for path, want := range map[string]string{
		"/": "Carla Chair", "/commissions/" + slug: "Chair", "/commissions/" + slug + "/roster": "Carla Chair", "/commissions/" + slug + "/documents": "-N0",
		"/commissions/" + slug + "/history": "Appointed", "/commissions/" + slug + "/access": "Observer",
	} {
		if got := c.Get(path); got.Status != 200 || !strings.Contains(got.Body, want) {
			t.Errorf("%s: status %d without %q", path, got.Status, want)
		}
	}
	word := apptest.Value[string](p, `SELECT split_part(title, ' ', 1) FROM document WHERE language = 'en' AND visibility = 'public' AND status = 'available' LIMIT 1`)
	if got := c.Get("/search?q=" + word); !strings.Contains(got.Body, "<mark>") {
		t.Errorf("%q is not found", word)
	}
	if err := fill(); problem.As(err) == nil {
		t.Errorf("filled again: %v", err)
	}
	plans(t, p)
}

// made is what the schema has: its indexes, constraints and triggers.
func made(t *testing.T, p *apptest.Portal) []string {
	t.Helper()
	list, err := postgres.All[string](context.Background(), p.DB, `
		SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid > 0 AND connamespace = 'public'::regnamespace
		UNION ALL SELECT tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
		UNION ALL SELECT 'table ' || tablename FROM pg_tables WHERE schemaname = 'public'
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
