package document

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Narrow narrows a search; empty fields do not.
type Narrow struct {
	Commission   string // slug
	Organization string // slug of the source
	Type         string
	Status       string
	Language     string
	Year         int
}

// Results are a page of the documents that a search found, best first: those whose
// title, keywords or summary say it, then the newest.
type Results struct {
	Total  int      `json:"total" doc:"How many there are; if capped, there are more."`
	Capped bool     `json:"capped" doc:"The newest 1,000 were looked at and counted, and there are more."`
	Items  []Result `json:"items"`
	Facets []Facet  `json:"facets" doc:"How many of them are of each commission, type and so on: over all that total counts."`
	Next   string   `json:"next,omitempty" doc:"Cursor of the next page; the best 200 can be paged through."`
}

// Result is a document that a search found.
type Result struct {
	ID               uuid.UUID      `db:"id" json:"id"`
	Reference        string         `db:"-" json:"reference,omitempty" doc:"ENERGY-N0012; absent before it has a number."`
	Commission       string         `db:"commission_slug" json:"commission"`
	CommissionName   string         `db:"commission_name" json:"commission_name"`
	Prefix           string         `db:"prefix" json:"-"`
	Number           *int           `db:"number" json:"number,omitempty"`
	Title            string         `db:"title" json:"title"`
	Type             string         `db:"type" json:"type"`
	Organization     *string        `db:"organization_slug" json:"organization,omitempty"`
	OrganizationName *string        `db:"organization_name" json:"organization_name,omitempty"`
	Status           string         `db:"status" json:"status"`
	Languages        pq.StringArray `db:"languages" json:"languages"`
	UpdatedAt        time.Time      `db:"updated_at" json:"updated_at"`
	Said             []Span         `db:"-" json:"title_parts" doc:"The title in pieces, what was looked for marked."`
	Passage          *Passage       `db:"-" json:"passage,omitempty" doc:"Where in the document, or its summary, it stands."`
}

// Path is the address of its page.
func (r Result) Path() string { return Document{ID: r.ID, Prefix: r.Prefix, Number: r.Number}.Path() }

// Passage is a passage of a document that has what was looked for.
type Passage struct {
	Version  int    `json:"version,omitempty"`
	Language string `json:"language,omitempty"`
	Page     int    `json:"page,omitempty" doc:"Absent where it is the summary."`
	Text     []Span `json:"text"`
}

// Span is a piece of a text; Mark says that it was looked for.
type Span struct {
	Text string `json:"text"`
	Mark bool   `json:"mark,omitempty"`
}

// Facet is how results are spread over the values of one thing they have.
type Facet struct {
	Name   string  `json:"name" enum:"commission,organization,type,year,language,status"`
	Values []Value `json:"values"`
}

// Value is a value with how many results have it.
type Value struct {
	Value string `json:"value" doc:"What to narrow the search to."`
	Label string `json:"label,omitempty" doc:"Name of a commission or an organization."`
	N     int    `json:"n"`
}

const (
	mostFound  = 1000 // documents that one search looks at and counts
	mostPaged  = 200  // of these, the best that can be paged through
	mostValues = 12   // of one facet
	fewFound   = 5    // with fewer, words are taken for mistakes too
)

// hit is a document that a search found, with what it is ranked and counted by.
type hit struct {
	ID           uuid.UUID      `db:"id"`
	Ordinal      int64          `db:"ordinal"`
	Rank         int            `db:"rank"`
	Commission   uuid.UUID      `db:"commission_id"`
	Organization *uuid.UUID     `db:"organization_id"`
	Type         string         `db:"type"`
	Status       string         `db:"status"`
	Languages    pq.StringArray `db:"languages"`
	Year         int            `db:"year"`
}

// Search finds documents that the actor may read. What its reader may not read is
// neither shown nor counted.
func (s *Service) Search(ctx context.Context, who access.Actor, text string, by Narrow, page keyset.Page) (Results, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "search", "read"); err != nil {
		return Results{}, err
	}
	var f problem.Fields
	if by.Type != "" {
		check.OneOf(&f, "type", by.Type, Types...)
	}
	if by.Status != "" {
		check.OneOf(&f, "status", by.Status, Statuses...)
	}
	if by.Language != "" {
		checkLanguage(&f, &by.Language)
	}
	if err := f.Err(); err != nil {
		return Results{}, err
	}
	q, err := parse(text)
	if err != nil || !q.asks() {
		return Results{Items: []Result{}, Facets: []Facet{}}, err
	}
	l := look{Service: s, who: who, sight: access.See(ctx, who), now: journal.Now(ctx), by: by, query: q}
	if err := l.learn(ctx); err != nil {
		return Results{}, err
	}
	hits, capped, err := l.find(ctx)
	if err != nil {
		return Results{}, err
	}
	r := Results{Total: len(hits), Capped: capped}
	if capped {
		r.Total = mostFound
	}
	if r.Facets, err = facets(ctx, s.db, hits); err != nil {
		return r, err
	}
	shown, next := cut(hits, page)
	r.Next = next
	r.Items, err = l.show(ctx, shown)
	return r, err
}

