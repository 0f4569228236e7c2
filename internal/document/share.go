package document

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// What a document can be shared with.
const (
	WithCommission   = "commission"   // its members
	WithOrganization = "organization" // its people
	WithPerson       = "person"       // one
	WithLink         = "link"         // whoever has it, with or without an account
)

// Withs are all of them.
var Withs = []string{WithCommission, WithOrganization, WithPerson, WithLink}

// Levels of a share: to see the document, or to download its files too.
var Levels = []string{"see", "download"}

// longestLink is how long a link may open a document.
const longestLink = 366 * 24 * time.Hour

// Share is one grant of the share ledger. It is never changed: to share again with
// the same recipient ends it and makes another.
type Share struct {
	ID            uuid.UUID  `db:"id" json:"id"`
	DocumentID    uuid.UUID  `db:"document_id" json:"-"`
	Commission    string     `db:"commission_slug" json:"commission" doc:"Slug of the commission whose register the document is in."`
	Prefix        string     `db:"prefix" json:"-"`
	Number        *int       `db:"number" json:"-"`
	Title         string     `db:"title" json:"title"`
	Status        string     `db:"status" json:"status" doc:"Of the document."`
	With          string     `db:"kind" json:"with" enum:"commission,organization,person,link"`
	Recipient     *string    `db:"recipient" json:"recipient,omitempty" doc:"Slug of the commission or organization, id of the person; absent for a link."`
	RecipientName *string    `db:"recipient_name" json:"recipient_name,omitempty"`
	Owner         *string    `db:"owner_slug" json:"owner,omitempty" doc:"Slug of the organization that shares it; absent: the commission itself."`
	OwnerName     string     `db:"owner_name" json:"owner_name"`
	Level         string     `db:"level" json:"level" enum:"see,download"`
	Reason        string     `db:"reason" json:"reason,omitempty"`
	By            string     `db:"by_name" json:"granted_by"`
	CreatedAt     time.Time  `db:"created_at" json:"since"`
	ExpiresAt     *time.Time `db:"expires_at" json:"until,omitempty" doc:"The instant that follows its last day. Absent: without an end."`
	State         string     `db:"state" json:"state" enum:"live,expired,revoked,replaced" doc:"replaced: another grant to the same recipient took its place."`
	RevokedAt     *time.Time `db:"revoked_at" json:"revoked_at,omitempty"`
	RevokedBy     *string    `db:"revoked_by_name" json:"revoked_by,omitempty"`
	Opened        int        `db:"opened" json:"opened,omitempty" doc:"How often a link was opened."`
	Accesses      []Access   `db:"-" json:"accesses,omitempty" doc:"The last few under it, the newest first; in the ledger of one document."`
}

// Reference is how the document is cited.
func (s Share) Reference() string { return Reference(s.Prefix, s.Number) }

// Path is the address of the document's page.
func (s Share) Path() string { return "/documents/" + s.Reference() }

// to is with whom it is, for the journal: a person by key.
func (s Share) to() any {
	if id, err := uuid.Parse(*s.Recipient); err == nil && s.With == WithPerson {
		return journal.Person(id)
	}
	return *s.RecipientName
}

// Live reports whether it gives anything now.
func (s Share) Live() bool { return s.State == "live" }

// Access is one reading of a document under a share.
type Access struct {
	ShareID      uuid.UUID `db:"share_id" json:"-"`
	Kind         string    `db:"kind" json:"kind" enum:"view,preview,download"`
	Version      *int      `db:"number" json:"version,omitempty"`
	Language     *string   `db:"language" json:"language,omitempty"`
	Person       *string   `db:"person" json:"person,omitempty" doc:"Absent for whoever had a link."`
	Organization *string   `db:"organization" json:"organization,omitempty" doc:"For which the person read it."`
	At           time.Time `db:"at" json:"at"`
}

// lastAccesses is how many accesses the ledger shows of each grant.
const lastAccesses = 5

// Grant is what is said of a share to be made.
type Grant struct {
	With      string
	Recipient string // slug of a commission or an organization, id of a person
	Level     string
	Until     string // the last day, YYYY-MM-DD; "" for no end
	Reason    string
}

// Check normalizes g and reports every field that is wrong. It returns the instant
// that follows its last day in the zone, or nil.
func (g *Grant) Check(now time.Time, zone *time.Location) (*time.Time, error) {
	var f problem.Fields
	check.OneOf(&f, "with", g.With, Withs...)
	check.OneOf(&f, "level", g.Level, Levels...)
	check.Line(&f, "reason", &g.Reason, 0, 500)
	if g.With != WithLink && g.Recipient == "" {
		f.Add("recipient", "Choose with whom to share it.")
	}
	var until *time.Time
	if day := check.Date(&f, "until", g.Until, g.With == WithLink, zone); !day.IsZero() {
		end := day.AddDate(0, 0, 1)
		g.Until, until = day.Format(time.DateOnly), &end
		switch {
		case !end.After(now):
			f.Add("until", "Choose a day that is yet to come.")
		case g.With == WithLink && end.Sub(now) > longestLink:
			f.Add("until", "A link opens it for a year at most.")
		}
	}
	return until, f.Err()
}

