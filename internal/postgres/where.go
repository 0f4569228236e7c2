package postgres

import (
	"database/sql/driver"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"
)

// Where builds the condition of a list from the filters that are set, so that
// each combination of them is a statement of its own with a plan of its own. The
// texts are constants of the program; values are arguments always.
type Where struct {
	parts []string
	args  []any
}

// And adds a condition; each ? in it stands for the next value.
func (w *Where) And(condition string, values ...any) *Where {
	for _, v := range values {
		condition = strings.Replace(condition, "?", w.Arg(v), 1)
	}
	w.parts = append(w.parts, condition)
	return w
}

// If adds a condition if ok.
func (w *Where) If(ok bool, condition string, values ...any) *Where {
	if ok {
		w.And(condition, values...)
	}
	return w
}

// Arg adds a value and returns its placeholder, for use outside the condition.
func (w *Where) Arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

// SQL is the condition, "true" if there is none.
func (w *Where) SQL() string {
	if len(w.parts) == 0 {
		return "true"
	}
	return strings.Join(w.parts, "\n  AND ")
}

// Args are the values, in the order of their placeholders.
func (w *Where) Args() []any { return w.args }

// Contains is the pattern of LIKE for what contains text.
func Contains(text string) string { return "%" + escaped.Replace(text) + "%" }

// Begins is the pattern of LIKE for what begins with text.
func Begins(text string) string { return escaped.Replace(text) + "%" }

// Within is Contains, and Begins for fewer than three letters; see Named.
func Within(text string) string {
	if few(text) {
		return Begins(text)
	}
	return Contains(text)
}

var escaped = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Named is the condition that a name has the text in it, without regard to case and
// accents; "true" without a text. With one or two letters a word has to begin with them:
// an index of trigrams finds no fewer in the midst of one, and would go through all names.
func (w *Where) Named(name, text string) string {
	if text == "" {
		return "true"
	}
	patterns := []string{Contains(text)}
	if few(text) {
		patterns = []string{Begins(text), "% " + Begins(text), "%-" + Begins(text)}
	}
	list := make([]string, len(patterns))
	for i, p := range patterns {
		list[i] = "fold(" + name + ") LIKE fold(" + w.Arg(p) + ")"
	}
	return "(" + strings.Join(list, " OR ") + ")"
}

// few reports whether text has fewer than three letters; characters that are words by
// themselves are found one by one (fold, in the schema).
func few(text string) bool {
	letters := 0
	for _, r := range text {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			return false
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			letters++
		}
	}
	return letters < 3
}

// IDs are an argument of type uuid[]; nil is the empty one.
type IDs []uuid.UUID

// Value implements driver.Valuer.
func (ids IDs) Value() (driver.Value, error) {
	text := make([]byte, 0, 2+33*len(ids))
	text = append(text, '{')
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = hex.AppendEncode(text, id[:])
	}
	return string(append(text, '}')), nil
}
