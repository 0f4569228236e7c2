package document

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/keyset"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// shareColumns are the columns of a share as it stands at an instant.
func shareColumns(at string) string {
	return `h.id, h.document_id, c.slug AS commission_slug, coalesce(r.prefix, '') AS prefix, d.number, d.title, d.status,
	CASE WHEN h.to_commission IS NOT NULL THEN 'commission' WHEN h.to_organization IS NOT NULL THEN 'organization' WHEN h.to_person IS NOT NULL THEN 'person' ELSE 'link' END AS kind,
	coalesce(tc.slug, tg.slug, tp.id::text) AS recipient, coalesce(tc.name, tg.name, tp.name) AS recipient_name,
	g.slug AS owner_slug, coalesce(g.name, c.name) AS owner_name, h.level, h.reason, b.name AS by_name, h.created_at, h.expires_at,
	CASE WHEN h.expires_at <= coalesce(h.revoked_at, ` + at + `::timestamptz) THEN 'expired' WHEN h.replaced_by IS NOT NULL THEN 'replaced' WHEN h.revoked_at IS NOT NULL THEN 'revoked' ELSE 'live' END AS state,
	CASE WHEN h.expires_at <= h.revoked_at THEN NULL ELSE h.revoked_at END AS revoked_at, v.name AS revoked_by_name, h.opened`
}

const shareJoins = `JOIN document d ON d.id = h.document_id
	JOIN commission c ON c.id = d.commission_id
	LEFT JOIN register r ON r.commission_id = d.commission_id
	LEFT JOIN commission tc ON tc.id = h.to_commission
	LEFT JOIN organization tg ON tg.id = h.to_organization
	LEFT JOIN person tp ON tp.id = h.to_person
	LEFT JOIN organization g ON g.id = h.organization_id
	JOIN person b ON b.id = h.created_by
	LEFT JOIN person v ON v.id = h.revoked_by`

func shareByID(ctx context.Context, q postgres.Q, id uuid.UUID, now time.Time) (Share, error) {
	return postgres.One[Share](ctx, q, access.ErrNotFound, `SELECT `+shareColumns("$1")+` FROM share h `+shareJoins+` WHERE h.id = $2`, now, id)
}

// sharesWhere cuts a page of shares, the newest first, and joins after. The
// conditions of w are of share h and its document d.
func sharesWhere(ctx context.Context, q postgres.Q, w *postgres.Where, page keyset.Page, now time.Time) ([]Share, string, error) {
	w.If(page.After != nil, "h.id < ?::uuid", page.Key(0))
	condition, limit, at := w.SQL(), w.Arg(page.Fetch()), w.Arg(now)
	list, err := postgres.All[Share](ctx, q, `
		SELECT `+shareColumns(at)+`
		FROM (SELECT h.* FROM share h JOIN document d ON d.id = h.document_id WHERE `+condition+` ORDER BY h.id DESC LIMIT `+limit+`) h
		`+shareJoins+`
		ORDER BY h.id DESC`, w.Args()...)
	if err != nil {
		return nil, "", err
	}
	list, next := keyset.Cut(page, list, func(h Share) []string { return []string{h.ID.String()} })
	return list, next, nil
}

// withAccesses puts the last accesses under each share into it, by one statement.
func withAccesses(ctx context.Context, q postgres.Q, list []Share) error {
	if len(list) == 0 {
		return nil
	}
	ids := make([]string, len(list))
	place := make(map[uuid.UUID]int, len(list))
	for i, h := range list {
		ids[i], place[h.ID] = h.ID.String(), i
	}
	rows, err := postgres.All[Access](ctx, q, `
		SELECT a.share_id, a.kind, a.number, a.language, p.name AS person, o.name AS organization, a.at
		FROM unnest($1::uuid[]) s (id) CROSS JOIN LATERAL (
			SELECT x.id, x.share_id, x.kind, x.number, x.language, x.person_id, x.organization_id, x.at FROM document_access x
			WHERE x.share_id = s.id ORDER BY x.at DESC LIMIT $2) a
		LEFT JOIN person p ON p.id = a.person_id
		LEFT JOIN organization o ON o.id = a.organization_id
		ORDER BY a.at DESC, a.id DESC`, pq.Array(ids), lastAccesses)
	for _, a := range rows {
		h := &list[place[a.ShareID]]
		h.Accesses = append(h.Accesses, a)
	}
	return err
}

