package plugs_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/hemlock"
	"github.com/cloudwego/netpoll"
	"github.com/stretchr/testify/require"
)

// netpollPool is a variable of the package because netpoll's runner is one, which may be
// set once.
var netpollPool atomic.Pointer[hemlock.Pool]

var configureNetpoll = sync.OnceValue(func() error {
	return netpoll.Configure(netpoll.Config{Runner: func(_ context.Context, task func()) { netpollPool.Load().Run(task) }})
})

func startNetpoll(t *testing.T, pool *hemlock.Pool, capitals *service) (ask call, stop func()) {
	netpollPool.Store(pool)
	require.NoError(t, configureNetpoll())
	ln, err := netpoll.CreateListener("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	loop, err := netpoll.NewEventLoop(func(_ context.Context, conn netpoll.Connection) error {
		return serveNetpollLine(capitals, conn)
	})
	require.NoError(t, err)
	wait := start(func() error { return loop.Serve(ln) })
	// One wake-up serves all lines of a connection, one after the other.
	return askLine(ln.Addr(), 8), func() {
		require.NoError(t, loop.Shutdown(withTimeout(t)))
		require.NoError(t, wait())
	}
}

func serveNetpollLine(capitals *service, conn netpoll.Connection) error {
	line, err := conn.Reader().Until('\n')
	if err != nil {
		return err
	}
	answer := capitals.answer(strings.TrimSuffix(string(line), "\n"))
	if _, err := conn.Writer().WriteString(answer + "\n"); err != nil {
		return err
	}
	return conn.Writer().Flush()
}
