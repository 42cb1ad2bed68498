package hemlock_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

// Pitfall 1: a newborn worker's task must not travel through the channel, where
// an older worker can take it.
func TestTasksNeverWaitForTheEndOfAnother(t *testing.T) {
	p := newPool(t, hemlock.WithKillInterval(0))
	for round := range 200 {
		// Between one and all of the tasks find an idle worker.
		n := 1 + round%64
		var group errgroup.Group
		var arrived sync.WaitGroup
		arrived.Add(n)
		for range n {
			group.Go(func() error {
				return p.Submit(func() {
					arrived.Done()
					arrived.Wait()
				})
			})
		}
		require.NoError(t, group.Wait())
		arrived.Wait()
	}
}

// Pitfall 2: a nil task is not a way to send a pill.
func TestNilTaskIsRefusedAndKillsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(0))
		grow(t, p, 100) // at local places and on the shared channel
		for range 100 {
			require.ErrorIs(t, p.Submit(nil), hemlock.ErrNilTask)
			require.PanicsWithValue(t, "hemlock: Run with a nil task", func() { p.Run(nil) })
		}
		synctest.Wait()
		require.EqualValues(t, 100, p.Stats().Idle)
		require.EqualValues(t, 100, p.Stats().Submitted)
	})
}

// Pitfall 3: a task may submit a task and wait for it, to any depth.
func TestNestedSubmitsNeverDeadlock(t *testing.T) {
	p := newPool(t)
	var chain func(depth int)
	chain = func(depth int) {
		if depth > 0 {
			do(t, p, func() { chain(depth - 1) })
		}
	}
	do(t, p, func() { chain(4999) })
	require.EqualValues(t, 5000, p.Stats().Submitted)
	require.EqualValues(t, 5000, p.Stats().PeakWorkers)
}

func TestSubmitReusesAnIdleWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t)
		for range 1000 {
			do(t, p, func() {})
			synctest.Wait() // the worker is idle again
		}
		require.EqualValues(t, 1, p.Stats().Spawned)
		require.EqualValues(t, 1, p.Stats().PeakWorkers)
	})
}

func TestSubmitSpawnsOnlyWhenNoWorkerIsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(0))
		for _, n := range []int{1, 10, 100, 50, 101} {
			grow(t, p, n)
			synctest.Wait()
		}
		require.EqualValues(t, 101, p.Stats().Spawned)
		require.EqualValues(t, 101, p.Stats().Idle)
	})
}

// Workers wait where the load was. When it moves to another processor, they
// must be found there.
func TestIdleWorkersAreFoundFromEveryProcessor(t *testing.T) {
	for _, procs := range []int{1, 2, 5, 16} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, hemlock.WithKillInterval(0))
				grow(t, p, 300)
				synctest.Wait()
				var group errgroup.Group
				gate := make(chan struct{})
				defer close(gate)
				for range 30 {
					group.Go(func() error {
						for range 10 {
							if err := p.Submit(func() { <-gate }); err != nil {
								return err
							}
						}
						return nil
					})
				}
				require.NoError(t, group.Wait())
				synctest.Wait() // every task has got a processor
				require.EqualValues(t, 300, p.Stats().Spawned)
				require.EqualValues(t, 300, p.Stats().Running)
			})
		})
	}
}

func TestNonsenseOptionsPanicInNew(t *testing.T) {
	for want, option := range map[string]hemlock.Option{
		"hemlock: WithKillInterval(-1ns): must not be negative":    hemlock.WithKillInterval(-1),
		"hemlock: WithKillDelay(-1m0s): must not be negative":      hemlock.WithKillDelay(-time.Minute),
		"hemlock: WithMinWorkers(-3): must not be negative":        hemlock.WithMinWorkers(-3),
		"hemlock: WithMaxTasksPerWorker(-7): must not be negative": hemlock.WithMaxTasksPerWorker(-7),
	} {
		require.PanicsWithValue(t, want, func() { hemlock.New(option) })
	}
}

// Pitfall 37: neither the jitter nor a deadline overflows.
func TestLargestOptionValuesWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const forever = time.Duration(1<<63 - 1)
		const most = int(^uint(0) >> 1)
		for name, opts := range map[string][]hemlock.Option{
			"interval": {hemlock.WithKillInterval(forever), hemlock.WithKillDelay(0)},
			"delay":    {hemlock.WithKillInterval(1), hemlock.WithKillDelay(forever)},
			"both":     {hemlock.WithKillInterval(forever), hemlock.WithKillDelay(forever)},
			"minimum":  {hemlock.WithKillInterval(1), hemlock.WithKillDelay(0), hemlock.WithMinWorkers(most)},
			"tasks":    {hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(most)},
		} {
			p := newPool(t, opts...)
			time.Sleep(time.Hour) // a pool that has lived for a while
			for range 3 {         // every worker runs three tasks, and draws its own limit
				grow(t, p, 20)
				time.Sleep(1000 * time.Hour)
			}
			s := p.Stats()
			require.EqualValues(t, 20, s.Workers, name)
			require.Zero(t, s.Recycled, name)
			shutdown(t, p)
		}
	})
}

