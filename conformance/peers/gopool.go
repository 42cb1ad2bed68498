package peers

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"time"

	"example.com/hemlock/conformance"
	bytedance "github.com/bytedance/gopkg/util/gopool"
	cloudwego "github.com/cloudwego/gopkg/concurrency/gopool"
)

// Bytedance returns the pool of github.com/bytedance/gopkg, as its default pool
// is made.
func Bytedance() conformance.Subject {
	return conformance.Subject{
		Name:    "bytedance gopool",
		Package: "github.com/bytedance/gopkg/util/gopool",
		New: func(c conformance.Settings) conformance.Pool {
			p := bytedance.NewPool("conformance", math.MaxInt32, bytedance.NewConfig())
			if c.PanicHandler != nil {
				p.SetPanicHandler(onPanic(c))
			}
			return counted{p.Go, func() int { return int(p.WorkerCount()) }}
		},
		// A worker that finds no task ends, so none is ever idle.
		Abilities: []conformance.Ability{
			conformance.PanicHandler, conformance.Shrinks, conformance.WorkerCount, conformance.RunsAlways,
		},
		Waived: waivers(silence(), recovers("documented otherwise: panics are recovered and logged")),
	}
}

// counted is a pool that is never shut down.
type counted struct {
	starter
	counter
}

// Cloudwego returns the pool of github.com/cloudwego/gopkg, with its default options
// except for the age of a worker.
func Cloudwego() conformance.Subject {
	return conformance.Subject{
		Name:    "cloudwego gopool",
		Package: "github.com/cloudwego/gopkg/concurrency/gopool",
		New:     newCloudwego,
		Abilities: []conformance.Ability{
			conformance.PanicHandler, conformance.Shrinks, conformance.Reuses,
			conformance.WorkerCount, conformance.RunsAlways,
		},
		Waived: waivers(silence(),
			recovers("documented otherwise: panics are recovered and logged"),
			waive("documented otherwise: workers end at Option.WorkerMaxAge, busy or not",
				"bursts-do-not-thrash", "pill-spares-busy"),
			waive("the documentation does not say when a worker is counted", "workers-counted-in-time")),
	}
}

func newCloudwego(c conformance.Settings) conformance.Pool {
	o := cloudwego.DefaultOption()
	if age := max(c.KillInterval, c.KillDelay); age != 0 {
		o.WorkerMaxAge = atLeast(age)
	}
	p := cloudwego.NewGoPool("conformance", o)
	if c.PanicHandler != nil {
		p.SetPanicHandler(onPanic(c))
	}
	return cloudwegoPool{counted{p.Go, p.CurrentWorkers}, p}
}

type cloudwegoPool struct {
	counted
	pool *cloudwego.GoPool
}

// Close ends the workers, which stay for a minute or longer. The package cannot end
// them earlier, but a task that ends its goroutine takes its worker along. Close looks
// more than once whether they have gone, because a worker is counted only when it
// begins to run.
func (p cloudwegoPool) Close() {
	for gone := 0; gone < 3; {
		if p.pool.CurrentWorkers() > 0 {
			gone = 0
			p.pool.Go(runtime.Goexit)
			runtime.Gosched()
			continue
		}
		gone++
		time.Sleep(time.Millisecond)
	}
}

// onPanic is the suite's panic handler as these two pools call theirs: while the
// task's stack is still there.
func onPanic(c conformance.Settings) func(context.Context, any) {
	return func(_ context.Context, v any) { c.PanicHandler(v, debug.Stack()) }
}
