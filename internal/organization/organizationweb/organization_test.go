package organizationweb_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/organization"
	"commissionportal/internal/postgres"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, bob := w.Person("Ada Lovelace"), w.Person("Bob Bystander")
	form := func(name, kind, country, website string, more ...string) []string {
		return append([]string{"name", name, "kind", kind, "country", country, "website", website, "about", "Makes <b>wind</b>.", "title", "Engineer"}, more...)
	}
	w.Visitor().Get("/organizations/new").Want(303)
	w.Visitor().Get("/organizations/similar?name=nord").Want(303)
	w.Visitor().Post("/organizations", form("Sudwind", "company", "FR", "sudwind.fr")...).Want(401)
	ada.Get("/organizations/new").Want(200, "Register an organization", `hx-get="/organizations/similar"`, "It is required, but")
	if page := ada.Get("/organizations/new").Body; !regexp.MustCompile(`for="f-country">\s*Country\s*</label>`).MatchString(page) {
		t.Error("the country is called optional: " + regexp.MustCompile(`for="f-country">.{0,80}`).FindString(page))
	}
	for _, tt := range []struct {
		name   string
		form   []string
		status int
		want   []string
	}{
		{"without a country", form("Sudwind", "company", "", "sudwind.fr"), 422, []string{"Choose a country", `value="Sudwind"`, "Makes &lt;b&gt;wind"}},
		{"unknown kind", form("Sudwind", "team", "FR", "sudwind.fr"), 422, []string{"Choose one of"}},
		{"only signs", form("!!!!", "company", "FR", ""), 422, []string{"Use letters or digits"}},
		{"bad website", form("Sudwind", "company", "FR", "javascript:alert(1)"), 422, []string{"not the address of a website"}},
		{"similar name", form("NORDWIND gmbh", "company", "DE", ""), 409, []string{"Is it one of these?", "Nordwind AG", "/organizations/nordwind/join", `name="anyway"`}},
		{"same domain", form("Wind of the North", "company", "DE", "https://www.nordwind.de/de"), 409, []string{"Same website"}},
		{"anyway", form("Nordwind GmbH", "company", "DE", "", "anyway", "true"), 303, nil},
	} {
		t.Log(tt.name)
		ada.Post("/organizations", tt.form...).Want(tt.status, tt.want...)
	}
	const page = "/organizations/nordwind-gmbh"
	w.Visitor().Get(page).Want(404)
	bob.Get(page).Want(404)
	w.Visitor().API("GET", page, nil).Want(404)
	w.Visitor().Get("/organizations").Want(200, "Nordwind AG").Lacks("Nordwind GmbH")
	bob.Get("/organizations/review").Want(404)
	ada.Get(page).Want(200, "The secretariat looks at this registration", "Edit").Lacks("Accept as a member")
	ada.Get(page + "/edit").Want(200)
	if n := w.mails("organization.registered"); n != 1 {
		t.Errorf("%d letters to the secretariat, want 1", n)
	}
	w.sam.Get("/organizations/review").Want(200, "Nordwind GmbH")
	w.sam.Get(page).Want(200, "Accept as a member", "There are organizations like this one", "merge?into=nordwind")
	ada.Post(page+"/accept", "category", "full").Want(403)
	bob.Post(page+"/accept", "category", "full").Want(404)
	w.sam.Post(page+"/accept", "category", "best").Want(422, "Choose one of")
	w.sam.Post(page+"/decline", "reason", "").Want(422, "Fill this in")
	w.sam.Post(page+"/accept", "category", "full").Want(303)
	w.sam.Post(page+"/accept", "category", "full").Want(409, "decided already")
	w.sam.Post(page+"/decline", "reason", "Too late.").Want(409)
	w.Visitor().Get(page).Want(200, "Full member", "Makes &lt;b&gt;wind")
	if n := w.mails("organization.accepted"); n != 1 {
		t.Errorf("%d letters to the registrant, want 1", n)
	}
	ada.Get(page+"/history").Want(200, "Registered Nordwind GmbH", "Accepted Nordwind GmbH as a member (full)")
	w.Visitor().Get(page + "/history").Want(303)
	bob.Get(page + "/history").Want(404)
}

