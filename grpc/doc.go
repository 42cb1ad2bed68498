// Package hemlockgrpc runs the handlers of a gRPC server on the workers of a
// hemlock pool, whose stacks have already grown.
//
//	server := grpc.NewServer(
//		grpc.ChainUnaryInterceptor(hemlockgrpc.UnaryServerInterceptor(pool), recovery),
//		grpc.ChainStreamInterceptor(hemlockgrpc.StreamServerInterceptor(pool), streamRecovery),
//	)
//
// grpc-go starts a goroutine for each call, and a handler that needs much stack
// grows it anew each time. The interceptors call the handler through
// [hemlock.Pool.Do]: it runs on a worker while the goroutine of the call waits for
// it. A call never waits for a worker that is busy, so the interceptors bound
// nothing.
//
// # When something else is better
//
// It pays where handlers, or the interceptors after this one, use about 8 KiB of stack or more. If
// they need less, [grpc.NumStreamWorkers] is better: it reuses the goroutines
// of the calls, and saves starting them as well. It is a fixed number of workers,
// and calls beyond that get a goroutine each, as without it. The README of this
// module has figures for both. What grpc-go does itself stays on its own goroutine:
// for a unary call it reads and decodes the request and encodes and sends the answer there.
//
// A stream grows its stack once, however many messages it has, so streams that
// live long gain nothing. Each holds a worker while it lasts. Leave the stream
// interceptor away if all streams are like that.
//
// # The place in the chain
//
// Put it first. What comes before it in the chain runs on the goroutine of the
// call and grows that one's stack; what comes after it, and the handler, run on the worker.
//
// # Panics
//
// An interceptor that recovers from panics may stand before or after it, as both see the same
// value. After it is better: the worker lives on, and the stack that [runtime/debug.Stack] returns there is
// the handler's. Before it, the panic has passed through Do, which ends the worker, and the stack is that
// of the goroutine of the call; the panic handler of the pool, see
// [hemlock.WithPanicHandler], has been told the handler's before. Without
// any recovery a panic ends the process, as it does without a pool. If a handler calls
// [runtime.Goexit], the client has no answer and waits until its own deadline,
// again as without a pool.
//
// # What else stays the same
//
// The answer, the error and its status, metadata, trailers, deadlines and
// cancellation are those of the handler's context and stream, which are handed
// on as they are. The interceptors may be used by many calls at a time and by several servers. What differs between Do and a call is
// listed there, with one exception: the profiler labels that the context carries
// hold in the handler, which are those of [runtime/pprof.Do] in an interceptor
// before this one, and those that grpc-go sets itself if GRPC_GO_SERVER_GOROUTINE_LABELS says so. Others,
// such as those of the goroutine that called Serve, do not. A handler must not end with its thread locked, and an
// interceptor before this one must not lock it: the runtime would end the process.
//
// # Shutdown
//
// Stop the server first, then the pool:
//
//	server.GracefulStop()
//	err := pool.Shutdown(ctx)
//
// GracefulStop waits for the handlers. Stop does not, unless the server has the option
// [grpc.WaitForHandlers]; then Shutdown of the pool does. After
// Shutdown the interceptors call the handler themselves, so that a server which
// is still running goes on without the pool.
package hemlockgrpc
