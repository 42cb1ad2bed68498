// Package hemlock is an elastic, unbounded goroutine pool for servers: a task
// runs as it would after a go statement, but on a goroutine that is reused and has
// already grown its stack.
//
// A goroutine starts with a few KiB of stack. A request handler that decodes,
// authorizes, evaluates and encodes needs more, so a server that starts a
// goroutine for each request pays for growing a stack at each request. A reused
// worker has already grown its stack.
//
// A task waits for a processor, as a goroutine does, and never for the end of
// another task. Tasks may wait for each other in any way, and Submit never
// blocks. The pool grows to as many workers as tasks run at once, and a few more,
// and stops idle workers when the load falls.
//
// # When a go statement is better
//
// A caller that waits for each of its tasks gains nothing if the task needs
// little stack: a go statement is as fast or faster. The same holds for
// goroutines that live long or start seldom. Where the number of tasks must be
// bounded, put a limit in front of the pool; see Limits.
//
// # Usage
//
//	pool := hemlock.New()
//	for {
//		conn, err := listener.Accept()
//		if err != nil {
//			break
//		}
//		pool.Run(func() { serve(conn) }) // was: go serve(conn)
//	}
//	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
//	defer cancel()
//	err := pool.Shutdown(ctx)
//
// # Workers
//
// A worker is started with its first task, and only when no worker is idle. The
// pool uses as few of its workers as it can, so that the others stay idle and can
// be stopped. While it is idle a worker holds its stack, about two and a half KiB
// in all if its tasks were shallow, and nothing of the tasks it ran.
//
// While a worker that was woken or started has yet to get a processor, a new task
// may be left for it, instead of waking another that would have to wait for a
// processor too. Such a task has no worker yet: Waiting in [Stats] counts it. So
// many short tasks need few workers and few wake-ups. A pool in which Waiting
// stays above zero has fewer processors than it needs.
//
// A burst of tasks does not hold up the rest of the process. While tasks wait, the
// workers on a processor let every other goroutine that is ready to run have its
// turn, after 100 microseconds and the task in hand.
//
// After about 65,536 tasks a worker is replaced by a fresh goroutine, so that a
// stack that one rare task blew up is given back; see [WithMaxTasksPerWorker].
// The idea is that of the stream workers of grpc-go.
//
// # Do
//
// [Pool.Do] is for goroutines that a library starts, as grpc-go does for each call
// and net/http for each HTTP/2 request. It runs a task on the stack of a worker and
// returns when the task has ended, as a call would. Its workers serve Do alone, and
// those of Submit and Run do not serve Do. The package http has it as a middleware,
// and net/http's TimeoutHandler on a pool.
//
// # Killing
//
// The killer stops idle workers. With the defaults, counted from the last start
// of a worker:
//
//	idle workers    half are gone after    the last after
//	          10               14 s                 19 s
//	       1,000               20 s                 98 s
//	     100,000               20 s                169 s
//
// While there are more workers than [WithMinWorkers], the killer stops a
// sixteenth of the idle ones, but at least one, every [WithKillInterval]. It stops
// none within [WithKillDelay] after a worker was started. To each it sends a pill,
// an empty message that tells the worker to leave, and does not wait: only a
// worker that is idle at that moment can take it, so a busy worker is never
// stopped. Those that were idle longest tend to go first.
//
// The killer is a goroutine only while there is something to stop. A pool at its
// minimum has no goroutine but its workers, and no timer.
//
// # Shutdown
//
// [Pool.Shutdown] refuses further tasks, waits for those accepted, and stops all
// workers. It interrupts no task: cancel what the tasks wait for first. A Submit
// at the same moment either returns [ErrClosed], or its task runs before Shutdown
// returns nil.
//
// A pool that is dropped without Shutdown is collected once its tasks have ended and
// the killer has stopped its workers. One with a minimum, or a kill interval of 0,
// needs Shutdown.
//
// # Panics
//
// Without [WithPanicHandler] a panic in a task crashes the process, as it does in
// a go statement, and the crash shows the task's own stack. With a handler, the
// handler is called on the panicking goroutine, and then its worker ends. A task
// that calls [runtime.Goexit] ends its worker too, but is no panic. Both are
// counted as completed.
//
// After a panic in a task of [Pool.Do], Do panics in the caller with the same value,
// handler or not, and the process crashes unless the caller recovers it. A panic
// that leaves several tasks of Do, each inside another, is told once: by the
// innermost pool that has a handler. A task that recovers a panic and panics again
// starts a new one.
//
// A value that is no fault, such as http.ErrAbortHandler, is told and counted as
// any other. Recover it in the task, and panic in the caller of Do: the example of
// Do shows how. The worker then stays, too.
//
// # What differs from go
//
//   - A task does not inherit the profiler labels of its submitter. To have them,
//     start the task with pprof.SetGoroutineLabels(ctx), where ctx carries them.
//     They are cleared after the task, as is [runtime/debug.SetPanicOnFault].
//   - A task that returns with its thread locked by [runtime.LockOSThread] leaves
//     the worker on that thread until the worker is stopped. End such a task with
//     [runtime.Goexit], which ends worker and thread, or start it with go.
//   - An execution trace shows every task as the worker that runs it, and a region
//     or task of [runtime/trace] that is left open stays open for the next task.
//   - A crash names as creator the goroutine that started the worker, not the one
//     that submitted the task.
//   - What else a goroutine inherits comes from the worker's first submitter, and
//     stays. Since Go 1.26 that is the scope of crypto/fips140.WithoutEnforcement and
//     of crypto/subtle.WithDataIndependentTiming, and since Go 1.27 the experimental
//     one of runtime/secret.Do. Do not call the pool within WithoutEnforcement: the
//     worker that it may start keeps the scope for the tasks of others. Nor rely on
//     secret.Do around a call of the pool, [Pool.Do] included: a worker that was
//     there before runs the task outside the scope. Enter a scope inside the task.
//
// # Memory model
//
// In the terminology of the Go memory model, a call of [Pool.Submit] or [Pool.Run]
// synchronizes before its task starts, the end of an accepted task before a
// [Pool.Shutdown] that returns nil, and the end of a task of [Pool.Do] before Do
// returns. Tasks are not ordered with each other.
//
// # Testing
//
// A pool may be used in a bubble of [testing/synctest], with fake time, if it was
// made there. One that was made outside must not be used inside: the bubble would
// wait for its workers, or the runtime panics. The bubble ends after Shutdown, or
// when the test sleeps until the killer has stopped all workers. The package
// shares nothing between pools and starts nothing when it is imported.
//
// # Limits
//
//   - Unbounded means no back-pressure: whoever can make the server start tasks
//     can make it use memory. Bound the work before the pool, for instance with
//     golang.org/x/sync/semaphore, as the example of Submit does.
//   - The runtime shrinks an idle stack too: each garbage collection halves one of
//     which less than a quarter is in use, so workers that idle through several
//     collections grow their stacks again. And since Go 1.19 it starts goroutines
//     with the average stack of those it has seen. Both make the gain depend on
//     load and Go version; the README has figures.
//   - A task that blocks for ever keeps its worker for ever, as it keeps a
//     goroutine.
//   - What bounds goroutines bounds tasks: the runtime ends the process at 10,000
//     threads, when so many tasks block in system calls, and at 1,048,575
//     goroutines that wait on one file descriptor. No panic handler sees a fatal
//     error, such as a stack overflow or concurrent writes to a map. And the
//     runtime never frees its records of ended goroutines, about 500 bytes each.
//   - While the killer has a timer, the runtime does not report that all
//     goroutines are asleep, so a deadlock is silent until the pool is at its
//     minimum.
//   - A pool is for a process, not for a tenant or a connection: it takes some
//     KiB for each processor, and each pool that was used since the last garbage
//     collection adds 40 ns to the pause of the next.
package hemlock
