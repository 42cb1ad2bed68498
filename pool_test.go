package hemlock_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

func TestMain(m *testing.M) { pooltest.Main(m, children) }

// What the documentation of the options says of their defaults.
func TestDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t)
		pooltest.GrowInBubble(t, p, 2)
		born := time.Now()
		for killed := range int64(2) { // after ten seconds the first, a second later the other
			due := born.Add(10*time.Second + time.Duration(killed)*time.Second)
			pooltest.SleepUntil(due.Add(-pooltest.Moment))
			require.Equal(t, killed, p.Stats().Killed)
			pooltest.SleepUntil(due)
			require.Equal(t, killed+1, p.Stats().Killed)
		}
		require.Zero(t, p.Stats().Workers, "the minimum is none")
		const limit = 65_536
		for range limit * 3 / 4 {
			p.Do(func() {})
		}
		require.Zero(t, p.Stats().Recycled)
		for range limit / 2 {
			p.Do(func() {})
		}
		require.EqualValues(t, 1, p.Stats().Recycled)
	})
}

// Pitfall 49: a sentence, not a nil dereference.
func TestMisusePanicsWithASentence(t *testing.T) {
	var zero hemlock.Pool
	var absent *hemlock.Pool
	var nothing context.Context
	for want, calls := range map[string][]func(){
		"hemlock: New with a nil Option":       {func() { hemlock.New(hemlock.WithMinWorkers(1), nil) }},
		"hemlock: Shutdown with a nil context": {func() { _ = hemlock.New().Shutdown(nothing) }},
		"hemlock: Trim with a nil context":     {func() { _ = hemlock.New().Trim(nothing) }},

		"hemlock: WithKillInterval(-1ns): must not be negative":    {func() { hemlock.New(hemlock.WithKillInterval(-1)) }},
		"hemlock: WithKillDelay(-1m0s): must not be negative":      {func() { hemlock.New(hemlock.WithKillDelay(-time.Minute)) }},
		"hemlock: WithMinWorkers(-3): must not be negative":        {func() { hemlock.New(hemlock.WithMinWorkers(-3)) }},
		"hemlock: WithMaxTasksPerWorker(-7): must not be negative": {func() { hemlock.New(hemlock.WithMaxTasksPerWorker(-7)) }},

		"hemlock: zero Pool: use New": {
			func() { _ = zero.Submit(func() {}) },
			func() { _ = zero.Submit(nil) },
			func() { zero.Run(func() {}) },
			func() { zero.Do(func() {}) },
			func() { _ = zero.Shutdown(t.Context()) },
			func() { zero.Stats() },
			func() { _ = zero.Trim(t.Context()) },
			func() { absent.Run(func() {}) },
		},
	} {
		for n, call := range calls {
			require.PanicsWithValue(t, want, call, "call %d", n)
		}
	}
}

// Pitfalls 15, 16 and 43: a Submit that races with Shutdown is accepted or
// refused, and nothing starts once Shutdown has returned.
func TestSubmitRacesWithShutdown(t *testing.T) {
	race.NeedsThreads(t)
	for range pooltest.Scaled(300) {
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
		pooltest.Shutdown(t, p)
		require.Equal(t, accepted.Load(), p.Stats().Submitted)
	}
}

// The pool closes at one moment for all submitters. Once one of them has been refused,
// and has told the others, none is accepted.
func TestRefusalIsFinal(t *testing.T) {
	race.NeedsThreads(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(16)) // many shards to close
	for range pooltest.Scaled(500) {
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
		pooltest.Shutdown(t, p)
	}
}

func TestShutdownReportsTheCauseOfItsContext(t *testing.T) {
	p := pooltest.New(t)
	pooltest.Occupy(t, p, 7)
	cause := errors.New("the operator lost patience")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	err := p.Shutdown(ctx)
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, err, context.Canceled)
	require.EqualError(t, err, "hemlock: shutdown: 7 tasks running, 0 waiting, 7 workers left: "+
		"context canceled: the operator lost patience")
	require.EqualError(t, p.Shutdown(pooltest.Ended()), "hemlock: shutdown: 7 tasks running, 0 waiting, 7 workers left: context canceled")
}

