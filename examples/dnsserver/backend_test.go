package main

import (
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
)

func TestWorkUsesTheStackItIsToldTo(t *testing.T) {
	// A collection would give back stacks that are no longer used.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	const tasks = 50
	for _, kib := range []int{1, 32, 200} {
		before := pooltest.StackInUse()
		var working, all sync.WaitGroup
		release := make(chan struct{})
		working.Add(tasks)
		for range tasks {
			all.Go(func() {
				backend{work: kib}.call()
				working.Done()
				<-release
			})
		}
		working.Wait()
		grown := int64(pooltest.StackInUse()-before) / tasks
		close(release)
		all.Wait()
		if kib == 1 {
			require.Less(t, grown, int64(16<<10)) // what a new goroutine has
			continue
		}
		require.GreaterOrEqual(t, grown, int64(kib<<10))
		require.Less(t, grown, int64(4*kib<<10)) // a stack grows by doubling
	}
}

func TestWorkLeavesTwoKiBOfGarbage(t *testing.T) {
	for work, want := range map[int]uint64{0: 0, 1: garbage, 32: garbage} {
		b := backend{work: work}
		require.Equal(t, want, allocated(b.call), "work %d", work)
	}
}

// allocated returns how many octets a call allocates.
func allocated(f func()) uint64 {
	const calls = 1000
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / calls // others allocate little in the meantime
}
