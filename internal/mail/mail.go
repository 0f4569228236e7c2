// Package mail is the portal's outbox. A letter is written to the table mail in
// the transaction of the change it tells of, and a job sends it after that has
// committed: a change that is rolled back sends nothing, a mail server that is
// down delays and loses nothing.
//
// Delivery is at least once. A row is claimed before it is sent, so two processes
// do not send it at the same time; but one that dies after the server took the
// letter and before the row says so leaves it to be sent again. The second copy
// bears the same Message-ID, by which receivers tell that it is one.
package mail

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	netmail "net/mail"
	"regexp"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"commissionportal/internal/jobs"
)

// Message is a letter to one reader.
type Message struct {
	To      netmail.Address // name and address; the name may be empty
	Subject string
	Text    string
	HTML    string    // empty: text alone is sent
	Kind    string    // what it tells, as object.action: "application.approved"; mail programs can sort by it
	Person  uuid.UUID // whom it is for, if a person of the portal
	About   string    // path of what it concerns: "/commissions/energy"; letters with the same one form a thread
	Secret  bool      // it holds a link that opens an account: its body is erased once it is sent
	// Unsubscribe is the absolute address that a POST to ends letters like this, at
	// once and without signing in (RFC 8058); empty where nobody asked for them.
	Unsubscribe string
	// Needs are rights that Person must still have when it is sent; else it is withheld.
	Needs []Need
}

// Mail is a message in the outbox.
type Mail struct {
	ID uuid.UUID
	Message
	State     State
	Attempts  int    // how often sending began
	LastError string // why the last attempt failed
	CreatedAt time.Time
	SentAt    time.Time // zero until it is sent
}

// State is how far a letter has come.
type State string

// The states of a letter.
const (
	Queued State = "queued" // to be sent, or to be tried again
	Sent   State = "sent"   // taken by the mail server
	Failed State = "failed" // refused for good, or tried for two days
	Kept   State = "kept"   // no mail server is configured; to be read at /dev/mail
	// Withheld is a letter whose reader may no longer know of what it tells.
	Withheld State = "withheld"
)

const (
	batch = 500 // letters a statement writes
	keep  = "90 days"
	// sendTime bounds one delivery; claim outlasts it, and the job's own time
	// lies between.
	sendTime = 2 * time.Minute
	claim    = 3 * time.Minute
)

// ErrRefused is what a Sender's error wraps if the server will never take that
// letter (a 5xx answer to its recipient or its content).
var ErrRefused = errors.New("refused by the mail server")

// Sender gives a letter to a mail server. It returns nil only if the server took
// it. An error that wraps ErrRefused ends the attempts, any other is tried again.
type Sender interface {
	Send(context.Context, Mail) error
}

// Outbox writes letters down and sends them.
type Outbox struct {
	db     *sql.DB
	queue  *jobs.Queue
	sender Sender
	// Still reports whether a person has the rights that a letter needs at the moment
	// it is sent; see Message.Needs. It is set before the queue starts.
	Still func(ctx context.Context, person uuid.UUID, needs []Need) (bool, error)
}

// New makes the outbox and registers its work with the queue, so it comes before
// queue.Start. Without a sender (nil) letters are kept, and none is ever sent.
func New(db *sql.DB, queue *jobs.Queue, sender Sender) *Outbox {
	o := &Outbox{db: db, queue: queue, sender: sender}
	jobs.Handle(queue, o.deliver)
	queue.Every("mail.sweep", 24*time.Hour, o.sweep)
	return o
}

// delivery is the job that sends one letter.
type delivery struct {
	ID uuid.UUID `json:"id"`
}

func (delivery) Kind() string           { return "mail.deliver" }
func (delivery) Timeout() time.Duration { return sendTime + 15*time.Second }

// Enqueue writes letters in the caller's transaction, set by set; they are sent
// after it commits. It refuses all of them if one has a line break or another
// control character in what becomes a header, or an address that is none.
func (o *Outbox) Enqueue(ctx context.Context, tx *sql.Tx, messages ...Message) error {
	for i, m := range messages {
		if err := m.check(); err != nil {
			return fmt.Errorf("mail: message %d of %d (%s): %w", i+1, len(messages), m.Kind, err)
		}
	}
	for len(messages) > 0 {
		n := min(batch, len(messages))
		if err := o.enqueue(ctx, tx, messages[:n]); err != nil {
			return fmt.Errorf("mail: enqueue: %w", err)
		}
		messages = messages[n:]
	}
	return nil
}

