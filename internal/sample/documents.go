package sample

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/blob"
	"commissionportal/internal/document"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
)

// paper is a document of a register.
type paper struct {
	ID         uuid.UUID
	Body       *body
	Number     int // 0: it waits for the officers
	Title      string
	Type       string
	Org        *org
	Author     *person
	Status     string
	Since      time.Time
	Reason     string
	Created    time.Time
	Action     string
	Due        *time.Time
	Keywords   []string
	Summary    string
	Visibility string
	License    string
	Published  *time.Time
	ReplacedBy *paper
	Versions   []edition
}

// edition is a file of a paper.
type edition struct {
	Name, Type, Note string
	Person           *person
	At               time.Time
	Content          []byte
	Digest           blob.Digest
}

type grant struct {
	ID       uuid.UUID
	Paper    *paper
	To       *body
	ToOrg    *org
	Level    string
	Reason   string
	By       *person
	At       time.Time
	Expires  *time.Time
	Accesses int
}

type reading struct {
	Paper   *paper
	Kind    string
	Version int
	Person  *person
	Org     *org
	Share   *grant
	At      time.Time
}

// publish fills the registers of the commissions that work: agendas and minutes of
// their meetings, drafts on the way to their milestones, contributions of those
// who take part, and what became of them.
func (w *world) publish() error {
	if !w.filed {
		return nil
	}
	before := w.random
	defer func() { w.random = before }()           // what comes after is the same with documents and without
	w.random = rand.New(rand.NewPCG(seed, seed+1)) // #nosec G404 -- the same every time, on purpose
	for _, b := range w.bodies {
		if b.Active.IsZero() || b.State == "abandoned" {
			continue
		}
		list := append(w.meetings(b), w.drafts(b)...)
		list = append(list, w.contributions(b)...)
		slices.SortStableFunc(list, func(x, y *paper) int { return x.Created.Compare(y.Created) })
		n := 0
		for _, p := range list {
			p.ID = w.id(p.Created)
			word := journal.Say("Submitted %s", p.Title)
			if p.Status != document.Prepared {
				n++
				p.Number = n
				word = journal.Say("Submitted %s as %s", p.Title, p.reference())
			}
			w.record(b.scope(), p.Created, p.Author, "document", "submit", p.ID, word)
			for i, e := range p.Versions[1:] {
				w.record(b.scope(), e.At, e.Person, "document", "revise", p.ID, journal.Say("Added version %s of %s in %s", strconv.Itoa(i+2), p.Title, "en"))
			}
			switch p.Status {
			case document.Superseded:
				w.record(b.scope(), p.Since, b.leader(p.Since), "document", "supersede", p.ID, journal.Say("Replaced %s by another document", p.reference()))
			case document.Withdrawn:
				w.record(b.scope(), p.Since, p.Author, "document", "withdraw", p.ID, journal.Say("Withdrew %s: %s", p.reference(), p.Reason))
			}
			if p.Published != nil {
				w.record(b.scope(), *p.Published, b.leader(*p.Published), "document", "publish", p.ID, journal.Say("Published %s under %s", p.reference(), document.LicenseOf(p.License).Name))
			}
		}
		w.papers = append(w.papers, list...)
	}
	w.lend()
	w.read()
	return nil
}

func (p *paper) reference() string { return document.Reference(p.Body.Acronym, &p.Number) }

// seated are those who sit in a body at that time for an organization.
func (w *world) seated(b *body, at time.Time) []*seat {
	var list []*seat
	for _, s := range w.seats {
		if l := s.last(); s.Body == b && l.Org != nil && !s.Rows[0].From.After(at) && (l.Until == nil || l.Until.After(at)) && w.acting(s.Person, l.Org).Before(at) {
			list = append(list, s)
		}
	}
	return list
}

// paper is one with its first file, from the body itself or one of its members.
func (w *world) paper(b *body, kind, title string, at time.Time, by *seat) *paper {
	p := &paper{Body: b, Title: title, Type: kind, Author: b.leader(at), Created: at, Since: at, Status: document.Available, Action: "none", Visibility: "commission"}
	if by != nil {
		p.Author, p.Org = by.Person, by.last().Org
	}
	return p
}

