package markdown

import (
	"strings"

	"commissionportal/internal/problem"
)

// The parser takes time with the square, or worse, of what it finds nested or
// opened in one paragraph, and fills up every row of a table to its full width:
// 200 kB can cost it minutes and gigabytes. These limits are far above what
// people write, and keep any source under about a second.
const (
	maxSource  = 200_000 // bytes
	maxNesting = 20      // quotes and lists that begin on one line
	maxMarks   = 4_000   // brackets, stars and the like in one paragraph
	maxCells   = 20_000  // of a table
	maxTables  = 100_000 // cells of all tables: more than fit into maxSource, unless short rows are filled up
)

// Check reports, as a problem of field, a source that is too long or too tangled
// to be shown.
func Check(field, source string) error {
	if p := within(source); p != nil {
		return problem.Field(field, p.Format, p.Args...)
	}
	if _, err := render(source, 2); err != nil {
		return problem.Field(field, "This text is far longer when it is shown than as it is written. Split its tables, and shorten its addresses.")
	}
	return nil
}

// within looks at a source before the parser does.
func within(source string) *problem.Error {
	if len(source) > maxSource {
		return problem.New(problem.TooLarge, "This text has %d kB. The limit is %d kB.", (len(source)+999)/1000, maxSource/1000)
	}
	marks, width, cells, all, number := 0, 0, 0, 0, 0
	for line := range strings.Lines(source) {
		number++
		depth, rest := openers(line)
		if depth > maxNesting {
			return problem.New(problem.TooLarge, "In line %d, quotes or lists are nested more than %d deep.", number, maxNesting)
		}
		// What surely ends a paragraph. Indented, or without contents, a list item
		// or a quote may be its next line.
		blank := strings.Trim(line, " \t\r\n") == ""
		if blank || line[0] == '>' && strings.Trim(line, "> \t\r\n") == "" || strings.HasPrefix(line, "- ") {
			marks = 0
		}
		for i := range len(rest) {
			if strings.IndexByte("[]()*_~`<!&", rest[i]) >= 0 {
				marks++
			}
		}
		if marks > maxMarks {
			return problem.New(problem.TooLarge, "The paragraph in line %d has too many brackets, stars and the like. Put blank lines between its parts.", number)
		}
		if blank {
			width, cells = 0, 0
			continue
		}
		if strings.Trim(line, "|-:> \t\r\n*+.)0123456789") == "" && strings.Contains(line, "-") {
			width = max(width, strings.Count(line, "|")+1)
		}
		if cells += width; cells > maxCells {
			return problem.New(problem.TooLarge, "The table in line %d has more than %d cells.", number, maxCells)
		}
		if all += width; all > maxTables {
			return problem.New(problem.TooLarge, "The tables up to line %d have more than %d cells together.", number, maxTables)
		}
	}
	return nil
}

// openers counts the quotes and list items that begin on a line, and returns
// what stands after them.
func openers(line string) (int, string) {
	for depth := 0; ; depth++ {
		line = strings.TrimLeft(line, " \t")
		after := strings.TrimLeft(line, "0123456789")
		switch {
		case strings.HasPrefix(line, ">"):
			line = line[1:]
		case len(line) > 1 && strings.ContainsRune("-+*", rune(line[0])) && (line[1] == ' ' || line[1] == '\t'):
			line = line[1:]
		case len(after) < len(line) && len(after) > 1 && (after[0] == '.' || after[0] == ')') && (after[1] == ' ' || after[1] == '\t'):
			line = after[1:]
		default:
			return depth, line
		}
	}
}
