// Package handoff passes tasks from submitters to workers.
//
// Every processor has a shard: the workers that idle there, the tasks that wait
// for a worker on its way, and counts. Idle workers for which a shard has no
// place wait on one channel that all shards share. docs/DESIGN.md says how the
// parts work together and why.
package handoff

import (
	"runtime"
	"sync"
	"time"
)

// A Delivery is what passes from hand to hand: a task, and the shard of who
// submitted it. The zero Delivery is the pill: it tells the worker that takes it
// to leave.
type Delivery struct {
	Task func()
	At   *Shard
}

// trySend hands the delivery to a worker that waits on the channel, if there is
// one. A send that fails on an unbuffered channel takes no lock.
func trySend(waiting chan<- Delivery, d Delivery) bool {
	select {
	case waiting <- d:
		return true
	default:
		return false
	}
}

// A Handoff is where submitters and workers meet.
type Handoff struct {
	// Immutable after New.
	shards []Shard
	shared chan Delivery // where the workers wait that found no local place
	epoch  time.Time     // Clock counts from here

	tokens tokens
	meter  meter

	refusing sync.Once // guards the closing of the gates

	// mu guards retired, and holds the channels open while a pill is sent.
	mu      sync.Mutex
	retired bool
}

// New returns a Handoff with a shard for each processor that the process has or
// may get: GOMAXPROCS follows the limit of a container while the process runs.
func New() *Handoff {
	h := &Handoff{
		shards: make([]Shard, max(runtime.GOMAXPROCS(0), runtime.NumCPU())),
		shared: make(chan Delivery),
		epoch:  time.Now(),
	}
	for i := range h.shards {
		h.shards[i].index = i
	}
	return h
}

// Accept counts one more task and returns the shard of the processor it is
// called on, or returns nil once the handoff refuses. A caller who gets a shard
// must see to it that the task runs. Which one is a hint: any shard is correct at
// any time, a near one is fast.
//
// Who is refused at one shard waits until all of them refuse. Else he could tell
// somebody whose next task is still accepted at another.
func (h *Handoff) Accept() *Shard {
	at := h.tokens.local(h.shards)
	if !at.gate.accept() {
		h.Refuse()
		return nil
	}
	return at
}

// Clock returns the time since the handoff was made.
func (h *Handoff) Clock() time.Duration { return time.Since(h.epoch) }

// Note tells the handoff how long a task took.
func (h *Handoff) Note(d time.Duration) { h.meter.note(d) }

// Assign leaves the task to workers that are on their way to the shard, if
// there are enough of them, and returns the zero Delivery. Else it returns a
// delivery, of this task or of one that waited longer, which the caller must
// hand over. The task must have been accepted.
func (h *Handoff) Assign(at *Shard, task func()) Delivery {
	if at.onTheirWay() < h.Enough() {
		return at.send(task)
	}
	at.backlog.push(task)
	// Look again: the workers may all have begun, and have found the backlog
	// empty, before the push. Then this task would wait for nobody.
	if at.onTheirWay() > 0 {
		return Delivery{}
	}
	return at.relay()
}

// Enough returns how many workers on their way to a shard are enough for whatever
// waits there. "The relay" in docs/DESIGN.md says why so many.
func (h *Handoff) Enough() int32 { return 1 + min(h.meter.steps(), h.tokens.procs.Load()/2) }

// Offer hands the delivery to an idle worker and reports true, or reports false
// when it found none. It never blocks. Only a caller whose task was accepted
// may offer it, and only until the task has completed: that is what keeps a
// send away from the channels that [Handoff.Retire] closes.
func (h *Handoff) Offer(d Delivery) bool {
	if d.At.local.offer(d) {
		return true
	}
	for i := 1; i < len(h.shards); i++ {
		if h.shards[(d.At.index+i)%len(h.shards)].local.offer(d) {
			return true
		}
	}
	return trySend(h.shared, d)
}

// Take waits for a delivery, at the shard if it has a free place, else on the
// shared channel. The worker should wait next at the delivery's shard: it was
// woken there, and that is where the load is.
func (h *Handoff) Take(at *Shard) Delivery {
	place := at.local.claim()
	if place == nil {
		place = h.shared
	}
	return <-place
}

// Begin says that the delivery's worker has begun. If tasks wait at the shard,
// it returns a delivery of the oldest, which the worker must hand over before
// it runs its own: that is the relay.
func (d Delivery) Begin() Delivery {
	d.At.begun.Add(1)
	return d.At.relay()
}

// Poison hands a pill to a worker that is idle now, those on the shared channel
// first, and reports whether it found one. It never waits for a worker: a pill
// that waited would take the next one to finish, however busy the pool.
func (h *Handoff) Poison() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.retired {
		return false
	}
	if trySend(h.shared, Delivery{}) {
		return true
	}
	for i := range h.shards {
		if h.shards[i].local.poison() {
			return true
		}
	}
	return false
}

// Refuse makes every shard refuse tasks, and coroutines that become idle. It may
// be called again, and returns when all of them do.
func (h *Handoff) Refuse() {
	h.refusing.Do(func() {
		for i := range h.shards {
			h.shards[i].gate.close()
			h.shards[i].coroutines.close()
		}
	})
}

// Retire sends every idle worker away, now and later. It may be called again.
// The caller must know that all shards refuse and that all accepted tasks have
// completed: then nobody is left who may offer a task, and Poison keeps away by
// itself, so no send can meet a closed channel.
func (h *Handoff) Retire() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.retired {
		return
	}
	h.retired = true
	close(h.shared)
	for i := range h.shards {
		h.shards[i].local.close()
	}
}

// Counts are sums over the shards.
type Counts struct {
	Accepted  uint64 // tasks let through the gates
	Waiting   uint64 // of these, tasks on a backlog
	Completed uint64 // of these, tasks that have ended
	Open      uint64 // accepted tasks that had not ended when the last count was read
}

// Counts returns the sums. Completed is read first and accepted last: a task is
// accepted before it waits, and leaves the backlog before it completes. So no
// difference is negative. For Open the completed tasks are read once more at the
// end: the difference counts no task that ended meanwhile.
func (h *Handoff) Counts() (c Counts) {
	c.Completed = h.Completed()
	for i := range h.shards {
		c.Waiting += h.shards[i].backlog.len()
	}
	for i := range h.shards {
		c.Accepted += h.shards[i].gate.accepted()
	}
	ended := h.Completed()
	c.Open = c.Accepted - min(ended, c.Accepted)
	return c
}

// Completed returns how many accepted tasks have ended.
func (h *Handoff) Completed() (sum uint64) {
	for i := range h.shards {
		sum += h.shards[i].completed.Load()
	}
	return sum
}
