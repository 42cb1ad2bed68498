package hemlock

import (
	"runtime"
	"runtime/debug"
	"sync"
)

// tell counts a panic in a task and calls the panic handler, with the task's stack,
// unless a handler knows of the panic.
func (p *Pool) tell(v any, known bool) {
	if known {
		return
	}
	p.panicked.Inc()
	p.handler(v, debug.Stack())
}

// alone calls a task that the closed pool did not accept, and that no count includes.
// A panic goes to the handler, and ends here unless it is to be passed on to the
// caller of Do.
func (p *Pool) alone(task func(), pass bool) {
	if p.handler != nil {
		defer func() {
			if !unwinding() {
				return
			}
			known, v := told(), recover()
			if !known {
				p.handler(v, debug.Stack())
			}
			if pass {
				raise(v)
			}
		}()
	}
	task()
}

// unwinding reports whether the deferred function that calls it was called because of
// a panic, rather than because its function returned or the goroutine called
// runtime.Goexit. A call of recover would tell too, but would end the panic. The
// deferred function must call unwinding itself.
//
// In a panic one function of the runtime calls the deferred functions, otherwise
// another does. Which function it is in a panic is learned from an example: its name is
// no promise, and tools that shrink or obscure programs remove it.
func unwinding() bool { return same(callersOfDeferred()[0], callersInPanic()[0]) }

// told reports whether a panic handler knows of the panic for which the deferred
// function was called, because [Pool.Do] raised it again in its caller. The deferred
// function must call told itself. The value would not tell: two panics may have the
// same one.
func told() bool {
	callers, example := callersOfDeferred(), callersInPanic()
	return same(callers[0], example[0]) && same(callers[1], example[1])
}

// raise panics with the value of a panic that a handler knows of. told finds it on the
// stack.
//
//go:noinline
func raise(v any) { panic(v) }

// callersInPanic returns the function that calls deferred functions in a panic, and
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

// same reports whether two frames are of the same function. A plugin has a copy of
// each function, those of the runtime included, so the same name counts too. Tools that
// remove the names build no plugins.
func same(a, b runtime.Frame) bool {
	return a.Entry == b.Entry || a.Function != "" && a.Function == b.Function
}

// callersOfDeferred returns the function that called the deferred function that
// called its caller, and the function that called that one.
func callersOfDeferred() (callers [2]runtime.Frame) {
	var pcs [len(callers)]uintptr
	const skip = 4 // Callers, callersOfDeferred, its caller, the deferred function
	frames := runtime.CallersFrames(pcs[:runtime.Callers(skip, pcs[:])])
	for i := range callers {
		callers[i], _ = frames.Next()
	}
	return callers
}
