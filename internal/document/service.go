package document

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/access"
	"commissionportal/internal/blob"
	"commissionportal/internal/i18n"
	"commissionportal/internal/jobs"
	"commissionportal/internal/journal"
	"commissionportal/internal/mail"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Service has the operations on documents: all that the doors may call.
type Service struct {
	db     *postgres.DB
	access *access.Policy
	post   *mail.Post
	files  *blob.Store
	queue  *jobs.Queue
	// maxFile is how many bytes one file may have.
	maxFile int64
	// Scanner, if set, searches every file for viruses before it is taken.
	Scanner Scanner
	visits  *visits
	live    *live
	indexer sync.Mutex // held by the one of this process who makes the index of documents anew
}

// New makes the service. files is where content is kept, a file of at most maxFile
// bytes; queue reads it, once it is started.
func New(db *postgres.DB, policy *access.Policy, post *mail.Post, queue *jobs.Queue, files *blob.Store, maxFile int64, streams int) *Service {
	s := &Service{db: db, access: policy, post: post, files: files, queue: queue, maxFile: maxFile, visits: newVisits(), live: newLive(db, streams)}
	jobs.Handle(queue, s.read)
	jobs.Handle(queue, s.draw)
	jobs.Handle(queue, s.writeDigest)
	jobs.Handle(queue, s.tellCall)
	jobs.Handle(queue, s.index)
	return s
}

// MaxFile is how many bytes one file may have.
func (s *Service) MaxFile() int64 { return s.maxFile }

// Home reads the commission of a register, for its pages.
func (s *Service) Home(ctx context.Context, who access.Actor, slug string) (Home, error) {
	h, _, err := s.home(ctx, who, slug, "register", "read")
	return h, err
}

// home reads a commission and asks for a right in it.
func (s *Service) home(ctx context.Context, who access.Actor, slug, object, action string) (Home, access.Permit, error) {
	h, err := homeBySlug(ctx, s.db, slug)
	if err != nil {
		return h, access.Permit{}, err
	}
	permit, err := s.access.Require(ctx, who, h.Scope(), object, action)
	return h, permit, err
}

// Show reads a document that the actor may see. What may not be seen answers as
// what does not exist, to visitors too.
func (s *Service) Show(ctx context.Context, who access.Actor, name string) (Document, error) {
	sight := access.See(ctx, who)
	d, err := byName(ctx, s.db, sight, name, journal.Now(ctx))
	if err != nil {
		return d, err
	}
	if !s.access.May(who, d.Scope(), "document", d.Reading()) {
		return Document{}, access.ErrNotFound
	}
	return d, nil
}

// ScopeFor is the scope of a document as it is for somebody: with what shares give
// them. Whether anybody may know of the document is asked before.
func (s *Service) ScopeFor(ctx context.Context, who access.Actor, id uuid.UUID) (access.Scope, error) {
	d, err := byName(ctx, s.db, access.See(ctx, who), id.String(), journal.Now(ctx))
	return d.Scope(), err
}

// May reports whether the actor may do something to a document, for showing a
// button or not.
func (s *Service) May(who access.Actor, d Document, object, action string) bool {
	return s.access.May(who, d.Scope(), object, action)
}

// MayDownload reports whether the actor may download the files of a document. Of
// one that is withdrawn only those may who can bring it back or own it.
func (s *Service) MayDownload(who access.Actor, d Document) bool {
	return s.MayLook(who, d) && s.access.May(who, d.Scope(), "file", d.Reading())
}

// MayLook reports whether somebody who may read a document may look into its files,
// without downloading them. Into those of one that is withdrawn only they may who
// can bring it back or own it.
func (s *Service) MayLook(who access.Actor, d Document) bool {
	return d.Status != Withdrawn || s.access.May(who, d.Scope(), "document", "withdraw")
}

// require reads a document that the actor may see and asks for a right on it.
func (s *Service) require(ctx context.Context, who access.Actor, name, object, action string) (Document, access.Permit, error) {
	d, err := s.Show(ctx, who, name)
	if err != nil {
		return d, access.Permit{}, err
	}
	permit, err := s.access.Require(ctx, who, d.Scope(), object, action)
	return d, permit, err
}

