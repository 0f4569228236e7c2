package organization

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	_ "image/jpeg" // the formats a logo may have
	_ "image/png"

	_ "golang.org/x/image/webp" // the third

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Limits of a logo.
const (
	MaxLogo     = 256 << 10 // bytes
	leastPixels = 16        // of a side
	mostPixels  = 2048      // of a side: decoded it needs 16 MB
)

// Logo is an organization's picture.
type Logo struct {
	Type   string `db:"type"`
	Digest string `db:"digest"`
	Body   []byte `db:"body"`
}

// readLogo finds out by its content what a picture is, and decodes all of it,
// so that what is served is one: Invalid (field "logo") if not.
func readLogo(body []byte) (Logo, error) {
	switch {
	case len(body) == 0:
		return Logo{}, problem.Field("logo", "Choose a file.")
	case len(body) > MaxLogo:
		return Logo{}, problem.Field("logo", "Use a picture of at most %d kB; this has %d.", MaxLogo>>10, (len(body)+1023)>>10)
	}
	size, format, err := image.DecodeConfig(bytes.NewReader(body))
	if err != nil {
		return Logo{}, problem.Field("logo", "This is not a PNG, JPEG or WebP picture.")
	}
	if size.Width < leastPixels || size.Height < leastPixels || size.Width > mostPixels || size.Height > mostPixels {
		return Logo{}, problem.Field("logo", "Use a picture of %d to %d pixels a side; this has %d by %d.", leastPixels, mostPixels, size.Width, size.Height)
	}
	if _, _, err := image.Decode(bytes.NewReader(body)); err != nil {
		return Logo{}, problem.Field("logo", "This picture is damaged.")
	}
	digest := sha256.Sum256(body)
	return Logo{"image/" + format, hex.EncodeToString(digest[:]), body}, nil
}

// SetLogo replaces the logo by a PNG, JPEG or WebP picture.
func (s *Service) SetLogo(ctx context.Context, who access.Actor, slug string, body []byte) (Organization, error) {
	o, permit, err := s.require(ctx, who, slug, "organization", "edit")
	if err != nil {
		return o, err
	}
	l, err := readLogo(body)
	if err != nil {
		return o, err
	}
	return s.changeLogo(ctx, permit, o, "Changed the logo of %s", `
		INSERT INTO organization_logo (organization_id, type, digest, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (organization_id) DO UPDATE SET type = excluded.type, digest = excluded.digest, body = excluded.body`, o.ID, l.Type, l.Digest, l.Body)
}

// RemoveLogo takes the logo away.
func (s *Service) RemoveLogo(ctx context.Context, who access.Actor, slug string) (Organization, error) {
	o, permit, err := s.require(ctx, who, slug, "organization", "edit")
	if err != nil {
		return o, err
	}
	return s.changeLogo(ctx, permit, o, "Removed the logo of %s", `DELETE FROM organization_logo WHERE organization_id = $1`, o.ID)
}

func (s *Service) changeLogo(ctx context.Context, permit access.Permit, o Organization, note, query string, args ...any) (Organization, error) {
	err := journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := postgres.ExecOne(ctx, tx, problem.New(problem.Conflict, "There is no logo."), query, args...); err != nil {
			return err
		}
		return tx.Record(o.ID, journal.Say(note, o.Name))
	})
	if err != nil {
		return o, err
	}
	return one(ctx, s.db, `o.id = $1`, o.ID)
}

// Logo reads a logo by its digest; NotFound if it was replaced.
func (s *Service) Logo(ctx context.Context, who access.Actor, slug, digest string) (Organization, Logo, error) {
	o, err := s.Show(ctx, who, slug)
	if err != nil {
		return o, Logo{}, err
	}
	l, err := postgres.One[Logo](ctx, s.db, access.ErrNotFound, `
		SELECT type, digest, body FROM organization_logo WHERE organization_id = $1 AND digest = $2`, o.ID, digest)
	return o, l, err
}
