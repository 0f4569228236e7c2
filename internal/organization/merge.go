package organization

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Moving is what a merge would move, for the page that asks before it.
type Moving struct {
	People         int `db:"people"`
	Leading        int `db:"leading"` // of them primary representatives, which they will be of the other
	Participations int `db:"participations"`
	Seats          int `db:"seats"`
	Applications   int `db:"applications"`
	Invitations    int `db:"invitations"`
	Supports       int `db:"supports"`
	Documents      int `db:"documents"`
	Shares         int `db:"shares"` // that it gives and is given
	Names          int `db:"names"`
}

// Merging reads two organizations and what of the one would move to the other.
func (s *Service) Merging(ctx context.Context, who access.Actor, slug, into string) (Organization, Organization, Moving, error) {
	from, to, _, err := s.merging(ctx, who, slug, into)
	if err != nil {
		return from, to, Moving{}, err
	}
	m, err := postgres.One[Moving](ctx, s.db, nil, `
		SELECT (SELECT count(DISTINCT person_id) FROM affiliation WHERE organization_id = $1 AND state <> 'declined' AND period @> $2::timestamptz) AS people,
		       (SELECT count(DISTINCT person_id) FROM affiliation WHERE organization_id = $1 AND state = 'confirmed' AND representative AND period @> $2::timestamptz) AS leading,
		       (SELECT count(*) FROM document WHERE organization_id = $1) AS documents,
		       (SELECT count(*) FROM share WHERE (organization_id = $1 OR to_organization = $1) AND revoked_at IS NULL AND coalesce(expires_at, 'infinity') > $2) AS shares,
		       (SELECT count(*) FROM participation WHERE organization_id = $1 AND period @> $2::timestamptz) AS participations,
		       (SELECT count(DISTINCT id) FROM seat WHERE organization_id = $1 AND period @> $2::timestamptz) AS seats,
		       (SELECT count(*) FROM application WHERE organization_id = $1 AND state = 'pending') AS applications,
		       (SELECT count(*) FROM invitation WHERE organization_id = $1 AND state = 'pending') AS invitations,
		       (SELECT count(*) FROM support WHERE organization_id = $1) AS supports,
		       (SELECT count(*) FROM organization_name WHERE organization_id = $1) AS names`, from.ID, journal.Now(ctx))
	return from, to, m, err
}

func (s *Service) merging(ctx context.Context, who access.Actor, slug, into string) (Organization, Organization, access.Permit, error) {
	from, permit, err := s.require(ctx, who, slug, "organization", "merge")
	if err != nil {
		return from, Organization{}, permit, err
	}
	to, err := bySlug(ctx, s.db, into)
	switch {
	case problem.Of(err, problem.NotFound):
		err = none(ctx, s.db, into)
	case err == nil && to.ID == from.ID:
		err = problem.Field("into", "Choose another organization.")
	case err == nil && to.State != Member:
		err = problem.Field("into", "Choose an organization that is a member.")
	}
	return from, to, permit, err
}

// none says of a slug to merge into why no organization has it.
func none(ctx context.Context, q postgres.Q, slug string) error {
	now, err := renamed(ctx, q, slug)
	switch {
	case err != nil:
		return err
	case now != "":
		return problem.Field("into", "That organization is found under another address now: %s.", Path(now))
	}
	return problem.Field("into", "There is no such organization. Give the name in its address, such as siemens.")
}

// Merge makes from part of into, because they are the same: affiliations,
// participations, names and addresses move, and by the hook what later
// capabilities keep for it. from stays as a record in state merged.
func (s *Service) Merge(ctx context.Context, who access.Actor, slug, into string) (Organization, error) {
	from, to, permit, err := s.merging(ctx, who, slug, into)
	if err != nil {
		return from, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		a, b, err := lockBoth(ctx, tx, from.ID, to.ID)
		if err != nil {
			return err
		}
		switch {
		case a.State == Merged:
			return problem.New(problem.Conflict, "%s was merged meanwhile.", a.Name)
		case b.State != Member:
			return b.active()
		}
		people, err := people(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if err := moveAffiliations(ctx, tx, a.ID, b.ID); err != nil {
			return err
		}
		if err := moveParticipations(ctx, tx, a, b); err != nil {
			return err
		}
		if s.OnMerge != nil {
			if err := s.OnMerge(ctx, tx, a.ID, b.ID); err != nil {
				return err
			}
		}
		if err := moveNames(ctx, tx, a, b); err != nil {
			return err
		}
		if err := tx.Record(a.ID, journal.Say("Merged %s into %s", a.Name, b.Name).Changed(profile(a), profile(b))); err != nil {
			return err
		}
		if err := tx.RecordAs("organization", "merge", b.ID, journal.Say("%s became part of %s", a.Name, b.Name)); err != nil {
			return err
		}
		return s.tell(ctx, tx, people, "organization.merged", b, mergedNote(a, b))
	})
	return s.again(ctx, to, err)
}