// A context that is done and has no error breaks its contract, and is no reason
// to print nonsense.
func TestShutdownBearsAContextWithoutAnError(t *testing.T) {
	p := pooltest.New(t)
	pooltest.Occupy(t, p, 1)
	err := p.Shutdown(doneWithoutError{t.Context()})
	require.EqualError(t, err, "hemlock: shutdown: 1 task running, 0 waiting, 1 worker left: the context is done")
}

type doneWithoutError struct{ context.Context }

func (doneWithoutError) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

// Pitfall 19: when Shutdown has returned, the pool has no goroutine. The killer,
// which has an hour to sleep, must have ended as the workers have.
func TestShutdownLeavesNoGoroutine(t *testing.T) {
	for range pooltest.Scaled(5000) {
		p := hemlock.New(hemlock.WithKillInterval(time.Hour))
		p.Run(func() {})
		require.True(t, p.KillerArmed())
		require.NoError(t, p.Shutdown(t.Context()))
		require.False(t, p.KillerArmed())
		require.Zero(t, p.Stats().Workers)
	}
	pooltest.Eventually(t, func() bool { return len(pooltest.StacksOf("hemlock.(*")) == 0 }, "the goroutines of ended pools return")
}

// Pitfall 48: Shutdown honours an ended ctx before the idle workers have gone. There
// may be many. With one processor no other goroutine has run when Shutdown returns.
func TestShutdownDoesNotWaitForIdleWorkersToGo(t *testing.T) {
	onOneShard(t)
	const n = 100
	for tries := 0; ; tries++ { // until a Shutdown is not preempted
		p := hemlock.New(hemlock.WithKillInterval(0))
		pooltest.Grow(t, p, n)
		pooltest.GrowDo(p, n)
		err := p.Shutdown(pooltest.Ended())
		pooltest.Shutdown(t, p)
		if err != nil && strings.Contains(err.Error(), ", 200 workers left") {
			return
		}
		require.Less(t, tries, 100, "%v", err)
	}
}

// Pitfalls 15 and 16: when Shutdown returns nil, every accepted task has ended, however
// it ended. The other tasks were plain calls of their functions.
func TestDoRacesWithShutdown(t *testing.T) {
	var afterwards int64
	for range pooltest.Scaled(300) {
		p := hemlock.New(hemlock.WithPanicHandler(func(any, []byte) {}), hemlock.WithMaxTasksPerWorker(7))
		var ran atomic.Int64
		var over atomic.Bool
		start := make(chan struct{})
		var callers sync.WaitGroup
		for caller := range 100 {
			callers.Go(func() {
				<-start
				for way := caller; !over.Load(); way++ {
					pooltest.Outcome(func() {
						p.Do(func() {
							defer ran.Inc()
							pooltest.EndSomehow(way % 20)
						})
					})
				}
			})
		}
		close(start)
		for p.Stats().Submitted < 500 {
			runtime.Gosched()
		}
		require.NoError(t, p.Shutdown(t.Context()))
		s := p.Stats()
		over.Store(true)
		require.LessOrEqual(t, s.Submitted, ran.Load(), "a task had not ended")
		callers.Wait()
		require.Equal(t, s, p.Stats(), "something was counted after Shutdown had returned")
		pooltest.Shutdown(t, p)
		afterwards += ran.Load() - s.Submitted
	}
	require.NotZero(t, afterwards)
}

// A worker that becomes idle between the end of all tasks and the end of the pool must
// not stay.
func TestShutdownMeetsWorkersOfDoThatBecomeIdle(t *testing.T) {
	for range pooltest.Scaled(20_000) {
		p := hemlock.New(hemlock.WithKillInterval(0))
		pooltest.GrowDo(p, 2)
		go p.Do(func() {})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := p.Shutdown(ctx)
		cancel()
		require.NoError(t, err)
		require.Zero(t, p.Stats().Workers)
	}
}

// What tasks did is visible after Shutdown, and what a submitter did is visible to its
// task: the race detector watches.
func TestMemoryModel(t *testing.T) {
	pooltest.NeedsRaceDetector(t)
	for range pooltest.Scaled(500) {
		p := hemlock.New()
		var counts [50]int
		for i := range counts {
			counts[i]++
			require.NoError(t, p.Submit(func() { counts[i]++ }))
		}
		require.NoError(t, p.Shutdown(context.Background()))
		for i := range counts {
			require.Equal(t, 2, counts[i])
		}
	}
}

