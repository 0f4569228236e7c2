package slug

import (
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Domain is the registrable domain of a website or host name, in lower case
// ASCII: "https://www.siemens.com/de" gives "siemens.com", "foo.github.io/x"
// gives "foo.github.io", because github.io hands out names to others. It is ""
// for an address that names no domain under a known ending. A bare host name and
// an e-mail address have one too.
func Domain(website string) string {
	website = strings.TrimSpace(website)
	if !strings.Contains(website, "://") {
		website = "https://" + strings.TrimPrefix(website, "//")
	}
	u, err := url.Parse(website)
	if err != nil {
		return ""
	}
	host, err := idna.Lookup.ToASCII(strings.TrimSuffix(u.Hostname(), "."))
	if err != nil || len(host) > 253 || net.ParseIP(host) != nil {
		return ""
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return ""
		}
	}
	suffix, listed := publicsuffix.PublicSuffix(host)
	if !listed && !strings.Contains(suffix, ".") {
		return "" // an ending nobody has registered, as "localhost" or "internal"
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return "" // the host is itself an ending, as "co.uk"
	}
	return domain
}
