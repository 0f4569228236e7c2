package main

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// notes say what falls short, and what was tried: written by hand.
//
//go:embed notes.md
var notes string

// result is all that was measured of an operation.
type result struct {
	operation
	turns map[string][]measured
	Open  measured
}

func (r *result) add(who string, m measured) {
	if r.turns == nil {
		r.turns = map[string][]measured{}
	}
	r.turns[who] = append(r.turns[who], m)
}

// rate is the median of all turns.
func (r *result) rate(who string) float64 {
	return median(r.turns[who], func(m measured) float64 { return m.Rate })
}

func median(list []measured, of func(measured) float64) float64 {
	values := make([]float64, len(list))
	for i, m := range list {
		values[i] = of(m)
	}
	return medianOf(values)
}

func medianOf(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}

// spread says ratios: the middle, and the least and the most.
func spread(ratios []float64) string {
	if len(ratios) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %% (%.0f to %.0f)", 100*medianOf(ratios), 100*slices.Min(ratios), 100*slices.Max(ratios))
}

// ratios is what each round gave: two that were measured one after the other are compared.
func (r *result) ratios(limit string) (list []float64) {
	for i, m := range r.turns["portal"] {
		if i < len(r.turns[limit]) {
			list = append(list, m.Rate/r.turns[limit][i].Rate)
		}
	}
	return list
}

// line is a row of the table.
func (r *result) line() string {
	limit := "twin"
	if r.Who == "" {
		limit = "raw"
	}
	pgbench := "–"
	if len(r.turns["pgbench"]) > 0 {
		pgbench = fmt.Sprintf("%.0f", r.rate("pgbench"))
	}
	portal := r.turns["portal"]
	return fmt.Sprintf("| %.0f | %.0f | %s | %s | %s | %s | %.2f | %.0f | %d | %.1f |", r.rate("portal"), r.rate(limit), spread(r.ratios(limit)), pgbench, ms(r.Open.P50), ms(r.Open.P99),
		median(portal, func(m measured) float64 { return float64(m.CPU.Microseconds()) / 1000 }), median(portal, func(m measured) float64 { return m.Memory / 1000 }), len(r.Statements), float64(r.Bytes)/1000)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }

func report(ctx context.Context, large, small []result, found []finding, o options) (string, error) {
	commit, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# How fast it is\n\nWritten by `make bench` on %s, at commit %s, on %d processors with everything on them: Postgres, the portal, the load. "+
		"Absolute figures differ from machine to machine, twofold among those of one name; what counts is the ratio to the limit, measured in turns in the same run.\n\n", time.Now().Format("2 January 2006"), strings.TrimSpace(string(commit)), runtime.NumCPU())
	fmt.Fprintf(&b, "The world is that of `make world`: 10,000 commissions, one of them with 20,000 seats, 60,000 organizations, 500,000 persons, one of whom (the member below) has 300 seats, 1,200,000 seats, 1,000,000 documents, 3,000,000 readings.\n\n"+
		"- **a second**: answers a second to 8 connections that each ask again as soon as they are answered (wrk, %d turns of %d s, median).\n"+
		"- **limit**: the same for the *bare twin*, a few lines of Fiber, sqlx and lib/pq that run the same statements, prepared, and answer as many bytes; for visitors, Fiber alone that answers as many bytes from memory.\n"+
		"- **of the limit**: median of the rounds, and the least and the most.\n"+
		"- **pgbench**: how often a second it runs the statements, prepared, by 8 connections, and throws the answers away.\n"+
		"- **p50, p99**: in ms, at half that rate, and at most 8,000 a second, sent whether answers come or not (vegeta, %d s).\n"+
		"- **CPU**: ms of the portal's processor time for a request; **allocated**: kB; both while it is saturated.\n"+
		"- **statements** a request, the session's and the right's among them; **kB** of the answer.\n\n", o.rounds, o.seconds, 2*o.seconds)
	b.WriteString("| | a second | limit | of the limit | pgbench | p50 | p99 | CPU | allocated | statements | kB |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range large {
		fmt.Fprintf(&b, "| %s %s\n", r.Name, r.line())
	}
	if len(small) > 0 {
		b.WriteString("\n## Growth\n\nThe same on a world of a hundredth: p50 in ms at half the saturating rate of each, and answers a second while saturated. Cost is to grow with what a page shows, not with what the database holds.\n\n" +
			"| | p50, a hundredth | p50, whole | grows | a second, a hundredth | whole | falls |\n|---|---|---|---|---|---|---|\n")
		for _, l := range large {
			for _, s := range small {
				if s.Name == l.Name && l.Who != "" {
					fmt.Fprintf(&b, "| %s | %s | %s | %.2f | %.0f | %.0f | %.2f |\n", l.Name, ms(s.Open.P50), ms(l.Open.P50), float64(l.Open.P50)/float64(s.Open.P50),
						s.rate("portal"), l.rate("portal"), s.rate("portal")/l.rate("portal"))
				}
			}
		}
	}
	if len(found) > 0 {
		b.WriteString("\n## What is no page\n\nFiles go through the portal and, in turns, through a few lines of Fiber that stream a file, or that stream, hash (SHA-256) and sync what comes, and do nothing else. Memory is the most that the portal took meanwhile.\n\n" +
			"| | measured | limit | of the limit | memory |\n|---|---|---|---|---|\n")
		for _, f := range found {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.what, f.found, cmp.Or(f.limit, "–"), cmp.Or(f.ratio, "–"), cmp.Or(f.memory, "–"))
		}
	}
	b.WriteString(notes)
	return b.String(), nil
}
