package conformance

import (
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var handingOver = []Clause{
	clause("runs-every-task", "Every accepted task runs exactly once.", nil, func(x *trial) {
		const submitters, each = 8, 5000
		p := x.pool(Settings{})
		runs := make([]atomic.Int32, submitters*each)
		var submitting sync.WaitGroup
		for s := range submitters {
			submitting.Go(func() {
				for i := range each {
					x.submit(p, func() { runs[s*each+i].Add(1) })
					// Time passes when all tasks so far have ended. The race
					// detector knows only some thousand goroutines.
					if i%200 == 0 {
						time.Sleep(time.Nanosecond)
					}
				}
			})
		}
		x.step("submitting %d tasks", len(runs))
		submitting.Wait()
		x.settle()
		for i := range runs {
			x.require(runs[i].Load() == 1, "task %d of %d ran %d times", i, len(runs), runs[i].Load())
		}
	}),

	clause("waits-for-no-task",
		"A task waits for a processor, never for the end of another task: 1,000 that do not end all start.",
		nil, func(x *trial) {
			x.keep(x.pool(Settings{}), 1000)
		}),

	clause("short-beside-long",
		"After 10,000 short tasks, one that does not end, at any place among 99 short ones, holds none of them back.",
		nil, func(x *trial) {
			const batch = 100
			p := x.pool(Settings{})
			x.short(p, 10_000)
			gate := make(chan struct{})
			for long := range batch {
				var started atomic.Int64
				for i := range batch {
					task := func() { started.Add(1) }
					if i == long {
						task = func() { <-gate }
					}
					x.submit(p, task)
				}
				x.settle()
				x.require(started.Load() == batch-1, "beside a long task at place %d only %d of %d short ones started",
					long, started.Load(), batch-1)
			}
			close(gate)
		}),

	inRealTime(clause("long-use-all-processors",
		"Busy tasks of one submitter run on all processors at the same time, also after 10,000 short ones.",
		nil, func(x *trial) {
			procs := int64(max(2, runtime.NumCPU()))
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(int(procs)))
			p := x.pool(Settings{})
			x.short(p, 10_000)
			for range 10 {
				var running atomic.Int64
				var over atomic.Bool
				for range procs {
					x.submit(p, func() {
						running.Add(1)
						for !over.Load() {
						}
					})
				}
				x.eventually("busy tasks of one submitter run on all processors", func() bool { return running.Load() == procs })
				over.Store(true)
			}
		})),

	clause("never-blocks", "Submit returns while every worker is busy.", nil, func(x *trial) {
		const tasks = 500
		p := x.pool(Settings{})
		gate := make(chan struct{})
		var submitted atomic.Int64
		go func() {
			for range tasks {
				x.submit(p, func() { <-gate })
				submitted.Add(1)
			}
		}()
		x.settle()
		x.require(submitted.Load() == tasks, "with %d busy workers Submit did not return", submitted.Load())
		close(gate)
	}),

	clause("no-stolen-worker", "Tasks submitted at the same time that wait for each other all start.",
		nil, func(x *trial) {
			const rounds, together = 80, 200
			for round := range rounds {
				p := x.pool(Settings{})
				x.burst(p, round%4*together/3) // between none and all of the tasks find an idle worker
				h := x.keep(p, 1)
				// A collection stops a submitter at any moment, also between two steps
				// that belong together.
				go func() {
					for range 10 {
						runtime.GC()
					}
				}()
				x.step("round %d", round)
				var meeting sync.WaitGroup
				meeting.Add(together)
				for range together { // each from a goroutine of its own
					go x.submit(p, func() {
						meeting.Done()
						meeting.Wait()
					})
				}
				x.within("200 tasks that wait for each other have met", meeting.Wait)
				close(h.gate)
				x.end(p)
				time.Sleep(time.Minute) // idle workers may go
			}
		}),

	clause("nested-chain", "A chain of 5,000 tasks, each of which submits the next and waits for it, ends.",
		nil, func(x *trial) {
			p := x.pool(Settings{})
			var nest func(depth int)
			nest = func(depth int) {
				if depth == 0 {
					return
				}
				inner := make(chan struct{})
				x.submit(p, func() {
					defer close(inner)
					nest(depth - 1)
				})
				<-inner
			}
			x.within("a chain of 5,000 nested tasks ends", func() { nest(5000) })
		}),

	clause("spawns-only-when-none-idle", "A task goes to an idle worker if there is one.",
		needs{Reuses}, func(x *trial) {
			p := x.pool(Settings{})
			all := crew{}
			for _, tasks := range []int{1, 10, 100, 50, 101} {
				before := len(all)
				maps.Copy(all, x.burst(p, tasks))
				x.require(len(all) == max(before, tasks), "for %d tasks there are %d workers, of which %d were idle",
					tasks, len(all), before)
			}
			for range 1000 {
				x.one(p, func() { x.require(all[self()], "a task got a new goroutine although 101 workers were idle") })
			}
		}),

	clause("loses-nothing-while-killing", "No task is lost while workers are being killed.",
		needs{Shrinks}, func(x *trial) {
			const tasks = 20_000
			p := x.pool(Settings{KillInterval: 1, KillDelay: 1})
			x.step("submitting %d tasks to workers that are being killed", tasks)
			for i := range tasks {
				done := make(chan struct{})
				x.submit(p, func() { close(done) })
				// The clock of a bubble stands still while anything can run. So this is
				// not short, but forever.
				select {
				case <-done:
				case <-time.After(time.Microsecond):
					x.fail("task %d of %d was lost", i, tasks)
				}
				time.Sleep(time.Duration(i % 3))
			}
		}),

	clause("nil-refused", "Submit refuses a nil task with an error.", nil, func(x *trial) {
		x.step("submitting a nil task")
		err := x.pool(Settings{}).Submit(nil)
		x.require(err != nil, "Submit accepted a nil task")
		x.settle()
	}),

	clause("nil-kills-nothing", "Submitting a nil task costs no worker.", needs{Reuses}, func(x *trial) {
		const workers = 100
		p := x.pool(Settings{})
		before := x.burst(p, workers)
		count := x.extra()
		x.step("submitting nil tasks to a pool with %d idle workers", workers)
		for range workers {
			_ = p.Submit(nil) // whether it is refused is another clause
		}
		x.settle()
		x.require(x.extra() == count, "after %d nil tasks there are %d goroutines instead of %d", workers, x.extra(), count)
		x.reuses(p, before, "after %d nil tasks some workers are new", workers)
	}),

	inRealTime(clause("hand-over-allocates-nothing", "Submit to an idle worker allocates nothing.",
		needs{Reuses}, func(x *trial) {
			p := x.pool(Settings{})
			done := make(chan struct{})
			task := func() { done <- struct{}{} }
			// A worker needs a moment from the end of its task until it is idle.
			x.eventually("1,000 submits to idle workers allocate nothing", func() bool {
				return testing.AllocsPerRun(1000, func() {
					x.submit(p, task)
					<-done
					runtime.Gosched()
				}) == 0
			})
		})),

	clause("run-replaces-go", "Run starts every task, also after Shutdown, when a panic still goes to the handler.",
		needs{RunsAlways, Shutdown, PanicHandler}, func(x *trial) {
			p, caught := x.catches()
			run := p.(Runner).Run
			for _, when := range []string{"before Shutdown", "after Shutdown"} {
				x.step("running tasks %s", when)
				ran := make(chan struct{})
				run(func() { close(ran) })
				x.await(ran, "the task of Run runs "+when)
				run(func() { panicWith(when) })
				x.requireCaught(caught, when)
				left := make(chan struct{})
				run(func() { defer close(left); runtime.Goexit() })
				x.await(left, "the task of Run calls Goexit "+when)
				x.shutdown(p)
			}
			// One more Shutdown does not wait for it: it is an ordinary goroutine.
			gate, ended := make(chan struct{}), make(chan struct{})
			run(func() { <-gate; close(ended) })
			x.shutdown(p)
			close(gate)
			x.await(ended, "the task of Run that Shutdown did not wait for ends")
			if x.subject.can(TaskCounts) {
				s := x.stats(p)
				x.require(s.Submitted == 3 && s.Completed == 3,
					"of 3 tasks of Run before Shutdown, and 4 after, %d are counted as submitted and %d as completed",
					s.Submitted, s.Completed)
			}
		}),

	clause("run-refuses-nil", "Run with a nil task panics in the caller.", needs{RunsAlways}, func(x *trial) {
		p := x.pool(Settings{})
		defer func() { x.require(recover() != nil, "Run returned from a nil task") }()
		x.step("running a nil task")
		p.(Runner).Run(nil)
	}),
}

// short submits short tasks, from which a pool may learn, and waits for them now and
// then.
func (x *trial) short(p Pool, tasks int) {
	const together = 100
	for range tasks / together {
		var all sync.WaitGroup
		all.Add(together)
		for range together {
			x.submit(p, all.Done)
		}
		x.within("100 short tasks end", all.Wait)
	}
}