// TestRegisterAgain: what one registered is not registered once more while it waits,
// and that it waits is told nobody else.
func TestRegisterAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, bob := w.Person("Ada Lovelace"), w.Person("Bob Bystander")
	again := map[string]any{"name": "Aurora Grid", "kind": "company", "country": "NO", "website": "https://aurora-grid.example"}
	ada.API("POST", "/organizations", again).Want(201, `"slug":"aurora-grid"`)
	for range 2 { // whatever the key
		ada.API("POST", "/organizations", again, "Idempotency-Key", uuid.NewString()).Want(409, "Aurora Grid is there already: you have registered it")
	}
	ada.Post("/organizations", "name", "Aurora Grid AS", "kind", "company", "country", "NO").Want(409, "Is it one of these?", "/organizations/aurora-grid", "Mine is another one")
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM organization WHERE name LIKE 'Aurora%'`); n != 1 {
		t.Errorf("registered again and again: %d", n)
	}
	bob.API("GET", "/organizations/similar?name=aurora+grid&website=", nil).Want(200, `"items":[]`) // not told to others
	bob.API("POST", "/organizations", again).Want(201, `"slug":"aurora-grid-2"`)                    // the secretariat sees both
}

func TestRegisterAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.Person("Ada Lovelace")
	draft := map[string]any{"name": "Solar Works Ltd", "kind": "company", "country": "GB", "website": "solarworks.co.uk"}
	w.Visitor().API("POST", "/organizations", draft).Want(401)
	o := apptest.JSON[organization.Organization](ada.API("POST", "/organizations", draft).Want(201, `"state":"pending"`))
	if o.Slug != "solar-works-ltd" || o.Website != "https://solarworks.co.uk" {
		t.Errorf("got %+v", o)
	}
	w.Visitor().API("GET", "/organizations/solar-works-ltd", nil).Want(404)
	w.sam.API("GET", "/organizations?state=pending", nil).Want(200, "Solar Works")
	ada.API("GET", "/organizations?state=pending", nil).Want(404)
	w.sam.API("POST", "/organizations/solar-works-ltd/decline", map[string]any{"reason": "No such company."}).Want(200, `"state":"declined"`)
	ada.API("GET", "/organizations/solar-works-ltd", nil).Want(200, "No such company.")
	if n := w.mails("organization.declined"); n != 1 {
		t.Errorf("%d letters, want 1", n)
	}
	other := map[string]any{"name": "Nord Wind A.G.", "kind": "company", "country": "DE", "website": "nordwind.de"}
	ada.API("POST", "/organizations", other).Want(409, "Nordwind AG is there already")
	ada.API("GET", "/organizations/similar?name=nordwnd&website=", nil).Want(200, `"why":"similar"`)
	ada.API("GET", "/organizations/similar?name=x&website=https://shop.nordwind.de", nil).Want(200, `"why":"domain"`)
	ada.API("GET", "/organizations/similar?name=no&website=", nil).Want(200, `"items":[]`) // two letters say nothing
	ada.API("GET", "/organizations/similar?name=&website=https://facebook.com/nordwind", nil).Want(200, `"items":[]`)
	other["anyway"] = true
	ada.API("POST", "/organizations", other).Want(201, `"slug":"nord-wind-a-g"`)
	// At acceptance among all, also those that wait or were declined; one that is
	// alike in more than one way is there once, for the best of them.
	ada.API("POST", "/organizations", map[string]any{"name": "Solar-Works", "kind": "association"}).Want(201)
	w.sam.API("GET", "/organizations/solar-works/similar", nil).Want(200, `"slug":"solar-works-ltd"`, `"state":"declined"`)
	found := apptest.JSON[struct{ Items []organization.Similar }](w.sam.API("GET", "/organizations/nord-wind-a-g/similar", nil).Want(200)).Items
	if len(found) != 1 || found[0].Slug != "nordwind" || found[0].Why != "domain" {
		t.Errorf("like Nord Wind A.G.: %+v", found)
	}
	ada.API("GET", "/organizations/nord-wind-a-g/similar", nil).Want(403)
	w.Visitor().API("GET", "/organizations/nord-wind-a-g/similar", nil).Want(404)
	chinese := map[string]any{"name": "北方电力", "kind": "company", "country": "CN"}
	ada.API("POST", "/organizations", chinese).Want(201, `"slug":"organization-`)
	for _, bad := range []string{"new", "Similar"} {
		ada.API("POST", "/organizations", map[string]any{"name": bad, "kind": "association"}).Want(201).Lacks(`"slug":"` + strings.ToLower(bad) + `"`)
	}
	ada.API("POST", "/organizations", map[string]any{"name": "Really too many", "kind": "association"}).Want(429)
}

