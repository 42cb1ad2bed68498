package conformance

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var handingOver = []Clause{
	{
		Name: "runs-every-task", Promise: "Every accepted task runs exactly once.",
		check: runsEveryTask,
	},
	{
		Name: "waits-for-no-task", Promise: "A task waits for a processor, never for the end of another task: 1,000 that do not end all start.",
		check: func(x *trial) { x.keep(x.pool(Settings{}), 1000) },
	},
	{
		Name: "short-beside-long", Promise: "After 10,000 short tasks, one that does not end, at any place among 99 short ones, holds none of them back.",
		check: shortBesideLong,
	},
	{
		Name: "long-use-all-processors", Promise: "Busy tasks of one submitter run on all processors at the same time, also after 10,000 short ones.",
		ground: inRealTime, check: longUseAllProcessors,
	},
	{
		Name: "never-blocks", Promise: "Submit returns while every worker is busy.",
		check: neverBlocks,
	},
	{
		Name: "no-stolen-worker", Promise: "Tasks submitted at the same time that wait for each other all start.",
		check: noStolenWorker,
	},
	{
		Name: "nested-chain", Promise: "A chain of 5,000 tasks, each of which submits the next and waits for it, ends.",
		check: nestedChain,
	},
	{
		Name: "spawns-only-when-none-idle", Promise: "A task goes to an idle worker if there is one.",
		needs: []Ability{Reuses}, check: spawnsOnlyWhenNoneIdle,
	},
	{
		Name: "loses-nothing-while-killing", Promise: "No task is lost while workers are being killed.",
		needs: []Ability{Shrinks}, check: losesNothingWhileKilling,
	},
	{
		Name: "nil-refused", Promise: "Submit refuses a nil task with an error.",
		check: nilRefused,
	},
	{
		Name: "nil-kills-nothing", Promise: "Submitting a nil task costs no worker.",
		needs: []Ability{Reuses}, check: nilKillsNothing,
	},
	{
		Name: "hand-over-allocates-nothing", Promise: "Submit to an idle worker allocates nothing.",
		ground: inRealTime, needs: []Ability{Reuses}, check: handOverAllocatesNothing,
	},
	{
		Name: "run-replaces-go", Promise: "Run starts every task, also after Shutdown, when a panic still goes to the handler.",
		needs: []Ability{RunsAlways, Shutdown, PanicHandler}, check: runReplacesGo,
	},
	{
		Name: "run-refuses-nil", Promise: "Run with a nil task panics in the caller.",
		needs: []Ability{RunsAlways}, check: runRefusesNil,
	},
}

func runsEveryTask(x *trial) {
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
		x.meeting(&all, "100 short tasks end")
	}
}

// meeting waits for the group.
func (x *trial) meeting(all *sync.WaitGroup, what string) {
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	x.await(done, what)
}

func shortBesideLong(x *trial) {
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
		x.require(started.Load() == batch-1, "beside a long task at place %d only %d of %d short ones started", long, started.Load(), batch-1)
	}
	close(gate)
}

func longUseAllProcessors(x *trial) {
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
}

func neverBlocks(x *trial) {
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
}

func noStolenWorker(x *trial) {
	const rounds = 80
	for round := range rounds {
		p := x.pool(Settings{})
		h := x.keep(p, 1)
		// A collection stops a submitter at any moment, also between two steps
		// that belong together.
		go func() {
			for range 10 {
				runtime.GC()
			}
		}()
		x.step("round %d", round)
		x.await(meet(x, p), "200 tasks that wait for each other have met")
		close(h.gate)
		if x.subject.can(Shutdown) {
			x.shutdown(p)
		}
		time.Sleep(time.Minute) // idle workers may go
	}
}

// meet submits tasks that wait for each other, each from a goroutine of its own,
// and returns a channel that is closed when they have met.
func meet(x *trial, p Pool) <-chan struct{} {
	const together = 200
	var meeting sync.WaitGroup
	meeting.Add(together)
	for range together {
		go x.submit(p, func() {
			meeting.Done()
			meeting.Wait()
		})
	}
	met := make(chan struct{})
	go func() {
		meeting.Wait()
		close(met)
	}()
	return met
}

func nestedChain(x *trial) {
	p := x.pool(Settings{})
	done := make(chan struct{})
	x.submit(p, func() {
		defer close(done)
		nest(x, p, 5000-1)
	})
	x.await(done, "a chain of 5,000 nested tasks ends")
}

func nest(x *trial, p Pool, depth int) {
	if depth == 0 {
		return
	}
	inner := make(chan struct{})
	x.submit(p, func() {
		defer close(inner)
		nest(x, p, depth-1)
	})
	<-inner
}

func spawnsOnlyWhenNoneIdle(x *trial) {
	p := x.pool(Settings{})
	before := x.burst(p, 10)
	for range 100 {
		x.one(p, func() { x.require(before[self()], "a task got a new goroutine although 10 workers were idle") })
	}
}

func losesNothingWhileKilling(x *trial) {
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
}

func nilRefused(x *trial) {
	x.step("submitting a nil task")
	err := x.pool(Settings{}).Submit(nil)
	x.require(err != nil, "Submit accepted a nil task")
	x.settle()
}

func nilKillsNothing(x *trial) {
	const workers = 8
	p := x.pool(Settings{})
	before := x.burst(p, workers)
	count := x.extra()
	x.step("submitting nil tasks to a pool with %d idle workers", workers)
	for range workers {
		_ = p.Submit(nil) // whether it is refused is another clause
	}
	x.settle()
	x.require(x.extra() == count, "after %d nil tasks there are %d goroutines instead of %d", workers, x.extra(), count)
	for id := range x.burst(p, workers) {
		x.require(before[id], "after %d nil tasks some workers are new", workers)
	}
}

func handOverAllocatesNothing(x *trial) {
	p := x.pool(Settings{})
	done := make(chan struct{})
	task := func() { done <- struct{}{} }
	// A worker needs a moment from the end of its task until it is idle.
	allocs := 1.0
	x.eventually("1,000 submits to idle workers allocate nothing", func() bool {
		allocs = testing.AllocsPerRun(1000, func() {
			x.submit(p, task)
			<-done
			runtime.Gosched()
		})
		return allocs == 0
	})
}

func runReplacesGo(x *trial) {
	caught := make(chan any, 1)
	p := x.pool(Settings{PanicHandler: func(v any, _ []byte) { caught <- v }})
	run := p.(Runner).Run
	for _, when := range []string{"before Shutdown", "after Shutdown"} {
		x.step("running tasks %s", when)
		ran := make(chan struct{})
		run(func() { close(ran) })
		x.await(ran, "the task of Run runs "+when)
		run(func() { panic(when) })
		select {
		case v := <-caught:
			x.require(v == any(when), "the panic handler got %v instead of %v", v, when)
		case <-time.After(patience):
			x.fail("%s the panic of a task did not reach the handler", when)
		}
		x.shutdown(p)
	}
}

func runRefusesNil(x *trial) {
	p := x.pool(Settings{})
	defer func() { x.require(recover() != nil, "Run returned from a nil task") }()
	x.step("running a nil task")
	p.(Runner).Run(nil)
}
