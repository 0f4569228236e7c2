package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
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
				if a != nil {
					values[n] = *a
				}
			}
			prepared = append(prepared, func(ctx context.Context) error {
				rows, err := p.QueryxContext(ctx, values...)
				if err != nil {
					return err
				}
				for rows.Next() {
					if _, err := rows.SliceScan(); err != nil {
						return errors.Join(err, rows.Close())
					}
				}
				return errors.Join(rows.Err(), rows.Close())
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
	portal, twin string
	place        map[string]int // of an operation in the twin
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
	portal, twin, err := ports(ctx)
	if err != nil {
		return nil, err
	}
	p, err := spawn(ctx, "http://"+portal+"/readyz", []string{"DATABASE_URL=" + url, "HOST=127.0.0.1", "PORT=" + portal[strings.LastIndex(portal, ":")+1:], "FILES=file://" + dir + "/files", "LOG_LEVEL=error", "DEVELOPMENT=true", "TEST_DATABASE_URL="}, o.portal, "serve")
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t, err := spawn(ctx, "http://"+twin+"/raw/0", nil, self, "twin", file, twin, url)
	if err != nil {
		return nil, err
	}
	s := &servers{portal: "http://" + portal, twin: "http://" + twin, place: map[string]int{}, process: p.Process.Pid}
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

// ports are two free addresses.
func ports(ctx context.Context) (a, b string, err error) {
	var found [2]string
	for i := range found {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", err
		}
		defer func() { _ = l.Close() }()
		found[i] = l.Addr().String()
	}
	return found[0], found[1], nil
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
		list = append(list, turn{"twin", fmt.Sprintf("%s/pg/%d", s.twin, s.place[op.Name])})
	}
	if whole && op.Who == "" {
		list = append(list, turn{"raw", fmt.Sprintf("%s/raw/%d", s.twin, s.place[op.Name])})
	}
	return list
}

// measured is what one turn gave.
type measured struct {
	Rate     float64 // requests a second
	P50, P99 time.Duration
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

// pace asks at a fixed rate, whether answers come or not.
func pace(ctx context.Context, vegeta, url string, op operation, rate, seconds int) (m measured, err error) {
	target := "GET " + url + "\n"
	for name, value := range op.header() {
		target += name + ": " + value + "\n"
	}
	attack := exec.CommandContext(ctx, vegeta, "attack", "-rate", strconv.Itoa(max(1, rate)), "-duration", strconv.Itoa(seconds)+"s", "-max-workers", "500", "-redirects=-1")
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
	return measured{r.Rate, r.Latencies["50th"], r.Latencies["99th"]}, nil
}
