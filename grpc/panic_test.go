package hemlockgrpc_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"sync/atomic"
	"testing"

	"example.com/hemlock"
	hemlockgrpc "example.com/hemlock/grpc"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// panicInTheHandler has a name that is looked for in stacks.
//
//go:noinline
func panicInTheHandler(value any) { panic(value) }

// A recovered is what a recovery interceptor has seen.
type recovered struct {
	value any
	stack string
}

// recovery returns interceptors that make a panic an error and keep what they
// have seen.
func recovery(seen *recovered) (grpc.UnaryServerInterceptor, grpc.StreamServerInterceptor) {
	recovering := func(err *error) {
		if v := recover(); v != nil {
			*seen = recovered{v, string(debug.Stack())}
			*err = status.Errorf(codes.Internal, "panic: %v", v)
		}
	}
	return func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
			defer recovering(&err)
			return handler(ctx, in)
		}, func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
			defer recovering(&err)
			return handler(server, stream)
		}
}

// requireInternal calls a handler that panics, twice: the server survives the first.
func requireInternal(t *testing.T, options ...grpc.ServerOption) {
	t.Helper()
	_, client := serve(t, both(func(context.Context) error {
		panicInTheHandler(t)
		return nil
	}), options...)
	for kind, call := range kinds {
		for range 2 {
			err := call(within(t), client)
			require.Equal(t, codes.Internal, status.Code(err), kind)
			require.ErrorContains(t, err, "panic: ", kind)
		}
	}
}

func TestRecoveryAfterThePoolKeepsTheWorker(t *testing.T) {
	var seen recovered
	told := false
	pool := pooltest.New(t, hemlock.WithKillInterval(0), hemlock.WithPanicHandler(func(any, []byte) { told = true }))
	unary, stream := recovery(&seen)
	requireInternal(t, through(pool, []grpc.UnaryServerInterceptor{unary}, []grpc.StreamServerInterceptor{stream})...)
	require.Same(t, t, seen.value)
	require.Contains(t, seen.stack, "panicInTheHandler")
	require.False(t, told, "it is over before it reaches the pool")
	require.Equal(t, hemlock.Stats{Workers: 1, Idle: 1, Submitted: 4, Completed: 4, Spawned: 1, PeakWorkers: 1}, pool.Stats())
}

func TestRecoveryBeforeThePoolSeesTheSameValue(t *testing.T) {
	for _, handled := range []bool{true, false} {
		t.Run(fmt.Sprintf("panic handler %t", handled), func(t *testing.T) {
			var seen recovered
			var told []recovered
			options := []hemlock.Option{hemlock.WithKillInterval(0)}
			if handled {
				options = append(options, hemlock.WithPanicHandler(func(v any, stack []byte) {
					seen = recovered{}
					told = append(told, recovered{v, string(stack)})
				}))
			}
			pool := pooltest.New(t, options...)
			unary, stream := recovery(&seen)
			requireInternal(t,
				grpc.ChainUnaryInterceptor(unary, hemlockgrpc.UnaryServerInterceptor(pool)),
				grpc.ChainStreamInterceptor(stream, hemlockgrpc.StreamServerInterceptor(pool)))
			require.Same(t, t, seen.value, "it is told after the panic handler")
			require.NotContains(t, seen.stack, "panicInTheHandler")
			want := hemlock.Stats{Submitted: 4, Completed: 4, Spawned: 4, PeakWorkers: 1}
			if handled {
				want.Panicked = 4
				require.Len(t, told, 4)
				for _, p := range told {
					require.Same(t, t, p.value)
					require.Contains(t, p.stack, "panicInTheHandler")
				}
			}
			require.Equal(t, want, pool.Stats())
		})
	}
}

// Shutdown of the pool does not take the recovery away, on either side.
func TestRecoveryWorksAfterShutdown(t *testing.T) {
	var seen recovered
	var told atomic.Int64
	pool := pooltest.New(t, hemlock.WithPanicHandler(func(any, []byte) { told.Add(1) }))
	pooltest.Shutdown(t, pool)
	unary, stream := recovery(&seen)
	requireInternal(t,
		grpc.ChainUnaryInterceptor(unary, hemlockgrpc.UnaryServerInterceptor(pool)),
		grpc.ChainStreamInterceptor(stream, hemlockgrpc.StreamServerInterceptor(pool)))
	require.EqualValues(t, 4, told.Load())
	requireInternal(t, through(pool, []grpc.UnaryServerInterceptor{unary}, []grpc.StreamServerInterceptor{stream})...)
	require.EqualValues(t, 4, told.Load())
	require.Contains(t, seen.stack, "panicInTheHandler")
}

// crash is the environment variable that makes TestUnrecoveredPanicEndsTheProcess
// the process that ends. It says which kind of call.
const crash = "HEMLOCK_TEST_CRASH"

func TestUnrecoveredPanicEndsTheProcess(t *testing.T) {
	if kind := os.Getenv(crash); kind != "" {
		pool := pooltest.New(t, hemlock.WithPanicHandler(func(v any, _ []byte) { fmt.Fprintln(os.Stderr, "told:", v) }))
		_, client := serve(t, both(func(context.Context) error { panic("in the " + kind) }), through(pool, nil, nil)...)
		t.Fatal(kinds[kind](within(t), client))
	}
	for kind := range kinds {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), crash+"="+kind)
		output, err := command.CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 2, exit.ExitCode(), "%s", output)
		require.Contains(t, string(output), "told: in the "+kind)
		require.Contains(t, string(output), "panic: in the "+kind)
	}
}
