package documentweb_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// world is a commission with its people: a chair, a member who acts for an
// organization that takes part, that organization's representative, an outsider.
type world struct {
	*apptest.Portal
	energy, acme                       uuid.UUID
	chair, member, boss, outsider, sam *apptest.Client
}

func newWorld(t testing.TB, with ...func(*app.Config)) *world {
	t.Helper()
	w := &world{Portal: apptest.New(t, with...), energy: uuid.Must(uuid.NewV7()), acme: uuid.Must(uuid.NewV7())}
	w.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state) VALUES ($1, 'energy', 'ENERGY', 'Energy', 'commission', 'active')`, w.energy)
	w.Exec(`INSERT INTO organization (id, slug, name, plain_name, kind, state, country) VALUES ($1, 'acme', 'Acme', 'acme', 'company', 'member', 'DE')`, w.acme)
	w.Exec(`INSERT INTO participation (organization_id, commission_id, level, period) VALUES ($1, $2, 'P', '[2020-01-01,)')`, w.acme, w.energy)
	w.chair, w.member, w.boss, w.outsider, w.sam = w.Person("Carla Chair"), w.Person("Max Member"), w.Person("Bea Boss"), w.Person("Otto Outsider"), w.Secretariat()
	w.seat(w.chair, nil, "chair")
	w.seat(w.member, &w.acme, "voting_representative")
	for _, c := range []*apptest.Client{w.member, w.boss} {
		w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period) VALUES ($1, $2, 'confirmed', $3, '[2020-01-01,)')`, c.ID, w.acme, c == w.boss)
	}
	return w
}

func (w *world) seat(c *apptest.Client, organization *uuid.UUID, role string) {
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, organization_id, role, appointed_by) VALUES ('[2020-01-01,)', $1, $2, $3, $4, $5, 'chair')`,
		w.energy, c.ID, c.Name, organization, role)
}

// document puts one into the register as it stands, and returns its id.
func (w *world) document(number int, title, visibility string, more ...string) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO register (commission_id, prefix) VALUES ($1, 'ENERGY') ON CONFLICT DO NOTHING`, w.energy)
	w.Exec(`INSERT INTO document (id, commission_id, number, title, type, organization_id, author_id, status, status_since, visibility, created_at, updated_at)
		VALUES ($1, $2, $3, $4, 'report', $5, $6, 'available', now(), $7, now(), now())`, id, w.energy, number, title, w.acme, w.member.ID, visibility)
	w.Exec(`UPDATE register SET last_number = greatest(last_number, $2) WHERE commission_id = $1`, w.energy, number)
	for _, sql := range more {
		w.Exec(sql, id)
	}
	return id
}

