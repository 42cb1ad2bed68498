package race

import (
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

// burdened is a go statement that has a T on its stack, and a little more, when the
// task begins.
func burdened[T any](name string) runner.Runner {
	return runner.Runner{Name: name, New: func() runner.Pool {
		return runner.Pool{
			Bind:  func(task func()) func() { return func() { go carry[T](task) } },
			Close: func() {},
		}
	}}
}

//go:noinline
func carry[T any](task func()) {
	var burden T
	task()
	leave(&burden)
}

func newborns(t *testing.T, runners ...runner.Runner) map[string]report.Newborn {
	t.Helper()
	r := Race{Settings: short(), Runners: runners, Log: io.Discard, report: new(report.Report)}
	require.NoError(t, r.newborns(t.Context()))
	found := map[string]report.Newborn{}
	for _, n := range r.report.Newborns {
		require.Empty(t, n.Failed)
		found[n.Runner] = n
	}
	return found
}

func TestBytesBeforeTheFirstTaskAreThoseInUse(t *testing.T) {
	found := newborns(t, pick("go")[0], burdened[[200]byte]("200"), burdened[[600]byte]("600"))
	require.Zero(t, found["go"].Used)
	require.Positive(t, found["go"].Room)
	require.InDelta(t, 400, found["600"].Used-found["200"].Used, 16)
	require.InDelta(t, 200+32, found["200"].Used, 48, "the array, and the frame that holds it")
	for name, n := range found {
		require.False(t, n.Grown, name)
	}
}

// A stack that has just grown may have less room left than a fresh one, or
// more.
func TestStackThatGrewBeforeTheFirstTaskIsNamed(t *testing.T) {
	found := newborns(t, pick("go")[0], burdened[[200]byte]("200"),
		burdened[[5000]byte]("5,000"), burdened[[6200]byte]("6,200"))
	for name, want := range map[string]int{"5,000": 4800, "6,200": 6000} {
		require.True(t, found[name].Grown, name)
		require.InDelta(t, want, found[name].Used-found["200"].Used, 32, name)
	}
}

// A collection that finds large stacks makes fresh ones large, which would hide
// what is in use.
func TestBytesBeforeTheFirstTaskDoNotDependOnOtherStacks(t *testing.T) {
	before := newborns(t, pick("go")...)
	release := make(chan struct{})
	defer close(release)
	ready := make(chan struct{})
	for range 20 {
		go func() {
			carry[[8 << 10]byte](func() {
				ready <- struct{}{}
				<-release
			})
		}()
		<-ready
	}
	runtime.GC()
	runtime.GC()
	require.Equal(t, before, newborns(t, pick("go")...))
}
