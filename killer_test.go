package hemlock_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
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
	"golang.org/x/sync/errgroup"
)

func TestEverySpawnHoldsTheKillerBackAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithKillInterval(time.Second), hemlock.WithKillDelay(10*time.Second))
		release := pooltest.Occupy(t, p, 1)
		for range 20 {
			time.Sleep(9 * time.Second)
			pooltest.Occupy(t, p, 1)
		}
		lastSpawn := time.Now()
		release()
		pooltest.SleepUntil(lastSpawn.Add(10*time.Second - pooltest.Moment))
		require.Zero(t, p.Stats().Killed)
		pooltest.SleepUntil(lastSpawn.Add(10 * time.Second))
		require.EqualValues(t, 1, p.Stats().Killed)
	})
}

// A worker that takes over from a recycled one does not count as spawned.
func TestRecyclingDoesNotHoldTheKillerBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithKillDelay(10*time.Second), hemlock.WithMaxTasksPerWorker(1))
		pooltest.GrowInBubble(t, p, 2)
		for range 20 {
			time.Sleep(time.Second)
			pooltest.RunToEnd(t, p, func() {})
		}
		s := p.Stats()
		require.GreaterOrEqual(t, s.Recycled, int64(10))
		require.GreaterOrEqual(t, s.Killed, int64(1))
		require.LessOrEqual(t, s.Workers, int64(1))
	})
}

// Pitfalls 9, 10 and 36: a trickle of tasks keeps one worker busy, at any number of
// processors, and the others idle. Where a pool has idle workers of both kinds, the killer
// takes the kind that gets no task, and the surplus of the other.
func TestTrickleLetsThePoolShrink(t *testing.T) {
	for name, c := range map[string]struct {
		procs, run, do int
		trickle        string // of this kind
		left           int64
	}{
		"2 processors":            {2, 1000, 0, "Run", 1},
		"16 processors":           {16, 1000, 0, "Run", 1},
		"64 processors":           {64, 1000, 0, "Run", 1},
		"Run, with workers of Do": {2, 500, 500, "Run", 2},
		"Do, with workers of Run": {2, 500, 500, "Do", 2},
	} {
		t.Run(name, func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.procs))
			synctest.Test(t, func(t *testing.T) {
				p := pooltest.New(t)
				pooltest.GrowInBubble(t, p, c.run)
				pooltest.GrowDo(p, c.do)
				for range 150 {
					time.Sleep(time.Second)
					kinds[c.trickle](t, p, func() {})
				}
				synctest.Wait() // a worker may be about to leave
				require.LessOrEqual(t, p.Stats().Workers, c.left, "%v", p.Stats())
				require.Less(t, p.Stats().Spawned, int64(1010))
			})
		})
	}
}

// The times that the package documentation states.
func TestKillerTakesItsTimes(t *testing.T) {
	for _, row := range []struct {
		workers    int
		half, last time.Duration
	}{
		{10, 14 * time.Second, 19 * time.Second},
		{1000, 20 * time.Second, 98 * time.Second},
		{100_000, 20 * time.Second, 169 * time.Second},
	} {
		t.Run(fmt.Sprint(row.workers), func(t *testing.T) {
			if row.workers > 4000/race.Slowdown && race.Slowdown > 1 {
				t.Skip("the race detector gives up at some 8,000 goroutines")
			}
			synctest.Test(t, func(t *testing.T) {
				p := pooltest.New(t)
				pooltest.GrowInBubble(t, p, row.workers)
				born := time.Now()
				left := func(since time.Duration) int64 {
					pooltest.SleepUntil(born.Add(since))
					return p.Stats().Workers
				}
				require.Greater(t, left(row.half-time.Second), int64(row.workers/2))
				require.LessOrEqual(t, left(row.half), int64(row.workers/2))
				require.Positive(t, left(row.last-time.Second))
				require.Zero(t, left(row.last))
				require.EqualValues(t, row.workers, p.Stats().Killed)
			})
		})
	}
}

