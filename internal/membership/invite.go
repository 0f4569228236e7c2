package membership

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/calendar"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/mail"
	"commissionportal/internal/problem"
)

// Understood is what an inviter's text comes to, line by line: what will be sent
// and what is left out and why.
type Understood struct {
	Home
	Lines        []Line
	Good         int
	Organization *Standing // for which the seat is offered
	Expires      time.Time
}

// Understand reads what an inviter wrote and changes nothing: the preview.
func (s *Service) Understand(ctx context.Context, who access.Actor, slug string, in *Inviting) (Understood, error) {
	u, _, err := s.understand(ctx, who, slug, in)
	return u, err
}

func (s *Service) understand(ctx context.Context, who access.Actor, slug string, in *Inviting) (Understood, access.Permit, error) {
	h, permit, err := s.ask(ctx, who, slug, "invitation", "send")
	if err != nil {
		return Understood{Home: h}, permit, err
	}
	if Officer(in.Role) {
		if _, err := s.access.Require(ctx, who, h.Scope(), "seat", "appoint"); err != nil {
			return Understood{Home: h}, permit, err
		}
	}
	now := journal.Now(ctx)
	lines, days, err := in.Check()
	u := Understood{Home: h, Lines: lines, Expires: now.AddDate(0, 0, days)}
	if err != nil {
		return u, permit, err
	}
	if err := h.Takes(); err != nil {
		return u, permit, err
	}
	var organization *uuid.UUID
	if in.Organization != "" {
		o, err := standing(ctx, s.db, h.ID, now, in.Organization)
		if err == nil {
			err = h.Admits(o, in.Role)
		}
		if p := problem.As(err); p != nil && len(p.Fields) == 0 {
			err = problem.Field("organization", p.Format, p.Args...)
		}
		if err != nil {
			return u, permit, err
		}
		u.Organization, organization = &o, &o.ID
	}
	var emails []string
	for _, l := range lines {
		if l.Wrong == nil {
			emails = append(emails, l.Email)
		}
	}
	known, err := knownAddresses(ctx, s.db, h.ID, emails, in.Role, organization, now)
	if err != nil {
		return u, permit, err
	}
	for i, l := range lines {
		switch k := known[l.Email]; {
		case l.Wrong != nil:
		case k.Sits:
			lines[i].Wrong = &problem.FieldError{Format: "Holds this seat already."}
		case k.Invited:
			lines[i].Wrong = &problem.FieldError{Format: "Has been invited already; that invitation is still good."}
		default:
			u.Good++
		}
	}
	return u, permit, nil
}

// Invite sends invitations to all addresses that are understood, and returns
// what became of each line.
func (s *Service) Invite(ctx context.Context, who access.Actor, slug string, in Inviting) (Understood, error) {
	u, permit, err := s.understand(ctx, who, slug, &in)
	if err != nil {
		return u, err
	}
	if u.Good == 0 {
		return u, problem.Field("addresses", "Nobody is left to invite: every line is left out for the reason beside it.")
	}
	i := Invitation{CommissionID: u.ID, Role: in.Role, Message: in.Message, State: Pending, InvitedBy: who.ID, Inviter: who.Name, AppointedBy: appointer(who), ExpiresAt: u.Expires}
	if u.Organization != nil {
		i.OrganizationID, i.OrganizationName = &u.Organization.ID, &u.Organization.Name
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		var emails []string
		for _, l := range u.Lines {
			if l.Wrong == nil {
				emails = append(emails, l.Email)
			}
		}
		return s.offer(ctx, tx, u.Home, i, emails)
	})
	return u, constraint(err)
}

