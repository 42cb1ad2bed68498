package autoscaling_test

import (
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock/internal/pooltest"
	hemlockprom "example.com/hemlock/metrics/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// What a pool of the test server has: tasks that run, workers without one, and
// tasks that wait for a processor.
type workers struct{ running, idle, waiting int }

// export returns what the collector exports for a pool in this state. The tasks that
// wait are put in afterwards: how many wait depends on the scheduler.
func export(t *testing.T, pool string, state workers) []*dto.MetricFamily {
	t.Helper()
	var families []*dto.MetricFamily
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t)
		registry := prometheus.NewPedanticRegistry()
		require.NoError(t, hemlockprom.Register(registry, pool, p))
		pooltest.Occupy(t, p, state.running)
		pooltest.GrowInBubble(t, p, state.idle)
		var err error
		families, err = registry.Gather()
		require.NoError(t, err)
	})
	for _, f := range families {
		if f.GetName() == "hemlock_tasks_waiting" {
			f.GetMetric()[0].Gauge.Value = new(float64(state.waiting))
		}
	}
	return families
}

// exported returns the names of all metrics that the collector exports, and the others.
func exported(t *testing.T, besides ...string) map[string]bool {
	t.Helper()
	names := set(besides)
	for _, f := range export(t, "dns", workers{}) {
		names[f.GetName()] = true
	}
	return names
}

// scrape adds the collector's series for the pool dns of a pod, with the labels
// that a scrape of pods gives them, and that of the scrapes themselves. Gauges
// stay as they are; counters have risen evenly to their value.
func (db *database) scrape(t *testing.T, pod string, state workers) {
	t.Helper()
	db.scrapeUntil(t, pod, state, never, never)
}

// never is a time after the last sample.
const never = horizon + scrapeInterval

// scrapeUntil does the same for a pod that is silent from one time on and no longer
// discovered from another on. Its series are stale then, as in Prometheus.
func (db *database) scrapeUntil(t *testing.T, pod string, state workers, silent, gone time.Duration) {
	t.Helper()
	for _, f := range export(t, "dns", state) {
		for _, m := range f.GetMetric() {
			db.add(t, podLabels(f.GetName(), pod, m), until(min(silent, gone), overTime(f.GetType(), m)))
		}
	}
	db.add(t, podLabels("up", pod, new(dto.Metric)), until(gone, func(at time.Duration) float64 {
		if at < silent {
			return 1
		}
		return 0
	}))
}

// until makes a series end.
func until(end time.Duration, value func(time.Duration) float64) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		if at < end {
			return value(at)
		}
		return stale
	}
}

func podLabels(metric, pod string, m *dto.Metric) labels.Labels {
	b := labels.NewBuilder(labels.FromStrings(
		"__name__", metric, "job", "dnsserver", "instance", pod+":9090",
		"namespace", "default", "pod", pod,
	))
	for _, l := range m.GetLabel() {
		b.Set(l.GetName(), l.GetValue())
	}
	return b.Labels()
}

func overTime(kind dto.MetricType, m *dto.Metric) func(time.Duration) float64 {
	if kind == dto.MetricType_GAUGE {
		return flat(m.GetGauge().GetValue()).at
	}
	return perMinute(m.GetCounter().GetValue() / horizon.Minutes()).at
}
