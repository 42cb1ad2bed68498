package handoff_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

func TestMain(m *testing.M) { pooltest.Main(m, nil) }

// These tests are about tasks that are left to workers on their way: they wait
// for a processor, never for the end of another task. Where a task would wait
// for ever, they say so after a while, with the counts.

// crowd is how many tasks wait for each other: the race detector gives up at
// some 8,000 goroutines.
func crowd() int {
	if !race.Long {
		return 1000
	}
	return min(10_000, 40_000/race.Slowdown)
}

// restless are options with which workers come and go all the time.
func restless() map[string][]hemlock.Option {
	return map[string][]hemlock.Option{
		"defaults":  nil,
		"recycling": {hemlock.WithMaxTasksPerWorker(2)},
		"killer":    {hemlock.WithKillInterval(time.Millisecond), hemlock.WithKillDelay(0)},
		"both": {
			hemlock.WithMaxTasksPerWorker(1),
			hemlock.WithKillInterval(time.Millisecond), hemlock.WithKillDelay(0),
		},
	}
}

func TestTasksThatWaitForEachOtherAllStart(t *testing.T) {
	for name, opts := range restless() {
		for _, submitters := range []int{1, 4} {
			t.Run(fmt.Sprint(name, "/", submitters), func(t *testing.T) {
				pooltest.OnProcessors(t, func(t *testing.T) {
					p := pooltest.New(t, opts...)
					pooltest.RunShort(t, p, 10_000/race.Slowdown)
					var arrived sync.WaitGroup
					n := crowd()
					arrived.Add(n)
					var group errgroup.Group
					for range submitters {
						group.Go(func() error {
							for range n / submitters {
								if err := p.Submit(func() { arrived.Done(); arrived.Wait() }); err != nil {
									return err
								}
							}
							return nil
						})
					}
					require.NoError(t, group.Wait())
					pooltest.WaitFor(t, p, &arrived, "tasks that wait for each other meet")
					pooltest.RequireRest(t, p)
				})
			})
		}
	}
}

// pour submits short tasks until stop is called, which waits for them.
func pour(t testing.TB, p *hemlock.Pool) (stop func()) {
	t.Helper()
	var over atomic.Bool
	var group errgroup.Group
	group.Go(func() error {
		for !over.Load() {
			var batch sync.WaitGroup
			batch.Add(64)
			for range 64 {
				if err := p.Submit(batch.Done); err != nil {
					return err
				}
			}
			batch.Wait()
		}
		return nil
	})
	return func() {
		over.Store(true)
		require.NoError(t, group.Wait())
	}
}

// Parents wait for their children among short tasks that wait for nothing.
func TestParentsMayWaitForTheirChildrenAmongShortTasks(t *testing.T) {
	for name, opts := range restless() {
		for shape, size := range map[string]struct{ children, depth int }{
			"tree":  {3, 6},
			"chain": {1, 1000},
		} {
			t.Run(name+"/"+shape, func(t *testing.T) {
				pooltest.OnProcessors(t, func(t *testing.T) {
					p := pooltest.New(t, opts...)
					pooltest.RunShort(t, p, 10_000/race.Slowdown)
					stop := pour(t, p)
					var root sync.WaitGroup
					root.Add(1)
					p.Run(func() { defer root.Done(); beParent(p, size.children, size.depth) })
					pooltest.WaitFor(t, p, &root, "the root has heard of all its children")
					stop()
					pooltest.RequireRest(t, p)
				})
			})
		}
	}
}

// beParent starts that many children, each a parent of as many, and waits for them.
func beParent(p *hemlock.Pool, children, depth int) {
	if depth == 0 {
		return
	}
	var all sync.WaitGroup
	all.Add(children)
	for range children {
		p.Run(func() { defer all.Done(); beParent(p, children, depth-1) })
	}
	all.Wait()
}

// The pool has seen only short tasks when some do not end. The tasks that were left to their
// workers still run.
func TestNoTaskIsStuckBehindOneThatDoesNotEnd(t *testing.T) {
	pooltest.OnProcessors(t, func(t *testing.T) {
		p := pooltest.New(t)
		pooltest.RunShort(t, p, 10_000)
		release := make(chan struct{})
		defer close(release)
		var short sync.WaitGroup
		for range 100 {
			short.Add(20)
			for range 20 {
				require.NoError(t, p.Submit(short.Done))
			}
			require.NoError(t, p.Submit(func() { <-release }))
		}
		pooltest.WaitFor(t, p, &short, "short tasks run beside some that do not end")
	})
}

// fill submits batches of tasks until some were seen to wait, and returns how many it
// submitted. Its processor does nothing else meanwhile.
func fill(t testing.TB, p *hemlock.Pool, task func() func()) (submitted int) {
	t.Helper()
	for p.Stats().Waiting == 0 {
		require.Less(t, submitted, 20_000, "no task is ever left to a worker on its way")
		for range 1000 {
			require.NoError(t, p.Submit(task()))
		}
		submitted += 1000
	}
	return submitted
}