// offer writes invitations like i to the addresses and the letters with their
// links, in a change.
func (s *Service) offer(ctx context.Context, tx *journal.Tx, h Home, i Invitation, emails []string) error {
	letters := letters{post: s.post, access: s.access}
	i.CreatedAt = tx.Now
	rows := make([]offered, len(emails))
	for n, email := range emails {
		rows[n] = offer(email, i.ExpiresAt)
	}
	if err := insertInvitations(ctx, tx, i, rows); err != nil {
		return err
	}
	for _, r := range rows {
		if err := letters.to(ctx, mail.Reader{Email: r.Email}, "invitation.sent", "", func(ctx context.Context) mail.Note { return invited(ctx, h, i, r.token) }); err != nil {
			return err
		}
		if err := tx.RecordAs("invitation", "send", r.ID, journal.Say("Invited %s as %s", r.Email, Word(i.Role))); err != nil {
			return err
		}
	}
	return letters.send(ctx, tx)
}

// Invitations are those of a commission, the newest first; state narrows them. Who
// may invite, and not see who else is invited, sees those they sent.
func (s *Service) Invitations(ctx context.Context, who access.Actor, slug, state string, page keyset.Page) (Home, []Invitation, string, error) {
	var by uuid.NullUUID
	h, err := s.home(ctx, who, slug, "invitation", "read")
	if err != nil && h.ID != uuid.Nil && s.access.May(who, h.Scope(), "invitation", "send") {
		by = uuid.NullUUID{UUID: who.ID, Valid: true}
		_, err = s.access.Require(ctx, who, h.Scope(), "invitation", "send")
	}
	if err != nil {
		return h, nil, "", err
	}
	now := journal.Now(ctx)
	rows, err := listInvitations(ctx, s.db, h.ID, by, state, now, page)
	if err != nil {
		return h, nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(i Invitation) []string { return []string{i.ID.String()} })
	for n := range rows {
		rows[n].State = rows[n].StateAt(now)
	}
	return h, rows, next, nil
}

// ToRevoke reads an invitation for the page that asks before it is taken back.
func (s *Service) ToRevoke(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Home, Invitation, error) {
	h, err := s.home(ctx, who, slug, "invitation", "send")
	if err != nil {
		return h, Invitation{}, err
	}
	i, err := s.theirs(ctx, who, h, id)
	return h, i, err
}

// theirs is an invitation that the actor sees in the list, and may send.
func (s *Service) theirs(ctx context.Context, who access.Actor, h Home, id uuid.UUID) (Invitation, error) {
	i, err := invitationByID(ctx, s.db, h.ID, id)
	if err == nil && i.InvitedBy != who.ID && !s.access.May(who, h.Scope(), "invitation", "read") {
		err = access.ErrNotFound
	}
	return i, err
}

// Revoke takes an invitation back; its link explains that.
func (s *Service) Revoke(ctx context.Context, who access.Actor, slug string, id uuid.UUID) error {
	h, permit, err := s.ask(ctx, who, slug, "invitation", "send")
	if err != nil {
		return err
	}
	if _, err := s.theirs(ctx, who, h, id); err != nil {
		return err
	}
	return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		i, err := lockInvitation(ctx, tx, id)
		if err != nil {
			return err
		}
		if i.State != Pending {
			return i.Answerable(tx.Now)
		}
		if err := setAnswered(ctx, tx, i, Revoked, tx.Now, nil); err != nil {
			return err
		}
		if i.StateAt(tx.Now) == Pending { // of one that has expired there is nothing to say
			if err := letters.to(ctx, mail.Reader{Email: i.Email}, "invitation.revoked", "", func(ctx context.Context) mail.Note { return revoked(ctx, h, i.Role) }); err != nil {
				return err
			}
		}
		if err := letters.send(ctx, tx); err != nil {
			return err
		}
		return tx.RecordAs("invitation", "revoke", id, journal.Say("Took back the invitation of %s", i.Email))
	})
}

