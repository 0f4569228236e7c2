package world

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"commissionportal/internal/document"
)

// paper is a document with all that is written of it.
type paper struct {
	document.Findable
	index  document.Indexed
	digest [32]byte
	text   string
	at     time.Time
	shared *uuid.UUID // key of a share
	to     int        // an organization; a commission from 0 down
}

const batch = 2000

// publish writes the documents, in the order of time. What they are found by is made
// on all processors, and written as it comes.
func (w *world) publish(ctx context.Context, db *sql.DB) error {
	var active []int
	for i, c := range w.commissions {
		if c.state != "proposed" && c.state != "forming" {
			active = append(active, i)
		}
	}
	sizes := shares(w.size.Documents, len(active), 0.7)
	homes := make([]int, 0, w.size.Documents)
	for i, n := range sizes {
		for range n {
			homes = append(homes, active[i])
		}
	}
	for len(homes) < w.size.Documents {
		homes = append(homes, active[0])
	}
	homes = homes[:w.size.Documents]
	w.random.Shuffle(len(homes), func(i, j int) { homes[i], homes[j] = homes[j], homes[i] })
	numbers := make([]int, len(homes)) // of each in its register
	last := make([]int, len(w.commissions))
	for i, c := range homes {
		last[c]++
		numbers[i] = last[c]
	}
	n := -1
	if err := rows(ctx, db, "register", "commission_id prefix last_number", w.commissions, func(c commission) []any {
		n++
		return []any{c.id, c.acronym(n), last[n]}
	}); err != nil {
		return err
	}
	list := languages()
	counts, titled := map[string]int{}, map[string]bool{}
	const ahead = 4
	made := make([]chan []paper, (len(homes)+batch-1)/batch)
	for i := range made {
		made[i] = make(chan []paper, 1)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	room := make(chan struct{}, ahead)
	next := make(chan int)
	go func() { // batches in their order, few ahead of the writer
		defer close(next)
		for i := range made {
			select {
			case room <- struct{}{}:
				next <- i
			case <-ctx.Done():
				return
			}
		}
	}()
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	for range runtime.GOMAXPROCS(0) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			stems := document.Stems{}
			for i := range next {
				from := i * batch
				made[i] <- w.papers(from, homes[from:min(len(homes), from+batch)], numbers[from:], list, stems)
			}
		}()
	}
	for i := range made {
		papers := <-made[i]
		<-room
		if err := w.writePapers(ctx, db, papers, i*batch, counts, titled); err != nil {
			return err
		}
		if i%50 == 49 {
			w.say("%d of %d documents", (i+1)*batch, len(homes))
		}
	}
	if _, err := db.ExecContext(ctx, `UPDATE register r SET used = x.size FROM (
		SELECT d.commission_id, sum(v.size) AS size FROM document d JOIN document_version v ON v.document_id = d.id GROUP BY 1) x WHERE x.commission_id = r.commission_id`); err != nil {
		return err
	}
	return rows(ctx, db, "document_word", "word documents in_title", slices.Sorted(maps.Keys(counts)), func(word string) []any { return []any{word, counts[word], titled[word]} })
}

// papers makes some documents up: the same ones every time, whoever does it.
func (w *world) papers(from int, homes, numbers []int, list []language, stems document.Stems) []paper {
	s := newSpeaker(rand.New(rand.NewPCG(uint64(from), 5)), list) //nolint:gosec // made up, and the same every time
	w2 := &world{random: s.Rand}
	papers := make([]paper, len(homes))
	begin := w.now.Add(-years(8))
	for i, home := range homes {
		c, number, p := w.commissions[home], numbers[i], &papers[i]
		p.at = begin.Add(time.Duration(float64(from+i) / float64(w.size.Documents) * float64(years(8))))
		l := s.language()
		p.Findable = document.Findable{ID: w2.id(p.at), CommissionID: c.id, Prefix: c.acronym(home), Number: &number, Title: s.text(l, 4+s.IntN(5)), Type: one(s.Rand, document.Types),
			Status: one(s.Rand, []string{"available", "available", "available", "available", "available", "available", "available", "available", "superseded", "withdrawn"}), Language: list[l].code,
			Languages: pq.StringArray{list[l].code}, Year: p.at.Year(), Visibility: visibilities[s.IntN(len(visibilities))], OrganizationID: &w.organizations[s.IntN(len(w.organizations))].id}
		if s.Float64() < 0.5 {
			if author := &w.persons[s.IntN(len(w.persons))]; author.at.Before(p.at) {
				p.AuthorID = &author.id
			}
		}
		if s.Float64() < 0.05 {
			key := w2.id(p.at)
			p.shared = &key
			if p.to = s.IntN(len(w.organizations)); s.Float64() < 0.5 {
				p.to = -s.IntN(len(w.commissions))
				p.Shared = pq.StringArray{"@m" + w.commissions[-p.to].id.String()}
			} else {
				p.Shared = pq.StringArray{"@o" + w.organizations[p.to].id.String()}
			}
		}
		length := 25 + s.IntN(50) // most are short, some long
		if s.Float64() < 0.1 {
			length = 100 + s.IntN(600)
		}
		p.text = s.text(l, length)
		p.index = document.Index(p.Findable, stems, document.ReadPage{Language: list[l].code, Page: 1, Text: p.text})
		p.digest = sha256.Sum256(binary.BigEndian.AppendUint64([]byte("world"), uint64(from+i)))
	}
	return papers
}

