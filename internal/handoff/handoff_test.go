package handoff

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"example.com/hemlock/internal/race"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"
	"golang.org/x/sync/errgroup"
)

// These tests are inside the package, because it should export only what the pool uses.

// Pitfall 25: go.uber.org/atomic does not align its 64-bit types by itself.
func TestShardsDoNotShareCacheLines(t *testing.T) {
	require.Zero(t, unsafe.Sizeof(Shard{})%stride)
	require.Zero(t, stride%8, "64-bit atomics would not be aligned on 32-bit platforms")
	base := unsafe.Offsetof(Shard{}.shard)
	for name, offset := range map[string]uintptr{
		"gate":           unsafe.Offsetof(shard{}.gate),
		"completed":      unsafe.Offsetof(shard{}.completed),
		"yielded":        unsafe.Offsetof(shard{}.yielded),
		"backlog.pushed": unsafe.Offsetof(shard{}.backlog) + unsafe.Offsetof(backlog{}.pushed),
		"backlog.popped": unsafe.Offsetof(shard{}.backlog) + unsafe.Offsetof(backlog{}.popped),
		"idle.taken":     unsafe.Offsetof(shard{}.idle) + unsafe.Offsetof(idlers{}.taken),
		"idle.made":      unsafe.Offsetof(shard{}.idle) + unsafe.Offsetof(idlers{}.made),
	} {
		require.Zero(t, (base+offset)%8, name)
	}
	require.EqualValues(t, stride, unsafe.Offsetof(backlog{}.popped), "the two sides of a backlog")
}

// Whenever the gate is closed, its count is the number of tasks that it accepted, and
// does not change from then on.
func TestGateCountsWhatItAccepts(t *testing.T) {
	for range race.Scaled(20_000) {
		g := new(gate)
		var through atomic.Uint64
		var all sync.WaitGroup
		all.Go(func() {
			for range 10_000 {
				if g.accept() {
					through.Inc()
				}
			}
		})
		for through.Load() == 0 {
			runtime.Gosched()
		}
		g.close()
		closed := g.accepted()
		all.Wait()
		require.Equal(t, through.Load(), closed)
		require.False(t, g.accept())
		require.Equal(t, closed, g.accepted())
	}
}

// No reader that looks while the gate is closed sees the number fall.
func TestGateNeverCountsDown(t *testing.T) {
	for range race.Scaled(20_000) {
		g := new(gate)
		require.True(t, g.accept())
		var looked, over, fell atomic.Bool
		var all sync.WaitGroup
		all.Go(func() {
			for i := 0; i < 10_000 && !over.Load(); i++ {
				if g.accepted() == 0 {
					fell.Store(true)
				}
				looked.Store(true)
			}
		})
		for !looked.Load() {
			runtime.Gosched()
		}
		g.close()
		over.Store(true)
		all.Wait()
		require.False(t, fell.Load())
	}
}

// Pitfall 16: when a submitter is refused, all are. Here the shards refuse one after
// the other, as slowly as the test likes.
func TestRefusalAtOneShardWaitsForTheOthers(t *testing.T) {
	h, first, _ := onShards(t, 2)
	second := &h.shards[1]
	first.coroutines.mu.Lock() // between the two gates
	go h.Close()
	for first.gate.word.Load()&closed == 0 {
		runtime.Gosched()
	}
	var told atomic.Bool
	go func() {
		defer first.coroutines.mu.Unlock()
		for !told.Load() && blockedIn("(*Handoff).Close(") < 2 {
			runtime.Gosched()
		}
	}()
	require.Nil(t, h.Accept(), "the first token is of the first shard")
	refuses := second.gate.word.Load()&closed != 0
	told.Store(true)
	require.True(t, refuses, "told of a refusal while the second shard still accepts")
}

// blockedIn returns how many goroutines wait for a mutex in the function.
func blockedIn(function string) (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "[sync.Mutex.Lock") && strings.Contains(stack, function) {
			n++
		}
	}
	return n
}

// onShards returns a handoff with n shards, and the first of them. It starts no worker, but
// counts those that it would start.
func onShards(t *testing.T, n int) (h *Handoff, first *Shard, started *atomic.Int64) {
	t.Helper()
	started = new(atomic.Int64)
	h = New(func(*Shard, func()) { started.Inc() })
	h.shards = make([]Shard, n)
	h.number()
	return h, &h.shards[0], started
}

