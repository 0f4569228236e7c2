// Command portal is the Commission Portal: one program that serves it, runs it
// for development, migrates its database and loads data into it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"commissionportal/internal/extract"
)

type program struct {
	Serve     serveCommand     `cmd:"" help:"Answer requests and do the background work. The schema has to be up to date."`
	Dev       devCommand       `cmd:"" help:"Run everything on this machine: a private Postgres under var/, the sample data, the portal."`
	Migrate   migrateCommand   `cmd:"" help:"Bring the database's schema up to date."`
	Person    personCommand    `cmd:"" help:"Add persons; make them one of the secretariat."`
	Token     tokenCommand     `cmd:"" help:"Make tokens for the API."`
	Import    importCommand    `cmd:"" help:"Import organizations, persons, commissions, participations, seats or documents from CSV and XLSX files."`
	Documents documentsCommand `cmd:"" help:"Look after the files of documents."`
	Access    accessCommand    `cmd:"" help:"Say who may do what, and why."`
	Journal   journalCommand   `cmd:"" help:"Prove the journal; make the key that signs its heads."`
	Backup    backupCommand    `cmd:"" help:"Save the database and the files of documents in a folder, while the portal runs."`
	Restore   restoreCommand   `cmd:"" help:"Make an empty database and a store of files from a backup, and prove that all is as it was."`
	Doctor    doctorCommand    `cmd:"" help:"Look at settings, database, schema, clock, files, mail and scanner, and say what to do about what is wrong. Ends with 1 if something is."`
	World     worldCommand     `cmd:"" help:"Fill an empty database with an invented convention of any size, to measure the portal on."`
	Routes    routesCommand    `cmd:"" help:"List every route with the right it asks for."`
	Extract   extractCommand   `cmd:"" hidden:"" help:"Show what is found in files, as the portal would find it."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
	Help      helpCommand      `cmd:"" help:"Print the commands and every setting of the environment."`
}

func main() {
	extract.Child() // does not return in a process that reads a file
	var p program
	k := kong.Must(&p, kong.Name("portal"), kong.Description("The place where industrial commissions live."), kong.UsageOnError())
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"help"}
	}
	c, err := k.Parse(args)
	k.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c.BindTo(ctx, (*context.Context)(nil))
	if err := c.Run(k); err != nil {
		fmt.Fprintf(os.Stderr, "portal: %s\n", sentence(err))
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}
