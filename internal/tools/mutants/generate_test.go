package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each line has what it becomes.
func TestGenerate(t *testing.T) {
	for line, want := range map[string][]string{
		"if a < b { c() }": {
			"if a <= b { c() }", "if a >= b { c() }", "if a < b { }", removed,
		},
		"if a && !ok() { return }": {
			"if a || !ok() { return }", "if a && ok() { return }", "if a && !ok() { }", removed,
		},
		"if ok() { return }":        {"if !ok() { return }", "if ok() { }", removed},
		"for ok() { a++ }":          {"for !ok() { a++ }", "for ok() { a-- }", "for ok() { }"},
		"a = 8 // of these":         {"a = 9 // of these", "a = 7 // of these", removed},
		"a -= 0":                    {"a += 0", "a -= 1", "a -= (-1)", removed},
		"a = min(b, -c)":            {"a = max(b, -c)", "a = min(b, c)", removed},
		"a |= b &^ c":               {"a &= b &^ c", "a |= b & c", removed},
		"go f.Add(b)":               {"go f.Sub(b)", removed},
		"defer f.Dec()":             {"defer f.Inc()", removed},
		"c <- true":                 {"c <- false", removed},
		"a := b":                    nil,
		"switch { case ok(): f() }": {"switch { case !ok(): f() }", "switch { case ok(): }"},
		"select { case <-c: f() }":  {"select { case <-c: }"},
	} {
		mutants, err := generate("p.go", []byte("package p\n\nfunc (t *T) f() {\n\t"+line+"\n}\n"))
		require.NoError(t, err)
		var got []string
		for _, m := range mutants {
			require.Equal(t, "p.go", m.file)
			require.Equal(t, "T.f", m.function)
			require.Equal(t, 4, m.line)
			require.Equal(t, oneLine(line), m.from)
			changed := strings.Split(string(m.source), "\n")[3]
			if m.to == removed {
				require.Empty(t, strings.TrimSpace(oneLine(changed)))
				got = append(got, removed)
			} else {
				got = append(got, strings.Join(strings.Fields(changed), " "))
			}
		}
		require.ElementsMatch(t, want, got, line)
	}
}

// Two changes that look alike have names of their own. What stands outside of functions
// is changed too, except imports.
func TestNamesOfMutants(t *testing.T) {
	mutants, err := generate("p.go", []byte("package p\n\nimport \"math\"\n\nvar a = b == c == d\n\nfunc f() {\n\tg(\n\t\ta,\n\t)\n\tg(\n\t\ta,\n\t)\n}\n"))
	require.NoError(t, err)
	var names []string
	for _, m := range mutants {
		names = append(names, m.String())
	}
	require.ElementsMatch(t, []string{
		"p.go:5: : var a = b == c == d => var a = b == c != d",
		"p.go:5: : var a = b == c == d => var a = b != c == d",
		"p.go:8: f: g( a, ) => (removed)",
		"p.go:11: f: g( a, ) => (removed) (2)",
	}, names)
}

func TestGenerateRefusesWhatDoesNotParse(t *testing.T) {
	_, err := generate("p.go", []byte("package"))
	require.Error(t, err)
}
