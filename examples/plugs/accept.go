package plugs

import (
	"errors"
	"net"

	"example.com/hemlock"
)

// Serve accepts connections from ln and runs handle on each as one task of the
// pool, in place of the go statement of every accept loop, such as net/http's
// (*Server).Serve in net/http/server.go. A pool helps where connections are
// short; a connection that lives for hours keeps its worker for hours.
//
// handle owns its connection and closes it. Serve returns nil when ln is closed, and
// [hemlock.ErrClosed] after it has turned a connection away because the pool was shut
// down. It returns any other error of ln too: to outlive a shortage of file descriptors
// a server calls Serve again, later.
func Serve(pool *hemlock.Pool, ln net.Listener, handle func(net.Conn)) error {
	for {
		conn, err := ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		if err := pool.Submit(func() { handle(conn) }); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
}
