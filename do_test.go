package hemlock_test

import (
	"errors"
	"runtime"
	"runtime/debug"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/endings"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

// onOneShard keeps the pools of a test at one shard, until it ends. With
// collections, or under the race detector, a processor loses its shard and gets
// another.
func onOneShard(t *testing.T) {
	t.Helper()
	pooltest.NeedsSyncPool(t)
	percent, procs := debug.SetGCPercent(-1), runtime.GOMAXPROCS(1)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		runtime.GOMAXPROCS(procs)
	})
}

// The stack that was used last is hot, so it is used next. What the pool's other
// workers do has no influence.
func TestDoUsesTheWorkerThatEndedLast(t *testing.T) {
	onOneShard(t)
	p := pooltest.New(t, hemlock.WithKillInterval(0))
	pooltest.Grow(t, p, 3)
	var outer, inner, both [2]string
	for i := range both {
		p.Do(func() {
			outer[i] = pooltest.GoroutineID()
			p.Do(func() { inner[i] = pooltest.GoroutineID() })
		})
		p.Do(func() { both[i] = pooltest.GoroutineID() })
	}
	require.NotEqual(t, outer[0], inner[0])
	require.NotEqual(t, pooltest.GoroutineID(), outer[0])
	require.Equal(t, outer, [2]string{outer[0], outer[0]})
	require.Equal(t, inner, [2]string{inner[0], inner[0]})
	require.Equal(t, outer, both)
	require.EqualValues(t, 5, p.Stats().Spawned)
}

// A worker that became idle elsewhere is better than a new one.
func TestDoSpawnsOnlyWhenNoWorkerForItIsIdle(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	p := pooltest.New(t, hemlock.WithKillInterval(0))
	for range pooltest.Scaled(1000) {
		done := make(chan struct{})
		go func() { // on any processor
			defer close(done)
			p.Do(runtime.Gosched)
		}()
		<-done
		pooltest.Eventually(t, func() bool { return p.Stats().Idle == 1 }, "the worker comes to rest")
	}
	// A caller may put its worker back after the next caller has looked.
	require.LessOrEqual(t, p.Stats().Spawned, int64(8))
}

