package endings_test

import (
	"context"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
)

// A taskEnding is a way in which a task can end.
type taskEnding struct {
	name string
	task func()

	// crash is what the process prints that ends so without a handler. It is empty
	// if no panic is left at the end.
	crash string

	stays bool // the task returns, so its worker stays
}

// Pitfall 57: these are told apart although recover, which would tell, is not
// called without a handler.
var endings = []taskEnding{
	{name: "return", task: func() {}, stays: true},
	{name: "recovered panic", stays: true, task: func() {
		defer func() { _ = recover() }()
		panic("recovered")
	}},
	{name: "nested panic recovered", stays: true, task: func() {
		defer func() { _ = recover() }()
		defer func() { defer func() { _ = recover() }(); panic("inner") }()
		panic("outer")
	}},
	{name: "Goexit", task: runtime.Goexit},
	{name: "Goexit after a panic", task: func() {
		defer runtime.Goexit()
		panic("dropped")
	}},
	{name: "Goexit after a recovered panic", task: func() {
		defer func() { _ = recover(); runtime.Goexit() }()
		panic("recovered")
	}},
	{name: "panic after Goexit, recovered", task: func() {
		defer func() { _ = recover() }()
		defer func() { panic("recovered") }()
		runtime.Goexit()
	}},
	{name: "panic", crash: "panic: task panic", task: func() { panic("task panic") }},
	{name: "nil panic", crash: "panic called with nil argument", task: func() { panic(nil) }},
	{name: "runtime error", crash: "index out of range", task: func() { var s []int; s[runtime.NumCPU()]++ }},
	{name: "panic after Goexit", crash: "panic: late panic", task: func() {
		defer func() { panic("late panic") }()
		runtime.Goexit()
	}},
	{name: "panic after a panic", crash: "panic: second panic", task: func() {
		defer func() { panic("second panic") }()
		panic("first panic")
	}},
	{name: "panic again after recover", crash: "panic: again", task: func() {
		defer func() { _ = recover(); panic("again") }()
		panic("first panic")
	}},
	{name: "nested recovered panic", crash: "panic: outer", task: func() {
		defer func() { defer func() { _ = recover() }(); panic("inner") }()
		panic("outer")
	}},
}

// handlers are the panic handlers that let the process live.
var handlers = map[string]func(){"handler": func() {}, "handler that exits": runtime.Goexit}

// With a handler each panic reaches it, and nothing else does. Here the tasks
// have workers of their own, and are left to workers on their way.
func TestHandlerIsToldOfEachPanicAndOfNothingElse(t *testing.T) {
	for _, e := range endings {
		for name, handle := range handlers {
			t.Run(e.name+"/"+name, func(t *testing.T) {
				pooltest.OnProcessors(t, func(t *testing.T) {
					var handled atomic.Int64
					p := hemlock.New(hemlock.WithKillInterval(0), hemlock.WithPanicHandler(func(v any, _ []byte) {
						if v != nil {
							handled.Inc()
						}
						handle()
					}))
					n := endAmongShortTasks(t, p, e.task)
					require.NoError(t, p.Shutdown(t.Context()))
					s := p.Stats()
					require.Equal(t, s.Submitted, s.Completed)
					if e.crash == "" {
						n = 0
					}
					require.Equal(t, n, s.Panicked)
					require.Equal(t, n, handled.Load())
				})
			})
		}
	}
}

// endAmongShortTasks submits the task a few times among short ones, and returns
// how often.
func endAmongShortTasks(t testing.TB, p *hemlock.Pool, task func()) (n int64) {
	t.Helper()
	require.NoError(t, p.Submit(task)) // a newborn's first
	var short sync.WaitGroup
	for range 20 {
		short.Add(30)
		for range 30 {
			require.NoError(t, p.Submit(short.Done))
		}
		require.NoError(t, p.Submit(task))
	}
	pooltest.WaitFor(t, p, &short, "short tasks end")
	return 21
}

// Pitfall 23: tasks that do not return take their worker with them, and nothing
// else.
func TestTasksThatDoNotReturnEndTheirWorkerOnly(t *testing.T) {
	for _, c := range endings {
		if c.stays {
			continue
		}
		var panicked int64
		if c.crash != "" {
			panicked = 100
		}
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var handled atomic.Int64
				p := pooltest.New(t, hemlock.WithMinWorkers(2), hemlock.WithPanicHandler(func(v any, _ []byte) {
					if v != nil {
						handled.Inc()
					}
				}))
				pooltest.GrowInBubble(t, p, 2)
				for range 100 {
					require.NoError(t, p.Submit(c.task))
				}
				synctest.Wait()
				s := p.Stats()
				pooltest.RequireBalance(t, s)
				require.Zero(t, s.Workers)
				require.EqualValues(t, 102, s.Completed)
				require.Equal(t, panicked, s.Panicked)
				require.Equal(t, handled.Load(), s.Panicked)
				pooltest.RunToEnd(t, p, func() {})
			})
		})
	}
}

// Without a handler a task that does not panic in the end does no harm, and the
// worker of one that returned stays.
func TestWithoutHandlerOnlyPanicsEndTheProcess(t *testing.T) {
	for _, e := range endings {
		if e.crash != "" {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			p := pooltest.New(t, hemlock.WithKillInterval(0))
			endAmongShortTasks(t, p, e.task)
			pooltest.RequireRest(t, p)
			require.Zero(t, p.Stats().Panicked)
			synctest.Test(t, func(t *testing.T) {
				p := pooltest.New(t)
				require.NoError(t, p.Submit(e.task))
				synctest.Wait()
				require.Equal(t, e.stays, p.Stats().Workers == 1)
			})
		})
	}
}

// Every panic ends the process while main waits in Shutdown, without a handler
// and with one that panics, also when the task waited behind short ones.
func TestEachPanicEndsTheProcess(t *testing.T) {
	for _, e := range endings {
		if e.crash == "" {
			continue
		}
		for _, way := range []string{"alone", "relayed", "panicking handler"} {
			t.Run(e.name+"/"+way, func(t *testing.T) {
				pooltest.RequireCrashes(t, "ending/"+way+"/"+e.name, pooltest.Scaled(20), e.crash)
			})
		}
	}
}

func init() {
	for _, e := range endings {
		children["ending/alone/"+e.name] = func() { crashDuringShutdown(hemlock.New(), e.task) }
		children["ending/relayed/"+e.name] = func() { crashBehindShortTasks(e.task) }
		children["ending/panicking handler/"+e.name] = func() {
			crashDuringShutdown(hemlock.New(hemlock.WithPanicHandler(func(v any, _ []byte) { panic(v) })), e.task)
		}
	}
}

// crashBehindShortTasks is crashDuringShutdown for a task that is left, with many
// short ones, to a worker on its way.
func crashBehindShortTasks(task func()) {
	runtime.GOMAXPROCS(1)
	p := hemlock.New()
	for range 1000 {
		p.Run(func() {})
	}
	p.Run(task)
	for range 1000 {
		p.Run(func() {})
	}
	_ = p.Shutdown(context.Background())
	os.Exit(0)
}
