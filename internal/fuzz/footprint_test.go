package fuzz_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"example.com/hemlock/internal/pooltest"
)

// How much more there may be at the end than at the start. The runtime never frees the
// descriptor of an ended goroutine, somewhat less than half a KiB: it keeps it for the
// next one. So that much heap may remain for each goroutine of the largest number at
// one time. The slack is twice that, for what the runtime allocates beside it.
const (
	heapSlack          = 1 << 20
	heapSlackPerWorker = 1 << 10
	stackSlack         = 2 << 20
)

// A footprint is what the process holds.
type footprint struct {
	goroutines   int
	heap, stacks int64 // in bytes
}

// measure returns the footprint after all that is unused was freed. To take all
// processors but one away, for a moment, makes the runtime give up the ended
// goroutines, and their stacks, that it keeps for each processor.
func measure() footprint {
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{runtime.NumGoroutine(), int64(m.HeapAlloc), int64(m.StackInuse)}
}

// reached waits until the process is back at this footprint, and says what is
// still too large when the time is over.
func (f footprint) reached(workers int64, patience time.Duration) (after footprint, err error) {
	pooltest.Within(patience, func() bool {
		after = measure()
		err = errors.Join(
			f.exceeded("goroutines", int64(after.goroutines), int64(f.goroutines), 0),
			f.exceeded("bytes of heap", after.heap, f.heap, heapSlack+workers*heapSlackPerWorker),
			f.exceeded("bytes of stacks", after.stacks, f.stacks, stackSlack),
		)
		return err == nil
	})
	if after.goroutines > f.goroutines {
		err = fmt.Errorf("%w\n%s", err, strings.Join(pooltest.StacksOf(""), "\n\n"))
	}
	return after, err
}

func (footprint) exceeded(what string, now, before, slack int64) error {
	if now <= before+slack {
		return nil
	}
	return fmt.Errorf("%s: %d at the end, %d at the start, of which %d more would be in order", what, now, before, slack)
}
