package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/postgres"
)

// Erasure is what is taken out of the journal, and out of whatever else people
// wrote, when the personal data of somebody is erased.
type Erasure struct {
	ID        uuid.UUID
	Person    uuid.UUID
	Pseudonym string   // stands where a name or an address stood
	Names     []string // that the person had
	Shared    []string // of these, what somebody else is called too: in the words of others it stays
	Addresses []string
	Objects   []uuid.UUID // the person, and seats, applications, affiliations and invitations of theirs
}

// taken is what stands in place of what somebody said of themselves or was said of them.
const taken = "…"

// searched are the names that are looked for in what others wrote: not those of
// somebody else too, nor those that are a word and may mean something else.
func (e Erasure) searched() []string {
	var list []string
	for _, name := range e.Names {
		if !slices.Contains(e.Shared, name) && (strings.ContainsFunc(name, unicode.IsSpace) || unbounded(first(name))) {
			list = append(list, name)
		}
	}
	return list
}

func first(s string) rune { r, _ := utf8.DecodeRuneInString(s); return r }

// unbounded reports whether words of the rune's script stand beside each other
// without a space between them.
func unbounded(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

func wordly(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// stands reports whether text[from:to] is the mark and not a part of a longer word
// or address.
func stands(text string, from, to int, address bool) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, size := utf8.DecodeRuneInString(text[to:])
	if address {
		if after == '.' {
			after, _ = utf8.DecodeRuneInString(text[to+size:])
		}
		return !wordly(before) && !strings.ContainsRune("._%+-", before) && !wordly(after) && after != '-'
	}
	start := first(text[from:])
	end, _ := utf8.DecodeLastRuneInString(text[:to])
	return (unbounded(start) || !wordly(before)) && (unbounded(end) || !wordly(after))
}

// Replace puts the pseudonym where text has a name or an address of the person.
func (e Erasure) Replace(text string) string { return e.replace(text, e.searched()) }

func (e Erasure) replace(text string, names []string) string {
	for i, mark := range append(slices.Clone(e.Addresses), names...) {
		for _, as := range slices.Compact([]string{mark, html.EscapeString(mark)}) {
			// A letter may break a line between the words of a name.
			find := regexp.MustCompile("(?i)" + strings.ReplaceAll(regexp.QuoteMeta(as), " ", `\s+`))
			var b strings.Builder
			last := 0
			for _, at := range find.FindAllStringIndex(text, -1) {
				if stands(text, at[0], at[1], i < len(e.Addresses)) {
					b.WriteString(text[last:at[0]] + e.Pseudonym)
					last = at[1]
				}
			}
			text = b.String() + text[last:]
		}
	}
	return text
}

// Pattern is a regular expression of Postgres that finds what Replace would replace,
// in HTML and JSON too.
func (e Erasure) Pattern() string {
	var list []string
	for _, form := range e.Forms() {
		before, after := `(?<![[:alnum:]])`, `(?![[:alnum:]])`
		end, _ := utf8.DecodeLastRuneInString(form)
		switch {
		case slices.Contains(e.Addresses, form):
			before, after = `(?<![[:alnum:]._%+-])`, `(?![[:alnum:]-]|\.[[:alnum:]])`
		case unbounded(first(form)) && unbounded(end):
			before, after = "", ""
		case unbounded(first(form)):
			before = ""
		case unbounded(end):
			after = ""
		}
		list = append(list, before+spaces.ReplaceAllString(special.ReplaceAllString(form, `\$0`), `(?:\s|\\[nrt])+`)+after)
	}
	return strings.Join(list, "|")
}

var (
	special = regexp.MustCompile(`[^\pL\pM\pN\s]`)
	spaces  = regexp.MustCompile(`\s+`)
)

// Forms are what is searched for, as it stands in texts, HTML and JSON.
func (e Erasure) Forms() []string {
	var list []string
	for _, mark := range append(slices.Clone(e.Addresses), e.searched()...) {
		for _, form := range []string{mark, html.EscapeString(mark), inJSON(mark, true), inJSON(mark, false)} {
			if !slices.Contains(list, form) {
				list = append(list, form)
			}
		}
	}
	return list
}

// inJSON is a text between the quotes of JSON, as programs write it or as Postgres does.
func inJSON(s string, escapeHTML bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(escapeHTML)
	_ = enc.Encode(s) // a string always can be
	return strings.TrimSuffix(strings.TrimSpace(b.String()), `"`)[1:]
}

// Text is a column in which people write what they like, at most Max characters.
type Text struct {
	Column string
	Max    int
}

// In puts the pseudonym into columns of a table; key is an expression that names a
// row. For tables of the caller.
func (e Erasure) In(ctx context.Context, q postgres.Q, table, key string, columns ...Text) error {
	pattern := e.Pattern()
	for _, c := range columns {
		found, err := postgres.All[struct {
			Key  string `db:"key"`
			Text string `db:"text"`
		}](ctx, q, `SELECT (`+key+`)::text AS key, `+c.Column+` AS text FROM `+table+` WHERE `+c.Column+` ~* $1 ORDER BY 1`, pattern)
		if err != nil {
			return err
		}
		var keys, old, texts []string
		for _, f := range found {
			text := []rune(e.Replace(f.Text))
			if string(text) != f.Text {
				keys, old, texts = append(keys, f.Key), append(old, f.Text), append(texts, string(text[:min(len(text), c.Max)]))
			}
		}
		if len(keys) == 0 {
			continue
		}
		if _, err := q.Exec(ctx, `UPDATE `+table+` SET `+c.Column+` = x.x_text FROM unnest($1::text[], $2::text[], $3::text[]) x (x_key, x_old, x_text)
			WHERE (`+key+`)::text = x.x_key AND `+table+`.`+c.Column+` = x.x_old`, pq.Array(keys), pq.Array(old), pq.Array(texts)); err != nil {
			return err
		}
	}
	return nil
}

// decisions are entries about an account whose values say what was decided, and
// nothing of the person.
var decisions = []string{"Gave %s the role %s", "Took the role %s from %s"}

// retitled is the entry whose second value is what somebody calls their work.
const retitled = "%s is now %s at %s"

// note is what an entry says without the person, and whether that is another thing.
func (e Erasure) note(n Note, scope, object uuid.UUID, by uuid.NullUUID) (Note, bool) {
	was := n
	n.Args = slices.Clone(n.Args)
	tied := by.Valid && by.UUID == e.Person || slices.Contains(e.Objects, object)
	own := scope == uuid.Nil && object == e.Person && !slices.Contains(decisions, n.Text)
	for i, arg := range n.Args {
		_, named := n.Who[i]
		switch {
		case named:
		case tied && n.Text == retitled && i == 1:
			n.Args[i] = taken
		case tied && slices.Contains(e.Names, arg):
			n.Args[i] = e.Pseudonym
		case own:
			n.Args[i] = taken
		default:
			n.Args[i] = e.Replace(arg)
		}
	}
	if own {
		n.Before, n.After = nil, nil
	} else {
		n.Before, n.After = e.value(n.Before), e.value(n.After)
	}
	a, _ := json.Marshal(was) // both were read from JSON
	b, _ := json.Marshal(n)
	return n, !bytes.Equal(a, b)
}

// value is a value of JSON without the person.
func (e Erasure) value(v any) any {
	switch v := v.(type) {
	case string:
		return e.Replace(v)
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = e.value(x)
		}
		return list
	case map[string]any:
		m := maps.Clone(v)
		for k, x := range m {
			m[k] = e.value(x)
		}
		return m
	}
	return v
}

