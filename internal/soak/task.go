package main

import (
	"context"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"time"
)

// act is what a task does: something that strains the pool or the runtime, and
// perhaps not to return.
func (l *load) act(random *rand.Rand, depth int) {
	for range random.IntN(3) {
		if depth > 0 && l.room.TryAcquire(1) {
			l.start(random, depth-1)
		}
	}
	switch random.IntN(8) {
	case 0:
		runtime.Gosched()
	case 1:
		useStack(1 + random.IntN(48))
	case 2:
		time.Sleep(below(random, 200*time.Microsecond))
	case 3:
		runtime.KeepAlive(make([]byte, 1+random.IntN(32<<10)))
	case 4:
		leaveTraces()
	case 5:
		l.spike(random)
	}
	l.endSomehow(random)
}

// leaveTraces leaves on the goroutine what the pool has to clean up.
func leaveTraces() {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("soak", "trace")))
	debug.SetPanicOnFault(true)
}

// spike has a few tasks run at the same time, if there is room for them, and
// waits for none.
func (l *load) spike(random *rand.Rand) {
	n := int64(1 + random.IntN(100))
	if !l.room.TryAcquire(n) {
		return
	}
	var together sync.WaitGroup
	together.Add(int(n))
	for range n {
		l.loose.Inc()
		l.pool.Run(func() {
			defer l.room.Release(1)
			defer l.ended.Inc()
			l.ran.Inc()
			together.Done()
			together.Wait()
		})
	}
}

// endSomehow returns, or does not.
func (l *load) endSomehow(random *rand.Rand) {
	switch random.IntN(40) {
	case 0:
		runtime.Goexit()
	case 1:
		runtime.LockOSThread() // the thread ends with the goroutine
		runtime.Goexit()
	case 2:
		l.panicked.Inc()
		panic("soak")
	}
}

// useStack runs with that many KiB of stack in use.
//
//go:noinline
func useStack(kib int) byte {
	var frame [1 << 10]byte
	frame[kib%len(frame)] = 1
	if kib > 1 {
		frame[0] += useStack(kib - 1)
	}
	return frame[kib%len(frame)]
}
