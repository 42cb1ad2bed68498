// Package leaks tests what docs/LEAKS.md advises for a pool that outlives the tests of
// a process.
package leaks

import (
	"context"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// What an idle pool keeps.
const (
	worker    = "example.com/hemlock/internal/handoff.(*Shard).Take" // on top
	coroutine = "example.com/hemlock.(*coroutine).work"              // below iter.Pull
	killer    = "example.com/hemlock.(*killer).kill"                 // on top
)

var (
	ignoreWorker    = goleak.IgnoreTopFunction(worker)
	ignoreCoroutine = goleak.IgnoreAnyFunction(coroutine)
	ignoreKiller    = goleak.IgnoreTopFunction(killer)
)

// ignored leaves the waiting of an idle pool out of a block profile.
const ignored = `handoff\.\(\*Shard\)\.Take|hemlock\.\(\*killer\)\.kill`

// newPool returns a pool that has an idle worker of Run, one of Do, and a killer that
// waits for longer than any test takes.
func newPool(t *testing.T, minimum int) *hemlock.Pool {
	pool := hemlock.New(hemlock.WithMinWorkers(minimum), hemlock.WithKillInterval(time.Hour))
	t.Cleanup(func() {
		require.NoError(t, pool.Shutdown(context.Background()))
		require.NoError(t, goleak.Find(), "after Shutdown")
	})
	done := make(chan struct{})
	pool.Run(func() { close(done) })
	<-done
	pool.Do(func() {})
	require.Eventually(t, workerWaits, time.Minute, time.Millisecond, "no worker waits in "+worker)
	return pool
}

var waits = regexp.MustCompile(`\[chan receive.*\]:\n` + regexp.QuoteMeta(worker))

// workerWaits reports whether an idle worker can be sent a task or a pill: Stats counts it as idle
// a moment earlier.
func workerWaits() bool {
	stacks := make([]byte, 1<<20)
	return waits.Match(stacks[:runtime.Stack(stacks, true)])
}

func TestIdlePoolIsReported(t *testing.T) {
	newPool(t, 0)
	err := goleak.Find()
	require.ErrorContains(t, err, "with "+worker+" on top")
	require.ErrorContains(t, err, coroutine)
	require.ErrorContains(t, err, "with "+killer+" on top")
}

func TestTrimmedPoolIsNotReported(t *testing.T) {
	pool := newPool(t, 0)
	pool.Run(func() {})
	for pool.Stats().Workers > 0 {
		require.NoError(t, pool.Trim(t.Context()))
	}
	require.NoError(t, goleak.Find())
}

func TestIdlePoolIsIgnored(t *testing.T) {
	pool := newPool(t, 1)
	require.NoError(t, goleak.Find(ignoreWorker, ignoreCoroutine, ignoreKiller))
	require.NoError(t, pool.Trim(t.Context()))
	require.EqualValues(t, 1, pool.Stats().Workers)
	require.NoError(t, goleak.Find(ignoreWorker, ignoreCoroutine), "at the minimum there is no killer")
}

func TestTasksThatHangAreReported(t *testing.T) {
	pool := newPool(t, 0)
	hang := make(chan struct{})
	defer close(hang)
	ignoreCurrent := goleak.IgnoreCurrent()
	begun := make(chan struct{})
	pool.Run(func() {
		close(begun)
		hangInRun(hang)
	})
	<-begun
	require.ErrorContains(t, goleak.Find(ignoreWorker, ignoreCoroutine, ignoreKiller), "leaks.hangInRun(")

	// Neither would do: they hide it.
	require.NoError(t, goleak.Find(ignoreCurrent))
	ignoreWorkers := goleak.IgnoreAnyFunction("example.com/hemlock.(*worker).work")
	require.NoError(t, goleak.Find(ignoreWorkers, ignoreCoroutine, ignoreKiller))

	go callDo(pool, hang)
	require.ErrorContains(t, goleak.Find(ignoreWorkers, ignoreCoroutine, ignoreKiller), "leaks.callDo(")
}

func hangInRun(hang chan struct{})                  { <-hang }
func callDo(pool *hemlock.Pool, hang chan struct{}) { pool.Do(func() { <-hang }) }

// On top of an idle worker of Do is the function that is on top of any iterator that nobody stopped.
func TestIteratorsThatLeakAreReported(t *testing.T) {
	newPool(t, 0)
	next, stop := iter.Pull(leakyIterator)
	defer stop()
	next()
	require.ErrorContains(t, goleak.Find(ignoreWorker, ignoreCoroutine, ignoreKiller), "leakyIterator")
	ignoreTop := goleak.IgnoreTopFunction("iter.Pull[...].func1.1")
	require.NoError(t, goleak.Find(ignoreWorker, ignoreTop, ignoreKiller), "this would hide it")
}

func leakyIterator(yield func(int) bool) { yield(0) }

func TestDocumentHasTheLines(t *testing.T) {
	text, err := os.ReadFile("../../../docs/LEAKS.md")
	require.NoError(t, err)
	document := string(text)
	require.Contains(t, document, `goleak.IgnoreTopFunction("`+worker+`"),`)
	require.Contains(t, document, `goleak.IgnoreAnyFunction("`+coroutine+`"),`)
	require.Contains(t, document, `goleak.IgnoreTopFunction("`+killer+`"),`)
	require.Contains(t, document, "go tool pprof -ignore='"+ignored+"' ")
}

func TestBlockProfileWithoutIdlePool(t *testing.T) {
	runtime.SetBlockProfileRate(1)
	defer runtime.SetBlockProfileRate(0)
	pool := hemlock.New(hemlock.WithKillInterval(time.Millisecond))
	for range 100 {
		done := make(chan struct{})
		pool.Run(func() {
			blockInTask()
			close(done)
		})
		<-done
		pool.Do(func() {})
		time.Sleep(time.Millisecond)
	}
	require.NoError(t, pool.Shutdown(t.Context()))
	profile := filepath.Join(t.TempDir(), "block.pprof")
	file, err := os.Create(profile)
	require.NoError(t, err)
	require.NoError(t, pprof.Lookup("block").WriteTo(file, 0))
	require.NoError(t, file.Close())

	all := top(t, profile)
	require.Contains(t, all, "handoff.(*Shard).Take")
	require.Contains(t, all, "hemlock.(*killer).kill")
	require.NotContains(t, all, "hemlock.(*coroutine)")
	rest := top(t, "-ignore="+ignored, profile)
	require.NotContains(t, rest, "handoff.(*Shard).Take")
	require.NotContains(t, rest, "hemlock.(*killer)")
	require.Contains(t, rest, "leaks.blockInTask")
}

func blockInTask() { <-time.After(100 * time.Microsecond) }

func top(t *testing.T, arguments ...string) string {
	t.Helper()
	arguments = append([]string{"tool", "pprof", "-top", "-nodefraction=0"}, arguments...)
	out, err := exec.Command("go", arguments...).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}
