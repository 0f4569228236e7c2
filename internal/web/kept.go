package web

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"commissionportal/internal/access"
	"commissionportal/internal/i18n"
	"commissionportal/internal/journal"
	"commissionportal/internal/kept"
	"commissionportal/internal/postgres"
)

// What visitors are shown is the same for all of them: a page of a route that says Kept
// is made once, and shown again until something changes that visitors are shown, whoever
// changed it (postgres.Changes): a page is shown for KeepFor, and after that only if there
// are as many changes as before it was made. While one visitor waits for that, the others
// are shown the page until it was last right twice as long ago. What depends on the time
// alone, as a term that runs out, is made anew after mostKept.

const (
	mostKept  = 30 * time.Second
	keptBytes = 64 << 20 // of all pages; then all are forgotten
)

// keptHeaders are those of an answer that begin has not set.
var keptHeaders = []string{fiber.HeaderContentType, fiber.HeaderContentEncoding, fiber.HeaderVary, fiber.HeaderCacheControl, fiber.HeaderETag, fiber.HeaderLink}

// Kept is a need of a page that may be shown to other visitors as it was to one. It is
// not for what notes who has seen it.
func Kept(n Need) Need {
	n.kept = true
	return n
}

// keptPages are the pages that are kept.
type keptPages struct {
	patterns []keptPattern // of the routes
	mu       sync.RWMutex
	pages    map[string]*keptPage
	bytes    int
	making   map[string]chan struct{}
}

type keptPattern struct {
	path   string
	mayLag bool
}

func (k *keptPages) page(key string) *keptPage {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.pages[key]
}

// begin reports whether the caller is to make the page, and to end; if another does
// already, made is closed as soon as that is done.
func (k *keptPages) begin(key string) (made <-chan struct{}, first bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if others := k.making[key]; others != nil {
		return others, false
	}
	if k.making == nil {
		k.making = map[string]chan struct{}{}
	}
	k.making[key] = make(chan struct{})
	return nil, true
}

func (k *keptPages) end(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.making[key])
	delete(k.making, key)
}

type keptPage struct {
	header [6]string // in the order of keptHeaders
	body   []byte
	of     string // the changes before it was made
	made   time.Time
	right  atomic.Int64 // when it was last known to be
}

// keep answers with a page that is kept, or keeps the one that is made.
func (s *Server) keep(c *fiber.Ctx) error {
	if s.KeepFor <= 0 || c.Method() != fiber.MethodGet || len(c.Request().URI().QueryString()) > 0 || len(c.Request().Header.Peek(fiber.HeaderCookie)) > 0 || bearer(c) != "" {
		return c.Next()
	}
	is, mayLag := s.kept.of(c.Path())
	if !is {
		return c.Next()
	}
	ctx := c.UserContext()
	if !mayLag {
		ctx = postgres.Fresh(ctx)
	}
	key := strings.Join([]string{c.Path(), i18n.From(ctx).Language.String(), strconv.FormatBool(c.Get("HX-Request") == "true"), encodingOf(c)}, " ")
	page := s.kept.page(key)
	if page.fresh(journal.Now(ctx), s.KeepFor) {
		return page.answer(c)
	}
	// One makes it. The others wait for as long as that takes: if each lost its patience and
	// made the page too, what is slow under load would be slower for everybody.
	made, first := s.kept.begin(key)
	if !first {
		if page.fresh(journal.Now(ctx), 2*s.KeepFor) {
			return page.answer(c)
		}
		right := page.known()
		<-made
		if now := s.kept.page(key); now != nil && (now != page || now.known() != right) {
			return now.answer(c)
		}
		return c.Next() // it is not to be kept
	}
	defer s.kept.end(key)
	asked := journal.Now(ctx) // it is as old as what it is made of
	changes, err := postgres.Changes(ctx, s.DB)
	if err != nil {
		return err
	}
	lags := postgres.Lags(ctx)
	of := fmt.Sprint(changes, " of a replica: ", lags)
	if page != nil && of == page.of && asked.Sub(page.made).Abs() < mostKept {
		page.right.Store(asked.UnixNano())
		return page.answer(c)
	}
	watched, outdated := kept.Watch(c.UserContext())
	c.SetUserContext(watched)
	if err := c.Next(); err != nil {
		return err
	}
	if postgres.Lags(ctx) != lags { // it was begun by one server, and ended by the other
		return nil
	}
	r := c.Response()
	if r.StatusCode() != fiber.StatusOK || r.IsBodyStream() || c.GetRespHeader(fiber.HeaderCacheControl) != "public, no-cache" || len(r.Header.Peek(fiber.HeaderSetCookie)) > 0 {
		return nil
	}
	page = &keptPage{body: append([]byte(nil), r.Body()...), of: of, made: asked}
	page.right.Store(asked.UnixNano())
	if outdated.Load() { // a number on it is to be counted again: so is the page
		page.of = ""
	}
	for i, name := range keptHeaders {
		page.header[i] = c.GetRespHeader(name)
	}
	s.kept.add(key, page)
	return nil
}

// fresh reports whether the page may be shown at now without asking anybody: it was known to be
// right less than keep ago, which one older than mostKept is never again. The other visitor's now
// may have been a little later than this one's; a clock that was put back by more makes it old.
func (p *keptPage) fresh(now time.Time, keep time.Duration) bool {
	return p != nil && now.Sub(time.Unix(0, p.known())).Abs() < keep
}

// known is when the page was last known to be right.
func (p *keptPage) known() int64 {
	if p == nil {
		return 0
	}
	return p.right.Load()
}

func (p *keptPage) answer(c *fiber.Ctx) error {
	access.Public(c.UserContext()) // so it was when it was made
	for i, name := range keptHeaders {
		if p.header[i] != "" {
			c.Set(name, p.header[i])
		}
	}
	if tag := c.GetRespHeader(fiber.HeaderETag); tag != "" && c.Get(fiber.HeaderIfNoneMatch) == tag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Response().SetBodyRaw(p.body)
	return nil
}

func (k *keptPages) add(key string, page *keptPage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bytes += len(page.body); k.pages == nil || k.bytes > keptBytes {
		k.pages, k.bytes = map[string]*keptPage{}, len(page.body)
	} else if old := k.pages[key]; old != nil {
		k.bytes -= len(old.body)
	}
	k.pages[key] = page
}

// of reports whether the path is of a route whose pages are kept, and whether they may come
// from a replica.
func (k *keptPages) of(path string) (kept, mayLag bool) {
	for _, pattern := range k.patterns {
		if names(pattern.path, path) {
			return true, pattern.mayLag
		}
	}
	return false, false
}

// names reports whether path is one of a pattern such as /commissions/:slug/roster.
// (Fiber's own function takes the pattern apart each time.)
func names(pattern, path string) bool {
	for {
		want, patternRest, more := strings.Cut(pattern, "/")
		have, pathRest, also := strings.Cut(path, "/")
		if want != have && (have == "" || !strings.HasPrefix(want, ":")) || more != also {
			return false
		}
		if !more {
			return true
		}
		pattern, path = patternRest, pathRest
	}
}

// encodingOf is how the answer will be compressed.
func encodingOf(c *fiber.Ctx) string {
	for _, e := range []string{"br", "gzip", "deflate"} {
		if c.Request().Header.HasAcceptEncoding(e) {
			return e
		}
	}
	return ""
}
