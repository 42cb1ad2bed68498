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
	var live [40][][]byte // MiB: a process that may have 64 collects garbage with every few tasks
	for i, strike := range []func(*rand.Rand){
		func(random *rand.Rand) { runtime.GOMAXPROCS(1 + random.IntN(2*runtime.NumCPU()+2)) },
		func(random *rand.Rand) {
			for range 4 {
				block := make([][]byte, 1<<10)
				for i := range block {
					block[i] = make([]byte, 1<<10)
				}
				live[random.IntN(len(live))] = block
			}
			if random.IntN(8) == 0 {
				runtime.GC() // which shrinks the stacks of idle workers, too
			}
		},
	} {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		all.Go(func() {
			for {
				select {
				case <-over:
					return
				case <-time.After(time.Duration(random.IntN(20_000)) * time.Microsecond):
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
