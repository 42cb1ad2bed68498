package hemlock_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

// growDo makes the pool have n idle workers for Do at least.
func growDo(p *hemlock.Pool, n int) {
	if n > 0 {
		p.Do(func() { growDo(p, n-1) })
	}
}

// Pitfall 5, for the workers of Do.
func TestDoIdleWorkersReleaseTheirTasks(t *testing.T) {
	p := newPool(t, hemlock.WithKillInterval(0))
	const n = 100
	var collected atomic.Int64
	var nest func(n int)
	nest = func(n int) {
		captured := new([1 << 10]byte)
		runtime.AddCleanup(captured, func(int) { collected.Inc() }, 0)
		p.Do(func() {
			captured[0]++
			if n > 1 {
				nest(n - 1)
			}
		})
	}
	nest(n)
	requireCollected(t, &collected, n, "a finished task is still reachable")
	require.EqualValues(t, n, p.Stats().Idle)
}

// The task that is over is the last its worker ran: a stack that it blew up is
// given back at once.
func TestDoRecyclesWorkers(t *testing.T) {
	p := newPool(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(100))
	const tasks = 10_000
	ran := map[string]int{}
	for range tasks {
		p.Do(func() { ran[goroutineID()]++ })
	}
	s := p.Stats()
	require.EqualValues(t, 1, s.Workers)
	require.EqualValues(t, 1, s.Spawned)
	require.EqualValues(t, 1, s.PeakWorkers)
	require.InDelta(t, tasks/100, s.Recycled, tasks/100/4)
	// The last heir may not have run.
	require.InDelta(t, s.Recycled+1, len(ran), 1)
	for _, n := range ran {
		require.LessOrEqual(t, n, 125)
	}

	never := newPool(t, hemlock.WithMaxTasksPerWorker(0))
	for range 1000 {
		never.Do(func() {})
	}
	require.Zero(t, never.Stats().Recycled)
}

// An heir that has not run yet is a worker, too.
func TestDoHeirsAreKilledAndRetired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithMaxTasksPerWorker(1))
		growDo(p, 10)
		require.EqualValues(t, 10, p.Stats().Recycled)
		time.Sleep(time.Hour)
		require.Zero(t, p.Stats().Workers)
		require.EqualValues(t, 10, p.Stats().Killed)
		growDo(p, 10)
		shutdown(t, p)
	})
}

// The killer's rounds take those that have been idle longest.
func TestKillerEndsTheOldestWorkerOfDo(t *testing.T) {
	onOneShard(t)
	synctest.Test(t, func(t *testing.T) {
		const n = 5
		p := newPool(t, hemlock.WithKillInterval(time.Second), hemlock.WithKillDelay(time.Second))
		var seen func(depth int) []string
		seen = func(depth int) (ids []string) {
			if depth > 0 {
				p.Do(func() { ids = append(seen(depth-1), goroutineID()) })
			}
			return ids
		}
		ids := seen(n) // in the order in which they became idle
		require.Len(t, ids, n)
		for killed := 1; killed < n; killed++ {
			sleepUntil(time.Now().Add(time.Second))
			require.EqualValues(t, killed, p.Stats().Killed)
			require.Equal(t, ids[killed:], seen(n-killed))
		}
		require.EqualValues(t, n, p.Stats().Spawned)
		sleepUntil(time.Now().Add(time.Second))
		require.Zero(t, p.Stats().Workers)
		require.False(t, p.KillerArmed())
	})
}

func TestKillerSparesBusyWorkersOfDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t)
		p.Do(func() {
			p.Do(func() { time.Sleep(time.Hour) })
			require.Zero(t, p.Stats().Killed)
			time.Sleep(time.Minute)
			require.EqualValues(t, 1, p.Stats().Killed)
			require.EqualValues(t, 1, p.Stats().Running)
		})
		require.EqualValues(t, 2, p.Stats().Completed)
	})
}

