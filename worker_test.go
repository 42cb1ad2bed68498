package hemlock_test

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
)

// Pitfall 5: an idle worker does not keep what its last task captured, neither
// at a place of a shard nor on the shared channel.
func TestIdleWorkersReleaseTheirTasks(t *testing.T) {
	p := newPool(t, hemlock.WithKillInterval(0))
	const n = 300
	var collected atomic.Int64
	var arrived, ended sync.WaitGroup
	arrived.Add(n)
	ended.Add(n)
	for range n {
		captured := new([1 << 10]byte)
		runtime.AddCleanup(captured, func(int) { collected.Inc() }, 0)
		require.NoError(t, p.Submit(func() {
			defer ended.Done()
			captured[0]++
			arrived.Done()
			arrived.Wait()
		}))
	}
	ended.Wait()
	requireCollected(t, &collected, n, "a finished task is still reachable")
	require.EqualValues(t, n, p.Stats().Idle)
}

// Pitfall 23: tasks that do not return take their worker with them, and nothing
// else.
func TestTasksThatDoNotReturnEndTheirWorkerOnly(t *testing.T) {
	for _, c := range endings {
		if c.stays {
			continue
		}
		var panicked int64
		if c.crash != "" {
			panicked = 100
		}
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var handled atomic.Int64
				p := newPool(t, hemlock.WithMinWorkers(2), hemlock.WithPanicHandler(func(v any, _ []byte) {
					if v != nil {
						handled.Inc()
					}
				}))
				grow(t, p, 2)
				synctest.Wait() // both can be found
				for range 100 {
					require.NoError(t, p.Submit(c.task))
				}
				synctest.Wait()
				s := p.Stats()
				requireBalance(t, s)
				require.Zero(t, s.Workers)
				require.EqualValues(t, 102, s.Completed)
				require.Equal(t, panicked, s.Panicked)
				require.Equal(t, handled.Load(), s.Panicked)
				do(t, p, func() {})
			})
		})
	}
}

func TestPanicHandlerSeesTheTasksStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var value any
		var trace string
		p := newPool(t, hemlock.WithPanicHandler(func(v any, stack []byte) {
			value, trace = v, string(stack)
		}))
		require.NoError(t, p.Submit(panicDeepInATask))
		synctest.Wait()
		require.Equal(t, "deep", value)
		require.Contains(t, trace, "panicDeepInATask")
	})
}

func panicDeepInATask() { panic("deep") }

// Pitfall 17: Shutdown outlasts the handler.
func TestShutdownOutlastsThePanicHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done atomic.Bool
		p := newPool(t, hemlock.WithPanicHandler(func(any, []byte) {
			time.Sleep(time.Hour)
			done.Store(true)
		}))
		require.NoError(t, p.Submit(panicDeepInATask))
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Running, "the task is not over before its handler is")
		require.EqualValues(t, 1, p.Stats().Panicked)
		require.NoError(t, p.Shutdown(t.Context()))
		require.True(t, done.Load())
	})
}

// Pitfall 34: a handler may end its goroutine, as t.Fatal does.
func TestPanicHandlerMayGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithPanicHandler(func(any, []byte) { runtime.Goexit() }))
		for range 10 {
			require.NoError(t, p.Submit(panicDeepInATask))
		}
		require.NoError(t, p.Shutdown(t.Context()))
		require.EqualValues(t, 10, p.Stats().Panicked)
	})
}

// Pitfall 26: labels neither come from the submitter nor pass from one task to
// the next, and an idle worker has none.
func TestProfilerLabelsDoNotLeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(3))
		pprof.Do(context.Background(), pprof.Labels(strayLabel, "x"), func(labelled context.Context) {
			for range 20 {
				do(t, p, func() {
					require.Equal(t, 1, labelledStacks(t), "the submitter has them, its task has not")
					pprof.SetGoroutineLabels(labelled)
				})
				synctest.Wait()
				require.Equal(t, 1, labelledStacks(t), "an idle worker has none")
			}
		})
		require.NotZero(t, p.Stats().Recycled)
	})
}

// The killer too is started by a submitter, and may live for hours.
func TestKillerHasNoProfilerLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t)
		pprof.Do(context.Background(), pprof.Labels(strayLabel, "x"), func(context.Context) {
			do(t, p, func() {})
			synctest.Wait()
			require.True(t, p.KillerArmed())
			require.Equal(t, 1, labelledStacks(t))
		})
	})
}

