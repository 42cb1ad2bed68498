package load

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	Intrude()
	m.Run()
}

// inline is a pool that runs each task in its submitter.
func inline(task func()) func() { return task }

// around requires that got is the delay, to the precision of the histograms.
func around(t *testing.T, want time.Duration, got int64) {
	t.Helper()
	require.InEpsilon(t, want, got, 0.01)
}

// held is a token that one goroutine has at a time.
type held chan struct{}

func (h held) hold(d time.Duration) {
	h <- struct{}{}
	time.Sleep(d)
	<-h
}

// Five tasks that hold a token one after the other hold up a bystander that needs it.
func TestPoolThatHoldsUpABystanderIsSeenTo(t *testing.T) {
	for _, holds := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			token := make(held, 1)
			pool := func(task func()) func() {
				return goroutines(func() {
					if holds {
						token.hold(20 * time.Millisecond)
					}
					task()
				})
			}
			l := Load{Callers: 1, Batch: 5, Block: 20 * time.Millisecond, Bystander: Token}
			b := newBurst(&l, pool)
			tasks, _, err := b.beside(t.Context(), time.Second, func() error { token.hold(time.Millisecond); return nil }, func() {})
			require.NoError(t, err)
			require.Zero(t, tasks%5)
			require.Greater(t, b.delays.TotalCount(), int64(tasks/5)*int64(time.Millisecond))
			if holds {
				require.InDelta(t, 101*time.Millisecond, b.delays.Max(), 2e6)
			} else {
				around(t, time.Millisecond, b.delays.Max())
			}
		})
	}
}

// The first sleep is under way when the burst begins, the last when it ends. What
// the bystander does in the pauses does not count.
func TestDelaysAreOfWhatMeetsABurst(t *testing.T) {
	for _, c := range []struct {
		step  time.Duration
		times int // they meet a burst of 9 ms
	}{{time.Hour, 1}, {20 * time.Millisecond, 1}, {3 * time.Millisecond, 4}} {
		synctest.Test(t, func(t *testing.T) {
			l := Load{Callers: 1, Batch: 3, Block: 9 * time.Millisecond, Bystander: Token}
			b := newBurst(&l, goroutines)
			tasks, elapsed, err := b.beside(t.Context(), 0, func() error { time.Sleep(c.step); return nil }, func() {})
			require.NoError(t, err)
			require.Equal(t, 3, tasks)
			require.Equal(t, 9*time.Millisecond, elapsed)
			require.EqualValues(t, c.times, b.delays.TotalCount()/int64(c.step), "%v: weighed", c.step)
			around(t, min(c.step, 10*time.Second), b.delays.Max())
		})
	}
}

// A burst that does not end in time leaves its bystander in the middle of a step.
func TestBystanderEndsAfterItsLastStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBurst(&Load{Callers: 1, Batch: 1, Block: time.Minute, Bystander: Token}, goroutines)
		var ended atomic.Bool
		var steps atomic.Int32
		step := func() error {
			time.Sleep(time.Duration(steps.Load()) * time.Hour)
			require.False(t, ended.Load(), "a step in the middle of which the bystander ended")
			steps.Add(1)
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := b.beside(ctx, 0, step, func() { ended.Store(true) })
		require.ErrorIs(t, err, ErrAbandoned)
		time.Sleep(2 * time.Hour)
		require.True(t, ended.Load())
		require.EqualValues(t, 2, steps.Load())
	})
}

func TestSleeperIsLateByWhatItSleepsTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBurst(&Load{Callers: 1, Batch: 3, Block: time.Second, Bystander: Sleeper}, goroutines)
		_, _, err := b.Run(t.Context(), 0)
		require.NoError(t, err)
		require.Greater(t, b.delays.TotalCount(), int64(900))
		require.Less(t, b.delays.Max(), int64(100))
	})
}

func TestTaskThatIsInterruptedIsSeenToBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBurst(&Load{Callers: 2, Batch: 7, Block: 20 * time.Millisecond, Bystander: Inside}, goroutines)
		tasks, _, err := b.Run(t.Context(), 0)
		require.NoError(t, err)
		require.EqualValues(t, tasks, b.delays.TotalCount())
		around(t, 20*time.Millisecond, b.delays.ValueAtQuantile(1))
		around(t, 20*time.Millisecond, b.delays.Max())
	})
}

// On one processor four goroutines that compute all the time keep it for 10 ms
// each. A bystander that sleeps or waits for the network waits for one of them at
// least, any other for all.
func TestEveryBystanderWaitsForAProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, bystander := range bystanders {
		work := Load{Callers: 1, Batch: 4, Work: 30 * time.Millisecond, Bystander: bystander}.At(goroutines)
		_, _, err := work.Run(t.Context(), 0)
		require.NoError(t, err)
		delay, start := work.(Watched).Delays()
		require.Nil(t, start)
		require.Positive(t, delay.TotalCount(), bystander)
		require.Greater(t, delay.Max(), int64(5*time.Millisecond), bystander)
	}
}

func TestBystanderOfAPoolThatRunsTasksInTheirSubmitter(t *testing.T) {
	for _, callers := range []int{1, 3} {
		for _, bystander := range bystanders {
			tasks, elapsed, err := Load{Callers: callers, Batch: 10, Bystander: bystander}.At(inline).Run(t.Context(), 0)
			require.NoError(t, err)
			require.Equal(t, 10, tasks)
			require.Positive(t, elapsed)
		}
	}
}

