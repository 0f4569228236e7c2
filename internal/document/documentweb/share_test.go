package documentweb_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// neighborhood is a world with others that documents can be shared with: a
// commission with its chair and a member, an organization with a primary
// representative and one who acts for it, a person on a roster that everybody sees.
type neighborhood struct {
	*world
	rail, globex                        uuid.UUID
	rita, ray, gina, gus, pia, stranger *apptest.Client
}

func newNeighborhood(t *testing.T, with ...func(*app.Config)) *neighborhood {
	t.Helper()
	n := &neighborhood{world: newWorld(t, with...), rail: uuid.Must(uuid.NewV7()), globex: uuid.Must(uuid.NewV7())}
	n.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state, roster_visibility) VALUES ($1, 'rail', 'RAIL', 'Rail', 'commission', 'active', 'public')`, n.rail)
	n.Exec(`INSERT INTO organization (id, slug, name, plain_name, kind, state, country) VALUES ($1, 'globex', 'Globex', 'globex', 'company', 'member', 'FR')`, n.globex)
	n.rita, n.ray, n.gina, n.gus, n.pia, n.stranger = n.Person("Rita Rail"), n.Person("Ray Rider"), n.Person("Gina Globex"), n.Person("Gus Globex"), n.Person("Pia Partner"), n.Person("Stan Stranger")
	for c, role := range map[*apptest.Client]string{n.rita: "chair", n.ray: "observer", n.pia: "emeritus"} {
		n.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) VALUES ($1, $2, $3, $4, $5, 'chair')`,
			map[bool]string{false: "[2020-01-01,)", true: "[2020-01-01,2021-01-01)"}[c == n.pia], n.rail, c.ID, c.Name, role)
	}
	for _, c := range []*apptest.Client{n.gina, n.gus} {
		n.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period) VALUES ($1, $2, 'confirmed', $3, '[2020-01-01,)')`, c.ID, n.globex, c == n.gina)
	}
	// Pia is on a roster of a commission of her own.
	own := uuid.Must(uuid.NewV7())
	n.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state, roster_visibility) VALUES ($1, 'ports', 'PORTS', 'Ports', 'commission', 'active', 'public')`, own)
	n.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) VALUES ('[2020-01-01,)', $1, $2, $3, 'observer', 'chair')`, own, n.pia.ID, n.pia.Name)
	return n
}

// filed is a document of Acme with a file, for its people and the officers.
func (n *neighborhood) filed(t *testing.T, number int, title string, more ...string) {
	t.Helper()
	id := n.document(number, title, "organization", more...)
	b, err := n.Files.Put(t.Context(), strings.NewReader("text"), 10)
	if err != nil {
		t.Fatal(err)
	}
	n.Exec(`INSERT INTO file (digest, size, type, created_at) VALUES ($1, 4, 'text/plain', now()) ON CONFLICT DO NOTHING`, b.Digest)
	n.Exec(`INSERT INTO document_version (document_id, number, language, digest, size, file_name, person_id, created_at) VALUES ($1, 1, 'en', $2, 4, 'text.txt', $3, now())`, id, b.Digest, n.member.ID)
	n.Exec(`UPDATE document SET versions = 1, languages = '{en}' WHERE id = $1`, id)
}

func (n *neighborhood) day(days int) string { return n.Now().AddDate(0, 0, days).Format(time.DateOnly) }

// TestShareDays: the last day of a share, of a link and of a register that takes
// contributions until one is a day of the convention's, whoever says it.
func TestShareDays(t *testing.T) {
	t.Parallel()
	n := newNeighborhood(t, func(c *app.Config) { c.TimeZone = "Europe/Paris" })
	n.filed(t, 1, "A study of grids")
	n.Exec(`UPDATE person SET time_zone = 'Pacific/Auckland' WHERE id IN ($1, $2)`, n.boss.ID, n.chair.ID)
	n.Exec(`UPDATE sharing SET links = true`)
	const path = "/documents/ENERGY-N0001"
	n.boss.Get(path+"/share?with=organization").Want(200, "A day as it is in Europe/Paris")
	n.boss.API("POST", path+"/shares", map[string]string{"with": "organization", "recipient": "globex", "level": "see", "until": "2099-12-31"}).Want(201, `"until":"2099-12-31T23:00:00Z"`)
	n.boss.Get(path+"/shares").Want(200, "31\u00a0Dec\u00a02099")
	n.gus.Get(path).Want(200, "until 31\u00a0Dec\u00a02099")
	if got := apptest.Value[string](n.Portal, `SELECT text FROM mail WHERE kind = 'document.shared'`); !strings.Contains(got, "until 31\u00a0Dec\u00a02099") {
		t.Errorf("the letter says %q", got)
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	last := n.Now().In(paris).AddDate(0, 0, 7)
	end := time.Date(last.Year(), last.Month(), last.Day()+1, 0, 0, 0, 0, paris).UTC().Format(time.RFC3339)
	n.boss.API("POST", path+"/links", map[string]string{"level": "see", "until": last.Format(time.DateOnly)}).Want(201, `"until":"`+end+`"`)
	at := n.chair.API("GET", "/commissions/energy/register", nil).Want(200).Header.Get("ETag")
	n.chair.API("PATCH", "/commissions/energy/register", map[string]any{"deadline": "2099-06-30"}, "If-Match", at).Want(200, `"deadline":"2099-06-30T22:00:00Z"`)
	n.chair.Get("/commissions/energy/documents/settings").Want(200, `value="2099-06-30"`, "A day as it is in Europe/Paris")
}

// TestSharing follows a document through each kind of share: from the grant, which
// its recipients find it by everywhere, to its end, after which it is again as if
// it did not exist.
func TestSharing(t *testing.T) {
	t.Parallel()
	n := newNeighborhood(t)
	for i, tt := range []struct {
		with, recipient, name string
		readers, others       []*apptest.Client
		page, api             string // the lists of what is shared with them
		told                  *apptest.Client
	}{
		{"commission", "rail", "Rail", []*apptest.Client{n.rita, n.ray}, []*apptest.Client{n.pia, n.gina, n.outsider}, "/commissions/rail/documents/shared", "/commissions/rail/shares", n.rita},
		{"organization", "globex", "Globex", []*apptest.Client{n.gina, n.gus}, []*apptest.Client{n.pia, n.rita, n.outsider}, "/organizations/globex/shares", "/organizations/globex/shares", n.gina},
		{"person", n.pia.ID.String(), "Pia Partner", []*apptest.Client{n.pia}, []*apptest.Client{n.rita, n.gina, n.outsider}, "/profile/shares", "/persons/me/shares", n.pia},
	} {
		t.Run(tt.with, func(t *testing.T) {
			title, name := "A study of "+tt.with, fmt.Sprintf("ENERGY-N%04d", i+1)
			n.filed(t, i+1, title)
			path := "/documents/" + name
			content := path + "/versions/1/content"
			// sees holds every way to the document to one answer for its recipients.
			sees := func(when string, want bool) {
				t.Helper()
				for _, c := range tt.readers {
					status := map[bool]int{true: 200, false: 404}[want]
					if page, api := c.Get(path), c.API("GET", path, nil); page.Status != status || api.Status != status {
						t.Fatalf("%s: page %d, API %d for %s, want %d", when, page.Status, api.Status, c.Name, status)
					}
					for where, body := range map[string]string{"register": c.Get("/commissions/energy/documents").Want(200).Body, "export": c.Get("/commissions/energy/documents.csv").Want(200).Body,
						"register in the API": c.API("GET", "/commissions/energy/documents", nil).Want(200).Body, "list": c.Get(tt.page).Want(200).Body, "list in the API": c.API("GET", tt.api, nil).Want(200).Body} {
						if strings.Contains(body, title) != want {
							t.Fatalf("%s: %s: for %s: %v, want %v", when, where, c.Name, !want, want)
						}
					}
				}
				for _, c := range tt.others {
					c.Get(path).Want(404)
					c.API("GET", path, nil).Want(404)
				}
			}
			sees("before", false)
			r := n.boss.API("POST", path+"/shares", map[string]string{"with": tt.with, "recipient": tt.recipient, "level": "see", "until": n.day(7), "reason": "For your comments"}).
				Want(201, `"state":"live"`, `"document":"`+name+`"`, `"recipient_name":"`+tt.name+`"`)
			first := apptest.JSON[struct{ ID string }](r).ID
			sees("shared", true)
			if to := apptest.Value[string](n.Portal, `SELECT string_agg(person_id::text, ' ') FROM mail WHERE kind = 'document.shared' AND subject LIKE $1`, name+"%"); to != tt.told.ID.String() {
				t.Errorf("told %s, want %s", to, tt.told.ID)
			}
			for _, c := range tt.readers {
				c.Get(path).Want(200, "Acme shares it with", "but not download").Lacks("Share ledger")
				c.Get(content).Want(403, "your roles here do not let you do that")
				c.API("GET", content, nil).Want(403, "your roles here do not let you do that")
				// Nobody passes it on, or learns who else has it.
				for _, r := range []apptest.Reply{c.Get(path + "/shares"), c.API("GET", path+"/shares", nil), c.Get(path + "/share"),
					c.Post(path+"/shares", "with", "organization", "recipient", "globex", "level", "see"),
					c.API("POST", path+"/shares", map[string]string{"with": "organization", "recipient": "globex", "level": "see"})} {
					r.Want(403)
				}
				c.Get("/shares/" + first + "/revoke").Want(404)
				c.API("DELETE", "/shares/"+first, nil).Want(404)
			}
			n.flush(t)
			n.member.Get(path+"/shares").Want(200, tt.name, "For your comments", "opened its page", "Live").Lacks("Not yet")
			n.member.Post(path+"/shares", "with", tt.with, "recipient", tt.recipient, "level", "download", "until", n.day(7)).Want(303)
			n.chair.Get(path+"/shares").Want(200, "Replaced", "Live").Lacks("Revoke…")
			n.sam.Get(path+"/shares").Want(200, "Revoke…")
			for _, c := range tt.readers {
				c.Get(path).Want(200, "read and download it")
				c.Get(content).Want(200, "text")
				c.API("GET", content, nil).Want(200, "text")
			}
			n.At(time.Now().AddDate(0, 0, 9))
			sees("expired", false)
			n.boss.Get(path+"/shares").Want(200, "Expired")
			n.At(time.Time{})
			sees("not yet expired", true)

			live := apptest.Value[string](n.Portal, `SELECT h.id FROM share h JOIN document d ON d.id = h.document_id WHERE d.title = $1 AND h.revoked_at IS NULL`, title)
			n.chair.Post("/shares/" + live + "/revoke").Want(403)
			n.stranger.Post("/shares/" + live + "/revoke").Want(404)
			if i%2 == 0 {
				n.boss.Get("/shares/"+live+"/revoke").Want(200, "Revoke the share with "+tt.name)
				n.boss.Post("/shares/" + live + "/revoke").Want(303)
			} else {
				n.sam.API("DELETE", "/shares/"+live, nil).Want(204)
			}
			sees("revoked", false)
			n.boss.Post("/shares/"+live+"/revoke").Want(409, "ended already")
			n.member.API("GET", path+"/shares", nil).Want(200, `"state":"revoked"`, `"state":"replaced"`)
			for _, c := range tt.readers { // byte for byte as what is not there
				for _, way := range []string{path, content, path + "/shares", path + "/share"} {
					gone, none := c.Get(way), c.Get(strings.Replace(way, name, "ENERGY-N9999", 1))
					if gone.Status != 404 || strings.ReplaceAll(gone.Body, name, "ENERGY-N9999") != none.Body {
						t.Errorf("%s answers %d, and otherwise than what is not there", way, gone.Status)
					}
				}
			}
			if got := apptest.Value[string](n.Portal, `SELECT string_agg(e.action, ' ' ORDER BY e.number) FROM journal_entry e JOIN document d ON d.id = e.object_id WHERE d.title = $1`, title); got != "grant grant revoke" {
				t.Errorf("the journal has %q", got)
			}
		})
	}
	// What an organization shares, for its primary representatives.
	n.filed(t, 7, "A study that stays shared")
	n.boss.API("POST", "/documents/ENERGY-N0007/shares", map[string]string{"with": "organization", "recipient": "globex", "level": "see"}).Want(201)
	if own := apptest.Value[bool](n.Portal, `SELECT e.organization_id IS NOT DISTINCT FROM d.organization_id FROM journal_entry e JOIN document d ON d.id = e.object_id WHERE d.number = 7 AND e.action = 'grant'`); !own {
		t.Error("the journal does not say for which organization it was shared")
	}
	n.boss.API("POST", "/documents/ENERGY-N0007/shares", map[string]string{"with": "commission", "recipient": "rail", "level": "see"}).Want(201)
	n.gus.Get("/documents/ENERGY-N0007").Want(200, "Globex").Lacks("Rail") // with whom else it is shared
	n.boss.Get("/organizations/acme/shares/given").Want(200, "A study that stays shared", "Globex", "Rail").Lacks("A study of commission")
	n.boss.Get("/organizations/acme").Want(200, "Shared with us", "Shared by us")
	n.member.Get("/organizations/acme").Want(200, "Shared with us").Lacks("Shared by us")
	n.outsider.Get("/organizations/acme").Want(200).Lacks("Shared with us")
	n.member.Get("/organizations/acme/shares/given").Want(404)
	n.member.API("GET", "/organizations/acme/shares?direction=out", nil).Want(404)
	n.outsider.Get("/organizations/acme/shares").Want(404)
	n.outsider.Get("/commissions/rail/documents/shared").Want(404)
	page := apptest.JSON[struct {
		Items []struct{ With string }
		Next  string
	}](n.boss.API("GET", "/organizations/acme/shares?direction=out&limit=1", nil).Want(200))
	if len(page.Items) != 1 || page.Items[0].With != "commission" || page.Next == "" {
		t.Errorf("the first page is %+v", page)
	}
	n.boss.API("GET", "/organizations/acme/shares?direction=out&limit=1&cursor="+page.Next, nil).Want(200, `"with":"organization"`).Lacks(`"next"`, `"with":"commission"`)
}

// TestGrant holds who may share what with whom, and what a grant must say.
func TestGrant(t *testing.T) {
	t.Parallel()
	n := newNeighborhood(t)
	n.filed(t, 1, "A study")
	n.filed(t, 2, "Minutes", `UPDATE document SET organization_id = NULL, author_id = NULL, visibility = 'commission' WHERE id = $1`) // the commission's own
	n.filed(t, 3, "Withdrawn", `UPDATE document SET status = 'withdrawn', before_withdrawal = 'available', status_reason = 'Wrong' WHERE id = $1`)
	waiting := n.document(4, "Waiting", "commission", `UPDATE document SET number = NULL, status = 'draft', review = 'submitted' WHERE id = $1`)
	n.Exec(`INSERT INTO commission (slug, acronym, name, kind, state) VALUES ('over', 'OVER', 'Over', 'commission', 'concluded')`)
	n.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state, country) VALUES ('gone', 'Gone', 'gone', 'company', 'suspended', 'DE')`)
	n.Exec(`INSERT INTO token (hash, person_id, name, read_only, created_at) VALUES (sha256('portal_reads'), $1, 'Reads', true, now())`, n.boss.ID)
	hidden := n.Person("Hanna Hidden")
	n.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, roster_visibility) VALUES ('closed', 'CLOSED', 'Closed', 'commission', 'active', 'officers')`)
	n.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) SELECT '[2020-01-01,)', id, $1, $2, 'observer', 'chair' FROM commission WHERE slug = 'closed'`, hidden.ID, hidden.Name)
	reads := *n.boss
	reads.Token = "portal_reads"
	visitor := n.Visitor()
	nobody := uuid.Must(uuid.NewV7()).String()
	for _, tt := range []struct {
		name            string
		as              *apptest.Client
		document        string
		with, recipient string
		level, until    string
		status          int
		want            string
	}{
		{"its author", n.member, "ENERGY-N0001", "commission", "rail", "see", "", 201, ""},
		{"its owner", n.boss, "ENERGY-N0001", "organization", "globex", "download", n.day(0), 201, ""},
		{"a colleague of one's own", n.boss, "ENERGY-N0001", "person", n.member.ID.String(), "see", "", 201, ""},
		{"an officer, of what is an organization's", n.chair, "ENERGY-N0001", "commission", "rail", "see", "", 403, ""},
		{"the secretariat", n.sam, "ENERGY-N0001", "commission", "rail", "see", "", 403, ""},
		{"a stranger", n.stranger, "ENERGY-N0001", "commission", "rail", "see", "", 404, ""},
		{"a visitor", visitor, "ENERGY-N0001", "commission", "rail", "see", "", 404, ""},
		{"a token that may only read", &reads, "ENERGY-N0001", "commission", "rail", "see", "", 403, "only read"},
		{"an officer, of what is the commission's", n.chair, "ENERGY-N0002", "commission", "rail", "see", "", 201, ""},
		{"a representative, of what is the commission's", n.boss, "ENERGY-N0002", "commission", "rail", "see", "", 404, ""},
		{"what is withdrawn", n.boss, "ENERGY-N0003", "commission", "rail", "see", "", 409, "withdrawn"},
		{"what has no number", n.boss, waiting.String(), "commission", "rail", "see", "", 409, "once it has a number"},
		{"its own commission", n.boss, "ENERGY-N0001", "commission", "energy", "see", "", 422, "in its register already"},
		{"its own organization", n.boss, "ENERGY-N0001", "organization", "acme", "see", "", 422, "its own already"},
		{"a commission that is over", n.boss, "ENERGY-N0001", "commission", "over", "see", "", 422, "no commission"},
		{"no commission", n.boss, "ENERGY-N0001", "commission", "nowhere", "see", "", 422, "no commission"},
		{"a suspended organization", n.boss, "ENERGY-N0001", "organization", "gone", "see", "", 422, "no member organization"},
		{"a person on no open roster", n.boss, "ENERGY-N0001", "person", n.stranger.ID.String(), "see", "", 422, "no such person among those you may see"},
		{"a person on a roster that is closed", n.boss, "ENERGY-N0001", "person", hidden.ID.String(), "see", "", 422, "no such person among those you may see"},
		{"no person", n.boss, "ENERGY-N0001", "person", nobody, "see", "", 422, "no such person among those you may see"},
		{"an address", n.boss, "ENERGY-N0001", "person", "stan@example.org", "see", "", 422, "no such person among those you may see"},
		{"oneself", n.boss, "ENERGY-N0001", "person", n.boss.ID.String(), "see", "", 422, "no such person among those you may see"},
		{"nobody", n.boss, "ENERGY-N0001", "commission", "", "see", "", 422, "Choose with whom"},
		{"no level", n.boss, "ENERGY-N0001", "commission", "rail", "edit", "", 422, "level"},
		{"yesterday", n.boss, "ENERGY-N0001", "commission", "rail", "see", n.day(-1), 422, "yet to come"},
		{"no day", n.boss, "ENERGY-N0001", "commission", "rail", "see", "soon", 422, "YYYY-MM-DD"},
		{"a link by the way of the others", n.boss, "ENERGY-N0001", "link", "", "see", n.day(3), 422, "with"},
	} {
		r := tt.as.API("POST", "/documents/"+tt.document+"/shares", map[string]string{"with": tt.with, "recipient": tt.recipient, "level": tt.level, "until": tt.until})
		if r.Status != tt.status || !strings.Contains(r.Body, tt.want) {
			t.Errorf("API, %s: status %d, want %d and %q: %s", tt.name, r.Status, tt.status, tt.want, r.Body)
		}
		if tt.as == &reads {
			continue // no page takes a token
		}
		want := tt.status
		if want == 201 {
			want = 303
		}
		r = tt.as.Post("/documents/"+tt.document+"/shares", "with", tt.with, "recipient", tt.recipient, "level", tt.level, "until", tt.until)
		if r.Status != want || want == 422 && tt.level == "see" && !strings.Contains(r.Body, tt.want) {
			t.Errorf("page, %s: status %d, want %d and %q", tt.name, r.Status, want, tt.want)
		}
	}
	// The same request is carried out once.
	body := map[string]string{"with": "commission", "recipient": "ports", "level": "see"}
	a := n.boss.API("POST", "/documents/ENERGY-N0001/shares", body, "Idempotency-Key", "once").Want(201)
	b := n.boss.API("POST", "/documents/ENERGY-N0001/shares", body, "Idempotency-Key", "once").Want(201)
	if a.Body != b.Body {
		t.Error("sent twice, it was shared twice")
	}
	// The form offers by name whom the sharer may see, and nobody by address.
	form := "/documents/ENERGY-N0001/share"
	n.boss.Get(form).Want(200, "Rail", "Ports").Lacks(`value="over"`, `value="energy"`, "with=link")
	n.boss.Get(form+"?with=organization&q=glob").Want(200, "Globex").Lacks(`value="acme"`, `value="gone"`)
	n.boss.Get(form+"?with=person").Want(200, "Whom do you look for?")
	n.boss.Get(form+"?with=person&q=pia").Want(200, "Pia Partner", "PORTS")
	n.boss.Get(form+"?with=person&q=max").Want(200, "Max Member")
	for _, q := range []string{"hanna", "stan", n.stranger.Name, "example.org"} {
		n.boss.Get(form+"?with=person&q="+strings.ReplaceAll(q, " ", "+")).Want(200, "Nobody of this name")
	}
	// It says when there are more than it shows, and keeps what is chosen.
	n.Exec(`INSERT INTO commission (slug, acronym, name, kind, state) SELECT 'body-' || i, 'B' || i, 'Body ' || i, 'commission', 'active' FROM generate_series(10, 34) i`)
	n.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state, country) SELECT 'works-' || i, 'Works ' || i, 'works ' || i, 'company', 'member', 'DE' FROM generate_series(10, 34) i`)
	for with, name := range map[string]string{"commission": "Body", "organization": "Works"} {
		slug := strings.ToLower(name)
		n.boss.Get(form+"?with="+with).Want(200, "These are the first 20", `value="`+slug+`-10"`).Lacks(`value="` + slug + `-34"`)
		n.boss.Get(form+"?with="+with+"&q="+slug+"+3").Want(200, `value="`+slug+`-34"`).Lacks("These are the first", `value="`+slug+`-10"`)
		n.boss.Get(form+"?with="+with+"&q="+slug+"+3&recipient="+slug+"-11").Want(200, `value="`+slug+`-34"`, `value="`+slug+`-11" checked`)
		n.boss.Get(form+"?with="+with+"&q=nothing&recipient=nothing").Want(200, "Nobody of this name", "What they may do")
	}
	n.boss.Get(form+"?with=person&q=max&recipient="+n.pia.ID.String()).Want(200, "Max Member", `value="`+n.pia.ID.String()+`" checked`)
	n.boss.Get(form+"?with=person&recipient="+n.pia.ID.String()).Want(200, "Pia Partner")
	n.boss.Get(form + "?with=person&recipient=" + n.stranger.ID.String()).Want(200).Lacks("Stan")
	n.boss.Get("/documents/ENERGY-N0003").Want(200).Lacks(`href="/documents/ENERGY-N0003/share"`)
}

// TestSharedAtOnce: who shares while the document is withdrawn is refused, and of
// many who share with one recipient at once one share is left.
func TestSharedAtOnce(t *testing.T) {
	t.Parallel()
	n := newNeighborhood(t)
	n.filed(t, 1, "A study")
	n.filed(t, 2, "Another study")
	tx, err := n.DB.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `UPDATE document SET status = 'withdrawn', before_withdrawal = 'available', status_reason = 'Wrong' WHERE number = 1`); err != nil {
		t.Fatal(err)
	}
	done := make(chan apptest.Reply)
	go func() {
		done <- n.boss.API("POST", "/documents/ENERGY-N0001/shares", map[string]string{"with": "commission", "recipient": "rail", "level": "see"})
	}()
	for deadline := time.Now().Add(time.Minute); apptest.Value[int](n.Portal, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("it did not wait for the one that withdraws")
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.Status != 409 || !strings.Contains(r.Body, "withdrawn") {
		t.Errorf("status %d: %s", r.Status, r.Body)
	}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			c := []*apptest.Client{n.boss, n.member}[i%2]
			if r := c.API("POST", "/documents/ENERGY-N0002/shares", map[string]string{"with": "commission", "recipient": "rail", "level": "see"}); r.Status != 201 {
				t.Errorf("status %d: %s", r.Status, r.Body)
			}
		})
	}
	wait.Wait()
	if got := apptest.Value[string](n.Portal, `SELECT count(*) || ' ' || count(*) FILTER (WHERE revoked_at IS NULL) || ' ' || count(replaced_by) FROM share`); got != "8 1 7" {
		t.Errorf("shares, live and replaced are %s", got)
	}
}

var linkIn = regexp.MustCompile(`http://[^"< ]+(/s/([A-Za-z0-9_-]+))`)

