package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/jobs"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
	"commissionportal/internal/sheet"
)

// Service has the operations on imports.
type Service struct {
	db     *postgres.DB
	access *access.Policy
	queue  *jobs.Queue
	now    func() time.Time
}

// New makes the service and registers its work with the queue. now, if not nil,
// is the clock of what it does in the background.
func New(db *postgres.DB, policy *access.Policy, queue *jobs.Queue, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	s := &Service{db, policy, queue, now}
	jobs.Handle(queue, s.work)
	queue.Every("import.sweep", 24*time.Hour, func(ctx context.Context) error { return sweep(ctx, db, s.now()) })
	return s
}

// Upload is a file that somebody sends.
type Upload struct {
	Kind       string
	Commission string // slug of the one commission whose roster or register it is for; "" for the portal
	FileName   string
	Body       []byte
	Source     string            // "": the name of the file
	Columns    map[string]string // nil: guessed
	Words      map[string]map[string]string
}

// home is where an import belongs: the portal, or one commission.
func (s *Service) home(ctx context.Context, slug string) (access.Scope, *uuid.UUID, error) {
	if slug == "" {
		return access.Portal, nil, nil
	}
	id, err := postgres.One[uuid.UUID](ctx, s.db, access.ErrNotFound, `SELECT id FROM commission WHERE slug = $1`, slug)
	return access.Commission(id), &id, err
}

func scopeOf(i Import) access.Scope {
	if i.CommissionID != nil {
		return access.Commission(*i.CommissionID)
	}
	return access.Portal
}

// Upload takes a file in, guesses its columns and keeps it: nothing else changes
// until it is run. Invalid (field "file") if it is no table.
func (s *Service) Upload(ctx context.Context, who access.Actor, u Upload) (Import, error) {
	scope, commission, err := s.home(ctx, u.Commission)
	if err != nil {
		return Import{}, err
	}
	permit, err := s.access.Require(ctx, who, scope, "import", "run")
	if err != nil {
		return Import{}, err
	}
	if commission != nil && !slices.Contains(ofOne, u.Kind) {
		u.Kind = "seats"
	}
	i, err := prepare(u, commission, bytes.NewReader(u.Body), int64(len(u.Body)))
	if err != nil {
		return i, err
	}
	i.PersonID, i.State, i.CreatedAt = &who.ID, Draft, journal.Now(ctx)
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := insert(ctx, tx, i); err != nil {
			return err
		}
		if err := insertFile(ctx, tx, i.ID, u.Body); err != nil {
			return err
		}
		return tx.RecordAs("import", "upload", i.ID, journal.Say("Uploaded %s to import %s", i.FileName, i.Kind))
	})
	if err != nil {
		return i, err
	}
	return byID(ctx, s.db, i.ID)
}

