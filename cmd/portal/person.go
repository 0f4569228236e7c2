package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"commissionportal/internal/access"
	"commissionportal/internal/account"
	"commissionportal/internal/app"
)

// offline puts the portal together for one command, without serving.
func offline(fn func(*app.App) error) error {
	c, err := beside()
	if err != nil {
		return err
	}
	a, err := app.New(c, app.Logger(c.LogLevel, os.Stderr), nil)
	if err != nil {
		return err
	}
	return errors.Join(fn(a), a.Close())
}

type personCommand struct {
	Add     personAddCommand     `cmd:"" help:"Add a person; without a password they are mailed a link to set one."`
	Promote personPromoteCommand `cmd:"" help:"Give a person a role in the portal, or take it."`
	Disarm  personDisarmCommand  `cmd:"" help:"Remove the second factors of a person who has lost them."`
}

type personAddCommand struct {
	Email         string `required:"" help:"Address to sign in with."`
	Name          string `required:"" help:"Name as it stands in rosters."`
	PasswordStdin bool   `help:"Read the password from the first line of standard input; needs --confirmed."`
	Secretariat   bool   `help:"Make the person one of the secretariat."`
	Confirmed     bool   `help:"Take the address as proved."`
}

// Run adds the person.
func (p personAddCommand) Run(ctx context.Context) error {
	password := ""
	if p.PasswordStdin {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if password = strings.TrimRight(line, "\r\n"); password == "" {
			return errors.New("no password on standard input")
		}
	}
	return offline(func(a *app.App) error {
		added, err := a.Accounts.Add(ctx, access.System("portal person add", access.Portal, "person", "add"),
			account.Addition{Email: p.Email, Name: p.Name, Password: password, Confirmed: p.Confirmed, Secretariat: p.Secretariat})
		if err == nil {
			fmt.Println("added", added.Name, added.Email)
		}
		return err
	})
}

type personPromoteCommand struct {
	Email  string `arg:"" help:"Address of the person."`
	Role   string `required:"" enum:"secretariat" help:"secretariat"`
	Remove bool   `help:"Take the role instead."`
}

// Run gives or takes the role.
func (p personPromoteCommand) Run(ctx context.Context) error {
	return offline(func(a *app.App) error {
		promoted, err := a.Accounts.Promote(ctx, access.System("portal person promote", access.Portal, "person", "promote"), p.Email, p.Role, p.Remove)
		switch {
		case err != nil:
			return err
		case p.Remove:
			fmt.Printf("%s is not of the %s any more\n", promoted.Name, p.Role)
		default:
			fmt.Printf("%s is of the %s now\n", promoted.Name, p.Role)
		}
		return nil
	})
}

type personDisarmCommand struct {
	Email  string `arg:"" help:"Address of the person."`
	Reason string `required:"" help:"How you made sure that it is the person who asks; it stands in the history."`
}

// Run removes the second factors.
func (p personDisarmCommand) Run(ctx context.Context) error {
	return offline(func(a *app.App) error {
		err := a.Accounts.DisarmFor(ctx, access.System("portal person disarm", access.Portal, "person", "disarm"), p.Email, p.Reason)
		if err == nil {
			fmt.Println("removed the second factors of", p.Email)
		}
		return err
	})
}
