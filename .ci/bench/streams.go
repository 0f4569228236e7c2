package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	listeners = 10_000
	ofOne     = 10 // streams of a person
)

// streams has ten thousand follow a document, has something happen to it, and takes the
// right from some of them.
func streams(ctx context.Context, s *stage) error {
	cookies, err := s.sessions(ctx, listeners/ofOne, `NOT EXISTS (SELECT FROM session WHERE person_id = person.id)`)
	if err != nil {
		return err
	}
	document := strings.TrimPrefix(s.path("document"), "/documents/")
	before, _, err := s.resident()
	if err != nil {
		return err
	}
	heard, ended := make(chan time.Time, 4*listeners), make(chan time.Time, listeners)
	var open atomic.Int64
	var wait sync.WaitGroup
	lines := make([]net.Conn, listeners)
	defer func() {
		for _, l := range lines {
			if l != nil {
				_ = l.Close()
			}
		}
		wait.Wait()
	}()
	_, all, err := each(8, listeners, func(i int) error {
		l, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(s.portal, "http://"))
		if err != nil {
			return err
		}
		lines[i] = l
		if _, err := fmt.Fprintf(l, "GET /events?document=%s HTTP/1.1\r\nHost: bench\r\nCookie: %s\r\n\r\n", document, cookies[i/ofOne]); err != nil {
			return err
		}
		r := bufio.NewReaderSize(l, 512)
		if status, err := r.ReadString('\n'); err != nil || !strings.Contains(status, " 200 ") {
			return fmt.Errorf("%q: %w", status, err)
		}
		wait.Go(func() {
			for first := true; ; {
				line, err := r.ReadString('\n')
				switch {
				case err != nil:
					return
				case strings.HasPrefix(line, "event: changed") && first:
					first = false
					open.Add(1)
				case strings.HasPrefix(line, "event: changed"):
					heard <- time.Now()
				case strings.HasPrefix(line, "event: end"):
					ended <- time.Now()
				}
			}
		})
		return nil
	})
	if err != nil {
		return err
	}
	if err := until(ctx, time.Minute, func() bool { return open.Load() == listeners }); err != nil {
		return fmt.Errorf("%d of %d hear: %w", open.Load(), listeners, err)
	}
	time.Sleep(5 * time.Second) // what was asked at the beginning has been answered
	now, _, err := s.resident()
	if err != nil {
		return err
	}
	s.note(finding{what: "event streams, 10,000 open", found: fmt.Sprintf("opened in %.0f s", all.Seconds()), limit: "400 MB", memory: fmt.Sprintf("%s, %s before", mb(now), mb(before))})

	var id string
	if err := s.db.GetContext(ctx, &id, `SELECT d.id::text FROM document d JOIN register r USING (commission_id) WHERE r.prefix || '-N' || lpad(d.number::text, 4, '0') = $1`, document); err != nil {
		return err
	}
	var worst, middle []time.Duration
	for range s.o.rounds {
		began := time.Now()
		// As the trigger of a reading does.
		if _, err := s.db.ExecContext(ctx, `SELECT pg_notify('document', $1)`, id); err != nil {
			return err
		}
		took, err := collect(ctx, heard, listeners, began)
		if err != nil {
			return err
		}
		worst, middle = append(worst, quantile(took, .99)), append(middle, quantile(took, .5))
		time.Sleep(1500 * time.Millisecond) // what happens within a second is told together
	}
	s.note(finding{what: "an event told to all of them", found: fmt.Sprintf("p50 %s ms, p99 %s ms (%s to %s)", ms(quantile(middle, .5)), ms(quantile(worst, .5)), ms(slices.Min(worst)), ms(slices.Max(worst))), limit: "p99 250 ms"})

	const lost = 100
	began := time.Now()
	if _, err := s.db.ExecContext(ctx, `DELETE FROM session WHERE person_id IN (SELECT person_id FROM session WHERE hash = ANY($1::bytea[]))`, byteas(hashesOf(cookies[:lost/ofOne]))); err != nil {
		return err
	}
	took, err := collect(ctx, ended, lost, began)
	if err != nil {
		return err
	}
	s.note(finding{what: "a hundred of them who may no longer", found: fmt.Sprintf("the last ended after %s ms", ms(slices.Max(took))), limit: "1,000 ms"})
	return nil
}

// collect waits until n have heard of what happened at began.
func collect(ctx context.Context, heard <-chan time.Time, n int, began time.Time) ([]time.Duration, error) {
	took := make([]time.Duration, 0, n)
	late := time.After(20 * time.Second)
	for len(took) < n {
		select {
		case at := <-heard:
			took = append(took, at.Sub(began))
		case <-late:
			return took, fmt.Errorf("%d of %d heard of it", len(took), n)
		case <-ctx.Done():
			return took, ctx.Err()
		}
	}
	return took, nil
}

func until(ctx context.Context, most time.Duration, good func() bool) error {
	for end := time.Now().Add(most); !good(); {
		if ctx.Err() != nil || time.Now().After(end) {
			return errors.Join(ctx.Err(), errors.New("too late"))
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}
