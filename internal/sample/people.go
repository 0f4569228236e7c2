package sample

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/journal"
	"commissionportal/internal/organization"
	"commissionportal/internal/slug"
)

// persons is how many there are.
const persons = 620

// org is an organization.
type org struct {
	organizationText
	ID         uuid.UUID
	Slug       string
	Registered time.Time
	Accepted   time.Time
	State      string
	Since      time.Time // of the state
	Into       *org      // that it was merged into
	People     []*person // the primary representative first
	NoRep      bool
}

// scope is the scope of its journal.
func (o *org) scope() access.Scope { return access.Organization(o.ID) }

// heir is what became of it, or itself.
func (o *org) heir() *org {
	if o.Into != nil {
		return o.Into
	}
	return o
}

// rep is its primary representative, or nil.
func (o *org) rep() *person {
	if o.NoRep {
		return nil
	}
	return o.People[0]
}

// person is a person; Latin is the name as an address writes it.
type person struct {
	ID      uuid.UUID
	Email   string
	Name    string
	Latin   string
	Country string
	About   string
	Created time.Time
	Home    *org // nil for an expert on their own
	Cast    bool // has a part of their own in the sample: given no other by chance
	Seats   int  // that fell to them
}

type affiliation struct {
	ID             uuid.UUID
	Person         *person
	Org            *org
	Title          string
	State          string
	Representative bool
	From           time.Time
	Until          *time.Time
	Reason         string
}

// age is for how many months the convention exists.
const age = 50

// join makes the organizations. Their number grows the faster the more there are.
func (w *world) join() error {
	texts, err := readOrganizations()
	if err != nil {
		return err
	}
	var rank []float64
	later := 0
	for _, t := range texts {
		if t.Category != "founding" && t.State == "" {
			later++
		}
	}
	for i := range later {
		rank = append(rank, (float64(i)+0.5)/float64(later))
	}
	for i := range rank { // those who came about the same time, in another order
		j := min(len(rank)-1, i+w.random.IntN(12))
		rank[i], rank[j] = rank[j], rank[i]
	}
	slugs := map[string]bool{}
	waiting := 0
	for _, t := range texts {
		o := &org{organizationText: t, State: organization.Member}
		switch {
		case t.Category == "founding":
			o.Registered = w.ago(age - 1.2*w.random.Float64())
		case t.State == "":
			o.Registered = w.ago((age - 3) * (1 - math.Pow(rank[0], 0.72)))
			rank = rank[1:]
		case t.State == organization.Pending:
			o.Registered = w.now.Add(-time.Duration([]float64{11.3, 4.6, 2.2, 0.4}[waiting] * float64(day))).Truncate(time.Second)
			waiting++
		case t.State == organization.Suspended:
			o.Registered = w.ago(26)
		default:
			o.Registered = w.ago(15)
		}
		if o.Registered.After(w.now.Add(-9*day)) && t.State == "" {
			o.Registered = o.Registered.Add(-9 * day)
		}
		o.Accepted = w.between(o.Registered.Add(4*time.Hour), o.Registered.Add(8*day))
		o.Since = o.Accepted
		base := slug.Make(t.Name)
		if base == "" {
			base, _, _ = strings.Cut(t.Domain, ".")
		}
		o.Slug = slug.Unique(base, func(s string) bool { return slugs[s] })
		slugs[o.Slug] = true
		o.ID = w.id(o.Registered)
		name, isMerged := strings.CutPrefix(t.State, "merged into ")
		switch {
		case isMerged:
			i := slices.IndexFunc(w.organizations, func(x *org) bool { return x.Name == name })
			if i < 0 {
				return fmt.Errorf("sample: %s is merged into %s, which is not there", t.Name, name)
			}
			o.Into, o.State, o.Since = w.organizations[i], organization.Merged, w.ago(6)
		case t.State == organization.Suspended:
			o.State, o.Since = t.State, w.ago(1.6)
		case t.State == organization.Pending:
			o.State, o.Since = t.State, o.Registered
		}
		w.organizations = append(w.organizations, o)
	}
	return nil
}

// size is how many persons an organization sends, about.
func (o *org) size() float64 {
	switch {
	case o.State == organization.Pending, o.Name == office:
		return 0
	case o.State != organization.Member:
		return 2.5
	}
	return map[string]float64{"founding": 7, "full": 5.3, "associate": 3.6, "observer": 2.6, "liaison": 2.8}[o.Category]
}

// office is the organization of the staff.
const office = "Convention Secretariat"

// experts is how many persons stand for nobody but themselves.
const experts = 30

