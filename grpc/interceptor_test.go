package hemlockgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/hemlock"
	hemlockgrpc "example.com/hemlock/grpc"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// endOf returns the error that a stream has ended with: nil for its proper end.
func endOf(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func payload(text string) *testgrpc.Payload { return &testgrpc.Payload{Body: []byte(text)} }

func TestCallsOfEveryKindAreAnswered(t *testing.T) {
	s := service{
		unary: func(_ context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			return &testgrpc.SimpleResponse{Payload: in.Payload}, nil
		},
		input: func(stream grpc.ClientStreamingServer[testgrpc.StreamingInputCallRequest, testgrpc.StreamingInputCallResponse]) error {
			var size int32
			for {
				in, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return stream.SendAndClose(&testgrpc.StreamingInputCallResponse{AggregatedPayloadSize: size})
				}
				if err != nil {
					return err
				}
				size += int32(len(in.Payload.Body))
			}
		},
		output: func(in *testgrpc.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testgrpc.StreamingOutputCallResponse]) error {
			for i := range 3 {
				if err := stream.Send(&testgrpc.StreamingOutputCallResponse{Payload: payload(fmt.Sprintf("%s %d", in.Payload.Body, i))}); err != nil {
					return err
				}
			}
			return nil
		},
		duplex: func(stream grpc.BidiStreamingServer[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) error {
			for {
				in, err := stream.Recv()
				if err != nil {
					return endOf(err)
				}
				if err := stream.Send(&testgrpc.StreamingOutputCallResponse{Payload: in.Payload}); err != nil {
					return err
				}
			}
		},
	}
	everyWay(t, func(t *testing.T, options ...grpc.ServerOption) {
		_, client := serve(t, s, options...)
		ctx := within(t)

		answer, err := client.UnaryCall(ctx, &testgrpc.SimpleRequest{Payload: payload("unary")})
		require.NoError(t, err)
		require.Equal(t, "unary", string(answer.Payload.Body))

		up, err := client.StreamingInputCall(ctx)
		require.NoError(t, err)
		for range 3 {
			require.NoError(t, up.Send(&testgrpc.StreamingInputCallRequest{Payload: payload("four")}))
		}
		sum, err := up.CloseAndRecv()
		require.NoError(t, err)
		require.EqualValues(t, 12, sum.AggregatedPayloadSize)

		down, err := client.StreamingOutputCall(ctx, &testgrpc.StreamingOutputCallRequest{Payload: payload("down")})
		require.NoError(t, err)
		for i := range 3 {
			out, err := down.Recv()
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("down %d", i), string(out.Payload.Body))
		}
		_, err = down.Recv()
		require.ErrorIs(t, err, io.EOF)

		stream, err := client.FullDuplexCall(ctx)
		require.NoError(t, err)
		for i := range 3 {
			text := fmt.Sprintf("duplex %d", i)
			require.NoError(t, stream.Send(&testgrpc.StreamingOutputCallRequest{Payload: payload(text)}))
			out, err := stream.Recv()
			require.NoError(t, err)
			require.Equal(t, text, string(out.Payload.Body))
		}
		require.NoError(t, stream.CloseSend())
		_, err = stream.Recv()
		require.ErrorIs(t, err, io.EOF)
	})
}

