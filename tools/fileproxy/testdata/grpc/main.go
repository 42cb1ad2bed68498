package main

import (
	"context"
	"log"
	"net"

	"example.com/hemlock"
	hemlockgrpc "example.com/hemlock/grpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	ctx := context.Background()
	pool := hemlock.New()
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(hemlockgrpc.UnaryServerInterceptor(pool)),
		grpc.ChainStreamInterceptor(hemlockgrpc.StreamServerInterceptor(pool)),
	)
	healthgrpc.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }() // until GracefulStop

	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	client := healthgrpc.NewHealthClient(conn)
	answer, err := client.Check(ctx, &healthgrpc.HealthCheckRequest{})
	if err != nil || answer.Status != healthgrpc.HealthCheckResponse_SERVING {
		log.Fatalf("the call returned %v, %v", answer, err)
	}
	streamCtx, cancel := context.WithCancel(ctx)
	stream, err := client.Watch(streamCtx, &healthgrpc.HealthCheckRequest{})
	if err != nil {
		log.Fatal(err)
	}
	if answer, err := stream.Recv(); err != nil || answer.Status != healthgrpc.HealthCheckResponse_SERVING {
		log.Fatalf("the stream returned %v, %v", answer, err)
	}
	cancel()

	server.GracefulStop()
	if err := pool.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	if done := pool.Stats().Completed; done != 2 {
		log.Fatalf("%d calls ran on the pool, of 2", done)
	}
	if err := conn.Close(); err != nil {
		log.Fatal(err)
	}
}
