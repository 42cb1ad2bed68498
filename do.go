package hemlock

import (
	"iter"
	"runtime/debug"

	"example.com/hemlock/internal/handoff"
)

// Do runs the task and returns when it has ended, as the call
//
//	task()
//
// would, but on the stack of a worker, which has grown already. It is for
// goroutines that a library starts: where it says go for each request and calls a
// handler of yours, the handler can be called through Do. Switching to the worker
// and back takes no scheduling. Do allocates nothing when a worker for Do is idle. A
// task that needs little stack is faster as a call.
//
// The workers of Do serve Do alone. In all else they are like others: [Stats]
// counts them and their tasks, and the options of the pool hold for them. Once
// [Pool.Shutdown] was called, Do calls the task itself, which no count includes
// and no Shutdown waits for. Do(nil) panics.
//
// If the task panics, the handler of [WithPanicHandler] is told, with the task's
// stack, and then Do panics with the same value, so that the caller can recover
// it. If nobody does, the process crashes, with the caller's stack; the task's is
// lost unless the handler has kept it. The task has ended when its panic reaches
// the caller, so a [Pool.Shutdown] may return, and main with it, before the crash.
// The handler is not told again when the caller is a task that the panic leaves.
// A handler that panics or calls [runtime.Goexit] does so in the place of the task.
// If the task calls [runtime.Goexit], so does Do.
//
// A task may call Do, Run and Submit, and hand locks, contexts and whatever is
// not tied to a goroutine to and fro as in a call. But it runs on another
// goroutine than its caller:
//
//   - [runtime.Caller] and [runtime/debug.Stack] do not see the caller.
//   - The profiler labels of the caller, and its [runtime/debug.SetPanicOnFault],
//     do not hold in the task, and those that the task sets end with it. To have
//     the labels, start the task with pprof.SetGoroutineLabels(ctx), where ctx
//     carries them.
//   - A caller that is locked to its thread must not call Do, and a task must not
//     end with its thread locked, see [runtime.LockOSThread]: the runtime ends the
//     process with a fatal error, at once or in a later Do of any goroutine. A
//     goroutine is locked, too, while it runs init functions, and in a call that
//     comes from C.
//
// The call of Do synchronizes before the task starts, and the end of the task before
// Do returns, in the terminology of the Go memory model.
func (p *Pool) Do(task func()) {
	p.check()
	if task == nil {
		panic("hemlock: Do with a nil task")
	}
	at := p.handoff.Accept()
	if at == nil {
		p.doAlone(task)
		return
	}
	c := p.handoff.Borrow(at)
	if c == nil {
		c = p.spawnCoworker()
	}
	c.Delivery = handoff.Delivery{Task: task, At: at}
	// If the task does not return, neither does next, and the coworker has settled
	// its account by then. So nothing is deferred here.
	if !next(c) {
		c = p.replaceCoworker(at)
	}
	if !p.handoff.Return(c) {
		p.dismiss(c)
	}
}

// A coworker is a worker of Do: the sequence of a coroutine, and what the pool
// must know of it. Its fields belong to whoever has the coroutine in hand, and to
// the coroutine while it runs; see [handoff.Coroutine].
//
// The pool counts it like a worker. Who spawns it raises the count. A coworker
// whose task does not return counts itself out, every other one is counted out
// by the goroutine that stops it: who leaves a closed pool may have to end others,
// and they would all end within each other.
type coworker struct {
	handoff.Coroutine
	pool    *Pool
	ran     uint64 // tasks run
	most    uint64 // tasks to run before the coworker is replaced
	running bool   // a task has been started and has not returned
}

// newCoworker returns a coworker that is parked before its first task.
func (p *Pool) newCoworker() *handoff.Coroutine {
	w := &coworker{pool: p, most: p.limit()}
	w.Next, w.Stop = iter.Pull(w.work)
	w.Next() // or it would idle with the profiler labels of its caller
	return &w.Coroutine
}

// spawnCoworker counts and makes a coworker for an accepted task. A closed pool
// spawns, too, as in [Pool.spawn].
func (p *Pool) spawnCoworker() *handoff.Coroutine {
	p.countSpawn()
	return p.newCoworker()
}

