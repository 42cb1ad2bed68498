package load

import (
	"runtime"
	"sync"
	"time"

	"example.com/hemlock/bench/internal/usage"
)

// burn runs that many rounds of a multiplication and an addition. Each round needs
// the result of the one before, so no processor can do two at once. It uses only
// registers, so no other thread can slow it down through the memory.
//
//go:noinline
func burn(rounds int) (x uint64) {
	for range rounds {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// Pace returns how many rounds of burn fit into a microsecond of processor time. The
// first call measures it, as the best of many trials: an interrupt, a neighbour on
// the same core, or a processor that has yet to speed up makes a trial slower. The
// clock is the processor time of the thread, so that a trial is not charged for
// another process that interrupts it.
var Pace = sync.OnceValue(func() float64 {
	const (
		rounds = 500_000 // more than half a millisecond, beside which a reading of the clock is nothing
		trials = 41
	)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best := time.Duration(1<<63 - 1)
	for range trials {
		start := usage.Thread()
		_ = burn(rounds)
		if spent := usage.Thread() - start; spent > 0 {
			best = min(best, spent)
		}
	}
	return rounds / (float64(best) / float64(time.Microsecond))
})

// rounds returns how many rounds take that much processor time.
func rounds(d time.Duration) int {
	if d == 0 {
		return 0
	}
	return max(1, int(Pace()*float64(d)/float64(time.Microsecond)))
}
