package main

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"example.com/hemlock/group"
	"example.com/hemlock/internal/pooltest"
)

// A fan starts the tasks of a request and waits for them.
type fan interface {
	Go(func() error)
	Wait() error
}

// fans returns the compared fans, each as a function that makes one for a request.
func fans(b *testing.B) map[string]func(context.Context) fan {
	p := pooltest.New(b)
	return map[string]func(context.Context) fan{
		"group":    func(ctx context.Context) fan { g, _ := group.WithContext(ctx, p); return g },
		"errgroup": func(ctx context.Context) fan { g, _ := errgroup.WithContext(ctx); return g },
	}
}

// BenchmarkFanOut has one caller, which makes one request after another. An
// operation is a request of some tasks, each of which uses some stack. Compare within
// one run, and in turns: make benchmark.
func BenchmarkFanOut(b *testing.B) {
	for _, kib := range []int{0, 4, 8, 16} {
		for _, tasks := range []int{10, 100} {
			for _, by := range []string{"errgroup", "group"} {
				b.Run(fmt.Sprintf("stack=%dKiB/tasks=%d/by=%s", kib, tasks, by), func(b *testing.B) {
					b.ReportAllocs()
					fresh := fans(b)[by]
					for b.Loop() {
						request := fresh(b.Context())
						task := func() error { spendStack(kib); return nil }
						for range tasks {
							request.Go(task)
						}
						if err := request.Wait(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

func spendStack(kib int) {
	if kib > 0 {
		pooltest.UseStack(kib)
	}
}
