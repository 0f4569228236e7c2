package intake

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/calendar"
	"commissionportal/internal/commission"
	"commissionportal/internal/document"
	"commissionportal/internal/journal"
	"commissionportal/internal/membership"
	"commissionportal/internal/organization"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
	"commissionportal/internal/sheet"
)

// errDry ends the transaction of a dry run, which did all there is to do: what
// it reports is what the run will do, with every rule of the database asked.
var errDry = errors.New("intake: a dry run")

// limits are wider than what pages take: the command line reads from disk.
var limits = sheet.Limits{Bytes: 512 << 20}

// carryOut reads the file into the portal in one transaction, or, in a dry run,
// does the same and takes it back. It is called with the permit of whoever
// imports, and tells progress in per cent.
func (s *Service) carryOut(ctx context.Context, permit access.Permit, i Import, file io.ReaderAt, progress func(percent int)) (Import, error) {
	run := func() error {
		return journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
			if err := s.load(ctx, tx, i, file, progress); err != nil {
				return err
			}
			if err := tx.GetContext(ctx, &i.Counts, countStaged); err != nil {
				return err
			}
			if i.DryRun {
				if err := s.report(ctx, tx, i.ID); err != nil {
					return err
				}
				return errDry
			}
			return s.conclude(ctx, tx, i)
		})
	}
	err := run()
	if name := postgres.Constraint(err); name != "" {
		// Somebody took a slug or an address meanwhile: decided anew, there is another.
		err = run()
	}
	if errors.Is(err, errDry) {
		err = nil
	}
	return i, err
}

const countStaged = `SELECT count(*) FILTER (WHERE verdict = 'created') AS created, count(*) FILTER (WHERE verdict = 'changed') AS changed,
	count(*) FILTER (WHERE verdict = 'skipped') AS skipped, count(*) FILTER (WHERE verdict = 'refused') AS refused FROM staged`

// load stages the file and has the capabilities decide and write.
func (s *Service) load(ctx context.Context, tx *journal.Tx, i Import, file io.ReaderAt, progress func(percent int)) error {
	t, err := sheet.Open(file, i.FileSize, sheet.Options{Limits: limits})
	if err != nil {
		return err
	}
	if err := i.Plan.Check(i.Kind, i.CommissionID != nil, t.Header()); err != nil {
		return err
	}
	in := newReader(i.Kind, i.CommissionID != nil, i.Plan, t.Header(), tx.Now, calendar.Zone(ctx))
	// How many lines there are is not known before they are read; a guess by the
	// size of the file, at some 90 bytes a line, is near enough for a bar.
	guess := int(i.FileSize/90) + 1
	if err := stage(ctx, tx, t, in, i.CommissionID == nil, func(lines int) { progress(min(50*lines/guess, 50)) }); err != nil {
		return err
	}
	progress(50)
	steps := []func(context.Context, *journal.Tx, Import) error{index}
	plain := func(f func(context.Context, *journal.Tx) error) func(context.Context, *journal.Tx, Import) error {
		return func(ctx context.Context, tx *journal.Tx, _ Import) error { return f(ctx, tx) }
	}
	switch i.Kind {
	case "organizations":
		steps = append(steps, twins, keys("organization"), plain(organization.LoadOrganizations), keep("organization"))
	case "persons":
		steps = append(steps, keys("person"), organizations, plain(account.LoadPersons), plain(organization.LoadAffiliations), plain(account.LoadProfiles), people, keep("person"))
	case "commissions":
		steps = append(steps, twins, keys("commission"), parents, plain(commission.LoadCommissions), keep("commission"))
	case "participations":
		steps = append(steps, organizations, needed, commissions, plain(organization.LoadParticipations))
	case "seats":
		steps = append(steps, organizations, commissions, posts, plain(membership.LoadSeatsDecide), plain(account.LoadPersons), plain(organization.LoadAffiliations),
			plain(organization.LoadSeatParticipations), plain(membership.LoadSeats))
	case "documents":
		// The indexes come after what writes to every line.
		steps = []func(context.Context, *journal.Tx, Import) error{analyze, organizations, commissions, apart, index, twins, keys("document"), documents, keep("document")}
	}
	for n, step := range steps {
		if err := step(ctx, tx, i); err != nil {
			return err
		}
		progress(50 + 45*(n+1)/len(steps))
	}
	return nil
}

func index(ctx context.Context, tx *journal.Tx, _ Import) error {
	return exec(ctx, tx, `CREATE UNIQUE INDEX ON staged (line); CREATE INDEX ON staged (key); CREATE INDEX ON staged (id) WHERE id IS NOT NULL;
		CREATE INDEX ON staged (slug) WHERE slug IS NOT NULL; CREATE INDEX ON staged (acronym) WHERE acronym IS NOT NULL; ANALYZE staged`)
}