// today is the day of who asks.
func today(ctx context.Context) string {
	return journal.Now(ctx).In(i18n.From(ctx).Zone).Format(time.DateOnly)
}

// describe is d with what is said of it. The register says what it leaves open.
func (d Document) describe(with Draft, source *Source) Document {
	d.Title, d.Type, d.Action, d.Language, d.Keywords, d.Summary = with.Title, with.Type, with.Action, with.Language, pq.StringArray(with.Keywords), with.Summary
	if d.DueOn = nil; with.Due != "" {
		d.DueOn = &with.Due
	}
	if with.Visibility != "" {
		d.Visibility = with.Visibility
	}
	if d.OrganizationID, d.Organization, d.OrganizationName = nil, nil, nil; source != nil {
		d.OrganizationID, d.Organization, d.OrganizationName = &source.ID, &source.Slug, &source.Name
	}
	return d
}

// source finds the organization that a draft names; nil for none.
func source(ctx context.Context, tx *journal.Tx, h uuid.UUID, with Draft, officer bool) (*Source, error) {
	if with.Organization == "" {
		return nil, nil
	}
	o, err := sourceFor(ctx, tx, tx.Permit().Actor().ID, h, with.Organization, officer, tx.Now)
	if err != nil {
		return nil, err
	}
	tx.For = uuid.NullUUID{UUID: o.ID, Valid: true}
	return &o, nil
}

// Reserve gives a number to a document whose file comes later.
func (s *Service) Reserve(ctx context.Context, who access.Actor, slug string, with Draft) (Document, error) {
	h, permit, err := s.home(ctx, who, slug, "document", "reserve")
	if err != nil {
		return Document{}, err
	}
	if err := with.Check(today(ctx)); err != nil {
		return Document{}, err
	}
	return s.create(ctx, permit, h, with, nil, func(_ *journal.Tx, d Document, r Register) (Document, journal.Note, error) {
		number := r.Last + 1
		d.Number = &number
		return d, journal.Say("Reserved %s for %s", Reference(r.Prefix, d.Number), d.Title), nil
	})
}

// Submit brings a document with its first file, an upload of the actor's, into the register. Where the
// register has review, what a member submits waits for the officers; otherwise,
// and for an officer, it gets its number at once. Without submit it is kept as a
// draft that its author alone sees.
func (s *Service) Submit(ctx context.Context, who access.Actor, slug string, with Draft, upload uuid.UUID, submit bool) (Document, error) {
	h, permit, err := s.home(ctx, who, slug, "document", "submit")
	if err != nil {
		return Document{}, err
	}
	if err := with.Check(today(ctx)); err != nil {
		return Document{}, err
	}
	direct := s.access.May(who, h.Scope(), "document", "accept")
	return s.create(ctx, permit, h, with, &upload, func(tx *journal.Tx, d Document, r Register) (Document, journal.Note, error) {
		if !submit {
			return d, journal.Say("Prepared %s", d.Title), nil
		}
		d = d.submit(r, tx.Now)
		if r.Review && !direct {
			return d, journal.Say("Submitted %s", d.Title), nil
		}
		d, err := d.Accept(r.Last+1, tx.Now)
		return d, journal.Say("Submitted %s as %s", d.Title, Reference(r.Prefix, d.Number)), err
	})
}

// submit is d on its way to the officers of a register; late after its deadline.
func (d Document) submit(r Register, now time.Time) Document {
	submitted := Submitted
	d.Review, d.ReviewReason, d.SubmittedAt = &submitted, "", &now
	d.Late = d.Type == "contribution" && r.Deadline != nil && !now.Before(*r.Deadline)
	return d
}

