package document

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/lib/pq"

	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
)

// cut is a page of what was found, and the cursor of the next.
func cut(hits []hit, page keyset.Page) ([]hit, string) {
	hits = hits[:min(len(hits), mostPaged)]
	if page.After != nil {
		rank, _ := strconv.Atoi(page.After[0])
		ordinal, _ := strconv.ParseInt(page.After[1], 10, 64) // what is no number comes before all
		hits = hits[max(0, slices.IndexFunc(append(hits, hit{Rank: -1}), func(h hit) bool {
			return h.Rank < rank || h.Rank == rank && h.Ordinal < ordinal
		})):]
	}
	return keyset.Cut(page, hits[:min(len(hits), page.Fetch())], func(h hit) []string {
		return []string{strconv.Itoa(h.Rank), strconv.FormatInt(h.Ordinal, 10)}
	})
}

// facets counts what was found.
func facets(ctx context.Context, q postgres.Q, hits []hit) ([]Facet, error) {
	counts := map[string]map[string]int{}
	count := func(facet, value string) {
		if counts[facet] == nil {
			counts[facet] = map[string]int{}
		}
		counts[facet][value]++
	}
	for _, h := range hits {
		count("commission", h.Commission.String())
		if h.Organization != nil {
			count("organization", h.Organization.String())
		}
		count("type", h.Type)
		count("year", strconv.Itoa(h.Year))
		for _, l := range h.Languages {
			count("language", l)
		}
		count("status", h.Status)
	}
	list, named := []Facet{}, pq.StringArray{}
	for _, name := range []string{"commission", "type", "year", "language", "organization", "status"} {
		f := Facet{Name: name}
		for value, n := range counts[name] {
			f.Values = append(f.Values, Value{Value: value, N: n})
		}
		if len(f.Values) == 0 {
			continue
		}
		slices.SortFunc(f.Values, func(a, b Value) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Value, b.Value)) })
		f.Values = f.Values[:min(len(f.Values), mostValues)]
		if name == "commission" || name == "organization" {
			for _, v := range f.Values {
				named = append(named, v.Value)
			}
		}
		list = append(list, f)
	}
	if len(named) == 0 {
		return list, nil
	}
	type name struct {
		ID   string `db:"id"`
		Slug string `db:"slug"`
		Name string `db:"name"`
	}
	names, err := postgres.All[name](ctx, q, `
		SELECT id::text, slug, name FROM commission WHERE id = ANY($1::uuid[]) UNION ALL SELECT id::text, slug, name FROM organization WHERE id = ANY($1::uuid[])`, named)
	for _, f := range list {
		for i := range f.Values {
			if at := slices.IndexFunc(names, func(n name) bool { return n.ID == f.Values[i].Value }); at >= 0 {
				f.Values[i].Value, f.Values[i].Label = names[at].Slug, names[at].Name
			}
		}
	}
	return list, err
}

// shown is a result with the text that it is shown with.
type shown struct {
	Result
	Summary  string  `db:"summary"`
	Language string  `db:"language"`
	In       *string `db:"in_language"`
	Version  *int    `db:"in_version"`
	Page     *int    `db:"in_page"`
	Text     *string `db:"text"`
}

// show reads what is shown of the hits, with the page where what was looked for
// stands first. The right is asked again with the text.
func (l *look) show(ctx context.Context, hits []hit) ([]Result, error) {
	results := []Result{}
	if len(hits) == 0 {
		return results, nil
	}
	ids := make(postgres.IDs, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	var w postgres.Where
	list := w.Arg(ids)
	w.And("d.id = ANY(" + list + "::uuid[])")
	w.And(l.sight.Document(&w, "d", l.now))
	w.And("(d.status <> 'withdrawn' OR " + l.withdrawn(&w) + ")")
	rows, err := postgres.All[shown](ctx, l.db, `
		SELECT d.id, c.slug AS commission_slug, c.name AS commission_name, coalesce(r.prefix, '') AS prefix, d.number, d.title, d.type,
		       o.slug AS organization_slug, o.name AS organization_name, d.status, d.languages, d.updated_at, d.summary, d.language,
		       v.language AS in_language, v.number AS in_version, t.page AS in_page, t.text
		FROM document d
		JOIN commission c ON c.id = d.commission_id
		LEFT JOIN register r ON r.commission_id = d.commission_id
		LEFT JOIN organization o ON o.id = d.organization_id
		LEFT JOIN LATERAL (SELECT substr(words, position(E'\f' IN words)) AS words FROM document_search WHERE document_id = d.id AND words LIKE E'%\f%' OFFSET 0) s ON true
		LEFT JOIN LATERAL (SELECT position(n.needle IN s.words) AS at FROM unnest(`+w.Arg(pq.StringArray(l.query.needles(l.also)))+`::text[]) n (needle)
		                   WHERE position(n.needle IN s.words) > 0 LIMIT 1) m ON true
		LEFT JOIN LATERAL (SELECT split_part(reverse(split_part(reverse(left(s.words, m.at)), E'\f', 1)), ' ', 1) AS page OFFSET 0) p ON true
		LEFT JOIN LATERAL (SELECT language, number, digest FROM document_version WHERE document_id = d.id AND language = split_part(p.page, ':', 1)
		                   ORDER BY number DESC LIMIT 1) v ON true
		LEFT JOIN file_text t ON t.digest = v.digest AND t.page = split_part(p.page, ':', 2)::int AND NOT EXISTS (SELECT FROM file WHERE digest = t.digest AND scan = 'infected')
		WHERE `+w.SQL()+` ORDER BY array_position(`+list+`::uuid[], d.id)`, w.Args()...)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		r.Reference = Reference(r.Prefix, r.Number)
		r.Said = l.query.whole(r.Title, l.also)
		if r.Text != nil {
			if text := l.query.passage(*r.Text, l.also); text != nil {
				r.Passage = &Passage{Version: *r.Version, Language: *r.In, Page: *r.Page, Text: text}
			}
		}
		if r.Passage == nil {
			if text := l.query.passage(r.Summary, l.also); text != nil {
				r.Passage = &Passage{Language: r.Language, Text: text}
			}
		}
		results = append(results, r.Result)
	}
	return results, nil
}
