package hemlockotel_test

import (
	"testing"
	"time"

	"example.com/hemlock"
	hemlockotel "example.com/hemlock/metrics/otel"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func TestWaitsAreAHistogramInSeconds(t *testing.T) {
	meter, reader := newMeter()
	observe, err := hemlockotel.Waits(meter, "dns")
	require.NoError(t, err)
	_ = hemlock.WithWaitObserver(observe) // which takes such a function
	observe(time.Microsecond)
	observe(250 * time.Millisecond)
	metrics := collect(t, reader)
	require.Len(t, metrics, 1)
	require.Equal(t, "hemlock.task.wait", metrics[0].Name)
	require.Equal(t, "s", metrics[0].Unit)
	data := metrics[0].Data.(metricdata.Histogram[float64]).DataPoints
	require.Len(t, data, 1)
	require.Equal(t, []string{"dns"}, attributeValues(data[0].Attributes))
	require.InDelta(t, 0.250001, data[0].Sum, 1e-9)
	require.Equal(t, []uint64{1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0}, data[0].BucketCounts)
}

func TestWaitsNamesWhatIsWrong(t *testing.T) {
	meter, _ := newMeter()
	for want, c := range map[string]struct {
		meter metric.Meter
		name  string
	}{
		"hemlockotel: empty pool name":                     {meter, ""},
		`hemlockotel: pool name "\xff" is not valid UTF-8`: {meter, "\xff"},
		`hemlockotel: pool "dns": the meter is nil`:        {nil, "dns"},
		`hemlockotel: the waits of pool "dns": refused`:    {refusing{histogram: errRefused}, "dns"},
	} {
		observe, err := hemlockotel.Waits(c.meter, c.name)
		require.EqualError(t, err, want)
		require.Nil(t, observe)
	}
}
