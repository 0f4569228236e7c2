package textdiff_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"commissionportal/internal/textdiff"
)

// show writes hunks as a person would read them: [-gone-] and {+new+}.
func show(hunks []textdiff.Hunk) string {
	var b strings.Builder
	for _, h := range hunks {
		b.WriteString("@@\n")
		for _, l := range h.Lines {
			b.WriteString(map[textdiff.Kind]string{textdiff.Same: "  ", textdiff.Removed: "- ", textdiff.Added: "+ "}[l.Kind])
			for _, s := range l.Spans {
				switch s.Kind {
				case textdiff.Removed:
					b.WriteString("[-" + s.Text + "-]")
				case textdiff.Added:
					b.WriteString("{+" + s.Text + "+}")
				default:
					b.WriteString(s.Text)
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func TestCompare(t *testing.T) {
	for _, tt := range []struct{ name, older, newer, want string }{
		{"equal", "a\nb\n", "a\nb\n", ""},
		{"only line ends differ", "a\r\nb\r", "a\nb", ""},
		{"both empty", "", "", ""},
		{"from nothing", "", "a\n\nb", "@@\n+ {+a+}\n+ \n+ {+b+}\n"},
		{"to nothing", "a", "", "@@\n- [-a-]\n"},
		{
			"a word", "The Commission meets twice a year.\n", "The Commission meets four times a year.\n",
			"@@\n- The Commission meets [-twice-] a year.\n+ The Commission meets {+four times+} a year.\n",
		},
		{"nothing in common is not speckled", "alpha beta gamma", "one two three four", "@@\n- [-alpha beta gamma-]\n+ {+one two three four+}\n"},
		{
			"Chinese, by sign", "委员会每年举行两次会议。", "委员会每年举行四次会议。",
			"@@\n- 委员会每年举行[-两-]次会议。\n+ 委员会每年举行{+四+}次会议。\n",
		},
		{
			"Japanese with a voiced mark", "技術カ委員会を設置する", "技術か\u3099委員会を設置する",
			"@@\n- 技術[-カ-]委員会を設置する\n+ 技術{+か\u3099+}委員会を設置する\n",
		},
		{
			"Arabic, by word with its marks", "تجتمع اللجنة مرتين في السنة", "تجتمع اللَّجنة أربع مرات في السنة",
			"@@\n- تجتمع [-اللجنة مرتين-] في السنة\n+ تجتمع {+اللَّجنة أربع مرات+} في السنة\n",
		},
		{
			"Hindi marks stay with their letter", "आयोग की बैठक होती है", "आयोग का बैठक होती है",
			"@@\n- आयोग [-की-] बैठक होती है\n+ आयोग {+का+} बैठक होती है\n",
		},
		{
			"context and gap", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2 x\n3\n4\n5\n6\n7\n8 y\n9\n",
			"@@\n  1\n- 2\n+ 2{+ x+}\n  3\n@@\n  7\n- 8\n+ 8{+ y+}\n  9\n",
		},
		{
			"near changes share a hunk", "1\n2\n3\n4\n5", "1\nzwei\n3\nvier\n5",
			"@@\n  1\n- [-2-]\n+ {+zwei+}\n  3\n- [-4-]\n+ {+vier+}\n  5\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hunks := textdiff.Compare(tt.older, tt.newer, 1)
			check(t, tt.older, tt.newer, hunks)
			if got := show(hunks); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestRewrapMarksOnlyTheNewWord(t *testing.T) {
	hunks := textdiff.Compare("The quick brown fox\njumps over the lazy dog", "The quick brown fox jumps\nquietly over the lazy dog", 1)
	var added []string
	for _, l := range hunks[0].Lines {
		for _, s := range l.Spans {
			if w := strings.TrimSpace(s.Text); s.Kind == textdiff.Added && w != "" {
				added = append(added, w)
			}
		}
	}
	if strings.Join(added, ",") != "quietly" {
		t.Errorf("added words %q\n%s", added, show(hunks))
	}
}

func TestNumbers(t *testing.T) {
	var got []string
	for _, h := range textdiff.Compare("a\nb\nc\nd\ne\nf\ng", "a\nB\nX\nc\nd\ne\nf\nG", 1) {
		for _, l := range h.Lines {
			got = append(got, fmt.Sprintf("%d/%d%s", l.OldNumber, l.NewNumber, l.Text()))
		}
		got = append(got, "|")
	}
	if s := strings.Join(got, " "); s != "1/1a 2/0b 0/2B 0/3X 3/4c | 6/7f 7/0g 0/8G |" {
		t.Error(s)
	}
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

func split(s string) []string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// check applies the hunks to the old text and expects the new one, and that what
// is marked as the same is the same on both sides.
func check(t failer, older, newer string, hunks []textdiff.Hunk) {
	t.Helper()
	a, b := split(older), split(newer)
	var built []string
	x, lastEnd := 0, -1
	for _, h := range hunks {
		var same [2]strings.Builder
		for i, l := range h.Lines {
			if l.OldNumber > 0 {
				for ; x < l.OldNumber-1; x++ {
					if i > 0 {
						t.Fatalf("a gap inside a hunk before %d", l.OldNumber)
					}
					built = append(built, a[x])
				}
				if a[x] != l.Text() {
					t.Fatalf("old line %d is %q, shown as %q", l.OldNumber, a[x], l.Text())
				}
				x++
			} else if i == 0 && l.NewNumber > len(built)+1 {
				for len(built) < l.NewNumber-1 {
					built = append(built, a[x])
					x++
				}
			}
			if i == 0 && lastEnd == x-1 && l.Kind == textdiff.Same {
				t.Fatalf("no gap before the hunk at %d", l.OldNumber)
			}
			if l.NewNumber > 0 {
				built = append(built, l.Text())
				if l.NewNumber != len(built) {
					t.Fatalf("new line %d is numbered %d", len(built), l.NewNumber)
				}
			}
			for j, s := range l.Spans {
				if s.Text == "" || j > 0 && l.Spans[j-1].Kind == s.Kind {
					t.Fatalf("spans are not minimal: %v", l.Spans)
				}
				if s.Kind != textdiff.Same && s.Kind != l.Kind {
					t.Fatalf("a %s line with a %s span", l.Kind, s.Kind)
				}
				if s.Kind == textdiff.Same && l.Kind == textdiff.Removed {
					same[0].WriteString(s.Text)
				}
				if s.Kind == textdiff.Same && l.Kind == textdiff.Added {
					same[1].WriteString(s.Text)
				}
			}
		}
		if same[0].String() != same[1].String() {
			t.Fatalf("same is %q on one side, %q on the other", same[0].String(), same[1].String())
		}
		lastEnd = x
	}
	built = append(built, a[x:]...)
	if strings.Join(built, "\n") != strings.Join(b, "\n") {
		t.Fatalf("applied: %q, want %q", built, b)
	}
}

func TestApplying(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) string {
		word := rapid.SampledFrom([]string{"a", "b", "the", "委", "员", "اللجنة", " ", " ", "\n", "\n", "\r\n", ".", "e\u0301", "\u0301", "\xff", "x y"})
		return strings.Join(rapid.SliceOfN(word, 0, 40).Draw(t, "words"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "older"), text.Draw(t, "newer")
		check(t, a, b, textdiff.Compare(a, b, rapid.IntRange(-1, 4).Draw(t, "around")))
	})
}

// TestLarge holds the bound: whatever two texts of 200 kB are, a reader waits
// no longer than a moment.
func TestLarge(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func(alphabet string, size int) string {
		letters := []rune(alphabet)
		var b strings.Builder
		for b.Len() < size {
			b.WriteRune(letters[rnd.IntN(len(letters))])
		}
		return b.String()
	}
	const size = 200_000
	paragraphs := strings.Repeat(random("abcdefghij     ", 300)+"\n", size/300)
	for name, p := range map[string][2]string{
		"two letters a line":  {random("a\nb\n", size), random("a\nb\n", size)},
		"one line of words":   {random("ab c", size), random("ab c", size)},
		"one line of Chinese": {random("委员会每年举行", size), random("委员会每年举行", size)},
		"many changed lines":  {random("abcdefgh         \n", size), random("abcdefgh         \n", size)},
		"all lines equal":     {strings.Repeat("x\n", size/2), strings.Repeat("x\n", size/3)},
		"paragraphs":          {paragraphs, strings.ReplaceAll(paragraphs, "a", "aa")},
		"only line ends":      {strings.Repeat("\n", size), strings.Repeat("\n", size-5)},
	} {
		start := time.Now()
		hunks := textdiff.Compare(p[0], p[1], 3)
		took := time.Since(start)
		check(t, p[0], p[1], hunks)
		t.Logf("%s: %v", name, took)
		if took > 5*time.Second { // about a hundred times what it takes; the race detector and others share the machine
			t.Errorf("%s took %v", name, took)
		}
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("a\nb", "a\nc", 1)
	f.Add("委员会", "委員会\r", 0)
	f.Add("\xff\n\n", "\u0301\n", 3)
	f.Fuzz(func(t *testing.T, a, b string, around int) {
		check(t, a, b, textdiff.Compare(a, b, around%10))
	})
}
