package document

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"commissionportal/internal/problem"
)

// TestHear: what only those may know who see a document's shares wakes them alone, and
// has others ask whether they may still follow it; nobody is woken for another document.
func TestHear(t *testing.T) {
	t.Parallel()
	s := &Service{live: newLive(nil, 3)}
	follow := func(id uuid.UUID, by string, shares bool) *Following {
		f := &Following{Document: id, s: s, by: by, wake: make(chan struct{}, 1), doubt: make(chan struct{}, 1)}
		f.shares.Store(shares)
		if err := s.live.add(f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	one, other := uuid.New(), uuid.New()
	owner, reader, elsewhere := follow(one, "owner", true), follow(one, "reader", false), follow(other, "owner", true)
	if err := s.live.add(&Following{Document: one, by: "late"}); problem.As(err) == nil || problem.As(err).Kind != problem.Unavailable {
		t.Errorf("one more than there may be: %v", err)
	}
	for _, tt := range []struct{ channel, said, wake, doubt string }{
		{"document", one.String(), "owner reader", ""},
		{"document", one.String() + " share", "owner", "reader"},
		{"document", other.String(), "elsewhere", ""},
		{"document", "nonsense", "", ""},
		{"rights", "reader", "", "reader"},
		{"rights", "nobody", "", ""},
		{"rights", "", "", "elsewhere owner reader"},
		{"", "", "elsewhere owner reader", "elsewhere owner reader"},
	} {
		s.live.hear(tt.channel, tt.said)
		s.live.hear(tt.channel, tt.said) // told once
		var woken, doubts []string
		for name, f := range map[string]*Following{"owner": owner, "reader": reader, "elsewhere": elsewhere} {
			if len(f.wake) > 0 {
				<-f.wake
				woken = append(woken, name)
			}
			if len(f.doubt) > 0 {
				<-f.doubt
				doubts = append(doubts, name)
			}
		}
		slices.Sort(woken)
		slices.Sort(doubts)
		if got := strings.Join(woken, " "); got != tt.wake {
			t.Errorf("%q on %s wakes %q, want %q", tt.said, tt.channel, got, tt.wake)
		}
		if got := strings.Join(doubts, " "); got != tt.doubt {
			t.Errorf("%q on %s makes %q doubt, want %q", tt.said, tt.channel, got, tt.doubt)
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
