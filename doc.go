// Package hemlock is an elastic, unbounded goroutine pool for servers: a task
// runs as it would after a go statement, but on a goroutine that is reused and has
// already grown its stack.
//
// A goroutine starts with a few KiB of stack. A request handler that decodes,
// authorises, evaluates and encodes needs more, so a server that starts a
// goroutine for each request pays for growing a stack at each request. A reused
// worker has already grown its stack.
//
// A task waits for a processor, as a goroutine does, and never for the end of
// another task. Tasks may wait for each other in any way, and Submit never
// blocks. The pool has as many workers as tasks run at once, and stops idle
// workers when the load falls.
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
//	pool := hemlock.New(hemlock.WithKillDelay(30 * time.Second))
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
// workers that were busy last are used first. While it is idle a worker holds its
// stack, about two and a half KiB in all if its tasks were shallow, and nothing of
// the tasks it ran.
//
// A worker that was just woken or started waits for a processor. A short task
// that is submitted meanwhile does not get a worker of its own, which would have
// to wait for a processor too: the next worker that runs takes it. Until then
// Waiting in [Stats] counts it. So many short tasks need few workers and few
// wake-ups. A pool in which Waiting stays above zero has fewer processors than it
// needs.
//
// A worker that has finished a task is not idle at once, so a few more workers
// are started than tasks ever ran at once.
//
// After about 65,536 tasks a worker is replaced by a fresh goroutine, so that a
// stack that one rare task blew up is given back; see [WithMaxTasksPerWorker].
// The idea is that of the stream workers of grpc-go.
//
// # Do
//
// [Pool.Do] is for goroutines that somebody else starts, as net/http and grpc-go
// do for each request. It runs a task on the stack of an idle worker and returns
// when the task has ended, as a call would.
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
// A goroutine other than the workers decides, because workers that wait on one
// channel are served in turn, and none of them is ever idle long enough to give up
// by itself. That was found in gSuneido.
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
// A pool that is dropped without Shutdown stops its workers and is collected if
// its minimum is 0 and its kill interval is not. Other pools need Shutdown.
//
// # Panics
//
// Without [WithPanicHandler] a panic in a task crashes the process, as it does in
// a go statement, and the crash shows the task's own stack. With a handler, the
// handler is called on the panicking goroutine, and then its worker ends. A task
// that calls [runtime.Goexit] ends its worker too, which is no panic. Both are
// counted as completed, and the next task starts a worker if it needs one.
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
//   - The traceback of a crash says "created by" of the worker's first submitter,
//     not of the task's.
//   - What else a goroutine inherits comes from the worker's first submitter, and
//     stays. In Go 1.26 that is the scope of crypto/fips140.WithoutEnforcement and
//     of crypto/subtle.WithDataIndependentTiming. Do not submit from within the
//     former: tasks of others may run later on the worker that it starts. Enter
//     such a scope inside the task.
//
// # Memory model
//
// In the terminology of the Go memory model, a call of [Pool.Submit] or
// [Pool.Run] happens before its task starts, and the end of every task that the
// pool accepted happens before a [Pool.Shutdown] that returns nil returns.
// Between two tasks the pool promises no order.
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
//     goroutines that wait for one descriptor. No panic handler sees a fatal
//     error, such as a stack overflow or concurrent writes to a map. And the
//     runtime keeps the descriptors of ended goroutines, about 500 bytes each.
//   - While the killer has a timer, the runtime does not report that all
//     goroutines are asleep, so a deadlock is silent until the pool is at its
//     minimum.
//   - A pool is for a process, not for a tenant or a connection: it takes some
//     KiB for each processor, and pools that are used between two collections
//     lengthen the pause of the next by 40 ns each.
package hemlock
