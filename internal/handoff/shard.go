package handoff

import (
	"unsafe"

	"go.uber.org/atomic"
)

// stride keeps two shards off the same cache line, and off the pair of lines
// that a processor fetches together. It is a multiple of 8 on every platform,
// which keeps the 64-bit atomics of a []Shard aligned on 32-bit ones.
// BenchmarkRun pays for it.
const stride = 128

// A Shard is what one processor shares with no other while the load is even.
type Shard struct {
	shard
	_ [stride - unsafe.Sizeof(shard{})%stride]byte // never empty: a last field without size would be padded
}

type shard struct {
	// The 64-bit atomics come first: on 32-bit platforms nothing else aligns
	// them.
	gate      gate
	completed atomic.Uint64 // raised by the worker that ran the task

	// sent counts the deliveries of the shard, begun those whose worker has
	// begun. In between, the worker is on its way: it has been woken or spawned
	// and waits for a processor, or somebody who runs is about to wake or spawn
	// it. sent is raised before the delivery is handed over, and begun by the
	// worker before it looks at the backlog.
	//
	// Invariant: while the backlog is not empty, a worker is on its way, or
	// somebody who runs has yet to look at the backlog, or is about to send what
	// he took from it. For who pushes a task looks for a worker on its way
	// afterwards, and a worker looks at the backlog after it has begun. Atomics
	// have one order, so either the one sees the worker, or the other sees the
	// task.
	sent  atomic.Uint32
	begun atomic.Uint32

	backlog backlog
	local   local

	index int // position among the shards; immutable

	// owed says that a worker's time slice has ended here since a worker last
	// yielded. Workers write it, once in a time slice. Any of them may miss it: the
	// next time slice to end sets it again. It is away from the words that each task
	// writes.
	owed atomic.Bool

	coroutines coroutines // those that idle here
}

// Complete counts a task that has ended.
func (s *Shard) Complete() { s.completed.Add(1) }

// onTheirWay returns how many workers are on their way. In whichever order the two
// are read, one that is counted here had not begun at the first load, and looks at
// the backlog later than that.
func (s *Shard) onTheirWay() int32 {
	sent := s.sent.Load()
	return int32(sent - s.begun.Load())
}

// send makes a delivery of the task. Its worker is on its way from now on, so
// the caller must hand it over whatever happens.
func (s *Shard) send(task func()) Delivery {
	s.sent.Add(1)
	return Delivery{Task: task, At: s}
}

// relay makes a delivery of the task that has waited longest, if any waits.
func (s *Shard) relay() Delivery {
	if task := s.backlog.pop(); task != nil {
		return s.send(task)
	}
	return Delivery{}
}

// Waits reports whether tasks wait at the shard.
func (s *Shard) Waits() bool { return s.backlog.len() > 0 }

// Owe says that a time slice has ended: the worker that begins next owes
// everybody else a turn.
func (s *Shard) Owe() { s.owed.Store(true) }

// often is how many workers begin, while tasks wait, until one of them yields
// whatever the clock says: where tasks block before they end, no worker finds its
// time slice over. The runtime looks at its global queue as often, at every 61st
// goroutine.
const often = 64

// Settle reports whether a turn is owed. The caller then must yield.
func (s *Shard) Settle() bool {
	return s.owed.Load() && s.owed.CompareAndSwap(true, false) || s.begun.Load()%often == 0 && s.Waits()
}

// Next returns a waiting task for a worker that has just run one, or nil. When
// another worker is about to take one it returns nil too: that one drains the
// backlog, and two would only wait for each other.
func (s *Shard) Next() func() { return s.backlog.tryPop() }