func (p *paper) file(extension, media string, at time.Time, by *person, note string, content []byte) {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r == '/' || r == ':' {
			return ' '
		}
		return r
	}, p.Title), ". ")
	p.Versions = append(p.Versions, edition{Name: name + extension, Type: media, Note: note, Person: by, At: at, Content: content})
}

const (
	markdownType = "text/markdown"
	pdfType      = "application/pdf"
	csvType      = "text/csv"
)

// meetings are the last two of a body: agenda and minutes of each.
func (w *world) meetings(b *body) (list []*paper) {
	end := b.end(w.now)
	for i := 2; i >= 1; i-- {
		at := w.working(end.AddDate(0, -4*i, 9))
		if at.Before(b.Active.Add(14*day)) || at.After(end.Add(-day)) {
			continue
		}
		number := int(at.Sub(b.Active)/(4*month)) + 1
		called := w.working(at.Add(-21 * day))
		agenda := w.paper(b, "agenda", fmt.Sprintf("Agenda of meeting %d", number), called, nil)
		var points []string
		for j, m := range b.Milestones {
			points = append(points, fmt.Sprintf("%d. %s", j+3, m.Title))
		}
		agenda.file(".md", markdownType, called, agenda.Author, "", fmt.Appendf(nil, "# %s\n\n%s, %s\n\n1. Opening and roll call\n2. Minutes of the meeting before\n%s\n%d. Any other business\n",
			agenda.Title, b.Name, at.Format("2 January 2006"), strings.Join(points, "\n"), len(points)+3))
		sat := w.seated(b, at)
		var present []string
		for _, s := range sat[:min(len(sat), 24)] {
			present = append(present, fmt.Sprintf("| %s | %s |", s.Person.Name, s.last().Org.Name))
		}
		written := w.between(at.Add(day), at.Add(9*day))
		minutes := w.paper(b, "minutes", fmt.Sprintf("Minutes of meeting %d", number), written, nil)
		minutes.Keywords = []string{"meeting"}
		minutes.file(".md", markdownType, written, minutes.Author, "", fmt.Appendf(nil, "# %s\n\n%s met on %s.\n\n## Present\n\n| Person | For |\n|---|---|\n%s\n\n## Discussed\n\n%s\n\n## Decided\n\n- The minutes of the meeting before are approved.\n- The next draft goes out for comment.\n",
			minutes.Title, b.Name, at.Format("2 January 2006"), strings.Join(present, "\n"), w.discussion(b)))
		list = append(list, agenda, minutes)
	}
	return list
}

// discussion is a page about a body, out of what its charter and its members say.
func (w *world) discussion(b *body) string {
	var said []string
	for line := range strings.Lines(b.Charter) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		said = append(said, strings.TrimLeft(line, "-0123456789. "))
	}
	said = shuffled(w, said)
	paragraphs := make([]string, 0, 6)
	for len(said) > 0 && len(paragraphs) < 6 {
		n := min(2, len(said))
		paragraphs = append(paragraphs, strings.Join(said[:n], ". ")+".")
		said = said[n:]
	}
	return strings.ReplaceAll(strings.Join(paragraphs, "\n\n"), "..", ".")
}

// drafts are the working drafts on the way to what a body is to reach.
func (w *world) drafts(b *body) (list []*paper) {
	end := b.end(w.now)
	for _, m := range b.Milestones {
		ready := w.now.AddDate(0, m.Due, 0)
		at := w.working(ready.AddDate(0, -4, 0))
		if at.Before(b.Active.Add(day)) || at.After(end) || strings.Contains(m.Title, "adopted") {
			continue
		}
		sat := w.seated(b, at)
		if len(sat) == 0 {
			continue
		}
		editor := one(w, sat)
		d := w.paper(b, "working_draft", m.Title+", working draft", at, editor)
		d.Summary, d.Keywords = "On the way to: "+m.Title+".", []string{"draft", b.Sector}
		for v := range 1 + w.random.IntN(3) {
			when := w.between(at.AddDate(0, 0, 24*v), at.AddDate(0, 0, 24*v+10))
			if v == 0 {
				when = at
			} else if !when.After(d.Versions[v-1].At) || !when.Before(end) {
				break
			}
			note := ""
			if v > 0 {
				note = "Answers the comments on the version before."
			}
			d.file(".pdf", pdfType, when, editor.Person, note, pdf(d.Title, fmt.Sprintf("%s, version %d", b.Name, v+1), w.discussion(b)+"\n\n"+w.statement(b, editor.last().Org)))
		}
		if m.Done {
			final := w.paper(b, "report", m.Title, w.working(ready), nil)
			if final.Created.After(d.Created) && final.Created.Before(end.Add(-day)) {
				final.Summary = b.Purpose
				final.file(".pdf", pdfType, final.Created, final.Author, "", pdf(final.Title, b.Name, w.discussion(b)))
				d.Status, d.Since, d.ReplacedBy = document.Superseded, final.Created.Add(time.Minute), final
				if w.chance(0.5) {
					at := final.Created.Add(2 * time.Hour)
					final.Type, final.Visibility, final.License, final.Published = "reference_architecture", "public", "CC-BY-4.0", &at
				} else {
					final.Visibility = "portal"
				}
				list = append(list, final)
			}
		} else if due := w.now.AddDate(0, 0, 5+w.random.IntN(40)); end.Equal(w.now) {
			d.Action, d.Due = "comment", &due
		}
		list = append(list, d)
	}
	return list
}

