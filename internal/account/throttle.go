package account

import (
	"context"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/journal"
	"commissionportal/internal/problem"
)

// How many attempts are let through.
//
// Guesses count for the account at one address, for the account from everywhere,
// and for the address whatever the account. Nobody is locked out by others: many
// guesses at an account from everywhere only shorten what each single address may
// try; and a browser that has signed in to the account before (see device) has a
// count of its own, which no guess from elsewhere touches, not even from its
// own network.
const (
	guessTime    = 15 * time.Minute
	guessesHere  = 10  // at one account from one address
	guessesUnder = 2   // the same, while the account is guessed at from everywhere
	guessesAll   = 100 // at one account from everywhere, before that
	guessesFrom  = 100 // from one address at all accounts

	codesHere = 5  // codes for one account from one address
	codesAll  = 30 // the same from everywhere

	lettersTime = time.Hour
	lettersTo   = 5  // to one mailbox
	lettersFrom = 60 // asked for from one address
)

var (
	errGuesses = problem.New(problem.TooMany, "Too many attempts. Wait a quarter of an hour, or set a new password by mail.")
	errLetters = problem.New(problem.TooMany, "Too many letters were asked for from here. Try again in an hour.")
)

// tries are the counts that one attempt falls under.
type tries struct {
	at    time.Time
	keys  []string
	allow func(counts map[string]int) bool
}

func accountKey(email string) string { return hex.EncodeToString(digest(email)[:16]) }

// network is what counts as one address: of IPv6 the /64 that a household has.
func network(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Masked().Addr().String()
		}
	}
	return a.String()
}

// guesses counts a try of a password. known: the browser has signed in to that
// account before.
func guesses(now time.Time, email string, from Origin, known bool) tries {
	account := accountKey(email)
	if known {
		device := "device:" + account
		return tries{now, []string{device}, func(n map[string]int) bool { return n[device] <= guessesHere }}
	}
	here, all, address := "here:"+account+":"+network(from.Address), "account:"+account, "address:"+network(from.Address)
	return tries{now, []string{here, all, address}, func(n map[string]int) bool {
		most := guessesHere
		if n[all] > guessesAll {
			most = guessesUnder
		}
		return n[here] <= most && n[address] <= guessesFrom
	}}
}

// codeTries counts a try of a second factor. Whoever tries from elsewhere knows the
// password, so there is an end to it from everywhere together: of a million codes
// three are good at a time. A new password begins the count anew, and who reads
// the mail can set one; a browser that has signed in before is not kept out.
func codeTries(now time.Time, person uuid.UUID, passwordHash string, from Origin, known bool) tries {
	account := accountKey(person.String() + passwordHash)
	if known {
		device := "code-device:" + account
		return tries{now, []string{device}, func(n map[string]int) bool { return n[device] <= guessesHere }}
	}
	here, all, address := "code:"+account+":"+network(from.Address), "code:"+account, "address:"+network(from.Address)
	return tries{now, []string{here, all, address}, func(n map[string]int) bool {
		return n[here] <= codesHere && n[all] <= codesAll && n[address] <= guessesFrom
	}}
}

// admit counts an attempt before it is made and reports whether it may be. The
// count is written first and read after, so of many at once no more pass than
// may. What is refused is not counted further: to go on trying does not make the
// wait longer.
func (s *Service) admit(ctx context.Context, t tries, within time.Duration) (bool, error) {
	counts, err := countAttempts(ctx, s.db, t.keys, t.at.Add(-within))
	if err != nil {
		return false, err
	}
	for _, k := range t.keys {
		counts[k]++ // this one
	}
	if !t.allow(counts) {
		return false, nil
	}
	if err := insertAttempts(ctx, s.db, t.keys, t.at); err != nil {
		return false, err
	}
	if counts, err = countAttempts(ctx, s.db, t.keys, t.at.Add(-within)); err != nil {
		return false, err
	}
	return t.allow(counts), nil
}

// succeeded takes an attempt back: only failures count.
func (s *Service) succeeded(ctx context.Context, t tries) error {
	return deleteAttempts(ctx, s.db, t.keys, t.at)
}

// mayWrite reports whether a letter may be sent to that mailbox on somebody's
// asking. TooMany is said only for the address that asks; a mailbox that has had
// enough is silently spared, or the answer would tell what is known of it.
func (s *Service) mayWrite(ctx context.Context, email string, from Origin) (bool, error) {
	now := journal.Now(ctx)
	address, mailbox := "letters:"+network(from.Address), "mailbox:"+accountKey(email)
	ok, err := s.admit(ctx, tries{now, []string{address}, func(n map[string]int) bool { return n[address] <= lettersFrom }}, lettersTime)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, errLetters
	}
	return s.admit(ctx, tries{now, []string{mailbox}, func(n map[string]int) bool { return n[mailbox] <= lettersTo }}, lettersTime)
}
