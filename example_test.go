package hemlock_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"net"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"example.com/hemlock"
	"golang.org/x/sync/semaphore"
)

func Example() {
	pool := hemlock.New()
	var sum atomic.Int64
	for i := range int64(100) {
		pool.Run(func() { sum.Add(i) }) // was: go func() { sum.Add(i) }()
	}
	err := pool.Shutdown(context.Background()) // waits for all of them
	fmt.Println("sum:", sum.Load(), "tasks:", pool.Stats().Completed, "error:", err)
	// Output:
	// sum: 4950 tasks: 100 error: <nil>
}

// A server that starts a goroutine for each connection changes one line.
func ExamplePool_Run() {
	pool := hemlock.New()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	pool.Run(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			pool.Run(func() {
				defer conn.Close()
				fmt.Fprint(conn, "hello from a pooled goroutine")
			})
		}
	})

	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	greeting := make([]byte, 64)
	n, _ := conn.Read(greeting)
	fmt.Println(string(greeting[:n]))
	conn.Close()
	listener.Close()
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// hello from a pooled goroutine
	// <nil>
}

// The pool never refuses work while it is open, so a server that must bound its
// memory bounds the work before it reaches the pool, and sheds the rest.
func ExamplePool_Submit_bounded() {
	pool := hemlock.New()
	errOverloaded := errors.New("overloaded")
	limit := semaphore.NewWeighted(10)
	serve := func(task func()) error {
		if !limit.TryAcquire(1) {
			return errOverloaded
		}
		err := pool.Submit(func() {
			defer limit.Release(1)
			task()
		})
		if err != nil {
			limit.Release(1)
		}
		return err
	}

	release := make(chan struct{})
	shed := 0
	for range 1000 {
		if errors.Is(serve(func() { <-release }), errOverloaded) {
			shed++
		}
	}
	stats := pool.Stats()
	fmt.Println("not yet done:", stats.Running+stats.Waiting, "shed:", shed)
	close(release)
	fmt.Println(pool.Shutdown(context.Background()))
	fmt.Println(serve(func() {}))
	// Output:
	// not yet done: 10 shed: 990
	// <nil>
	// hemlock: closed
}

// Profiler labels do not follow a task into the pool. A task that is to have
// them sets them itself, and the pool clears them afterwards.
func ExamplePool_Run_labels() {
	pool := hemlock.New()
	pprof.Do(context.Background(), pprof.Labels("route", "/search"), func(ctx context.Context) {
		done := make(chan struct{})
		pool.Run(func() {
			defer close(done)
			pprof.SetGoroutineLabels(ctx)
			route, _ := pprof.Label(ctx, "route")
			fmt.Println("profiled as", route)
		})
		<-done
	})
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// profiled as /search
	// <nil>
}

func ExamplePool_Shutdown() {
	pool := hemlock.New()
	release := make(chan struct{})
	pool.Run(func() { <-release })

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(pool.Shutdown(ctx))
	fmt.Println(pool.Submit(func() {}))

	close(release)
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// hemlock: shutdown: 1 task running, 0 waiting, 1 worker left: context deadline exceeded
	// hemlock: closed
	// <nil>
}

func ExampleWithPanicHandler() {
	pool := hemlock.New(hemlock.WithPanicHandler(func(v any, stack []byte) {
		fmt.Println("a task panicked:", v, "with a stack:", len(stack) > 0)
	}))
	pool.Run(func() { panic("out of cheese") })
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// a task panicked: out of cheese with a stack: true
	// <nil>
}

// expvar needs no more than a function that returns the snapshot.
func ExamplePool_Stats_expvar() {
	pool := hemlock.New()
	expvar.Publish("pool", expvar.Func(func() any { return pool.Stats() }))
	pool.Run(func() {})
	fmt.Println(pool.Shutdown(context.Background()))
	fmt.Println(expvar.Get("pool"))
	// Output:
	// <nil>
	// {"workers":0,"idle":0,"running":0,"waiting":0,"submitted":1,"completed":1,"panicked":0,"spawned":1,"killed":0,"recycled":0,"peak_workers":1}
}

// After a spike the killer gives back the workers above the minimum.
func ExampleWithKillInterval() {
	pool := hemlock.New(
		hemlock.WithKillInterval(time.Millisecond),
		hemlock.WithKillDelay(10*time.Millisecond),
		hemlock.WithMinWorkers(2),
	)
	var spike sync.WaitGroup
	spike.Add(50)
	for range 50 {
		pool.Run(func() {
			spike.Done()
			spike.Wait() // all 50 run at once
		})
	}
	spike.Wait()
	for pool.Stats().Workers > 2 {
		time.Sleep(time.Millisecond)
	}
	stats := pool.Stats()
	fmt.Println("peak:", stats.PeakWorkers, "left:", stats.Workers)
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// peak: 50 left: 2
	// <nil>
}
