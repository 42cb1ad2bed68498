package hemlock

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"runtime/pprof"

	"example.com/hemlock/internal/handoff"
)

// A worker is one goroutine's life in the pool: born with a task, it runs what
// the handoff gives it until it is told to leave, until it has done its share,
// or until a task ends its goroutine. All fields belong to that goroutine.
type worker struct {
	pool *Pool

	// at is the station of the last task's submitter, where the worker counts
	// the task and waits for the next.
	at *handoff.Station

	left    uint64 // tasks to run before the worker is replaced
	running bool   // a task has been started and has not returned
	pill    bool   // the worker was told to leave
	heir    bool   // another goroutine has taken the worker's place
}

// work is the body of a worker's goroutine.
func (p *Pool) work(at *handoff.Station, task func()) {
	w := worker{pool: p, at: at, left: p.share()}
	defer w.end()
	// A goroutine is born with the labels of the one that started it, and would
	// carry its first submitter's for life.
	clean()
	w.loop(task)
}

func (w *worker) loop(task func()) {
	for {
		w.running = true
		task()
		w.running = false
		// From here on nothing may hold on to the task: an idle worker would
		// keep alive what it captured.
		task = nil
		w.at.Complete()
		clean()
		if w.pool.closed() {
			return
		}
		if task, w.at = w.pool.handoff.Take(w.at); task == nil {
			w.pill = true
			return
		}
		if w.left--; w.left == 0 {
			w.recycle(task)
			return
		}
	}
}

// recycle hands the worker's place and the task it has received to a fresh
// goroutine, with a fresh stack. The number of workers stays the same.
func (w *worker) recycle(task func()) {
	w.heir = true
	w.pool.recycled.Inc()
	go w.pool.work(w.at, task)
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
		v := recover()
		// Deferred, because the handler may call runtime.Goexit.
		defer w.handled()
		w.pool.panicked.Inc()
		w.pool.handler(v, debug.Stack())
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

// share draws how many tasks a worker may run: the maximum plus or minus up to
// a quarter. In uint64 the largest int does not overflow.
func (p *Pool) share() uint64 {
	limit := p.maxTasks
	if limit == 0 {
		return math.MaxUint64
	}
	return limit - limit/4 + rand.Uint64N(limit/4*2+1)
}

// clean removes what a task may have left on its goroutine for the next one.
func clean() {
	pprof.SetGoroutineLabels(context.Background())
	debug.SetPanicOnFault(false)
}

// unwinding reports whether the deferred function that calls it was called
// because of a panic, rather than because its function returned or the
// goroutine called runtime.Goexit. A call of recover would tell too, but would
// end the panic. The deferred function must call unwinding itself: it looks at
// its caller's caller.
func unwinding() bool {
	var pcs [1]uintptr
	const skip = 3 // Callers, unwinding, the deferred function
	runtime.Callers(skip, pcs[:])
	frame, _ := runtime.CallersFrames(pcs[:]).Next()
	return frame.Function == "runtime.gopanic"
}

// runAlone runs a task that the closed pool did not accept.
func (p *Pool) runAlone(task func()) {
	if p.handler != nil {
		defer func() {
			if unwinding() {
				p.handler(recover(), debug.Stack())
			}
		}()
	}
	task()
}