// replaceCoworker returns a fresh coworker, idle at the shard, in the place of
// one that has done its share and has ended.
func (p *Pool) replaceCoworker(at *handoff.Shard) *handoff.Coroutine {
	p.recycled.Inc()
	c := p.newCoworker()
	c.At = at
	return c
}

// work is the sequence: it yields before each task.
func (w *coworker) work(yield func(struct{}) bool) {
	defer w.end()
	clean() // a goroutine is born with the labels of the one that started it
	for w.ran < w.most && yield(struct{}{}) {
		w.run()
	}
}

// run runs the task in hand and counts it as completed.
func (w *coworker) run() {
	w.running = true
	w.Task()
	w.running = false
	w.Task = nil // or an idle coworker would keep alive what it captured
	w.ran++
	clean()
	w.At.Complete()
}

// end settles the account of a coworker whose task did not return. The iterator
// makes the caller call runtime.Goexit if the task did. It would make the caller
// panic, too, but with GODEBUG=panicnil=1 it takes a panic with nil for Goexit. So
// a panic ends here, and the caller raises it again: see pass.
func (w *coworker) end() {
	if !w.running {
		return
	}
	defer w.lost()
	if !unwinding() {
		return
	}
	known := told()
	v := recover()
	if w.pool.handler != nil && !known {
		w.pool.tell(v)
		known = true
	}
	w.Panic = &handoff.Panic{Value: v, Told: known} // unless the handler called Goexit
}

// lost counts the task that did not return, and the coworker out. It is deferred,
// because the panic handler may not return. If that panics, its panic takes the
// place of the task's, and nobody was told of it.
func (w *coworker) lost() {
	if unwinding() {
		w.Panic = &handoff.Panic{Value: recover()}
	}
	w.At.Complete()
	w.pool.leave()
}

// next has the coworker run the task in hand, and reports whether it can run more.
// If the task does not return, neither does next.
func next(c *handoff.Coroutine) bool {
	defer pass(c)
	_, more := c.Next()
	return more
}

// pass raises, in the caller, the panic that ended the coworker, if one did. It is
// deferred: a task that panics while it is in runtime.Goexit is in it still when the
// panic has ended, and so is Next.
func pass(c *handoff.Coroutine) {
	switch {
	case c.Panic == nil:
	case c.Panic.Told:
		raise(c.Panic.Value)
	default:
		panic(c.Panic.Value)
	}
}

// dismiss ends a coworker that the caller has in hand and that runs no task.
func (p *Pool) dismiss(c *handoff.Coroutine) {
	c.Stop()
	p.leave()
}

// poison ends an idle worker, and reports whether it found one. Of the two kinds
// it takes the one of which more are idle. If one kind always came first, a
// trickle of tasks for it would have its one busy worker killed and spawned
// again, and the idle ones of the other kind would stay.
func (p *Pool) poison() bool {
	if 2*p.handoff.Coroutines() > p.Stats().Idle {
		return p.killCoworker() || p.handoff.Poison()
	}
	return p.handoff.Poison() || p.killCoworker()
}

// killCoworker ends the coworker that is idle longest, if there is one.
func (p *Pool) killCoworker() bool {
	c := p.handoff.Oldest()
	if c == nil {
		return false
	}
	p.dismiss(c)
	p.killer.noteSwallowed()
	return true
}

// retire ends the idle coworkers of a closed pool, and then drives it to its
// end. From now on a coworker that has run a task finds that it cannot become
// idle, and is dismissed by its caller.
func (p *Pool) retire() {
	for c := p.handoff.Oldest(); c != nil; c = p.handoff.Oldest() {
		p.dismiss(c)
	}
	p.drain()
}

// doAlone calls a task that the closed pool did not accept.
func (p *Pool) doAlone(task func()) {
	if p.handler != nil {
		defer func() {
			if unwinding() && !told() {
				v := recover()
				p.handler(v, debug.Stack())
				raise(v)
			}
		}()
	}
	task()
}
