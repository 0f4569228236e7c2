package document

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/jobs"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// What a document is found by is made by a job soon after it changed: triggers
// note what has to be made anew (document_unindexed), so that no way of writing
// can forget it. Who may read a document is asked of its own row at every search;
// that the index is late can hide a document for a moment, and shows none.

// indexing is the job that makes anew what has changed.
type indexing struct{}

// Kind names the job.
func (indexing) Kind() string { return "document.index" }

// Timeout of the job.
func (indexing) Timeout() time.Duration { return 10 * time.Minute }

const (
	// indexBatch is how many documents are read at once, and indexBytes how much is
	// held of them before it is written.
	indexBatch = 200
	indexBytes = 4 << 20
	// mostLexemes is how many bytes of different words a document is found by, and
	// mostPairs how many pairs: Postgres takes a megabyte. One that has more pairs is
	// taken to have all of them. mostWords bounds what phrases are looked for in.
	mostLexemes = 700_000
	mostPairs   = 60_000
	mostWords   = 8 << 20
)

// index carries out the job. One at a time of a process does all there is; of several
// processes the first writes what they have all made.
func (s *Service) index(ctx context.Context, _ indexing) error {
	if !s.indexer.TryLock() {
		return jobs.Later(time.Second) // whoever works now may have passed what this one is for
	}
	defer s.indexer.Unlock()
	return s.indexAll(ctx)
}

func (s *Service) indexAll(ctx context.Context) error {
	for {
		if n, err := s.indexNext(ctx); err != nil || n == 0 {
			return err
		}
	}
}

// reindex has what a change noted made anew once it is committed.
func (s *Service) reindex(ctx context.Context, tx *journal.Tx) error {
	return s.queue.Enqueue(ctx, tx.SQL(), indexing{})
}

// IndexRest makes anew whatever is left, and what was written with no job; it waits for
// whoever is at it.
func (s *Service) IndexRest(ctx context.Context) error {
	for !s.indexer.TryLock() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	defer s.indexer.Unlock()
	return s.indexAll(ctx)
}

// indexNext makes the next few anew and returns how many.
func (s *Service) indexNext(ctx context.Context) (int, error) {
	type mark struct {
		ID      uuid.UUID `db:"document_id"`
		Changes int       `db:"changes"`
	}
	marks, err := postgres.All[mark](ctx, s.db, `SELECT document_id, changes FROM document_unindexed ORDER BY document_id LIMIT $1`, indexBatch)
	if err != nil || len(marks) == 0 {
		return 0, err
	}
	ids, changes := make(pq.StringArray, len(marks)), map[uuid.UUID]int{}
	for i, m := range marks {
		ids[i], changes[m.ID] = m.ID.String(), m.Changes
	}
	docs, err := findables(ctx, s.db, ids)
	if err != nil {
		return 0, err
	}
	stems, at := Stems{}, map[uuid.UUID]int{}
	entries := make([]*entry, len(docs))
	for i, d := range docs {
		entries[i], at[d.ID] = newEntry(d, stems), i
	}
	written, now, size := 0, 0, 0
	if err := postgres.Each(ctx, s.db, func(p ReadPage) error {
		i, ok := at[p.ID]
		if !ok { // discarded meanwhile
			return nil
		}
		if i != now && size > indexBytes { // all before it are whole
			if err := s.writeIndex(ctx, entries[written:i], changes); err != nil {
				return err
			}
			clear(entries[written:i])
			written, size = i, 0
		}
		now, size = i, size+len(p.Text)
		entries[i].page(p)
		return nil
	}, newestTexts, ids); err != nil {
		return 0, err
	}
	return len(marks), s.writeIndex(ctx, entries[written:], changes)
}

