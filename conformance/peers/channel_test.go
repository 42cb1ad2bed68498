package peers

import (
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock/conformance"
	"github.com/stretchr/testify/require"
)

// As in gSuneido: the last three workers stay, and none is killed before ten intervals
// have passed since the last spawn.
func TestChannelKeepsItsLastThreeWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Channel().New(conformance.Settings{})
		gate := make(chan struct{})
		for range 5 {
			require.NoError(t, p.Submit(func() { <-gate }))
		}
		close(gate)
		for _, step := range []struct {
			sleep   time.Duration
			workers int64
		}{{21 * time.Second, 5}, {2 * time.Second, 4}, {time.Hour, 3}} {
			time.Sleep(step.sleep)
			synctest.Wait()
			require.Equal(t, step.workers, channelWorkers.Load())
		}
		p.(interface{ Close() }).Close()
	})
}
