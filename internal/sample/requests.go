package sample

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/commission"
	"commissionportal/internal/journal"
	"commissionportal/internal/membership"
)

type application struct {
	ID        uuid.UUID
	Body      *body
	Person    *person
	Org       *org
	Nominator *person
	Role      string
	Statement string
	State     string
	By        *person
	At        *time.Time
	Reason    string
	Seat      *seat
	Created   time.Time
}

type invitation struct {
	ID       uuid.UUID
	Body     *body
	Email    string
	Role     string
	Org      *org
	Message  string
	Secret   [32]byte
	State    string
	By       *person
	Created  time.Time
	Expires  time.Time
	Answered *time.Time
	Seat     *seat
}

type participationRequest struct {
	ID      uuid.UUID
	Body    *body
	Org     *org
	Level   string
	Message string
	By      *person
	Created time.Time
}

// statement is what somebody writes who applies.
func (w *world) statement(b *body, o *org) string {
	return strings.NewReplacer("{org}", o.Name, "{commission}", b.Name).Replace(w.text("statement"))
}

// applied tells how a seat was come by that an officer gave: an application, a
// nomination, an appointment, an invitation; in an open commission it was taken.
func (w *world) applied(s *seat) {
	b, p, r := s.Body, s.Person, &s.Rows[0]
	word := membership.Word(r.Role)
	leader := b.leader(r.From)
	rep := r.Org.rep()
	chance := w.random.Float64()
	switch {
	case b.JoinMode == "open" && chance < 0.7:
		r.By = membership.BySelf
		w.record(b.scope(), r.From, p, "seat", "take", s.ID, journal.Say("%s took a seat as %s", p.Name, word))
	case chance < 0.12:
		w.invited(s)
	case chance < 0.27:
		w.record(b.scope(), r.From, leader, "seat", "appoint", s.ID, journal.Say("Appointed %s as %s", p.Name, word))
	default:
		a := application{Body: b, Person: p, Org: r.Org, Role: r.Role, State: membership.Approved, By: leader, At: &r.From, Seat: s}
		a.Created = w.between(later(w.acting(p, r.Org).Add(time.Minute), r.From.Add(-16*day)), r.From)
		a.ID = w.id(a.Created)
		if chance < 0.6 && rep != nil && rep != p {
			a.Nominator = rep
			w.record(r.Org.scope(), a.Created, rep, "application", "submit", a.ID, journal.Say("Nominated %s as %s", p.Name, word))
		} else {
			a.Statement = w.statement(b, r.Org)
			w.record(b.scope(), a.Created, p, "application", "submit", a.ID, journal.Say("%s applied for a seat as %s", p.Name, word))
		}
		w.applications = append(w.applications, a)
		w.record(b.scope(), r.From, leader, "application", "decide", a.ID, journal.Say("Approved the application of %s as %s", p.Name, word))
		w.record(b.scope(), r.From, leader, "seat", "give", s.ID, journal.Say("%s took a seat as %s", p.Name, word))
	}
}

// acting is since when the person acts for the organization.
func (w *world) acting(p *person, o *org) time.Time {
	i := slices.IndexFunc(w.affiliations, func(a affiliation) bool { return a.Person == p && a.Org == o.heir() })
	return w.affiliations[i].From
}

// invited tells that a seat was offered by an invitation.
func (w *world) invited(s *seat) {
	r := &s.Rows[0]
	i := invitation{Body: s.Body, Email: s.Person.Email, Role: r.Role, Org: r.Org, State: membership.Accepted, By: s.Body.leader(r.From), Answered: &r.From, Seat: s}
	since := s.Person.Created
	if r.Org != nil {
		since = w.acting(s.Person, r.Org)
	}
	i.Created = w.between(later(since, r.From.Add(-12*day)), r.From)
	w.invite(i)
	word := membership.Word(r.Role)
	w.record(s.Body.scope(), r.From, s.Person, "invitation", "accept", w.invitations[len(w.invitations)-1].ID, journal.Say("%s accepted the invitation as %s", s.Person.Name, word))
	w.record(s.Body.scope(), r.From, s.Person, "seat", "give", s.ID, journal.Say("%s took a seat as %s", s.Person.Name, word))
}