// Pitfalls 9 and 10: a trickle for one kind of worker lets the other kind go,
// and its own surplus.
func TestTrickleOfEitherKindLetsThePoolShrink(t *testing.T) {
	for name, trickle := range map[string]func(*testing.T, *hemlock.Pool){
		"Do":  func(_ *testing.T, p *hemlock.Pool) { p.Do(func() {}) },
		"Run": func(t *testing.T, p *hemlock.Pool) { do(t, p, func() {}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t)
				grow(t, p, 500)
				growDo(p, 500)
				for range 150 {
					time.Sleep(time.Second)
					trickle(t, p)
				}
				require.LessOrEqual(t, p.Stats().Workers, int64(2), "%v", p.Stats())
				require.Less(t, p.Stats().Spawned, int64(1010))
			})
		})
	}
}

func TestKillerTakesWorkersOfDoDownToTheMinimum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithMinWorkers(7))
		growDo(p, 20)
		grow(t, p, 10)
		time.Sleep(time.Hour)
		require.EqualValues(t, 7, p.Stats().Workers)
		require.EqualValues(t, 23, p.Stats().Killed)
		require.False(t, p.KillerArmed())
		growDo(p, 7)
		require.LessOrEqual(t, p.Stats().Workers, int64(14))
	})
}