// Shareable reports whether it can be shared: Conflict if not.
func (d Document) Shareable() error {
	switch {
	case d.Number == nil:
		return problem.New(problem.Conflict, "It can be shared once it has a number.")
	case d.Status == Withdrawn:
		return problem.New(problem.Conflict, "It is withdrawn. What is withdrawn cannot be shared.")
	}
	return nil
}

// owner is who shares the document, in words.
func (d Document) owner() string {
	if d.OrganizationName != nil {
		return *d.OrganizationName
	}
	return d.CommissionName
}

// note is what the journal says of it.
func (g Grant) note(d Document, to Recipient) journal.Note {
	ref, download, with := d.Reference(), g.Level == "download", any(to.Name)
	if g.With == WithPerson {
		with = journal.Person(to.ID)
	}
	switch {
	case g.With == WithLink && download:
		return journal.Say("Made a link by which %s can be downloaded until %s", ref, g.Until)
	case g.With == WithLink:
		return journal.Say("Made a link by which %s can be seen until %s", ref, g.Until)
	case download && g.Until != "":
		return journal.Say("Shared %s with %s until %s, to download it", ref, with, g.Until)
	case download:
		return journal.Say("Shared %s with %s, to download it", ref, with)
	case g.Until != "":
		return journal.Say("Shared %s with %s until %s, to see it", ref, with, g.Until)
	}
	return journal.Say("Shared %s with %s, to see it", ref, with)
}

// Grant shares a document with a commission, an organization or a person. A live
// share with the same recipient is ended and replaced.
func (s *Service) Grant(ctx context.Context, who access.Actor, name string, with Grant) (Document, Share, error) {
	if with.With == WithLink {
		with.With = "" // it has an operation of its own, because of its secret
	}
	return s.grant(ctx, who, name, with, nil)
}

func (s *Service) grant(ctx context.Context, who access.Actor, name string, with Grant, link []byte) (Document, Share, error) {
	d, permit, err := s.require(ctx, who, name, "share", "grant")
	if err != nil {
		return d, Share{}, err
	}
	if err := d.Shareable(); err != nil {
		return d, Share{}, err
	}
	until, err := with.Check(journal.Now(ctx), calendar.Zone(ctx))
	if err != nil {
		return d, Share{}, err
	}
	id, sight := uuid.Must(uuid.NewV7()), access.See(ctx, who)
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		now, err := lock(ctx, tx, d.ID) // what is withdrawn at this moment is waited for
		if err != nil {
			return err
		}
		if err := now.Shareable(); err != nil {
			return err
		}
		if until != nil && !until.After(tx.Now) {
			return problem.Field("until", "Choose a day that is yet to come.")
		}
		var to Recipient
		if link != nil {
			err = lockLinks(ctx, tx)
		} else {
			to, err = recipientOf(ctx, tx, sight, now, who.ID, with, tx.Now)
		}
		if err != nil {
			return err
		}
		if err := insertShare(ctx, tx, newShare{id, now, with, to.ID, link, who.ID, until, tx.Now}); err != nil {
			return err
		}
		if err := s.tellShared(ctx, tx, now, with, to, until); err != nil {
			return err
		}
		tx.Represents(now.OrganizationID)
		return tx.Record(now.ID, with.note(now, to))
	})
	if postgres.Constraint(err) == "share_live" {
		err = problem.New(problem.Conflict, "Somebody shared it with them meanwhile. Look at the ledger first.")
	}
	if err != nil {
		return d, Share{}, err
	}
	h, err := shareByID(ctx, s.db, id, journal.Now(ctx))
	return d, h, err
}

// ForSharing reads a document for the form that shares it: Conflict if it cannot
// be shared.
func (s *Service) ForSharing(ctx context.Context, who access.Actor, name string) (Document, Sharing, error) {
	d, _, err := s.require(ctx, who, name, "share", "grant")
	if err == nil {
		err = d.Shareable()
	}
	if err != nil {
		return d, Sharing{}, err
	}
	allowed, err := sharing(ctx, s.db)
	return d, allowed, err
}

// Recipient is one whom a document can be shared with.
type Recipient struct {
	ID     uuid.UUID `db:"id"`
	Value  string    `db:"value"` // as Grant takes it
	Name   string    `db:"name"`
	Detail string    `db:"detail"` // what tells those of one name apart
}

