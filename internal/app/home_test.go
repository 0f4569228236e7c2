package app_test

import (
	"net/url"
	"strings"
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/home"
)

// frontWorld arranges a commission whose roster only its members see, a member, and
// an organization.
func frontWorld(t *testing.T) (p *apptest.Portal, member *apptest.Client) {
	p = apptest.New(t)
	member = p.Person("Miriam Member")
	p.Exec(`INSERT INTO organization (slug, name, plain_name, kind, country, state) VALUES ('energia-nova', 'Energía Nova S.A.', 'energia nova', 'company', 'ES', 'member'),
		('hidden-works', 'Hidden Works', 'hidden works', 'company', 'FR', 'pending')`)
	p.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, sector_id, roster_visibility)
		SELECT 'grid-storage', 'GRID', 'Grid Storage', 'commission', 'active', id, 'commission' FROM sector WHERE slug = 'energy'`)
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
		SELECT tstzrange(now() - interval '1 day', NULL), c.id, $1, $2, 'observer', 'chair' FROM commission c`, member.ID, member.Name)
	return p, member
}

func TestFront(t *testing.T) {
	t.Parallel()
	p, _ := frontWorld(t)
	p.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, purpose, sector_id) SELECT s, upper(s), initcap(s), 'commission', s, 'For the sea.', id
		FROM unnest(ARRAY['proposed', 'abandoned']) s, sector WHERE sector.slug = 'energy'`)
	p.Visitor().Get("/").Want(200, "Grid Storage", "Energy", "organizations?country=ES", "Looking for support", "0 supporters from", "2 commissions").Lacks("Hidden Works", "Abandoned")
	f := apptest.JSON[home.Front](p.Visitor().API("GET", "/home", nil).Want(200))
	if f.Commissions != 2 || f.Organizations != 1 || f.Seats != 1 || f.Countries["ES"] != 1 || len(f.Sectors) != 11 || len(f.Growth) != 1 || len(f.Founding) != 1 || len(f.Newest) != 1 {
		t.Errorf("got %+v", f)
	}
	// The lists have what the numbers count: commissions that have not ended.
	for path, ended := range map[string]bool{"/commissions": false, "/commissions?sector=energy": false, "/sectors/energy": false, "/commissions?state=all": true, "/commissions?state=abandoned": true} {
		list := p.Visitor().Get(path).Want(200)
		if strings.Contains(list.Body, `href="/commissions/abandoned"`) != ended || path != "/commissions?state=abandoned" && !strings.Contains(list.Body, `href="/commissions/proposed"`) {
			t.Errorf("%s does not have what it should; ended ones: %v", path, ended)
		}
	}
	p.Visitor().Get("/commissions").Want(200, "Those that have not ended").Lacks(`"/commissions/new"`)
	r := p.Visitor().Get("/")
	p.Visitor().Get("/", "If-None-Match", r.Header.Get("ETag")).Want(304)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	p, member := frontWorld(t)
	colleague := p.Person("Colin Colleague")
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
		SELECT tstzrange(now() - interval '1 day', NULL), c.id, $1, $2, 'observer', 'chair' FROM commission c`, colleague.ID, colleague.Name)
	outsider := p.Person("Oda Outsider")
	p.Exec(`INSERT INTO organization (slug, name, plain_name, kind, country, state) VALUES ('state-grid', '国家电力网', '国家电力网', 'company', 'CN', 'member'),
		('west', 'Nord-Green', 'nord green', 'company', 'SE', 'member')`)
	for _, tt := range []struct {
		name, query string
		who         *apptest.Client
		want        [3]int // commissions, organizations, persons
	}{
		{"acronym", "GRID", p.Visitor(), [3]int{1, 0, 0}},
		{"a typo", "gird storage", p.Visitor(), [3]int{1, 0, 0}},
		{"a letter is missing", "grd", p.Visitor(), [3]int{0, 0, 0}},
		{"of a longer word", "strage", p.Visitor(), [3]int{1, 0, 0}},
		{"of each word", "gird storrage", p.Visitor(), [3]int{1, 0, 0}},
		{"of one, and another stands nowhere", "solar storrage", p.Visitor(), [3]int{0, 0, 0}},
		{"a letter is wrong, without its accent", "enargia", p.Visitor(), [3]int{0, 1, 0}},
		{"of a person", "mirjam", colleague, [3]int{0, 0, 1}},
		{"whom one may see", "mirjam", outsider, [3]int{0, 0, 0}},
		{"what is written so comes without what is not", "storage", p.Visitor(), [3]int{1, 0, 0}},
		{"without its accent", "energia", p.Visitor(), [3]int{0, 1, 0}},
		{"not yet a member", "hidden", p.Visitor(), [3]int{0, 0, 0}},
		{"a visitor sees no closed roster", "miriam", p.Visitor(), [3]int{0, 0, 0}},
		{"nor does an outsider", "miriam", outsider, [3]int{0, 0, 0}},
		{"oneself", "oda", outsider, [3]int{0, 0, 1}},
		{"a fellow member", "miriam", colleague, [3]int{0, 0, 1}},
		{"the secretariat", "miriam", p.Secretariat(), [3]int{0, 0, 1}},
		{"a wildcard is only a character", "%", member, [3]int{0, 0, 0}},
		{"two letters begin a word", "st", p.Visitor(), [3]int{1, 0, 0}},
		{"also after a hyphen", "gr", p.Visitor(), [3]int{1, 1, 0}},
		{"they are not sought in the midst", "or", p.Visitor(), [3]int{0, 0, 0}},
		{"three are", "ora", p.Visitor(), [3]int{1, 0, 0}},
		{"two characters that are a word", "电力", p.Visitor(), [3]int{0, 1, 0}},
		{"one of them", "网", p.Visitor(), [3]int{0, 1, 0}},
	} {
		f := apptest.JSON[home.Found](tt.who.API("GET", "/search?q="+url.QueryEscape(tt.query), nil).Want(200))
		if got := [3]int{len(f.Commissions), len(f.Organizations), len(f.Persons)}; got != tt.want {
			t.Errorf("%s: found %v, want %v", tt.name, got, tt.want)
		}
	}
	for _, query := range []string{"q=qqqqq", "q=grid&kind=document", "q=%20"} {
		p.Visitor().API("GET", "/search?"+query, nil).Want(200).Lacks("null") // nothing found is an empty list
	}
	p.Visitor().Get("/search").Want(200, "What are you looking for?")
	p.Exec(`INSERT INTO organization (slug, name, plain_name, kind, country, state) VALUES ('grid-works', 'Grid Works', 'grid works', 'company', 'ES', 'member')`)
	p.Visitor().Get("/search?q=grid").Want(200, "Grid Storage", "1 commission · 1 organization")
	p.Visitor().Get("/search?q=qqqqq").Want(200, "Nothing is like that")
	colleague.Get("/search?q=miriam").Want(200, "Miriam Member")
	// However many have the name whom the reader may not see.
	p.Exec(`INSERT INTO person (email, name, confirmed_at) SELECT 'miriam' || n || '@example.org', 'Miriam Hidden', now() FROM generate_series(1, 1200) n`)
	late := p.Person("Miriam Late")
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
		SELECT tstzrange(now() - interval '1 day', NULL), c.id, $1, $2, 'observer', 'chair' FROM commission c`, late.ID, late.Name)
	colleague.Get("/search?q=miriam").Want(200, "Miriam Late").Lacks("Miriam Hidden")
	p.Visitor().Get("/search?q=miriam").Want(200).Lacks("Miriam Member")
}

func TestCost(t *testing.T) {
	t.Parallel()
	p, member := frontWorld(t)
	for _, tt := range []struct {
		path string
		most int
	}{
		{"/search?q=grid", 8}, // session, one for each kind of thing, and for documents completions, twice hits, mistakes
		{"/", 9},              // counted once in ten seconds for all readers
		{"/", 1},
	} {
		if n := p.Queries(func() { member.Get(tt.path).Want(200) }); n > tt.most {
			t.Errorf("%s ran %d queries, at most %d", tt.path, n, tt.most)
		}
	}
}
