package handoff

import (
	"sync"

	"go.uber.org/atomic"
)

// A Coroutine is a worker of Do. Its caller switches to it by Next, and goes on when
// the task has ended. In between the coroutine is parked with its stack.
//
// Invariant: at most one goroutine has a Coroutine in hand, and only that one touches
// its fields and calls its functions. A goroutine that made it, or took it from a list,
// has it in hand until it has put it into a list. Between the call of Next and its
// return, the coroutine itself uses Task and At. So a coroutine in a list is parked,
// never running. Its caller puts it there once Next has returned: if the coroutine did
// that itself, another caller could call Next before it has parked.
type Coroutine struct {
	Task func() // in hand, or nil
	At   *Shard // of the caller

	// Next runs the task in hand. It reports false if that was the last one and
	// the coroutine has ended. It calls runtime.Goexit if the task did, and then the
	// coroutine has ended, too.
	Next func() (struct{}, bool)

	// Panic is the panic that ended the last task and the coroutine, or nil. Next
	// says nothing of it.
	Panic *Panic

	// Stop ends a coroutine that is parked.
	Stop func()

	older, newer *Coroutine // neighbours in a list, guarded by its lock
}

// A Panic is the panic of a task.
type Panic struct {
	Value any
	Told  bool // a panic handler knows of it
}

// coroutines are those that are idle at one shard, last in, first out: the newest
// have hot stacks, the oldest are the ones to kill.
type coroutines struct {
	// n is how many there are. It is written under mu; an atomic, because it is
	// read without, to find a list that is worth its lock.
	n atomic.Int32

	mu             sync.Mutex
	newest, oldest *Coroutine
	closed         bool
}

// put adds the coroutine as the newest and reports true, or reports false once
// the list is closed.
func (l *coroutines) put(c *Coroutine) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	if c.older = l.newest; c.older != nil {
		c.older.newer = c
	} else {
		l.oldest = c
	}
	l.newest = c
	l.n.Inc()
	return true
}

func (l *coroutines) takeNewest() *Coroutine {
	if l.n.Load() == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.remove(l.newest)
}

func (l *coroutines) takeOldest() *Coroutine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.remove(l.oldest)
}

// remove takes the coroutine, the newest or the oldest or nil, off the list and
// returns it. The caller holds mu.
func (l *coroutines) remove(c *Coroutine) *Coroutine {
	if c == nil {
		return nil
	}
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		l.oldest = c.newer
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		l.newest = c.older
	}
	c.older, c.newer = nil, nil
	l.n.Dec()
	return c
}

// close makes put refuse. What is in the list stays there to be taken.
func (l *coroutines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// Borrow returns an idle coroutine, the one of the shard that was used last if
// there is one, else one of another shard, or nil.
func (h *Handoff) Borrow(at *Shard) *Coroutine {
	for i := range h.shards {
		if c := h.shards[(at.index+i)%len(h.shards)].coroutines.takeNewest(); c != nil {
			return c
		}
	}
	return nil
}

// Return makes the coroutine idle at the shard of its last task and reports true, or
// reports false once the handoff is closed. The caller must stop it then.
func (h *Handoff) Return(c *Coroutine) bool { return c.At.coroutines.put(c) }

// Oldest takes the coroutine that has been idle longest at the shard with the
// most of them, or returns nil if there is none.
func (h *Handoff) Oldest() *Coroutine {
	for {
		longest, most := (*coroutines)(nil), int32(0)
		for i := range h.shards {
			if l := &h.shards[i].coroutines; l.n.Load() > most {
				longest, most = l, l.n.Load()
			}
		}
		if longest == nil {
			return nil
		}
		// Another goroutine may have taken the last of them meanwhile. That says
		// nothing of the other lists.
		if c := longest.takeOldest(); c != nil {
			return c
		}
	}
}

// Coroutines returns how many coroutines are idle.
func (h *Handoff) Coroutines() (n int64) {
	for i := range h.shards {
		n += int64(h.shards[i].coroutines.n.Load())
	}
	return n
}
