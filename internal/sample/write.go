package sample

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/organization"
	"commissionportal/internal/postgres"
)

// columns are the values of a row by the names of the columns.
type columns map[string]any

// insert writes rows into a table: one statement, however many they are. types
// are the columns and their types, separated by commas.
func insert[T any](ctx context.Context, q postgres.Q, table, types string, list []T, row func(T) columns) error {
	rows := make([]columns, len(list))
	for i, x := range list {
		rows[i] = row(x)
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	var names []string
	for column := range strings.SplitSeq(types, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(column), " ")
		names = append(names, name)
	}
	n, err := q.Exec(ctx, `INSERT INTO `+table+` (`+strings.Join(names, ", ")+`)
		SELECT `+strings.Join(names, ", ")+` FROM jsonb_to_recordset($1::jsonb) AS r (`+types+`)`, string(raw))
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	if int(n) != len(list) {
		return fmt.Errorf("%s: %d of %d rows", table, n, len(list))
	}
	return nil
}

// period is a range as Postgres reads it.
func period(from time.Time, until *time.Time) string {
	end := ""
	if until != nil {
		end = until.Format(time.RFC3339Nano)
	}
	return "[" + from.Format(time.RFC3339Nano) + "," + end + ")"
}

// key is the id of an organization or person, null for none.
func (o *org) key() *uuid.UUID {
	if o == nil {
		return nil
	}
	return &o.ID
}

func (p *person) key() *uuid.UUID {
	if p == nil {
		return nil
	}
	return &p.ID
}

func (s *seat) key() *uuid.UUID {
	if s == nil {
		return nil
	}
	return &s.ID
}

