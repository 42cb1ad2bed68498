package hemlockotel_test

import (
	"errors"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	hemlockotel "example.com/hemlock/metrics/otel"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

func TestRegisterNamesWhatIsWrong(t *testing.T) {
	pool := hemlock.New()
	meter, reader := newMeter()
	for _, tt := range []struct {
		what  string
		meter metric.Meter
		name  string
		pool  *hemlock.Pool
		want  string
	}{
		{"empty name", meter, "", pool, "hemlockotel: empty pool name"},
		{"name not UTF-8", meter, "d\xffns", pool, `hemlockotel: pool name "d\xffns" is not valid UTF-8`},
		{"nil pool", meter, "dns", nil, `hemlockotel: pool "dns" is nil`},
		{"nil meter", nil, "dns", pool, `hemlockotel: pool "dns": the meter is nil`},
	} {
		t.Run(tt.what, func(t *testing.T) {
			unregister, err := hemlockotel.Register(tt.meter, tt.name, tt.pool)
			require.EqualError(t, err, tt.want)
			require.Nil(t, unregister)
		})
	}
	require.Empty(t, points(t, reader), "a failed Register reports nothing")
}

func TestRegisterPanicsOnAPoolThatWasNotMadeByNew(t *testing.T) {
	meter, _ := newMeter()
	require.Panics(t, func() { _, _ = hemlockotel.Register(meter, "dns", new(hemlock.Pool)) })
}

var errRefused = errors.New("refused")

// refusing is a meter that refuses one thing.
type refusing struct {
	noop.Meter
	counter, callback, histogram error
	unregister                   *int // counts the calls of Unregister, which fail
}

func (m refusing) Float64Histogram(name string, opts ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	made, _ := m.Meter.Float64Histogram(name, opts...)
	return made, m.histogram
}

func (m refusing) Int64ObservableCounter(name string, opts ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	made, _ := m.Meter.Int64ObservableCounter(name, opts...)
	return made, m.counter
}

func (m refusing) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	return sticky{calls: m.unregister}, m.callback
}

type sticky struct {
	noop.Registration
	calls *int
}

func (s sticky) Unregister() error {
	*s.calls++
	return errRefused
}

func TestRefusalOfTheMeterNamesThePool(t *testing.T) {
	for what, meter := range map[string]metric.Meter{
		"instrument": refusing{counter: errRefused},
		"callback":   refusing{callback: errRefused},
	} {
		unregister, err := hemlockotel.Register(meter, "dns", hemlock.New())
		require.EqualError(t, err, `hemlockotel: register pool "dns": refused`, what)
		require.ErrorIs(t, err, errRefused, what)
		require.Nil(t, unregister, what)
	}
}

func TestUnregisterReturnsTheErrorOfTheMeterEachTime(t *testing.T) {
	calls := 0
	unregister := registered(t)(hemlockotel.Register(refusing{unregister: &calls}, "dns", hemlock.New()))
	require.ErrorIs(t, unregister(), errRefused)
	require.ErrorIs(t, unregister(), errRefused)
	require.Equal(t, 1, calls)
}

func TestNothingIsReportedAfterUnregister(t *testing.T) {
	meter, reader := newMeter()
	snapshots := 0
	unregister := registered(t)(hemlockotel.RegisterStats(meter, "dns", func() hemlock.Stats {
		snapshots++
		return pooltest.Different()
	}))
	require.NotEmpty(t, points(t, reader))
	require.NoError(t, unregister())
	require.Empty(t, points(t, reader))
	require.Equal(t, 1, snapshots, "the pool is not even asked")
	require.NoError(t, unregister(), "again")
	require.Empty(t, points(t, reader))
}

func TestUnregisterTakesOnePoolOut(t *testing.T) {
	meter, reader := newMeter()
	first := registered(t)(hemlockotel.Register(meter, "dns", pooltest.New(t)))
	second := registered(t)(hemlockotel.Register(meter, "tcp", pooltest.New(t)))
	require.NoError(t, first())
	got := points(t, reader)
	require.NotContains(t, got, "hemlock.worker.peak{dns}")
	require.Contains(t, got, "hemlock.worker.peak{tcp}")
	require.NoError(t, second())

	pool := pooltest.New(t)
	require.NoError(t, pool.Submit(func() {}))
	registered(t)(hemlockotel.Register(meter, "dns", pool))
	require.EqualValues(t, 1, points(t, reader)["hemlock.task.submitted{dns}"], "the name is free again")
}

func TestOneNameTwiceIsReportedAsASum(t *testing.T) {
	meter, reader := newMeter()
	for range 2 {
		registered(t)(hemlockotel.RegisterStats(meter, "dns", pooltest.Different))
	}
	require.EqualValues(t, 2*pooltest.Different().Submitted, points(t, reader)["hemlock.task.submitted{dns}"])
}