// populate makes the persons and says for whom they act.
func (w *world) populate() error {
	names, err := readNames()
	if err != nil {
		return err
	}
	byName := map[string]*org{}
	total := 0.0
	for _, o := range w.organizations {
		byName[o.Name] = o
		total += o.size()
	}
	staff, chair, guest := byName[office], byName["Nordwind Energie"], byName["Savannah Grid Company"]
	w.staff = append(w.staff, w.cast("Amara Keita", Secretariat, "SN", staff, w.ago(age+1)))
	for _, country := range []string{"CH", "KR", "CL"} {
		w.staff = append(w.staff, w.add(names[country], country, staff, w.part(staff.Registered, w.now, 0.1)))
	}
	w.guest = w.cast("Daniel Okafor", Member, "NG", guest, guest.Accepted.Add(30*day))
	w.chair = w.cast("Katrin Vogel", Chair, "DE", chair, chair.Accepted.Add(3*day))
	left := persons - experts - len(w.people)
	for _, o := range w.organizations {
		if o.State == organization.Pending {
			o.People = append(o.People, w.add(names[o.Country], o.Country, o, o.Registered.Add(-20*time.Minute)))
			left--
		}
	}
	fair := float64(left) / total
	sum := 0.0
	for _, o := range w.organizations {
		before := int(math.Round(sum))
		sum += o.size() * fair
		for i := before; i < int(math.Round(sum)); i++ {
			at := w.part(o.Accepted, w.now, w.random.Float64()*w.random.Float64()*0.9)
			switch n := len(o.People); {
			case n == 0 || o.People[0].Cast && n == 1:
				at = o.Registered.Add(-time.Duration(1+w.random.IntN(40)) * time.Hour)
			case n <= 3:
				at = w.between(o.Accepted, o.Accepted.Add(25*day))
			}
			if o.State != organization.Member && at.After(o.Since.Add(-90*day)) {
				at = o.Accepted.Add(time.Duration(i-before) * time.Hour)
			}
			country := o.Country
			if w.chance(0.08) { // people move
				country = one(w, w.organizations).Country
			}
			p := w.add(names[country], country, o, at)
			if len(o.People) > 0 && o.People[0].Cast { // who registered it stands first
				o.People = append([]*person{p}, o.People...)
			} else {
				o.People = append(o.People, p)
			}
		}
	}
	for i := range experts {
		country := w.organizations[(i*37)%len(w.organizations)].Country
		w.add(names[country], country, nil, w.ago(2+float64(age-6)*w.random.Float64()))
	}
	if len(w.people) != persons {
		return fmt.Errorf("sample: %d persons", len(w.people))
	}
	w.affiliate()
	w.enter()
	return nil
}

// cast adds a person with a part of their own.
func (w *world) cast(name, email, country string, o *org, at time.Time) *person {
	p := &person{ID: w.id(at), Name: name, Latin: name, Email: email, Country: country, Created: at, Home: o, Cast: true}
	w.used[name], w.used[email] = true, true
	w.people = append(w.people, p)
	o.People = append(o.People, p)
	return p
}

// add adds a person with a name that nobody has, of those usual in the country.
func (w *world) add(pool *nameText, country string, o *org, at time.Time) *person {
	p := &person{ID: w.id(at), Country: country, Created: at, Home: o}
	for {
		first, last := one(w, pool.Men), one(w, pool.MenLast)
		if w.chance(0.5) {
			first, last = one(w, pool.Women), one(w, pool.WomenLast)
		}
		p.Latin = first.Latin + " " + last.Latin
		if pool.FamilyFirst {
			p.Latin = last.Latin + " " + first.Latin
		}
		p.Name = p.Latin
		if first.Own != first.Latin && w.chance(0.45) {
			p.Name = first.Own + " " + last.Own
			switch {
			case pool.Joined:
				p.Name = last.Own + first.Own
			case country == "JP":
				p.Name = last.Own + " " + first.Own
			}
		}
		if !w.used[p.Latin] {
			break
		}
	}
	w.used[p.Latin] = true
	domain := "post.example"
	if o != nil {
		domain = o.Domain
	}
	local := strings.ReplaceAll(slug.Make(p.Latin), "-", ".")
	p.Email = local + "@" + domain
	for n := 2; w.used[p.Email]; n++ {
		p.Email = fmt.Sprintf("%s%d@%s", local, n, domain)
	}
	w.used[p.Email] = true
	if w.chance(0.12) {
		p.About = w.text("about")
	}
	w.people = append(w.people, p)
	if o != nil && o.Name == office {
		o.People = append(o.People, p)
	}
	return p
}