// Pitfall 12: no reader sees the pool below its minimum, even if workers swallow their
// pills late.
func TestKillerKeepsTheMinimum(t *testing.T) {
	const minimum = 4
	p := pooltest.New(t, hemlock.WithMinWorkers(minimum), hemlock.WithKillInterval(1), hemlock.WithKillDelay(0))
	pooltest.Grow(t, p, minimum)
	n := pooltest.Scaled(20_000)
	for i := 0; i < n || p.Stats().Killed == 0; i++ { // until the killer has come
		surge(t, p, minimum)
	}
}

// surge runs twice as many tasks as the minimum of workers, all at once, and looks at the
// minimum meanwhile.
func surge(t *testing.T, p *hemlock.Pool, minimum int) {
	t.Helper()
	var all sync.WaitGroup
	all.Add(2 * minimum)
	for range 2 * minimum {
		require.NoError(t, p.Submit(func() { all.Done(); all.Wait() }))
		require.GreaterOrEqual(t, p.Stats().Workers, int64(minimum))
	}
	all.Wait()
	require.GreaterOrEqual(t, p.Stats().Workers, int64(minimum))
}

// Pitfall 14: where there is nothing to kill, there is no killer and no timer.
func TestIdlePoolHasNoKiller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithMinWorkers(3))
		require.False(t, p.KillerArmed(), "an unused pool")
		pooltest.GrowInBubble(t, p, 3)
		require.False(t, p.KillerArmed(), "a pool at its minimum")
		pooltest.GrowInBubble(t, p, 4)
		require.True(t, p.KillerArmed(), "a pool above its minimum")
		time.Sleep(time.Minute)
		require.EqualValues(t, 3, p.Stats().Workers)
		require.False(t, p.KillerArmed(), "a pool back at its minimum")
		for _, stack := range pooltest.StacksOf("hemlock.(*killer)") {
			// Outside, the killer of another test's pool may be returning.
			require.NotContains(t, stack, "synctest bubble")
		}
	})
}

// The last worker may leave before the killer begins to wait. The killer does not wait
// then.
func TestKillerEndsAtOnceHoweverEarlyTheWorkerLeaves(t *testing.T) {
	p := pooltest.New(t, hemlock.WithKillInterval(time.Hour))
	for range pooltest.Scaled(400_000) {
		p.Run(runtime.Goexit)
		for deadline := time.Now().Add(pooltest.Patience); p.KillerArmed(); runtime.Gosched() {
			require.True(t, time.Now().Before(deadline), "the killer waits with nothing to kill")
		}
	}
}

func TestIntervalZeroNeverKills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithKillInterval(0), hemlock.WithKillDelay(0))
		pooltest.GrowInBubble(t, p, 20)
		time.Sleep(10_000 * time.Hour)
		require.EqualValues(t, 20, p.Stats().Workers)
		require.False(t, p.KillerArmed())
	})
}

// Pitfall 4: a task that meets the killer at work is not lost.
func TestNothingIsLostWhileKilling(t *testing.T) {
	race.NeedsThreads(t)
	p := pooltest.New(t, hemlock.WithKillInterval(1), hemlock.WithKillDelay(0))
	var ran atomic.Int64
	task := func() { ran.Inc() }
	n, submitted := pooltest.Scaled(1_000_000), 0
	for ; submitted < n || p.Stats().Killed == 0; submitted++ { // until the killer has come
		require.NoError(t, p.Submit(task))
	}
	require.NoError(t, p.Shutdown(t.Context()))
	require.EqualValues(t, submitted, ran.Load())
}