// Findable is what a document is found by, besides the text in its files.
type Findable struct {
	ID             uuid.UUID      `db:"id"`
	CommissionID   uuid.UUID      `db:"commission_id"`
	Prefix         string         `db:"prefix"`
	Number         *int           `db:"number"`
	Title          string         `db:"title"`
	Type           string         `db:"type"`
	Status         string         `db:"status"`
	OrganizationID *uuid.UUID     `db:"organization_id"`
	AuthorID       *uuid.UUID     `db:"author_id"`
	Language       string         `db:"language"`
	Languages      pq.StringArray `db:"languages"`
	Keywords       pq.StringArray `db:"keywords"`
	Summary        string         `db:"summary"`
	Visibility     string         `db:"visibility"`
	Year           int            `db:"year"`
	Shared         pq.StringArray `db:"shared"`
}

// yearOf is the year that a document is from.
const yearOf = `extract(year FROM d.created_at AT TIME ZONE 'UTC')::int`

func findables(ctx context.Context, q postgres.Q, ids pq.StringArray) ([]Findable, error) {
	return postgres.All[Findable](ctx, q, `
		SELECT d.id, d.commission_id, coalesce(r.prefix, '') AS prefix, d.number, d.title, d.type, d.status, d.organization_id, d.author_id, d.language, d.languages,
		       d.keywords, d.summary, d.visibility, `+yearOf+` AS year,
		       ARRAY(SELECT DISTINCT coalesce('@p' || to_person, '@o' || to_organization, '@m' || to_commission) FROM share
		             WHERE document_id = d.id AND link IS NULL AND revoked_at IS NULL) AS shared
		FROM document d LEFT JOIN register r ON r.commission_id = d.commission_id WHERE d.id = ANY($1::uuid[]) ORDER BY d.id`, ids)
}

// ReadPage is a page of text of a document.
type ReadPage struct {
	ID       uuid.UUID `db:"document_id"`
	Language string    `db:"language"`
	Page     int       `db:"page"`
	Text     string    `db:"text"`
}

const newestTexts = `
	SELECT v.document_id, v.language, t.page, t.text
	FROM (SELECT DISTINCT ON (document_id, language) document_id, language, digest FROM document_version
	      WHERE document_id = ANY($1::uuid[]) ORDER BY document_id, language, number DESC) v
	JOIN file f ON f.digest = v.digest AND f.scan <> 'infected'
	JOIN file_text t ON t.digest = v.digest
	ORDER BY v.document_id, v.language, t.page`

// entry is what the index keeps of a document.
type entry struct {
	id      uuid.UUID
	stems   Stems
	lexemes map[string]bool
	head    map[string]byte // weight
	words   strings.Builder
	bytes   int
	pairs   int
}

func newEntry(d Findable, stems Stems) *entry {
	e := &entry{id: d.ID, stems: stems, lexemes: map[string]bool{}, head: map[string]byte{}}
	for _, l := range append(d.audience(), d.facets()...) {
		e.lexemes[l] = true
	}
	e.say(d.Title, d.Language, 'A')
	if d.Number != nil { // the prefix is no word of it: all of the register have it
		ref := referred(d.Prefix, strconv.Itoa(*d.Number))
		e.lexemes[ref], e.head[ref] = true, 'A'
		e.say(fmt.Sprintf("N%04d N%d", *d.Number, *d.Number), d.Language, 'B')
	}
	for _, k := range d.Keywords {
		e.say(k, d.Language, 'B')
	}
	e.say(d.Summary, d.Language, 'B')
	return e
}

// audience are lexemes for whom the document may be, so that a search need not
// look at what its reader cannot see. See audience of a Sight.
func (d Findable) audience() []string {
	list := append([]string{"@c" + d.CommissionID.String()}, d.Shared...)
	if d.OrganizationID != nil {
		list = append(list, "@o"+d.OrganizationID.String())
	}
	if d.AuthorID != nil {
		list = append(list, "@p"+d.AuthorID.String())
	}
	switch d.Visibility {
	case "public", "portal":
		list = append(list, "@"+d.Visibility)
	case "commission":
		list = append(list, "@m"+d.CommissionID.String())
	}
	return list
}

