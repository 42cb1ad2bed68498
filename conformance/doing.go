package conformance

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"runtime/pprof"
	"sync/atomic"
	"time"
)

var doing = []Clause{
	{
		Name: "do-returns-after-task", Promise: "Do runs its task once and returns when it has ended.",
		needs: []Ability{Calls}, check: doReturnsAfterTask,
	},
	{
		Name: "do-nests", Promise: "A task may call Do, and so may that one's task, many deep and many at once.",
		needs: []Ability{Calls}, check: doNests,
	},
	{
		Name: "do-passes-panic", Promise: "A panic in a task of Do is told to the handler, with the task's stack, and reaches the caller with its value.",
		needs: []Ability{Calls, PanicHandler}, check: doPassesPanic,
	},
	{
		Name: "do-tells-once", Promise: "A panic that leaves several tasks of Do, each inside another and in turns of two pools, is told once.",
		needs: []Ability{Calls, PanicHandler}, check: doTellsOnce,
	},
	{
		Name: "do-tells-each-panic", Promise: "A caller of Do that recovers and panics anew is told, though the value is the same.",
		needs: []Ability{Calls, PanicHandler}, check: doTellsEachPanic,
	},
	{
		Name: "do-lets-aborts-pass", Promise: "A task of Do that recovers what is no fault, for its caller to panic with, tells no handler and keeps its worker.",
		needs: []Ability{Calls, PanicHandler, Reuses}, check: doLetsAbortsPass,
	},
	{
		Name: "do-labels-not-inherited", Promise: "A worker of Do has no profiler labels of the caller that it was made for, nor of a task that has ended.",
		needs: []Ability{Calls}, check: doLabelsNotInherited,
	},
	{
		Name: "do-passes-goexit", Promise: "A task of Do that calls runtime.Goexit ends its caller, and is no panic.",
		needs: []Ability{Calls, PanicHandler}, check: doPassesGoexit,
	},
	{
		Name: "do-is-counted", Promise: "A task of Do is counted as running while it runs and as completed when Do returns.",
		needs: []Ability{Calls, TaskCounts}, check: doIsCounted,
	},
	{
		Name: "shutdown-waits-for-do", Promise: "Shutdown waits for the tasks of Do.",
		needs: []Ability{Calls, Shutdown}, check: shutdownWaitsForDo,
	},
	{
		Name: "do-after-shutdown", Promise: "After Shutdown, Do calls its task on the caller's goroutine.",
		needs: []Ability{Calls, Shutdown}, check: doAfterShutdown,
	},
	{
		Name: "group-runs-all", Promise: "A group runs all its tasks, and Wait returns the first error after the last of them.",
		needs: []Ability{Groups}, check: groupRunsAll,
	},
	{
		Name: "group-names-lost-tasks", Promise: "A task of a group that panics under a handler, or calls runtime.Goexit, never leaves a nil error.",
		needs: []Ability{Groups, PanicHandler}, check: groupNamesLostTasks,
	},
	{
		Name: "group-after-shutdown", Promise: "After the pool's Shutdown a group runs its tasks all the same.",
		needs: []Ability{Groups, Shutdown}, check: groupAfterShutdown,
	},
}

// do calls Do on a goroutine of its own, and waits until it has ended. It returns
// what Do panicked with, and whether Do returned.
func (x *trial) do(p Pool, task func()) (value any, returned bool) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { value = recover() }()
		p.(Caller).Do(task)
		returned = true
	}()
	x.await(ended, "Do ends")
	return value, returned
}

func doReturnsAfterTask(x *trial) {
	p := x.pool(Settings{})
	for range 10 {
		var began, ended atomic.Int64
		_, returned := x.do(p, func() {
			began.Add(1)
			time.Sleep(time.Second)
			ended.Add(1)
		})
		x.require(returned, "Do did not return")
		x.require(began.Load() <= 1, "the task of Do ran %d times", began.Load())
		x.require(ended.Load() == 1, "Do returned and its task had not ended")
	}
}

