package plugs_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/examples/plugs"
	"github.com/cloudwego/netpoll"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// netpollPool is a variable of the package because netpoll's runner is one: it
// serves every netpoll connection of this process, in all tests.
var netpollPool = hemlock.New()

// plugNetpoll is called before the first connection.
func plugNetpoll() {
	if err := netpoll.Configure(netpoll.Config{Runner: plugs.NetpollRunner(netpollPool)}); err != nil {
		panic(err)
	}
}

// drainNetpoll is called when no connection is left.
func drainNetpoll() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return netpollPool.Shutdown(ctx)
}

// startNetpoll returns the address of a server that answers lines, and a function that
// stops it.
func startNetpoll(t *testing.T, capitals *service) (addr net.Addr, stop func()) {
	t.Helper()
	ln, err := netpoll.CreateListener("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	loop, err := netpoll.NewEventLoop(func(_ context.Context, conn netpoll.Connection) error {
		return serveNetpollLine(capitals, conn)
	})
	require.NoError(t, err)
	wait := start(func() error { return loop.Serve(ln) })
	return ln.Addr(), func() {
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

// burst sends requests in one segment and checks the answers.
func burst(conn net.Conn, lines int) error {
	var text strings.Builder
	for i := range lines {
		fmt.Fprintf(&text, "request %d\n", i)
	}
	if _, err := conn.Write([]byte(text.String())); err != nil {
		return err
	}
	answers := bufio.NewScanner(conn)
	for i := range lines {
		answers.Scan() // at the end of the input Text is ""
		if err := checkAnswer(fmt.Sprintf("request %d", i), answers.Text()); err != nil {
			return err
		}
	}
	return nil
}

func TestNetpollRunnerRunsEachWakeUpAsOneTask(t *testing.T) {
	const lines = 8
	before := netpollPool.Stats()
	// The lines of one connection are served one after the other.
	capitals := newService(requests)
	addr, stop := startNetpoll(t, capitals)

	var group errgroup.Group
	for range requests {
		conn := dial(t, addr)
		group.Go(func() error {
			defer conn.Close()
			return burst(conn, lines)
		})
	}
	require.NoError(t, group.Wait())
	stop()

	require.EqualValues(t, requests*lines, capitals.served.Load())
	requireQuiet(t, netpollPool)
	after := netpollPool.Stats()
	require.EqualValues(t, requests, after.Submitted-before.Submitted, "one wake-up for each burst")
	require.EqualValues(t, requests, after.Completed-before.Completed)
}

// requireQuiet waits until no task of the pool is under way: an answer leaves
// before the task that sent it ends.
func requireQuiet(t *testing.T, pool *hemlock.Pool) {
	t.Helper()
	require.Eventually(t, func() bool { return underWay(pool) == 0 }, time.Minute, time.Millisecond)
}
