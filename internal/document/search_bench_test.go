package document

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/migrations"
	"commissionportal/policies"
)

// BenchmarkSearch measures searches among many documents, as docs/documents.md
// quotes them. SEARCH_BENCH is the address of a database for it, which is filled
// with SEARCH_DOCUMENTS documents (1,000,000) if it is empty; SEARCH_EXPLAIN
// prints how Postgres carries out the slowest statement of each.
//
//	SEARCH_BENCH=postgres://… go test ./internal/document -run xxx -bench Search -timeout 0
func BenchmarkSearch(b *testing.B) {
	url := os.Getenv("SEARCH_BENCH")
	if url == "" {
		b.Skip("SEARCH_BENCH names no database")
	}
	ctx := b.Context()
	db, err := postgres.Open(ctx, postgres.Config{URL: url})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := postgres.Migrate(ctx, db.DB.DB, migrations.Files); err != nil {
		b.Fatal(err)
	}
	g := newGenerator()
	if n, err := postgres.One[int](ctx, db, nil, `SELECT count(*) FROM commission`); err != nil {
		b.Fatal(err)
	} else if n == 0 {
		most, err := strconv.Atoi(os.Getenv("SEARCH_DOCUMENTS"))
		if err != nil {
			most = 1_000_000
		}
		started := time.Now()
		if err := g.fill(ctx, db.DB.DB, most); err != nil {
			b.Fatal(err)
		}
		b.Logf("filled in %s", time.Since(started).Round(time.Second))
	}
	policy, err := access.Load(policies.Files)
	if err != nil {
		b.Fatal(err)
	}
	s := &Service{db: db, access: policy}
	readers := map[string]access.Actor{"visitor": {}}
	for _, name := range []string{"member", "secretariat"} {
		id, err := postgres.One[uuid.UUID](ctx, db, nil, `SELECT id FROM person WHERE email = $1`, name+"@example.org")
		if err != nil {
			b.Fatal(err)
		}
		if readers[name], err = policy.ByPerson(ctx, db, id, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	en := g.scripts["en"]
	someone, err := postgres.One[string](ctx, db, nil, `SELECT split_part(t.text, ' ', 10) || ' ' || split_part(t.text, ' ', 11) || ' ' || split_part(t.text, ' ', 12) FROM file_text t
		JOIN document_version v USING (digest) JOIN document d ON d.id = v.document_id WHERE d.visibility = 'public' AND v.language = 'en' AND d.status = 'available' LIMIT 1`)
	if err != nil {
		b.Fatal(err)
	}
	title := en.words[900]
	for _, q := range []struct{ name, text string }{
		{"rare", en.words[60_000] + " "}, {"common", en.words[3] + " "}, {"most common", en.words[0] + " "}, {"two words", en.words[20] + " " + en.words[45] + " "},
		{"common and rare", en.words[3] + " " + en.words[30_000] + " "}, {"phrase", `"` + someone + `"`}, {"common phrase", `"` + en.words[0] + " " + en.words[1] + `"`},
		{"no such phrase", `"` + en.words[5] + " " + en.words[50_001] + " " + en.words[6] + `"`}, {"phrase of common words", `"` + strings.Join([]string{en.words[20], en.words[31], en.words[40]}, " ") + `"`},
		{"typo in title", title[:2] + title[3:4] + title[2:3] + title[4:] + " "}, {"nothing", "qqxzzqy "},
		{"two letters typed", en.words[700][:2]}, {"four letters typed", en.words[700][:4]}, {"one letter typed", en.words[700][:1]}, {"Chinese word", g.scripts["zh"].words[40] + g.scripts["zh"].words[300]},
		{"Chinese, one character", g.scripts["zh"].words[40]}, {"Chinese, four", strings.Join(g.scripts["zh"].words[3:7], "")}, {"Arabic", g.scripts["ar"].words[12] + " "}, {"Russian", g.scripts["ru"].words[100] + " "},
		{"left out", en.words[3] + " -" + en.words[0] + " "}, {"reference", "C7-N0042"}, {"sentence", strings.Join(en.words[100:112], " ") + " "},
	} {
		for _, who := range slices.Sorted(maps.Keys(readers)) {
			for _, by := range []Narrow{{}, {Commission: "c7"}} {
				if by.Commission != "" && q.name != "common" {
					continue
				}
				b.Run(strings.ReplaceAll(q.name+by.Commission, " ", "-")+"/"+who, func(b *testing.B) {
					var times []time.Duration
					used := processors(b, db)
					var r Results
					search := func() {
						started := time.Now()
						var err error
						if r, err = s.Search(ctx, readers[who], q.text, by, keyset.Page{Limit: 20}); err != nil {
							b.Fatal(err)
						}
						times = append(times, time.Since(started))
					}
					for range 3 { // statements are prepared, pages come into memory
						search()
					}
					times = nil
					before := used()
					for b.Loop() {
						search()
					}
					b.ReportMetric(float64((used()-before).Microseconds())/1000/float64(len(times)), "ms-cpu")
					slices.Sort(times)
					b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-median")
					b.ReportMetric(float64(times[len(times)*9/10].Microseconds())/1000, "ms-p90")
					b.ReportMetric(float64(r.Total), "found")
					if os.Getenv("SEARCH_EXPLAIN") != "" {
						explain(ctx, b, db, func() { search() })
					}
				})
			}
		}
	}
}

// processors returns how long the processors have worked for this program and for
// its connection to a server on this machine: what a search costs also where much
// else is going on.
func processors(b *testing.B, db *postgres.DB) func() time.Duration {
	b.Helper()
	db.DB.DB.SetMaxOpenConns(1)
	pid, err := postgres.One[int](b.Context(), db, nil, `SELECT pg_backend_pid()`)
	if err != nil {
		b.Fatal(err)
	}
	return func() time.Duration {
		var own syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
			b.Fatal(err)
		}
		var server int64
		if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid)); err == nil { // none for a server elsewhere
			if _, err := fmt.Sscan(string(text), &server); err != nil {
				b.Fatal(err)
			}
		}
		return time.Duration(own.Utime.Nano()+own.Stime.Nano()) + time.Duration(server)
	}
}

