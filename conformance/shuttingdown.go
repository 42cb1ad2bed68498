package conformance

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var shuttingDown = []Clause{
	clause("shutdown-waits", "Shutdown returns nil when the last accepted task has ended, neither before nor later.",
		needs{Shutdown}, func(x *trial) {
			const tasks = 10
			p := x.pool(Settings{})
			// Written without synchronisation, on purpose: so with the race detector the clause
			// also shows that the tasks happen before Shutdown returns.
			ended := make([]bool, tasks)
			for i := range tasks {
				x.submit(p, func() {
					time.Sleep(time.Duration(i+1) * time.Second)
					ended[i] = true
				})
			}
			start := time.Now()
			x.shutdown(p)
			took := time.Since(start)
			for i := range ended {
				x.require(ended[i], "Shutdown returned after %v although a task had not ended", took)
			}
			x.require(took == tasks*time.Second, "the last task ended after %v, but Shutdown returned after %v",
				tasks*time.Second, took)
		}),

	clause("refuses-after-shutdown", "After Shutdown, Submit returns an error and its task never runs.",
		needs{Shutdown}, func(x *trial) {
			p := x.pool(Settings{})
			x.burst(p, 4)
			x.shutdown(p)
			x.step("submitting after Shutdown")
			var ran atomic.Bool
			err := p.Submit(func() { ran.Store(true) })
			x.require(err != nil, "Submit accepted a task after Shutdown")
			time.Sleep(time.Hour)
			x.require(!ran.Load(), "a task that Submit refused after Shutdown ran all the same")
		}),

	clause("accepted-equals-executed",
		"When submitters race with Shutdown, all tasks that were accepted, and no others, have run when it returns.",
		needs{Shutdown}, func(x *trial) {
			// More processors than most machines have: so the system takes one away at any
			// moment, even between two steps that belong together.
			const rounds, manyProcessors = 200, 16
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(manyProcessors))
			for round := range rounds {
				race(x, round)
			}
		}),

	clause("tasks-may-submit-while-closing",
		"A task that submits while Shutdown waits is refused, or its task runs before Shutdown returns.",
		needs{Shutdown}, func(x *trial) {
			p := x.pool(Settings{})
			gate := make(chan struct{})
			var accepted, ran atomic.Int64
			x.submits(p, 10, func() {
				<-gate
				if p.Submit(func() { ran.Add(1) }) == nil {
					accepted.Add(1)
				}
			})
			time.AfterFunc(time.Second, func() { close(gate) })
			x.shutdown(p)
			x.require(ran.Load() == accepted.Load(),
				"of %d tasks accepted from tasks during Shutdown %d had run when it returned", accepted.Load(), ran.Load())
		}),

	clause("shutdown-honours-context", "Shutdown returns an error at the moment its context ends, and the tasks go on.",
		needs{Shutdown, Deadline}, func(x *trial) {
			const timeout = time.Minute
			p := x.pool(Settings{})
			x.keep(p, 3)
			x.step("waiting for a Shutdown that should time out")
			start := time.Now()
			err := stop(p, timeout)
			x.require(err != nil, "Shutdown returned nil while 3 tasks were running")
			x.require(time.Since(start) == timeout, "with a context of %v Shutdown returned after %v",
				timeout, time.Since(start))
		}),

	clause("shutdown-names-cause", "The error of a Shutdown whose context ended wraps the context's cause.",
		needs{Shutdown, Deadline}, func(x *trial) {
			for _, err := range interrupted(x) {
				x.require(errors.Is(err, errCause), "Shutdown returned %q, which does not wrap the cause %q", err, errCause)
			}
		}),

	clause("shutdown-names-end",
		"That error also wraps context.Canceled or context.DeadlineExceeded, whatever the cause.",
		needs{Shutdown, Deadline}, func(x *trial) {
			for end, err := range interrupted(x) {
				x.require(errors.Is(err, end), "Shutdown returned %q, which does not wrap %q", err, end)
			}
		}),

	clause("timed-out-shutdowns-leak-nothing",
		"1,000 Shutdowns that time out leave no goroutine each, and a later one succeeds.",
		needs{Shutdown, Deadline}, func(x *trial) {
			const times = 1000
			p := x.pool(Settings{})
			h := x.keep(p, 1)
			_ = stop(p, time.Millisecond) // what the first leaves, once for all, is no leak
			x.settle()
			before := x.extra()
			for range times {
				x.require(stop(p, time.Millisecond) != nil, "Shutdown returned nil while a task was running")
			}
			x.settle()
			grown := x.extra() - before
			x.require(grown <= 0, "%d timed-out Shutdowns left %d goroutines", times, grown)
			close(h.gate)
			x.shutdown(p)
		}),

	clause("shutdown-is-repeatable", "Shutdown may be called many times, concurrently too, and each call returns nil.",
		needs{Shutdown}, func(x *trial) {
			p := x.pool(Settings{})
			h := x.keep(p, 3)
			x.step("calling Shutdown from 50 goroutines")
			errs := make(chan error, 50)
			for range cap(errs) {
				go func() { errs <- stop(p, patience) }()
			}
			x.settle()
			close(h.gate)
			for range cap(errs) {
				if err := <-errs; err != nil {
					x.fail("one of %d concurrent Shutdowns returned %q", cap(errs), err)
				}
			}
			x.shutdown(p)
		}),

	clause("shutdown-from-task", "A task may call Shutdown with a context that ends.",
		needs{Shutdown, Deadline}, func(x *trial) {
			const tasks = 10
			p := x.pool(Settings{})
			var together sync.WaitGroup
			together.Add(tasks)
			x.submits(p, tasks, func() {
				together.Done()
				together.Wait()
				for range 2 {
					x.require(stop(p, time.Second) != nil, "a task that called Shutdown was told that it had ended")
				}
			})
			x.shutdown(p)
		}),

	clause("shutdown-leaves-nothing",
		"Idle workers are retired at once, and when Shutdown returns the pool has no goroutine left.",
		needs{Shutdown}, func(x *trial) {
			// With an interval of an hour the killer, if there is one, is asleep.
			p := x.pool(Settings{KillInterval: time.Hour, KillDelay: time.Hour})
			x.grow(p, 100)
			start := time.Now()
			x.shutdown(p)
			took := time.Since(start)
			x.require(took == 0, "Shutdown of an idle pool took %v", took)
			x.settle()
			x.require(x.extra() == 0, "when Shutdown had returned the pool had %d goroutines", x.extra())
			runtime.KeepAlive(p)
		}),

	clause("drained-beats-context", "Shutdown of a drained pool returns nil even if its context has ended too.",
		needs{Shutdown, Deadline}, func(x *trial) {
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			for n := range 100 {
				p := x.pool(Settings{})
				if n > 0 { // the first has had no task
					x.burst(p, 2)
					x.shutdown(p)
				}
				err := p.(Stopper).Shutdown(ended)
				x.require(err == nil, "Shutdown of a drained pool with a context that has ended returned %q", err)
			}
		}),
}

