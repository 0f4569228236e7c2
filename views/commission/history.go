package commission

import (
	"context"

	"commissionportal/internal/i18n"
	"commissionportal/views/part"
)

// mostOptions is how many revisions a picker offers around the newest.
const mostOptions = 200

// revisionOptions are the newest revisions and those that are compared.
func revisionOptions(ctx context.Context, newest int, also ...int) []part.Option {
	var list []part.Option
	add := func(n int) {
		list = append(list, part.Option{Value: number(n), Label: i18n.T(ctx, "Revision %s", number(n))})
	}
	oldest := max(1, newest-mostOptions+1)
	for n := newest; n >= oldest; n-- {
		add(n)
	}
	for _, n := range also {
		if n < oldest {
			add(n)
		}
	}
	return list
}

func milestoneFields(ctx context.Context, m Milestone, wrong map[string]string) (title, due part.Field) {
	return part.Field{Name: "title", Label: i18n.T(ctx, "What will be done"), Value: m.Title, Error: wrong["title"], Required: true, MaxLength: 300},
		part.Field{Name: "due_on", Label: i18n.T(ctx, "Due on"), Value: m.Due, Error: wrong["due_on"], Required: true}
}
