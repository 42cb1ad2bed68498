package conformance

import "math"

var recycling = []Clause{
	clause("recycles-workers", "A worker is replaced after about its maximum number of tasks.",
		needs{Recycles, Reuses}, func(x *trial) {
			const tasks, maximum = 400, 20
			p := x.pool(Settings{MaxTasksPerWorker: maximum})
			all := crew{}
			for range tasks {
				x.one(p, func() { all[self()] = true })
			}
			const fewest, most = tasks / maximum / 2, tasks / maximum * 2
			x.require(fewest <= len(all) && len(all) <= most,
				"%d tasks with a maximum of %d per worker ran on %d goroutines", tasks, maximum, len(all))
		}),

	clause("recycles-are-spread", "Workers under the same load are not all replaced at the same time.",
		needs{Recycles, Reuses}, func(x *trial) {
			const workers, maximum = 64, 100
			p := x.pool(Settings{MaxTasksPerWorker: maximum})
			known := x.burst(p, workers)
			most, total := 0, 0
			for range maximum * 3 / 2 {
				fresh := 0
				for id := range x.burst(p, workers) {
					if !known[id] {
						fresh++
					}
					known[id] = true
				}
				most, total = max(most, fresh), total+fresh
			}
			x.require(total >= workers/2, "of %d workers only %d were replaced", workers, total)
			x.require(most <= workers/3, "of %d workers %d were replaced in the same round", workers, most)
		}),

	clause("recycle-is-no-spawn", "Replacing a worker counts as recycled and as nothing else.",
		needs{Recycles, Reuses, FullCounts}, func(x *trial) {
			p := x.pool(Settings{MaxTasksPerWorker: 10, KillInterval: math.MaxInt64})
			for range 100 {
				x.one(p, func() {})
			}
			s := x.stats(p)
			x.require(s.Recycled >= 5, "100 tasks with a maximum of 10 per worker count %d recycles", s.Recycled)
			x.require(s.Spawned == 1 && s.Killed == 0 && s.Workers == 1 && s.PeakWorkers == 1,
				"%d recycles of the only worker count %d spawned, %d killed, %d workers, %d at peak",
				s.Recycled, s.Spawned, s.Killed, s.Workers, s.PeakWorkers)
		}),
}
