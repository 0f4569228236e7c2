package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// twin is the bare twin: Fiber, sqlx, lib/pq and the operations of a file, each under
// its place in it. /pg/N runs the statements and answers as many bytes as the page has;
// /raw/N only answers.
func twin(ctx context.Context, args []string) error {
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var ops []operation
	if err := json.Unmarshal(raw, &ops); err != nil {
		return err
	}
	db, err := open(args[2])
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	app := fiber.New(fiber.Config{DisableStartupMessage: true, StreamRequestBody: true, BodyLimit: 1 << 31})
	twinFiles(app, args[3])
	for i, op := range ops {
		body := bytes.Repeat([]byte("x"), op.Bytes)
		answer := func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, op.Type)
			return c.Send(body)
		}
		app.Get(fmt.Sprintf("/raw/%d", i), answer)
		var prepared []func(context.Context) error
		for _, s := range op.Statements {
			p, err := db.PreparexContext(ctx, s.Query)
			if err != nil {
				return fmt.Errorf("%s: %w", op.Name, err)
			}
			values := make([]any, len(s.Args))
			for n, a := range s.Args {
				if a == nil {
					continue
				}
				values[n] = *a
				if raw, ok := strings.CutPrefix(*a, `\x`); ok {
					if values[n], err = hex.DecodeString(raw); err != nil {
						return fmt.Errorf("%s: %w", op.Name, err)
					}
				}
			}
			prepared = append(prepared, func(ctx context.Context) error {
				n, err := read(p.QueryxContext(ctx, values...))
				if err == nil && n != s.Rows {
					err = fmt.Errorf("%d rows instead of %d: %s", n, s.Rows, s.Query)
				}
				return err
			})
		}
		app.Get(fmt.Sprintf("/pg/%d", i), func(c *fiber.Ctx) error {
			for _, run := range prepared {
				if err := run(c.Context()); err != nil {
					return err
				}
			}
			return answer(c)
		})
	}
	go func() {
		<-ctx.Done()
		os.Exit(0)
	}()
	return app.Listen(args[1])
}

// servers are what is measured.
type servers struct {
	portal, twin string         // http://…
	metrics      string         // of the portal
	place        map[string]int // of an operation in the twin
	files        string         // where the portal keeps them
	stop         func()
	process      int // of the portal
}

func start(ctx context.Context, url string, ops []operation, o options) (*servers, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "operations.json")
	raw, err := json.Marshal(ops)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return nil, err
	}
	var portal, metrics, twin string
	if err := ports(ctx, &portal, &metrics, &twin); err != nil {
		return nil, err
	}
	p, err := spawn(ctx, "http://"+portal+"/readyz", append(environment(url, portal, dir), "METRICS_PORT="+port(metrics)), o.portal, "serve")
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t, err := spawn(ctx, "http://"+twin+"/raw/0", nil, self, "twin", file, twin, url, dir)
	if err != nil {
		return nil, err
	}
	s := &servers{portal: "http://" + portal, twin: "http://" + twin, metrics: "http://" + metrics + "/metrics", place: map[string]int{}, files: dir, process: p.Process.Pid}
	for i, op := range ops {
		s.place[op.Name] = i
	}
	s.stop = func() {
		for _, cmd := range []*exec.Cmd{p, t} {
			_ = cmd.Process.Signal(os.Interrupt)
			_ = cmd.Wait() // how it ended is in its log
		}
		_ = os.RemoveAll(dir)
	}
	return s, nil
}

// environment is that of a portal at an address, with its files in dir, and as many connections
// as docs/operating.md advises for two processors. Its visitors come from wherever they say: it
// believes the proxy that there is not.
func environment(database, address, dir string) []string {
	return []string{"DATABASE_URL=" + database, "DATABASE_CONNECTIONS=8", "HOST=127.0.0.1", "PORT=" + port(address), "FILES=file://" + filepath.Join(dir, "files"), "LOG_LEVEL=error", "DEVELOPMENT=true",
		"TRUSTED_PROXIES=127.0.0.1/32", "BASE_URL=http://" + address, "TEST_DATABASE_URL="}
}

func port(address string) string { return address[strings.LastIndex(address, ":")+1:] }

// ports finds free addresses.
func ports(ctx context.Context, found ...*string) error {
	for _, address := range found {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer func() { _ = l.Close() }()
		*address = l.Addr().String()
	}
	return nil
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return r.StatusCode == http.StatusOK
}

type turn struct{ who, url string }

