package hemlock

import (
	"context"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"example.com/hemlock/internal/handoff"
	"example.com/hemlock/internal/panics"
)

// timing says that a worker times one task in timing. To time a task costs two
// readings of the clock.
const timing = 8

const (
	// slice is the time slice: how long a worker goes on while tasks wait, until every
	// other goroutine has had a turn. "Time slices" in docs/DESIGN.md says what a longer
	// and a shorter one do.
	slice = 100 * time.Microsecond

	// brief is the time slice of a worker that has not yielded, where tasks take long. The
	// worker on its way has the task that has waited longest, and whatever a worker takes
	// while tasks wait overtakes it.
	brief = slice / 4

	// idled is the time slice after a turn in which a processor idled for about
	// handoff.Patience.
	idled = 10 * handoff.Patience

	// longest is the runtime's own time slice: it preempts what runs longer.
	longest = 10 * time.Millisecond
)

// A worker is one goroutine's life in the pool. It is born with a task, and runs what
// the handoff gives it until it is told to leave, until it has run as many tasks as it
// may, or until a task ends its goroutine. All fields belong to that goroutine.
//
// It lies on the heap, not on the goroutine's stack, and so does the task in hand. The
// less stack a worker uses before a task begins, the deeper a task it can run before
// its stack has to grow. That decides how fast a burst of tasks runs on new workers.
type worker struct {
	pool *Pool

	// at is the shard of the last task's submitter, where the worker counts the
	// task and waits for the next.
	at *handoff.Shard

	task func() // in hand, or nil
	ran  uint64 // tasks run, or begun
	most uint64 // tasks to run before the worker is replaced

	// since is when the task in hand began, if it is timed. until is when the time
	// slice ends, or 0 if none has begun. Both are by the handoff's clock.
	since, until time.Duration

	successor bool // it took the place of a recycled worker, with its task
	running   bool // a task has been started and has not returned
	pill      bool // it was told to leave
	replaced  bool // a successor has taken its place
	long      bool // the last task that was timed was long: time the next one
	over      bool // the time slice has ended
}

// spawn counts and starts a worker that is born with the task. If the task were sent to
// the newborn through a channel, an older worker could take it, and the newborn would
// wait for a task that may never come.
//
// A closed pool spawns, too: the task was accepted, so it runs. That is safe because
// drained is not closed while an accepted task has not completed.
func (p *Pool) spawn(at *handoff.Shard, task func()) {
	p.countSpawn(at, (*handoff.Shard).Abandon)
	p.start(at, task, false)
}

// countSpawn counts one more worker, of either kind, before it starts; see
// [killer.noteSpawn]. If the pool is misplaced it gives up the accepted task, and panics.
func (p *Pool) countSpawn(at *handoff.Shard, giveUp func(*handoff.Shard)) {
	if p.killer.misplaced() {
		giveUp(at)
		if p.closed.Load() {
			p.drain() // the task may have been the last
		}
		panic("hemlock: a Pool is used in a bubble of testing/synctest, but was made outside of it")
	}
	workers := p.count.raise()
	p.spawned.Inc()
	p.killer.noteSpawn(workers)
}

// start starts a worker that is born with the task.
func (p *Pool) start(at *handoff.Shard, task func(), successor bool) {
	w := &worker{pool: p, at: at, task: task, most: p.limit(), successor: successor}
	go w.work()
}

// work is the body of a worker's goroutine.
func (w *worker) work() {
	defer w.end()
	// A goroutine is born with the labels of the one that started it, and would
	// carry its first submitter's for life.
	clean(w.pool.labels)
	if !w.successor {
		w.begin()
	}
	for w.run(); w.next(); w.run() {
		if w.ran == w.most {
			w.recycle()
			return
		}
	}
}

// begin is what a worker does before each task that it is sent, but not before those that
// it takes from the backlog: if more tasks wait at the shard, it sends the next one to
// another worker.
//
// If a turn is owed it yields before, while it still counts as on its way and has woken
// no worker. The runtime runs a goroutine that was just woken next, so as long as
// workers wake workers no other goroutine has a turn.
func (w *worker) begin() {
	w.until = 0
	if w.at.Settle() {
		w.yield()
	}
	w.at.Begin()
}

// yield lets every goroutine that is ready to run on this processor have its turn, and
// begins a time slice.
func (w *worker) yield() {
	turn, gaveWay, now := w.at.Yield()
	w.until = now + sliceAfter(turn, gaveWay)
}