// Wherever a worker waits, a submitter on any processor finds it.
func TestOfferFindsAWorkerAtAnyShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, _ := onShards(t, 7)
		for from := range h.shards {
			for to := range h.shards {
				done := make(chan *Shard)
				go func() {
					task, at := h.shards[to].Take()
					task()
					done <- at
				}()
				synctest.Wait()
				ran := false
				require.True(t, h.offer(delivery{func() { ran = true }, &h.shards[from]}), "from %d to %d", from, to)
				require.Same(t, &h.shards[from], <-done, "the worker moves to its submitter's shard")
				require.True(t, ran)
			}
		}
	})
}

// waiters starts n goroutines that wait at the shard, in order, each of which
// reports its number when it is served.
func waiters(at *Shard, n int) <-chan int {
	served := make(chan int, n)
	for i := range n {
		go func() {
			at.Take()
			served <- i
		}()
		synctest.Wait()
	}
	return served
}

// Tasks go to the lowest place, pills to the shared channel and then to the highest
// place: the workers that are needed first are the last to be killed.
func TestTasksTakeTheLowestPlaceAndPillsTheHighest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(nil)
		at := h.Accept()
		served := waiters(at, places+2)
		require.Equal(t, ^uint64(0), at.idle.taken.Load())
		for _, want := range []int{0, 1, 2} {
			require.True(t, h.offer(delivery{func() {}, at}))
			require.Equal(t, want, <-served)
		}
		for _, want := range []int{places, places + 1, places - 1, places - 2} {
			require.True(t, h.Pill())
			require.Equal(t, want, <-served)
		}
		again := waiters(at, 1)
		require.True(t, h.offer(delivery{func() {}, at}))
		require.Equal(t, 0, <-again, "the lowest free place was the first")
		for range places - 5 {
			require.True(t, h.Pill())
			<-served
		}
		require.False(t, h.Pill())
		require.Zero(t, at.idle.taken.Load())
	})
}

// A worker that has claimed its place and does not wait yet is passed over, by
// tasks and by pills.
func TestWorkersThatDoNotWaitYetArePassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, at, _ := onShards(t, 1)
		task := delivery{func() {}, at}
		claim := func(n int) {
			for range n {
				at.idle.claim()
			}
		}
		claim(2)
		require.False(t, h.offer(task))
		require.False(t, h.Pill())
		served := waiters(at, 2)
		claim(2)
		require.True(t, h.offer(task))
		require.Equal(t, 0, <-served)
		require.True(t, h.Pill())
		require.Equal(t, 1, <-served)
		require.False(t, h.offer(task))
		require.False(t, h.Pill())
		require.EqualValues(t, 0b110011, at.idle.taken.Load())
	})
}

// A worker that finds another one making a place can still be found.
func TestNoWorkerWaitsForAPlaceToBeMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, at, _ := onShards(t, 1)
		at.idle.mu.Lock()
		served := waiters(at, 2)
		require.True(t, h.offer(delivery{func() {}, at}))
		at.idle.mu.Unlock()
		require.True(t, h.Pill())
		require.ElementsMatch(t, []int{0, 1}, []int{<-served, <-served})
		again := waiters(at, 1)
		require.EqualValues(t, 1, at.idle.taken.Load(), "later there is a place")
		require.True(t, h.Pill())
		<-again
	})
}

// A place is made once, and is there for the worker that comes second.
func TestPlaceIsMadeOnce(t *testing.T) {
	l := new(idlers)
	require.True(t, l.furnish(3))
	made := l.channels[3]
	require.True(t, l.furnish(3))
	require.Equal(t, made, l.channels[3])
	require.EqualValues(t, 1<<3, l.made.Load())
}

// A worker takes no lock to wait at a place where one has waited before.
func TestClaimTakesNoLock(t *testing.T) {
	l := new(idlers)
	claimed := []chan delivery{l.claim(), l.claim()}
	l.taken.Store(0)
	l.mu.Lock()
	require.Equal(t, claimed, []chan delivery{l.claim(), l.claim()})
	l.mu.Unlock()
}