// turns are what is measured for an operation. What costs no statement has no twin but
// Fiber alone.
func (s *servers) turns(op operation, whole bool) []turn {
	list := []turn{{"portal", s.portal + op.Path}}
	if whole && len(op.Statements) > 0 {
		list = append(list, turn{"twin", fmt.Sprintf("%s/pg/%d", s.twin, s.place[op.Name])}, turn{who: "pgbench"})
	}
	if whole && op.Who == "" {
		list = append(list, turn{"raw", fmt.Sprintf("%s/raw/%d", s.twin, s.place[op.Name])})
	}
	return list
}

// take measures one turn.
func (s *servers) take(ctx context.Context, t turn, op operation, database string, o options) (m measured, err error) {
	switch t.who {
	case "pgbench":
		return script(ctx, database, op, o)
	case "portal":
		before, err := s.gauges(ctx)
		if err != nil {
			return m, err
		}
		if m, err = saturate(ctx, t.url, op, o.seconds); err != nil {
			return m, err
		}
		after, err := s.gauges(ctx)
		if err != nil {
			return m, err
		}
		asked := m.Rate * float64(o.seconds)
		m.CPU = time.Duration(float64(after.cpu()-before.cpu()) / asked)
		m.Memory = (after.allocated() - before.allocated()) / asked
		return m, nil
	}
	return saturate(ctx, t.url, op, o.seconds)
}

// measured is what one turn gave.
type measured struct {
	Rate     float64 // requests a second
	P50, P99 time.Duration
	CPU      time.Duration // of the portal, for a request
	Memory   float64       // bytes that the portal allocated for a request
}

var (
	wrkRate  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkAt    = regexp.MustCompile(`(?m)^\s+(50|99)%\s+(\S+)`)
	wrkWrong = regexp.MustCompile(`(?m)^\s*(Non-2xx.*|Socket errors.*)$`)
)

// saturate asks by eight connections, each again as soon as it is answered.
func saturate(ctx context.Context, url string, op operation, seconds int) (m measured, err error) {
	args := []string{"-t1", "-c8", "-d" + strconv.Itoa(seconds) + "s", "--latency", "--timeout", "20s"}
	for name, value := range op.header() {
		args = append(args, "-H", name+": "+value)
	}
	out, err := exec.CommandContext(ctx, "wrk", append(args, url)...).Output()
	if err != nil {
		return m, err
	}
	if wrong := wrkWrong.FindSubmatch(out); wrong != nil {
		return m, fmt.Errorf("%s", wrong[1])
	}
	rate := wrkRate.FindSubmatch(out)
	if rate == nil {
		return m, fmt.Errorf("wrk said %s", out)
	}
	if m.Rate, err = strconv.ParseFloat(string(rate[1]), 64); err != nil {
		return m, err
	}
	for _, at := range wrkAt.FindAllSubmatch(out, -1) {
		d, err := time.ParseDuration(string(at[2]))
		if err != nil {
			return m, err
		}
		if string(at[1]) == "50" {
			m.P50 = d
		} else {
			m.P99 = d
		}
	}
	return m, nil
}

// unkept has vegeta read answers and not keep them: else it writes each into its results,
// which took more of the machine than what was measured.
const unkept = "-max-body=0"

// pace asks at a fixed rate, whether answers come or not.
func pace(ctx context.Context, vegeta, url string, op operation, rate, seconds int) (m measured, err error) {
	target := "GET " + url + "\n"
	for name, value := range op.header() {
		target += name + ": " + value + "\n"
	}
	attack := exec.CommandContext(ctx, vegeta, "attack", "-rate", strconv.Itoa(max(1, rate)), "-duration", strconv.Itoa(seconds)+"s", "-max-workers", "500", "-redirects=-1", unkept)
	attack.Stdin = strings.NewReader(target)
	var log, out bytes.Buffer
	attack.Stdout, attack.Stderr = &log, os.Stderr
	if err := attack.Run(); err != nil {
		return m, err
	}
	reporting := exec.CommandContext(ctx, vegeta, "report", "-type=json")
	reporting.Stdin, reporting.Stdout = &log, &out
	if err := reporting.Run(); err != nil {
		return m, err
	}
	var r struct {
		Latencies map[string]time.Duration
		Success   float64
		Rate      float64
		Errors    []string
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return m, err
	}
	if r.Success < 1 {
		return m, fmt.Errorf("%.2f %% answered: %v", 100*r.Success, r.Errors)
	}
	return measured{Rate: r.Rate, P50: r.Latencies["50th"], P99: r.Latencies["99th"]}, nil
}
