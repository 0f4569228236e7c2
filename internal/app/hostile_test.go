package app_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"commissionportal/internal/app/apptest"
)

// hostile is what is put into every field that a page, a form or the API has.
var hostile = map[string]string{
	"NUL":       "a\x00b",
	"bad UTF-8": "a\xff\xfe",
	"long":      strings.Repeat("x", 250_000),
	"word":      "no-such-word'\"<%_\\",
	"number":    "-99999999999999999999",
	"date":      "9999-99-99",
	"far":       "294277-01-01T00:00:00Z",
	"nothing":   "",
	"spaces":    " \t\r\n ",
	"id":        "00000000-0000-0000-0000-000000000000",
}

// cursors are of the right form and of nothing that a list has.
func cursors() []string {
	list := []string{"x", "%%", base64.RawURLEncoding.EncodeToString([]byte(`{"a":[]}`)), strings.Repeat("A", 900)}
	for parts := 1; parts <= 4; parts++ {
		for _, part := range []string{`"a"`, `"\u0000"`, `"9999999999999999999999"`, `"-infinity"`, `null`} {
			list = append(list, base64.RawURLEncoding.EncodeToString([]byte("["+strings.TrimSuffix(strings.Repeat(part+",", parts), ",")+"]")))
		}
	}
	return list
}

// turn hands out n of all, others each time it is asked: over many fields each of
// them gets its turn, and the sweep stays short. With SWEEP set it hands out all.
type turn struct{ next int }

func turnOf[T any](t *turn, all []T, n int) []T {
	if os.Getenv("SWEEP") != "" {
		return all
	}
	some := make([]T, 0, n)
	for range n {
		some = append(some, all[t.next%len(all)])
		t.next++
	}
	return some
}

// swept is a world in which every change is refused by the database at its very
// end, so that all routes are asked in the same world whatever one of them does.
type swept struct {
	*world
	mu   sync.Mutex
	log  bytes.Buffer
	kept int
	turn turn
}

func sweep(t *testing.T) *swept {
	t.Helper()
	s := &swept{world: newWorld(t, 3)}
	s.Exec(`
		CREATE SEQUENCE undone;
		CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('undone'); RAISE 'undone'; END $$;
		CREATE CONSTRAINT TRIGGER undo AFTER INSERT ON journal_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION undo()`)
	s.Web.Log = slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{Level: slog.LevelError}))
	s.kept = s.undone()
	return s
}

func (s *swept) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *swept) undone() int {
	return apptest.Value[int](s.Portal, `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM undone`)
}

// check fails on a fault. One that the database caused by refusing the change at
// its end is none: the request was right.
func (s *swept) check(t *testing.T, what string, r apptest.Reply) {
	t.Helper()
	s.mu.Lock()
	log := s.log.String()
	s.log.Reset()
	s.mu.Unlock()
	if r.Status < 500 {
		return
	}
	if now := s.undone(); now > s.kept {
		s.kept = now
		return
	}
	t.Errorf("%s: status %d: %.400s", what, r.Status, log)
}

var (
	forms  = regexp.MustCompile(`(?s)<form[^>]*method="post"[^>]*>.*?</form>`)
	action = regexp.MustCompile(`action="([^"]*)"`)
	fields = regexp.MustCompile(`(?s)<(?:input|select|textarea|button)[^>]*\bname="([^"]+)"[^>]*?(?:\bvalue="([^"]*)"[^>]*)?>(?:\s*<option[^>]*value="([^"]+)")?`)
	named  = regexp.MustCompile(`name="([a-z_]+)"`)
)