// mostRecipients is how many a form offers.
const mostRecipients = 20

// Recipients are whom the actor may share a document of ForSharing with, by a part of the name,
// and the one that is chosen already, as Grant takes it, first; more says that there
// are others. Of persons only those whom the actor sees anyway, on a roster or in an
// own organization, and only by name: nobody learns who has an account by asking.
func (s *Service) Recipients(ctx context.Context, who access.Actor, d Document, with, text, chosen string) (list []Recipient, more bool, err error) {
	if list, err = recipients(ctx, s.db, access.See(ctx, who), d, who.ID, with, text, chosen, journal.Now(ctx)); len(list) > mostRecipients {
		return list[:mostRecipients], true, err
	}
	return list, false, err
}

// Shares is a page of the ledger of a document, the newest grant first, each with
// the last accesses under it.
func (s *Service) Shares(ctx context.Context, who access.Actor, name string, page keyset.Page) (Document, []Share, string, error) {
	d, _, err := s.require(ctx, who, name, "share", "read")
	if err != nil {
		return d, nil, "", err
	}
	var w postgres.Where
	w.And("h.document_id = ?", d.ID)
	list, next, err := sharesWhere(ctx, s.db, &w, page, journal.Now(ctx))
	if err == nil {
		err = withAccesses(ctx, s.db, list)
	}
	return d, list, next, err
}

// held reads a share for somebody who may see the ledger that it is in, and asks
// for a right on it. For everybody else it does not exist.
func (s *Service) held(ctx context.Context, who access.Actor, id uuid.UUID, action string) (Document, Share, access.Permit, error) {
	access.See(ctx, who)
	h, err := shareByID(ctx, s.db, id, journal.Now(ctx))
	if err != nil {
		return Document{}, h, access.Permit{}, err
	}
	d, err := s.Show(ctx, who, h.DocumentID.String())
	if err != nil {
		return d, h, access.Permit{}, err
	}
	if !s.access.May(who, d.Scope(), "share", "read") {
		return Document{}, Share{}, access.Permit{}, access.ErrNotFound
	}
	permit, err := s.access.Require(ctx, who, d.Scope(), "share", action)
	return d, h, permit, err
}

// errShareEnded is the answer for a share that gives nothing any more.
var errShareEnded = problem.New(problem.Conflict, "This share has ended already.")

// ToRevoke reads a share for the page that asks before it is revoked.
func (s *Service) ToRevoke(ctx context.Context, who access.Actor, id uuid.UUID) (Document, Share, error) {
	d, h, _, err := s.held(ctx, who, id, "revoke")
	if err == nil && !h.Live() {
		err = errShareEnded
	}
	return d, h, err
}

// Revoke ends a share at once: at their next request its recipients see what they
// see without it. Nobody is written to.
func (s *Service) Revoke(ctx context.Context, who access.Actor, id uuid.UUID) (Document, error) {
	d, h, permit, err := s.held(ctx, who, id, "revoke")
	if err != nil {
		return d, err
	}
	return d, journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := postgres.ExecOne(ctx, tx, errShareEnded, `
			UPDATE share SET revoked_at = $2, revoked_by = $3 WHERE id = $1 AND revoked_at IS NULL AND coalesce(expires_at, 'infinity') > $2`, h.ID, tx.Now, who.ID); err != nil {
			return err
		}
		note := journal.Say("Revoked a link to %s", d.Reference())
		if h.RecipientName != nil {
			note = journal.Say("Revoked the share of %s with %s", d.Reference(), h.to())
		}
		tx.Represents(d.OrganizationID)
		return tx.Record(d.ID, note)
	})
}

// Through are the live shares that a document is with the actor by.
func (s *Service) Through(ctx context.Context, who access.Actor, d Document) ([]Share, error) {
	if d.Shared == 0 {
		return nil, nil
	}
	now := journal.Now(ctx)
	var w postgres.Where
	w.And("h.document_id = ?", d.ID)
	w.And(access.See(ctx, who).Granted(&w, "h", now))
	list, _, err := sharesWhere(ctx, s.db, &w, keyset.First, now)
	return forRecipient(list), err
}

// forRecipient leaves away what is the owner's to know.
func forRecipient(list []Share) []Share {
	for i := range list {
		list[i].Opened = 0
	}
	return list
}

// Place is an organization or a commission that documents are shared with.
type Place struct {
	ID   uuid.UUID `db:"id"`
	Slug string    `db:"slug"`
	Name string    `db:"name"`
}