// TestVisibility holds every way to a document to the same answer: who may read
// it finds it on its page, in the register, in the export and through the API,
// and for everybody else it is as if it did not exist.
func TestVisibility(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	guest := w.Person("Gil Guest")
	partner := w.Person("Pia Partner")
	other := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state) VALUES ($1, 'rail', 'RAIL', 'Rail', 'commission', 'active')`, other)
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by) VALUES ('[2020-01-01,)', $1, $2, $3, 'observer', 'chair')`, other, partner.ID, partner.Name)
	readers := map[string]*apptest.Client{"visitor": w.Visitor(), "outsider": w.outsider, "member": w.member, "chair": w.chair, "boss": w.boss, "sam": w.sam, "guest": guest, "partner": partner, "plain": w.Person("Pam Plain")}
	w.seat(readers["plain"], nil, "observer")
	finds := map[string][]string{} // titles that a reader finds

	share := func(column string, to uuid.UUID, more string) string {
		return `INSERT INTO share (document_id, ` + column + `, level, created_by, created_at` + strings.Split(more, "=")[0] + `) SELECT $1, '` + to.String() + `', 'see', author_id, now() - interval '2 days'` +
			strings.Join(strings.Split(more, "=")[1:], "") + ` FROM document WHERE id = $1`
	}
	for i, tt := range []struct {
		visibility string
		more       []string
		sees       string
	}{
		{"public", nil, "visitor outsider member chair boss sam guest partner plain"},
		{"portal", nil, "outsider member chair boss sam guest partner plain"},
		{"commission", nil, "member chair boss sam plain"},
		{"officers", nil, "member chair boss sam"},     // its author and the people of its source too
		{"organization", nil, "member chair boss sam"}, //
		{"named", nil, "member chair boss sam"},
		{"named", []string{share("to_person", guest.ID, "")}, "member chair boss sam guest"},
		{"organization", []string{share("to_commission", other, "")}, "member chair boss sam partner"},
		{"commission", []string{share("to_person", guest.ID, ", revoked_at, revoked_by=, now(), author_id")}, "member chair boss sam plain"},
		{"commission", []string{share("to_commission", other, ", expires_at=, now() - interval '1 hour'")}, "member chair boss sam plain"},
		{"public", []string{`UPDATE document SET number = NULL, status = 'draft', review = 'submitted' WHERE id = $1`}, "member chair boss sam"},
		{"public", []string{`UPDATE document SET number = NULL, status = 'draft' WHERE id = $1`}, "member boss"},
		{"public", []string{`UPDATE document SET author_id = '` + guest.ID.String() + `', visibility = 'named' WHERE id = $1`}, "chair boss sam"}, // no longer of the source
	} {
		title := fmt.Sprintf("Title %02d of a report", i)
		id := w.document(i+1, title, tt.visibility, tt.more...)
		drafted := strings.Contains(strings.Join(tt.more, ""), "number = NULL")
		for who, c := range readers {
			sees := strings.Contains(" "+tt.sees+" ", " "+who+" ")
			if sees {
				finds[who] = append(finds[who], title)
			}
			page := c.Get("/documents/" + id.String())
			if page.Status == 301 {
				page = c.Get(page.Location())
			}
			api := c.API("GET", "/documents/"+id.String(), nil)
			want := 404
			if sees {
				want = 200
			}
			if page.Status != want || api.Status != want {
				t.Errorf("%d %s (%s): page %d, API %d, want %d", i, who, tt.visibility, page.Status, api.Status, want)
			}
			listed := strings.Contains(c.Get("/commissions/energy/documents").Want(200).Body, title)
			inAPI := strings.Contains(c.API("GET", "/commissions/energy/documents", nil).Want(200).Body, title)
			inCSV := strings.Contains(c.Get("/commissions/energy/documents.csv").Want(200).Body, title)
			if listed != sees || !drafted && (inAPI != sees || inCSV != sees) {
				t.Errorf("%d %s (%s): listed %v, in the API %v, in the export %v, want %v", i, who, tt.visibility, listed, inAPI, inCSV, sees)
			}
		}
	}
	// A search finds and counts what each may see, whatever it is asked by.
	for i := range len(apptest.Value[string](w.Portal, `SELECT repeat('x', count(*)::int) FROM document`)) {
		w.text(apptest.Value[uuid.UUID](w.Portal, `SELECT id FROM document ORDER BY id OFFSET $1 LIMIT 1`, i), 1, "en", "Inside is a zebra.")
	}
	w.indexed(t)
	for who, c := range readers {
		for _, query := range []string{"report", `"of a report"`, "zebra ", "zeb", "reprot ", "inside -absent "} {
			r := found(c, query, "&limit=200")
			got := titles(r)
			slices.Sort(got)
			slices.Sort(finds[who])
			if !slices.Equal(got, finds[who]) || r.Total != len(got) {
				t.Errorf("%s asks for %s: found %v, counted %d, want %v", who, query, got, r.Total, finds[who])
			}
			for _, f := range r.Facets {
				n := 0
				for _, v := range f.Values {
					n += v.N
				}
				if want := len(got); n != want && f.Name != "organization" {
					t.Errorf("%s asks for %s: %s counts %d, want %d", who, query, f.Name, n, want)
				}
			}
			page := c.Get("/search?kind=document&q=" + url.QueryEscape(query)).Want(200).Body
			for i := range 13 {
				title := fmt.Sprintf("Title %02d of a report", i)
				if shown := strings.Contains(strings.NewReplacer("<mark>", "", "</mark>", "").Replace(page), title); shown != slices.Contains(finds[who], title) {
					t.Errorf("%s asks for %s: the page shows %s: %v", who, query, title, shown)
				}
			}
		}
	}
	// What may not be seen answers exactly as what does not exist.
	hidden, none := w.outsider.Get("/documents/ENERGY-N0003"), w.outsider.Get("/documents/ENERGY-N9999")
	if strings.ReplaceAll(hidden.Body, "N0003", "N9999") != none.Body && len(hidden.Body) != len(none.Body) {
		t.Error("a hidden document answers otherwise than one that is not there")
	}
}