// look is one search.
type look struct {
	*Service
	who   access.Actor
	sight access.Sight
	now   time.Time
	by    Narrow
	query query
	also  more
	known corpus
}

// corpus is what is known of all documents before one is looked at.
type corpus struct {
	last  int64          // ordinal
	words map[string]int // in about how many documents they are
}

const (
	mostBegun  = 10  // words that one which is being typed may become: those in most documents
	mostAlike  = 6   // words of titles that one may be meant for
	mostMended = 2   // words of a query that may be mistakes
	mostNear   = 100 // words that each of these is compared with, letter by letter
)

// learn finds what words that are still being typed may become, and in how many
// documents all are that are looked for.
func (l *look) learn(ctx context.Context) error {
	l.known.words = map[string]int{}
	list, err := postgres.All[pairing](ctx, l.db, `
		SELECT '' AS asked, '' AS word, coalesce(max(ordinal), 0) AS n FROM document_search
		UNION ALL SELECT '', word, documents FROM document_word WHERE word = ANY($3::text[])
		UNION ALL SELECT b.word, w.word, w.documents FROM unnest($1::text[]) b (word), LATERAL (
		  SELECT word, documents FROM document_word WHERE word >= b.word AND word < b.word || U&'\+10FFFF' AND documents > 0 ORDER BY documents DESC, word LIMIT $2) w`,
		pq.StringArray(l.query.begun()), mostBegun, pq.StringArray(l.query.words()))
	for _, p := range list {
		switch {
		case p.Word == "":
			l.known.last = p.N
			continue
		case p.Asked != "":
			l.add(p.Asked, p.Word)
		}
		l.known.words[p.Word] = int(p.N)
	}
	return err
}

// correct finds words of titles that those asked for may be mistakes for: with one
// letter wrong, missing, too many or changed about, or two of a long word whose first
// three letters are right. (Letters changed about are two mistakes to Postgres.)
func (l *look) correct(ctx context.Context) error {
	words := l.query.misspelled()
	slices.SortStableFunc(words, func(a, b string) int { return l.known.words[a] - l.known.words[b] }) // what many write is no mistake
	words = words[:min(len(words), mostMended)]
	near, err := postgres.All[pairing](ctx, l.db, `
		SELECT b.word AS asked, w.word, w.documents AS n FROM unnest($1::text[]) b (word), LATERAL (
		  (SELECT word, documents FROM document_word WHERE in_title AND length(word) BETWEEN 3 AND 24 AND one_left_out(word) && one_left_out(b.word)
		   ORDER BY levenshtein_less_equal(word, b.word, 2), documents DESC, word LIMIT $2)
		  UNION (SELECT word, documents FROM document_word WHERE length(b.word) > 7 AND in_title AND length(word) > 5 AND left(word, 3) = left(b.word, 3)
		         AND length(word) BETWEEN length(b.word) - 2 AND length(b.word) + 2 AND levenshtein_less_equal(word, b.word, 4) < 5
		         ORDER BY documents DESC, word LIMIT $2)) w`, pq.StringArray(words), mostNear)
	if err != nil {
		return err
	}
	for _, p := range near {
		l.known.words[p.Word] = int(p.N)
	}
	for _, word := range words {
		most := 1
		if utf8.RuneCountInString(word) > 7 {
			most = 2
		}
		var alike []string
		for _, p := range near {
			if p.Asked == word && p.Word != word && mistakes(word, p.Word, most) <= most {
				alike = append(alike, p.Word)
			}
		}
		slices.SortFunc(alike, func(a, b string) int {
			return cmp.Or(mistakes(word, a, most)-mistakes(word, b, most), l.known.words[b]-l.known.words[a], cmp.Compare(a, b))
		})
		for _, a := range alike[:min(len(alike), mostAlike)] {
			l.add(word, "/"+a)
		}
	}
	return nil
}

func (l *look) add(asked, word string) {
	if l.also == nil {
		l.also = more{}
	}
	l.also[asked] = append(l.also[asked], word)
}

// pairing is a word that was asked for with another that it may stand for.
type pairing struct {
	Asked string `db:"asked"`
	Word  string `db:"word"`
	N     int64  `db:"n"` // in about how many documents
}

