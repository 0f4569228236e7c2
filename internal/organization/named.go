package organization

import (
	"context"
	"strings"
	"unicode/utf8"

	"commissionportal/internal/access"
	"commissionportal/internal/check"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Name is a member as a field suggests it while a person types.
type Name struct {
	Slug string `db:"slug"`
	Name string `db:"name"`
	Same int    `db:"same"` // how many of those suggested are called so
}

// Text is what the field takes for it: the name, and where that is not enough the
// name in its address, too.
func (n Name) Text() string {
	if n.Same > 1 {
		return n.Name + " (" + n.Slug + ")"
	}
	return n.Name
}

// Names are the members whose name has what is typed in it, the likeliest first; at
// most twelve.
func (s *Service) Names(ctx context.Context, who access.Actor, typed string) ([]Name, error) {
	if _, err := s.access.Require(ctx, who, access.Portal, "organization", "list"); err != nil {
		return nil, err
	}
	var f problem.Fields
	check.Line(&f, "organization", &typed, 0, 200)
	if err := f.Err(); err != nil || utf8.RuneCountInString(typed) < 2 {
		return nil, err
	}
	var w postgres.Where
	w.And("state = 'member'").And(w.Named("name", typed))
	order := "starts_with(fold(name), fold(" + w.Arg(typed) + ")) DESC, length(name), name, id"
	return postgres.All[Name](ctx, s.db, `SELECT slug, name, count(*) OVER (PARTITION BY fold(name)) AS same FROM (
			SELECT id, slug, name FROM organization WHERE `+w.SQL()+` ORDER BY `+order+` LIMIT 12) o
		ORDER BY `+order, w.Args()...)
}

// Named is the slug of the member that a person means who writes its name, its slug,
// or both as Name.Text does. It reports Invalid (field "organization") for a name
// that several have; what none has comes back as it is.
func Named(ctx context.Context, q postgres.Q, written string) (string, error) {
	written = strings.Join(strings.Fields(written), " ")
	if name, slug, ok := strings.Cut(written, " ("); ok && strings.HasSuffix(slug, ")") && name != "" && !strings.ContainsAny(slug, " (") {
		written = strings.TrimSuffix(slug, ")")
	}
	slugs, err := postgres.All[string](ctx, q, `
		(SELECT slug FROM organization WHERE slug = $1)
		UNION ALL
		(SELECT slug FROM organization WHERE state = 'member' AND slug <> $1 AND fold(name) LIKE fold($2) AND fold(name) = fold($1) LIMIT 2)`, written, postgres.Begins(written))
	switch {
	case err != nil:
		return "", err
	case len(slugs) == 0:
		return written, nil
	case slugs[0] != written && len(slugs) > 1:
		return "", problem.Field("organization", "Several organizations are called that. Choose one from the list, or write the name in its address.")
	}
	return slugs[0], nil
}
