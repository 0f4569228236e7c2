// Command bench measures the portal with the world in it against what the machine can
// do, in one alternating run, and writes docs/bench.md: `make bench`.
//
// For each operation it first learns what the portal asks of Postgres for it, and how
// many bytes it answers. Then it measures, in turns: the portal; its bare twin, which
// runs the same statements, prepared, and answers as many bytes, and does nothing else;
// and for public pages Fiber alone, which answers them from memory. What they may be
// compared by is what all share: the machine, the database, the load generator (wrk:
// 8 connections, each asking again as soon as it is answered). A load at half the rate
// that saturates, in which stalls show, comes from vegeta.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"commissionportal/internal/postgres/private"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == "twin" {
		err = twin(ctx, os.Args[2:])
	} else {
		err = run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

type options struct {
	rounds  int
	seconds int
	only    string
	out     string
	portal  string
	vegeta  string
	small   string
	pgbench string
	minutes int
	acts    string
}

func run(ctx context.Context) (err error) {
	var o options
	url := flag.String("url", "", "the database with the world; empty: that of var/world")
	flag.IntVar(&o.rounds, "rounds", 5, "how often everything takes its turn")
	flag.IntVar(&o.seconds, "seconds", 3, "how long a turn is")
	flag.StringVar(&o.only, "run", "", "operations whose name matches")
	flag.StringVar(&o.out, "out", filepath.Join("docs", "bench.md"), "where to write; - is the terminal")
	flag.StringVar(&o.portal, "portal", filepath.Join("var", "portal"), "the program")
	flag.StringVar(&o.vegeta, "vegeta", "vegeta", "the load generator")
	flag.StringVar(&o.small, "small", "", "a database with a world of a hundredth, for the growth; empty: one that is made for it")
	flag.IntVar(&o.minutes, "minutes", 10, "how long the mixed load lasts")
	flag.StringVar(&o.acts, "acts", "", "acts whose name matches")
	flag.Parse()
	if o.pgbench, err = pgbenchPath(); err != nil {
		return err
	}
	for _, program := range []string{"wrk", o.vegeta} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is missing", program)
		}
	}
	if *url == "" {
		server, err := private.Start(ctx, private.Config{Dir: filepath.Join("var", "world"), Database: "portal", Settings: map[string]string{"shared_buffers": "1GB", "random_page_cost": "1.1"}, Out: os.Stderr})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Stop()) }()
		*url = server.URL("portal")
		if o.small == "" {
			if o.small, err = made(ctx, server, o.portal); err != nil {
				return err
			}
		}
	}
	large, err := measure(ctx, *url, o, true)
	if err != nil {
		return err
	}
	var few []result
	if o.small != "" {
		if few, err = measure(ctx, o.small, o, false); err != nil {
			return err
		}
	}
	found, failed := perform(ctx, *url, o) // what was measured is written all the same
	text, err := report(ctx, large, few, found, o)
	if err != nil {
		return errors.Join(failed, err)
	}
	if o.out == "-" {
		fmt.Print(text)
		return failed
	}
	return errors.Join(failed, os.WriteFile(o.out, []byte(text), 0o644)) //nolint:gosec // a page to read
}

// made is the address of a world of a hundredth beside the large one.
func made(ctx context.Context, server *private.Server, portal string) (string, error) {
	const name = "small"
	db, err := open(server.URL("portal"))
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	var there bool
	if err := db.GetContext(ctx, &there, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name); err != nil || there {
		return server.URL(name), err
	}
	if _, err := db.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, portal, "world", "--scale", "0.01")
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), "DATABASE_URL="+server.URL(name)), os.Stderr, os.Stderr
	return server.URL(name), cmd.Run()
}

// measure takes the operations in turns, one after the other.
func measure(ctx context.Context, url string, o options, whole bool) ([]result, error) {
	migrating := exec.CommandContext(ctx, o.portal, "migrate") // a world that an earlier commit made
	migrating.Env, migrating.Stderr = append(os.Environ(), "DATABASE_URL="+url), os.Stderr
	if err := migrating.Run(); err != nil {
		return nil, fmt.Errorf("migrating: %w", err)
	}
	ops, err := learn(ctx, url, o)
	if err != nil {
		return nil, err
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return nil, err
	}
	ops = slices.DeleteFunc(ops, func(op operation) bool { return !only.MatchString(op.Name) })
	servers, err := start(ctx, url, ops, o)
	if err != nil {
		return nil, err
	}
	defer servers.stop()
	results := make([]result, len(ops))
	for i, op := range ops {
		r := &results[i]
		r.operation = op
		for round := range o.rounds {
			turns := servers.turns(op, whole)
			if round%2 == 1 {
				slices.Reverse(turns)
			}
			for _, turn := range turns {
				m, err := servers.take(ctx, turn, op, url, o)
				if err != nil {
					return nil, fmt.Errorf("%s, %s: %w", op.Name, turn.who, err)
				}
				r.add(turn.who, m)
			}
		}
		if r.Open, err = pace(ctx, o.vegeta, servers.portal+op.Path, op, min(int(r.rate("portal")/2), mostPaced), 2*o.seconds); err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
		fmt.Fprintf(os.Stderr, "%-34s %s\n", op.Name, strings.TrimSpace(r.line()))
	}
	return results, ctx.Err()
}

// mostPaced is how many requests a second vegeta makes beside what it measures.
const mostPaced = 8000

// spawn starts a program that ends with this one, and waits until its address answers.
func spawn(ctx context.Context, address string, environ []string, name string, args ...string) (*exec.Cmd, error) {
	log, err := os.Create(filepath.Join(os.TempDir(), "bench-"+filepath.Base(name)+".log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), environ...), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for range 200 {
		if answers(ctx, address) {
			return cmd, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, fmt.Errorf("%s does not answer: see %s", name, log.Name())
}
