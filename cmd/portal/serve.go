package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"commissionportal/internal/app"
	"commissionportal/internal/blob"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/postgres/private"
	"commissionportal/internal/problem"
	"commissionportal/internal/sample"
)

var errNoDatabase = errors.New("set DATABASE_URL to the address of a Postgres server, or use `portal dev`, which starts one")

// configured is the configuration, with a database named in it.
func configured() (app.Config, error) {
	c, err := app.FromEnvironment()
	if err == nil && c.DatabaseURL == "" {
		err = errNoDatabase
	}
	return c, err
}

// beside is the configuration of a command that is given beside a running portal:
// where no database is named, that of the portal that dev runs in this checkout. A
// command that serves, or that makes a database or its schema, does not ask for it.
func beside() (app.Config, error) {
	c, err := app.FromEnvironment()
	if err != nil || c.DatabaseURL != "" {
		return c, err
	}
	root, err := private.Checkout()
	if err != nil { // installed, not built here
		return c, errNoDatabase
	}
	for _, of := range []string{"postgres", "world"} {
		if c.DatabaseURL, err = private.Running(filepath.Join(root, "var", of), "portal"); err != nil {
			return c, err
		}
		if c.DatabaseURL != "" {
			fmt.Fprintf(os.Stderr, "Using the database of the portal that runs here, in %s (DATABASE_URL names another).\n", filepath.Join("var", of))
			return inCheckout(c, root)
		}
	}
	return c, errors.New("no portal with a database of its own runs in this checkout: start one with `make run`, or set DATABASE_URL to the address of a Postgres server")
}

// inCheckout is the configuration of a portal that keeps everything in var/ of root.
func inCheckout(c app.Config, root string) (app.Config, error) {
	c.Development = true
	if os.Getenv("FILES") == "" {
		c.Files = "file://" + filepath.Join(root, "var", "files")
	}
	if c.JournalKey == "" {
		c.JournalKey = filepath.Join(root, "var", "journal.pem")
		return c, journal.MakeKey(c.JournalKey)
	}
	return c, nil
}

type serveCommand struct{}

// Run serves until it is told to stop.
func (serveCommand) Run(ctx context.Context) error {
	c, err := configured()
	if err != nil {
		return err
	}
	return serve(ctx, c, func(string) {})
}

// serve listens before it opens anything else, so that a port in use is said first.
func serve(ctx context.Context, c app.Config, ready func(address string)) (err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Address())
	if err != nil {
		return fmt.Errorf("cannot listen on %s (PORT and HOST set another address): %w", c.Address(), err)
	}
	log := app.Logger(c.LogLevel, os.Stderr)
	slog.SetDefault(log) // for libraries that log by themselves
	a, err := app.New(c, log, nil)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	a.Drain = 250 * time.Millisecond
	ready("http://" + l.Addr().String())
	defer runtime.KeepAlive(make([]byte, ballast))
	return a.Serve(ctx, l)
}

// ballast is memory that is never touched, and so takes none of the machine's. Memory is
// collected each time it has doubled; with a live heap of 20 MB that would be all the
// time, and a tenth to a fifth of the processor. A large heap is collected as ever.
const ballast = 64 << 20 // bytes

type migrateCommand struct {
	Grant string `placeholder:"ACCOUNT" help:"Also give this account of the database what serve needs, and no more: it can then change nothing that the journal holds."`
}

// Run migrates the database.
func (m migrateCommand) Run(ctx context.Context) error {
	c, err := configured()
	if err != nil {
		return err
	}
	applied, err := app.Migrate(ctx, c.Direct())
	for _, name := range applied {
		fmt.Println("applied", name)
	}
	if err == nil && len(applied) == 0 {
		fmt.Println("The schema is up to date.")
	}
	if err == nil && m.Grant != "" {
		if err = app.Grant(ctx, c.Direct(), m.Grant); err == nil {
			fmt.Println("granted to", m.Grant)
		}
	}
	return err
}

type devCommand struct {
	Empty bool `help:"Do not load the sample into an empty database."`
	World bool `help:"Serve the world that portal world has made, in place of the sample."`
}

