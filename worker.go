package hemlock

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"time"

	"example.com/hemlock/internal/handoff"
)

// timing is how many tasks there are to one that a worker times, which costs two
// readings of the clock.
const timing = 8

const (
	// slice is how long a worker goes on while tasks wait, until every other
	// goroutine has had a turn. "Time slices" in docs/DESIGN.md says what a longer
	// and a shorter one do.
	slice = 100 * time.Microsecond

	// longest is the runtime's own time slice: what goes on longer is preempted.
	longest = 10 * time.Millisecond
)

// A worker is one goroutine's life in the pool: born with a task, it runs what
// the handoff gives it until it is told to leave, until it has run as many as it
// may, or until a task ends its goroutine. All fields belong to that goroutine.
//
// It lies on the heap, not on the goroutine's stack, and so does the task in
// hand. The less stack a worker uses before a task begins, the deeper a task it
// can run before its stack has to grow: that decides how a burst of tasks fares
// that finds no worker.
type worker struct {
	pool *Pool

	// at is the shard of the last task's submitter, where the worker counts the
	// task and waits for the next.
	at *handoff.Shard

	task func() // in hand, or nil
	ran  uint64 // tasks run, or begun
	most uint64 // tasks to run before the worker is replaced

	// By the handoff's clock: when the task in hand began, if it is timed, and when
	// the time slice ends, or 0 as long as none has begun.
	since, until time.Duration

	inherits bool // the first task comes from a worker that was recycled
	running  bool // a task has been started and has not returned
	pill     bool // the worker was told to leave
	heir     bool // another goroutine has taken the worker's place
	long     bool // the last task that was timed was long: time the next one
	over     bool // the time slice has ended
}

// start starts a worker that is born with the task.
func (p *Pool) start(at *handoff.Shard, task func(), inherited bool) {
	w := &worker{pool: p, at: at, task: task, most: p.limit(), inherits: inherited}
	go w.work()
}

// work is the body of a worker's goroutine.
func (w *worker) work() {
	defer w.end()
	// A goroutine is born with the labels of the one that started it, and would
	// carry its first submitter's for life.
	clean()
	if !w.inherits {
		w.begin()
	}
	for w.run(); w.next(); w.run() {
		if w.ran == w.most {
			w.recycle()
			return
		}
	}
}

// begin is what a worker does first with a delivery: if more tasks wait at its
// shard, it sends the next on its way before it runs its own.
//
// If a turn is owed it yields before, while it still counts as on its way and has
// woken nobody: the runtime runs a goroutine that was just woken next, so as long
// as workers wake workers no other goroutine would have a turn.
func (w *worker) begin() {
	w.until = 0
	if w.at.Settle() {
		w.yield()
	}
	d := handoff.Delivery{Task: w.task, At: w.at}
	w.pool.send(d.Begin())
}

// yield lets every goroutine that is ready to run on this processor have its turn,
// and begins a time slice of half that time, so that goroutines that compute for
// long leave the pool its share. With all of it, the workers of two pools would take
// each other's time slices for computation, and lengthen theirs in turn.
func (w *worker) yield() {
	before := w.pool.handoff.Clock()
	runtime.Gosched()
	after := w.pool.handoff.Clock()
	w.until = after + min(max((after-before)/2, slice), longest)
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
		w.look(w.pool.handoff.Clock())
	}
	w.at.Complete()
	clean()
}

// look tells how long a task took that has just ended, and whether the time slice
// has ended with it. Only while tasks wait there is a time slice, which begins
// with the first look. A task is long if a time slice has room for fewer than
// timing of its kind.
func (w *worker) look(now time.Duration) {
	took := now - w.since
	w.pool.handoff.Note(took)
	w.long = took > slice/timing
	if !w.at.Waits() {
		return
	}
	if w.until == 0 {
		w.until = now + slice
	}
	w.over = now >= w.until
}

