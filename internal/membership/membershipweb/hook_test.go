package membershipweb_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/app/apptest"
	"commissionportal/internal/journal"
)

// change runs fn as the portal itself, as another capability would.
func (w *world) change(scope access.Scope, fn func(context.Context, *journal.Tx) error) {
	ctx := journal.WithNow(context.Background(), w.Now())
	err := journal.Change(ctx, w.DB, access.System("test", scope, "organization", "suspend"), func(tx *journal.Tx) error {
		if err := fn(ctx, tx); err != nil {
			return err
		}
		return tx.Record(scope.ID, journal.Say("Did it"))
	})
	if err != nil {
		w.t.Error(err)
	}
}

// suspend does what suspending an organization does to its seats.
func (w *world) suspend() {
	w.change(access.Organization(w.acme), func(ctx context.Context, tx *journal.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE organization SET state = 'suspended' WHERE id = $1`, w.acme); err != nil {
			return err
		}
		return w.Seats.EndOrganization(ctx, tx, w.acme, tx.Now, "Fees were not paid")
	})
}

func TestEndOrganization(t *testing.T) {
	w := newWorld(t)
	seat := uuid.Must(uuid.NewV7())
	w.sit(seat, w.ada, "voting_representative", &w.acme)
	id := w.apply(w.ben, "alternate_representative", "acme")
	w.chair.Post("/commissions/energy/invitations", "addresses", "x@example.org", "role", "voting_representative", "organization", "acme").Want(303)
	w.suspend()
	w.wantMail("seat.ended", w.ada, 1)
	if w.live("voting_representative") != 0 {
		t.Error("the seat is still held")
	}
	if s := apptest.Value[string](w.Portal, `SELECT state FROM application WHERE id = $1`, id); s != "rejected" {
		t.Errorf("application is %s", s)
	}
	if s := apptest.Value[string](w.Portal, `SELECT state FROM invitation`); s != "revoked" {
		t.Errorf("invitation is %s", s)
	}
	w.wantMail("application.closed", w.ben, 1)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE kind = 'invitation.revoked' AND to_address = 'x@example.org'`); n != 1 {
		t.Errorf("who was invited got %d letters about the end of the invitation, want 1", n)
	}
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object_id = $1 AND action = 'end'`, seat); n != 1 {
		t.Errorf("%d entries about the seat, want 1", n)
	}
	w.chair.API("GET", "/commissions/energy/seats?as_of="+yesterday(w), nil).Want(200, "Ada Lovelace")
}

func TestMergeOrganization(t *testing.T) {
	w := newWorld(t)
	into := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO organization (id, slug, name, plain_name, kind, country, state) VALUES ($1, 'acme-group', 'Acme Holding', 'acme holding', 'company', 'FR', 'member')`, into)
	moved, double := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	w.sit(moved, w.ada, "voting_representative", &w.acme)
	w.sit(double, w.ben, "observer", &w.acme)
	w.sit(uuid.Must(uuid.NewV7()), w.ben, "observer", &into)
	twice := w.apply(w.ada, "alternate_representative", "acme")
	w.Exec(`INSERT INTO application (commission_id, person_id, organization_id, role) VALUES ($1, $2, $3, 'alternate_representative')`, w.energy, w.ada.ID, into)
	w.change(access.Portal, func(ctx context.Context, tx *journal.Tx) error {
		return w.Seats.MergeOrganization(ctx, tx, w.acme, into)
	})
	w.chair.API("GET", "/commissions/energy/seats?role=voting_representative", nil).Want(200, "Acme Holding")
	w.chair.API("GET", "/commissions/energy/seats?role=voting_representative&as_of="+yesterday(w), nil).Want(200, `"organization":"acme"`)
	if w.live("observer") != 1 {
		t.Error("the double seat did not end")
	}
	w.wantMail("seat.moved", w.ada, 1)
	w.wantMail("application.closed", w.ada, 1)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object_id = $1 AND action = 'withdraw'`, twice); n != 1 {
		t.Errorf("%d entries about the application that ended, want 1", n)
	}
	if s := apptest.Value[string](w.Portal, `SELECT ended FROM seat WHERE id = $1`, double); s != "merged" {
		t.Errorf("ended is %s", s)
	}
}

func TestConclude(t *testing.T) {
	w := newWorld(t)
	w.sit(uuid.Must(uuid.NewV7()), w.ada, "observer", nil)
	w.apply(w.ben, "observer", "")
	w.change(access.Commission(w.energy), func(ctx context.Context, tx *journal.Tx) error {
		return w.Seats.Conclude(ctx, tx, w.energy, tx.Now, "Its work is done")
	})
	if w.live("observer")+w.live("chair") != 0 {
		t.Error("seats are still held")
	}
	w.wantMail("seat.ended", w.ada, 1)
}

func TestUnaffiliate(t *testing.T) {
	w := newWorld(t)
	w.sit(uuid.Must(uuid.NewV7()), w.ada, "observer", &w.acme)
	w.sit(uuid.Must(uuid.NewV7()), w.ada, "invited_expert", nil)
	id := w.apply(w.ada, "alternate_representative", "acme")
	w.change(access.Organization(w.acme), func(ctx context.Context, tx *journal.Tx) error {
		return w.Seats.Unaffiliate(ctx, tx, w.acme, w.ada.ID, tx.Now)
	})
	if w.live("observer") != 0 || w.live("invited_expert") != 1 {
		t.Error("the wrong seat ended")
	}
	w.ada.Get("/commissions/energy/applications/"+id).Want(200, "Withdrawn")
	w.wantMail("application.closed", w.ada, 1)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM journal_entry WHERE object_id = $1 AND action = 'withdraw'`, id); n != 1 {
		t.Errorf("%d entries about the application, want 1", n)
	}
}

