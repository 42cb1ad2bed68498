package main

import (
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// changes are the lines of each file that a diff has touched.
type changes map[string][]span

// A span is the lines from first to last.
type span struct{ first, last int }

// parseDiff reads a diff without context.
func parseDiff(diff string) (changes, error) {
	files, _, err := gitdiff.Parse(strings.NewReader(diff))
	c := changes{}
	for _, f := range files {
		for _, part := range f.TextFragments {
			s := span{int(part.NewPosition), int(part.NewPosition + part.NewLines - 1)}
			if part.NewLines == 0 { // lines were taken out: their neighbours changed
				s.last = s.first + 1
			}
			c[f.NewName] = append(c[f.NewName], s)
		}
	}
	return c, err
}

// touch reports whether a line of the mutant changed.
func (c changes) touch(m *mutant) bool {
	for _, s := range c[m.file] {
		if m.line <= s.last && m.line+m.lines-1 >= s.first {
			return true
		}
	}
	return false
}
