// Package journal is the one door for writes. Change opens the transaction,
// asks access again inside it, lets the capability write, and refuses to commit
// unless the change was recorded; the record is an append-only chain of hashes
// for each commission, each organization and the portal.
package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
)

// Tx is the transaction of one change. It embeds the store's transaction, so
// store functions take it as their postgres.Q.
type Tx struct {
	*postgres.Tx
	Now    time.Time // the instant of the change, one for all of it
	permit access.Permit
	// For is the organization that the act is done for, if any; set it in fn, unless
	// it is the scope, for which whoever belongs to it acts.
	For     uuid.NullUUID
	entries []entry
	before  []func(context.Context, *Tx) error
	after   []func()
}

type entry struct {
	object, action string
	id             uuid.UUID
	note           string
}

// Note is what an entry says: a sentence whose format is an English catalog
// key, so that a history is read in the reader's language, and, where something
// was edited, the values before and after. A person in it is named by key, in Who
// at the place of an empty arg: the name is looked up when the history is shown.
type Note struct {
	Text   string            `json:"text"`
	Args   []string          `json:"args,omitempty"`
	Who    map[int]uuid.UUID `json:"who,omitempty"`
	Before any               `json:"before,omitempty"`
	After  any               `json:"after,omitempty"`

	names map[uuid.UUID]string
}

// Person stands for a person among the args of Say: what the journal keeps is the key.
type Person uuid.UUID

// Say makes a Note of a sentence.
func Say(text string, args ...any) Note {
	n := Note{Text: text}
	for i, a := range args {
		if p, ok := a.(Person); ok {
			if n.Who == nil {
				n.Who = map[int]uuid.UUID{}
			}
			n.Who[i], a = uuid.UUID(p), ""
		}
		n.Args = append(n.Args, fmt.Sprint(a))
	}
	return n
}

// Changed adds the values before and after.
func (n Note) Changed(before, after any) Note {
	n.Before, n.After = before, after
	return n
}

// errSilent is returned for a change that recorded nothing: a fault of ours.
var errSilent = errors.New("journal: a change that recorded nothing is not committed")

// attempts is how often a change that lost against another one is tried.
const attempts = 4

// Change runs fn in a transaction that writes. Actor, scope, object and action
// of the record come from the permit. fn may run more than once, if it loses
// against another transaction: it must set, not add to, what it captures.
func Change(ctx context.Context, db *postgres.DB, permit access.Permit, fn func(*Tx) error) error {
	var err error
	for range attempts {
		if err = change(ctx, db, permit, fn); err == nil || !postgres.Again(err) {
			return err
		}
	}
	return err
}

func change(ctx context.Context, db *postgres.DB, permit access.Permit, fn func(*Tx) error) (err error) {
	ptx, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			err = errors.Join(err, ignoreDone(ptx.Rollback()))
		}
	}()
	tx := &Tx{Tx: ptx, Now: Now(ctx), permit: permit}
	if err := permit.Renew(ctx, tx, tx.Now); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	for _, f := range tx.before {
		if err := f(ctx, tx); err != nil {
			return err
		}
	}
	if len(tx.entries) == 0 {
		return errSilent
	}
	if err := tx.append(ctx); err != nil {
		return err
	}
	if err := markCommitted(ctx, tx); err != nil {
		return err
	}
	if err := ptx.Commit(); err != nil {
		return err
	}
	committed = true
	for _, f := range tx.after {
		f()
	}
	return nil
}

// Record notes what was done to which row, under the permit's object and action.
func (tx *Tx) Record(id uuid.UUID, note Note) error {
	return tx.RecordAs(tx.permit.Object(), tx.permit.Action(), id, note)
}

// RecordAs notes what else the change did: a seat that ended because its
// organization was suspended.
func (tx *Tx) RecordAs(object, action string, id uuid.UUID, note Note) error {
	text, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	tx.entries = append(tx.entries, entry{object, action, id, string(text)})
	return nil
}

// Before runs f in the transaction, before the record is written.
func (tx *Tx) Before(f func(context.Context, *Tx) error) { tx.before = append(tx.before, f) }

// After runs f once the change is committed; for waking workers, not for work.
func (tx *Tx) After(f func()) { tx.after = append(tx.after, f) }

// Represents notes that the act is done for the organization, if the actor acts for it.
func (tx *Tx) Represents(organization *uuid.UUID) {
	if organization != nil && tx.permit.Actor().Roles(access.Organization(*organization)).Has(access.Affiliate) {
		tx.For = uuid.NullUUID{UUID: *organization, Valid: true}
	}
}

// Permit is what the change runs under.
func (tx *Tx) Permit() access.Permit { return tx.permit }

// SQL is the transaction itself: for mail and jobs, which are enqueued in it.
func (tx *Tx) SQL() *sql.Tx { return tx.Tx.Tx.Tx }

func (tx *Tx) append(ctx context.Context) error {
	n := len(tx.entries)
	objects, actions, ids, notes := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, e := range tx.entries {
		objects[i], actions[i], ids[i], notes[i] = e.object, e.action, e.id.String(), e.note
	}
	a, scope := tx.permit.Actor(), tx.permit.Scope()
	if !tx.For.Valid && scope.Kind == access.OrganizationKind {
		tx.Represents(&scope.ID)
	}
	_, err := tx.Exec(ctx, `SELECT journal_append($1, $2, $3, $4, $5, $6, $7, $8, $9::uuid[], $10)`,
		string(scope.Kind), scope.ID, uuid.NullUUID{UUID: a.ID, Valid: a.SignedIn()}, tx.For, tx.Now, requestID(ctx, a),
		pq.Array(objects), pq.Array(actions), pq.Array(ids), pq.Array(notes))
	return err
}

func requestID(ctx context.Context, a access.Actor) string {
	if id, ok := ctx.Value(requestKey{}).(string); ok {
		return id
	}
	return a.SystemName()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