// create writes a new document. place decides, with the register locked, whether
// it gets a number and what the journal says.
func (s *Service) create(ctx context.Context, permit access.Permit, h Home, with Draft, upload *uuid.UUID,
	place func(*journal.Tx, Document, Register) (Document, journal.Note, error)) (Document, error) {
	var made uuid.UUID
	err := journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		d, r, err := s.begin(ctx, tx, h, with)
		if err != nil {
			return err
		}
		d.ID = uuid.Must(uuid.NewV7())
		d, note, err := place(tx, d, r)
		if err != nil {
			return err
		}
		made = d.ID
		if upload != nil {
			d.Versions, d.Languages = 1, pq.StringArray{d.Language}
		}
		if d.Number != nil {
			if err := r.take(ctx, tx, *d.Number); err != nil {
				return err
			}
		}
		if err := insertDocument(ctx, tx, d); err != nil {
			return err
		}
		if upload != nil {
			file, err := take(ctx, tx, *upload)
			if err != nil {
				return err
			}
			if err := s.insertVersion(ctx, tx, d, r, file, permit.Actor().ID); err != nil {
				return err
			}
		}
		if err := errors.Join(s.tell(ctx, tx, d), s.callMembers(ctx, tx, d)); err != nil {
			return err
		}
		if err := s.reindex(ctx, tx); err != nil {
			return err
		}
		return tx.RecordAs("document", permit.Action(), d.ID, note)
	})
	if err != nil {
		return Document{}, constraint(err)
	}
	return s.Show(ctx, permit.Actor(), made.String())
}

// begin is a new document without id and number, of what is said of it, and the
// register, locked.
func (s *Service) begin(ctx context.Context, tx *journal.Tx, h Home, with Draft) (Document, Register, error) {
	home, err := lockHome(ctx, tx, h.ID)
	if err != nil {
		return Document{}, Register{}, err
	}
	if err := home.Takes(); err != nil {
		return Document{}, Register{}, err
	}
	author := tx.Permit().Actor().ID
	from, err := source(ctx, tx, h.ID, with, s.access.May(tx.Permit().Actor(), h.Scope(), "document", "accept"))
	if err != nil {
		return Document{}, Register{}, err
	}
	r, err := lockRegister(ctx, tx, h.ID)
	if err != nil {
		return Document{}, Register{}, err
	}
	return Document{CommissionID: h.ID, Commission: home.Slug, CommissionName: home.Name, Prefix: r.Prefix, AuthorID: &author,
		Status: Prepared, StatusSince: tx.Now, Visibility: r.Visibility, Version: 1, CreatedAt: tx.Now, UpdatedAt: tx.Now}.describe(with, from), r, nil
}

// step changes a document that the actor may see: decide says what it becomes,
// on the row as it is in the change.
func (s *Service) step(ctx context.Context, who access.Actor, name, action string,
	decide func(tx *journal.Tx, d Document, r Register) (Document, journal.Note, error)) (Document, error) {
	before, permit, err := s.require(ctx, who, name, "document", action)
	if err != nil {
		return before, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		r, err := lockRegister(ctx, tx, before.CommissionID)
		if err != nil {
			return err
		}
		was, err := lock(ctx, tx, before.ID)
		if err != nil {
			return err
		}
		d, note, err := decide(tx, was, r)
		if err != nil {
			return err
		}
		if d.Number != nil && was.Number == nil {
			if err := r.take(ctx, tx, *d.Number); err != nil {
				return err
			}
		}
		if err := setStatus(ctx, tx, d, was, tx.Now); err != nil {
			return err
		}
		if err := errors.Join(s.tell(ctx, tx, d), s.callMembers(ctx, tx, d)); err != nil {
			return err
		}
		if err := s.reindex(ctx, tx); err != nil {
			return err
		}
		done := action
		if action == "edit" { // the right that Send takes
			done = "submit"
		}
		return tx.RecordAs("document", done, d.ID, note)
	})
	if err != nil {
		return before, constraint(err)
	}
	return s.Show(ctx, who, before.ID.String())
}

