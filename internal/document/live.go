package document

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/access"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

const mostOfOne = 10 // streams of one person, or of one address of visitors

// live wakes those who follow a document when something happens to it, and has those ask
// again who may have lost the right to, in whatever process that is: it hears what the
// database says as a transaction commits.
type live struct {
	db      *postgres.DB
	most    int        // streams of this process
	hearing sync.Mutex // held while it begins to listen

	mu      sync.Mutex
	streams map[uuid.UUID]map[*Following]bool
	of      map[string]int // by who follows
	n       int
	closed  bool

	hears atomic.Pointer[postgres.Listener] // set under mu; nil: it does not listen, since nobody has followed yet
}

func newLive(db *postgres.DB, most int) *live {
	return &live{db: db, most: most, streams: map[uuid.UUID]map[*Following]bool{}, of: map[string]int{}}
}

// Following is somebody who follows what happens to a document.
type Following struct {
	Document uuid.UUID
	Wake     <-chan struct{} // sent to when something happened; closed when the portal stops
	Doubt    <-chan struct{} // sent to when whoever follows may have lost the right to

	s      *Service
	name   string // as it was asked for
	by     string
	wake   chan struct{}
	doubt  chan struct{}
	shares atomic.Bool // hears also of what only those may know who see its shares
}

// Follow lets somebody who may read the trace of a document follow it. from is the
// address they ask from, by which visitors are told apart.
func (s *Service) Follow(ctx context.Context, who access.Actor, name, from string) (*Following, error) {
	d, _, err := s.require(ctx, who, name, "trace", "read")
	if err != nil {
		return nil, err
	}
	f := &Following{Document: d.ID, s: s, name: d.ID.String(), by: from, wake: make(chan struct{}, 1), doubt: make(chan struct{}, 1)}
	if who.SignedIn() {
		f.by = who.ID.String()
	}
	f.Wake, f.Doubt = f.wake, f.doubt
	f.shares.Store(s.access.May(who, d.Scope(), "share", "read"))
	if err := s.live.add(f); err != nil {
		return nil, err
	}
	if err := s.live.listen(ctx); err != nil {
		f.Close()
		return nil, err
	}
	send(f.doubt) // what was lost after it was asked for, and before it listened
	return f, nil
}

// Ask asks anew for the right to follow.
func (f *Following) Ask(ctx context.Context, who access.Actor) error {
	d, _, err := f.s.require(ctx, who, f.name, "trace", "read")
	if err == nil {
		f.shares.Store(f.s.access.May(who, d.Scope(), "share", "read"))
	}
	return err
}

// Deaf reports whether nothing is heard of lost rights at the moment, nor of anything.
func (f *Following) Deaf() bool {
	hears := f.s.live.hears.Load()
	return hears == nil || hears.Deaf()
}

// Close ends it.
func (f *Following) Close() { f.s.live.remove(f) }

var errStopping = problem.New(problem.Unavailable, "The portal is about to stop. Try again in a moment.")

func (l *live) add(f *Following) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return errStopping
	case l.of[f.by] >= mostOfOne:
		return problem.New(problem.TooMany, "You follow %d documents already. Close one of their pages.", mostOfOne)
	case l.n >= l.most:
		return problem.New(problem.Unavailable, "Too many pages are followed at the moment. Refresh this one to see what is new.")
	}
	if l.streams[f.Document] == nil {
		l.streams[f.Document] = map[*Following]bool{}
	}
	l.streams[f.Document][f] = true
	l.of[f.by]++
	l.n++
	return nil
}

func (l *live) remove(f *Following) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.streams[f.Document][f] {
		return
	}
	if delete(l.streams[f.Document], f); len(l.streams[f.Document]) == 0 {
		delete(l.streams, f.Document)
	}
	if l.of[f.by]--; l.of[f.by] == 0 {
		delete(l.of, f.by)
	}
	l.n--
}

// listen begins to, with the first who follows.
func (l *live) listen(ctx context.Context) error {
	l.hearing.Lock()
	defer l.hearing.Unlock()
	l.mu.Lock()
	done, closed := l.hears.Load() != nil, l.closed
	l.mu.Unlock()
	if closed {
		return errStopping
	}
	if done {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	hears, err := l.db.Listen(ctx, l.hear, "document", "rights")
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errors.Join(errStopping, hears.Stop())
	}
	l.hears.Store(hears)
	return nil
}

// hear is told on the channel document the id of one, and "share" after it if only those
// may know who see its shares; on rights, the id of who may have lost one, or nothing if
// it may be anybody; and no channel where some may have been missed.
func (l *live) hear(channel, said string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if channel != "document" {
		for _, all := range l.streams {
			for f := range all {
				if channel == "" {
					send(f.doubt) // before it is woken
					send(f.wake)
				} else if said == "" || f.by == said {
					send(f.doubt)
				}
			}
		}
		return
	}
	text, of, _ := strings.Cut(said, " ")
	id, err := uuid.Parse(text)
	if err != nil {
		return
	}
	for f := range l.streams[id] {
		switch {
		case of != "share" || f.shares.Load():
			send(f.wake)
		default:
			send(f.doubt)
		}
	}
}

func send(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default: // what was sent before is still to be taken
	}
}

// Quiet ends all who follow, and lets nobody follow any more: the portal is about
// to stop, which an open stream would hold up.
func (s *Service) Quiet() error {
	l := s.live
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	for _, all := range l.streams {
		for f := range all {
			close(f.wake)
		}
	}
	if hears := l.hears.Load(); hears != nil {
		return hears.Stop()
	}
	return nil
}