// sliceAfter returns the time slice that follows a turn of others. A long turn is a
// computation, and leaves the pool a third of the time. If it were half, the workers of
// two pools would take each other's time slices for computation, and lengthen theirs in
// turn. A turn of a submitter that had to give way was spent in its system calls.
func sliceAfter(turn time.Duration, gaveWay bool) time.Duration {
	if gaveWay {
		return idled
	}
	return max(slice, min(turn/2, longest))
}

// run runs the task in hand and counts it as completed.
func (w *worker) run() {
	timed := w.ran%timing == 0 || w.long // the first one too: a worker may not run many
	w.ran++
	if timed {
		w.since = w.pool.handoff.Clock()
	}
	w.running = true
	w.task()
	w.running = false
	if timed {
		w.measure(w.pool.handoff.Clock())
	}
	w.at.Complete()
	clean(w.pool.labels)
}

// measure notes how long the task took that has just ended, and whether the time slice
// has ended with it. A time slice ends only while tasks wait. It begins when the worker
// yields, or else, and shorter where tasks take long, with the first call that finds
// tasks waiting. A task is long if fewer than timing of its kind fit into the latter.
func (w *worker) measure(now time.Duration) {
	took := now - w.since
	w.pool.handoff.Note(took)
	first := slice
	if w.pool.handoff.Lengthy() {
		first = brief
	}
	w.long = took > first/timing
	if !w.at.Waits() {
		return
	}
	if w.until == 0 {
		w.until = now + first
	}
	w.over = now >= w.until
}

// next waits for the worker's next task and reports true, or reports false when the
// worker is to leave. Tasks that wait come before the end of the pool: otherwise
// another worker would have to be woken for them. The task that has ended is forgotten
// either way: an idle worker would keep alive what it captured.
func (w *worker) next() bool {
	if w.task = w.drain(); w.task != nil {
		return true
	}
	if w.pool.closed.Load() {
		return false
	}
	task, at := w.at.Take()
	if w.pill = task == nil; w.pill {
		return false
	}
	w.task, w.at = task, at
	w.begin()
	return true
}

// drain returns the next task that waits, or nil. At the end of the time slice it
// leaves the rest to the worker on its way, which yields first.
func (w *worker) drain() func() {
	if w.over {
		w.over = false
		w.at.Owe()
		return nil
	}
	return w.at.Next()
}

// recycle gives the worker's place and the task in hand to a fresh goroutine, with a
// fresh stack. The number of workers stays the same.
func (w *worker) recycle() {
	w.replaced = true
	w.pool.recycled.Inc()
	w.pool.start(w.at, w.task, true)
}

// end settles the worker's account, however the goroutine came to its end. It
// is the only deferred call of a worker, not one of each task: a task that does
// not return ends its worker anyway.
//
// A task that panics without a handler is never completed and its worker never
// leaves. Deferred calls run before the runtime prints the panic and exits, so if a
// Shutdown returned because of them, main could return first, and the process would
// exit with status 0 and without a word. For the same reason nothing is
// recovered and raised again: the crash shows the task's own stack.
func (w *worker) end() {
	switch {
	case w.replaced:
	case !w.running:
		w.leave()
	case !panics.Unwinding():
		w.complete() // runtime.Goexit
	case w.pool.handler != nil:
		known, v := panics.Told(), recover()
		defer w.handled() // deferred, because the handler may call runtime.Goexit
		w.pool.tell(v, known)
	}
}

// handled ends the worker after the panic handler, unless that panicked too.
func (w *worker) handled() {
	if !panics.Unwinding() {
		w.complete()
	}
}

// tell counts a panic in a task and calls the panic handler, with the task's stack,
// unless a handler knows of the panic.
func (p *Pool) tell(v any, known bool) {
	if known {
		return
	}
	p.panicked.Inc()
	p.handler(v, debug.Stack())
}

// complete counts the task that did not return, and leaves.
func (w *worker) complete() {
	w.at.Complete()
	w.leave()
}

func (w *worker) leave() {
	w.pool.leave()
	if w.pill {
		w.pool.killer.noteSwallowed()
	}
}

// clean removes what a task may have left on its goroutine for the next one, and gives
// it the labels.
func clean(labels context.Context) {
	pprof.SetGoroutineLabels(labels)
	debug.SetPanicOnFault(false)
}
