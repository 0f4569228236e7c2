package account

import (
	"archive/zip"
	"bufio"
	"context"
	"io"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// Export writes all that the portal keeps of the actor as a ZIP of JSON files, each
// a list, row by row. What others may see of the actor's doings is named by keys and numbers, so
// that nothing comes out with it that the actor may not read any more; secrets
// and what is only a hash of one stay in.
func (s *Service) Export(ctx context.Context, who access.Actor, to io.Writer) error {
	if _, err := s.access.Require(ctx, who, access.Portal, "account", "read"); err != nil {
		return err
	}
	z := zip.NewWriter(to)
	for _, part := range exported {
		f, err := z.CreateHeader(&zip.FileHeader{Name: part.name + ".json", Method: zip.Deflate, Modified: journal.Now(ctx)})
		if err != nil {
			return err
		}
		if err := s.exportPart(ctx, who, f, part.query); err != nil {
			return err
		}
	}
	return z.Close()
}

func (s *Service) exportPart(ctx context.Context, who access.Actor, to io.Writer, query string) error {
	w := bufio.NewWriter(to)
	between := "["
	err := postgres.Each(ctx, s.db, func(row struct {
		JSON string `db:"json"`
	}) error {
		_, err := w.WriteString(between + "\n" + row.JSON)
		between = ","
		return err
	}, `SELECT to_json(x)::text AS json FROM (`+query+`) x`, who.ID)
	if err != nil {
		return err
	}
	end := "\n]\n"
	if between == "[" {
		end = "[]\n"
	}
	if _, err := w.WriteString(end); err != nil {
		return err
	}
	return w.Flush()
}

// exported is all that is kept of the person $1. A test compares it with the schema.
var exported = []struct{ name, query string }{
	{"account", `SELECT id, email, name, country, language, time_zone, theme, about, state, confirmed_at, created_at, password_hash IS NOT NULL AS has_password
		FROM person WHERE id = $1`},
	{"address-asked-for", `SELECT email, created_at, expires_at FROM address_change WHERE person_id = $1`},
	{"former-names", `SELECT kind, value FROM person_former WHERE person_id = $1 ORDER BY kind, value`},
	{"erasures", `SELECT asked_at, due_at, state, asked_by = $1 AS asked_by_me, person_id = $1 AS of_me FROM erasure WHERE person_id = $1 OR asked_by = $1 ORDER BY asked_at`},
	{"portal-roles", `SELECT role, since FROM portal_role WHERE person_id = $1`},
	{"sessions", `SELECT id, agent, created_at, seen_at, confirmed_at, expires_at FROM session WHERE person_id = $1 ORDER BY created_at`},
	{"tokens", `SELECT id, name, read_only, created_at, expires_at, seen_at, revoked_at FROM token WHERE person_id = $1 ORDER BY id`},
	{"apps-for-codes", `SELECT created_at, confirmed_at FROM authenticator WHERE person_id = $1`},
	{"recovery-codes", `SELECT count(*) AS left FROM recovery_code WHERE person_id = $1`},
	{"passkeys", `SELECT id, name, created_at, seen_at FROM passkey WHERE person_id = $1 ORDER BY id`},
	{"identities", `SELECT issuer, subject, email, created_at, seen_at FROM identity WHERE person_id = $1`},
	{"affiliations", `SELECT o.slug AS organization, a.title, a.state, a.representative, lower(a.period) AS since, upper(a.period) AS until
		FROM affiliation a JOIN organization o ON o.id = a.organization_id WHERE a.person_id = $1 ORDER BY a.id`},
	{"organizations-registered", `SELECT slug FROM organization WHERE registered_by = $1 ORDER BY slug`},
	{"seats", `SELECT s.id, c.slug AS commission, s.role, o.slug AS organization, s.voting, s.suspended, s.appointed_by, lower(s.period) AS since, upper(s.period) AS until, s.ended, s.reason
		FROM seat s JOIN commission c ON c.id = s.commission_id LEFT JOIN organization o ON o.id = s.organization_id WHERE s.person_id = $1 ORDER BY s.id, lower(s.period)`},
	{"commission-roles", `SELECT c.slug AS commission, r.name, h.seat_id AS seat, h.since
		FROM commission_role_holder h JOIN commission_role r USING (commission_id, slot) JOIN commission c ON c.id = h.commission_id WHERE h.person_id = $1 ORDER BY h.since`},
	{"access-reviews", `SELECT c.slug AS commission, v.at FROM access_review v JOIN commission c ON c.id = v.commission_id WHERE v.person_id = $1 ORDER BY v.at`},
	{"applications", `SELECT a.id, c.slug AS commission, a.role, o.slug AS organization, a.statement, a.state, a.reason, a.created_at, a.decided_at,
			a.person_id = $1 AS mine, coalesce(a.nominated_by = $1, false) AS nominated_by_me, coalesce(a.decided_by = $1, false) AS decided_by_me
		FROM application a JOIN commission c ON c.id = a.commission_id LEFT JOIN organization o ON o.id = a.organization_id
		WHERE a.person_id = $1 OR a.nominated_by = $1 OR a.decided_by = $1 ORDER BY a.id`},
	{"invitations", `SELECT i.id, c.slug AS commission, i.role, i.state, i.created_at, i.expires_at, i.answered_at, i.invited_by = $1 AS invited_by_me
		FROM invitation i JOIN commission c ON c.id = i.commission_id WHERE i.invited_by = $1 OR i.email = (SELECT email FROM person WHERE id = $1) ORDER BY i.id`},
	{"participation-requests", `SELECT r.id, c.slug AS commission, o.slug AS organization, r.level, r.state, r.created_at, r.decided_at,
			coalesce(r.requested_by = $1, false) AS requested_by_me, coalesce(r.decided_by = $1, false) AS decided_by_me
		FROM participation_request r JOIN commission c ON c.id = r.commission_id JOIN organization o ON o.id = r.organization_id
		WHERE r.requested_by = $1 OR r.decided_by = $1 ORDER BY r.id`},
	{"commissions-convened", `SELECT slug, state FROM commission WHERE convener_id = $1 ORDER BY slug`},
	{"support", `SELECT c.slug AS commission, o.slug AS organization, s.created_at
		FROM support s JOIN commission c ON c.id = s.commission_id LEFT JOIN organization o ON o.id = s.organization_id WHERE s.person_id = $1 ORDER BY s.created_at`},
	{"charters", `SELECT c.slug AS commission, h.number, h.summary, h.created_at, h.adopted_at
		FROM charter h JOIN commission c ON c.id = h.commission_id WHERE h.author_id = $1 ORDER BY h.created_at`},
	{"documents", `SELECT d.id, c.slug AS commission, d.number, d.type, d.status, d.created_at
		FROM document d JOIN commission c ON c.id = d.commission_id WHERE d.author_id = $1 ORDER BY d.id`},
	{"document-versions", `SELECT document_id, number, language, digest, size, file_name, created_at FROM document_version WHERE person_id = $1 ORDER BY created_at`},
	{"documents-read", `SELECT document_id, kind, number, language, at FROM document_access WHERE person_id = $1 ORDER BY at`},
	{"shares", `SELECT id, document_id, level, created_at, expires_at, revoked_at, created_by = $1 AS given_by_me, coalesce(to_person = $1, false) AS with_me, coalesce(revoked_by = $1, false) AS revoked_by_me
		FROM share WHERE created_by = $1 OR to_person = $1 OR revoked_by = $1 ORDER BY id`},
	{"uploads", `SELECT id, file_name, size, type, created_at, expires_at FROM upload WHERE person_id = $1 ORDER BY id`},
	{"imports", `SELECT id, kind, file_name, file_size, state, created_at, finished_at FROM import WHERE person_id = $1 ORDER BY id`},
	{"letter-settings", `SELECT digest, due, digested_at FROM document_notice WHERE person_id = $1`},
	{"letters", `SELECT kind, to_address, subject, CASE WHEN NOT secret THEN text END AS text, state, created_at, sent_at FROM mail
		WHERE person_id = $1 OR to_address = (SELECT email FROM person WHERE id = $1) ORDER BY id`},
	{"history", `SELECT scope, scope_id, number, at, object, action, object_id, note->>'text' AS text, CASE WHEN object_id = $1 OR scope = 'portal' THEN note->'args' END AS args, note->'who' AS persons, coalesce(person_id = $1, false) AS by_me
		FROM journal_entry WHERE person_id = $1 OR object_id = $1 ORDER BY at, scope_id, number`},
}