// next waits for the worker's next task and reports true, or reports false when
// the worker is to leave. Tasks that wait come before the end of the pool:
// otherwise another worker would have to be woken for them. The task that has
// ended is forgotten either way: an idle worker would keep alive what it captured.
func (w *worker) next() bool {
	if w.task = w.drain(); w.task != nil {
		return true
	}
	if w.pool.closed.Load() {
		return false
	}
	d := w.pool.handoff.Take(w.at)
	if w.pill = d.Task == nil; w.pill {
		return false
	}
	w.task, w.at = d.Task, d.At
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

// recycle hands the worker's place and the task in hand to a fresh goroutine,
// with a fresh stack. The number of workers stays the same.
func (w *worker) recycle() {
	w.heir = true
	w.pool.recycled.Inc()
	w.pool.start(w.at, w.task, true)
}

// end settles the worker's account, however the goroutine came to its end. It
// is the only deferred call of a worker, not one of each task: a task that does
// not return ends its worker anyway.
//
// A task that panics without a handler is never completed and its worker never
// leaves. Deferred calls run before the runtime prints the panic and exits, so a
// Shutdown released here could let main return first, and the process would
// exit with status 0 and without a word. For the same reason nothing is
// recovered and thrown again: the crash shows the task's own stack.
func (w *worker) end() {
	switch {
	case w.heir:
	case !w.running:
		w.leave()
	case !unwinding():
		w.complete() // runtime.Goexit
	case w.pool.handler != nil:
		known := told()
		v := recover()
		// Deferred, because the handler may call runtime.Goexit.
		defer w.handled()
		if !known {
			w.pool.tell(v)
		}
	}
}

// handled ends the worker after the panic handler, unless that panicked too.
func (w *worker) handled() {
	if !unwinding() {
		w.complete()
	}
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

// clean removes what a task may have left on its goroutine for the next one.
func clean() {
	pprof.SetGoroutineLabels(context.Background())
	debug.SetPanicOnFault(false)
}

// unwinding reports whether the deferred function that calls it was called
// because of a panic, rather than because its function returned or the
// goroutine called runtime.Goexit. A call of recover would tell too, but would
// end the panic. The deferred function must call unwinding itself.
//
// In a panic deferred functions are called by one function of the runtime, else
// by another. Which one it is in a panic is learned from an example. Its name is
// nobody's promise, and tools that shrink or obscure programs remove it.
func unwinding() bool { return same(callersOfDeferred()[0], callersInPanic()[0]) }

// told reports whether a panic handler knows of the panic that the deferred
// function was called for: [Pool.Do] raised it again in its caller. Like unwinding,
// it is called by the deferred function itself. The value would not tell: two panics
// may have the same.
func told() bool {
	callers, example := callersOfDeferred(), callersInPanic()
	return same(callers[0], example[0]) && same(callers[1], example[1])
}

// raise panics with a value that a panic handler knows. It is known by its caller.
//
//go:noinline
func raise(v any) { panic(v) }

// callersInPanic are the function that calls deferred functions in a panic, and
// raise.
var callersInPanic = sync.OnceValue(func() (callers [2]runtime.Frame) {
	defer func() { _ = recover() }()
	defer func() { callers = exampleOfUnwinding() }()
	raise("hemlock: an example")
	return callers
})

// exampleOfUnwinding stands where unwinding stands in a deferred function.
//
//go:noinline
func exampleOfUnwinding() [2]runtime.Frame { return callersOfDeferred() }

// same reports whether two frames are of the same function. A plugin has its own
// copy of each, those of the runtime included, so that the name counts too. Where
// tools have removed the names there are no plugins.
func same(a, b runtime.Frame) bool {
	return a.Entry == b.Entry || a.Function != "" && a.Function == b.Function
}

// callersOfDeferred returns the function that called the deferred function that
// called its caller, and the one that called that.
func callersOfDeferred() (callers [2]runtime.Frame) {
	var pcs [len(callers)]uintptr
	const skip = 4 // Callers, callersOfDeferred, its caller, the deferred function
	frames := runtime.CallersFrames(pcs[:runtime.Callers(skip, pcs[:])])
	for i := range callers {
		callers[i], _ = frames.Next()
	}
	return callers
}