// explain prints how the statements of fn are carried out that take the longest.
func explain(ctx context.Context, b *testing.B, db *postgres.DB, fn func()) {
	b.Helper()
	for _, sql := range []string{`LOAD 'auto_explain'`, `SET auto_explain.log_min_duration = '20ms'`, `SET auto_explain.log_analyze = on`, `SET auto_explain.log_buffers = on`, `SET auto_explain.log_level = notice`} {
		if _, err := db.DB.DB.ExecContext(ctx, sql); err != nil {
			b.Fatal(err)
		}
	}
	fn()
}

// script makes texts of words that are as frequent as Zipf says.
type script struct {
	words []string
	glue  string
}

type generator struct {
	scripts   map[string]*script
	languages []string
}

// newGenerator makes the same words and texts each time.
func newGenerator() *generator {
	r := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // made-up texts
	g := &generator{scripts: map[string]*script{}}
	for _, s := range []struct {
		language, onsets, vowels, ends, glue string
		words, of                            int
	}{
		{"en", "b c d f g h l m n p r s t v w st tr pl gr ch sh", "a e i o u ea io", "n r s t l d ng ed ing tion er al ity s", " ", 200_000, 55},
		{"fr", "b c d f g l m n p r s t v qu ch pr tr", "a é i o u ou ai è", "r s t nt ment tion elle eur", " ", 100_000, 12},
		{"es", "b c d f g l m n p r s t v ll pr tr", "a e i o u ue ió", "n r s do ción mente dad", " ", 100_000, 8},
		{"ru", "б в г д ж з к л м н п р с т ст пр", "а е и о у ы я", "н р т л ть ный ость ами ов", " ", 100_000, 8},
		{"ar", "ب ت ج د ر س ش ع ف ق ك ل م ن ه", "ا و ي", "ة ات ين ون ان", " ", 80_000, 5},
		{"he", "א ב ג ד ה ו ז ח ט י כ ל מ נ ס ע פ צ ק ר ש ת", "ו י ה", "ים ות ה ת", " ", 50_000, 2},
		{"zh", "", "", "", "", 3000, 7},
		{"ja", "", "", "", "", 2000, 3},
	} {
		w := &script{glue: s.glue}
		switch s.language {
		case "zh":
			for i := range s.words {
				w.words = append(w.words, string(rune(0x4e00+i*7%20000)))
			}
		case "ja":
			for i := range s.words {
				if i < 80 {
					w.words = append(w.words, string(rune(0x3042+i)))
				} else {
					w.words = append(w.words, string(rune(0x4e00+i*11%20000)))
				}
			}
		default:
			seen := map[string]bool{}
			onsets, vowels, ends := strings.Fields(s.onsets), strings.Fields(s.vowels), strings.Fields(s.ends)
			for len(w.words) < s.words {
				var word strings.Builder
				for range 1 + r.IntN(3) {
					word.WriteString(onsets[r.IntN(len(onsets))] + vowels[r.IntN(len(vowels))])
				}
				word.WriteString(ends[r.IntN(len(ends))])
				if t := word.String(); !seen[t] {
					seen[t] = true
					w.words = append(w.words, t)
				}
			}
		}
		g.scripts[s.language] = w
		for range s.of {
			g.languages = append(g.languages, s.language)
		}
	}
	return g
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// fill loads the portal with documents of one page each, and with their index as
// the job would make it.
func (g *generator) fill(ctx context.Context, db *sql.DB, n int) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	do := func(sql string, args ...any) {
		if err == nil {
			if _, err = conn.ExecContext(ctx, sql, args...); err != nil {
				err = fmt.Errorf("%s: %w", sql, err)
			}
		}
	}
	for _, table := range []string{"document", "document_version"} { // the index is made here, not by the job
		do(`ALTER TABLE ` + table + ` DISABLE TRIGGER USER`)
	}
	do(`SET maintenance_work_mem = '700MB'`)
	do(`CREATE TABLE IF NOT EXISTS bench_index AS SELECT indexdef FROM pg_indexes WHERE tablename IN ('document', 'document_version', 'file', 'file_text', 'document_search', 'document_word')
		AND indexname NOT IN (SELECT conname FROM pg_constraint)`)
	do(`DO $$ DECLARE i text; BEGIN FOR i IN SELECT indexname FROM pg_indexes WHERE tablename IN ('document', 'document_version', 'file', 'file_text', 'document_search', 'document_word')
		AND indexname NOT IN (SELECT conname FROM pg_constraint) LOOP EXECUTE 'DROP INDEX ' || i; END LOOP; END $$`)
	do(`INSERT INTO commission (slug, acronym, name, kind, state) SELECT 'c' || n, 'C' || n, 'Commission ' || n, 'commission', 'active' FROM generate_series(0, 49) n`)
	do(`INSERT INTO register (commission_id, prefix, last_number) SELECT id, acronym, 1000000 FROM commission`)
	do(`INSERT INTO organization (slug, name, plain_name, kind, state) SELECT 'o' || n, 'Organization ' || n, 'organization ' || n, 'company', 'member' FROM generate_series(0, 199) n`)
	do(`INSERT INTO person (email, name, confirmed_at) VALUES ('member@example.org', 'Max Member', now()), ('secretariat@example.org', 'Sam Secretariat', now())`)
	do(`INSERT INTO portal_role (person_id, role) SELECT id, 'secretariat' FROM person WHERE email LIKE 'secretariat@%'`)
	do(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT '[2020-01-01,)', c.id, p.id, p.name, 'observer', 'chair' FROM commission c, person p
		WHERE c.slug IN ('c3', 'c7', 'c20') AND p.email LIKE 'member@%'`)
	if err != nil {
		return err
	}
	ids := func(sql string) (list []uuid.UUID) {
		var text pq.StringArray
		if err == nil {
			err = conn.QueryRowContext(ctx, sql).Scan(&text)
		}
		for _, t := range text {
			list = append(list, uuid.MustParse(t))
		}
		return list
	}
	commissions, organizations := ids(`SELECT array_agg(id ORDER BY length(slug), slug) FROM commission`), ids(`SELECT array_agg(id ORDER BY length(slug), slug) FROM organization`)
	if err != nil {
		return err
	}
	const batch, workers, copies = 5000, 3, 9
	all := n
	n = (n + copies - 1) / copies // made here, and copied by Postgres, which is quicker
	numbers := make([]atomic.Int64, len(commissions))
	var next atomic.Int64
	var wait sync.WaitGroup
	failed := make(chan error, workers)
	var together sync.Mutex
	counts, inTitle := map[string]int{}, map[string]bool{}
	for range workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			conn, err := db.Conn(ctx)
			if err != nil {
				failed <- err
				return
			}
			defer func() { _ = conn.Close() }()
			w := &batches{generator: g, commissions: commissions, organizations: organizations, numbers: numbers, n: n, stems: Stems{}, counts: map[string]int{}, inTitle: map[string]bool{}}
			for {
				from := int(next.Add(batch)) - batch
				if from >= n {
					break
				}
				if err := w.write(ctx, conn, from, min(n, from+batch)); err != nil {
					failed <- err
					return
				}
				if from%50_000 == 0 {
					slog.Info("generated", "documents", from)
				}
			}
			together.Lock()
			defer together.Unlock()
			for word, n := range w.counts {
				counts[word] += n
			}
			maps.Copy(inTitle, w.inTitle)
		}()
	}
	wait.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	var words [][]any
	for w, n := range counts {
		words = append(words, []any{w, n * copies, inTitle[w]})
	}
	do(`CREATE TABLE bench_base AS SELECT d.id, s.ordinal, v.digest, d.created_at FROM document d JOIN document_search s ON s.document_id = d.id JOIN document_version v ON v.document_id = d.id`)
	do(copyDocuments)
	for k := 1; k < copies; k++ {
		do(`CALL bench_copy($1, $2, $3)`, k, n, all)
		slog.Info("copied", "documents", (k+1)*n)
	}
	do(`DROP PROCEDURE bench_copy`)
	do(`DROP TABLE bench_base`)
	if err != nil {
		return err
	}
	if err := load(ctx, conn, "document_word", []string{"word", "documents", "in_title"}, words); err != nil {
		return err
	}
	slog.Info("indexing")
	do(`DO $$ DECLARE i text; BEGIN FOR i IN SELECT indexdef FROM bench_index LOOP EXECUTE i; END LOOP; END $$`)
	do(`DROP TABLE bench_index`)
	for _, table := range []string{"document", "document_version"} {
		do(`ALTER TABLE ` + table + ` ENABLE TRIGGER USER`)
	}
	do(`SELECT setval(pg_get_serial_sequence('document_search', 'ordinal'), (SELECT max(ordinal) FROM document_search))`)
	do(`VACUUM ANALYZE`)
	return err
}

// copyDocuments makes further documents of those that are there, each some years
// younger: the same texts and readers, other keys, files and places in the index.
const copyDocuments = `
	CREATE PROCEDURE bench_copy(k int, base int, most int) LANGUAGE plpgsql AS $$
	BEGIN
	  CREATE TEMP TABLE c ON COMMIT DROP AS
	    SELECT id AS old, ordinal, digest AS old_digest, sha256(digest || convert_to(k::text, 'UTF8')) AS digest, created_at + k * interval '365 days' AS at,
	           (lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint + k * 31536000000), 12, '0') || substr(replace(id::text, '-', ''), 13))::uuid AS id
	    FROM bench_base WHERE ordinal + k * base <= most ORDER BY ordinal;
	  ANALYZE c;
	  INSERT INTO document (id, commission_id, number, title, type, organization_id, status, status_since, status_reason, before_withdrawal, language, languages, versions, visibility, created_at, updated_at)
	    SELECT c.id, d.commission_id, d.number + k * base, d.title, d.type, d.organization_id, d.status, c.at, d.status_reason, d.before_withdrawal, d.language, d.languages, 1, d.visibility, c.at, c.at
	    FROM c JOIN document d ON d.id = c.old ORDER BY c.ordinal;
	  INSERT INTO file (digest, size, type, outcome, created_at, read_at) SELECT c.digest, f.size, f.type, f.outcome, c.at, c.at FROM c JOIN file f ON f.digest = c.old_digest ORDER BY c.ordinal;
	  INSERT INTO document_version (document_id, number, language, digest, size, file_name, created_at)
	    SELECT c.id, 1, v.language, c.digest, v.size, v.file_name, c.at FROM c JOIN document_version v ON v.document_id = c.old ORDER BY c.ordinal;
	  INSERT INTO file_text (digest, page, text) SELECT c.digest, 1, t.text FROM c JOIN file_text t ON t.digest = c.old_digest ORDER BY c.ordinal;
	  INSERT INTO document_search (document_id, ordinal, lexemes, head, words) OVERRIDING SYSTEM VALUE
	    SELECT c.id, c.ordinal + k * base, ts_delete(ts_delete(s.lexemes, '#' || (c.ordinal >> 13)), '#y' || extract(year FROM c.at - k * interval '365 days'))
	           || array_to_tsvector(ARRAY['#' || ((c.ordinal + k * base) >> 13), '#y' || extract(year FROM c.at)]), s.head, s.words
	    FROM c JOIN document_search s ON s.document_id = c.old ORDER BY c.ordinal;
	END $$`

// batches writes some of the documents.
type batches struct {
	*generator
	commissions, organizations []uuid.UUID
	numbers                    []atomic.Int64
	n                          int
	stems                      Stems
	counts                     map[string]int
	inTitle                    map[string]bool
}

func (w *batches) write(ctx context.Context, conn *sql.Conn, from, to int) error {
	r := rand.New(rand.NewPCG(uint64(from), 5)) //nolint:gosec // made-up texts
	zipf := map[string]*rand.Zipf{}
	text := func(language string, n int) string {
		s := w.scripts[language]
		if zipf[language] == nil {
			zipf[language] = rand.NewZipf(r, 1.07, 4, uint64(len(s.words)-1))
		}
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteString(s.glue)
			}
			b.WriteString(s.words[zipf[language].Uint64()])
		}
		return b.String()
	}
	var docs, versions, files, texts, search [][]any
	for i := from; i < to; i++ {
		at := int(float64(len(w.commissions)) * r.Float64() * r.Float64())
		number := int(w.numbers[at].Add(1))
		language := pick(r, w.languages...)
		short, long := 5+r.IntN(4), 100+r.IntN(40)
		if language == "zh" || language == "ja" {
			short, long = short*3, long*2
		}
		created := time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(float64(i) / float64(w.n) * float64(365*24*time.Hour)))
		d := Findable{ID: uuid.Must(uuid.NewV7()), CommissionID: w.commissions[at], Prefix: "C" + strconv.Itoa(at), Number: &number, Title: text(language, short),
			Type: pick(r, Types...), Status: pick(r, "available", "available", "available", "available", "available", "available", "available", "available", "superseded", "withdrawn"),
			Language: language, Languages: []string{language}, Year: created.Year(),
			Visibility: pick(r, "public", "portal", "portal", "commission", "commission", "commission", "commission", "commission", "commission", "commission", "commission", "commission", "commission",
				"commission", "commission", "commission", "officers", "organization", "organization", "named")}
		binary.BigEndian.PutUint64(d.ID[:8], uint64(created.UnixMilli())<<16|uint64(d.ID[6])<<8|uint64(d.ID[7])) //nolint:gosec // a key by that time
		d.OrganizationID = &w.organizations[r.IntN(len(w.organizations))]
		said := text(language, long)
		e := newEntry(d, w.stems)
		e.page(ReadPage{Language: language, Page: 1, Text: said})
		for l := range e.lexemes {
			switch l[0] {
			case '=', '@', '#', '&':
			case '/':
				w.inTitle[l[1:]] = true
			default:
				w.counts[l]++
			}
		}
		e.lexemes["#"+strconv.Itoa((i+1)>>slice)] = true
		digest := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i))) //nolint:gosec // counts up
		var before *string
		reason := ""
		if d.Status == "withdrawn" {
			before, reason = new(string), "Benchmark"
			*before = "available"
		}
		docs = append(docs, []any{d.ID, d.CommissionID, number, d.Title, d.Type, d.OrganizationID, d.Status, created, reason, before, language, pq.StringArray{language}, 1, d.Visibility, created, created})
		files = append(files, []any{digest[:], len(said), "text/plain", "read", created, created})
		versions = append(versions, []any{d.ID, 1, language, digest[:], len(said), "a.txt", created})
		texts = append(texts, []any{digest[:], 1, said})
		search = append(search, []any{d.ID, i + 1, vector(slices.Collect(maps.Keys(e.lexemes))), e.weighted(), e.words.String()})
	}
	for _, t := range []struct {
		name    string
		columns []string
		rows    [][]any
	}{
		{"document", []string{"id", "commission_id", "number", "title", "type", "organization_id", "status", "status_since", "status_reason", "before_withdrawal", "language", "languages", "versions", "visibility", "created_at", "updated_at"}, docs},
		{"file", []string{"digest", "size", "type", "outcome", "created_at", "read_at"}, files},
		{"document_version", []string{"document_id", "number", "language", "digest", "size", "file_name", "created_at"}, versions},
		{"file_text", []string{"digest", "page", "text"}, texts},
		{"document_search", []string{"document_id", "ordinal", "lexemes", "head", "words"}, search},
	} {
		if err := load(ctx, conn, t.name, t.columns, t.rows); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

func load(ctx context.Context, conn *sql.Conn, table string, columns []string, rows [][]any) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing once it is committed
	s, err := tx.PrepareContext(ctx, `COPY `+table+` (`+strings.Join(columns, ", ")+`) FROM STDIN`)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // the last Exec said whether it went well
	for _, row := range rows {
		if _, err := s.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	if _, err := s.ExecContext(ctx); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	return tx.Commit()
}
