package load

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/internal/usage"
)

// spent returns how much processor time the work takes: the least of many
// attempts, because something may slow an attempt.
func spent(attempts int, work func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best := time.Hour
	for range attempts {
		start := usage.Thread()
		work()
		best = min(best, usage.Thread()-start)
	}
	return best
}

// The processor may change its speed between the calibration and the test, which
// is more than the error of a method that works.
func TestWorkTakesTheProcessorTimeThatTheLoadNames(t *testing.T) {
	for _, want := range []time.Duration{100 * time.Microsecond, 200 * time.Microsecond, time.Millisecond} {
		n := rounds(want)
		require.InEpsilon(t, want, spent(300, func() { _ = burn(n) }), 0.25, "%v", want)
	}
}

func TestWorkIsProportionalToItsTime(t *testing.T) {
	require.Zero(t, rounds(0))
	for _, d := range []time.Duration{500, 1000, 20_000, 200_000} {
		require.InEpsilon(t, float64(rounds(time.Second))*d.Seconds(), rounds(d), 0.005, "%v", d)
	}
	short, long := rounds(50*time.Microsecond), rounds(500*time.Microsecond)
	var ratio float64
	for range 20 { // the processor's speed may change between two measurements
		ratio = float64(spent(300, func() { _ = burn(long) })) / float64(spent(300, func() { _ = burn(short) }))
		if 8 < ratio && ratio < 12 {
			return
		}
	}
	require.InEpsilon(t, 10, ratio, 0.2)
}

func TestTaskOfALoadDoesItsWork(t *testing.T) {
	var task func()
	_ = Load{Callers: 1, Batch: 1, Work: time.Millisecond}.At(func(f func()) func() {
		task = f
		return f
	})
	// The task ends with a send to its caller's channel, which nothing receives from.
	require.InEpsilon(t, time.Millisecond, spent(room, task), 0.25)
}
