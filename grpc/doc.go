// Package hemlockgrpc runs the handlers of a gRPC server on the workers of a
// hemlock pool, whose stacks have already grown.
//
//	server := grpc.NewServer(
//		grpc.ChainUnaryInterceptor(hemlockgrpc.UnaryServerInterceptor(pool), recovery),
//		grpc.ChainStreamInterceptor(hemlockgrpc.StreamServerInterceptor(pool), streamRecovery),
//	)
//
// grpc-go starts a goroutine for each call, and a handler that needs much stack grows
// the stack of that goroutine anew each time. The interceptors call the handler through
// [hemlock.Pool.Do]: it runs on a worker, and the goroutine of the call waits for it.
// No call waits for the end of another, so the interceptors bound nothing. A limit is
// an interceptor before this one, or [grpc.MaxConcurrentStreams].
//
// # When something else is better
//
// The gain is the growth of the stack. Where handlers, and the interceptors after this
// one, need little stack, [grpc.NumStreamWorkers] is better: it uses the goroutines of
// the calls again, which saves starting them as well. It sets a fixed number of
// workers. A call that finds none of them idle gets a goroutine of its own, as without
// it. grpc-go itself grows the stack of a unary call to 8 KiB, so a handler within some
// 5 KiB grows nothing. The README of this module has figures.
//
// What grpc-go does itself stays where it is: it decodes the request of a unary
// call before the interceptors are called, and encodes the answer after them.
//
// A stream grows its stack once, however many messages it has. Streams that live
// long gain nothing, and each has a worker while it lasts. A server with only such
// streams is better off without the stream interceptor.
//
// # The place in the chain
//
// Put the interceptor first. Those before it run on the goroutine of the call, and grow
// the stack of that goroutine. Those after it run on the worker, as the handler does.
//
// # Panics
//
// An interceptor that recovers from panics may stand on either side; it sees the
// same value. After this one is better: the worker lives on, and what
// [runtime/debug.Stack] returns to the recovering function is the stack of the
// handler. Before this one, the panic has ended the worker, and the handler's
// stack is lost to all but the panic handler of the pool, which is told first; see
// [hemlock.WithPanicHandler]. It does not recover: without an interceptor that
// does, a panic ends the process, as without a pool.
//
// A handler that calls [runtime.Goexit] leaves its client without an answer until
// the client gives up, as without a pool.
//
// # What stays the same, and what differs
//
// The context, the stream, the answer and the error are handed on as they are,
// and with them deadlines, cancellation, metadata, trailers and status. The
// interceptors may be used by many calls at a time, and by several servers.
//
// Otherwise a handler differs from one without a pool as a task of Do differs from a
// call, with one exception. The profiler labels that the context of the call carries
// hold in the handler: those that [runtime/pprof.Do] sets in an interceptor before this
// one, if it hands on the context, and those that grpc-go sets on demand. Labels that
// only the goroutine has do not hold, such as those of the goroutine that called Serve.
// A handler must not end with its thread locked, and an interceptor before this one
// must not lock it: the runtime ends the process.
//
// # Shutdown
//
// Stop the server, then the pool:
//
//	server.GracefulStop()
//	err := pool.Shutdown(ctx)
//
// GracefulStop waits for the handlers. Stop does so only with the option
// [grpc.WaitForHandlers]; Shutdown waits for those that it leaves behind. Once Shutdown
// was called the interceptors call the handler themselves. A server that has not been
// stopped yet continues without the pool.
package hemlockgrpc
