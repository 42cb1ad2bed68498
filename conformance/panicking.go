package conformance

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

var panicking = []Clause{
	{
		Name: "panic-crashes", Promise: "Without a handler a panic in a task crashes the process as in a go statement, with the task's own stack.",
		check: panicCrashes, judge: byCrash,
	},
	{
		Name: "crash-not-swallowed", Promise: "A crashing task does not release Shutdown, which would let main return first and hide the panic.",
		needs: []Ability{Shutdown}, check: crashNotSwallowed, judge: byCrash,
	},
	{
		Name: "handler-gets-panic", Promise: "The panic handler gets the value of the panic and the stack of the task.",
		needs: []Ability{PanicHandler}, check: handlerGetsPanic,
	},
	{
		Name: "handler-gets-panics-only", Promise: "However a task ends, a panic that is left reaches the handler, and Goexit and recovered panics do not.",
		needs: []Ability{PanicHandler}, check: handlerGetsPanicsOnly,
	},
	{
		Name: "handler-panic-crashes", Promise: "A panic of the panic handler crashes the process, also while Shutdown waits.",
		needs: []Ability{PanicHandler, Shutdown}, check: handlerPanicCrashes, judge: byCrash,
	},
	{
		Name: "handler-may-goexit", Promise: "A panic handler that calls runtime.Goexit strands neither the pool nor Shutdown.",
		needs: []Ability{PanicHandler, Shutdown}, check: handlerMayGoexit,
	},
	{
		Name: "shutdown-outlasts-handler", Promise: "Shutdown returns after the last panic handler has returned.",
		needs: []Ability{PanicHandler, Shutdown}, check: shutdownOutlastsHandler,
	},
	{
		Name: "panics-cost-nothing", Promise: "After 1,000 tasks that panicked the pool works as before and shuts down.",
		needs: []Ability{PanicHandler}, check: panicsCostNothing,
	},
	{
		Name: "goexit-costs-nothing", Promise: "After 1,000 tasks that called runtime.Goexit the pool works as before and shuts down.",
		check: goexitCostsNothing,
	},
}

// What the crash of a process must show.
const (
	crashStatus   = 2
	crashText     = "conformance: this panic must be seen"
	crashFunction = "conformance.crash("
)

// slowPanic is a panic value whose text takes its time. The runtime asks for the text
// after it has run the deferred functions and before it ends the process. So a pool has
// that long to let the process end in another way. In a bubble it is for ever: time
// passes when the pool and all that wait for it can do no more.
type slowPanic struct{}

func (slowPanic) Error() string {
	time.Sleep(100 * time.Millisecond)
	return crashText
}

func crash() { panic(slowPanic{}) }

func panicCrashes(x *trial) {
	p := x.pool(Settings{})
	x.step("a task panics")
	x.submit(p, func() { crash() })
	// A pool that recovers the panic may crash some other way. That takes less than
	// this, by the clock of the bubble.
	time.Sleep(2 * time.Second)
	os.Exit(0)
}

func crashNotSwallowed(x *trial) {
	p := x.pool(Settings{})
	x.step("main waits in Shutdown for a task that panics")
	x.submit(p, func() { crash() })
	exitAfterShutdown(p)
}

func handlerPanicCrashes(x *trial) {
	p := x.pool(Settings{PanicHandler: func(any, []byte) { crash() }})
	x.step("main waits in Shutdown for a panic handler that panics")
	x.submit(p, func() { panic("for the handler") })
	exitAfterShutdown(p)
}

// exitAfterShutdown does what the main function of a well-behaved program does.
func exitAfterShutdown(p Pool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = p.(Stopper).Shutdown(ctx) // whatever it returns, the process should never get so far
	os.Exit(0)
}

func handlerGetsPanic(x *trial) {
	type caught struct {
		value any
		stack []byte
	}
	got := make(chan caught, 1)
	p := x.pool(Settings{PanicHandler: func(v any, stack []byte) { got <- caught{v, stack} }})
	value := new(int)
	x.submit(p, func() { panicWith(value) })
	x.step("waiting for the panic handler")
	select {
	case c := <-got:
		x.require(c.value == any(value), "the handler got %v, not the value of the panic", c.value)
		x.require(bytes.Contains(c.stack, []byte("conformance.panicWith(")), "the handler's stack does not show the task")
	case <-time.After(patience):
		x.fail("the panic handler was not called")
	}
}

func panicWith(v any) { panic(v) }

// handlerGetsPanicsOnly lets tasks end in many ways.
func handlerGetsPanicsOnly(x *trial) {
	recovering := func() { _ = recover() }
	for name, c := range map[string]struct {
		panics int64
		task   func()
	}{
		"return":              {0, func() {}},
		"a recovered panic":   {0, func() { defer recovering(); panic("recovered") }},
		"Goexit":              {0, runtime.Goexit},
		"Goexit after panic":  {0, func() { defer runtime.Goexit(); panic("dropped") }},
		"panic":               {1, func() { panic("for the handler") }},
		"panic with nil":      {1, func() { panic(nil) }},
		"a runtime error":     {1, func() { var s []int; s[runtime.NumCPU()]++ }},
		"panic after Goexit":  {1, func() { defer func() { panic("late") }(); runtime.Goexit() }},
		"panic after panic":   {1, func() { defer func() { panic("second") }(); panic("first") }},
		"panic after recover": {1, func() { defer func() { recovering(); panic("again") }(); panic("first") }},
	} {
		var handled atomic.Int64
		p := x.pool(Settings{PanicHandler: func(any, []byte) { handled.Add(1) }})
		x.step("a task ends by %s", name)
		x.submit(p, c.task)
		x.settle()
		x.require(handled.Load() == c.panics, "after a task that ended by %s the handler was called %d times instead of %d", name, handled.Load(), c.panics)
		if x.subject.can(Shutdown) {
			x.shutdown(p)
		}
	}
}

func handlerMayGoexit(x *trial) {
	p := x.pool(Settings{PanicHandler: func(any, []byte) { runtime.Goexit() }})
	for range 10 {
		x.submit(p, func() { panic("for the handler") })
	}
	x.settle()
	x.burst(p, 10)
	x.shutdown(p)
}

func shutdownOutlastsHandler(x *trial) {
	var returned atomic.Bool
	p := x.pool(Settings{PanicHandler: func(any, []byte) {
		time.Sleep(patience / 2)
		returned.Store(true)
	}})
	x.submit(p, func() { panic("for the handler") })
	x.settle()
	x.shutdown(p)
	x.require(returned.Load(), "Shutdown returned while the panic handler was running")
}

func panicsCostNothing(x *trial) {
	const tasks = 1000
	var handled atomic.Int64
	p := x.pool(Settings{PanicHandler: func(any, []byte) { handled.Add(1) }})
	for range tasks {
		x.submit(p, func() { panic("for the handler") })
	}
	x.settle()
	x.require(handled.Load() == tasks, "of %d panics %d reached the handler", tasks, handled.Load())
	worksAsBefore(x, p)
}

func goexitCostsNothing(x *trial) {
	const tasks = 1000
	p := x.pool(Settings{})
	var started atomic.Int64
	for range tasks {
		x.submit(p, func() {
			started.Add(1)
			runtime.Goexit()
		})
	}
	x.settle()
	x.require(started.Load() == tasks, "of %d tasks that call Goexit only %d started", tasks, started.Load())
	worksAsBefore(x, p)
}

// worksAsBefore has the pool work once more, and shuts it down if it can be.
func worksAsBefore(x *trial, p Pool) {
	x.burst(p, 100)
	if x.subject.can(Shutdown) {
		x.shutdown(p)
	}
}
