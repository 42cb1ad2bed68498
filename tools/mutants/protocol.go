package main

import (
	"fmt"
	"strings"
)

// A change is a mutant of the protocol, by hand: what the syntax does not suggest.
// Each old text must come exactly once in the file.
type change struct {
	name string
	file string
	// pairs of old and new text
	pairs []string
}

// mutant applies the change. Its key has the name in place of the lines.
func (c change) mutant(source []byte) (*mutant, error) {
	text, line, lines := string(source), 0, 1
	for i := 0; i < len(c.pairs); i += 2 {
		before, after, found := strings.Cut(text, c.pairs[i])
		if !found || strings.Contains(after, c.pairs[i]) {
			return nil, fmt.Errorf("protocol.go: %q is not, or more than once, in %s", c.pairs[i], c.file)
		}
		if line == 0 {
			line, lines = 1+strings.Count(before, "\n"), 1+strings.Count(c.pairs[i], "\n")
		}
		text = before + c.pairs[i+1] + after
	}
	return &mutant{
		file: c.file, function: "protocol", line: line, lines: lines,
		from: oneLine(c.pairs[0]), to: c.name, source: []byte(text),
	}, nil
}

var protocol = []change{}