// null is nil for a value that stands for none.
func null[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

// write fills the tables, those that others point to first.
func (w *world) write(ctx context.Context, q postgres.Q) error {
	for _, step := range []func(context.Context, postgres.Q) error{w.writePeople, w.writeCommissions, w.writeSeats, w.writeRequests, w.writeDocuments, w.writeJournal} {
		if err := step(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) writePeople(ctx context.Context, q postgres.Q) error {
	err := insert(ctx, q, "person", "id uuid, email text, name text, password_hash text, confirmed_at timestamptz, time_zone text, country text, about text, created_at timestamptz",
		w.people, func(p *person) columns {
			c := columns{"id": p.ID, "email": p.Email, "name": p.Name, "confirmed_at": p.Created, "time_zone": p.zone(), "country": p.Country,
				"about": p.About, "created_at": p.Created}
			if p.Cast {
				c["password_hash"] = PasswordHash
			}
			return c
		})
	if err != nil {
		return err
	}
	if err := insert(ctx, q, "portal_role", "person_id uuid, role text, since timestamptz", w.staff, func(p *person) columns {
		return columns{"person_id": p.ID, "role": "secretariat", "since": p.Created.Add(time.Hour)}
	}); err != nil {
		return err
	}
	var gone []*org
	if err := insert(ctx, q, "organization", `id uuid, slug text, name text, plain_name text, kind text, category text, country text, website text, domain text, about text,
			state text, state_reason text, state_since timestamptz, merged_into uuid, registered_by uuid, created_at timestamptz`,
		w.organizations, func(o *org) columns {
			c := columns{"id": o.ID, "slug": o.Slug, "name": o.Name, "plain_name": organization.Plain(o.Name), "kind": o.Kind, "category": o.Category,
				"country": o.Country, "website": "https://www." + o.Domain, "domain": o.Domain, "about": o.About, "state": o.State, "state_reason": "",
				"state_since": o.Since, "merged_into": o.Into.key(), "registered_by": o.People[0].ID, "created_at": o.Registered}
			if o.State == organization.Suspended {
				c["state_reason"] = suspension
			}
			if o.Into != nil {
				gone = append(gone, o)
			}
			return c
		}); err != nil {
		return err
	}
	if err := insert(ctx, q, "organization_name", "organization_id uuid, name text, slug text, until timestamptz", gone, func(o *org) columns {
		return columns{"organization_id": o.Into.ID, "name": o.Name, "slug": o.Slug, "until": o.Since}
	}); err != nil {
		return err
	}
	return insert(ctx, q, "affiliation", "id uuid, person_id uuid, organization_id uuid, title text, state text, representative boolean, period tstzrange, reason text",
		w.affiliations, func(a affiliation) columns {
			return columns{"id": a.ID, "person_id": a.Person.ID, "organization_id": a.Org.ID, "title": a.Title, "state": a.State,
				"representative": a.Representative, "period": period(a.From, a.Until), "reason": a.Reason}
		})
}

func (w *world) writeCommissions(ctx context.Context, q postgres.Q) error {
	type sector struct {
		ID   uuid.UUID `db:"id"`
		Slug string    `db:"slug"`
	}
	sectors, err := postgres.All[sector](ctx, q, `SELECT id, slug FROM sector`)
	if err != nil {
		return err
	}
	bySlug := map[string]uuid.UUID{}
	for _, s := range sectors {
		bySlug[s.Slug] = s.ID
	}
	if err := insert(ctx, q, "commission", `id uuid, slug text, acronym text, name text, kind text, parent_id uuid, parent_kind text, sector_id uuid, state text,
			state_since timestamptz, purpose text, convener_id uuid, join_mode text, roster_visibility text, term_months int, seats_per_organization int, created_at timestamptz`,
		w.bodies, func(b *body) columns {
			c := columns{"id": b.ID, "slug": b.Slug, "acronym": b.Acronym, "name": b.Name, "kind": b.Kind, "sector_id": null(bySlug[b.Sector]), "state": b.State,
				"state_since": b.StateAt, "purpose": b.Purpose, "convener_id": b.Convener.ID, "join_mode": b.JoinMode, "roster_visibility": b.Roster,
				"term_months": null(b.Term), "seats_per_organization": null(b.Limit), "created_at": b.Proposed}
			if b.Parent != nil {
				c["parent_id"], c["parent_kind"] = b.Parent.ID, b.Parent.Kind
			}
			return c
		}); err != nil {
		return err
	}
	if err := insert(ctx, q, "support", "commission_id uuid, person_id uuid, organization_id uuid, created_at timestamptz", w.supports, func(s support) columns {
		return columns{"commission_id": s.Body.ID, "person_id": s.Person.ID, "organization_id": s.Org.ID, "created_at": s.At}
	}); err != nil {
		return err
	}
	if err := insert(ctx, q, "charter", "commission_id uuid, number int, body text, summary text, author_id uuid, created_at timestamptz, adopted_at timestamptz",
		w.revisions, func(r revision) columns {
			return columns{"commission_id": r.Body.ID, "number": r.Number, "body": r.Text, "summary": r.Summary, "author_id": r.Author.ID, "created_at": r.At, "adopted_at": r.Adopted}
		}); err != nil {
		return err
	}
	if err := insert(ctx, q, "milestone", "id uuid, commission_id uuid, title text, due_on date, done_on date", w.milestones, func(m milestone) columns {
		c := columns{"id": m.ID, "commission_id": m.Body.ID, "title": m.Title, "due_on": m.Due.Format(time.DateOnly)}
		if m.Done != nil {
			c["done_on"] = m.Done.Format(time.DateOnly)
		}
		return c
	}); err != nil {
		return err
	}
	return insert(ctx, q, "participation", "id uuid, organization_id uuid, commission_id uuid, level text, period tstzrange", w.participations, func(p *participation) columns {
		return columns{"id": p.ID, "organization_id": p.Org.ID, "commission_id": p.Body.ID, "level": p.Level, "period": period(p.From, p.Until)}
	})
}

func (w *world) writeSeats(ctx context.Context, q postgres.Q) error {
	type held struct {
		*seat
		row
		version int
	}
	var rows []held
	for _, s := range w.seats {
		for i, r := range s.Rows {
			rows = append(rows, held{s, r, i + 1})
		}
	}
	if err := insert(ctx, q, "seat", `id uuid, period tstzrange, commission_id uuid, person_id uuid, sort_name text, organization_id uuid, role text, voting boolean,
			suspended boolean, appointed_by text, follows uuid, ended text, reason text, version int`,
		rows, func(h held) columns {
			return columns{"id": h.ID, "period": period(h.From, h.Until), "commission_id": h.Body.ID, "person_id": h.Person.ID, "sort_name": h.Person.Name,
				"organization_id": h.Org.key(), "role": h.Role, "voting": h.Voting, "suspended": h.Suspended, "appointed_by": h.By, "follows": h.Follows,
				"ended": null(h.Ended), "reason": h.Reason, "version": h.version}
		}); err != nil {
		return err
	}
	return insert(ctx, q, "term_notice", "seat_id uuid, until timestamptz, days int, sent_at timestamptz", w.warned, func(n termNotice) columns {
		return columns{"seat_id": n.Seat.ID, "until": n.Until, "days": n.Days, "sent_at": n.At}
	})
}

func (w *world) writeRequests(ctx context.Context, q postgres.Q) error {
	if err := insert(ctx, q, "application", `id uuid, commission_id uuid, person_id uuid, organization_id uuid, nominated_by uuid, role text, statement text, state text,
			decided_by uuid, decided_at timestamptz, reason text, seat_id uuid, created_at timestamptz`,
		w.applications, func(a application) columns {
			return columns{"id": a.ID, "commission_id": a.Body.ID, "person_id": a.Person.ID, "organization_id": a.Org.key(), "nominated_by": a.Nominator.key(),
				"role": a.Role, "statement": a.Statement, "state": a.State, "decided_by": a.By.key(), "decided_at": a.At, "reason": a.Reason,
				"seat_id": a.Seat.key(), "created_at": a.Created}
		}); err != nil {
		return err
	}
	if err := insert(ctx, q, "invitation", `id uuid, commission_id uuid, email text, role text, organization_id uuid, message text, hash bytea, state text,
			invited_by uuid, created_at timestamptz, expires_at timestamptz, answered_at timestamptz, seat_id uuid`,
		w.invitations, func(i invitation) columns {
			hash := sha256.Sum256(i.Secret[:])
			return columns{"id": i.ID, "commission_id": i.Body.ID, "email": i.Email, "role": i.Role, "organization_id": i.Org.key(), "message": i.Message,
				"hash": `\x` + hex.EncodeToString(hash[:]), "state": i.State, "invited_by": i.By.ID, "created_at": i.Created, "expires_at": i.Expires,
				"answered_at": i.Answered, "seat_id": i.Seat.key()}
		}); err != nil {
		return err
	}
	return insert(ctx, q, "participation_request", "id uuid, organization_id uuid, commission_id uuid, level text, message text, requested_by uuid, created_at timestamptz",
		w.asked, func(r participationRequest) columns {
			return columns{"id": r.ID, "organization_id": r.Org.ID, "commission_id": r.Body.ID, "level": r.Level, "message": r.Message, "requested_by": r.By.ID, "created_at": r.Created}
		})
}

// writeJournal appends the entries to their chains, in the order of time.
func (w *world) writeJournal(ctx context.Context, q postgres.Q) error {
	rows := make([]columns, len(w.events))
	for i, e := range w.events {
		rows[i] = columns{"n": i, "scope": e.scope.Kind, "scope_id": e.scope.ID, "who": e.person, "at": e.at, "request": e.request,
			"object": e.object, "action": e.action, "id": e.id, "note": e.note}
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = q.Exec(ctx, `
		SELECT journal_append(scope, scope_id, who, NULL, at, request, ARRAY[object], ARRAY[action], ARRAY[id], ARRAY[note])
		FROM (SELECT scope, scope_id, who, at, request, object, action, id, note
		      FROM jsonb_to_recordset($1::jsonb) AS r (n int, scope text, scope_id uuid, who uuid, at timestamptz, request text, object text, action text, id uuid, note text)
		      ORDER BY n) e`, string(raw))
	return err
}
