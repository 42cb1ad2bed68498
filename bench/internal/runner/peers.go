package runner

import (
	"math"
	"runtime"
	"time"

	"github.com/alitto/pond/v2"
	bytedance "github.com/bytedance/gopkg/util/gopool"
	cloudwego "github.com/cloudwego/gopkg/concurrency/gopool"
	"github.com/gammazero/workerpool"
	"github.com/panjf2000/ants/v2"
	conc "github.com/sourcegraph/conc/pool"
)

// antsPool has no bound: ants takes -1 for that.
//
// At import ants decides by GOMAXPROCS whether its workers get a channel with a
// buffer. So a run that changes GOMAXPROCS measures it with the choice for the
// processors that the process started with.
func antsPool() Runner {
	return Runner{
		Name:     "ants",
		Module:   "github.com/panjf2000/ants/v2",
		Settings: "ants.NewPool(-1), Submit",
		New: func() Pool {
			p, err := ants.NewPool(-1)
			must("ants.NewPool", err)
			return Pool{
				Bind: func(task func()) func() {
					return func() { must("ants: Submit", p.Submit(task)) }
				},
				Close: func() { _ = p.ReleaseTimeout(closeLimit) },
			}
		},
	}
}

// antsMultiPool has ten pools and round robin, as in the example and the
// benchmarks of ants, but without a bound.
func antsMultiPool() Runner {
	return Runner{
		Name:     "ants MultiPool",
		Module:   "github.com/panjf2000/ants/v2",
		Settings: "ants.NewMultiPool(10, -1, ants.RoundRobin), Submit",
		New: func() Pool {
			p, err := ants.NewMultiPool(10, -1, ants.RoundRobin)
			must("ants.NewMultiPool", err)
			return Pool{
				Bind: func(task func()) func() {
					return func() { must("ants: Submit", p.Submit(task)) }
				},
				Close: func() { _ = p.ReleaseTimeout(closeLimit) },
			}
		},
	}
}

// pondPool submits with Go, which makes no future: no load waits for one.
func pondPool() Runner {
	return Runner{
		Name:     "pond",
		Module:   "github.com/alitto/pond/v2",
		Settings: "pond.NewPool(0), Go; 0 is no bound",
		New: func() Pool {
			p := pond.NewPool(0)
			return Pool{
				Bind: func(task func()) func() {
					return func() { must("pond: Go", p.Go(task)) }
				},
				Close: func() { within(closeLimit, p.StopAndWait) },
			}
		},
	}
}

func concPool() Runner {
	return Runner{
		Name:     "conc",
		Module:   "github.com/sourcegraph/conc",
		Settings: "pool.New(), Go; no bound; workers stay until Wait",
		New: func() Pool {
			p := conc.New()
			return Pool{
				Bind:  func(task func()) func() { return func() { p.Go(task) } },
				Close: func() { within(closeLimit, p.Wait) },
			}
		},
	}
}

func bytedancePool() Runner {
	return Runner{
		Name:     "bytedance gopool",
		Module:   "github.com/bytedance/gopkg",
		Settings: "gopool.NewPool(name, math.MaxInt32, gopool.NewConfig()), Go; a worker ends when it finds no task",
		New: func() Pool {
			p := bytedance.NewPool("bench", math.MaxInt32, bytedance.NewConfig())
			return Pool{
				Bind:  func(task func()) func() { return func() { p.Go(task) } },
				Close: func() {},
			}
		},
	}
}

// cloudwegoPool has no way to close a pool, and its workers stay for a minute
// or longer. A task that ends its goroutine takes its worker along.
func cloudwegoPool() Runner {
	return Runner{
		Name:     "cloudwego gopool",
		Module:   "github.com/cloudwego/gopkg",
		Settings: "gopool.NewGoPool(name, gopool.DefaultOption()), Go; closed by tasks that call runtime.Goexit",
		New: func() Pool {
			p := cloudwego.NewGoPool("bench", cloudwego.DefaultOption())
			return Pool{
				Bind:  func(task func()) func() { return func() { p.Go(task) } },
				Close: func() { within(closeLimit, func() { dismiss(p) }) },
			}
		},
	}
}

// dismiss ends the workers of the pool. It looks more than once whether they
// have gone: a worker is counted only when it begins to run.
func dismiss(p *cloudwego.GoPool) {
	for gone := 0; gone < 3; {
		if p.CurrentWorkers() > 0 {
			gone = 0
			p.Go(runtime.Goexit)
			runtime.Gosched()
			continue
		}
		gone++
		time.Sleep(time.Millisecond)
	}
}

func gammazeroPool() Runner {
	return Runner{
		Name:     "gammazero workerpool",
		Module:   "github.com/gammazero/workerpool",
		Settings: "workerpool.New(10000), Submit",
		New: func() Pool {
			p := workerpool.New(bound)
			return Pool{
				Bind:  func(task func()) func() { return func() { p.Submit(task) } },
				Close: func() { within(closeLimit, p.StopWait) },
			}
		},
	}
}
