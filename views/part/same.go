package part

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"commissionportal/internal/i18n"
)

// Same renders its children once for each key, language and time zone, and answers the
// same bytes from then on. It is for what many pages repeat and what is dear: a badge, a
// choice of all countries, a map. The key has to say everything else that the children
// depend on; nothing that is one reader's may stand in them.
func Same(key ...string) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		children := templ.GetChildren(ctx)
		locale := i18n.From(ctx)
		whole := strings.Join(append(key, i18n.Lang(ctx), locale.Zone.String()), "\x00")
		html, ok := rendered.get(whole)
		if !ok {
			var b bytes.Buffer
			if err := children.Render(templ.ClearChildren(ctx), &b); err != nil {
				return err
			}
			html = b.Bytes()
			rendered.put(whole, html)
		}
		_, err := w.Write(html)
		return err
	})
}

var rendered = shelf{room: 16 << 20}

// shelf keeps what was asked for lately: when half of its room is taken, what nobody
// has asked for since the last time that was so is forgotten.
type shelf struct {
	room       int // bytes
	mu         sync.RWMutex
	young, old map[string][]byte
	bytes      int // of the young
}

func (s *shelf) get(key string) ([]byte, bool) {
	s.mu.RLock()
	html, young := s.young[key]
	if young {
		s.mu.RUnlock()
		return html, true
	}
	html, ok := s.old[key]
	s.mu.RUnlock()
	if ok {
		s.put(key, html)
	}
	return html, ok
}

func (s *shelf) put(key string, html []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes += len(key) + len(html); s.young == nil || s.bytes > s.room/2 {
		s.young, s.old, s.bytes = map[string][]byte{}, s.young, len(key)+len(html)
	}
	s.young[key] = html
}
