package plugs

import (
	"net"
	"net/rpc"

	"example.com/hemlock"
)

// ServeRPC does what (*rpc.Server).Accept in net/rpc/server.go does, with each
// connection as one task of the pool. It returns as [Serve] does.
//
// The calls on a connection are out of reach: (*Server).ServeCodec starts a
// goroutine of its own for each. A task ends when its client hangs up, and the
// pool's Shutdown waits for that.
func ServeRPC(pool *hemlock.Pool, ln net.Listener, server *rpc.Server) error {
	return Serve(pool, ln, func(conn net.Conn) { server.ServeConn(conn) })
}
