// Package handoff passes tasks from submitters to workers.
//
// Each processor has a shard. A shard holds the workers that are idle there, the
// tasks that wait for a worker on its way, and counts. A worker that finds no place
// at its shard waits on one channel that all shards share. docs/DESIGN.md says how
// the parts work together, and why.
package handoff

import (
	"runtime"
	"sync"
	"time"
)

// A delivery is what a worker waits for: a task, and the shard of its submitter. The
// zero delivery tells the worker to leave. It is what a pill is, and what a closed
// channel yields.
type delivery struct {
	task func()
	at   *Shard
}

// trySend hands the delivery to a worker that waits on the channel, if there is
// one. A send that fails on an unbuffered channel takes no lock.
func trySend(waiting chan<- delivery, d delivery) bool {
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
	start  func(at *Shard, task func())
	shared chan delivery // for the workers that found no place at their shard
	epoch  time.Time     // Clock counts from here

	tokens tokens
	meter  meter

	closing sync.Once // guards the closing of the gates

	// mu guards retired. No channel is closed while it is held and retired is false.
	mu      sync.Mutex
	retired bool
}

// New returns a Handoff with a shard for each processor that the process has or
// may get: GOMAXPROCS follows the limit of a container while the process runs.
//
// The handoff calls start when a task needs a new worker. The worker must run the
// task, and call [Shard.Begin] before. start must not block.
func New(start func(at *Shard, task func())) *Handoff {
	h := &Handoff{
		shards: make([]Shard, max(runtime.GOMAXPROCS(0), runtime.NumCPU())),
		start:  start,
		shared: make(chan delivery),
		epoch:  time.Now(),
	}
	h.number()
	return h
}

// number tells the shards where they are.
func (h *Handoff) number() {
	for i := range h.shards {
		h.shards[i].handoff, h.shards[i].index = h, i
	}
}

// Submit accepts the task and hands it over: to the workers on their way to the
// shard, to an idle worker, or to a new one. It reports false, and does nothing else,
// once the handoff is closed. It never blocks.
func (h *Handoff) Submit(task func()) bool {
	at := h.Accept()
	if at == nil {
		return false
	}
	at.assign(task)
	return true
}

// Accept counts one more task and returns the shard of the processor it is called
// on, or returns nil once the handoff is closed. The caller must run the task, and
// call [Shard.Complete] when it has ended. The shard is a hint: any one is correct
// at any time, a near one is fast.
//
// A submitter that one shard refuses waits until every shard refuses. Otherwise
// another submitter could hear of the refusal and still be accepted elsewhere.
func (h *Handoff) Accept() *Shard {
	at := h.tokens.shard(h.shards)
	if !at.gate.accept() {
		h.Close()
		return nil
	}
	return at
}

// Enough returns how many workers on their way to a shard are enough for all tasks
// that wait there. "The relay" in docs/DESIGN.md says why.
func (h *Handoff) Enough() int32 { return 1 + min(h.meter.steps(), h.tokens.procs.Load()/2) }

// offer hands the delivery to an idle worker and reports true, or reports false
// when it finds none. It never blocks. Its task has been accepted and has not
// completed: that keeps it away from the channels that [Handoff.Retire] closes.
func (h *Handoff) offer(d delivery) bool {
	if d.at.idle.offer(d) {
		return true
	}
	for i := 1; i < len(h.shards); i++ {
		if h.shards[(d.at.index+i)%len(h.shards)].idle.offer(d) {
			return true
		}
	}
	return trySend(h.shared, d)
}

// Clock returns the time since the handoff was made.
func (h *Handoff) Clock() time.Duration { return time.Since(h.epoch) }

// Lengthy reports whether tasks take so long that it costs them little to wake a worker
// for each.
func (h *Handoff) Lengthy() bool { return h.meter.mean.Load() > int32(lengthy) }

// Note tells the handoff how long a task took.
func (h *Handoff) Note(d time.Duration) { h.meter.note(d) }

// Pill tells a worker that is idle now to leave, those on the shared channel first,
// and reports whether it found one. It never waits for a worker: a pill that waited
// would take the next one to finish, however busy the pool.
func (h *Handoff) Pill() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.retired {
		return false
	}
	if trySend(h.shared, delivery{}) {
		return true
	}
	for i := range h.shards {
		if h.shards[i].idle.pill() {
			return true
		}
	}
	return false
}

// Close makes every shard refuse tasks, and coroutines that become idle. It may be
// called again, and returns when all shards refuse.
func (h *Handoff) Close() {
	h.closing.Do(func() {
		for i := range h.shards {
			h.shards[i].gate.close()
			h.shards[i].coroutines.close()
		}
	})
}

// Retire tells every idle worker to leave, now and later. It may be called again.
// The handoff must be closed and all accepted tasks must have completed. Then no
// task can be offered any more, and Pill keeps away by itself, so no send meets a
// closed channel.
func (h *Handoff) Retire() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.retired {
		return
	}
	h.retired = true
	close(h.shared)
	for i := range h.shards {
		h.shards[i].idle.close()
	}
}

// Counts are sums over the shards.
type Counts struct {
	Accepted  uint64 // tasks that passed the gates
	Waiting   uint64 // of these, tasks on a backlog
	Completed uint64 // of these, tasks that have ended
	Open      uint64 // accepted tasks that had not ended when the last count was read
}

// Counts returns the sums. Completed is read first and accepted last. A task is
// accepted before it waits, and leaves the backlog before it completes, so no
// difference is negative. For Open the completed tasks are read once more at the
// end: the difference counts no task that has ended meanwhile.
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
