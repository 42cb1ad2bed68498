package conformance

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
)

var leftovers = []Clause{
	clause("labels-not-inherited",
		"A worker does not keep the profiler labels of the submitter that it was spawned for.",
		needs{Reuses}, func(x *trial) {
			p := x.pool(Settings{MinWorkers: labelled})
			var h *held
			pprof.Do(context.Background(), mark(), func(context.Context) { h = x.keep(p, labelled) })
			x.require(!x.anyLabelled(), "a task runs with its submitter's labels")
			close(h.gate)
			x.settle()
			requireUnlabelled(x, p, "its submitter's labels")
		}),

	clause("labels-not-left-behind",
		"Profiler labels that a task leaves behind are gone from the idle worker and for the next task.",
		needs{Reuses}, func(x *trial) {
			for _, maximum := range []int{0, 1} { // with 1 each worker starts its successor
				p := x.pool(Settings{MinWorkers: labelled, MaxTasksPerWorker: maximum})
				gate := make(chan struct{})
				x.submits(p, labelled, func() {
					<-gate
					pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), mark()))
				})
				close(gate)
				x.settle()
				requireUnlabelled(x, p, "the labels of its last task")
			}
		}),

	clause("panic-on-fault-off", "SetPanicOnFault that a task leaves on is off for the next.",
		needs{Reuses}, func(x *trial) {
			p := x.pool(Settings{})
			task := func() { x.require(!debug.SetPanicOnFault(true), "a task began with SetPanicOnFault on") }
			for range 10 {
				x.one(p, task)
			}
			for n := 0; n < 10 && x.subject.can(Calls); n++ {
				x.within("Do of a task that sets SetPanicOnFault ends", func() {
					p.(Caller).Do(task)
					x.require(!debug.SetPanicOnFault(false), "a task of Do left SetPanicOnFault on in its caller")
				})
			}
		}),

	inRealTime(clause("closure-released", "What a finished task captured is collected while its worker idles.",
		nil, func(x *trial) {
			const tasks = 300
			p := x.pool(Settings{})
			var collected atomic.Int64
			want := int64(tasks)
			var together sync.WaitGroup
			together.Add(tasks)
			for range tasks {
				submitCapture(x, p, &collected, &together)
			}
			x.within("the tasks run", together.Wait)
			if x.subject.can(Calls) {
				want *= 2
				doCaptures(tasks, p, &collected)
			}
			x.eventually("what a finished task captured is collected", func() bool {
				runtime.GC()
				return collected.Load() == want
			})
			runtime.KeepAlive(p)
		})),
}

const labelValue = "left-over"

func mark() pprof.LabelSet { return pprof.Labels("conformance", labelValue) }

// anyLabelled reports whether any goroutine carries the label. There is no call
// that reads a goroutine's labels, but the text of a profile shows them.
func (x *trial) anyLabelled() bool {
	var profile strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		x.fail("goroutine profile: %v", err)
	}
	return strings.Contains(profile.String(), labelValue)
}

// The trials of labels set a minimum that no pool of theirs exceeds. So a killer has
// nothing to do, and every goroutine of the pool is a worker.
const labelled = 10

func requireUnlabelled(x *trial, p Pool, what string) {
	x.require(!x.anyLabelled(), "an idle worker carries %s", what)
	x.keep(p, labelled)
	x.require(!x.anyLabelled(), "a task runs with %s on its worker", what)
}

// capture returns an object that counts itself when it is collected.
func capture(collected *atomic.Int64) *[1 << 10]byte {
	captured := new([1 << 10]byte)
	runtime.AddCleanup(captured, func(n *atomic.Int64) { n.Add(1) }, collected)
	return captured
}

// submitCapture submits a task that holds the only reference to an object, and waits
// for the others. It is a function of its own so that no stack slot of the caller holds
// another.
func submitCapture(x *trial, p Pool, collected *atomic.Int64, together *sync.WaitGroup) {
	captured := capture(collected)
	x.submit(p, func() {
		captured[0]++
		together.Done()
		together.Wait()
	})
}

// doCaptures does the same with tasks of Do, each inside another.
func doCaptures(deep int, p Pool, collected *atomic.Int64) {
	if deep == 0 {
		return
	}
	captured := capture(collected)
	p.(Caller).Do(func() {
		captured[0]++
		doCaptures(deep-1, p, collected)
	})
}
