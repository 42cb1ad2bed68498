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

// boundedPool is what docs/SECURITY.md and the example of Submit advise for a server of
// strangers: a bound in front of the pool, and an error for each task above it.
type boundedPool struct {
	room *semaphore.Weighted
	pool *hemlock.Pool
}

func (b boundedPool) serve(task func()) error {
	if !b.room.TryAcquire(1) {
		return errOverloaded
	}
	err := b.pool.Submit(func() {
		defer b.room.Release(1)
		task()
	})
	if err != nil {
		b.room.Release(1)
	}
	return err
}

// A hundred thousand submits of tasks that never end by themselves, from many
// goroutines: as many run as there is room for, the rest is shed with an error,
// and what was let in is not lost.
func TestHostileSubmitsStayWithinTheBound(t *testing.T) {
	const bound, attackers, each = 50, 100, 1000
	b := boundedPool{semaphore.NewWeighted(bound), pooltest.New(t)}
	release := make(chan struct{})
	end := sync.OnceFunc(func() { close(release) })
	t.Cleanup(end)
	var running, peak, shed atomic.Int64
	var group errgroup.Group
	for range attackers {
		group.Go(func() error {
			for range each {
				err := b.serve(func() {
					raise(&peak, running.Inc())
					<-release
					running.Dec()
				})
				if !errors.Is(err, errOverloaded) && err != nil {
					return err
				}
				if err != nil {
					shed.Inc()
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.EqualValues(t, attackers*each-bound, shed.Load())
	pooltest.Eventually(t, func() bool { return running.Load() >= bound }, "tasks that were let in have not started")
	require.EqualValues(t, bound, b.pool.Stats().Running)
	require.EqualValues(t, bound, b.pool.Stats().PeakWorkers)
	end()
	pooltest.Shutdown(t, b.pool)
	require.EqualValues(t, bound, peak.Load())
	require.ErrorIs(t, b.serve(func() {}), hemlock.ErrClosed)
	require.True(t, b.room.TryAcquire(bound), "room is lost")
}

// The same with tasks that end in every way. Room is made by the task while its
// worker is on its way back, so there may be more workers than room, but never
// more tasks.
func TestHostileTasksGiveTheirRoomBack(t *testing.T) {
	const bound, attackers, each = 50, 100, 1000
	b := boundedPool{semaphore.NewWeighted(bound), pooltest.New(t, hemlock.WithPanicHandler(func(any, []byte) {}))}
	var running, peak, served, shed atomic.Int64
	var group errgroup.Group
	for attacker := range attackers {
		group.Go(func() error {
			for i := range each {
				err := b.serve(func() {
					raise(&peak, running.Inc())
					defer running.Dec()
					pooltest.EndSomehow(attacker + i)
				})
				switch {
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
	pooltest.Shutdown(t, b.pool)
	require.LessOrEqual(t, peak.Load(), int64(bound))
	require.EqualValues(t, attackers*each, served.Load()+shed.Load())
	require.Equal(t, served.Load(), b.pool.Stats().Completed)
	require.True(t, b.room.TryAcquire(bound), "room is lost")
}

// raise makes the peak at least n.
func raise(peak *atomic.Int64, n int64) {
	for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
	}
}
