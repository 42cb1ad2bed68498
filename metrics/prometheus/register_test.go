package hemlockprom_test

import (
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	hemlockprom "example.com/hemlock/metrics/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func TestRegisterNamesWhatIsWrongAndLeavesNothingBehind(t *testing.T) {
	pool, reg := hemlock.New(), prometheus.NewPedanticRegistry()
	for _, tt := range []struct {
		what string
		reg  prometheus.Registerer
		name string
		pool *hemlock.Pool
		want string
	}{
		{"empty name", reg, "", pool, "hemlockprom: empty pool name"},
		{"name not UTF-8", reg, "d\xffns", pool, `hemlockprom: pool name "d\xffns" is not valid UTF-8`},
		{"nil pool", reg, "dns", nil, `hemlockprom: pool "dns" is nil`},
		{"nil registerer", nil, "dns", pool, `hemlockprom: pool "dns": the registerer is nil`},
	} {
		t.Run(tt.what, func(t *testing.T) {
			require.EqualError(t, hemlockprom.Register(tt.reg, tt.name, tt.pool), tt.want)
		})
	}
	require.Empty(t, gather(t, reg))
	require.NoError(t, hemlockprom.Register(reg, "dns", pool), "the name is still free")
}

func TestNewReturnsNoCollectorWithAnError(t *testing.T) {
	c, err := hemlockprom.New("dns", nil)
	require.EqualError(t, err, `hemlockprom: pool "dns" is nil`)
	require.Nil(t, c)
}

func TestNewPanicsOnAPoolThatWasNotMadeByNew(t *testing.T) {
	require.Panics(t, func() { _, _ = hemlockprom.New("dns", new(hemlock.Pool)) })
}

func TestSecondRegistrationNamesThePool(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	first := pooltest.New(t)
	require.NoError(t, hemlockprom.Register(reg, "dns", first))
	require.NoError(t, first.Submit(func() {}))

	for what, again := range map[string]*hemlock.Pool{"the same pool": first, "another pool": hemlock.New()} {
		err := hemlockprom.Register(reg, "dns", again)
		require.ErrorContains(t, err, `pool "dns"`, what)
		var taken prometheus.AlreadyRegisteredError
		require.ErrorAs(t, err, &taken, what)
		require.IsType(t, new(hemlockprom.Collector), taken.ExistingCollector, what)
	}
	require.EqualValues(t, 1, gather(t, reg)["hemlock_tasks_submitted_total{dns}"], "the first pool is still the one")
}

func TestClashWithAnotherMetricNamesThePool(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "hemlock_workers", Help: "Not ours."}))
	require.ErrorContains(t, hemlockprom.Register(reg, "dns", hemlock.New()), `register pool "dns"`)
}

func TestSeveralPoolsShareARegistry(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	for _, name := range []string{"dns", "tcp", `with "quotes" and {braces}`} {
		pool := pooltest.New(t)
		require.NoError(t, hemlockprom.Register(reg, name, pool))
		for range len(name) {
			require.NoError(t, pool.Submit(func() {}))
		}
	}
	got := gather(t, reg)
	require.EqualValues(t, 3, got["hemlock_tasks_submitted_total{dns}"])
	require.EqualValues(t, 3, got["hemlock_tasks_submitted_total{tcp}"])
	require.EqualValues(t, 26, got[`hemlock_tasks_submitted_total{with "quotes" and {braces}}`])
	require.Len(t, got, 3*10)
}

func TestUnregisterTakesOnePoolOut(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	pool := hemlock.New()
	require.NoError(t, hemlockprom.Register(reg, "dns", pool))
	require.NoError(t, hemlockprom.Register(reg, "tcp", pool), "a pool may have two names")

	c, err := hemlockprom.New("dns", pool)
	require.NoError(t, err)
	require.True(t, reg.Unregister(c))
	require.NotContains(t, gather(t, reg), "hemlock_workers_peak{dns}")
	require.Contains(t, gather(t, reg), "hemlock_workers_peak{tcp}")
	require.NoError(t, hemlockprom.Register(reg, "dns", pool), "the name is free again")
}
