// Package extract reads what is inside files: their text, pictures of their
// pages, the first rows of their tables. Whatever a file does to its reader it
// does to a child process that has no network, no other file, no secrets, and
// limits of time, memory and output; the program that asked gets a Result.
//
// The child is this same program. Its main, and a test's init, calls Child
// before anything else.
package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// The limits of one file.
const (
	MaxTime   = 30 * time.Second // of the processor
	MaxWait   = 2 * time.Minute  // by the clock, on however busy a machine
	MaxMemory = 512 << 20        // of the child, resident
	MaxText   = 10 << 20         // bytes; what is longer is cut

	maxPictures = 64 << 20 // bytes of all pictures of one job
	maxPicture  = 16 << 20 // bytes of one frame of the child's answer
)

// Job is a file and what is wanted of it.
type Job struct {
	File *os.File  // the file, wherever it is read from; or else
	From io.Reader // what is copied to a temporary file without a name

	Name  string // helps to tell one kind of text from another
	Type  Type   // "": told from the content
	Wish  Wish
	Cache string        // folder that keeps the compiled PDF engine; "": the user's cache
	Time  time.Duration // less than MaxTime, for what is left of it; 0: MaxTime
	Wait  time.Duration // and of MaxWait
}

// Wish is what is wanted. Pages are counted from 1.
type Wish struct {
	Text        bool
	Table       bool // the first rows, of a table
	Thumbnail   int  // width of a picture of the first page; 0: none
	First, Last int  // pages wanted as pictures; an image has one
	Width       int  // of those pictures
}

// Outcome says how reading ended.
type Outcome string

// The outcomes. A file of any of them stays downloadable.
const (
	Done        Outcome = "done"
	Unsupported Outcome = "unsupported" // nothing to read in files of this type
	Encrypted   Outcome = "encrypted"   // needs a password
	Broken      Outcome = "broken"
	TooLarge    Outcome = "too large" // wanted more memory or output than a file gets
	TimedOut    Outcome = "timed out"
)

// Result is what was found in a file.
type Result struct {
	Outcome Outcome
	Reason  string // a sentence for readers, where the outcome is not Done
	Type    Type

	Text     string // valid UTF-8 without control characters; "\f" between pages
	Cut      bool   // there is more text than this
	Pages    int    // of a paged document, 0 if it has none
	Pictures []Picture
	Table    *Table

	Took   time.Duration // by the clock
	Time   time.Duration // of the processor
	Busy   bool          // TimedOut by the clock, though it had not used the time that it gets
	Memory int64         // most that was resident, as far as it was seen
	Log    string        // last words of a child that failed, for the operator
}

// Picture is a page, scaled.
type Picture struct {
	Page          int // from 1; 0 is the thumbnail
	Width, Height int
	MIME          string // image/png or image/jpeg
	Data          []byte
}

// Table is the beginning of a sheet or a CSV.
type Table struct {
	Sheet string     `json:"sheet,omitempty"`
	Rows  [][]string `json:"rows"`
	More  bool       `json:"more,omitempty"` // rows or columns were left out
}

// Run reads a file in a child process. An error means that it could not be
// tried: a canceled context, a file that cannot be read. Whatever is wrong with
// the file's content is a Result.
func Run(ctx context.Context, job Job) (Result, error) {
	if r := job.Type.unread(); r.Outcome != "" { // and not copied
		return r, nil
	}
	file, size, err := job.open()
	if err != nil {
		return Result{}, fmt.Errorf("extract: %w", err)
	}
	defer func() { _ = file.Close() }() // read only
	if job.Type == "" {
		found, err := Sniff(file, size, job.Name)
		if err != nil {
			return Result{}, fmt.Errorf("extract: %w", err)
		}
		job.Type = found.Type
	}
	if r := job.Type.unread(); r.Outcome != "" {
		return r, nil
	}
	cache := ""
	if job.Type == PDF {
		if cache, err = prepare(ctx, job.Cache); err != nil {
			return Result{}, fmt.Errorf("extract: %w", err)
		}
	}
	l := childLimits
	if job.Time > 0 {
		l.time = min(l.time, job.Time)
	}
	if job.Wait > 0 {
		l.wait = min(l.wait, job.Wait)
	}
	result, err := run(ctx, file, order{Type: job.Type, Wish: job.Wish, Cache: cache}, l)
	if err != nil {
		return Result{}, fmt.Errorf("extract: %w", err)
	}
	result.Type = job.Type
	return result, nil
}

// unread is the result of a file that no child has to look at; none for others.
func (t Type) unread() Result {
	switch {
	case t == EncryptedOffice:
		return Result{Outcome: Encrypted, Reason: needsPassword, Type: t}
	case t != "" && !t.Readable():
		return Result{Outcome: Unsupported, Reason: "Files of this type are not read.", Type: t}
	}
	return Result{}
}

// open gives the file as a descriptor of its own that cannot write.
func (j Job) open() (*os.File, int64, error) {
	from := j.File
	if from == nil {
		spool, err := Spool(j.From)
		if err != nil {
			return nil, 0, err
		}
		defer func() { _ = spool.Close() }() // the other descriptor keeps it
		from = spool
	}
	file, err := reopen(from)
	if err != nil {
		return nil, 0, err
	}
	stat, err := file.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, stat.Size(), nil
}

// Spool copies what it reads to a temporary file without a name, which is gone
// when it is closed.
func Spool(from io.Reader) (*os.File, error) {
	spool, err := os.CreateTemp("", "extract-*")
	if err != nil {
		return nil, err
	}
	if err = os.Remove(spool.Name()); err == nil {
		_, err = io.Copy(spool, from)
	}
	if err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	return spool, nil
}

const needsPassword = "This file is encrypted. Without its password it cannot be searched or shown."

// trouble is what is wrong with a file.
type trouble struct {
	outcome Outcome
	reason  string
}

func (t *trouble) Error() string { return t.reason }

func broken(format string, args ...any) error {
	return &trouble{Broken, fmt.Sprintf(format, args...)}
}

func tooLarge(format string, args ...any) error {
	return &trouble{TooLarge, fmt.Sprintf(format, args...)}
}

var errEncrypted = &trouble{Encrypted, needsPassword}

// errFull stops a reader whose text is as long as is taken.
var errFull = errors.New("enough text")