func doNests(x *trial) {
	const deep, callers = 20, 50
	p := x.pool(Settings{})
	var reached atomic.Int64
	var nest func(left int)
	nest = func(left int) {
		if left == 0 {
			time.Sleep(time.Second) // so that all of them run at once
			reached.Add(1)
			return
		}
		p.(Caller).Do(func() { nest(left - 1) })
	}
	ended := make(chan struct{}, callers)
	for range callers {
		x.submit(p, func() {
			nest(deep)
			ended <- struct{}{}
		})
	}
	all := make(chan struct{})
	go func() {
		defer close(all)
		for range callers {
			<-ended
		}
	}()
	x.await(all, "nested calls of Do return")
	x.require(reached.Load() == callers, "of %d chains of Do %d reached their end", callers, reached.Load())
}

func doPassesPanic(x *trial) {
	var told atomic.Int64
	var stack []byte
	p := x.pool(Settings{PanicHandler: func(_ any, s []byte) {
		stack = s
		told.Add(1)
	}})
	want := new(int)
	for n := range int64(10) {
		got, returned := x.do(p, func() { panicWith(want) })
		x.require(!returned, "Do returned from a task that panicked")
		x.require(got == any(want), "the caller of Do got %v, not the value of the panic", got)
		x.require(told.Load() == n+1, "after %d panics in tasks of Do the handler was told %d times", n+1, told.Load())
		x.require(bytes.Contains(stack, []byte("conformance.panicWith(")), "the handler's stack does not show the task of Do")
	}
}

func doTellsOnce(x *trial) {
	var told atomic.Int64
	settings := Settings{PanicHandler: func(any, []byte) { told.Add(1) }}
	pools := []Pool{x.pool(settings), x.pool(settings)}
	var nest func(left int)
	nest = func(left int) {
		if left == 0 {
			panic("for the handler")
		}
		pools[left%len(pools)].(Caller).Do(func() { nest(left - 1) })
	}
	x.submit(pools[0], func() { nest(10) })
	x.settle()
	x.require(told.Load() == 1, "the handler was told %d times of a panic that left nested tasks of Do", told.Load())
}

// doTellsEachPanic panics three times with one value, as a server does with
// http.ErrAbortHandler.
func doTellsEachPanic(x *trial) {
	var told atomic.Int64
	p := x.pool(Settings{PanicHandler: func(any, []byte) { told.Add(1) }})
	anew := func(task func()) {
		defer func() { panic(recover()) }()
		p.(Caller).Do(task)
	}
	x.do(p, func() { anew(func() { anew(func() { panic(errFirst) }) }) })
	x.require(told.Load() == 3, "the handler was told %d times of three panics with one value", told.Load())
}

func doLetsAbortsPass(x *trial) {
	var told atomic.Int64
	p := x.pool(Settings{PanicHandler: func(any, []byte) { told.Add(1) }})
	workers := crew{}
	for range 10 {
		var abort any
		_, returned := x.do(p, func() {
			defer func() { abort = recover() }()
			workers[self()] = true
			panic(errFirst)
		})
		x.require(returned && abort == errFirst, "Do did not return from a task that had recovered")
	}
	x.require(told.Load() == 0, "the handler was told %d times of panics that tasks had recovered", told.Load())
	x.require(len(workers) == 1, "10 tasks that recovered ran on %d goroutines, one after the other", len(workers))
}

func doLabelsNotInherited(x *trial) {
	p := x.pool(Settings{MinWorkers: labelled}) // no killer, as in labelsNotInherited
	var nest func(left int, task func())
	nest = func(left int, task func()) {
		p.(Caller).Do(func() {
			if left == 1 {
				task()
				return
			}
			nest(left-1, task)
		})
	}
	gone := make(chan struct{})
	go pprof.Do(context.Background(), mark(), func(ctx context.Context) {
		defer close(gone)
		nest(labelled, func() {})
		p.(Caller).Do(func() { pprof.SetGoroutineLabels(ctx) })
	})
	x.await(gone, "labelled callers of Do return")
	x.settle()
	x.require(!x.anyLabelled(), "an idle worker of Do carries labels")
	nest(labelled, func() { x.require(!x.anyLabelled(), "a task of Do runs with labels on a worker") })
}