// contributions are what members bring: comments, measurements, and some that
// wait for the officers.
func (w *world) contributions(b *body) (list []*paper) {
	end := b.end(w.now)
	for i := range 1 + w.random.IntN(3) {
		at := w.between(later(b.Active.Add(20*day), end.AddDate(-1, 0, 0)), end)
		sat := w.seated(b, at)
		if len(sat) == 0 || len(b.Milestones) == 0 {
			continue
		}
		s, about := one(w, sat), one(w, b.Milestones).Title
		switch i % 3 {
		case 0:
			p := w.paper(b, "contribution", fmt.Sprintf("Comments of %s on: %s", s.last().Org.Name, about), at, s)
			p.file(".pdf", pdfType, at, s.Person, "", pdf(p.Title, b.Name, w.statement(b, s.last().Org)+"\n\n"+w.discussion(b)))
			list = append(list, p)
		case 1:
			p := w.paper(b, "contribution", "Measurements by "+s.last().Org.Name, at, s)
			p.Keywords = []string{"data"}
			p.file(".csv", csvType, at, s.Person, "", w.measurements())
			list = append(list, p)
		default:
			p := w.paper(b, "contribution", "Proposal of "+s.last().Org.Name+" for the next meeting", at, s)
			p.file(".md", markdownType, at, s.Person, "", fmt.Appendf(nil, "# %s\n\n%s\n\n%s\n", p.Title, w.statement(b, s.last().Org), w.discussion(b)))
			if w.chance(0.15) {
				p.Status, p.Since, p.Reason = document.Withdrawn, p.Created.Add(3*day), "It is part of the working draft now."
				if p.Since.After(w.now) {
					p.Status, p.Since, p.Reason = document.Available, p.Created, ""
				}
			}
			list = append(list, p)
		}
	}
	if sat := w.seated(b, w.now); b.State == "active" && len(sat) > 0 && (b.Slug == "energy-storage" || w.chance(0.3)) {
		s := one(w, sat)
		p := w.paper(b, "contribution", "Experience of "+s.last().Org.Name+" with the last edition", w.between(w.now.Add(-6*day), w.now), s)
		p.Status, p.Since = document.Prepared, p.Created
		p.file(".pdf", pdfType, p.Created, s.Person, "", pdf(p.Title, b.Name, w.statement(b, s.last().Org)))
		list = append(list, p)
	}
	return list
}

// measurements is a table as a laboratory writes it.
func (w *world) measurements() []byte {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	rows := [][]string{{"Site", "Date", "Samples", "Mean", "Deviation"}}
	for i := range 40 {
		rows = append(rows, []string{string(rune('A' + i%6)), w.now.AddDate(0, 0, -7*i).Format(time.DateOnly), strconv.Itoa(20 + w.random.IntN(80)),
			strconv.FormatFloat(80+20*w.random.Float64(), 'f', 2, 64), strconv.FormatFloat(2*w.random.Float64(), 'f', 2, 64)})
	}
	if err := out.WriteAll(rows); err != nil {
		panic(err) // into memory
	}
	return b.Bytes()
}