// newShare is a row to be written.
type newShare struct {
	id       uuid.UUID
	document Document
	with     Grant
	to       uuid.UUID
	link     []byte
	by       uuid.UUID
	until    *time.Time
	now      time.Time
}

// insertShare writes a share; what is live with the same recipient, or was until it
// expired, ends for it.
func insertShare(ctx context.Context, q postgres.Q, h newShare) error {
	if h.link == nil {
		if _, err := q.Exec(ctx, `
			UPDATE share SET revoked_at = $3, revoked_by = $4, replaced_by = $5
			WHERE document_id = $1 AND coalesce(to_commission, to_organization, to_person) = $2 AND link IS NULL AND revoked_at IS NULL`,
			h.document.ID, h.to, h.now, h.by, h.id); err != nil {
			return err
		}
	}
	to := func(with string) uuid.NullUUID { return uuid.NullUUID{UUID: h.to, Valid: h.with.With == with} }
	_, err := q.Exec(ctx, `
		INSERT INTO share (id, document_id, organization_id, to_commission, to_organization, to_person, link, level, reason, created_by, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		h.id, h.document.ID, h.document.OrganizationID, to(WithCommission), to(WithOrganization), to(WithPerson), h.link, h.with.Level, h.with.Reason, h.by, h.now, h.until)
	return err
}

// recipientOf finds whom a document is to be shared with, and keeps it as it is.
func recipientOf(ctx context.Context, q postgres.Q, sight access.Sight, d Document, me uuid.UUID, with Grant, now time.Time) (Recipient, error) {
	switch with.With {
	case WithCommission:
		to, err := postgres.One[Recipient](ctx, q, problem.Field("recipient", "There is no commission of this name that is not over."), `
			SELECT id, slug AS value, name, acronym AS detail FROM commission WHERE slug = $1 AND state NOT IN ('concluded', 'abandoned') FOR SHARE`, with.Recipient)
		if err == nil && to.ID == d.CommissionID {
			err = problem.Field("recipient", "The document is in its register already: its officers say who may read it.")
		}
		return to, err
	case WithOrganization:
		to, err := postgres.One[Recipient](ctx, q, problem.Field("recipient", "There is no member organization of this name."), `
			SELECT id, slug AS value, name, '' AS detail FROM organization WHERE slug = $1 AND state = 'member' FOR SHARE`, with.Recipient)
		if err == nil && d.OrganizationID != nil && to.ID == *d.OrganizationID {
			err = problem.Field("recipient", "The document is its own already.")
		}
		return to, err
	}
	// The same words whether there is no such person or the actor may not see them.
	unknown := problem.Field("recipient", "There is no such person among those you may see. Share it with their commission or organization, or make a link.")
	id, err := uuid.Parse(with.Recipient)
	if err != nil || id == me {
		return Recipient{}, unknown
	}
	var w postgres.Where
	w.And("p.id = ?", id)
	visiblePersons(&w, sight, now)
	return postgres.One[Recipient](ctx, q, unknown, `SELECT p.id, p.id::text AS value, p.name, '' AS detail FROM person p WHERE `+w.SQL(), w.Args()...)
}

// visiblePersons narrows to the persons p that the actor sees by what they are in:
// on a roster that is open to the actor, or acting for an organization of the actor's.
func visiblePersons(w *postgres.Where, sight access.Sight, now time.Time) {
	at := w.Arg(now)
	w.And(`p.state = 'active' AND p.confirmed_at IS NOT NULL`)
	w.And(`(EXISTS (SELECT FROM seat t JOIN commission c ON c.id = t.commission_id WHERE t.person_id = p.id AND t.period @> ` + at + `::timestamptz AND ` + sight.Roster(w, "c.roster_visibility", "c.id") + `)
		OR EXISTS (SELECT FROM affiliation f WHERE f.person_id = p.id AND f.state = 'confirmed' AND f.period @> ` + at + `::timestamptz AND f.organization_id = ANY(` + w.Arg(sight.Acting) + `::uuid[])))`)
}

// recipients are whom a form offers, and one more if there are more.
func recipients(ctx context.Context, q postgres.Q, sight access.Sight, d Document, me uuid.UUID, with, text, chosen string, now time.Time) ([]Recipient, error) {
	var w postgres.Where
	var query string
	switch with {
	case WithCommission:
		w.And("c.state NOT IN ('concluded', 'abandoned') AND c.id <> ?", d.CommissionID)
		w.If(text != "", "("+w.Named("c.acronym || ' ' || c.name", text)+" OR c.slug = ?)", chosen)
		query = `SELECT c.id, c.slug AS value, c.name, c.acronym AS detail FROM commission c WHERE ` + w.SQL() + ` ORDER BY c.slug = ` + w.Arg(chosen) + ` DESC, c.name, c.id`
	case WithOrganization:
		w.And("o.state = 'member'")
		w.If(d.OrganizationID != nil, "o.id <> ?", d.OrganizationID)
		w.If(text != "", "("+w.Named("o.name", text)+" OR o.slug = ?)", chosen)
		query = `SELECT o.id, o.slug AS value, o.name, coalesce(o.country, '') AS detail FROM organization o WHERE ` + w.SQL() + ` ORDER BY o.slug = ` + w.Arg(chosen) + ` DESC, o.name, o.id`
	case WithPerson:
		one, err := uuid.Parse(chosen)
		if err != nil {
			one = uuid.Nil // nobody
		}
		if text == "" && one == uuid.Nil { // there are many, and no order that helps
			return nil, nil
		}
		w.And("p.id <> ?", me)
		if text == "" {
			w.And("p.id = ?", one)
		} else {
			w.And("("+w.Named("p.name", text)+" OR p.id = ?)", one)
		}
		visiblePersons(&w, sight, now)
		query = `SELECT p.id, p.id::text AS value, p.name, coalesce((SELECT string_agg(DISTINCT c.acronym, ', ') FROM seat t JOIN commission c ON c.id = t.commission_id
				WHERE t.person_id = p.id AND t.period @> ` + w.Arg(now) + `::timestamptz AND ` + sight.Roster(&w, "c.roster_visibility", "c.id") + `), '') AS detail
			FROM person p WHERE ` + w.SQL() + ` ORDER BY p.id = ` + w.Arg(one) + ` DESC, p.name, p.id`
	default:
		return nil, nil
	}
	return postgres.All[Recipient](ctx, q, query+` LIMIT `+w.Arg(mostRecipients+1), w.Args()...)
}

// organizationBySlug reads an organization that has not become part of another.
func organizationBySlug(ctx context.Context, q postgres.Q, slug string) (Place, error) {
	return postgres.One[Place](ctx, q, access.ErrNotFound, `SELECT id, slug, name FROM organization WHERE slug = $1 AND state <> 'merged'`, slug)
}

// mergeShares gives what is one organization's to another.
func mergeShares(ctx context.Context, q postgres.Q, from, into, by uuid.UUID, now time.Time) error {
	if _, err := q.Exec(ctx, `UPDATE document SET organization_id = $2 WHERE organization_id = $1`, from, into); err != nil {
		return err
	}
	if _, err := q.Exec(ctx, `UPDATE share SET organization_id = $2 WHERE organization_id = $1`, from, into); err != nil {
		return err
	}
	wide := func(h string) string {
		end := "coalesce(" + h + ".expires_at, 'infinity')"
		return "(" + end + " > $4, " + h + ".level = 'download', " + end + ", " + h + ".id)"
	}
	if _, err := q.Exec(ctx, `
		UPDATE share n SET revoked_at = $4, revoked_by = $3, replaced_by = w.id FROM share w
		WHERE w.document_id = n.document_id AND n.revoked_at IS NULL AND w.revoked_at IS NULL
		  AND (n.to_organization = $1 AND w.to_organization = $2 OR n.to_organization = $2 AND w.to_organization = $1)
		  AND `+wide("w")+` > `+wide("n"), from, into, by, now); err != nil {
		return err
	}
	// What has ended stays as it was.
	_, err := q.Exec(ctx, `UPDATE share SET to_organization = $2 WHERE to_organization = $1 AND revoked_at IS NULL`, from, into)
	return err
}

// representativesOf are the primary representatives of an organization.
func representativesOf(ctx context.Context, q postgres.Q, organization uuid.UUID, now time.Time) ([]mail.Reader, error) {
	return postgres.All[mail.Reader](ctx, q, `SELECT p.id AS person_id, p.email, p.name AS person_name, p.language, p.time_zone
		FROM person p JOIN affiliation f ON f.person_id = p.id
		WHERE f.organization_id = $1 AND f.representative AND f.state = 'confirmed' AND f.period @> $2::timestamptz AND p.state = 'active'
		ORDER BY p.id LIMIT 50`, organization, now)
}

func sharing(ctx context.Context, q postgres.Q) (Sharing, error) {
	return postgres.One[Sharing](ctx, q, nil, `SELECT links, version FROM sharing`)
}

// lockLinks refuses links where the portal does not allow them; it does not change
// its mind meanwhile.
func lockLinks(ctx context.Context, q postgres.Q) error {
	on, err := postgres.One[bool](ctx, q, nil, `SELECT links FROM sharing FOR SHARE`)
	if err == nil && !on {
		err = problem.New(problem.Conflict, "The portal does not allow sharing by link. Share it with a commission, an organization or a person.")
	}
	return err
}

// openedBy reads a document by the secret of a link that opens it now.
func openedBy(ctx context.Context, q postgres.Q, secret string, now time.Time) (Opened, error) {
	return postgres.One[Opened](ctx, q, access.ErrNotFound, `
		SELECT `+columns+`, 0 AS shared, h.id AS share_id, h.level, h.expires_at AS until `+from+` JOIN share h ON h.document_id = d.id
		WHERE h.link = $1 AND h.revoked_at IS NULL AND h.expires_at > $2 AND d.number IS NOT NULL AND (SELECT links FROM sharing)`, hashOf(secret), now)
}

// noteLink counts that a link was opened, and notes it for the trace; again only if
// nobody did within what is one view. By whom is not asked: a link is for whoever
// has it.
func noteLink(ctx context.Context, q postgres.Q, o Opened, again bool, now time.Time) error {
	_, err := q.Exec(ctx, `
		WITH counted AS (UPDATE share SET opened = opened + 1
			WHERE id = $2 AND NOT ($4::boolean AND EXISTS (SELECT FROM document_access x WHERE x.share_id = $2 AND x.at > $5::timestamptz AND x.kind = 'view')) RETURNING id, document_id)
		INSERT INTO document_access (id, document_id, kind, share_id, at) SELECT $1, document_id, 'view', id, $3 FROM counted`,
		uuid.Must(uuid.NewV7()), o.Share, now, again, now.Add(-oneView))
	return err
}

// noteLinkDownload notes a download by a link; a part only if it does not go on with
// a download of the last hour.
func noteLinkDownload(ctx context.Context, q postgres.Q, o Opened, v Version, part bool, now time.Time) error {
	_, err := q.Exec(ctx, `
		INSERT INTO document_access (id, document_id, kind, number, language, share_id, at)
		SELECT $1::uuid, $2::uuid, 'download', $3::int, $4::text, $5::uuid, $6::timestamptz
		WHERE NOT $7::boolean OR NOT EXISTS (
		  SELECT FROM document_access x WHERE x.share_id = $5::uuid AND x.at > $8::timestamptz AND x.kind = 'download' AND x.number = $3::int AND x.language = $4::text)`,
		uuid.Must(uuid.NewV7()), o.ID, v.Number, v.Language, o.Share, now, part, now.Add(-oneDownload))
	return err
}
