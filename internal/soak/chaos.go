package main

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
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
