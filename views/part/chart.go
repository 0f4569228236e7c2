package part

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"commissionportal/internal/country"
	"commissionportal/internal/i18n"
)

// Bar is one row of Bars.
type Bar struct {
	Label string
	Count int
	Path  string // where it leads, or ""
}

// MostFirst is bars with the longest first; those of a length stay as they are.
func MostFirst(bars []Bar) []Bar {
	slices.SortStableFunc(bars, func(a, b Bar) int { return cmp.Compare(b.Count, a.Count) })
	return bars
}

func longest(bars []Bar) int {
	most := 0
	for _, b := range bars {
		most = max(most, b.Count)
	}
	return most
}

// percent is n of whole as a length; anything above zero stays visible.
func percent(n, whole int) string {
	if n <= 0 || whole <= 0 {
		return "0%"
	}
	p := min(100, 100*float64(n)/float64(whole))
	return strconv.FormatFloat(max(p, 0.8), 'f', 1, 64) + "%"
}

// Point is how many there were at a time.
type Point struct {
	At    time.Time
	Count int
}

// The plot of a Growth: its own units across, pixels down.
const (
	plotWidth  = 1000
	plotTop    = 22
	plotHeight = 168
	plotBottom = plotTop + plotHeight
)

type growthPlot struct {
	line, area string
	ticks      []growthTick // of counts
	labels     []growthLabel
	endY       string
	last       Point
}

type growthTick struct{ y, textY, text string }

type growthLabel struct{ x, anchor, text string }

// growthKey says all that a picture of the points depends on: it shows nothing finer than a
// minute, and the last point is often now.
func growthKey(id, title string, points []Point) []string {
	key := append(make([]string, 0, 8+2*len(points)), "growth", id, title)
	for _, p := range points {
		key = append(key, strconv.FormatInt(p.At.Unix()/60, 36), itoa(p.Count))
	}
	return key
}

// plotGrowth lays out points, which are in the order of time; there are at least two.
func plotGrowth(ctx context.Context, points []Point) growthPlot {
	most := 1
	for _, p := range points {
		most = max(most, p.Count)
	}
	step := niceStep(most)
	top := (most + step - 1) / step * step
	y := func(n int) float64 { return plotBottom - plotHeight*float64(n)/float64(top) }

	first, last := points[0].At, points[len(points)-1].At
	span := max(last.Sub(first), time.Second)
	x := func(t time.Time) float64 { return float64(t.Sub(first)) / float64(span) }

	var line strings.Builder
	for i, p := range points {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		fmt.Fprintf(&line, "%s%.1f %.1f", verb, plotWidth*x(p.At), y(p.Count))
	}
	g := growthPlot{
		line: line.String(),
		area: line.String() + fmt.Sprintf("L%d %dL0 %dz", plotWidth, plotBottom, plotBottom),
		endY: fmt.Sprintf("%.1f", y(points[len(points)-1].Count)),
		last: points[len(points)-1],
	}
	for n := 0; n <= top; n += step {
		g.ticks = append(g.ticks, growthTick{fmt.Sprintf("%.1f", y(n)), fmt.Sprintf("%.1f", y(n)+4), i18n.Number(ctx, n)})
	}
	for i := range 4 {
		at := first.Add(span * time.Duration(i) / 3)
		anchor := "middle"
		switch i {
		case 0:
			anchor = "start"
		case 3:
			anchor = "end"
		}
		g.labels = append(g.labels, growthLabel{fmt.Sprintf("%.1f%%", 100*float64(i)/3), anchor, i18n.Month(ctx, at)})
	}
	return g
}

// niceStep divides 0 to most into at most four steps of 1, 2 or 5 times a power of ten.
func niceStep(most int) int {
	for power := 1; ; power *= 10 {
		for _, m := range []int{1, 2, 5} {
			if m*power*4 >= most {
				return m * power
			}
		}
	}
}

// Lane is a line of Lanes: what happened of one kind.
type Lane struct {
	Label string
	Marks []LaneMark
}

// LaneMark is how much of it happened at a time.
type LaneMark struct {
	At    time.Time
	Count int
	Say   string // "3 downloads, 5 March 2026": the mark as a text
}

const (
	laneHeight = 38
	laneLine   = 25 // of the marks, from the top of the lane
)

