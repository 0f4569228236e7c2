package document

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"commissionportal/internal/extract"
)

func TestPaged(t *testing.T) {
	t.Parallel()
	paragraph := strings.Repeat("слово ", 1000) // 11 kB
	for _, tt := range []struct {
		name string
		r    extract.Result
		want string // page: bytes
	}{
		{"nothing", extract.Result{}, ""},
		{"a text", extract.Result{Text: "one\n\ntwo"}, "1:8"},
		{"pages, one of them empty", extract.Result{Text: "one\f\fthree", Pages: 3}, "1:3 3:5"},
		{"slides", extract.Result{Text: "one\ftwo"}, "1:3 2:3"},
		{"parts end with paragraphs", extract.Result{Text: paragraph + "\n\n" + paragraph + "\n\n" + paragraph}, "1:22001 2:10999"},
		{"pages too long to be any", extract.Result{Text: "one\f" + strings.Repeat(paragraph+"\n\n", 9)}, "1:22006 2:22001 3:22001 4:22001 5:10999"},
		{"a page without end", extract.Result{Text: strings.Repeat("ß", 200_000), Pages: 1}, "1:262144"},
		{"no place to cut", extract.Result{Text: strings.Repeat("€", 20_000)}, "1:32766 2:27234"},
		{"page breaks alone", extract.Result{Text: strings.Repeat("\f", 100_000) + "x"}, "7:1"},
	} {
		var got []string
		for _, p := range paged(tt.r) {
			got = append(got, fmt.Sprintf("%d:%d", p.page, len(p.text)))
			if !utf8.ValidString(p.text) {
				t.Errorf("%s: page %d is cut in a character", tt.name, p.page)
			}
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
