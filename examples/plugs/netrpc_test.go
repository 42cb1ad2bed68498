package plugs_test

import (
	"context"
	"net"
	"net/rpc"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/examples/plugs"
	"github.com/stretchr/testify/require"
)

// Capitals is a net/rpc service. Its calls do not run on workers, but its connections do.
type Capitals struct{ *service }

// Answer has the signature that net/rpc looks for.
func (c Capitals) Answer(request string, answer *string) error {
	*answer = c.answer(request)
	return nil
}

func startRPC(t *testing.T, pool *hemlock.Pool, capitals *service) (ask call, stop func()) {
	ln, server := listen(t), rpc.NewServer()
	require.NoError(t, server.Register(Capitals{capitals}))
	wait := start(func() error {
		return plugs.Serve(pool, ln, func(conn net.Conn) { server.ServeConn(conn) })
	})
	conns := connect(func() *rpc.Client { return rpc.NewClient(dial(t, ln.Addr())) })
	ask = func(_ context.Context, client int, request string) (answer string, err error) {
		err = conns[client].Call("Capitals.Answer", request, &answer)
		return answer, err
	}
	return ask, func() {
		for _, conn := range conns {
			require.NoError(t, conn.Close())
		}
		require.NoError(t, ln.Close())
		require.NoError(t, wait())
	}
}
