package membership

import (
	"context"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
)

// What happens to seats because something else ended. These run in the change of
// another capability, whose journal has the entries; they are found by the seat.

// Placed is a seat with its commission.
type placed struct {
	Seat
	Slug       string `db:"slug"`
	Commission string `db:"commission_name"`
}

func (p placed) home() Home { return Home{ID: p.CommissionID, Slug: p.Slug, Name: p.Commission} }

// lockWhere reads the last rows of all seats that hold or will hold, for ending them.
func lockWhere(ctx context.Context, q postgres.Q, at time.Time, condition string, args ...any) ([]placed, error) {
	return postgres.All[placed](ctx, q, `SELECT `+seatColumns+`, c.slug, c.name AS commission_name
		FROM seat s JOIN commission c ON c.id = s.commission_id
		WHERE coalesce(upper(s.period), 'infinity') > $1 AND `+condition+` ORDER BY s.id FOR NO KEY UPDATE OF s`, append([]any{at}, args...)...)
}

// endAll ends seats and tells their holders.
func (s *Service) endAll(ctx context.Context, tx *journal.Tx, seats []placed, because, reason string) error {
	return s.endAllSaying(ctx, tx, seats, because, reason, func(ctx context.Context, h Home, seat Seat, reason string) mail.Note {
		return ended(ctx, h, seat, because, reason)
	})
}

// endAllSaying is endAll with a letter of its own.
func (s *Service) endAllSaying(ctx context.Context, tx *journal.Tx, seats []placed, because, reason string, say func(ctx context.Context, h Home, seat Seat, reason string) mail.Note) error {
	if len(seats) == 0 {
		return nil
	}
	letters := letters{post: s.post, access: s.access}
	steps := make([]Step, len(seats))
	people := make([]uuid.UUID, len(seats))
	first := map[uuid.UUID]placed{}
	more := map[uuid.UUID][]placed{}
	for i, p := range seats {
		step, err := p.End(because, reason, tx.Now)
		if err != nil {
			return err
		}
		steps[i], people[i] = step, p.PersonID
		if _, ok := first[p.PersonID]; ok {
			more[p.PersonID] = append(more[p.PersonID], p)
		} else {
			first[p.PersonID] = p
		}
		if err := tx.RecordAs("seat", "end", p.ID, journal.Say("Ended the seat of %s as %s in %s", journal.Person(p.PersonID), Word(p.Role), p.Commission)); err != nil {
			return err
		}
	}
	if err := carry(ctx, tx, steps); err != nil {
		return err
	}
	if err := letters.each(ctx, tx, people, "seat.ended", "", func(ctx context.Context, to uuid.UUID) mail.Note {
		n := say(ctx, first[to].home(), first[to].Seat, reason)
		for _, p := range more[to] {
			n.Paragraphs = append(n.Paragraphs, say(ctx, p.home(), p.Seat, "").Paragraphs...)
		}
		return n
	}); err != nil {
		return err
	}
	return letters.send(ctx, tx)
}

// EndOrganization ends all seats of an organization that is suspended or leaves,
// rejects its applications and takes back its invitations. Not even the last chair
// of a commission is spared: the secretariat sees that one is missing.
func (s *Service) EndOrganization(ctx context.Context, tx *journal.Tx, organization uuid.UUID, _ time.Time, why string) error {
	seats, err := lockWhere(ctx, tx, tx.Now, "s.organization_id = $2", organization)
	if err != nil {
		return err
	}
	if err := s.endAll(ctx, tx, seats, Organization, why); err != nil {
		return err
	}
	return s.closeAsked(ctx, tx, "organization_id", organization, "The organization is no longer a member of the convention.")
}

// EndThere ends the seats held for an organization in one commission, whose
// participation there ends; officers stay, as the commission appoints them. Its
// primary representatives hear of it with the holders.
func (s *Service) EndThere(ctx context.Context, tx *journal.Tx, organization, commission uuid.UUID) error {
	seats, err := lockWhere(ctx, tx, tx.Now, "s.organization_id = $2 AND s.commission_id = $3 AND s.rank > 3", organization, commission)
	if err != nil || len(seats) == 0 {
		return err
	}
	if err := s.endAllSaying(ctx, tx, seats, Organization, "", func(ctx context.Context, h Home, seat Seat, _ string) mail.Note {
		n := ended(ctx, h, seat, Organization, "")
		n.Paragraphs = paragraphs(i18n.T(ctx, "Your organization no longer takes part in %s, and with that your seat there as %s has ended.", h.Name, Word(seat.Role)))
		return n
	}); err != nil {
		return err
	}
	letters, were := letters{post: s.post}, make([]Seat, len(seats))
	for i, p := range seats {
		were[i] = p.Seat
	}
	if err := letters.representatives(ctx, tx, seats[0].home(), were, "seat.lost", lost); err != nil {
		return err
	}
	return letters.send(ctx, tx)
}