// TestHostilePages asks every page and sends every form with what no field
// takes: never a fault.
func TestHostilePages(t *testing.T) {
	t.Parallel()
	s := sweep(t)
	known, sent := map[string]bool{"q": true, "cursor": true, "as_of": true}, map[string]url.Values{}
	routes := s.Web.Routes()
	for _, r := range routes {
		if r.Method != "GET" || strings.HasPrefix(r.Path, "/api/") {
			continue
		}
		body := s.sam.Get(s.path(t, r) + asked[r.Path]).Body
		for _, m := range named.FindAllStringSubmatch(body, -1) {
			known[m[1]] = true
		}
		for _, form := range forms.FindAllString(body, -1) {
			values := url.Values{}
			for _, m := range fields.FindAllStringSubmatch(form, -1) {
				values.Set(m[1], html.UnescapeString(m[2]+m[3]))
			}
			if m := action.FindStringSubmatch(form); m != nil {
				sent[html.UnescapeString(m[1])] = values
			}
		}
	}
	if len(known) < 40 || len(sent) < 40 {
		t.Errorf("found %d fields and %d forms: the sweep looked in the wrong place", len(known), len(sent))
	}
	names, kinds := slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(hostile))
	all := func(value string) url.Values {
		v := url.Values{}
		for _, name := range names {
			v.Set(name, value)
		}
		return v
	}
	for _, r := range routes {
		if strings.HasPrefix(r.Path, "/api/") {
			continue
		}
		path := s.path(t, r)
		for _, kind := range turnOf(&s.turn, kinds, 2) {
			value := hostile[kind]
			values := all(value)
			values.Del("_key")
			if r.Method == "GET" {
				if len(value) > 100 { // the address has less room
					for _, name := range names {
						values.Set(name, value[:100])
					}
				}
				s.check(t, "GET "+path+" with "+kind+" everywhere", s.sam.Get(path+"?"+values.Encode()))
				continue
			}
			if len(value) > 100 { // so many of them would be refused for their length alone
				for _, name := range names {
					values.Set(name, value[:6000])
				}
			}
			s.check(t, "POST "+path+" with "+kind+" everywhere", s.post(path, values))
		}
		if r.Method == "POST" {
			s.check(t, "POST "+path+" with nothing", s.sam.Post(path))
			s.check(t, "POST "+path+" with JSON", s.sam.Send("POST", path, `{"name":1}`, "Content-Type", "application/json"))
			s.check(t, "POST "+path+" with half a form", s.sam.Send("POST", path, "--x\r\nContent-Disp", "Content-Type", "multipart/form-data; boundary=x"))
			continue
		}
		for _, cursor := range turnOf(&s.turn, cursors(), 3) {
			s.check(t, "GET "+path+" at "+cursor, s.sam.Get(path+"?cursor="+url.QueryEscape(cursor)))
		}
		for _, query := range turnOf(&s.turn, []string{"%00", "%ff=%ff", "%zz", "q=" + strings.Repeat("%25_", 200), "as_of=0000-01-01", "as_of=-infinity", "q&q&q", strings.Repeat("a[", 500)}, 1) {
			s.check(t, "GET "+path+"?"+query, s.sam.Send("GET", path+"?"+query, ""))
		}
	}
	for path, form := range sent {
		for name := range form {
			for _, kind := range turnOf(&s.turn, kinds, 1) {
				values := maps.Clone(form)
				values[name] = []string{hostile[kind]}
				s.check(t, fmt.Sprintf("POST %s with %s in %s", path, kind, name), s.post(path, values))
			}
		}
	}
	for _, r := range routes { // what stands in the path
		for _, value := range turnOf(&s.turn, []string{"%00", "%ff", "-", strings.Repeat("a", 8000), "..%2f..", "00000000-0000-0000-0000-000000000000", "99999999999999999999"}, 1) {
			if n := strings.Count(r.Path, ":"); n > 1 && len(value) > 1000 { // all together less than MaxHeaders, beyond which the connection is closed
				value = value[:len(value)/n]
			}
			segments := strings.Split(r.Path, "/")
			for i, segment := range segments {
				if strings.HasPrefix(segment, ":") {
					segments[i] = value
				}
			}
			if path := strings.Join(segments, "/"); path != r.Path {
				s.check(t, r.Method+" "+path, s.sam.Send(r.Method, path, ""))
			}
		}
	}
}

func (s *swept) post(path string, values url.Values) apptest.Reply {
	pairs := make([]string, 0, 2*len(values))
	for name := range values {
		pairs = append(pairs, name, values.Get(name))
	}
	return s.sam.Post(path, pairs...)
}

