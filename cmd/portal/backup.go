package main

import (
	"context"
	"fmt"
	"os"

	"commissionportal/internal/app"
	"commissionportal/internal/backup"
	"commissionportal/internal/blob"
	"commissionportal/internal/postgres"
	"commissionportal/migrations"
	views "commissionportal/views/document"
)

type backupCommand struct {
	Dir   string `arg:"" help:"Folder for it, new or empty."`
	Quiet bool   `help:"Say nothing of how far it has come."`
}

// Run writes a backup.
func (c backupCommand) Run(ctx context.Context) error {
	return kept(ctx, beside, func(db *postgres.DB, address string, files *blob.Store) error {
		m, err := backup.Write(ctx, db, address, files, app.Version, c.Dir, progress(c.Quiet))
		if err == nil {
			fmt.Printf("Saved %d files (%s) and %d tables as they were at %s.\n", m.Files, views.Size(ctx, m.Bytes), len(m.Tables), m.At.UTC().Format("2006-01-02 15:04:05 MST"))
		}
		return err
	})
}

type restoreCommand struct {
	Dir   string `arg:"" type:"existingdir" help:"Folder of a backup."`
	Quiet bool   `help:"Say nothing of how far it has come."`
}

// Run restores a backup.
func (c restoreCommand) Run(ctx context.Context) error {
	newest, err := postgres.Newest(migrations.Files)
	if err != nil {
		return err
	}
	return kept(ctx, configured, func(db *postgres.DB, address string, files *blob.Store) error {
		m, err := backup.Restore(ctx, db, address, files, newest, c.Dir, progress(c.Quiet))
		if err == nil {
			fmt.Printf("Restored %d files and %d tables as they were at %s; every row, every file and the journal are what they were.\n", m.Files, len(m.Tables), m.At.UTC().Format("2006-01-02 15:04:05 MST"))
			if m.Schema < newest {
				fmt.Println("The program is newer than the backup: run `portal migrate` before `portal serve`.")
			}
		}
		return err
	})
}

func progress(quiet bool) func(string) {
	return func(s string) {
		if !quiet {
			fmt.Fprintln(os.Stderr, s)
		}
	}
}

// kept opens what a portal keeps: its database, which may be empty, and its files.
func kept(ctx context.Context, configured func() (app.Config, error), fn func(db *postgres.DB, address string, files *blob.Store) error) (err error) {
	c, err := configured()
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, postgres.Config{URL: c.Direct(), Max: 4})
	if err != nil {
		return err
	}
	defer func() {
		if e := db.Close(); err == nil {
			err = e
		}
	}()
	files, err := blob.Open(ctx, c.Files)
	if err != nil {
		return err
	}
	defer func() {
		if e := files.Close(); err == nil {
			err = e
		}
	}()
	return fn(db, c.Direct(), files)
}
