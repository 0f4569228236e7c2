package membershipweb_test

import (
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/app/apptest"
)

func TestInvite(t *testing.T) {
	w := newWorld(t)
	const path = "/commissions/energy/invitations"
	many := "Name,E-mail\nNew One,new.one@example.net\nBen <ben.stone@example.org>; nonsense@\nnew.one@example.net\nno address here\nnora.nobody@example.org"
	w.sit(uuid.Must(uuid.NewV7()), w.nobody, "invited_expert", nil)
	w.ben.Get(path + "/new").Want(404)
	w.chair.Get(path+"/new").Want(200, "Invite to Energy")
	w.chair.Post(path+"/preview", "role", "invited_expert").Want(422, "Give at least one address")
	w.chair.Post(path+"/preview", "role", "voting_representative", "addresses", "a@example.org").Want(422, "stands for an organization")
	w.chair.Post(path+"/preview", "role", "invited_expert", "addresses", "a@example.org", "days", "999").Want(422, "from 1 to 180")
	w.chair.Post(path+"/preview", "role", "invited_expert", "addresses", "nobody at all").Want(422, "None of these is an e-mail address")
	w.chair.Post(path+"/preview", "role", "invited_expert", "addresses", many, "message", "Come <in>").Want(200,
		"2 invitations will be sent", "This address is there twice", "This is not an e-mail address", "There is no address in this line", "Holds this seat already", "Come &lt;in&gt;")
}

func TestInvitationJourney(t *testing.T) {
	w := newWorld(t)
	const path = "/commissions/energy/invitations"
	w.chair.Post(path, "role", "invited_expert", "addresses", "nora.nobody@example.org\nfresh@example.net", "message", "Come and help").Want(303)
	w.chair.Post(path, "role", "invited_expert", "addresses", "nora.nobody@example.org").Want(422, "Nobody is left to invite")
	w.chair.Get(path).Want(200, "nora.nobody@example.org", "fresh@example.net", "Pending")
	token := w.token("nora.nobody@example.org")
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM invitation WHERE encode(hash, 'escape') LIKE '%' || $1 || '%'`, token); n != 0 {
		t.Error("the token is kept in the clear")
	}
	page := "/invitations/" + token
	w.Visitor().Get(page).Want(200, "Grace Hopper invites you", "Come and help", "n…@example.org", "/sign-up?next=/invitations/"+token).Lacks("nora.nobody@")
	w.Visitor().Post(page+"/accept").Want(401, "Sign in")
	w.ben.Post(page+"/accept").Want(409, "you are signed in as ben.stone@example.org")
	w.ben.Get(page).Want(200, "Sign in with that address").Lacks(page + `/accept"`)
	w.nobody.Get(page).Want(200, page+`/accept"`)
	var wg sync.WaitGroup
	var first, later atomic.Int32
	for range 200 {
		wg.Go(func() {
			switch w.nobody.Post(page + "/accept").Status {
			case 303:
				first.Add(1)
			case 409:
				later.Add(1)
			}
		})
	}
	wg.Wait()
	if first.Load() != 1 || later.Load() != 199 || apptest.Value[int](w.Portal, `SELECT count(*) FROM seat WHERE person_id = $1`, w.nobody.ID) != 1 {
		t.Errorf("of 200 at once %d were let in and %d told that it has been accepted", first.Load(), later.Load())
	}
	w.nobody.Post(page+"/accept").Want(409, "has been accepted already")
	w.wantMail("invitation.accepted", w.chair, 1)
	w.Visitor().Get("/commissions/energy/roster").Want(200, "Nora Nobody")

	fresh := w.token("fresh@example.net")
	id := apptest.Value[string](w.Portal, `SELECT id FROM invitation WHERE email = 'fresh@example.net'`)
	w.chair.Post(path + "/" + id + "/resend").Want(303)
	w.Visitor().Get("/invitations/" + fresh).Want(404)
	again := w.token("fresh@example.net")
	w.At(w.Now().Add(15 * 24 * time.Hour))
	w.Visitor().Get("/invitations/"+again).Want(200, "has expired", "Expired")
	w.Visitor().Post("/invitations/"+again+"/decline").Want(409, "has expired")
	w.chair.Get(path+"?state=expired").Want(200, "fresh@example.net")
	w.chair.Post(path, "role", "observer", "addresses", "fresh@example.net").Want(303)
	w.Visitor().Post("/invitations/" + w.token("fresh@example.net") + "/decline").Want(303)
	w.wantMail("invitation.declined", w.chair, 1)
	w.At(time.Time{})

	w.chair.Post(path, "role", "observer", "addresses", w.ben.Email).Want(303)
	id = apptest.Value[string](w.Portal, `SELECT id FROM invitation WHERE email = $1 AND state = 'pending'`, w.ben.Email)
	w.chair.Get(path+"/"+id+"/revoke").Want(200, "Take back the invitation")
	w.nobody.Post(path + "/" + id + "/revoke").Want(404)
	w.chair.Post(path + "/" + id + "/revoke").Want(303)
	w.ben.Post("/invitations/"+w.token(w.ben.Email)+"/accept").Want(409, "was taken back")
	w.wantMail("invitation.revoked", w.ben, 1)
}

