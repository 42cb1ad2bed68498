// Package pooltest has what the tests of several packages share: pools that are
// checked at their end, loads, waiting for events, and child processes.
package pooltest

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"example.com/hemlock"
	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
)

// New returns a pool that is shut down at the end of the test, which fails if the
// pool then has a worker left or its counts do not balance.
func New(t testing.TB, opts ...hemlock.Option) *hemlock.Pool {
	t.Helper()
	p := hemlock.New(opts...)
	t.Cleanup(func() { Shutdown(t, p) })
	return p
}

// Shutdown ends the pool and checks what must hold of every ended pool.
func Shutdown(t testing.TB, p *hemlock.Pool) {
	t.Helper()
	require.NoError(t, End(context.Background(), p))
}

// End ends the pool, and says what is wrong with it then: it has a worker left, or a task
// that is lost or counted twice.
func End(ctx context.Context, p *hemlock.Pool) error {
	if err := p.Shutdown(ctx); err != nil {
		return err
	}
	if s := p.Stats(); s.Workers != 0 || s.Idle != 0 || s.Running != 0 || s.Waiting != 0 || s.Submitted != s.Completed {
		return fmt.Errorf("after Shutdown: %v", s)
	}
	return nil
}

// RequireBalance checks the equations that hold in a pool where nothing happens
// at the moment.
func RequireBalance(t testing.TB, s hemlock.Stats) {
	t.Helper()
	require.Equal(t, s.Submitted, s.Completed+s.Running+s.Waiting, "submitted: %v", s)
	require.Equal(t, s.Workers, s.Idle+s.Running, "workers: %v", s)
	require.NoError(t, CheckBounds(hemlock.Stats{}, s))
}

// CheckBounds says what is wrong with a snapshot that was taken under load, some
// time after the one before.
func CheckBounds(before, now hemlock.Stats) error {
	bounded := 0 <= now.Idle && now.Idle <= now.Workers &&
		0 <= now.Running && now.Running <= now.Workers && 0 <= now.Waiting &&
		now.Workers <= now.PeakWorkers && now.Completed <= now.Submitted
	if !bounded {
		return fmt.Errorf("counts out of bounds: %v", now)
	}
	fell := now.Submitted < before.Submitted || now.Completed < before.Completed ||
		now.Panicked < before.Panicked || now.Spawned < before.Spawned ||
		now.Killed < before.Killed || now.Recycled < before.Recycled ||
		now.PeakWorkers < before.PeakWorkers
	if fell {
		return fmt.Errorf("a total fell: %v after %v", now, before)
	}
	return nil
}

// Occupy starts n tasks that run until release is called, and returns when all
// of them run. Release returns when all of them have ended; it may be called
// again.
func Occupy(t testing.TB, p *hemlock.Pool, n int) (release func()) {
	t.Helper()
	var started, ended sync.WaitGroup
	gate := make(chan struct{})
	for range n {
		started.Add(1)
		ended.Add(1)
		require.NoError(t, p.Submit(func() {
			defer ended.Done()
			started.Done()
			<-gate
		}))
	}
	started.Wait()
	var once sync.Once
	release = func() {
		once.Do(func() { close(gate) })
		ended.Wait()
	}
	t.Cleanup(release)
	return release
}

// Grow makes the pool have n idle workers at least, unless the killer comes in
// between. They are idle by the counts: a worker is counted so when its task has
// ended, some instructions before it can be found.
func Grow(t testing.TB, p *hemlock.Pool, n int) {
	t.Helper()
	before := p.Stats()
	Occupy(t, p, n)()
	Eventually(t, func() bool {
		s := p.Stats()
		return s.Running+s.Waiting == before.Running+before.Waiting
	}, "workers come to rest")
}

// GrowInBubble makes the pool have n idle workers at least, which can be found. It
// takes no time of the bubble.
func GrowInBubble(t testing.TB, p *hemlock.Pool, n int) {
	t.Helper()
	Occupy(t, p, n)()
	synctest.Wait()
}

// GrowDo makes the pool have n idle workers for Do at least.
func GrowDo(p *hemlock.Pool, n int) {
	if n > 0 {
		p.Do(func() { GrowDo(p, n-1) })
	}
}

// RunToEnd runs one task on the pool and waits for it.
func RunToEnd(t testing.TB, p *hemlock.Pool, task func()) {
	t.Helper()
	done := make(chan struct{})
	require.NoError(t, p.Submit(func() {
		defer close(done)
		task()
	}))
	<-done
}

// RunShort runs n short tasks. The submitter waits only now and then, so most of
// them are left to workers on their way, and the pool learns what they are like.
func RunShort(t testing.TB, p *hemlock.Pool, n int) {
	t.Helper()
	for range n / 64 {
		var batch sync.WaitGroup
		batch.Add(64)
		for range 64 {
			require.NoError(t, p.Submit(batch.Done))
		}
		WaitFor(t, p, &batch, "short tasks end")
	}
}

// RequireRest waits until all tasks have ended, and checks what holds then: the counts
// balance, no task waits, and the pool takes no worker to be on its way that is not.
// Otherwise it would leave the next short task to that worker.
func RequireRest(t testing.TB, p *hemlock.Pool) {
	t.Helper()
	balances := func() bool {
		s := p.Stats()
		return s.Completed == s.Submitted && s.Running == 0 && s.Waiting == 0 && s.Workers == s.Idle
	}
	// The counts may be read while a worker leaves, which is exact a moment later.
	Eventually(t, balances, "tasks end, and counts balance at rest")
	RunShort(t, p, 6400/min(race.Slowdown, 4)) // until the pool believes that tasks are short
	var probes sync.WaitGroup
	for range 100 {
		probes.Add(1)
		require.NoError(t, p.Submit(probes.Done))
		WaitFor(t, p, &probes, "a lone task ends")
	}
	Eventually(t, balances, "tasks end, and counts balance at rest")
}

// Outcome calls f on a goroutine of its own and says how that ended: "returned",
// "exited", or the value of the panic.
func Outcome(f func()) any {
	result := make(chan any)
	go func() {
		returned := false
		defer func() {
			v := recover()
			switch {
			case v != nil:
				result <- v
			case returned:
				result <- "returned"
			default:
				result <- "exited"
			}
		}()
		f()
		returned = true
	}()
	return <-result
}

// EndSomehow ends its task in one of the ways in which a task can end: the way is
// any number, and most of them return.
func EndSomehow(way int) {
	switch way % 8 {
	case 0:
		panic("ends somehow")
	case 1:
		runtime.Goexit()
	case 2:
		runtime.Gosched()
	}
}
