package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"runtime"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"commissionportal/internal/problem"
)

// hasher makes and checks hashes. It bounds how many are made at once, so that
// sign-ins cannot eat the memory: one for each processor, the others wait.
type hasher struct {
	params *argon2id.Params
	slots  chan struct{}
	// nobody is the hash of no password: checking against it takes as long as
	// against somebody's.
	nobody string
}

// newHasher makes hashes that take so many KiB of memory; 64 MiB cost about 90 ms
// on the machine they were chosen on.
func newHasher(memory uint32) hasher {
	p := &argon2id.Params{Memory: memory, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	random := func(n uint32) string {
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails (crypto/rand)
		return base64.RawStdEncoding.EncodeToString(b)
	}
	nobody := fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism, random(p.SaltLength), random(p.KeyLength))
	return hasher{p, make(chan struct{}, max(1, runtime.GOMAXPROCS(0))), nobody}
}

// patience is how long a sign-in waits for its turn.
const patience = 10 * time.Second

func (h hasher) turn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return problem.New(problem.Unavailable, "Too many people are signing in right now. Try again in a moment.")
	}
}

// hash makes of a password what is kept of it.
func (h hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.turn(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.slots }()
	return argon2id.CreateHash(norm.NFC.String(password), h.params)
}

// matches reports whether hash was made of password. No hash ("") takes as long.
// old is true if it was made with other parameters than today's.
func (h hasher) matches(ctx context.Context, password, hash string) (ok, old bool, err error) {
	if err := h.turn(ctx); err != nil {
		return false, false, err
	}
	defer func() { <-h.slots }()
	against := hash
	if hash == "" {
		against = h.nobody
	}
	ok, p, err := argon2id.CheckHash(norm.NFC.String(password), against)
	if err != nil {
		return false, false, fmt.Errorf("account: a password's hash cannot be read: %w", err)
	}
	return ok && hash != "", *p != *h.params, nil
}

// secret is what a session, a token or a link is: 256 random bits.
func secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func digest(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// device is what a browser is given that has signed in to an account: those who
// guess at its password from elsewhere cannot keep it out. It is made of the
// password's hash, so it ends with the password.
func device(passwordHash string) string {
	m := hmac.New(sha256.New, []byte(passwordHash))
	m.Write([]byte("device"))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func sameDevice(passwordHash, given string) bool {
	return passwordHash != "" && hmac.Equal([]byte(device(passwordHash)), []byte(given))
}
