// Package intake brings files into the portal: organizations, persons,
// commissions, participations, seats and documents, from CSV and XLSX. A file is read into
// a temporary table line by line; then statements over the whole of it decide
// what each line is, and write, in one transaction. The rules of each kind, and
// the writing, are in the load.go of the capability whose tables they are.
package intake

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/i18n"
)

// States of an import.
const (
	Draft   = "draft"   // uploaded; the columns can be corrected
	Queued  = "queued"  // waits for its turn
	Running = "running" // is carried out, or tried out
	Checked = "checked" // a dry run is done
	Done    = "done"    // carried out
	Failed  = "failed"  // broken off; nothing was changed
)

// Verdicts on a line.
const (
	Created = "created"
	Changed = "changed"
	Skipped = "skipped"
	Refused = "refused"
)

// Verdicts are all verdicts.
var Verdicts = []string{Created, Changed, Skipped, Refused}

// MaxFile is how large an uploaded file may be, in bytes; the command line takes
// larger ones.
const MaxFile = 31 << 20

// Counts are the lines of a report by verdict.
type Counts struct {
	Created int `db:"created" json:"created"`
	Changed int `db:"changed" json:"changed"`
	Skipped int `db:"skipped" json:"skipped"`
	Refused int `db:"refused" json:"refused"`
}

// Of is the number of lines with a verdict.
func (c Counts) Of(verdict string) int {
	return map[string]int{Created: c.Created, Changed: c.Changed, Skipped: c.Skipped, Refused: c.Refused}[verdict]
}

// Import is a file on its way into the portal.
type Import struct {
	ID           uuid.UUID      `db:"id" json:"id"`
	Kind         string         `db:"kind" json:"kind"`
	CommissionID *uuid.UUID     `db:"commission_id" json:"-"`
	Commission   *string        `db:"commission_slug" json:"commission,omitempty" doc:"The one commission whose roster or register it is for."`
	PersonID     *uuid.UUID     `db:"person_id" json:"-"`
	Person       *string        `db:"person_name" json:"person,omitempty" doc:"Who imports; absent for the command line."`
	FileName     string         `db:"file_name" json:"file_name"`
	FileSize     int64          `db:"file_size" json:"file_size"`
	Header       pq.StringArray `db:"header" json:"header"`
	RawSample    []byte         `db:"sample" json:"-"`
	RawPlan      []byte         `db:"plan" json:"-"`
	State        string         `db:"state" json:"state" enum:"draft,queued,running,checked,done,failed"`
	DryRun       bool           `db:"dry_run" json:"dry_run"`
	Progress     int            `db:"progress" json:"progress" doc:"Per cent."`
	RawProblem   []byte         `db:"problem" json:"-"`
	Counts
	CreatedAt  time.Time  `db:"created_at" json:"created_at"`
	FinishedAt *time.Time `db:"finished_at" json:"finished_at,omitempty"`

	Plan    Plan       `db:"-" json:"plan"`
	Sample  [][]string `db:"-" json:"-"`
	Problem string     `db:"-" json:"problem,omitempty" doc:"Why it failed."`
}

// Path is the address of its page.
func (i Import) Path() string {
	if i.Commission != nil {
		return Home(*i.Commission, i.Kind) + "/" + i.ID.String()
	}
	return "/imports/" + i.ID.String()
}

// Home is the page that imports of that kind into one commission are sent from.
func Home(slug, kind string) string {
	if kind == "documents" {
		return "/commissions/" + slug + "/documents/import"
	}
	return "/commissions/" + slug + "/roster/import"
}

// Busy reports whether it waits or runs.
func (i Import) Busy() bool { return i.State == Queued || i.State == Running }

// Line is what became, or would become, of one line of the file.
type Line struct {
	Line    int            `db:"line" json:"line"`
	Verdict string         `db:"verdict" json:"verdict" enum:"created,changed,skipped,refused"`
	Name    string         `db:"name" json:"name"`
	Notes   pq.StringArray `db:"notes" json:"-"`
	Path    *string        `db:"path" json:"path,omitempty"`
	Reason  string         `db:"-" json:"reason,omitempty"`
}

// say puts the notes of a line into the reader's language.
func say(ctx context.Context, notes []string) string {
	said := make([]string, len(notes))
	for n, note := range notes {
		parts := strings.Split(note, unit)
		args := make([]any, len(parts)-1)
		for j, p := range parts[1:] {
			args[j] = p
		}
		said[n] = i18n.T(ctx, parts[0], args...)
	}
	return strings.Join(said, " ")
}

// unpack reads what the row holds as JSON.
func (i *Import) unpack(ctx context.Context) error {
	if err := json.Unmarshal(i.RawPlan, &i.Plan); err != nil {
		return err
	}
	if err := json.Unmarshal(i.RawSample, &i.Sample); err != nil {
		return err
	}
	if len(i.RawProblem) > 0 {
		var p struct {
			Text string
			Args []any
		}
		if err := json.Unmarshal(i.RawProblem, &p); err != nil {
			return err
		}
		i.Problem = i18n.T(ctx, p.Text, p.Args...)
	}
	return nil
}
