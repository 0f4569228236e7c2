package journal

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// Head is the end of a chain: of which, how many entries it has, the hash of the last.
type Head struct {
	Scope  uuid.UUID `db:"scope_id"`
	Number int64     `db:"number"`
	Hash   []byte    `db:"hash"`
}

// headsTitle is the first line of what is signed; its number is that of the format.
const headsTitle = "Commission Portal journal heads 1"

// headsDocument is what /journal/heads.json serves. Signed is all that counts, and
// its bytes are what is signed; the rest repeats it, or is needed to check it.
type headsDocument struct {
	Format    string `json:"format"`
	Day       string `json:"day"`
	At        string `json:"at"`
	Chains    int    `json:"chains"`
	Key       string `json:"key"`
	Signature []byte `json:"signature"`
	Signed    string `json:"signed"`
}

const headsFormat = "commission-portal-journal-heads/1"

// Heads are the ends of all chains as they were published.
type Heads struct {
	Day  string
	At   time.Time
	Key  ed25519.PublicKey
	List []Head
}

// statement is what is signed of heads: one line for each, in the order of scopes.
func statement(at time.Time, heads []Head) string {
	var b strings.Builder
	b.Grow(len(heads)*110 + 200)
	fmt.Fprintf(&b, "%s\nday %s\nat %s\nchains %d\n", headsTitle, at.UTC().Format(time.DateOnly), at.UTC().Format(time.RFC3339Nano), len(heads))
	for _, h := range heads {
		fmt.Fprintf(&b, "%s %d %x\n", h.Scope, h.Number, h.Hash)
	}
	return b.String()
}

func sign(key ed25519.PrivateKey, at time.Time, heads []Head) ([]byte, error) {
	text := statement(at, heads)
	public, err := publicPEM(key)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(headsDocument{Format: headsFormat, Day: at.UTC().Format(time.DateOnly), At: at.UTC().Format(time.RFC3339Nano), Chains: len(heads),
		Key: public, Signature: ed25519.Sign(key, []byte(text)), Signed: text}, "", " ")
}

// ReadHeads reads a copy of what was published, and checks that it is whole and as
// it was signed.
func ReadHeads(r io.Reader) (Heads, error) {
	var h Heads
	var d headsDocument
	if err := json.NewDecoder(r).Decode(&d); err != nil {
		return h, problem.New(problem.Invalid, "This is no copy of heads.json: %s", err.Error())
	}
	if d.Format != headsFormat {
		return h, problem.New(problem.Invalid, "This is no copy of heads.json in the format %s.", headsFormat)
	}
	var err error
	if h.Key, err = ParseKey([]byte(d.Key)); err != nil {
		return h, err
	}
	if !ed25519.Verify(h.Key, []byte(d.Signed), d.Signature) {
		return h, problem.New(problem.Invalid, "The signature is wrong: this copy of heads.json was altered.")
	}
	if err := h.parse(d.Signed); err != nil {
		return h, problem.New(problem.Invalid, "What was signed is no list of heads: %s", err.Error())
	}
	if h.Day != d.Day || len(h.List) != d.Chains {
		return h, problem.New(problem.Invalid, "This copy of heads.json says something else than what was signed.")
	}
	return h, nil
}

var errShort = errors.New("it is not whole")

// parse reads a statement.
func (h *Heads) parse(text string) error {
	lines := strings.Split(text, "\n")
	if len(lines) < 5 || lines[0] != headsTitle || lines[len(lines)-1] != "" {
		return errShort
	}
	var words [3]string
	for i, name := range []string{"day ", "at ", "chains "} {
		var ok bool
		if words[i], ok = strings.CutPrefix(lines[i+1], name); !ok {
			return errShort
		}
	}
	var err error
	if h.At, err = time.Parse(time.RFC3339Nano, words[1]); err != nil {
		return err
	}
	h.Day = words[0]
	lines = lines[4 : len(lines)-1]
	if words[2] != strconv.Itoa(len(lines)) {
		return errShort
	}
	h.List = make([]Head, len(lines))
	for i, line := range lines {
		scope, rest, _ := strings.Cut(line, " ")
		number, hash, _ := strings.Cut(rest, " ")
		head := &h.List[i]
		if head.Scope, err = uuid.Parse(scope); err != nil {
			return err
		}
		if head.Number, err = strconv.ParseInt(number, 10, 64); err != nil {
			return err
		}
		if head.Hash, err = hex.DecodeString(hash); err != nil {
			return err
		}
	}
	return nil
}

