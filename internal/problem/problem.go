// Package problem is the portal's error type: a kind that a door (page or API)
// can turn into a status, a sentence a person can act on, and the fields that
// caused it. It knows nothing of HTTP and imports nothing of ours.
package problem

import (
	"errors"
	"fmt"
)

// Kind says what sort of problem it is; doors map it to a status.
type Kind string

// The kinds a caller can act on. An error that is none of these is a fault of
// ours: it is logged and shown as one.
const (
	Invalid     Kind = "invalid"       // the input is wrong; Fields say where
	Conflict    Kind = "conflict"      // right in itself, but not in the state things are in now
	NotFound    Kind = "not-found"     // does not exist, or may not be seen
	Forbidden   Kind = "forbidden"     // may be seen, may not be done
	SignIn      Kind = "sign-in"       // nobody is signed in and somebody has to be
	SignInAgain Kind = "sign-in-again" // somebody is, but too long ago for what is asked
	TooLarge    Kind = "too-large"     // over a limit of size
	TooMany     Kind = "too-many"      // over a limit of rate
	Unavailable Kind = "unavailable"   // something the portal needs is down
	Full        Kind = "full"          // there is no room left to keep it
	Stale       Kind = "stale"         // the change was made from a version that is not the current one
	Unguarded   Kind = "unguarded"     // an update that does not say which version it was made from
)

// Error is a problem with a sentence for the person who met it. Format and Args
// are kept apart, so that the sentence can be said in the reader's language.
type Error struct {
	Kind   Kind
	Format string
	Args   []any
	Fields []FieldError
}

// FieldError is the part of a problem that belongs to one input field, named as
// the form and the API name it.
type FieldError struct {
	Field  string
	Format string
	Args   []any
}

// Text is the sentence in English.
func (f FieldError) Text() string { return sprintf(f.Format, f.Args) }

// New makes a problem of a kind with a sentence that says what to do.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Format: format, Args: args}
}

// Field makes an Invalid problem that one field caused.
func Field(field, format string, args ...any) *Error {
	return (&Error{Kind: Invalid}).And(field, format, args...)
}

// And adds a field's problem to e and returns e.
func (e *Error) And(field, format string, args ...any) *Error {
	e.Fields = append(e.Fields, FieldError{field, format, args})
	return e
}

// Detail is the sentence in English; for a problem of fields, the first of theirs.
func (e *Error) Detail() string {
	if e.Format == "" && len(e.Fields) > 0 {
		return e.Fields[0].Text()
	}
	return sprintf(e.Format, e.Args)
}

func (e *Error) Error() string { return string(e.Kind) + ": " + e.Detail() }

// Is makes errors.Is(err, problem.New(problem.Conflict, "")) compare by kind.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && (t.Format == "" || t.Format == e.Format)
}

// As finds the problem in err's chain, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// Of reports whether err is a problem of that kind.
func Of(err error, kind Kind) bool {
	e := As(err)
	return e != nil && e.Kind == kind
}

func sprintf(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// Fields collects what is wrong with several fields at once, so that a person
// sees all of it in one go.
type Fields struct{ e *Error }

// Add notes a field's problem.
func (f *Fields) Add(field, format string, args ...any) {
	if f.e == nil {
		f.e = &Error{Kind: Invalid}
	}
	f.e = f.e.And(field, format, args...)
}

// Err is the collected problem, or nil if there is none.
func (f *Fields) Err() error {
	if f.e == nil {
		return nil
	}
	return f.e
}
