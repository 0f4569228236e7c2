package app_test

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/sample"
	"commissionportal/internal/web"
)

// plans asks for every page and list of the filled world, large things first, as a
// member, a chair and the secretariat, writes what is written most, does what is done by the
// clock, and has Postgres explain each statement that ran, with its parameters: none reads a large table whole,
// sorts on disk, or is planned for a hundredth of the rows that it meets, unless it answers a
// tenth of the table, as an export does, or accepted says why. With the plan for any values,
// by which the portal runs it, none meets a quarter of the rows of a table by whatever index.
func plans(t *testing.T, p *apptest.Portal) {
	t.Helper()
	ran := statements(t, p)
	tables, err := postgres.All[struct {
		Name string  `db:"relname"`
		Rows float64 `db:"reltuples"`
	}](context.Background(), p.DB, `SELECT relname, reltuples FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples > 10000`)
	if err != nil {
		t.Fatal(err)
	}
	large, many := map[string]float64{}, map[string]float64{}
	for _, table := range tables {
		many[table.Name] = table.Rows
		if table.Rows > 20000 {
			large[table.Name] = table.Rows
		}
	}
	for _, query := range slices.Sorted(maps.Keys(ran)) {
		for _, args := range ran[query] {
			for _, wrong := range explained(t, p, query, args, large, many) {
				if !slices.ContainsFunc(accepted, func(a exception) bool {
					return strings.Contains(query, a.query) && strings.HasPrefix(wrong, a.wrong)
				}) {
					t.Errorf("%s:\n%s\n%s", wrong, strings.TrimSpace(query), said(args))
				}
			}
		}
	}
	t.Logf("%d statements, large: %v", len(ran), slices.Sorted(maps.Keys(large)))
}

// exception is what a statement may do, by a part of its text.
type exception struct{ query, wrong, why string }

var accepted = []exception{
	{"coalesce(c.n, 0) AS commissions, coalesce(o.n, 0) AS organizations", "reads all of participation", "counts over everything, kept for half a minute"},
	{"coalesce(c.n, 0) AS commissions, coalesce(o.n, 0) AS organizations", "spills to disk", "as above"},
	{"coalesce(c.n, 0) AS commissions, coalesce(o.n, 0) AS organizations", "goes through", "as above"},
	{"WITH c AS (SELECT id, state FROM commission WHERE sector_id", "goes through", "counts over a sector, kept for half a minute"},
	{"(SELECT count(*) FROM seat WHERE period @> $1::timestamptz) AS seats", "reads all of seat", "counts over everything, kept for ten seconds"},
	{"(SELECT count(*) FROM seat WHERE period @> $1::timestamptz) AS seats", "goes through", "as above"},
	{"WITH holds AS", "goes through", "as below"},
	{"WITH holds AS", "reads all of seat", "who has no second factor, counted for the secretariat alone"},
	{"FROM document_access WHERE person_id = $1", "reads all of document_access", "everything about me, asked for seldom: no index of three million rows is kept up for it"},
	{"INSERT INTO document_notice (person_id, digested_at)", "goes through", "once an hour, by a job: who holds a seat for the first time"},
	{"INSERT INTO document_notice (person_id, digested_at)", "reads all of", "as above"},
	{"FROM document_version WHERE person_id = $1", "reads all of document_version", "everything about me, as above"},
}

