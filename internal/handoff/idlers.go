package handoff

import (
	"math/bits"
	"sync"

	"go.uber.org/atomic"
)

// places is how many workers can wait at one shard: one for each bit of a word.
const places = 64

// idlers are the workers that are idle at one shard, each at a place with a channel of
// its own. A worker waits at the lowest free place and a task goes to the lowest taken
// one, so that no more workers are in use than the load needs. "Idle workers" in
// docs/DESIGN.md says why one channel for all is worse.
type idlers struct {
	// taken has a bit for each place with a worker that waits or is about to. The
	// worker sets it before it waits. The goroutine that hands it a task or a pill
	// clears it afterwards, so a place is not free while its channel has a receiver.
	// Invariant: a receiver waits at a place only while the bit is set.
	taken atomic.Uint64

	// made has a bit for each place that has a channel. It is set under mu, and
	// never cleared. An atomic, because it is read without mu: a goroutine that sees
	// the bit sees the channel.
	made atomic.Uint64

	mu     sync.Mutex
	closed bool // guarded by mu

	channels [places]chan delivery // each written under mu once, before its bit
}

// offer hands the delivery to the worker at the lowest place, if any waits. A
// place whose worker is not quite there yet is passed over.
func (l *idlers) offer(d delivery) bool {
	for taken := l.taken.Load(); taken != 0; taken &= taken - 1 {
		if l.hand(bits.TrailingZeros64(taken), d) {
			return true
		}
	}
	return false
}

// pill hands a pill to the worker at the highest place, if any waits.
func (l *idlers) pill() bool {
	for taken := l.taken.Load(); taken != 0; {
		place := bits.Len64(taken) - 1
		if l.hand(place, delivery{}) {
			return true
		}
		taken &^= 1 << place
	}
	return false
}

// hand hands the delivery to the worker at a place that was seen taken.
func (l *idlers) hand(place int, d delivery) bool {
	if !trySend(l.channels[place], d) {
		return false
	}
	l.taken.Sub(1 << place)
	return true
}

// claim takes the lowest free place for a worker that is about to wait, and
// returns its channel. It returns nil when all are taken, and when another worker is
// making the channel of the place.
func (l *idlers) claim() chan delivery {
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

// furnish makes the channel of a place at which no worker has ever waited, and reports
// true. It reports false at once while another worker makes one. No submitter finds a
// worker that waits for a lock: each would start one more, and all of them would queue
// up here.
func (l *idlers) furnish(place int) bool {
	if !l.mu.TryLock() {
		return false
	}
	defer l.mu.Unlock()
	if l.made.Load()>>place&1 == 1 {
		return true
	}
	l.channels[place] = make(chan delivery)
	if l.closed {
		close(l.channels[place])
	}
	l.made.Add(1 << place)
	return true
}

// close tells every worker that waits here to leave, now and later.
func (l *idlers) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for made := l.made.Load(); made != 0; made &= made - 1 {
		close(l.channels[bits.TrailingZeros64(made)])
	}
}
