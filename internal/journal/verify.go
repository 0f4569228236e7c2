package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
)

// Fault is the first thing wrong with a chain.
type Fault struct {
	Scope  uuid.UUID
	Kind   string // portal, commission or organization, as its entries have it; "" if there are none
	Number int64  // the first broken entry
	What   string
}

// String is the fault as a sentence.
func (f Fault) String() string {
	chain := "chain " + f.Scope.String()
	if f.Kind != "" {
		chain = f.Kind + " " + chain
	}
	return fmt.Sprintf("%s, entry %d: %s", chain, f.Number, f.What)
}

// Counted is how much was verified.
type Counted struct{ Chains, Entries int64 }

// what is wrong with an entry, or with the end of its chain.
const (
	altered    = "altered: it does not fit its hash"
	unamended  = "altered: it does not say what it said when personal data was erased from it"
	before     = "altered before personal data was erased from it"
	unsaid     = "changed, as personal data was erased from it, without an entry in the portal's chain that vouches for it"
	outOfOrder = "out of order: it does not follow the entry before it"
	missing    = "missing"
	cutOff     = "missing: the end was cut off"
	added      = "added: it stands after the end of its chain"
	endAltered = "the end of the chain was altered: it is not the hash of this entry"
	endMissing = "the end of the chain is missing"
)

// link is an entry as the proof needs it. Facts are all that it says but its note.
type link struct {
	scope          uuid.UUID
	number         int64
	kind           string
	kindFits       bool
	facts, note    []byte
	salt, sealed   []byte // the note's seal, of which the chain is made; none in entries from before there were seals
	amended        []byte // digest of what it says since personal data was erased from it
	intact         sql.NullBool
	previous, hash []byte
	head           sql.NullInt64
	headHash       []byte
}

// separators is how many there are between the facts: one more would let a
// part run over into the next and leave the hash as it is.
const separators = 8

