package plugs

import (
	"context"
	"time"

	"example.com/hemlock"
	"github.com/smallnest/rpcx/server"
)

// An RPCXPool makes a pool the [server.WorkerPool] that server.WithCustomPool in
// server/option.go takes. (*Server).serveConn in server/server.go submits each
// request to it, heartbeats included; with server.WithAsyncWrite each answer is
// one more task.
//
// The server's Close stops the pool and waits at most ten seconds for it; its
// Shutdown leaves the pool alone. A pool that serves others too is therefore
// stopped by Shutdown of the server alone.
type RPCXPool struct {
	Pool *hemlock.Pool
}

var _ server.WorkerPool = RPCXPool{}

// Submit runs the task. The interface has no way to say no, so a task that
// comes after a stop is run on an ordinary goroutine.
func (p RPCXPool) Submit(task func()) { p.Pool.Run(task) }

// StopAndWait shuts the pool down and returns when it has drained.
func (p RPCXPool) StopAndWait() { _ = p.Pool.Shutdown(context.Background()) }

// StopAndWaitFor shuts the pool down and returns when it has drained or when
// the time is over. Tasks that are still running go on.
func (p RPCXPool) StopAndWaitFor(limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_ = p.Pool.Shutdown(ctx) // the interface has no way to report it
}

// Stop shuts the pool down without waiting. The context that it returns is
// cancelled when the pool has drained.
func (p RPCXPool) Stop() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		p.StopAndWait()
	}()
	return ctx
}
