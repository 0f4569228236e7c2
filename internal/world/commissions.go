package world

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/slug"
)

type commission struct {
	id     uuid.UUID
	name   string
	kind   string
	parent int // -1 for none
	sector int
	state  string
	at     time.Time
	since  time.Time // of the state
	seats  int
	leader int // the person who chairs it, or convened it
}

func (c commission) acronym(n int) string {
	var b strings.Builder
	for _, word := range strings.Fields(c.name) {
		if word[0] >= 'A' && word[0] <= 'Z' {
			b.WriteByte(word[0])
		}
	}
	return fmt.Sprintf("%s%d", b.String(), n+1)
}

var (
	aspects = strings.Split("Safety,Data Exchange,Measurement,Interoperability,Certification,Maintenance,Vocabulary,Testing,Training,Risk,Environmental Impact,Energy Use,Cybersecurity,Procurement,Traceability,Quality,Financing,Accessibility,Emergency Response,Reuse", ",")
	topics  = strings.Split("Offshore Wind,Grid Storage,Rail Freight,Inland Ports,Medical Imaging,Crop Monitoring,Machine Learning,Payment Systems,Museum Collections,Vocational Schools,City Tourism,Green Steel,Battery Recycling,Hydrogen Pipelines,Cold Chains,Hospital Records,Autonomous Ships,Satellite Links,Water Treatment,Timber Construction,Industrial Robots,Smart Meters,Air Cargo,Fisheries,Vaccines,Insurance Claims,Film Archives,Digital Credentials,Mountain Resorts,Microchips,Bridges,Tunnels,Soil Health,Power Electronics,Language Models,Customs Papers", ",")
	wheres  = strings.Split(",in Small Enterprises,in Cold Climates,across Borders,in Cities,at Sea,in Rural Areas,in Public Services,under Stress,over the Life Cycle", ",")
)

// found makes the commissions up, the largest first: few commissions, which many
// subcommissions, working groups and task forces stand under. What has others under it
// is active.
func (w *world) found() {
	n := w.size.Commissions
	ends := [4]int{max(4, n*6/100), n * 30 / 100, n * 85 / 100, n} // of each kind
	kinds := [4]string{"commission", "subcommission", "working_group", "task_force"}
	sizes := append([]int{w.size.Largest}, shares(w.size.Seats-w.size.Largest, n-1, 0.6)...)
	for i := range n {
		kind, from := 0, 0
		for i >= ends[kind] {
			from, kind = ends[kind], kind+1
		}
		above := func(kind int) int { // most of them under few
			from := 0
			if kind > 0 {
				from = ends[kind-1]
			}
			return from + skewed(w.random, (ends[kind]-from)*6/10, 1.5)
		}
		c := commission{kind: kinds[kind], parent: -1, sector: i % len(w.sectors), state: "active", seats: sizes[i], at: w.between(w.now.Add(-years(8)), w.now.Add(-years(2)))}
		switch kind {
		case 1:
			c.parent = above(0)
		case 2:
			if c.parent = above(1); w.chance(0.2) {
				c.parent = above(0)
			}
		case 3:
			if c.parent = above(2); w.chance(0.1) {
				c.parent = -1
			}
		}
		if c.parent >= 0 {
			p := w.commissions[c.parent]
			c.sector, c.at = p.sector, w.between(p.at, w.now.Add(-years(0.5)))
		}
		if kind >= 2 && i-from >= (ends[kind]-from)*6/10 {
			c.state = one(w.random, []string{"active", "active", "active", "active", "active", "active", "proposed", "forming", "dormant", "concluded"})
		}
		c.id, c.since = w.id(c.at), w.between(c.at, w.now)
		c.name = strings.TrimSpace(one(w.random, aspects) + " of " + one(w.random, topics) + " " + one(w.random, wheres))
		for c.leader = w.random.IntN(len(w.persons)); w.persons[c.leader].at.After(c.at); {
			c.leader /= 2 // the first came first
		}
		w.commissions = append(w.commissions, c)
	}
}

const charter = "# %s\n\n## Purpose\n\nThis commission agrees how %s is done, so that what one member builds works with what another runs, and whoever buys either knows what to ask for.\n\n" +
	"## Scope\n\n- Terms, and what is measured how\n- Requirements, each with the test that shows it\n- Guidance for those who begin\n\nOut of scope: prices, and what national law decides.\n\n" +
	"## How it works\n\nMembers meet four times a year, online or where a member invites them. Drafts are open for comment for at least six weeks; every comment gets an answer.\n"

func (w *world) writeCommissions(ctx context.Context, db *sql.DB) error {
	n := -1
	if err := rows(ctx, db, "commission", "id slug acronym name kind parent_id parent_kind sector_id state state_since purpose convener_id join_mode roster_visibility term_months created_at", w.commissions, func(c commission) []any {
		n++
		var parent, parentKind any
		if c.parent >= 0 {
			parent, parentKind = w.commissions[c.parent].id, w.commissions[c.parent].kind
		}
		return []any{c.id, slug.Make(c.name) + fmt.Sprintf("-%d", n+1), c.acronym(n), c.name, c.kind, parent, parentKind, w.sectors[c.sector], c.state, c.since,
			"Agrees how " + c.name + " is done.", w.persons[c.leader].id, one(w.random, []string{"application", "application", "open", "invitation"}),
			one(w.random, []string{"public", "public", "portal", "commission"}), 36, c.at}
	}); err != nil {
		return err
	}
	if err := rows(ctx, db, "charter", "commission_id number body summary author_id created_at adopted_at", w.commissions, func(c commission) []any {
		var adopted any
		if c.state != "proposed" && c.state != "forming" {
			adopted = c.since
		}
		return []any{c.id, 1, fmt.Sprintf(charter, c.name, c.name), "First text", w.persons[c.leader].id, c.at, adopted}
	}); err != nil {
		return err
	}
	if err := load(ctx, db, "milestone", "id commission_id title due_on done_on", func(row func(...any) error) error {
		for _, c := range w.commissions {
			for i, title := range []string{"Adopt the vocabulary", "Publish the first requirements", "Hold a round of tests"} {
				due := c.at.Add(years(float64(i) + 1))
				var done any
				if due.Before(w.now) {
					done = due.Format(time.DateOnly)
				}
				if err := row(w.id(c.at), c.id, title, due.Format(time.DateOnly), done); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	// Rules of their own, for some of those that work.
	var active, own []uuid.UUID
	for _, c := range w.commissions {
		if c.state == "active" {
			active = append(active, c.id)
		}
	}
	for i := range min(w.size.Overrides, len(active)) { // large ones and small ones
		own = append(own, active[i*len(active)/w.size.Overrides])
	}
	if err := rows(ctx, db, "access_rules", "commission_id version", own, func(id uuid.UUID) []any { return []any{id, 1} }); err != nil {
		return err
	}
	if err := load(ctx, db, "access_rule", "commission_id role object action effect", func(row func(...any) error) error {
		for _, id := range own {
			for _, rule := range [][4]string{{"observer", "document", "submit", "deny"}, {"vice_chair", "charter", "adopt", "allow"}, {"voting_representative", "application", "read", "allow"}} {
				if err := row(id, rule[0], rule[1], rule[2], rule[3]); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, `UPDATE access_version SET version = 1`)
	return err
}
