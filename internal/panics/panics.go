// Package panics tells a deferred function why it was called, without recover, which
// would end the panic.
//
// In a panic one function of the runtime calls the deferred functions, otherwise
// another does. Which function it is in a panic is learned from an example: its name is
// no promise, and tools that shrink or obscure programs remove it.
package panics

import (
	"runtime"
	"sync"
)

// Unwinding reports whether the deferred function that calls it was called because of
// a panic, rather than because its function returned or the goroutine called
// runtime.Goexit. The deferred function must call Unwinding itself.
func Unwinding() bool { return same(callersOfDeferred()[0], callersInPanic()[0]) }

// Told reports whether the deferred function that calls it was called because of a
// panic of [Raise]. The deferred function must call Told itself. The value would not
// tell: two panics may have the same one.
func Told() bool {
	callers, example := callersOfDeferred(), callersInPanic()
	return same(callers[0], example[0]) && same(callers[1], example[1])
}

// Raise panics with the value of a panic that a panic handler knows of. Told finds it on
// the stack.
//
//go:noinline
func Raise(v any) { panic(v) }

// callersInPanic returns the function that calls deferred functions in a panic, and
// Raise.
var callersInPanic = sync.OnceValue(func() (callers [2]runtime.Frame) {
	defer func() { _ = recover() }()
	defer func() { callers = exampleOfUnwinding() }()
	Raise("hemlock: an example")
	return callers
})

// exampleOfUnwinding stands where Unwinding stands in a deferred function.
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
