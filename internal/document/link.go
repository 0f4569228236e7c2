package document

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

// Link shares a document with whoever has a link, and returns the link's path,
// which is shown once and kept nowhere. Conflict if the portal does not allow links.
func (s *Service) Link(ctx context.Context, who access.Actor, name string, with Grant) (Document, Share, string, error) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	secret := base64.RawURLEncoding.EncodeToString(b[:])
	with.With, with.Recipient = WithLink, ""
	d, h, err := s.grant(ctx, who, name, with, hashOf(secret))
	return d, h, "/s/" + secret, err
}

// hashOf is what a link is found by: its secret is kept nowhere.
func hashOf(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// Opened is a document as somebody sees it who came by a link, and nothing else
// of it.
type Opened struct {
	Document
	Share    uuid.UUID `db:"share_id"`
	Level    string    `db:"level"`
	Until    time.Time `db:"until"`
	Versions []Version `db:"-"`
}

// Download reports whether the link lets its files be downloaded.
func (o Opened) Download() bool { return o.Level == "download" && o.Status != Withdrawn }

// OpenLink reads a document by the secret of a link, and counts that if count. A page
// that comes again by itself is not counted, if it was opened a short time ago.
// Unknown, expired and revoked are answered alike.
func (s *Service) OpenLink(ctx context.Context, secret string, count, again bool) (Opened, error) {
	access.Public(ctx) // the secret is the right
	o, err := openedBy(ctx, s.db, secret, journal.Now(ctx))
	if err != nil {
		return o, err
	}
	if o.Versions, err = versions(ctx, s.db, o.Document); err != nil {
		return Opened{}, err
	}
	if count {
		err = noteLink(ctx, s.db, o, again, journal.Now(ctx))
	}
	return o, err
}

// LinkContent finds the file of a version for somebody who came by a link that
// lets it be downloaded.
func (s *Service) LinkContent(ctx context.Context, secret string, number int, language string) (Opened, Content, error) {
	access.Public(ctx)
	o, err := openedBy(ctx, s.db, secret, journal.Now(ctx))
	if err != nil {
		return o, Content{}, err
	}
	switch {
	case o.Status == Withdrawn:
		return o, Content{}, problem.New(problem.Forbidden, "It is withdrawn: %s", o.StatusReason)
	case !o.Download():
		return o, Content{}, problem.New(problem.Forbidden, "By this link it can be looked into. It does not let its files be downloaded.")
	}
	c, err := s.content(ctx, o.Document, number, language)
	return o, c, err
}

// lookLink finds a version for somebody who came by a link: each lets a document be
// looked into as long as it is not withdrawn.
func (s *Service) lookLink(ctx context.Context, secret string, number int, language string) (Opened, Version, error) {
	access.Public(ctx)
	o, err := openedBy(ctx, s.db, secret, journal.Now(ctx))
	if err != nil {
		return o, Version{}, err
	}
	if o.Status == Withdrawn {
		return o, Version{}, problem.New(problem.Forbidden, "It is withdrawn: %s", o.StatusReason)
	}
	v, err := s.version(ctx, o.Document, number, language)
	if err == nil && v.Scan == infected {
		err = errInfected
	}
	return o, v, err
}

// LinkPreview shows a page of a version to somebody who came by a link, and notes
// it for the trace if there is something to see yet.
func (s *Service) LinkPreview(ctx context.Context, secret string, number int, language string, page int) (Opened, Preview, error) {
	o, v, err := s.lookLink(ctx, secret, number, language)
	if err != nil {
		return o, Preview{}, err
	}
	p, err := s.preview(ctx, o.Document, v, page)
	if err == nil && p.Kind != BeingRead && !p.Coming {
		s.noteLinkPreview(ctx, o, v)
	}
	return o, p, err
}

// LinkPicture reads the picture of a page for somebody who came by a link; 0 is the
// small one of the first page. The page that it stands on has been noted.
func (s *Service) LinkPicture(ctx context.Context, secret string, number int, language string, page int) (Picture, error) {
	_, v, err := s.lookLink(ctx, secret, number, language)
	if err != nil {
		return Picture{}, err
	}
	return s.picture(ctx, v, page)
}

// NoteLinkDownload writes down that a file was downloaded by a link.
func (s *Service) NoteLinkDownload(ctx context.Context, o Opened, v Version, part bool) error {
	return noteLinkDownload(ctx, s.db, o, v, part, journal.Now(ctx))
}