func TestEndPerson(t *testing.T) {
	w := newWorld(t)
	w.sit(uuid.Must(uuid.NewV7()), w.ada, "observer", nil)
	id := w.apply(w.ada, "invited_expert", "")
	w.change(access.Portal, func(ctx context.Context, tx *journal.Tx) error { return w.Seats.EndPerson(ctx, tx, w.ada.ID) })
	w.Exec(`UPDATE person SET state = 'suspended' WHERE id = $1`, w.ada.ID)
	if s := apptest.Value[string](w.Portal, `SELECT state FROM application WHERE id = $1`, id); s != "withdrawn" {
		t.Errorf("application is %s", s)
	}
	w.Visitor().Get("/commissions/energy/roster").Want(200, "Ada Lovelace", "Suspended")
	w.Visitor().Get("/commissions/energy/roster?as_of="+yesterday(w)).Want(200, "Ada Lovelace").Lacks("Suspended") // it was not
}

// An organization's place ends with the seats held for it or without, as who ends it
// says, and does not change to one that its seats do not go with.
func TestEndParticipationWithSeats(t *testing.T) {
	w := newWorld(t)
	w.takesPart("P")
	adas, bens, officer := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	w.sit(adas, w.ada, "voting_representative", &w.acme)
	w.sit(bens, w.ben, "observer", &w.acme)
	sid := w.Person("Sid Secretary")
	w.sit(officer, sid, "secretary", &w.acme)
	page, api := "/commissions/energy/organizations", "/commissions/energy/participations/acme"

	// A vote does not stay with an organization that observes.
	w.chair.Post(page, "organization", "acme", "level", "O").Want(422, "Seats that Acme has in Energy do not go with this place (1 of them)")
	tag := w.chair.API("GET", api, nil).Want(200).Header.Get("ETag")
	w.chair.API("PUT", api, map[string]any{"level": "L"}, "If-Match", tag).Want(422, `"level"`)
	if l := apptest.Value[string](w.Portal, `SELECT level FROM participation WHERE upper(period) IS NULL`); l != "P" {
		t.Errorf("the level is %s", l)
	}
	w.Exec(`UPDATE seat SET role = 'observer', voting = false WHERE id = $1`, adas)
	w.chair.Post(page, "organization", "acme", "level", "O").Want(303)

	// An organization is found by its name while it is typed, and meant by it.
	w.chair.Get("/organizations/names?organization=acm").Want(200, `<datalist id="organization-names"><option value="Acme">`)
	w.chair.Get("/organizations/names?organization=a").Want(200).Lacks("<option")
	w.chair.Get("/commissions/energy/seats/new").Want(200, `list="organization-names"`)
	w.chair.Get("/commissions/energy/invitations/new").Want(200, `list="organization-names"`)
	w.chair.Post("/commissions/energy/invitations/preview", "addresses", "x@example.org", "role", "observer", "organization", " acmé ", "days", "14").Want(200, "One invitation will be sent")
	w.Exec(`INSERT INTO organization (slug, name, plain_name, kind, country, state) VALUES ('twin', 'Twin', 'twin', 'company', 'DE', 'member'), ('twin-2', 'Twin', 'twin', 'company', 'FR', 'member')`)
	w.chair.Get("/organizations/names?organization=twin").Want(200, `"Twin (twin)"`, `"Twin (twin-2)"`)
	w.chair.Post(page, "organization", "TWIN", "level", "O").Want(422, "Several organizations are called that", `value="TWIN"`)
	w.chair.Post(page, "organization", "Twin (twin-2)", "level", "O").Want(303)
	w.chair.Post(page, "organization", "Nobody's", "level", "O").Want(422, "There is no such organization")
	w.nobody.Post(page+"/acme/end", "seats", "true").Want(403)
	w.chair.Get(page+"/acme/end").Want(200, "2 seats are held for it there", `name="seats"`, "End these 2 seats, too", "1 seat of an officer")
	w.chair.Post(page+"/acme/end", "seats", "true").Want(303)
	live := func() int {
		return apptest.Value[int](w.Portal, `SELECT count(*) FROM seat WHERE organization_id = $1 AND period @> $2::timestamptz`, w.acme, w.Now())
	}
	if n := live(); n != 1 {
		t.Errorf("%d seats live, want that of the officer", n)
	}
	w.wantMail("seat.ended", w.ada, 1)
	w.wantMail("seat.ended", w.ben, 1)
	w.wantMail("seat.ended", sid, 0)
	w.wantMail("seat.lost", w.rep, 1)
	w.wantMail("participation.ended", w.rep, 1)
	w.Visitor().Get(seatPath(adas)).Want(200, "Ended with the organization&#39;s place")

	// Without saying so, they stay; the representative may do it, too, and over the API.
	w.takesPartNow("O")
	third := uuid.Must(uuid.NewV7())
	w.Exec(`INSERT INTO seat (id, period, commission_id, person_id, sort_name, organization_id, role, appointed_by) VALUES ($1, tstzrange(now(), NULL), $2, $3, $4, $5, 'observer', 'organization')`, third, w.energy, w.ada.ID, w.ada.Name, w.acme)
	w.rep.API("DELETE", api, nil).Want(204)
	if n := live(); n != 2 {
		t.Errorf("%d seats live, want 2: nobody said that they end", n)
	}
	w.takesPartNow("O")
	w.rep.API("DELETE", api+"?end_seats=true", nil).Want(204)
	if n := live(); n != 1 {
		t.Errorf("%d seats live, want that of the officer", n)
	}
	w.wantMail("participation.left", w.chair, 2)
}
