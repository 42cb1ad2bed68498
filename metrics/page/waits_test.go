package page_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/metrics/page"
	"github.com/stretchr/testify/require"
)

// overWaits returns a page with a pool whose waits are those.
func overWaits(t *testing.T, waits *page.Waits) *page.Page {
	t.Helper()
	return newPage(t, page.Pool{Name: "dns", Pool: hemlock.New(), Waits: waits})
}

// A quantile is at most a quarter too large, and never too small.
func TestWaitsHaveTheirQuantiles(t *testing.T) {
	for _, unit := range []time.Duration{time.Microsecond, 77 * time.Microsecond, time.Millisecond, time.Second, 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			waits := new(page.Waits)
			for i := range 1000 {
				waits.Observe(time.Duration(i+1) * unit / 10)
			}
			got := read(t, overWaits(t, waits)).Pools[0].Waits
			for q, want := range map[float64]time.Duration{got.P50: 50 * unit, got.P99: 99 * unit} {
				require.GreaterOrEqual(t, q, want.Seconds(), unit)
				require.LessOrEqual(t, q, 1.25*want.Seconds(), unit)
			}
		})
	}
}

func TestWaitsOfAnyLengthAreCounted(t *testing.T) {
	waits := new(page.Waits)
	p := overWaits(t, waits)
	require.Nil(t, read(t, p).Pools[0].Waits, "none is known")
	require.NotContains(t, get(p, "").Body.String(), "wait</dt>")
	waits.Observe(-1)
	waits.Observe(0)
	got := read(t, p).Pools[0].Waits
	require.InDelta(t, 0.3e-6, got.P50, 0.1e-6)
	for range 10 {
		waits.Observe(1<<63 - 1)
	}
	got = read(t, p).Pools[0].Waits
	require.Greater(t, got.P99, 10*time.Hour.Seconds())
}

func TestWaitsAreOfTheLastMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := new(page.Waits)
		p := overWaits(t, waits)
		waits.Observe(time.Hour)
		time.Sleep(59 * time.Second)
		waits.Observe(time.Millisecond)
		waits.Observe(time.Millisecond)
		got := read(t, p).Pools[0].Waits
		require.InDelta(t, 0.001, got.P50, 0.0003)
		require.Greater(t, got.P99, 3600.)
		time.Sleep(11 * time.Second)
		got = read(t, p).Pools[0].Waits
		require.InDelta(t, 0.001, got.P99, 0.0003, "the hour was before")
		time.Sleep(70 * time.Second)
		require.Nil(t, read(t, p).Pools[0].Waits)
		waits.Observe(time.Second) // in the place of what is too old
		require.InDelta(t, 1, read(t, p).Pools[0].Waits.P50, 0.25)
	})
}

func TestPageShowsTheWaitsOfItsPool(t *testing.T) {
	waits := new(page.Waits)
	pool := hemlock.New(hemlock.WithWaitObserver(waits.Observe))
	p := newPage(t, page.Pool{Name: "dns", Pool: pool, Waits: waits})
	var submitters sync.WaitGroup
	for range 4 {
		submitters.Go(func() {
			for range 500 {
				pool.Run(func() {})
			}
		})
	}
	submitters.Wait()
	require.NoError(t, pool.Shutdown(t.Context()))
	require.Regexp(t, `<dt>median wait</dt><dd>[0-9.]+ ?[nµm]?s</dd>`, get(p, "").Body.String())
	require.Contains(t, get(p, "").Body.String(), "<dt>p99 wait</dt>")
}