const strayLabel = "stray-label"

// labelledStacks returns how many groups of goroutines with one stack have the
// label.
func labelledStacks(t testing.TB) int {
	t.Helper()
	return strings.Count(goroutineProfile(t), strayLabel)
}

func goroutineProfile(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
	return b.String()
}

// Pitfall 27.
func TestPanicOnFaultDoesNotLeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithMinWorkers(1))
		for range 10 {
			do(t, p, func() {
				require.False(t, debug.SetPanicOnFault(true))
			})
			synctest.Wait()
		}
		require.EqualValues(t, 1, p.Stats().Spawned)
	})
}

// Pitfall 28: the documented way out for a task that leaves its thread locked.
func TestGoexitEndsALockedWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithMinWorkers(1))
		for range 10 {
			require.NoError(t, p.Submit(func() {
				runtime.LockOSThread()
				runtime.Goexit()
			}))
			synctest.Wait()
			require.Zero(t, p.Stats().Workers)
		}
	})
}

func TestRecyclingReplacesTheWorkerAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithMinWorkers(1), hemlock.WithMaxTasksPerWorker(1))
		goroutines := map[string]bool{}
		for range 100 {
			do(t, p, func() { goroutines[goroutineID()] = true })
			synctest.Wait()
		}
		require.Len(t, goroutines, 100)
		require.Equal(t, hemlock.Stats{
			Workers: 1, Idle: 1, Submitted: 100, Completed: 100, Spawned: 1, Recycled: 99, PeakWorkers: 1,
		}, p.Stats())
	})
}

func TestMaxTasksZeroNeverRecycles(t *testing.T) {
	p := newPool(t, hemlock.WithMinWorkers(1), hemlock.WithMaxTasksPerWorker(0))
	for range scaled(200_000) {
		do(t, p, func() {})
	}
	require.Zero(t, p.Stats().Recycled)
}

// Recycling gives back the stack of a task that was once very deep.
func TestRecyclingGivesBackAHugeStack(t *testing.T) {
	p := newPool(t, hemlock.WithMinWorkers(1), hemlock.WithMaxTasksPerWorker(4))
	do(t, p, func() { useStack(8 << 10) })
	grown := stackInUse()
	for range 10 {
		do(t, p, func() {})
	}
	require.NotZero(t, p.Stats().Recycled)
	eventually(t, func() bool { return stackInUse() < grown-4<<20 }, "the stack is not given back")
}

// Pitfall 29: workers that started together are not replaced together.
func TestRecyclesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, limit = 200, 64
		p := newPool(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(limit))
		var most, before int64
		var turns int
		for turn := range 2 * limit {
			grow(t, p, workers) // every worker runs one task
			synctest.Wait()
			recycled := p.Stats().Recycled - before
			before += recycled
			most = max(most, recycled)
			if recycled > 0 {
				turns++
			}
			if turn < limit*3/4-1 {
				require.Zero(t, recycled, "before three quarters of the limit")
			}
		}
		require.GreaterOrEqual(t, p.Stats().Recycled, int64(workers))
		require.Less(t, most, int64(workers/8))
		require.Greater(t, turns, limit/4)
	})
}

// useStack runs with that many KiB of stack in use.
//
//go:noinline
func useStack(kib int) byte {
	var frame [1 << 10]byte
	frame[kib%len(frame)] = 1
	if kib > 1 {
		frame[0] += useStack(kib - 1)
	}
	return frame[kib%len(frame)]
}

func stackInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.StackInuse
}

func goroutineID() string {
	buf := make([]byte, 64)
	var id int
	_, err := fmt.Sscanf(string(buf[:runtime.Stack(buf, false)]), "goroutine %d ", &id)
	if err != nil {
		panic(err)
	}
	return fmt.Sprint(id)
}

// stacksOf returns the stacks of all goroutines that have such a function on
// them.
func stacksOf(function string) []string {
	// The goroutines of an earlier test may still be ending, 10,000 of them.
	buf := make([]byte, 1<<20)
	n := runtime.Stack(buf, true)
	for ; n == len(buf); n = runtime.Stack(buf, true) {
		buf = make([]byte, 2*len(buf))
	}
	all := strings.Split(string(buf[:n]), "\n\n")
	var found []string
	for _, stack := range all {
		if strings.Contains(stack, function) {
			found = append(found, stack)
		}
	}
	return found
}
