package autoscaling_test

import (
	"fmt"
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

// export returns what the collector exports for a pool dns in this state. The tasks that
// wait are put in afterwards: how many wait depends on the scheduler.
func export(t *testing.T, state workers) []*dto.MetricFamily {
	t.Helper()
	var families []*dto.MetricFamily
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t)
		registry := prometheus.NewPedanticRegistry()
		require.NoError(t, hemlockprom.Register(registry, "dns", p))
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
	names := map[string]bool{}
	for _, name := range besides {
		names[name] = true
	}
	for _, f := range export(t, workers{}) {
		names[f.GetName()] = true
	}
	return names
}

// never is a time after the last sample.
const never = horizon + scrapeInterval

// scrape adds the collector's series for the pool dns of a pod, with the labels
// that a scrape of pods gives them, and that of the scrapes themselves. Gauges
// stay as they are; counters have risen evenly to their value.
func (db *database) scrape(t *testing.T, pod string, state workers) {
	t.Helper()
	db.scrapeUntil(t, pod, state, never)
}

// scrapeUntil does the same for a pod that is silent from one time on. Its series are
// stale then, as in Prometheus.
func (db *database) scrapeUntil(t *testing.T, pod string, state workers, silent time.Duration) {
	t.Helper()
	for _, f := range export(t, state) {
		for _, m := range f.GetMetric() {
			db.add(podLabels(f.GetName(), pod, m), overTime(f.GetType(), m))
		}
	}
	db.cut(t, fmt.Sprintf("{pod=%q}", pod), silent)
	db.add(podLabels("up", pod, new(dto.Metric)), func(minute float64) float64 {
		if minute < silent.Minutes() {
			return 1
		}
		return 0
	})
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

func overTime(kind dto.MetricType, m *dto.Metric) curve {
	if kind == dto.MetricType_GAUGE {
		return flat(m.GetGauge().GetValue())
	}
	return perMinute(m.GetCounter().GetValue() / horizon.Minutes())
}
