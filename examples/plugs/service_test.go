package plugs_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// Every test sends this many requests, all at once, over this many clients.
const (
	requests = 96
	clients  = 4
)

// A service is what the servers in these tests offer: it answers in capitals.
// It holds every request back until all of them are being served, so an answer
// also proves that no request waits for another one.
type service struct {
	served  atomic.Int64
	missing atomic.Int64
	all     chan struct{} // closed when none is missing
}

func newService(requests int) *service {
	s := &service{all: make(chan struct{})}
	s.missing.Store(int64(requests))
	return s
}

var (
	errElsewhere = errors.New("served outside the pool")
	errAlone     = errors.New("served before the other requests were")
)

// answer serves one request. A failure is an answer too, one that no client
// expects.
func (s *service) answer(request string) string {
	if !onWorker() {
		return errElsewhere.Error()
	}
	if s.missing.Add(-1) == 0 {
		close(s.all)
	}
	select {
	case <-s.all:
	case <-time.After(timeout / 2):
		return errAlone.Error()
	}
	s.served.Add(1)
	return strings.ToUpper(request)
}

// workerFrame is the function of the pool that calls a task, whatever its name.
var workerFrame = sync.OnceValue(func() string {
	pool, name := hemlock.New(), make(chan string, 1)
	pool.Run(func() { name <- callers()[1] })
	_ = pool.Shutdown(context.Background()) // it fails only when its ctx ends
	return <-name
})

// onWorker reports whether it is called from a task of a pool.
func onWorker() bool { return slices.Contains(callers(), workerFrame()) }

// callers returns the names of the functions on the stack, its caller first.
func callers() []string {
	const skip = 2 // Callers, callers
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(skip, pcs[:])])
	var names []string
	for {
		frame, more := frames.Next()
		names = append(names, frame.Function)
		if !more {
			return names
		}
	}
}

// askAll sends all requests at once and checks every answer. call sends one,
// as the client with the given index.
func askAll(t *testing.T, call func(ctx context.Context, client int, request string) (string, error)) {
	t.Helper()
	group, ctx := errgroup.WithContext(withTimeout(t))
	for i := range requests {
		group.Go(func() error {
			request := fmt.Sprintf("request %d", i)
			answer, err := call(ctx, i%clients, request)
			if err != nil {
				return fmt.Errorf("%s: %w", request, err)
			}
			return checkAnswer(request, answer)
		})
	}
	require.NoError(t, group.Wait())
}

func checkAnswer(request, answer string) error {
	if want := strings.ToUpper(request); answer != want {
		return fmt.Errorf("%s: answer is %q, want %q", request, answer, want)
	}
	return nil
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

// start runs a server's blocking call and returns a function that waits for its result.
func start(serve func() error) (wait func() error) {
	result := make(chan error, 1)
	go func() { result <- serve() }()
	return func() error { return <-result }
}