// Submitters meet workers that are about to wait, and no place is lost. There are more
// threads than processors, so that a worker is stopped there now and then.
func TestEveryWorkerThatWaitsIsFound(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	h, at, _ := onShards(t, 1)
	const workers = 4
	var left atomic.Int64
	for range workers {
		left.Inc()
		go func() {
			for task, _ := at.Take(); task != nil; task, _ = at.Take() {
			}
			left.Dec()
		}()
	}
	var submitters sync.WaitGroup
	for range 2 {
		submitters.Go(func() {
			for range race.Scaled(20_000_000) {
				h.offer(delivery{func() {}, at})
			}
		})
	}
	submitters.Wait()
	for deadline := time.Now().Add(10 * time.Second); left.Load() > 0; runtime.Gosched() {
		require.True(t, time.Now().Before(deadline), "%d workers wait where no submitter finds them", left.Load())
		h.Pill()
	}
	require.Zero(t, at.idle.taken.Load())
}

func TestRetireSendsEveryWorkerAwayNowAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, at, _ := onShards(t, 2)
		served := waiters(at, 2*places)
		h.Close()
		require.Nil(t, h.Accept())
		h.Retire()
		h.Retire()
		for range 2 * places {
			<-served
		}
		for _, at := range []*Shard{at, &h.shards[1]} { // where no worker has waited
			task, _ := at.Take()
			require.Nil(t, task)
		}
		require.False(t, h.Pill())
	})
}

// A task is left to workers on their way: one if tasks are short, otherwise half as
// many as there are processors and one. It never waits for a task that runs.
func TestTasksWaitOnlyForWorkersOnTheirWay(t *testing.T) {
	race.NeedsThreads(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	for _, c := range []struct {
		name string
		mean time.Duration
		sent int
	}{{"short", 0, 1}, {"a step", step, 2}, {"long", long, 5}} {
		t.Run(c.name, func(t *testing.T) {
			sent := 0
			h := New(func(*Shard, func()) { sent++ })
			h.meter.mean.Store(int32(c.mean))
			at := h.Accept()
			for range 10 {
				at.assign(func() {})
			}
			require.Equal(t, c.sent, sent)
			require.EqualValues(t, 10-c.sent, h.Counts().Waiting)
			// Each worker that begins sends the next task. None has ended one.
			for begun := 0; begun < sent; begun++ {
				at.Begin()
			}
			require.Equal(t, 10, sent)
			require.Zero(t, h.Counts().Waiting)
			require.Zero(t, at.onTheirWay())
			at.assign(func() {})
			require.Equal(t, 11, sent, "no worker was on its way")
		})
	}
}

// The last worker on its way begins between a submitter's look and its push: the
// submitter looks again. Without the second look the task would wait for ever.
func TestPushThatMeetsTheLastBeginIsNotForgotten(t *testing.T) {
	for range race.Scaled(20_000) {
		_, at, started := onShards(t, 1)
		at.assign(func() {})
		var first sync.WaitGroup
		first.Go(at.Begin)
		at.assign(func() {})
		first.Wait()
		require.EqualValues(t, 2, started.Load(), "one of the two, and not both, must send the second task")
	}
}

// A worker is no longer on its way when it looks at the backlog. In the other
// order a task that is pushed between the look and the count would be left to a
// worker that has looked already.
func TestWorkerHasBegunBeforeItLooks(t *testing.T) {
	_, at, started := onShards(t, 1)
	at.assign(func() {})
	at.assign(func() {})
	require.EqualValues(t, 1, started.Load())
	at.backlog.outMu.Lock() // the look takes as long as the test likes
	var first sync.WaitGroup
	first.Go(at.Begin)
	for deadline := time.Now().Add(10 * time.Second); at.onTheirWay() > 0; runtime.Gosched() {
		require.True(t, time.Now().Before(deadline), "the worker looks before it has begun")
	}
	at.backlog.outMu.Unlock()
	first.Wait()
	require.EqualValues(t, 2, started.Load())
}

// A worker that yields has patience with the submitters of its shard, and one of them
// gives way to it when that is over. The worker learns of it, however many wait.
func TestOneSubmitterGivesWayToAWorkerThatHasWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, at, _ := onShards(t, 1)
		yield := func() (since time.Duration) {
			time.Sleep(time.Second)
			require.False(t, at.overdue(), "no worker waits for its turn")
			since = h.Clock()
			at.yielded.Store(since)
			time.Sleep(Patience)
			require.False(t, at.overdue(), "too early")
			return since
		}
		require.False(t, at.hadTurn(yield()), "nobody submits")

		since := yield()
		time.Sleep(time.Nanosecond)
		require.True(t, at.overdue())
		require.False(t, at.overdue(), "a second submitter")
		require.True(t, at.hadTurn(since))
		require.Zero(t, at.yielded.Load())

		first, second := yield(), h.Clock()
		at.yielded.Store(second)
		require.False(t, at.hadTurn(first), "another worker waits")
		time.Sleep(2 * Patience)
		require.True(t, at.overdue())
		require.False(t, at.hadTurn(first))
		require.True(t, at.hadTurn(second))
	})
}

