package group

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"example.com/hemlock"
)

// errTask is the error of a task that did not return. It has no exported name: a caller
// need not tell it from other failures, and the value of the panic is for the pool's
// handler.
var errTask = errors.New("hemlock/group: a task did not return: it panicked or called runtime.Goexit")

type token struct{}

// A Group is a collection of tasks that are parts of one piece of work. It has
// the methods of errgroup's Group, and runs its tasks on a pool.
//
// Make one with [New] or [WithContext] for each piece of work, start its tasks with
// [Group.Go], and call [Group.Wait] once they are all started. A zero Group is
// valid too, as it is in errgroup: without a pool, each of its tasks gets an
// ordinary goroutine. A Group must not be copied after its first use.
//
// A task may start further tasks in its own Group, and may make another Group on
// the same pool and wait for it: the pool is never full. A Group does not end
// its pool, and one that is dropped leaves nothing behind once its tasks have
// ended.
type Group struct {
	// Immutable after New and WithContext.
	pool   *hemlock.Pool           // nil in a zero Group
	cancel context.CancelCauseFunc // nil if the Group has no context

	// sem holds a token for each active task, and has room for as many as the
	// limit; nil without a limit. Only SetLimit writes it, which must not be
	// called while tasks are active.
	sem chan token

	wg sync.WaitGroup

	// err is the first error. It is written within errOnce, by a task that wg
	// still counts, and read after wg has been waited for.
	errOnce sync.Once
	err     error
}

// New returns a Group that runs its tasks on the pool, without a limit and
// without a context. It panics if pool is nil or a zero Pool.
func New(pool *hemlock.Pool) *Group {
	// Panics if it is nil or a zero Pool. Later, in Go, the Group would have counted a
	// task that never runs, and a deferred Wait would hang.
	_ = pool.Stats()
	return &Group{pool: pool}
}

// WithContext returns a new Group and a context derived from ctx.
//
// The derived context is canceled the first time a task returns a non-nil error,
// or does not return, or the first time [Group.Wait] returns, whichever comes
// first. That error, if there is one, is what [context.Cause] returns.
func WithContext(ctx context.Context, pool *hemlock.Pool) (*Group, context.Context) {
	g := New(pool)
	ctx, g.cancel = context.WithCancelCause(ctx)
	return g, ctx
}

// Wait blocks until all tasks of the Group have ended, then returns the first
// non-nil error, if there is one. A task that panicked or called
// [runtime.Goexit] counts as one that returned an error, and that error says so.
// Wait itself does not panic for it.
//
// The pool's panic handler may not have been called yet when Wait returns, or may
// still run; [hemlock.Pool.Shutdown] waits for it. Without a handler the process
// crashes, and Wait may return before it has: a main that then calls os.Exit can
// still hide the crash, which is rare.
//
// A Group may be used again after Wait, but it keeps its first error, and its
// context stays canceled.
//
// The end of each task synchronizes before Wait returns, in the terminology of the
// Go memory model.
func (g *Group) Wait() error {
	g.wg.Wait()
	if g.cancel != nil {
		g.cancel(g.err)
	}
	return g.err
}

// Go starts the task on the Group's pool. It blocks only while as many tasks are active
// as [Group.SetLimit] allows. After the pool's Shutdown the task still runs, on an
// ordinary goroutine; see [hemlock.Pool.Run].
//
// The first task that returns a non-nil error, or does not return, cancels the context
// of the Group, if it has one, and decides what [Group.Wait] returns. The others go on,
// and can see it by their context.
//
// The first call of Go must come before Wait. Go(nil) panics.
//
// The call synchronizes before the task starts.
func (g *Group) Go(f func() error) {
	mustTask("Go", f)
	if g.sem != nil {
		g.sem <- token{}
	}
	g.start(f)
}

// TryGo is [Group.Go], except that where Go would block TryGo does nothing and returns
// false. It reports whether it started the task.
func (g *Group) TryGo(f func() error) bool {
	mustTask("TryGo", f)
	if g.sem != nil {
		select {
		case g.sem <- token{}:
		default:
			return false
		}
	}
	g.start(f)
	return true
}

// SetLimit lets at most n tasks of this Group be active at the same time. A
// negative n is no limit, which is the default; with 0, Go blocks for ever and
// TryGo returns false. It limits the Group and not the pool.
//
// SetLimit must not be called while tasks of the Group are active. It panics if it
// finds some and n is not negative.
func (g *Group) SetLimit(n int) {
	if n < 0 {
		g.sem = nil
		return
	}
	if active := len(g.sem); active != 0 {
		panic(fmt.Errorf("hemlock/group: SetLimit(%d) while %d tasks are active", n, active))
	}
	g.sem = make(chan token, n)
}

func mustTask(method string, f func() error) {
	if f == nil {
		panic("hemlock/group: " + method + " with a nil task")
	}
}

// start starts a task that has its token.
func (g *Group) start(f func() error) {
	g.wg.Add(1)
	if g.pool == nil {
		go g.run(f)
		return
	}
	g.pool.Run(func() { g.run(f) })
}

// run is a task's life.
//
// It is tempting to recover a panic here, to tell it from Goexit or to have Wait raise
// it again. Then the pool's handler would see neither the panic nor its stack, and a
// Wait that is never reached would hide it. errgroup raised panics again for a while
// and took it back: https://go.dev/issue/53757 and https://go.dev/issue/74275.
//
// A task that did not return is settled on another goroutine. Deferred calls run before
// the runtime prints a panic. If the task were settled in one, it would release Wait,
// and a main that then calls os.Exit would be faster than its own crash: in two of five
// runs, as in errgroup. Now it is in one of fifty (1,000 runs of each on two
// processors).
func (g *Group) run(f func() error) {
	var err error
	returned := false
	defer func() {
		if !returned {
			go g.end(errTask)
			return
		}
		g.end(err)
	}()
	err = f()
	returned = true
}

// end settles the account of a task that ended with err.
func (g *Group) end(err error) {
	if err != nil {
		g.errOnce.Do(func() {
			g.err = err
			if g.cancel != nil {
				g.cancel(err)
			}
		})
	}
	if g.sem != nil {
		<-g.sem
	}
	g.wg.Done()
}
