package commissionweb_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
)

// world is a portal with a convener and a proposed commission, grid-storage.
type world struct {
	*apptest.Portal
	t     *testing.T
	staff *apptest.Client
	ada   *apptest.Client // convenes grid-storage
	id    uuid.UUID
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := &world{Portal: apptest.New(t), t: t}
	w.staff, w.ada = w.Secretariat(), w.Person("Ada Lovelace")
	w.ada.API("POST", "/commissions", draft).Want(201)
	w.id = apptest.Value[uuid.UUID](w.Portal, `SELECT id FROM commission WHERE slug = 'grid-storage'`)
	return w
}

// organization makes a member of that country that the person acts for.
func (w *world) organization(name, slug, country string, who *apptest.Client) uuid.UUID {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO organization (id, slug, name, plain_name, kind, country, state) VALUES ($1, $2, $3, lower($3), 'company', $4, 'member')`, id, slug, name, country)
	w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, period) VALUES ($1, $2, 'confirmed', tstzrange(now() - interval '1 day', NULL))`, who.ID, id)
	return id
}

// sit gives a person a live seat.
func (w *world) sit(who *apptest.Client, role string) uuid.UUID {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO seat (id, period, commission_id, person_id, sort_name, role, appointed_by) VALUES ($1, tstzrange(now() - interval '1 day', NULL), $2, $3, $4, $5, 'secretariat')`,
		id, w.id, who.ID, who.Name, role)
	return id
}

// state puts the commission into a state as it stands.
func (w *world) state(state string) {
	w.t.Helper()
	w.Exec(`UPDATE commission SET state = $2 WHERE id = $1`, w.id, state)
}

// found gives the commission the support that the thresholds ask for.
func (w *world) found() {
	w.t.Helper()
	w.ada.API("DELETE", "/commissions/grid-storage/supporters/me", nil).Want(204)
	for i, country := range []string{"DE", "FR", "FR", "JP", "BR"} {
		who := w.Person(fmt.Sprintf("Supporter %c", 'A'+i))
		slug := ""
		if i < 3 {
			slug = "org-" + strconv.Itoa(i)
			w.organization("Organization "+strconv.Itoa(i), slug, country, who)
		}
		who.API("POST", "/commissions/grid-storage/supporters", map[string]any{"organization": slug}).Want(201)
	}
}

// mails counts the letters of a kind, to one person or (nil) to anybody.
func (w *world) mails(kind string, to *apptest.Client) int {
	w.t.Helper()
	if to == nil {
		return apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE kind = $1`, kind)
	}
	return apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE kind = $1 AND person_id = $2`, kind, to.ID)
}

func (w *world) wantMails(kind string, to *apptest.Client, want int) {
	w.t.Helper()
	if n := w.mails(kind, to); n != want {
		w.t.Errorf("%d letters %s, want %d", n, kind, want)
	}
}

func (w *world) wantState(want string) {
	w.t.Helper()
	if s := apptest.Value[string](w.Portal, `SELECT state FROM commission WHERE id = $1`, w.id); s != want {
		w.t.Errorf("it is %s, want %s", s, want)
	}
}

// hidden is the value of a hidden field of a page.
func hidden(r apptest.Reply, name string) string {
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(r.Body)
	if m == nil {
		return ""
	}
	return m[1]
}