// Pitfall 81: a submitter that makes one system call after another, or never waits, does
// not keep the processor from the tasks that it submits.
func TestSubmitterGivesWay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	h, at, _ := onShards(t, 1)
	at.assign(func() {}) // a worker is on its way
	const n = 100
	gaveWay := func(since time.Duration) (turns int) {
		for range n {
			other := make(chan struct{})
			go close(other)
			at.yielded.Store(since)
			at.assign(func() {})
			select {
			case <-other:
				turns++
			default:
				<-other
			}
		}
		return turns
	}
	h.epoch = h.epoch.Add(-time.Hour)
	require.Greater(t, gaveWay(1), n/2, "a worker has waited for an hour")
	require.Less(t, gaveWay(0), n/2, "no worker waits")
}

// While a worker waits for its turn, a submitter can see since when, and the worker learns
// whether one gave way.
func TestWorkerThatYieldsIsSeen(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	_, at, _ := onShards(t, 1)
	for _, gives := range []bool{false, true} {
		var since time.Duration
		for range 100 { // until the other goroutine has its turn within that of the worker
			seen := make(chan time.Duration, 1)
			go func() {
				waits := at.yielded.Load()
				if gives {
					at.yielded.CompareAndSwap(waits, -waits)
				}
				seen <- waits
			}()
			_, gaveWay, _ := at.Yield()
			require.Zero(t, at.yielded.Load(), "it waits no more")
			if since = <-seen; since > 0 {
				require.Equal(t, gives, gaveWay)
				break
			}
		}
		require.Positive(t, since)
	}
}

// Where tasks block before they end, no time slice is found to be over.
func TestEvery64thWorkerOwesATurnWhileTasksWait(t *testing.T) {
	_, at, _ := onShards(t, 1)
	turns := func() (n int) {
		for range 2 * often {
			if at.Settle() {
				n++
			}
			at.begun.Inc()
		}
		return n
	}
	require.Zero(t, turns(), "no task waits")
	at.backlog.push(func() {})
	require.Equal(t, 2, turns())
}

func TestAbandonedTaskHasNoWorkerOnItsWay(t *testing.T) {
	h := New(func(at *Shard, _ func()) {
		at.Abandon()
		require.Zero(t, at.onTheirWay())
	})
	require.True(t, h.Submit(func() {}))
	require.EqualValues(t, 1, h.Completed())
}

// The counts are read one after the other, while tasks come, wait and end. With many
// shards that takes long. No task is counted twice.
func TestCountsCountNoTaskTwice(t *testing.T) {
	race.NeedsThreads(t)
	h, at, _ := onShards(t, 1000)
	var over atomic.Bool
	var group errgroup.Group
	group.Go(func() error {
		for !over.Load() {
			at.gate.accept()
			at.backlog.push(func() {})
			at.backlog.pop()
			at.Complete()
		}
		return nil
	})
	defer func() {
		over.Store(true)
		require.NoError(t, group.Wait())
	}()
	for h.Counts().Completed == 0 { // nothing has happened
		runtime.Gosched()
	}
	for range race.Scaled(20_000) {
		c := h.Counts()
		require.LessOrEqual(t, c.Completed+c.Waiting, c.Accepted)
		require.LessOrEqual(t, c.Open, uint64(1), "a task is open that ended meanwhile")
	}
}