func sum(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// chained reports whether the entry is what was hashed behind previous. Where the
// note itself was hashed and has been amended since, only its place can be known:
// the next entry holds its hash.
func (l link) chained(previous []byte) bool {
	switch {
	case l.sealed != nil:
		return bytes.Equal(sum(previous, l.facts, separator, []byte(hex.EncodeToString(l.sealed))), l.hash)
	case l.amended != nil:
		return bytes.Equal(l.previous, previous)
	}
	return bytes.Equal(sum(previous, l.facts, separator, l.note), l.hash)
}

// fault is what is wrong with the note of an entry that is in its place; "" if nothing is.
func (l link) fault() string {
	switch {
	case l.amended == nil && l.sealed != nil && !bytes.Equal(sum(l.salt, l.note), l.sealed):
		return altered
	case l.amended != nil && !bytes.Equal(sum(l.facts, separator, l.note), l.amended):
		return unamended
	case l.amended != nil && !l.intact.Bool:
		return before
	}
	return ""
}

var separator = []byte{0x1f}

// chain follows one chain of links, first to last.
type chain struct {
	link  // the last that was good
	fault *Fault
}

func (c *chain) broken(number int64, what string) {
	c.fault = &Fault{Scope: c.scope, Kind: c.kind, Number: number, What: what}
}

// next looks at the link that comes after.
func (c *chain) next(l link) {
	last, number := c.hash, c.number
	c.link = l
	switch {
	case l.number != number+1:
		c.broken(number+1, missing)
	case !bytes.Equal(l.previous, last) && !l.chained(last):
		c.broken(l.number, outOfOrder)
	case !l.chained(last), !bytes.Equal(l.previous, last), !l.kindFits, bytes.Count(l.facts, separator) != separators:
		c.broken(l.number, altered)
	default:
		if what := l.fault(); what != "" {
			c.broken(l.number, what)
		}
	}
}

// end compares the last link with the head.
func (c *chain) end() {
	switch {
	case c.fault != nil:
	case !c.head.Valid:
		c.broken(c.number, endMissing)
	case c.head.Int64 > c.number:
		c.broken(c.number+1, cutOff)
	case c.head.Int64 < c.number:
		c.broken(c.head.Int64+1, added)
	case !bytes.Equal(c.headHash, c.hash):
		c.broken(c.number, endAltered)
	}
}

// Verify proves every chain: it reads all entries by key, in one snapshot, and
// computes each hash again here, not by a function of the database, which whoever
// altered the entries may have altered too. report is told the first fault of each
// broken chain. Memory stays small whatever the length.
func Verify(ctx context.Context, db *postgres.DB, report func(Fault)) (n Counted, err error) {
	tx, err := db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return n, err
	}
	defer func() { err = errors.Join(err, ignoreDone(tx.Rollback())) }()
	rows, err := tx.QueryContext(ctx, `
		SELECT e.scope_id, e.number, e.scope,
		       e.scope = CASE WHEN e.scope_id = $1 THEN 'portal' WHEN c.id IS NOT NULL THEN 'commission' ELSE 'organization' END,
		       concat_ws(E'\x1f', e.scope_id, e.number, floor(extract(epoch FROM e.at) * 1000000)::bigint,
		         coalesce(e.person_id::text, ''), coalesce(e.organization_id::text, ''), e.object, e.action, e.object_id, e.request_id),
		       e.note::text, e.salt, e.sealed, a.digest, a.intact, e.previous, e.hash, h.number, h.hash
		FROM journal_entry e
		LEFT JOIN (SELECT DISTINCT ON (scope_id, number) scope_id, number, digest, intact FROM journal_amendment ORDER BY scope_id, number, id DESC) a USING (scope_id, number)
		LEFT JOIN journal_head h ON h.scope_id = e.scope_id LEFT JOIN commission c ON c.id = e.scope_id
		ORDER BY e.scope_id, e.number`, uuid.Nil)
	if err != nil {
		return n, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var c chain
	done := func() {
		if n.Chains == 0 {
			return
		}
		if c.end(); c.fault != nil {
			report(*c.fault)
		}
	}
	for rows.Next() {
		var l link
		if err := rows.Scan(&l.scope, &l.number, &l.kind, &l.kindFits, &l.facts, &l.note, &l.salt, &l.sealed, &l.amended, &l.intact, &l.previous, &l.hash, &l.head, &l.headHash); err != nil {
			return n, err
		}
		if n.Chains == 0 || l.scope != c.scope {
			done()
			c = chain{}
			c.scope, c.kind = l.scope, l.kind
			n.Chains++
		}
		n.Entries++
		if c.fault == nil {
			c.next(l)
		}
	}
	if err := rows.Err(); err != nil {
		return n, err
	}
	done()
	if err := rows.Close(); err != nil {
		return n, err
	}
	empty, err := tx.QueryContext(ctx, `
		SELECT scope_id FROM journal_head h WHERE number > 0 AND NOT EXISTS (SELECT FROM journal_entry e WHERE e.scope_id = h.scope_id) ORDER BY scope_id`)
	if err != nil {
		return n, err
	}
	defer func() { err = errors.Join(err, empty.Close()) }()
	for empty.Next() {
		f := Fault{Number: 1, What: cutOff}
		if err := empty.Scan(&f.Scope); err != nil {
			return n, err
		}
		n.Chains++
		report(f)
	}
	if err := errors.Join(empty.Err(), empty.Close()); err != nil {
		return n, err
	}
	return n, verifyErasures(ctx, tx, report)
}

// verifyErasures compares the list of what each erasure changed with the entry
// that vouches for it.
func verifyErasures(ctx context.Context, tx *sqlx.Tx, report func(Fault)) (err error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT a.erasure, a.scope_id, a.number, a.digest, a.intact, e.number, coalesce(e.note->'after'->>'digest', '')
		FROM journal_amendment a LEFT JOIN LATERAL (SELECT min(number) AS number, min(note::text)::json AS note FROM journal_entry
		  WHERE scope_id = $1 AND object = 'journal' AND action = 'erase' AND object_id = a.erasure) e ON true
		ORDER BY a.erasure, a.scope_id, a.number`, uuid.Nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	type list struct {
		erasure uuid.UUID
		first   Amended
		voucher sql.NullInt64
		said    string
		h       hash.Hash
	}
	var l *list
	done := func() {
		switch {
		case l == nil || hex.EncodeToString(l.h.Sum(nil)) == l.said:
		case !l.voucher.Valid:
			report(Fault{Scope: l.first.Scope, Number: l.first.Number, What: unsaid})
		default:
			report(Fault{Scope: uuid.Nil, Kind: string(access.PortalKind), Number: l.voucher.Int64, What: "the list of entries that personal data was erased from was altered"})
		}
	}
	for rows.Next() {
		var a Amended
		var erasure uuid.UUID
		var voucher sql.NullInt64
		var said string
		if err := rows.Scan(&erasure, &a.Scope, &a.Number, &a.digest, &a.intact, &voucher, &said); err != nil {
			return err
		}
		if l == nil || l.erasure != erasure {
			done()
			l = &list{erasure: erasure, first: a, voucher: voucher, said: said, h: sha256.New()}
		}
		l.h.Write([]byte(a.line()))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	done()
	return nil
}

// CheckHeads compares ends that were published once with the chains as they are:
// each has to be in its chain still, at its place. It shows what nobody sees in
// the chains alone: an end cut off, or a chain written anew.
func CheckHeads(ctx context.Context, db *postgres.DB, heads []Head, report func(Fault)) error {
	const most = 5000
	for len(heads) > 0 {
		batch := heads[:min(most, len(heads))]
		heads = heads[len(batch):]
		scopes, numbers, hashes := make([]string, len(batch)), make([]int64, len(batch)), make(pq.ByteaArray, len(batch))
		for i, h := range batch {
			scopes[i], numbers[i], hashes[i] = h.Scope.String(), h.Number, h.Hash
		}
		wrong, err := postgres.All[struct {
			Scope uuid.UUID `db:"scope_id"`
			Kind  string    `db:"kind"`
			At    int64     `db:"number"`
			There bool      `db:"there"`
		}](ctx, db, `
			SELECT h.scope_id, coalesce(e.scope, '') AS kind, h.number, e.hash IS NOT NULL AS there
			FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) h (scope_id, number, hash) LEFT JOIN journal_entry e USING (scope_id, number)
			WHERE e.hash IS DISTINCT FROM h.hash ORDER BY h.scope_id`, pq.Array(scopes), pq.Array(numbers), hashes)
		if err != nil {
			return err
		}
		for _, w := range wrong {
			f := Fault{Scope: w.Scope, Kind: w.Kind, Number: w.At, What: "written anew: it was another one when the heads were published"}
			if !w.There {
				f.What = "missing: it was there when the heads were published"
			}
			report(f)
		}
	}
	return nil
}
