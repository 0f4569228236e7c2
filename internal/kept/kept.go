// Package kept holds what is dear to find out and the same for every reader, such as
// numbers counted over everything there is.
package kept

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"commissionportal/internal/postgres"
)

// Values are found out anew within least after what they are made of has changed; but not
// before they are twenty times as old as it took to find them out, which so takes a twentieth
// of one processor at most, unless they are older than they may be. So what is little, or
// changes seldom, is right within a moment, and what is large and changes often has its price.
// What nothing but the time changes, as a term that runs out, is found out after two hundred
// times as long. At most a few hundred keys are kept.
type Values[K comparable, V any] struct {
	most    time.Duration
	tables  []string
	changes func(context.Context) (int64, error)

	mu sync.Mutex
	of map[K]*value[V]
}

type madeOf struct{}

// MadeOf are the tables that what is found out under ctx may be made of.
func MadeOf(ctx context.Context) []string {
	tables, _ := ctx.Value(madeOf{}).([]string)
	return tables
}

type watching struct{}

// Watch has what is read under the context looked at, however little time ago another did,
// for what is itself kept as long as nothing changes; outdated is then whether something was
// shown that has changed since it was found out.
func Watch(ctx context.Context) (_ context.Context, outdated *atomic.Bool) {
	outdated = new(atomic.Bool)
	return context.WithValue(ctx, watching{}, outdated), outdated
}

// New makes Values that are made of what the tables hold, which count their changes
// (migration 0038), and may be shown for most after one.
func New[K comparable, V any](db *postgres.DB, most time.Duration, tables ...string) *Values[K, V] {
	return &Values[K, V]{most: most, tables: tables, changes: func(ctx context.Context) (int64, error) { return postgres.Changes(ctx, db, tables...) }}
}

const (
	mostKeys = 256
	dear     = 20 // how many times longer it is kept than it took
	least    = 400 * time.Millisecond
	still    = 200 // how many times longer it is kept if nothing changes: a term may run out
	mostTime = 10 * time.Minute
)

type value[V any] struct {
	finding sync.Mutex // held by the one who finds it out

	mu      sync.Mutex
	found   bool
	v       V
	changes int64 // before it was found out
	at      time.Time
	until   time.Time // it is shown without asking anybody
	right   time.Time // as long as nothing changes
}

// Get is the value of key at now, which find finds out if need be, for everybody: it reads what
// is true now (postgres.Fresh). While one reader does,
// others are shown what was found before, if it is not too old; else they wait.
func (k *Values[K, V]) Get(ctx context.Context, now time.Time, key K, find func(context.Context) (V, error)) (V, error) {
	at := k.at(key)
	outdated, watched := ctx.Value(watching{}).(*atomic.Bool)
	v, found, fresh := at.read(now, k.most)
	if fresh && !watched {
		return v, nil
	}
	if !found {
		at.finding.Lock()
	} else if !at.finding.TryLock() {
		if watched {
			outdated.Store(true) // nobody knows yet
		}
		return v, nil
	}
	defer at.finding.Unlock()
	if v, _, fresh = at.read(now, k.most); fresh && !watched {
		return v, nil
	}
	ctx = postgres.Fresh(ctx)
	changes, err := k.changes(ctx)
	if err != nil {
		return v, err
	}
	if at.same(now, changes) {
		return v, nil
	}
	if fresh { // it has its price
		outdated.Store(true)
		return v, nil
	}
	began := time.Now()
	v, err = find(context.WithValue(ctx, madeOf{}, k.tables))
	if err == nil {
		at.set(v, changes, now, time.Since(began), k.most)
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
func (v *value[V]) read(now time.Time, most time.Duration) (_ V, found, fresh bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	after := v.found && now.After(v.until.Add(-2*most))
	return v.v, after && now.Before(v.until.Add(most)), after && now.Before(v.until)
}

// same reports whether what was found is right at now, since there are as many changes
// as there were, and then has it shown for a moment more.
func (v *value[V]) same(now time.Time, changes int64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.found || v.changes != changes || now.Before(v.at) || !now.Before(v.right) {
		return false
	}
	v.until = now.Add(least)
	return true
}

func (v *value[V]) set(found V, changes int64, now time.Time, took, most time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.v, v.found, v.changes, v.at = found, true, changes, now
	v.until, v.right = now.Add(min(max(dear*took, least), most)), now.Add(min(max(still*took, least), mostTime))
}
