package hemlockprom_test

import (
	"strings"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
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

func TestCollectorExportsEachCountUnderItsName(t *testing.T) {
	c := hemlockprom.Over("dns", pooltest.Different)
	require.NoError(t, testutil.CollectAndCompare(c, strings.NewReader(everyCount)))
}

func TestCollectorKeepsTheConventionsOfPrometheus(t *testing.T) {
	problems, err := testutil.CollectAndLint(hemlockprom.Over("dns", pooltest.Different))
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestScrapeTakesOneSnapshot(t *testing.T) {
	snapshots := 0
	c := hemlockprom.Over("dns", func() hemlock.Stats { snapshots++; return pooltest.Different() })
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(c))
	require.Zero(t, snapshots, "registering asks for descriptions only")
	gather(t, reg)
	require.Equal(t, 1, snapshots)
	gather(t, reg)
	require.Equal(t, 2, snapshots)
}

func TestCollectorFollowsAPoolThroughItsLife(t *testing.T) {
	pooltest.Live(t, func(t *testing.T, pool *hemlock.Pool) func(hemlock.Stats) {
		reg := prometheus.NewPedanticRegistry()
		require.NoError(t, hemlockprom.Register(reg, "dns", pool))
		return func(want hemlock.Stats) {
			expected := prometheus.NewPedanticRegistry()
			require.NoError(t, expected.Register(hemlockprom.Over("dns", func() hemlock.Stats { return want })))
			require.Equal(t, gather(t, expected), gather(t, reg))
		}
	})
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
