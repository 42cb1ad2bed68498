package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A module with one function, whose tests see whether it adds and not whether it
// is quick.
var toy = map[string]string{
	"go.mod":                       "module toy\n\ngo 1.26\n",
	"internal/handoff/sum.go":      toySource,
	"internal/handoff/sum_test.go": "package handoff\n\nimport \"testing\"\n\nfunc TestSum(t *testing.T) {\n\tif sum(3) != 6 {\n\t\tt.Fail()\n\t}\n}\n",
}

const toySource = `package handoff

var calls int

func sum(n int) (all int) {
	calls++
	for i := range n + 1 {
		all += i
	}
	return all
}
`

func newToy(t *testing.T) *lab {
	t.Helper()
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "off")
	root := t.TempDir()
	for name, text := range toy {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	l, err := newLab(root)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.close()) })
	l.stages = []*stage{{dir: "internal/handoff"}}
	return l
}

// The verdict is of this mutant, and of no similar one.
func TestExamine(t *testing.T) {
	l := newToy(t)
	mutants, err := generate("internal/handoff/sum.go", []byte(toySource))
	require.NoError(t, err)
	want := map[string]verdict{
		"all -= i":               killed,
		"calls--":                survives,
		"for i := range n - 1 {": killed,
		"for i := range n + 2 {": killed,
		"for i := range n + 0 {": killed,
		"calls++ => " + removed:  survives,
		"all += i => " + removed: invalid, // i is not used
	}
	for _, m := range mutants {
		expected, ok := want[m.to]
		if m.to == removed {
			expected, ok = want[m.from+" => "+m.to]
		}
		require.True(t, ok, "%v", m)
		got, by, err := l.examine(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, expected, got, "%v%s", m, by)
		if got == killed {
			require.Contains(t, by, "TestSum")
		}
	}
	require.Len(t, mutants, len(want))
	endless := &mutant{file: "internal/handoff/sum.go", source: []byte("package handoff\n\nfunc sum(int) int {\n\tfor {\n\t}\n}\n")}
	got, by, err := l.examine(t.Context(), endless)
	require.NoError(t, err)
	require.Equal(t, killed, got)
	require.Contains(t, by, "TestSum hangs")
}

// Tests that fail without a mutant would kill each of them.
func TestExamineWithTestsThatFail(t *testing.T) {
	l := newToy(t)
	require.NoError(t, os.WriteFile(filepath.Join(l.root, "internal/handoff/other_test.go"),
		[]byte("package handoff\n\nimport \"testing\"\n\nfunc TestOther(t *testing.T) { t.Fail() }\n"), 0o644))
	_, _, err := l.examine(t.Context(), &mutant{file: "internal/handoff/sum.go", source: []byte(toySource)})
	require.ErrorContains(t, err, "without a mutant")
}

// One that passes first and fails later tells nothing of a mutant that hangs, and
// does not end the run.
func TestExamineWithATestThatFailsNowAndThen(t *testing.T) {
	l := newToy(t)
	l.least = patience{time.Minute, time.Millisecond}
	const test = `package handoff

import (
	"os"
	"testing"
)

func TestSum(t *testing.T) {
	for sum(3) != 6 {
	}
	if _, err := os.Stat("passed"); err == nil {
		t.Fatal()
	}
	_ = os.WriteFile("passed", nil, 0o644)
}
`
	require.NoError(t, os.WriteFile(filepath.Join(l.root, "internal/handoff/sum_test.go"), []byte(test), 0o644))
	got, by, err := l.examine(t.Context(), &mutant{file: "internal/handoff/sum.go", source: []byte("package handoff\n\nfunc sum(int) int { return 0 }\n")})
	require.NoError(t, err)
	require.Equal(t, killed, got)
	require.Contains(t, by, "TestSum hangs")
}

func TestJudge(t *testing.T) {
	l := newToy(t)
	dead := &mutant{file: "internal/handoff/sum.go", source: []byte("package handoff\n\nfunc sum(int) int { return 0 }\n")}
	alive := &mutant{file: "internal/handoff/sum.go", source: []byte(toySource + "\n")}
	for _, c := range []struct {
		m      *mutant
		reason string
		all    bool
		want   verdict
	}{
		{dead, "", false, killed},
		{alive, "", false, survives},
		{dead, "said so", false, equivalent},
		{dead, "said so", true, notEquivalent},
		{alive, "said so", true, equivalent},
	} {
		c.m.reason = c.reason
		got, _, err := options{all: c.all}.judge(t.Context(), l, c.m)
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%+v", c)
	}
}

// A mutant of the handoff meets the handoff's tests first, any other the pool's.
func TestOrderOfStages(t *testing.T) {
	l := &lab{stages: stages()}
	require.Equal(t, "internal/handoff", l.order(&mutant{file: "internal/handoff/gate.go"})[0].dir)
	require.Equal(t, "internal/panics", l.order(&mutant{file: "internal/panics/panics.go"})[0].dir)
	require.Equal(t, ".", l.order(&mutant{file: "pool.go"})[0].dir)
	require.ElementsMatch(t, l.stages, l.order(&mutant{file: "pool.go"}))
}

func TestCauseOfAFailure(t *testing.T) {
	for text, want := range map[string]string{
		"": "no test",
		"=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\npanic: x\n":                "TestB",
		"=== RUN   TestA\n=== RUN   TestA/b\n    --- FAIL: TestA/b (0.00s)\n=== RUN   TestC\n": "TestA/b",
	} {
		o := new(output)
		o.buffer.WriteString(text)
		require.Equal(t, want, o.cause())
	}
}
