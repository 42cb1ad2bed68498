package pooltest

import (
	"testing"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
)

func TestCountsOutOfBoundsAreFound(t *testing.T) {
	sound := hemlock.Stats{Workers: 2, Idle: 1, Running: 1, Submitted: 3, Completed: 2, PeakWorkers: 2}
	require.NoError(t, CheckBounds(sound, sound))
	more := sound
	more.Running = 3
	require.ErrorContains(t, CheckBounds(sound, more), "counts out of bounds")
	wrong := sound
	wrong.Waiting = -1
	require.ErrorContains(t, CheckBounds(sound, wrong), "counts out of bounds")
	fewer := sound
	fewer.Submitted = 2
	require.ErrorContains(t, CheckBounds(sound, fewer), "a total fell")
}
