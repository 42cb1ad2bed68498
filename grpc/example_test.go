package hemlockgrpc_test

import (
	"context"
	"fmt"
	"net"

	"example.com/hemlock"
	hemlockgrpc "example.com/hemlock/grpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
)

// A server whose handlers run on a pool, and a call of its health service.
func Example() {
	ctx := context.Background()
	pool := hemlock.New()
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(hemlockgrpc.UnaryServerInterceptor(pool)),
		grpc.ChainStreamInterceptor(hemlockgrpc.StreamServerInterceptor(pool)),
	)
	healthgrpc.RegisterHealthServer(server, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()

	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	answer, err := healthgrpc.NewHealthClient(conn).Check(ctx, &healthgrpc.HealthCheckRequest{})
	fmt.Println(answer.GetStatus(), err)

	server.GracefulStop()
	fmt.Println("server:", <-served)
	fmt.Println("pool:", pool.Shutdown(ctx), "calls:", pool.Stats().Completed)
	// Output:
	// SERVING <nil>
	// server: <nil>
	// pool: <nil> calls: 1
}
