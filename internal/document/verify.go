package document

import (
	"context"
	"errors"
	"time"

	"github.com/lib/pq"

	"commissionportal/internal/blob"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Verified is how far a verification has come.
type Verified struct {
	Files, All int
	Bytes      int64
	Wrong      int
}

// Wrong is a file whose content is not what it was, with the documents it is of.
type Wrong struct {
	Digest    blob.Digest
	What      string
	Documents []string // references, or ids of those without; some of them, if they are many
}

// Verify reads the content of every file again, one after the other, and compares
// it with its row: it is there, has its size and its SHA-256. wrong is called for
// each that has not, progress after each that was read. It changes nothing. A store
// that cannot be reached at all is an error, and not files that are gone.
func (s *Service) Verify(ctx context.Context, wrong func(Wrong), progress func(Verified)) (Verified, error) {
	all, err := postgres.One[int](ctx, s.db, nil, `SELECT count(*) FROM file`)
	v := Verified{All: all}
	if err != nil {
		return v, err
	}
	type row struct {
		Digest blob.Digest `db:"digest"`
		Size   int64       `db:"size"`
	}
	const page = 500
	var after []byte
	for {
		rows, err := postgres.All[row](ctx, s.db, `SELECT digest, size FROM file WHERE digest > $1 ORDER BY digest LIMIT $2`, append([]byte{}, after...), page)
		if err != nil {
			return v, err
		}
		var bad []Wrong
		for _, f := range rows {
			b, err := s.files.Verify(ctx, f.Digest)
			what := ""
			switch {
			case problem.Of(err, problem.NotFound):
				what = "is not in the store"
			case b.Size != f.Size && (err == nil || errors.Is(err, blob.ErrDamaged)):
				what = "has another size"
			case errors.Is(err, blob.ErrDamaged):
				what = "has other content"
			case err != nil:
				return v, err
			}
			if what != "" {
				bad = append(bad, Wrong{Digest: f.Digest, What: what})
			}
			v.Files, v.Bytes = v.Files+1, v.Bytes+b.Size
			progress(v)
		}
		if err := s.concerned(ctx, bad); err != nil {
			return v, err
		}
		for _, w := range bad {
			v.Wrong++
			wrong(w)
		}
		if len(rows) < page {
			return v, nil
		}
		after = append([]byte{}, rows[len(rows)-1].Digest[:]...)
	}
}

// mostConcerned bounds how many documents of one file are named.
const mostConcerned = 20

// concerned finds the documents that have the files.
func (s *Service) concerned(ctx context.Context, bad []Wrong) error {
	if len(bad) == 0 {
		return nil
	}
	at, list := make(map[blob.Digest]int, len(bad)), make([]blob.Digest, len(bad))
	for i, w := range bad {
		at[w.Digest], list[i] = i, w.Digest
	}
	rows, err := postgres.All[struct {
		Digest blob.Digest    `db:"digest"`
		Names  pq.StringArray `db:"names"`
	}](ctx, s.db, `
		SELECT v.digest, (array_agg(DISTINCT coalesce(r.prefix || '-N' || lpad(d.number::text, greatest(4, length(d.number::text)), '0'), d.id::text)))[1:$2] AS names
		FROM document_version v JOIN document d ON d.id = v.document_id LEFT JOIN register r USING (commission_id)
		WHERE v.digest = ANY($1) GROUP BY v.digest`, digests(list), mostConcerned)
	for _, r := range rows {
		bad[at[r.Digest]].Documents = r.Names
	}
	return err
}

// Every is progress told no more often than that.
func Every(least time.Duration, tell func(Verified)) func(Verified) {
	last := time.Now()
	return func(v Verified) {
		if time.Since(last) >= least {
			last = time.Now()
			tell(v)
		}
	}
}
