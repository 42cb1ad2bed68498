package hemlockprom_test

import (
	"strings"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	hemlockprom "example.com/hemlock/metrics/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

const twoWaits = `
# HELP hemlock_task_wait_seconds How long tasks waited until they began, of one task in eight.
# TYPE hemlock_task_wait_seconds histogram
hemlock_task_wait_seconds_bucket{pool="dns",le="1e-05"} 1
hemlock_task_wait_seconds_bucket{pool="dns",le="4e-05"} 1
hemlock_task_wait_seconds_bucket{pool="dns",le="0.00016"} 1
hemlock_task_wait_seconds_bucket{pool="dns",le="0.00064"} 1
hemlock_task_wait_seconds_bucket{pool="dns",le="0.00256"} 1
hemlock_task_wait_seconds_bucket{pool="dns",le="0.01024"} 1
hemlock_task_wait_seconds_bucket{pool="dns",le="0.04096"} 1
hemlock_task_wait_seconds_bucket{pool="dns",le="0.16384"} 1
hemlock_task_wait_seconds_bucket{pool="dns",le="0.65536"} 2
hemlock_task_wait_seconds_bucket{pool="dns",le="2.62144"} 2
hemlock_task_wait_seconds_bucket{pool="dns",le="+Inf"} 2
hemlock_task_wait_seconds_sum{pool="dns"} 0.250001
hemlock_task_wait_seconds_count{pool="dns"} 2
`

func TestWaitsAreAHistogramInSeconds(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	observe, err := hemlockprom.Waits(reg, "dns")
	require.NoError(t, err)
	observe(time.Microsecond)
	observe(250 * time.Millisecond)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(twoWaits)))
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// The counts of a pool and its waits share a registry, as do those of several pools.
func TestWaitsOfAPoolStandBesideItsCounts(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	for _, name := range []string{"dns", "http"} {
		observe, err := hemlockprom.Waits(reg, name)
		require.NoError(t, err)
		require.NoError(t, hemlockprom.Register(reg, name, pooltest.New(t, hemlock.WithWaitObserver(observe))))
	}
	got, err := testutil.GatherAndCount(reg)
	require.NoError(t, err)
	require.Equal(t, 2*(10+1), got)
}

func TestWaitsNamesWhatIsWrong(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	_, err := hemlockprom.Waits(reg, "dns")
	require.NoError(t, err)
	for want, fails := range map[string]func() (func(time.Duration), error){
		"hemlockprom: empty pool name":                       func() (func(time.Duration), error) { return hemlockprom.Waits(reg, "") },
		`hemlockprom: pool name "\xff" is not valid UTF-8`:   func() (func(time.Duration), error) { return hemlockprom.Waits(reg, "\xff") },
		`hemlockprom: pool "dns": the registerer is nil`:     func() (func(time.Duration), error) { return hemlockprom.Waits(nil, "dns") },
		`hemlockprom: register the waits of pool "dns": dup`: func() (func(time.Duration), error) { return hemlockprom.Waits(reg, "dns") },
	} {
		observe, err := fails()
		require.ErrorContains(t, err, want)
		require.Nil(t, observe)
	}
}
