package app_test

import (
	"testing"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
)

// arrange makes an active commission with its chair, and three persons: who
// registers an organization, and who is sent first and second.
func arrange(t *testing.T, with ...func(*app.Config)) (p *apptest.Portal, sam, chair, rep, first, second *apptest.Client) {
	p = apptest.New(t, with...)
	sam, chair = p.Secretariat(), p.Person("Clara Chair")
	rep, first, second = p.Person("Renata Representative"), p.Person("Felix First"), p.Person("Sonia Second")
	p.Exec(`INSERT INTO commission (slug, acronym, name, kind, state, sector_id, purpose) SELECT 'grid-storage', 'GRID', 'Grid Storage', 'commission', 'active', id, 'Storage in public grids.' FROM sector WHERE slug = 'energy'`)
	for _, role := range []string{"chair", "secretary"} {
		p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
			SELECT tstzrange(now() - interval '1 year', NULL), id, $1, $2, $3, 'election' FROM commission`, chair.ID, chair.Name, role)
	}
	return p, sam, chair, rep, first, second
}

type keyed struct {
	State   string
	ID      string
	Slug    string
	Name    string
	Version int
}

type items struct{ Items []keyed }

func names(list items) map[string]bool {
	m := map[string]bool{}
	for _, i := range list.Items {
		m[i.Name] = true
	}
	return m
}

// TestJourneyAPI: register organization → accept → apply → approve → roster →
// the organization replaces its representative → as of yesterday shows the old one.
func TestJourneyAPI(t *testing.T) {
	t.Parallel()
	p, sam, chair, rep, first, second := arrange(t, asAccount(t))
	org := apptest.JSON[keyed](rep.API("POST", "/organizations", map[string]any{"name": "Nordwind AG", "kind": "company", "country": "DE", "website": "https://nordwind.example"}).Want(201))
	path := "/organizations/" + org.Slug
	sam.API("POST", path+"/accept", map[string]string{"category": "full"}).Want(200)
	chair.API("PUT", "/commissions/grid-storage/participations/"+org.Slug, map[string]string{"level": "P"})
	for _, c := range []*apptest.Client{first, second} {
		c.API("POST", path+"/affiliations", map[string]string{"title": "Engineer"}).Want(201)
	}
	for _, a := range apptest.JSON[items](rep.API("GET", path+"/affiliations?state=claimed", nil).Want(200)).Items {
		if a.State == "claimed" {
			rep.API("PATCH", path+"/affiliations/"+a.ID, map[string]string{"state": "confirmed"}).Want(200)
		}
	}
	application := apptest.JSON[struct{ Application keyed }](first.API("POST", "/commissions/grid-storage/applications",
		map[string]string{"role": "voting_representative", "organization": org.Slug, "statement": "Ten years of batteries."}).Want(201)).Application
	chair.API("POST", "/commissions/grid-storage/applications/"+application.ID+"/approve", map[string]string{}).Want(200)
	roster := "/commissions/grid-storage/seats"
	if !names(apptest.JSON[items](p.Visitor().API("GET", roster, nil).Want(200)))[first.Name] {
		t.Fatal("who was approved is not on the roster")
	}

	approved := p.Now()
	p.At(approved.Add(3 * 24 * time.Hour))
	var seat keyed
	for _, s := range apptest.JSON[items](rep.API("GET", path+"/seats", nil).Want(200)).Items {
		seat = s
	}
	rep.API("POST", path+"/seats/"+seat.ID+"/replace", map[string]string{"person": second.ID.String()}, "If-Match", `"v1"`).Want(200)
	p.At(approved.Add(4 * 24 * time.Hour))
	now := names(apptest.JSON[items](p.Visitor().API("GET", roster, nil).Want(200)))
	if now[first.Name] || !now[second.Name] {
		t.Errorf("now the roster has %v", now)
	}
	yesterday := names(apptest.JSON[items](p.Visitor().API("GET", roster+"?as_of="+p.Now().Add(-2*24*time.Hour).Format(time.RFC3339), nil).Want(200)))
	if !yesterday[first.Name] || yesterday[second.Name] {
		t.Errorf("then the roster had %v", yesterday)
	}
	for _, ext := range []string{".csv", ".xlsx"} {
		p.Visitor().Get("/commissions/grid-storage/roster" + ext).Want(200)
	}
	if silent := apptest.Value[string](p, `SELECT coalesce(string_agg(object || ' ' || action, ', '), '') FROM journal_entry e
		WHERE organization_id IS NULL AND (scope = 'organization' AND person_id = $1 OR object = 'seat' AND person_id IN ($1, $2) OR object = 'application' AND person_id = $2)`, rep.ID, first.ID); silent != "" {
		t.Errorf("the journal does not say for which organization: %s", silent)
	}
}