// TestHostileAPI does the same to every operation of the API, from its
// description.
func TestHostileAPI(t *testing.T) {
	t.Parallel()
	s, d := sweep(t), described(t)
	raw := map[string]string{"a list": "[]", "an object": "{}", "null": "null", "a number": "-1e308", "a truth": "true", "depth": strings.Repeat("[", 9000) + strings.Repeat("]", 9000)}
	for kind, value := range hostile {
		raw[kind] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\x00", `\u0000`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(value) + `"`
	}
	words, kinds := make([]string, 0, len(hostile)), slices.Sorted(maps.Keys(raw))
	for _, kind := range slices.Sorted(maps.Keys(hostile)) {
		words = append(words, hostile[kind])
	}
	for _, r := range s.Web.Routes() {
		path, api := strings.CutPrefix(s.path(t, r), "/api/v1")
		o, ok := d.operation(r.Method, r.Path)
		if !api || !ok {
			continue
		}
		for _, p := range o.Parameters {
			if p.In != "query" {
				continue
			}
			values := turnOf(&s.turn, words, 1)
			if p.Name == "cursor" {
				values = cursors()
			}
			for _, value := range values {
				value = value[:min(len(value), 3000)]
				s.check(t, fmt.Sprintf("%s %s?%s=%.60q", r.Method, path, p.Name, value), s.sam.API(r.Method, path+"?"+p.Name+"="+url.QueryEscape(value), nil))
			}
		}
		if o.RequestBody == nil {
			continue
		}
		body := d.sample(o.RequestBody.Content["application/json"].Schema, 0)
		s.check(t, r.Method+" "+path+" as it should be", s.sam.API(r.Method, path, body, "If-Match", `"v1"`))
		for _, text := range []string{"", "{", "null", "[]", "1", `"x"`, "\xff", raw["depth"], `{"":1}`, strings.Repeat(" ", 2_000_000)} {
			s.check(t, fmt.Sprintf("%s %s with %.20q", r.Method, path, text), s.sam.API(r.Method, path, text, "If-Match", `"v1"`))
		}
		object, ok := body.(map[string]any)
		if !ok {
			continue
		}
		for name := range d.resolve(o.RequestBody.Content["application/json"].Schema).Properties {
			for _, kind := range turnOf(&s.turn, kinds, 2) {
				value, changed := raw[kind], map[string]json.RawMessage{}
				for k, v := range object {
					text, err := json.Marshal(v)
					if err != nil {
						t.Fatal(err)
					}
					changed[k] = text
				}
				delete(changed, name)
				text := fmt.Sprintf("{%q:%s", name, value)
				for k, v := range changed {
					text += fmt.Sprintf(",%q:%s", k, v)
				}
				s.check(t, fmt.Sprintf("%s %s with %s in %s", r.Method, path, kind, name), s.sam.API(r.Method, path, text+"}", "If-Match", `"v1"`))
			}
		}
	}
}

// operation finds the description of a route.
func (s spec) operation(method, path string) (operation, bool) {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	o, ok := s.Paths[strings.Join(segments, "/")][strings.ToLower(method)]
	return o, ok
}

// sample is a value that a schema takes, with every property.
func (s spec) sample(of shape, depth int) any {
	of = s.resolve(of)
	switch {
	case depth > 4:
		return nil
	case len(of.Enum) > 0:
		return of.Enum[0]
	case of.is("object"):
		m := map[string]any{}
		for name, p := range of.Properties {
			m[name] = s.sample(p, depth+1)
		}
		return m
	case of.is("array") && of.Items != nil:
		return []any{s.sample(*of.Items, depth+1)}
	case of.is("integer"), of.is("number"):
		return 1
	case of.is("boolean"):
		return false
	case of.Format == "date-time":
		return "2027-01-31T00:00:00Z"
	case of.Format == "date":
		return "2027-01-31"
	case of.Format == "uuid":
		return "01980000-0000-7000-8000-000000000000"
	}
	return "Some text of a fair length."
}
