package membership

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
)

const invitationColumns = `i.id, i.commission_id, i.email, i.role, i.organization_id, o.slug AS organization_slug, o.name AS organization_name,
	i.message, i.state, i.invited_by, p.name AS inviter, i.appointed_by, i.created_at, i.expires_at, i.answered_at, i.seat_id`

const invitationFrom = ` JOIN person p ON p.id = i.invited_by LEFT JOIN organization o ON o.id = i.organization_id`

// newToken is the secret of a link and the hash that it is found by.
func newToken() (token string, hash []byte) {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	token = base64.RawURLEncoding.EncodeToString(b[:])
	h := sha256.Sum256([]byte(token))
	return token, h[:]
}

// invitationBy reads an invitation by the token of its link, or by its id, which
// is no secret; byID says which.
func invitationBy(ctx context.Context, q postgres.Q, token string) (i Invitation, byID bool, err error) {
	id, err := uuid.Parse(token)
	if err == nil && len(token) == 36 {
		i, err = postgres.One[Invitation](ctx, q, access.ErrNotFound, `SELECT `+invitationColumns+` FROM invitation i`+invitationFrom+` WHERE i.id = $1`, id)
		return i, true, err
	}
	h := sha256.Sum256([]byte(token))
	i, err = postgres.One[Invitation](ctx, q, access.ErrNotFound, `SELECT `+invitationColumns+` FROM invitation i`+invitationFrom+` WHERE i.hash = $1`, h[:])
	return i, false, err
}

func invitationByID(ctx context.Context, q postgres.Q, commission, id uuid.UUID) (Invitation, error) {
	return postgres.One[Invitation](ctx, q, access.ErrNotFound, `SELECT `+invitationColumns+` FROM invitation i`+invitationFrom+`
		WHERE i.id = $1 AND i.commission_id = $2`, id, commission)
}

func lockInvitation(ctx context.Context, q postgres.Q, id uuid.UUID) (Invitation, error) {
	return postgres.One[Invitation](ctx, q, access.ErrNotFound, `SELECT `+invitationColumns+` FROM invitation i`+invitationFrom+` WHERE i.id = $1 FOR UPDATE OF i`, id)
}

func listInvitations(ctx context.Context, q postgres.Q, commission uuid.UUID, by uuid.NullUUID, state string, now time.Time, page keyset.Page) ([]Invitation, error) {
	var w postgres.Where
	w.And("commission_id = ?", commission)
	w.If(by.Valid, "invited_by = ?::uuid", by.UUID)
	switch state {
	case "":
	case Expired:
		w.And("state = 'pending' AND expires_at <= ?::timestamptz", now)
	case Pending:
		w.And("state = 'pending' AND expires_at > ?::timestamptz", now)
	default:
		w.And("state = ?", state)
	}
	w.If(page.After != nil, "id < ?::uuid", page.Key(0))
	return postgres.All[Invitation](ctx, q, `SELECT `+invitationColumns+`
		FROM (SELECT id, commission_id, email, role, organization_id, message, state, invited_by, appointed_by, created_at, expires_at, answered_at, seat_id
		      FROM invitation WHERE `+w.SQL()+` ORDER BY id DESC LIMIT `+w.Arg(page.Fetch())+`) i`+invitationFrom+` ORDER BY i.id DESC`, w.Args()...)
}

// known says of addresses whether there is a live invitation, or a seat like the
// one offered.
type known struct {
	Email   string `db:"email"`
	Invited bool   `db:"invited"`
	Sits    bool   `db:"sits"`
}

func knownAddresses(ctx context.Context, q postgres.Q, commission uuid.UUID, emails []string, role string, organization *uuid.UUID, now time.Time) (map[string]known, error) {
	rows, err := postgres.All[known](ctx, q, `SELECT e.email,
			EXISTS (SELECT FROM invitation i WHERE i.commission_id = $1 AND i.email = e.email AND i.state = 'pending' AND i.expires_at > $4) AS invited,
			EXISTS (SELECT FROM person p JOIN seat s ON s.person_id = p.id WHERE p.email = e.email AND s.commission_id = $1
			          AND s.role = $3 AND s.organization_id IS NOT DISTINCT FROM $5 AND coalesce(upper(s.period), 'infinity') > $4) AS sits
		FROM unnest($2::text[]) AS e (email)`, commission, pq.Array(emails), role, now, organization)
	by := make(map[string]known, len(rows))
	for _, r := range rows {
		by[r.Email] = r
	}
	return by, err
}

// offered is a row of invitation to be written.
type offered struct {
	ID      uuid.UUID `json:"id"`
	Email   string    `json:"email"`
	Hash    string    `json:"hash"`
	token   string
	Expires time.Time `json:"expires"`
}

func offer(email string, expires time.Time) offered {
	token, hash := newToken()
	return offered{ID: uuid.Must(uuid.NewV7()), Email: email, Hash: hex.EncodeToString(hash), token: token, Expires: expires}
}

// insertInvitations writes them in one statement, after those to the same
// addresses that have expired are put aside.
func insertInvitations(ctx context.Context, q postgres.Q, i Invitation, rows []offered) error {
	emails := make([]string, len(rows))
	for n, r := range rows {
		emails[n] = r.Email
	}
	if _, err := q.Exec(ctx, `UPDATE invitation SET state = 'revoked', answered_at = $3 WHERE commission_id = $1 AND email = ANY($2) AND state = 'pending' AND expires_at <= $3`,
		i.CommissionID, pq.Array(emails), i.CreatedAt); err != nil {
		return err
	}
	type row struct {
		offered
		Commission   uuid.UUID  `json:"commission"`
		Role         string     `json:"role"`
		Organization *uuid.UUID `json:"organization"`
		Message      string     `json:"message"`
		By           uuid.UUID  `json:"by"`
		Appointed    string     `json:"appointed"`
		At           time.Time  `json:"at"`
	}
	all := make([]row, len(rows))
	for n, r := range rows {
		all[n] = row{r, i.CommissionID, i.Role, i.OrganizationID, i.Message, i.InvitedBy, i.AppointedBy, i.CreatedAt}
	}
	return carryAll(ctx, q, all, `INSERT INTO invitation (id, commission_id, email, role, organization_id, message, hash, invited_by, appointed_by, created_at, expires_at)
		SELECT n.id, n.commission, n.email, n.role, n.organization, n.message, decode(n.hash, 'hex'), n.by, n.appointed, n.at, n.expires
		FROM jsonb_to_recordset($1::jsonb) AS n (id uuid, commission uuid, email text, role text, organization uuid, message text, hash text, by uuid, appointed text, at timestamptz, expires timestamptz)`)
}

// setAnswered closes an invitation that waits.
func setAnswered(ctx context.Context, q postgres.Q, i Invitation, state string, at time.Time, seat *uuid.UUID) error {
	return postgres.ExecOne(ctx, q, errMoved, `UPDATE invitation SET state = $2, answered_at = $3, seat_id = $4 WHERE id = $1 AND state = 'pending'`, i.ID, state, at, seat)
}

func setToken(ctx context.Context, q postgres.Q, id uuid.UUID, hash []byte, expires time.Time) error {
	return postgres.ExecOne(ctx, q, errMoved, `UPDATE invitation SET hash = $2, expires_at = $3 WHERE id = $1 AND state = 'pending'`, id, hash, expires)
}
