// Package keyset pages lists by key: a page starts after the last row of the
// one before, so its cost does not grow with its number, and rows that come or
// go meanwhile neither repeat nor vanish.
package keyset

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"commissionportal/internal/problem"
)

// Limits of a page.
const (
	Default = 50
	Most    = 200
)

// Page asks for Limit rows after the key After (nil: from the start). The key
// is as many values as the query orders by, as text.
type Page struct {
	After []string
	Limit int
}

// First is the first page, of the usual length.
var First = Page{Limit: Default}

// Parse reads what came from outside: an opaque cursor as Cut gave it, how many
// parts the list's key has, and a limit (0: the default).
func Parse(cursor string, parts, limit int) (Page, error) {
	switch {
	case limit == 0:
		limit = Default
	case limit < 0 || limit > Most:
		return Page{}, problem.Field("limit", "Ask for 1 to %d rows.", Most)
	}
	p := Page{Limit: limit}
	if cursor == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(raw, &p.After)
	}
	unreadable := func(part string) bool { return strings.ContainsRune(part, 0) }
	if err != nil || len(p.After) != parts || slices.ContainsFunc(p.After, unreadable) {
		return Page{}, problem.Field("cursor", "This is not a cursor of this list. Start without one.")
	}
	return p, nil
}

// Fetch is how many rows the query should read: one more than are shown, to
// know whether there is a next page.
func (p Page) Fetch() int { return p.Limit + 1 }

// Key is the i-th part of the key to start after, or nil for the first page:
// to be given to the query as an argument.
func (p Page) Key(i int) any {
	if p.After == nil {
		return nil
	}
	return p.After[i]
}

// Cut takes what Fetch asked for, and returns the rows of the page and the
// cursor of the next one ("" if this is the last).
func Cut[T any](p Page, rows []T, key func(T) []string) ([]T, string) {
	if len(rows) <= p.Limit {
		return rows, ""
	}
	rows = rows[:p.Limit]
	raw, err := json.Marshal(key(rows[len(rows)-1]))
	if err != nil { // strings always marshal
		panic(err)
	}
	return rows, base64.RawURLEncoding.EncodeToString(raw)
}
