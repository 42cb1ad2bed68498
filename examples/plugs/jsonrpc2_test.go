package plugs_test

import (
	"context"
	"encoding/json"
	"net"
	"testing"

	"example.com/hemlock"
	"github.com/sourcegraph/jsonrpc2"
	"github.com/stretchr/testify/require"
)

// onPool does what jsonrpc2.AsyncHandler does, with each request as one task of the pool.
type onPool struct {
	pool *hemlock.Pool
	h    jsonrpc2.Handler
}

func (o onPool) Handle(ctx context.Context, conn *jsonrpc2.Conn, request *jsonrpc2.Request) {
	o.pool.Run(func() { o.h.Handle(ctx, conn, request) })
}

func startJSONRPC2(t *testing.T, pool *hemlock.Pool, capitals *service) (ask call, stop func()) {
	handler := onPool{pool, jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, request *jsonrpc2.Request) (any, error) {
		var text string
		err := json.Unmarshal(*request.Params, &text)
		return capitals.answer(text), err
	})}
	conns := connect(func() *jsonrpc2.Conn { return dialJSONRPC2(t, handler) })
	ask = func(ctx context.Context, client int, request string) (answer string, err error) {
		err = conns[client].Call(ctx, "answer", request, &answer)
		return answer, err
	}
	return ask, func() {}
}

// dialJSONRPC2 returns a client of a new connection to a server with this
// handler. Both ends are closed before the test ends.
func dialJSONRPC2(t *testing.T, handler jsonrpc2.Handler) *jsonrpc2.Conn {
	t.Helper()
	ln := listen(t)
	near := dial(t, ln.Addr())
	far, err := ln.Accept()
	require.NoError(t, err)
	server := jsonrpc2.NewConn(withTimeout(t), objects(far), handler)
	client := jsonrpc2.NewConn(withTimeout(t), objects(near), nil)
	t.Cleanup(func() {
		_ = client.Close() // the end of the test's context may have done so
		<-server.DisconnectNotify()
	})
	return client
}

func objects(conn net.Conn) jsonrpc2.ObjectStream {
	return jsonrpc2.NewBufferedStream(conn, jsonrpc2.VSCodeObjectCodec{})
}