// The killer takes the workers that have been idle longest.
func TestKillerEndsTheOldestWorkerOfDo(t *testing.T) {
	onOneShard(t)
	synctest.Test(t, func(t *testing.T) {
		const n = 5
		p := pooltest.New(t, hemlock.WithKillInterval(time.Second), hemlock.WithKillDelay(time.Second))
		var seen func(depth int) []string
		seen = func(depth int) (ids []string) {
			if depth > 0 {
				p.Do(func() { ids = append(seen(depth-1), pooltest.GoroutineID()) })
			}
			return ids
		}
		ids := seen(n) // in the order in which they became idle
		require.Len(t, ids, n)
		for killed := 1; killed < n; killed++ {
			pooltest.SleepUntil(time.Now().Add(time.Second))
			require.EqualValues(t, killed, p.Stats().Killed)
			require.Equal(t, ids[killed:], seen(n-killed))
		}
		require.EqualValues(t, n, p.Stats().Spawned)
		pooltest.SleepUntil(time.Now().Add(time.Second))
		require.Zero(t, p.Stats().Workers)
		require.False(t, p.KillerArmed())
	})
}

// Of two kinds of idle workers the killer takes from the more frequent one.
func TestKillerTakesTheMoreFrequentKind(t *testing.T) {
	for _, c := range []struct{ run, do int }{{5, 3}, {3, 5}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pooltest.New(t, hemlock.WithKillInterval(time.Second), hemlock.WithKillDelay(0))
				pooltest.GrowInBubble(t, p, c.run)
				pooltest.GrowDo(p, c.do)
				time.Sleep(1500 * time.Millisecond)
				require.EqualValues(t, 1, p.Stats().Killed)
				pooltest.GrowDo(p, min(c.do, 4))
				pooltest.GrowInBubble(t, p, min(c.run, 4))
				require.EqualValues(t, c.run+c.do, p.Stats().Spawned, "four of the one and three of the other are left")
			})
		})
	}
}

