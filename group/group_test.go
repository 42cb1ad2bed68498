package group_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"example.com/hemlock"
	"example.com/hemlock/group"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

// Here is what a group does and errgroup does not, or more of. What they have in common,
// such as the first error, the end of the context and the limit, is checked by a model that
// both must fit: see party in internal/fuzz.

var errDoom = errors.New("doom")

const notReturned = "hemlock/group: a task did not return: it panicked or called runtime.Goexit"

// forgiving returns a pool with a panic handler, and what it was called with.
func forgiving(t testing.TB) (p *hemlock.Pool, values chan any) {
	t.Helper()
	values = make(chan any, 100)
	return pooltest.New(t, hemlock.WithPanicHandler(func(v any, stack []byte) { values <- v })), values
}

func returnNil() error { return nil }

func exit() error {
	runtime.Goexit()
	return nil
}

//go:noinline
func stumble() error { panic("stumbled") }

// Pitfall 51: a task that does not return is no success, and Wait does not wait for it
// for ever. A panic goes to the handler, with the task's stack, and nowhere else.
func TestTaskThatDoesNotReturnIsAnError(t *testing.T) {
	recovering, lost := func() { _ = recover() }, errors.New(notReturned)
	for name, c := range map[string]struct {
		task func() error
		err  error // by its text
		told any   // the handler; nil: nothing
	}{
		"panic":                {stumble, lost, "stumbled"},
		"Goexit":               {exit, lost, nil},
		"panic while exiting":  {func() error { defer func() { panic("late") }(); return exit() }, lost, "late"},
		"exit while panicking": {func() error { defer func() { _ = exit() }(); panic("early") }, lost, nil},
		"recovered panic":      {func() error { defer recovering(); return stumble() }, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var told any
			var stack string
			p := pooltest.New(t, hemlock.WithPanicHandler(func(v any, s []byte) {
				require.Nil(t, told, "the handler is called once")
				told, stack = v, string(s)
			}))
			g, ctx := group.WithContext(t.Context(), p)
			groups := []*group.Group{g}
			if c.told == nil { // in a group without a pool a panic would end the process
				groups = append(groups, new(group.Group))
			}
			for _, g := range groups {
				g.Go(c.task)
				var err error
				require.NotPanics(t, func() { err = g.Wait() })
				require.Equal(t, fmt.Sprint(c.err), fmt.Sprint(err))
			}
			pooltest.Shutdown(t, p)
			require.Equal(t, c.told, told)
			if c.err != nil {
				require.EqualError(t, context.Cause(ctx), notReturned)
			}
			if told == "stumbled" {
				require.Contains(t, stack, "group_test.stumble(")
			}
		})
	}
}

// A task that did not return gives its place under the limit back.
func TestTasksThatDoNotReturnLeaveTheLimit(t *testing.T) {
	p, values := forgiving(t)
	g := group.New(p)
	g.SetLimit(1)
	for range 10 {
		g.Go(exit)
		g.Go(stumble)
		<-values
	}
	g.Go(returnNil)
	require.EqualError(t, g.Wait(), notReturned)
	require.True(t, g.TryGo(returnNil))
	require.Error(t, g.Wait())
}

// The context ends with the task that did not return, and not only with Wait.
func TestTaskThatDoesNotReturnCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := forgiving(t)
		for _, task := range []func() error{exit, stumble} {
			g, ctx := group.WithContext(t.Context(), p)
			release := make(chan struct{})
			g.Go(func() error { <-release; return ctx.Err() })
			synctest.Wait()
			require.NoError(t, ctx.Err(), "cancelled for nothing")
			g.Go(task)
			<-ctx.Done()
			require.EqualError(t, context.Cause(ctx), notReturned)
			close(release)
			require.EqualError(t, g.Wait(), notReturned)
		}
	})
}

// The panic handler is called after the group has settled the task, so a handler
// that blocks does not keep Wait from returning, but it does keep Shutdown.
func TestWaitDoesNotWaitForTheHandler(t *testing.T) {
	release := make(chan struct{})
	p := pooltest.New(t, hemlock.WithPanicHandler(func(any, []byte) { <-release }))
	g := group.New(p)
	g.Go(stumble)
	require.Error(t, g.Wait())
	require.EqualValues(t, 1, p.Stats().Running, "the task is over, its handler is not")
	close(release)
}

func TestTasksStartTasksInTheirGroup(t *testing.T) {
	g := group.New(pooltest.New(t))
	var ran atomic.Int64
	var grow func(depth int) error
	grow = func(depth int) error {
		ran.Inc()
		for range 2 {
			if depth > 0 {
				g.Go(func() error { return grow(depth - 1) })
			}
		}
		return nil
	}
	g.Go(func() error { return grow(9) })
	require.NoError(t, g.Wait())
	require.EqualValues(t, 1<<10-1, ran.Load())
}

