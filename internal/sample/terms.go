package sample

import (
	"slices"
	"strconv"
	"time"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/journal"
	"commissionportal/internal/membership"
)

// termNotice is a warning that was sent before a term ended.
type termNotice struct {
	Seat  *seat
	Until time.Time
	Days  int
	At    time.Time
}

// soon is in how many days terms end, of those chosen to end soon.
var soon = []float64{2.3, 4.1, 5.7, 9.2, 13.4, 18, 22.6, 27.1, 34, 38.5, 41, 45.2, 49, 52.8, 56, 58.3}

// lasts is when a term of the body's length ends that begins at from.
func (b *body) lasts(from time.Time) time.Time { return *membership.Usual(from, &b.Term, time.UTC) }

// lapse says how long the seats' terms are that go on: as long as their
// commission gives them, renewed as often as needed. A few end soon, a few are
// suspended.
func (w *world) lapse() error {
	for _, s := range w.seats {
		l := s.last()
		if s.Body.State == commission.Concluded && s.open() {
			s.close(s.Body.StateAt, membership.Concluded, "")
			w.record(s.Body.scope(), s.Body.StateAt, w.clerk(s.Body.StateAt), "seat", "end", s.ID,
				journal.Say("Ended the seat of %s as %s in %s", s.Person.Name, membership.Word(l.Role), s.Body.Name))
		}
		if s.Body.Term == 0 || !s.open() {
			continue
		}
		end := s.Body.lasts(l.From)
		for !end.After(w.now.Add(70*day)) && s.Person != w.guest {
			if end.After(w.now) && w.chance(0.2) {
				break
			}
			at := earlier(end.Add(-9*day), w.now.Add(-3*day))
			if at.Before(l.From) {
				break
			}
			w.record(s.Body.scope(), at, s.Body.leader(at), "seat", "edit", s.ID, journal.Say("Changed the term of %s", s.Person.Name))
			end = s.Body.lasts(end)
		}
		l.Until = &end
	}
	var plain []*seat
	for _, s := range shuffled(w, w.seats) {
		if l := s.last(); !s.Person.Cast && s.Body.State == commission.Active && l.Until != nil && l.Until.After(w.now.Add(70*day)) && !membership.Officer(l.Role) {
			plain = append(plain, s)
		}
	}
	// Two of them where the sample's chair decides.
	slices.SortStableFunc(plain, func(a, b *seat) int {
		if a.Body.Slug == b.Body.Slug || a.Body.Slug != "energy-storage" && b.Body.Slug != "energy-storage" {
			return 0
		}
		if a.Body.Slug == "energy-storage" {
			return -1
		}
		return 1
	})
	plain = append(plain[:2:2], shuffled(w, plain[2:])...)
	chosen := 0
	for _, s := range plain {
		l := s.last()
		switch {
		case chosen == len(soon)+4:
			return nil
		case l.From.After(w.now.Add(-3 * month)):
			continue
		case chosen < len(soon):
			until := w.now.Add(time.Duration(soon[(chosen*7+3)%len(soon)] * float64(day))).Truncate(day)
			l.Until = &until
		default:
			w.suspend(s, chosen%2 == 0)
		}
		chosen++
	}
	return nil
}

// suspend takes a seat's rights away for a time, or until now.
func (w *world) suspend(s *seat, lift bool) {
	at := w.between(w.now.Add(-80*day), w.now.Add(-30*day))
	reason := w.text("suspended")
	s.change(at, reason, func(r *row) { r.Suspended, r.Reason = true, reason })
	w.record(s.Body.scope(), at, s.Body.leader(at), "seat", "edit", s.ID, journal.Say("Suspended the seat of %s", s.Person.Name))
	if !lift {
		return
	}
	at = w.between(at.Add(8*day), w.now.Add(-day))
	s.change(at, "", func(r *row) { r.Suspended = false })
	w.record(s.Body.scope(), at, s.Body.leader(at), "seat", "edit", s.ID, journal.Say("Lifted the suspension of the seat of %s", s.Person.Name))
}

// notices are the warnings that have been sent, so that a portal that starts with
// the sample does not send them all at once.
func (w *world) notices() []termNotice {
	var list []termNotice
	for _, s := range w.seats {
		l := s.last()
		if l.Until == nil || l.Ended != "" {
			continue
		}
		for _, days := range membership.NoticeDays {
			at := l.Until.AddDate(0, 0, -days)
			if at.After(w.now) || s.Rows[0].From.After(at) {
				continue
			}
			list = append(list, termNotice{s, *l.Until, days, at})
			if days > 0 {
				w.record(access.Portal, at, nil, "seat", "warn", s.ID, journal.Say("Told %s that the term ends in %s days", s.Person.Name, strconv.Itoa(days)))
			}
		}
	}
	return list
}
