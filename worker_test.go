package hemlock_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
)

// kinds run a task to its end, each on a worker of its kind.
var kinds = map[string]func(testing.TB, *hemlock.Pool, func()){
	"Run": pooltest.RunToEnd,
	"Do":  func(_ testing.TB, p *hemlock.Pool, task func()) { p.Do(task) },
}

// A worker of either kind has the name of its pool when a task begins, whatever the
// submitter or the task before had, and when it is idle.
func TestNameLabelsWorkers(t *testing.T) {
	for kind, run := range kinds {
		synctest.Test(t, func(t *testing.T) {
			named := func() int { return strings.Count(goroutineProfile(t), `"hemlock":"orders"`) }
			p := pooltest.New(t, hemlock.WithName("orders"), hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(3))
			pprof.Do(t.Context(), pprof.Labels(strayLabel, "x"), func(labelled context.Context) {
				for range 20 {
					run(t, p, func() {
						synctest.Wait() // until a recycled worker has ended, which has the name too
						require.Equal(t, 1, named(), kind)
						require.Equal(t, 1, labelledStacks(t), "%s: the submitter has them", kind)
						pprof.SetGoroutineLabels(labelled)
						require.Zero(t, named(), kind)
					})
					synctest.Wait()
					require.Equal(t, 1, named(), "%s: an idle worker", kind)
					run(t, p, func() { pprof.SetGoroutineLabels(context.Background()) })
					synctest.Wait()
					require.Equal(t, 1, labelledStacks(t), "%s: the submitter still has them, and the idle worker has not", kind)
				}
			})
			require.NotZero(t, p.Stats().Recycled)
		})
	}
}

func TestEmptyNameIsNoLabel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithName("orders"), hemlock.WithName(""), hemlock.WithKillInterval(0))
		pooltest.RunToEnd(t, p, func() { require.NotContains(t, goroutineProfile(t), `"hemlock"`) })
	})
}

// The killer too is started by a submitter, and may live for hours.
func TestKillerHasNoProfilerLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t)
		pprof.Do(context.Background(), pprof.Labels(strayLabel, "x"), func(context.Context) {
			pooltest.RunToEnd(t, p, func() {})
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
	_, all := pooltest.Labels(t)
	return all
}

// Pitfall 28: a task that returns with its thread locked leaves the worker tied to it.
// A task that calls Goexit, the documented way out, ends both.
func TestGoexitEndsALockedWorker(t *testing.T) {
	race.NeedsThreads(t)
	if _, err := os.Readlink("/proc/thread-self"); err != nil {
		t.Skip("threads can be seen on Linux only: ", err)
	}
	p := pooltest.New(t, hemlock.WithKillInterval(0))
	lock := func(end func()) (thread string) {
		done := make(chan struct{})
		require.NoError(t, p.Submit(func() {
			defer close(done)
			runtime.LockOSThread()
			thread, _ = os.Readlink("/proc/thread-self")
			end()
		}))
		<-done
		return filepath.Join("/proc", thread)
	}
	main := fmt.Sprintf("/proc/%d/task/%d", os.Getpid(), os.Getpid()) // never ends
	ends := func(thread string) {
		pooltest.Eventually(t, func() bool {
			_, err := os.Stat(thread)
			return thread == main || os.IsNotExist(err)
		}, "the thread ends")
	}
	for range 10 {
		thread := lock(runtime.Goexit)
		ends(thread)
		pooltest.Eventually(t, func() bool { return p.Stats().Workers == 0 }, "the worker ends")
	}
	thread := lock(func() {})
	require.DirExists(t, thread)
	pooltest.Shutdown(t, p)
	ends(thread)
}

// Workers time some of their tasks, among them the first one and the one after a long
// one. These are so few that it costs little. In a bubble a task takes exactly as long
// as it sleeps.
func TestWorkersLearnHowLongTasksTake(t *testing.T) {
	race.NeedsThreads(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(64)) // half of them bounds what can be seen
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithKillInterval(0))
		run := func(d time.Duration) (learned int32) {
			time.Sleep(time.Minute) // between tasks, which is no part of them
			before := p.Enough()
			pooltest.RunToEnd(t, p, func() { time.Sleep(d) })
			synctest.Wait()
			return p.Enough() - before
		}
		require.Positive(t, run(time.Second))
		timed := 0
		for range 24 {
			if learned := run(0); learned != 0 {
				require.Negative(t, learned)
				timed++
			}
		}
		require.Equal(t, 1+3, timed)
		require.EqualValues(t, 1, p.Stats().Spawned)
	})
}