// prepare opens the table and makes the import of it.
func prepare(u Upload, commission *uuid.UUID, file io.ReaderAt, size int64) (Import, error) {
	var bad problem.Fields
	if !slices.Contains(Kinds, u.Kind) {
		bad.Add("kind", "Choose what the file holds: %s.", strings.Join(Kinds, ", "))
	}
	sent := u.FileName != ""
	u.FileName = strings.TrimSpace(path.Base(strings.ReplaceAll(u.FileName, `\`, "/")))
	if u.FileName == "." || u.FileName == "/" || !utf8.ValidString(u.FileName) {
		u.FileName = "import.csv"
	}
	if r := []rune(u.FileName); len(r) > 200 {
		u.FileName = string(r[len(r)-200:])
	}
	if size == 0 && sent {
		bad.Add("file", "This file is empty.")
	} else if size == 0 {
		bad.Add("file", "Choose a file.")
	}
	if err := bad.Err(); err != nil {
		return Import{}, err
	}
	t, err := sheet.Open(file, size, sheet.Options{Limits: limits})
	if p := problem.As(err); p != nil {
		bad.Add("file", p.Format, p.Args...)
		return Import{}, bad.Err()
	}
	if err != nil {
		return Import{}, err
	}
	var rows [][]string
	for len(rows) < 200 {
		r, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if p := problem.As(err); p != nil {
			bad.Add("file", p.Format, p.Args...)
			return Import{}, bad.Err()
		}
		if err != nil {
			return Import{}, err
		}
		rows = append(rows, r.Cells)
	}
	if len(rows) == 0 {
		bad.Add("file", "There is no line below the names of the columns.")
		return Import{}, bad.Err()
	}
	i := Import{ID: uuid.Must(uuid.NewV7()), Kind: u.Kind, CommissionID: commission, FileName: u.FileName, FileSize: size, Header: t.Header(), DryRun: true,
		Plan: Plan{Source: u.Source, Columns: u.Columns, Words: u.Words}}
	if i.Plan.Source == "" {
		i.Plan.Source = strings.TrimSuffix(u.FileName, path.Ext(u.FileName))
	}
	if r := []rune(i.Plan.Source); len(r) > 100 {
		i.Plan.Source = string(r[:100])
	}
	guess := Guess(u.Kind, commission != nil, i.Header, rows)
	for name, title := range i.Plan.Columns {
		guess[name] = title
	}
	i.Plan.Columns = guess
	for n := range min(len(rows), 5) {
		i.Sample = append(i.Sample, rows[n])
		for c := range i.Sample[n] {
			i.Sample[n][c] = shown(i.Sample[n][c])
		}
	}
	return i, nil
}

// Run queues an import to be tried (dry) or carried out, with the plan as it was
// corrected. Invalid, field by field, if the plan cannot be read; Conflict if it
// is under way or done.
func (s *Service) Run(ctx context.Context, who access.Actor, id uuid.UUID, plan *Plan, dry bool) (Import, error) {
	i, err := byID(ctx, s.db, id)
	if err != nil {
		return i, err
	}
	permit, err := s.access.Require(ctx, who, scopeOf(i), "import", "run")
	if err != nil {
		return i, err
	}
	if plan != nil {
		i.Plan = *plan
	}
	if err := i.Plan.Check(i.Kind, i.CommissionID != nil, i.Header); err != nil {
		return i, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		if err := setQueued(ctx, tx, i.ID, i.Plan, dry); err != nil {
			return err
		}
		if err := s.queue.Enqueue(ctx, tx.SQL(), work{Import: i.ID, Person: who.ID}); err != nil {
			return err
		}
		if dry {
			return tx.RecordAs("import", "check", i.ID, journal.Say("Started a dry run of %s", i.FileName))
		}
		return tx.RecordAs("import", "start", i.ID, journal.Say("Started to import %s", i.FileName))
	})
	if err != nil {
		return i, err
	}
	return byID(ctx, s.db, i.ID)
}

// work is the job of one run.
type work struct {
	Import uuid.UUID `json:"import"`
	Person uuid.UUID `json:"person"`
}

func (work) Kind() string { return "import.run" }

// Timeout is how long it may take.
func (work) Timeout() time.Duration { return patience }

func (s *Service) work(ctx context.Context, w work) error {
	ctx = journal.WithNow(ctx, s.now().UTC().Truncate(time.Microsecond))
	if err := setRunning(ctx, s.db, w.Import); errors.Is(err, errNotQueued) {
		return nil // done by an earlier attempt whose end River did not hear of
	} else if err != nil {
		return err
	}
	i, err := byID(ctx, s.db, w.Import)
	if err != nil {
		return err
	}
	err = s.asPerson(ctx, w.Person, i, func(permit access.Permit) error {
		file := &stored{ctx: ctx, q: s.db, id: i.ID, size: i.FileSize}
		return s.finish(ctx, permit, &i, file, s.teller(ctx, i.ID))
	})
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return err // the portal stops: another process carries it out
	}
	if e := setFailed(context.WithoutCancel(ctx), s.db, i.ID, failed(err), s.now()); e != nil {
		return errors.Join(err, e)
	}
	if problem.As(err) == nil { // a problem is told to whom it concerns, on the page
		return jobs.Permanent(fmt.Errorf("import %s: %w", i.ID, err))
	}
	return nil
}

// asPerson asks anew whether the person may import: the right may have ended
// since the job was queued.
func (s *Service) asPerson(ctx context.Context, person uuid.UUID, i Import, fn func(access.Permit) error) error {
	who, err := s.access.ByPerson(ctx, s.db, person, journal.Now(ctx))
	if err != nil {
		return err
	}
	permit, err := s.access.Require(ctx, who, scopeOf(i), "import", "run")
	if err != nil {
		return access.ErrLost
	}
	return fn(permit)
}

// finish carries an import out and, after a dry run, notes that it is checked.
func (s *Service) finish(ctx context.Context, permit access.Permit, i *Import, file io.ReaderAt, progress func(int)) error {
	done, err := s.carryOut(ctx, permit, *i, file, progress)
	if err != nil {
		return err
	}
	*i = done
	if i.DryRun {
		i.State = Checked
		return setChecked(ctx, s.db, *i, journal.Now(ctx))
	}
	i.State = Done
	return nil
}

// teller writes progress where the page reads it, by a connection of its own and
// at most a few times a second.
func (s *Service) teller(ctx context.Context, id uuid.UUID) func(int) {
	var last atomic.Int64
	return func(percent int) {
		if now := time.Now().UnixMilli(); now-last.Load() > 300 {
			last.Store(now)
			_ = setProgress(ctx, s.db, id, percent) // a bar that lags is no reason to stop
		}
	}
}

// File carries out, or tries, the import of a file on disk at once: the command
// line. email is whose rights it is done by; "" is the portal itself.
func (s *Service) File(ctx context.Context, email string, u Upload, file io.ReaderAt, size int64, dry bool, progress func(percent int)) (Import, error) {
	scope, commission, err := s.home(ctx, u.Commission)
	if err != nil {
		return Import{}, problem.Field("commission", "There is no commission %s.", u.Commission)
	}
	permit := access.System("import", scope, "import", "run")
	var person *uuid.UUID
	if email != "" {
		id, err := postgres.One[uuid.UUID](ctx, s.db, problem.Field("as", "Nobody in the portal has the address %s.", email), `SELECT id FROM person WHERE email = lower($1)`, email)
		if err != nil {
			return Import{}, err
		}
		who, err := s.access.ByPerson(ctx, s.db, id, journal.Now(ctx))
		if err != nil {
			return Import{}, err
		}
		if permit, err = s.access.Require(ctx, who, scope, "import", "run"); err != nil {
			return Import{}, problem.New(problem.Forbidden, "%s may not import this.", email)
		}
		person = &id
	}
	if commission != nil && !slices.Contains(ofOne, u.Kind) {
		u.Kind = "seats"
	}
	i, err := prepare(u, commission, file, size)
	if err != nil {
		return i, err
	}
	if err := i.Plan.Check(i.Kind, commission != nil, i.Header); err != nil {
		return i, err
	}
	i.PersonID, i.DryRun, i.State, i.CreatedAt = person, dry, Running, journal.Now(ctx)
	if err := insert(ctx, s.db, i); err != nil {
		return i, err
	}
	if err := s.finish(ctx, permit, &i, file, progress); err != nil {
		return i, errors.Join(err, setFailed(context.WithoutCancel(ctx), s.db, i.ID, failed(err), journal.Now(ctx)))
	}
	return i, nil
}

// Show reads one import; NotFound for everybody who may not run it.
func (s *Service) Show(ctx context.Context, who access.Actor, id uuid.UUID) (Import, error) {
	i, err := byID(ctx, s.db, id)
	if err != nil {
		return i, err
	}
	_, err = s.access.Require(ctx, who, scopeOf(i), "import", "run")
	return i, err
}

// List is a page of imports, the newest first.
func (s *Service) List(ctx context.Context, who access.Actor, page keyset.Page) ([]Import, string, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "import", "run"); err != nil {
		return nil, "", err
	}
	rows, err := list(ctx, s.db, page)
	if err != nil {
		return nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(i Import) []string { return []string{i.ID.String()} })
	return rows, next, nil
}

// Lines is a page of an import's report; verdict narrows it. Show asks before
// whether the reader may see it.
func (s *Service) Lines(ctx context.Context, i Import, verdict string, page keyset.Page) ([]Line, string, error) {
	rows, err := lines(ctx, s.db, i.ID, verdict, page)
	if err != nil {
		return nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(l Line) []string { return []string{strconv.Itoa(l.Line)} })
	return rows, next, nil
}

// Report writes the report of an import as CSV, line by line.
func (s *Service) Report(ctx context.Context, i Import, verdict string, to io.Writer) error {
	out, err := sheet.CSV(to, []string{i18n.T(ctx, "Line"), i18n.T(ctx, "Verdict"), i18n.T(ctx, "Name"), i18n.T(ctx, "Reason")}, true)
	if err != nil {
		return err
	}
	var w postgres.Where
	w.And("import_id = ?", i.ID)
	w.If(verdict != "", "verdict = ?", verdict)
	err = postgres.Each(ctx, s.db, func(l Line) error {
		return out.WriteRow(l.Line, l.Verdict, l.Name, say(ctx, l.Notes))
	}, `SELECT line, verdict, name, notes, path FROM import_line WHERE `+w.SQL()+` ORDER BY line`, w.Args()...)
	return errors.Join(err, out.Close())
}

// Body is a commission whose roster or register an officer wants to import.
type Body struct {
	ID                               uuid.UUID
	Slug, Acronym, Name, Kind, State string
}

// Body is the commission of that name, for who may import into it.
func (s *Service) Body(ctx context.Context, who access.Actor, slug string) (Body, error) {
	b, err := postgres.One[Body](ctx, s.db, access.ErrNotFound, `SELECT id, slug, acronym, name, kind, state FROM commission WHERE slug = $1`, slug)
	if err != nil {
		return b, err
	}
	_, err = s.access.Require(ctx, who, access.Commission(b.ID), "import", "run")
	return b, err
}
