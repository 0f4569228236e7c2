package sample

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/commission"
	"commissionportal/internal/journal"
)

// body is a commission of any kind.
type body struct {
	*bodyText
	ID       uuid.UUID
	Parent   *body
	Proposed time.Time
	Called   time.Time // when the call for participation went out; zero if it did not
	Active   time.Time // when it became active; zero if it did not
	StateAt  time.Time
	Convener *person
	For      *org // that the convener acts for

	taken  map[*person]bool // who has, or had, a seat
	chairs []lead
}

// lead is who chairs from then on.
type lead struct {
	from time.Time
	*person
}

func (b *body) scope() access.Scope { return access.Commission(b.ID) }

// leader is who decides at that time: the chair, before there is one the convener.
func (b *body) leader(at time.Time) *person {
	p := b.Convener
	for _, l := range b.chairs {
		if !l.from.After(at) {
			p = l.person
		}
	}
	return p
}

// end is until when things went on in it.
func (b *body) end(now time.Time) time.Time {
	switch b.State {
	case commission.Dormant, commission.Concluded, commission.Abandoned:
		return b.StateAt
	}
	return now
}

type support struct {
	Body   *body
	Person *person
	Org    *org
	At     time.Time
}

type revision struct {
	Body    *body
	Number  int
	Text    string
	Summary string
	Author  *person
	At      time.Time
	Adopted *time.Time
}

type milestone struct {
	ID    uuid.UUID
	Body  *body
	Title string
	Due   time.Time
	Done  *time.Time
}

// found makes the commissions, from their proposal to the state they are in.
func (w *world) found() error {
	texts, err := readBodies()
	if err != nil {
		return err
	}
	bySlug := map[string]*body{}
	for _, t := range texts {
		b := &body{bodyText: t, taken: map[*person]bool{}}
		if t.Under != "" {
			if b.Parent = bySlug[t.Under]; b.Parent == nil {
				return fmt.Errorf("sample: %s is under %s, which is not there", t.Slug, t.Under)
			}
		}
		bySlug[t.Slug] = b
		w.bodies = append(w.bodies, b)
		w.date(b)
		b.ID = w.id(b.Proposed)
		if err := w.gather(b); err != nil {
			return err
		}
		w.record(access.Portal, b.Proposed, b.Convener, "commission", "propose", b.ID, journal.Say("Proposed %s", b.Name))
		w.move(b)
		if err := w.charter(b); err != nil {
			return err
		}
		w.plan(b)
		if err := w.takePart(b); err != nil {
			return err
		}
	}
	return nil
}

// date says when it was proposed and what came after.
func (w *world) date(b *body) {
	at := w.ago(float64(b.Age) + 0.2*w.random.Float64())
	switch b.State {
	case commission.Proposed, commission.Abandoned:
		b.Proposed, b.StateAt = at, at
	case commission.Forming:
		b.Called, b.StateAt = at, at
		b.Proposed = w.working(at.Add(-time.Duration(50+w.random.IntN(40)) * day))
	default:
		b.Active, b.StateAt = at, at
		b.Called = w.working(at.Add(-time.Duration(38+w.random.IntN(20)) * day))
		b.Proposed = w.working(b.Called.Add(-time.Duration(30+w.random.IntN(30)) * day))
	}
	if b.Since > 0 {
		b.StateAt = w.ago(float64(b.Since))
	}
}

// near are the organizations that could take part at that time, those of the
// sector first.
func (w *world) near(b *body, at time.Time) []*org {
	var in, out []*org
	for _, o := range shuffled(w, w.organizations) {
		switch {
		case b.Parent != nil && at.Before(w.now) && !w.takesPart(o, b.Parent, at):
			// A body under another is proposed by those who vote in that.
		case o.State != "member" || o.Name == office || slices.Contains(never[b.Slug], o.Name) || !o.Accepted.Before(at):
		case slices.Contains(o.Sectors, b.Sector):
			in = append(in, o)
		default:
			out = append(out, o)
		}
	}
	return append(in, out...)
}

