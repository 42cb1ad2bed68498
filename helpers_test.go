package hemlock_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
)

// newPool returns a pool that is shut down at the end of the test, which fails
// if the pool then has a worker left or its counts do not balance.
func newPool(t testing.TB, opts ...hemlock.Option) *hemlock.Pool {
	t.Helper()
	p := hemlock.New(opts...)
	t.Cleanup(func() { shutdown(t, p) })
	return p
}

// shutdown ends the pool and checks what must hold of every ended pool.
func shutdown(t testing.TB, p *hemlock.Pool) {
	t.Helper()
	require.NoError(t, p.Shutdown(context.Background()))
	s := p.Stats()
	require.Zero(t, s.Workers, "workers after Shutdown: %v", s)
	require.Equal(t, s.Submitted, s.Completed, "tasks lost or counted twice: %v", s)
	requireBalance(t, s)
}

// requireBalance checks the equations that hold in a pool where nothing
// happens at the moment.
func requireBalance(t testing.TB, s hemlock.Stats) {
	t.Helper()
	require.Equal(t, s.Submitted, s.Completed+s.Running+s.Waiting, "submitted: %v", s)
	require.Equal(t, s.Workers, s.Idle+s.Running, "workers: %v", s)
	requireBounds(t, s)
}

// requireBounds checks what holds of every snapshot, also under load.
func requireBounds(t testing.TB, s hemlock.Stats) {
	t.Helper()
	ok := 0 <= s.Idle && s.Idle <= s.Workers &&
		0 <= s.Running && s.Running <= s.Workers && 0 <= s.Waiting &&
		s.Workers <= s.PeakWorkers &&
		0 <= s.Completed && s.Completed <= s.Submitted &&
		0 <= s.Spawned && 0 <= s.Killed && 0 <= s.Recycled && 0 <= s.Panicked
	require.True(t, ok, "out of bounds: %v", s)
}

// occupy starts n tasks that run until release is called, and returns when all
// of them run. Release returns when all of them have ended; it may be called
// again.
func occupy(t testing.TB, p *hemlock.Pool, n int) (release func()) {
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

// grow makes the pool have n idle workers at least, unless the killer comes in
// between. They are idle by the counts: a worker is counted so when its task has
// ended, some instructions before it can be found. Who needs them found waits in
// a bubble until all are blocked.
func grow(t testing.TB, p *hemlock.Pool, n int) {
	t.Helper()
	before := p.Stats()
	occupy(t, p, n)()
	eventually(t, func() bool {
		s := p.Stats()
		return s.Running+s.Waiting == before.Running+before.Waiting
	}, "workers come to rest")
}

// do runs one task on the pool and waits for it.
func do(t testing.TB, p *hemlock.Pool, task func()) {
	t.Helper()
	done := make(chan struct{})
	require.NoError(t, p.Submit(func() {
		defer close(done)
		task()
	}))
	<-done
}

// eventually waits, with growing pauses, until ok holds. It serves where there
// is no event to wait for.
func eventually(t testing.TB, ok func() bool, what string, args ...any) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for pause := 10 * time.Microsecond; !ok(); pause = min(2*pause, 10*time.Millisecond) {
		if time.Now().After(deadline) {
			require.FailNowf(t, "timed out waiting", what, args...)
		}
		time.Sleep(pause)
	}
}

// requireCollected collects garbage until all n things that count themselves,
// when they are collected, have been.
func requireCollected(t testing.TB, collected *atomic.Int64, n int, what string) {
	t.Helper()
	eventually(t, func() bool {
		runtime.GC()
		return collected.Load() == int64(n)
	}, what)
}

// endingIn returns a context that ends after d.
func endingIn(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// scaled returns how often a loop that looks for a rare interleaving should run
// where n times is right: less under the race detector, and with -short, which is
// for emulators.
func scaled(n int) int {
	if testing.Short() {
		n /= 20
	}
	return max(1, n/race.Slowdown)
}