// Send submits a draft that was prepared or returned.
func (s *Service) Send(ctx context.Context, who access.Actor, name string) (Document, error) {
	return s.step(ctx, who, name, "edit", func(tx *journal.Tx, d Document, r Register) (Document, journal.Note, error) {
		switch {
		case d.Status != Prepared || d.Number != nil:
			return d, journal.Note{}, problem.New(problem.Conflict, "It is in the register already.")
		case d.Waiting():
			return d, journal.Note{}, problem.New(problem.Conflict, "It waits for the officers already.")
		case d.Versions == 0:
			return d, journal.Note{}, problem.New(problem.Conflict, "Add its file first.")
		case d.DueOn != nil && *d.DueOn < today(ctx):
			return d, journal.Note{}, problem.New(problem.Conflict, "The day that it asks for something by has passed. Choose another first.")
		}
		d = d.submit(r, tx.Now)
		if r.Review && !s.access.May(who, d.Scope(), "document", "accept") {
			return d, journal.Say("Submitted %s", d.Title), nil
		}
		d, err := d.Accept(r.Last+1, tx.Now)
		return d, journal.Say("Submitted %s as %s", d.Title, d.Reference()), err
	})
}

// Accept gives what was submitted its number and makes it available.
func (s *Service) Accept(ctx context.Context, who access.Actor, name string) (Document, error) {
	return s.step(ctx, who, name, "accept", func(tx *journal.Tx, d Document, r Register) (Document, journal.Note, error) {
		d, err := d.Accept(r.Last+1, tx.Now)
		return d, journal.Say("Accepted %s as %s", d.Title, d.Reference()), err
	})
}

// Return sends what was submitted back to its author, with the reason.
func (s *Service) Return(ctx context.Context, who access.Actor, name, reason string) (Document, error) {
	if err := checkReason(&reason); err != nil {
		return s.kept(ctx, who, name, err)
	}
	return s.step(ctx, who, name, "return", func(_ *journal.Tx, d Document, _ Register) (Document, journal.Note, error) {
		d, err := d.Return(reason)
		return d, journal.Say("Returned %s: %s", d.Title, reason), err
	})
}

// Withdraw takes a document back. Its number stays, and its page says why.
func (s *Service) Withdraw(ctx context.Context, who access.Actor, name, reason string) (Document, error) {
	if err := checkReason(&reason); err != nil {
		return s.kept(ctx, who, name, err)
	}
	return s.step(ctx, who, name, "withdraw", func(tx *journal.Tx, d Document, _ Register) (Document, journal.Note, error) {
		d, err := d.Withdraw(reason, tx.Now)
		return d, journal.Say("Withdrew %s: %s", d.Reference(), reason), err
	})
}

// Restore undoes a withdrawal: the document is again what it was.
func (s *Service) Restore(ctx context.Context, who access.Actor, name string) (Document, error) {
	return s.step(ctx, who, name, "restore", func(tx *journal.Tx, d Document, _ Register) (Document, journal.Note, error) {
		if d.Status != Withdrawn {
			return d, journal.Note{}, problem.New(problem.Conflict, "It is not withdrawn.")
		}
		d.Status, d.StatusSince, d.StatusReason = d.BeforeWithdrawal, tx.Now, ""
		return d, journal.Say("Restored %s", d.Reference()), nil
	})
}

// Supersede says that another document, which the actor sees too, took the place
// of this one.
func (s *Service) Supersede(ctx context.Context, who access.Actor, name, by string) (Document, error) {
	next, err := s.Show(ctx, who, by)
	if problem.Of(err, problem.NotFound) {
		return s.kept(ctx, who, name, problem.Field("replaced_by", "There is no document %s, or you may not see it.", by))
	}
	if err != nil {
		return Document{}, err
	}
	return s.step(ctx, who, name, "supersede", func(tx *journal.Tx, d Document, _ Register) (Document, journal.Note, error) {
		switch {
		case d.Status != Available:
			return d, journal.Note{}, problem.New(problem.Conflict, "Only a document that is available can be superseded.")
		case next.ID == d.ID:
			return d, journal.Note{}, problem.Field("replaced_by", "A document cannot take its own place.")
		case next.Number == nil || next.Status == Withdrawn:
			return d, journal.Note{}, problem.Field("replaced_by", "Name a document that is in a register and not withdrawn.")
		}
		leads, err := leadsTo(ctx, tx, next.ID, d.ID)
		if err != nil {
			return d, journal.Note{}, err
		}
		if leads {
			return d, journal.Note{}, problem.Field("replaced_by", "%s was itself replaced by this document.", next.Reference())
		}
		d.Status, d.StatusSince, d.ReplacedBy = Superseded, tx.Now, &next.ID
		return d, journal.Say("%s took the place of %s", next.Reference(), d.Reference()), nil
	})
}

