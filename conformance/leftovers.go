package conformance

import (
	"bytes"
	"context"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync/atomic"
)

var leftovers = []Clause{
	clause("labels-not-inherited",
		"A worker does not keep the profiler labels of the submitter that it was spawned for.",
		needs{Reuses}, func(x *trial) {
			p := x.pool(Settings{MinWorkers: labelled})
			pprof.Do(context.Background(), mark(), func(context.Context) { x.burst(p, labelled) })
			requireUnlabelled(x, p, "its submitter's labels")
		}),

	clause("labels-not-left-behind",
		"Profiler labels that a task leaves behind are gone from the idle worker and for the next task.",
		needs{Reuses}, func(x *trial) {
			p := x.pool(Settings{MinWorkers: labelled})
			gate := make(chan struct{})
			x.submits(p, labelled, func() {
				<-gate
				pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), mark()))
			})
			close(gate)
			x.settle()
			requireUnlabelled(x, p, "the labels of its last task")
		}),

	clause("panic-on-fault-off", "SetPanicOnFault that a task leaves on is off for the next.",
		needs{Reuses}, func(x *trial) {
			p := x.pool(Settings{})
			for range 10 {
				x.one(p, func() { x.require(!debug.SetPanicOnFault(true), "a task began with SetPanicOnFault on") })
			}
		}),

	inRealTime(clause("closure-released", "What a finished task captured is collected while its worker idles.",
		nil, func(x *trial) {
			p := x.pool(Settings{})
			var collected atomic.Bool
			done := make(chan struct{})
			submitCapture(x, p, &collected, done)
			x.await(done, "the task runs")
			x.eventually("what a finished task captured is collected", func() bool {
				runtime.GC()
				return collected.Load()
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

// submitCapture submits a task that holds the only reference to an object. It is
// a function of its own so that no stack slot of the caller holds another.
func submitCapture(x *trial, p Pool, collected *atomic.Bool, done chan struct{}) {
	captured := bytes.Repeat([]byte{1}, 1<<16)
	runtime.AddCleanup(&captured[0], func(b *atomic.Bool) { b.Store(true) }, collected)
	x.submit(p, func() {
		captured[0]++
		close(done)
	})
}
