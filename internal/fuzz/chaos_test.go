package fuzz_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"time"

	"example.com/hemlock/internal/pooltest"
)

// startChaos changes the number of processors and makes garbage until stop is
// called, which restores what it changed.
func startChaos(seed uint64) (stop func()) {
	processors := runtime.GOMAXPROCS(0)
	over := make(chan struct{})
	var all sync.WaitGroup
	for i, strike := range []func(*rand.Rand){changeProcessors, new(liveHeap).churn} {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		all.Go(func() {
			for {
				select {
				case <-over:
					return
				case <-time.After(below(random, 20*time.Millisecond)):
					strike(random)
				}
			}
		})
	}
	return func() {
		close(over)
		all.Wait()
		runtime.GOMAXPROCS(processors)
	}
}

func changeProcessors(random *rand.Rand) {
	runtime.GOMAXPROCS(1 + random.IntN(2*runtime.NumCPU()+2))
}

// A liveHeap is memory in use that changes all the time. It makes up about 40 MiB:
// a process that may have 64 collects garbage with every few tasks.
type liveHeap struct{ blocks [40][][]byte }

// churn replaces a few blocks, and now and then has the runtime collect what is
// garbage, which also shrinks the stacks of idle workers.
func (h *liveHeap) churn(random *rand.Rand) {
	for range 4 {
		block := make([][]byte, 1<<10)
		for i := range block {
			block[i] = make([]byte, 1<<10)
		}
		h.blocks[random.IntN(len(h.blocks))] = block
	}
	if random.IntN(8) == 0 {
		runtime.GC()
	}
}

// below returns a random time shorter than d.
func below(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}

// strain has the nth task do something that strains the pool or the runtime, or leave
// on the goroutine what the pool has to clean up.
func strain(n int64) {
	some := int(n / 8)
	switch n % 8 {
	case 0:
		runtime.Gosched()
	case 1:
		pooltest.UseStack(1 + some%48)
	case 2:
		time.Sleep(time.Duration(some%200) * time.Microsecond)
	case 3:
		runtime.KeepAlive(make([]byte, 1+some*512%(32<<10)))
	case 4:
		pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("soak", "trace")))
		debug.SetPanicOnFault(true)
	}
}