// Who has no account makes one on the way, and comes back to the invitation.
func TestInvitedWithoutAccount(t *testing.T) {
	w := newWorld(t)
	const email, password = "fresh.face@example.net", "plover tidal ombudsman"
	w.chair.API("POST", "/commissions/energy/invitations", map[string]any{"emails": []string{email}, "role": "invited_expert"}, "X-Forwarded-Host", "evil.example").Want(201)
	page, guest := "/invitations/"+w.token(email), w.Visitor()
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM mail WHERE to_address = $1 AND strpos(text, $2) > 0 AND strpos(html, 'href="' || $2 || '"') > 0 AND text NOT LIKE '%evil%'`, email, w.URL+page); n != 1 {
		t.Error("the letter's link, as text and as HTML, does not lead to the configured address")
	}
	signUp := regexp.MustCompile(`href="(/sign-up\?[^"]*)"`).FindStringSubmatch(guest.Get(page).Want(200).Body)
	if signUp == nil {
		t.Fatal("the invitation leads to no sign-up")
	}
	guest.Get(signUp[1]).Want(200, `name="next" value="`+page+`"`)
	guest.Post("/sign-up", "name", "Frieda Fresh", "email", email, "country", "AT", "password", password, "next", page).Want(303)
	confirm := ""
	for end := time.Now().Add(20 * time.Second); confirm == "" && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		confirm = regexp.MustCompile(`/confirm/[A-Za-z0-9_-]+`).FindString(apptest.Value[string](w.Portal, `SELECT coalesce(max(text), '') FROM mail WHERE kind = 'account.confirm' AND to_address = $1`, email))
	}
	if to := guest.Post(confirm, "password", password).Want(303).Location(); to != page {
		t.Fatalf("signed up, and led to %q instead of the invitation", to)
	}
	guest.Get(page).Want(200, page+`/accept"`)
	guest.Post(page + "/accept").Want(303)
	guest.Post(page+"/accept").Want(409, "accepted already")
	w.Visitor().Get("/commissions/energy/roster").Want(200, "Frieda Fresh")
}

