package hemlock_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
)

// The tests of deadlines look at both sides: just before and just after.
const moment = time.Nanosecond

func TestKillerWaitsForTheDelayAfterASpawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(time.Second), hemlock.WithKillDelay(10*time.Second))
		grow(t, p, 1)
		born := time.Now()
		sleepUntil(born.Add(10*time.Second - moment))
		require.EqualValues(t, 1, p.Stats().Workers)
		sleepUntil(born.Add(10 * time.Second))
		require.Zero(t, p.Stats().Workers)
		require.EqualValues(t, 1, p.Stats().Killed)
	})
}

func TestEverySpawnHoldsTheKillerBackAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(time.Second), hemlock.WithKillDelay(10*time.Second))
		release := occupy(t, p, 1)
		for range 20 {
			time.Sleep(9 * time.Second)
			occupy(t, p, 1)
		}
		lastSpawn := time.Now()
		release()
		sleepUntil(lastSpawn.Add(10*time.Second - moment))
		require.Zero(t, p.Stats().Killed)
		sleepUntil(lastSpawn.Add(10 * time.Second))
		require.EqualValues(t, 1, p.Stats().Killed)
	})
}

func TestKillerKillsOncePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(3*time.Second), hemlock.WithKillDelay(0))
		grow(t, p, 10)
		born := time.Now()
		for killed := range 10 {
			due := born.Add(time.Duration(killed+1) * 3 * time.Second)
			sleepUntil(due.Add(-moment))
			require.EqualValues(t, killed, p.Stats().Killed)
			sleepUntil(due)
			require.EqualValues(t, killed+1, p.Stats().Killed)
		}
		require.Zero(t, p.Stats().Workers)
	})
}

// A worker that takes over from a recycled one is no spawn.
func TestRecyclingDoesNotHoldTheKillerBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillDelay(10*time.Second), hemlock.WithMaxTasksPerWorker(1))
		grow(t, p, 2)
		for range 20 {
			time.Sleep(time.Second)
			do(t, p, func() {})
		}
		s := p.Stats()
		require.GreaterOrEqual(t, s.Recycled, int64(10))
		require.GreaterOrEqual(t, s.Killed, int64(1))
		require.LessOrEqual(t, s.Workers, int64(1))
	})
}

// Pitfall 7: a pill is only for a worker that is idle now.
func TestKillerSparesBusyWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(time.Second), hemlock.WithKillDelay(0))
		release := occupy(t, p, 20)
		time.Sleep(time.Minute + time.Second/2)
		require.Zero(t, p.Stats().Killed)
		release()
		// A pill that had waited would have taken a worker by now.
		synctest.Wait()
		require.EqualValues(t, 20, p.Stats().Idle)
		// And the killer is not stuck.
		time.Sleep(time.Second)
		require.EqualValues(t, 1, p.Stats().Killed)
	})
}

// Pitfall 8: a pool counts its own workers, not those of its neighbours.
func TestPoolsHaveTheirOwnMinimum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newPool(t, hemlock.WithMinWorkers(5))
		b := newPool(t, hemlock.WithMinWorkers(2))
		grow(t, a, 8)
		grow(t, b, 100)
		time.Sleep(time.Hour)
		require.EqualValues(t, 5, a.Stats().Workers)
		require.EqualValues(t, 2, b.Stats().Workers)
	})
}

// Pitfalls 9, 10 and 36: a trickle of tasks keeps one worker busy, not all of
// them recently used, at any number of processors.
func TestTrickleLetsThePoolShrink(t *testing.T) {
	for _, procs := range []int{2, 16, 64} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t)
				grow(t, p, 1000)
				for range 120 {
					time.Sleep(time.Second)
					do(t, p, func() {})
				}
				synctest.Wait() // a worker may be about to leave
				require.LessOrEqual(t, p.Stats().Workers, int64(1))
				require.Less(t, p.Stats().Spawned, int64(1010))
			})
		})
	}
}

// The time that the documentation states for a large surplus.
func TestLargeSurplusIsGoneInMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t)
		grow(t, p, 10_000)
		time.Sleep(2*time.Minute + 30*time.Second)
		require.Zero(t, p.Stats().Workers)
		require.EqualValues(t, 10_000, p.Stats().Killed)
	})
}

// Pitfall 11: a pool that is bursty does not shrink and grow all the time.
func TestBurstsDoNotThrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t)
		const size, bursts = 160, 720
		for range bursts {
			grow(t, p, size)
			time.Sleep(5 * time.Second)
		}
		require.Less(t, p.Stats().Spawned, int64(size*bursts/8))
	})
}

