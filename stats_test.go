package hemlock_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

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
// returned. In between the task is still counted, though it has no worker.
func TestTasksAreCountedWhileTheyAreHandedOver(t *testing.T) {
	for range pooltest.Scaled(1000) {
		p := hemlock.New(hemlock.WithKillInterval(0))
		gate := make(chan struct{})
		for i := range int64(50) {
			require.NoError(t, p.Submit(func() { <-gate }))
			s := p.Stats()
			require.Equal(t, i+1, s.Running+s.Waiting, "%v", s)
		}
		close(gate)
		pooltest.Shutdown(t, p)
	}
}

// The same at a moment that the test chooses: a task that no worker has yet is waiting,
// beside those that run and those that have ended.
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

func TestPeakWorkersIsExactUnderLoad(t *testing.T) {
	p := pooltest.New(t, hemlock.WithKillInterval(0))
	const n = 500
	var arrived sync.WaitGroup
	arrived.Add(n)
	for range n {
		go p.Run(func() { arrived.Done(); arrived.Wait() })
	}
	arrived.Wait()
	require.EqualValues(t, n, p.Stats().PeakWorkers)
	require.EqualValues(t, n, p.Stats().Spawned)
}

// Every encoding has every field, under one name.
func TestStatsEncodingsAgree(t *testing.T) {
	s := hemlock.Stats{
		Workers: 1, Idle: 2, Running: 3, Waiting: 11, Submitted: 4, Completed: 5,
		Panicked: 6, Spawned: 7, Killed: 8, Recycled: 9, PeakWorkers: 10,
	}
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
				outcome(func() { p.Do(func() { pooltest.EndSomehow(i % 20) }) })
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