// kept answers a refused step with the document, so that its page can be shown
// again; the right is asked for first, as always.
func (s *Service) kept(ctx context.Context, who access.Actor, name string, refused error) (Document, error) {
	d, err := s.Show(ctx, who, name)
	if err != nil {
		return d, err
	}
	return d, refused
}

// DiscardDraft deletes a document that never got a number, with its files.
func (s *Service) DiscardDraft(ctx context.Context, who access.Actor, name string) (Document, error) {
	d, permit, err := s.require(ctx, who, name, "document", "discard")
	if err != nil {
		return d, err
	}
	return d, journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		r, err := lockRegister(ctx, tx, d.CommissionID)
		if err != nil {
			return err
		}
		now, err := lock(ctx, tx, d.ID)
		if err != nil {
			return err
		}
		if err := now.Discardable(); err != nil {
			return err
		}
		if err := deleteDraft(ctx, tx, now, r); err != nil {
			return err
		}
		return tx.Record(d.ID, journal.Say("Discarded the draft %s", now.Title))
	})
}

// Edit changes what is said of a document: by its author and its owner before it
// is in the register, by officers always. It is Stale if somebody else did
// meanwhile.
func (s *Service) Edit(ctx context.Context, who access.Actor, name string, with Draft, version int) (Document, error) {
	before, permit, err := s.require(ctx, who, name, "document", "edit")
	if err != nil {
		return before, err
	}
	earliest := today(ctx)
	if before.DueOn != nil && *before.DueOn == strings.TrimSpace(with.Due) {
		earliest = "" // it may have passed since
	}
	if err := with.Check(earliest); err != nil {
		return before, err
	}
	officer := s.access.May(who, before.Scope(), "document", "accept")
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		was, err := lock(ctx, tx, before.ID)
		if err != nil {
			return err
		}
		if err := was.Editable(officer); err != nil {
			return err
		}
		var from *Source
		if was.Organization != nil && with.Organization == *was.Organization {
			from = &Source{*was.OrganizationID, *was.Organization, *was.OrganizationName}
		} else if from, err = source(ctx, tx, was.CommissionID, with, officer); err != nil {
			return err
		}
		d := was.describe(with, from)
		if was.Versions > 0 && d.Language != was.Language && !slices.Contains(was.Languages, d.Language) {
			return problem.Field("language", "There is no file in that language. Add it first.")
		}
		d.Version = version
		if err := setDescription(ctx, tx, d, tx.Now); err != nil {
			return err
		}
		if err := s.callMembers(ctx, tx, d); err != nil {
			return err
		}
		if err := s.reindex(ctx, tx); err != nil {
			return err
		}
		tx.Represents(d.OrganizationID)
		return tx.Record(d.ID, journal.Say("Changed what is said of %s", d.Title).Changed(said(was), said(d)))
	})
	if err != nil {
		return before, constraint(err)
	}
	return s.Show(ctx, who, before.ID.String())
}

// said is what the journal keeps of a description.
func said(d Document) map[string]any {
	return map[string]any{"title": d.Title, "type": d.Type, "organization": d.Organization, "action": d.Action, "due_on": d.DueOn, "language": d.Language,
		"keywords": d.Keywords, "summary": d.Summary, "visibility": d.Visibility}
}

// constraint puts a rule of the schema that was broken at the field that caused it.
func constraint(err error) error {
	switch postgres.Constraint(err) {
	case "register_quota":
		return problem.Field("file", "The register has no room for this file. Ask the secretariat for a larger quota.")
	case "document_read_by_source": // the register says so, or it has been edited away
		return problem.Field("visibility", noSource)
	case "document_version_pkey":
		return problem.New(problem.Conflict, "Somebody added this version meanwhile. Look at it first.")
	}
	return err
}