func analyze(ctx context.Context, tx *journal.Tx, _ Import) error {
	return exec(ctx, tx, `ANALYZE staged`)
}

// twins finds lines with the same identifier; the one that says more (rank 0)
// counts, then the earlier.
func twins(ctx context.Context, tx *journal.Tx, _ Import) error {
	return exec(ctx, tx, `
		UPDATE staged s SET verdict = 'skipped', twin = t.first,
			notes = CASE WHEN left(s.key, 1) = '~' THEN '{}' ELSE s.notes END || concat_ws(E'\x1f', CASE WHEN left(s.key, 1) = '~' THEN 'The same as line %s.' ELSE 'The same identifier as line %s.' END, t.first)
		FROM (SELECT line, first_value(line) OVER (PARTITION BY key ORDER BY rank, line) AS first FROM staged WHERE verdict IS NULL) t
		WHERE t.line = s.line AND t.first <> s.line`)
}

// keys finds what the source's identifiers mean from earlier imports.
func keys(kind string) func(context.Context, *journal.Tx, Import) error {
	return func(ctx context.Context, tx *journal.Tx, i Import) error {
		return exec(ctx, tx, `
			UPDATE staged s SET id = k.object_id, made = k.made, tag = CASE WHEN k.kind = 'person' AND k.made THEN 'own' END FROM import_key k, `+kind+` o
			WHERE k.kind = $1 AND k.source = $2 AND k.key = s.key AND s.verdict IS NULL AND o.id = k.object_id`, kind, i.Plan.Source)
	}
}

// keep notes what the source's identifiers mean from now on.
func keep(kind string) func(context.Context, *journal.Tx, Import) error {
	return func(ctx context.Context, tx *journal.Tx, i Import) error {
		return exec(ctx, tx, `
			INSERT INTO import_key (kind, source, key, object_id, made)
			SELECT DISTINCT ON (key) $1, $2, key, id, coalesce(made, false) FROM staged WHERE verdict <> 'refused' AND id IS NOT NULL ORDER BY key, rank, (twin IS NOT NULL), line
			ON CONFLICT DO NOTHING`, kind, i.Plan.Source)
	}
}

// organizations finds the organizations that lines name: by the source's
// identifier, by slug, by name, and by the name without its legal form where only
// one has it. What is merged leads to what it was merged into.
func organizations(ctx context.Context, tx *journal.Tx, i Import) error {
	if err := exec(ctx, tx, `
		UPDATE staged s SET organization_id = k.object_id FROM import_key k
		WHERE k.kind = 'organization' AND k.source = $1 AND k.key = s.organization_key`, i.Plan.Source); err != nil {
		return err
	}
	return exec(ctx, tx, `
		CREATE TEMP TABLE staged_name ON COMMIT DROP AS SELECT DISTINCT organization AS name, organization_plain AS plain, NULL::uuid AS id, 0 AS many
			FROM staged WHERE organization IS NOT NULL AND organization_id IS NULL;
		ANALYZE staged_name;
		UPDATE staged_name n SET id = o.id FROM organization o WHERE o.slug = lower(n.name) AND o.state NOT IN ('pending', 'declined');
		UPDATE staged_name n SET id = o.id, many = o.many FROM (SELECT lower(name) AS name, min(id::text)::uuid AS id, count(*) AS many FROM organization
			WHERE state NOT IN ('pending', 'declined') GROUP BY lower(name)) o WHERE n.id IS NULL AND o.name = lower(n.name);
		UPDATE staged_name n SET id = o.id, many = o.many FROM (SELECT plain_name, min(id::text)::uuid AS id, count(*) AS many FROM organization
			WHERE state NOT IN ('pending', 'declined', 'merged') GROUP BY plain_name) o WHERE n.id IS NULL AND o.plain_name = n.plain;
		UPDATE staged s SET organization_id = n.id FROM staged_name n WHERE n.name = s.organization AND s.organization_id IS NULL AND n.many <= 1;
		UPDATE staged s SET notes = s.notes || concat_ws(E'\x1f', 'More than one organization is called “%s”: give its slug or identifier.', s.organization)
			FROM staged_name n WHERE n.name = s.organization AND n.many > 1 AND s.organization_id IS NULL;
		UPDATE staged s SET notes = s.notes || concat_ws(E'\x1f', 'There is no organization “%s” in the portal.', coalesce(s.organization, s.organization_key))
			WHERE s.organization_id IS NULL AND coalesce(s.organization, s.organization_key) IS NOT NULL AND NOT EXISTS (SELECT FROM staged_name n WHERE n.name = s.organization AND n.many > 1);
		WITH RECURSIVE target AS (
			SELECT s.line, o.id, o.merged_into, 1 AS depth FROM staged s JOIN organization o ON o.id = s.organization_id WHERE o.state = 'merged'
			UNION ALL SELECT t.line, o.id, o.merged_into, depth + 1 FROM target t JOIN organization o ON o.id = t.merged_into WHERE depth < 20)
		UPDATE staged s SET organization_id = t.id FROM target t WHERE t.line = s.line AND t.merged_into IS NULL;
		DROP TABLE staged_name`)
}