// No submitter finds a worker between its task and its place, so a steady load spawns
// now and then. Soon there are enough: their number depends on the number of callers,
// not of tasks. Pitfall 45: it is not much larger where each task waits for its caller.
func TestSteadyLoadHardlySpawns(t *testing.T) {
	for _, buffer := range []int{0, 1} {
		t.Run(fmt.Sprint("buffer ", buffer), func(t *testing.T) {
			const callers = 64
			p := pooltest.New(t, hemlock.WithKillInterval(0))
			var all sync.WaitGroup
			for range callers {
				all.Go(func() {
					done := make(chan struct{}, buffer)
					for range pooltest.Scaled(1_000_000) / callers {
						p.Run(func() { done <- struct{}{} })
						<-done
					}
				})
			}
			all.Wait()
			require.Less(t, p.Stats().Spawned, int64(2*callers))
		})
	}
}

// Pitfall 47: a collection takes the table of the processors away, and the next
// Submit makes it again.
func TestFirstSubmitAfterACollectionAllocatesLittle(t *testing.T) {
	pooltest.NeedsSyncPool(t)
	const procs = 128
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	p := pooltest.New(t, hemlock.WithKillInterval(0))
	pooltest.Grow(t, p, 1)
	bytes := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for range 3 {
		runtime.GC()
	}
	require.Less(t, bytes(func() { p.Run(func() {}) }), uint64(200*procs))
	require.Less(t, bytes(func() { hemlock.New() }), uint64(1024*procs))
}

func TestSubmitAndRunAllocateNothing(t *testing.T) {
	p := pooltest.New(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(0))
	pooltest.Grow(t, p, 10)
	done := make(chan struct{})
	task := func() { done <- struct{}{} }
	pooltest.RequireNoAllocation(t, 10_000, func() {
		_ = p.Submit(task)
		<-done
	})
	pooltest.RequireNoAllocation(t, 10_000, func() {
		p.Run(task)
		<-done
	})
}

// A submitter that waits now and then, so that tasks are left to workers on their
// way.
func TestTasksThatWaitAllocateNothing(t *testing.T) {
	p := pooltest.New(t, hemlock.WithKillInterval(0), hemlock.WithMaxTasksPerWorker(0))
	var batch sync.WaitGroup
	task := batch.Done
	var waited int64
	turn := func() {
		batch.Add(64)
		for range 64 {
			_ = p.Submit(task)
		}
		waited = max(waited, p.Stats().Waiting)
		batch.Wait()
	}
	for range 1000 {
		turn()
	}
	pooltest.RequireNoAllocation(t, 2000, turn)
	require.NotZero(t, waited, "no task was left to a worker on its way")
}

// One task in eight is observed, of those that the pool accepted.
func TestWaitObserverSeesOneTaskInEight(t *testing.T) {
	var observed, negative atomic.Int64
	p := pooltest.New(t, hemlock.WithWaitObserver(func(wait time.Duration) {
		observed.Inc()
		if wait < 0 {
			negative.Inc()
		}
	}))
	const n = 32_000
	for i := range n {
		if i%2 == 0 {
			p.Run(func() {})
		} else {
			require.NoError(t, p.Submit(func() {}))
		}
	}
	p.Do(func() {})
	require.NoError(t, p.Shutdown(t.Context()))
	require.EqualValues(t, n+1, p.Stats().Completed)
	require.InDelta(t, n/8, observed.Load(), 6*59) // six standard deviations
	require.Zero(t, negative.Load())

	seen := observed.Load()
	for range 100 {
		require.Error(t, p.Submit(func() {}))
	}
	require.Equal(t, seen, observed.Load(), "a task that was refused")
}

// A task waits from its submission on, not from when a worker takes it off the backlog.
func TestWaitObserverSeesHowLongTasksWait(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var longest atomic.Duration
	p := pooltest.New(t, hemlock.WithWaitObserver(func(wait time.Duration) { longest.Store(max(longest.Load(), wait)) }))
	time.Sleep(50 * time.Millisecond) // the age of the pool is no part of it
	start := time.Now()
	burst(p, 200, func() { compute(100 * time.Microsecond) })
	took := time.Since(start)
	require.Greater(t, longest.Load(), took/4)
	require.LessOrEqual(t, longest.Load(), took)
}

