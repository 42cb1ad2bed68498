package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	_ "net/http/pprof" // what this process is made for
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"

	"example.com/hemlock"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	connections   = 4
	streamWorkers = 128
)

func grpcCommand(_, runner string, work int) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return exec.Command(self, "-serve", "-runner", runner, "-work", strconv.Itoa(work))
}

// serveGRPC serves until the process is killed. With the runner go each call runs
// on the goroutine that the library starts for it, with pool the handler is
// called through Do, and with workers the library keeps its goroutines.
func serveGRPC(runner string, work int) error {
	var options []grpc.ServerOption
	switch runner {
	case "go":
	case "pool":
		options = append(options, grpc.UnaryInterceptor(inside(hemlock.New())))
	case "workers":
		options = append(options, grpc.NumStreamWorkers(streamWorkers))
	default:
		return fmt.Errorf("unknown -runner %q", runner)
	}
	pages, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	calls, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	go func() { log.Error("http", "err", http.Serve(pages, nil)) }()
	log.Info("serving", "addr", calls.Addr())
	log.Info("serving over HTTP", "http", pages.Addr())
	s := grpc.NewServer(options...)
	s.RegisterService(&echo, work)
	return s.Serve(calls)
}

// echo is a service with one method, written by hand instead of generated.
var echo = grpc.ServiceDesc{
	ServiceName: "stackcost.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Say", Handler: handleSay}},
}

func handleSay(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	request := new(wrapperspb.StringValue)
	if err := decode(request); err != nil {
		return nil, err
	}
	handler := func(_ context.Context, request any) (any, error) {
		return say(request.(*wrapperspb.StringValue), srv.(int)), nil
	}
	if intercept == nil {
		return handler(ctx, request)
	}
	return intercept(ctx, request, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/stackcost.Echo/Say"}, handler)
}

// say is the handler. It needs that many KiB of stack.
func say(request *wrapperspb.StringValue, kib int) *wrapperspb.StringValue {
	if kib > 0 {
		useStack(kib)
	}
	return request
}

// useStack needs that many KiB of stack, one in each frame. The frame is read after the
// call: so it lives on during the call, and the call cannot be made a loop.
//
//go:noinline
func useStack(kib int) byte {
	var frame [1 << 10]byte
	at := kib % len(frame)
	frame[at] = byte(kib)
	if kib > 1 {
		frame[len(frame)-1-at] += useStack(kib - 1)
	}
	return frame[at] ^ frame[len(frame)-1-at]
}

// inside runs the handler of each call on a stack that the pool keeps.
func inside(pool *hemlock.Pool) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
		pool.Do(func() { answer, err = handler(ctx, request) })
		return answer, err
	}
}

// loadGRPC calls until ctx ends and returns how many calls were answered.
func loadGRPC(ctx context.Context, addr string) (int64, error) {
	var answered atomic.Int64
	var group errgroup.Group
	for range connections {
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return 0, err
		}
		defer func() { _ = conn.Close() }()
		for range callers / connections {
			group.Go(func() error { return callGRPC(ctx, conn, &answered) })
		}
	}
	err := group.Wait()
	return answered.Load(), err
}

func callGRPC(ctx context.Context, conn *grpc.ClientConn, answered *atomic.Int64) error {
	request := wrapperspb.String("how much stack does this need?")
	for ctx.Err() == nil {
		answer := new(wrapperspb.StringValue)
		err := conn.Invoke(ctx, "/stackcost.Echo/Say", request, answer)
		switch {
		case status.Code(err) == codes.Canceled && ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case answer.Value != request.Value:
			return errors.New("another answer than the request")
		}
		answered.Add(1)
	}
	return nil
}