// Pitfall 12: the killer never takes the pool below its minimum, whoever is
// looking, also when its pills are swallowed late.
func TestKillerKeepsTheMinimum(t *testing.T) {
	const minimum = 4
	p := newPool(t, hemlock.WithMinWorkers(minimum), hemlock.WithKillInterval(1), hemlock.WithKillDelay(0))
	grow(t, p, minimum)
	for range scaled(20_000) {
		var wg sync.WaitGroup
		wg.Add(2 * minimum)
		for range 2 * minimum {
			require.NoError(t, p.Submit(func() { wg.Done(); wg.Wait() })) // all at once
			require.GreaterOrEqual(t, p.Stats().Workers, int64(minimum))
		}
		wg.Wait()
		require.GreaterOrEqual(t, p.Stats().Workers, int64(minimum))
	}
	require.NotZero(t, p.Stats().Killed)
}

// Pitfall 13: a spawn that meets the end of the killer is not overlooked.
func TestKillerLooksAgainWhenItDisarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithMinWorkers(2))
		p.MeetEndOfKiller(func() { grow(t, p, 3) })
		require.True(t, p.KillerArmed())
		time.Sleep(time.Minute)
		require.EqualValues(t, 2, p.Stats().Workers)
		require.False(t, p.KillerArmed())

		p.MeetEndOfKiller(func() { grow(t, p, 2) })
		require.False(t, p.KillerArmed(), "nothing to kill")
	})
}

// The same without help, at the boundary between the minimum and one more.
func TestKillerIsArmedWheneverWorkersAreSpare(t *testing.T) {
	p := newPool(t, hemlock.WithMinWorkers(1), hemlock.WithKillInterval(1), hemlock.WithKillDelay(0))
	for range scaled(5000) {
		var both sync.WaitGroup
		both.Add(2)
		for range 2 {
			p.Run(both.Done)
		}
		both.Wait()
		eventually(t, func() bool { return p.Stats().Workers <= 1 }, "nobody kills the spare worker")
	}
}

// Pitfall 14: where there is nothing to kill, there is no killer and no timer.
func TestIdlePoolHasNoKiller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithMinWorkers(3))
		require.False(t, p.KillerArmed(), "an unused pool")
		grow(t, p, 3)
		require.False(t, p.KillerArmed(), "a pool at its minimum")
		grow(t, p, 4)
		require.True(t, p.KillerArmed(), "a pool above its minimum")
		time.Sleep(time.Minute)
		require.EqualValues(t, 3, p.Stats().Workers)
		require.False(t, p.KillerArmed(), "a pool back at its minimum")
		for _, stack := range stacksOf("hemlock.(*killer)") {
			// Outside, the killer of another test's pool may be returning.
			require.NotContains(t, stack, "synctest bubble")
		}
	})
}

// Pitfall 19: the killer ends with the last spare worker, not an interval later.
func TestKillerEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(time.Hour), hemlock.WithKillDelay(0))
		for range 3 {
			// Goexit takes the worker away without the killer.
			require.NoError(t, p.Submit(runtime.Goexit))
			synctest.Wait()
			require.Zero(t, p.Stats().Workers)
			require.False(t, p.KillerArmed())
		}
		grow(t, p, 1)
		born := time.Now()
		sleepUntil(born.Add(time.Hour))
		require.Zero(t, p.Stats().Workers)
		require.False(t, p.KillerArmed())
	})
}

func TestKillerEndsWhenThePoolCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(time.Hour))
		occupy(t, p, 3)
		require.True(t, p.KillerArmed())
		require.Error(t, p.Shutdown(ended()))
		synctest.Wait()
		require.EqualValues(t, 3, p.Stats().Workers, "above the minimum")
		require.False(t, p.KillerArmed())
	})
}

func TestIntervalZeroNeverKills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(0), hemlock.WithKillDelay(0))
		grow(t, p, 20)
		time.Sleep(10_000 * time.Hour)
		require.EqualValues(t, 20, p.Stats().Workers)
		require.False(t, p.KillerArmed())
	})
}

// Pitfall 4: a task that meets the killer at work is not lost.
func TestNothingIsLostWhileKilling(t *testing.T) {
	p := newPool(t, hemlock.WithKillInterval(1), hemlock.WithKillDelay(0))
	var ran atomic.Int64
	task := func() { ran.Inc() }
	n := scaled(1_000_000)
	for range n {
		require.NoError(t, p.Submit(task))
	}
	require.NoError(t, p.Shutdown(t.Context()))
	require.EqualValues(t, n, ran.Load())
	require.NotZero(t, p.Stats().Killed)
}

// sleepUntil returns at the given instant of the bubble, after everything that
// happens at that instant.
func sleepUntil(at time.Time) {
	time.Sleep(time.Until(at))
	synctest.Wait()
}
