package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"commissionportal/internal/access"
	"commissionportal/internal/journal"
	"commissionportal/internal/postgres"
	"commissionportal/internal/problem"
)

// AgainField is the field of a form by which somebody signs in again; see Recent.
const AgainField = "_again"

// lease is for how long a request that began holds its key. While it is carried out
// that is said anew; who has not said so for as long is taken for dead, so that a
// repetition may run, and can commit nothing any more.
const lease = 10 * time.Second

type answer struct {
	Request []byte  `db:"request"`
	State   string  `db:"state"`
	Status  *int    `db:"status"`
	Header  *string `db:"header"`
	Body    []byte  `db:"body"`
}

// once carries out a POST with a key of the sender's (header Idempotency-Key,
// or the form's hidden field _key) one time, and answers its repetitions with
// the first answer. The change marks the key in its own transaction, so a
// repetition after a crash knows whether the work was done.
func (s *Server) once(c *fiber.Ctx) error {
	who := Actor(c)
	api := strings.HasPrefix(c.Path(), "/api/")
	key := c.Get("Idempotency-Key")
	if key == "" && !api && !s.streamedForm(c) {
		key = c.FormValue("_key")
	}
	if c.Method() != fiber.MethodPost || key == "" || !who.SignedIn() && !api {
		return c.Next()
	}
	content := ""
	if !c.Request().IsBodyStream() {
		content = string(c.Body())
		if c.Context().PostArgs().Has(AgainField) { // a password is kept nowhere, not even in a digest with the rest
			rest := &fasthttp.Args{}
			c.Context().PostArgs().CopyTo(rest)
			rest.Del(AgainField)
			content = rest.String()
		}
	}
	return s.carry(c, key, content, c.Next)
}

// streamedForm reports whether the handler reads the form itself, and says its key
// to OnceIn.
func (s *Server) streamedForm(c *fiber.Ctx) bool {
	if !strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEMultipartForm) {
		return false
	}
	_, streams := s.takes(c)
	return streams
}

// OnceIn is what once does, for a form that streams and whose key is known when
// its fields have been read: fn is carried out one time. What tells it from
// another request with the same key is content.
func (s *Server) OnceIn(c *fiber.Ctx, key, content string, fn func() error) error {
	if key == "" || !Actor(c).SignedIn() {
		return fn()
	}
	return s.carry(c, key, content, fn)
}

func (s *Server) carry(c *fiber.Ctx, key, content string, next func() error) error {
	who := Actor(c)
	if !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl) {
		return problem.Field("Idempotency-Key", "Use letters, digits and signs alone.")
	}
	if utf8.RuneCountInString(key) > 200 {
		return problem.Field("Idempotency-Key", "Use at most 200 characters.")
	}
	if !who.SignedIn() { // visitors have one name between them, so the address is part of their keys
		sum := sha256.Sum256([]byte(c.OriginalURL() + "\n" + key))
		key = hex.EncodeToString(sum[:])
	}
	request := sha256.Sum256([]byte(c.Method() + " " + c.OriginalURL() + "\n" + content))
	once := journal.Once{Person: who.ID, Key: key, Claim: uuid.New()}
	fresh, a, err := s.claim(c.UserContext(), once, request[:])
	switch {
	case err != nil:
		return err
	case fresh:
		return s.first(c, once, next)
	case string(a.Request) != string(request[:]):
		return problem.Field("Idempotency-Key", "This key was used for another request.")
	case a.State == "answered":
		return replay(c, a)
	case a.State == "committed":
		return problem.New(problem.Conflict, "This was carried out already, but its answer was lost. Look at the page itself.")
	}
	return problem.New(problem.Conflict, "This is being carried out right now.")
}

// claim makes the request's row, or takes over one whose sender died, and says
// so; else it reads what there is. The row itself decides who is first: of any
// number at the same instant, one.
func (s *Server) claim(ctx context.Context, o journal.Once, request []byte) (fresh bool, a answer, err error) {
	n, err := s.DB.Exec(ctx, `
		INSERT INTO idempotency AS i (person_id, key, request, claim) VALUES ($1, $2, $3, $5)
		ON CONFLICT (person_id, key) DO UPDATE SET created_at = now(), claim = excluded.claim
		WHERE i.state = 'started' AND i.created_at < now() - make_interval(secs => $4) AND i.request = excluded.request`,
		o.Person, o.Key, request, lease.Seconds(), o.Claim)
	if err != nil || n == 1 {
		return n == 1, answer{}, err
	}
	gone := problem.New(problem.Conflict, "This was refused a moment ago. Send it again.")
	a, err = postgres.One[answer](ctx, s.DB, gone, `SELECT request, state, status, header::text AS header, body FROM idempotency WHERE person_id = $1 AND key = $2`,
		o.Person, o.Key)
	return false, a, err
}

// first runs the request and keeps its answer: a success for ever, a refusal
// not at all, so that what was corrected can be sent with the same key. An answer
// that holds a secret is not kept either.
func (s *Server) first(c *fiber.Ctx, once journal.Once, next func() error) error {
	ctx := c.UserContext()
	c.SetUserContext(journal.WithOnce(ctx, once))
	defer s.hold(once)() // also of one that panics
	err := next()
	status := c.Response().StatusCode()
	if err != nil || status >= 400 {
		e := s.release(ctx, once)
		if postgres.Lost(e) {
			go s.releaseLater(once)
		}
		if e != nil {
			return e
		}
		return err
	}
	if r, ok := s.route(c); ok && r.Secret {
		return nil // the change has marked the key: a repetition learns that it was done
	}
	header := map[string]string{}
	for _, name := range []string{fiber.HeaderContentType, fiber.HeaderLocation, fiber.HeaderETag} {
		if v := c.GetRespHeader(name); v != "" {
			header[name] = v
		}
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, `UPDATE idempotency SET state = 'answered', status = $3, header = $4, body = $5 WHERE person_id = $1 AND key = $2 AND claim = $6`,
		once.Person, once.Key, status, string(text), c.Response().Body(), once.Claim)
	return err
}

// hold says now and then that a request lives, until it has ended.
func (s *Server) hold(o journal.Once) (ended func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(lease / 3):
			}
			// If it cannot be said, it is the next time, or the request counts as dead.
			_, _ = s.DB.Exec(ctx, `UPDATE idempotency SET created_at = now() WHERE person_id = $1 AND key = $2 AND claim = $3 AND state = 'started'`, o.Person, o.Key, o.Claim)
		}
	}()
	return cancel
}

// release gives back the key of a request that changed nothing.
func (s *Server) release(ctx context.Context, o journal.Once) error {
	_, err := s.DB.Exec(ctx, `DELETE FROM idempotency WHERE person_id = $1 AND key = $2 AND claim = $3 AND state = 'started'`, o.Person, o.Key, o.Claim)
	return err
}

// releaseLater does so when the database is there again, so that a repetition need not wait
// until the request counts as dead.
func (s *Server) releaseLater(o journal.Once) {
	ctx, cancel := context.WithTimeout(context.Background(), lease)
	defer cancel()
	for ctx.Err() == nil && postgres.Lost(s.release(ctx, o)) {
		time.Sleep(lease / 40)
	}
}

func replay(c *fiber.Ctx, a answer) error {
	access.Public(c.UserContext()) // authorized when it was first answered, to this same person
	header := map[string]string{}
	if err := json.Unmarshal([]byte(*a.Header), &header); err != nil {
		return err
	}
	for name, v := range header {
		c.Set(name, v)
	}
	c.Set("Idempotent-Replayed", "true")
	return c.Status(*a.Status).Send(a.Body)
}