// What a task does is ordered with its caller, in both directions: the race
// detector watches.
func TestDoOrdersMemory(t *testing.T) {
	pooltest.NeedsRaceDetector(t)
	p := pooltest.New(t, hemlock.WithKillInterval(1), hemlock.WithKillDelay(0), hemlock.WithMaxTasksPerWorker(10))
	var group errgroup.Group
	for range 4 {
		group.Go(func() error {
			n := 0
			for i := range pooltest.Scaled(20_000) {
				if p.Do(func() { n++ }); n != i+1 {
					return errors.New("lost a task")
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

// A task that does not return ends its caller as a call would. It ends its worker as
// well, and nothing else.
func TestDoEndsAsACallWould(t *testing.T) {
	values := map[any]*int{} // what a task panics with: the very same must come back, not an equal one
	raise := func(v any) {
		if v == nil {
			panic(nil)
		}
		if values[v] == nil {
			values[v] = new(int)
		}
		panic(values[v])
	}
	for _, e := range endings.All(raise) {
		t.Run(e.Name, func(t *testing.T) {
			want := pooltest.Outcome(e.Task)
			for _, state := range []string{"without a handler", "with a handler", "after Shutdown"} {
				t.Run(state, func(t *testing.T) {
					var handled []any
					var opts []hemlock.Option
					if state != "without a handler" {
						opts = append(opts, hemlock.WithPanicHandler(func(v any, stack []byte) {
							handled = append(handled, v)
						}))
					}
					p := pooltest.New(t, opts...)
					if state == "after Shutdown" {
						pooltest.Shutdown(t, p)
					}
					for range 3 {
						requireSame(t, want, pooltest.Outcome(func() { p.Do(e.Task) }))
					}
					pooltest.RequireBalance(t, p.Stats())
					told := 0
					if e.Crash != "" && state != "without a handler" {
						told = 3
					}
					require.Len(t, handled, told)
					for _, v := range handled {
						requireSame(t, want, v)
					}
					if state == "after Shutdown" {
						require.Zero(t, p.Stats().Submitted)
						return
					}
					require.EqualValues(t, told, p.Stats().Panicked)
					require.EqualValues(t, 3, p.Stats().Completed)
					if want != "returned" {
						require.Zero(t, p.Stats().Workers)
					}
					require.Equal(t, "returned", pooltest.Outcome(func() { p.Do(func() {}) }))
				})
			}
		})
	}
}

// requireSame requires that two outcomes are of the same type, say the same, and
// are the same pointer if they are plain pointers.
func requireSame(t testing.TB, want, got any) {
	t.Helper()
	require.IsType(t, want, got)
	if pointer, ok := want.(*int); ok {
		require.Same(t, pointer, got)
		return
	}
	if err, ok := want.(error); ok {
		require.EqualError(t, got.(error), err.Error())
		return
	}
	require.Equal(t, want, got)
}

// Pitfall 73: a panic that passes through several tasks goes to one handler, that of
// the innermost pool that has one. A panic that a task raises anew is another, whatever
// its value.
func TestDoTellsTheHandlerOnceForEachPanic(t *testing.T) {
	depth := int64(pooltest.Scaled(1000))
	value := new(int)
	var dive func(p *hemlock.Pool, n int64, task func())
	dive = func(p *hemlock.Pool, n int64, task func()) {
		p.Do(func() {
			if n == 1 {
				task()
			}
			dive(p, n-1, task)
		})
	}
	again := func(f func()) {
		defer func() { panic(recover()) }()
		f()
	}
	for name, c := range map[string]struct {
		outer, inner int64 // how often the handlers are told
		task         func(outer, inner, mute *hemlock.Pool)
	}{
		"deep":             {1, 0, func(p, _, _ *hemlock.Pool) { dive(p, depth, func() { panic(value) }) }},
		"a runtime error":  {1, 0, func(p, _, _ *hemlock.Pool) { dive(p, depth, func() { var s []int; s[runtime.NumCPU()]++ }) }},
		"two pools":        {0, 1, func(p, q, _ *hemlock.Pool) { p.Do(func() { dive(q, 2, func() { panic(value) }) }) }},
		"by the outermost": {1, 0, func(p, _, mute *hemlock.Pool) { p.Do(func() { dive(mute, 2, func() { panic(value) }) }) }},
		"through the mute": {0, 1, func(p, q, mute *hemlock.Pool) { mute.Do(func() { dive(q, 2, func() { panic(value) }) }) }},
		"raised anew":      {2, 0, func(p, _, _ *hemlock.Pool) { again(func() { dive(p, 2, func() { panic(value) }) }) }},
		"another on leaving": {2, 0, func(p, _, _ *hemlock.Pool) {
			defer func() { panic(value) }()
			p.Do(func() { panic(value) })
		}},
		"one after another": {2, 0, func(p, _, _ *hemlock.Pool) {
			require.Equal(t, value, pooltest.Outcome(func() { p.Do(func() { panic(value) }) }))
			panic(value)
		}},
		"on leaving by Goexit": {1, 0, func(p, _, _ *hemlock.Pool) {
			dive(p, 2, func() { defer func() { panic(value) }(); runtime.Goexit() })
		}},
	} {
		for state, end := range map[string]func(p *hemlock.Pool){
			"open": func(*hemlock.Pool) {}, "closed": func(p *hemlock.Pool) { pooltest.Shutdown(t, p) },
		} {
			t.Run(name+"/"+state, func(t *testing.T) {
				var outerTold, innerTold atomic.Int64
				outer := pooltest.New(t, hemlock.WithPanicHandler(func(any, []byte) { outerTold.Inc() }))
				inner := pooltest.New(t, hemlock.WithPanicHandler(func(any, []byte) { innerTold.Inc() }))
				mute := pooltest.New(t)
				for _, p := range []*hemlock.Pool{outer, inner, mute} {
					end(p)
				}
				ended := make(chan struct{})
				outer.Run(func() {
					defer close(ended)
					c.task(outer, inner, mute)
				})
				<-ended
				pooltest.Eventually(t, func() bool { return outerTold.Load() >= c.outer }, "the handler is told")
				pooltest.Shutdown(t, outer)
				require.Equal(t, c.outer, outerTold.Load())
				require.Equal(t, c.inner, innerTold.Load())
				for _, p := range []*hemlock.Pool{outer, inner, mute} {
					pooltest.RequireBalance(t, p.Stats())
					require.Zero(t, p.Stats().Running)
				}
				if state == "open" {
					require.Equal(t, c.outer, outer.Stats().Panicked)
					require.Equal(t, c.inner, inner.Stats().Panicked)
				}
			})
		}
	}
}

// Pitfall 72: with panicnil=1 recover returns nil. A panic then differs from Goexit
// only in what comes after recover.
func TestDoPassesAPanicWithNil(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	task := func() { panic(nil) }
	require.True(t, recovers(task))
	require.False(t, recovers(runtime.Goexit))
	told := 0
	for name, opts := range map[string][]hemlock.Option{
		"without a handler":  nil,
		"with a handler":     {hemlock.WithPanicHandler(func(v any, _ []byte) { require.Nil(t, v); told++ })},
		"handler that does":  {hemlock.WithPanicHandler(func(any, []byte) { panic(nil) })},
		"handler that exits": {hemlock.WithPanicHandler(func(any, []byte) { runtime.Goexit() })},
	} {
		t.Run(name, func(t *testing.T) {
			p := pooltest.New(t, opts...)
			for range 2 {
				require.Equal(t, name != "handler that exits", recovers(func() { p.Do(task) }))
				require.False(t, recovers(func() { p.Do(runtime.Goexit) }))
				require.True(t, recovers(func() { p.Do(func() {}) }))
				pooltest.Shutdown(t, p)
			}
			require.EqualValues(t, 3, p.Stats().Completed)
			require.Zero(t, p.Stats().Workers)
		})
	}
	require.Equal(t, 2, told)
}

// recovers calls f on a goroutine of its own, and reports whether that goroutine goes
// on after a call of recover.
func recovers(f func()) (goesOn bool) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		func() {
			defer func() { _ = recover() }()
			f()
		}()
		goesOn = true
	}()
	<-ended
	return goesOn
}

// Pitfall 34: the counts are right, whatever the handler does.
func TestDoHandlerMayPanicOrExit(t *testing.T) {
	for name, c := range map[string]struct {
		handler func(any, []byte)
		want    any
	}{
		"panics": {func(any, []byte) { panic("handler") }, "handler"},
		"exits":  {func(any, []byte) { runtime.Goexit() }, "exited"},
	} {
		t.Run(name, func(t *testing.T) {
			p := pooltest.New(t, hemlock.WithPanicHandler(c.handler))
			require.Equal(t, c.want, pooltest.Outcome(func() { p.Do(func() { panic("task") }) }))
			pooltest.RequireBalance(t, p.Stats())
			require.Zero(t, p.Stats().Workers)
			require.EqualValues(t, 1, p.Stats().Panicked)
			require.EqualValues(t, 1, p.Stats().Completed)
		})
	}
}

// t.FailNow works in a task of Do, but not in one of Run: it ends the test's goroutine,
// after the deferred functions of both.
func TestDoGoexitRunsAllDeferredFunctions(t *testing.T) {
	p := pooltest.New(t)
	var order []string
	require.Equal(t, "exited", pooltest.Outcome(func() {
		defer func() { order = append(order, "caller") }()
		p.Do(func() {
			defer func() { order = append(order, "task") }()
			runtime.Goexit()
		})
		order = append(order, "not reached")
	}))
	require.Equal(t, []string{"task", "caller"}, order)
}

// What differs from a call: the task is on another goroutine.
func TestDoDiffersFromACall(t *testing.T) {
	p := pooltest.New(t)
	trace := func() string { return string(debug.Stack()) }
	require.Contains(t, trace(), "TestDoDiffersFromACall(")

	var got string
	p.Do(func() { got = trace() })
	// The closure is there, its caller is not.
	require.Contains(t, got, "TestDoDiffersFromACall.func")
	require.NotContains(t, got, "TestDoDiffersFromACall(")
	require.NotContains(t, got, "testing.tRunner")

	callers := 0
	p.Do(func() { callers = runtime.Callers(0, make([]uintptr, 100)) })
	require.Less(t, callers, 20)
	p.Do(func() {
		for skip := 0; ; skip++ {
			pc, _, _, ok := runtime.Caller(skip)
			if !ok {
				break
			}
			require.NotEqual(t, "testing.tRunner", runtime.FuncForPC(pc).Name())
		}
	})

	// A task that a deferred function runs does not recover its caller's panic. Nor
	// does a function that a deferred function calls.
	require.Equal(t, "caller", pooltest.Outcome(func() {
		defer func() { p.Do(func() { _ = recover() }) }()
		panic("caller")
	}))
}

func TestDoAllocatesNothing(t *testing.T) {
	p := pooltest.New(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(0))
	pooltest.GrowDo(p, 3)
	inner, ran := func() {}, 0
	outer := func() { p.Do(inner); ran++ }
	pooltest.RequireNoAllocation(t, 10_000, func() { p.Do(outer) })
	require.NotZero(t, ran)
}