// lockBoth locks two organizations in the order of their keys, so that two
// merges do not wait for each other.
func lockBoth(ctx context.Context, q postgres.Q, first, second uuid.UUID) (Organization, Organization, error) {
	ids := []uuid.UUID{first, second}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return cmp.Compare(a.String(), b.String()) })
	found := map[uuid.UUID]Organization{}
	for _, id := range ids {
		o, err := lock(ctx, q, id)
		if err != nil {
			return o, o, err
		}
		found[id] = o
	}
	return found[first], found[second], nil
}

// moveAffiliations gives b the affiliations of a. Where a person has one with
// both at a time, b's holds, with the rights of either; what only a's covered
// becomes one of b's, and a's stays as a record that ends now.
func moveAffiliations(ctx context.Context, tx *journal.Tx, a, b uuid.UUID) error {
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`UPDATE affiliation y SET state = 'confirmed', representative = y.representative OR x.representative, title = coalesce(nullif(y.title, ''), x.title), version = y.version + 1
		  FROM affiliation x
		  WHERE x.organization_id = $1 AND y.organization_id = $2 AND x.person_id = y.person_id AND x.state = 'confirmed' AND y.state <> 'declined'
		    AND x.period @> $3::timestamptz AND y.period @> $3::timestamptz`, []any{a, b, tx.Now}},
		{`INSERT INTO affiliation (person_id, organization_id, title, state, representative, reason, period)
		  SELECT x.person_id, $2, x.title, x.state, x.representative AND piece @> $3::timestamptz, x.reason, piece
		  FROM affiliation x,
		  LATERAL (SELECT range_agg(y.period) AS held FROM affiliation y WHERE y.organization_id = $2 AND y.person_id = x.person_id AND y.state <> 'declined') h,
		  LATERAL unnest(tstzmultirange(x.period) - h.held) AS piece
		  WHERE x.organization_id = $1 AND x.state <> 'declined' AND h.held && x.period`, []any{a, b, tx.Now}},
		{`UPDATE affiliation x SET organization_id = $2, version = version + 1
		  WHERE x.organization_id = $1 AND (x.state = 'declined' OR NOT EXISTS (
		    SELECT 1 FROM affiliation y WHERE y.organization_id = $2 AND y.person_id = x.person_id AND y.state <> 'declined' AND y.period && x.period))`, []any{a, b}},
		{`UPDATE affiliation SET period = tstzrange(lower(period), greatest($2, lower(period) + interval '1 microsecond')), representative = false, version = version + 1
		  WHERE organization_id = $1 AND state <> 'declined' AND coalesce(upper(period), 'infinity') > $2`, []any{a, tx.Now}},
	} {
		if _, err := tx.Exec(ctx, step.query, step.args...); err != nil {
			return err
		}
	}
	return nil
}

// span is a participation in one commission for a time.
type span struct {
	Commission uuid.UUID  `db:"commission_id" json:"commission"`
	Owner      uuid.UUID  `db:"organization_id" json:"organization"`
	Level      string     `db:"level" json:"level"`
	From       time.Time  `db:"since" json:"since"`
	Until      *time.Time `db:"until" json:"until,omitempty"`
}

