package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"strings"

	"github.com/lib/pq"

	"commissionportal/internal/journal"
)

// Logger writes JSON lines to to, those of a request with its id. What errors quote
// is left out, and whatever looks like an address of mail: it may be what somebody
// typed, or the secret of a link. Routes stand for addresses, ids for persons.
func Logger(level string, to io.Writer) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		least = slog.LevelInfo
	}
	return slog.New(logged{slog.NewJSONHandler(to, &slog.HandlerOptions{Level: least, ReplaceAttr: discreet})})
}

// logged adds the request's id.
type logged struct{ slog.Handler }

// Handle implements slog.Handler.
func (l logged) Handle(ctx context.Context, r slog.Record) error {
	if id := journal.Request(ctx); id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l logged) WithAttrs(a []slog.Attr) slog.Handler { return logged{l.Handler.WithAttrs(a)} }

// WithGroup implements slog.Handler.
func (l logged) WithGroup(name string) slog.Handler { return logged{l.Handler.WithGroup(name)} }

var (
	mailAddress = regexp.MustCompile(`[^\s<>"'(),:;=/]+@[^\s<>"'(),:;=/]+`)
	quotation   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

func discreet(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case error:
		a.Value = slog.StringValue(plain(v))
	case string:
		if a.Key == "error" || a.Key == "err" {
			v = quotation.ReplaceAllString(v, `"…"`)
		}
		a.Value = slog.StringValue(mailAddress.ReplaceAllString(v, "…@…"))
	}
	return a
}

// plain is what an error says without what it quotes. What Postgres quotes are names
// of the program, in errors that speak of its tables and never of values.
func plain(err error) string {
	text, kept := err.Error(), map[string]string{}
	for _, said := range told(err) {
		if class := said.Code.Class(); class == "23" || class == "42" {
			mark := "\x00" + string(rune('a'+len(kept))) + "\x00"
			kept[mark] = said.Error()
			text = strings.ReplaceAll(text, said.Error(), mark)
		}
	}
	text = mailAddress.ReplaceAllString(quotation.ReplaceAllString(text, `"…"`), "…@…")
	for mark, said := range kept {
		text = strings.ReplaceAll(text, mark, said)
	}
	return text
}

// told are the errors of Postgres in err.
func told(err error) []*pq.Error {
	if said, ok := err.(*pq.Error); ok { //nolint:errorlint // each in its place of the tree
		return []*pq.Error{said}
	}
	switch e := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() []error }:
		var all []*pq.Error
		for _, inner := range e.Unwrap() {
			all = append(all, told(inner)...)
		}
		return all
	case interface{ Unwrap() error }:
		if inner := errors.Unwrap(err); inner != nil {
			return told(inner)
		}
	}
	return nil
}