// facets are lexemes for what a search can be narrowed to; its commission and its
// source are in the audience.
func (d Findable) facets() []string {
	list := []string{"#t" + d.Type, "#s" + d.Status, "#y" + strconv.Itoa(d.Year)}
	for _, l := range d.Languages {
		list = append(list, "#l"+l)
	}
	return list
}

// say adds a line of the head.
func (e *entry) say(text, language string, weight byte) {
	list := split(plain(text))
	e.add(list, language)
	for _, l := range lexemesOf(list, language, e.stems) {
		if e.head[l] == 0 {
			e.head[l] = weight
		}
		if weight == 'A' {
			e.lexemes["/"+l] = true
		}
	}
}

// page adds a page of text.
func (e *entry) page(p ReadPage) {
	e.words.WriteString("\f" + p.Language + ":" + strconv.Itoa(p.Page))
	e.add(split(plain(p.Text)), p.Language)
}

func (e *entry) add(list []word, language string) {
	if e.words.Len() < mostWords {
		e.words.WriteString(spaced(list))
	}
	for _, l := range lexemesOf(list, language, e.stems) {
		if !e.lexemes[l] && e.bytes < mostLexemes {
			e.lexemes[l], e.bytes = true, e.bytes+len(l)
		}
	}
	for i := 1; i < len(list) && e.pairs <= mostPairs; i++ {
		if p := pair(list[i-1].text, list[i].text); !list[i].follows && !e.lexemes[p] {
			e.lexemes[p], e.pairs = true, e.pairs+1
		}
	}
	if e.pairs > mostPairs {
		maps.DeleteFunc(e.lexemes, func(l string, _ bool) bool { return l[0] == '=' })
		e.lexemes[everyPair] = true
	}
}

// everyPair is the lexeme of a document with more pairs than are kept.
const everyPair = "="

// lexemesOf are what words are found by: themselves and their stems; characters
// that follow each other by twos, and the last alone, so that one is found by
// what begins with it.
func lexemesOf(list []word, language string, stems Stems) []string {
	out := make([]string, 0, len(list)+len(list)/2)
	for i, w := range list {
		if w.char {
			if i+1 < len(list) && list[i+1].follows {
				out = append(out, w.text+list[i+1].text)
			} else {
				out = append(out, w.text)
			}
			continue
		}
		out = append(append(out, w.text), stems.of(w.text, language)...)
	}
	return out
}

// slice is how many documents, by their ordinal, a search can look at by themselves:
// 2 to the power of it.
const slice = 13

// Indexed is a row of the index as Postgres reads it.
type Indexed struct {
	Lexemes []string
	Head    string // a tsvector
	Words   string
}

// Vector is a tsvector of the lexemes and of those that only the place in the index
// decides: ordinal counts the documents in it.
func (x Indexed) Vector(ordinal int64) string {
	return vector(append(x.Lexemes, "#"+strconv.FormatInt(ordinal>>slice, 10)))
}

// Index makes the row of a document, for who fills a database without the job.
func Index(d Findable, stems Stems, pages ...ReadPage) Indexed {
	e := newEntry(d, stems)
	for _, p := range pages {
		e.page(p)
	}
	return Indexed{slices.Collect(maps.Keys(e.lexemes)), e.weighted(), e.words.String()}
}

// vector is a tsvector of lexemes, as text.
func vector(lexemes []string) string {
	var b strings.Builder
	for _, l := range lexemes {
		quote(&b, l)
		b.WriteByte(' ')
	}
	return b.String()
}

// quote writes a lexeme as Postgres reads it.
func quote(b *strings.Builder, lexeme string) {
	b.WriteByte('\'')
	for i := range len(lexeme) {
		if lexeme[i] == '\'' || lexeme[i] == '\\' {
			b.WriteByte(lexeme[i])
		}
		b.WriteByte(lexeme[i])
	}
	b.WriteByte('\'')
}

