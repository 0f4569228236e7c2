package postgres

import (
	"strconv"
	"strings"
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
func Contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}