// Notary signs the ends of all chains once a day, so that a copy kept elsewhere
// shows what the chains alone do not.
type Notary struct {
	db   *postgres.DB
	key  ed25519.PrivateKey
	last atomic.Pointer[cached]
}

type cached struct {
	digest   string
	document []byte
}

// NewNotary makes a notary; without a key it publishes nothing, and still shows
// what was published.
func NewNotary(db *postgres.DB, key ed25519.PrivateKey) *Notary { return &Notary{db: db, key: key} }

// Publishes reports whether it has a key.
func (n *Notary) Publishes() bool { return n.key != nil }

// Publish signs and stores the ends of all chains, if that was not done today.
func (n *Notary) Publish(ctx context.Context) error {
	now := Now(ctx).UTC()
	var done bool
	if err := n.db.Get(ctx, &done, `SELECT EXISTS (SELECT FROM journal_heads WHERE day = $1::date)`, now.Format(time.DateOnly)); err != nil || done {
		return err
	}
	var heads []Head
	if err := n.db.Select(ctx, &heads, `SELECT scope_id, number, hash FROM journal_head WHERE number > 0 ORDER BY scope_id`); err != nil {
		return err
	}
	document, err := sign(n.key, now, heads)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(document)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(document); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err = n.db.Exec(ctx, `INSERT INTO journal_heads (day, at, chains, document, digest) VALUES ($1::date, $2, $3, $4, $5) ON CONFLICT (day) DO NOTHING`,
		now.Format(time.DateOnly), now, len(heads), b.Bytes(), digest[:])
	return err
}

// Published are the heads of one day, as they are stored.
type Published struct {
	Day    string `db:"day"`
	Digest string `db:"digest"`
}

// Published finds the heads of a day, or the last ones if day is "".
func (n *Notary) Published(ctx context.Context, day string) (Published, error) {
	if day != "" {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return Published{}, errNotPublished
		}
	}
	return postgres.One[Published](ctx, n.db, errNotPublished, `
		SELECT day::text AS day, encode(digest, 'hex') AS digest FROM journal_heads
		WHERE $1 = '' OR day = nullif($1, '')::date ORDER BY journal_heads.day DESC LIMIT 1`, day)
}

var errNotPublished = problem.New(problem.NotFound, "No heads of the journal were published then.")

// Document is what was published, as JSON that is packed with gzip. What was asked
// for last is kept at hand.
func (n *Notary) Document(ctx context.Context, p Published) ([]byte, error) {
	if c := n.last.Load(); c != nil && c.digest == p.Digest {
		return c.document, nil
	}
	document, err := postgres.One[[]byte](ctx, n.db, sql.ErrNoRows, `SELECT document FROM journal_heads WHERE day = $1::date`, p.Day)
	if err != nil {
		return nil, err
	}
	n.last.Store(&cached{p.Digest, document})
	return document, nil
}

// LoadKey reads the private key in the file: ed25519, PKCS #8, PEM, as MakeKey and
// `openssl genpkey -algorithm ed25519` write it.
func LoadKey(file string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("JOURNAL_KEY: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("JOURNAL_KEY: %s has no key in PEM; `portal journal key %s` makes one where there is no file", file, file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("JOURNAL_KEY: %s: %w", file, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("JOURNAL_KEY: the key in %s is not of ed25519", file)
	}
	return private, nil
}

// MakeKey makes a key in a file that its owner alone may read. One that is there
// is left as it is.
func MakeKey(file string) error {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der}), f.Sync(), f.Close())
}

// publicPEM is the public part of the key, as openssl reads it.
func publicPEM(key ed25519.PrivateKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// PublicKey is the public part of the key in the file, in PEM.
func PublicKey(file string) (string, error) {
	key, err := LoadKey(file)
	if err != nil {
		return "", err
	}
	return publicPEM(key)
}

// ParseKey reads a public key in PEM.
func ParseKey(text []byte) (ed25519.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, problem.New(problem.Invalid, "There is no public key in PEM.")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, problem.New(problem.Invalid, "This is no public key: %s", err.Error())
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, problem.New(problem.Invalid, "The public key is not of ed25519.")
	}
	return public, nil
}

// Fingerprint names a key: the SHA-256 of it in DER, as ssh and browsers do.
func Fingerprint(key ed25519.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil { // a key of the right type always marshals
		panic(err)
	}
	sum := sha256.Sum256(der)
	return "SHA256:" + hex.EncodeToString(sum[:])
}