// Pitfall 12: never below the minimum, whoever looks and however often the killer
// comes. No task is lost meanwhile.
func TestDoRacesWithTheKiller(t *testing.T) {
	const minimum, callers = 3, 8
	p := newPool(t, hemlock.WithMinWorkers(minimum), hemlock.WithKillInterval(1),
		hemlock.WithKillDelay(0), hemlock.WithMaxTasksPerWorker(50))
	growDo(p, minimum)
	var ran atomic.Int64
	var group errgroup.Group
	n := scaled(50_000)
	for range callers {
		group.Go(func() error {
			for i := range n {
				p.Do(func() {
					ran.Inc()
					if i%64 == 0 {
						runtime.Gosched()
					}
				})
				if s := p.Stats(); s.Workers < minimum || s.Idle < 0 || s.Running > s.Workers || s.Workers > s.PeakWorkers {
					return fmt.Errorf("out of bounds: %v", s)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.EqualValues(t, callers*n, ran.Load())
	require.NotZero(t, p.Stats().Killed)
	require.NotZero(t, p.Stats().Recycled)
	eventually(t, func() bool { return p.Stats().Workers == minimum }, "nobody kills the spare workers")
	requireBalance(t, p.Stats())
}

// Both kinds of workers, killed as fast as possible.
func TestDoAndRunRaceWithTheKiller(t *testing.T) {
	p := newPool(t, hemlock.WithKillInterval(1), hemlock.WithKillDelay(0))
	var ran, want atomic.Int64
	var group errgroup.Group
	for caller := range 6 {
		group.Go(func() error {
			for range scaled(20_000) {
				want.Inc()
				if caller%2 == 0 {
					p.Do(func() { ran.Inc() })
					continue
				}
				done := make(chan struct{})
				p.Run(func() { ran.Inc(); close(done) })
				<-done
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	shutdown(t, p)
	require.Equal(t, want.Load(), ran.Load())
}

func TestShutdownRetiresIdleWorkersOfDo(t *testing.T) {
	for _, n := range []int{0, 1, 10_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			p := hemlock.New(hemlock.WithKillInterval(0))
			growDo(p, scaled(n))
			before := runtime.NumGoroutine()
			shutdown(t, p)
			eventually(t, func() bool { return runtime.NumGoroutine() <= max(1, before-scaled(n)+1) }, "goroutines end")
		})
	}
}

func TestShutdownWaitsForTasksOfDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(0))
		growDo(p, 10)
		begin := time.Now()
		go p.Do(func() { time.Sleep(time.Minute) })
		synctest.Wait()
		err := p.Shutdown(ended())
		require.ErrorContains(t, err, "1 task running")
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Workers, "the idle ones have gone")
		require.NoError(t, p.Shutdown(t.Context()))
		require.Equal(t, time.Minute, time.Since(begin))
	})
}

func TestShutdownWithinDo(t *testing.T) {
	p := newPool(t)
	p.Do(func() {
		require.Error(t, p.Shutdown(ended()))
		caller := goroutineID()
		p.Do(func() { require.Equal(t, caller, goroutineID()) })
	})
	require.NoError(t, p.Shutdown(t.Context()))
	require.EqualValues(t, 1, p.Stats().Completed)
}

func TestDoAfterShutdownIsACall(t *testing.T) {
	p := newPool(t)
	shutdown(t, p)
	caller := goroutineID()
	var task string
	p.Do(func() { task = goroutineID() })
	require.Equal(t, caller, task)
	require.Zero(t, p.Stats())
}

// Pitfalls 15 and 16: whatever is accepted has ended when Shutdown returns nil,
// by whatever means, and the rest are calls.
func TestDoRacesWithShutdown(t *testing.T) {
	var afterwards int64
	for range scaled(300) {
		p := hemlock.New(hemlock.WithPanicHandler(func(any, []byte) {}), hemlock.WithMaxTasksPerWorker(7))
		var ran atomic.Int64
		var over atomic.Bool
		start := make(chan struct{})
		var callers sync.WaitGroup
		for caller := range 100 {
			callers.Go(func() {
				<-start
				for way := caller; !over.Load(); way++ {
					outcome(func() {
						p.Do(func() {
							defer ran.Inc()
							endInSomeWay(way % 20)
						})
					})
				}
			})
		}
		close(start)
		for p.Stats().Submitted < 500 {
			runtime.Gosched()
		}
		require.NoError(t, p.Shutdown(t.Context()))
		s := p.Stats()
		over.Store(true)
		require.LessOrEqual(t, s.Submitted, ran.Load(), "a task had not ended")
		callers.Wait()
		require.Equal(t, s, p.Stats(), "something was counted after Shutdown had returned")
		shutdown(t, p)
		afterwards += ran.Load() - s.Submitted
	}
	require.NotZero(t, afterwards)
}

// One that is lost: a worker that becomes idle between the end of all tasks and
// the end of the pool must not stay.
func TestShutdownMeetsWorkersOfDoThatBecomeIdle(t *testing.T) {
	for range scaled(20_000) {
		p := hemlock.New(hemlock.WithKillInterval(0))
		growDo(p, 2)
		go p.Do(func() {})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := p.Shutdown(ctx)
		cancel()
		require.NoError(t, err)
		require.Zero(t, p.Stats().Workers)
	}
}

// A pool that is dropped drains itself.
func TestDroppedPoolEndsItsWorkersOfDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		growDo(hemlock.New(), 100)
		time.Sleep(time.Hour)
		for _, stack := range stacksOf("hemlock.(*coworker)") {
			require.NotContains(t, stack, "synctest bubble")
		}
	})
}

func TestStatsIsBoundedUnderDo(t *testing.T) {
	p := newPool(t, hemlock.WithKillInterval(1), hemlock.WithKillDelay(0), hemlock.WithMaxTasksPerWorker(10))
	var stop atomic.Bool
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for i := 0; !stop.Load(); i++ {
				outcome(func() { p.Do(func() { endInSomeWay(i % 20) }) })
			}
		})
	}
	var last hemlock.Stats
	for range scaled(100_000) {
		s := p.Stats()
		requireBounds(t, s)
		require.GreaterOrEqual(t, s.Submitted, last.Submitted)
		require.GreaterOrEqual(t, s.Completed, last.Completed)
		require.GreaterOrEqual(t, s.Spawned, last.Spawned)
		require.GreaterOrEqual(t, s.Killed, last.Killed)
		require.GreaterOrEqual(t, s.PeakWorkers, last.PeakWorkers)
		last = s
	}
	stop.Store(true)
	callers.Wait()
	requireBalance(t, p.Stats())
}
