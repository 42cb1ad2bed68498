package hemlock

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
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

// A Pool runs each task on a goroutine that runs no other until the task ends, and
// that is then kept for later tasks. A task waits for a processor, never for the
// end of another task. A Pool grows without bound, and stops workers that it no
// longer needs. Only Shutdown and Do block.
//
// Make one with [New]; every method of a zero Pool panics. A Pool must not be
// copied. All methods may be called from any goroutine at any time, from
// inside a task too.
type Pool struct {
	// The 64-bit atomics come first, here and in killer: on 32-bit platforms nothing
	// else aligns them.

	count count // of workers

	// Totals for Stats. Each only rises. An atomic each, because they rise on
	// any goroutine.
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

	// closed says that no task will be accepted any more. The first Shutdown sets
	// it, and looks at the count of workers then; a worker who leaves looks at it
	// when it is no longer counted. So one of them at least sees the end.
	closed atomic.Bool

	// accepted is how many tasks the pool accepted in its life. It is written
	// before closed is set, and read only by those who saw that.
	accepted uint64
}

// New returns a pool with no worker and no other goroutine. It panics if an
// option is nil or has a negative value.
func New(opts ...Option) *Pool {
	p := &Pool{
		options: defaults(),
		handoff: handoff.New(),
		drained: make(chan struct{}),
	}
	for _, set := range opts {
		if set == nil {
			panic("hemlock: New with a nil Option")
		}
		set(&p.options)
	}
	p.killer.init(p)
	return p
}

// Submit has the task run by a worker: an idle one, one that is about to start,
// or a new one. It returns without waiting for the task, and it never blocks.
// While the pool need not grow it allocates nothing, but for some 150 bytes for
// each processor after a garbage collection.
//
// The task waits for a processor, as a goroutine does, and never for the end of
// another task: tasks may wait for each other in any way.
//
// Submit returns [ErrNilTask] if task is nil and [ErrClosed] once
// [Pool.Shutdown] was called. A task for which it returned nil runs, even when
// a Shutdown begins at the same moment, and is counted in [Stats] by the time that
// Submit returns.
//
// The call synchronizes before the task starts, in the terminology of the Go
// memory model.
func (p *Pool) Submit(task func()) error {
	p.check()
	switch {
	case task == nil:
		return ErrNilTask
	case !p.submit(task):
		return ErrClosed
	}
	return nil
}

// Run starts the task as the statement
//
//	go task()
//
// would: it never blocks and it never fails. Until [Pool.Shutdown] is called it
// does what [Pool.Submit] does. Afterwards the task gets an ordinary goroutine,
// which no count includes and no Shutdown waits for; a panic in it still goes
// to the handler of [WithPanicHandler]. Run(nil) panics.
func (p *Pool) Run(task func()) {
	p.check()
	if task == nil {
		panic("hemlock: Run with a nil task")
	}
	if !p.submit(task) {
		go p.runAlone(task)
	}
}

// runAlone runs a task that the closed pool did not accept.
func (p *Pool) runAlone(task func()) {
	if p.handler != nil {
		defer func() {
			if !unwinding() {
				return
			}
			known := told()
			if v := recover(); !known {
				p.handler(v, debug.Stack())
			}
		}()
	}
	task()
}

// tell tells the panic handler of a panic in a task, with the stack, and counts it.
func (p *Pool) tell(v any) {
	p.panicked.Inc()
	p.handler(v, debug.Stack())
}

// submit reports whether the pool accepted the task.
func (p *Pool) submit(task func()) bool {
	at := p.handoff.Accept()
	if at == nil {
		return false
	}
	p.send(p.handoff.Assign(at, task))
	return true
}

// send hands the delivery to an idle worker, or spawns one for it. The zero
// delivery needs nobody.
func (p *Pool) send(d handoff.Delivery) {
	if d.Task != nil && !p.handoff.Offer(d) {
		p.spawn(d)
	}
}

// spawn starts a worker that is born with its delivery. Sending it to the
// newborn through a channel instead would let an older worker take it, and
// leave the newborn's submitter waiting for somebody who may never come.
//
// A closed pool spawns too: the task was accepted, so it runs. That is safe
// because drained is not closed while an accepted task has not completed.
func (p *Pool) spawn(d handoff.Delivery) {
	p.countSpawn()
	p.start(d.At, d.Task, false)
}

// countSpawn counts one more worker, of either kind, before it starts; see
// [killer.noteSpawn].
func (p *Pool) countSpawn() {
	workers := p.count.raise()
	p.spawned.Inc()
	p.killer.noteSpawn(workers)
}

// Shutdown stops the pool from accepting tasks, waits until every task it
// accepted has ended, and stops every worker. It returns nil when the last
// worker has gone. It interrupts no task. If ctx ends first, Shutdown returns an
// error that wraps both the Err and the [context.Cause] of ctx, and says how many
// tasks were running and waiting and how many workers were left; the tasks go on,
// and a later Shutdown can wait for them again.
//
// From this call on Submit returns [ErrClosed], and Run and Do run tasks without
// the pool. Workers go on leaving after a Shutdown that returned an error. Shutdown
// can be called many times and concurrently. A task may call it with a ctx that
// ends; without one it would wait for itself. Shutdown panics if ctx is nil.
//
// The end of each accepted task synchronizes before a Shutdown that returns nil.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.check()
	if ctx == nil {
		panic("hemlock: Shutdown with a nil context")
	}
	p.closing.Do(p.close)
	select {
	case <-p.drained:
	case <-ctx.Done():
	}
	// When both came together, the select above chose at random.
	select {
	case <-p.drained:
		return nil
	default:
		return p.unfinished(ctx)
	}
}

// unfinished is the error of a Shutdown whose ctx ended first. Who wraps the
// end of a context looks for context.DeadlineExceeded or Canceled, who gave a
// cause looks for that: both are found.
func (p *Pool) unfinished(ctx context.Context) error {
	why, cause := ctx.Err(), context.Cause(ctx)
	switch {
	case why == nil: // a context of somebody's own that breaks the contract
		why = errors.New("the context is done")
	case cause != why:
		why = fmt.Errorf("%w: %w", why, cause)
	}
	s := p.Stats()
	return fmt.Errorf("hemlock: shutdown: %s running, %d waiting, %s left: %w",
		plural(s.Running, "task"), s.Waiting, plural(s.Workers, "worker"), why)
}

// plural says how many there are of a thing whose plural has an s.
func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// close refuses further tasks and starts to retire the workers. It takes a
// moment to wake 100,000 of them, which a ctx that ends should not have to wait
// for, so if there are any it is done beside Shutdown.
func (p *Pool) close() {
	p.handoff.Refuse()
	p.accepted = p.handoff.Counts().Accepted
	p.closed.Store(true)
	p.killer.wakeUp()
	if p.count.workers() == 0 {
		p.drain()
	} else {
		go p.retire()
	}
}

// check panics if the pool was not made by New.
func (p *Pool) check() {
	if p == nil || p.handoff == nil {
		panic("hemlock: zero Pool: use New")
	}
}
