package plugs

import (
	"context"
	"math"
	"sync/atomic"

	"example.com/hemlock"
	"github.com/bytedance/gopkg/util/gopool"
)

// A Gopool makes a pool a [gopool.Pool], for code that takes one:
//
//	err := gopool.RegisterPool(plugs.NewGopool("orders", pool))
//	gofunc.GoFunc = plugs.NewGopool("kitex", pool).CtxGo // in an init function, of kitex's pkg/gofunc
//
// The functions of package gopool itself, such as gopool.Go, have no hook: they start
// their tasks on a pool of that package.
type Gopool struct {
	name    string
	pool    *hemlock.Pool
	handler atomic.Pointer[func(context.Context, any)]
}

var _ gopool.Pool = (*Gopool)(nil)

// NewGopool returns the pool under a name, which may be used for several.
func NewGopool(name string, pool *hemlock.Pool) *Gopool { return &Gopool{name: name, pool: pool} }

// Name returns the name.
func (g *Gopool) Name() string { return g.name }

// SetCap has no effect: the pool has no bound, and a task never waits for another to end.
func (g *Gopool) SetCap(int32) {}

// Go runs the task.
func (g *Gopool) Go(task func()) { g.CtxGo(context.Background(), task) }

// CtxGo runs the task. The context is for the panic handler alone.
func (g *Gopool) CtxGo(ctx context.Context, task func()) {
	g.pool.Run(func() {
		if h := g.handler.Load(); h != nil {
			defer func() {
				if v := recover(); v != nil {
					(*h)(ctx, v)
				}
			}()
		}
		task()
	})
}

// SetPanicHandler lets tasks that start from now on recover from a panic, of which the
// handler is told. The pool's Stats do not count such a panic. Without a handler gopool
// logs a panic; here the pool does with it what it does with any other.
func (g *Gopool) SetPanicHandler(h func(context.Context, any)) {
	if h == nil {
		g.handler.Store(nil)
		return
	}
	g.handler.Store(&h)
}

// WorkerCount returns how many workers the pool has. Gopool counts those with a task.
func (g *Gopool) WorkerCount() int32 { return int32(min(g.pool.Stats().Workers, math.MaxInt32)) }