// A panic of the observer is a panic of the task.
func TestWaitObserverThatPanicsEndsTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithPanicHandler(func(any, []byte) {}),
			hemlock.WithWaitObserver(func(time.Duration) { panic("observer") }))
		var ran atomic.Int64
		const n = 200
		for range n {
			p.Run(func() { ran.Inc() })
		}
		require.NoError(t, p.Shutdown(t.Context()))
		require.EqualValues(t, n, p.Stats().Completed)
		require.EqualValues(t, n, ran.Load()+p.Stats().Panicked)
		require.NotZero(t, p.Stats().Panicked)
	})
}

// Pitfall 22: what Submit has done is in Stats when it returns, and before the
// task can look.
func TestCountsAreRightWhenSubmitReturns(t *testing.T) {
	p := pooltest.New(t, hemlock.WithKillInterval(0))
	gate := make(chan struct{})
	defer close(gate)
	for i := range int64(1000) {
		var inside hemlock.Stats
		looked := make(chan struct{})
		require.NoError(t, p.Submit(func() {
			inside = p.Stats()
			close(looked)
			<-gate
		}))
		outside := p.Stats()
		<-looked
		for _, s := range []hemlock.Stats{inside, outside} {
			require.Equal(t, hemlock.Stats{
				Workers: i + 1, Running: i + 1, Submitted: i + 1, Spawned: i + 1, PeakWorkers: i + 1,
			}, s)
		}
	}
}

// A worker hands over a task that leaves the backlog, and may do so after Submit has
// returned. In between the task has no worker: it is waiting, beside those that run and
// those that have ended.
func TestTaskThatNoWorkerHasYetIsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithKillInterval(0))
		pooltest.RunToEnd(t, p, runtime.Goexit) // completed, and its worker gone
		synctest.Wait()
		release := pooltest.Occupy(t, p, 2)
		synctest.Wait()
		var during hemlock.Stats
		p.MeetHandOver(func() { during = p.Stats() })
		require.Equal(t, hemlock.Stats{
			Workers: 2, Running: 2, Waiting: 1, Submitted: 4, Completed: 1, Spawned: 3, PeakWorkers: 2,
		}, during)
		release()
		synctest.Wait()
		pooltest.RequireBalance(t, p.Stats())
		require.Zero(t, p.Stats().Waiting)
	})
}

// A task that is left to a worker on its way is waiting, and takes no other worker: the
// others are idle.
func TestTaskOnABacklogIsNotRunning(t *testing.T) {
	onOneShard(t)
	p := pooltest.New(t, hemlock.WithKillInterval(0))
	pooltest.Grow(t, p, 8)
	pooltest.RunShort(t, p, 640)
	var s hemlock.Stats
	for range 1000 { // until the submitter is not preempted
		var both sync.WaitGroup
		both.Add(2)
		p.Run(both.Done)
		p.Run(both.Done)
		s = p.Stats()
		both.Wait()
		if s.Waiting == 1 && s.Running == 1 && s.Idle == s.Workers-1 {
			return
		}
	}
	require.FailNow(t, "not one waits and one runs", s)
}

// Pitfall 24: every path keeps the books balanced.
func TestCountsBalanceAfterEveryPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hemlock.New(hemlock.WithPanicHandler(func(any, []byte) {}), hemlock.WithMaxTasksPerWorker(2))
		release := pooltest.Occupy(t, p, 3)
		steps := []func(){
			func() { require.ErrorIs(t, p.Submit(nil), hemlock.ErrNilTask) },
			func() { require.PanicsWithValue(t, "hemlock: Run with a nil task", func() { p.Run(nil) }) },
			func() { require.PanicsWithValue(t, "hemlock: Do with a nil task", func() { p.Do(nil) }) },
			func() { p.Run(func() {}) },
			func() { p.Run(runtime.Goexit) },
			func() { p.Run(func() { panic("task") }) },
			func() { p.Run(func() { p.Run(func() {}) }) },
			func() { pooltest.GrowInBubble(t, p, 5) },
			func() { require.Error(t, p.Shutdown(pooltest.Ended())) },
			func() { require.ErrorIs(t, p.Submit(func() {}), hemlock.ErrClosed) },
			func() { p.Run(func() {}) },
			release,
			func() { require.NoError(t, p.Shutdown(t.Context())) },
			func() { require.ErrorIs(t, p.Submit(func() {}), hemlock.ErrClosed) },
			func() { require.ErrorIs(t, p.Submit(nil), hemlock.ErrNilTask) },
			func() { require.PanicsWithValue(t, "hemlock: Do with a nil task", func() { p.Do(nil) }) },
		}
		for _, step := range steps {
			step()
			synctest.Wait()
			pooltest.RequireBalance(t, p.Stats())
		}
		require.EqualValues(t, 3+1+1+1+2+5, p.Stats().Submitted)
	})
}