// Pitfall 49: a sentence, not a nil dereference.
func TestNilArgumentsPanicWithASentence(t *testing.T) {
	var nobody *hemlock.Pool
	for want, call := range map[string]func(){
		"hemlock: New with a nil Option":       func() { hemlock.New(hemlock.WithMinWorkers(1), nil) },
		"hemlock: Shutdown with a nil context": func() { var ctx context.Context; _ = hemlock.New().Shutdown(ctx) },
		"hemlock: zero Pool: use New":          func() { nobody.Run(func() {}) },
	} {
		require.PanicsWithValue(t, want, call)
	}
}

func TestMethodsOfAZeroPoolPanic(t *testing.T) {
	var p hemlock.Pool
	for name, call := range map[string]func(){
		"Submit":   func() { _ = p.Submit(func() {}) },
		"nil task": func() { _ = p.Submit(nil) },
		"Run":      func() { p.Run(func() {}) },
		"Shutdown": func() { _ = p.Shutdown(t.Context()) },
		"Stats":    func() { p.Stats() },
	} {
		require.PanicsWithValue(t, "hemlock: zero Pool: use New", call, name)
	}
}

func TestShutdownRunsWhatWasAccepted(t *testing.T) {
	p := newPool(t)
	var ran atomic.Int64
	for range 1000 {
		require.NoError(t, p.Submit(func() {
			runtime.Gosched()
			ran.Inc()
		}))
	}
	require.NoError(t, p.Shutdown(t.Context()))
	require.EqualValues(t, 1000, ran.Load())
	require.ErrorIs(t, p.Submit(func() { ran.Inc() }), hemlock.ErrClosed)
	require.ErrorIs(t, p.Submit(nil), hemlock.ErrNilTask)
	require.EqualValues(t, 1000, p.Stats().Submitted, "a refused task is not counted")
}

func TestShutdownOfAnUnusedPoolReturns(t *testing.T) {
	require.NoError(t, hemlock.New().Shutdown(t.Context()))
}

// Pitfalls 15, 16 and 43: a Submit that races with Shutdown is accepted or
// refused, and nothing starts once Shutdown has returned.
func TestSubmitRacesWithShutdown(t *testing.T) {
	for range scaled(300) {
		p := hemlock.New()
		var accepted, executed, late atomic.Int64
		var over atomic.Bool
		start := make(chan struct{})
		var group errgroup.Group
		for range 100 {
			group.Go(func() error {
				<-start
				for {
					err := p.Submit(func() {
						executed.Inc()
						if over.Load() {
							late.Inc()
						}
					})
					if err != nil {
						return err
					}
					accepted.Inc()
				}
			})
		}
		close(start)
		runtime.Gosched()
		require.NoError(t, p.Shutdown(t.Context()))
		over.Store(true)
		executedThen := executed.Load()
		require.ErrorIs(t, group.Wait(), hemlock.ErrClosed)
		require.Equal(t, accepted.Load(), executedThen)
		require.Equal(t, accepted.Load(), executed.Load())
		require.Zero(t, late.Load(), "a task started after Shutdown had returned")
		shutdown(t, p)
		require.Equal(t, accepted.Load(), p.Stats().Submitted)
	}
}

// The pool closes at one moment for all: who was told that it is closed, or was
// told by somebody who was, is never accepted again.
func TestRefusalIsFinal(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(16)) // many shards to close
	for range scaled(500) {
		p := hemlock.New()
		var closed atomic.Bool
		var group errgroup.Group
		for range 16 {
			group.Go(func() error {
				for {
					known := closed.Load()
					err := p.Submit(func() {})
					if err == nil && known {
						return errors.New("accepted after a refusal")
					}
					if err != nil && known {
						return nil
					}
					if err != nil {
						closed.Store(true)
					}
				}
			})
		}
		runtime.Gosched()
		require.NoError(t, p.Shutdown(t.Context()))
		require.NoError(t, group.Wait())
		shutdown(t, p)
	}
}

// Pitfall 18: a Shutdown that timed out leaves nobody waiting.
func TestTimedOutShutdownsLeaveNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hemlock.New()
		release := occupy(t, p, 1)
		_ = p.Shutdown(endingIn(t, time.Millisecond))
		synctest.Wait()
		before := len(stacksOf("synctest bubble"))
		for range 1000 {
			err := p.Shutdown(endingIn(t, time.Millisecond))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.EqualError(t, err, "hemlock: shutdown: 1 task running, 0 waiting, 1 worker left: context deadline exceeded")
		}
		synctest.Wait()
		require.Len(t, stacksOf("synctest bubble"), before)
		release()
		shutdown(t, p)
	})
}