func TestArrivalsAreAPoissonProcess(t *testing.T) {
	l := Load{Rate: 50, PerSecond: 10_000, Mixed: true, BlockEvery: 100}
	const seconds = 20
	plan := l.plan(seconds * time.Second)
	n := float64(len(plan))
	require.InEpsilon(t, 10_000*seconds, n, 0.02)
	require.True(t, slices.IsSortedFunc(plan, func(a, b arrival) int { return int(a.due - b.due) }))
	var last time.Duration
	above, counts := 0.0, make([]float64, 1000*seconds)
	shares := map[int]float64{}
	blocked := 0.0
	for _, a := range plan {
		if a.due-last > 100*time.Microsecond { // the mean
			above++
		}
		last = a.due
		counts[a.due/time.Millisecond]++
		shares[a.times]++
		if a.blocks {
			blocked++
		}
	}
	require.InEpsilon(t, 0.3679, above/n, 0.03, "1/e of the gaps are above the mean")
	var variance float64
	for _, c := range counts {
		variance += (c - 10) * (c - 10) / float64(len(counts))
	}
	require.InEpsilon(t, 10, variance, 0.1, "the arrivals in a millisecond have their mean as the variance")
	require.InEpsilon(t, 0.89, shares[1]/n, 0.02)
	require.InEpsilon(t, 0.10, shares[10]/n, 0.1)
	require.InEpsilon(t, 0.01, shares[100]/n, 0.2)
	require.InEpsilon(t, 0.01, blocked/n, 0.2)
}

func TestEqualSeedsAreEqualArrivals(t *testing.T) {
	plan := func(seed uint64) []arrival {
		l := Load{Rate: 50, PerSecond: 1000, Mixed: true, Seed: seed}
		return l.plan(time.Second)
	}
	require.Equal(t, plan(1), plan(1))
	require.NotEqual(t, plan(1), plan(2))
}

// A pool that runs each task in its submitter makes the submitter late for all that
// follow: the last of 1,000 tasks in a second is due 9 s before its turn.
func TestDelayCountsFromWhenATaskWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Load{Rate: 50, PerSecond: 1000, Block: 10 * time.Millisecond, BlockEvery: 1}
		s := newSchedule(&l, inline)
		tasks, elapsed, err := s.Run(t.Context(), time.Second)
		require.NoError(t, err)
		require.InEpsilon(t, 1000, tasks, 0.1)
		require.InDelta(t, elapsed-time.Second, s.delay.Max(), 2e8)
		require.InEpsilon(t, s.delay.Max()/2, s.delay.ValueAtQuantile(50), 0.1)
		require.InDelta(t, s.delay.Max()-int64(10*time.Millisecond), s.starts.Max(), 1e8)

		s = newSchedule(&l, goroutines) // never late
		_, _, err = s.Run(t.Context(), time.Second)
		require.NoError(t, err)
		around(t, 10*time.Millisecond, s.delay.Max())
		require.Less(t, s.starts.Max(), int64(100))
	})
}

func TestNoTaskIsSubmittedBeforeItIsDue(t *testing.T) {
	for _, wait := range []Wait{"", Nanosleep, LockedThread} {
		l := Load{Rate: 50, PerSecond: 2000, Wait: wait}
		plan := l.plan(50 * time.Millisecond)
		submits := make([]func(), len(plan))
		begin := now()
		for i := range plan {
			submits[i] = func() { plan[i].started = now() - begin }
		}
		newSchedule(&l, inline).submit(plan, submits, begin, new(flag))
		for _, a := range plan {
			require.GreaterOrEqual(t, a.started, a.due, wait)
		}
	}
}

// Only the long tasks are timed.
func TestLongTasksRunAmongTheOthers(t *testing.T) {
	l := Load{Rate: 80, PerSecond: 1600, Work: time.Millisecond, Long: 40 * time.Millisecond}
	var long []time.Duration
	plan := l.plan(2 * time.Second) // on two processors
	for _, a := range plan {
		if a.times > 1 {
			require.Equal(t, 40, a.times)
			long = append(long, a.due)
		}
	}
	// 40 ms in every 200 ms is a tenth of two processors.
	require.Equal(t, []time.Duration{1e8, 3e8, 5e8, 7e8, 9e8}, long)

	l = Load{Rate: 80, PerSecond: 1600, Work: 10 * time.Microsecond, Long: time.Millisecond}
	work := l.At(goroutines)
	_, _, err := work.Run(t.Context(), 0)
	require.NoError(t, err)
	delay, _ := work.(Watched).Delays()
	require.Positive(t, delay.TotalCount())
	require.Greater(t, delay.Min(), int64(time.Millisecond/2))
}

func TestSubmitterStopsWhenTheLoadIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := 0
		var tasks []func()
		losing := func(task func()) func() {
			tasks = append(tasks, task)
			return func() { lost++ }
		}
		l := Load{Rate: 50, PerSecond: 1}
		_, _, err := newSchedule(&l, losing).Run(limited(t), 2*time.Hour)
		require.ErrorIs(t, err, errLimit)
		require.ErrorIs(t, err, ErrAbandoned)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.InEpsilon(t, 3600, lost, 0.1)
		for _, task := range tasks {
			task() // so that Run's goroutines end
		}
	})
}

func TestHistogramsAreTrueToOnePercent(t *testing.T) {
	h := newHistogram()
	for _, d := range []time.Duration{100, 12_345, time.Millisecond, 9 * time.Second} {
		h.Reset()
		record(h, d, 1)
		around(t, d, h.Max())
	}
	h.Reset()
	record(h, -1, 1)
	record(h, time.Hour, 1)
	require.Less(t, h.Min(), int64(100))
	around(t, 10*time.Second, h.Max())
}