// Resend sends an invitation that waits, or has expired, again with a new link;
// the old one ends.
func (s *Service) Resend(ctx context.Context, who access.Actor, slug string, id uuid.UUID) (Invitation, error) {
	h, permit, err := s.ask(ctx, who, slug, "invitation", "send")
	if err != nil {
		return Invitation{}, err
	}
	if _, err := s.theirs(ctx, who, h, id); err != nil {
		return Invitation{}, err
	}
	var i Invitation
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		if i, err = lockInvitation(ctx, tx, id); err != nil {
			return err
		}
		if i.State != Pending {
			return i.Answerable(tx.Now)
		}
		if err := h.Takes(); err != nil {
			return err
		}
		token, hash := newToken()
		i.ExpiresAt = tx.Now.AddDate(0, 0, InvitedDays)
		if err := setToken(ctx, tx, id, hash, i.ExpiresAt); err != nil {
			return err
		}
		if err := letters.to(ctx, mail.Reader{Email: i.Email}, "invitation.sent", "", func(ctx context.Context) mail.Note { return invited(ctx, h, i, token) }); err != nil {
			return err
		}
		if err := letters.send(ctx, tx); err != nil {
			return err
		}
		return tx.RecordAs("invitation", "send", id, journal.Say("Sent the invitation of %s again", i.Email))
	})
	return i, err
}

// Opened is an invitation as its link shows it.
type Opened struct {
	Home
	Invitation Invitation
	Wrong      *problem.Error // why the reader cannot accept it, if they cannot
	Mine       bool           // the reader has the address that it is for
}

// Open reads an invitation by the token of its link, which is all that one needs
// to look at it, or by its id, for whom it is for.
func (s *Service) Open(ctx context.Context, who access.Actor, token string) (Opened, error) {
	access.Public(ctx) // the token is the right
	i, byID, err := invitationBy(ctx, s.db, token)
	if err != nil {
		return Opened{}, err
	}
	o := Opened{Invitation: i, Mine: who.SignedIn() && i.For(who.Email) == nil}
	if byID && !o.Mine {
		return Opened{}, access.ErrNotFound
	}
	if o.Home, err = homeByID(ctx, s.db, i.CommissionID); err != nil {
		return o, err
	}
	now := journal.Now(ctx)
	o.Invitation.State = i.StateAt(now)
	switch err := i.Answerable(now); {
	case err != nil:
		o.Wrong = problem.As(err)
	case o.Takes() != nil:
		o.Wrong = problem.As(o.Takes())
	case who.SignedIn():
		o.Wrong = problem.As(i.For(who.Email))
	}
	return o, nil
}

// Accept takes the seat that is offered, for a person whose confirmed address is
// the invited one. What an organization offers in a commission where officers
// decide becomes an application.
func (s *Service) Accept(ctx context.Context, who access.Actor, token string) (Home, Outcome, error) {
	i, byID, err := invitationBy(ctx, s.db, token)
	if err != nil {
		return Home{}, Outcome{}, err
	}
	h, err := homeByID(ctx, s.db, i.CommissionID)
	if err != nil {
		return h, Outcome{}, err
	}
	permit, err := s.access.Require(ctx, who, h.Scope(), "invitation", "answer")
	if err != nil {
		return h, Outcome{}, err
	}
	if err := i.For(who.Email); err != nil {
		if byID {
			err = access.ErrNotFound
		}
		return h, Outcome{}, err
	}
	var out Outcome
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		home, err := lockHome(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		i, err := lockInvitation(ctx, tx, i.ID)
		if err != nil {
			return err
		}
		if err := i.Answerable(tx.Now); err != nil {
			return err
		}
		if i.OrganizationID != nil {
			tx.For = uuid.NullUUID{UUID: *i.OrganizationID, Valid: true}
		}
		if out, err = s.accept(ctx, tx, &letters, home, i, who); err != nil {
			return err
		}
		var seat *uuid.UUID
		if out.Seat != nil {
			seat = &out.Seat.ID
		}
		if err := setAnswered(ctx, tx, i, Accepted, tx.Now, seat); err != nil {
			return err
		}
		i.State = Accepted
		if err := letters.each(ctx, tx, []uuid.UUID{i.InvitedBy}, "invitation.accepted", home.Path(), func(ctx context.Context, _ uuid.UUID) mail.Note { return answered(ctx, home, i, who.Name) }); err != nil {
			return err
		}
		if err := letters.send(ctx, tx); err != nil {
			return err
		}
		return tx.RecordAs("invitation", "accept", i.ID, journal.Say("%s accepted the invitation as %s", journal.Person(who.ID), Word(i.Role)))
	})
	return h, out, constraint(err)
}