// affiliate makes the affiliations: one for each person of an organization, a
// second one for some, and a few that wait or were declined.
func (w *world) affiliate() {
	add := func(p *person, o *org, state string, from time.Time) *affiliation {
		w.affiliations = append(w.affiliations, affiliation{ID: w.id(from), Person: p, Org: o.heir(), State: state, From: from,
			Title: w.text("title " + o.Kind)})
		return &w.affiliations[len(w.affiliations)-1]
	}
	for i, o := range w.organizations {
		o.NoRep = i%16 == 15 && o.State == organization.Member
		for n, p := range o.People {
			from := p.Created.Add(10 * time.Minute)
			if from.Before(o.Registered) {
				from = o.Registered
			}
			a := add(p, o, "confirmed", from)
			a.Representative = n == 0 && !o.NoRep || n == 1 && o.Category == "founding" && p != w.guest
			if p.Home == nil {
				p.Home = o
			}
			if n > 0 {
				w.record(o.scope(), from, p, "affiliation", "claim", a.ID, journal.Say("%s acts for %s, as the e-mail address shows", p.Name, o.Name))
			}
			if o.Into != nil {
				a.Representative = false
			}
		}
	}
	// A second house: a professor who advises a company, a company's envoy in an association.
	second := 0
	for _, p := range shuffled(w, w.people) {
		if p.Home == nil || p.Cast || p.Home.State != organization.Member || second == 36 {
			continue
		}
		i := slices.IndexFunc(w.organizations, func(o *org) bool {
			return o != p.Home && o.State == organization.Member && o.Kind != p.Home.Kind && o.Name != office &&
				(o.Country == p.Country || slices.ContainsFunc(o.Sectors, func(s string) bool { return slices.Contains(p.Home.Sectors, s) && w.chance(0.02) })) &&
				o.Accepted.Before(w.now.Add(-40*day))
		})
		if i < 0 {
			continue
		}
		o := w.organizations[i]
		from := p.Created
		if from.Before(o.Accepted) {
			from = o.Accepted
		}
		state, at := "confirmed", w.part(from, w.now, 0.3)
		if second >= 28 {
			state, at = "claimed", w.between(w.now.Add(-20*day), w.now)
		}
		if second >= 34 {
			state = "declined"
		}
		a := add(p, o, state, at)
		w.record(o.scope(), at, p, "affiliation", "claim", a.ID, journal.Say("%s says to act for %s", p.Name, o.Name))
		if by := o.rep(); by != nil && state != "claimed" {
			then := w.between(at, at.Add(3*day))
			if state == "confirmed" {
				w.record(o.scope(), then, by, "affiliation", "confirm", a.ID, journal.Say("Confirmed that %s acts for %s", p.Name, o.Name))
			} else {
				a.Reason = "We do not know you under this address. Please write from the one of our house."
				w.record(o.scope(), then, by, "affiliation", "decline", a.ID, journal.Say("Declined that %s acts for %s", p.Name, o.Name))
			}
		}
		second++
	}
}

// enter records how persons and organizations came in.
func (w *world) enter() {
	for _, p := range w.people {
		w.record(access.Portal, p.Created, p, "account", "confirm", p.ID, journal.Say("%s confirmed the address and opened the account", p.Name))
	}
	for _, p := range w.staff {
		w.record(access.Portal, p.Created.Add(time.Hour), w.staff[0], "account", "promote", p.ID, journal.Say("Gave %s the role %s", p.Name, "secretariat"))
	}
	for _, o := range w.organizations {
		w.record(access.Portal, o.Registered, o.People[0], "organization", "register", o.ID, journal.Say("Registered %s", o.Name))
		if o.State == organization.Pending {
			continue
		}
		by := w.clerk(o.Accepted)
		w.record(o.scope(), o.Accepted, by, "organization", "accept", o.ID, journal.Say("Accepted %s as a member (%s)", o.Name, o.Category))
		switch o.State {
		case organization.Suspended:
			w.record(o.scope(), o.Since, w.staff[0], "organization", "suspend", o.ID, journal.Say("Suspended %s: %s", o.Name, suspension))
		case organization.Merged:
			w.record(o.scope(), o.Since, w.staff[0], "organization", "merge", o.ID, journal.Say("Merged %s into %s", o.Name, o.Into.Name))
			w.record(o.scope(), o.Since, w.staff[0], "organization", "merge", o.Into.ID, journal.Say("%s became part of %s", o.Name, o.Into.Name))
		}
	}
}

const suspension = "The annual contribution has not been paid for two years."

// clerk is one of the staff who was there by then.
func (w *world) clerk(at time.Time) *person {
	return one(w, slices.DeleteFunc(slices.Clone(w.staff), func(p *person) bool { return p.Created.After(at) }))
}

// zone is the time zone of most people of a country.
func (p *person) zone() string { return account.ZoneOf(p.Country) }

// acts reports whether the person acts for the organization from then on.
func (w *world) acts(p *person, o *org, at time.Time) bool {
	return slices.ContainsFunc(w.affiliations, func(a affiliation) bool {
		return a.Person == p && a.Org == o.heir() && a.State == "confirmed" && a.From.Before(at) && a.Until == nil
	})
}

// pick is somebody who can take a seat for the organization at that time, whom
// taken does not exclude; those with few seats first. nil if there is nobody.
func (w *world) pick(o *org, at time.Time, taken map[*person]bool) *person {
	var free []*person
	for _, p := range o.People {
		if !taken[p] && !p.Cast && w.acts(p, o, at) {
			free = append(free, p)
		}
	}
	if len(free) == 0 {
		return nil
	}
	free = shuffled(w, free)
	return slices.MinFunc(free, func(a, b *person) int { return cmp.Compare(a.Seats, b.Seats) })
}
