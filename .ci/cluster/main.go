// Command cluster brings up the portal as docs/scaling.md wants it, on loopback: three
// portals behind HAProxy, PgBouncer, a Postgres primary with a synchronous replica, a
// store that speaks S3; with the files of deploy/cluster. Then it breaks it, part by
// part, while people read and write, and says what they noticed: `make cluster`.
//
// It takes about six minutes and leaves nothing but var/cluster/log. With -stay it breaks
// nothing, and stays until it is interrupted; with -measure it measures with one, two
// and three portals.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"commissionportal/internal/postgres/private"
	"commissionportal/internal/sample"
)

type options struct {
	program   string // the portal
	s3program string
	only      string
	stay      bool
	measure   bool
	world     bool
	direct    bool
	rate      int
	seconds   int
}

// scale is that of the world.
const scale = 0.01

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	var o options
	flag.StringVar(&o.program, "portal", filepath.Join("var", "portal"), "the program")
	flag.StringVar(&o.s3program, "s3", "versitygw", "the store of files")
	flag.StringVar(&o.only, "run", "", "breaks what matches alone")
	flag.BoolVar(&o.stay, "stay", false, "breaks nothing and stays, to be looked at")
	flag.BoolVar(&o.measure, "measure", false, "breaks nothing and measures")
	flag.BoolVar(&o.world, "world", false, "has the world of a hundredth in it, and not the sample; always so with -measure")
	flag.BoolVar(&o.direct, "direct", false, "without PgBouncer, and nothing read from the replica")
	flag.IntVar(&o.rate, "rate", 40, "requests a second while something is broken")
	flag.IntVar(&o.seconds, "seconds", 3, "how long a turn of -measure is")
	flag.Parse()
	o.world = o.world || o.measure
	only, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}
	if o.program, err = filepath.Abs(o.program); err != nil {
		return err
	}
	// Debian has them where an ordinary account does not look.
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin"); err != nil {
		return err
	}
	if err := private.Install(ctx, os.Stderr); err != nil {
		return err
	}
	old := o.program
	if upgrade := !o.stay && !o.measure && only.MatchString(trials[0].name); upgrade {
		if old, err = before(ctx); err != nil {
			return err
		}
	}
	began := time.Now()
	c, err := begin(ctx, o)
	if c != nil {
		defer func() { err = errors.Join(err, c.end()) }()
	}
	if err != nil {
		return err
	}
	if err := c.fill(ctx, old); err != nil {
		return err
	}
	if err := c.up(old); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "up after %.0f s; logs are in %s\n", time.Since(began).Seconds(), filepath.Join("var", "cluster", "log"))
	switch {
	case o.stay:
		c.say()
		<-ctx.Done()
		return nil
	case o.measure:
		return c.measured(ctx)
	}
	return c.tried(ctx, only, old)
}

// say prints where everything is.
func (c *cluster) say() {
	d := c.database
	fmt.Printf("\n  The portal     %s   (Ctrl-C ends it)\n", c.base())
	for i := range c.portals {
		fmt.Printf("    portal %d     http://127.0.0.1:%s   metrics: %s\n", i+1, c.ports[fmt.Sprint("portal", i+1)], c.ports[fmt.Sprint("metrics", i+1)])
	}
	fmt.Printf("  Sign in as     %s, %s, %s\n  Password       %s\n", sample.Secretariat, sample.Chair, sample.Member, sample.Password)
	fmt.Printf("  HAProxy        echo show stat | socat - %s\n", filepath.Join(c.dir, "haproxy.sock"))
	fmt.Printf("  PgBouncer      psql postgres://pgbouncer:%s@127.0.0.1:%s/pgbouncer -c 'SHOW POOLS'\n", d.password, c.ports["pgbouncer"])
	for i, s := range d.servers {
		fmt.Printf("  %-14s psql '%s'\n", map[bool]string{true: "Primary", false: "Replica"}[i == d.primary], d.address(s, "postgres", "portal"))
	}
	fmt.Printf("  Files          http://127.0.0.1:%s, in %s\n\n", c.ports["s3"], filepath.Join(c.dir, "s3"))
}