// statements are those that ran, with up to three sets of parameters.
func statements(t *testing.T, p *apptest.Portal) map[string][][]any {
	t.Helper()
	found := map[string]string{}
	for place, query := range map[string]string{
		"commissions/:slug":   `SELECT c.slug FROM commission c JOIN seat s ON s.commission_id = c.id GROUP BY c.id ORDER BY count(*) DESC LIMIT 1`,
		"organizations/:slug": `SELECT o.slug FROM organization o JOIN seat s ON s.organization_id = o.id WHERE o.state = 'member' GROUP BY o.id ORDER BY count(*) DESC LIMIT 1`,
		"sectors/:slug":       `SELECT s.slug FROM sector s JOIN commission c ON c.sector_id = s.id GROUP BY s.id ORDER BY count(*) DESC LIMIT 1`,
		"documents/:name":     `SELECT document_id::text FROM document_access GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`,
		"d/:name":             `SELECT document_id::text FROM document_access GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`,
		"seats/:id":           `SELECT id::text FROM seat WHERE commission_id = (SELECT commission_id FROM seat GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) AND upper(period) IS NULL ORDER BY id LIMIT 1`,
		"persons/:id":         `SELECT person_id::text FROM seat GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`,
		"milestones/:id":      `SELECT id::text FROM milestone ORDER BY id LIMIT 1`,
		"applications/:id":    `SELECT id::text FROM application ORDER BY id LIMIT 1`,
		"shares/:id":          `SELECT id::text FROM share ORDER BY id LIMIT 1`,
		"affiliations/:id":    `SELECT id::text FROM affiliation ORDER BY id LIMIT 1`,
	} {
		found[place] = apptest.Value[string](p, query)
	}
	maps.Copy(found, map[string]string{"versions/:version": "1", "revisions/:number": "1", "access/:object": "document", ":object/:action": "submit",
		"participations/:organization": found["organizations/:slug"]})
	word := apptest.Value[string](p, `SELECT word FROM document_word WHERE word ~ '^[a-z]{4,}$' ORDER BY documents DESC, word LIMIT 1`)
	person := apptest.Value[string](p, `SELECT left(name, 5) FROM person WHERE name ~ '^[A-Z][a-z]{4}' ORDER BY name LIMIT 1 OFFSET 100`)
	asked := map[string][]string{
		"/search":                      {"?q=" + word, "?q=" + word[:2] + word[3:], "?q=" + person, "?q=" + person[:2], "?q=zz"},
		"/commissions":                 {"", "?q=safe", "?state=active&kind=commission", "?sector=energy"},
		"/organizations":               {"", "?q=nord", "?country=DE&kind=company", "?sector=energy"},
		"/commissions/:slug/roster":    {"", "?q=" + person, "?as_of=2024-11-01", "?country=DE", "?role=observer"},
		"/commissions/:slug/documents": {"", "?q=" + word, "?status=available", "?type=report"},
		"/organizations/names":         {"?organization=nord"},
		"/organizations/similar":       {"?name=nordwind"},
		"/persons":                     {"", "?q=" + person},
	}
	type byHand struct{} // jobs also run when they like
	counter := &postgres.Counter{Of: func(ctx context.Context) bool { return journal.InRequest(ctx) || ctx.Value(byHand{}) != nil }}
	p.DB.CountInto(counter)
	defer p.DB.CountInto(nil)
	slug := found["commissions/:slug"]
	for _, email := range []string{sample.Secretariat, sample.Chair, sample.Member} {
		c := p.Visitor()
		c.Post("/sign-in", "email", email, "password", sample.Password).Want(303)
		for _, r := range p.Web.Routes() {
			path, ok := pathIn(r, found)
			if !ok {
				continue
			}
			for _, more := range append(asked[strings.TrimPrefix(r.Path, "/api/v1")], "")[:max(1, len(asked[strings.TrimPrefix(r.Path, "/api/v1")]))] {
				if got := c.Get(path + more); got.Status >= 500 {
					t.Errorf("%s: status %d", path+more, got.Status)
				}
			}
		}
	}
	// What is written most.
	member, chair := p.Visitor(), p.Visitor()
	member.Post("/sign-in", "email", sample.Member, "password", sample.Password).Want(303)
	chair.Post("/sign-in", "email", sample.Chair, "password", sample.Password).Want(303)
	open := apptest.Value[string](p, `SELECT c.slug FROM commission c WHERE state = 'active' AND join_mode = 'application' AND NOT EXISTS (SELECT FROM seat s JOIN person p ON p.id = s.person_id
		WHERE s.commission_id = c.id AND p.email = '`+sample.Member+`') ORDER BY id LIMIT 1`)
	member.API("POST", "/commissions/"+open+"/applications", map[string]string{"role": "invited_expert", "statement": "Ten years of work in this field."}).Want(201)
	upload := apptest.JSON[struct{ ID string }](chair.API("POST", "/uploads?name=report.txt", []byte("Hello")).Want(201)).ID
	document := apptest.JSON[struct{ ID string }](chair.API("POST", "/commissions/"+slug+"/documents", map[string]string{"title": "A report", "type": "report", "upload": upload}).Want(201)).ID
	chair.API("POST", "/documents/"+document+"/shares", map[string]string{"with": "person", "recipient": found["persons/:id"], "level": "see"})
	chair.API("PATCH", "/documents/"+document, map[string]string{"title": "A better report"}, "If-Match", `"1"`)
	// What is done every minute, hour or day.
	for _, work := range []func(context.Context) error{
		p.Seats.Terms, p.Documents.Sweep, p.Documents.ScanRest, p.Documents.ReadRest, p.Documents.Digests, p.Documents.Remind, p.Documents.IndexRest, p.Accounts.Sweep, p.Accounts.EraseDue,
	} {
		if err := work(context.WithValue(t.Context(), byHand{}, true)); err != nil {
			t.Error(err)
		}
	}
	p.DB.CountInto(nil)
	ran := map[string][][]any{}
	for _, s := range counter.Statements() {
		if same := func(args []any) bool { return said(args) == said(s.Args) }; len(ran[s.Query]) < 3 && !slices.ContainsFunc(ran[s.Query], same) {
			ran[s.Query] = append(ran[s.Query], s.Args)
		}
	}
	return ran
}

