package race

import (
	"context"
	"fmt"
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

// The work is calibrated here, outside of every bubble: the clock of a bubble
// stands still while something computes.
var _ = load.Pace()

func short() report.Settings {
	return report.Settings{
		Procs: []int{2}, Rounds: 2, Duration: 2 * time.Millisecond, Warmup: time.Millisecond,
		Passes: 1, Latencies: 100, Limit: time.Minute, ShrinkLimit: time.Minute,
	}
}

// named returns the load whose name has the prefix.
func named(t *testing.T, prefix string) load.Load {
	t.Helper()
	loads := load.All()
	i := slices.IndexFunc(loads, func(l load.Load) bool { return strings.HasPrefix(l.Name, prefix) })
	require.GreaterOrEqual(t, i, 0, prefix)
	return loads[i]
}

// pick returns the runners with the names.
func pick(names ...string) []runner.Runner {
	return slices.DeleteFunc(runner.All(), func(r runner.Runner) bool {
		return !slices.Contains(names, r.Name)
	})
}

func TestEveryRoundHasEveryRunnerOnce(t *testing.T) {
	loads := []load.Load{named(t, "empty, 64 callers"), named(t, "empty, P submitters, every 64")}
	r := Race{Settings: short(), Runners: pick("go", "hemlock", "ants"), Loads: loads, Log: io.Discard}
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
	for turn, n := range turns {
		require.Equal(t, 2, n, turn)
	}
}

func TestStormsFillTheTimeOfAMeasurement(t *testing.T) {
	storm := named(t, "spawn storm")
	storm.Storm = 50 // the race detector bears no more than 8,128 goroutines
	r := Race{Settings: short(), Log: io.Discard}
	var s report.Sample
	for r.Settings.Duration = 50 * time.Millisecond; s.Tasks <= storm.Callers*storm.Storm; r.Settings.Duration *= 2 { // until there is time for more than one
		s = r.measure(t.Context(), storm, pick("go")[0])
		require.Empty(t, s.Failed)
	}
	require.Zero(t, s.Tasks%(storm.Callers*storm.Storm))
}

// counting is a go statement that counts its pools and their tasks.
func counting(pools, tasks *atomic.Int64) runner.Runner {
	plain := pick(runner.Baseline)[0]
	return runner.Runner{Name: "counting", New: func() runner.Pool {
		pools.Add(1)
		pool := plain.New()
		bind := pool.Bind
		pool.Bind = func(task func()) func() {
			submit := bind(task)
			return func() { tasks.Add(1); submit() }
		}
		return pool
	}}
}

// Each batch of a load on a cold pool needs a pool of its own, and no warm-up
// may come before it.
func TestColdPoolsAreFreshForEachBatch(t *testing.T) {
	var pools, tasks atomic.Int64
	cold := named(t, "cold pool, 2,000 shallow")
	r := Race{Settings: short(), Runners: []runner.Runner{counting(&pools, &tasks)}, Loads: []load.Load{cold}, Log: io.Discard}
	for r.Settings.Duration = 50 * time.Millisecond; pools.Load() < 2; r.Settings.Duration *= 2 { // until there is time for more than one
		pools.Store(0)
		tasks.Store(0)
		s := r.measure(t.Context(), cold, r.Runners[0])
		require.Empty(t, s.Failed)
		require.EqualValues(t, s.Tasks, tasks.Load())
		require.EqualValues(t, s.Tasks, pools.Load()*int64(cold.Batch))
	}

	pools.Store(0)
	tasks.Store(0)
	r.Settings.Latencies = 1_000_000 // more than a batch has
	var l report.Latency
	require.NoError(t, r.probe(t.Context(), cold, r.Runners[0], &l))
	require.EqualValues(t, cold.Batch, tasks.Load())
	require.Equal(t, cold.Batch, l.Count)
}

// To make and close a pool takes longer than a short load. A measurement must not go
// on until such loads alone fill its time.
func TestColdPoolsAreGivenUpWhenTheyTakeTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made, tasks atomic.Int64
		slow := counting(&made, &tasks)
		fresh := slow.New
		slow.New = func() runner.Pool {
			pool := fresh()
			pool.Close = func() { time.Sleep(time.Second) }
			return pool
		}
		r := Race{Settings: short(), Log: io.Discard}
		r.Settings.Duration = time.Second
		cold := named(t, "cold pool, 2,000 tasks block")
		s := r.measure(t.Context(), cold, slow)
		require.Empty(t, s.Failed)
		require.Equal(t, patience*time.Millisecond, s.Elapsed)
		require.EqualValues(t, patience, made.Load())
	})
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
		r := Race{Settings: short(), Runners: []runner.Runner{forgetful(kept)}, Loads: load.All()[:2], Log: &log}
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

func TestLoadThatNeverWaitsHasNoLatencies(t *testing.T) {
	result := unprobed(t, named(t, "empty, 1 submitter, never waits"), pick("go", "hemlock")...)
	require.Len(t, result.Samples, 4)
}

