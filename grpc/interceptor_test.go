package hemlockgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/pprof"
	"testing"

	"example.com/hemlock"
	hemlockgrpc "example.com/hemlock/grpc"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// calls call a handler through the interceptor of each kind, as a server does.
var calls = map[string]func(ctx context.Context, pool *hemlock.Pool, handle func(context.Context) error) error{
	"unary": func(ctx context.Context, pool *hemlock.Pool, handle func(context.Context) error) error {
		_, err := hemlockgrpc.UnaryServerInterceptor(pool)(ctx, nil, nil, func(ctx context.Context, _ any) (any, error) {
			return nil, handle(ctx)
		})
		return err
	},
	"stream": func(ctx context.Context, pool *hemlock.Pool, handle func(context.Context) error) error {
		return hemlockgrpc.StreamServerInterceptor(pool)(nil, &streamOf{ctx: ctx}, nil, func(_ any, stream grpc.ServerStream) error {
			return handle(stream.Context())
		})
	},
}

// A streamOf is a stream with this context.
type streamOf struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *streamOf) Context() context.Context { return s.ctx }

// openAndClosed runs a test of what is the same after Shutdown of the pool.
func openAndClosed(t *testing.T, test func(t *testing.T, pool *hemlock.Pool), options ...hemlock.Option) {
	t.Run("pool", func(t *testing.T) { test(t, pooltest.New(t, options...)) })
	t.Run("closed pool", func(t *testing.T) {
		pool := pooltest.New(t, options...)
		pooltest.Shutdown(t, pool)
		test(t, pool)
		require.Zero(t, pool.Stats().Submitted)
	})
}

// Context, request, stream, answer and error are the same ones on both sides, and with
// them deadlines, cancellation, metadata and status.
func TestEverythingIsHandedOnAsItIs(t *testing.T) {
	openAndClosed(t, func(t *testing.T, pool *hemlock.Pool) {
		ctx, request, answer, failure := t.Context(), new(int), new(int), errors.New("of the handler")
		got, err := hemlockgrpc.UnaryServerInterceptor(pool)(ctx, request, nil, func(gotCtx context.Context, gotRequest any) (any, error) {
			require.Same(t, ctx, gotCtx)
			require.Same(t, request, gotRequest)
			return answer, failure
		})
		require.Same(t, answer, got)
		require.Same(t, failure, err)

		server, stream := new(int), &streamOf{ctx: ctx}
		err = hemlockgrpc.StreamServerInterceptor(pool)(server, stream, nil, func(gotServer any, gotStream grpc.ServerStream) error {
			require.Same(t, server, gotServer)
			require.Same(t, stream, gotStream)
			return failure
		})
		require.Same(t, failure, err)
	})
}

// The handler, and with it the interceptors after this one, is one task. A worker that has
// served a call serves the next, whatever its kind, and with its stack.
func TestACallIsATaskAndUsesTheIdleWorker(t *testing.T) {
	pool := pooltest.New(t, hemlock.WithKillInterval(0))
	const rounds = 25
	var during []hemlock.Stats
	for range rounds {
		for _, call := range calls {
			require.NoError(t, call(t.Context(), pool, func(context.Context) error {
				during = append(during, pool.Stats())
				return nil
			}))
		}
	}
	require.Len(t, during, 2*rounds)
	for i, s := range during {
		require.EqualValues(t, i+1, s.Submitted)
		require.EqualValues(t, 1, s.Running)
	}
	require.Equal(t, hemlock.Stats{
		Workers: 1, Idle: 1, Submitted: 2 * rounds, Completed: 2 * rounds, Spawned: 1, PeakWorkers: 1,
	}, pool.Stats())
}

// An interceptor before this one sees how the handler ended, after the panic handler. So
// does grpc-go, which recovers from nothing.
func TestACallEndsAsItsHandlerDoes(t *testing.T) {
	told := 0
	openAndClosed(t, func(t *testing.T, pool *hemlock.Pool) {
		for kind, call := range calls {
			told = 0
			require.Same(t, t, pooltest.Outcome(func() {
				_ = call(t.Context(), pool, func(context.Context) error { panic(t) })
			}), kind)
			require.Equal(t, 1, told)
			require.Equal(t, "exited", pooltest.Outcome(func() {
				_ = call(t.Context(), pool, func(context.Context) error { runtime.Goexit(); return nil })
			}), kind)
			require.Equal(t, 1, told)
		}
	}, hemlock.WithPanicHandler(func(any, []byte) { told++ }))
}

func TestProfilerLabelsOfTheContextHoldInTheHandler(t *testing.T) {
	const label = "a-label-of-this-test"
	openAndClosed(t, func(t *testing.T, pool *hemlock.Pool) {
		for kind, call := range calls {
			pprof.Do(t.Context(), pprof.Labels(label, kind), func(ctx context.Context) {
				require.NoError(t, call(ctx, pool, func(context.Context) error {
					during, _ := pooltest.Labels(t)
					require.Contains(t, during, fmt.Sprintf(`%q:%q`, label, kind))
					return nil
				}))
			})
			_, after := pooltest.Labels(t)
			require.NotContains(t, after, label, "no worker keeps them")
		}
	}, hemlock.WithKillInterval(0)) // a killer that has yet to run has those of the goroutine that started it
}

func TestNilPoolPanics(t *testing.T) {
	require.PanicsWithValue(t, "hemlock: zero Pool: use New", func() { hemlockgrpc.UnaryServerInterceptor(nil) })
	require.PanicsWithValue(t, "hemlock: zero Pool: use New", func() { hemlockgrpc.StreamServerInterceptor(nil) })
}
