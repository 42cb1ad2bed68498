package load

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/internal/runner"
)

// goroutines is the simplest pool: a goroutine for each task.
func goroutines(task func()) func() { return func() { go task() } }

// small returns the load with fewer callers and tasks, for a test on two busy
// processors.
func small(l Load) Load {
	l.Callers = min(l.Callers, 8)
	l.Batch = min(l.Batch, 100)
	l.Storm = min(l.Storm, 50)
	l.Spike = min(l.Spike, 32)
	l.Work = min(l.Work, 20*time.Microsecond)
	l.Long = min(l.Long, time.Millisecond)
	l.PerSecond = 1000
	return l
}

// varied returns the loads without those that are nearly the same as another once
// they are small.
func varied() []Load {
	return slices.DeleteFunc(All(), func(l Load) bool {
		return l.Bystander != "" && !strings.HasPrefix(l.Name, "500 x 50 us") || l.Group == FixedRate && l.Rate != 60
	})
}

// Each task runs once, and where tasks wait for each other all of them run.
func TestEveryRunnerDoesEveryLoad(t *testing.T) {
	for _, l := range varied() {
		l := small(l)
		for _, c := range runner.All() {
			var ran atomic.Int64
			pool := c.New()
			counting := func(task func()) func() {
				return pool.Bind(func() { ran.Add(1); task() })
			}
			require.NoError(t, l.Surge(t.Context(), counting), "%s at %s", c.Name, l.Name)
			spike := ran.Load()
			tasks, elapsed, err := l.At(counting).Run(t.Context(), time.Millisecond)
			require.NoError(t, err, "%s at %s", c.Name, l.Name)
			require.Positive(t, tasks)
			require.Positive(t, elapsed)
			require.EqualValues(t, tasks, ran.Load()-spike, "%s at %s", c.Name, l.Name)
			pool.Close()
		}
	}
}

func TestTaskAllocatesTheGarbageThatItsLoadNames(t *testing.T) {
	for _, l := range All() {
		l.Block = 0
		want := 0.0
		if l.Garbage > 0 {
			want = 1
		}
		require.InDelta(t, want, testing.AllocsPerRun(100, l.spend), 0, l.Name)
	}
}

func TestSubmissionAllocatesNothingInTheHarness(t *testing.T) {
	for _, l := range []Load{{Batch: 1}, {Batch: 64}, {Batch: 64, BlockEvery: 10}} {
		at := newCaller(&l, inline)
		require.Zero(t, testing.AllocsPerRun(100, func() { at.turn(nil) }))
		require.Zero(t, testing.AllocsPerRun(100, func() { at.probe() }))
	}
	stop := new(flag)
	stop.Store(true) // each turn is one task
	stream := newCaller(&Load{Callers: 1, Batch: Never}, inline)
	require.Zero(t, testing.AllocsPerRun(100, func() { stream.turn(stop) }))
}

func TestLoadsHaveDistinctNamesAndABatch(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range All() {
		require.False(t, seen[l.Name], l.Name)
		require.True(t, l.Batch > 0 || l.Batch == Never, l.Name)
		require.Positive(t, l.crowd(), l.Name)
		seen[l.Name] = true
	}
}

func TestLoadsOfAGroupStandTogether(t *testing.T) {
	var order []Group
	for _, l := range All() {
		if len(order) == 0 || order[len(order)-1] != l.Group {
			order = append(order, l.Group)
		}
	}
	require.Equal(t, []Group{Waiting, Single, Several, Working, Blocking, ColdPool, Connected, Beside, FixedRate}, order)
}

func TestLatenciesAreOfTheTasksAskedFor(t *testing.T) {
	for _, l := range varied() {
		t.Run(l.Name, func(t *testing.T) {
			l := small(l)
			work := l.At(goroutines)
			start := time.Now()
			latencies, err := work.Latencies(t.Context(), 100, time.Minute)
			all := time.Since(start)
			require.NoError(t, err)
			callers := l.crowd()
			want := max(1, 100/(callers*l.Batch)) * callers * l.Batch
			switch {
			case l.Storm > 0:
				want = l.Callers * l.Storm
			case l.Reader:
				want = 100
			case l.Cold:
				want = l.Batch
			case l.Batch == Never || l.Watched():
				want = 0 // they would say how far the submitter is ahead, or Delays has them
			}
			require.Len(t, latencies, want)
			for _, latency := range latencies {
				require.GreaterOrEqual(t, latency, time.Duration(0))
				require.LessOrEqual(t, latency, all)
			}
		})
	}
}

func TestSpikeRunsAllItsTasksAtOnce(t *testing.T) {
	var running, most atomic.Int64
	counting := func(task func()) func() {
		return goroutines(func() {
			most.Store(max(most.Load(), running.Add(1)))
			task()
		})
	}
	l := Load{Spike: 100, Stack: 1}
	require.NoError(t, l.Surge(t.Context(), counting))
	require.EqualValues(t, 100, running.Load())
	require.NoError(t, Load{}.Surge(t.Context(), counting))
	require.EqualValues(t, 100, running.Load())
}

// serial is a pool with one worker and a queue without bound.
type serial chan func()

func newSerial() serial {
	s := make(serial, 1<<12)
	go func() {
		for task := range s {
			task()
		}
	}()
	return s
}

func (s serial) bind(task func()) func() { return func() { s <- task } }

var errLimit = errors.New("limit reached")

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errLimit)
	t.Cleanup(cancel)
	return ctx
}

func TestStormAtAPoolThatQueuesIsGivenUpAndTheTasksLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newSerial()
		defer close(pool)
		work := Load{Callers: 4, Storm: 25}.At(pool.bind)
		_, _, err := work.Run(limited(t), time.Second)
		require.ErrorIs(t, err, errLimit)
		require.ErrorContains(t, err, "99 of 100 tasks did not start")
		require.NotErrorIs(t, err, ErrAbandoned)
		_, err = work.Latencies(limited(t), 1, time.Second)
		require.ErrorIs(t, err, errLimit)
	})
}

func TestSpikeAtAPoolThatQueuesIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := newSerial()
		err := Load{Spike: 10}.Surge(limited(t), pool.bind)
		require.ErrorIs(t, err, errLimit)
		require.ErrorContains(t, err, "the spike of 10 tasks")
		require.NotErrorIs(t, err, ErrAbandoned)
		close(pool)
		synctest.Wait()
	})
}

func TestStormOfWhichTasksAreLostAbandonsThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := make(chan func(), 5)
		losing := func(task func()) func() { return func() { lost <- task } }
		_, _, err := Load{Callers: 1, Storm: 5}.At(losing).Run(limited(t), time.Second)
		require.ErrorIs(t, err, errLimit)
		require.ErrorIs(t, err, ErrAbandoned)
		for range 5 {
			(<-lost)()
		}
	})
}

func TestTaskThatDoesNotEndEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck := func(task func()) func() {
			return goroutines(func() { <-release; task() })
		}
		for _, l := range []Load{
			{Callers: 3, Batch: 1},
			{Callers: 3, Batch: 5},
			{Callers: 1, Batch: 5, Cold: true},
			{Callers: 3, Batch: 1, Reader: true},
		} {
			_, _, err := l.At(stuck).Run(limited(t), time.Second)
			require.ErrorIs(t, err, errLimit)
			require.ErrorContains(t, err, "a task did not end")
			require.ErrorIs(t, err, ErrAbandoned)
		}
		close(release)
	})
}