// Pitfall 12: no reader sees the pool below its minimum, however often the killer comes
// for workers of both kinds. No task is lost meanwhile.
func TestDoAndRunRaceWithTheKiller(t *testing.T) {
	const minimum, callers = 3, 8
	p := pooltest.New(t, hemlock.WithMinWorkers(minimum), hemlock.WithKillInterval(1),
		hemlock.WithKillDelay(0), hemlock.WithMaxTasksPerWorker(50))
	pooltest.GrowDo(p, minimum)
	var submitted, ran atomic.Int64
	var group errgroup.Group
	n := pooltest.Scaled(50_000)
	for caller := range callers {
		group.Go(func() error {
			done := make(chan struct{}, 1)
			for i := 0; i < n || p.Stats().Killed == 0; i++ { // until the killer has come
				submitted.Inc()
				task := func() {
					ran.Inc()
					if i%64 == 0 {
						runtime.Gosched()
					}
					done <- struct{}{}
				}
				if caller%2 == 0 {
					p.Do(task)
				} else {
					p.Run(task)
				}
				<-done
				if i%97 == 0 {
					runtime.Gosched() // with one processor, the moment at which a worker is idle
				}
				if s := p.Stats(); s.Workers < minimum || s.Idle < 0 || s.Running > s.Workers || s.Workers > s.PeakWorkers {
					return fmt.Errorf("out of bounds: %v", s)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.Equal(t, submitted.Load(), ran.Load())
	require.NotZero(t, p.Stats().Recycled)
	pooltest.Eventually(t, func() bool {
		s := p.Stats()
		return s.Workers == minimum && s.Idle == minimum
	}, "the spare workers are killed")
}

// A test of a pool's user would hang in silence: the killer would stop the clock of the
// bubble. The other way round the runtime would report a send on a channel of the bubble.
func TestPoolIsRefusedAcrossTheWallOfABubble(t *testing.T) {
	const refusal = "hemlock: a Pool is used in a bubble of testing/synctest, but was made outside of it"
	outside := hemlock.New()
	var inside *hemlock.Pool
	synctest.Test(t, func(t *testing.T) {
		inside = hemlock.New()
		require.PanicsWithValue(t, refusal, func() { outside.Run(func() {}) })
		require.PanicsWithValue(t, refusal, func() { outside.Do(func() {}) })
	})
	require.Panics(t, func() { inside.Do(func() {}) })
}

// children are what a child process of the test binary runs.
var children = map[string]func(){
	// The test does not wait for the task: the runtime may hang if it finds a deadlock of the
	// bubble at the moment at which it finds the task's fault.
	"idle worker outside of a bubble": func() {
		p := withIdleWorker()
		inBubble(func() {
			done := make(chan struct{})
			p.Run(func() { close(done) })
			for {
				runtime.Gosched()
			}
		})
	},
	"task outside of a bubble": func() {
		p := withIdleWorker()
		inBubble(func() {
			done := make(chan struct{})
			p.Run(func() { select {} })
			<-done
		})
	},
	"worker without a killer in a bubble": func() {
		p := hemlock.New(hemlock.WithKillInterval(0))
		inBubble(func() {
			done := make(chan struct{})
			p.Run(func() { close(done) })
			<-done
		})
	},
}

// withIdleWorker returns a pool whose worker waits at its channel. A worker counts as idle
// some instructions before.
func withIdleWorker() *hemlock.Pool {
	p := hemlock.New()
	p.Run(func() {})
	waits := func(stack string) bool { return strings.Contains(stack, "[chan receive") }
	for !slices.ContainsFunc(pooltest.StacksOf("(*Shard).Take"), waits) {
		runtime.Gosched()
	}
	return p
}

func inBubble(test func()) {
	testing.Main(
		func(_, _ string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: "bubble", F: func(t *testing.T) {
			synctest.Test(t, func(*testing.T) { test() })
		}}},
		nil, nil)
}

// What the documentation says of a pool from outside that starts no worker inside, or has
// no killer: nothing hangs in silence.
func TestPoolFromOutsideABubbleCrashes(t *testing.T) {
	for name, wants := range map[string][]string{
		"idle worker outside of a bubble":     {"fatal error: close of synctest channel from outside bubble"},
		"task outside of a bubble":            {"deadlock: all goroutines in bubble are blocked"},
		"worker without a killer in a bubble": {"deadlock: main bubble goroutine has exited", "hemlock.(*worker).work"},
	} {
		t.Run(name, func(t *testing.T) { pooltest.RequireCrashes(t, name, 1, wants...) })
	}
}

func TestTrimKillsIdleWorkersAtOnce(t *testing.T) {
	for name, opts := range map[string][]hemlock.Option{
		"defaults":   nil,
		"no killer":  {hemlock.WithKillInterval(0)},
		"a minimum":  {hemlock.WithMinWorkers(7)},
		"never more": {hemlock.WithMinWorkers(1000)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pooltest.New(t, opts...)
				release := pooltest.Occupy(t, p, 3)
				pooltest.GrowInBubble(t, p, 100)
				pooltest.GrowDo(p, 20)
				before := p.Stats()
				began := time.Now()
				require.NoError(t, p.Trim(t.Context()))
				s := p.Stats()
				require.Equal(t, began, time.Now())
				left := map[string]int64{"a minimum": 7, "never more": before.Workers}[name]
				require.Equal(t, max(3, left), s.Workers, "busy workers stay")
				require.EqualValues(t, 3, s.Running)
				require.Equal(t, before.Workers-s.Workers, s.Killed)
				release()
				synctest.Wait()
				require.NoError(t, p.Trim(t.Context()))
				require.Equal(t, left, p.Stats().Workers)
				require.False(t, p.KillerArmed(), "nothing is left to kill")
				synctest.Wait() // the killer may be returning
				for _, stack := range pooltest.StacksOf("hemlock.(*killer)") {
					require.NotContains(t, stack, "synctest bubble")
				}
			})
		})
	}
}

// On one processor no worker leaves before Trim looks at its context, unless Trim is
// preempted.
func TestTrimHonoursItsContext(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := pooltest.New(t)
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		pooltest.Grow(t, p, 10)
		err = p.Trim(pooltest.Ended())
	}
	require.ErrorIs(t, err, context.Canceled)
	require.EqualError(t, err, "hemlock: trim: context canceled")
	pooltest.Eventually(t, func() bool { // a worker is idle a moment after its task has ended
		require.NoError(t, p.Trim(t.Context()))
		return p.Stats().Workers == 0
	}, "all workers are killed")
}