// First in, first out: of the tasks of one pusher none is taken before an
// earlier one, and none is lost or taken twice.
func TestBacklogLosesNothingAndKeepsTheOrder(t *testing.T) {
	const pushers, each = 4, 20_000
	b := new(backlog)
	var group errgroup.Group
	var last [pushers]int // of each pusher, written under outMu
	for pusher := range pushers {
		group.Go(func() error {
			for i := range each {
				b.push(func() {
					if last[pusher] != i {
						panic(fmt.Sprintf("pusher %d: %d after %d", pusher, i, last[pusher]))
					}
					last[pusher]++
				})
			}
			return nil
		})
	}
	var taken atomic.Int64
	for range 3 {
		group.Go(func() error {
			for taken.Load() < pushers*each {
				b.outMu.Lock()
				task := b.take()
				if task != nil {
					task()
					taken.Inc()
				}
				b.outMu.Unlock()
				if task == nil {
					runtime.Gosched() // a pusher must run, and on js/wasm nothing is preempted
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.EqualValues(t, pushers*each, taken.Load())
	require.Zero(t, b.len())
}

// No reader ever sees a backlog that is shorter than an empty one. There are more
// threads than processors, so that the system stops them between any two instructions.
func TestBacklogIsNeverShorterThanEmpty(t *testing.T) {
	race.NeedsThreads(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	b := new(backlog)
	var over atomic.Bool
	var readers, others errgroup.Group
	for range 2 {
		others.Go(func() error {
			for !over.Load() {
				b.push(func() {})
				b.pop()
				b.outMu.Lock()
				b.take() // as a worker that saw a task that is gone
				b.outMu.Unlock()
			}
			return nil
		})
	}
	for range 4 {
		readers.Go(func() error {
			for range race.Scaled(20_000_000) {
				if n := b.len(); n > 1<<32 {
					return fmt.Errorf("%d tasks wait", int64(n))
				}
			}
			return nil
		})
	}
	err := readers.Wait()
	over.Store(true)
	require.NoError(t, others.Wait())
	require.NoError(t, err)
}

// A worker that sees a task counted finds it, however long the push takes.
func TestTaskIsCountedWhenItIsOnTheBacklog(t *testing.T) {
	b := new(backlog)
	b.inMu.Lock()
	pushed := make(chan struct{})
	go func() {
		b.push(func() {})
		close(pushed)
	}()
	for blockedIn("(*backlog).push(") == 0 {
		runtime.Gosched()
	}
	require.Zero(t, b.len())
	b.inMu.Unlock()
	<-pushed
	require.EqualValues(t, 1, b.len())
}

// A worker that finds another at the backlog goes away.
func TestNextDoesNotWait(t *testing.T) {
	s := new(Shard)
	s.backlog.push(func() {})
	s.backlog.outMu.Lock()
	require.Nil(t, s.Next())
	s.backlog.outMu.Unlock()
	require.NotNil(t, s.Next())
}

// The memory that a spike took is given back: when the spike is over, each list of the
// backlog has a block, and the others are free. None of them holds anything.
func TestBacklogGivesBackASpike(t *testing.T) {
	const spike = 100
	b := new(backlog)
	for range 2 { // the second spike takes blocks that were used
		var waiting int
		for range spike * size {
			b.push(func() { waiting-- })
			waiting++
		}
		for task := b.pop(); task != nil; task = b.pop() {
			task()
		}
		require.Zero(t, waiting)
		empty := []*block{b.out}
		for range spike {
			empty = append(empty, blocks.Get().(*block))
		}
		for _, one := range empty {
			require.True(t, one.next == nil, "an empty block leads on")
			for _, task := range one.tasks {
				require.True(t, task == nil, "an empty block holds a task")
			}
		}
		for _, free := range empty[1:] {
			blocks.Put(free)
		}
	}
}

func TestBacklogAllocatesNothingInTheSteadyState(t *testing.T) {
	b := new(backlog)
	task := func() {}
	turn := func(tasks int) {
		for range tasks {
			b.push(task)
		}
		for b.tryPop() != nil {
		}
	}
	turn(3 * size)
	turn(3 * size)
	require.Zero(t, testing.AllocsPerRun(100, func() { // less than one: the race detector drops free blocks
		for _, tasks := range []int{size, 1, 3 * size, 100, 1, 1} {
			turn(tasks)
		}
	}))
}

// Pitfall 84: a spike allocates blocks, and moves no task: a backlog that grew by copies would
// allocate five times what it holds, and the collector would run again and again.
func TestBacklogGrowsByBlocks(t *testing.T) {
	const tasks = 1000 * size
	b := new(backlog)
	task := func() {}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range tasks {
		b.push(task)
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2*tasks*unsafe.Sizeof(task)))
	require.EqualValues(t, tasks, b.len())
}

// One long task among many does not make a pool slow for long, and long tasks are
// noticed after few samples.
func TestMeterFollowsTheLoad(t *testing.T) {
	m := new(meter)
	require.Zero(t, m.steps(), "nothing is known")
	// samples counts how many of them it takes until the tasks seem so long.
	samples := func(d time.Duration, until func(steps int32) bool) (n int) {
		for ; !until(m.steps()); n++ {
			m.note(d)
		}
		return n
	}
	many := func(steps int32) bool { return steps > 16 }
	none := func(steps int32) bool { return steps == 0 }
	require.Equal(t, 2, samples(time.Hour, many))
	require.Less(t, samples(100, none), 6*weight, "an hour counts as %v", long)
	require.Less(t, samples(10*time.Microsecond, many), 2*weight)
	for range 1000 {
		m.note(step - weight) // the mean comes no nearer than that
	}
	require.Zero(t, m.steps())
}

// Pitfall 40: after any number of collections each processor has a shard of its
// own again.
func TestEachProcessorHasAShardOfItsOwnAfterCollections(t *testing.T) {
	const procs = 4
	for _, lost := range []int{0, 1, 2, 3} {
		t.Run(fmt.Sprint(lost, " tokens lost"), func(t *testing.T) {
			// The processors are simulated: a test cannot steer those of a sync.Pool.
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			shards := make([]Shard, procs)
			common := new(tokens)
			own := make([]*token, procs)
			for round := range 10 {
				for proc := range lost {
					own[(proc+round)%procs] = nil
				}
				var seen map[*Shard]bool
				for range 2 { // in the first some look before the round has changed
					seen = map[*Shard]bool{}
					for proc := range procs {
						own[proc] = common.current(own[proc], shards)
						seen[own[proc].shard] = true
					}
				}
				require.Len(t, seen, procs)
			}
		})
	}
}

// Pitfall 44: a pool has shards for processors that it may get later.
func TestShardsSufficeForMoreProcessorsLater(t *testing.T) {
	race.NeedsThreads(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	require.GreaterOrEqual(t, len(New(nil).shards), runtime.NumCPU())
	runtime.GOMAXPROCS(runtime.NumCPU() + 3)
	require.Len(t, New(nil).shards, runtime.NumCPU()+3)
}

// Pitfall 85: with more processors than shards each draws a token once, and not for each
// task. The processors are simulated.
func TestMoreProcessorsThanShardsDrawOnce(t *testing.T) {
	race.NeedsThreads(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for procs := 1; procs <= 9; procs++ {
		runtime.GOMAXPROCS(procs)
		shards := make([]Shard, 3)
		common := new(tokens)
		own := make([]*token, procs)
		for range 10 {
			for proc := range procs {
				own[proc] = common.current(own[proc], shards)
			}
		}
		require.LessOrEqual(t, int(common.drawn.Load()), procs, "%d processors", procs)
	}
}

// How many workers on their way are enough follows GOMAXPROCS, too, as soon as
// one of the new processors submits.
func TestEnoughWorkersFollowsTheProcessors(t *testing.T) {
	race.NeedsThreads(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	sent := 0
	h := New(func(*Shard, func()) { sent++ })
	h.Accept()
	for range 100 {
		h.Note(long)
	}
	assigned := func() int {
		at := &h.shards[0]
		for sent = 0; h.Counts().Waiting == 0; {
			at.assign(func() {})
		}
		at.backlog.pop()
		at.begun.Store(at.sent.Load())
		return sent
	}
	require.Equal(t, 1, assigned())
	runtime.GOMAXPROCS(8)
	for h.tokens.procs.Load() != 8 {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { h.Accept() })
		}
		all.Wait()
	}
	require.Equal(t, 5, assigned())
}

// Each shard is dealt once in a round.
func TestTokensAreDealtInTurn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	shards := make([]Shard, 3)
	all := new(tokens)
	for n := range uint32(9) {
		require.Equal(t, &token{shard: &shards[n%3], round: n / 3}, all.draw(shards))
		require.Equal(t, n/3, all.round.Load())
	}
}

// A token of an earlier round is replaced. One of the same or a later round is not,
// even where the rounds overflow.
func TestTokensOfEarlierRoundsAreReplaced(t *testing.T) {
	shards := make([]Shard, 2)
	for _, c := range []struct {
		own, current uint32
		kept         bool
	}{{5, 5, true}, {4, 5, false}, {6, 5, true}, {0, math.MaxUint32, true}, {math.MaxUint32, 0, false}} {
		var all tokens
		all.drawn.Store(1) // the next one drawn begins no round
		all.round.Store(c.current)
		own := &token{shard: &shards[0], round: c.own}
		require.Equal(t, c.kept, all.current(own, shards) == own, "%+v", c)
	}
}
