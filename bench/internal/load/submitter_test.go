package load

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tally is a pool of goroutines that counts its tasks, and those that have not begun.
type tally struct {
	ran        atomic.Int64
	live, most atomic.Int64
}

func (c *tally) bind(task func()) func() {
	return func() {
		live := c.live.Add(1)
		for most := c.most.Load(); live > most && !c.most.CompareAndSwap(most, live); {
			most = c.most.Load()
		}
		go func() {
			c.ran.Add(1)
			c.live.Add(-1)
			task()
		}()
	}
}

func TestPerProcessorMeansAsManyCallersAsProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 3, 7} {
		runtime.GOMAXPROCS(procs)
		c := new(tally)
		tasks, _, err := Load{Callers: PerProcessor, Batch: 5, Cold: true}.At(c.bind).Run(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, 5*procs, tasks)
		require.EqualValues(t, tasks, c.ran.Load())
	}
}

func TestOnlyEveryTenthTaskBlocks(t *testing.T) {
	for _, measure := range []func(context.Context, Work) error{
		func(ctx context.Context, w Work) error { _, _, err := w.Run(ctx, 0); return err },
		func(ctx context.Context, w Work) error { _, err := w.Latencies(ctx, 1, 0); return err },
	} {
		synctest.Test(t, func(t *testing.T) {
			var slow, quick atomic.Int64
			timing := func(task func()) func() {
				return goroutines(func() {
					start := time.Now()
					task()
					if time.Since(start) == time.Millisecond {
						slow.Add(1)
					} else if time.Since(start) == 0 {
						quick.Add(1)
					}
				})
			}
			l := Load{Callers: 1, Batch: 100, Block: time.Millisecond, BlockEvery: 10, Cold: true}
			require.NoError(t, measure(t.Context(), l.At(timing)))
			synctest.Wait()
			require.EqualValues(t, 10, slow.Load())
			require.EqualValues(t, 90, quick.Load())
		})
	}
}

// The submitter does not wait until the time is up, although no task ends before
// that. Then it waits for all tasks.
func TestLoadThatNeverWaitsIsOneBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		submitted := 0
		pool := func(task func()) func() {
			return func() {
				submitted++
				time.Sleep(time.Millisecond)
				go func() {
					time.Sleep(time.Hour)
					task()
				}()
			}
		}
		tasks, elapsed, err := Load{Callers: 1, Batch: Never}.At(pool).Run(t.Context(), 500*time.Millisecond+1)
		require.NoError(t, err)
		require.Equal(t, 501, tasks)
		require.Equal(t, submitted, tasks)
		require.Equal(t, time.Hour+501*time.Millisecond, elapsed)
	})
}

func TestLoadThatNeverWaitsCanBeRunAgain(t *testing.T) {
	c := new(tally)
	work := Load{Callers: 2, Batch: Never}.At(c.bind)
	for range 20 {
		before := c.ran.Load()
		tasks, _, err := work.Run(t.Context(), time.Millisecond)
		require.NoError(t, err)
		require.EqualValues(t, tasks, c.ran.Load()-before)
	}
}

func TestLoadThatNeverWaitsDoesNotFloodTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan func(), 2*flood)
		holding := func(task func()) func() { return func() { held <- task } }
		tasks := make(chan int, 1)
		go func() {
			n, _, err := Load{Callers: 1, Batch: Never}.At(holding).Run(t.Context(), 3*time.Second)
			assert.NoError(t, err)
			tasks <- n
		}()
		ended := 0
		for range 2 { // it submits again when the tasks have ended
			time.Sleep(time.Second)
			synctest.Wait()
			require.Greater(t, len(held), flood)
			require.LessOrEqual(t, len(held), flood+heartbeat)
			for ; len(held) > 0; ended++ {
				(<-held)()
			}
		}
		time.Sleep(2 * time.Second) // it is told to stop
		synctest.Wait()
		for ; len(held) > 0; ended++ {
			(<-held)()
		}
		require.Equal(t, ended, <-tasks)
	})
}

// The tasks of all callers come from one goroutine, and no caller has two of
// them: each waits for its answer.
func TestConnectionHasOneReader(t *testing.T) {
	const callers = 8
	var inside, overlaps atomic.Int64
	c := new(tally)
	alone := func(task func()) func() {
		submit := c.bind(task)
		return func() {
			overlaps.Add(inside.Add(1) - 1)
			submit()
			inside.Add(-1)
		}
	}
	work := Load{Callers: callers, Batch: 1, Reader: true}.At(alone)
	tasks, elapsed, err := work.Run(t.Context(), 5*time.Millisecond)
	require.NoError(t, err)
	require.EqualValues(t, tasks, c.ran.Load())
	require.GreaterOrEqual(t, tasks, callers)
	require.GreaterOrEqual(t, elapsed, 5*time.Millisecond)
	require.Zero(t, overlaps.Load(), "two goroutines submitted at the same time")
	require.LessOrEqual(t, c.most.Load(), int64(callers))
	latencies, err := work.Latencies(t.Context(), 100, time.Minute)
	require.NoError(t, err)
	require.Len(t, latencies, 100)
}
