package organizationweb_test

import (
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
	"commissionportal/internal/organization"
)

// world is a portal with an organization that is a member, its representative,
// and a commission with a chair.
type world struct {
	*apptest.Portal
	sam, rita, chair *apptest.Client
	nord, grid       uuid.UUID
}

func newWorld(t *testing.T) *world {
	p := apptest.New(t)
	w := &world{Portal: p, sam: p.Secretariat(), rita: p.Person("Rita Representative"), chair: p.Person("Carl Chair")}
	w.nord = w.member("nordwind", "Nordwind AG", "nordwind.de")
	w.affiliate(w.rita, w.nord, true)
	w.grid = w.commission("grid-storage", "GRID", "application")
	w.sit(w.grid, w.chair, "chair", nil)
	return w
}

func (w *world) member(slug, name, domain string) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO organization (id, slug, name, plain_name, kind, country, website, domain, state) VALUES ($1, $2, $3, $4, 'company', 'DE', $5, $6, 'member')`,
		id, slug, name, organization.Plain(name), "https://"+domain, domain)
	return id
}

func (w *world) affiliate(c *apptest.Client, organization uuid.UUID, representative bool) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO affiliation (id, person_id, organization_id, state, representative, period) VALUES ($1, $2, $3, 'confirmed', $4, tstzrange(now() - interval '1 year', NULL))`,
		id, c.ID, organization, representative)
	return id
}

func (w *world) commission(slug, acronym, mode string) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state, sector_id, join_mode) SELECT $1, $2, $3, $4, 'commission', 'active', id, $5 FROM sector WHERE slug = 'energy'`,
		id, slug, acronym, "Commission "+acronym, mode)
	return id
}

func (w *world) sit(commission uuid.UUID, c *apptest.Client, role string, organization *uuid.UUID) {
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, role, organization_id, appointed_by) VALUES (tstzrange(now() - interval '1 day', NULL), $1, $2, $3, $4, $5, 'chair')`,
		commission, c.ID, c.Name, role, organization)
}

func (w *world) participate(organization, commission uuid.UUID, level, since string) {
	w.Exec(`INSERT INTO participation (organization_id, commission_id, level, period) VALUES ($1, $2, $3, tstzrange(now() - $4::interval, NULL))`, organization, commission, level, since)
}

func (w *world) mails(kind string) int {
	return apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE kind = $1`, kind)
}
