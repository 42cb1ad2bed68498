package plugs_test

import (
	"context"
	"encoding/json"
	"net"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/examples/plugs"
	"github.com/sourcegraph/jsonrpc2"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

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
		_ = client.Close() // the test may have done so
		<-server.DisconnectNotify()
	})
	return client
}

func objects(conn net.Conn) jsonrpc2.ObjectStream {
	return jsonrpc2.NewBufferedStream(conn, jsonrpc2.VSCodeObjectCodec{})
}

// handleWith serves each request with answer.
func handleWith(answer func(string) string) jsonrpc2.Handler {
	return jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, request *jsonrpc2.Request) (any, error) {
		var text string
		if err := json.Unmarshal(*request.Params, &text); err != nil {
			return nil, err
		}
		return answer(text), nil
	})
}

func TestJSONRPC2HandlerRunsEachRequestAsOneTask(t *testing.T) {
	pool, capitals := hemlock.New(), newService(requests)
	handler := plugs.JSONRPC2Handler(pool, handleWith(capitals.answer))
	var conns [clients]*jsonrpc2.Conn
	for i := range conns {
		conns[i] = dialJSONRPC2(t, handler)
	}

	askAll(t, func(ctx context.Context, client int, request string) (answer string, err error) {
		err = conns[client].Call(ctx, "answer", request, &answer)
		return answer, err
	})

	require.EqualValues(t, requests, capitals.served.Load())
	requireDrained(t, pool, requests)
}

func TestJSONRPC2HandlerRunsEachNotificationAsOneTask(t *testing.T) {
	pool, capitals := hemlock.New(), newService(requests)
	answers := make(chan string, requests)
	conn := dialJSONRPC2(t, plugs.JSONRPC2Handler(pool, handleWith(func(request string) string {
		answers <- capitals.answer(request)
		return ""
	})))

	var group errgroup.Group
	for range requests {
		group.Go(func() error { return conn.Notify(withTimeout(t), "answer", "note") })
	}
	require.NoError(t, group.Wait())

	for range requests {
		require.Equal(t, "NOTE", <-answers)
	}
	requireDrained(t, pool, requests)
}

func TestJSONRPC2HandlerAnswersAfterShutdown(t *testing.T) {
	pool := hemlock.New()
	requireDrained(t, pool, 0)
	conn := dialJSONRPC2(t, plugs.JSONRPC2Handler(pool, handleWith(func(string) string { return "late" })))

	var answer string
	require.NoError(t, conn.Call(withTimeout(t), "answer", "request", &answer))

	require.Equal(t, "late", answer)
	require.Zero(t, pool.Stats().Submitted)
}