// TestLink: a link opens one document for whoever has it, as long as the portal
// allows links, and is kept nowhere.
func TestLink(t *testing.T) {
	t.Parallel()
	n := newNeighborhood(t)
	n.filed(t, 1, "A study", `UPDATE document SET summary = 'What was found.' WHERE id = $1`)
	visitor := n.Visitor()
	make := func(level string) apptest.Reply {
		return n.boss.Post("/documents/ENERGY-N0001/links", "level", level, "until", n.day(7), "_key", uuid.NewString())
	}
	make("see").Want(409, "does not allow")
	n.boss.API("POST", "/documents/ENERGY-N0001/links", map[string]string{"level": "see", "until": n.day(7)}).Want(409)
	n.boss.Get("/settings/sharing").Want(403)
	n.boss.API("PATCH", "/settings/sharing", map[string]bool{"links": true}, "If-Match", `"v1"`).Want(403)
	n.sam.Get("/settings/sharing").Want(200, "whoever has a link")
	n.sam.Post("/settings/sharing", "links", "true", "version", "1").Want(303)
	n.sam.Post("/settings/sharing", "version", "1").Want(412, "meanwhile")
	n.boss.Get("/documents/ENERGY-N0001/share").Want(200, "with=link")
	n.boss.Post("/documents/ENERGY-N0001/links", "level", "see", "until", "").Want(422)
	n.boss.Post("/documents/ENERGY-N0001/links", "level", "see", "until", n.day(400)).Want(422, "a year at most")
	n.rita.Post("/documents/ENERGY-N0001/links", "level", "see", "until", n.day(7)).Want(404)

	found := linkIn.FindStringSubmatch(make("see").Want(200, "not shown again").Body)
	if found == nil || len(found[2]) < 43 {
		t.Fatalf("no link of 256 bits in the page: %v", found)
	}
	see := found[1]
	r := n.boss.API("POST", "/documents/ENERGY-N0001/links", map[string]string{"level": "download", "until": n.day(7)}, "Idempotency-Key", "link").Want(201)
	n.boss.API("POST", "/documents/ENERGY-N0001/links", map[string]string{"level": "download", "until": n.day(7)}, "Idempotency-Key", "link").Want(409)
	load := linkIn.FindStringSubmatch(apptest.JSON[struct{ URL string }](r).URL)[1]
	n.boss.Get("/documents/ENERGY-N0001/shares").Want(200, "Link, opened 0 times").Lacks(see, load)
	for _, table := range []string{"share", "idempotency", "journal_entry", "mail"} {
		if apptest.Value[bool](n.Portal, `SELECT EXISTS (SELECT FROM `+table+` x WHERE x::text LIKE '%' || $1 || '%' OR x::text LIKE '%' || encode($1::bytea, 'hex') || '%')`, found[2]) {
			t.Errorf("the secret of a link is in %s", table)
		}
	}

	page := visitor.Get(see).Want(200, "A study", "ENERGY-N0001", "text.txt", "What was found.", "noindex").Lacks("/content", n.member.Name, n.boss.Name, "Rail", "/documents/ENERGY-N0001")
	for header, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"} {
		if got := page.Header.Get(header); got != want {
			t.Errorf("%s is %q", header, got)
		}
	}
	// While its file is read the page comes again by itself, which is no other opening.
	page.Want(200, "It is being read", `hx-get="`+see+`?again=1"`)
	visitor.Get(see+"?again=1").Want(200, "It is being read")
	visitor.Get(see + "/versions/1/content").Want(403)
	visitor.Send("HEAD", see, "").Want(200)
	visitor.Get(load).Want(200, load+"/versions/1/content")
	visitor.Get(load).Want(200)
	visitor.Send("HEAD", load+"/versions/1/content", "").Want(200)
	file := visitor.Get(load+"/versions/1/content").Want(200, "text")
	if file.Header.Get("Referrer-Policy") != "no-referrer" || file.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("the file answers with %v", file.Header)
	}
	visitor.Get(load + "/versions/2/content").Want(404)
	visitor.Get("/documents/ENERGY-N0001").Want(404) // the link gives no more than itself
	if got := apptest.Value[string](n.Portal, `SELECT string_agg(opened::text, ' ' ORDER BY id) FROM share`); got != "1 2" {
		t.Errorf("opened %s times, want 1 and 2", got)
	}
	if got := apptest.Value[string](n.Portal, `SELECT string_agg(a.kind, ' ' ORDER BY a.id) FROM document_access a WHERE share_id IS NOT NULL AND person_id IS NULL`); got != "view view view download" {
		t.Errorf("noted %s", got)
	}
	n.boss.Get("/documents/ENERGY-N0001/shares").Want(200, "Link, opened 2 times", "Somebody with the link", "downloaded version 1")
	n.At(time.Now().Add(time.Hour)) // later it is one
	visitor.Get(see + "?again=1").Want(200)
	if got := apptest.Value[string](n.Portal, `SELECT string_agg(opened::text, ' ' ORDER BY id) FROM share`); got != "2 2" {
		t.Errorf("an hour later opened %s times, want 2 and 2", got)
	}
	n.At(time.Time{})

	none := visitor.Get("/s/" + strings.Repeat("A", 43)).Want(404)
	same := func(when string) {
		t.Helper()
		for _, link := range []string{see, load} {
			got := visitor.Get(link).Want(404)
			if strings.ReplaceAll(got.Body, link[3:], "") != strings.ReplaceAll(none.Body, strings.Repeat("A", 43), "") {
				t.Errorf("%s: it answers otherwise than a link that never was", when)
			}
			visitor.Get(link + "/versions/1/content").Want(404)
		}
	}
	n.At(time.Now().AddDate(0, 0, 9))
	same("expired")
	n.At(time.Time{})
	n.sam.API("PATCH", "/settings/sharing", map[string]bool{"links": false}, "If-Match", `"v2"`).Want(200, `"links":false`)
	same("switched off")
	n.sam.API("PATCH", "/settings/sharing", map[string]bool{"links": true}, "If-Match", `"v3"`).Want(200)
	n.Exec(`UPDATE document SET status = 'withdrawn', before_withdrawal = 'available', status_reason = 'Wrong figures' WHERE number = 1`)
	visitor.Get(load).Want(200, "Wrong figures").Lacks("text.txt")
	visitor.Get(load+"/versions/1/content").Want(403, "Wrong figures")
	for _, id := range strings.Fields(apptest.Value[string](n.Portal, `SELECT string_agg(id::text, ' ') FROM share`)) {
		n.boss.Post("/shares/" + id + "/revoke").Want(303)
	}
	same("revoked")
}

