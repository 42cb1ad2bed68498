//go:build !race

package group_test

import (
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/group"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// Not parallel, because allocations are counted for the whole process, and not
// under the race detector, because a sync.Pool drops items on purpose there.
//
// A request of ten tasks allocates what it does with errgroup: the group, its
// context, and for each task one closure.
func TestAllocatesNoMoreThanErrgroup(t *testing.T) {
	const tasks = 10
	p := newPool(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(0))
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