// pathIn is the address of a page in the filled world, which has not all that there is.
func pathIn(r web.Route, found map[string]string) (string, bool) {
	if r.Method != "GET" || r.Live || strings.HasPrefix(r.Path, "/static/") {
		return "", false
	}
	segments := strings.Split(r.Path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, ":") {
			before := strings.Split(r.Path, "/")[i-1]
			value, ok := found[before+"/"+s]
			if !ok {
				return "", false
			}
			segments[i] = value
		}
	}
	return strings.Join(segments, "/"), true
}

func said(args []any) string {
	var b strings.Builder
	for i, a := range args {
		text := fmt.Sprint(a)
		fmt.Fprintf(&b, "$%d = %.100s\n", i+1, text)
	}
	return b.String()
}

// node is a node of a plan that was carried out.
type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Rows     float64 `json:"Plan Rows"`
	Met      float64 `json:"Actual Rows"` // in each loop
	Loops    float64 `json:"Actual Loops"`
	Sort     string  `json:"Sort Method"`
	Batches  int     `json:"Hash Batches"`
	Plans    []node
}

// explained says what is wrong with the plans of a statement: that for these values, which
// is carried out, and that for any, by which the portal runs it.
func explained(t *testing.T, p *apptest.Portal, query string, args []any, large, many map[string]float64) (wrong []string) {
	t.Helper()
	switch first, _, _ := strings.Cut(strings.TrimSpace(query), " "); strings.ToUpper(strings.Fields(first)[0]) {
	case "SELECT", "WITH", "INSERT", "UPDATE", "DELETE":
	default:
		return nil
	}
	tx, err := p.DB.DB.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec(`SET LOCAL random_page_cost = 1.1`); err != nil { // as docs/operating.md has it
		t.Fatal(err)
	}
	var raw []byte
	if err := tx.Get(&raw, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+query, args...); err != nil { // as it was written before
		_ = tx.Rollback()
		if err := p.DB.DB.Get(&raw, "EXPLAIN (FORMAT JSON) "+query, args...); err != nil {
			t.Errorf("%v: %s", err, query)
			return nil
		}
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal(raw, &plans); err != nil {
		t.Fatal(err)
	}
	answers := plans[0].Plan.Met
	_ = tx.Rollback() // it may have what the next has to wait for
	any := generic(t, p, query, args)
	var look func(n node, any bool)
	look = func(n node, any bool) {
		switch {
		case n.Type == "Seq Scan" && large[n.Relation] > 10*answers:
			wrong = append(wrong, "reads all of "+n.Relation)
		case (strings.HasPrefix(n.Sort, "external") || n.Batches > 1) && answers < 5000:
			wrong = append(wrong, "spills to disk")
		case any && many[n.Relation] > 0 && n.Met*n.Loops > many[n.Relation]/4 && n.Met*n.Loops > 10*answers:
			wrong = append(wrong, fmt.Sprintf("goes through %.0f rows of %s", n.Met*n.Loops, n.Relation))
		case !any && n.Relation != "" && n.Met > 1000 && n.Met > 100*n.Rows:
			wrong = append(wrong, fmt.Sprintf("expects %.0f rows of %s and meets %.0f", n.Rows, n.Relation, n.Met))
		}
		for _, below := range n.Plans {
			look(below, any)
		}
	}
	look(plans[0].Plan, false)
	for _, p := range any {
		look(p.Plan, true)
	}
	return wrong
}

// generic is the plan of a statement for any values, which it is not carried out by here.
func generic(t *testing.T, p *apptest.Portal, query string, args []any) (plans []struct{ Plan node }) {
	t.Helper()
	tx, err := p.DB.DB.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	var types pq.StringArray
	var raw []byte
	prepared++
	name := fmt.Sprintf("plan_%d", prepared)
	_, err = tx.Exec(`SET LOCAL random_page_cost = 1.1; SET LOCAL plan_cache_mode = force_generic_plan; PREPARE ` + name + ` AS ` + query)
	if err == nil {
		err = tx.Get(&types, `SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = $1`, name)
	}
	values := make([]string, len(types))
	for i, of := range types {
		values[i] = "NULL"
		if v, _ := driver.DefaultParameterConverter.ConvertValue(args[i]); v != nil {
			text := fmt.Sprint(v)
			switch v := v.(type) {
			case []byte:
				text = fmt.Sprintf(`\x%x`, v)
			case time.Time:
				text = v.Format(time.RFC3339Nano)
			}
			values[i] = pq.QuoteLiteral(text) + "::" + of
		}
	}
	with := ""
	if len(values) > 0 {
		with = "(" + strings.Join(values, ", ") + ")"
	}
	if err == nil {
		if err = tx.Get(&raw, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE "+name+with); err != nil { // as it was written before
			_ = tx.Rollback()
			err = p.DB.DB.Get(&raw, "EXPLAIN (FORMAT JSON) EXECUTE "+name+with)
		}
	}
	if err == nil {
		err = json.Unmarshal(raw, &plans)
	}
	if err != nil {
		t.Errorf("%v: %s", err, query)
	}
	return plans
}

var prepared int // statements, each by a name of its own: they outlive their transaction
