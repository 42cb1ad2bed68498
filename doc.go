// Package hemlock is an elastic, unbounded goroutine pool for servers. A task runs as
// it would after a go statement, but on a worker: a goroutine that is reused and has
// already grown its stack. Tasks may wait for each other in any way. The pool grows to as
// many workers as tasks run at once, and a few more, and kills idle ones when the load
// falls.
//
// A caller that waits for tasks that need little stack gains nothing, and neither does a
// goroutine that lives long. [example.com/hemlock/cmd/stackcost] reads the CPU profile of
// a program and says what a pool would give back.
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
//     a goroutine of its own. [example.com/hemlock/http] and
//     [example.com/hemlock/grpc] have it as middleware.
//   - [example.com/hemlock/group], for tasks that return errors and a wait for all of
//     them: errgroup's interface.
//
// [example.com/hemlock/metrics/prometheus] and [example.com/hemlock/metrics/otel]
// export the counts, and [example.com/hemlock/metrics/page] shows them.
//
// # Workers
//
// A worker is started with its first task, and only when no worker is idle. A new task
// may be left for a worker that was woken or started and has yet to get a processor;
// Waiting in [Stats] counts such tasks. If it stays above zero, the pool has fewer
// processors than it needs. While tasks wait, workers have a time slice of 100
// microseconds, after which every other goroutine that is ready to run has a turn.
//
// # Killing
//
// While a pool has more workers than [WithMinWorkers], its killer sends pills: empty
// messages that tell an idle worker to leave. Those that were idle longest tend to go
// first. With the defaults of [WithKillInterval] and [WithKillDelay], after the last start
// of a worker:
//
//	idle workers    half are gone after    the last after
//	          10               14 s                 19 s
//	       1,000               20 s                 98 s
//	     100,000               20 s                169 s
//
// A pool at its minimum has no goroutine but its workers, and no timer.
//
// # Shutdown
//
// [Pool.Shutdown] waits for the tasks and interrupts none: cancel what they wait for
// first. A pool that is dropped without Shutdown is collected once the killer has killed
// its workers, unless it has a minimum, or a kill interval of 0.
//
// # Panics
//
// Without [WithPanicHandler] a panic in a task crashes the process, as it does in a go
// statement, with the task's own stack. With a handler it ends the worker alone, and so
// does [runtime.Goexit], which is no panic. A panic that leaves several tasks of
// [Pool.Do], each inside another, is told to one handler once: that of the innermost pool
// that has one. The handler is told of values that are no fault, such as
// http.ErrAbortHandler, too; an example of Do shows how to avoid that.
//
// # What differs from go
//
//   - A task does not inherit the profiler labels of its submitter; it may start with
//     [runtime/pprof.SetGoroutineLabels]. The labels and the
//     [runtime/debug.SetPanicOnFault] that it sets end with it.
//   - A task that returns with its thread locked leaves the worker on that thread. End
//     such a task with [runtime.Goexit], or start it with go.
//   - In traces and crashes the goroutine that started the worker is the creator, not the
//     submitter. The worker inherits from it, for good, what else a goroutine inherits:
//     the scopes of crypto/fips140.WithoutEnforcement,
//     [crypto/subtle.WithDataIndependentTiming] and runtime/secret.Do. Enter such a scope
//     inside the task, and call no method of the pool within one.
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
// In a bubble of [testing/synctest] make the pool inside. One that was made outside panics
// when it starts a worker inside. A task that its idle worker takes runs outside, and the
// runtime reports a deadlock of the bubble, or that the task uses a channel of it. So make
// one pool for each server, not one in a package variable. Pools share no goroutine,
// channel, timer or count, only empty blocks of memory. Nothing starts when the package
// is imported.
//
// A test that looks for leaked goroutines calls Shutdown first, or [Pool.Trim] where the
// pool outlives the test. docs/LEAKS.md has the lines for goleak.
//
// # Limits
//
// Whoever can make the server start tasks can make it use memory: bound the work in
// front of the pool, as the example of Submit does. docs/LIMITS.md says what else to
// expect of the runtime.
package hemlock
