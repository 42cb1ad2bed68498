package pooltest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
)

// Patience is how long a test waits for what should happen at once.
const Patience = 30 * time.Second

// Within waits, with growing pauses, until ok holds, and reports whether it did before the
// time was over. It serves where there is no event to wait for.
func Within(patience time.Duration, ok func() bool) bool {
	deadline := time.Now().Add(patience)
	for pause := 10 * time.Microsecond; !ok(); pause = min(2*pause, 10*time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(pause)
	}
	return true
}

// Eventually requires that ok holds within [Patience].
func Eventually(t testing.TB, ok func() bool, what string, args ...any) {
	t.Helper()
	if !Within(Patience, ok) {
		require.FailNowf(t, "timed out waiting", what, args...)
	}
}

// WaitFor waits for the group, and fails with the pool's counts when that takes
// too long.
func WaitFor(t testing.TB, p *hemlock.Pool, group *sync.WaitGroup, what string) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(Patience):
		require.FailNow(t, "never: "+what, p.Stats())
	}
}

// Moment is the shortest time there is. What is due happens no moment earlier.
const Moment = time.Nanosecond

// SleepUntil returns at the given instant of the bubble, after everything that
// happens at that instant.
func SleepUntil(at time.Time) {
	time.Sleep(time.Until(at))
	synctest.Wait()
}

// RequireNoAllocation runs f that many times and checks that it allocates nothing.
// Allocations are counted for the whole process, so the test must not be parallel.
// Under the race detector, where a sync.Pool drops items on purpose, f is run and
// nothing is checked.
func RequireNoAllocation(t testing.TB, times int, f func()) {
	t.Helper()
	allocations := testing.AllocsPerRun(max(1, times/race.Slowdown), f)
	if race.Slowdown == 1 {
		require.Zero(t, allocations)
	}
}

// NeedsRaceDetector skips a test that the race detector decides.
func NeedsRaceDetector(t testing.TB) {
	t.Helper()
	if race.Slowdown == 1 {
		t.Skip("the race detector is what would see a fault")
	}
}

// NeedsSyncPool skips a test that needs a sync.Pool to keep its items: under the
// race detector it drops some on purpose.
func NeedsSyncPool(t testing.TB) {
	t.Helper()
	if race.Slowdown > 1 {
		t.Skip("the race detector makes a sync.Pool forget")
	}
}

// Ended returns a context that has ended.
func Ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// Scaled is [race.Scaled].
func Scaled(n int) int { return race.Scaled(n) }

// OnProcessors runs the test with one processor and with as many as there are; in a
// long run with 1, 2 and 4.
func OnProcessors(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	numbers := slices.Compact([]int{1, runtime.GOMAXPROCS(0)})
	if race.Long {
		numbers = []int{1, 2, 4}
	}
	OnEach(t, numbers, test)
}

// OnEach runs the test with each of the numbers of processors.
func OnEach(t *testing.T, numbers []int, test func(t *testing.T)) {
	t.Helper()
	for _, procs := range numbers {
		t.Run(fmt.Sprint(procs, " processors"), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			test(t)
		})
	}
}
