package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/intake"
	"commissionportal/internal/keyset"
	"commissionportal/internal/problem"
)

type importCommand struct {
	Kind       string   `arg:"" enum:"organizations,persons,commissions,participations,seats,documents" help:"What the files hold: organizations, persons, commissions, participations, seats or documents."`
	Files      []string `arg:"" name:"file" type:"existingfile" help:"CSV or XLSX files; each is imported in one transaction."`
	DryRun     bool     `help:"Show what would be created, changed, skipped and refused, and change nothing."`
	Map        []string `placeholder:"FIELD=COLUMN" sep:"none" help:"The column of a field, where the guess is wrong; FIELD==WORD gives the same to every line, FIELD= reads it from none."`
	Value      []string `placeholder:"FIELD:WORD=MEANING" sep:"none" help:"What a word of the file means: sector:Testing=industry."`
	Source     string   `help:"The register that the identifiers in the files come from; files of one source know each other's. Otherwise the file's name."`
	Commission string   `placeholder:"SLUG" help:"The one commission whose roster (seats) or register (documents) the files hold."`
	As         string   `placeholder:"EMAIL" help:"Import with the rights and in the name of this person."`
	Lines      string   `enum:"notes,all,none" default:"notes" help:"Which lines to report: notes (refused, and those with something to say), all or none."`
}

// Run imports the files one after the other, and stops at the first that fails.
func (c importCommand) Run(ctx context.Context) error {
	if c.Commission != "" && c.Kind != "seats" && c.Kind != "documents" {
		return problem.New(problem.Invalid, "--commission goes with seats and documents.")
	}
	upload := intake.Upload{Kind: c.Kind, Commission: c.Commission, Source: c.Source, Columns: map[string]string{}, Words: map[string]map[string]string{}}
	for _, m := range c.Map {
		name, column, ok := strings.Cut(m, "=")
		if !ok {
			return fmt.Errorf("--map %s: write FIELD=COLUMN", m)
		}
		upload.Columns[name] = column
	}
	for _, v := range c.Value {
		name, rest, ok := strings.Cut(v, ":")
		i := strings.LastIndexByte(rest, '=')
		if !ok || i < 0 {
			return fmt.Errorf("--value %s: write FIELD:WORD=MEANING", v)
		}
		if upload.Words[name] == nil {
			upload.Words[name] = map[string]string{}
		}
		upload.Words[name][rest[:i]] = rest[i+1:]
	}
	refused := 0
	err := offline(func(a *app.App) error {
		for _, name := range c.Files {
			upload.FileName = filepath.Base(name)
			i, err := c.file(a.Context(ctx), a.Imports, upload, name)
			if err != nil {
				return fmt.Errorf("%s: %s. Nothing of it was imported", name, strings.TrimSuffix(sentence(err), "."))
			}
			refused += i.Refused
		}
		return nil
	})
	if err == nil && refused > 0 {
		err = fmt.Errorf("lines that were refused: %d", refused)
	}
	return err
}

func (c importCommand) file(ctx context.Context, imports *intake.Service, upload intake.Upload, name string) (i intake.Import, err error) {
	f, err := os.Open(name)
	if err != nil {
		return i, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	stat, err := f.Stat()
	if err != nil {
		return i, err
	}
	started := time.Now()
	progress, clear := func(int) {}, ""
	if out, err := os.Stderr.Stat(); err == nil && out.Mode()&os.ModeCharDevice != 0 {
		clear = "\r\x1b[K"
		progress = func(percent int) { fmt.Fprintf(os.Stderr, "\r%s  %3d %%", upload.FileName, percent) }
	}
	i, err = imports.File(ctx, c.As, upload, f, stat.Size(), c.DryRun, progress)
	fmt.Fprint(os.Stderr, clear)
	if err != nil {
		return i, err
	}
	fmt.Printf("%s  read as %s:", upload.FileName, i.Kind)
	for _, f := range intake.Fields(i.Kind, i.CommissionID != nil) {
		if column, ok := i.Plan.Columns[f.Name]; ok {
			fmt.Printf("  %s ← %s", f.Name, column)
		}
	}
	fmt.Println()
	if err := c.report(ctx, imports, i); err != nil {
		return i, err
	}
	verb := "created"
	if i.DryRun {
		verb = "would be created"
	}
	fmt.Printf("%s  %d %s, %d changed, %d skipped, %d refused  (%s)\n", upload.FileName, i.Created, verb, i.Changed, i.Skipped, i.Refused, time.Since(started).Round(10*time.Millisecond))
	return i, nil
}

func (c importCommand) report(ctx context.Context, imports *intake.Service, i intake.Import) error {
	if c.Lines == "none" {
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	page := keyset.Page{Limit: keyset.Most}
	for {
		rows, next, err := imports.Lines(ctx, i, "", page)
		if err != nil {
			return err
		}
		for _, l := range rows {
			if c.Lines == "all" || l.Verdict != intake.Skipped && l.Reason != "" {
				fmt.Fprintf(w, "  line %d\t%s\t%s\t%s\n", l.Line, l.Verdict, l.Name, l.Reason)
			}
		}
		if next == "" {
			return w.Flush()
		}
		if page, err = keyset.Parse(next, 1, keyset.Most); err != nil {
			return err
		}
	}
}
