package hemlock

import "go.uber.org/atomic"

// workerBits is how many bits of the count's word are for the workers.
const workerBits = 32

// A count is the number of workers (the lower half of the word) and the largest
// number of workers there ever was (the upper half). They share a word so that
// the peak is never below the number.
//
// Invariant: a worker is counted before its goroutine starts and until it has
// nothing more to do.
type count struct{ word atomic.Uint64 }

// load returns the number of workers and its peak, as they were at one moment.
func (c *count) load() (workers, peak int64) {
	word := c.word.Load()
	return int64(uint32(word)), int64(word >> workerBits)
}

func (c *count) workers() int64 {
	workers, _ := c.load()
	return workers
}

// raise counts one more worker and returns how many there are now.
func (c *count) raise() int64 {
	for {
		old := c.word.Load()
		next := old + 1
		if old>>workerBits < uint64(uint32(next)) {
			next += 1 << workerBits
		}
		if c.word.CompareAndSwap(old, next) {
			return int64(uint32(next))
		}
	}
}

// lower takes one worker off and returns how many are left.
func (c *count) lower() int64 { return int64(uint32(c.word.Sub(1))) }

// leave takes one worker off the count. A Shutdown may return before leave does.
func (p *Pool) leave() {
	p.killer.noteLeave(p.count.lower())
	if p.closed.Load() {
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
// Pills alone would not do: a worker may have looked at closed before it was
// set, and wait for a task since. The last to leave finds all three
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