// TestLinkPreview: whoever has a link looks into its document as its readers do,
// into no other, and as long as the link opens it.
func TestLinkPreview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Exec(`UPDATE sharing SET links = true`)
	name := strings.TrimPrefix(w.submitted("study.pdf", twelve()), "/documents/")
	table := w.submitted("table.csv", "name,amount\nGrid,7\n")
	other := w.submitted("other.txt", "What the link does not open.")
	w.chair.API("POST", other+"/versions", map[string]string{"upload": send(w.chair, "more.txt", "More of it.")}).Want(201)
	w.read(t)
	link := func(name, level string) string {
		r := w.chair.API("POST", "/documents/"+name+"/links", map[string]string{"level": level, "until": w.Now().AddDate(0, 0, 7).Format(time.DateOnly)}).Want(201)
		return linkIn.FindStringSubmatch(apptest.JSON[struct{ URL string }](r).URL)[1]
	}
	see, load, rows := link(name, "see"), link(name, "download"), link(strings.TrimPrefix(table, "/documents/"), "see")
	at, visitor := see+"/versions/1", w.Visitor()

	visitor.Get(see).Want(200, "PDF document", "12 pages", at+"/preview", at+"/thumbnail", "Look inside").Lacks("/content", "/documents/"+name)
	page := visitor.Get(at+"/preview?language=en").Want(200, at+"/preview/pages/1", "This is page 1", "Next page", "of 12", "noindex").Lacks("/content", "/documents/", "/commissions/energy", w.chair.Name)
	visitor.Get(at+"/preview?page=2&zoom=150").Want(200, at+"/preview/pages/2", "This is page 2", "leaf-150", at+"/preview?language=en&amp;page=3&amp;zoom=150")
	visitor.Get(load+"/versions/1/preview").Want(200, load+"/versions/1/content").Lacks("/documents/")
	visitor.Get(rows+"/versions/1/preview").Want(200, ">Grid</td>")
	visitor.Send("HEAD", at+"/preview", "").Want(200)
	visitor.Get(at+"/preview", "Sec-Purpose", "prefetch").Want(200)
	for _, path := range []string{at + "/preview/pages/1", at + "/preview/pages/10", at + "/thumbnail"} {
		r := visitor.Get(path).Want(200)
		if !strings.HasPrefix(r.Body, "\x89PNG") || r.Header.Get("Content-Security-Policy") != "sandbox; default-src 'none'; frame-ancestors 'none'" {
			t.Errorf("%s: %.10q, %v", path, r.Body, r.Header)
		}
		for _, answer := range []apptest.Reply{r, page} {
			if answer.Header.Get("Referrer-Policy") != "no-referrer" || answer.Header.Get("Cache-Control") != "private, no-store" || answer.Header.Get("X-Robots-Tag") == "" {
				t.Errorf("%s: it is kept or passed on: %v", path, answer.Header)
			}
		}
	}
	visitor.Get(at+"/preview?page=12").Want(200, "This page is being drawn")
	for _, path := range []string{see + "/versions/2/preview", see + "/versions/2/thumbnail", see + "/versions/2/preview/pages/1", at + "/preview?page=13", at + "/preview?language=fr", at + "/preview?page=0", at + "/preview/pages/11x"} {
		visitor.Get(path).Want(404)
	}

	// Each page that was looked at is counted, under the link it was looked at by.
	if err := w.Documents.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	noted := func() string {
		return apptest.Value[string](w.Portal, `SELECT string_agg(n || ' by ' || level, ', ' ORDER BY number, level) FROM (
			SELECT d.number, h.level, count(*) AS n FROM document_access a JOIN share h ON h.id = a.share_id JOIN document d ON d.id = a.document_id AND d.id = h.document_id
			WHERE a.kind = 'preview' AND a.number = 1 AND a.language = 'en' AND a.person_id IS NULL GROUP BY 1, 2) x`)
	}
	if got := noted(); got != "1 by download, 2 by see, 1 by see" {
		t.Errorf("noted %s", got)
	}
	w.chair.Get("/documents/"+name+"/trace?kind=preview").Want(200, "Version 1 was previewed, in English", "By a link")
	w.member.API("GET", "/documents/"+name+"/trace?kind=preview", nil).Want(200, `"items":[]`)

	all := []string{at + "/preview", at + "/preview/pages/1", at + "/thumbnail"}
	none := strings.Repeat("A", 43)
	missing := strings.ReplaceAll(visitor.Get("/s/"+none+"/versions/1/preview").Want(404).Body, none, "")
	same := func(when string) {
		t.Helper()
		for _, path := range all {
			got := visitor.Get(path).Want(404)
			if path == all[0] && strings.ReplaceAll(got.Body, see[3:], "") != missing {
				t.Errorf("%s: it answers otherwise than a link that never was", when)
			}
		}
	}
	w.At(w.Now().AddDate(0, 0, 9))
	same("expired")
	w.At(time.Time{})
	w.Exec(`UPDATE sharing SET links = false`)
	same("switched off")
	w.Exec(`UPDATE sharing SET links = true`)
	w.Exec(`UPDATE file SET scan = 'infected'`)
	for _, path := range all {
		visitor.Get(path).Want(403, "A virus was found")
	}
	visitor.Get(see).Want(200).Lacks("/thumbnail", "/preview")
	w.Exec(`UPDATE file SET scan = 'clean'`)
	w.chair.Post("/documents/"+name+"/withdraw", "reason", "Wrong figures").Want(303)
	for _, path := range all {
		visitor.Get(path).Want(403, "Wrong figures")
	}
	visitor.Get(see).Want(200).Lacks("/thumbnail", "/preview")
	w.Exec(`UPDATE share SET revoked_at = now(), revoked_by = created_by`)
	same("revoked")
}