// gather makes the convener and those who signed on.
func (w *world) gather(b *body) error {
	want := b.Supporters
	if want[0] == 0 {
		n := 4 + w.random.IntN(3)
		want = [3]int{n + 2 + w.random.IntN(4), n, n}
	}
	near := w.near(b, b.Proposed.Add(-2*day))
	if b.bodyText.ProposedBy != "" {
		i := slices.IndexFunc(near, func(o *org) bool { return o.Name == b.bodyText.ProposedBy })
		if i < 0 {
			return fmt.Errorf("sample: %s cannot propose %s: it was no member then", b.bodyText.ProposedBy, b.Name)
		}
		first := near[i]
		near = slices.Insert(slices.Delete(near, i, i+1), 0, first)
	}
	// As many countries as wanted, and the other organizations from one of these.
	if want[1] > want[2] {
		houses := map[string]int{}
		for _, o := range near {
			houses[o.Country]++
		}
		slices.SortStableFunc(near[1:], func(a, b *org) int { return min(houses[b.Country], 2) - min(houses[a.Country], 2) })
	}
	var from []*org
	countries := map[string]bool{}
	for _, o := range near {
		if len(countries) < want[2] && !countries[o.Country] && w.pick(o, b.Proposed, nil) != nil {
			countries[o.Country] = true
			from = append(from, o)
		}
	}
	for _, o := range near {
		if len(from) < want[1] && countries[o.Country] && !slices.Contains(from, o) && w.pick(o, b.Proposed, nil) != nil {
			from = append(from, o)
		}
	}
	if len(from) < 3 && b.Supporters[0] == 0 || b.Supporters[0] > 0 && (len(from) != want[1] || len(countries) != want[2]) {
		return fmt.Errorf("sample: %s has %d supporting organizations in %d countries", b.Name, len(from), len(countries))
	}
	until := b.Called
	switch b.State {
	case commission.Proposed:
		until = w.now
	case commission.Abandoned:
		until = b.StateAt
	}
	signed := map[*person]bool{}
	for n, i := 0, 0; n < want[0] && i < 10*want[0]; i++ {
		o := from[i%len(from)]
		at := b.Proposed
		if n > 0 {
			at = w.between(b.Proposed, until)
		}
		p := w.pick(o, b.Proposed, signed)
		if p == nil {
			continue
		}
		p.Seats++
		signed[p] = true
		n++
		w.supports = append(w.supports, support{b, p, o, at})
		if n == 1 {
			b.Convener, b.For = p, o
		} else {
			w.record(b.scope(), at, p, "support", "sign", b.ID, journal.Say("Supported %s for %s", b.Name, o.Name))
		}
	}
	if len(signed) != want[0] {
		return fmt.Errorf("sample: %s has %d supporters", b.Name, len(signed))
	}
	return nil
}

// move records the steps from state to state.
func (w *world) move(b *body) {
	step := func(at time.Time, by *person, action, text, from, to, reason string) {
		w.record(b.scope(), at, by, "commission", action, b.ID, journal.Say(text, b.Name).
			Changed(map[string]string{"state": from}, map[string]string{"state": to, "reason": reason}))
	}
	if !b.Called.IsZero() {
		step(b.Called, b.Convener, "call", "Sent out the call for participation in %s", "proposed", "forming", "")
	}
	if !b.Active.IsZero() {
		step(b.Active, w.clerk(b.Active), "activate", "Activated %s", "forming", "active", "")
	}
	switch b.State {
	case commission.Dormant:
		step(b.StateAt, w.clerk(b.StateAt), "rest", "Put %s to rest", "active", "dormant", "Its editors have moved to other work, and no revision of the record is due for two years.")
	case commission.Concluded:
		step(b.StateAt, w.clerk(b.StateAt), "conclude", "Concluded %s", "active", "concluded", "What the charter promised is done: no airport of its members asks another for paper.")
	case commission.Abandoned:
		step(b.StateAt, b.Convener, "abandon", "Abandoned %s", "proposed", "abandoned", "Too few supporters in six months. The question goes to the commission for insurance of industrial risk.")
	}
}

// charter makes the revisions of the charter.
func (w *world) charter(b *body) error {
	r := revision{Body: b, Number: 1, Text: b.Charter, Summary: "First draft", Author: b.Convener, At: b.Proposed}
	list := []revision{r}
	for _, t := range b.Revisions {
		var err error
		if r.Text, err = t.apply(r.Text); err != nil {
			return fmt.Errorf("sample: %s: %w", b.Slug, err)
		}
		r.Number++
		r.Summary = t.Summary
		if t.When == "founding" {
			from, to := b.Proposed.Add(5*day), w.now
			if !b.Called.IsZero() {
				from = b.Called
			}
			if !b.Active.IsZero() {
				to = b.Active.Add(-12 * day)
			}
			r.At = w.between(from, to)
		} else {
			months, err := strconv.Atoi(t.When)
			if err != nil {
				return fmt.Errorf("sample: %s: %w", b.Slug, err)
			}
			r.At = w.ago(float64(months) + 0.3 + 0.3*w.random.Float64())
		}
		list = append(list, r)
	}
	for i := range list {
		draft := i > 0 && b.Revisions[i-1].Draft
		switch {
		case b.Active.IsZero() || draft:
		case list[i].At.Before(b.Active):
			if i+1 == len(list) || !list[i+1].At.Before(b.Active) { // what was there at the founding
				at := b.Active.Add(-2 * time.Hour)
				list[i].Adopted = &at
			}
		default:
			at := w.between(list[i].At.Add(20*day), list[i].At.Add(60*day))
			list[i].Adopted = &at
		}
	}
	w.revisions = append(w.revisions, list...)
	return nil
}

// earlier is the first of two times.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// plan makes the milestones. What is due is so in the middle of a month; what is
// done was mostly done in time.
func (w *world) plan(b *body) {
	for _, t := range b.Milestones {
		m := milestone{Body: b, Title: t.Title, Due: w.now.AddDate(0, t.Due, w.random.IntN(19)-12)}
		if t.Done {
			done := w.working(m.Due.AddDate(0, 0, w.random.IntN(34)-22))
			m.Done = &done
		}
		m.ID = w.id(earlier(m.Due.AddDate(0, -9, 0), w.now.Add(-10*day)))
		w.milestones = append(w.milestones, m)
	}
}
