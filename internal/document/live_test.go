package document

import (
	"context"
	"testing"

	"github.com/google/uuid"
)

// TestHear: what only those may know who see a document's shares wakes them alone,
// and nobody is woken for another document.
func TestHear(t *testing.T) {
	t.Parallel()
	s := &Service{live: newLive(nil)}
	s.live.stop = func() error { return nil }
	follow := func(id uuid.UUID, by string, shares bool) *Following {
		f := &Following{Document: id, s: s, by: by, wake: make(chan struct{}, 1)}
		f.shares.Store(shares)
		if err := s.live.add(f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	one, other := uuid.New(), uuid.New()
	owner, reader, elsewhere := follow(one, "owner", true), follow(one, "reader", false), follow(other, "owner", true)
	for said, want := range map[string][3]bool{one.String(): {true, true, false}, one.String() + " share": {true, false, false}, other.String(): {false, false, true}, "": {true, true, true}, "nonsense": {}} {
		s.live.hear(said)
		s.live.hear(said) // told once
		for i, f := range []*Following{owner, reader, elsewhere} {
			if woken := len(f.wake) > 0; woken != want[i] {
				t.Errorf("%q wakes the %d. who follows: %v", said, i+1, woken)
			}
			select {
			case <-f.wake:
			default:
			}
		}
	}
	owner.Close()
	owner.Close()
	if s.live.n != 2 || s.live.of["owner"] != 1 {
		t.Errorf("%d follow, %d of them the owner", s.live.n, s.live.of["owner"])
	}
	if err := s.Quiet(); err != nil {
		t.Fatal(err)
	}
	if _, open := <-reader.wake; open {
		t.Error("the end is not told")
	}
	if err := s.live.add(reader); err == nil {
		t.Error("somebody follows after the end")
	}
}

// TestCrowded: a page does not wait where too many views wait to be written; what
// is forgotten is counted.
func TestCrowded(t *testing.T) {
	t.Parallel()
	s := &Service{visits: newVisits()}
	for range mostVisits + 7 {
		s.visits.note(visit{}, Document{})
	}
	if n := s.Dropped(); n != 7 {
		t.Errorf("%d were dropped, want 7", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Flush(ctx); err == nil {
		t.Error("nobody writes, and yet it is flushed")
	}
}
