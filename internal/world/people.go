package world

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/account"
	organizations "commissionportal/internal/organization"
	"commissionportal/internal/sample"
	"commissionportal/internal/slug"
)

type organization struct {
	id       uuid.UUID
	name     string
	country  string
	kind     string
	category string
	at       time.Time
	first    int // the person who registered it
}

type person struct {
	id    uuid.UUID
	name  string
	email string
	at    time.Time
	org   int // -1 for none
	first bool
}

// The persons of the sample, who sign in here too.
const (
	secretariat = iota
	chair
	member
	cast // so many
)

// countries are those of the organizations, more from the first.
var countries = strings.Fields("US DE CN JP GB FR IN KR BR IT CA ES NL AU CH SE MX ID TR PL BE AR AT NO DK FI SG ZA EG SA AE IL MY TH VN PH CL CO PE NG KE GH MA TN PT GR CZ HU RO UA NZ IE")

var (
	trades  = strings.Fields("Energy Grid Rail Marine Agro Medical Digital Freight Solar Wind Steel Chemical Water Harbor Aviation Textile Timber Insurance Banking Museum University Polytechnic Travel Hotel Robotics Sensor Semiconductor Battery Hydrogen Cement Paper Food Dairy Seed Pharma Hospital Logistics Port Standards Metrology")
	makings = strings.Fields("Works Systems Group Institute Holdings Partners Laboratories Industries Networks Services Technologies Consortium Association Authority Union Federation Council Center Agency Company")
)

// organize makes the organizations up.
func (w *world) organize() {
	start := w.now.Add(-years(9))
	for n := range w.size.Organizations {
		o := organization{country: countries[skewed(w.random, len(countries), 2)], at: start.Add(time.Duration(float64(n) / float64(w.size.Organizations) * float64(years(8.9)))), first: -1,
			kind: one(w.random, []string{"company", "company", "company", "company", "company", "academia", "association", "government", "standards_body", "intergovernmental"})}
		o.id, o.category = w.id(o.at), one(w.random, []string{"founding", "full", "full", "full", "associate", "associate", "observer", "liaison"})
		pool := w.pool(o.country)
		o.name = fmt.Sprintf("%s %s %s %d", one(w.random, pool.Family), one(w.random, trades), one(w.random, makings), n+1)
		w.organizations = append(w.organizations, o)
	}
}

func (w *world) pool(country string) sample.Pool {
	for _, p := range w.names {
		for _, c := range p.Countries {
			if c == country {
				return p
			}
		}
	}
	return w.names[0]
}

// populate makes the persons up: most act for an organization, and many for few.
func (w *world) populate() {
	pools := map[string]sample.Pool{}
	for _, c := range countries {
		pools[c] = w.pool(c)
	}
	for n := range w.size.Persons {
		p := person{org: -1, at: w.between(w.now.Add(-years(8.9)), w.now)}
		country := one(w.random, countries)
		if n < len(w.organizations) { // everyone has somebody
			p.org = n
		} else if w.chance(0.92) {
			p.org = skewed(w.random, len(w.organizations), 1.6)
		}
		if p.org >= 0 {
			o := &w.organizations[p.org]
			country, p.at = o.country, w.between(o.at, w.now)
			if o.first < 0 {
				o.first, p.first, p.at = n, true, o.at
			}
		}
		pool := pools[country]
		p.id, p.name = w.id(p.at), pool.Name(w.random)+" "+string(rune('A'+w.random.IntN(26)))+"."
		p.email = slug.Make(one(w.random, pool.Family)) + strconv.Itoa(n) + "@post.example"
		switch n {
		case secretariat:
			p.name, p.email = "Sam Secretariat", sample.Secretariat
		case chair:
			p.name, p.email = "Carla Chair", sample.Chair
		case member:
			p.name, p.email = "Max Member", sample.Member
		}
		w.persons = append(w.persons, p)
	}
}

func (w *world) writePeople(ctx context.Context, db *sql.DB) error {
	n := -1
	if err := rows(ctx, db, "person", "id email name password_hash confirmed_at time_zone country created_at", w.persons, func(p person) []any {
		n++
		var password any
		if n < cast {
			password = sample.PasswordHash
		}
		country := countries[n%len(countries)]
		if p.org >= 0 {
			country = w.organizations[p.org].country
		}
		return []any{p.id, p.email, p.name, password, p.at, account.ZoneOf(country), country, p.at}
	}); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `INSERT INTO portal_role (person_id, role) VALUES ($1, 'secretariat')`, w.persons[secretariat].id); err != nil {
		return err
	}
	if err := rows(ctx, db, "organization", "id slug name plain_name kind category country website domain state state_since registered_by created_at", w.organizations, func(o organization) []any {
		name := slug.Make(o.name)
		return []any{o.id, name, o.name, organizations.Plain(o.name), o.kind, o.category, o.country, "https://www." + name + ".example", name + ".example", "member", o.at, w.persons[o.first].id, o.at}
	}); err != nil {
		return err
	}
	return rows(ctx, db, "affiliation", "id person_id organization_id state representative period", w.persons, func(p person) []any {
		if p.org < 0 {
			return nil
		}
		return []any{w.id(p.at), p.id, w.organizations[p.org].id, "confirmed", p.first || w.chance(0.02), period(p.at, time.Time{})}
	})
}