// A worker that has run a task takes the next that waits, and no other worker is woken.
func TestWorkerTakesTheTaskThatWaits(t *testing.T) {
	onOneShard(t)
	p := pooltest.New(t, hemlock.WithKillInterval(0))
	pooltest.RunShort(t, p, 640)
	const n = 64
	switches := n
	for tries := 0; switches > n/2; tries++ { // one each time slice, and when a submitter is preempted
		require.Less(t, tries, 100, "of %d tasks, %d ran on another goroutine than the one before", n, switches)
		var all sync.WaitGroup
		all.Add(n)
		last := ""
		switches = 0
		for range n {
			p.Run(func() {
				defer all.Done()
				if id := pooltest.GoroutineID(); id != last {
					last = id
					switches++
				}
			})
		}
		all.Wait()
	}
}

// compute takes d of its thread's time, and does not yield.
func compute(d time.Duration) {
	for begin := time.Now(); time.Since(begin) < d; {
	}
}

// burst runs n tasks that were submitted at once to the end.
func burst(p *hemlock.Pool, n int, task func()) {
	var all sync.WaitGroup
	all.Add(n)
	for range n {
		p.Run(func() {
			defer all.Done()
			task()
		})
	}
	all.Wait()
}

// A task that yields or blocks ends after the next has begun. Then workers wake
// workers, and none comes to the end of its time slice.
func TestTasksThatYieldLeaveTurnsToOthers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := pooltest.New(t)
	const n = 4000
	requireTurns(t, n/200, func() {
		burst(p, n, func() {
			compute(20 * time.Microsecond)
			runtime.Gosched()
		})
	})
}

// Workers of several pools do not take each other's time slices for computation.
func TestBurstsOfTwoPoolsLeaveTurnsToOthers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const n = 2000
	turns := int64(n / 20)
	if race.Slowdown > 1 {
		turns /= 4 // the detector makes every turn longer
	}
	requireTurns(t, turns, func() {
		var pools sync.WaitGroup
		for range 2 {
			p := pooltest.New(t)
			pools.Go(func() { burst(p, n, func() { compute(50 * time.Microsecond) }) })
		}
		pools.Wait()
	})
}

// Pitfall 70: chains of tasks, of which each starts the next, leave turns to others
// even where nothing is preempted, as on js/wasm.
func TestChainsOfTasksLeaveTurnsToOthers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := pooltest.New(t)
	const enough = 200_000
	var ran atomic.Int64
	var over atomic.Bool
	var chain func()
	chain = func() {
		if ran.Inc() < 20*enough && !over.Load() {
			p.Run(chain)
		}
	}
	p.Run(chain)
	p.Run(chain)
	var most int64
	for range 20 {
		before := ran.Load()
		runtime.Gosched()
		most = max(most, ran.Load()-before)
	}
	over.Store(true)
	require.Less(t, most, int64(enough), "tasks between two turns of a goroutine that yields")
}

// requireTurns checks that a goroutine that yields has more than that many turns while
// f runs. Other load on the machine makes time slices longer: then f runs again.
func requireTurns(t *testing.T, turns int64, f func()) {
	t.Helper()
	var had int64
	for tries := 0; tries < 5 && had <= turns; tries++ {
		count, end := startYielder()
		before := count.Load()
		f()
		had = count.Load() - before
		end()
	}
	require.Greater(t, had, turns, "turns of a goroutine that yields")
}

// startYielder starts a goroutine that yields again and again, and counts its turns.
// End returns when it has ended.
func startYielder() (turns *atomic.Int64, end func()) {
	turns, ended := atomic.NewInt64(0), atomic.NewBool(false)
	var yielder sync.WaitGroup
	yielder.Go(func() {
		for !ended.Load() {
			turns.Inc()
			runtime.Gosched()
		}
	})
	return turns, func() {
		ended.Store(true)
		yielder.Wait()
	}
}

