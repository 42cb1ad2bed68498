package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// changes are the lines of each file that a diff has touched.
type changes map[string][]span

// A span is the lines from first to last.
type span struct{ first, last int }

var hunk = regexp.MustCompile(`^@@ -\S+ \+(\d+)(?:,(\d+))? @@`)

// parseDiff reads a diff without context.
func parseDiff(diff string) (changes, error) {
	c := changes{}
	file := ""
	for line := range strings.Lines(diff) {
		if name, ok := strings.CutPrefix(line, "+++ "); ok {
			file = strings.TrimPrefix(strings.TrimSpace(name), "b/")
			continue
		}
		if !strings.HasPrefix(line, "@@") {
			continue
		}
		match := hunk.FindStringSubmatch(line)
		if match == nil || file == "" {
			return nil, fmt.Errorf("a diff that is not understood: %q", line)
		}
		s := span{}
		s.first, _ = strconv.Atoi(match[1])
		count := 1
		if match[2] != "" {
			count, _ = strconv.Atoi(match[2])
		}
		s.last = s.first + count - 1
		if count == 0 { // lines were taken out: their neighbours changed
			s.last = s.first + 1
		}
		c[file] = append(c[file], s)
	}
	return c, nil
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