// Who may invite and not see who else is invited sees those they sent.
func TestInvitesAlone(t *testing.T) {
	w := newWorld(t)
	const path = "/commissions/energy/invitations"
	w.chair.Post(path, "role", "observer", "addresses", "by.chair@example.net").Want(303)
	theirs := apptest.Value[string](w.Portal, `SELECT id FROM invitation`)
	w.sit(uuid.Must(uuid.NewV7()), w.nobody, "invited_expert", nil)
	w.nobody.Get(path).Want(404)
	w.Exec(`INSERT INTO access_rules (commission_id) SELECT id FROM commission WHERE slug = 'energy'`)
	w.Exec(`INSERT INTO access_rule (commission_id, role, object, action, effect) SELECT commission_id, 'invited_expert', 'invitation', 'send', 'allow' FROM access_rules`)
	w.nobody.Get("/commissions/energy").Want(200, `href="`+path+`"`)
	w.nobody.Get(path).Want(200, `href="`+path+`/new"`).Lacks("by.chair@")
	sent := w.nobody.Post(path, "role", "observer", "addresses", "by.nora@example.net").Want(303)
	w.nobody.Get(sent.Location()).Want(200, "One invitation is on its way", "by.nora@example.net", "Those that you sent").Lacks("by.chair@")
	w.nobody.API("GET", path, nil).Want(200, "by.nora@").Lacks("by.chair@")
	w.nobody.Get(path + "/" + theirs + "/revoke").Want(404)
	w.nobody.Post(path + "/" + theirs + "/revoke").Want(404)
	w.nobody.Post(path + "/" + theirs + "/resend").Want(404)
	w.chair.Get(path).Want(200, "by.nora@", "by.chair@").Lacks("Those that you sent")
}

// Who may change seats and not see the whole roster sees what they changed.
func TestAppointsAlone(t *testing.T) {
	w := newWorld(t)
	w.sit(uuid.Must(uuid.NewV7()), w.nobody, "invited_expert", nil)
	w.Exec(`UPDATE commission SET roster_visibility = 'officers'`)
	w.Exec(`INSERT INTO access_rules (commission_id) SELECT id FROM commission WHERE slug = 'energy'`)
	w.Exec(`INSERT INTO access_rule (commission_id, role, object, action, effect) SELECT commission_id, 'invited_expert', 'seat', 'edit', 'allow' FROM access_rules`)
	w.nobody.Get("/commissions/energy/roster").Want(200, `href="/commissions/energy/seats/new"`)
	w.nobody.Get("/commissions/energy/seats/new").Want(200).Lacks("Invite instead")
	made := w.nobody.Post("/commissions/energy/seats", "person", w.nobody.Email, "role", "observer").Want(303)
	w.nobody.Get(made.Location()).Want(200)
	theirs := uuid.Must(uuid.NewV7())
	w.sit(theirs, w.ben, "observer", nil)
	page := "/commissions/energy/seats/" + theirs.String()
	saved := w.nobody.Post(page, "role", "invited_expert", "version", "1").Want(303)
	w.nobody.Get(saved.Location()).Want(200, "Saved.")
	w.ada.Get(page).Want(404)
}

func TestInvitationAPI(t *testing.T) {
	w := newWorld(t)
	const path = "/commissions/energy/invitations"
	body := func(role, organization string, emails ...string) map[string]any {
		return map[string]any{"emails": emails, "role": role, "organization": organization}
	}
	w.ada.API("POST", path, body("observer", "", "a@example.org")).Want(404)
	w.chair.API("POST", path, body("observer", "")).Want(422, `"emails"`)
	w.chair.API("POST", path, body("observer", "nowhere", "a@example.org")).Want(422, "no such organization")
	w.chair.API("POST", path, body("observer", "", w.ben.Email, "x@")).Want(201, `"sent":1`, "not an e-mail address")
	w.chair.API("GET", path, nil).Want(200, w.ben.Email, `"state":"pending"`).Lacks("hash")
	id := apptest.Value[string](w.Portal, `SELECT id FROM invitation`)
	w.ada.API("POST", "/invitations/"+id+"/accept", nil).Want(404)
	w.Visitor().API("GET", "/invitations/"+id, nil).Want(404)
	w.Visitor().API("GET", "/invitations/"+w.token(w.ben.Email), nil).Want(200, `"email":"b…@example.org"`)
	w.ben.API("POST", "/invitations/"+id+"/accept", nil).Want(200, `"seat":`)
	w.ben.API("POST", "/invitations/"+id+"/decline", nil).Want(409)

	// For an organization that has not confirmed the person.
	w.chair.API("POST", path, body("voting_representative", "acme", w.nobody.Email)).Want(201)
	w.nobody.API("POST", "/invitations/"+w.token(w.nobody.Email)+"/accept", nil).Want(409, "Acme has not confirmed")
	w.affiliate(w.nobody, false)
	w.nobody.API("POST", "/invitations/"+w.token(w.nobody.Email)+"/accept", nil).Want(200, `"voting":true`)
	w.chair.API("POST", path, body("observer", "", "gone@example.org")).Want(201)
	gone := apptest.Value[string](w.Portal, `SELECT id FROM invitation WHERE email = 'gone@example.org'`)
	w.chair.API("POST", path+"/"+gone+"/resend", nil).Want(200)
	w.chair.API("DELETE", path+"/"+gone, nil).Want(204)
	w.chair.API("DELETE", path+"/"+gone, nil).Want(409)
	w.Visitor().API("POST", "/invitations/"+w.token("gone@example.org")+"/decline", nil).Want(409, "was taken back")
}

