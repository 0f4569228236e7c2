package document

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/journal"
	"commissionportal/internal/keyset"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// An open document is one that its commission publishes to the world, under a
// license: a reference that can be cited, at an address that stays.

// License is what the world may do with an open document.
type License struct {
	ID   string // SPDX
	Name string
	URL  string
}

// Licenses are those to choose from, the most open first.
var Licenses = []License{
	{"CC0-1.0", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"},
	{"CC-BY-4.0", "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"},
	{"CC-BY-SA-4.0", "CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"},
	{"CC-BY-NC-4.0", "CC BY-NC 4.0", "https://creativecommons.org/licenses/by-nc/4.0/"},
	{"CC-BY-ND-4.0", "CC BY-ND 4.0", "https://creativecommons.org/licenses/by-nd/4.0/"},
	{"CC-BY-NC-ND-4.0", "CC BY-NC-ND 4.0", "https://creativecommons.org/licenses/by-nc-nd/4.0/"},
}

// LicenseOf is the license of that id; one that is no longer to choose from has
// its id for a name.
func LicenseOf(id string) License {
	for _, l := range Licenses {
		if l.ID == id {
			return l
		}
	}
	return License{ID: id, Name: id}
}

func checkLicense(f *problem.Fields, id string) {
	ids := make([]string, len(Licenses))
	for i, l := range Licenses {
		ids[i] = l.ID
	}
	check.OneOf(f, "license", id, ids...)
}

// Publish makes d an open document: everybody may read it, under the license.
func (d Document) Publish(license string, now time.Time) (Document, error) {
	switch {
	case d.Number == nil || d.Status != Available:
		return d, problem.New(problem.Conflict, "Only a document that is available can be published.")
	case d.Versions == 0:
		return d, problem.New(problem.Conflict, "Add its file first.")
	case d.PublishedAt != nil && d.License == license:
		return d, problem.New(problem.Conflict, "It is published under this license already.")
	}
	if d.PublishedAt == nil {
		d.PublishedAt = &now
	}
	d.License, d.Visibility = license, "public"
	return d, nil
}

// Unpublish makes an open document one of the commission's again. What the world
// has read it keeps, as the license says.
func (d Document) Unpublish() (Document, error) {
	if d.PublishedAt == nil {
		return d, problem.New(problem.Conflict, "It is not published.")
	}
	d.PublishedAt, d.License, d.Visibility = nil, "", "commission"
	return d, nil
}

// Publish makes a document one for all the world, under a license.
func (s *Service) Publish(ctx context.Context, who access.Actor, name, license string) (Document, error) {
	var f problem.Fields
	checkLicense(&f, license)
	if err := f.Err(); err != nil {
		return s.kept(ctx, who, name, err)
	}
	return s.open(ctx, who, name, func(tx *journal.Tx, d Document) (Document, journal.Note, error) {
		d, err := d.Publish(license, tx.Now)
		return d, journal.Say("Published %s under %s", d.Reference(), LicenseOf(license).Name), err
	})
}

// Unpublish takes a document back from the world: members alone read it again.
func (s *Service) Unpublish(ctx context.Context, who access.Actor, name string) (Document, error) {
	return s.open(ctx, who, name, func(_ *journal.Tx, d Document) (Document, journal.Note, error) {
		d, err := d.Unpublish()
		return d, journal.Say("Took %s back from the world", d.Reference()), err
	})
}

func (s *Service) open(ctx context.Context, who access.Actor, name string, decide func(*journal.Tx, Document) (Document, journal.Note, error)) (Document, error) {
	before, permit, err := s.require(ctx, who, name, "document", "publish")
	if err != nil {
		return before, err
	}
	err = journal.Change(ctx, s.db, permit, func(tx *journal.Tx) error {
		was, err := lock(ctx, tx, before.ID)
		if err != nil {
			return err
		}
		d, note, err := decide(tx, was)
		if err != nil {
			return err
		}
		if err := postgres.ExecOne(ctx, tx, errStale, `
			UPDATE document SET visibility = $3, license = $4, published_at = $5, updated_at = $6, version = version + 1 WHERE id = $1 AND version = $2`,
			d.ID, was.Version, d.Visibility, d.License, d.PublishedAt, tx.Now); err != nil {
			return err
		}
		done := "publish"
		if d.PublishedAt == nil {
			done = "unpublish"
		}
		return tx.RecordAs("document", done, d.ID, note)
	})
	if err != nil {
		return before, err
	}
	return s.Show(ctx, who, before.ID.String())
}

// Opened reads an open document. One that is not published is not there, also
// for those who may read it elsewhere: the address is one for the world.
func (s *Service) Opened(ctx context.Context, who access.Actor, name string) (Document, []Version, error) {
	d, err := s.Show(ctx, who, name)
	if err == nil && d.PublishedAt == nil {
		err = access.ErrNotFound
	}
	if err != nil {
		return Document{}, nil, err
	}
	versions, err := s.Versions(ctx, d)
	for i := range versions {
		versions[i].Person = nil // the world reads who it is by, and not who sent the file
	}
	return d, versions, err
}

// Open is an open document in a list.
type Open struct {
	Row
	Summary        string    `db:"summary"`
	License        string    `db:"license"`
	CommissionName string    `db:"commission_name"`
	PublishedAt    time.Time `db:"published_at"`
}

// Library is a page of all open documents, the newest first.
func (s *Service) Library(ctx context.Context, who access.Actor, commission string, page keyset.Page) ([]Open, string, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "library", "read"); err != nil {
		return nil, "", err
	}
	var w postgres.Where
	w.And("d.published_at IS NOT NULL AND d.status IN ('available', 'superseded')")
	w.If(commission != "", "d.commission_id = (SELECT id FROM commission WHERE slug = ?)", commission)
	w.If(page.After != nil, "(d.published_at, d.id) < (?::timestamptz, ?::uuid)", page.Key(0), page.Key(1))
	rows, err := postgres.All[Open](ctx, s.db, `
		SELECT `+rowColumns+`, d.summary, d.license, c.name AS commission_name, d.published_at
		FROM document d `+rowJoins+` WHERE `+w.SQL()+` ORDER BY d.published_at DESC, d.id DESC LIMIT `+w.Arg(page.Fetch()), w.Args()...)
	if err != nil {
		return nil, "", err
	}
	rows, next := keyset.Cut(page, rows, func(o Open) []string {
		return []string{o.PublishedAt.UTC().Format(time.RFC3339Nano), o.ID.String()}
	})
	return rows, next, nil
}

