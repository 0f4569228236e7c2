package mail

import (
	"context"
	"database/sql"
	"fmt"
	netmail "net/mail"

	"github.com/google/uuid"

	"commissionportal/internal/i18n"
)

// Reader is whom a letter is for. Language and TimeZone are those of the
// account; for an address without one they are empty.
type Reader struct {
	Person   uuid.UUID `db:"person_id"`
	Email    string    `db:"email"`
	Name     string    `db:"person_name"`
	Language string    `db:"language"`
	TimeZone string    `db:"time_zone"`
}

// Post writes letters for the capabilities: in the reader's language and zone,
// with absolute addresses from the configured base.
type Post struct {
	*Outbox
	Links
}

// Note is what a capability says in a letter. Subject, Paragraphs and Footer are
// in the reader's language; Path is where the button leads.
type Note struct {
	Subject    string
	Paragraphs []string
	Details    [][2]string
	Sections   []Section
	Button     string
	Path       string // below the portal's address: "/desk"
	Footer     string // why the reader gets this
	Secret     bool   // Path holds a secret
	// Unsubscribe is the path that a POST to ends letters like this: see Message.
	Unsubscribe string
	Needs       []Need // see Message
}

// Section is a list under a heading.
type Section struct {
	Title string
	Items []Item
}

// Item is a line that leads somewhere, and what is said of it.
type Item struct {
	Title string
	Path  string // below the portal's address
	Line  string
}

// Write enqueues one letter in the transaction of the change that it tells of.
// note is called with the reader's language and zone in its context.
func (p *Post) Write(ctx context.Context, tx *sql.Tx, to Reader, kind, about string, note func(context.Context) Note) error {
	m, err := p.Compose(ctx, to, kind, about, note)
	if err != nil {
		return err
	}
	return p.Enqueue(ctx, tx, m)
}

// Compose makes a letter as Write does and leaves enqueuing to the caller: many
// letters of one change are enqueued together.
func (p *Post) Compose(ctx context.Context, to Reader, kind, about string, note func(context.Context) Note) (Message, error) {
	ctx = i18n.With(ctx, i18n.Locale{Language: i18n.Match("", to.Language), Zone: i18n.Zone(to.TimeZone)})
	n := note(ctx)
	letter := Letter{Portal: i18n.T(ctx, "Commission Portal"), Home: p.To("/"), Language: i18n.Lang(ctx), Dir: i18n.Dir(ctx),
		Greeting: i18n.T(ctx, "Hello,"), Paragraphs: n.Paragraphs, Details: n.Details, Footer: n.Footer}
	if to.Name != "" {
		letter.Greeting = i18n.T(ctx, "Hello %s,", to.Name)
	}
	for _, section := range n.Sections {
		with := Section{Title: section.Title}
		for _, item := range section.Items {
			item.Path = p.To(item.Path)
			with.Items = append(with.Items, item)
		}
		letter.Sections = append(letter.Sections, with)
	}
	if n.Unsubscribe != "" {
		n.Unsubscribe = p.To(n.Unsubscribe)
		letter.Unsubscribe = &Action{Label: i18n.T(ctx, "Stop these letters"), URL: n.Unsubscribe}
	}
	if n.Path != "" {
		letter.Action = &Action{Label: n.Button, URL: p.To(n.Path)}
	}
	m, err := letter.Message(netmail.Address{Name: to.Name, Address: to.Email}, kind, n.Subject)
	if err != nil {
		return Message{}, fmt.Errorf("mail: %w", err)
	}
	m.Person, m.About, m.Secret, m.Unsubscribe, m.Needs = to.Person, about, n.Secret, n.Unsubscribe, n.Needs
	return m, nil
}
