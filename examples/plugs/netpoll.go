package plugs

import (
	"context"

	"example.com/hemlock"
)

// NetpollRunner returns the Runner for a netpoll.Config that runs netpoll's
// tasks on the pool:
//
//	func init() {
//		netpoll.Configure(netpoll.Config{Runner: plugs.NetpollRunner(pool)})
//	}
//
// A task is a wake-up of a connection, not a request: (*connection).onProcess in
// connection_onevent.go starts one when bytes arrive and none is under way, and
// it calls OnRequest until the bytes are used up. OnConnect costs a task too.
//
// Netpoll keeps the runner in a variable of its package (RunTask in
// internal/runner/runner.go) that its pollers read without a lock. So:
//   - It is set once, before the first connection; netpoll.Configure asks for an
//     init function, and each call sets other fields of Config as well.
//   - All event loops, dialled connections and mux queues of the process share
//     one pool. It cannot be shut down with one of the servers; it is the last
//     thing to be shut down, if at all.
//   - A refused task would leave its connection locked for ever, which
//     is why the runner never refuses one.
//
// Netpoll's default runner recovers from a panic in a callback and logs it. The pool
// does so only with the option [hemlock.WithPanicHandler]. The context is not needed,
// and some callers pass nil.
func NetpollRunner(pool *hemlock.Pool) func(ctx context.Context, task func()) {
	return func(_ context.Context, task func()) { pool.Run(task) }
}