// Run brings everything up: what `make run` does.
func (d devCommand) Run(ctx context.Context) (err error) {
	c, err := app.FromEnvironment()
	if err != nil {
		return err
	}
	own, where := c.DatabaseURL == "", os.Getwd
	if own {
		where = private.Checkout
	}
	root, err := where()
	if err != nil {
		return err
	}
	if c, err = inCheckout(c, root); err != nil {
		return err
	}
	if own {
		if err := private.Install(ctx, os.Stdout); err != nil {
			return err
		}
		start := func() (*private.Server, error) {
			return private.Start(ctx, private.Config{Dir: filepath.Join(root, "var", "postgres"), Database: "portal", Out: os.Stdout})
		}
		if d.World {
			start = func() (*private.Server, error) { return worldServer(ctx, nil) }
		}
		server, err := start()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Stop()) }()
		c.DatabaseURL = server.URL("portal")
	}
	if _, err := app.Migrate(ctx, c.Direct()); err != nil {
		return err
	}
	signIns, err := d.sample(ctx, c)
	if err != nil {
		return err
	}
	return serve(ctx, c, func(address string) {
		letters := "\n  Letters are not sent: read them at " + address + "/dev/mail\n"
		if c.Mail.Host != "" {
			letters = ""
		}
		fmt.Printf("\n  The portal is at %s   (Ctrl-C stops it)\n%s\n%s", address, letters, signIns)
		if own {
			fmt.Printf("  Commands     %-24s  in another terminal lists them; they work on this database\n\n", os.Args[0]+" help")
		}
	})
}

// sample loads the sample into an empty database, and returns how to sign in to
// one that holds it; "" if it does not.
func (d devCommand) sample(ctx context.Context, c app.Config) (signIns string, err error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: c.Direct(), Max: 2})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	empty, err := sample.Empty(ctx, db)
	if err != nil {
		return "", err
	}
	if empty && d.World {
		return "", errors.New("there is no world yet: make one with `make world`, or a small one with `make world SCALE=0.01`")
	}
	if empty && !d.Empty {
		files, err := blob.Open(ctx, c.Files)
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, files.Close()) }()
		s, err := sample.Load(ctx, db, files, time.Now())
		if err != nil {
			return "", err
		}
		fmt.Printf("Loaded the sample: %d commissions in %d sectors, %d organizations from %d countries, %d persons, %d seats, %d documents. All of it is invented.\n",
			s.Commissions, s.Sectors, s.Organizations, s.Countries, s.Persons, s.Seats, s.Documents)
	}
	if there, err := sample.SignIns(ctx, db); err != nil || !there {
		return "", err
	}
	led, has := "chair of Energy Storage, with applications to decide", "a member, whose term ends and who is invited"
	if d.World {
		led, has = "chair of the largest commission", "a member with the most seats"
	}
	return fmt.Sprintf("  Sign in as   %-24s  of the secretariat\n"+
		"               %-24s  %s\n"+
		"               %-24s  %s\n"+
		"  Password     %s\n\n", sample.Secretariat, sample.Chair, led, sample.Member, has, sample.Password), nil
}

type routesCommand struct{}

// Run prints the table of routes.
func (routesCommand) Run() error {
	routes, err := app.Routes()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	for _, r := range routes {
		need := "public"
		if r.Object != "" {
			need = fmt.Sprintf("%s: %s %s", r.Kind, r.Object, r.Action)
			if r.Recent {
				need += ", signed in a moment ago"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Method, r.Path, r.Operation, need)
	}
	return w.Flush()
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	fmt.Println(app.Version)
	return nil
}

type helpCommand struct{}

// Run prints commands and settings.
func (helpCommand) Run(k *kong.Kong) error {
	fmt.Println("Usage: portal COMMAND. `portal COMMAND --help` says more of one.")
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\nCommands")
	for _, n := range k.Model.Children {
		fmt.Fprintf(w, "  %s\t%s\n", n.Name, n.Help)
	}
	fmt.Fprintln(w, "\nSettings (environment)")
	for _, s := range app.Settings() {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", s.Name, s.Default, s.Help)
	}
	return w.Flush()
}

// sentence is what a person reads of an error.
func sentence(err error) string {
	if p := problem.As(err); p != nil {
		return p.Detail()
	}
	return err.Error()
}
