package plugs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/examples/plugs"
	"github.com/smallnest/rpcx/client"
	"github.com/smallnest/rpcx/server"
	"github.com/stretchr/testify/require"
)

// serveRPCX returns a server of the function capitals.answer whose requests run on the
// pool, and a function that shuts it down.
func serveRPCX(t *testing.T, pool *hemlock.Pool, capitals *service) (rpcx *server.Server, stop func()) {
	t.Helper()
	rpcx = server.NewServer(server.WithCustomPool(plugs.RPCXPool{Pool: pool}))
	rpcx.DisableHTTPGateway, rpcx.DisableJSONRPC = true, true
	require.NoError(t, rpcx.RegisterFunctionName("capitals", "answer",
		func(_ context.Context, request *string, answer *string) error {
			*answer = capitals.answer(*request)
			return nil
		}, ""))
	wait := start(func() error { return rpcx.Serve("tcp", "127.0.0.1:0") })
	<-rpcx.Started
	return rpcx, func() {
		require.NoError(t, rpcx.Shutdown(withTimeout(t)))
		require.ErrorIs(t, wait(), server.ErrServerClosed)
	}
}

func startRPCX(t *testing.T, pool *hemlock.Pool, capitals *service) (ask call, stop func()) {
	rpcx, shutdown := serveRPCX(t, pool, capitals)
	conns := connect(func() *client.Client {
		conn := client.NewClient(client.DefaultOption)
		require.NoError(t, conn.Connect("tcp", rpcx.Address().String()))
		return conn
	})
	ask = func(ctx context.Context, client int, request string) (answer string, err error) {
		err = conns[client].Call(ctx, "capitals", "answer", &request, &answer)
		return answer, err
	}
	return ask, func() {
		for _, conn := range conns {
			require.NoError(t, conn.Close())
		}
		shutdown()
	}
}

func TestRPCXServerStopsItsPoolInCloseOnly(t *testing.T) {
	pool := hemlock.New()
	rpcx, shutdown := serveRPCX(t, pool, nil)

	shutdown()
	require.NoError(t, pool.Submit(func() {}))

	_ = rpcx.Close() // says that Shutdown has closed the listener already
	require.ErrorIs(t, pool.Submit(func() {}), hemlock.ErrClosed)
	requireDrained(t, pool, 1)
}

// Each way to stop shuts the pool down at once, and returns when the pool has drained, or
// earlier where that is said.
func TestRPCXPoolReturnsWhenItHasDrainedOrItsTimeIsOver(t *testing.T) {
	for name, c := range map[string]struct {
		stop  func(plugs.RPCXPool)
		after time.Duration
	}{
		"StopAndWait":             {plugs.RPCXPool.StopAndWait, time.Minute},
		"StopAndWaitFor a second": {func(p plugs.RPCXPool) { p.StopAndWaitFor(time.Second) }, time.Second},
		"StopAndWaitFor an hour":  {func(p plugs.RPCXPool) { p.StopAndWaitFor(time.Hour) }, time.Minute},
		"Stop":                    {func(p plugs.RPCXPool) { p.Stop() }, 0},
		"the context of Stop":     {func(p plugs.RPCXPool) { <-p.Stop().Done() }, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := hemlock.New()
				pool.Run(func() { time.Sleep(time.Minute) })
				began := time.Now()

				c.stop(plugs.RPCXPool{Pool: pool})

				require.Equal(t, c.after, time.Since(began))
				synctest.Wait() // Stop shuts the pool down on another goroutine
				require.ErrorIs(t, pool.Submit(func() {}), hemlock.ErrClosed)
				requireDrained(t, pool, 1)
				require.Equal(t, time.Minute, time.Since(began))
			})
		})
	}
}
