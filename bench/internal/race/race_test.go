package race

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

func short() report.Settings {
	return report.Settings{
		Procs: []int{2}, Rounds: 2, Duration: 2 * time.Millisecond, Warmup: time.Millisecond,
		Passes: 1, Latencies: 100, Limit: time.Minute, ShrinkLimit: time.Minute,
	}
}

// pick returns the runners with the names.
func pick(names ...string) []runner.Runner {
	return slices.DeleteFunc(runner.All(), func(r runner.Runner) bool {
		return !slices.Contains(names, r.Name)
	})
}

// small returns every load with fewer callers and tasks.
func small() []load.Load {
	loads := load.All()
	for i := range loads {
		l := &loads[i]
		l.Callers = min(l.Callers, 8)
		l.Storm = min(l.Storm, 50)
		l.Spike = min(l.Spike, 32)
		l.Heap = min(l.Heap, 1)
	}
	return loads
}

func TestEveryRunnerDoesEveryLoad(t *testing.T) {
	for _, l := range small() {
		for _, c := range runner.All() {
			var ran atomic.Int64
			pool := c.New()
			counting := func(task func()) func() {
				return pool.Bind(func() { ran.Add(1); task() })
			}
			require.NoError(t, l.Surge(t.Context(), counting), "%s at %s", c.Name, l.Name)
			spike := ran.Load()
			tasks, _, err := l.At(counting).Run(t.Context(), time.Millisecond)
			require.NoError(t, err, "%s at %s", c.Name, l.Name)
			require.EqualValues(t, tasks, ran.Load()-spike, "%s at %s", c.Name, l.Name)
			pool.Close()
		}
	}
}

func TestEveryRoundHasEveryRunnerOnce(t *testing.T) {
	r := Race{Settings: short(), Runners: pick("go", "hemlock", "ants"), Loads: small()[2:4], Log: io.Discard}
	r.Settings.ShrinkLimit = 0
	result, err := r.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, result.Samples, 2*2*3)
	require.Len(t, result.Latencies, 2*3)
	turns := map[string]int{}
	for i, s := range result.Samples {
		require.Equal(t, i%3, s.Turn)
		require.Equal(t, i/3%2, s.Round)
		require.Equal(t, 2, s.Procs)
		require.Empty(t, s.Failed)
		require.Positive(t, s.Tasks)
		require.GreaterOrEqual(t, s.Elapsed, r.Settings.Duration)
		turns[s.Load+s.Runner]++
	}
	for who, n := range turns {
		require.Equal(t, 2, n, who)
	}
}

func TestStormsFillTheTimeOfAMeasurement(t *testing.T) {
	loads := small()
	storm := loads[slices.IndexFunc(loads, func(l load.Load) bool { return l.Storm > 0 })]
	r := Race{Settings: short(), Log: io.Discard}
	r.Settings.Duration = 100 * time.Millisecond
	s := r.measure(t.Context(), storm, pick("go")[0])
	require.Empty(t, s.Failed)
	require.Greater(t, s.Tasks, storm.Callers*storm.Storm, "more than one storm")
	require.Zero(t, s.Tasks%(storm.Callers*storm.Storm))
}

func TestProcessorTimeIsThatOfTheLoad(t *testing.T) {
	before, ok := processTime()
	if !ok {
		t.Skip("the platform does not say how much processor time a process has used")
	}
	for start := time.Now(); time.Since(start) < time.Hour; {
		if now, _ := processTime(); now > before+20*time.Millisecond {
			return // what is used is counted
		}
	}
	require.Fail(t, "an hour of work used no processor time")
}

func TestPoolThatShrinksIsSeenToShrink(t *testing.T) {
	r := Race{Settings: short(), Runners: pick("go", "bytedance gopool"), Log: io.Discard}
	result, err := r.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, result.Shrinks, 2)
	for _, s := range result.Shrinks {
		require.Empty(t, s.Failed)
		require.Zero(t, s.Left, s.Runner)
	}
}

// forgetful is a runner that runs nothing. The tasks go to kept.
func forgetful(kept chan<- func()) runner.Runner {
	return runner.Runner{Name: "forgetful", New: func() runner.Pool {
		return runner.Pool{
			Bind:  func(task func()) func() { return func() { kept <- task } },
			Close: func() { panic("a pool was closed in which callers are stuck") },
		}
	}}
}

func TestRunnerThatLosesTasksIsGivenUpAtTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		kept := make(chan func(), 1000)
		r := Race{Settings: short(), Runners: []runner.Runner{forgetful(kept)}, Loads: small()[:2], Log: &log}
		r.Settings.ShrinkLimit = 0
		result, err := r.Run(t.Context())
		require.NoError(t, err)
		require.Len(t, result.Samples, 2, "one for each load, then no more")
		for _, s := range result.Samples {
			require.Contains(t, s.Failed, "given up after 1m0s")
		}
		require.Empty(t, result.Latencies)
		require.Contains(t, log.String(), "forgetful cannot do")
		for len(kept) > 0 {
			(<-kept)() // so that the callers can go
		}
	})
}

func TestWhatTheBudgetHasNoTimeForIsWrittenDown(t *testing.T) {
	r := Race{Settings: short(), Runners: pick("go"), Loads: small()[1:3], Log: io.Discard}
	r.Settings.ShrinkLimit, r.Settings.Rounds, r.Settings.Budget = 0, 1<<30, time.Nanosecond
	result, err := r.Run(t.Context())
	require.NoError(t, err)
	require.Empty(t, result.Samples)
	require.Len(t, result.LeftOut, 2)
}

func TestRoundsEndWithTheBudget(t *testing.T) {
	r := Race{Settings: short(), Runners: pick("go"), Loads: small()[1:3], Log: io.Discard}
	r.Settings.ShrinkLimit, r.Settings.Rounds, r.Settings.Budget = 0, 1<<30, time.Second
	result, err := r.Run(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, result.Samples)
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := Race{Settings: short(), Runners: pick("go"), Loads: small(), Log: io.Discard}
	_, err := r.Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
}
