package runner

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEveryPoolRunsEachTaskOnce(t *testing.T) {
	const tasks = 1000
	for _, r := range All() {
		t.Run(r.Name, func(t *testing.T) {
			pool := r.New()
			var ran atomic.Int64
			var done sync.WaitGroup
			submit := pool.Bind(func() {
				ran.Add(1)
				done.Done()
			})
			done.Add(tasks)
			for range tasks {
				submit()
			}
			done.Wait()
			pool.Close()
			require.EqualValues(t, tasks, ran.Load())
		})
	}
}

func TestEveryPoolRunsTasksThatWaitForEachOther(t *testing.T) {
	const tasks = 500
	for _, r := range All() {
		t.Run(r.Name, func(t *testing.T) {
			pool := r.New()
			defer pool.Close()
			var running, done sync.WaitGroup
			submit := pool.Bind(func() {
				running.Done()
				running.Wait()
				done.Done()
			})
			running.Add(tasks)
			done.Add(tasks)
			for range tasks {
				submit()
			}
			done.Wait()
		})
	}
}

func TestClosedPoolLeavesNoGoroutine(t *testing.T) {
	Hush()
	for _, r := range All() {
		t.Run(r.Name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			pool := r.New()
			var done sync.WaitGroup
			submit := pool.Bind(func() { done.Done() })
			done.Add(100)
			for range 100 {
				submit()
			}
			done.Wait()
			pool.Close()
			// The ticker of one peer runs for another 600 ms.
			for pause := time.Millisecond; runtime.NumGoroutine() > before; pause *= 2 {
				require.Less(t, pause, 20*time.Second, "goroutines are left")
				time.Sleep(pause)
			}
		})
	}
}

func TestRunnersHaveDistinctNamesAndSettings(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range All() {
		require.NotEmpty(t, r.Settings, r.Name)
		require.False(t, seen[r.Name], r.Name)
		seen[r.Name] = true
	}
	require.Equal(t, Baseline, All()[0].Name)
	require.True(t, seen[Subject])
}