// invite adds an invitation of Created, good for two weeks.
func (w *world) invite(i invitation) *invitation {
	i.ID, i.Expires = w.id(i.Created), i.Created.Add(membership.InvitedDays*day)
	for n := range i.Secret {
		i.Secret[n] = byte(w.random.UintN(256))
	}
	if i.Message == "" && w.chance(0.8) {
		i.Message = w.text("message")
	}
	w.invitations = append(w.invitations, i)
	w.record(i.Body.scope(), i.Created, i.By, "invitation", "send", i.ID, journal.Say("Invited %s as %s", i.Email, membership.Word(i.Role)))
	return &w.invitations[len(w.invitations)-1]
}

// live is what an organization has in a commission now: its level, and how many seats.
func (w *world) live(o *org, b *body) (level string, seats int) {
	for _, p := range w.participations {
		if p.Body == b && p.Org == o && p.From.Before(w.now) && (p.Until == nil || p.Until.After(w.now)) {
			level = p.Level
		}
	}
	for _, s := range w.seats {
		if l := s.last(); s.Body == b && l.Org == o && (l.Until == nil || l.Until.After(w.now)) {
			seats++
		}
	}
	return level, seats
}

// candidate is somebody who could be given a seat with a vote in b now.
func (w *world) candidate(b *body, used map[*person]bool) (*person, *org) {
	for _, o := range w.near(b, w.now.Add(-30*day)) {
		if !slices.Contains(o.Sectors, b.Sector) {
			continue
		}
		level, seats := w.live(o, b)
		taken := map[*person]bool{}
		for _, p := range o.People {
			taken[p] = b.taken[p] || used[p]
		}
		p := w.pick(o, w.now.Add(-25*day), taken)
		if level != "O" && level != "L" && (b.Limit == 0 || seats < b.Limit) && p != nil {
			used[p] = true
			return p, o
		}
	}
	return nil, nil
}

// ask makes what waits for an answer, and what got another one than yes.
func (w *world) ask() error {
	bySlug := map[string]*body{}
	for _, b := range w.bodies {
		bySlug[b.Slug] = b
	}
	storage := bySlug["energy-storage"]
	used := map[*person]bool{}
	apply := func(b *body, at time.Time) *application {
		p, o := w.candidate(b, used)
		if p == nil {
			return nil
		}
		a := application{ID: w.id(at), Body: b, Person: p, Org: o, Role: membership.VotingRepresentative, State: membership.Pending, Created: at}
		if w.chance(0.25) {
			a.Role = membership.AlternateRepresentative
		}
		a.Statement = w.statement(b, o)
		w.record(b.scope(), at, p, "application", "submit", a.ID, journal.Say("%s applied for a seat as %s", p.Name, membership.Word(a.Role)))
		w.applications = append(w.applications, a)
		return &w.applications[len(w.applications)-1]
	}
	for n, text := range w.texts["statement energy-storage"] {
		a := apply(storage, w.between(w.now.Add(-time.Duration(17-2*n)*day), w.now.Add(-time.Duration(15-2*n)*day)))
		if a != nil {
			a.Statement = strings.ReplaceAll(text, "{org}", a.Org.Name)
			if strings.Contains(text, "observer") {
				a.Role = membership.AlternateRepresentative
				a.Statement = strings.ReplaceAll(a.Statement, "an observer", "an alternate")
			}
		}
	}
	var others []*body
	for _, b := range shuffled(w, w.bodies) {
		if b != storage && (b.State == commission.Active || b.State == commission.Forming) && b.JoinMode == "application" {
			others = append(others, b)
		}
	}
	for n, b := range others {
		if n < 13 {
			apply(b, w.between(w.now.Add(-time.Duration(1+w.random.IntN(24))*day), w.now))
		}
		if b.State == commission.Forming || n > 16 {
			continue
		}
		a := apply(b, w.between(w.now.Add(-24*day), w.now.Add(-3*day)))
		if n%3 == 0 {
			a = apply(storage, w.between(w.now.Add(-24*day), w.now.Add(-18*day)))
		}
		if a == nil {
			continue
		}
		word := membership.Word(a.Role)
		at := w.between(a.Created.Add(time.Hour), later(a.Created, w.now.Add(-2*day)).Add(day))
		a.At = &at
		if n%5 == 4 {
			a.State = membership.Withdrawn
			w.record(a.Body.scope(), at, a.Person, "application", "withdraw", a.ID, journal.Say("%s withdrew the application as %s", a.Person.Name, word))
			continue
		}
		a.State, a.By, a.Reason = membership.Rejected, a.Body.leader(at), w.text("rejected")
		w.record(a.Body.scope(), at, a.By, "application", "decide", a.ID, journal.Say("Rejected the application of %s as %s", a.Person.Name, word))
	}
	w.offer(bySlug, others)
	return nil
}

