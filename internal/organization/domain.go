package organization

import (
	_ "embed"
	"strings"

	"commissionportal/internal/slug"
)

// Domains that many share: of free mail, and of platforms where anybody may
// have a page. To have one in common says nothing.
//
//go:embed shared_domains.txt
var sharedText string

var shared = func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(sharedText) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			set[line] = true
		}
	}
	return set
}()

// Domain is the registrable domain that a website or an e-mail address belongs
// to; "" if it has none, or one that says nothing about who is behind it.
func Domain(address string) string {
	d := slug.Domain(address)
	if shared[d] {
		return ""
	}
	return d
}