// needed refuses lines whose organization was not found.
func needed(ctx context.Context, tx *journal.Tx, _ Import) error {
	return exec(ctx, tx, `UPDATE staged SET verdict = 'refused' WHERE verdict IS NULL AND organization_id IS NULL`)
}

// commissions finds the commission that each line names.
func commissions(ctx context.Context, tx *journal.Tx, i Import) error {
	if i.CommissionID != nil {
		return exec(ctx, tx, `UPDATE staged SET commission_id = $1`, *i.CommissionID)
	}
	if err := exec(ctx, tx, `
		UPDATE staged s SET commission_id = k.object_id FROM import_key k
		WHERE k.kind = 'commission' AND k.source = $1 AND k.key = s.commission`, i.Plan.Source); err != nil {
		return err
	}
	return exec(ctx, tx, `
		UPDATE staged s SET commission_id = c.id FROM commission c WHERE s.commission_id IS NULL AND c.slug = lower(s.commission);
		UPDATE staged s SET commission_id = c.id FROM commission c WHERE s.commission_id IS NULL AND c.acronym IN (upper(s.commission), trim('-' FROM regexp_replace(upper(s.commission), '[^A-Z0-9]+', '-', 'g')));
		UPDATE staged s SET commission_id = c.id FROM (SELECT lower(name) AS name, min(id::text)::uuid AS id FROM commission GROUP BY lower(name) HAVING count(*) = 1) c
			WHERE s.commission_id IS NULL AND c.name = lower(s.commission);
		UPDATE staged s SET verdict = 'refused', notes = s.notes || CASE WHEN EXISTS (SELECT FROM commission c WHERE lower(c.name) = lower(s.commission))
				THEN concat_ws(E'\x1f', 'More than one commission is called “%s”: give its slug or acronym.', s.commission)
				ELSE concat_ws(E'\x1f', 'There is no commission “%s” in the portal. Import it first.', s.commission) END
			WHERE s.commission_id IS NULL AND s.verdict IS NULL`)
}

// apart keeps the identifiers of each register apart: two may well number their
// documents alike, and what one commission's officers import touches no other's.
func apart(ctx context.Context, tx *journal.Tx, _ Import) error {
	return exec(ctx, tx, `UPDATE staged SET key = CASE WHEN left(key, 1) = '~' THEN '~' ELSE '' END || commission_id || ' ' || ltrim(key, '~') WHERE commission_id IS NOT NULL`)
}

// parents finds what the source's identifier of a parent means from earlier imports.
func parents(ctx context.Context, tx *journal.Tx, i Import) error {
	return exec(ctx, tx, `
		UPDATE staged s SET parent_id = c.id, parent_kind = c.kind FROM import_key k JOIN commission c ON c.id = k.object_id
		WHERE k.kind = 'commission' AND k.source = $1 AND k.key = s.parent AND s.id IS DISTINCT FROM c.id`, i.Plan.Source)
}

// posts decides the role of each line: one that an unknown organization leaves
// without anybody to represent is held in a personal capacity.
func posts(ctx context.Context, tx *journal.Tx, _ Import) error {
	return exec(ctx, tx, `
		UPDATE staged SET notes = notes || 'Seated without it.'::text WHERE verdict IS NULL AND organization_id IS NULL AND coalesce(organization, organization_key) IS NOT NULL;
		UPDATE staged SET role = CASE WHEN organization_id IS NULL THEN 'invited_expert' ELSE 'voting_representative' END, tag = 'usual' WHERE role IS NULL;
		UPDATE staged SET role = 'invited_expert', tag = 'expert', notes = notes || 'Seated as invited expert, in a personal capacity.'::text
			WHERE verdict IS NULL AND organization_id IS NULL AND role IN ('voting_representative', 'alternate_representative')`)
}

func people(ctx context.Context, tx *journal.Tx, _ Import) error {
	return exec(ctx, tx, `UPDATE staged SET id = person_id WHERE verdict <> 'refused'`)
}