func TestShutdownRunsTheTasksThatWait(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for name, opts := range restless() {
		t.Run(name, func(t *testing.T) {
			for range pooltest.Scaled(100) {
				p := hemlock.New(opts...)
				var ran atomic.Int64
				n := fill(t, p, func() func() { return func() { ran.Inc() } })
				require.NoError(t, p.Shutdown(t.Context()))
				require.EqualValues(t, n, ran.Load(), "tasks that had run when Shutdown returned")
				require.Zero(t, p.Stats().Waiting)
				pooltest.Shutdown(t, p)
			}
		})
	}
}

// A worker that has run a task takes the next that waits, so that many short
// tasks neither need nor make many workers.
func TestAMillionShortTasksNeedFewWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := pooltest.New(t)
	n := pooltest.Scaled(1_000_000)
	var all sync.WaitGroup
	all.Add(n)
	for range n {
		require.NoError(t, p.Submit(all.Done))
	}
	pooltest.WaitFor(t, p, &all, "a million short tasks end")
	require.Less(t, p.Stats().Spawned, int64(200))
	pooltest.RequireRest(t, p)
}

// A successor is not on its way: its predecessor was, and has begun. Otherwise every
// recycled worker would make the pool believe that one fewer is on its way, and wake
// one more for good.
func TestRecyclingDoesNotSpoilTheWaiting(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := pooltest.New(t, hemlock.WithMaxTasksPerWorker(1))
	pooltest.RunShort(t, p, 64_000/race.Slowdown)
	require.NotZero(t, p.Stats().Recycled)
	var all sync.WaitGroup
	fill(t, p, func() func() { all.Add(1); return all.Done })
	pooltest.WaitFor(t, p, &all, "tasks end")
}

// One long task among 99 short ones, in every position. The long one ends only
// when all the short ones have, and so do those of the batches before. So a short
// task waits at most for the start of the other 99 of its batch, and the long
// ones are no part of that, however many there are.
func TestShortTasksNeverWaitForLongOnes(t *testing.T) {
	const batch = 100
	pooltest.OnProcessors(t, func(t *testing.T) {
		p := pooltest.New(t)
		var over []chan struct{}
		defer func() {
			for _, gate := range over {
				close(gate)
			}
		}()
		pooltest.RunShort(t, p, 10_000/race.Slowdown)
		for long := range batch {
			gate := make(chan struct{})
			over = append(over, gate)
			mix(t, p, batch, map[int]func(){long: func() { <-gate }})
			pooltest.RunShort(t, p, 640) // the pool forgets
		}
		for range 50 { // and several at random
			gate := make(chan struct{})
			over = append(over, gate)
			several := map[int]func(){}
			for range 1 + rand.IntN(20) {
				several[rand.IntN(batch)] = func() { <-gate }
			}
			mix(t, p, batch, several)
		}
	})
}

// The same with long tasks that use their processor: at any number of processors
// the short ones get their share.
func TestShortTasksNeverWaitForBusyOnes(t *testing.T) {
	race.NeedsThreads(t)
	const batch = 100
	pooltest.OnProcessors(t, func(t *testing.T) {
		p := pooltest.New(t)
		pooltest.RunShort(t, p, 10_000/race.Slowdown)
		for _, long := range []int{0, 1, 2, 50, 98, 99} {
			var over atomic.Bool
			mix(t, p, batch, map[int]func(){long: func() {
				for !over.Load() {
				}
			}})
			over.Store(true)
			pooltest.RunShort(t, p, 640)
		}
		pooltest.RequireRest(t, p)
	})
}

// mix submits n tasks, of which some are given and the others short, and returns
// when all the short ones have ended.
func mix(t testing.TB, p *hemlock.Pool, n int, long map[int]func()) {
	t.Helper()
	var short sync.WaitGroup
	short.Add(n - len(long))
	for i := range n {
		task := long[i]
		if task == nil {
			task = short.Done
		}
		require.NoError(t, p.Submit(task))
	}
	pooltest.WaitFor(t, p, &short, "short tasks start beside long ones")
}

// Pitfall 56: tasks with work in them, from one submitter, run on all processors at
// once, although the pool has seen only short ones.
func TestLongTasksOfOneSubmitterUseAllProcessors(t *testing.T) {
	race.NeedsThreads(t)
	for _, procs := range []int{2, 4} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			p := pooltest.New(t)
			for range 20 {
				pooltest.RunShort(t, p, 640)
				var running atomic.Int64
				var all sync.WaitGroup
				all.Add(procs)
				for range procs {
					require.NoError(t, p.Submit(func() {
						defer all.Done()
						running.Inc()
						for deadline := time.Now().Add(pooltest.Patience); running.Load() < int64(procs) && time.Now().Before(deadline); {
						}
					}))
				}
				pooltest.WaitFor(t, p, &all, "busy tasks run at once")
				require.EqualValues(t, procs, running.Load())
			}
			pooltest.RequireRest(t, p)
		})
	}
}