// TestNumbers: fifty officers and members at once leave neither gap nor double.
func TestNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			r := w.chair.API("POST", "/commissions/energy/documents", map[string]any{"title": fmt.Sprintf("Report %d", i), "type": "report"})
			if r.Status != 201 {
				t.Errorf("%d: %s", r.Status, r.Body)
			}
		}()
	}
	wait.Wait()
	if got := apptest.Value[string](w.Portal, `SELECT count(*) || ' ' || count(DISTINCT number) || ' ' || min(number) || ' ' || max(number) FROM document`); got != "50 50 1 50" {
		t.Errorf("count, distinct, least and most are %s", got)
	}
	if n := apptest.Value[int](w.Portal, `SELECT last_number FROM register`); n != 50 {
		t.Errorf("the register stands at %d", n)
	}
}

// TestFirstNumbers opens registers by several first documents at once.
func TestFirstNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const commissions, each = 20, 6
	w.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state) SELECT gen_random_uuid(), 'c' || i, 'C' || i, 'Commission ' || i, 'commission', 'active' FROM generate_series(1, $1) i`, commissions)
	for i := range commissions {
		var wait sync.WaitGroup
		for n := range each {
			wait.Go(func() {
				r := w.sam.API("POST", fmt.Sprintf("/commissions/c%d/documents", i+1), map[string]any{"title": fmt.Sprintf("Report %d", n), "type": "report"})
				if r.Status != 201 {
					t.Errorf("%d: %s", r.Status, r.Body)
				}
			})
		}
		wait.Wait()
	}
	if got := apptest.Value[string](w.Portal, `SELECT count(*) || ' ' || min(last_number) || ' ' || max(last_number) FROM register`); got != "20 6 6" {
		t.Errorf("registers, least and most numbers are %s", got)
	}
}

// TestSteps walks a document through what officers do with it, by page and API.
func TestSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.document(1, "First report", "commission")
	w.document(2, "Second report", "commission")
	page := "/documents/ENERGY-N0001"
	w.member.Post(page+"/supersede", "replaced_by", "ENERGY-N0002").Want(403)
	w.outsider.Post(page+"/withdraw", "reason", "Mine").Want(404)
	w.chair.API("POST", "/commissions/energy/documents", map[string]string{"title": "For whom?", "type": "report", "visibility": "organization"}).Want(422, `"visibility":"There is no source organization`)
	w.chair.Post(page+"/withdraw", "reason", " ").Want(422, "Fill this in.")
	w.chair.Post(page+"/withdraw", "reason", "Wrong figures").Want(303)
	w.member.Get(page).Want(200, "Wrong figures", "Withdrawn")
	w.chair.Post(page+"/withdraw", "reason", "Again").Want(409, "withdrawn already")
	w.chair.API("POST", page+"/restore", nil).Want(200, `"status":"available"`)
	w.chair.API("POST", page+"/restore", nil).Want(409)
	if got := apptest.Value[string](w.Portal, `SELECT string_agg(kind, ' ' ORDER BY id) FROM mail`); got != "document.withdrawn" {
		t.Errorf("the letters to its author are %s: nothing was accepted", got)
	}
	for by, want := range map[string]string{"ENERGY-N0001": "its own place", "ENERGY-N0099": "no document", "nonsense": "no document"} {
		w.chair.Post(page+"/supersede", "replaced_by", by).Want(422, want)
	}
	w.chair.Post(page+"/supersede", "replaced_by", "energy-n2").Want(303)
	w.member.Get(page).Want(200, "Another document took its place", "ENERGY-N0002")
	w.chair.API("POST", "/documents/ENERGY-N0002/supersede", map[string]string{"replaced_by": "ENERGY-N0001"}).Want(422, "itself replaced")
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object = 'document'`); n != 3 {
		t.Errorf("%d entries in the journal, want one for each of the three steps", n)
	}
}