func (s *Service) accept(ctx context.Context, tx *journal.Tx, letters *letters, h Home, i Invitation, who access.Actor) (Outcome, error) {
	a := Application{ID: uuid.Must(uuid.NewV7()), CommissionID: h.ID, PersonID: who.ID, Person: who.Name, OrganizationID: i.OrganizationID,
		OrganizationName: i.OrganizationName, Role: i.Role, State: Pending, CreatedAt: tx.Now}
	if i.OrganizationID != nil {
		acts, err := affiliated(ctx, tx, who.ID, *i.OrganizationID, tx.Now)
		switch {
		case err != nil:
			return Outcome{}, err
		case acts:
		case i.AppointedBy == ByOrganization && s.Affiliate != nil:
			if err := s.Affiliate(ctx, tx, who.ID, *i.OrganizationID); err != nil {
				return Outcome{}, err
			}
		default:
			return Outcome{}, problem.New(problem.Conflict, "This seat is for somebody who acts for %s, and %s has not confirmed that you do. Claim it on the page of the organization, then come back: the invitation waits.", *i.OrganizationName, *i.OrganizationName)
		}
	}
	if i.AppointedBy == ByOrganization {
		a.NominatedBy = &i.InvitedBy
		return s.submitIn(ctx, tx, letters, h, a, ByOrganization)
	}
	seat, err := a.seat(Approval{}, Term{tx.Now, Usual(tx.Now, h.TermMonths, calendar.Zone(ctx))}, i.AppointedBy)
	if err != nil {
		return Outcome{}, err
	}
	if err := s.give(ctx, tx, letters, h, []Seat{seat}); err != nil {
		return Outcome{}, err
	}
	if err := letters.each(ctx, tx, []uuid.UUID{who.ID}, "seat.given", h.Path(), func(ctx context.Context, _ uuid.UUID) mail.Note { return given(ctx, h, seat) }); err != nil {
		return Outcome{}, err
	}
	return Outcome{Seat: &seat}, tx.RecordAs("seat", "give", seat.ID, journal.Say("%s took a seat as %s", journal.Person(who.ID), Word(seat.Role)))
}

// Decline refuses what is offered. Whoever has the link may: it ends the offer
// and opens nothing, so one needs no account to say no.
func (s *Service) Decline(ctx context.Context, who access.Actor, token string) (Home, error) {
	access.Public(ctx) // the token is the right
	i, byID, err := invitationBy(ctx, s.db, token)
	if err != nil {
		return Home{}, err
	}
	if byID && (!who.SignedIn() || i.For(who.Email) != nil) {
		return Home{}, access.ErrNotFound
	}
	h, err := homeByID(ctx, s.db, i.CommissionID)
	if err != nil {
		return h, err
	}
	permit := access.System("invitation link", h.Scope(), "invitation", "decline")
	if who.SignedIn() && i.For(who.Email) == nil {
		if permit, err = s.access.Require(ctx, who, h.Scope(), "invitation", "answer"); err != nil {
			return h, err
		}
	}
	return h, journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		letters := letters{post: s.post, access: s.access}
		i, err := lockInvitation(ctx, tx, i.ID)
		if err != nil {
			return err
		}
		if err := i.Answerable(tx.Now); err != nil {
			return err
		}
		if err := setAnswered(ctx, tx, i, Declined, tx.Now, nil); err != nil {
			return err
		}
		i.State = Declined
		if err := letters.each(ctx, tx, []uuid.UUID{i.InvitedBy}, "invitation.declined", h.Path(), func(ctx context.Context, _ uuid.UUID) mail.Note { return answered(ctx, h, i, i.Email) }); err != nil {
			return err
		}
		if err := letters.send(ctx, tx); err != nil {
			return err
		}
		return tx.RecordAs("invitation", "decline", i.ID, journal.Say("%s declined the invitation as %s", i.Email, Word(i.Role)))
	})
}
