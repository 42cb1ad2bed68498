package hemlock

import (
	"errors"
	"math/rand/v2"
	"sync"

	"example.com/hemlock/internal/handoff"
	"go.uber.org/atomic"
)

var (
	// ErrClosed is returned by [Pool.Submit] once [Pool.Shutdown] was called.
	ErrClosed = errors.New("hemlock: closed")

	// ErrNilTask is returned by [Pool.Submit] for a nil task.
	ErrNilTask = errors.New("hemlock: nil task")
)

// A Pool runs each task on a goroutine that runs no other task meanwhile, and keeps
// the goroutine for later tasks. A task waits for a processor, never for the end of
// another task. Only Shutdown, Trim and Do block.
//
// Make a Pool with [New]; every method of a zero Pool panics. A Pool must not be
// copied. All methods may be called from any goroutine at any time, also from inside a
// task.
type Pool struct {
	// The 64-bit atomics come first, here and in killer: on 32-bit platforms nothing
	// else aligns them.

	count count // of workers

	// Totals for Stats. Each only rises. Atomics, because any goroutine raises them.
	spawned  atomic.Int64
	recycled atomic.Int64
	panicked atomic.Int64

	killer killer

	// Immutable after New.
	options
	handoff *handoff.Handoff
	drained chan struct{} // closed when the last worker of a closed pool has gone

	closing  sync.Once // guards the work of the first Shutdown
	draining sync.Once // guards the close of drained

	// closed says that no task will be accepted any more. The first Shutdown sets it
	// and then looks at the count of workers. A worker that leaves looks at closed when
	// it is no longer counted. So at least one of them sees the end.
	closed atomic.Bool

	// accepted is how many tasks the pool accepted in its life. It is written before
	// closed is set, and read only after closed was seen.
	accepted uint64
}

// New returns a pool with no worker and no other goroutine. It panics if an
// option is nil or has a negative value.
func New(opts ...Option) *Pool {
	p := &Pool{options: defaults(), drained: make(chan struct{})}
	for _, set := range opts {
		if set == nil {
			panic("hemlock: New with a nil Option")
		}
		set(&p.options)
	}
	p.handoff = handoff.New(p.spawn)
	p.killer.init(p, p.handoff.Clock, &p.options)
	return p
}

// Submit has the task run by a worker: an idle one, one that is about to start, or a
// new one. It never blocks, but where tasks wait for a processor that they cannot have
// otherwise, it yields, as [runtime.Gosched] does. It allocates nothing when a worker
// is idle, except a little after a garbage collection.
//
// Submit returns [ErrNilTask] if task is nil and [ErrClosed] once [Pool.Shutdown] was
// called. A task for which it returned nil runs, even when a Shutdown begins at the
// same moment.
func (p *Pool) Submit(task func()) error {
	p.check()
	switch {
	case task == nil:
		return ErrNilTask
	case !p.handoff.Submit(p.observed(task)):
		return ErrClosed
	}
	return nil
}

// Run starts the task as the statement
//
//	go task()
//
// would: it never blocks and it never fails. Until [Pool.Shutdown] is called it does
// what [Pool.Submit] does. Afterwards the task gets an ordinary goroutine, which no
// count includes and no Shutdown waits for; a panic in it still goes to the handler of
// [WithPanicHandler]. Run(nil) panics.
func (p *Pool) Run(task func()) {
	p.check()
	if task == nil {
		panic("hemlock: Run with a nil task")
	}
	if !p.handoff.Submit(p.observed(task)) {
		go p.alone(task, false)
	}
}

// observed returns the task, or, for one in eight if there is an observer, a task that
// tells it how long it waited.
func (p *Pool) observed(task func()) func() {
	if p.observer == nil || rand.Uint32N(8) != 0 {
		return task
	}
	submitted := p.handoff.Clock()
	return func() {
		p.observer(p.handoff.Clock() - submitted)
		task()
	}
}

// check panics if the pool was not made by New.
func (p *Pool) check() {
	if p == nil || p.handoff == nil {
		panic("hemlock: zero Pool: use New")
	}
}
