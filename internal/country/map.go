package country

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Shape is where a country is on the world map, whose top left is 0,0.
type Shape struct {
	Code   string
	Path   string // SVG path data; "" if the map's scale has no area for it
	X, Y   int    // a point in its main part
	Marker bool   // too small to see: show it as a marker at X, Y
}

// World is the map of the world in the Equal Earth projection, without Antarctica:
// its size in SVG units, and every country and territory in the order of codes.
type World struct {
	Width, Height int
	Shapes        []Shape
}

//go:embed data/map.tsv
var mapTable string

// Map is the world map, read once.
var Map = sync.OnceValue(func() World {
	w, err := parseMap(mapTable)
	if err != nil {
		panic(err) // embedded, and read by a test
	}
	return w
})

func parseMap(tsv string) (World, error) {
	var w World
	for line := range strings.Lines(tsv) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		var err error
		switch {
		case f[0] == "# size" && len(f) == 3:
			w.Width, w.Height, err = twoInts(f[1], f[2])
		case strings.HasPrefix(line, "#"):
		case len(f) == 5:
			s := Shape{Code: f[0], Path: f[1], Marker: f[4] != ""}
			s.X, s.Y, err = twoInts(f[2], f[3])
			w.Shapes = append(w.Shapes, s)
		default:
			err = fmt.Errorf("%d columns", len(f))
		}
		if err != nil {
			return w, fmt.Errorf("map.tsv, %q: %w", f[0], err)
		}
	}
	return w, nil
}

func twoInts(a, b string) (int, int, error) {
	x, err := strconv.Atoi(a)
	if err != nil {
		return 0, 0, err
	}
	y, err := strconv.Atoi(b)
	return x, y, err
}

// Sprite is the map as an SVG file to draw with <use>: #world is all of it, and
// each country that has an area is there by its code.
var Sprite = sync.OnceValue(func() []byte {
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg"><g id="world">`)
	for _, s := range Map().Shapes {
		if s.Path != "" {
			fmt.Fprintf(&b, `<path id="%s" d="%s"/>`, s.Code, s.Path)
		}
	}
	b.WriteString("</g></svg>\n")
	return []byte(b.String())
})