// Pitfalls 35 and 39: a reader that is preempted between two sums sees no negative
// number, no more running tasks than workers, and no total that falls, even while
// submits are refused.
func TestStatsIsBoundedAndTotalsNeverFall(t *testing.T) {
	race.NeedsThreads(t)
	for round := range pooltest.Scaled(100) {
		p := hemlock.New(hemlock.WithKillInterval(1), hemlock.WithKillDelay(0), hemlock.WithMaxTasksPerWorker(10))
		var readers, writers errgroup.Group
		var over atomic.Bool
		for range 3 {
			readers.Go(func() error {
				var last hemlock.Stats
				for !over.Load() {
					s := p.Stats()
					if err := pooltest.CheckBounds(last, s); err != nil {
						return err
					}
					last = s
				}
				return nil
			})
		}
		for range 8 {
			writers.Go(func() error {
				for range 2000 {
					if p.Submit(func() {}) != nil {
						break
					}
				}
				return nil
			})
		}
		if round%2 == 0 {
			require.NoError(t, writers.Wait()) // otherwise the pool refuses the writers' tasks
		}
		require.NoError(t, p.Shutdown(t.Context()))
		require.NoError(t, writers.Wait())
		over.Store(true)
		require.NoError(t, readers.Wait())
		pooltest.Shutdown(t, p)
	}
}

// Every encoding has every field, under one name.
func TestStatsEncodingsAgree(t *testing.T) {
	s := pooltest.Different()
	const want = `{"workers":1,"idle":2,"running":3,"waiting":11,"submitted":4,"completed":5,` +
		`"panicked":6,"spawned":7,"killed":8,"recycled":9,"peak_workers":10}`
	encoded, err := json.Marshal(s)
	require.NoError(t, err)
	require.JSONEq(t, want, string(encoded))

	var line bytes.Buffer
	slog.New(slog.NewTextHandler(&line, nil)).LogAttrs(context.Background(), slog.LevelInfo, "", slog.Any("pool", s))
	for _, pair := range strings.Split(strings.Trim(string(encoded), "{}"), ",") {
		pair = strings.NewReplacer(`"`, "", ":", "=").Replace(pair)
		require.Contains(t, strings.Fields(s.String()), pair)
		require.Contains(t, strings.Fields(line.String()), "pool."+pair)
	}
	require.Len(t, strings.Fields(s.String()), reflect.TypeFor[hemlock.Stats]().NumField())
}

func TestStatsIsBoundedUnderDo(t *testing.T) {
	p := pooltest.New(t, hemlock.WithKillInterval(1), hemlock.WithKillDelay(0), hemlock.WithMaxTasksPerWorker(10))
	var stop atomic.Bool
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for i := 0; !stop.Load(); i++ {
				pooltest.Outcome(func() { p.Do(func() { pooltest.EndSomehow(i % 20) }) })
			}
		})
	}
	var last hemlock.Stats
	for range pooltest.Scaled(100_000) {
		s := p.Stats()
		require.NoError(t, pooltest.CheckBounds(last, s))
		last = s
	}
	stop.Store(true)
	callers.Wait()
	pooltest.RequireBalance(t, p.Stats())
}

func TestStatsAllocatesNothing(t *testing.T) {
	p := pooltest.New(t)
	pooltest.Grow(t, p, 10)
	pooltest.RequireNoAllocation(t, 1000, func() { _ = p.Stats() })
}
