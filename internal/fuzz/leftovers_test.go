package fuzz_test

import (
	"runtime"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// A process may make and end pools for ever: a million of them, which end in every way,
// with and without tasks, workers and Shutdown, leave no goroutine, and neither heap nor
// stacks beyond the slack.
func TestShortLivedPoolsLeaveNothing(t *testing.T) {
	usePools(t, 1000) // lets the runtime make what it keeps
	before := measure()
	usePools(t, pooltest.Scaled(1_000_000))
	_, err := before.reached(0, pooltest.Patience)
	require.NoError(t, err)
}

func usePools(t *testing.T, n int) {
	var group errgroup.Group
	group.SetLimit(4)
	for kind := range n {
		group.Go(func() error {
			p := hemlock.New(hemlock.WithKillInterval(time.Millisecond), hemlock.WithKillDelay(0))
			switch kind % 8 {
			case 0: // unused
			case 1:
				p.Run(runtime.Goexit)
			case 2:
				p.Run(func() { p.Run(func() {}) })
			case 3:
				p.Run(func() { _ = p.Shutdown(pooltest.Ended()) })
				return nil // the task has seen to it
			case 4:
				p.Run(func() {})
				return nil // drains itself
			default:
				p.Run(func() {})
			}
			return p.Shutdown(t.Context())
		})
	}
	require.NoError(t, group.Wait())
}
