package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"commissionportal/internal/app"
	"commissionportal/internal/problem"
	"commissionportal/internal/rights"
	"commissionportal/internal/sheet"
)

type accessCommand struct {
	Explain accessExplainCommand `cmd:"" help:"Say whether a person may do something, and why."`
	Report  accessReportCommand  `cmd:"" help:"Everybody who can read what a commission keeps for some, or one document of it, and by what, as CSV."`
}

type accessExplainCommand struct {
	Person       string `required:"" help:"Address or key of the person."`
	Commission   string `help:"Slug of the commission; without it, organization and document it is about the portal."`
	Organization string `help:"Slug of the organization."`
	Document     string `help:"Number or key of the document, such as ENERGY-N0012."`
	Object       string `required:"" help:"As policies/*.csv has it, such as document."`
	Action       string `required:"" help:"Such as submit, or read:officers."`
}

// Run explains.
func (c accessExplainCommand) Run(ctx context.Context) error {
	return offline(func(a *app.App) error {
		x, err := a.Rights.Explain(ctx, rights.CommandLine(), rights.Asking{Person: c.Person, Commission: c.Commission, Organization: c.Organization, Document: c.Document, Object: c.Object, Action: c.Action})
		if p := problem.As(err); p != nil && len(p.Fields) > 0 { // the fields are called as the options are
			return fmt.Errorf("--%s: %s", p.Fields[0].Field, p.Fields[0].Text())
		}
		if err != nil {
			return err
		}
		verdict := "may not"
		if x.Allowed {
			verdict = "may"
		}
		fmt.Printf("%s %s %s %s.\n", x.Person.Name, verdict, c.Action, c.Object)
		fmt.Printf("Roles held there: %s\n", strings.Join(x.Roles, ", "))
		for _, s := range x.Seats {
			fmt.Printf("  seat %s: %s%s\n", s.ID, s.Role, map[bool]string{true: ", suspended"}[s.Suspended])
		}
		for _, r := range x.Because {
			fmt.Printf("Decided by: %s%s (as %s)\n", r.Row, map[bool]string{true: " [rule of the commission]"}[r.Own], r.Role)
		}
		if len(x.Because) == 0 {
			fmt.Println("No row speaks of these roles: no row, no right.")
		}
		if !x.Allowed {
			fmt.Printf("It would take one of: %s\n", strings.Join(x.Would, ", "))
		}
		return nil
	})
}

type accessReportCommand struct {
	Commission string `arg:"" help:"Slug of the commission."`
	Document   string `help:"One document of it, such as ENERGY-N0012."`
}

// Run writes the report to the standard output.
func (c accessReportCommand) Run(ctx context.Context) error {
	return offline(func(a *app.App) error {
		_, each, err := a.Rights.Report(ctx, rights.CommandLine(), c.Commission, c.Document)
		if err != nil {
			return err
		}
		out, err := sheet.CSV(os.Stdout, rights.ReportColumns, false)
		if err != nil {
			return err
		}
		return errors.Join(each(func(r rights.Reader) error { return out.WriteRow(r.Values()...) }), out.Close())
	})
}
