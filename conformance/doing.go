package conformance

import (
	"context"
	"errors"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

var doing = []Clause{
	clause("do-returns-after-task", "Do runs its task once and returns when it has ended.",
		needs{Calls}, func(x *trial) {
			p := x.pool(Settings{})
			for range 10 {
				var began, ended atomic.Int64
				start := time.Now()
				_, returned := x.do(p, func() {
					began.Add(1)
					time.Sleep(time.Second)
					ended.Add(1)
				})
				x.require(returned, "Do did not return")
				x.require(began.Load() <= 1, "the task of Do ran %d times", began.Load())
				x.require(ended.Load() == 1, "Do returned and its task had not ended")
				x.require(time.Since(start) == time.Second, "Do of a task of a second took %v", time.Since(start))
			}
		}),

	clause("do-nests", "A task may call Do, and so may that one's task, many deep and many at once.",
		needs{Calls, FullCounts}, func(x *trial) {
			for _, c := range []struct{ callers, deep int }{{1000, 1}, {50, 20}, {1, 1000}} {
				p := x.pool(Settings{})
				gate := make(chan struct{})
				var all sync.WaitGroup
				for range c.callers {
					all.Go(func() { doNested(c.deep, func() { <-gate }, p) })
				}
				x.settle()
				tasks, within := int64(c.callers*c.deep), x.stats(p)
				x.require(within.Running == tasks, "of %d tasks of Do at once %d run", tasks, within.Running)
				close(gate)
				x.within("nested calls of Do return", all.Wait)
				after := x.stats(p)
				x.require(after.Idle == tasks && after.PeakWorkers == tasks,
					"after %d tasks of Do at once %d workers are idle of %d", tasks, after.Idle, after.PeakWorkers)
			}
		}),

	clause("do-passes-panic",
		"A panic in a task of Do is told to the handler, with the task's stack, and reaches the caller with its value.",
		needs{Calls, PanicHandler, Shutdown}, func(x *trial) {
			p, told := x.catches()
			want := new(int)
			for n := range 10 {
				if n == 5 {
					x.shutdown(p)
				}
				got, returned := x.do(p, func() { panicWith(want) })
				x.require(!returned, "Do returned from a task that panicked")
				x.require(got == any(want), "the caller of Do got %v, not the value of the panic", got)
				x.requireCaught(told, want)
			}
		}),

	clause("do-tells-once",
		"A panic that leaves several tasks of Do, each inside another and in turns of two pools, is told once.",
		needs{Calls, PanicHandler}, func(x *trial) {
			p, told := x.handled()
			other, toldOther := x.handled()
			x.submits(p, 1, func() { doNested(10, func() { panic("for the handler") }, p, other) })
			times := told.Load() + toldOther.Load()
			x.require(times == 1, "the handler was told %d times of a panic that left nested tasks of Do", times)
		}),

	// A server panics with http.ErrAbortHandler like this.
	clause("do-tells-each-panic", "A caller of Do that recovers and panics anew is told, though the value is the same.",
		needs{Calls, PanicHandler}, func(x *trial) {
			p, told := x.handled()
			anew := func(task func()) {
				defer func() { panic(recover()) }()
				p.(Caller).Do(task)
			}
			x.do(p, func() { anew(func() { anew(func() { panic(errFirst) }) }) })
			x.require(told.Load() == 3, "the handler was told %d times of three panics with one value", told.Load())
		}),

	clause("do-lets-aborts-pass",
		"A task of Do that recovers what is no fault, for its caller to panic with, tells no handler and keeps its worker.",
		needs{Calls, PanicHandler, Reuses}, func(x *trial) {
			p, told := x.handled()
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
		}),

	clause("do-labels-not-inherited",
		"A worker of Do has no profiler labels of the caller that it was made for, nor of a task that has ended.",
		needs{Calls}, func(x *trial) {
			p := x.pool(Settings{MinWorkers: labelled})
			x.within("labelled callers of Do return", func() {
				pprof.Do(context.Background(), mark(), func(ctx context.Context) {
					doNested(labelled, func() {}, p)
					p.(Caller).Do(func() { pprof.SetGoroutineLabels(ctx) })
				})
			})
			x.settle()
			x.require(!x.anyLabelled(), "an idle worker of Do carries labels")
			doNested(labelled, func() { x.require(!x.anyLabelled(), "a task of Do runs with labels on a worker") }, p)
		}),

	clause("do-passes-goexit", "A task of Do that calls runtime.Goexit ends its caller, and is no panic.",
		needs{Calls, PanicHandler}, func(x *trial) {
			p, told := x.handled()
			for range 10 {
				got, returned := x.do(p, runtime.Goexit)
				x.require(!returned, "Do returned from a task that called Goexit")
				x.require(got == nil, "Goexit in a task of Do became a panic: %v", got)
			}
			x.require(told.Load() == 0, "the handler was told of Goexit in a task of Do")
		}),

	clause("do-is-counted", "A task of Do is counted as running while it runs and as completed when Do returns.",
		needs{Calls, FullCounts}, func(x *trial) {
			p := x.pool(Settings{})
			var within Stats
			for n := range int64(10) {
				x.do(p, func() { within = x.stats(p) })
				want := Stats{Submitted: n + 1, Completed: n, Running: 1, Workers: 1, Spawned: 1, PeakWorkers: 1}
				x.require(within == want, "in task %d of Do the counts are %+v", n+1, within)
				want.Completed, want.Running, want.Idle = n+1, 0, 1
				after := x.stats(p)
				x.require(after == want, "after %d calls of Do the counts are %+v", n+1, after)
			}
		}),

	clause("shutdown-waits-for-do", "Shutdown waits for the tasks of Do.", needs{Calls, Shutdown}, func(x *trial) {
		p := x.pool(Settings{})
		began := make(chan struct{})
		var ended atomic.Bool
		go p.(Caller).Do(func() {
			close(began)
			time.Sleep(patience / 2)
			ended.Store(true)
		})
		x.await(began, "a task of Do begins")
		start := time.Now()
		x.shutdown(p)
		x.require(ended.Load(), "Shutdown returned and a task of Do had not ended")
		x.require(time.Since(start) == patience/2, "the last task of Do ended after %v, but Shutdown returned after %v",
			patience/2, time.Since(start))
	}),

	clause("do-after-shutdown", "After Shutdown, Do calls its task on the caller's goroutine.",
		needs{Calls, Shutdown, Deadline, TaskCounts}, func(x *trial) {
			p := x.pool(Settings{})
			requireCall := func() {
				var task uint64
				p.(Caller).Do(func() { task = self() })
				x.require(task != 0, "after Shutdown Do did not run its task")
				x.require(task == self(), "after Shutdown Do ran its task on another goroutine")
			}
			x.do(p, func() {
				_ = stop(p, 0) // which this task outlasts
				requireCall()
			})
			x.shutdown(p)
			x.step("calling Do after Shutdown")
			before := x.stats(p)
			requireCall()
			x.require(x.stats(p) == before && before.Submitted == 1, "calls of Do after Shutdown are counted: %+v", x.stats(p))
		}),

	clause("group-runs-all", "A group runs all its tasks, and Wait returns the first error after the last of them.",
		needs{Groups}, func(x *trial) {
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
		}),

	clause("group-names-lost-tasks",
		"A task of a group that panics under a handler, or calls runtime.Goexit, never leaves a nil error.",
		needs{Groups, PanicHandler}, func(x *trial) {
			for how, task := range map[string]func() error{
				"panicked":      func() error { panic("for the handler") },
				"called Goexit": func() error { runtime.Goexit(); return nil },
			} {
				p, _ := x.handled()
				g := p.(Grouper).Group()
				g.Go(task)
				g.Go(func() error { return nil })
				x.require(x.wait(g) != nil, "Wait returned nil though a task %s", how)
			}
		}),

	clause("group-after-shutdown", "After the pool's Shutdown a group runs its tasks all the same.",
		needs{Groups, Shutdown}, func(x *trial) {
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
		}),
}

// do calls Do on a goroutine of its own, and waits until it has ended. It returns
// what Do panicked with, and whether Do returned.
func (x *trial) do(p Pool, task func()) (value any, returned bool) {
	x.within("Do ends", func() {
		defer func() { value = recover() }()
		p.(Caller).Do(task)
		returned = true
	})
	return value, returned
}

// doNested calls Do of a task that calls Do, and so on, in turns of the pools. The task
// that is so many deep is the given one.
func doNested(deep int, task func(), pools ...Pool) {
	if deep == 0 {
		task()
		return
	}
	pools[deep%len(pools)].(Caller).Do(func() { doNested(deep-1, task, pools...) })
}

// wait waits for a group and returns its error.
func (x *trial) wait(g Group) (err error) {
	x.within("the group's Wait returns", func() { err = g.Wait() })
	return err
}

var errFirst, errSecond = errors.New("first"), errors.New("second")