// Amended is an entry from which personal data was erased.
type Amended struct {
	Scope  uuid.UUID `db:"scope_id"`
	Number int64     `db:"number"`
	digest []byte
	intact bool
}

// line is the entry in the list of all that one erasure changed.
func (a Amended) line() string {
	return fmt.Sprintf("%s %d %x %t\n", a.Scope, a.Number, a.digest, a.intact)
}

// Erase takes the person out of all entries and records that it was done, with a
// digest of the list of what it changed. The hashes of the chain stay as they are.
func (tx *Tx) Erase(ctx context.Context, e Erasure) error {
	type found struct {
		Scope  uuid.UUID     `db:"scope_id"`
		Number int64         `db:"number"`
		By     uuid.NullUUID `db:"person_id"`
		Object uuid.UUID     `db:"object_id"`
		Note   string        `db:"note"`
	}
	rows, err := postgres.All[found](ctx, tx, `
		SELECT scope_id, number, person_id, object_id, note::text AS note FROM journal_entry
		WHERE object_id = ANY($1::uuid[]) OR person_id = $2 OR note::text ~* $3 ORDER BY scope_id, number`, postgres.IDs(e.Objects), e.Person, e.Pattern())
	if err != nil {
		return err
	}
	var scopes, notes []string
	var numbers []int64
	for _, f := range rows {
		var n Note
		dec := json.NewDecoder(strings.NewReader(f.Note))
		dec.UseNumber()
		if err := dec.Decode(&n); err != nil {
			return fmt.Errorf("journal: entry %d of %s: %w", f.Number, f.Scope, err)
		}
		n, changed := e.note(n, f.Scope, f.Object, f.By)
		if !changed {
			continue
		}
		text, err := json.Marshal(n)
		if err != nil {
			return err
		}
		scopes, numbers, notes = append(scopes, f.Scope.String()), append(numbers, f.Number), append(notes, string(text))
	}
	if len(numbers) > 0 {
		if _, err := tx.Exec(ctx, `SELECT journal_amend($1, $2::uuid[], $3::bigint[], $4::text[])`, e.ID, pq.Array(scopes), pq.Array(numbers), pq.Array(notes)); err != nil {
			return err
		}
	}
	list, err := postgres.All[struct {
		Amended
		Digest []byte `db:"digest"`
		Intact bool   `db:"intact"`
	}](ctx, tx, `SELECT scope_id, number, digest, intact FROM journal_amendment WHERE erasure = $1 ORDER BY scope_id, number`, e.ID)
	if err != nil {
		return err
	}
	h := sha256.New()
	for _, a := range list {
		a.digest, a.intact = a.Digest, a.Intact
		h.Write([]byte(a.line()))
	}
	if tx.permit.Scope().ID != uuid.Nil {
		return errors.New("journal: an erasure is recorded in the portal's chain")
	}
	return tx.RecordAs("journal", "erase", e.ID, Say("Erased the personal data of %s from %s entries of the journal", Person(e.Person), len(list)).
		Changed(nil, map[string]any{"entries": len(list), "digest": hex.EncodeToString(h.Sum(nil))}))
}