func (e *entry) weighted() string {
	var b strings.Builder
	for _, l := range slices.Sorted(maps.Keys(e.head)) {
		quote(&b, l)
		fmt.Fprintf(&b, ":1%c ", e.head[l])
	}
	return b.String()
}

// writeIndex writes entries, and takes from what is to be made anew those that did
// not change meanwhile. What is not to be made anew any more is left as it is: it was
// discarded, or another process has written it, and counted its words.
func (s *Service) writeIndex(ctx context.Context, list []*entry, changes map[uuid.UUID]int) error {
	return s.db.Transaction(ctx, func(tx *postgres.Tx) error {
		of := make(postgres.IDs, len(list))
		for i, e := range list {
			of[i] = e.id
		}
		// Documents before their marks, as whoever changes one does.
		if _, err := tx.Exec(ctx, `SELECT FROM document WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE`, of); err != nil {
			return err
		}
		left, err := postgres.All[uuid.UUID](ctx, tx, `SELECT document_id FROM document_unindexed WHERE document_id = ANY($1::uuid[]) ORDER BY document_id FOR UPDATE`, of)
		if err != nil {
			return err
		}
		return writeEntries(ctx, tx, slices.DeleteFunc(slices.Clone(list), func(e *entry) bool { return !slices.Contains(left, e.id) }), changes)
	})
}

func writeEntries(ctx context.Context, tx *postgres.Tx, list []*entry, changes map[uuid.UUID]int) error {
	var ids, vectors, heads, words pq.StringArray
	var made pq.Int64Array
	for _, e := range list {
		ids, vectors = append(ids, e.id.String()), append(vectors, vector(slices.Sorted(maps.Keys(e.lexemes))))
		heads, words, made = append(heads, e.weighted()), append(words, e.words.String()), append(made, int64(changes[e.id]))
	}
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{countWords, []any{ids, vectors}},
		{`INSERT INTO document_search (document_id) SELECT d.id FROM document d WHERE d.id = ANY($1::uuid[]) ORDER BY d.id ON CONFLICT (document_id) DO NOTHING`, []any{ids}},
		{`UPDATE document_search s SET lexemes = n.lexemes, head = n.head, words = n.words
		  FROM (SELECT o.document_id, n.lexemes::tsvector || array_to_tsvector(ARRAY['#' || (o.ordinal >> ` + strconv.Itoa(slice) + `)]) AS lexemes, n.head::tsvector, n.words
		        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) n (id, lexemes, head, words) JOIN document_search o ON o.document_id = n.id) n
		  WHERE s.document_id = n.document_id AND (s.lexemes, s.head, s.words) IS DISTINCT FROM (n.lexemes, n.head, n.words)`, []any{ids, vectors, heads, words}},
		{`DELETE FROM document_unindexed u USING unnest($1::uuid[], $2::int[]) n (id, changes) WHERE u.document_id = n.id AND u.changes = n.changes`, []any{ids, made}},
	} {
		if _, err := tx.Exec(ctx, step.sql, step.args...); err != nil {
			return err
		}
	}
	return nil
}

// countWords counts the words that are new in each document.
const countWords = `
	INSERT INTO document_word AS w (word, documents, in_title)
	SELECT ltrim(lexeme, '/'), count(*) FILTER (WHERE lexeme NOT LIKE '/%'), bool_or(lexeme LIKE '/%')
	FROM (SELECT n.id, l.lexeme FROM unnest($1::uuid[], $2::text[]) n (id, lexemes), unnest(n.lexemes::tsvector) l WHERE l.lexeme !~ '^[=@#&]'
	      EXCEPT SELECT s.document_id, l.lexeme FROM document_search s, unnest(s.lexemes) l WHERE s.document_id = ANY($1::uuid[])) fresh
	GROUP BY 1 ORDER BY 1
	ON CONFLICT (word) DO UPDATE SET documents = w.documents + excluded.documents, in_title = w.in_title OR excluded.in_title`