// find finds the newest documents that have what is looked for, best first, and
// says whether there are more. Where there are, it looks for those that say it in
// their title too, however old. Where there is next to nothing, it takes words for
// mistakes.
func (l *look) find(ctx context.Context) ([]hit, bool, error) {
	about := l.query.about(l.also, l.known.words)
	hits, err := l.hits(ctx, l.query.tsqueries(l.also, false), about, mostFound+1)
	if err != nil {
		return nil, false, err
	}
	capped := len(hits) > mostFound
	if capped {
		titled, err := l.hits(ctx, l.query.tsqueries(l.also, true), about/10, mostPaged)
		if err != nil {
			return nil, false, err
		}
		known := make(map[uuid.UUID]bool, len(hits))
		for _, h := range hits {
			known[h.ID] = true
		}
		for _, h := range titled {
			if !known[h.ID] {
				hits = append(hits, h)
			}
		}
	} else if len(hits) < fewFound && len(l.query.misspelled()) > 0 {
		if err := l.correct(ctx); err != nil {
			return nil, false, err
		}
		if hits, err = l.hits(ctx, l.query.tsqueries(l.also, false), l.query.about(l.also, l.known.words), mostFound+1); err != nil {
			return nil, false, err
		}
	}
	slices.SortFunc(hits, func(a, b hit) int { return -cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Ordinal, b.Ordinal)) })
	return hits[:min(len(hits), mostFound)], capped, nil
}

// audience are lexemes of what the reader may be able to see, of which a document
// must have one; none if there is no telling. See Findable.audience.
func (l *look) audience() string {
	if l.sight.All {
		return ""
	}
	list := make([]string, 0, 16)
	for _, level := range l.sight.Levels {
		list = append(list, "@"+level)
	}
	for mark, ids := range map[string]postgres.IDs{"@m": l.sight.Seated, "@c": l.sight.Reading(), "@o": l.sight.Acting} {
		for _, id := range ids {
			list = append(list, mark+id.String())
		}
	}
	if l.sight.Person.Valid {
		list = append(list, "@p"+l.sight.Person.UUID.String())
	}
	if len(list) > mostAudience {
		return ""
	}
	slices.Sort(list)
	return either(list)
}

// mostAudience is with how many places a reader may have to do before it is
// cheaper to look at what they may not see than to ask for each.
const mostAudience = 200

const (
	mostRead  = 1500 // documents that one step of a search should come to
	mostWide  = 16   // slices of one step: each is looked up in the index
	unlearned = 20   // documents that may be in what is still to come, though none were in a step
)

// hits goes backwards through all documents, the newest first, until it has enough.
// A step looks at as many slices as should have some thousand documents that match;
// where no more are to be expected in all that remains, at all that remains: the
// index is quickest when it need not tell slices apart. What is expected is, at
// first, that about so many match; then what the steps have found.
func (l *look) hits(ctx context.Context, asked []string, about, most int) ([]hit, error) {
	var all []hit
	top := l.known.last>>slice + 1 // slices that remain
	expected := float64(about) / float64(top)
	for top > 0 && len(all) < most {
		width, want := int64(mostWide), min(mostRead, 1.2*float64(most-len(all))+50)
		switch {
		case expected*float64(top) <= 2*mostRead:
			width = top
		case expected*mostWide > want:
			width = max(1, int64(want/expected))
		}
		width = min(width, top)
		found, err := l.step(ctx, asked, top-width, top, width == top, most-len(all))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		top -= width
		looked := float64(l.known.last+1)/(1<<slice) - float64(top) // slices; the newest is not full
		if l.sight.All || l.audience() != "" {                      // else the reader may see next to nothing of what matches
			expected = min(expected, float64(len(all)+unlearned)/looked)
		}
	}
	return all, nil
}