// lend shares some papers of organizations with other commissions and organizations.
func (w *world) lend() {
	for _, p := range w.papers {
		if p.Org == nil || p.Org.rep() == nil || p.Status != document.Available || p.Visibility != "commission" || !w.chance(0.12) {
			continue
		}
		rep, at := p.Org.rep(), w.between(p.Created.Add(day), w.now)
		if !at.After(w.acting(rep, p.Org)) || !at.Before(w.now) {
			continue
		}
		g := &grant{ID: w.id(at), Paper: p, Level: "download", By: rep, At: at, Reason: "For the comparison that we agreed on.", Accesses: 2 + w.random.IntN(6)}
		if w.chance(0.5) {
			if g.To = one(w, w.bodies); g.To == p.Body || g.To.Active.IsZero() || g.To.State != "active" {
				continue
			}
			until := w.now.AddDate(0, 0, 7+w.random.IntN(60))
			g.Expires = &until
			w.record(p.Body.scope(), at, rep, "share", "grant", p.ID, journal.Say("Shared %s with %s", p.reference(), g.To.Name))
		} else {
			if g.ToOrg = one(w, w.organizations); g.ToOrg == p.Org || g.ToOrg.State != "member" {
				continue
			}
			g.Level = "see"
			w.record(p.Body.scope(), at, rep, "share", "grant", p.ID, journal.Say("Shared %s with %s", p.reference(), g.ToOrg.Name))
		}
		w.grants = append(w.grants, g)
	}
}

// read has members open what they get, more of them when it is new.
func (w *world) read() {
	for _, p := range w.papers {
		if p.Number == 0 {
			continue
		}
		sat := shuffled(w, w.seated(p.Body, p.Created))
		for _, s := range sat[:min(len(sat), 3+w.random.IntN(12))] {
			age := w.now.Sub(p.Created)
			at := p.Created.Add(time.Duration(float64(age) * w.random.Float64() * w.random.Float64()))
			r := reading{Paper: p, Kind: "view", Person: s.Person, Org: s.last().Org, At: w.between(at, at.Add(20*day))}
			if l := s.last(); l.Until != nil && !l.Until.After(r.At) || s.Rows[0].From.After(r.At) || r.At.After(w.now.Add(-time.Hour)) {
				continue
			}
			w.readings = append(w.readings, r)
			if w.chance(0.6) && p.Status != document.Withdrawn {
				r.Kind, r.Version, r.At = "download", 1, r.At.Add(time.Duration(1+w.random.IntN(300))*time.Second)
				for i, e := range p.Versions {
					if !e.At.After(r.At) {
						r.Version = i + 1
					}
				}
				w.readings = append(w.readings, r)
			}
		}
	}
	for _, g := range w.grants {
		var readers []*seat
		if g.To != nil {
			readers = w.seated(g.To, g.At)
		}
		for range min(g.Accesses, len(readers)) {
			s, at := one(w, readers), w.between(g.At.Add(time.Hour), w.now)
			if at.Before(w.now) {
				w.readings = append(w.readings, reading{Paper: g.Paper, Kind: "view", Person: s.Person, Org: s.last().Org, Share: g, At: at})
			}
		}
	}
}

// store puts the files where the portal keeps them, before a row names them.
func (w *world) store(ctx context.Context, files *blob.Store) error {
	for _, p := range w.papers {
		for i := range p.Versions {
			b, err := files.Put(ctx, bytes.NewReader(p.Versions[i].Content), 1<<20)
			if err != nil {
				return err
			}
			p.Versions[i].Digest = b.Digest
		}
	}
	return nil
}