// On a closed pool there is nothing to wait for, whatever the context says.
func TestTrimOfAClosedPoolReturnsNil(t *testing.T) {
	p := pooltest.New(t)
	require.NoError(t, p.Shutdown(t.Context()))
	for range 100 { // a select would choose at random
		require.NoError(t, p.Trim(pooltest.Ended()))
	}
}

// A coroutine cannot be stopped from a thread of another kind than that of its birth.
func TestTrimFromALockedThread(t *testing.T) {
	p := pooltest.New(t, hemlock.WithKillInterval(0))
	pooltest.GrowDo(p, 5)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	require.NoError(t, p.Trim(t.Context()))
	require.EqualValues(t, 5, p.Stats().Killed)
}

// A Trim waits for another one, but not longer than its context.
func TestOneTrimAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t)
		second := make(chan error, 1)
		p.MeetTrim(func() {
			require.Error(t, p.Trim(pooltest.Ended()))
			go func() { second <- p.Trim(t.Context()) }()
			synctest.Wait()
			require.Empty(t, second)
		})
		require.NoError(t, <-second)
	})
}

// Pitfall 83: Trim ends while tasks are blocked, also if the killer was about to end when
// they came.
func TestTrimEndsInABusyPool(t *testing.T) {
	p := pooltest.New(t, hemlock.WithKillInterval(time.Microsecond), hemlock.WithKillDelay(0))
	trims, end := keepTrimming(t, p, 1)
	for round := range pooltest.Scaled(5000) {
		release := pooltest.Occupy(t, p, 1+round%3)
		seen := trims.Load()
		pooltest.Eventually(t, func() bool { return trims.Load() >= seen+3 }, "Trim does not end: %v", p.Stats())
		release()
		if round%2 == 0 { // otherwise the next tasks come while the killer is about to end
			pooltest.Eventually(t, func() bool { return p.Stats().Workers == 0 }, "a worker is not killed")
		}
	}
	end()
}

// keepTrimming has goroutines trim the pool again and again until end is called, and counts
// how often.
func keepTrimming(t *testing.T, p *hemlock.Pool, goroutines int) (trims *atomic.Int64, end func()) {
	t.Helper()
	trims, over := atomic.NewInt64(0), atomic.NewBool(false)
	t.Cleanup(func() { over.Store(true) }) // if the test fails before
	var all errgroup.Group
	for range goroutines {
		all.Go(func() error {
			for ; !over.Load(); trims.Inc() {
				if err := p.Trim(t.Context()); err != nil {
					return err
				}
				runtime.Gosched() // on one processor it would be alone for a whole time slice
			}
			return nil
		})
	}
	return trims, func() {
		over.Store(true)
		require.NoError(t, all.Wait())
	}
}

// Pitfall 12, where Trim and the killer kill at once, and a Shutdown at some moment.
func TestTrimKeepsTheMinimumAndLosesNothing(t *testing.T) {
	const minimum = 4
	for range pooltest.Scaled(100) {
		p := hemlock.New(hemlock.WithMinWorkers(minimum), hemlock.WithKillInterval(1), hemlock.WithKillDelay(0))
		pooltest.Grow(t, p, minimum)
		before := p.Stats().Submitted
		_, end := keepTrimming(t, p, 3)
		for range 200 {
			surge(t, p, minimum)
		}
		require.NoError(t, p.Shutdown(t.Context()))
		end()
		require.EqualValues(t, before+200*2*minimum, p.Stats().Completed)
	}
}