func doPassesGoexit(x *trial) {
	var told atomic.Int64
	p := x.pool(Settings{PanicHandler: func(any, []byte) { told.Add(1) }})
	for range 10 {
		got, returned := x.do(p, runtime.Goexit)
		x.require(!returned, "Do returned from a task that called Goexit")
		x.require(got == nil, "Goexit in a task of Do became a panic: %v", got)
	}
	x.require(told.Load() == 0, "the handler was told of Goexit in a task of Do")
}

func doIsCounted(x *trial) {
	p := x.pool(Settings{})
	var within Stats
	for n := range int64(10) {
		x.do(p, func() { within = x.stats(p) })
		after := x.stats(p)
		x.require(within.Submitted == n+1 && within.Running == 1,
			"in task %d of Do %d are counted as submitted and %d as running", n+1, within.Submitted, within.Running)
		x.require(after.Completed == n+1 && after.Running == 0,
			"after %d calls of Do %d are counted as completed and %d as running", n+1, after.Completed, after.Running)
	}
}

func shutdownWaitsForDo(x *trial) {
	p := x.pool(Settings{})
	began := make(chan struct{})
	var ended atomic.Bool
	go p.(Caller).Do(func() {
		close(began)
		time.Sleep(patience / 2)
		ended.Store(true)
	})
	x.await(began, "a task of Do begins")
	x.shutdown(p)
	x.require(ended.Load(), "Shutdown returned and a task of Do had not ended")
}

func doAfterShutdown(x *trial) {
	p := x.pool(Settings{})
	x.do(p, func() {})
	x.shutdown(p)
	var caller, task uint64
	x.step("calling Do after Shutdown")
	caller = self()
	p.(Caller).Do(func() { task = self() })
	x.require(task != 0, "after Shutdown Do did not run its task")
	x.require(task == caller, "after Shutdown Do ran its task on another goroutine")
}

// wait waits for a group and returns its error.
func (x *trial) wait(g Group) (err error) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = g.Wait()
	}()
	x.await(ended, "the group's Wait returns")
	return err
}

var errFirst, errSecond = errors.New("first"), errors.New("second")

func groupRunsAll(x *trial) {
	const tasks = 100
	g := x.pool(Settings{}).(Grouper).Group()
	var ran atomic.Int64
	for i := range tasks {
		g.Go(func() error {
			time.Sleep(time.Duration(i) * time.Millisecond)
			ran.Add(1)
			switch i {
			case tasks / 4:
				return errFirst
			case tasks / 2:
				return errSecond
			}
			return nil
		})
	}
	err := x.wait(g)
	x.require(ran.Load() == tasks, "of %d tasks of a group %d had run when Wait returned", tasks, ran.Load())
	x.require(errors.Is(err, errFirst), "Wait returned %v, not the first error", err)
}

func groupNamesLostTasks(x *trial) {
	for how, task := range map[string]func() error{
		"panicked":      func() error { panic("for the handler") },
		"called Goexit": func() error { runtime.Goexit(); return nil },
	} {
		p := x.pool(Settings{PanicHandler: func(any, []byte) {}})
		g := p.(Grouper).Group()
		g.Go(task)
		g.Go(func() error { return nil })
		x.require(x.wait(g) != nil, "Wait returned nil though a task %s", how)
	}
}

func groupAfterShutdown(x *trial) {
	p := x.pool(Settings{})
	x.shutdown(p)
	g := p.(Grouper).Group()
	var ran atomic.Bool
	g.Go(func() error {
		ran.Store(true)
		return errFirst
	})
	err := x.wait(g)
	x.require(ran.Load(), "after Shutdown a group did not run its task")
	x.require(errors.Is(err, errFirst), "after Shutdown Wait returned %v, not the task's error", err)
}
