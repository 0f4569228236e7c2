package intake

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"commissionportal/internal/check"
	"commissionportal/internal/document"
	"commissionportal/internal/problem"
)

var inRegister = regexp.MustCompile(`^(?:(.*[A-Z0-9])[ -]+)?(N?)[ -]*0*([1-9][0-9]{0,8})$`)

// registerNumber reads N12, ENERGY-N0012, ISO/TC 37 N 12 or 12; whole says that
// it is not a bare number.
func registerNumber(text string) (prefix string, number int, whole bool) {
	m := inRegister.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(text)))
	if m == nil || m[1] != "" && m[2] == "" {
		return "", 0, false
	}
	number, err := strconv.Atoi(m[3])
	if err != nil {
		return "", 0, false
	}
	return m[1], number, m[2] != ""
}

// longestKeyword is what a keyword of a document may have; of mostKeywords that
// the file gives there is room left for its identifier and its number.
const (
	longestKeyword = 60
	mostKeywords   = 18
)

func (in *reader) document(r *row) {
	if r.cells["title"] == "" {
		r.cells["title"] = r.cells["title_else"]
	}
	title := r.line("title", "Title", true, 500)
	r.set("name", title)
	in.standsFor(r)
	r.set("commission", r.cells["commission"])
	number := r.cells["number"]
	if number != "" {
		prefix, n, whole := registerNumber(number)
		switch {
		case n == 0:
			r.note("“%s” is not a number of a register: it gets the next.", shown(number))
		case len(number) > longestKeyword:
			r.note("“%s” is too long: it gets the next.", shown(number))
		default:
			if !whole {
				number = "N" + strconv.Itoa(n)
			}
			r.set("number", n)
			r.set("reference", number)
			r.set("acronym", prefix)
		}
	}
	if t := in.word(r, "type"); t != "" {
		r.set("kind", t)
	} else if v := r.cells["type"]; v != "" {
		r.note("“%s” is no type of document that the portal knows: other.", shown(v))
	}
	state := in.word(r, "status")
	if v := r.cells["status"]; v != "" && state == "" {
		r.note("“%s” is no status that the portal knows: available.", shown(v))
	}
	if state == "" {
		state = document.Available
	}
	r.set("state", state)
	if t := r.day("date", false, time.UTC); t != nil && !t.After(in.now) {
		r.set("since", *t)
	}
	in.asks(r)
	if l, _, _ := strings.Cut(strings.Join(strings.FieldsFunc(r.cells["language"], func(c rune) bool { return strings.ContainsRune(" ,;|", c) }), " "), " "); l != "" {
		if languageTag.MatchString(l) {
			primary, rest, more := strings.Cut(l, "-")
			if l = strings.ToLower(primary); more {
				l += "-" + rest
			}
			r.set("language", l)
		} else {
			r.note("“%s” is not the code of a language: left out.", shown(l))
		}
	}
	in.keywords(r)
	about := r.text("summary", "Summary", 1500)
	if v := r.cells["link"]; v != "" {
		var f problem.Fields
		if check.Website(&f, "link", &v); f.Err() != nil {
			r.note("“%s” is not the address of a website: left out.", shown(r.cells["link"]))
		} else {
			about = strings.TrimSpace(about + "\n\n" + v)
		}
	}
	r.set("about", about)
	if v := in.word(r, "visibility"); v != "" {
		r.set("visibility", v)
	} else if v := r.cells["visibility"]; v != "" { // rather too few readers than too many
		r.set("visibility", "officers")
		r.note("“%s” does not say who may read it: the officers.", shown(v))
	}
	in.key(r, fmt.Sprintf("%x", sha256.Sum256([]byte(title))), number, r.cells["date"])
}

// asks reads what is expected of the readers, and until when.
func (in *reader) asks(r *row) {
	action := in.word(r, "action")
	if v := r.cells["action"]; v != "" && action == "" {
		r.note("“%s” is no action that the portal knows: none.", shown(v))
	}
	if action == "" {
		action = "none"
	}
	r.set("action", action)
	if t := r.day("due_on", true, time.UTC); t != nil {
		if action == "none" {
			r.note("It is due, but nothing is asked for: left out.")
		} else {
			r.set("due", t.AddDate(0, 0, -1).Format(time.DateOnly))
		}
	}
}

// keywords are those of the file, with what it calls the document.
func (in *reader) keywords(r *row) {
	list := []string{}
	for n, word := range append([]string{r.cells["id"]}, strings.FieldsFunc(r.cells["keywords"], func(c rune) bool { return strings.ContainsRune(",;|", c) })...) {
		word = strings.Join(strings.Fields(word), " ")
		switch {
		case word == "" || slices.ContainsFunc(list, func(k string) bool { return strings.EqualFold(k, word) }):
		case utf8.RuneCountInString(word) > longestKeyword:
			r.note("“%s” is too long for a keyword: left out.", shown(word))
		case len(list) > mostKeywords:
			if n > 0 {
				r.note("“%s” is one keyword too many: left out.", shown(word))
			}
		default:
			list = append(list, word)
		}
	}
	if len(list) > 0 {
		r.set("keywords", pq.Array(list))
	}
}