func TestNominate(t *testing.T) {
	w := newWorld(t)
	const path = "/organizations/acme/seats"
	w.ada.Get(path).Want(404)
	w.rep.Get(path).Want(200, "Nobody sits for the organization")
	w.rep.Get(path+"/new").Want(200, "takes part in no commission")
	send := func(person, role string) []string {
		return []string{"commission", "energy", "person", person, "role", role}
	}
	w.rep.Post(path, send(w.ada.ID.String(), "voting_representative")...).Want(422, "does not take part in Energy yet")
	w.takesPart("P")
	w.rep.Get(path+"/new").Want(200, "Energy (P)", "Ada Lovelace")
	w.rep.Post(path, send(w.ada.ID.String(), "observer")...).Want(422, "as a participating member")
	w.rep.Post(path, send(w.nobody.ID.String(), "voting_representative")...).Want(422, "Choose somebody who acts for Acme")
	w.rep.Post(path, "commission", "energy", "role", "voting_representative").Want(422, "Choose a person")
	w.ada.Post(path, send(w.ada.ID.String(), "voting_representative")...).Want(404)
	w.rep.Post(path, send(w.ada.ID.String(), "voting_representative")...).Want(303)
	w.wantMail("seat.nominated", w.ada, 1)
	first := apptest.Value[string](w.Portal, `SELECT id FROM application`)
	w.ada.Post("/commissions/energy/applications/" + first + "/withdraw").Want(303)
	w.wantMail("application.withdrawn", w.rep, 1)
	w.rep.Post(path, send(w.ada.ID.String(), "voting_representative")...).Want(303)
	second := apptest.Value[string](w.Portal, `SELECT id FROM application WHERE state = 'pending'`)
	w.rep.API("POST", "/commissions/energy/applications/"+second+"/withdraw", nil).Want(200)
	w.wantMail("application.withdrawn", w.ada, 1)
	w.Exec(`DELETE FROM application; DELETE FROM mail`)
	w.rep.Post(path, send(w.ada.ID.String(), "voting_representative")...).Want(303)
	w.wantMail("application.received", w.chair, 1)
	id := apptest.Value[string](w.Portal, `SELECT id FROM application`)
	w.rep.Get("/commissions/energy/applications/"+id).Want(200, "Nominated by", "Withdraw")
	w.chair.Get("/commissions/energy/applications").Want(200, "Nominated")
	w.chair.Post("/commissions/energy/applications/"+id+"/approve", "role", "voting_representative", "voting", "true", "until", "2999-12-31").Want(303)
	w.wantMail("application.approved", w.rep, 1)
	seat := apptest.Value[string](w.Portal, `SELECT id FROM seat WHERE role = 'voting_representative'`)
	w.rep.Get(path).Want(200, "Ada Lovelace", path+"/"+seat+"/replace")

	w.rep.Get(path+"/"+seat+"/replace").Want(200, "Ben Stone")
	w.ada.Post(path+"/"+seat+"/replace", "person", w.ben.ID.String()).Want(404)
	w.rep.Post(path+"/"+seat+"/replace", "person", w.ada.ID.String()).Want(422, "holds this seat already")
	w.rep.Post(path+"/"+seat+"/replace", "person", w.nobody.ID.String()).Want(422, "acts for Acme")
	w.rep.Post(path+"/"+seat+"/replace", "person", w.ben.ID.String()).Want(303)
	w.rep.Post(path+"/"+seat+"/replace", "person", w.rep.ID.String()).Want(409, "has ended already")
	for _, c := range []*apptest.Client{w.ada, w.ben, w.chair} {
		w.wantMail("seat.replaced", c, 1)
	}
	next := apptest.Value[string](w.Portal, `SELECT id FROM seat WHERE follows = $1`, seat)
	if n := apptest.Value[int](w.Portal, `SELECT count(*) FROM seat a JOIN seat b ON b.id = $1 WHERE a.id = $2 AND upper(a.period) = lower(b.period) AND upper(b.period) = '3000-01-01' AND b.voting`, next, seat); n != 1 {
		t.Error("the successor does not begin where the other ended, with the same term")
	}
	w.Visitor().Get("/commissions/energy/seats/"+next).Want(200, "Ben Stone followed Ada Lovelace")
	w.Visitor().Get("/commissions/energy/seats/"+seat).Want(200, "Replaced by Ben Stone")
	w.rep.Get(path+"/"+next+"/recall").Want(200, "Recall Ben Stone?")
	w.rep.Post(path + "/" + next + "/recall").Want(303)
	w.wantMail("seat.recalled", w.ben, 1)
	w.rep.Get(path).Want(200, "Nobody sits for")

	chair := w.Person("Carl Chairs")
	w.affiliate(chair, false)
	w.Exec(`INSERT INTO seat (period, commission_id, person_id, sort_name, organization_id, role, appointed_by) VALUES (tstzrange(now() - interval '1 day', NULL), $1, $2, $3, $4, 'vice_chair', 'chair')`, w.energy, chair.ID, chair.Name, w.acme)
	officer := apptest.Value[string](w.Portal, `SELECT id FROM seat WHERE role = 'vice_chair'`)
	w.rep.Post(path+"/"+officer+"/recall").Want(409, "The commission appoints its officers")
	for mode, want := range map[string]int{"invitation": 409, "closed": 409, "open": 303} {
		w.Exec(`UPDATE commission SET join_mode = $1`, mode)
		w.rep.Post(path, send(w.ada.ID.String(), "alternate_representative")...).Want(want)
	}
}