// within runs two loads at two numbers of processors with the budget, in a
// bubble, where only a sleep takes time.
func within(t *testing.T, budget time.Duration) *report.Report {
	t.Helper()
	r := Race{Settings: short(), Runners: pick("go"), Log: io.Discard}
	for _, name := range []string{"one", "two"} {
		r.Loads = append(r.Loads, load.Load{Name: name, Callers: 1, Batch: 1, Block: time.Second})
	}
	r.Settings.Procs = []int{1, 2}
	r.Settings.Rounds, r.Settings.ShrinkLimit, r.Settings.Budget = 1000, 0, budget
	result, err := r.Run(t.Context())
	require.NoError(t, err)
	return result
}

func TestRunEndsWithItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		result := within(t, 400*time.Second)
		// No load can use the time that the last one leaves.
		require.InDelta(t, 360, time.Since(start).Seconds(), 50)
		require.Empty(t, result.LeftOut)
		rounds := map[string]int{}
		for _, s := range result.Samples {
			rounds[fmt.Sprint(s.Load, s.Procs)]++
		}
		require.Len(t, rounds, 4)
		for where, n := range rounds {
			// A measurement and its warm-up are two tasks of 1 s. A quarter of the
			// time is for the latencies; what they leave of it goes to the next load.
			require.InDelta(t, 40, n, 15, where)
		}
	})
}

func TestWhatTheBudgetHasNoTimeForIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := within(t, 10*time.Second)
		got := map[string]string{}
		for _, l := range result.LeftOut {
			got[fmt.Sprint(l.Load, l.Procs)] = l.What
		}
		require.Equal(t, "all of it", got["two2"])
		require.Equal(t, "latencies", got["one1"])
		for _, s := range result.Samples {
			require.NotEqual(t, "all of it", got[fmt.Sprint(s.Load, s.Procs)])
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := Race{Settings: short(), Runners: pick("go"), Loads: load.All(), Log: io.Discard}
	_, err := r.Run(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// unprobed runs one load, which has no latencies, for two rounds.
func unprobed(t *testing.T, l load.Load, runners ...runner.Runner) *report.Report {
	t.Helper()
	r := Race{Settings: short(), Runners: runners, Loads: []load.Load{l}, Log: io.Discard}
	r.Settings.Duration, r.Settings.ShrinkLimit = 50*time.Millisecond, 0
	result, err := r.Run(t.Context())
	require.NoError(t, err)
	require.Empty(t, result.Latencies)
	return result
}

func TestRateIsAPartOfWhatTheBaselineManages(t *testing.T) {
	result := unprobed(t, named(t, "time.Sleep, 60 %"), pick("go")...)
	require.Len(t, result.Saturations, 1)
	full := result.Saturations[0]
	require.Equal(t, 2, full.Procs)
	require.Positive(t, full.PerSecond)
	for _, s := range result.Samples {
		require.Empty(t, s.Failed)
		require.InEpsilon(t, full.PerSecond*0.6*0.05, s.Tasks, 0.4, "in 50 ms")
		require.Equal(t, s.Tasks, s.Delay.Count)
		require.Equal(t, s.Tasks, s.StartDelay.Count)
		require.Positive(t, s.StartDelay.P50)
		require.Greater(t, s.Delay.P50, s.StartDelay.P50)
		require.LessOrEqual(t, s.Delay.P50, s.Delay.P99)
		require.LessOrEqual(t, s.Delay.P99, s.Delay.P999)
		require.LessOrEqual(t, s.Delay.P999, s.Delay.Max)
	}
}

func TestRunnersOfARoundSeeTheSameArrivals(t *testing.T) {
	result := unprobed(t, named(t, "nanosleep, 60 %"), pick("go", "hemlock", "ants")...)
	tasks := map[int]map[int]bool{}
	for _, s := range result.Samples {
		if tasks[s.Round] == nil {
			tasks[s.Round] = map[int]bool{}
		}
		tasks[s.Round][s.Tasks] = true
	}
	require.Len(t, tasks, 2)
	for round := range tasks {
		require.Len(t, tasks[round], 1, "all runners had as many tasks")
	}
	require.NotEqual(t, tasks[0], tasks[1], "another round has other arrivals")
}

// A burst ends long before the time is up, and is repeated at the same pool.
func TestBurstsFillTheTimeOfAMeasurement(t *testing.T) {
	var pools, tasks atomic.Int64
	r := Race{Settings: short(), Log: io.Discard}
	r.Settings.Duration = 50 * time.Millisecond
	l := named(t, "500 x 50 us from 1: sleep")
	start := time.Now()
	s := r.measure(t.Context(), l, counting(&pools, &tasks))
	require.Empty(t, s.Failed)
	require.EqualValues(t, 1, pools.Load())
	require.GreaterOrEqual(t, time.Since(start), r.Settings.Duration)
	require.Zero(t, s.Tasks%l.Batch)
	require.Positive(t, s.Delay.Count)
	require.Zero(t, s.StartDelay)
}
