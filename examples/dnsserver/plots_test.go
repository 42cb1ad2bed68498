package main

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRateIsThatSinceTheLastSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		total := int64(100)
		rate := perSecond(func() int64 { return total })
		require.Zero(t, rate(), "before any time has passed")
		total += 10
		time.Sleep(4 * time.Second)
		require.InDelta(t, 2.5, rate(), 1e-9)
		time.Sleep(time.Second)
		require.Zero(t, rate())
		total += 7
		require.Zero(t, rate(), "nothing is lost without time")
		time.Sleep(time.Second)
		require.InDelta(t, 7.0, rate(), 1e-9)
	})
}

func TestPlotsShowWhatThereIs(t *testing.T) {
	pool, err := newRunner(poolRunner, time.Second, time.Second, quiet())
	require.NoError(t, err)
	release := make(chan struct{})
	var started sync.WaitGroup
	started.Add(3)
	for range 3 {
		pool.Run(func() { started.Done(); <-release })
	}
	started.Wait()
	require.Equal(t, []string{"pool-workers", "pool-waiting", "pool-tasks", "pool-turnover", "process-goroutines", "process-stacks"},
		names(ourPlots(pool.(pooled).Pool)))
	require.Equal(t, []string{"process-goroutines", "process-stacks"}, names(ourPlots(nil)))

	workers := poolPlots(pool.(pooled).Pool)[0].series
	require.Zero(t, workers[0].value())
	require.InDelta(t, 3.0, workers[1].value(), 0)
	for _, p := range processPlots() {
		require.Positive(t, p.series[0].value(), p.name)
	}
	close(release)
	require.NoError(t, pool.Shutdown(t.Context()))
}

func names(plots []plot) []string {
	var list []string
	for _, p := range plots {
		list = append(list, p.name)
	}
	return list
}

func TestBadPlotIsNamed(t *testing.T) {
	_, err := plot{name: "goroutines", series: processPlots()[0].series}.build()
	require.ErrorContains(t, err, "goroutines") // the page has one of that name
	_, err = plot{name: "empty"}.build()
	require.Error(t, err)
}