// Unaffiliate ends the seats that a person holds for an organization that they no
// longer act for, and withdraws their applications for it. These come first: an
// approval that is under way holds its application, and its seat is found after.
func (s *Service) Unaffiliate(ctx context.Context, tx *journal.Tx, organization, person uuid.UUID, _ time.Time) error {
	if err := s.closeApplications(ctx, tx, Withdrawn, "", "You no longer act for the organization that it was for.",
		"a.person_id = $4 AND a.organization_id = $5", person, organization); err != nil {
		return err
	}
	seats, err := lockWhere(ctx, tx, tx.Now, "s.person_id = $2 AND s.organization_id = $3", person, organization)
	if err != nil {
		return err
	}
	return s.endAll(ctx, tx, seats, Organization, "")
}

// Conclude ends all seats of a commission that has concluded or was abandoned,
// rejects its applications and takes back its invitations.
func (s *Service) Conclude(ctx context.Context, tx *journal.Tx, commission uuid.UUID, _ time.Time, why string) error {
	seats, err := lockWhere(ctx, tx, tx.Now, "s.commission_id = $2", commission)
	if err != nil {
		return err
	}
	if err := s.endAll(ctx, tx, seats, Concluded, why); err != nil {
		return err
	}
	return s.closeAsked(ctx, tx, "commission_id", commission, "The commission no longer works.")
}

// closeAsked rejects applications and takes back invitations that wait, and tells
// who asked and who was invited. column is a constant of the program.
func (s *Service) closeAsked(ctx context.Context, tx *journal.Tx, column string, id uuid.UUID, reason string) error {
	if err := s.closeApplications(ctx, tx, Rejected, reason, reason, "a."+column+" = $4", id); err != nil {
		return err
	}
	type offer struct {
		ID         uuid.UUID `db:"id"`
		Email      string    `db:"email"`
		Role       string    `db:"role"`
		Slug       string    `db:"slug"`
		Commission string    `db:"commission_name"`
		Good       bool      `db:"good"`
	}
	all, err := postgres.All[offer](ctx, tx, `UPDATE invitation i SET state = 'revoked', answered_at = $2
		FROM commission c WHERE c.id = i.commission_id AND i.`+column+` = $1 AND i.state = 'pending'
		RETURNING i.id, i.email, i.role, c.slug, c.name AS commission_name, i.expires_at > $2 AS good`, id, tx.Now)
	if err != nil {
		return err
	}
	letters := letters{post: s.post, access: s.access}
	for _, i := range all {
		if err := tx.RecordAs("invitation", "revoke", i.ID, journal.Say("Took back the invitation of %s", i.Email)); err != nil {
			return err
		}
		if !i.Good {
			continue
		}
		if err := letters.to(ctx, mail.Reader{Email: i.Email}, "invitation.revoked", "", func(ctx context.Context) mail.Note {
			return revoked(ctx, Home{Slug: i.Slug, Name: i.Commission}, i.Role)
		}); err != nil {
			return err
		}
	}
	return letters.send(ctx, tx)
}

// closeApplications rejects or withdraws those applications that wait which meet
// the condition, and tells the applicants why. reason is kept with them.
func (s *Service) closeApplications(ctx context.Context, tx *journal.Tx, state, reason, said, condition string, args ...any) error {
	type closed struct {
		mail.Reader
		ID         uuid.UUID `db:"id"`
		Role       string    `db:"role"`
		State      string    `db:"person_state"`
		Slug       string    `db:"slug"`
		Commission string    `db:"commission_name"`
	}
	all, err := postgres.All[closed](ctx, tx, `UPDATE application a SET state = $1, decided_at = $2, reason = $3
		FROM person p, commission c WHERE p.id = a.person_id AND c.id = a.commission_id AND a.state = 'pending' AND `+condition+`
		RETURNING a.id, a.role, p.id AS person_id, p.email, p.name AS person_name, p.language, p.time_zone, p.state AS person_state, c.slug, c.name AS commission_name`,
		append([]any{state, tx.Now, reason}, args...)...)
	if err != nil {
		return err
	}
	letters := letters{post: s.post, access: s.access}
	for _, a := range all {
		action, note := "withdraw", journal.Say("Withdrew the application of %s", journal.Person(a.Reader.Person))
		if state == Rejected {
			action, note = "reject", journal.Say("Rejected the application of %s", journal.Person(a.Reader.Person))
		}
		if err := tx.RecordAs("application", action, a.ID, note); err != nil {
			return err
		}
		if a.State != "active" {
			continue
		}
		h := Home{Slug: a.Slug, Name: a.Commission}
		if err := letters.to(ctx, a.Reader, "application.closed", applicationPath(h, a.ID), func(ctx context.Context) mail.Note {
			return lapsed(ctx, h, Application{ID: a.ID, Role: a.Role}, said)
		}); err != nil {
			return err
		}
	}
	return letters.send(ctx, tx)
}

