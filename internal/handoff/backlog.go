package handoff

import (
	"sync"
	"unsafe"

	"go.uber.org/atomic"
)

// A backlog is a queue of tasks without bound, first in, first out. Submitters append
// to one list of blocks and workers take from another. They swap them when the workers'
// is empty, so that the two meet once for many tasks.
type backlog struct {
	inbox
	_ [stride - unsafe.Sizeof(inbox{})]byte // the two sides belong to different processors

	// popped counts the tasks that went. It is written under outMu, after the
	// task is out; an atomic, because it is read without.
	// Invariant: popped <= pushed.
	popped atomic.Uint64

	outMu sync.Mutex
	until uint64 // the value of popped at which the workers' list is empty
	out   *block // the first block of that list, kept when it is empty
	next  int    // the index in out of the oldest task; places before it are nil
}

// An inbox is the submitters' side of a backlog.
type inbox struct {
	// pushed counts the tasks that came. It is raised under inMu, after the task
	// is in; an atomic, because it is read without. A goroutine that sees a task
	// counted finds it.
	pushed atomic.Uint64

	inMu        sync.Mutex
	first, last *block // nil before the first task
	filled      int    // tasks in last
}

// size is how many tasks a block holds. On 64-bit platforms a block takes 1 KiB, with 8
// bytes that the allocator adds.
const size = 126

// A block is a part of a list. In the submitters' list all blocks but the last are full.
type block struct {
	tasks [size]func()
	next  *block
}

// blocks are empty. All backlogs share them: the blocks of a spike serve other shards
// and pools until the collector takes them.
var blocks = sync.Pool{New: func() any { return new(block) }}

func (b *backlog) push(task func()) {
	b.inMu.Lock()
	defer b.inMu.Unlock()
	if b.last == nil || b.filled == size {
		b.extend()
	}
	b.last.tasks[b.filled] = task
	b.filled++
	b.pushed.Add(1)
}

// extend adds a block to the submitters' list. The caller holds inMu.
func (b *backlog) extend() {
	empty := blocks.Get().(*block)
	if b.last == nil {
		b.first = empty
	} else {
		b.last.next = empty
	}
	b.last, b.filled = empty, 0
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
	if b.popped.Load() == b.until && !b.swap() {
		return nil
	}
	if b.next == size {
		b.advance()
	}
	at := &b.out.tasks[b.next]
	task := *at
	*at = nil // or the block would keep alive what the task captured
	b.next++
	b.popped.Add(1)
	return task
}

// advance goes on to the next block of the workers' list.
func (b *backlog) advance() {
	empty := b.out
	b.out, b.next = empty.next, 0
	empty.next = nil
	blocks.Put(empty)
}

// swap exchanges the two lists when the workers' is empty, and reports whether there is
// a task now.
func (b *backlog) swap() bool {
	b.inMu.Lock()
	defer b.inMu.Unlock()
	pushed := b.pushed.Load()
	if b.until == pushed {
		return false
	}
	b.until = pushed
	empty := b.out
	b.out, b.next = b.first, 0
	b.first, b.last, b.filled = empty, empty, 0
	return true
}
