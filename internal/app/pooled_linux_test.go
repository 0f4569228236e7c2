package app_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/intake"
	"commissionportal/internal/journal"
)

// pooled has a portal reach its database through a PgBouncer with so many connections.
func pooled(t *testing.T, connections int) func(*app.Config) {
	pooler := apptest.NewPooler(t, connections)
	return func(c *app.Config) {
		c.DirectURL, c.DatabaseURL, c.Prepare = c.DatabaseURL, pooler.To(c.DatabaseURL), false
	}
}

// TestPooled has two portals do everything at once over one connection to the database,
// which a PgBouncer of Debian's lends them for a transaction each: whatever one of them
// left in its session, another would run into.
func TestPooled(t *testing.T) {
	t.Parallel()
	p, sam, chair, rep, first, second := arrange(t, pooled(t, 1))
	if _, err := app.Migrate(t.Context(), p.DatabaseURL); err == nil || !strings.Contains(err.Error(), "set DATABASE_DIRECT_URL") {
		t.Errorf("it was migrated past its lock: %v", err)
	}
	other := p.Another()
	const text = "What is read of it is stored by its digest."
	d := apptest.JSON[struct{ ID string }](chair.API("POST", "/commissions/grid-storage/documents", map[string]any{"title": "Figures", "type": "report", "visibility": "public",
		"upload": apptest.JSON[keyed](chair.Send("POST", "/api/v1/uploads?name=a.txt", text).Want(201)).ID}).Want(201)).ID
	events := sam.On(other).Events("/events?document=" + d)
	events.Want("changed")

	var all sync.WaitGroup
	for name, do := range map[string]func(n int){
		"visitors read": func(n int) {
			v := p.Visitor().On([]*apptest.Portal{p, other}[n%2])
			v.Get("/").Want(200)
			v.Get("/commissions/grid-storage").Want(200, "Grid Storage")
			v.Get("/commissions/grid-storage/roster.csv").Want(200, chair.Name)
			v.API("GET", "/search?q=grid&kind=commission", nil).Want(200, "Grid Storage")
		},
		"members read": func(int) {
			first.Get("/desk").Want(200)
			chair.On(other).Get("/documents/"+d+"/trace").Want(200, "Figures")
			if got := chair.On(other).Get("/documents/" + d + "/versions/1/content").Want(200).Body; got != text {
				t.Errorf("the file reads %q", got)
			}
		},
		"what is sent twice is done once": func(n int) {
			body := map[string]any{"name": []string{"Nordwind", "Bergwerk", "Talsperre", "Seekabel", "Kraftwerk"}[n], "kind": "company", "country": "DE"}
			one := rep.API("POST", "/organizations", body, "Idempotency-Key", fmt.Sprint(n)).Want(201)
			if again := rep.On(other).API("POST", "/organizations", body, "Idempotency-Key", fmt.Sprint(n)).Want(201); again.Body != one.Body {
				t.Errorf("sent again, it is answered\n%s, was\n%s", again.Body, one.Body)
			}
		},
		"a commission is proposed": func(n int) {
			second.On(other).API("POST", "/commissions", map[string]any{"name": fmt.Sprint("Hydrogen ", n), "acronym": fmt.Sprint("H", n), "kind": "commission", "sector": "energy", "purpose": "Electrolysis of water at sea.", "charter": "# Scope\n\nWhatever concerns it."}).Want(201)
		},
		"a file is submitted": func(n int) {
			chair.API("POST", "/commissions/grid-storage/documents", map[string]any{"title": fmt.Sprint("Draft ", n), "type": "report",
				"upload": apptest.JSON[keyed](chair.On(other).Send("POST", "/api/v1/uploads?name=b.txt", fmt.Sprint(text, n)).Want(201)).ID}).Want(201)
		},
		"a table is imported": func(n int) {
			table := fmt.Sprintf("name,country\nSüdwind %d,DE\nOstwind %d,FR\n", n, n)
			if _, err := p.Imports.File(context.Background(), "", intake.Upload{Kind: "organizations", Source: fmt.Sprint("s", n), FileName: "a.csv"}, strings.NewReader(table), int64(len(table)), false, func(int) {}); err != nil {
				t.Error(err)
			}
		},
	} {
		all.Go(func() {
			for n := range 5 {
				do(n)
			}
		})
		_ = name
	}
	all.Wait()
	chair.API("PATCH", "/documents/"+d, map[string]any{"title": "Better figures"}, "If-Match", `"v1"`)
	events.Want("changed")
	for end := time.Now().Add(10 * time.Second); apptest.Value[int](p, `SELECT count(*) FROM river_job WHERE kind = 'document.read' AND state <> 'completed'`) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("jobs are left: ", apptest.Value[string](p, `SELECT string_agg(DISTINCT kind || ' ' || state || ' ' || coalesce(errors[1]::text, ''), ', ') FROM river_job WHERE state <> 'completed'`))
		}
	}
	if _, err := journal.Verify(t.Context(), p.DB, func(f journal.Fault) { t.Errorf("the journal: %s", f) }); err != nil {
		t.Error(err)
	}
	if left := apptest.Value[string](p, `SELECT concat_ws(', ', (SELECT string_agg(name, ' ') FROM pg_prepared_statements), (SELECT string_agg(relname, ' ') FROM pg_class WHERE relpersistence = 't'),
		(SELECT string_agg(name, ' ') FROM pg_settings WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone')))`); left != "" {
		t.Errorf("left in the session: %s", left)
	}
}