func TestParentsCauseIsTheGroups(t *testing.T) {
	parent, cancel := context.WithCancelCause(t.Context())
	g, ctx := group.WithContext(parent, pooltest.New(t))
	g.Go(func() error { <-ctx.Done(); return context.Cause(ctx) })
	cancel(errDoom)
	require.Equal(t, errDoom, g.Wait())
	require.Equal(t, errDoom, context.Cause(ctx))
}

// Misuse is reported where it happens, and leaves nothing to wait for.
func TestMisusePanicsAtTheCaller(t *testing.T) {
	p := pooltest.New(t)
	require.PanicsWithValue(t, "hemlock: zero Pool: use New", func() { group.New(nil) })
	require.PanicsWithValue(t, "hemlock: zero Pool: use New", func() { group.WithContext(t.Context(), nil) })
	require.PanicsWithValue(t, "hemlock: zero Pool: use New", func() { group.New(new(hemlock.Pool)) })
	g := group.New(p)
	g.SetLimit(1)
	for range 2 {
		require.PanicsWithValue(t, "hemlock/group: Go with a nil task", func() { g.Go(nil) })
		require.PanicsWithValue(t, "hemlock/group: TryGo with a nil task", func() { g.TryGo(nil) })
	}
	release := make(chan struct{})
	g.Go(func() error { <-release; return nil })
	require.PanicsWithError(t, "hemlock/group: SetLimit(3) while 1 tasks are active", func() { g.SetLimit(3) })
	close(release)
	require.NoError(t, g.Wait())
	require.NotPanics(t, func() { g.SetLimit(3) })
	require.EqualValues(t, 1, p.Stats().Submitted)
}

// What the caller did before Go is visible in the task, and what the task did is
// visible after Wait, even if it does not return: the race detector watches.
func TestMemoryModel(t *testing.T) {
	pooltest.NeedsRaceDetector(t)
	p, values := forgiving(t)
	for range 100 {
		g := group.New(p)
		var counts [30]int
		for i := range counts {
			counts[i]++
			g.Go(func() error {
				counts[i]++
				switch i {
				case 7:
					return exit()
				case 8:
					return stumble()
				}
				return nil
			})
		}
		require.EqualError(t, g.Wait(), notReturned)
		for i := range counts {
			require.Equal(t, 2, counts[i])
		}
		<-values
	}
}

// Many goroutines use one group at once, and each failure but the first is dropped.
func TestConcurrentCallers(t *testing.T) {
	p := pooltest.New(t)
	for _, limit := range []int{-1, 3} {
		g, ctx := group.WithContext(t.Context(), p)
		g.SetLimit(limit)
		var started, ran atomic.Int64
		var callers sync.WaitGroup
		for caller := range 8 {
			callers.Go(func() {
				for i := range 200 {
					task := func() error {
						ran.Inc()
						if i == 100 {
							return fmt.Errorf("caller %d", caller)
						}
						return nil
					}
					if i%2 == 0 {
						g.Go(task)
					} else if !g.TryGo(task) {
						continue
					}
					started.Inc()
				}
			})
		}
		callers.Wait()
		err := g.Wait()
		assert.ErrorContains(t, err, "caller ")
		assert.Equal(t, err, context.Cause(ctx))
		assert.Equal(t, started.Load(), ran.Load())
	}
}

// A dropped group leaves no goroutine: the bubble fails the test otherwise.
func TestDroppedGroupLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hemlock.New()
		ctx, cancel := context.WithCancel(t.Context())
		g, _ := group.WithContext(ctx, p)
		g.Go(exit)
		g.Go(returnNil)
		synctest.Wait()
		require.NoError(t, p.Shutdown(context.Background()))
		cancel()
	})
}

// A request of ten tasks allocates what it does with errgroup: the group, its
// context, and for each task one closure.
func TestAllocatesNoMoreThanErrgroup(t *testing.T) {
	pooltest.NeedsSyncPool(t)
	const tasks = 10
	p := pooltest.New(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(0))
	type grouper interface {
		Go(f func() error)
		Wait() error
	}
	request := func(g grouper) {
		for range tasks {
			g.Go(returnNil)
		}
		_ = g.Wait()
	}
	plain := testing.AllocsPerRun(2000, func() {
		g, _ := errgroup.WithContext(t.Context())
		request(g)
	})
	pooled := testing.AllocsPerRun(2000, func() {
		g, _ := group.WithContext(t.Context(), p)
		request(g)
	})
	t.Logf("allocations a request of %d tasks: errgroup %v, group %v", tasks, plain, pooled)
	require.LessOrEqual(t, pooled, plain)
}