func TestNominateAPI(t *testing.T) {
	w := newWorld(t)
	w.takesPart("O")
	const path = "/organizations/acme/seats"
	ask := func(email string) map[string]any {
		return map[string]any{"commission": "energy", "email": email, "role": "observer"}
	}
	w.nobody.API("GET", path, nil).Want(404)
	w.rep.API("POST", path, ask("x")).Want(422, `"email"`)
	w.rep.API("POST", path, ask(w.ada.Email)).Want(201, `"application":`)
	w.rep.API("POST", path, ask(w.nobody.Email)).Want(201, `"invitation":`)
	w.rep.API("POST", path, ask(w.nobody.Email)).Want(422, "has an invitation to Energy already")
	w.affiliate(w.nobody, false)
	w.nobody.API("POST", "/invitations/"+w.token(w.nobody.Email)+"/accept", nil).Want(200, `"application":`)
	w.Exec(`UPDATE commission SET join_mode = 'open'`)
	w.rep.API("POST", path, ask(w.ben.Email)).Want(201, `"seat":`)
	seat := apptest.Value[string](w.Portal, `SELECT id FROM seat WHERE role = 'observer'`)
	w.rep.API("GET", path, nil).Want(200, seat)
	next := apptest.JSON[struct{ ID string }](w.rep.API("POST", path+"/"+seat+"/replace", map[string]any{"person": w.ada.ID.String()}).Want(200, `"follows":"`+seat)).ID
	w.rep.API("POST", path+"/"+next+"/recall", nil).Want(204)
	w.rep.API("POST", path+"/"+next+"/recall", nil).Want(409)
	w.rep.API("GET", path+"?as_of="+yesterday(w), nil).Want(200).Lacks(seat)
}
