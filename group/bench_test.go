package group_test

import (
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/group"
	"golang.org/x/sync/errgroup"
)

// BenchmarkGo measures a task alone, in a group that is never waited for. What a whole
// request takes is in BenchmarkFanOut of the module bench.
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
