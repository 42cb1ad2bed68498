package hemlock

import (
	"iter"

	"example.com/hemlock/internal/handoff"
	"example.com/hemlock/internal/panics"
)

// Do runs the task and returns when it has ended, as the call
//
//	task()
//
// would, but on the stack of a worker, which has grown already. It is for handlers
// that a library calls on a goroutine that it starts for each request. The switch to
// the worker and back takes no scheduling, and allocates nothing when a worker for Do
// is idle. A task that needs little stack is faster as a call.
//
// The workers of Do serve Do alone; [Stats] and the options include them. Once
// [Pool.Shutdown] was called, Do calls the task itself, which no count includes and no
// Shutdown waits for. Do(nil) panics.
//
// If the task panics, so does Do, with the same value, once the handler of
// [WithPanicHandler] has been told. If nothing recovers it the process crashes with
// the caller's stack; the task has ended by then, so a Shutdown, and main with it, may
// return before the crash. If the task calls [runtime.Goexit], so does Do.
//
// The task runs on another goroutine than its caller:
//
//   - [runtime.Caller] and [runtime/debug.Stack] do not see the caller.
//   - The caller's profiler labels and [runtime/debug.SetPanicOnFault] do not hold
//     in the task, and those that the task sets end with it.
//   - The runtime ends the process with a fatal error if the caller is locked to its
//     thread, or the task ends with its thread locked; see [runtime.LockOSThread]. A
//     goroutine is locked, too, while it runs init functions, and in a call that
//     comes from C.
func (p *Pool) Do(task func()) {
	p.check()
	if task == nil {
		panic("hemlock: Do with a nil task")
	}
	at := p.handoff.Accept()
	if at == nil {
		p.alone(task, true)
		return
	}
	c := p.handoff.Borrow(at)
	if c == nil {
		c = p.spawnCoroutine(at)
	}
	c.Task, c.At = task, at
	// If the task does not return, neither does next, and the coroutine has settled
	// its account by then. So nothing is deferred here.
	if !next(c) {
		c = p.replaceCoroutine(at)
	}
	if !p.handoff.Return(c) {
		p.stop(c)
	}
}

// A coroutine is a worker of Do: the sequence behind a [handoff.Coroutine], and what
// the pool must know of it. Its fields belong to the goroutine that has it in hand, and
// to itself while it runs.
//
// The pool counts it as it counts other workers. The goroutine that makes it raises the
// count. One whose task does not return takes itself off the count. Every other one is
// taken off by the goroutine that stops it: a worker that leaves a closed pool may have
// to stop others, and coroutines would end within each other.
type coroutine struct {
	handoff.Coroutine
	pool    *Pool
	ran     uint64 // tasks run
	most    uint64 // tasks to run before the coroutine is replaced
	running bool   // a task has been started and has not returned
}

// newCoroutine returns a coroutine that is parked before its first task. It is made on a
// goroutine that is not locked to its thread: the runtime demands that every caller is as
// the maker was. So a caller that is locked dies in its own call, and not a later one that
// is not, or the killer.
func (p *Pool) newCoroutine() *handoff.Coroutine {
	w := &coroutine{pool: p, most: p.limit()}
	made := make(chan struct{})
	go func() {
		defer close(made)
		clean(p.labels) // not those of the caller, which the coroutine would inherit in turn
		w.Next, w.Stop = iter.Pull(w.work)
		w.Next() // to where it yields before its first task
	}()
	<-made
	return &w.Coroutine
}

// spawnCoroutine counts and makes a coroutine for an accepted task. A closed pool
// does so, too, as in [Pool.spawn].
func (p *Pool) spawnCoroutine(at *handoff.Shard) *handoff.Coroutine {
	p.countSpawn(at, (*handoff.Shard).Complete)
	return p.newCoroutine()
}

// replaceCoroutine returns a fresh coroutine, idle at the shard, in the place of
// one that has run its last task and has ended.
func (p *Pool) replaceCoroutine(at *handoff.Shard) *handoff.Coroutine {
	p.recycled.Inc()
	c := p.newCoroutine()
	c.At = at
	return c
}

// stop ends a coroutine that the caller has in hand and that runs no task.
func (p *Pool) stop(c *handoff.Coroutine) {
	c.Stop()
	p.leave()
}

// work is the sequence: it yields before each task.
func (w *coroutine) work(yield func(struct{}) bool) {
	defer w.end()
	for w.ran < w.most && yield(struct{}{}) {
		w.run()
	}
}

// run runs the task in hand and counts it as completed.
func (w *coroutine) run() {
	w.running = true
	w.Task()
	w.running = false
	w.Task = nil // or an idle coroutine would keep alive what it captured
	w.ran++
	clean(w.pool.labels)
	w.At.Complete()
}

// end settles the account of a coroutine whose task did not return. The iterator makes
// the caller call runtime.Goexit if the task did. It would make the caller panic, too,
// but with GODEBUG=panicnil=1 it takes a panic with nil for Goexit. So a panic ends
// here, and the caller raises it again: see raiseAgain.
func (w *coroutine) end() {
	if !w.running {
		return
	}
	defer w.lose()
	if !panics.Unwinding() {
		return
	}
	known, v := panics.Told(), recover()
	if w.pool.handler != nil {
		w.pool.tell(v, known)
		known = true
	}
	w.Panic = &handoff.Panic{Value: v, Told: known} // unless the handler called Goexit
}

// lose counts the task that did not return, and takes the coroutine off the count. It
// is deferred, because the panic handler may not return. If the handler panics, its
// panic takes the place of the task's, and no handler knows of it.
func (w *coroutine) lose() {
	if panics.Unwinding() {
		w.Panic = &handoff.Panic{Value: recover()}
	}
	w.At.Complete()
	w.pool.leave()
}

// next has the coroutine run the task in hand, and reports whether it can run more.
// If the task does not return, neither does next.
func next(c *handoff.Coroutine) bool {
	defer raiseAgain(c)
	_, more := c.Next()
	return more
}

// raiseAgain raises, in the caller of Do, the panic that ended the coroutine, if one
// did. It is deferred: if a task panics while it is in runtime.Goexit, Next goes on with
// Goexit when the panic has ended.
func raiseAgain(c *handoff.Coroutine) {
	switch {
	case c.Panic == nil:
	case c.Panic.Told:
		panics.Raise(c.Panic.Value)
	default:
		panic(c.Panic.Value)
	}
}
