package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// rounds is how often everything takes its turn.
const rounds = 3

// turn is what one of them gave.
type turn struct {
	rate     float64
	p50, p99 time.Duration
	cost     [5]time.Duration // of the processor, for a request: see those who share it
}

// sharers are who shares the processors, but for who asks.
func (c *cluster) sharers() [5][]*process {
	d := c.database
	return [5][]*process{c.portals[:], {d.servers[d.primary].process}, {d.replica().process}, {c.bouncer}, {c.haproxy}}
}

func (c *cluster) spent() (all [5]time.Duration) {
	for i, who := range c.sharers() {
		all[i] = cpu(who...)
	}
	return all
}

// measured has people ask one, two and three portals as fast as they are answered, and
// prints a table.
func (c *cluster) measured(ctx context.Context) error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return errors.New("the load generator is missing: apt-get install wrk")
	}
	p, err := c.gather(ctx)
	if err != nil {
		return err
	}
	name, err := c.paper(ctx)
	if err != nil {
		return err
	}
	home := "/commissions/" + p.chair.Slug
	rows := []struct {
		what string
		do   func(context.Context) (turn, error)
	}{
		{"a commission, visitor", func(ctx context.Context) (turn, error) { return p.wrk(ctx, home, "") }},
		{"commissions", func(ctx context.Context) (turn, error) { return p.wrk(ctx, "/commissions", p.chair.cookie) }},
		{"roster", func(ctx context.Context) (turn, error) { return p.wrk(ctx, home+"/roster", p.chair.cookie) }},
		{"register", func(ctx context.Context) (turn, error) { return p.wrk(ctx, home+"/documents", p.chair.cookie) }},
		{"document", func(ctx context.Context) (turn, error) { return p.wrk(ctx, "/documents/"+name, p.chair.cookie) }},
		{"apply, withdraw", p.applies},
	}
	fmt.Println("| | portals | a second | p50 | p99 | portals, ms | primary | replica | PgBouncer | HAProxy |\n|---|---|---|---|---|---|---|---|---|---|")
	for _, row := range rows {
		var took [3][]turn
		for range rounds {
			for n := range c.portals {
				if err := c.serving(n + 1); err != nil {
					return err
				}
				before := c.spent()
				t, err := row.do(ctx)
				if err != nil {
					return fmt.Errorf("%s: %w", row.what, err)
				}
				after := c.spent()
				for i := range t.cost {
					t.cost[i] = time.Duration(float64(after[i]-before[i]) / (t.rate * float64(c.seconds)))
				}
				took[n] = append(took[n], t)
			}
		}
		for n, turns := range took {
			slices.SortFunc(turns, func(a, b turn) int { return int(a.rate - b.rate) })
			t := turns[len(turns)/2]
			fmt.Printf("| %s | %d | %.0f | %.1f | %.1f |", row.what, n+1, t.rate, ms(t.p50), ms(t.p99))
			for _, cost := range t.cost {
				fmt.Printf(" %.2f |", ms(cost))
			}
			fmt.Println()
		}
	}
	return ctx.Err()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// serving has HAProxy send requests to the first n portals.
func (c *cluster) serving(n int) error {
	for i := range c.portals {
		state := "ready"
		if i >= n {
			state = "maint"
		}
		if said, err := c.tell(fmt.Sprintf("set server portals/portal%d state %s", i+1, state)); err != nil || len(said) > 1 {
			return fmt.Errorf("HAProxy: %q %w", said, err)
		}
	}
	for i := range n {
		if err := c.taken(i); err != nil {
			return err
		}
	}
	return nil
}

var (
	wrkRate  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkAt    = regexp.MustCompile(`(?m)^\s+(50|99)%\s+(\S+)`)
	wrkWrong = regexp.MustCompile(`(?m)^\s*(Non-2xx.*|Socket errors.*)$`)
)

// lines is how many ask at once.
const lines = 16

// wrk asks for a page, again as soon as it is answered.
func (p *people) wrk(ctx context.Context, path, cookie string) (t turn, err error) {
	args := []string{"-t1", "-c" + strconv.Itoa(lines), "-d" + strconv.Itoa(p.c.seconds) + "s", "--latency", "--timeout", "20s", "-H", "Accept-Encoding: br"}
	if cookie != "" {
		args = append(args, "-H", "Cookie: "+cookie)
	}
	out, err := exec.CommandContext(ctx, "wrk", append(args, p.c.base()+path)...).Output()
	if err != nil {
		return t, err
	}
	rate := wrkRate.FindSubmatch(out)
	if wrong := wrkWrong.Find(out); wrong != nil || rate == nil {
		return t, fmt.Errorf("wrk: %s", out)
	}
	if t.rate, err = strconv.ParseFloat(string(rate[1]), 64); err != nil {
		return t, err
	}
	for _, at := range wrkAt.FindAllSubmatch(out, -1) {
		d, err := time.ParseDuration(string(at[2]))
		if err != nil {
			return t, err
		}
		if string(at[1]) == "50" {
			t.p50 = d
		} else {
			t.p99 = d
		}
	}
	return t, nil
}

// applies has people apply and withdraw, each as soon as they are answered.
func (p *people) applies(ctx context.Context) (t turn, err error) {
	l := &load{people: p, ctx: ctx, name: "measured " + strconv.FormatInt(time.Now().UnixNano(), 36), failed: map[string]int{}}
	var wait sync.WaitGroup
	end := time.Now().Add(time.Duration(p.c.seconds) * time.Second)
	var mu sync.Mutex
	var took []time.Duration
	for line := range lines {
		wait.Go(func() {
			for i := line; time.Now().Before(end); i += lines {
				began := time.Now()
				if l.by(l.others, func(who *person) bool { return l.apply(who, i) }) {
					mu.Lock()
					took = append(took, time.Since(began)/2) // two requests
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	if len(l.wrong)+len(l.lost)+len(l.failed) > 0 || len(took) == 0 {
		return t, fmt.Errorf("%v %v %v", l.wrong, l.lost, l.failed)
	}
	slices.Sort(took)
	return turn{rate: float64(2*len(took)) / float64(p.c.seconds), p50: took[len(took)/2], p99: took[len(took)*99/100]}, nil
}