func TestShutdownReportsTheCauseOfItsContext(t *testing.T) {
	p := newPool(t)
	occupy(t, p, 7)
	cause := errors.New("the operator lost patience")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	err := p.Shutdown(ctx)
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, err, context.Canceled)
	require.EqualError(t, err, "hemlock: shutdown: 7 tasks running, 0 waiting, 7 workers left: "+
		"context canceled: the operator lost patience")
}

// A context that is done and has no error breaks its contract, and is no reason
// to print nonsense.
func TestShutdownBearsAContextWithoutAnError(t *testing.T) {
	p := newPool(t)
	occupy(t, p, 1)
	err := p.Shutdown(doneWithoutError{t.Context()})
	require.EqualError(t, err, "hemlock: shutdown: 1 task running, 0 waiting, 1 worker left: the context is done")
}

type doneWithoutError struct{ context.Context }

func (doneWithoutError) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

func TestShutdownWinsAgainstAnEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		require.NoError(t, hemlock.New().Shutdown(ctx))
	}
}

// Idle workers need not wait for the last task, and none of them counts as
// killed.
func TestShutdownRetiresIdleWorkersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, hemlock.WithKillInterval(0))
		grow(t, p, 100)
		synctest.Wait()
		release := occupy(t, p, 2)
		require.Error(t, p.Shutdown(endingIn(t, time.Second)))
		synctest.Wait()
		require.EqualValues(t, 2, p.Stats().Workers)
		release()
		require.NoError(t, p.Shutdown(t.Context()))
		require.Zero(t, p.Stats().Killed)
		require.EqualValues(t, 100, p.Stats().PeakWorkers)
	})
}

// Pitfall 19: when Shutdown has returned, the pool has no goroutine. The killer,
// which has an hour to sleep, must have ended as the workers have.
func TestShutdownLeavesNoGoroutine(t *testing.T) {
	for range scaled(5000) {
		p := hemlock.New(hemlock.WithKillInterval(time.Hour))
		p.Run(func() {})
		require.True(t, p.KillerArmed())
		require.NoError(t, p.Shutdown(t.Context()))
		require.False(t, p.KillerArmed())
		require.Zero(t, p.Stats().Workers)
	}
	eventually(t, func() bool { return len(stacksOf("hemlock.(*")) == 0 }, "the goroutines of ended pools return")
}

// Pitfall 20: from inside a task, twice, and from many at once.
func TestShutdownFromInsideTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10
		p := newPool(t)
		var timedOut atomic.Int64
		var arrived sync.WaitGroup
		arrived.Add(n)
		for range n {
			require.NoError(t, p.Submit(func() {
				arrived.Done()
				arrived.Wait()
				for range 2 {
					if errors.Is(p.Shutdown(endingIn(t, time.Second)), context.DeadlineExceeded) {
						timedOut.Inc()
					}
				}
			}))
		}
		require.NoError(t, p.Shutdown(t.Context()))
		require.EqualValues(t, 2*n, timedOut.Load())
	})
}

// Pitfall 38, and the promise that Run never fails.
func TestRunAfterShutdownKeepsTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan any, 2)
		p := hemlock.New(hemlock.WithPanicHandler(func(v any, stack []byte) {
			require.Contains(t, string(stack), "TestRunAfterShutdownKeepsTheHandler")
			seen <- v
		}))
		require.NoError(t, p.Shutdown(t.Context()))
		p.Run(func() { panic("late") })
		require.Equal(t, "late", <-seen)
		p.Run(func() { seen <- "ran" })
		require.Equal(t, "ran", <-seen)
		p.Run(func() { defer func() { seen <- "left" }(); runtime.Goexit() })
		require.Equal(t, "left", <-seen)
		require.Zero(t, p.Stats())
	})
}

func TestRunAfterShutdownIsAnOrdinaryGoroutine(t *testing.T) {
	p := hemlock.New()
	require.NoError(t, p.Shutdown(t.Context()))
	release := make(chan struct{})
	ended := make(chan struct{})
	p.Run(func() { <-release; close(ended) })
	require.NoError(t, p.Shutdown(t.Context()), "nobody waits for it")
	close(release)
	<-ended
	require.Zero(t, p.Stats())
}

// Pitfall 31: nothing is shared between pools, so bubbles may follow each
// other and run beside a pool outside.
func TestPoolsWorkInBubbles(t *testing.T) {
	outside := newPool(t)
	for range 20 {
		do(t, outside, func() {})
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t)
			grow(t, p, 50)
		})
	}
}

// A bubble ends cleanly without Shutdown too, once the killer has drained the
// pool: synctest fails the test if a goroutine is left.
func TestDrainedPoolLetsItsBubbleEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hemlock.New()
		grow(t, p, 10)
		time.Sleep(time.Minute)
		require.Zero(t, p.Stats().Workers)
	})
}
