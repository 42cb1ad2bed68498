package plugs

import (
	"context"

	"example.com/hemlock"
	"github.com/sourcegraph/jsonrpc2"
)

type jsonrpc2Handler struct {
	jsonrpc2.Handler
	pool *hemlock.Pool
}

// JSONRPC2Handler does what jsonrpc2.AsyncHandler in async.go does, with each
// request, and each notification, as one task of the pool. The hook is the
// Handler that jsonrpc2.NewConn takes: (*Conn).readMessages in conn.go calls it
// for one request after the other, and reads on when it returns.
//
// As with AsyncHandler, requests may start and finish in another order than
// they came in.
func JSONRPC2Handler(pool *hemlock.Pool, handler jsonrpc2.Handler) jsonrpc2.Handler {
	return jsonrpc2Handler{Handler: handler, pool: pool}
}

// Handle implements [jsonrpc2.Handler].
func (h jsonrpc2Handler) Handle(ctx context.Context, conn *jsonrpc2.Conn, request *jsonrpc2.Request) {
	h.pool.Run(func() { h.Handler.Handle(ctx, conn, request) })
}
