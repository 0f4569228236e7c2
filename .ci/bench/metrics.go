package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// gauges are what the portal says of itself to Prometheus.
type gauges map[string]float64

func (s *servers) gauges(ctx context.Context) (gauges, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metrics, nil)
	if err != nil {
		return nil, err
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Body.Close() }()
	g := gauges{}
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			g[name] = n
		}
	}
	return g, lines.Err()
}

func (g gauges) cpu() time.Duration {
	return time.Duration(g["process_cpu_seconds_total"] * float64(time.Second))
}

func (g gauges) allocated() float64 { return g["go_memstats_alloc_bytes_total"] }

// resident is how much memory the portal takes, and took at most since forget.
func (s *servers) resident() (now, most int64, err error) { return resident(s.process) }

func resident(process int) (now, most int64, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return 0, 0, err
	}
	for name, to := range map[string]*int64{"VmRSS:": &now, "VmHWM:": &most} {
		_, after, _ := strings.Cut(string(raw), name)
		if _, err := fmt.Sscan(after, to); err != nil {
			return 0, 0, fmt.Errorf("%s %w", name, err)
		}
		*to <<= 10
	}
	return now, most, nil
}

// forget has the kernel note the most memory anew (proc(5), clear_refs).
func (s *servers) forget() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.process), []byte("5"), 0)
}

// watch runs a program and answers the most memory that it took, as it was a moment before
// its end: what the system says of one that has ended counts its parent's too.
func watch(cmd *exec.Cmd) (most int64, err error) {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				err = fmt.Errorf("%v: %w: %s", cmd.Args, err, said.Bytes()[max(0, said.Len()-1000):])
			}
			return most, err
		case <-time.After(20 * time.Millisecond):
			if _, now, err := resident(cmd.Process.Pid); err == nil { // it may just have ended
				most = now
			}
		}
	}
}
