//go:build !race

package hemlock_test

import (
	"sync"
	"testing"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
)

// These tests are not parallel, because allocations are counted for the whole
// process, and not run under the race detector, because a sync.Pool drops items
// on purpose there.

func TestSubmitAndRunAllocateNothing(t *testing.T) {
	p := newPool(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(0))
	grow(t, p, 10)
	done := make(chan struct{})
	task := func() { done <- struct{}{} }
	require.Zero(t, testing.AllocsPerRun(10_000, func() {
		_ = p.Submit(task)
		<-done
	}))
	require.Zero(t, testing.AllocsPerRun(10_000, func() {
		p.Run(task)
		<-done
	}))
}

func TestDoAllocatesNothing(t *testing.T) {
	p := newPool(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(0))
	growDo(p, 3)
	inner, ran := func() {}, 0
	outer := func() { p.Do(inner); ran++ }
	require.Zero(t, testing.AllocsPerRun(10_000, func() { p.Do(outer) }))
	require.Equal(t, 10_001, ran)
	require.EqualValues(t, 3, p.Stats().Spawned)
}

func TestStatsAllocatesNothing(t *testing.T) {
	p := newPool(t)
	grow(t, p, 10)
	require.Zero(t, testing.AllocsPerRun(1000, func() { _ = p.Stats() }))
}

// A submitter that waits now and then, so that tasks are left to workers on their
// way.
func TestTasksThatWaitAllocateNothing(t *testing.T) {
	p := newPool(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(0))
	var batch sync.WaitGroup
	task := batch.Done
	var waited int64
	turn := func() {
		batch.Add(64)
		for range 64 {
			_ = p.Submit(task)
		}
		waited = max(waited, p.Stats().Waiting)
		batch.Wait()
	}
	for range 1000 {
		turn()
	}
	require.Zero(t, testing.AllocsPerRun(10_000, turn))
	require.NotZero(t, waited, "no task was left to a worker on its way")
}