// step finds documents of the slices from one to before another; the last step, of
// those from the first. The index gives what has the words and is for such a reader;
// whether this reader may see it is asked of the document's own row, as everywhere.
// (ordinal + 0: Postgres would go through all rows backwards rather than sort a few.)
func (l *look) step(ctx context.Context, asked []string, from, to int64, rest bool, most int) ([]hit, error) {
	asked = slices.Clone(asked)
	if audience := l.audience(); audience != "" {
		asked = append(asked, audience)
	}
	for _, lexeme := range []string{"#t" + l.by.Type, "#s" + l.by.Status, "#l" + l.by.Language} {
		if len(lexeme) > 2 {
			asked = append(asked, either([]string{lexeme}))
		}
	}
	var w postgres.Where
	w.And("d.id = s.document_id")
	w.And(l.sight.Document(&w, "d", l.now))
	w.And("(d.status <> 'withdrawn' OR " + l.withdrawn(&w) + ")")
	w.If(l.by.Type != "", "d.type = ?", l.by.Type)
	w.If(l.by.Status != "", "d.status = ?", l.by.Status)
	w.If(l.by.Language != "", "d.languages @> ARRAY[?::text]", l.by.Language)
	if l.by.Year != 0 {
		asked = append(asked, either([]string{"#y" + strconv.Itoa(l.by.Year)}))
		w.And(yearOf+" = ?::int", l.by.Year)
	}
	if !rest {
		list := make([]string, 0, mostWide)
		for n := from; n < to; n++ {
			list = append(list, "#"+strconv.FormatInt(n, 10))
		}
		asked = append(asked, either(list))
	}
	var matches strings.Builder
	for _, q := range asked {
		matches.WriteString("lexemes @@ " + w.Arg(q) + "::tsquery AND ")
	}
	if l.by.Commission != "" {
		w.And("d.commission_id = (SELECT id FROM commission WHERE slug = ?)", l.by.Commission)
		matches.WriteString("lexemes @@ (SELECT coalesce(max(quote_literal('@c' || id)), '''#none''')::tsquery FROM commission WHERE slug = " + w.Arg(l.by.Commission) + ") AND ")
	}
	if l.by.Organization != "" {
		w.And("d.organization_id = (SELECT id FROM organization WHERE slug = ?)", l.by.Organization)
		matches.WriteString("lexemes @@ (SELECT coalesce(max(quote_literal('@o' || id)), '''#none''')::tsquery FROM organization WHERE slug = " + w.Arg(l.by.Organization) + ") AND ")
	}
	join := ""
	if phrases := l.phrases(&w); phrases != "" {
		join = "JOIN document_search x ON x.document_id = d.id"
		w.And(phrases)
	}
	return postgres.All[hit](ctx, l.db, `
		SELECT h.id, h.ordinal, h.commission_id, h.organization_id, h.type, h.status, h.languages, h.year,
		       (ts_rank('{0, 0, 0.3, 1}', h.head, `+w.Arg(l.query.ranked(l.also))+`::tsquery) * 1000000)::int AS rank
		FROM (SELECT d.id, s.ordinal, d.commission_id, d.organization_id, d.type, d.status, d.languages, d.year, s.head
		      FROM (SELECT document_id, ordinal, head FROM document_search
		            WHERE `+matches.String()+`ordinal + 0 < `+w.Arg(to<<slice)+` ORDER BY ordinal + 0 DESC OFFSET 0) s,
		      LATERAL (SELECT d.id, d.commission_id, d.organization_id, d.type, d.status, d.languages, `+yearOf+` AS year FROM document d `+join+`
		               WHERE `+w.SQL()+` OFFSET 0) d
		      LIMIT `+w.Arg(most)+`) h`, w.Args()...)
}

// withdrawn is the condition that the reader may still read a withdrawn document:
// who may bring it back or owns it.
func (l *look) withdrawn(w *postgres.Where) string {
	if l.sight.All {
		return "true"
	}
	any := []string{"false"}
	if places := l.access.Places(l.who, "document", "withdraw"); len(places) > 0 {
		any = append(any, "d.commission_id = ANY("+w.Arg(places)+"::uuid[])")
	}
	if len(l.sight.Filling) > 0 {
		any = append(any, "d.organization_id = ANY("+w.Arg(l.sight.Filling)+"::uuid[])")
	}
	if l.sight.Person.Valid {
		any = append(any, "d.author_id = "+w.Arg(l.sight.Person.UUID)+" AND (d.organization_id IS NULL OR d.organization_id = ANY("+w.Arg(l.sight.Acting)+"::uuid[]))")
	}
	return strings.Join(any, " OR ")
}

// phrases is the condition that words follow each other as they were asked for, in
// the words of the row x; "" if none were. It has the same text for any number of
// them.
func (l *look) phrases(w *postgres.Where) string {
	var clauses pq.Int64Array // below 0: left out
	var needles, queries pq.StringArray
	for i, c := range l.query.clauses {
		if !slices.ContainsFunc(c, term.exact) {
			continue
		}
		n := int64(i + 1)
		if c[0].not {
			n = -n
		}
		for _, t := range c {
			needle, query := t.needle(), ""
			if !t.exact() {
				needle, query = "", t.tsquery(l.also, l.query.stems, false)
			}
			clauses, needles, queries = append(clauses, n), append(needles, needle), append(queries, query)
		}
	}
	if len(clauses) == 0 {
		return ""
	}
	return `NOT EXISTS (SELECT FROM unnest(` + w.Arg(clauses) + `::int[], ` + w.Arg(needles) + `::text[], ` + w.Arg(queries) + `::text[]) p (clause, needle, query)
		GROUP BY p.clause HAVING bool_or(CASE WHEN p.needle <> '' THEN position(p.needle IN x.words) > 0 ELSE x.lexemes @@ p.query::tsquery END) = (p.clause < 0))`
}