// TestLedger: the ledger says who read what under which grant, to those who may know.
func TestLedger(t *testing.T) {
	t.Parallel()
	n := newNeighborhood(t)
	n.filed(t, 1, "A study")
	n.boss.Get("/documents/ENERGY-N0001/shares").Want(200, "It is shared with nobody", "/documents/ENERGY-N0001/share")
	n.chair.Get("/documents/ENERGY-N0001/shares").Want(200, "It is shared with nobody", "can share it").Lacks("/documents/ENERGY-N0001/share\"")
	n.boss.API("POST", "/documents/ENERGY-N0001/shares", map[string]string{"with": "organization", "recipient": "globex", "level": "download"}).Want(201)
	n.Exec(`INSERT INTO document_access (document_id, kind, number, language, person_id, organization_id, share_id, at)
		SELECT document_id, CASE WHEN i < 7 THEN 'view' ELSE 'download' END, CASE WHEN i = 7 THEN 3 END, 'en', $1, $2, id, now() - interval '1 minute' * (10 - i) FROM share, generate_series(1, 7) i`, n.gus.ID, n.globex)
	for _, c := range []*apptest.Client{n.boss, n.member, n.chair, n.sam} {
		c.Get("/documents/ENERGY-N0001/shares").Want(200, "Gus Globex for Globex", "downloaded version 3", "opened its page", "3 minutes ago", "7 minutes ago").Lacks("8 minutes ago")
		c.API("GET", "/documents/ENERGY-N0001/shares", nil).Want(200, `"person":"Gus Globex"`, `"kind":"download"`, `"version":3`)
	}
	for _, c := range []*apptest.Client{n.gus, n.stranger} {
		c.Get("/documents/ENERGY-N0001/shares").Want(map[*apptest.Client]int{n.gus: 403, n.stranger: 404}[c])
	}
	for _, path := range []string{"/organizations/globex/shares", "/organizations/globex/shares?direction=in"} {
		n.gus.API("GET", path, nil).Want(200, "A study").Lacks("accesses", "opened", "Gus")
	}
}

