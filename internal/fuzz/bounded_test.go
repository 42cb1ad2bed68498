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
	running, peak, served, shed atomic.Int64 // tasks

	room *semaphore.Weighted
	pool *hemlock.Pool
}

func (b *boundedPool) serve(task func()) error {
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

const bound, attackers, each = 50, 100, 1000

// attacked returns a pool after a hundred thousand submits from many goroutines.
func attacked(t *testing.T, task func(i int)) *boundedPool {
	t.Helper()
	p := pooltest.New(t, hemlock.WithPanicHandler(func(any, []byte) {}))
	b := &boundedPool{room: semaphore.NewWeighted(bound), pool: p}
	var group errgroup.Group
	for attacker := range attackers {
		group.Go(func() error {
			for i := range each {
				err := b.serve(func() {
					now := b.running.Inc()
					for old := b.peak.Load(); now > old && !b.peak.CompareAndSwap(old, now); old = b.peak.Load() {
					}
					defer b.running.Dec()
					task(attacker + i)
				})
				switch {
				case err == nil:
					b.served.Inc()
				case errors.Is(err, errOverloaded):
					b.shed.Inc()
				default:
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.EqualValues(t, attackers*each, b.served.Load()+b.shed.Load())
	return b
}

// Of tasks that never end by themselves as many run as there is room for, the rest is shed
// with an error, and what was let in is not lost.
func TestHostileSubmitsStayWithinTheBound(t *testing.T) {
	release := make(chan struct{})
	end := sync.OnceFunc(func() { close(release) })
	t.Cleanup(end)
	b := attacked(t, func(int) { <-release })
	require.EqualValues(t, bound, b.served.Load())
	pooltest.Eventually(t, func() bool { return b.running.Load() >= bound }, "tasks that were let in have not started")
	require.EqualValues(t, bound, b.pool.Stats().Running)
	require.EqualValues(t, bound, b.pool.Stats().PeakWorkers)
	end()
	pooltest.Shutdown(t, b.pool)
	require.EqualValues(t, bound, b.peak.Load())
	require.ErrorIs(t, b.serve(func() {}), hemlock.ErrClosed)
	require.True(t, b.room.TryAcquire(bound), "room is lost")
}

// The same with tasks that end in every way. Room is made by the task while its worker is
// on its way back, so there may be more workers than room, but never more tasks.
func TestHostileTasksGiveTheirRoomBack(t *testing.T) {
	b := attacked(t, pooltest.EndSomehow)
	pooltest.Shutdown(t, b.pool)
	require.LessOrEqual(t, b.peak.Load(), int64(bound))
	require.Equal(t, b.served.Load(), b.pool.Stats().Completed)
	require.True(t, b.room.TryAcquire(bound), "room is lost")
}
