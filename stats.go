package hemlock

import (
	"fmt"
	"log/slog"
)

// Stats is a snapshot of a pool's counts; see [Pool.Stats]. Workers, Idle, Running and
// Waiting are what there is now. The other fields are totals since New, or a maximum,
// and never fall.
type Stats struct {
	Workers     int64 `json:"workers"`      // goroutines kept by the pool
	Idle        int64 `json:"idle"`         // workers without a task
	Running     int64 `json:"running"`      // tasks that have a worker, or are about to
	Waiting     int64 `json:"waiting"`      // tasks that have no worker yet
	Submitted   int64 `json:"submitted"`    // tasks accepted, by Submit, Run or Do
	Completed   int64 `json:"completed"`    // tasks ended, by whatever means
	Panicked    int64 `json:"panicked"`     // tasks whose panic went to the handler
	Spawned     int64 `json:"spawned"`      // workers started for a task, not as replacements
	Killed      int64 `json:"killed"`       // idle workers killed, by the killer or Trim
	Recycled    int64 `json:"recycled"`     // workers replaced; see WithMaxTasksPerWorker
	PeakWorkers int64 `json:"peak_workers"` // largest value Workers ever had
}

// Stats returns the pool's counts. It takes no lock and allocates nothing, and its
// time grows with the number of processors, not of workers.
//
// If nothing changes during the call, Submitted == Completed + Running + Waiting, and
// Workers == Idle + Running. Under load the fields are read one after the other, and
// are bounded: none is negative, Running and Idle are at most Workers, and PeakWorkers
// is at least Workers. A task is in Submitted before it starts and before the call
// that submitted it returns.
func (p *Pool) Stats() Stats {
	p.check()
	tasks := p.handoff.Counts()
	workers, peak := p.count.load()
	running := min(int64(tasks.Accepted-tasks.Completed-tasks.Waiting), workers)
	// A task that has left the backlog still waits until a worker is counted for it.
	// And a reader that is preempted while it reads a backlog takes every task that
	// passed meanwhile for one that waits. Open bounds that from both sides.
	waiting := max(min(int64(tasks.Waiting), int64(tasks.Open)), int64(tasks.Open)-running)
	return Stats{
		Workers:     workers,
		Idle:        workers - running,
		Running:     running,
		Waiting:     waiting,
		Submitted:   int64(tasks.Accepted),
		Completed:   int64(tasks.Completed),
		Panicked:    p.panicked.Load(),
		Spawned:     p.spawned.Load(),
		Killed:      p.killer.killed.Load(),
		Recycled:    p.recycled.Load(),
		PeakWorkers: peak,
	}
}

// String returns the counts on one line, each as name=value with the names of
// the JSON encoding.
func (s Stats) String() string {
	return fmt.Sprintf("workers=%d idle=%d running=%d waiting=%d submitted=%d completed=%d "+
		"panicked=%d spawned=%d killed=%d recycled=%d peak_workers=%d",
		s.Workers, s.Idle, s.Running, s.Waiting, s.Submitted, s.Completed,
		s.Panicked, s.Spawned, s.Killed, s.Recycled, s.PeakWorkers)
}

// LogValue returns the counts as a group, with the names of the JSON encoding.
func (s Stats) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Int64("workers", s.Workers),
		slog.Int64("idle", s.Idle),
		slog.Int64("running", s.Running),
		slog.Int64("waiting", s.Waiting),
		slog.Int64("submitted", s.Submitted),
		slog.Int64("completed", s.Completed),
		slog.Int64("panicked", s.Panicked),
		slog.Int64("spawned", s.Spawned),
		slog.Int64("killed", s.Killed),
		slog.Int64("recycled", s.Recycled),
		slog.Int64("peak_workers", s.PeakWorkers),
	)
}