// union is what several participations in one commission are together: at every
// moment the highest level that one of them had then. Spans that touch with one
// level are one.
func union(spans []span) []span {
	var edges []time.Time
	for _, s := range spans {
		edges = append(edges, s.From)
		if s.Until != nil {
			edges = append(edges, *s.Until)
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	edges = slices.CompactFunc(edges, time.Time.Equal)
	var whole []span
	for i, at := range edges {
		level := ""
		for _, s := range spans {
			if !s.From.After(at) && (s.Until == nil || s.Until.After(at)) {
				if level == "" {
					level = s.Level
				}
				level = higher(level, s.Level)
			}
		}
		if level == "" {
			continue
		}
		var until *time.Time
		if i+1 < len(edges) {
			until = &edges[i+1]
		}
		if n := len(whole); n > 0 && whole[n-1].Level == level && whole[n-1].Until != nil && whole[n-1].Until.Equal(at) {
			whole[n-1].Until = until
			continue
		}
		whole = append(whole, span{Commission: spans[0].Commission, Level: level, From: at, Until: until})
	}
	return whole
}

// moveParticipations gives b the participations of a. In a commission where both
// took part they become their union; the journal keeps what they were.
func moveParticipations(ctx context.Context, tx *journal.Tx, a, b Organization) error {
	both, err := postgres.All[span](ctx, tx, `
		SELECT t.commission_id, t.organization_id, t.level, lower(t.period) AS since, upper(t.period) AS until FROM participation t
		WHERE t.organization_id IN ($1, $2)
		  AND EXISTS (SELECT 1 FROM participation x WHERE x.organization_id = $1 AND x.commission_id = t.commission_id)
		  AND EXISTS (SELECT 1 FROM participation y WHERE y.organization_id = $2 AND y.commission_id = t.commission_id)
		ORDER BY t.commission_id, lower(t.period) FOR UPDATE OF t`, a.ID, b.ID)
	if err != nil {
		return err
	}
	var shared []uuid.UUID
	var commissions, levels []string
	var since []string
	var until []sql.NullString
	for start := 0; start < len(both); {
		end := start
		for end < len(both) && both[end].Commission == both[start].Commission {
			end++
		}
		shared = append(shared, both[start].Commission)
		for _, s := range union(both[start:end]) {
			commissions, levels = append(commissions, s.Commission.String()), append(levels, s.Level)
			since = append(since, s.From.Format(time.RFC3339Nano))
			end := sql.NullString{}
			if s.Until != nil {
				end = sql.NullString{String: s.Until.Format(time.RFC3339Nano), Valid: true}
			}
			until = append(until, end)
		}
		start = end
	}
	if len(shared) > 0 {
		if _, err := tx.Exec(ctx, `DELETE FROM participation WHERE organization_id IN ($1, $2) AND commission_id = ANY($3::uuid[])`, a.ID, b.ID, postgres.IDs(shared)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO participation (organization_id, commission_id, level, period)
			SELECT $1, c, l, tstzrange(s, u) FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[]) AS t (c, l, s, u)`,
			b.ID, pq.Array(commissions), pq.Array(levels), pq.Array(since), pq.Array(until)); err != nil {
			return err
		}
		if err := tx.RecordAs("participation", "merge", b.ID, journal.Say("Joined the participations of %s and %s", a.Name, b.Name).Changed(both, nil)); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE participation SET organization_id = $2 WHERE organization_id = $1`, a.ID, b.ID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE participation_request r SET state = 'withdrawn', decided_at = $3 WHERE organization_id = $1 AND state = 'pending'
		AND EXISTS (SELECT 1 FROM participation_request o WHERE o.organization_id = $2 AND o.commission_id = r.commission_id AND o.state = 'pending')`, a.ID, b.ID, tx.Now); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE participation_request SET organization_id = $2 WHERE organization_id = $1`, a.ID, b.ID)
	return err
}

// moveNames makes a's addresses lead to b, and a a record that says so.
func moveNames(ctx context.Context, tx *journal.Tx, a, b Organization) error {
	if err := postgres.ExecOne(ctx, tx, errStale, `
		UPDATE organization SET state = 'merged', merged_into = $2, state_reason = '', state_since = $3, version = version + 1 WHERE id = $1 AND state <> 'merged'`,
		a.ID, b.ID, tx.Now); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE organization SET merged_into = $2 WHERE merged_into = $1`, a.ID, b.ID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE organization_name SET organization_id = $2 WHERE organization_id = $1`, a.ID, b.ID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO organization_name (organization_id, name, slug, until) VALUES ($1, $2, $3, $4)`, b.ID, a.Name, a.Slug, tx.Now); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO organization_logo (organization_id, type, digest, body)
		SELECT $2, type, digest, body FROM organization_logo WHERE organization_id = $1 ON CONFLICT DO NOTHING`, a.ID, b.ID)
	return err
}
