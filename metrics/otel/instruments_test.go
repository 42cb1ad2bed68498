package hemlockotel_test

import (
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	hemlockotel "example.com/hemlock/metrics/otel"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
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
	registered(t)(hemlockotel.RegisterStats(meter, "dns", different))
	got := collect(t, reader)
	require.Len(t, got, len(want))
	for i := range want {
		metricdatatest.AssertEqual(t, want[i], got[i], metricdatatest.IgnoreTimestamp())
	}
}

func TestCollectionTakesOneSnapshot(t *testing.T) {
	meter, reader := newMeter()
	snapshots := 0
	registered(t)(hemlockotel.RegisterStats(meter, "dns", func() hemlock.Stats { snapshots++; return different() }))
	require.Zero(t, snapshots)
	collect(t, reader)
	require.Equal(t, 1, snapshots)
	collect(t, reader)
	require.Equal(t, 2, snapshots)
}

func TestCollectionFromABusyPoolFitsTogether(t *testing.T) {
	meter, reader := newMeter()
	pool := newPool(t)
	registered(t)(hemlockotel.Register(meter, "dns", pool))
	defer load(pool)()
	for range 300 {
		got := points(t, reader)
		require.LessOrEqual(t, got["hemlock.task.completed{dns}"], got["hemlock.task.submitted{dns}"])
		require.LessOrEqual(t, got["hemlock.worker.count{dns,idle}"]+got["hemlock.worker.count{dns,running}"],
			got["hemlock.worker.peak{dns}"])
	}
}

func TestSeveralPoolsShareAMeter(t *testing.T) {
	meter, reader := newMeter()
	for _, name := range []string{"dns", "upstream"} {
		pool := newPool(t)
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

// delta is the delta temporality of OpenTelemetry, which the SDK has not always had.
func delta(kind sdkmetric.InstrumentKind) metricdata.Temporality {
	if kind == sdkmetric.InstrumentKindObservableCounter {
		return metricdata.DeltaTemporality
	}
	return metricdata.CumulativeTemporality
}

// With the delta temporality a reader gets the increase of the counters since its last
// collection. The number of workers remains that of now.
func TestDeltaTemporalityReportsIncreases(t *testing.T) {
	meter, reader := newMeter(sdkmetric.WithTemporalitySelector(delta))
	now := different()
	registered(t)(hemlockotel.RegisterStats(meter, "dns", func() hemlock.Stats { return now }))
	require.EqualValues(t, 4, points(t, reader)["hemlock.task.submitted{dns}"])
	now.Submitted += 100
	got := points(t, reader)
	require.EqualValues(t, 100, got["hemlock.task.submitted{dns}"])
	require.EqualValues(t, 0, got["hemlock.task.completed{dns}"])
	require.EqualValues(t, 3, got["hemlock.worker.count{dns,running}"])
	require.EqualValues(t, 10, got["hemlock.worker.peak{dns}"])
}

func TestInstrumentsFollowAPoolThroughItsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		meter, reader := newMeter()
		pool := hemlock.New(hemlock.WithPanicHandler(func(any, []byte) {}))
		registered(t)(hemlockotel.Register(meter, "dns", pool))

		release := make(chan struct{})
		for range 3 {
			require.NoError(t, pool.Submit(func() { <-release }))
		}
		synctest.Wait() // all three have started
		got := points(t, reader)
		require.EqualValues(t, 3, got["hemlock.worker.count{dns,running}"])
		require.EqualValues(t, 0, got["hemlock.worker.count{dns,idle}"])
		require.EqualValues(t, 3, got["hemlock.task.submitted{dns}"])

		close(release)
		synctest.Wait()
		require.NoError(t, pool.Submit(func() { panic("of this task") }))
		synctest.Wait()
		got = points(t, reader)
		require.EqualValues(t, 0, got["hemlock.worker.count{dns,running}"])
		require.EqualValues(t, 2, got["hemlock.worker.count{dns,idle}"], "a panic ends its worker")
		require.EqualValues(t, 4, got["hemlock.task.completed{dns}"])
		require.EqualValues(t, 1, got["hemlock.task.panicked{dns}"])

		time.Sleep(time.Minute) // the killer takes the rest
		got = points(t, reader)
		require.EqualValues(t, 0, got["hemlock.worker.count{dns,idle}"])
		require.EqualValues(t, 2, got["hemlock.worker.killed{dns}"])
		require.EqualValues(t, 3, got["hemlock.worker.peak{dns}"])
	})
}
