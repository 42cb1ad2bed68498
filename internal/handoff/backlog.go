package handoff

import (
	"sync"
	"unsafe"

	"go.uber.org/atomic"
)

// A backlog is a queue of tasks without bound, first in, first out. Submitters
// append to one slice and workers take from another. They swap them when the
// workers' is empty, so that the two meet once for many tasks. The slices keep
// their capacity, so nothing is allocated in the steady state.
type backlog struct {
	inbox
	_ [stride - unsafe.Sizeof(inbox{})]byte // the two sides belong to different processors

	// popped counts the tasks that went. It is written under outMu, after the
	// task is out; an atomic, because it is read without.
	// Invariant: popped <= pushed.
	popped atomic.Uint64

	outMu sync.Mutex
	out   []func()
	next  int // what lies before it in out has been taken, and is nil
}

// An inbox is the submitters' side of a backlog.
type inbox struct {
	// pushed counts the tasks that came. It is raised under inMu, after the task
	// is in; an atomic, because it is read without. A goroutine that sees a task
	// counted finds it.
	pushed atomic.Uint64

	inMu sync.Mutex
	in   []func()
}

func (b *backlog) push(task func()) {
	b.inMu.Lock()
	defer b.inMu.Unlock()
	b.in = append(b.in, task)
	b.pushed.Add(1)
}

// len returns how many tasks wait.
func (b *backlog) len() uint64 {
	popped := b.popped.Load() // first, so that the difference is not negative
	return b.pushed.Load() - popped
}

// pop takes the oldest task, or returns nil if there is none.
func (b *backlog) pop() func() {
	if b.len() == 0 {
		return nil
	}
	b.outMu.Lock()
	defer b.outMu.Unlock()
	return b.take()
}

// tryPop is pop, but returns nil while another goroutine takes a task.
func (b *backlog) tryPop() func() {
	if b.len() == 0 || !b.outMu.TryLock() {
		return nil
	}
	defer b.outMu.Unlock()
	return b.take()
}

// take takes the oldest task. The caller holds outMu.
func (b *backlog) take() func() {
	if b.next == len(b.out) && !b.swap() {
		return nil
	}
	task := b.out[b.next]
	b.out[b.next] = nil // or the slice would keep alive what the task captured
	b.next++
	b.popped.Add(1)
	return task
}

// spike is the length below which a slice is kept whatever the load does.
const spike = 1024

// swap exchanges the two sides when the workers' is empty, and reports whether
// there is a task now. It gives back what a spike took.
func (b *backlog) swap() bool {
	b.inMu.Lock()
	defer b.inMu.Unlock()
	next := b.out[:0]
	if cap(next) > spike && cap(next) > 8*len(b.in) {
		next = nil
	}
	b.in, b.out = next, b.in
	b.next = 0
	return len(b.out) > 0
}