// News is a document as a feed has it.
type News struct {
	ID          uuid.UUID  `db:"id"`
	Prefix      string     `db:"prefix"`
	Number      *int       `db:"number"`
	Title       string     `db:"title"`
	Summary     string     `db:"summary"`
	Source      *string    `db:"organization_name"`
	License     string     `db:"license"`
	PublishedAt *time.Time `db:"published_at"`
	Since       time.Time  `db:"status_since"`
	UpdatedAt   time.Time  `db:"updated_at"`
}

// Path is the address of the document: that for the world if it is published.
func (n News) Path() string {
	if n.PublishedAt != nil {
		return "/d/" + Reference(n.Prefix, n.Number)
	}
	return Document{ID: n.ID, Prefix: n.Prefix, Number: n.Number}.Path()
}

// mostFed is how many documents a feed has.
const mostFed = 50

// Feed is what is new of a commission's register, for everybody: whoever asks,
// only what all the world may read.
func (s *Service) Feed(ctx context.Context, who access.Actor, slug string) (Home, []News, error) {
	h, _, err := s.home(ctx, who, slug, "register", "read")
	if err != nil {
		return h, nil, err
	}
	list, err := postgres.All[News](ctx, s.db, `
		SELECT d.id, r.prefix, d.number, d.title, d.summary, o.name AS organization_name, d.license, d.published_at, d.status_since, d.updated_at
		FROM document d JOIN register r ON r.commission_id = d.commission_id LEFT JOIN organization o ON o.id = d.organization_id
		WHERE d.commission_id = $1 AND d.status = 'available' AND d.visibility = 'public' ORDER BY d.status_since DESC, d.id DESC LIMIT $2`, h.ID, mostFed)
	return h, list, err
}

// OpenPath is the address of an open document, for the world: it stays.
func (d Document) OpenPath() string { return "/d/" + d.Name() }

// By is who an open document is by: its source, or the commission.
func (d Document) By() string {
	if d.OrganizationName != nil {
		return *d.OrganizationName
	}
	return d.CommissionName
}

// Citation is how an open document is cited: by whom, when it was published, its
// title, number and version, where it is. address is the absolute one.
func (d Document) Citation(address string) string {
	return fmt.Sprintf("%s (%d). %s. %s, version %d. %s.", d.By(), d.PublishedAt.Year(), strings.TrimSuffix(d.Title, "."), d.Reference(), d.Versions, address)
}

var bibtex = strings.NewReplacer("{", `\{`, "}", `\}`, "\\", `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`)

// BibTeX is the citation for reference managers.
func (d Document) BibTeX(address string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "@techreport{%s,\n", d.Reference())
	for _, f := range [][2]string{{"author", d.By()}, {"title", d.Title}, {"institution", d.CommissionName}, {"number", d.Reference()},
		{"year", strconv.Itoa(d.PublishedAt.Year())}, {"note", fmt.Sprintf("Version %d, %s", d.Versions, LicenseOf(d.License).Name)}} {
		fmt.Fprintf(&b, "  %s = {{%s}},\n", f[0], bibtex.Replace(f[1]))
	}
	fmt.Fprintf(&b, "  url = {%s}\n}\n", address)
	return b.String()
}
