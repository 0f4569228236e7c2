package kept

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// always has something changed since one looked last.
func always() func(context.Context) (int64, error) {
	var n atomic.Int64
	return func(context.Context) (int64, error) { return n.Add(1), nil }
}

func TestValues(t *testing.T) {
	t.Parallel()
	k := Values[string, int]{most: time.Minute, changes: always()}
	found := 0
	get := func(after time.Duration, key string) int {
		t.Helper()
		n, err := k.Get(t.Context(), noon.Add(after), key, func(context.Context) (int, error) { found++; return found, nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, step := range []struct {
		after  time.Duration
		key    string
		forget bool
		want   int
	}{
		{0, "a", false, 1},
		{least - 1, "a", false, 1},
		{0, "b", false, 2},
		{time.Minute, "a", false, 3},
		{time.Minute + 1, "a", true, 4},
		{-2 * time.Hour, "a", false, 5}, // the clock was put back
	} {
		if step.forget {
			k.Forget()
		}
		if n := get(step.after, step.key); n != step.want {
			t.Errorf("%+v: %d", step, n)
		}
	}
	if _, err := k.Get(t.Context(), noon, "c", func(context.Context) (int, error) { return 0, errors.ErrUnsupported }); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if n := get(0, "c"); n != 6 {
		t.Error("a failure was kept:", n)
	}
	for i := range 2 * mostKeys {
		get(0, string(rune('가'+i)))
	}
	if n := len(k.of); n > mostKeys {
		t.Error(n, "keys are kept")
	}
}

// What took long is kept longer, and nothing for longer than it may be.
func TestValuesAreKeptByTheirPrice(t *testing.T) {
	t.Parallel()
	const took = 2 * least / dear
	k := Values[string, int]{most: time.Minute, changes: always()}
	n := 0
	find := func(context.Context) (int, error) { n++; time.Sleep(took); return n, nil }
	for _, step := range []struct {
		most  time.Duration
		after time.Duration
		want  int
	}{
		{time.Minute, 0, 1},
		{time.Minute, dear*took - 1, 1},
		{time.Minute, time.Minute - 1, 2},
		{dear * took / 2, 10 * time.Minute, 3},
		{dear * took / 2, 10*time.Minute + dear*took/2, 4},
	} {
		k.most = step.most
		if got, err := k.Get(t.Context(), noon.Add(step.after), "k", find); got != step.want || err != nil {
			t.Errorf("%+v: %d, %v", step, got, err)
		}
	}
}

// What nothing has changed of is looked at, and not found out anew, until a term may have
// run out; and what has changed, is at the next look.
func TestValuesAreFoundOutWhenSomethingChanged(t *testing.T) {
	t.Parallel()
	changes := int64(1)
	broken := error(nil)
	k := Values[string, int]{most: 10 * time.Second, changes: func(context.Context) (int64, error) { return changes, broken }}
	n := 0
	const took = 10 * time.Millisecond
	find := func(context.Context) (int, error) { n++; time.Sleep(took); return n, nil }
	for _, step := range []struct {
		after   time.Duration
		changes int64
		want    int
	}{
		{0, 1, 1},
		{least, 1, 1},
		{still*took - 1, 1, 1},
		{mostTime, 1, 2},             // a term may have run out
		{mostTime + least - 1, 2, 2}, // nobody has looked
		{mostTime + 10*time.Second, 2, 3},
		{0, 2, 4}, // the clock was put back
	} {
		changes = step.changes
		if got, err := k.Get(t.Context(), noon.Add(step.after), "k", find); got != step.want || err != nil {
			t.Errorf("%+v: %d, %v", step, got, err)
		}
	}
	broken = errors.ErrUnsupported
	if _, err := k.Get(t.Context(), noon.Add(time.Hour), "k", find); !errors.Is(err, broken) {
		t.Errorf("it is not known whether something has changed: %v", err)
	}
}

// While one finds out, those for whom something was found before are shown that, those
// for whom nothing was wait, and what was begun before Forget is not shown after it.
func TestValuesAreFoundOutByOne(t *testing.T) {
	t.Parallel()
	k := Values[string, string]{most: time.Minute, changes: always()}
	begun, end := make(chan struct{}), make(chan struct{})
	slow := func(context.Context) (string, error) { close(begun); <-end; return "slow", nil }
	never := func(context.Context) (string, error) { t.Error("found out by two"); return "", nil }
	var wait sync.WaitGroup
	get := func(at time.Time, find func(context.Context) (string, error), want string) {
		if s, err := k.Get(t.Context(), at, "k", find); err != nil || s != want {
			t.Errorf("%q, %v instead of %q", s, err, want)
		}
	}
	wait.Go(func() { get(noon, slow, "slow") })
	<-begun
	for range 3 {
		wait.Go(func() { get(noon, never, "slow") })
	}
	close(end)
	wait.Wait()

	begun, end = make(chan struct{}), make(chan struct{})
	later := noon.Add(time.Minute + least/2) // old, however long it took, and not too old to be shown
	wait.Go(func() { get(later, slow, "slow") })
	<-begun
	get(later, never, "slow")
	k.Forget()
	get(later, func(context.Context) (string, error) { return "new", nil }, "new")
	close(end)
	wait.Wait()
	get(later, never, "new")

	// What is older than twice its time is shown to nobody.
	begun, end = make(chan struct{}), make(chan struct{})
	later = later.Add(time.Hour)
	wait.Go(func() { get(later, slow, "slow") })
	<-begun
	wait.Go(func() { get(later, never, "slow") })
	time.AfterFunc(50*time.Millisecond, func() { close(end) }) // long enough to be shown what is old
	wait.Wait()
}
