package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/sourcegraph/conc/pool"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"example.com/hemlock"
	"example.com/hemlock/group"
	"example.com/hemlock/internal/pooltest"
)

// A fan starts the tasks of a request and waits for them.
type fan interface {
	Go(func() error)
	Wait() error
}

// A concFan makes conc's pool a group with a context: the first error cancels the
// other tasks, and Wait returns it.
type concFan struct{ *pool.ContextPool }

func (f concFan) Go(task func() error) {
	f.ContextPool.Go(func(context.Context) error { return task() })
}

// fans returns the compared fans, each as a function that makes one for a request.
func fans(t testing.TB) map[string]func(context.Context) fan {
	p := hemlock.New()
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return map[string]func(context.Context) fan{
		"group":    func(ctx context.Context) fan { g, _ := group.WithContext(ctx, p); return g },
		"errgroup": func(ctx context.Context) fan { g, _ := errgroup.WithContext(ctx); return g },
		"conc": func(ctx context.Context) fan {
			return concFan{pool.New().WithContext(ctx).WithCancelOnError().WithFirstError()}
		},
	}
}

// BenchmarkFanOut has one caller, which makes one request after another. An
// operation is a request of some tasks, each of which uses some stack. Compare within
// one run, and in turns: make benchmark.
func BenchmarkFanOut(b *testing.B) {
	for _, kib := range []int{0, 4, 8, 16} {
		for _, tasks := range []int{10, 100} {
			for _, by := range []string{"errgroup", "group", "conc"} {
				b.Run(fmt.Sprintf("stack=%dKiB/tasks=%d/by=%s", kib, tasks, by), func(b *testing.B) {
					b.ReportAllocs()
					fresh := fans(b)[by]
					for b.Loop() {
						if err := request(b.Context(), fresh, tasks, func() error { spendStack(kib); return nil }); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// request makes one request of that many tasks.
func request(ctx context.Context, fresh func(context.Context) fan, tasks int, task func() error) error {
	f := fresh(ctx)
	for range tasks {
		f.Go(task)
	}
	return f.Wait()
}

// A fan that lost tasks or errors would be fast.
func TestFansRunEveryTaskAndReturnTheFirstError(t *testing.T) {
	for name, fresh := range fans(t) {
		t.Run(name, func(t *testing.T) {
			ran := make(chan struct{}, 100)
			count := func() error { ran <- struct{}{}; spendStack(8); return nil }
			require.NoError(t, request(t.Context(), fresh, 100, count))
			require.Len(t, ran, 100)
			require.ErrorIs(t, request(t.Context(), fresh, 10, func() error { return context.DeadlineExceeded }), context.DeadlineExceeded)
		})
	}
}

func spendStack(kib int) {
	if kib > 0 {
		pooltest.UseStack(kib)
	}
}
