package fuzz_test

import (
	"context"
	"fmt"
	"runtime"
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

// The nearest relative of the pool is the one on which tokio runs what blocks. These tests
// guard against its faults. They were seen in pools that start their first workers, so each
// round has a fresh one.

// fresh runs f with that many fresh pools in a long run, at each number of processors, and
// shuts each of them down. Four run at once, so that a goroutine is preempted at odd places.
func fresh(t *testing.T, pools int, f func(round int, p *hemlock.Pool) error) {
	t.Helper()
	race.NeedsThreads(t)
	pooltest.OnEach(t, []int{1, 2, 4, 8}, func(t *testing.T) {
		var four errgroup.Group
		for range 4 {
			four.Go(func() error {
				for round := range pooltest.Scaled(pools) {
					p := hemlock.New()
					if err := f(round, p); err != nil {
						return fmt.Errorf("round %d: %w", round, err)
					}
					if err := end(p); err != nil {
						return fmt.Errorf("round %d: %w", round, err)
					}
				}
				return nil
			})
		}
		require.NoError(t, four.Wait())
	})
}

// end ends the pool, and says what is wrong with it then.
func end(p *hemlock.Pool) error {
	ctx, cancel := context.WithTimeout(context.Background(), pooltest.Patience)
	defer cancel()
	return pooltest.End(ctx, p)
}

// meetTwice returns a task that ends when two calls of it run, and what waits for that.
func meetTwice(p *hemlock.Pool) (task func(), met func() error) {
	var calls atomic.Int64
	both := make(chan struct{})
	task = func() {
		if calls.Inc() == 2 {
			close(both)
		}
		<-both
	}
	return task, func() error {
		select {
		case <-both:
			return nil
		case <-time.After(pooltest.Patience):
			return fmt.Errorf("two tasks do not meet: %v", p.Stats())
		}
	}
}

// Pitfalls 78 and 80: a worker that already has a task, or that serves another kind of
// tasks, is no reason to leave a task alone.
func TestFreshPoolStartsTwoTasksThatMeet(t *testing.T) {
	before := []func(p *hemlock.Pool, n int){
		func(p *hemlock.Pool, n int) { // workers begin, and nobody waits for them
			for range n {
				p.Run(func() {})
			}
		},
		func(p *hemlock.Pool, n int) { // the last worker is about to be idle
			done := make(chan struct{})
			for range n {
				p.Run(func() { done <- struct{}{} })
				<-done
			}
		},
		func(p *hemlock.Pool, n int) { pooltest.GrowDo(p, n) }, // idle workers, of Do alone
	}
	fresh(t, 5120, func(round int, p *hemlock.Pool) error {
		task, met := meetTwice(p)
		for range 2 {
			go func() {
				before[round%len(before)](p, round%17)
				p.Run(task)
			}()
		}
		return met()
	})
}

// Pitfall 79: a Shutdown may come right after a task was handed to an idle worker, which
// is neither idle nor has begun. The worker runs the task, and leaves once.
func TestShutdownMeetsAWorkerThatWasJustGivenATask(t *testing.T) {
	fresh(t, 5120, func(round int, p *hemlock.Pool) error {
		idle := 1 + round%4
		var all sync.WaitGroup
		all.Add(idle)
		for range idle {
			p.Run(func() { all.Done(); all.Wait() })
		}
		for late := time.Now().Add(pooltest.Patience); p.Stats().Idle < int64(idle); runtime.Gosched() {
			if time.Now().After(late) {
				return fmt.Errorf("workers do not come to rest: %v", p.Stats())
			}
		}
		var ran atomic.Int64
		given := int64(1 + round/4%idle) // to all of the workers, or some
		for range given {
			p.Run(func() { ran.Inc() })
		}
		if err := end(p); err != nil {
			return err
		}
		if ran.Load() != given {
			return fmt.Errorf("of %d tasks %d ran", given, ran.Load())
		}
		return nil
	})
}

// Pitfall 82: a spawn that fails half-way. A go statement does not fail: without memory or
// threads the process ends. What is left is the pool's own refusal of a bubble, a panic
// that a server may recover. Then nothing of the task is left, and the pool runs others.
func TestRefusedSpawnLeavesNothingBehind(t *testing.T) {
	fresh(t, 512, func(round int, p *hemlock.Pool) error {
		synctest.Test(t, func(t *testing.T) {
			require.Panics(t, func() { p.Run(func() {}) })
			require.Panics(t, func() { p.Do(func() {}) })
		})
		if s := p.Stats(); s.Workers != 0 || s.Spawned != 0 || s.Submitted != s.Completed {
			return fmt.Errorf("left behind: %v", s)
		}
		task, met := meetTwice(p)
		p.Run(task)
		p.Run(task)
		return met()
	})
}
