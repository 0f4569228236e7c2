package sample

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/commission"
	"commissionportal/internal/organization"
)

// participation is an organization's place in a commission.
type participation struct {
	ID    uuid.UUID
	Org   *org
	Body  *body
	Level string
	From  time.Time
	Until *time.Time

	founding bool
}

// Who has a fixed place: for the sample's own persons, and for what was merged
// or suspended.
var (
	always = map[string][]string{
		"energy-storage":                      {"Nordwind Energie", "Savannah Grid Company"},
		"power-grids-and-interconnection":     {"Savannah Grid Company"},
		"island-and-mini-grids":               {"Savannah Grid Company"},
		"hydrogen-and-synthetic-fuels":        {"Nordwind Energie"},
		"soil-and-water":                      {"Nile Delta University of Research"},
		"health-data-exchange":                {"Nile Delta University of Research"},
		"container-and-port-documents":        {"Levant Cargo Brokers"},
		"cold-chains":                         {"Levant Cargo Brokers"},
		"destinations-under-pressure":         {"Aegean Tourism Board"},
		"machine-safety-and-interoperability": {"Kaze Heavy Machinery"},
	}
	never = map[string][]string{
		"soil-and-water":               {"Nile Delta Research University"},
		"health-data-exchange":         {"Nile Delta Research University"},
		"hydrogen-and-synthetic-fuels": {"Savannah Grid Company"},
	}
)

// takesPart reports whether the organization has a vote in the commission at
// that time.
func (w *world) takesPart(o *org, b *body, at time.Time) bool {
	return slices.ContainsFunc(w.participations, func(p *participation) bool {
		return p.Body == b && p.Org == o && p.Level == "P" && p.From.Before(at) && (p.Until == nil || p.Until.After(at))
	})
}

// level is at which an organization takes part.
func (w *world) level(o *org) string {
	switch {
	case o.Category == "liaison":
		return "L"
	case o.Category == "observer", (o.Kind == "academia" || o.Kind == "association") && w.chance(0.25), w.chance(0.1):
		return "O"
	case (o.Kind == "standards_body" || o.Kind == "intergovernmental") && w.chance(0.35):
		return "L"
	}
	return "P"
}

// curious reports whether an organization may look into other sectors, too: those
// who study, insure and compute do.
func (w *world) curious(o *org) bool {
	return o.Kind == "academia" || o.Kind == "standards_body" || slices.Contains(o.Sectors, "finance") || slices.Contains(o.Sectors, "ai")
}

// takePart makes the participations of a commission: a few from the founding on,
// the convener's first, the others over time.
func (w *world) takePart(b *body) error {
	if b.Called.IsZero() {
		return nil
	}
	var list []*org
	for _, o := range w.organizations {
		if slices.Contains(always[b.Slug], o.Name) {
			list = append(list, o)
		}
	}
	fixed := len(list)
	if !slices.Contains(list, b.For) {
		list = append(list, b.For)
	}
	affine, other := 0.8, 0.0
	if b.Parent != nil {
		affine, other = 0.45, 0.3
	}
	founders := 0
	for _, o := range w.near(b, w.now) {
		p := other
		switch {
		case slices.Contains(o.Sectors, b.Sector):
			p = affine
		case b.Parent == nil && w.curious(o):
			p = 0.05
		}
		early := founders < 4 && o.Accepted.Before(b.Called) && (slices.Contains(o.Sectors, b.Sector) || founders < 3)
		if b.Parent != nil {
			early = founders < 4 && w.takesPart(o, b.Parent, b.Called)
		}
		if slices.Contains(list, o) || !early && !w.chance(p) {
			continue
		}
		if early && o.Category != "liaison" && o.Category != "observer" {
			founders++
		} else if early && !w.chance(p) {
			continue
		}
		list = append(list, o)
	}
	founders = 0
	for i, o := range list {
		p := &participation{Org: o.heir(), Body: b, Level: w.level(o)}
		since := o.Accepted
		if b.Parent != nil {
			i := slices.IndexFunc(w.participations, func(x *participation) bool { return x.Body == b.Parent && x.Org == o.heir() })
			if i < 0 {
				continue
			}
			since = w.participations[i].From
		}
		until := w.now
		if b.State != commission.Active && b.State != commission.Forming {
			until = b.StateAt
		}
		atFounding := since.Before(b.Called)
		if atFounding && founders >= 4 && i > fixed {
			atFounding = w.chance(0.35)
		}
		switch {
		case o.State != organization.Member:
			p.Level, p.From = "P", o.Accepted.Add(20*day)
			if p.From.Before(b.Active) {
				p.From = b.Active.Add(60 * day)
			}
			if o.State == organization.Suspended {
				p.Until = &o.Since
			}
		case atFounding && !b.Active.IsZero():
			p.founding, p.From = true, w.between(b.Called.Add(day), b.Active.Add(-17*day))
			if founders < 5 && o.Category != "liaison" && o.Category != "observer" || o == b.For || i < fixed {
				p.Level = "P"
				founders++
			}
		case b.Active.IsZero():
			if i > 4 {
				continue
			}
			p.Level, p.From = "P", w.between(later(b.Called, since), w.now)
		default:
			p.From = w.part(later(b.Active.Add(10*day), since.Add(5*day)), until, w.random.Float64()*w.random.Float64())
			if p.From.After(until.Add(-20 * day)) {
				continue
			}
		}
		p.ID = w.id(p.From)
		w.participations = append(w.participations, p)
		// Some begin by observing, and a few have had enough.
		rest := until.Sub(p.From)
		switch {
		case o.State != organization.Member || p.founding || i < fixed || rest < 10*month:
		case p.Level == "P" && w.chance(0.14):
			then := w.part(p.From.Add(4*month), until, 0.4)
			p.Level, p.Until = "O", &then
			w.participations = append(w.participations, &participation{ID: w.id(then), Org: p.Org, Body: b, Level: "P", From: then})
		case w.chance(0.09):
			then := w.part(p.From.Add(6*month), until, 0.3)
			p.Until = &then
		}
	}
	if !b.Active.IsZero() && founders < 3 {
		return fmt.Errorf("sample: %s has %d founders", b.Slug, founders)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
