package hemlockgrpc

import (
	"context"
	"runtime/pprof"

	"example.com/hemlock"
	"google.golang.org/grpc"
)

// UnaryServerInterceptor returns an interceptor that calls the handler, and the
// interceptors after it, through [hemlock.Pool.Do]. It panics if pool is nil or a zero Pool.
func UnaryServerInterceptor(pool *hemlock.Pool) grpc.UnaryServerInterceptor {
	_ = pool.Stats() // panics if it is nil or a zero Pool
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
		pool.Do(func() {
			pprof.SetGoroutineLabels(ctx) // those of the caller do not hold in the task
			answer, err = handler(ctx, request)
		})
		return answer, err
	}
}

// StreamServerInterceptor returns an interceptor that calls the handler, and the
// interceptors after it, through [hemlock.Pool.Do]. It panics if pool is nil or a zero Pool.
func StreamServerInterceptor(pool *hemlock.Pool) grpc.StreamServerInterceptor {
	_ = pool.Stats() // panics if it is nil or a zero Pool
	return func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		pool.Do(func() {
			pprof.SetGoroutineLabels(stream.Context())
			err = handler(server, stream)
		})
		return err
	}
}
