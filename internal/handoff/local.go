package handoff

import (
	"math/bits"
	"sync"

	"go.uber.org/atomic"
)

// places is how many workers can wait at one shard: one for each bit of a word.
const places = 64

// A local holds the workers that idle at one shard, each at a place with a
// channel of its own. Workers wait at the lowest free place and tasks go to the
// lowest taken one, so that no more workers are in use than the load needs. "Idle
// workers" in docs/DESIGN.md says why one channel for all is worse.
type local struct {
	// taken has a bit for each place with a worker that waits or is about to. The
	// worker sets it before it waits. Who has handed it a task or a pill clears
	// it, so a place is not free while its channel has a receiver.
	// Invariant: a receiver waits at a place only while the bit is set.
	taken atomic.Uint64

	// made has a bit for each place that has a channel. It is set under mu, and
	// never cleared. An atomic, because it is read without mu: who sees the bit
	// sees the channel.
	made atomic.Uint64

	mu     sync.Mutex
	closed bool // guarded by mu

	channels [places]chan Delivery // each written under mu once, before its bit
}

// offer hands the delivery to the worker at the lowest place, if any waits. A
// place whose worker is not quite there yet is passed over.
func (l *local) offer(d Delivery) bool {
	for taken := l.taken.Load(); taken != 0; taken &= taken - 1 {
		if l.hand(bits.TrailingZeros64(taken), d) {
			return true
		}
	}
	return false
}

// poison hands a pill to the worker at the highest place, if any waits.
func (l *local) poison() bool {
	for taken := l.taken.Load(); taken != 0; {
		place := bits.Len64(taken) - 1
		if l.hand(place, Delivery{}) {
			return true
		}
		taken &^= 1 << place
	}
	return false
}

// hand hands the delivery to the worker at a place that was seen taken.
func (l *local) hand(place int, d Delivery) bool {
	if !trySend(l.channels[place], d) {
		return false
	}
	l.taken.Sub(1 << place)
	return true
}

// claim takes the lowest free place for a worker that is about to wait, and
// returns its channel. It returns nil when all are taken, and when the place has
// yet to be made and somebody is at it.
func (l *local) claim() chan Delivery {
	for {
		taken := l.taken.Load()
		place := bits.TrailingZeros64(^taken)
		if place == places {
			return nil
		}
		if l.made.Load()>>place&1 == 0 && !l.furnish(place) {
			return nil
		}
		if l.taken.CompareAndSwap(taken, taken|1<<place) {
			return l.channels[place]
		}
	}
}

// furnish makes the channel of a place that nobody has ever waited at, and reports
// true. It reports false at once while another worker makes one. Nobody finds a
// worker that waits for a lock: every Submit would spawn one more, and they would
// all queue up here.
func (l *local) furnish(place int) bool {
	if !l.mu.TryLock() {
		return false
	}
	defer l.mu.Unlock()
	if l.made.Load()>>place&1 == 1 {
		return true
	}
	l.channels[place] = make(chan Delivery)
	if l.closed {
		close(l.channels[place])
	}
	l.made.Add(1 << place)
	return true
}

// close sends away whoever waits here, now and later.
func (l *local) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for made := l.made.Load(); made != 0; made &= made - 1 {
		close(l.channels[bits.TrailingZeros64(made)])
	}
}