// laneX is where a time stands between the first and the last, with room for the
// marks at either end.
func laneX(at, first, last time.Time) string {
	part := 0.5
	if span := last.Sub(first); span > 0 {
		part = min(1, max(0, float64(at.Sub(first))/float64(span)))
	}
	return strconv.FormatFloat(2+96*part, 'f', 2, 64) + "%"
}

// laneRadius grows with the count, slowly: a lane is as high as it is.
func laneRadius(n int) string {
	return strconv.FormatFloat(min(9, 3.5+1.2*math.Log2(float64(max(n, 1)))), 'f', 1, 64)
}

// Counts is what a WorldMap shows: how many there are by country.
type Counts struct {
	Title  string
	ByCode map[string]int                          // alpha-2 code: how many; none and zero are the same
	Say    func(ctx context.Context, n int) string // "12 organizations"
	Path   func(code string) string                // where a country leads; nil if nowhere
}

// key says all that a map depends on but for the language.
func (c Counts) key(ctx context.Context) []string {
	key := []string{"world", c.Title, c.Say(ctx, 2), ""}
	if c.Path != nil {
		key[3] = c.Path("--")
	}
	for _, code := range slices.Sorted(maps.Keys(c.ByCode)) {
		key = append(key, code, itoa(c.ByCode[code]))
	}
	return key
}

type mapCountry struct {
	country.Shape
	count int
	class string // c1 to c5
}

// countClass is a step of the legend: counts from From to To have the class.
type countClass struct {
	From, To int // To 0 has no upper end
	Class    string
}

func (c countClass) text(ctx context.Context) string {
	switch {
	case c.To == 0:
		return i18n.T(ctx, "%d and more", c.From)
	case c.From == c.To:
		return i18n.Number(ctx, c.From)
	}
	return i18n.T(ctx, "%d to %d", c.From, c.To)
}

// countClasses are up to five classes that fit counts up to most, few at small
// numbers, where most countries are: 1, 2 to 4, 5 to 9, 10 to 19, 20 and more.
func countClasses(most int) []countClass {
	var bounds []int
	for power := 1; power <= most; power *= 10 {
		for _, m := range []int{1, 2, 5} {
			if m*power <= most {
				bounds = append(bounds, m*power)
			}
		}
	}
	if n := len(bounds); n > 5 {
		some := make([]int, 5)
		for i := range some {
			some[i] = bounds[i*(n-1)/4]
		}
		bounds = some
	}
	classes := make([]countClass, len(bounds))
	for i, from := range bounds {
		// Few classes still end in the strong color.
		classes[i] = countClass{From: from, Class: "c" + strconv.Itoa(5-(len(bounds)-1-i))}
		if i+1 < len(bounds) {
			classes[i].To = bounds[i+1] - 1
		}
	}
	return classes
}

type worldPlot struct {
	some    []mapCountry
	markers []mapCountry // those of some that need a marker, and small ones without any
	classes []countClass
	table   []mapCountry // by count, then name
	most    int
}

func plotWorld(ctx context.Context, byCode map[string]int) worldPlot {
	var w worldPlot
	for _, n := range byCode {
		w.most = max(w.most, n)
	}
	w.classes = countClasses(w.most)
	for _, s := range country.Map().Shapes {
		n := byCode[s.Code]
		c := mapCountry{Shape: s, count: max(n, 0), class: "c0"}
		for _, class := range w.classes {
			if n >= class.From {
				c.class = class.Class
			}
		}
		switch {
		case s.Marker:
			w.markers = append(w.markers, c)
		case n > 0:
			w.some = append(w.some, c)
		}
		if n > 0 {
			w.table = append(w.table, c)
		}
	}
	// Markers with the most stand in front.
	slices.SortStableFunc(w.markers, func(a, b mapCountry) int { return cmp.Compare(a.count, b.count) })
	slices.SortStableFunc(w.table, func(a, b mapCountry) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(i18n.Country(ctx, a.Code), i18n.Country(ctx, b.Code)))
	})
	return w
}

func (c Counts) say(ctx context.Context, m mapCountry) string {
	return i18n.Country(ctx, m.Code) + ": " + c.Say(ctx, m.count)
}

func itoa(n int) string { return strconv.Itoa(n) }
