package journal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
)

// TestHistories reads what was done in a commission, in an organization and by
// oneself, narrowed and as a file, through both doors.
func TestHistories(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	sam, ada, ben := p.Secretariat(), p.Person("Ada Lovelace"), p.Person("Ben Benson")
	energy, other, acme := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	for slug, id := range map[string]uuid.UUID{"energy": energy, "other": other} {
		p.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state) VALUES ($1, $2, upper($2), initcap($2), 'commission', 'active')`, id, slug)
	}
	p.Exec(`INSERT INTO organization (id, slug, name, plain_name, kind, category, country, state, created_at) VALUES ($1, 'acme', 'Acme AG', 'acme', 'company', 'full', 'DE', 'member', now())`, acme)
	p.At(time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC))
	entry := func(kind string, scope uuid.UUID, who, org any, day, object, note string, id uuid.UUID) {
		p.Exec(`SELECT journal_append($1, $2, $3, $4, $5::timestamptz, 'req-1', ARRAY[$6::text], ARRAY['edit'], ARRAY[$7::uuid], ARRAY[$8::text])`, kind, scope, who, org, day+"T23:30:00Z", object, id, note)
	}
	entry("commission", energy, ada.ID, acme, "2026-03-01", "seat", `{"text":"Gave a seat to %s","args":["=Carol"]}`, uuid.New())
	entry("commission", energy, ada.ID, nil, "2026-03-10", "charter", `{"text":"Changed the charter","before":{"mode":"open","n":1},"after":{"mode":"closed","n":1,"reason":"It was time."}}`, uuid.New())
	entry("commission", energy, ben.ID, nil, "2026-03-11", "seat", `{"text":"Ended a seat"}`, uuid.New())
	entry("commission", energy, nil, nil, "2026-03-12", "seat", `{"text":"A term ran out"}`, uuid.New())
	entry("commission", other, ada.ID, nil, "2026-03-13", "seat", `{"text":"Elsewhere"}`, uuid.New())
	entry("organization", acme, ben.ID, nil, "2026-03-14", "participation", `{"text":"Acme joined Energy"}`, energy)

	all := []string{"Gave a seat to =Carol", "Changed the charter", "Ended a seat", "A term ran out", "Elsewhere", "Acme joined Energy"}
	for _, tt := range []struct {
		who        *apptest.Client
		path, want string // want: which of all, by place
	}{
		{sam, "/commissions/energy/history", "0 1 2 3 5"},
		{sam, "/commissions/energy/history?who=love", "0 1"},
		{sam, "/commissions/energy/history?who=LOVELACE&kind=seat", "0"},
		{sam, "/commissions/energy/history?who=%25", ""},
		{sam, "/commissions/energy/history?kind=seat&from=2026-03-02", "2 3"},
		{sam, "/commissions/energy/history?until=2026-03-10", "0 1"},
		{sam, "/commissions/energy/history?from=2026-03-11&until=2026-03-11", "2"},
		{sam, "/commissions/other/history", "4"},
		{sam, "/organizations/acme/history", "5"},
		{sam, "/organizations/acme/history?kind=seat", ""},
		{ada, "/profile/history", "0 1 4"},
		{ada, "/profile/history?who=ben", "0 1 4"}, // it is Ada's, whatever is asked
		{ada, "/profile/history?kind=charter", "1"},
		{ben, "/profile/history", "2 5"},
		{sam, "/profile/history", ""},
	} {
		query := ""
		path := tt.path
		if i := strings.Index(path, "?"); i >= 0 {
			path, query = path[:i], path[i:]
		}
		twin := strings.Replace(path, "/profile", "/persons/me", 1)
		for door, body := range map[string]string{"page": tt.who.Get(tt.path).Want(200).Body, "file": tt.who.Get(path + ".csv" + query).Want(200).Body, "API": tt.who.API("GET", twin+query, nil).Want(200).Body} {
			var got []string
			for i, text := range all {
				if strings.Contains(body, text) {
					got = append(got, string(rune('0'+i)))
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s, %s of %s: %v, want %s", tt.path, door, tt.who.Name, got, tt.want)
			}
		}
	}

	page := sam.Get("/commissions/energy/history").Want(200, "Ada Lovelace", "for Acme AG", "It was time.", "<del><bdi>open</bdi></del>", "<ins><bdi>closed</bdi></ins>", `href="/commissions/energy/history.csv"`)
	if strings.Contains(page.Body, "<dt>n</dt>") || strings.Contains(page.Body, "<dt>reason</dt>") {
		t.Error("what did not change is shown as changed")
	}
	ada.Get("/profile/history").Want(200, "Energy", "Other", `aria-current="page"`)
	ada.Get("/profile").Want(200, `href="/profile/history"`)
	file := sam.Get("/commissions/energy/history.csv?who=ada").Want(200)
	for _, want := range []string{`"{""mode"":""open"",""n"":1}"`, "req-1", "Acme AG", "Charter"} {
		if !strings.Contains(file.Body, want) {
			t.Errorf("the file lacks %s:\n%s", want, file.Body)
		}
	}

	first := apptest.JSON[struct{ Next string }](sam.API("GET", "/commissions/energy/history?limit=2&kind=seat", nil).Want(200, "A term ran out", "Ended a seat"))
	second := sam.API("GET", "/commissions/energy/history?limit=2&kind=seat&cursor="+first.Next, nil).Want(200, "Gave a seat")
	if strings.Contains(second.Body, "next") || strings.Contains(second.Body, "Ended") {
		t.Errorf("the second page: %s", second.Body)
	}
	for query, want := range map[string]string{"from=2026-02-30": "There is no such day", "kind=nothing": "Choose one of", "from=2026-03-02&until=2026-03-01": "not before the first"} {
		for _, path := range []string{"/commissions/energy/history", "/organizations/acme/history", "/profile/history"} {
			sam.Get(path+"?"+query).Want(422, want)
			sam.Get(path + ".csv?" + query).Want(422)
			sam.API("GET", strings.Replace(path, "/profile", "/persons/me", 1)+"?"+query, nil).Want(422)
		}
	}
	for _, suffix := range []string{"", ".csv", "?from=x"} {
		ben.Get("/commissions/energy/history" + suffix).Want(404)
		ben.Get("/organizations/acme/history" + suffix).Want(404)
	}
	p.Visitor().Get("/profile/history").Want(303)
	p.Visitor().API("GET", "/persons/me/history", nil).Want(401)
}
