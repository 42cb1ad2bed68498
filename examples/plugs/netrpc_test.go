package plugs_test

import (
	"context"
	"net/rpc"
	"strings"
	"sync/atomic"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/examples/plugs"
	"github.com/stretchr/testify/require"
)

// Capitals is a net/rpc service. Its calls do not run on workers, so it is no
// [service].
type Capitals struct {
	served *atomic.Int64
}

// Answer has the signature that net/rpc looks for.
func (c Capitals) Answer(request string, answer *string) error {
	c.served.Add(1)
	*answer = strings.ToUpper(request)
	return nil
}

func TestServeRPCRunsEachConnectionAsOneTask(t *testing.T) {
	pool, ln, served := hemlock.New(), listen(t), new(atomic.Int64)
	server := rpc.NewServer()
	require.NoError(t, server.Register(Capitals{served}))
	wait := start(func() error { return plugs.ServeRPC(pool, ln, server) })
	var conns [clients]*rpc.Client
	for i := range conns {
		conns[i] = rpc.NewClient(dial(t, ln.Addr()))
	}

	askAll(t, func(ctx context.Context, client int, request string) (answer string, err error) {
		call := conns[client].Go("Capitals.Answer", request, &answer, make(chan *rpc.Call, 1))
		select {
		case <-call.Done:
			return answer, call.Error
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	})

	// Each connection has carried calls, so each is a task by now.
	require.EqualValues(t, clients, underWay(pool))
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	require.NoError(t, ln.Close())
	require.NoError(t, wait())
	require.EqualValues(t, requests, served.Load())
	requireDrained(t, pool, clients)
}
