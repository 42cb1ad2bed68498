package conformance

import (
	"bytes"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

var panicking = []Clause{
	judged(byCrash, clause("panic-crashes",
		"Without a handler a panic in a task crashes the process as in a go statement, with the task's own stack.",
		nil, func(x *trial) {
			p := x.pool(Settings{})
			x.step("a task panics")
			x.submit(p, func() { crash() })
			// A pool that recovers the panic may crash some other way. That takes less than
			// this, by the clock of the bubble.
			time.Sleep(2 * time.Second)
			os.Exit(0)
		})),

	judged(byCrash, clause("crash-not-swallowed",
		"A crashing task does not release Shutdown, which would let main return first and hide the panic.",
		needs{Shutdown}, func(x *trial) {
			p := x.pool(Settings{})
			x.step("main waits in Shutdown for a task that panics")
			x.submit(p, func() { crash() })
			exitAfterShutdown(p)
		})),

	clause("handler-gets-panic", "The panic handler gets the value of the panic and the stack of the task.",
		needs{PanicHandler}, func(x *trial) {
			p, got := x.catches()
			value := new(int)
			x.submit(p, func() { panicWith(value) })
			x.requireCaught(got, value)
		}),

	clause("handler-gets-panics-only",
		"However a task ends, a panic that is left reaches the handler, and Goexit and recovered panics do not.",
		needs{PanicHandler}, func(x *trial) {
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
				p, told := x.handled()
				x.step("a task ends by %s", name)
				x.submit(p, c.task)
				x.settle()
				x.require(told.Load() == c.panics,
					"after a task that ended by %s the handler was called %d times instead of %d", name, told.Load(), c.panics)
				x.end(p)
			}
		}),

	judged(byCrash, clause("handler-panic-crashes",
		"A panic of the panic handler crashes the process, also while Shutdown waits.",
		needs{PanicHandler, Shutdown}, func(x *trial) {
			p := x.pool(Settings{PanicHandler: func(any, []byte) { crash() }})
			x.step("main waits in Shutdown for a panic handler that panics")
			x.submit(p, func() { panic("for the handler") })
			exitAfterShutdown(p)
		})),

	clause("handler-may-goexit", "A panic handler that calls runtime.Goexit strands neither the pool nor Shutdown.",
		needs{PanicHandler, Shutdown}, func(x *trial) {
			p := x.pool(Settings{PanicHandler: func(any, []byte) { runtime.Goexit() }})
			x.submits(p, 10, func() { panic("for the handler") })
			x.burst(p, 10)
			x.shutdown(p)
		}),

	clause("shutdown-outlasts-handler", "Shutdown returns after the last panic handler has returned.",
		needs{PanicHandler, Shutdown}, func(x *trial) {
			var returned atomic.Bool
			p := x.pool(Settings{PanicHandler: func(any, []byte) {
				time.Sleep(patience / 2)
				returned.Store(true)
			}})
			x.submit(p, func() { panic("for the handler") })
			x.settle()
			within := Stats{Running: 1, Panicked: 1}
			if x.subject.can(FullCounts) {
				within = x.stats(p)
			}
			x.shutdown(p)
			x.require(returned.Load(), "Shutdown returned while the panic handler was running")
			x.require(within.Running == 1 && within.Panicked == 1, "while the handler ran the counts were %+v", within)
		}),

	clause("panics-cost-nothing", "After 1,000 tasks that panicked the pool works as before and shuts down.",
		needs{PanicHandler}, func(x *trial) {
			const tasks = 1000
			p, told := x.handled()
			x.submits(p, tasks, func() { panic("for the handler") })
			x.require(told.Load() == tasks, "of %d panics %d reached the handler", tasks, told.Load())
			worksAsBefore(x, p)
		}),

	clause("goexit-costs-nothing",
		"After 1,000 tasks that called runtime.Goexit the pool works as before and shuts down.",
		nil, func(x *trial) {
			const tasks = 1000
			p := x.pool(Settings{})
			var started atomic.Int64
			x.submits(p, tasks, func() {
				started.Add(1)
				runtime.Goexit()
			})
			x.require(started.Load() == tasks, "of %d tasks that call Goexit only %d started", tasks, started.Load())
			worksAsBefore(x, p)
		}),
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

// exitAfterShutdown does what the main function of a well-behaved program does.
func exitAfterShutdown(p Pool) {
	_ = stop(p, patience) // whatever it returns, the process should never get so far
	os.Exit(0)
}

func panicWith(v any) { panic(v) }

// A caught is what a panic handler was told.
type caught struct {
	value any
	stack []byte
}

// catches makes a pool with a panic handler that sends what it is told.
func (x *trial) catches() (Pool, chan caught) {
	told := make(chan caught, 1)
	return x.pool(Settings{PanicHandler: func(v any, stack []byte) { told <- caught{v, stack} }}), told
}

// requireCaught waits until the handler is told of a panicWith that value.
func (x *trial) requireCaught(told chan caught, value any) {
	x.step("waiting for the panic handler")
	select {
	case c := <-told:
		x.require(c.value == value, "the handler got %v, not the value of the panic", c.value)
		x.require(bytes.Contains(c.stack, []byte("conformance.panicWith(")), "the handler's stack does not show the task")
	case <-time.After(patience):
		x.fail("the panic handler was not called")
	}
}

// worksAsBefore has the pool work once more, and shuts it down if it can be.
func worksAsBefore(x *trial, p Pool) {
	x.burst(p, 100)
	x.end(p)
}
