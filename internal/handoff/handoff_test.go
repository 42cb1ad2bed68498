package handoff

import (
	"runtime"
	"testing"
	"testing/synctest"
	"unsafe"

	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

// These tests are inside the package, because nothing of it but what the pool
// uses should be exported.

// Pitfall 25: go.uber.org/atomic does not align its 64-bit types by itself.
func TestStationsDoNotShareCacheLines(t *testing.T) {
	require.EqualValues(t, stride, unsafe.Sizeof(Station{}))
	require.Zero(t, stride%8, "64-bit atomics would not be aligned on 32-bit platforms")
	require.Zero(t, unsafe.Offsetof(station{}.completed)%8)
}

// Whatever the moment at which the gate is shut, what it counted is what it let
// through, and that number is fixed from then on.
func TestGateCountsWhatItAccepts(t *testing.T) {
	for range 200 {
		g := new(gate)
		var through atomic.Uint64
		var group errgroup.Group
		for range 4 {
			group.Go(func() error {
				for g.accept() {
					through.Inc()
				}
				return nil
			})
		}
		g.close()
		closed := g.accepted()
		require.NoError(t, group.Wait())
		require.Equal(t, through.Load(), closed)
		require.False(t, g.accept())
		require.Equal(t, closed, g.accepted())
	}
}

func TestOfferWithoutAnIdleWorkerFails(t *testing.T) {
	h := New()
	require.False(t, h.Offer(h.Local(), func() {}))
	require.False(t, h.Poison())
}

// Wherever a worker waits, a submitter on any processor finds it.
func TestOfferFindsAWorkerAtAnyStation(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(nearStations + 5))
	synctest.Test(t, func(t *testing.T) {
		h := New()
		for from := range h.stations {
			for to := range h.stations {
				done := make(chan struct{})
				go func() {
					task, next := h.Take(&h.stations[to])
					require.Same(t, &h.stations[from], next, "the worker moves to its submitter's station")
					task()
				}()
				synctest.Wait()
				require.True(t, h.Offer(&h.stations[from], func() { close(done) }), "from %d to %d", from, to)
				<-done
			}
		}
	})
}

// The seats are for the workers that are needed again soon; those who find them
// taken wait on the reserve, and are the first to be killed.
func TestPillsTakeTheReserveFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New()
		at := h.Local()
		const workers = seatsPerStation + 5
		var left atomic.Int64
		for range workers {
			go func() {
				task, _ := h.Take(at)
				require.Nil(t, task)
				left.Inc()
			}()
		}
		synctest.Wait()
		require.EqualValues(t, seatsPerStation, at.seated.Load())
		for i := range workers {
			require.True(t, h.Poison())
			synctest.Wait()
			require.EqualValues(t, i+1, left.Load())
			require.EqualValues(t, min(seatsPerStation, workers-i-1), at.seated.Load())
		}
		require.False(t, h.Poison())
	})
}

func TestCloseSendsEverybodyAwayNowAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New()
		at := h.Local()
		for range 2 * seatsPerStation {
			go func() {
				task, _ := h.Take(at)
				require.Nil(t, task)
			}()
		}
		synctest.Wait()
		h.Shut()
		require.False(t, at.Accept())
		h.Close()
		h.Close()
		task, _ := h.Take(at)
		require.Nil(t, task)
		require.False(t, h.Poison())
	})
}
