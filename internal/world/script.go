package world

import (
	"math/rand/v2"
	"strings"
)

// language makes texts of words that are as frequent as Zipf says, for none of which
// anybody vouches.
type language struct {
	code  string
	words []string
	glue  string
	of    int // documents, of a hundred
}

// languages are always the same.
func languages() (list []language) {
	r := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // made up, and the same every time
	for _, s := range []struct {
		code, onsets, vowels, ends, glue string
		words, of                        int
	}{
		{"en", "b c d f g h l m n p r s t v w st tr pl gr ch sh", "a e i o u ea io", "n r s t l d ng ed ing tion er al ity s", " ", 200_000, 55},
		{"fr", "b c d f g l m n p r s t v qu ch pr tr", "a é i o u ou ai è", "r s t nt ment tion elle eur", " ", 100_000, 13},
		{"es", "b c d f g l m n p r s t v ll pr tr", "a e i o u ue ió", "n r s do ción mente dad", " ", 100_000, 10},
		{"ru", "б в г д ж з к л м н п р с т ст пр", "а е и о у ы я", "н р т л ть ный ость ами ов", " ", 100_000, 8},
		{"ar", "ب ت ج د ر س ش ع ف ق ك ل م ن ه", "ا و ي", "ة ات ين ون ان", " ", 80_000, 6},
		{"zh", "", "", "", "", 3000, 8},
	} {
		l := language{code: s.code, glue: s.glue, of: s.of}
		if s.code == "zh" {
			for i := range s.words {
				l.words = append(l.words, string(rune(0x4e00+i*7%20000)))
			}
		}
		seen := map[string]bool{}
		onsets, vowels, ends := strings.Fields(s.onsets), strings.Fields(s.vowels), strings.Fields(s.ends)
		for len(l.words) < s.words {
			var word strings.Builder
			for range 1 + r.IntN(3) {
				word.WriteString(one(r, onsets) + one(r, vowels))
			}
			word.WriteString(one(r, ends))
			if t := word.String(); !seen[t] {
				seen[t] = true
				l.words = append(l.words, t)
			}
		}
		list = append(list, l)
	}
	return list
}

// speaker writes texts.
type speaker struct {
	*rand.Rand
	list []language
	zipf []*rand.Zipf
}

func newSpeaker(r *rand.Rand, list []language) *speaker {
	s := &speaker{Rand: r, list: list}
	for _, l := range list {
		s.zipf = append(s.zipf, rand.NewZipf(r, 1.07, 4, uint64(len(l.words)-1)))
	}
	return s
}

// language is one of them, as often as it is used.
func (s *speaker) language() int {
	n := s.IntN(100)
	for i, l := range s.list {
		if n -= l.of; n < 0 {
			return i
		}
	}
	return 0
}

// text has so many words; characters, where a language writes with them.
func (s *speaker) text(language, words int) string {
	l := s.list[language]
	if l.glue == "" {
		words *= 2
	}
	var b strings.Builder
	for i := range words {
		if i > 0 {
			b.WriteString(l.glue)
		}
		b.WriteString(l.words[s.zipf[language].Uint64()])
	}
	return b.String()
}
