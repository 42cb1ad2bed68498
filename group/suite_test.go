package group_test

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/group"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

// A grouper is what group and errgroup have in common.
type grouper interface {
	Go(f func() error)
	TryGo(f func() error) bool
	SetLimit(n int)
	Wait() error
}

// contestants make a fresh group of every kind, with its context if it has one.
// errgroup itself is one of them, so that the suite cannot ask for more than it
// does.
var contestants = map[string]func(*testing.T) (grouper, context.Context){
	"errgroup": func(t *testing.T) (grouper, context.Context) {
		return errgroup.WithContext(t.Context())
	},
	"zero errgroup": func(*testing.T) (grouper, context.Context) { return new(errgroup.Group), nil },
	"zero group":    func(*testing.T) (grouper, context.Context) { return new(group.Group), nil },
	"no context":    func(t *testing.T) (grouper, context.Context) { return group.New(pooltest.New(t)), nil },
	"context": func(t *testing.T) (grouper, context.Context) {
		return group.WithContext(t.Context(), pooltest.New(t))
	},
	"recycled workers": func(t *testing.T) (grouper, context.Context) {
		return group.WithContext(t.Context(), pooltest.New(t, hemlock.WithMaxTasksPerWorker(1)))
	},
	"closed pool": func(t *testing.T) (grouper, context.Context) {
		p := pooltest.New(t)
		require.NoError(t, p.Shutdown(t.Context()))
		return group.WithContext(t.Context(), p)
	},
}

// forEach runs the body for a fresh group of every kind, in a bubble, where a
// Go that blocks is seen and not guessed.
func forEach(t *testing.T, body func(t *testing.T, g grouper, ctx context.Context)) {
	t.Helper()
	for name, fresh := range contestants {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, ctx := fresh(t)
				body(t, g, ctx)
			})
		})
	}
}

// requireCause checks how the context of a group ended, if it has one.
func requireCause(t *testing.T, ctx context.Context, want error) {
	t.Helper()
	if ctx == nil {
		return
	}
	require.Equal(t, want, context.Cause(ctx))
	if want != nil {
		require.Equal(t, context.Canceled, ctx.Err())
	}
}

// Wait returns nil while no task has failed. From the first failure on it returns that
// error, although the group is still used. The context ends with the first Wait, and its
// cause is what that returned, even if a task fails later.
func TestWaitReturnsTheFirstErrorAndEndsTheContext(t *testing.T) {
	second := errors.New("second")
	for _, errs := range [][]error{{}, {nil}, {errDoom}, {nil, errDoom}, {errDoom, nil}, {errDoom, nil, second}} {
		for _, start := range []func(grouper, func() error){
			func(g grouper, f func() error) { g.Go(f) },
			func(g grouper, f func() error) { g.TryGo(f) },
		} {
			forEach(t, func(t *testing.T, g grouper, ctx context.Context) {
				var first, cause error
				for _, err := range errs {
					start(g, func() error { return err })
					first = cmp.Or(first, err)
					require.Equal(t, first, g.Wait())
					cause = cmp.Or(cause, first, context.Canceled)
					requireCause(t, ctx, cause)
				}
				require.Equal(t, first, g.Wait())
				requireCause(t, ctx, cmp.Or(cause, context.Canceled))
			})
		}
	}
}

// Every Wait waits for every task, not only for the first that fails, and all return the
// same.
func TestWaitReturnsWhenAllHaveEnded(t *testing.T) {
	forEach(t, func(t *testing.T, g grouper, ctx context.Context) {
		release := make(chan struct{})
		g.Go(func() error { return errDoom })
		g.Go(func() error { <-release; return nil })
		results := make(chan error, 10)
		for range cap(results) {
			go func() { results <- g.Wait() }()
		}
		synctest.Wait()
		require.Empty(t, results, "Wait returned while a task runs")
		requireCause(t, ctx, errDoom)
		close(release)
		for range cap(results) {
			require.Equal(t, errDoom, <-results)
		}
	})
}

