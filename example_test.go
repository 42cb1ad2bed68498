package hemlock_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/group"
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

// A server's life: it serves until the process is told to stop, then takes no
// more connections, tells its tasks to stop waiting, and waits for them.
func Example_server() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	pool := hemlock.New()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	context.AfterFunc(ctx, func() { listener.Close() })

	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	go func() {
		fmt.Fprint(client, "?")
		_, _ = client.Read(make([]byte, 1)) // the echo: the server is at work
		interrupt()
	}()

	for {
		conn, err := listener.Accept()
		if err != nil {
			break
		}
		pool.Run(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })()
			_, err := io.Copy(conn, conn)
			fmt.Println("told to stop:", errors.Is(err, os.ErrDeadlineExceeded))
		})
	}
	patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	fmt.Println("shut down:", pool.Shutdown(patience))
	// Output:
	// told to stop: true
	// shut down: <nil>
}

// interrupt does to the process what Ctrl-C does.
func interrupt() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(os.Interrupt)
	}
}

// A batch of tasks, with their first error.
func Example_batch() {
	pool := hemlock.New()
	words := []string{"one", "two", "three"}
	lengths := make([]int, len(words))
	g := group.New(pool)
	for i, word := range words {
		g.Go(func() error {
			lengths[i] = len(word)
			return nil
		})
	}
	fmt.Println(g.Wait(), lengths)
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// <nil> [3 3 5]
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

// A name tells the workers of several pools apart in profiles and dumps.
func ExampleWithName() {
	orders := hemlock.New(hemlock.WithName("orders"))
	task := func() {
		var dump strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&dump, 1)
		fmt.Println(strings.Contains(dump.String(), `labels: {"hemlock":"orders"}`))
	}
	orders.Do(task)
	fmt.Println(orders.Shutdown(context.Background()))
	// Output:
	// true
	// <nil>
}

// The longest wait of those that were seen. A server observes with a histogram.
func ExampleWithWaitObserver() {
	var longest atomic.Int64
	pool := hemlock.New(hemlock.WithWaitObserver(func(wait time.Duration) {
		for most := longest.Load(); int64(wait) > most && !longest.CompareAndSwap(most, int64(wait)); {
			most = longest.Load()
		}
	}))
	for range 1000 {
		pool.Run(func() {})
	}
	fmt.Println(pool.Shutdown(context.Background()))
	fmt.Println(longest.Load() > 0)
	// Output:
	// <nil>
	// true
}

// A task belongs to the request whose ctx it carries, whichever request its worker was
// started for. So spans, deadlines and values come from ctx, never from the goroutine.
func ExamplePool_Run_context() {
	type request struct{}
	pool := hemlock.New()
	handle := func(ctx context.Context) {
		done := make(chan struct{})
		pool.Run(func() {
			defer close(done)
			fmt.Println("a span of", ctx.Value(request{}))
		})
		<-done
	}
	for _, path := range []string{"/first", "/second"} {
		handle(context.WithValue(context.Background(), request{}, path))
	}
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// a span of /first
	// a span of /second
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

// Shutdown interrupts no task. Tasks that wait for something watch a context,
// which is cancelled first.
// With a context that has ended, Shutdown closes the pool and waits for nothing: what
// other pools call Release.
func ExamplePool_Shutdown_release() {
	pool := hemlock.New()
	finish := make(chan struct{})
	pool.Run(func() { <-finish })
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	fmt.Println(errors.Is(pool.Shutdown(ended), context.Canceled), pool.Submit(func() {}))
	close(finish)
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// true hemlock: closed
	// <nil>
}

func ExamplePool_Shutdown_cancel() {
	pool := hemlock.New()
	ctx, cancel := context.WithCancel(context.Background())
	for range 10 {
		pool.Run(func() {
			select {
			case <-ctx.Done():
			case <-time.After(time.Hour):
			}
		})
	}
	cancel()
	fmt.Println(pool.Shutdown(context.Background()), pool.Stats().Completed)
	// Output:
	// <nil> 10
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

// A handler for a server's log.
func ExampleWithPanicHandler_slog() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey:
				return slog.Attr{} // another at each run
			case "stack":
				return slog.Bool("stack", strings.Contains(a.Value.String(), "goroutine"))
			}
			return a
		},
	}))
	pool := hemlock.New(hemlock.WithPanicHandler(func(v any, stack []byte) {
		logger.Error("task panicked", "value", v, "stack", string(stack))
	}))
	pool.Run(func() { panic("out of cheese") })
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// level=ERROR msg="task panicked" value="out of cheese" stack=true
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

// An abort that is no fault: the task recovers it, and the caller panics. The panic
// handler is not told, and the worker stays.
// A handler that a library calls on a goroutine of its own runs on a worker's stack.
func ExamplePool_Do() {
	pool := hemlock.New()
	handle := func(request string) (answer string) {
		pool.Do(func() { answer = "re: " + request })
		return answer
	}
	fmt.Println(handle("hello"))
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// re: hello
	// <nil>
}

func ExamplePool_Do_abort() {
	errAbort := errors.New("abort") // as http.ErrAbortHandler
	pool := hemlock.New(hemlock.WithPanicHandler(func(v any, _ []byte) { fmt.Println("told:", v) }))
	serve := func(handler func()) {
		var abort any
		pool.Do(func() {
			defer func() {
				if v := recover(); v == errAbort {
					abort = v
				} else if v != nil {
					panic(v) // its stack still has the handler
				}
			}()
			handler()
		})
		if abort != nil {
			panic(abort)
		}
	}
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		serve(func() { panic(errAbort) })
	}()
	s := pool.Stats()
	fmt.Println("workers:", s.Workers, "panicked:", s.Panicked)
	// Output:
	// recovered: abort
	// workers: 1 panicked: 0
}

// After a spike, or before a test looks for leaked goroutines.
func ExamplePool_Trim() {
	pool := hemlock.New(hemlock.WithMinWorkers(2))
	var spike sync.WaitGroup
	spike.Add(50)
	for range 50 {
		pool.Run(func() {
			spike.Done()
			spike.Wait() // all 50 run at once
		})
	}
	spike.Wait()
	for pool.Stats().Workers > 2 { // a worker is idle a moment after its task has ended
		if err := pool.Trim(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("left:", pool.Stats().Workers)
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// left: 2
	// <nil>
}
