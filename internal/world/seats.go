package world

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/journal"
	"commissionportal/internal/membership"
)

// event is an entry of a journal.
type event struct {
	scope, object, action string
	in, by, about         uuid.UUID
	at                    time.Time
	note                  string
}

// writeSeats fills the commissions, and notes who takes part and what the journal
// says of it. A third of the seats have ended.
func (w *world) writeSeats(ctx context.Context, db *sql.DB) error {
	type place struct{ org, commission int }
	type part struct {
		level string
		since time.Time
		votes bool // one of its seats does now
	}
	parts := map[place]*part{} // how organizations take part
	var list []event
	if err := load(ctx, db, "seat", "id period commission_id person_id sort_name organization_id role voting appointed_by ended", func(row func(...any) error) error {
		for i := range w.commissions {
			c := &w.commissions[i]
			if c.state == "proposed" {
				continue
			}
			in, busy := map[int]bool{}, i > 0 && i <= w.size.Busiest
			for n, tries := 0, 0; n < c.seats && tries < 3*c.seats+20; tries++ {
				who := cast + skewed(w.random, len(w.persons)-cast, 1.3)
				switch {
				case i == 0 && n == 0:
					who = chair
				case busy && n == min(5, c.seats-1):
					who = member
				}
				p := w.persons[who]
				officer := n < 3 && who >= cast || who == chair
				if in[who] || officer && p.at.After(c.since) {
					continue
				}
				in[who] = true
				n++
				from := w.between(later(c.at, p.at), w.now)
				if officer {
					from = later(c.at, p.at)
				}
				until, ended, ok := w.end(c, from, officer || who == member)
				if !ok {
					continue
				}
				role, voting := membership.InvitedExpert, false
				var org any
				if p.org >= 0 {
					at := place{p.org, i}
					takes := parts[at]
					if takes == nil {
						takes = &part{level: one(w.random, []string{"P", "P", "P", "P", "P", "P", "O", "O", "O", "L"}), since: from}
						parts[at] = takes
					}
					if from.Before(takes.since) {
						takes.since = from
					}
					org, role = w.organizations[p.org].id, map[string]string{"P": membership.AlternateRepresentative, "O": membership.Observer, "L": membership.LiaisonOfficer}[takes.level]
					if live := until.IsZero() || until.After(w.now); takes.level == "P" && live && !takes.votes {
						role, voting, takes.votes = membership.VotingRepresentative, true, true
					}
				}
				if officer {
					role, voting = [4]string{"", membership.Chair, membership.ViceChair, membership.Secretary}[n], false
				}
				if role == membership.Chair {
					c.leader = who
				}
				id := w.id(from)
				if err := row(id, period(from, until), c.id, p.id, p.name, org, role, voting, "chair", ended); err != nil {
					return err
				}
				list = append(list, event{"commission", "seat", "appoint", c.id, w.by(c.leader, from), id, from,
					said("Appointed %s as %s", journal.Person(p.id), membership.Word(role))})
			}
			w.apply(i, in)
		}
		return nil
	}); err != nil {
		return err
	}
	places := slices.SortedFunc(maps.Keys(parts), func(a, b place) int {
		return cmp.Or(parts[a].since.Compare(parts[b].since), a.org-b.org, a.commission-b.commission)
	})
	if err := rows(ctx, db, "participation", "id organization_id commission_id level period", places, func(p place) []any {
		since := parts[p].since
		return []any{w.id(since), w.organizations[p.org].id, w.commissions[p.commission].id, parts[p].level, period(since, time.Time{})}
	}); err != nil {
		return err
	}
	if err := w.writeRequests(ctx, db); err != nil {
		return err
	}
	return rows(ctx, db, "world_event", "scope scope_id at person_id object action object_id note", list, func(e event) []any {
		return []any{e.scope, e.in, e.at, e.by, e.object, e.action, e.about, e.note}
	})
}

// end is when and why a seat ends; ok is false where there is no time for it.
func (w *world) end(c *commission, from time.Time, stays bool) (until time.Time, ended any, ok bool) {
	switch {
	case c.state == "concluded":
		until = later(c.since, from.Add(time.Hour))
		return until, "concluded", until.Before(w.now)
	case stays:
	case w.chance(0.36):
		if until = w.between(from.Add(time.Hour), w.now); w.chance(0.3) {
			ended = one(w.random, []string{"left", "recalled"})
		} else {
			until = until.Truncate(24 * time.Hour) // terms are of whole days
		}
		return until, ended, until.After(from) && until.Before(w.now)
	case w.chance(0.7):
		until = w.now.Add(time.Duration(w.random.Int64N(int64(years(3)))) + 24*time.Hour).Truncate(24 * time.Hour)
	}
	return until, nil, true
}

// application is one that waits, was rejected or was withdrawn.
type application struct {
	commission, person int
	at                 time.Time
}

