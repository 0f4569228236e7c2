package rights

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/document"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// Reader is a line of a report: somebody who can read, and by what.
type Reader struct {
	Name         string  `db:"name"`
	Email        string  `db:"email"`
	Through      string  `db:"through"` // seat, convener, secretariat, author, source, representative, share
	Role         string  `db:"role"`    // of the seat
	Organization *string `db:"organization"`
	Reads        string  `db:"reads"` // levels, by blanks
}

// Report is everybody who can read what a commission keeps for some, or one document
// of it, each time by what: a line for each way. What is for everybody, or for
// whoever is signed in, is no line. It may be asked by whoever sees the rules; of a
// document by whoever can read it as well.
func (s *Service) Report(ctx context.Context, who access.Actor, slug, name string) (Home, func(func(Reader) error) error, error) {
	h, _, err := s.home(ctx, who, slug, "read")
	if err != nil {
		return h, nil, err
	}
	shape, err := s.access.Shape(ctx, s.db, h.ID)
	if err != nil {
		return h, nil, err
	}
	levels, id := document.Visibilities, uuid.NullUUID{}
	if name != "" {
		d, err := s.documents.Show(ctx, who, name)
		if err != nil {
			return h, nil, err
		}
		if d.CommissionID != h.ID {
			return h, nil, access.ErrNotFound
		}
		levels, id = []string{strings.TrimPrefix(d.Reading(), "read:")}, uuid.NullUUID{UUID: d.ID, Valid: true}
	}
	reads := map[string][]string{} // by role
	for _, l := range levels {
		if l == "public" || l == "portal" {
			continue
		}
		for _, role := range s.access.Holders(shape, "document", "read:"+l) {
			reads[role] = append(reads[role], l)
		}
	}
	var roles, texts pq.StringArray
	for role, list := range reads {
		roles, texts = append(roles, role), append(texts, strings.Join(list, " "))
	}
	// Addresses are for those who see them on the roster, and of members alone.
	all, members := who.Secretariat() || who.SystemName() != "", s.access.May(who, h.Scope(), "seat", "edit")
	return h, func(emit func(Reader) error) error {
		return postgres.Each(ctx, s.db, func(r Reader) error {
			if !all && (!members || r.Through != "seat") {
				r.Email = ""
			}
			return emit(r)
		}, readers, h.ID, roles, texts, journal.Now(ctx), id)
	}, nil
}

// readers are the ways to read: by roles $2 the levels $3 in the commission $1, at
// $4; and, of the document $5, what ties people to it. Who has to have a second factor
// and has none is left what is theirs by no role; an organization that takes no part
// gives nobody anything. Persons are looked up one by one (OFFSET 0): there are many more
// than a report has lines.
var readers = `
	WITH acts AS NOT MATERIALIZED (SELECT a.person_id, a.organization_id, a.representative FROM affiliation a JOIN organization o ON o.id = a.organization_id
	              WHERE a.state = 'confirmed' AND a.period @> $4::timestamptz AND o.state IN ('member', 'pending')),
	     reads AS (SELECT * FROM unnest($2::text[], $3::text[]) AS r (role, levels)), d AS (SELECT id, organization_id, author_id, visibility FROM document WHERE id = $5)
	SELECT p.name, p.email, x.through, x.role, o.name AS organization, x.reads
	FROM (SELECT s.person_id, s.organization_id, 'seat' AS through, s.role, r.levels AS reads
	      FROM seat s JOIN reads r ON r.role = s.role WHERE s.commission_id = $1 AND s.period @> $4::timestamptz AND NOT s.suspended
	      UNION ALL
	      SELECT s.person_id, s.organization_id, 'seat', n.name, r.levels
	      FROM commission_role_holder h JOIN reads r ON r.role = h.slot JOIN commission_role n ON n.commission_id = h.commission_id AND n.slot = h.slot
	      JOIN seat s ON s.id = h.seat_id AND s.person_id = h.person_id AND s.period @> $4::timestamptz AND NOT s.suspended WHERE h.commission_id = $1
	      UNION ALL
	      SELECT c.convener_id, NULL, 'convener', '', r.levels FROM commission c JOIN reads r ON r.role = 'convener' WHERE c.id = $1 AND c.state IN ('proposed', 'forming')
	      UNION ALL
	      SELECT person_id, NULL, 'secretariat', '', 'all' FROM portal_role WHERE role = 'secretariat'
	      UNION ALL
	      SELECT d.author_id, d.organization_id, 'author', '', 'this' FROM d WHERE d.organization_id IS NULL
	         OR EXISTS (SELECT FROM acts a WHERE a.person_id = d.author_id AND a.organization_id = d.organization_id)
	      UNION ALL
	      SELECT a.person_id, a.organization_id, CASE WHEN a.representative THEN 'representative' ELSE 'source' END, '', 'this'
	      FROM d JOIN acts a ON a.organization_id = d.organization_id
	      WHERE a.representative OR d.visibility <> 'named'
	      UNION ALL
	      SELECT coalesce(h.to_person, a.person_id, t.person_id), coalesce(h.to_organization, t.organization_id), 'share', coalesce(t.role, ''), 'this'
	      FROM d JOIN share h ON h.document_id = d.id AND h.revoked_at IS NULL AND coalesce(h.expires_at, 'infinity') > $4::timestamptz
	      LEFT JOIN acts a ON a.organization_id = h.to_organization
	      LEFT JOIN seat t ON t.commission_id = h.to_commission AND t.period @> $4::timestamptz AND NOT t.suspended) x
	CROSS JOIN LATERAL (SELECT id, name, email FROM person WHERE id = x.person_id AND state = 'active' OFFSET 0) p
	LEFT JOIN organization o ON o.id = x.organization_id
	WHERE x.organization_id IS NULL AND x.role = '' AND x.through IN ('author', 'share') OR NOT ` + access.Resting("p.id", "$4::timestamptz") + `
	ORDER BY p.name, p.id, x.through, x.role`

// ReportColumns are the columns of a report.
var ReportColumns = []string{"Name", "E-mail", "Through", "Role", "Organization", "Reads"}

// Values are those of a line, in the order of the columns.
func (r Reader) Values() []any {
	return []any{r.Name, r.Email, r.Through, r.Role, r.Organization, r.Reads}
}

// CommandLine is who asks when somebody at the machine itself does: they can read
// the database as well.
func CommandLine() access.Actor {
	return access.System("portal access", access.Portal, "access", "explain").Actor()
}
