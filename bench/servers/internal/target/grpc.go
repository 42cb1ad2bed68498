package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// grpcTarget is grpc-go, whose server starts a goroutine for each call by itself; see
// serveStreams in server.go. So the modes are options of the server. The messages are
// those of its own benchmarks.
var grpcTarget = Target{
	Name:   "grpc",
	Module: "google.golang.org/grpc",
	Modes:  []string{"go", "workers", "workers128", "do", "do+workers"},
	Shared: true,
	Within: true,
	Serve:  serveGRPC,
	Dial:   func(to Endpoint) (Client, error) { return dialGRPC(to) },
}

// grpcStreamTarget is the same server. A call is a stream, on which the question
// is asked and answered [streamMessages] times, one after the other.
var grpcStreamTarget = Target{
	Name:   "grpc-stream",
	Modes:  grpcTarget.Modes,
	Shared: true,
	Within: true,
	Serve:  serveGRPC,
	Dial: func(to Endpoint) (Client, error) {
		client, err := dialGRPC(to)
		return grpcStreamClient{client}, err
	},
}

const streamMessages = 10

// A grpcService answers the questions of both.
type grpcService struct {
	testgrpc.UnimplementedBenchmarkServiceServer
	answer func([]byte) []byte
}

// UnaryCall implements [testgrpc.BenchmarkServiceServer].
func (s grpcService) UnaryCall(_ context.Context, question *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	return &testgrpc.SimpleResponse{Payload: &testgrpc.Payload{Body: s.answer(question.Payload.GetBody())}}, nil
}

// StreamingCall implements [testgrpc.BenchmarkServiceServer].
func (s grpcService) StreamingCall(stream grpc.BidiStreamingServer[testgrpc.SimpleRequest, testgrpc.SimpleResponse]) error {
	for {
		question, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, _ := s.UnaryCall(stream.Context(), question)
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

func serveGRPC(way Way, answer func([]byte) []byte) (Endpoint, io.Closer, error) {
	ln, err := net.Listen("tcp", loopback)
	if err != nil {
		return Endpoint{}, nil, err
	}
	server := grpc.NewServer(way.GRPC...)
	testgrpc.RegisterBenchmarkServiceServer(server, grpcService{answer: answer})
	go func() { _ = server.Serve(ln) }() // until the server is stopped
	return Endpoint{Address: ln.Addr().String()}, closers{func() error { server.Stop(); return nil }}, nil
}

type grpcClient struct {
	*grpc.ClientConn
	service testgrpc.BenchmarkServiceClient
}

func dialGRPC(to Endpoint) (grpcClient, error) {
	conn, err := grpc.NewClient(to.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	return grpcClient{conn, testgrpc.NewBenchmarkServiceClient(conn)}, err
}

func grpcQuestion(question []byte) *testgrpc.SimpleRequest {
	return &testgrpc.SimpleRequest{Payload: &testgrpc.Payload{Body: question}}
}

// Call implements [Client].
func (c grpcClient) Call(ctx context.Context, question []byte) ([]byte, error) {
	answer, err := c.service.UnaryCall(ctx, grpcQuestion(question))
	return answer.GetPayload().GetBody(), err
}

type grpcStreamClient struct{ grpcClient }

// Call implements [Client]. All answers on the stream must be the same.
func (c grpcStreamClient) Call(ctx context.Context, question []byte) (first []byte, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream if it is left half way
	stream, err := c.service.StreamingCall(ctx)
	if err != nil {
		return nil, err
	}
	for i := range streamMessages {
		if err := stream.Send(grpcQuestion(question)); err != nil {
			return nil, err
		}
		answer, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		body := answer.GetPayload().GetBody()
		if i == 0 {
			first = body
		}
		if !bytes.Equal(first, body) {
			return nil, fmt.Errorf("answer %d is %x, the first was %x", i+1, body, first)
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	switch _, err := stream.Recv(); {
	case err == nil:
		return nil, errors.New("one answer too many")
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return first, nil
}
