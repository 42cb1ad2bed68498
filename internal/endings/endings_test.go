package endings_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"example.com/hemlock"
	"example.com/hemlock/internal/endings"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
)

// Pitfall 57: the endings are told apart although recover, which would tell them, is
// called only with a handler. With the tag plugin the tasks are a plugin's.
var tasks = endings.All(raise)

func raise(v any) { panic(v) }

// children are what a child process of the test binary runs instead of the tests: what ends
// the process cannot be tested within it.
var children = map[string]func(){
	"import": func() { fmt.Println("goroutines:", runtime.NumGoroutine()) },
}

func TestMain(m *testing.M) {
	for _, e := range tasks {
		for way, run := range ways {
			children[way+"/"+e.Name] = func() { run(e.Task) }
		}
	}
	pooltest.Main(m, children)
}

// handlers are the panic handlers that let the process live.
var handlers = map[string]func(){"handler": func() {}, "handler that exits": runtime.Goexit}

// With a handler each panic reaches it, and nothing else does. Here the tasks
// have workers of their own, and are left to workers on their way.
func TestHandlerIsToldOfEachPanicAndOfNothingElse(t *testing.T) {
	for _, e := range tasks {
		for name, handle := range handlers {
			t.Run(e.Name+"/"+name, func(t *testing.T) {
				pooltest.OnProcessors(t, func(t *testing.T) {
					var handled atomic.Int64
					p := hemlock.New(hemlock.WithKillInterval(0), hemlock.WithPanicHandler(func(v any, _ []byte) {
						if v != nil {
							handled.Inc()
						}
						handle()
					}))
					n := endAmongShortTasks(t, p, e.Task)
					require.NoError(t, p.Shutdown(t.Context()))
					s := p.Stats()
					require.Equal(t, s.Submitted, s.Completed)
					if e.Crash == "" {
						n = 0
					}
					require.Equal(t, n, s.Panicked)
					require.Equal(t, n, handled.Load())
				})
			})
		}
	}
}

// Pitfall 73: a panic that leaves two tasks of Do is told once.
func TestHandlerIsToldOnceThroughDo(t *testing.T) {
	for _, e := range tasks {
		t.Run(e.Name, func(t *testing.T) { requireTold(t, e, endings.Told(endings.Do, e.Task)) })
	}
}

// requireTold requires that the handler was told of a panic in Run and of one in Do.
func requireTold(t testing.TB, e endings.Ending, told int64) {
	t.Helper()
	want := int64(2)
	if e.Crash == "" {
		want = 0
	}
	require.Equal(t, want, told)
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
	for _, c := range tasks {
		if c.Stays {
			continue
		}
		var panicked int64
		if c.Crash != "" {
			panicked = 100
		}
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var handled atomic.Int64
				p := pooltest.New(t, hemlock.WithMinWorkers(2), hemlock.WithPanicHandler(func(v any, _ []byte) {
					if v != nil {
						handled.Inc()
					}
				}))
				pooltest.GrowInBubble(t, p, 2)
				for range 100 {
					require.NoError(t, p.Submit(c.Task))
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
	for _, e := range tasks {
		if e.Crash != "" {
			continue
		}
		t.Run(e.Name, func(t *testing.T) {
			p := pooltest.New(t, hemlock.WithKillInterval(0))
			endAmongShortTasks(t, p, e.Task)
			pooltest.RequireRest(t, p)
			require.Zero(t, p.Stats().Panicked)
			synctest.Test(t, func(t *testing.T) {
				p := pooltest.New(t)
				require.NoError(t, p.Submit(e.Task))
				synctest.Wait()
				require.Equal(t, e.Stays, p.Stats().Workers == 1)
			})
		})
	}
}

// ways are how a child runs a task that ends the process.
var ways = map[string]func(task func()){
	"alone":   func(task func()) { endings.CrashDuringShutdown(hemlock.New(), task) },
	"relayed": endings.CrashBehindShortTasks,
	"panicking handler": func(task func()) {
		p := hemlock.New(hemlock.WithPanicHandler(func(any, []byte) { panic("handler panic") }))
		endings.CrashDuringShutdown(p, task)
	},
	"after Shutdown": func(task func()) {
		p := hemlock.New()
		_ = p.Shutdown(context.Background())
		p.Run(task)
		select {}
	},
}

// Pitfall 33: a crash is never swallowed, and shows the stack of the task. A worker that
// counted itself out while its process is crashing would let main, which waits in
// Shutdown, exit first now and then. That holds without a handler and with one that panics,
// and when the task waited behind short ones.
func TestEachPanicEndsTheProcess(t *testing.T) {
	for _, e := range tasks {
		if e.Crash == "" {
			continue
		}
		for way := range ways {
			t.Run(e.Name+"/"+way, func(t *testing.T) {
				wants := []string{e.Crash, "endings.All.func"}
				if way == "panicking handler" {
					wants = append(wants, "panic: handler panic")
				}
				pooltest.RequireCrashes(t, way+"/"+e.Name, pooltest.Scaled(20), wants...)
			})
		}
	}
}

// Pitfall 30: an import starts nothing.
func TestImportStartsNothing(t *testing.T) {
	if pooltest.Silent() {
		t.Skip("without the names of its functions the runtime counts its own goroutines")
	}
	output, status, err := pooltest.RunChild(t, "import")
	require.NoError(t, err)
	require.Zero(t, status)
	require.Equal(t, "goroutines: 1\n", output)
}
