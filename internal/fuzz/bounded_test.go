package fuzz_test

import (
	"errors"
	"sync"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

var errOverloaded = errors.New("overloaded")

// docs/SECURITY.md and the example of Submit advise a server of strangers to have a bound
// in front of the pool, and an error for each task above it. Of tasks that never end by
// themselves as many run as there is room for, the rest is shed with the error, and what
// was let in is not lost.
func TestHostileSubmitsStayWithinTheBound(t *testing.T) {
	const bound, attackers, each = 50, 100, 1000
	p, room := pooltest.New(t), semaphore.NewWeighted(bound)
	serve := func(task func()) error {
		if !room.TryAcquire(1) {
			return errOverloaded
		}
		err := p.Submit(func() {
			defer room.Release(1)
			task()
		})
		if err != nil {
			room.Release(1)
		}
		return err
	}
	release := make(chan struct{})
	end := sync.OnceFunc(func() { close(release) })
	t.Cleanup(end)
	var begun, served, shed atomic.Int64
	var group errgroup.Group
	for range attackers {
		group.Go(func() error {
			for range each {
				switch err := serve(func() { begun.Inc(); <-release }); {
				case err == nil:
					served.Inc()
				case errors.Is(err, errOverloaded):
					shed.Inc()
				default:
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.EqualValues(t, bound, served.Load())
	require.EqualValues(t, attackers*each-bound, shed.Load())
	pooltest.Eventually(t, func() bool { return begun.Load() >= bound }, "tasks that were let in have not started")
	require.EqualValues(t, bound, p.Stats().Running)
	require.EqualValues(t, bound, p.Stats().PeakWorkers)
	end()
	pooltest.Shutdown(t, p)
	require.EqualValues(t, bound, begun.Load())
	require.ErrorIs(t, serve(func() {}), hemlock.ErrClosed)
	require.True(t, room.TryAcquire(bound), "room is lost")
}
