package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/app"
)

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token for the API and print it alone."`
}

type tokenCreateCommand struct {
	Person   string   `required:"" help:"Address of the person it acts for."`
	Name     string   `required:"" help:"What it is for."`
	ReadOnly bool     `help:"It may only read."`
	Expires  lifetime `help:"How long it is good: 90d, 12h; without it until it is revoked."`
}

// lifetime is a duration that may be given in days.
type lifetime time.Duration

// UnmarshalText reads 90d or what time.ParseDuration reads.
func (l *lifetime) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 36500 {
			return fmt.Errorf("%q is not a number of days such as 90d", text)
		}
		*l = lifetime(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is not a time such as 90d or 12h", text)
	}
	*l = lifetime(d)
	return nil
}

// Run makes the token.
func (t tokenCreateCommand) Run(ctx context.Context) error {
	return offline(func(a *app.App) error {
		draft := account.TokenDraft{Name: t.Name, ReadOnly: t.ReadOnly}
		if t.Expires > 0 {
			draft.Expires = time.Now().Add(time.Duration(t.Expires))
		}
		_, text, err := a.Accounts.TokenFor(ctx, access.System("portal token create", access.Portal, "token", "create"), t.Person, draft)
		if err == nil {
			fmt.Println(text)
		}
		return err
	})
}
