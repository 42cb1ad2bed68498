package hemlockgrpc_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"example.com/hemlock"
	hemlockgrpc "example.com/hemlock/grpc"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// limit is how long a call may take if the test sets no shorter limit.
const limit = time.Minute

// within returns a context that ends if something hangs.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// A service is gRPC's own test service, with functions for methods.
type service struct {
	testgrpc.UnimplementedTestServiceServer
	unary  func(context.Context, *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error)
	input  func(grpc.ClientStreamingServer[testgrpc.StreamingInputCallRequest, testgrpc.StreamingInputCallResponse]) error
	output func(*testgrpc.StreamingOutputCallRequest, grpc.ServerStreamingServer[testgrpc.StreamingOutputCallResponse]) error
	duplex func(grpc.BidiStreamingServer[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) error
}

func (s service) UnaryCall(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	return s.unary(ctx, in)
}

func (s service) StreamingInputCall(stream grpc.ClientStreamingServer[testgrpc.StreamingInputCallRequest, testgrpc.StreamingInputCallResponse]) error {
	return s.input(stream)
}

func (s service) StreamingOutputCall(in *testgrpc.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testgrpc.StreamingOutputCallResponse]) error {
	return s.output(in, stream)
}

func (s service) FullDuplexCall(stream grpc.BidiStreamingServer[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) error {
	return s.duplex(stream)
}

// both returns a service in which a unary and a bidirectional call do the same.
func both(handle func(context.Context) error) service {
	return service{
		unary: func(ctx context.Context, _ *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
			return &testgrpc.SimpleResponse{}, handle(ctx)
		},
		duplex: func(stream grpc.BidiStreamingServer[testgrpc.StreamingOutputCallRequest, testgrpc.StreamingOutputCallResponse]) error {
			return handle(stream.Context())
		},
	}
}

// kinds are the calls of a service that both has made.
var kinds = map[string]func(ctx context.Context, client testgrpc.TestServiceClient, options ...grpc.CallOption) error{
	"unary": func(ctx context.Context, client testgrpc.TestServiceClient, options ...grpc.CallOption) error {
		_, err := client.UnaryCall(ctx, &testgrpc.SimpleRequest{}, options...)
		return err
	},
	"stream": func(ctx context.Context, client testgrpc.TestServiceClient, options ...grpc.CallOption) error {
		stream, err := client.FullDuplexCall(ctx, options...)
		if err != nil {
			return err
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		if _, err = stream.Recv(); err == nil {
			return errors.New("a message that was not sent")
		}
		return endOf(err)
	},
}

// serve starts a server on loopback, and returns it with a client.
func serve(t testing.TB, s service, options ...grpc.ServerOption) (*grpc.Server, testgrpc.TestServiceClient) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer(options...)
	testgrpc.RegisterTestServiceServer(server, s)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-served)
	})
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return server, testgrpc.NewTestServiceClient(conn)
}

// through returns the options of a server that calls its handlers through the
// pool, and through the other interceptors after that.
func through(pool *hemlock.Pool, unary []grpc.UnaryServerInterceptor, stream []grpc.StreamServerInterceptor) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(append([]grpc.UnaryServerInterceptor{hemlockgrpc.UnaryServerInterceptor(pool)}, unary...)...),
		grpc.ChainStreamInterceptor(append([]grpc.StreamServerInterceptor{hemlockgrpc.StreamServerInterceptor(pool)}, stream...)...),
	}
}

// everyWay runs a test of what is the same with the interceptors, without them, and
// after Shutdown of their pool.
func everyWay(t *testing.T, test func(t *testing.T, options ...grpc.ServerOption)) {
	for name, workers := range map[string]uint32{"": 0, ", stream workers": 2} {
		numbered := grpc.NumStreamWorkers(workers)
		t.Run("without"+name, func(t *testing.T) { test(t, numbered) })
		t.Run("pool"+name, func(t *testing.T) {
			pool := pooltest.New(t)
			test(t, append(through(pool, nil, nil), numbered)...)
			require.NotZero(t, pool.Stats().Submitted)
		})
		t.Run("closed pool"+name, func(t *testing.T) {
			pool := pooltest.New(t)
			pooltest.Shutdown(t, pool)
			test(t, append(through(pool, nil, nil), numbered)...)
			require.Zero(t, pool.Stats().Submitted)
		})
	}
}

// A gate holds tasks until it is opened, and says when the first has come.
type gate struct {
	reached, opened chan struct{}
	reach, open     func()
}

func newGate(t testing.TB) *gate {
	g := &gate{reached: make(chan struct{}), opened: make(chan struct{})}
	g.reach = sync.OnceFunc(func() { close(g.reached) })
	g.open = sync.OnceFunc(func() { close(g.opened) })
	t.Cleanup(g.open)
	return g
}

func (g *gate) pass() {
	g.reach()
	<-g.opened
}
