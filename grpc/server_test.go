package hemlockgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"example.com/hemlock"
	hemlockgrpc "example.com/hemlock/grpc"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

// A service is gRPC's own test service. Its unary and its bidirectional call do the same.
type service struct {
	testgrpc.UnimplementedTestServiceServer
	handle func(context.Context) error
}

func (s service) UnaryCall(ctx context.Context, _ *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	return &testgrpc.SimpleResponse{}, s.handle(ctx)
}

func (s service) FullDuplexCall(stream grpc.BidiStreamingServer[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) error {
	return s.handle(stream.Context())
}

// requests are the calls of a service by a client.
var requests = map[string]func(context.Context, testgrpc.TestServiceClient) error{
	"unary": func(ctx context.Context, client testgrpc.TestServiceClient) error {
		_, err := client.UnaryCall(ctx, &testgrpc.SimpleRequest{})
		return err
	},
	"stream": func(ctx context.Context, client testgrpc.TestServiceClient) error {
		stream, err := client.FullDuplexCall(ctx)
		if err != nil {
			return err
		}
		if _, err = stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		}
		return err
	},
}

// serve starts a server on loopback that calls the handler through the pool, and returns
// it with a client, and a context that ends if something hangs.
func serve(t *testing.T, pool *hemlock.Pool, handle func(context.Context) error, options ...grpc.ServerOption) (*grpc.Server, testgrpc.TestServiceClient, context.Context) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer(append(options,
		grpc.ChainUnaryInterceptor(hemlockgrpc.UnaryServerInterceptor(pool)),
		grpc.ChainStreamInterceptor(hemlockgrpc.StreamServerInterceptor(pool)))...)
	testgrpc.RegisterTestServiceServer(server, service{handle: handle})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-served)
	})
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return server, testgrpc.NewTestServiceClient(conn), ctx
}

// A thousand handlers that wait for each other are all served at once, with goroutines of
// their own for the calls and with some that grpc-go uses again.
func TestCallsNeverWaitForEachOther(t *testing.T) {
	const clients = 1000
	for _, workers := range []uint32{0, 2} {
		t.Run(fmt.Sprint(workers, " stream workers"), func(t *testing.T) {
			openAndClosed(t, func(t *testing.T, pool *hemlock.Pool) {
				var met sync.WaitGroup
				met.Add(clients)
				_, client, ctx := serve(t, pool, func(context.Context) error {
					met.Done()
					met.Wait()
					return nil
				}, grpc.NumStreamWorkers(workers))
				var group errgroup.Group
				for range clients / 2 {
					for _, request := range requests {
						group.Go(func() error { return request(ctx, client) })
					}
				}
				require.NoError(t, group.Wait())
			})
		})
	}
}

// Stop does not wait for handlers; Shutdown of the pool does.
func TestShutdownWaitsForHandlersThatStopLeavesBehind(t *testing.T) {
	for kind, request := range requests {
		t.Run(kind, func(t *testing.T) {
			pool := pooltest.New(t)
			reached, opened := make(chan struct{}), make(chan struct{})
			open := sync.OnceFunc(func() { close(opened) })
			t.Cleanup(open)
			var cause error
			server, client, ctx := serve(t, pool, func(ctx context.Context) error {
				close(reached)
				<-opened
				cause = ctx.Err()
				return nil
			})
			answered := make(chan error, 1)
			go func() { answered <- request(ctx, client) }()
			<-reached
			server.Stop()
			require.Equal(t, codes.Unavailable, status.Code(<-answered))
			require.EqualValues(t, 1, pool.Stats().Running)
			short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			require.ErrorIs(t, pool.Shutdown(short), context.DeadlineExceeded)
			open()
			pooltest.Shutdown(t, pool)
			require.ErrorIs(t, cause, context.Canceled, "Stop has ended the context")
		})
	}
}
