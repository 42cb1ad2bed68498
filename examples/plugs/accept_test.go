package plugs_test

import (
	"bufio"
	"context"
	"errors"
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

// askLine returns a call that sends its request in a segment of several lines, on a
// connection of its own. It stops at the first answer that is wrong.
func askLine(addr net.Addr, lines int) call {
	return func(ctx context.Context, _ int, request string) (answer string, err error) {
		conn, err := new(net.Dialer).DialContext(ctx, addr.Network(), addr.String())
		if err != nil {
			return "", err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		if _, err := io.WriteString(conn, strings.Repeat(request+"\n", lines)); err != nil {
			return "", err
		}
		answers := bufio.NewReader(conn)
		for range lines {
			if answer, err = answers.ReadString('\n'); answer != strings.ToUpper(request)+"\n" {
				break
			}
		}
		return strings.TrimSuffix(answer, "\n"), err
	}
}

func startLines(t *testing.T, pool *hemlock.Pool, capitals *service) (ask call, stop func()) {
	ln := listen(t)
	wait := start(func() error {
		return plugs.Serve(pool, ln, func(conn net.Conn) { serveLine(capitals, conn) })
	})
	return askLine(ln.Addr(), 1), func() {
		require.NoError(t, ln.Close())
		require.NoError(t, wait())
	}
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