// Until a task fails or Wait returns, the context lives.
func TestContextLivesWhileNothingFails(t *testing.T) {
	forEach(t, func(t *testing.T, g grouper, ctx context.Context) {
		requireCause(t, ctx, nil)
		release := make(chan struct{})
		g.Go(returnNil)
		g.Go(func() error { <-release; return nil })
		synctest.Wait()
		requireCause(t, ctx, nil)
		close(release)
		synctest.Wait()
		requireCause(t, ctx, nil)
		require.NoError(t, g.Wait())
		requireCause(t, ctx, context.Canceled)
	})
}

// TryGo starts as many tasks as the limit allows, not one more, and again as
// many when they have ended.
func TestTryGoStopsAtTheLimit(t *testing.T) {
	forEach(t, func(t *testing.T, g grouper, _ context.Context) {
		require.True(t, g.TryGo(returnNil), "no limit yet")
		require.NoError(t, g.Wait())
		release := make(chan struct{})
		block := func() error { <-release; return nil }
		for _, limit := range []int{42, 1} {
			g.SetLimit(limit)
			for range 2 {
				for i := range limit {
					require.True(t, g.TryGo(block), "task %d of %d", i, limit)
				}
				require.False(t, g.TryGo(block))
				release <- struct{}{}
				synctest.Wait()
				require.True(t, g.TryGo(block), "a task has ended")
				require.False(t, g.TryGo(block))
				for range limit {
					release <- struct{}{}
				}
				require.NoError(t, g.Wait())
			}
		}
	})
}

// A limit of zero stops everything, and a negative one is none.
func TestLimitOfZeroAndNegativeLimit(t *testing.T) {
	forEach(t, func(t *testing.T, g grouper, _ context.Context) {
		g.SetLimit(0)
		for range 1000 {
			require.False(t, g.TryGo(returnNil))
		}
		require.NoError(t, g.Wait())
		g.SetLimit(-7)
		release := make(chan struct{})
		for range 100 {
			require.True(t, g.TryGo(func() error { <-release; return nil }), "the limit was lifted")
		}
		close(release)
		require.NoError(t, g.Wait())
	})
}

// Go blocks at the limit, until a task ends.
func TestGoBlocksAtTheLimit(t *testing.T) {
	forEach(t, func(t *testing.T, g grouper, _ context.Context) {
		const limit = 3
		g.SetLimit(limit)
		release := make(chan struct{})
		block := func() error { <-release; return nil }
		for range limit {
			g.Go(block)
		}
		started := make(chan struct{})
		go func() {
			defer close(started)
			g.Go(block)
		}()
		synctest.Wait()
		select {
		case <-started:
			require.FailNow(t, "Go did not block")
		default:
		}
		release <- struct{}{}
		<-started
		require.False(t, g.TryGo(block))
		close(release)
		require.NoError(t, g.Wait())
	})
}

// Never are more tasks active than the limit says, and at times as many are.
func TestNeverMoreThanTheLimit(t *testing.T) {
	forEach(t, func(t *testing.T, g grouper, _ context.Context) {
		const limit = 10
		g.SetLimit(limit)
		var active, most atomic.Int64
		for i := range 1000 {
			g.Go(func() error {
				n := active.Inc()
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				time.Sleep(time.Duration(i%7) * time.Microsecond)
				active.Dec()
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.EqualValues(t, limit, most.Load())
	})
}

// SetLimit panics with an error while it sees active tasks, and not afterwards.
func TestSetLimitPanicsWhileTasksAreActive(t *testing.T) {
	forEach(t, func(t *testing.T, g grouper, _ context.Context) {
		g.SetLimit(5)
		g.SetLimit(2)
		release := make(chan struct{})
		for range 2 {
			g.Go(func() error { <-release; return nil })
		}
		func() {
			defer func() {
				err, ok := recover().(error)
				require.True(t, ok, "the panic is an error")
				require.ErrorContains(t, err, "while 2 ")
				require.ErrorContains(t, err, "active")
			}()
			g.SetLimit(3)
		}()
		require.False(t, g.TryGo(returnNil), "the limit is as it was")
		close(release)
		require.NoError(t, g.Wait())
		require.NotPanics(t, func() { g.SetLimit(3) })
	})
}
