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
			const workers, maximum = 200, 64
			p := x.pool(Settings{MaxTasksPerWorker: maximum})
			known := x.burst(p, workers)
			most, total, rounds := 0, 0, 0
			for range maximum * 2 {
				fresh := 0
				for id := range x.burst(p, workers) {
					if !known[id] {
						fresh++
					}
					known[id] = true
				}
				most, total = max(most, fresh), total+fresh
				if fresh > 0 {
					rounds++
				}
			}
			x.require(total >= workers, "of %d workers only %d were replaced", workers, total)
			x.require(most < workers/8, "of %d workers %d were replaced in the same round", workers, most)
			x.require(rounds > maximum/4, "%d workers were replaced in %d rounds only", total, rounds)
		}),

	clause("recycle-is-no-spawn", "Replacing a worker counts as recycled and as nothing else.",
		needs{Recycles, Reuses, FullCounts}, func(x *trial) {
			const tasks = 100
			p := x.pool(Settings{MaxTasksPerWorker: 1, KillInterval: math.MaxInt64})
			all := crew{}
			for range tasks {
				x.one(p, func() { all[self()] = true })
			}
			x.require(len(all) == tasks, "%d tasks with a maximum of 1 per worker ran on %d goroutines", tasks, len(all))
			s := x.stats(p)
			recycled := s.Recycled // the last worker may be replaced when its task has ended, or before the next
			x.require(recycled == tasks-1 || recycled == tasks, "%d tasks with a maximum of 1 per worker count %d recycles", tasks, recycled)
			want := Stats{Submitted: tasks, Completed: tasks, Workers: 1, Idle: 1, Spawned: 1, Recycled: recycled, PeakWorkers: 1}
			x.require(s == want, "recycles of the only worker also count as other things, such as spawned: %+v", s)
		}),
}
