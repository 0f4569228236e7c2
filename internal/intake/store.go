package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

const importColumns = `i.id, i.kind, i.commission_id, c.slug AS commission_slug, i.person_id, p.name AS person_name, i.file_name, i.file_size, i.header, i.sample, i.plan,
	i.state, i.dry_run, i.progress, i.problem, i.created, i.changed, i.skipped, i.refused, i.created_at, i.finished_at
	FROM import i LEFT JOIN commission c ON c.id = i.commission_id LEFT JOIN person p ON p.id = i.person_id`

func byID(ctx context.Context, q postgres.Q, id uuid.UUID) (Import, error) {
	i, err := postgres.One[Import](ctx, q, access.ErrNotFound, `SELECT `+importColumns+` WHERE i.id = $1`, id)
	if err != nil {
		return i, err
	}
	return i, i.unpack(ctx)
}

func list(ctx context.Context, q postgres.Q, page keyset.Page) ([]Import, error) {
	var w postgres.Where
	w.If(page.After != nil, "i.id < ?::uuid", page.Key(0))
	rows, err := postgres.All[Import](ctx, q, `SELECT `+importColumns+` WHERE `+w.SQL()+` ORDER BY i.id DESC LIMIT `+w.Arg(page.Fetch()), w.Args()...)
	for n := range rows {
		err = errors.Join(err, rows[n].unpack(ctx))
	}
	return rows, err
}

func insert(ctx context.Context, q postgres.Q, i Import) error {
	plan, err := json.Marshal(i.Plan)
	if err != nil {
		return err
	}
	sample, err := json.Marshal(i.Sample)
	if err != nil {
		return err
	}
	_, err = q.Exec(ctx, `INSERT INTO import (id, kind, commission_id, person_id, file_name, file_size, header, sample, plan, state, dry_run, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8::json, $9::json, $10, $11, $12)`,
		i.ID, i.Kind, i.CommissionID, i.PersonID, i.FileName, i.FileSize, i.Header, string(sample), string(plan), i.State, i.DryRun, i.CreatedAt)
	return err
}

const part = 1 << 20 // bytes of a file that stand in one row

func insertFile(ctx context.Context, q postgres.Q, id uuid.UUID, body []byte) error {
	for n := 0; n*part < len(body); n++ {
		if _, err := q.Exec(ctx, `INSERT INTO import_file (import_id, part, body) VALUES ($1, $2, $3)`, id, n, body[n*part:min((n+1)*part, len(body))]); err != nil {
			return err
		}
	}
	return nil
}

// stored reads an uploaded file part by part; the last two stay at hand.
type stored struct {
	ctx  context.Context
	q    postgres.Q
	id   uuid.UUID
	size int64
	at   [2]int
	held [2][]byte
}

func (f *stored) ReadAt(p []byte, at int64) (int, error) {
	read := 0
	for read < len(p) && at < f.size {
		body, err := f.part(int(at / part))
		if err != nil {
			return read, err
		}
		n := copy(p[read:], body[at%part:])
		read, at = read+n, at+int64(n)
	}
	if read < len(p) {
		return read, io.EOF
	}
	return read, nil
}

func (f *stored) part(n int) ([]byte, error) {
	slot := n % 2
	if f.held[slot] == nil || f.at[slot] != n {
		body, err := postgres.One[[]byte](f.ctx, f.q, gone, `SELECT body FROM import_file WHERE import_id = $1 AND part = $2`, f.id, n)
		if err != nil {
			return nil, err
		}
		f.at[slot], f.held[slot] = n, body
	}
	return f.held[slot], nil
}

var gone = problem.New(problem.Conflict, "The file is kept for seven days only. Upload it again.")

// setPlan keeps how the file is read, and queues the import.
func setQueued(ctx context.Context, q postgres.Q, id uuid.UUID, plan Plan, dry bool) error {
	raw, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	return postgres.ExecOne(ctx, q, problem.New(problem.Conflict, "This is being carried out already, or is done."), `
		UPDATE import SET plan = $2::json, dry_run = $3, state = 'queued', progress = 0, problem = NULL, finished_at = NULL
		WHERE id = $1 AND state IN ('draft', 'checked', 'failed')`, id, string(raw), dry)
}

func setRunning(ctx context.Context, q postgres.Q, id uuid.UUID) error {
	return postgres.ExecOne(ctx, q, errNotQueued, `UPDATE import SET state = 'running', progress = 1 WHERE id = $1 AND state IN ('queued', 'running')`, id)
}

var errNotQueued = errors.New("intake: it is not waiting")

func setProgress(ctx context.Context, q postgres.Q, id uuid.UUID, percent int) error {
	_, err := q.Exec(ctx, `UPDATE import SET progress = $2 WHERE id = $1 AND state = 'running'`, id, percent)
	return err
}

func setChecked(ctx context.Context, q postgres.Q, i Import, at time.Time) error {
	_, err := q.Exec(ctx, `UPDATE import SET state = 'checked', progress = 100, created = $2, changed = $3, skipped = $4, refused = $5, finished_at = $6 WHERE id = $1 AND state = 'running'`,
		i.ID, i.Created, i.Changed, i.Skipped, i.Refused, at)
	return err
}

func setFailed(ctx context.Context, q postgres.Q, id uuid.UUID, why json.RawMessage, at time.Time) error {
	_, err := q.Exec(ctx, `UPDATE import SET state = 'failed', problem = $2::json, finished_at = $3 WHERE id = $1 AND state IN ('queued', 'running')`, id, string(why), at)
	return err
}

func lines(ctx context.Context, q postgres.Q, id uuid.UUID, verdict string, page keyset.Page) ([]Line, error) {
	var w postgres.Where
	w.And("import_id = ?", id)
	w.If(verdict != "", "verdict = ?", verdict)
	w.If(page.After != nil, "line > ?::int", page.Key(0))
	rows, err := postgres.All[Line](ctx, q, `SELECT line, verdict, name, notes, path FROM import_line WHERE `+w.SQL()+` ORDER BY line LIMIT `+w.Arg(page.Fetch()), w.Args()...)
	for n := range rows {
		rows[n].Reason = say(ctx, rows[n].Notes)
	}
	return rows, err
}

// sweep deletes what is no longer needed: files after a week, reports after a year.
func sweep(ctx context.Context, q postgres.Q, now time.Time) error {
	if _, err := q.Exec(ctx, `DELETE FROM import_file f USING import i WHERE i.id = f.import_id AND i.created_at < $1`, now.AddDate(0, 0, -7)); err != nil {
		return fmt.Errorf("files of imports: %w", err)
	}
	if _, err := q.Exec(ctx, `DELETE FROM import WHERE created_at < $1`, now.AddDate(-1, 0, 0)); err != nil {
		return fmt.Errorf("old imports: %w", err)
	}
	return nil
}
