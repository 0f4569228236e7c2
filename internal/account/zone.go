package account

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	_ "time/tzdata" // a zone that can be chosen is one that can be loaded, on any machine
)

//go:embed zones.tsv
var zonesTSV string // country and zone of the IANA database's zone.tab (public domain), the main zone of a country first

var zones = sync.OnceValue(func() (z struct {
	names []string
	home  map[string]string // country → its main zone
}) {
	z.home = map[string]string{}
	z.names = []string{"UTC"}
	for line := range strings.Lines(zonesTSV) {
		country, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		z.names = append(z.names, name)
		if z.home[country] == "" {
			z.home[country] = name
		}
	}
	slices.Sort(z.names[1:])
	return z
})

// Zones are the time zones to choose from, UTC first.
func Zones() []string { return zones().names }

// ZoneOf is the zone in which most of a country lives; UTC for one unknown.
func ZoneOf(country string) string {
	if z := zones().home[country]; z != "" {
		return z
	}
	return "UTC"
}

func knownZone(name string) bool { return slices.Contains(zones().names, name) }
