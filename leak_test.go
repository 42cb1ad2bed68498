package hemlock_test

import (
	"runtime"
	"testing"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// A process may make and end pools for ever: a million of them leave no
// goroutine, and neither heap nor stacks beyond a MiB each, about a byte for each
// pool.
func TestShortLivedPoolsLeaveNothing(t *testing.T) {
	usePools(t, 1000) // lets the runtime make what it keeps
	goroutines, heap, stacks := held()
	n := scaled(1_000_000)
	usePools(t, n)
	eventually(t, func() bool {
		goroutinesNow, heapNow, stacksNow := held()
		return goroutinesNow <= goroutines && heapNow <= heap+1<<20 && stacksNow <= stacks+1<<20
	}, "there were %d goroutines, %d bytes of heap, %d of stacks; now more, or a MiB more", goroutines, heap, stacks)
}

// usePools makes n pools, a few at a time, and ends them in every way: with and
// without tasks, workers and Shutdown.
func usePools(t testing.TB, n int) {
	t.Helper()
	const users = 4
	var group errgroup.Group
	for user := range users {
		group.Go(func() error {
			for i := range n / users {
				if err := usePool(t, user+i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

func usePool(t testing.TB, kind int) error {
	p := hemlock.New(hemlock.WithKillInterval(time.Millisecond), hemlock.WithKillDelay(0))
	switch kind % 8 {
	case 0: // unused
	case 1:
		p.Run(runtime.Goexit)
	case 2:
		p.Run(func() { p.Run(func() {}) })
	case 3:
		p.Run(func() { _ = p.Shutdown(ended()) })
		return nil // the task has seen to it
	case 4:
		p.Run(func() {})
		return nil // drains itself
	default:
		p.Run(func() {})
	}
	return p.Shutdown(t.Context())
}

// held returns what the process holds when everything that nobody uses is
// freed. Taking all processors but one away, for a moment, makes the runtime
// give up the ended goroutines that it keeps for each processor.
func held() (goroutines int, heap, stacks uint64) {
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc, m.StackInuse
}
