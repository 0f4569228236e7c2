package layout

import (
	"context"
	"strconv"
	"strings"

	"commissionportal/internal/i18n"
)

// htmxConfig keeps htmx within the Content-Security-Policy: nothing evaluated, no
// style element written, no other host asked, no copy of a page kept in the
// browser's storage after signing out.
const htmxConfig = `{"allowEval":false,"allowScriptTags":false,"includeIndicatorStyles":false,"selfRequestsOnly":true,"historyCacheSize":0,"refreshOnHistoryMiss":true,"scrollIntoViewOnBoost":false,"responseHandling":[{"code":"204","swap":false},{"code":"[23]..","swap":true},{"code":"422","swap":true},{"code":"[45]..","swap":false,"error":true}]}`

var themes = []struct{ value, label, icon string }{
	{"", "System", "device-desktop"},
	{"light", "Light", "sun"},
	{"dark", "Dark", "moon"},
}

// theme is the reader's choice, if it is one that exists.
func (f Frame) theme() string {
	if f.Theme == "light" || f.Theme == "dark" {
		return f.Theme
	}
	return ""
}

func (f Frame) colorScheme() string {
	if t := f.theme(); t != "" {
		return t
	}
	return "light dark"
}

func (h Head) title(ctx context.Context) string {
	name := i18n.T(ctx, "Commission Portal")
	if h.Title == "" || h.Title == name {
		return name
	}
	return h.Title + " · " + name
}

// atDesk reports whether this is the page a signed-in person begins with.
func (f Frame) atDesk() bool { return f.Path == "/desk" || strings.HasPrefix(f.Path, "/desk?") }

func pressed(is bool) string { return strconv.FormatBool(is) }

func statusText(status int) string { return strconv.Itoa(status) }
