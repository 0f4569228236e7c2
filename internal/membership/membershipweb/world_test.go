package membershipweb_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
)

// world is a portal with an active commission, an organization and its people.
type world struct {
	*apptest.Portal
	t                            *testing.T
	energy, acme                 uuid.UUID
	chair, rep, ada, ben, nobody *apptest.Client
	chairSeat                    uuid.UUID
}

func newWorld(t *testing.T, with ...func(*app.Config)) *world {
	t.Helper()
	t.Parallel()
	w := &world{Portal: apptest.New(t, with...), t: t, energy: uuid.Must(uuid.NewV7()), acme: uuid.Must(uuid.NewV7()), chairSeat: uuid.Must(uuid.NewV7())}
	w.chair, w.rep, w.ada, w.ben, w.nobody = w.Person("Grace Hopper"), w.Person("Rosa Represents"), w.Person("Ada Lovelace"), w.Person("Ben Stone"), w.Person("Nora Nobody")
	w.Exec(`INSERT INTO commission (id, slug, acronym, name, kind, state, purpose, sector_id) VALUES ($1, 'energy', 'ENERGY', 'Energy', 'commission', 'active', 'Power.', (SELECT id FROM sector WHERE slug = 'energy'))`, w.energy)
	w.Exec(`INSERT INTO organization (id, slug, name, plain_name, kind, country, state) VALUES ($1, 'acme', 'Acme', 'acme', 'company', 'DE', 'member')`, w.acme)
	w.affiliate(w.rep, true)
	w.affiliate(w.ada, false)
	w.affiliate(w.ben, false)
	w.sit(w.chairSeat, w.chair, "chair", nil)
	return w
}

func (w *world) affiliate(c *apptest.Client, representative bool) {
	w.Exec(`INSERT INTO affiliation (person_id, organization_id, state, representative, period) VALUES ($1, $2, 'confirmed', $3, tstzrange(now() - interval '2 years', NULL))`, c.ID, w.acme, representative)
}

func (w *world) takesPart(level string) {
	w.Exec(`INSERT INTO participation (organization_id, commission_id, level, period) VALUES ($1, $2, $3, tstzrange(now() - interval '2 years', NULL))`, w.acme, w.energy, level)
}

// sit gives a seat that began a year ago.
func (w *world) sit(id uuid.UUID, c *apptest.Client, role string, organization *uuid.UUID) {
	w.Exec(`INSERT INTO seat (id, period, commission_id, person_id, sort_name, organization_id, role, voting, appointed_by)
		VALUES ($1, tstzrange(now() - interval '1 year', NULL), $2, $3, $4, $5, $6, $7, 'chair')`, id, w.energy, c.ID, c.Name, organization, role, role == "voting_representative")
}

func (w *world) mails(kind string, to *apptest.Client) int {
	return apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE kind = $1 AND to_address = $2`, kind, to.Email)
}

func (w *world) wantMail(kind string, to *apptest.Client, n int) {
	w.t.Helper()
	if got := w.mails(kind, to); got != n {
		w.t.Errorf("%d letters %s to %s, want %d", got, kind, to.Name, n)
	}
}

// apply files an application and returns its key.
func (w *world) apply(c *apptest.Client, role, organization string) string {
	w.t.Helper()
	at := c.Post("/commissions/energy/apply", "role", role, "organization", organization, "statement", "Grids <and> storage").Want(303).Location()
	return last(at)
}

func last(path string) string { return path[strings.LastIndex(path, "/")+1:] }

var link = regexp.MustCompile(`/invitations/([A-Za-z0-9_-]{32})`)

// token is the secret in the newest invitation to an address.
func (w *world) token(email string) string {
	w.t.Helper()
	m := link.FindStringSubmatch(apptest.Value[string](w.Portal, `SELECT text FROM mail WHERE kind = 'invitation.sent' AND to_address = $1 ORDER BY id DESC LIMIT 1`, email))
	if m == nil {
		w.t.Fatal("no link in the invitation")
	}
	return m[1]
}

func (w *world) live(role string) int {
	return apptest.Value[int](w.Portal, `SELECT count(*) FROM seat WHERE commission_id = $1 AND role = $2 AND period @> $3::timestamptz`, w.energy, role, w.Now())
}

func seatPath(id fmt.Stringer) string { return "/commissions/energy/seats/" + id.String() }

func yesterday(w *world) string { return w.Now().Add(-24 * time.Hour).Format(time.DateOnly) }

// clock is a context at the portal's time.
func (w *world) clock() context.Context {
	return journal.WithNow(w.Context(context.Background()), w.Now())
}

// takesPartNow lets the organization take part from now on.
func (w *world) takesPartNow(level string) {
	w.Exec(`INSERT INTO participation (organization_id, commission_id, level, period) VALUES ($1, $2, $3, tstzrange(clock_timestamp() - interval '1 millisecond', NULL))`, w.acme, w.energy, level)
}
