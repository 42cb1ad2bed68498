package pooltest

import (
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
)

// Different is a snapshot in which no two counts are equal. No real pool can be brought
// into such a state on purpose.
func Different() hemlock.Stats {
	return hemlock.Stats{
		Workers: 1, Idle: 2, Running: 3, Submitted: 4, Completed: 5,
		Panicked: 6, Spawned: 7, Killed: 8, Recycled: 9, PeakWorkers: 10, Waiting: 11,
	}
}

// Live takes a pool through its life: tasks run, end, and panic, and the killer takes the
// workers. An exporter is attached at the beginning and then shown what it must export.
func Live(t *testing.T, attach func(t *testing.T, p *hemlock.Pool) (exports func(want hemlock.Stats))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := New(t, hemlock.WithPanicHandler(func(any, []byte) {}))
		exports := attach(t, p)
		release := Occupy(t, p, 3)
		exports(hemlock.Stats{Workers: 3, Running: 3, Submitted: 3, Spawned: 3, PeakWorkers: 3})
		release()
		require.NoError(t, p.Submit(func() { panic("of this task") }))
		synctest.Wait()
		exports(hemlock.Stats{Workers: 2, Idle: 2, Submitted: 4, Completed: 4, Panicked: 1, Spawned: 3, PeakWorkers: 3})
		time.Sleep(time.Minute)
		exports(hemlock.Stats{Submitted: 4, Completed: 4, Panicked: 1, Spawned: 3, Killed: 2, PeakWorkers: 3})
	})
}