// MergeOrganization moves what holds from one organization into another: each
// seat goes on for the other from now, so that what was before stays as it was.
// Where the person holds the same seat for the other already, one of the two ends:
// a suspended one, if only one is.
func (s *Service) MergeOrganization(ctx context.Context, tx *journal.Tx, from, into uuid.UUID) error {
	seats, err := lockWhere(ctx, tx, tx.Now, "s.organization_id = $2", from)
	if err != nil {
		return err
	}
	theirs, err := lockWhere(ctx, tx, tx.Now, "s.organization_id = $2", into)
	if err != nil {
		return err
	}
	type place struct {
		commission, person uuid.UUID
		role               string
	}
	taken := map[place]placed{}
	for _, p := range theirs {
		taken[place{p.CommissionID, p.PersonID, p.Role}] = p
	}
	name, err := postgres.One[string](ctx, tx, access.ErrNotFound, `SELECT name FROM organization WHERE id = $1`, into)
	if err != nil {
		return err
	}
	var steps []Step
	var double []placed
	var people []uuid.UUID
	by := map[uuid.UUID][]placed{}
	for _, p := range seats {
		key := place{p.CommissionID, p.PersonID, p.Role}
		if other, ok := taken[key]; ok && (p.Suspended || !other.Suspended) {
			double = append(double, p)
			continue
		} else if ok {
			double = append(double, other)
		}
		taken[key] = p
		was, next := p.Seat, p.Seat
		next.OrganizationID, next.Version = &into, was.Version+1
		step := Step{Was: &was, Next: &next}
		if was.begun(tx.Now) {
			next.Since = was.instant(tx.Now)
			step.Close = &Close{next.Since, Changed, ""}
		}
		steps, people = append(steps, step), append(people, p.PersonID)
		by[p.PersonID] = append(by[p.PersonID], p)
		if err := tx.RecordAs("seat", "move", p.ID, journal.Say("Moved the seat of %s in %s with the organization", journal.Person(p.PersonID), p.Commission)); err != nil {
			return err
		}
	}
	if err := s.endAll(ctx, tx, double, Merged, ""); err != nil {
		return err
	}
	if err := carry(ctx, tx, steps); err != nil {
		return err
	}
	letters := letters{post: s.post, access: s.access}
	if err := letters.each(ctx, tx, people, "seat.moved", "", func(ctx context.Context, to uuid.UUID) mail.Note {
		var n mail.Note
		for i, p := range by[to] { // several seats make one letter
			one := moved(ctx, p.home(), p.Seat, name)
			if i == 0 {
				n = one
			} else {
				n.Paragraphs = append(n.Paragraphs, one.Paragraphs...)
			}
		}
		return n
	}); err != nil {
		return err
	}
	if err := letters.send(ctx, tx); err != nil {
		return err
	}
	if err := s.closeApplications(ctx, tx, Withdrawn, "", "You have applied for the organization that yours became part of, too; that application waits.", `a.organization_id = $4
		AND EXISTS (SELECT FROM application b WHERE b.organization_id = $5 AND b.state = 'pending' AND b.commission_id = a.commission_id AND b.person_id = a.person_id)`, from, into); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE application SET organization_id = $2 WHERE organization_id = $1 AND state = 'pending'`, from, into); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE invitation SET organization_id = $2 WHERE organization_id = $1 AND state = 'pending'`, from, into)
	return err
}

// EndPerson withdraws the applications of a person whose account is suspended.
// Their seats stay, give no rights as long as that lasts and are shown as
// suspended: the organization or the officers decide whether to replace them.
func (s *Service) EndPerson(ctx context.Context, tx *journal.Tx, person uuid.UUID) error {
	ids, err := postgres.All[uuid.UUID](ctx, tx, `UPDATE application SET state = 'withdrawn', decided_at = $2 WHERE person_id = $1 AND state = 'pending' RETURNING id`, person, tx.Now)
	for _, id := range ids {
		if err := tx.RecordAs("application", "withdraw", id, journal.Say("Withdrew the application of a suspended account")); err != nil {
			return err
		}
	}
	return err
}

// MoveInvitations has the invitations that wait at an address follow their person to
// another one, unless that has been invited there too.
func (s *Service) MoveInvitations(ctx context.Context, tx *journal.Tx, person uuid.UUID, from, to string) error {
	ids, err := postgres.All[uuid.UUID](ctx, tx, `
		UPDATE invitation i SET email = $2 WHERE i.email = $1 AND i.state = 'pending'
		  AND NOT EXISTS (SELECT FROM invitation o WHERE o.commission_id = i.commission_id AND o.email = $2 AND o.state = 'pending') RETURNING i.id`, from, to)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := tx.RecordAs("invitation", "move", id, journal.Say("The invitation went with %s to another address", journal.Person(person))); err != nil {
			return err
		}
	}
	return nil
}