// A worker that has served a call serves the next, whatever its kind, and with
// its stack.
func TestACallIsATaskAndUsesTheIdleWorker(t *testing.T) {
	pool := pooltest.New(t, hemlock.WithKillInterval(0))
	var during []hemlock.Stats
	_, client := serve(t, both(func(context.Context) error {
		during = append(during, pool.Stats())
		return nil
	}), through(pool, nil, nil)...)
	const rounds = 25
	for range rounds {
		for _, call := range kinds {
			require.NoError(t, call(within(t), client))
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

// Interceptors before the pool in the chain are no part of the task. Those after it
// are.
func TestInterceptorsAfterThePoolRunOnTheWorker(t *testing.T) {
	pool := pooltest.New(t)
	var running []int64
	note := func() { running = append(running, pool.Stats().Running) }
	noteUnary := func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		note()
		return handler(ctx, in)
	}
	noteStream := func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		note()
		return handler(server, stream)
	}
	_, client := serve(t, both(func(context.Context) error { note(); return nil }),
		grpc.ChainUnaryInterceptor(noteUnary, hemlockgrpc.UnaryServerInterceptor(pool), noteUnary),
		grpc.ChainStreamInterceptor(noteStream, hemlockgrpc.StreamServerInterceptor(pool), noteStream))
	for kind, call := range kinds {
		running = nil
		require.NoError(t, call(within(t), client))
		require.Equal(t, []int64{0, 1, 1}, running, kind)
	}
}

func TestCancellationReachesTheHandler(t *testing.T) {
	everyWay(t, func(t *testing.T, options ...grpc.ServerOption) {
		reached, ended := make(chan struct{}), make(chan error)
		_, client := serve(t, both(func(ctx context.Context) error {
			reached <- struct{}{}
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		}), options...)
		for kind, call := range kinds {
			ctx, cancel := context.WithCancel(within(t))
			answered := make(chan error)
			go func() { answered <- call(ctx, client) }()
			<-reached
			cancel()
			require.ErrorIs(t, <-ended, context.Canceled, kind)
			require.Equal(t, codes.Canceled, status.Code(<-answered), kind)
		}
	})
}

func TestMetadataGoesInAndOut(t *testing.T) {
	everyWay(t, func(t *testing.T, options ...grpc.ServerOption) {
		_, client := serve(t, both(func(ctx context.Context) error {
			in, _ := metadata.FromIncomingContext(ctx)
			return errors.Join(
				grpc.SetHeader(ctx, metadata.Pairs("set", in.Get("question")[0])),
				grpc.SendHeader(ctx, metadata.Pairs("sent", in.Get("question")[1])),
				grpc.SetTrailer(ctx, metadata.Pairs("trailer", "last")),
			)
		}), options...)
		for kind, call := range kinds {
			var header, trailer metadata.MD
			ctx := metadata.AppendToOutgoingContext(within(t), "question", "one", "question", "two")
			require.NoError(t, call(ctx, client, grpc.Header(&header), grpc.Trailer(&trailer)), kind)
			require.Equal(t, []string{"one"}, header.Get("set"), kind)
			require.Equal(t, []string{"two"}, header.Get("sent"), kind)
			require.Equal(t, []string{"last"}, trailer.Get("trailer"), kind)
		}
	})
}

func TestErrorsReachTheClient(t *testing.T) {
	detailed, err := status.New(codes.FailedPrecondition, "too soon").WithDetails(&testgrpc.EchoStatus{Code: 7, Message: "later"})
	require.NoError(t, err)
	for _, c := range []struct {
		returned error
		code     codes.Code
		message  string
		details  int
	}{
		{status.Error(codes.NotFound, "no such thing"), codes.NotFound, "no such thing", 0},
		{detailed.Err(), codes.FailedPrecondition, "too soon", 1},
		{errors.New("plain"), codes.Unknown, "plain", 0},
	} {
		t.Run(c.message, func(t *testing.T) {
			everyWay(t, func(t *testing.T, options ...grpc.ServerOption) {
				_, client := serve(t, both(func(context.Context) error { return c.returned }), options...)
				for kind, call := range kinds {
					got := status.Convert(call(within(t), client))
					require.Equal(t, c.code, got.Code(), kind)
					require.Equal(t, c.message, got.Message(), kind)
					require.Len(t, got.Details(), c.details, kind)
				}
			})
		})
	}
}

// A thousand handlers that wait for each other are all served at once.
func TestCallsNeverWaitForEachOther(t *testing.T) {
	const calls = 1000
	everyWay(t, func(t *testing.T, options ...grpc.ServerOption) {
		var met sync.WaitGroup
		met.Add(calls)
		_, client := serve(t, both(func(context.Context) error {
			met.Done()
			met.Wait()
			return nil
		}), options...)
		ctx := within(t)
		var group errgroup.Group
		for range calls / 2 {
			for _, call := range kinds {
				group.Go(func() error { return call(ctx, client) })
			}
		}
		require.NoError(t, group.Wait())
	})
}

func TestProfilerLabelsOfTheContextHoldInTheHandler(t *testing.T) {
	const label = "a-label-of-this-test"
	labelUnary := func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
		pprof.Do(ctx, pprof.Labels(label, "unary"), func(ctx context.Context) { answer, err = handler(ctx, in) })
		return answer, err
	}
	labelStream := func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		pprof.Do(stream.Context(), pprof.Labels(label, "stream"), func(ctx context.Context) {
			err = handler(server, streamOf{stream, ctx})
		})
		return err
	}
	everyWay(t, func(t *testing.T, options ...grpc.ServerOption) {
		var during string
		_, client := serve(t, both(func(context.Context) error { during, _ = pooltest.Labels(t); return nil }),
			append([]grpc.ServerOption{grpc.ChainUnaryInterceptor(labelUnary), grpc.ChainStreamInterceptor(labelStream)}, options...)...)
		for kind, call := range kinds {
			require.NoError(t, call(within(t), client))
			require.Contains(t, during, fmt.Sprintf(`%q:%q`, label, kind))
			_, after := pooltest.Labels(t)
			require.NotContains(t, after, label, "no worker keeps them")
		}
	})
}