// TestSimilarByIndex: what is asked at every key that is typed passes over no
// more than a few rows, however many organizations there are.
func TestSimilarByIndex(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Exec(`INSERT INTO organization (slug, name, plain_name, kind, domain, state)
		SELECT 'o-' || i, md5(i::text), md5(i::text) || ' ' || md5((i + 1)::text), 'company', i || '.example', 'member' FROM generate_series(1, 5000) i`)
	w.Exec(`VACUUM ANALYZE organization`) // and the index takes in what is new
	var c postgres.Counter
	w.DB.CountInto(&c)
	w.rita.API("GET", "/organizations/similar?name=nordwnd&website=nordwind.de", nil).Want(200, "Nordwind AG")
	w.DB.CountInto(nil)
	i := slices.IndexFunc(c.Statements(), func(s postgres.Statement) bool { return strings.Contains(s.Query, "plain_name %") })
	if i < 0 {
		t.Fatal("no search by trigrams")
	}
	ctx := t.Context()
	tx, err := w.DB.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec(ctx, `PREPARE similar_(text, text, uuid, text[], float8, uuid) AS `+c.Statements()[i].Query); err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{`'nordwnd', ''`, `'', 'nordwind.de'`} {
		var plan []string
		if err := tx.Select(ctx, &plan, `EXPLAIN EXECUTE similar_(`+typed+`, gen_random_uuid(), '{member,left}', 0.45, gen_random_uuid())`); err != nil {
			t.Fatal(err)
		}
		if text := strings.ReplaceAll(strings.Join(plan, "\n"), "Seq Scan on organization_logo", ""); strings.Contains(text, "Seq Scan") {
			t.Errorf("%s:\n%s", typed, text)
		}
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fr := w.member("vent-du-sud", "Vent du Sud", "vent.fr")
	w.Exec(`UPDATE organization SET country = 'FR', kind = 'academia', category = 'full' WHERE id = $1`, fr)
	w.participate(fr, w.grid, "P", "1 year")
	for _, tt := range []struct {
		query     string
		nord, sud bool
	}{
		{"", true, true}, {"?country=FR", false, true}, {"?kind=company", true, false}, {"?category=full", false, true},
		{"?sector=energy", false, true}, {"?sector=tourism", false, false}, {"?q=NORD", true, false}, {"?q=%25", false, false}, {"?kind=company&country=FR", false, false},
	} {
		r := w.Visitor().Get("/organizations" + tt.query).Want(200)
		api := w.Visitor().API("GET", "/organizations"+tt.query, nil).Want(200)
		for _, body := range []string{r.Body, api.Body} {
			if strings.Contains(body, "Nordwind AG") != tt.nord || strings.Contains(body, "Vent du Sud") != tt.sud {
				t.Errorf("%q: nord %v, sud %v", tt.query, strings.Contains(body, "Nordwind AG"), strings.Contains(body, "Vent du Sud"))
			}
		}
	}
	for _, wrong := range []string{"country=ZZ", "kind=team", "category=best"} {
		w.Visitor().API("GET", "/organizations?"+wrong, nil).Want(422, `"`+wrong[:strings.Index(wrong, "=")]+`":"Choose`)
		w.Visitor().API("GET", "/organizations/counts?"+wrong, nil).Want(422)
		w.Visitor().Get("/organizations?"+wrong).Want(422, "Choose")
		w.Visitor().Get("/organizations/export?" + wrong).Want(422)
	}
	w.Visitor().API("GET", "/organizations?country=fr", nil).Want(200, "Vent du Sud").Lacks("Nordwind")
	// The map keeps the other countries when one is chosen.
	w.Visitor().Get("/organizations?country=FR").Want(200, "country=DE", `class="world"`)
	w.Visitor().API("GET", "/organizations/counts?country=FR", nil).Want(200, `"total":1`, `"DE":1`)
	first := w.Visitor().API("GET", "/organizations?limit=1", nil).Want(200, "Nordwind AG", `"next":`)
	next := apptest.JSON[struct{ Next string }](first).Next
	w.Visitor().API("GET", "/organizations?limit=1&cursor="+next, nil).Want(200, "Vent du Sud").Lacks("Nordwind", `"next"`)
	w.Visitor().API("GET", "/organizations?cursor=x", nil).Want(422)
	w.Visitor().Get("/organizations/export?country=FR").Want(200, "vent-du-sud", "France").Lacks("nordwind")
	w.Visitor().Get("/organizations/export?format=xlsx").Want(200, "PK")
	w.Visitor().Get("/organizations/export?format=pdf").Want(422)
	// Who sits for it is said where the reader sees the roster.
	w.sit(w.grid, w.Person("Sid Seated"), "observer", &fr)
	w.Visitor().Get("/organizations/vent-du-sud").Want(200, "Sid Seated")
	w.Exec(`UPDATE commission SET roster_visibility = 'officers'`)
	w.chair.Get("/organizations/vent-du-sud").Want(200, "Sid Seated")
	w.Visitor().Get("/organizations/vent-du-sud").Want(200).Lacks("Sid Seated")
	visitor := w.Visitor()
	w.At(w.Now()) // what is counted now stays right
	visitor.Get("/organizations").Want(200)
	for what, n := range map[string]int{
		"/organizations?kind=company": 1, "/organizations?q=nord": 2, "/organizations/nordwind": 3, "/commissions/grid-storage/organizations": 3,
	} {
		if got := w.Queries(func() { visitor.Get(what).Want(200) }); got > n {
			t.Errorf("%s runs %d statements, at most %d", what, got, n)
		}
	}
	if got := w.Queries(func() { visitor.API("GET", "/organizations", nil).Want(200) }); got > 1 {
		t.Errorf("the list runs %d statements", got)
	}
	if got := w.Queries(func() { w.rita.Get("/organizations/nordwind/people").Want(200) }); got > 4 { // session, organization, claims, people
		t.Errorf("people run %d statements", got)
	}
	if got := w.Queries(func() { w.rita.Get("/profile/affiliations").Want(200) }); got > 2 {
		t.Errorf("affiliations run %d statements", got)
	}
	if got := w.Queries(func() { w.rita.Get("/organizations/nordwind/history").Want(200) }); got > 4 {
		t.Errorf("history runs %d statements", got)
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const page = "/organizations/nordwind"
	form := func(name, version string) []string {
		return []string{"name", name, "kind", "company", "country", "DE", "website", "nordwind.de", "about", "", "version", version}
	}
	bob := w.Person("Bob Bystander")
	bob.Get(page + "/edit").Want(403)
	w.rita.Get(page+"/edit").Want(200, `name="about"`).Lacks(`name="category"`)
	w.sam.Get(page+"/edit").Want(200, `name="category"`)
	bob.Post(page, form("Bob's", "1")...).Want(403)
	w.rita.Post(page, form("", "1")...).Want(422, "Fill this in")
	w.rita.Post(page, form("Nordwind Energie AG", "1")...).Want(303)
	w.rita.Post(page, form("Nordwind Old", "1")...).Want(308) // the address has changed
	w.rita.Post("/organizations/nordwind-energie-ag", form("Nordwind Old", "1")...).Want(412)
	if to := w.Visitor().Get(page + "?x=1").Want(308).Location(); to != "/organizations/nordwind-energie-ag?x=1" {
		t.Errorf("leads to %s", to)
	}
	if to := w.Visitor().API("GET", page+"/participations", nil).Want(308).Location(); to != "/api/v1/organizations/nordwind-energie-ag/participations" {
		t.Errorf("the API leads to %s", to)
	}
	w.Visitor().Get("/organizations/nordwind-energie-ag").Want(200, "Former names", "Nordwind AG")
	// No other organization gets the old address; the own may come back to it.
	ada := w.Person("Ada Lovelace")
	ada.API("POST", "/organizations", map[string]any{"name": "Nordwind", "kind": "association", "anyway": true}).Want(201, `"slug":"nordwind-2"`)
	w.rita.API("PATCH", "/organizations/nordwind-energie-ag", map[string]any{"name": "Nordwind"}).Want(428)
	w.rita.API("PATCH", "/organizations/nordwind-energie-ag", map[string]any{"name": "Nordwind"}, "If-Match", `"v1"`).Want(412)
	w.rita.API("PATCH", "/organizations/nordwind-energie-ag", map[string]any{"category": "founding"}, "If-Match", `"v2"`).Want(403)
	r := w.rita.API("PATCH", "/organizations/nordwind-energie-ag", map[string]any{"name": "Nordwind"}, "If-Match", `"v2"`).Want(200, `"slug":"nordwind"`)
	if r.Header.Get("ETag") != `"v3"` {
		t.Errorf("ETag %s", r.Header.Get("ETag"))
	}
	w.Visitor().Get(page).Want(200)
	w.Visitor().Get("/organizations/nordwind-energie-ag").Want(308)
	w.sam.API("PATCH", page, map[string]any{"category": "founding"}, "If-Match", `"v3"`).Want(200, `"category":"founding"`)
}

func picture(t *testing.T, width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	img.Set(1, 1, color.RGBA{R: 255, A: 255})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLogo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := picture(t, 64, 64)
	for _, tt := range []struct {
		name   string
		body   []byte
		status int
		want   string
	}{
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), 422, "not a PNG, JPEG or WebP"},
		{"HTML with the head of a PNG", append([]byte("\x89PNG\r\n\x1a\n"), "<html>"...), 422, "not a PNG"},
		{"cut off", good[:len(good)-20], 422, "damaged"},
		{"huge when decoded", picture(t, 5000, 2), 422, "2,048 pixels"},
		{"too many bytes", append(picture(t, 64, 64), make([]byte, 300<<10)...), 422, "256 kB"},
		{"good", good, 200, "/logo/"},
	} {
		t.Log(tt.name)
		w.rita.API("PUT", "/organizations/nordwind/logo", string(tt.body)).Want(tt.status, tt.want)
	}
	o := apptest.JSON[struct{ Logo string }](w.Visitor().API("GET", "/organizations/nordwind", nil).Want(200))
	r := w.Visitor().Get(o.Logo).Want(200)
	if r.Body != string(good) || r.Header.Get("Content-Type") != "image/png" || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%d bytes, %v", len(r.Body), r.Header)
	}
	w.Visitor().Get(o.Logo, "If-None-Match", r.Header.Get("ETag")).Want(304)
	w.Visitor().Get("/organizations/nordwind/logo/" + strings.Repeat("0", 64)).Want(404)
	w.Visitor().Get("/organizations").Want(200, o.Logo)
	w.Person("Bob").API("PUT", "/organizations/nordwind/logo", string(good)).Want(403)
	w.rita.API("DELETE", "/organizations/nordwind/logo", nil).Want(204)
	w.Visitor().Get(o.Logo).Want(404)

	w.rita.PostFile("/organizations/nordwind/logo", "logo", "logo.png", good).Want(303)
	w.Visitor().Get("/organizations/nordwind").Want(200, "/logo/")
	w.rita.Post("/organizations/nordwind/logo").Want(422, "Choose a file")
}
