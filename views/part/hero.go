package part

import "fmt"

// heroRow is a half circle whose dashes are its seats: round ends make each dash a
// dot, and pathLength places as many as there are.
type heroRow struct{ class, path, seats string }

var heroRows = func() (rows []heroRow) {
	for i := range 5 {
		r := 68 + 38*i
		rows = append(rows, heroRow{
			class: fmt.Sprintf("c%d", 5-i),
			path:  fmt.Sprintf("M%d 236A%d %d 0 0 1 %d 236", 240-r, r, r, 240+r),
			seats: itoa(8+4*i) + ".001", // a trace more, so that the last seat is on the path
		})
	}
	return rows
}()
