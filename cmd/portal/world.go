package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"commissionportal/internal/app"
	"commissionportal/internal/postgres"
	"commissionportal/internal/postgres/private"
	"commissionportal/internal/world"
)

type worldCommand struct {
	Scale float64 `default:"1" help:"How large: 1 is 10,000 commissions, 500,000 persons, 1,200,000 seats and 1,000,000 documents."`
}

// Run fills an empty database: that of DATABASE_URL, or one of its own under var/world.
func (w worldCommand) Run(ctx context.Context) (err error) {
	if w.Scale <= 0 || w.Scale > 10 {
		return errors.New("--scale is a number above 0 and at most 10")
	}
	c, err := app.FromEnvironment()
	if err != nil {
		return err
	}
	if c.DatabaseURL == "" {
		// Nothing is lost with a world that is half made: it is made again.
		server, err := worldServer(ctx, map[string]string{"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "8GB"})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Stop()) }()
		c.DatabaseURL = server.URL("portal")
	}
	if _, err := app.Migrate(ctx, c.Direct()); err != nil {
		return err
	}
	db, err := postgres.Open(ctx, postgres.Config{URL: c.Direct(), Max: 4})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	started := time.Now()
	size := world.At(w.Scale)
	if err := world.Fill(ctx, db, size, started, func(format string, args ...any) {
		fmt.Printf("%7s  %s\n", time.Since(started).Round(time.Second), fmt.Sprintf(format, args...))
	}); err != nil {
		return err
	}
	fmt.Printf("Made a world of %d commissions, %d organizations, %d persons and %d documents in %s. `portal dev --world` serves it.\n",
		size.Commissions, size.Organizations, size.Persons, size.Documents, time.Since(started).Round(time.Second))
	return nil
}

// worldServer is the private server whose database holds a world. It may use a quarter
// of the memory that a small server has.
func worldServer(ctx context.Context, settings map[string]string) (*private.Server, error) {
	root, err := private.Checkout()
	if err != nil {
		return nil, err
	}
	if err := private.Install(ctx, os.Stdout); err != nil {
		return nil, err
	}
	all := map[string]string{"shared_buffers": "1GB", "random_page_cost": "1.1"}
	for name, value := range settings {
		all[name] = value
	}
	return private.Start(ctx, private.Config{Dir: filepath.Join(root, "var", "world"), Database: "portal", Settings: all, Out: os.Stdout})
}
