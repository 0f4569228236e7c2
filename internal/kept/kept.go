// Package kept holds what is dear to find out and the same for every reader, such as
// numbers counted over everything there is.
package kept

import (
	"sync"
	"time"
)

// Values are found out anew when they are twenty times as old as it took to find them
// out, which so takes a twentieth of one processor at most, and at the latest when they
// are For old: what is little is right within a moment, what is large has its price. The
// zero value of the rest is ready; at most a few hundred keys are kept.
type Values[K comparable, V any] struct {
	For time.Duration

	mu sync.Mutex
	of map[K]*value[V]
}

const (
	mostKeys = 256
	dear     = 20 // how many times longer it is kept than it took
	least    = 400 * time.Millisecond
)

type value[V any] struct {
	finding sync.Mutex // held by the one who finds it out

	mu    sync.Mutex
	found bool
	v     V
	until time.Time
}

// Get is the value of key at now, which find finds out if need be, for everybody: it reads what
// is true now (postgres.Fresh). While one reader does,
// others are shown what was found before, if it is not older than twice For; else they wait.
func (k *Values[K, V]) Get(now time.Time, key K, find func() (V, error)) (V, error) {
	at := k.at(key)
	v, found, fresh := at.read(now, k.For)
	if fresh {
		return v, nil
	}
	if !found {
		at.finding.Lock()
	} else if !at.finding.TryLock() {
		return v, nil
	}
	defer at.finding.Unlock()
	if v, _, fresh = at.read(now, k.For); fresh {
		return v, nil
	}
	began := time.Now()
	v, err := find()
	if err == nil {
		long := min(max(dear*time.Since(began), least), k.For)
		at.mu.Lock()
		at.v, at.found, at.until = v, true, now.Add(long)
		at.mu.Unlock()
	}
	return v, err
}

// Forget has everything found out anew, for who has just changed what it is made of.
func (k *Values[K, V]) Forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.of = nil // who is finding out has the old one in hand, and puts there what nobody sees
}

func (k *Values[K, V]) at(key K) *value[V] {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := k.of[key]
	if at == nil {
		if k.of == nil || len(k.of) >= mostKeys {
			k.of = map[K]*value[V]{}
		}
		at = &value[V]{}
		k.of[key] = at
	}
	return at
}

// read reports what was found, whether it may be shown while it is found out anew, and
// whether it may without. A clock that was put back makes it old.
func (v *value[V]) read(now time.Time, long time.Duration) (_ V, found, fresh bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	after := v.found && now.After(v.until.Add(-2*long))
	return v.v, after && now.Before(v.until.Add(long)), after && now.Before(v.until)
}
