// Package hemlockhttp runs the handlers of a net/http server on the workers of a
// hemlock pool, whose stacks have already grown.
//
//	mux.Handle("/report", hemlockhttp.TimeoutHandler(pool, report, 5*time.Second, "")) // was: http.TimeoutHandler(report, ...)
//	server := &http.Server{Handler: hemlockhttp.Handler(pool, mux)}                    // for HTTP/2
//
// [net/http.TimeoutHandler] starts a goroutine for each request, since a handler
// that overruns its limit cannot be stopped: the server answers and leaves it
// behind. Each such goroutine grows its stack anew. [TimeoutHandler] starts a task
// of the pool instead. However many handlers overran and still run, the next
// request does not wait for them: the pool has no bound.
//
// [Handler] is for goroutines that the server starts. HTTP/2 has one for each
// request.
//
// # When something else is better
//
// The gain is the growth of the stack, so a handler that needs no more of it than a
// goroutine starts with gains nothing (BenchmarkTimeoutHandler). Behind Handler, few
// gain in HTTP/1.1, where the goroutine of a connection serves one request after the
// other and keeps its stack. Behind TimeoutHandler, Handler is not needed. Handler gains
// where an HTTP/2 server has deep handlers: a fifth more requests at 32 KiB, but as many
// or fewer at 0 and 8 KiB. TimeoutHandler gains a sixth at 32 KiB with HTTP/1.1, and
// nothing with HTTP/2 (bench/servers/results/http).
//
// A pool bounds nothing, and a timeout does not either: a handler that has timed out
// goes on, with its worker and its memory, until it returns. Let the handler stop
// when the context of the request ends.
//
// # What stays the same, and what differs
//
// A handler differs from one without a pool as a task differs from a go statement, or
// as a task of [hemlock.Pool.Do] differs from a call; see package hemlock. The
// exception is that the profiler labels in the context of the request hold in the
// handler, such as those that [runtime/pprof.Do] sets in a middleware that hands on its
// context.
//
// TimeoutHandler differs from net/http's only in this:
//
//   - A handler that calls [runtime.Goexit] ends the request at once, as it does
//     without a timeout: the server closes the connection or resets the stream.
//     net/http waits for the timeout.
//   - [net/http.Pusher] fails after the timeout, with the error that Write returns.
//     In net/http it must not be used then.
//   - A handler that writes while the timeout is answered does not wait for the
//     client to read that answer.
//   - A nil handler panics at once and not in the first request, and the default
//     message has another text.
//
// # Panics
//
// A panic in a handler reaches the goroutine of the server with its value, so the
// server logs it, or aborts the answer silently for [net/http.ErrAbortHandler]. A
// middleware around this one may recover it. No panic of a handler ends the process
// that would not do so without the pool.
//
// The panic handler of the pool is told of panics behind Handler, as of every panic
// in Do, except net/http.ErrAbortHandler, which is no fault: it is how a handler
// hangs up. It is not told of panics behind TimeoutHandler, which do not end their
// worker. A panic after the timeout is dropped, as net/http does.
//
// # Shutdown
//
// Stop the server, then the pool:
//
//	err := server.Shutdown(ctx)
//	err = pool.Shutdown(ctx)
//
// The first waits for the requests, the second for the handlers that have timed out
// as well. A request that comes after the Shutdown of the pool is served without it.
//
// # Testing
//
// The handlers may be used in a bubble of [testing/synctest] if the pool was made
// there, with [net/http/httptest.ResponseRecorder] for instance.
package hemlockhttp
