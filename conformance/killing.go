package conformance

import (
	"math"
	"runtime"
	"time"
)

var killing = []Clause{
	clause("shrinks-when-idle", "The workers of a burst are gone after an idle hour.", needs{Shrinks}, func(x *trial) {
		p := x.pool(brisk(0))
		cost := x.cost()
		x.grow(p, 100)
		x.pass(time.Hour)
		x.require(x.extra() <= cost, "of 100 workers %d goroutines are left after an idle hour", x.extra()-cost)
		runtime.KeepAlive(p)
	}),

	clause("shrinks-under-trickle",
		"One task a second does not keep the 1,000 workers of a burst alive, on 2, 16 or 64 processors.",
		needs{Shrinks}, func(x *trial) {
			const peak, left = 1000, 100
			for _, processors := range []int{2, 16, 64} {
				before := runtime.GOMAXPROCS(processors)
				start := x.cost()
				p := x.pool(brisk(0))
				x.burst(p, peak)
				for range 20 * 60 {
					time.Sleep(time.Second)
					x.submit(p, func() {})
				}
				x.settle()
				x.require(x.extra()-start <= left,
					"of %d workers %d goroutines are left after 20 minutes with one task a second, on %d processors",
					peak, x.extra()-start, processors)
				runtime.GOMAXPROCS(before)
			}
		}),

	clause("keeps-minimum", "Killing goes down to the minimum and never below.",
		needs{Shrinks, Minimum}, func(x *trial) {
			const minimum = 8
			p := x.pool(brisk(minimum))
			cost := x.cost()
			x.grow(p, 100)
			for range 20 * 60 {
				x.pass(time.Second)
				x.require(x.extra() >= minimum, "with a minimum of %d there are %d workers", minimum, x.extra())
			}
			x.require(x.extra() <= cost+minimum, "with a minimum of %d there are %d workers after 20 idle minutes",
				minimum, x.extra()-cost)
			runtime.KeepAlive(p)
		}),

	clause("minimum-is-per-pool", "The workers of one pool do not count for the minimum of another.",
		needs{Shrinks, Minimum, Reuses}, func(x *trial) {
			const minimum = 8
			p, other := x.pool(brisk(minimum)), x.pool(brisk(minimum))
			before := x.burst(p, minimum+3) // which brings a killer
			busy := x.keep(other, 50)
			time.Sleep(time.Hour)
			for id := range x.burst(p, minimum) {
				x.require(before[id], "another pool with 50 busy workers made this one go below its minimum")
			}
			close(busy.gate)
		}),

	clause("pill-spares-busy", "A killer that fires while all workers are busy takes none of them, and is not stuck.",
		needs{Shrinks, Reuses}, func(x *trial) {
			p := x.pool(Settings{KillInterval: time.Second, KillDelay: time.Second})
			cost := x.cost()
			h := x.keep(p, 10)
			// Between two rounds of the killer, so that none is due.
			time.Sleep(time.Hour + 333*time.Millisecond)
			close(h.gate)
			x.settle()
			x.reuses(p, h.ids, "a killer that had fired while all workers were busy took one that had just finished")
			x.pass(time.Hour)
			x.require(x.extra() <= cost, "after an hour in which it found no idle worker the killer kills no more")
			runtime.KeepAlive(p)
		}),

	clause("bursts-do-not-thrash",
		"A burst of 50 every five seconds for an hour spawns a worker for fewer than one task in ten.",
		needs{Shrinks, Reuses}, func(x *trial) {
			const size, bursts = 50, 720
			p := x.pool(brisk(0))
			all := crew{}
			for range bursts {
				for id := range x.burst(p, size) {
					all[id] = true
				}
				time.Sleep(5 * time.Second)
			}
			x.require(len(all) < size*bursts/10, "%d tasks in bursts of %d needed %d goroutines", size*bursts, size, len(all))
		}),

	judged(byDeadlock, clause("idle-pool-sleeps", "A pool with nothing to kill has no goroutine and no timer.",
		needs{Shrinks}, func(x *trial) {
			p := x.pool(brisk(0))
			x.burst(p, 4)
			x.pass(time.Hour)
			x.require(x.extra() == 0, "an idle pool without workers keeps %d goroutines", x.extra())
			x.step("nothing is left to do")
			// With a timer anywhere, time would go on and the bubble would never end.
			<-make(chan struct{})
			runtime.KeepAlive(p)
		})),

	clause("killer-ends-at-once", "The killer is gone with the last worker, not an interval later.",
		needs{Shrinks}, func(x *trial) {
			p := x.pool(Settings{KillInterval: time.Hour, KillDelay: 1})
			requireNone := func() {
				x.require(x.extra() == 0, "when the last worker has gone there are %d goroutines", x.extra())
			}
			for range 3 {
				x.submits(p, 1, runtime.Goexit)
				requireNone()
			}
			x.burst(p, 1)
			x.pass(time.Hour) // which kills it
			requireNone()
			runtime.KeepAlive(p)
		}),

	clause("killer-always-armed", "Whenever there are more workers than the minimum, a killer will come.",
		needs{Shrinks, Minimum}, func(x *trial) {
			const rounds = 500
			p := x.pool(Settings{KillInterval: time.Millisecond, KillDelay: 1, MinWorkers: 1})
			cost := x.cost()
			for round := range rounds {
				for range 2 {
					go x.submit(p, func() { time.Sleep(time.Duration(round%7) * 300 * time.Microsecond) })
				}
				time.Sleep(time.Duration(round%5) * 500 * time.Microsecond)
				if round%10 != 0 {
					continue
				}
				x.pass(time.Minute)
				x.require(x.extra() <= cost+1, "round %d: with a minimum of 1 there are %d workers and no killer comes",
					round, x.extra()-cost)
			}
		}),

	clause("dropped-pools-collected",
		"Pools that are dropped without Shutdown leave no goroutine and no memory once drained.",
		needs{Shrinks}, func(x *trial) {
			const pools = 500
			useAndDrop := func() {
				for range pools {
					x.grow(x.pool(brisk(0)), 4)
					time.Sleep(time.Hour)
				}
				x.settle()
			}
			useAndDrop() // what the first ones allocate once and for all does not count
			before := heapObjects()
			useAndDrop()
			x.require(x.extra() == 0, "%d dropped pools left %d goroutines", 2*pools, x.extra())
			grown := heapObjects() - before
			x.require(grown < pools/2, "%d dropped pools left %d objects on the heap", pools, grown)
		}),

	clause("largest-settings-work", "The largest values of the settings mean almost never: nothing overflows.",
		needs{Shrinks, Recycles, Reuses, Minimum}, func(x *trial) {
			for _, s := range []Settings{
				{KillInterval: math.MaxInt64, KillDelay: 1},
				{KillInterval: 1, KillDelay: math.MaxInt64},
				{KillInterval: math.MaxInt64, KillDelay: math.MaxInt64},
				{KillInterval: 1, KillDelay: 1, MinWorkers: math.MaxInt},
			} {
				s.MaxTasksPerWorker = math.MaxInt
				p := x.pool(s)
				time.Sleep(time.Hour) // so that the largest time from now on overflows
				before := x.burst(p, 10)
				for range 100 {
					time.Sleep(time.Hour)
					x.reuses(p, before, "with the largest settings a worker was replaced within hours")
				}
				x.end(p)
			}
		}),
}

// brisk are the settings of most clauses about killing.
func brisk(minimum int) Settings {
	return Settings{KillInterval: time.Second, KillDelay: 10 * time.Second, MinWorkers: minimum}
}

// heapObjects returns the number of live objects. The second collection empties
// what a sync.Pool still holds, and the third what that kept alive.
func heapObjects() int64 {
	for range 3 {
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapObjects)
}