var errCause = errors.New("the reason to give up")

// interrupted calls Shutdown of a busy pool with contexts that end for errCause, and
// returns by how each has ended the error that Shutdown returned.
func interrupted(x *trial) map[error]error {
	p := x.pool(Settings{})
	x.keep(p, 3)
	canceled, cancel := context.WithCancelCause(context.Background())
	cancel(errCause)
	late, release := context.WithTimeoutCause(context.Background(), time.Second, errCause)
	defer release()
	return map[error]error{
		context.Canceled:         p.(Stopper).Shutdown(canceled),
		context.DeadlineExceeded: p.(Stopper).Shutdown(late),
	}
}

// race lets submitters race with a Shutdown.
func race(x *trial, round int) {
	const submitters, each = 16, 100
	p := x.pool(Settings{})
	var accepted, ran atomic.Int64
	var submitting sync.WaitGroup
	for range submitters {
		submitting.Go(func() {
			for i := 0; i < each && p.Submit(func() { ran.Add(1) }) == nil; i++ {
				accepted.Add(1)
			}
		})
	}
	for range round {
		runtime.Gosched()
	}
	x.shutdown(p)
	then := ran.Load()
	x.step("waiting for the submitters")
	submitting.Wait()
	time.Sleep(time.Hour)
	x.require(ran.Load() == accepted.Load(), "of %d accepted tasks %d ran", accepted.Load(), ran.Load())
	x.require(then == accepted.Load(), "of %d accepted tasks %d had run when Shutdown returned", accepted.Load(), then)
}
