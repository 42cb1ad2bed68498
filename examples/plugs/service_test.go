package plugs_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// Every server gets this many requests, all at once, over this many clients.
const (
	requests = 96
	clients  = 4
)

// A call sends a request, as the client with the given index.
type call func(ctx context.Context, client int, request string) (answer string, err error)

// A row of the README's table is a server on a pool.
type row struct {
	tasks int64 // one for each request, or one for each connection
	start func(t *testing.T, pool *hemlock.Pool, capitals *service) (ask call, stop func())
}

func TestServersRunTheirTasksOnThePool(t *testing.T) {
	for name, server := range map[string]row{
		"a net.Listener": {requests, startLines},
		"net/rpc":        {clients, startRPC},
		"HTTP/3":         {requests, startHTTP3},
		"jsonrpc2":       {requests, startJSONRPC2},
		"netpoll":        {requests, startNetpoll},
		"gopool":         {requests, startGopool},
		"rpcx":           {requests, startRPCX},
		"nats.go":        {requests, startNATS},
	} {
		t.Run(name, func(t *testing.T) {
			pool := hemlock.New()
			ask, stop := server.start(t, pool, newService(pool, server.tasks))
			askAll(t, ask)
			stop()
			requireDrained(t, pool, server.tasks)
		})
	}
}

// A service is what the servers in these tests offer: it answers in capitals.
// It holds every request back until all of them are being served, so an answer
// also proves that no request waits for another one. Then it counts the pool's tasks.
type service struct {
	pool    *hemlock.Pool
	tasks   int64
	missing atomic.Int64
	all     chan struct{} // closed when none is missing
}

func newService(pool *hemlock.Pool, tasks int64) *service {
	s := &service{pool: pool, tasks: tasks, all: make(chan struct{})}
	s.missing.Store(requests)
	return s
}

// answer serves one request. A failure is an answer too, one that no client
// expects.
func (s *service) answer(request string) string {
	if s.missing.Add(-1) == 0 {
		defer close(s.all)
		if n := underWay(s.pool); n != s.tasks {
			return fmt.Sprintf("the pool has %d tasks and not %d", n, s.tasks)
		}
		return strings.ToUpper(request)
	}
	select {
	case <-s.all:
	case <-time.After(timeout / 2):
		return "served before the other requests were"
	}
	return strings.ToUpper(request)
}

// underWay returns how many tasks of the pool are not done: those that run and
// those that wait for a processor.
func underWay(pool *hemlock.Pool) int64 {
	stats := pool.Stats()
	return stats.Running + stats.Waiting
}

// askAll sends all requests at once and checks every answer.
func askAll(t *testing.T, ask call) {
	t.Helper()
	group, ctx := errgroup.WithContext(withTimeout(t))
	for i := range requests {
		group.Go(func() error {
			request := fmt.Sprintf("request %d", i)
			answer, err := ask(ctx, i%clients, request)
			if err == nil && answer != strings.ToUpper(request) {
				err = errors.New(answer)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", request, err)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

// requireDrained shuts the pool down and checks that it ran exactly this many
// tasks to their end, and that no worker is left.
func requireDrained(t *testing.T, pool *hemlock.Pool, tasks int64) {
	t.Helper()
	require.NoError(t, pool.Shutdown(withTimeout(t)))
	stats := pool.Stats()
	require.Equal(t, tasks, stats.Submitted, stats)
	require.Equal(t, tasks, stats.Completed, stats)
	require.Zero(t, stats.Panicked, stats)
	require.Zero(t, stats.Workers, stats)
}

// timeout bounds what would otherwise end with the test binary's own limit and
// a page of stacks.
const timeout = 2 * time.Minute

func withTimeout(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	return ctx
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

func dial(t *testing.T, addr net.Addr) net.Conn {
	t.Helper()
	conn, err := net.Dial(addr.Network(), addr.String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(timeout)))
	return conn
}

// connect dials once for each client.
func connect[C any](dial func() C) []C {
	conns := make([]C, clients)
	for i := range conns {
		conns[i] = dial()
	}
	return conns
}

// start runs a server's blocking call and returns a function that waits for its result.
func start(serve func() error) (wait func() error) {
	result := make(chan error, 1)
	go func() { result <- serve() }()
	return func() error { return <-result }
}
