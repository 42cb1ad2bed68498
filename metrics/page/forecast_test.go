package page_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/metrics/page"
	"github.com/stretchr/testify/require"
)

// swell makes a pool with that many workers, of which some keep running, in a bubble, and
// a page that samples it.
func swell(t *testing.T, o page.Options, workers, busy int) (*hemlock.Pool, *page.Page) {
	t.Helper()
	pool := poolOf(&o)
	p := newPage(t, page.Pool{Name: "dns", Pool: pool, Options: &o})
	go p.Sample(t.Context())
	time.Sleep(3 * time.Second)
	idle, running := make(chan struct{}), make(chan struct{})
	for i := range workers {
		until := idle
		if i < busy {
			until = running
		}
		pool.Run(func() { <-until })
	}
	synctest.Wait()
	time.Sleep(time.Second) // the sampler has seen them
	close(idle)
	synctest.Wait()
	require.EqualValues(t, workers, pool.Stats().Workers)
	t.Cleanup(func() {
		close(running)
		require.NoError(t, pool.Shutdown(context.Background()))
	})
	return pool, p
}

// shrinks returns after how many seconds the pool is down to the floor.
func shrinks(pool *hemlock.Pool, floor int64) float64 {
	begin := time.Now()
	for pool.Stats().Workers > floor {
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(begin).Seconds()
}

// The page has the killer's rule a second time. This test compares it with the killer.
func TestForecastIsWhatTheKillerDoes(t *testing.T) {
	quick := page.Options{KillInterval: 200 * time.Millisecond, KillDelay: 4 * time.Second, MinWorkers: 10}
	slow := page.Options{KillInterval: 30 * time.Second, KillDelay: 7 * time.Second}
	for _, c := range []struct {
		options       page.Options
		workers, busy int
		wait          time.Duration
	}{
		{page.Defaults(), 1, 0, 0},
		{page.Defaults(), 16, 0, 0},
		{page.Defaults(), 33, 0, 0},
		{page.Defaults(), 1000, 0, 0},
		{page.Defaults(), 1000, 0, 5 * time.Second},
		{page.Defaults(), 1000, 0, 20*time.Second + 300*time.Millisecond},
		{page.Defaults(), 5000, 0, 0},
		{page.Defaults(), 200, 50, 15 * time.Second},
		{quick, 300, 0, 0},
		{quick, 300, 40, 5 * time.Second},
		{quick, 11, 0, 0},
		{slow, 40, 0, 0},
		{slow, 40, 0, 70 * time.Second},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool, p := swell(t, c.options, c.workers, c.busy)
				time.Sleep(c.wait)
				forecast, floor := p.Foresee()
				require.EqualValues(t, max(c.options.MinWorkers, c.busy), floor)
				actual := shrinks(pool, floor)
				require.InDelta(t, actual, forecast, 1.2, "a sample a second tells no more")
				require.Positive(t, actual)
			})
		})
	}
}

func TestDelayAfterASpawnIsForeseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := swell(t, page.Defaults(), 100, 0)
		require.Equal(t, "Growing: 100 workers more in 3 s, 0 running.", p.Says())
		time.Sleep(3 * time.Second)
		require.Regexp(t, `^Holding: 100 idle; no kill for another [67] s, about \d+ s to the minimum\.$`, p.Says())
		time.Sleep(5*time.Second + 500*time.Millisecond)
		require.Contains(t, p.Says(), "Holding: 100 idle")
		time.Sleep(3 * time.Second)
		require.Regexp(t, `^Shrinking: \d+ idle, about \d+ s to the minimum\.$`, p.Says())
		time.Sleep(2 * time.Minute)
		require.Equal(t, "At rest: no workers, and no timer that wakes the process.", p.Says())
	})
}

func TestForecastOfAPageThatWasJustOpenedIsABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, _ := swell(t, page.Defaults(), 100, 0)
		time.Sleep(12 * time.Second)
		late := newPage(t, page.Pool{Name: "dns", Pool: pool, Options: defaults()})
		require.Contains(t, late.Says(), ", at most ")
		bound, floor := late.Foresee()
		require.Less(t, shrinks(pool, floor), bound)
	})
}

func TestLargestOptionsDoNotOverflow(t *testing.T) {
	o := page.Options{KillInterval: 1<<63 - 1, KillDelay: 1<<63 - 1, MinWorkers: 1}
	p := page.Over("dns", &o, func() hemlock.Stats {
		return hemlock.Stats{Workers: 1000, Idle: 1000, Submitted: 1000, Spawned: 1000}
	})
	p.Look()
	require.Regexp(t, `^Shrinking: 1,000 idle, at most [\d,]+ years to the minimum\.$`, p.Says())
	require.Equal(t, http.StatusOK, get(p, "").Code)
}
