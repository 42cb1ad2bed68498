// Package hemlock is an elastic, unbounded goroutine pool for servers. A task runs
// as it would after a go statement, but on a goroutine that is reused and has already
// grown its stack.
//
// A goroutine starts with a few KiB of stack. A request handler that decodes,
// authorizes and encodes needs more, so a server that starts a goroutine for each
// request grows a stack for each request. A worker of the pool has grown its stack
// before.
//
// A task waits for a processor, as a goroutine does, and never for the end of another
// task. Tasks may wait for each other in any way. The pool grows to as many workers as
// tasks run at once, and a few more, and kills idle workers when the load falls.
//
// # When a go statement is better
//
// A caller that waits for each of its tasks gains nothing if the task needs little
// stack, and neither does a goroutine that lives long or starts seldom. The pool puts
// no bound on the number of tasks: where strangers can start them, put a limit in front
// of it, as the example of Submit does.
// [example.com/hemlock/cmd/stackcost] reads the CPU profile of a program and says what
// a pool would give back.
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
// Which call to use:
//
//   - [Pool.Run], in place of a go statement. It never fails.
//   - [Pool.Submit], where the caller must know that the pool is closed.
//   - [Pool.Do], a call on a stack that has grown, for a handler that a library calls on
//     a goroutine of its own. [example.com/hemlock/http] and [example.com/hemlock/grpc]
//     have it as middleware.
//   - [example.com/hemlock/group], for tasks that return errors and a wait for all of
//     them: errgroup's interface.
//
// [example.com/hemlock/metrics/prometheus] and [example.com/hemlock/metrics/otel]
// export the counts, and [example.com/hemlock/metrics/page] shows them.
//
// # Workers
//
// A worker is started with its first task, and only when no worker is idle. The pool
// uses as few of its workers as it can, so that the others stay idle and can be killed.
// An idle worker holds its stack, and nothing of the tasks that it ran.
//
// A new task may be left for a worker that was woken or started and has yet to get a
// processor. Waiting in [Stats] counts such tasks. A pool in which Waiting stays above
// zero has fewer processors than it needs. While tasks wait, workers have a time slice
// of 100 microseconds, after which every other goroutine that is ready to run has a
// turn. So a burst of tasks does not hold up the rest of the process.
//
// A worker that has run many tasks is replaced by a fresh goroutine, so that a huge stack
// is given back; see [WithMaxTasksPerWorker].
//
// # Killing
//
// While a pool has more workers than [WithMinWorkers], its killer sends pills: empty
// messages that tell a worker to leave. It does not wait for a worker, so only one that is
// idle at that moment takes a pill, and those that were idle longest tend to go first.
// With the defaults of [WithKillInterval] and [WithKillDelay], after the last start of a
// worker:
//
//	idle workers    half are gone after    the last after
//	          10               14 s                 19 s
//	       1,000               20 s                 98 s
//	     100,000               20 s                169 s
//
// The killer is a goroutine only while there is something to kill. A pool at its
// minimum has no goroutine but its workers, and no timer. [Pool.Trim] kills the idle
// workers at once.
//
// # Shutdown
//
// [Pool.Shutdown] waits for the tasks and interrupts none: cancel what they wait for
// first. A pool that is dropped without Shutdown is collected once its tasks have ended
// and the killer has killed its workers. A pool with a minimum, or a kill interval of 0,
// needs Shutdown.
//
// # Panics
//
// Without [WithPanicHandler] a panic in a task crashes the process, as it does in a go
// statement, and the crash shows the task's own stack. With a handler it ends the worker
// alone, and so does [runtime.Goexit], which is no panic. Both count as completed.
//
// After a panic in a task of [Pool.Do], Do panics in the caller with the same value. A
// panic that leaves several tasks of Do, each inside another, is told to one handler
// once: that of the innermost pool that has one.
//
// A value that is no fault, such as http.ErrAbortHandler, is told and counted as any
// other; an example of Do shows how to avoid that.
//
// # What differs from go
//
//   - A task does not inherit the profiler labels of its submitter. To have them, start
//     the task with pprof.SetGoroutineLabels(ctx), where ctx carries them. After the
//     task the worker has none but that of [WithName], and
//     [runtime/debug.SetPanicOnFault] is cleared.
//   - A task that returns with its thread locked by [runtime.LockOSThread] leaves the
//     worker on that thread. End such a task with [runtime.Goexit], or start it with go.
//   - Traces and crashes show the worker: the goroutine that started it, not the
//     submitter, is its creator.
//   - What else a goroutine inherits comes from the worker's first submitter, and stays:
//     the scopes of crypto/fips140.WithoutEnforcement, of
//     crypto/subtle.WithDataIndependentTiming, and of runtime/secret.Do. Enter such a
//     scope inside the task, and call no method of the pool within one.
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
// A pool may be used in a bubble of [testing/synctest], with fake time, if it was made
// there. The bubble ends after Shutdown, or when the test sleeps until the killer has
// killed all workers. A pool that was made outside panics when it starts a worker
// inside. A task that its idle worker takes runs outside, and the runtime reports a
// deadlock of the bubble, or that the task uses a channel of it. So make one pool for each
// server, not one in a package variable. The package shares nothing between pools and
// starts nothing when it is imported.
//
// A test that looks for leaked goroutines finds idle workers and the killer. It calls
// Shutdown first, or [Pool.Trim] where the pool outlives the test. docs/LEAKS.md has the
// lines for goleak and for block profiles.
//
// # Limits
//
// Whoever can make the server start tasks can make it use memory: bound the work in
// front of the pool. A pool is for a process, not for a tenant or a connection.
// docs/LIMITS.md says what else to expect of the runtime.
package hemlock