func (w *world) writeDocuments(ctx context.Context, q postgres.Q) error {
	type version struct {
		*paper
		edition
		number int
	}
	var versions, contents []version
	last, used, known := map[*body]int{}, map[*body]int{}, map[blob.Digest]bool{}
	var registers []*body
	for _, p := range w.papers {
		if _, ok := last[p.Body]; !ok {
			registers = append(registers, p.Body)
		}
		last[p.Body] = max(last[p.Body], p.Number)
		for i, e := range p.Versions {
			v := version{p, e, i + 1}
			versions = append(versions, v)
			used[p.Body] += len(e.Content)
			if !known[e.Digest] {
				known[e.Digest] = true
				contents = append(contents, v)
			}
		}
	}
	if err := insert(ctx, q, "register", "commission_id uuid, prefix text, last_number int, used bigint", registers, func(b *body) columns {
		return columns{"commission_id": b.ID, "prefix": b.Acronym, "last_number": last[b], "used": used[b]}
	}); err != nil {
		return err
	}
	if err := insert(ctx, q, "file", "digest bytea, size bigint, type text, created_at timestamptz", contents, func(v version) columns {
		return columns{"digest": `\x` + v.Digest.String(), "size": len(v.Content), "type": v.edition.Type, "created_at": v.At}
	}); err != nil {
		return err
	}
	// What is replaced points to what took its place, which therefore comes first.
	papers := slices.Clone(w.papers)
	slices.SortStableFunc(papers, func(a, b *paper) int { return len(a.replaced()) - len(b.replaced()) })
	if err := insert(ctx, q, "document", `id uuid, commission_id uuid, number int, title text, type text, organization_id uuid, author_id uuid, status text, status_since timestamptz,
			status_reason text, before_withdrawal text, review text, submitted_at timestamptz, action text, due_on date, replaced_by uuid, languages text[], versions int, keywords text[],
			summary text, visibility text, license text, published_at timestamptz, created_at timestamptz, updated_at timestamptz`, papers, func(p *paper) columns {
		c := columns{"id": p.ID, "commission_id": p.Body.ID, "number": null(p.Number), "title": p.Title, "type": p.Type, "organization_id": p.Org.key(), "author_id": p.Author.ID,
			"status": p.Status, "status_since": p.Since, "status_reason": p.Reason, "submitted_at": p.Created, "action": p.Action, "languages": []string{"en"}, "versions": len(p.Versions),
			"keywords": append([]string{}, p.Keywords...), "summary": p.Summary, "visibility": p.Visibility, "license": p.License, "published_at": p.Published, "created_at": p.Created,
			"updated_at": later(p.Since, p.Versions[len(p.Versions)-1].At)}
		if p.Due != nil {
			c["due_on"] = p.Due.Format(time.DateOnly)
		}
		switch p.Status {
		case document.Withdrawn:
			c["before_withdrawal"] = document.Available
		case document.Prepared:
			c["review"] = document.Submitted
		case document.Superseded:
			c["replaced_by"] = p.ReplacedBy.ID
		}
		return c
	}); err != nil {
		return err
	}
	if err := insert(ctx, q, "document_version", "document_id uuid, number int, language text, digest bytea, size bigint, file_name text, note text, person_id uuid, created_at timestamptz", versions, func(v version) columns {
		return columns{"document_id": v.ID, "number": v.number, "language": "en", "digest": `\x` + v.Digest.String(), "size": len(v.Content), "file_name": v.Name, "note": v.Note,
			"person_id": v.Person.ID, "created_at": v.At}
	}); err != nil {
		return err
	}
	if err := insert(ctx, q, "share", "id uuid, document_id uuid, organization_id uuid, to_commission uuid, to_organization uuid, level text, reason text, created_by uuid, created_at timestamptz, expires_at timestamptz", w.grants, func(g *grant) columns {
		c := columns{"id": g.ID, "document_id": g.Paper.ID, "organization_id": g.Paper.Org.key(), "to_organization": g.ToOrg.key(), "level": g.Level, "reason": g.Reason,
			"created_by": g.By.ID, "created_at": g.At, "expires_at": g.Expires}
		if g.To != nil {
			c["to_commission"] = g.To.ID
		}
		return c
	}); err != nil {
		return err
	}
	return insert(ctx, q, "document_access", "document_id uuid, kind text, number int, language text, person_id uuid, organization_id uuid, share_id uuid, at timestamptz, id uuid", w.readings, func(r reading) columns {
		c := columns{"id": w.id(r.At), "document_id": r.Paper.ID, "kind": r.Kind, "number": null(r.Version), "person_id": r.Person.ID, "organization_id": r.Org.key(), "at": r.At}
		if r.Version > 0 {
			c["language"] = "en"
		}
		if r.Share != nil {
			c["share_id"] = r.Share.ID
		}
		return c
	})
}

func (p *paper) replaced() string {
	if p.ReplacedBy == nil {
		return ""
	}
	return p.ReplacedBy.ID.String()
}
