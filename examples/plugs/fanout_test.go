package plugs_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
)

// resolve stands for a server of nested lists, such as gqlgen's: each element of a list
// is a task, which waits for those of its own list.
func resolve(run func(task func()), depth int, fields *atomic.Int64) {
	if depth == 0 {
		fields.Add(1)
		return
	}
	var list sync.WaitGroup
	for range 2 {
		list.Add(1)
		run(func() {
			defer list.Done()
			resolve(run, depth-1, fields)
		})
	}
	list.Wait()
}

func TestNestedListsNeedAPoolWithoutABound(t *testing.T) {
	const depth, fields = 4, 1 << 4
	const bound = depth - 1 // a field holds a worker at each level of its list

	synctest.Test(t, func(t *testing.T) {
		var resolved atomic.Int64
		pool := hemlock.New()
		resolve(pool.Run, depth, &resolved)
		require.EqualValues(t, fields, resolved.Load())
		require.NoError(t, pool.Shutdown(context.Background()))
	})
	synctest.Test(t, func(t *testing.T) {
		var resolved atomic.Int64
		tasks, done := make(chan func()), make(chan struct{})
		worker := func() {
			for task := range tasks {
				task()
			}
		}
		for range bound {
			go worker()
		}
		go func() {
			resolve(func(task func()) { tasks <- task }, depth, &resolved)
			close(done)
		}()
		synctest.Wait()
		require.Zero(t, resolved.Load(), "every worker waits for a worker, for ever")
		for range fields * depth { // without a bound, as it were
			go worker()
		}
		<-done
		require.EqualValues(t, fields, resolved.Load())
		close(tasks)
	})
}
