package group_test

import (
	"fmt"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/group"
	"example.com/hemlock/internal/pooltest"
	"golang.org/x/sync/errgroup"
)

// BenchmarkGroup and BenchmarkErrgroup differ only in what starts the tasks: one caller
// makes request after request, each a group of its own with a context. An operation is
// a request. Compare them within one run, and in turns:
//
//	for round in 1 2 3 4 5 6; do
//		go test -run '^$' -bench '^Benchmark(Group|Errgroup)$' ./group
//	done | bin/benchstat -col .name -
//
// The module bench has the same with conc.
func BenchmarkGroup(b *testing.B) {
	benchmarkRequests(b, func(b *testing.B) func() grouper {
		p := pooltest.New(b)
		return func() grouper {
			g, _ := group.WithContext(b.Context(), p)
			return g
		}
	})
}

func BenchmarkErrgroup(b *testing.B) {
	benchmarkRequests(b, func(b *testing.B) func() grouper {
		return func() grouper {
			g, _ := errgroup.WithContext(b.Context())
			return g
		}
	})
}

func benchmarkRequests(b *testing.B, maker func(*testing.B) func() grouper) {
	for _, kib := range []int{0, 4, 8, 16} {
		for _, tasks := range []int{10, 100} {
			b.Run(fmt.Sprintf("stack=%dKiB/tasks=%d", kib, tasks), func(b *testing.B) {
				b.ReportAllocs()
				fresh := maker(b)
				task := func() error {
					if kib > 0 {
						pooltest.UseStack(kib)
					}
					return nil
				}
				for b.Loop() {
					g := fresh()
					for range tasks {
						g.Go(task)
					}
					if err := g.Wait(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkGo measures a task alone, in a group that is never waited for.
func BenchmarkGo(b *testing.B) {
	for name, g := range map[string]grouper{
		"errgroup": new(errgroup.Group),
		"zero":     new(group.Group),
		"pool":     group.New(hemlock.New()),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g.Go(returnNil)
			}
			_ = g.Wait()
		})
	}
}
