package commission

import (
	"context"

	"github.com/google/uuid"

	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
)

// tell writes a letter about c to each reader, in the change it tells of.
func (s *Service) tell(ctx context.Context, tx *journal.Tx, to []mail.Reader, kind string, c Commission, note func(context.Context) mail.Note) error {
	letters := make([]mail.Message, 0, len(to))
	for _, r := range to {
		m, err := s.post.Compose(ctx, r, kind, c.Path(), note)
		if err != nil {
			return err
		}
		letters = append(letters, m)
	}
	if len(letters) == 0 {
		return nil
	}
	return s.post.Enqueue(ctx, tx.SQL(), letters...)
}

const readers = `SELECT p.id AS person_id, p.email, p.name AS person_name, p.language, p.time_zone FROM person p WHERE p.state = 'active' AND p.id IN `

// Whom a letter concerns, as a set of ids for the commission $1.
const (
	supporters = `SELECT person_id FROM support WHERE commission_id = $1`
	members    = `SELECT person_id FROM seat WHERE commission_id = $1 AND period @> $2::timestamptz`
)

func (s *Service) readers(ctx context.Context, tx *journal.Tx, set string, c uuid.UUID) ([]mail.Reader, error) {
	return postgres.All[mail.Reader](ctx, tx, readers+`(`+set+`) AND $2::timestamptz IS NOT NULL ORDER BY p.id LIMIT 20000`, c, tx.Now)
}

// tellTransition tells those concerned. Who holds a seat in a commission that
// ends is told by OnConclude.
func (s *Service) tellTransition(ctx context.Context, tx *journal.Tx, c Commission, a Act, reason string) error {
	set := members
	switch a.Name {
	case "call":
		set = supporters
	case "activate":
		set = supporters + " UNION " + members
	case "abandon":
		set = supporters + " EXCEPT " + members
	case "conclude":
		return nil
	}
	to, err := s.readers(ctx, tx, set, c.ID)
	if err != nil {
		return err
	}
	return s.tell(ctx, tx, to, "commission."+a.Name, c, func(ctx context.Context) mail.Note {
		n := transitionNote(ctx, c, a)
		if reason != "" {
			n.Details = append(n.Details, [2]string{i18n.T(ctx, "Reason"), reason})
		}
		return n
	})
}

func transitionNote(ctx context.Context, c Commission, a Act) mail.Note {
	n := mail.Note{Button: i18n.T(ctx, "Go to the commission"), Path: c.Path(), Footer: i18n.T(ctx, "You get this because you hold a seat in %s.", c.Name)}
	supporter := i18n.T(ctx, "You get this because you support %s.", c.Name)
	switch a.Name {
	case "call":
		n.Subject = i18n.T(ctx, "%s calls for participation", c.Name)
		n.Paragraphs = []string{i18n.T(ctx, "%s, which you support, has enough support to be founded. It now calls for participation.", c.Name),
			i18n.T(ctx, "Take a seat for your organization, or in a personal capacity, and help to form it.")}
		n.Button, n.Path, n.Footer = i18n.T(ctx, "Take part"), c.Path()+"/apply", supporter
	case "activate":
		n.Subject = i18n.T(ctx, "%s is active", c.Name)
		n.Paragraphs = []string{i18n.T(ctx, "%s has its officers and an adopted charter. It begins its work.", c.Name)}
		n.Footer = i18n.T(ctx, "You get this because you support %s or hold a seat in it.", c.Name)
	case "rest":
		n.Subject = i18n.T(ctx, "%s rests", c.Name)
		n.Paragraphs = []string{i18n.T(ctx, "%s rests for a while. The seats stay; no new ones are taken until it is revived.", c.Name)}
	case "revive":
		n.Subject = i18n.T(ctx, "%s works again", c.Name)
		n.Paragraphs = []string{i18n.T(ctx, "%s has been revived and goes on with its work.", c.Name)}
	case "abandon":
		n.Subject = i18n.T(ctx, "%s will not be founded", c.Name)
		n.Paragraphs = []string{i18n.T(ctx, "The founding of %s, which you support, has been given up.", c.Name)}
		n.Footer = supporter
	}
	return n
}

func (s *Service) tellProposed(ctx context.Context, tx *journal.Tx, c Commission) error {
	to, err := postgres.All[mail.Reader](ctx, tx, readers+`(SELECT person_id FROM portal_role WHERE role = 'secretariat') ORDER BY p.id LIMIT 100`)
	if err != nil {
		return err
	}
	return s.tell(ctx, tx, to, "commission.proposed", c, func(ctx context.Context) mail.Note {
		return mail.Note{Subject: i18n.T(ctx, "%s has been proposed", c.Name), Paragraphs: []string{i18n.T(ctx, "%s proposes a new commission and collects support for it.", text(c.Convener)), c.Purpose},
			Button: i18n.T(ctx, "Look at the proposal"), Path: c.Path(), Footer: i18n.T(ctx, "You get this because you are of the secretariat.")}
	})
}

// tellReached tells the convener that there is enough support.
func (s *Service) tellReached(ctx context.Context, tx *journal.Tx, c Commission) error {
	to, err := postgres.All[mail.Reader](ctx, tx, readers+`($1)`, c.ConvenerID)
	if err != nil {
		return err
	}
	return s.tell(ctx, tx, to, "commission.supported", c, func(ctx context.Context) mail.Note {
		return mail.Note{Subject: i18n.T(ctx, "%s has enough support", c.Name),
			Paragraphs: []string{i18n.T(ctx, "Your proposal has the support that a founding needs. You can now send out the call for participation.")},
			Button:     i18n.T(ctx, "Send out the call"), Path: c.Path() + "/call", Footer: i18n.T(ctx, "You get this because you convene %s.", c.Name)}
	})
}

func (s *Service) tellAdopted(ctx context.Context, tx *journal.Tx, c Commission, r Revision) error {
	to, err := s.readers(ctx, tx, members, c.ID)
	if err != nil {
		return err
	}
	return s.tell(ctx, tx, to, "charter.adopted", c, func(ctx context.Context) mail.Note {
		n := mail.Note{Subject: i18n.T(ctx, "%s has adopted its charter", c.Name),
			Paragraphs: []string{i18n.T(ctx, "A new charter holds in %s from now on.", c.Name)},
			Button:     i18n.T(ctx, "Read the charter"), Path: c.Path() + "/charter", Footer: i18n.T(ctx, "You get this because you hold a seat in %s.", c.Name)}
		if r.Summary != "" {
			n.Details = [][2]string{{i18n.T(ctx, "What changed"), r.Summary}}
		}
		return n
	})
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
