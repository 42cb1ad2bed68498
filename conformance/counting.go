package conformance

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var counting = []Clause{
	clause("tasks-counted-at-once",
		"A task is counted as submitted, and as running or waiting, as soon as Submit returns.",
		needs{TaskCounts}, func(x *trial) {
			p := x.pool(Settings{})
			for i := range int64(100) {
				x.submit(p, func() { select {} })
				s := x.stats(p)
				x.require(s.Submitted == i+1, "after %d submits %d tasks are counted as submitted", i+1, s.Submitted)
				x.require(s.Running+s.Waiting == i+1,
					"after %d submits of tasks that do not end %d are counted as running or waiting", i+1, s.Running+s.Waiting)
			}
		}),

	clause("workers-counted-in-time", "A worker is counted before its first task starts.",
		needs{WorkerCount}, func(x *trial) {
			const tasks = 100
			p := x.pool(Settings{})
			var started atomic.Int64
			x.submits(p, tasks, func() {
				running := started.Add(1)
				n := x.stats(p).Workers
				x.require(n >= running, "while %d tasks run %d workers are counted", running, n)
				select {}
			})
			n := x.stats(p).Workers
			x.require(n == tasks, "while %d tasks run %d workers are counted", tasks, n)
		}),

	clause("tasks-balance",
		"In a quiet pool no task waits and submitted = completed + running, also after panics, Goexit and refusals.",
		needs{TaskCounts}, func(x *trial) {
			p, _ := x.handled()
			tasks := mixed(x, p)
			h := x.keep(p, 5)
			requireTasks(x, p, tasks+5, tasks, "while 5 tasks run")
			close(h.gate)
			x.settle()
			requireTasks(x, p, tasks+5, tasks+5, "when all tasks have ended")
			if !x.subject.can(Shutdown) {
				return
			}
			x.shutdown(p)
			_ = p.Submit(func() {}) // whether it is refused is another clause
			requireTasks(x, p, tasks+5, tasks+5, "after a submit that came too late")
		}),

	clause("workers-balance", "The count of workers is that of the goroutines, also after panics and Goexit.",
		needs{WorkerCount}, func(x *trial) {
			p, _ := x.handled()
			cost := int64(x.cost())
			mixed(x, p)
			x.keep(p, 30)
			// A pool may have a goroutine more while there is something to kill.
			s, goroutines := x.stats(p), int64(x.extra())-cost
			x.require(s.Workers == goroutines || s.Workers == goroutines-1,
				"%d workers are counted where there are %d goroutines", s.Workers, goroutines)
			if x.subject.can(FullCounts) {
				x.require(s.Workers == s.Idle+s.Running,
					"workers=%d idle=%d running=%d do not add up", s.Workers, s.Idle, s.Running)
			}
		}),

	inRealTime(clause("counts-bounded-under-load",
		"Under load no count is negative, running and idle are at most workers, and the peak is at least workers.",
		needs{TaskCounts, WorkerCount, FullCounts}, func(x *trial) {
			p := x.pool(Settings{})
			x.step("reading the counts under load")
			hammer(p, 20_000, func(int) {
				s := x.stats(p)
				x.require(min(s.Running, s.Waiting, s.Idle, s.Workers) >= 0, "a count is negative: %+v", s)
				x.require(max(s.Running, s.Idle) <= s.Workers, "more are running or idle than there are workers: %+v", s)
				x.require(s.PeakWorkers >= s.Workers, "the peak is below the number of workers: %+v", s)
			})
		})),

	inRealTime(clause("totals-never-fall",
		"The totals of submitted and completed tasks never go backwards, also when Shutdown refuses some.",
		needs{TaskCounts, Shutdown}, func(x *trial) {
			const times = 5000
			p := x.pool(Settings{})
			var last Stats
			hammer(p, times, func(i int) {
				if i == times/2 {
					x.shutdown(p)
				}
				s := x.stats(p)
				x.require(s.Submitted >= last.Submitted && s.Completed >= last.Completed,
					"submitted went from %d to %d, completed from %d to %d", last.Submitted, s.Submitted, last.Completed, s.Completed)
				last = s
			})
		})),

	clause("lifetimes-counted",
		"Spawned, killed, panicked and peak are exact, and workers retired by Shutdown are not killed.",
		needs{FullCounts, PanicHandler, Shrinks, Shutdown}, func(x *trial) {
			const workers, panics, exits, again = 20, 18, 2, 5
			s := brisk(0)
			s.PanicHandler = func(any, []byte) {}
			p := x.pool(s)
			x.burst(p, workers)
			x.submits(p, panics, func() { panic("for the handler") })
			x.submits(p, exits, runtime.Goexit)
			x.burst(p, again) // new ones, and fewer than before
			before := x.stats(p)
			x.require(before.Spawned == workers+again && before.PeakWorkers == workers && before.Panicked == panics &&
				before.Killed == 0, "after %d workers, %d panics, %d Goexits and %d workers again the counts are %+v",
				workers, panics, exits, again, before)
			x.pass(12*time.Second + 500*time.Millisecond)
			killed, left := x.stats(p).Killed, x.stats(p).Workers
			x.require(killed > 0 && killed == before.Workers-left,
				"of %d workers the killer left %d, but %d count as killed", before.Workers, left, killed)
			x.shutdown(p)
			after := x.stats(p)
			x.require(after.Workers == 0 && after.Idle == 0 && after.Killed == killed,
				"after Shutdown the counts are %+v", after)
		}),
}

// mixed submits tasks that return, call Goexit and, if there can be a handler,
// panic. It returns how many.
func mixed(x *trial, p Pool) int64 {
	kinds := []func(){func() {}, runtime.Goexit}
	if x.subject.can(PanicHandler) {
		kinds = append(kinds, func() { panic("for the handler") })
	}
	const each = 10
	for _, task := range kinds {
		x.submits(p, each, task)
	}
	return int64(each * len(kinds))
}

func requireTasks(x *trial, p Pool, submitted, completed int64, when string) {
	s := x.stats(p)
	x.require(s.Submitted == submitted && s.Completed == completed && s.Running == submitted-completed && s.Waiting == 0,
		"%s the counts are submitted=%d completed=%d running=%d waiting=%d instead of %d, %d, %d, 0", when,
		s.Submitted, s.Completed, s.Running, s.Waiting, submitted, completed, submitted-completed)
}

// hammer lets submitters submit until told to stop and calls look in between,
// for a number of times. Each submitter has had a task done before the first
// look: the looks may all be over before a busy machine lets a submitter run.
func hammer(p Pool, times int, look func(i int)) {
	stop := make(chan struct{})
	var submitting, first sync.WaitGroup
	for range 4 {
		first.Add(1)
		begun := sync.OnceFunc(first.Done)
		submitting.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				done := make(chan struct{})
				if p.Submit(func() { close(done) }) == nil {
					<-done
				}
				begun()
				// On one processor a submitter and its worker would wake each other for
				// a whole time slice before any other goroutine looks again.
				runtime.Gosched()
			}
		})
	}
	first.Wait()
	for i := range times {
		look(i)
		runtime.Gosched()
	}
	close(stop)
	submitting.Wait()
}
