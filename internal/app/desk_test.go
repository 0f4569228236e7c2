package app_test

import (
	"regexp"
	"testing"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/desk"
)

func TestDesk(t *testing.T) {
	t.Parallel()
	p := apptest.New(t)
	chair, applicant, guest, idle, sam := p.Person("Clara Chair"), p.Person("Adam Applicant"), p.Person("Greta Guest"), p.Person("Ida Idle"), p.Secretariat()
	p.Exec(`INSERT INTO commission (slug, acronym, name, kind, state) VALUES ('grid', 'GRID', 'Grid Storage', 'commission', 'active'), ('rail', 'RAIL', 'Rail Freight', 'commission', 'active')`)
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
		SELECT tstzrange(now() - interval '1 year', now() + interval '20 days'), id, $1, $2, 'chair', 'election' FROM commission WHERE slug = 'grid'`, chair.ID, chair.Name)
	p.Exec(`INSERT INTO application (commission_id, person_id, role) SELECT id, $1, 'observer' FROM commission`, applicant.ID)
	p.Exec(`INSERT INTO invitation (commission_id, email, role, hash, invited_by, expires_at)
		SELECT id, $1, 'observer', sha256('x'), $2, now() + interval '3 days' FROM commission WHERE slug = 'rail'`, guest.Email, chair.ID)
	p.Exec(`INSERT INTO organization (slug, name, plain_name, kind, state) VALUES ('nord', 'Nordwind', 'nordwind', 'company', 'pending'), ('sud', 'Sudwind', 'sudwind', 'company', 'member')`)
	p.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period)
		SELECT $1::uuid, id, 'confirmed', true, tstzrange(now() - interval '1 day', NULL) FROM organization WHERE slug = 'sud'
		UNION ALL SELECT $2::uuid, id, 'claimed', false, tstzrange(now() - interval '1 day', NULL) FROM organization WHERE slug = 'sud'`, guest.ID, applicant.ID)

	p.Exec(`INSERT INTO participation_request (organization_id, commission_id, level, requested_by)
		SELECT o.id, c.id, 'P', $1 FROM organization o, commission c WHERE o.slug = 'sud' AND c.slug = 'grid'`, guest.ID)

	p.Exec(`INSERT INTO register (commission_id, prefix, last_number) SELECT id, 'GRID', 3 FROM commission WHERE slug = 'grid'`)
	p.Exec(`INSERT INTO document (commission_id, number, title, type, author_id, status, status_since, review, review_reason, submitted_at, visibility, action, due_on, created_at, updated_at)
		SELECT c.id, d.number, d.title, 'report', $1::uuid, d.status, now(), d.review, coalesce(d.reason, ''), now(), d.visibility, d.action, d.due, now(), now() FROM commission c, (VALUES
		  (NULL::int, 'A study', 'draft', 'submitted', NULL, 'commission', 'none', NULL::date), (NULL, 'A sketch', 'draft', 'returned', 'Add figures', 'commission', 'none', NULL),
		  (1, 'A draft of terms', 'available', NULL, NULL, 'commission', 'comment', current_date + 3), (2, 'What is not for them', 'available', NULL, NULL, 'officers', 'comment', current_date + 3),
		  (3, 'What is far off', 'available', NULL, NULL, 'commission', 'comment', current_date + 30)) d (number, title, status, review, reason, visibility, action, due) WHERE c.slug = 'grid'`, applicant.ID)
	observer := p.Person("Olga Observer")
	p.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, appointed_by)
		SELECT tstzrange(now() - interval '1 year', NULL), id, $1, $2, 'observer', 'chair' FROM commission WHERE slug = 'grid'`, observer.ID, observer.Name)

	for _, tt := range []struct {
		who   *apptest.Client
		kinds []string
		page  []string
	}{
		{chair, []string{desk.Decide, desk.TermEnds, desk.TermsEnd, desk.Grant, desk.Submitted, desk.Asked, desk.Asked}, []string{"“A study” waits to be accepted", "“What is not for them” waits for your comments", "Sudwind asks to participate", "Adam Applicant applies for a seat", "Grid Storage", "1 term ends within 30 days"}},
		{applicant, []string{desk.Applied, desk.Applied, desk.Returned}, []string{"“A sketch” was returned to you", "Your application waits", "Rail Freight", "Waits to be confirmed"}},
		{observer, []string{desk.Asked}, []string{"“A draft of terms” waits for your comments"}},
		{guest, []string{desk.Invited, desk.Confirm}, []string{"Clara Chair invites you", "Adam Applicant says to act"}},
		{sam, []string{desk.Accept}, []string{"Nordwind asks to be a member"}},
		{idle, nil, []string{"Nothing waits for you", "You hold no seat yet", "You act for no organization"}},
	} {
		d := apptest.JSON[desk.Desk](tt.who.API("GET", "/desk", nil).Want(200))
		var kinds []string
		for _, i := range d.Waiting {
			kinds = append(kinds, i.Kind)
		}
		if len(kinds) != len(tt.kinds) {
			t.Errorf("%s: waiting %v, want %v", tt.who.Name, kinds, tt.kinds)
		} else {
			for i := range kinds {
				if kinds[i] != tt.kinds[i] {
					t.Errorf("%s: waiting %v, want %v", tt.who.Name, kinds, tt.kinds)
				}
			}
		}
		page := tt.who.Get("/desk").Want(200, tt.page...)
		for _, m := range regexp.MustCompile(`href="(/(?:commissions|organizations|invitations|documents)/[^"]+)"`).FindAllStringSubmatch(page.Body, -1) {
			r := tt.who.Get(m[1]) // no entry of a desk leads nowhere
			if r.Status == 301 {
				r = tt.who.Get(r.Location())
			}
			r.Want(200)
		}
	}
	chair.Get("/desk").Lacks("all 1 applications")
	for _, c := range []*apptest.Client{guest, idle, sam} {
		p.Exec(`INSERT INTO application (commission_id, person_id, role) SELECT id, $1, 'observer' FROM commission WHERE slug = 'grid'`, c.ID)
	}
	first := apptest.Value[string](p, `SELECT a.id FROM application a JOIN commission c ON c.id = a.commission_id WHERE c.slug = 'grid' AND a.person_id = $1`, applicant.ID)
	chair.Get("/desk").Want(200, "all 4 applications", `href="/commissions/grid/applications"`, `href="/commissions/grid/applications/`+first+`"`)
	r := p.Visitor().Get("/desk")
	if r.Status != 303 || r.Location() != "/sign-in?next=%2Fdesk" {
		t.Errorf("a visitor got %d %s", r.Status, r.Location())
	}
	p.Visitor().API("GET", "/desk", nil).Want(401)
	if n := p.Queries(func() { chair.Get("/desk").Want(200) }); n > 4 { // session, waiting, commissions, organizations
		t.Errorf("the desk ran %d queries, at most 4", n)
	}
}