// SharesOf are the live shares of an organization that is the actor's: what is
// shared with it, or what it shares.
func (s *Service) SharesOf(ctx context.Context, who access.Actor, slug string, given bool, page keyset.Page) (Place, []Share, string, error) {
	o, err := organizationBySlug(ctx, s.db, slug)
	if err != nil {
		return o, nil, "", err
	}
	action := "read:received"
	if given {
		action = "read:given"
	}
	if _, err := s.access.Require(ctx, who, access.Organization(o.ID), "share", action); err != nil {
		return o, nil, "", err
	}
	var w postgres.Where
	if given {
		w.And("h.organization_id = ?", o.ID)
	} else {
		w.And("h.to_organization = ?", o.ID)
	}
	list, next, err := s.liveShares(ctx, who, &w, page)
	if !given {
		list = forRecipient(list)
	}
	return o, list, next, err
}

// SharedWith are the live shares with a commission, for its members: documents of
// other registers.
func (s *Service) SharedWith(ctx context.Context, who access.Actor, slug string, page keyset.Page) (Home, []Share, string, error) {
	h, _, err := s.home(ctx, who, slug, "share", "read:received")
	if err != nil {
		return h, nil, "", err
	}
	var w postgres.Where
	w.And("h.to_commission = ?", h.ID)
	list, next, err := s.liveShares(ctx, who, &w, page)
	return h, forRecipient(list), next, err
}

// SharedWithMe are the live shares with the actor in person.
func (s *Service) SharedWithMe(ctx context.Context, who access.Actor, page keyset.Page) ([]Share, string, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "share", "read:received"); err != nil {
		return nil, "", err
	}
	var w postgres.Where
	w.And("h.to_person = ?", who.ID)
	list, next, err := s.liveShares(ctx, who, &w, page)
	return forRecipient(list), next, err
}

// liveShares is a page of those that hold now, of documents that the actor may see.
func (s *Service) liveShares(ctx context.Context, who access.Actor, w *postgres.Where, page keyset.Page) ([]Share, string, error) {
	now := journal.Now(ctx)
	w.And(access.Live(w, "h", now))
	w.And(access.See(ctx, who).Document(w, "d", now))
	return sharesWhere(ctx, s.db, w, page, now)
}

// Sharing is what the portal allows of sharing.
type Sharing struct {
	Links   bool `db:"links" json:"links" doc:"Documents may be shared with whoever has a link. While it is off, no link opens anything."`
	Version int  `db:"version" json:"version"`
}

// Sharing reads it.
func (s *Service) Sharing(ctx context.Context, who access.Actor) (Sharing, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "sharing", "read"); err != nil {
		return Sharing{}, err
	}
	return sharing(ctx, s.db)
}

// SetSharing changes it. It is Stale if somebody else did meanwhile.
func (s *Service) SetSharing(ctx context.Context, who access.Actor, with Sharing) (Sharing, error) {
	permit, err := s.access.Require(ctx, who, access.Portal, "sharing", "edit")
	if err != nil {
		return with, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		before, err := sharing(ctx, tx)
		if err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, errStale, `UPDATE sharing SET links = $2, version = version + 1 WHERE version = $1`, with.Version, with.Links); err != nil {
			return err
		}
		note := journal.Say("Documents cannot be shared by link any more")
		if with.Links {
			note = journal.Say("Documents may be shared by link")
		}
		return tx.Record(uuid.Nil, note.Changed(before, with))
	})
	if err != nil {
		return with, err
	}
	return sharing(ctx, s.db)
}

// MergeOrganization moves the documents of an organization, the shares it made and
// those it has to the one it became part of. Of two shares of one document the
// wider stays.
func (s *Service) MergeOrganization(ctx context.Context, tx *journal.Tx, from, into uuid.UUID) error {
	return mergeShares(ctx, tx, from, into, tx.Permit().Actor().ID, tx.Now)
}

// tellShared writes to whom a document is shared with: to the primary
// representatives of the organization, the officers of the commission, the person.
func (s *Service) tellShared(ctx context.Context, tx *journal.Tx, d Document, with Grant, to Recipient, until *time.Time) error {
	var readers []mail.Reader
	var err error
	switch with.With {
	case WithCommission:
		readers, err = officersOf(ctx, tx, to.ID, tx.Now)
	case WithOrganization:
		readers, err = representativesOf(ctx, tx, to.ID, tx.Now)
	case WithPerson:
		readers, err = readerOf(ctx, tx, to.ID)
	}
	if err != nil {
		return err
	}
	actor := tx.Permit().Actor()
	return s.send(ctx, tx, readers, "document.shared", "/documents/"+d.ID.String(), func(ctx context.Context) mail.Note { return shared(ctx, d, actor.Name, with, to, until) })
}