// TestSharesOfMerged: what an organization owns, shares and is given goes with it
// into the one that it becomes part of.
func TestSharesOfMerged(t *testing.T) {
	t.Parallel()
	n := newNeighborhood(t)
	n.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state, country) VALUES ('initech', 'Initech', 'initech', 'company', 'member', 'US')`)
	for i, title := range []string{"With both", "With one"} {
		n.filed(t, i+1, title)
		n.boss.API("POST", fmt.Sprintf("/documents/ENERGY-N%04d/shares", i+1), map[string]string{"with": "organization", "recipient": "globex", "level": "download"}).Want(201)
	}
	n.boss.API("POST", "/documents/ENERGY-N0001/shares", map[string]string{"with": "organization", "recipient": "initech", "level": "see"}).Want(201)
	n.sam.Get("/organizations/acme/merge?into=initech").Want(200, "2 documents", "3 shares that it gives")
	n.sam.Post("/organizations/globex/merge", "into", "initech").Want(303)
	n.gus.Get("/organizations/initech/shares").Want(200, "With both", "With one")
	n.gus.Get("/documents/ENERGY-N0001").Want(200, "Acme shares it with Initech", "read and download it")
	n.boss.API("GET", "/documents/ENERGY-N0001/shares", nil).Want(200, `"state":"live"`, `"state":"replaced"`)
	n.sam.Post("/organizations/acme/merge", "into", "initech").Want(303)
	n.boss.Get("/organizations/initech/shares/given").Want(200, "With both", "With one")
	n.boss.API("POST", "/documents/ENERGY-N0002/shares", map[string]string{"with": "commission", "recipient": "rail", "level": "see"}).Want(201, `"owner":"initech"`)
}
