package hemlock

import "go.uber.org/atomic"

// The parts of the count's word.
const (
	oneWorker   = uint64(1)
	workerBits  = 32
	peakBits    = 31
	workersMask = uint64(1)<<workerBits - 1
	peakMask    = uint64(1)<<peakBits - 1
	closedBit   = uint64(1) << 63
)

// A count is the number of workers (bits 0 to 31), the largest number of workers
// there ever was (32 to 62) and whether the pool is closed (63). They share a
// word so that the peak is never below the number, and so that the last worker to
// leave a closed pool knows that it is the last.
//
// Invariant: a worker is counted before its goroutine starts and until it has
// nothing more to do.
type count struct{ word atomic.Uint64 }

// load returns the number of workers and its peak, as they were at one moment.
func (c *count) load() (workers, peak int64) {
	word := c.word.Load()
	return int64(word & workersMask), int64(word >> workerBits & peakMask)
}

func (c *count) workers() int64 { return int64(c.word.Load() & workersMask) }

func (c *count) closed() bool { return c.word.Load()&closedBit != 0 }

// close is called once.
func (c *count) close() { c.word.Add(closedBit) }

// raise counts one more worker and returns how many there are now.
func (c *count) raise() int64 {
	for {
		old := c.word.Load()
		next := old + oneWorker
		workers, peak := next&workersMask, next>>workerBits&peakMask
		if workers > peak {
			next += (workers - peak) << workerBits
		}
		if c.word.CompareAndSwap(old, next) {
			return int64(workers)
		}
	}
}

// lower takes one worker off and returns how many are left, and whether the pool
// is closed.
func (c *count) lower() (workers int64, closed bool) {
	word := c.word.Sub(oneWorker)
	return int64(word & workersMask), word&closedBit != 0
}

// leave takes one worker off the count. A Shutdown may return before leave does.
func (p *Pool) leave() {
	workers, closed := p.count.lower()
	p.killer.noteLeave(workers)
	if closed {
		p.drain()
	}
}

// drain drives a closed pool to its end. Shutdown calls it, and then everyone who
// leaves.
//
// While tasks are running, each call retires one idle worker, who calls drain
// when it leaves: all idle workers go one after the other, and nobody waits for
// it.
//
// When every accepted task has completed, closing the channels retires the rest.
// Pills alone would not do: a worker may have looked at the closed bit before it
// was set, and wait for a task since. The last to leave finds all three
// conditions met. Their order matters: while a task is to come, a worker may
// still be spawned; when none is, the number of workers only falls.
func (p *Pool) drain() {
	if p.handoff.Completed() != p.accepted {
		p.handoff.Poison()
		return
	}
	p.handoff.Retire()
	if p.count.workers() > 0 || p.killer.armed.Load() {
		return
	}
	p.draining.Do(func() { close(p.drained) })
}