func (o *Outbox) enqueue(ctx context.Context, tx *sql.Tx, messages []Message) error {
	state := Queued
	if o.sender == nil {
		state = Kept
	}
	ids, err := insert(ctx, tx, state, messages)
	if err != nil || state == Kept {
		return err
	}
	work := make([]jobs.Job, len(ids))
	for i, id := range ids {
		work[i] = delivery{id}
	}
	return o.queue.Enqueue(ctx, tx, work...)
}

// Forget deletes the letters to a person, and those to others that a regular
// expression of Postgres is found in. It reports whether one of them has yet to be
// sent: then none is deleted.
func (o *Outbox) Forget(ctx context.Context, tx *sql.Tx, person uuid.UUID, addresses []string, pattern string) (waiting bool, err error) {
	return deleteNaming(ctx, tx, person, addresses, pattern)
}

var kindPattern = regexp.MustCompile(`^[a-z][a-z0-9.-]{0,62}$`)

// check refuses what could break out of a header or what the table cannot hold.
func (m Message) check() error {
	for name, s := range map[string]string{"subject": m.Subject, "name": m.To.Name, "address": m.To.Address, "about": m.About, "address to unsubscribe": m.Unsubscribe} {
		for _, r := range s {
			if unicode.IsControl(r) {
				return fmt.Errorf("the %s has a line break or control character: %q", name, s)
			}
		}
	}
	for name, s := range map[string]string{"subject": m.Subject, "name": m.To.Name, "about": m.About, "text": m.Text, "html": m.HTML} {
		if !storable(s) {
			return fmt.Errorf("the %s is not valid text", name)
		}
	}
	if a, err := netmail.ParseAddress("<" + m.To.Address + ">"); err != nil || a.Address != m.To.Address {
		return fmt.Errorf("%q is not an address", m.To.Address)
	}
	if !kindPattern.MatchString(m.Kind) {
		return fmt.Errorf("%q is not a kind", m.Kind)
	}
	if m.Subject == "" || m.Text == "" {
		return errors.New("subject and text are needed")
	}
	return nil
}

func storable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for i := range len(s) {
		if s[i] == 0 {
			return false
		}
	}
	return true
}

// deliver sends one letter, unless that has been done or is being done.
func (o *Outbox) deliver(ctx context.Context, d delivery) error {
	m, err := claimOne(ctx, o.db, d.ID)
	switch {
	case errors.Is(err, errClaimed):
		return jobs.Later(claim)
	case errors.Is(err, sql.ErrNoRows):
		return nil // sent, or swept away
	case err != nil:
		return err
	}
	if o.sender == nil { // there was a mail server when it was written
		return settle(ctx, o.db, m.ID, Kept, "")
	}
	if len(m.Needs) > 0 {
		switch still, err := o.Still(ctx, m.Person, m.Needs); {
		case err != nil:
			return errors.Join(settle(ctx, o.db, m.ID, Queued, err.Error()), err)
		case !still:
			return settle(ctx, o.db, m.ID, Withheld, "")
		}
	}
	sending, cancel := context.WithTimeout(ctx, sendTime)
	err = o.sender.Send(sending, m)
	cancel()

	// What happened is written down even if the portal is stopping meanwhile.
	last := jobs.LastAttempt(ctx)
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	switch {
	case err == nil:
		return settle(ctx, o.db, m.ID, Sent, "")
	case errors.Is(err, ErrRefused):
		return errors.Join(settle(ctx, o.db, m.ID, Failed, err.Error()), jobs.Permanent(err))
	case last:
		return errors.Join(settle(ctx, o.db, m.ID, Failed, err.Error()), err)
	default:
		return errors.Join(settle(ctx, o.db, m.ID, Queued, err.Error()), err)
	}
}

// sweep forgets old letters, and fails those whose job has vanished: a process
// that dies in its last attempt leaves none.
func (o *Outbox) sweep(ctx context.Context) error {
	if _, err := o.db.ExecContext(ctx, `
		UPDATE mail SET state = 'failed', last_error = 'given up: not sent within four days'
		WHERE state = 'queued' AND created_at < now() - interval '4 days'`); err != nil {
		return err
	}
	// The subselect makes the bound a value, so that the key's index serves.
	_, err := o.db.ExecContext(ctx, `DELETE FROM mail WHERE id < (SELECT uuid_v7(now() - $1::interval))`, keep)
	return err
}