// A streamOf is a stream with another context.
type streamOf struct {
	grpc.ServerStream
	ctx context.Context
}

func (s streamOf) Context() context.Context { return s.ctx }

// A handler that exits leaves its own client without an answer, and no other.
func TestGoexitEndsOneCallOnly(t *testing.T) {
	everyWay(t, func(t *testing.T, options ...grpc.ServerOption) {
		exited := make(chan struct{}, 1)
		exit := true
		_, client := serve(t, both(func(context.Context) error {
			if exit {
				defer func() { exited <- struct{}{} }()
				runtime.Goexit()
			}
			return nil
		}), options...)
		for kind, call := range kinds {
			exit = true
			ctx, cancel := context.WithCancel(within(t))
			answered := make(chan error, 1)
			go func() { answered <- call(ctx, client) }()
			<-exited
			exit = false
			require.NoError(t, call(within(t), client), kind)
			require.Empty(t, answered, kind)
			cancel()
			require.Equal(t, codes.Canceled, status.Code(<-answered), kind)
		}
	})
}

func TestGracefulStopWaitsForHandlers(t *testing.T) {
	for kind, call := range kinds {
		t.Run(kind, func(t *testing.T) {
			everyWay(t, func(t *testing.T, options ...grpc.ServerOption) {
				g := newGate(t)
				var calls atomic.Int64
				server, client := serve(t, both(func(context.Context) error {
					if calls.Add(1) == 1 {
						g.pass()
					}
					return nil
				}), options...)
				ctx := within(t)
				answered, stopped := make(chan error, 1), make(chan struct{})
				go func() { answered <- call(ctx, client) }()
				<-g.reached
				go func() { server.GracefulStop(); close(stopped) }()
				require.Eventually(t, func() bool { return status.Code(call(ctx, client)) == codes.Unavailable },
					limit, time.Millisecond, "new calls are refused")
				require.Empty(t, answered)
				select {
				case <-stopped:
					t.Fatal("GracefulStop did not wait")
				default:
				}
				g.open()
				require.NoError(t, <-answered)
				<-stopped
			})
		})
	}
}

// Stop does not wait for handlers; Shutdown of the pool does.
func TestShutdownWaitsForHandlersThatStopLeavesBehind(t *testing.T) {
	for kind, call := range kinds {
		t.Run(kind, func(t *testing.T) {
			pool := pooltest.New(t)
			g := newGate(t)
			var cause error
			server, client := serve(t, both(func(ctx context.Context) error {
				g.reach()
				<-ctx.Done()
				<-g.opened
				cause = ctx.Err()
				return nil
			}), through(pool, nil, nil)...)
			ctx := within(t)
			answered := make(chan error, 1)
			go func() { answered <- call(ctx, client) }()
			<-g.reached
			server.Stop()
			require.Equal(t, codes.Unavailable, status.Code(<-answered))
			require.EqualValues(t, 1, pool.Stats().Running)
			short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			require.ErrorIs(t, pool.Shutdown(short), context.DeadlineExceeded)
			g.open()
			pooltest.Shutdown(t, pool)
			require.ErrorIs(t, cause, context.Canceled, "Stop has ended the context")
		})
	}
}

func TestShutdownBeforeStopWaitsAndLetsNewCallsThrough(t *testing.T) {
	for kind, call := range kinds {
		t.Run(kind, func(t *testing.T) {
			pool := pooltest.New(t)
			g := newGate(t)
			held := true
			_, client := serve(t, both(func(context.Context) error {
				if held {
					g.pass()
				}
				return nil
			}), through(pool, nil, nil)...)
			ctx := within(t)
			answered := make(chan error, 1)
			go func() { answered <- call(ctx, client) }()
			<-g.reached
			short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			require.ErrorIs(t, pool.Shutdown(short), context.DeadlineExceeded)
			held = false
			require.NoError(t, call(ctx, client), "a call after Shutdown")
			require.EqualValues(t, 1, pool.Stats().Submitted)
			require.Empty(t, answered)
			g.open()
			require.NoError(t, <-answered)
			pooltest.Shutdown(t, pool)
			require.NoError(t, call(ctx, client), "a call after the pool's end")
			require.EqualValues(t, 1, pool.Stats().Submitted)
		})
	}
}

func TestNilPoolPanics(t *testing.T) {
	require.PanicsWithValue(t, "hemlock: zero Pool: use New", func() { hemlockgrpc.UnaryServerInterceptor(nil) })
	require.PanicsWithValue(t, "hemlock: zero Pool: use New", func() { hemlockgrpc.StreamServerInterceptor(nil) })
}
