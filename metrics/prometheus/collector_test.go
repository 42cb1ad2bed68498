package hemlockprom_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	hemlockprom "example.com/hemlock/metrics/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

const everyCount = `
# HELP hemlock_tasks_completed_total Tasks that have ended, those that panicked included.
# TYPE hemlock_tasks_completed_total counter
hemlock_tasks_completed_total{pool="dns"} 5
# HELP hemlock_tasks_panicked_total Tasks whose panic went to the panic handler.
# TYPE hemlock_tasks_panicked_total counter
hemlock_tasks_panicked_total{pool="dns"} 6
# HELP hemlock_tasks_submitted_total Tasks that the pool has accepted.
# TYPE hemlock_tasks_submitted_total counter
hemlock_tasks_submitted_total{pool="dns"} 4
# HELP hemlock_tasks_waiting Tasks accepted that wait for a processor.
# TYPE hemlock_tasks_waiting gauge
hemlock_tasks_waiting{pool="dns"} 11
# HELP hemlock_workers Workers of the pool, by whether they are idle or running a task.
# TYPE hemlock_workers gauge
hemlock_workers{pool="dns",state="idle"} 2
hemlock_workers{pool="dns",state="running"} 3
# HELP hemlock_workers_killed_total Idle workers that the killer has killed.
# TYPE hemlock_workers_killed_total counter
hemlock_workers_killed_total{pool="dns"} 8
# HELP hemlock_workers_peak Largest number of workers that the pool ever had.
# TYPE hemlock_workers_peak gauge
hemlock_workers_peak{pool="dns"} 10
# HELP hemlock_workers_recycled_total Workers that were replaced by a fresh one after their last task.
# TYPE hemlock_workers_recycled_total counter
hemlock_workers_recycled_total{pool="dns"} 9
# HELP hemlock_workers_spawned_total Workers that were started because none was idle.
# TYPE hemlock_workers_spawned_total counter
hemlock_workers_spawned_total{pool="dns"} 7
`

// different is a snapshot in which no two counts are equal.
func different() hemlock.Stats {
	return hemlock.Stats{
		Workers: 1, Idle: 2, Running: 3, Submitted: 4, Completed: 5,
		Panicked: 6, Spawned: 7, Killed: 8, Recycled: 9, PeakWorkers: 10, Waiting: 11,
	}
}

func TestCollectorExportsEachCountUnderItsName(t *testing.T) {
	c := hemlockprom.Over("dns", different)
	require.NoError(t, testutil.CollectAndCompare(c, strings.NewReader(everyCount)))
}

func TestCollectorKeepsTheConventionsOfPrometheus(t *testing.T) {
	problems, err := testutil.CollectAndLint(hemlockprom.Over("dns", different))
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestScrapeTakesOneSnapshot(t *testing.T) {
	snapshots := 0
	c := hemlockprom.Over("dns", func() hemlock.Stats { snapshots++; return different() })
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(c))
	require.Zero(t, snapshots, "registering asks for descriptions only")
	gather(t, reg)
	require.Equal(t, 1, snapshots)
	gather(t, reg)
	require.Equal(t, 2, snapshots)
}

func TestScrapeOfABusyPoolFitsTogether(t *testing.T) {
	pool := newPool(t)
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, hemlockprom.Register(reg, "dns", pool))
	defer load(t, pool)()
	for range 300 {
		got := gather(t, reg)
		require.LessOrEqual(t, got["hemlock_tasks_completed_total{dns}"], got["hemlock_tasks_submitted_total{dns}"])
		require.LessOrEqual(t, got["hemlock_workers{dns,idle}"]+got["hemlock_workers{dns,running}"],
			got["hemlock_workers_peak{dns}"])
	}
}

func TestCollectorFollowsAPoolThroughItsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := hemlock.New(hemlock.WithPanicHandler(func(any, []byte) {}))
		reg := prometheus.NewPedanticRegistry()
		require.NoError(t, hemlockprom.Register(reg, "dns", pool))

		release := make(chan struct{})
		for range 3 {
			require.NoError(t, pool.Submit(func() { <-release }))
		}
		synctest.Wait() // all three have started
		got := gather(t, reg)
		require.EqualValues(t, 3, got["hemlock_workers{dns,running}"])
		require.EqualValues(t, 0, got["hemlock_workers{dns,idle}"])
		require.EqualValues(t, 3, got["hemlock_tasks_submitted_total{dns}"])

		close(release)
		synctest.Wait()
		require.NoError(t, pool.Submit(func() { panic("of this task") }))
		synctest.Wait()
		got = gather(t, reg)
		require.EqualValues(t, 0, got["hemlock_workers{dns,running}"])
		require.EqualValues(t, 2, got["hemlock_workers{dns,idle}"], "a panic ends its worker")
		require.EqualValues(t, 4, got["hemlock_tasks_completed_total{dns}"])
		require.EqualValues(t, 1, got["hemlock_tasks_panicked_total{dns}"])

		time.Sleep(time.Minute) // the killer takes the rest
		got = gather(t, reg)
		require.EqualValues(t, 0, got["hemlock_workers{dns,idle}"])
		require.EqualValues(t, 2, got["hemlock_workers_killed_total{dns}"])
		require.EqualValues(t, 3, got["hemlock_workers_spawned_total{dns}"])
		require.EqualValues(t, 3, got["hemlock_workers_peak{dns}"])
	})
}

func TestCollectorCountsRecycledWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := hemlock.New(hemlock.WithMaxTasksPerWorker(1))
		reg := prometheus.NewPedanticRegistry()
		require.NoError(t, hemlockprom.Register(reg, "dns", pool))
		for range 10 {
			require.NoError(t, pool.Submit(func() {}))
			synctest.Wait()
		}
		got := gather(t, reg)
		require.EqualValues(t, pool.Stats().Recycled, got["hemlock_workers_recycled_total{dns}"])
		require.Positive(t, got["hemlock_workers_recycled_total{dns}"])
		require.NoError(t, pool.Shutdown(t.Context()))
	})
}

func TestCollectorOfAClosedPoolStandsStill(t *testing.T) {
	pool := hemlock.New()
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, hemlockprom.Register(reg, "dns", pool))
	require.NoError(t, pool.Submit(func() {}))
	require.NoError(t, pool.Shutdown(t.Context()))
	require.ErrorIs(t, pool.Submit(func() {}), hemlock.ErrClosed)
	pool.Run(func() {})
	got := gather(t, reg)
	require.EqualValues(t, 1, got["hemlock_tasks_submitted_total{dns}"])
	require.EqualValues(t, 1, got["hemlock_tasks_completed_total{dns}"])
	require.EqualValues(t, 0, got["hemlock_workers{dns,running}"])
}

// newPool returns a pool that is shut down when the test ends.
func newPool(t *testing.T) *hemlock.Pool {
	t.Helper()
	pool := hemlock.New()
	t.Cleanup(func() {
		require.NoError(t, pool.Shutdown(context.WithoutCancel(t.Context())))
	})
	return pool
}

// load keeps the pool busy until the function that it returns is called.
func load(t *testing.T, pool *hemlock.Pool) (stop func()) {
	t.Helper()
	quit := make(chan struct{})
	var submitters sync.WaitGroup
	for range 4 {
		submitters.Go(func() { submitUntil(quit, pool) })
	}
	return func() { close(quit); submitters.Wait() }
}

// submitUntil submits tasks, at most eight at a time, until quit is closed.
func submitUntil(quit <-chan struct{}, pool *hemlock.Pool) {
	slots := make(chan struct{}, 8)
	for {
		select {
		case <-quit:
			return
		case slots <- struct{}{}:
			pool.Run(func() { <-slots })
		}
	}
}

// gather returns all samples, each under its name and its label values in the
// order of the label names, as in hemlock_workers{dns,idle}.
func gather(t *testing.T, from prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := from.Gather()
	require.NoError(t, err)
	samples := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			samples[f.GetName()+"{"+strings.Join(values, ",")+"}"] = value(f.GetType(), m)
		}
	}
	return samples
}

func value(kind dto.MetricType, m *dto.Metric) float64 {
	if kind == dto.MetricType_COUNTER {
		return m.GetCounter().GetValue()
	}
	return m.GetGauge().GetValue()
}
