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

// startRPCX returns a server of the function capitals.answer whose requests run on the
// pool, and a function that waits for its end.
func startRPCX(t *testing.T, pool *hemlock.Pool, capitals *service) (rpcx *server.Server, wait func() error) {
	t.Helper()
	rpcx = server.NewServer(server.WithCustomPool(plugs.RPCXPool{Pool: pool}))
	rpcx.DisableHTTPGateway, rpcx.DisableJSONRPC = true, true
	require.NoError(t, rpcx.RegisterFunctionName("capitals", "answer",
		func(_ context.Context, request *string, answer *string) error {
			*answer = capitals.answer(*request)
			return nil
		}, ""))
	wait = start(func() error { return rpcx.Serve("tcp", "127.0.0.1:0") })
	<-rpcx.Started
	return rpcx, wait
}

func TestRPCXPoolRunsEachRequestAsOneTask(t *testing.T) {
	pool, capitals := hemlock.New(), newService(requests)
	rpcx, wait := startRPCX(t, pool, capitals)
	var conns [clients]*client.Client
	for i := range conns {
		conns[i] = client.NewClient(client.DefaultOption)
		require.NoError(t, conns[i].Connect("tcp", rpcx.Address().String()))
	}

	askAll(t, func(ctx context.Context, client int, request string) (answer string, err error) {
		err = conns[client].Call(ctx, "capitals", "answer", &request, &answer)
		return answer, err
	})

	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	require.NoError(t, rpcx.Shutdown(withTimeout(t)))
	require.ErrorIs(t, wait(), server.ErrServerClosed)
	require.EqualValues(t, requests, capitals.served.Load())
	requireDrained(t, pool, requests)
}

func TestRPCXServerStopsItsPoolInCloseOnly(t *testing.T) {
	pool := hemlock.New()
	rpcx, wait := startRPCX(t, pool, newService(0))

	require.NoError(t, rpcx.Shutdown(withTimeout(t)))
	require.ErrorIs(t, wait(), server.ErrServerClosed)
	require.NoError(t, pool.Submit(func() {}))

	_ = rpcx.Close() // says that Shutdown has closed the listener already
	require.ErrorIs(t, pool.Submit(func() {}), hemlock.ErrClosed)
	requireDrained(t, pool, 1)
}

func TestRPCXPoolStopAndWaitForGivesUpAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := plugs.RPCXPool{Pool: hemlock.New()}
		pool.Submit(func() { time.Sleep(time.Minute) })
		began := time.Now()

		pool.StopAndWaitFor(time.Second)
		require.Equal(t, time.Second, time.Since(began))
		require.EqualValues(t, 1, underWay(pool.Pool))

		pool.StopAndWaitFor(time.Hour)
		require.Equal(t, time.Minute, time.Since(began))
		requireDrained(t, pool.Pool, 1)
	})
}

func TestRPCXPoolStopTellsWhenThePoolHasDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := plugs.RPCXPool{Pool: hemlock.New()}
		pool.Submit(func() { time.Sleep(time.Minute) })
		began := time.Now()

		stopped := pool.Stop()
		synctest.Wait()
		require.NoError(t, stopped.Err())
		require.ErrorIs(t, pool.Pool.Submit(func() {}), hemlock.ErrClosed)

		<-stopped.Done()
		require.Equal(t, time.Minute, time.Since(began))
		requireDrained(t, pool.Pool, 1)
	})
}

func TestRPCXPoolStopAndWaitReturnsWhenThePoolHasDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := plugs.RPCXPool{Pool: hemlock.New()}
		pool.Submit(func() { time.Sleep(time.Minute) })
		began := time.Now()

		pool.StopAndWait()

		require.Equal(t, time.Minute, time.Since(began))
		requireDrained(t, pool.Pool, 1)
	})
}