// offer makes the invitations that were not accepted, and the organizations that
// ask to take part.
func (w *world) offer(bySlug map[string]*body, others []*body) {
	fuels := bySlug["hydrogen-and-synthetic-fuels"]
	at := w.between(w.now.Add(-3*day), w.now.Add(-day))
	w.invite(invitation{Body: fuels, Email: w.guest.Email, Role: membership.VotingRepresentative, Org: w.guest.Home, State: membership.Pending, By: fuels.leader(at), Created: at,
		Message: "You spoke about electrolyzers on mini-grids in Accra. We would like to have that view in the panel on handling; the next meeting is by video."})
	strangers := []string{"h.lindgren@sjofart.example", "m.adeleke@coldroom.example", "c.whitfield@ashford-instruments.example", "rania.khoury@clinicpartners.example",
		"t.nakagawa@shikoku-line.example", "office@guild-of-millers.example", "j.oduya@transit-lab.example", "p.marchand@atelier-fluvial.example",
		"s.venkatesan@chennai-tests.example", "d.kowalczyk@odra-works.example", "a.benali@medport.example", "g.rossetti@archivio-suono.example",
		"l.hoang@redriver-agro.example", "n.petrou@islandgrid.example", "b.okeke@payroute.example", "f.silva@serra-verde.example"}
	open := slices.DeleteFunc(slices.Clone(others), func(b *body) bool { return b.State != commission.Active })
	for n, email := range strangers {
		b := open[n%len(open)]
		if n == 13 {
			b = bySlug["energy-storage"]
		}
		at, state := w.between(w.now.Add(-9*day), w.now), membership.Pending
		switch n % 8 {
		case 4, 5:
			at = w.between(w.now.Add(-60*day), w.now.Add(-16*day))
		case 6:
			at, state = w.between(w.now.Add(-90*day), w.now.Add(-20*day)), membership.Declined
		case 7:
			at, state = w.between(w.now.Add(-90*day), w.now.Add(-20*day)), membership.Revoked
		}
		i := w.invite(invitation{Body: b, Email: email, Role: one(w, []string{membership.InvitedExpert, membership.InvitedExpert, membership.Observer}), State: state, By: b.leader(at), Created: at})
		if state == membership.Pending {
			continue
		}
		then := w.between(at.Add(time.Hour), at.Add(8*day))
		i.Answered = &then
		if state == membership.Declined {
			w.record(b.scope(), then, nil, "invitation", "decline", i.ID, journal.Say("%s declined the invitation as %s", i.Email, membership.Word(i.Role)))
		} else {
			w.record(b.scope(), then, i.By, "invitation", "revoke", i.ID, journal.Say("Took back the invitation of %s", i.Email))
		}
	}
	messages := []string{
		"We have observed for a long time from outside, and now have two engineers who can take part in the drafting.",
		"Our members ask us to take part with a vote: half of them sell under the rules that you write.",
		"We would like to begin as an observer and bring the results of our own comparison.",
	}
	for n, slug := range []string{"energy-storage", "soil-and-water", "container-and-port-documents"} {
		b := bySlug[slug]
		for _, o := range w.near(b, w.now.Add(-60*day)) {
			if level, _ := w.live(o, b); level != "" || o.rep() == nil {
				continue
			}
			at := w.between(w.now.Add(-8*day), w.now)
			r := participationRequest{ID: w.id(at), Body: b, Org: o, Level: []string{"P", "P", "O"}[n], Message: messages[n], By: o.rep(), Created: at}
			w.asked = append(w.asked, r)
			w.record(o.scope(), at, o.rep(), "participation", "request", b.ID, journal.Say("%s asked to take part in %s as %s", o.Name, b.Name, r.Level))
			break
		}
	}
}
