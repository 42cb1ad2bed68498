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