// visibilities are as frequent as they stand here.
var visibilities = [20]string{"public", "portal", "portal", "commission", "commission", "commission", "commission", "commission", "commission", "commission", "commission", "commission", "commission",
	"commission", "commission", "commission", "commission", "officers", "organization", "named"}

func (w *world) writePapers(ctx context.Context, db *sql.DB, papers []paper, from int, counts map[string]int, titled map[string]bool) error {
	if err := rows(ctx, db, "document", "id commission_id number title type organization_id author_id status status_since status_reason before_withdrawal language languages versions visibility created_at updated_at", papers, func(p paper) []any {
		var before any
		reason := ""
		if p.Status == "withdrawn" {
			before, reason = "available", "It was replaced by a text of another body."
		}
		return []any{p.ID, p.CommissionID, *p.Number, p.Title, p.Type, p.OrganizationID, p.AuthorID, p.Status, p.at, reason, before, p.Language, p.Languages, 1, p.Visibility, p.at, p.at}
	}); err != nil {
		return err
	}
	if err := rows(ctx, db, "file", "digest size type outcome pages created_at read_at scan", papers, func(p paper) []any {
		return []any{p.digest[:], len(p.text), "text/plain", "read", 1, p.at, p.at, "clean"}
	}); err != nil {
		return err
	}
	if err := rows(ctx, db, "document_version", "document_id number language digest size file_name person_id created_at", papers, func(p paper) []any {
		return []any{p.ID, 1, p.Language, p.digest[:], len(p.text), "text.txt", p.AuthorID, p.at}
	}); err != nil {
		return err
	}
	if err := rows(ctx, db, "file_text", "digest page text", papers, func(p paper) []any { return []any{p.digest[:], 1, p.text} }); err != nil {
		return err
	}
	if err := rows(ctx, db, "share", "id document_id organization_id to_commission to_organization level created_by created_at", papers, func(p paper) []any {
		switch {
		case p.shared == nil:
			return nil
		case p.to > 0:
			return []any{*p.shared, p.ID, p.OrganizationID, nil, w.organizations[p.to].id, "download", w.persons[secretariat].id, p.at}
		}
		return []any{*p.shared, p.ID, p.OrganizationID, w.commissions[-p.to].id, nil, "download", w.persons[secretariat].id, p.at}
	}); err != nil {
		return err
	}
	if err := rows(ctx, db, "world_event", "scope scope_id at person_id object action object_id note", papers, func(p paper) []any {
		by := w.persons[secretariat].id
		if p.AuthorID != nil {
			by = *p.AuthorID
		}
		return []any{"commission", p.CommissionID, p.at, by, "document", "submit", p.ID, said("Submitted %s as %s", p.Title, document.Reference(p.Prefix, p.Number))}
	}); err != nil {
		return err
	}
	n := from
	return load(ctx, db, "document_search", "document_id lexemes head words", func(row func(...any) error) error {
		for _, p := range papers {
			n++
			for _, l := range p.index.Lexemes {
				switch l[0] {
				case '=', '@', '#', '&':
				case '/':
					titled[l[1:]] = true
				default:
					counts[l]++
				}
			}
			if err := row(p.ID, p.index.Vector(int64(n)), p.index.Head, p.index.Words); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeReadings writes who opened, previewed and downloaded what: few documents are
// read by many.
func (w *world) writeReadings(ctx context.Context, db *sql.DB) error {
	type known struct {
		id uuid.UUID
		at time.Time
	}
	list := make([]known, 0, w.size.Documents)
	found, err := db.QueryContext(ctx, `SELECT id, created_at FROM document`)
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }() // Err says whether all were read
	for found.Next() {
		var k known
		if err := found.Scan(&k.id, &k.at); err != nil {
			return err
		}
		list = append(list, k)
	}
	if err := found.Err(); err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b known) int { return b.at.Compare(a.at) }) // the newest are read most
	return load(ctx, db, "document_access", "id document_id kind number language person_id organization_id at", func(row func(...any) error) error {
		for range w.size.Readings {
			d, p := list[skewed(w.random, len(list), 2.5)], w.persons[cast+skewed(w.random, len(w.persons)-cast, 1.3)]
			var organization, number, language any
			if p.org >= 0 {
				organization = w.organizations[p.org].id
			}
			kind := one(w.random, []string{"view", "view", "view", "preview", "download"})
			if kind != "view" {
				number, language = 1, "en"
			}
			at := w.between(d.at, w.now)
			if err := row(w.id(at), d.id, kind, number, language, p.id, organization, at); err != nil {
				return err
			}
		}
		return nil
	})
}
