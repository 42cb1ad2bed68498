package hemlockotel_test

import (
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	hemlockotel "example.com/hemlock/metrics/otel"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
)

// sum is a metric that may be added up, with one value.
func sum(name, unit, help string, monotonic bool, points ...metricdata.DataPoint[int64]) metricdata.Metrics {
	return metricdata.Metrics{
		Name: name, Unit: unit, Description: help,
		Data: metricdata.Sum[int64]{
			DataPoints:  points,
			Temporality: metricdata.CumulativeTemporality,
			IsMonotonic: monotonic,
		},
	}
}

func point(value int64, attributes ...attribute.KeyValue) metricdata.DataPoint[int64] {
	return metricdata.DataPoint[int64]{Value: value, Attributes: attribute.NewSet(attributes...)}
}

func TestEachCountHasItsInstrument(t *testing.T) {
	pool := attribute.String("hemlock.pool.name", "dns")
	idle, running := attribute.String("hemlock.worker.state", "idle"), attribute.String("hemlock.worker.state", "running")
	want := []metricdata.Metrics{
		sum("hemlock.worker.count", "{worker}", "Workers of the pool, by whether they are idle or running a task.",
			false, point(2, pool, idle), point(3, pool, running)),
		{
			Name: "hemlock.worker.peak", Unit: "{worker}", Description: "Largest number of workers that the pool ever had.",
			Data: metricdata.Gauge[int64]{DataPoints: []metricdata.DataPoint[int64]{point(10, pool)}},
		},
		sum("hemlock.worker.spawned", "{worker}", "Workers that were started because none was idle.", true, point(7, pool)),
		sum("hemlock.worker.killed", "{worker}", "Idle workers that the killer has killed.", true, point(8, pool)),
		sum("hemlock.worker.recycled", "{worker}", "Workers that were replaced by a fresh one after their last task.",
			true, point(9, pool)),
		sum("hemlock.task.submitted", "{task}", "Tasks that the pool has accepted.", true, point(4, pool)),
		sum("hemlock.task.completed", "{task}", "Tasks that have ended, those that panicked included.", true, point(5, pool)),
		sum("hemlock.task.waiting", "{task}", "Tasks accepted that wait for a processor.", false, point(11, pool)),
		sum("hemlock.task.panicked", "{task}", "Tasks whose panic went to the panic handler.", true, point(6, pool)),
	}
	meter, reader := newMeter()
	registered(t)(hemlockotel.RegisterStats(meter, "dns", pooltest.Different))
	got := collect(t, reader)
	require.Len(t, got, len(want))
	for i := range want {
		metricdatatest.AssertEqual(t, want[i], got[i], metricdatatest.IgnoreTimestamp())
	}
}

func TestCollectionTakesOneSnapshot(t *testing.T) {
	meter, reader := newMeter()
	snapshots := 0
	registered(t)(hemlockotel.RegisterStats(meter, "dns", func() hemlock.Stats { snapshots++; return pooltest.Different() }))
	require.Zero(t, snapshots)
	collect(t, reader)
	require.Equal(t, 1, snapshots)
	collect(t, reader)
	require.Equal(t, 2, snapshots)
}

func TestSeveralPoolsShareAMeter(t *testing.T) {
	meter, reader := newMeter()
	for _, name := range []string{"dns", "upstream"} {
		pool := pooltest.New(t)
		registered(t)(hemlockotel.Register(meter, name, pool))
		for range len(name) {
			require.NoError(t, pool.Submit(func() {}))
		}
	}
	got := points(t, reader)
	require.EqualValues(t, 3, got["hemlock.task.submitted{dns}"])
	require.EqualValues(t, 8, got["hemlock.task.submitted{upstream}"])
	require.Len(t, collect(t, reader), 9, "the pools share the instruments")
}

func TestInstrumentsFollowAPoolThroughItsLife(t *testing.T) {
	pooltest.Live(t, func(t *testing.T, pool *hemlock.Pool) func(hemlock.Stats) {
		meter, reader := newMeter()
		registered(t)(hemlockotel.Register(meter, "dns", pool))
		return func(want hemlock.Stats) {
			meter, expected := newMeter()
			registered(t)(hemlockotel.RegisterStats(meter, "dns", func() hemlock.Stats { return want }))
			require.Equal(t, points(t, expected), points(t, reader))
		}
	})
}
