// Package hemlock is an elastic, unbounded goroutine pool for servers: it runs
// every task at once, as a go statement does, but on goroutines that are kept
// and whose stacks have already grown.
//
// A goroutine starts with a few KiB of stack. A request handler that decodes,
// authorises, evaluates and encodes needs more, so a server that starts a
// goroutine for each request pays for the growth of its stack at each request.
// A worker that is used again has paid. hemlock never queues and never blocks:
// an idle worker takes the task if there is one, and if there is none a new
// worker is spawned. When the load falls, a killer poisons spare workers.
//
// # When a go statement is better
//
// A task that needs no more than the stack a goroutine starts with gains
// nothing: a go statement is as fast or faster. So it is for goroutines that
// live long or start seldom. And where the number of tasks must be bounded, a
// limit has to be put in front of the pool; see Limits.
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
// A worker is spawned with its first task in hand, and only when no worker is
// idle. Between tasks it waits on one of a few seats of a processor, and when
// those are taken on a channel that all workers share, the reserve. [Pool.Submit]
// looks at the seats of its own processor first, so that a few workers stay hot
// and the reserve holds the cold ones. While it waits, a worker holds its stack,
// about two and a half KiB in all if its tasks were shallow, and nothing of the
// tasks it ran.
//
// A worker that is between its task and its seat is invisible to Submit, so a
// few more workers are spawned than tasks ever ran at once: 64 callers may make
// 20 workers where 2 tasks run at a time. One submitter that never waits for
// its empty tasks makes tens of thousands, much as go statements would.
//
// After about 65,536 tasks a worker hands its place to a fresh goroutine, so
// that a stack that one rare task blew up is given back; see
// [WithMaxTasksPerWorker]. The idea is that of the stream workers of grpc-go.
//
// # Killing
//
// While there are more workers than [WithMinWorkers], the killer holds a round
// every [WithKillInterval], but none within [WithKillDelay] after a worker was
// spawned. A round sends a pill, a nil task, to a sixteenth of the idle workers,
// but at least to one, those on the reserve first. Only a worker that is idle at
// that moment can take it, so a busy one never dies of a round that came while
// it worked. With the default of one second, 10,000 spare workers are gone in
// about two and a quarter minutes; the last thirty go one a second.
//
// That some other goroutine must decide is what gSuneido found: when all idle
// workers wait on one channel, each is served in its turn, and none is ever
// idle long enough to give up by itself.
//
// The killer is a goroutine only while there is something to kill. A pool at its
// minimum has no goroutine but its workers, and no timer.
//
// # Shutdown
//
// [Pool.Shutdown] refuses further tasks, waits for those accepted, and retires
// all workers. A Submit at the same moment is either refused or its task runs
// before Shutdown returns nil; there is nothing in between. A pool that is
// dropped without Shutdown drains itself and is collected if its minimum is 0
// and its kill interval is not; other pools need Shutdown.
//
// # Panics
//
// Without [WithPanicHandler] a panic in a task crashes the process, as it does in
// a go statement, and the crash shows the task's own stack. With a handler, the
// handler is called on the panicking goroutine, and then its worker ends. A task
// that calls [runtime.Goexit] ends its worker too, which is no panic. Neither is
// lost from the counts, and the next task spawns a worker if it needs one.
//
// # What differs from go
//
//   - A task does not inherit the profiler labels of its submitter. To have them,
//     start the task with pprof.SetGoroutineLabels(ctx), where ctx carries them.
//     They are cleared after the task, as is [runtime/debug.SetPanicOnFault].
//   - A task that returns with its thread locked by [runtime.LockOSThread] leaves
//     the worker on that thread. End such a task with [runtime.Goexit], which ends
//     worker and thread, or start it with go.
//   - The traceback of a crash says "created by" of the worker's first submitter,
//     not of the task's.
//   - What else a goroutine inherits comes from the worker's first submitter, and
//     stays. In Go 1.26 that is the scope of crypto/fips140.WithoutEnforcement and
//     of crypto/subtle.WithDataIndependentTiming. Do not submit from within the
//     former: tasks of others may run later on the worker that it spawns. Enter
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
// made there. The bubble ends after Shutdown, or when the test sleeps until the killer has
// drained the pool. The package shares nothing between pools and starts nothing
// when it is imported.
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
package hemlock
