package textdiff

import "sort"

// change is a part of the old sequence that a part of the new one replaces; one
// of them may be empty. Between two changes the sequences are the same.
type change struct{ oldFrom, oldTo, newFrom, newTo int }

// budget bounds the steps of one Compare, about 50 ms. What is left when it is
// spent is shown as replaced: right, if not the shortest way to say it.
const budget = 10_000_000

// maxTable bounds the memory of one exact comparison, in cells of four bytes.
const maxTable = 4_000_000

// changes compares two sequences. It anchors on what stands exactly once in both
// (patience diff: headings and whole sentences keep their place, which is what a
// reader expects), and compares what lies between the anchors exactly.
// The steps it takes are taken off *steps.
func changes(a, b []string, steps *int) []change {
	d := differ{steps: steps}
	// Small numbers compare faster than strings.
	ids := map[string]int{}
	number := func(texts []string) []int {
		out := make([]int, len(texts))
		for i, t := range texts {
			id, ok := ids[t]
			if !ok {
				id = len(ids)
				ids[t] = id
			}
			out[i] = id
		}
		return out
	}
	d.a, d.b = number(a), number(b)
	d.compare(0, len(a), 0, len(b))
	return d.found
}

type differ struct {
	a, b  []int
	found []change
	steps *int
}

// note adds a change after all others, joined to the last if nothing is between.
func (d *differ) note(c change) {
	if c.oldFrom == c.oldTo && c.newFrom == c.newTo {
		return
	}
	if n := len(d.found); n > 0 && d.found[n-1].oldTo == c.oldFrom && d.found[n-1].newTo == c.newFrom {
		d.found[n-1].oldTo, d.found[n-1].newTo = c.oldTo, c.newTo
		return
	}
	d.found = append(d.found, c)
}

func (d *differ) compare(a0, a1, b0, b1 int) {
	for a0 < a1 && b0 < b1 && d.a[a0] == d.b[b0] {
		a0, b0 = a0+1, b0+1
	}
	for a0 < a1 && b0 < b1 && d.a[a1-1] == d.b[b1-1] {
		a1, b1 = a1-1, b1-1
	}
	if a0 == a1 || b0 == b1 {
		d.note(change{a0, a1, b0, b1})
		return
	}
	// Each round looks at the whole stretch once; the depth is bounded by the
	// budget too, because every level pays for its length.
	*d.steps -= a1 - a0 + b1 - b0
	if *d.steps > 0 {
		if anchors := d.anchors(a0, a1, b0, b1); len(anchors) > 0 {
			for _, p := range anchors {
				d.compare(a0, p[0], b0, p[1])
				a0, b0 = p[0]+1, p[1]+1
			}
			d.compare(a0, a1, b0, b1)
			return
		}
	}
	d.exact(a0, a1, b0, b1)
}

// anchors are the pairs of equal elements that stand once in each stretch, the
// longest series of them that goes upwards in both.
func (d *differ) anchors(a0, a1, b0, b1 int) [][2]int {
	type place struct{ inA, inB, countA, countB int }
	places := make(map[int]*place, a1-a0)
	for i := a0; i < a1; i++ {
		p := places[d.a[i]]
		if p == nil {
			p = &place{}
			places[d.a[i]] = p
		}
		p.inA, p.countA = i, p.countA+1
	}
	for j := b0; j < b1; j++ {
		if p := places[d.b[j]]; p != nil {
			p.inB, p.countB = j, p.countB+1
		}
	}
	var pairs [][2]int
	for i := a0; i < a1; i++ {
		if p := places[d.a[i]]; p.countA == 1 && p.countB == 1 {
			pairs = append(pairs, [2]int{i, p.inB})
		}
	}
	// Longest increasing subsequence by the place in b: piles[k] is the pair that
	// ends the best series of k+1, before[i] the one that comes before pair i.
	piles, before := []int{}, make([]int, len(pairs))
	for i, p := range pairs {
		k := sort.Search(len(piles), func(k int) bool { return pairs[piles[k]][1] > p[1] })
		before[i] = -1
		if k > 0 {
			before[i] = piles[k-1]
		}
		if k == len(piles) {
			piles = append(piles, i)
		} else {
			piles[k] = i
		}
	}
	series := make([][2]int, len(piles))
	if len(piles) > 0 {
		for k, i := len(piles)-1, piles[len(piles)-1]; i >= 0; k, i = k-1, before[i] {
			series[k] = pairs[i]
		}
	}
	return series
}

// exact finds a longest common subsequence by its table, if the budget allows.
func (d *differ) exact(a0, a1, b0, b1 int) {
	n, m := a1-a0, b1-b0
	if cost := n * m; cost > min(*d.steps, maxTable) {
		d.note(change{a0, a1, b0, b1})
		return
	}
	*d.steps -= n * m
	// length[i][j] is the longest common to a[a0+i:a1] and b[b0+j:b1].
	width := m + 1
	length := make([]int32, (n+1)*width)
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if d.a[a0+i] == d.b[b0+j] {
				length[i*width+j] = length[(i+1)*width+j+1] + 1
			} else {
				length[i*width+j] = max(length[(i+1)*width+j], length[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < n && j < m {
		switch {
		case d.a[a0+i] == d.b[b0+j]:
			i, j = i+1, j+1
		case length[(i+1)*width+j] >= length[i*width+j+1]:
			d.note(change{a0 + i, a0 + i + 1, b0 + j, b0 + j})
			i++
		default:
			d.note(change{a0 + i, a0 + i, b0 + j, b0 + j + 1})
			j++
		}
	}
	d.note(change{a0 + i, a1, b0 + j, b1})
}
