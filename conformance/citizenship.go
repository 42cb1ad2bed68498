package conformance

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var citizenship = []Clause{
	// The process has made no pool yet.
	inRealTime(clause("import-starts-nothing", "Importing the package starts no goroutine.", nil, func(x *trial) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			if _, created, _ := strings.Cut(stack, "created by "); strings.HasPrefix(created, x.subject.Package+".") {
				by, _, _ := strings.Cut(created, " ")
				x.fail("before a pool was made there was a goroutine created by %s", by)
			}
		}
	})),

	inRealTime(clause("bubble-ends-after-shutdown",
		"A pool made in a synctest bubble works there, and the bubble ends after Shutdown.",
		needs{Shutdown}, bubbleEndsAfterShutdown)),

	inRealTime(clause("bubble-ends-when-drained",
		"A synctest bubble ends without Shutdown once the pool's workers have gone.",
		needs{Shrinks}, func(x *trial) {
			x.bubble(func() {
				x.burst(x.pool(brisk(0)), 10)
				time.Sleep(time.Hour)
			})
		})),

	inRealTime(clause("bubbles-share-nothing", "Pools inside and outside of synctest bubbles do not disturb each other.",
		needs{Shutdown}, func(x *trial) {
			p := x.pool(Settings{})
			outside := func() {
				done := make(chan struct{})
				x.submit(p, func() { close(done) })
				x.await(done, "a task runs outside of the bubbles")
			}
			outside()
			for range 20 {
				bubbleEndsAfterShutdown(x)
				outside()
			}
			x.shutdown(p)
		})),

	inRealTime(clause("bursts-leave-turns",
		"While 1,000 busy tasks run on one processor, a goroutine that yields has more than 25 turns.",
		nil, func(x *trial) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			const tasks, enough = 1000, 25
			p := x.pool(Settings{})
			var turns, first, last atomic.Int64
			var over atomic.Bool
			go func() {
				for !over.Load() {
					turns.Add(1)
					runtime.Gosched()
				}
			}()
			x.eventually("a goroutine has turns", func() bool { return turns.Load() > 0 })
			had := int64(0)
			for tries := 0; tries < 5 && had <= enough; tries++ { // a busy machine leaves few turns now and then
				x.busy(p, tasks, func(number int64) {
					if number == 1 {
						first.Store(turns.Load())
					}
				}, func(int64, int64) { last.Store(turns.Load()) })
				had = last.Load() - first.Load()
			}
			over.Store(true)
			fmt.Printf("%d turns while %d tasks ran\n", had, tasks)
			x.require(had > enough, "a goroutine that yields had %d turns while %d tasks ran", had, tasks)
		})),

	inRealTime(clause("started-tasks-go-on",
		"Of 4,000 busy tasks on one processor, fewer than 500 begin while another one runs.",
		nil, func(x *trial) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			const tasks, few = 4000, 500
			p := x.pool(Settings{})
			var all [tasks]int64
			x.busy(p, tasks, func(int64) {}, func(number, met int64) { all[number-1] = met })
			most := slices.Max(all[:])
			fmt.Printf("%d of %d tasks began while another one ran\n", most, tasks)
			x.require(most < few, "%d of %d tasks began while another one ran", most, tasks)
		})),
}

// bubble runs the function in a bubble, and returns when that has ended.
func (x *trial) bubble(f func()) {
	synctest.Test(x.t, func(*testing.T) {
		x.base = x.goroutines()
		f()
		x.step("waiting until the bubble ends")
	})
}

func bubbleEndsAfterShutdown(x *trial) {
	x.bubble(func() {
		p := x.pool(Settings{})
		h := x.keep(p, 10)
		x.submits(p, 1000, func() {}) // more than fit into a block of a queue
		time.AfterFunc(time.Second, func() { close(h.gate) })
		x.shutdown(p)
	})
}

// busy submits tasks, all at once, that compute for 50 us each on one processor, and
// waits until they have ended. Each calls begins with its number in the order in which
// they begin. When it ends it calls ends, with its number and how many began meanwhile.
//
// The trials count, and measure no time, because other work on the machine makes every
// time longer. The runtime preempts a goroutine after 10 ms, so a pool that relies on
// that alone gives other goroutines a turn every 200 tasks.
func (x *trial) busy(p Pool, tasks int, begins func(number int64), ends func(number, met int64)) {
	x.step("running %d busy tasks", tasks)
	var all sync.WaitGroup
	var begun atomic.Int64
	all.Add(tasks)
	for range tasks {
		x.submit(p, func() {
			defer all.Done()
			number := begun.Add(1)
			begins(number)
			for begin := time.Now(); time.Since(begin) < 50*time.Microsecond; {
			}
			ends(number, begun.Load()-number)
		})
	}
	all.Wait()
}
