package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
)

func TestServesLinesAndStatsAndShutsDown(t *testing.T) {
	public, private := listen(t), listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, public, private, 10) }()

	client, err := net.Dial("tcp", public.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	require.Equal(t, "HELLO\n", ask(t, client, "hello\n"))
	require.Equal(t, "AGAIN\n", ask(t, client, "again\n"))

	response, err := http.Get("http://" + private.Addr().String() + "/debug/pool")
	require.NoError(t, err)
	defer response.Body.Close()
	var stats hemlock.Stats
	require.NoError(t, json.NewDecoder(response.Body).Decode(&stats))
	require.EqualValues(t, 1, stats.Running)

	stop()
	require.NoError(t, <-ended)
	requireClosed(t, client)
}

func TestConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		public, _ := start(t, 2)
		first, second := dial(public), dial(public)
		require.Equal(t, "A\n", ask(t, first, "a\n"))
		require.Equal(t, "B\n", ask(t, second, "b\n"))
		third := make(chan net.Conn, 1)
		go func() { third <- dial(public) }()
		synctest.Wait()
		require.Empty(t, third, "a connection over the bound was accepted")
		first.Close()
		require.Equal(t, "C\n", ask(t, <-third, "c\n"))
	})
}

func TestSlowClientLosesItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		public, _ := start(t, 1)
		began := time.Now()
		client := dial(public)
		fmt.Fprint(client, "half a line, which is not ans")
		requireClosed(t, client)
		require.Equal(t, patience, time.Since(began))
	})
}

func TestAnswerUnderWayIsSentAtShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		public, stop := start(t, 1)
		client := dial(public)
		fmt.Fprint(client, "last\n")
		synctest.Wait() // until the answer blocks in the pipe
		stop()
		time.Sleep(patience - time.Nanosecond)
		began := time.Now()
		require.Equal(t, "LAST\n", read(t, client))
		requireClosed(t, client)
		require.Zero(t, time.Since(began), "it waits for no further line")
	})
}

func TestPanicEndsItsConnectionOnly(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	synctest.Test(t, func(t *testing.T) {
		public, _ := start(t, 1)
		client, server := net.Pipe()
		public.conns <- faulty{server}
		requireClosed(t, client)
		require.Equal(t, "ON\n", ask(t, dial(public), "on\n"))
		synctest.Wait() // the handler comes after the close
		require.Contains(t, log.String(), `msg="task panicked" value=fault stack="goroutine`)
	})
}

type faulty struct{ net.Conn }

func (faulty) Read([]byte) (int, error) { panic("fault") }

// start runs the server in a bubble. stop tells it to stop, as the end of the test does; clients
// that wait do not hold that up.
func start(t *testing.T, most int64) (public pipes, stop func()) {
	public, private := newPipes(), newPipes()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, public, private, most) }()
	t.Cleanup(func() {
		began := time.Now()
		stop()
		require.NoError(t, <-ended)
		require.Zero(t, time.Since(began))
		private.Close()
	})
	return public, stop
}

// pipes is a listener whose connections are in memory, as a bubble needs them.
type pipes struct {
	conns chan net.Conn
	stop  func()
}

func newPipes() pipes {
	conns := make(chan net.Conn)
	return pipes{conns, sync.OnceFunc(func() { close(conns) })}
}

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p.conns; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error {
	p.stop()
	return nil
}

func (p pipes) Addr() net.Addr { return nil }

func dial(server pipes) net.Conn {
	near, far := net.Pipe()
	server.conns <- far
	return near
}

func listen(t *testing.T) net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	return listener
}

// ask sends a line and returns the answer.
func ask(t *testing.T, client net.Conn, line string) string {
	t.Helper()
	fmt.Fprint(client, line)
	return read(t, client)
}

func read(t *testing.T, client net.Conn) string {
	t.Helper()
	answer, err := bufio.NewReader(client).ReadString('\n')
	require.NoError(t, err)
	return answer
}

// requireClosed waits for the server to close the connection, and fails if it answers.
func requireClosed(t *testing.T, client net.Conn) {
	t.Helper()
	_, err := client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}
