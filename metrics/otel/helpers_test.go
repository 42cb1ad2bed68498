package hemlockotel_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// newMeter returns a meter and the reader that collects from it.
func newMeter() (metric.Meter, *sdkmetric.ManualReader) {
	reader := sdkmetric.NewManualReader()
	return sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test"), reader
}

func registered(t *testing.T) func(unregister func() error, err error) func() error {
	t.Helper()
	return func(unregister func() error, err error) func() error {
		t.Helper()
		require.NoError(t, err)
		require.NotNil(t, unregister)
		return unregister
	}
}

func collect(t *testing.T, reader *sdkmetric.ManualReader) []metricdata.Metrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	var metrics []metricdata.Metrics
	for _, scope := range all.ScopeMetrics {
		metrics = append(metrics, scope.Metrics...)
	}
	return metrics
}

// points returns every value under its metric's name and its attribute values
// in the order of their keys, as in hemlock.worker.count{dns,idle}.
func points(t *testing.T, reader *sdkmetric.ManualReader) map[string]int64 {
	t.Helper()
	values := map[string]int64{}
	for _, m := range collect(t, reader) {
		for _, p := range dataPoints(t, m.Data) {
			values[m.Name+"{"+strings.Join(attributeValues(p.Attributes), ",")+"}"] = p.Value
		}
	}
	return values
}

func dataPoints(t *testing.T, data metricdata.Aggregation) []metricdata.DataPoint[int64] {
	t.Helper()
	if gauge, ok := data.(metricdata.Gauge[int64]); ok {
		return gauge.DataPoints
	}
	require.IsType(t, metricdata.Sum[int64]{}, data)
	return data.(metricdata.Sum[int64]).DataPoints
}

func attributeValues(set attribute.Set) []string {
	var values []string
	for _, kv := range set.ToSlice() {
		values = append(values, kv.Value.AsString())
	}
	return values
}
