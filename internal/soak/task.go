package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"time"

	"example.com/hemlock/group"
	"example.com/hemlock/internal/pooltest"
	"go.uber.org/atomic"
)

// act is what a task does: something that strains the pool or the runtime, and
// perhaps not to return.
func (l *load) act(random *rand.Rand, depth int) {
	for range random.IntN(3) {
		if depth > 0 && l.room.TryAcquire(1) {
			l.start(random, depth-1)
		}
	}
	switch random.IntN(12) {
	case 0:
		runtime.Gosched()
	case 1:
		pooltest.UseStack(1 + random.IntN(48))
	case 2:
		time.Sleep(below(random, 200*time.Microsecond))
	case 3:
		runtime.KeepAlive(make([]byte, 1+random.IntN(32<<10)))
	case 4:
		leaveTraces()
	case 5:
		l.spike(random)
	case 6:
		l.fanOut(random)
	case 7:
		l.shower(random)
	case 8:
		l.do(random)
	case 9:
		l.doApart(random)
	}
	l.endSomehow(random)
}

// do calls Do, nested, if there is room for it. The task that calls do ends as the
// innermost one does, and the pool's handler is told once if it is a panic.
func (l *load) do(random *rand.Rand) {
	depth, how := 1+random.IntN(4), random.IntN(20)
	if !l.room.TryAcquire(int64(depth)) {
		return
	}
	l.nest(random, depth, how)
}

// doApart calls Do, nested, on a goroutine that is none of the pool's.
func (l *load) doApart(random *rand.Rand) {
	random = rand.New(rand.NewPCG(random.Uint64(), 5))
	depth, how := 1+random.IntN(4), random.IntN(20)
	if !l.room.TryAcquire(int64(depth)) {
		return
	}
	go func() {
		defer func() { _ = recover() }()
		l.nest(random, depth, how)
	}()
}

// The ways in which tasks of Do end that do not return.
const (
	panics = iota
	exits
)

// nest calls Do with a task that calls Do and so on, to this depth. There must be
// room for them.
func (l *load) nest(random *rand.Rand, depth, how int) {
	l.loose.Inc()
	l.pool.Do(func() {
		defer l.begin()()
		if random.IntN(2) == 0 {
			pooltest.UseStack(1 + random.IntN(48))
		}
		if random.IntN(4) == 0 {
			leaveTraces()
		}
		switch {
		case depth > 1:
			l.nest(random, depth-1, how)
		case how == panics:
			l.panicked.Inc()
			panic("soak")
		case how == exits:
			runtime.Goexit()
		}
	})
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
			defer l.begin()()
			together.Done()
			together.Wait()
		})
	}
}

// shower starts short tasks without a pause, if there is room for them: most are
// left to workers on their way. It waits for them half of the time.
func (l *load) shower(random *rand.Rand) {
	n := int64(1 + random.IntN(200))
	if !l.room.TryAcquire(n) {
		return
	}
	var over sync.WaitGroup
	over.Add(int(n))
	task := func() {
		defer l.begin()()
		over.Done()
	}
	for range n {
		l.loose.Inc()
		l.pool.Run(task)
	}
	if random.IntN(2) == 0 {
		over.Wait()
	}
}

var errPart = errors.New("soak")

// fanOut runs a group of tasks, if there is room for them, and waits for all. It
// knows by itself whether one failed.
func (l *load) fanOut(random *rand.Rand) {
	n := int64(1 + random.IntN(20))
	if !l.room.TryAcquire(n) {
		return
	}
	l.loose.Add(n)
	var succeeded atomic.Int64
	g, ctx := group.WithContext(context.Background(), l.pool)
	g.SetLimit(pickLimit(random))
	for range n {
		random := rand.New(rand.NewPCG(random.Uint64(), 4))
		g.Go(func() error {
			defer l.begin()()
			l.endSomehow(random)
			if random.IntN(40) == 0 {
				return errPart
			}
			succeeded.Inc()
			return nil
		})
	}
	err := g.Wait()
	if (err == nil) != (succeeded.Load() == n) || ctx.Err() == nil {
		l.misled.Inc()
	}
}

// pickLimit returns the limit of a group, or -1 for none.
func pickLimit(random *rand.Rand) int {
	if random.IntN(2) == 0 {
		return -1
	}
	return 1 + random.IntN(10)
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