// apply notes who would like a seat in a commission and has none: more in the first
// ones, and one in some of the others.
func (w *world) apply(i int, in map[int]bool) {
	c := w.commissions[i]
	if c.state != "active" && c.state != "forming" {
		return
	}
	n := 0
	if i < 40 {
		n = 1 + w.size.Commissions/(2*(i+1))
	} else if i%3 == 0 {
		n = 1
	}
	for range n {
		who := cast + w.random.IntN(len(w.persons)-cast)
		if p := w.persons[who]; p.org >= 0 && !in[who] {
			in[who] = true
			w.applications = append(w.applications, application{i, who, w.between(later(c.at, p.at), w.now)})
		}
	}
}

// writeRequests writes who supports what is proposed, and who applied.
func (w *world) writeRequests(ctx context.Context, db *sql.DB) error {
	if err := load(ctx, db, "support", "commission_id person_id organization_id created_at", func(row func(...any) error) error {
		for i, c := range w.commissions {
			for n := range 4 {
				if p := w.persons[cast+(i*31+n*7)%(len(w.persons)-cast)]; c.state == "proposed" && p.org >= 0 {
					if err := row(c.id, p.id, w.organizations[p.org].id, w.between(later(c.at, p.at), w.now)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return rows(ctx, db, "application", "id commission_id person_id organization_id role statement state decided_by decided_at reason created_at", w.applications, func(a application) []any {
		c, p := w.commissions[a.commission], w.persons[a.person]
		state, by, decided, reason := "pending", any(nil), any(nil), ""
		switch {
		case w.chance(0.3):
			state, by, decided, reason = "rejected", w.by(c.leader, a.at), w.between(a.at, w.now), "All seats of this role are filled until the next election."
		case w.chance(0.1):
			state, decided = "withdrawn", w.between(a.at, w.now)
		}
		return []any{w.id(a.at), c.id, p.id, w.organizations[p.org].id, membership.Observer, "We follow the drafts and would like to comment on them.", state, by, decided, reason, a.at}
	})
}

// by is who did something: a person, or the secretariat before there was one.
func (w *world) by(who int, at time.Time) uuid.UUID {
	if w.persons[who].at.After(at) {
		who = secretariat
	}
	return w.persons[who].id
}

// said is a sentence of the journal as it is kept.
func said(text string, args ...any) string {
	raw, err := json.Marshal(journal.Say(text, args...))
	if err != nil {
		panic(err) // strings and keys
	}
	return string(raw)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// events is where entries of the journal wait until all are there.
const events = `CREATE UNLOGGED TABLE world_event (scope text, scope_id uuid, at timestamptz, person_id uuid, object text, action text, object_id uuid, note text)`

// writeJournal chains what happened: each commission's entries, those of the
// organizations, and of the portal.
func (w *world) writeJournal(ctx context.Context, db *sql.DB) error {
	if err := load(ctx, db, "world_event", "scope scope_id at person_id object action object_id note", func(row func(...any) error) error {
		for _, o := range w.organizations {
			if err := row("portal", uuid.Nil, o.at, w.persons[o.first].id, "organization", "register", o.id, said("Registered %s", o.name)); err != nil {
				return err
			}
			if err := row("organization", o.id, o.at.Add(time.Hour), w.persons[secretariat].id, "organization", "accept", o.id, said("Accepted %s as a member (%s)", o.name, o.category)); err != nil {
				return err
			}
		}
		for _, c := range w.commissions {
			if err := row("portal", uuid.Nil, c.at, w.by(c.leader, c.at), "commission", "propose", c.id, said("Proposed %s", c.name)); err != nil {
				return err
			}
			if err := row("commission", c.id, c.at, w.by(c.leader, c.at), "charter", "edit", c.id, said("Wrote revision %s of the charter: %s", "1", "First text")); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, chain)
	return err
}

// chain does for all what journal_append does for one change. The salts are made of
// what is there: nothing in this world is to be kept from anybody.
const chain = `
	DO $$
	DECLARE e record; sid uuid; n bigint; prev bytea; grain bytea; seal bytea; h bytea;
	BEGIN
	  FOR e IN SELECT scope, scope_id, at, person_id, object, action, object_id, note FROM world_event ORDER BY scope_id, at, object_id, action LOOP
	    IF e.scope_id IS DISTINCT FROM sid THEN
	      IF sid IS NOT NULL THEN
	        INSERT INTO journal_head (scope_id, number, hash) VALUES (sid, n, prev);
	      END IF;
	      sid := e.scope_id; n := 0; prev := ''::bytea;
	    END IF;
	    n := n + 1;
	    grain := sha256(uuid_send(e.object_id) || int8send(n));
	    seal := journal_seal(grain, e.note);
	    h := journal_hash(prev, sid, n, e.at, e.person_id, NULL, e.object, e.action, e.object_id, encode(seal, 'hex'), '');
	    INSERT INTO journal_entry (scope_id, number, scope, at, person_id, object, action, object_id, note, salt, sealed, previous, hash)
	    VALUES (sid, n, e.scope, e.at, e.person_id, e.object, e.action, e.object_id, e.note::json, grain, seal, prev, h);
	    prev := h;
	  END LOOP;
	  IF sid IS NOT NULL THEN
	    INSERT INTO journal_head (scope_id, number, hash) VALUES (sid, n, prev);
	  END IF;
	  DROP TABLE world_event;
	END $$`
