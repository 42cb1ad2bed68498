package hemlock_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.com/hemlock"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

// books is what a stress test itself knows about a pool.
type books struct {
	accepted, run, panicked, loose atomic.Int64 // first: see killer
	pool                           *hemlock.Pool
}

// act does one random thing to the pool. Tasks act too, to the given depth.
func (b *books) act(t testing.TB, random *rand.Rand, depth int) {
	seed := random.Uint64()
	task := func() {
		b.run.Inc()
		random := rand.New(rand.NewPCG(seed, 0))
		if depth > 0 && random.IntN(2) == 0 {
			b.act(t, random, depth-1)
		}
		b.endSomehow(random)
	}
	switch random.IntN(8) {
	case 0, 1, 2:
		if b.pool.Submit(task) == nil {
			b.accepted.Inc()
		}
	case 3, 4, 5:
		b.loose.Inc() // accepted or an ordinary goroutine: Run does not say
		b.pool.Run(task)
	case 6:
		requireBounds(t, b.pool.Stats())
	case 7:
		require.ErrorIs(t, b.pool.Submit(nil), hemlock.ErrNilTask)
	}
}

func (b *books) endSomehow(random *rand.Rand) {
	switch random.IntN(6) {
	case 0:
		runtime.Gosched()
	case 1:
		useStack(1 + random.IntN(32))
	case 2:
		runtime.Goexit()
	case 3:
		b.panicked.Inc()
		panic("stress")
	}
}

// Everything at once, at random: the books of the test and of the pool agree.
func TestStress(t *testing.T) {
	for range scaled(100) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 1))
		var handled atomic.Int64
		b := &books{pool: hemlock.New(
			hemlock.WithKillInterval(time.Duration(random.IntN(3))),
			hemlock.WithKillDelay(time.Duration(random.IntN(2000))),
			hemlock.WithMinWorkers(random.IntN(3)),
			hemlock.WithMaxTasksPerWorker(random.IntN(20)),
			hemlock.WithPanicHandler(func(any, []byte) { handled.Inc() }),
		)}
		var group errgroup.Group
		for i := range 8 {
			random := rand.New(rand.NewPCG(seed, uint64(i+2)))
			group.Go(func() error {
				for range 500 {
					b.act(t, random, 3)
				}
				return nil
			})
		}
		if random.IntN(2) == 0 { // else after the actors, which then lose nothing
			_ = b.pool.Shutdown(ended())
		}
		require.NoError(t, group.Wait())
		shutdown(t, b.pool)
		b.audit(t, handled.Load())
	}
}

// audit compares the books with the pool's counts after Shutdown.
func (b *books) audit(t testing.TB, handled int64) {
	t.Helper()
	s := b.pool.Stats()
	// Tasks that Run started after Shutdown are nobody's to wait for.
	eventually(t, func() bool { return b.run.Load() == b.accepted.Load()+b.loose.Load() },
		"%d tasks submitted and %d run", b.accepted.Load()+b.loose.Load(), b.run.Load())
	require.GreaterOrEqual(t, s.Submitted, b.accepted.Load())
	require.LessOrEqual(t, s.Submitted, b.accepted.Load()+b.loose.Load())
	require.LessOrEqual(t, s.Panicked, b.panicked.Load())
	require.LessOrEqual(t, handled, b.panicked.Load())
}

// A worker between its task and its place cannot be found, so a steady load
// spawns now and then, but hardly ever.
func TestSteadyLoadHardlySpawns(t *testing.T) {
	const callers = 64
	p := newPool(t)
	load := func(tasks int) {
		var all sync.WaitGroup
		for range callers {
			all.Go(func() { call(p.Run, 0, tasks/callers) })
		}
		all.Wait()
	}
	load(scaled(200_000))
	before := p.Stats()
	load(scaled(1_000_000))
	now := p.Stats()
	require.Less(t, now.Spawned-before.Spawned, (now.Submitted-before.Submitted)/1000)
}

// Pitfall 21: a pool that is dropped without Shutdown drains itself and is
// collected.
func TestDroppedPoolsAreCollected(t *testing.T) {
	n := scaled(10_000)
	var collected atomic.Int64
	func() {
		var ended sync.WaitGroup
		for range n {
			p := hemlock.New(hemlock.WithKillInterval(time.Millisecond), hemlock.WithKillDelay(0))
			runtime.AddCleanup(p, func(int) { collected.Inc() }, 0)
			ended.Add(3)
			for range 3 {
				p.Run(ended.Done)
			}
		}
		ended.Wait()
	}()
	requireCollected(t, &collected, n, "dropped pools are still reachable")
	eventually(t, func() bool { return len(stacksOf("hemlock.(*")) == 0 }, "the goroutines of drained pools return")
}

// What tasks did is visible after Shutdown, and what a submitter did is visible
// to its task: the race detector knows if not.
func TestMemoryModel(t *testing.T) {
	for range scaled(500) {
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
