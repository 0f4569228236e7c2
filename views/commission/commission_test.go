package commission

import (
	"strings"
	"testing"
)

func TestExcerpt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Storage. ", 90)
	for _, tt := range []struct{ name, body, want string }{
		{"a short text is whole", "# Scope\n\nStorage.\n\n# Work", "# Scope\n\nStorage.\n\n# Work"},
		{"whole blocks", "# Scope\n\n" + long + "\n\nMore.", "# Scope\n\n" + long},
		{"no heading at its end", "# Scope\n\n" + long[:680] + "\n\n# Work\n\n" + long + long, "# Scope\n\n" + long[:680]},
		{"nor two", "# Scope\n\n" + long[:680] + "\n\n# Work\n\n## Meetings\n\n" + long + long, "# Scope\n\n" + long[:680]},
		{"one block is not cut", long + long, long + long},
	} {
		if got := excerpt(tt.body); got != tt.want {
			t.Errorf("%s: got %q", tt.name, got)
		}
	}
}