// report copies what became of each line out of a transaction that is going to
// be taken back, line by line, so that no report is held in memory.
func (s *Service) report(ctx context.Context, tx *journal.Tx, id uuid.UUID) (err error) {
	out, err := s.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = out.Rollback() }() // does nothing after Commit
	if _, err := out.ExecContext(ctx, `DELETE FROM import_line WHERE import_id = $1`, id); err != nil {
		return err
	}
	copying, err := out.PrepareContext(ctx, `COPY import_line (import_id, line, verdict, name, notes, path) FROM STDIN`)
	if err != nil {
		return err
	}
	rows, err := tx.QueryxContext(ctx, `
		SELECT s.line, s.verdict, left(s.name, 300), s.notes, CASE WHEN s.verdict <> 'created' AND f.verdict IS DISTINCT FROM 'created' THEN s.path END
		FROM staged s LEFT JOIN staged f ON f.line = s.twin ORDER BY s.line`) // a link to what is going to be taken back leads nowhere
	if err != nil {
		return errors.Join(err, copying.Close())
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var line int
		var verdict, name string
		var notes pq.StringArray
		var path *string
		if err := rows.Scan(&line, &verdict, &name, &notes, &path); err != nil {
			return errors.Join(err, copying.Close())
		}
		if _, err := copying.ExecContext(ctx, id, line, verdict, name, notes, path); err != nil {
			return errors.Join(err, copying.Close())
		}
	}
	if err := rows.Err(); err != nil {
		return errors.Join(err, copying.Close())
	}
	if _, err := copying.ExecContext(ctx); err != nil {
		return errors.Join(err, copying.Close())
	}
	if err := copying.Close(); err != nil {
		return err
	}
	return out.Commit()
}

func documents(ctx context.Context, tx *journal.Tx, i Import) error {
	return document.LoadDocuments(ctx, tx, i.ID)
}

// conclude writes the report, the histories and the end of the import, in the
// transaction of the import itself.
func (s *Service) conclude(ctx context.Context, tx *journal.Tx, i Import) error {
	for _, q := range []string{`DELETE FROM import_line WHERE import_id = $1`, `
		INSERT INTO import_line (import_id, line, verdict, name, notes, path) SELECT $1, line, verdict, left(name, 300), notes, path FROM staged ORDER BY line`} {
		if err := exec(ctx, tx, q, i.ID); err != nil {
			return err
		}
	}
	if err := histories(ctx, tx, i); err != nil {
		return err
	}
	c := i.Counts
	err := tx.Record(i.ID, journal.Say("Imported %s from %s: %s created, %s changed, %s skipped, %s refused", i.Kind, i.FileName, c.Created, c.Changed, c.Skipped, c.Refused))
	if err != nil {
		return err
	}
	return exec(ctx, tx, `UPDATE import SET state = 'done', progress = 100, created = $2, changed = $3, skipped = $4, refused = $5, finished_at = $6 WHERE id = $1`,
		i.ID, c.Created, c.Changed, c.Skipped, c.Refused, tx.Now)
}

// histories has each organization and commission say that it was imported, or
// what was imported into it.
func histories(ctx context.Context, tx *journal.Tx, i Import) error {
	each := func(kind access.Kind, object, id, text string) error {
		rows := `SELECT ` + id + ` AS scope_id, json_build_object('text', $1::text, 'args', json_build_array($2::text`
		args := []any{text, i.FileName}
		if object != string(kind) {
			rows += `, count(*)::text`
		}
		rows += `))::text AS note FROM staged WHERE verdict IN ('created', 'changed') AND ` + id + ` IS NOT NULL GROUP BY ` + id
		return tx.RecordEach(ctx, kind, object, "import", rows, args...)
	}
	switch i.Kind {
	case "organizations":
		return each(access.OrganizationKind, "organization", "id", "Imported from %s")
	case "commissions":
		return each(access.CommissionKind, "commission", "id", "Imported from %s")
	case "participations":
		return errors.Join(each(access.CommissionKind, "participation", "commission_id", "Imported participations from %s: %s"),
			each(access.OrganizationKind, "participation", "organization_id", "Imported participations from %s: %s"))
	case "seats":
		if i.CommissionID == nil { // the one entry of a roster's own import says it
			return each(access.CommissionKind, "seat", "commission_id", "Imported seats from %s: %s")
		}
	case "documents":
		if i.CommissionID == nil {
			return each(access.CommissionKind, "document", "commission_id", "Imported documents from %s: %s")
		}
	}
	return nil
}

// failed says why an import did not come to its end.
func failed(err error) json.RawMessage {
	p := problem.As(err)
	if p == nil {
		p = problem.New("", "Something went wrong on our side. Nothing was imported.")
	}
	format, args := p.Format, p.Args
	if format == "" && len(p.Fields) > 0 {
		format, args = p.Fields[0].Format, p.Fields[0].Args
	}
	raw, err := json.Marshal(map[string]any{"text": format, "args": args})
	if err != nil { // of sentences it is not
		return json.RawMessage(`{"text": "Something went wrong on our side. Nothing was imported."}`)
	}
	return raw
}

// patience is how long an import may take; River gives a job to another process
// after five minutes.
const patience = 4*time.Minute + 30*time.Second
