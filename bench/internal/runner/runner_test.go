package runner

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
