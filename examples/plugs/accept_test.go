package plugs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/examples/plugs"
	"github.com/stretchr/testify/require"
)

// serveLine answers the one request that a connection carries.
func serveLine(s *service, conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return // the client reads no answer and says so
	}
	_, _ = io.WriteString(conn, s.answer(strings.TrimSuffix(line, "\n"))+"\n")
}

// askLine sends one line and returns the line that comes back.
func askLine(ctx context.Context, addr net.Addr, request string) (string, error) {
	conn, err := new(net.Dialer).DialContext(ctx, addr.Network(), addr.String())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err := fmt.Fprintln(conn, request); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSuffix(answer, "\n"), err
}

func TestServeRunsEachConnectionAsOneTask(t *testing.T) {
	pool, lines, ln := hemlock.New(), newService(requests), listen(t)
	wait := start(func() error {
		return plugs.Serve(pool, ln, func(conn net.Conn) { serveLine(lines, conn) })
	})

	askAll(t, func(ctx context.Context, _ int, request string) (string, error) {
		return askLine(ctx, ln.Addr(), request)
	})

	require.NoError(t, ln.Close())
	require.NoError(t, wait())
	require.EqualValues(t, requests, lines.served.Load())
	requireDrained(t, pool, requests)
}

func TestServeTurnsConnectionsAwayAfterShutdown(t *testing.T) {
	pool, ln := hemlock.New(), listen(t)
	wait := start(func() error {
		return plugs.Serve(pool, ln, func(conn net.Conn) { _ = conn.Close() })
	})
	requireDrained(t, pool, 0)

	conn := dial(t, ln.Addr())
	_, err := conn.Read(make([]byte, 1))

	require.True(t, errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET), err)
	require.ErrorIs(t, wait(), hemlock.ErrClosed)
	require.Zero(t, pool.Stats().Submitted)
}

func TestServeReturnsTheErrorOfItsListener(t *testing.T) {
	broken := errors.New("out of file descriptors")

	err := plugs.Serve(hemlock.New(), brokenListener{err: broken}, nil)

	require.ErrorIs(t, err, broken)
}

// A brokenListener fails as a listener does in a process that may open no more
// files.
type brokenListener struct {
	net.Listener
	err error
}

func (l brokenListener) Accept() (net.Conn, error) { return nil, l.err }