// A task that takes longer than a time slice is the last of it. So other goroutines
// have a turn after each, not after every eighth.
func TestLongTasksLeaveTurnsToOthers(t *testing.T) {
	if race.Slowdown > 1 {
		t.Skip("with the race detector the runtime shuffles what it runs next")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := pooltest.New(t)
	const n = 500
	requireTurns(t, n/4, func() { burst(p, n, func() { compute(200 * time.Microsecond) }) })
}

// After a burst one turn is owed, and no more: the worker that a later task wakes runs
// next.
func TestWorkerYieldsOnlyIfATurnIsOwed(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := pooltest.New(t)
	burst(p, 100, func() { compute(50 * time.Microsecond) })
	turns, end := startYielder()
	const n = 100
	next := 0
	for range n {
		before := turns.Load()
		pooltest.RunToEnd(t, p, func() {
			if turns.Load() == before {
				next++
			}
		})
	}
	end()
	// With the race detector the runtime runs every other one of them later.
	require.Greater(t, next, n/8, "of %d tasks, those that ran before any other goroutine had a turn", n)
}

// Other goroutines have turns, not the processor: beside goroutines that compute
// without end a burst has time slices as long as theirs.
func TestBurstHasItsShareBesideComputation(t *testing.T) {
	race.NeedsThreads(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := pooltest.New(t)
	const n = 1000
	var others, ended atomic.Bool
	var computing atomic.Int64
	var all sync.WaitGroup
	all.Go(func() {
		for !ended.Load() {
			compute(50 * time.Microsecond)
			computing.Inc()
			others.Store(true)
		}
	})
	pooltest.Eventually(t, others.Load, "another goroutine computes")
	before := computing.Load()
	burst(p, n, func() { compute(50 * time.Microsecond) })
	had := computing.Load() - before
	ended.Store(true)
	all.Wait()
	require.Less(t, had, int64(8*n), "turns of 50 us of a goroutine that computes, while %d tasks of 50 us ran", n)
}

func TestMaxTasksZeroNeverRecycles(t *testing.T) {
	p := pooltest.New(t, hemlock.WithMinWorkers(2), hemlock.WithMaxTasksPerWorker(0))
	for range pooltest.Scaled(200_000) {
		pooltest.RunToEnd(t, p, func() {})
		p.Do(func() {})
	}
	require.Zero(t, p.Stats().Recycled)
}

// Recycling gives back the stack of a task that was once very deep. Nothing is
// collected meanwhile: each collection would take half of an idle worker's stack,
// whether it is recycled or not.
func TestRecyclingGivesBackAHugeStack(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC() // returns when none is under way
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithMinWorkers(1), hemlock.WithMaxTasksPerWorker(4))
		var grown uint64
		pooltest.RunToEnd(t, p, func() {
			pooltest.AtDepth(8<<10, func() { grown = pooltest.StackInUse() })
		})
		for range 10 {
			synctest.Wait() // or the task would get another worker
			pooltest.RunToEnd(t, p, func() {})
		}
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Spawned)
		require.NotZero(t, p.Stats().Recycled)
		require.Less(t, pooltest.StackInUse(), grown-8<<20, "the stack is not given back")
	})
}

// Each worker draws its limit anew, from three to five quarters of the setting. When it has
// run so many tasks another goroutine takes its place, and no other count changes.
func TestLimitsAreBetweenThreeAndFiveQuarters(t *testing.T) {
	const setting = 12
	for kind, run := range kinds {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pooltest.New(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(setting))
				drawn := map[int]bool{}
				last, ran := "", 0
				for p.Stats().Recycled < 300 {
					worker := ""
					run(t, p, func() { worker = pooltest.GoroutineID() })
					synctest.Wait()
					if worker != last {
						drawn[ran] = true
						last, ran = worker, 0
					}
					ran++
				}
				delete(drawn, 0) // before the first worker
				require.Equal(t, map[int]bool{9: true, 10: true, 11: true, 12: true, 13: true, 14: true, 15: true}, drawn)
				s := p.Stats()
				require.Equal(t, []int64{1, 1, 1}, []int64{s.Workers, s.Spawned, s.PeakWorkers})
			})
		})
	}
}

// A worker of Do is replaced when its last task has ended, not before the next one: the
// large stack of a task is given back at once. A successor that has not run a task yet is a
// worker, too.
func TestDoSuccessorsAreKilledAndRetired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithMaxTasksPerWorker(1))
		pooltest.GrowDo(p, 10)
		require.EqualValues(t, 10, p.Stats().Recycled)
		time.Sleep(time.Hour)
		require.Zero(t, p.Stats().Workers)
		require.EqualValues(t, 10, p.Stats().Killed)
		pooltest.GrowDo(p, 10)
		pooltest.Shutdown(t, p)
	})
}
