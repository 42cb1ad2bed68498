package conformance

import (
	"context"
	"slices"
	"time"
)

// A Pool is the pool under examination, or an adapter around it. If it has the
// [Ability] of that name, it also implements [Stopper], [Counter], [Runner],
// [Caller] or [Grouper].
type Pool interface {
	// Submit hands over a task. An error says that the task will not run.
	Submit(task func()) error
}

// A Stopper is a pool that can be shut down.
type Stopper interface {
	// Shutdown stops the pool from accepting tasks and returns nil when all
	// accepted tasks have ended. A pool with the ability [Deadline] returns an
	// error when ctx ends first; any other pool may ignore ctx.
	Shutdown(ctx context.Context) error
}

// A Counter is a pool that counts. Which fields of the Stats it fills in depends
// on its abilities; the suite looks at no others.
type Counter interface {
	Stats() Stats
}

// A Runner is a pool with a replacement for the go statement that cannot fail.
type Runner interface {
	Run(task func())
}

// A Caller is a pool with a call that runs a task on the stack of a worker and
// returns when it has ended.
type Caller interface {
	Do(task func())
}

// A Grouper is a pool with groups of tasks that are waited for together.
type Grouper interface {
	Group() Group
}

// A Group is a group of tasks, as in golang.org/x/sync/errgroup.
type Group interface {
	Go(task func() error)
	Wait() error
}

// Stats is a snapshot of a pool's counts.
type Stats struct {
	// With the ability TaskCounts.
	Submitted int64 // tasks accepted
	Completed int64 // tasks ended, by whatever means
	Running   int64 // tasks that run
	Waiting   int64 // tasks accepted that wait for a processor; 0 where a pool has no such count

	// With the ability WorkerCount.
	Workers int64 // goroutines kept by the pool

	// With the ability FullCounts.
	Idle        int64 // workers without a task
	Panicked    int64 // tasks that panicked
	Spawned     int64 // workers started because none was idle
	Killed      int64 // idle workers killed
	Recycled    int64 // workers replaced after their last task
	PeakWorkers int64 // largest value Workers ever had
}

// Settings says how the suite wants a pool to be made. A zero field leaves the
// choice to the pool. Fields for which the subject lacks the ability are to be
// ignored.
type Settings struct {
	// PanicHandler is called with the value of a task's panic and the stack of
	// the task. Needs the ability PanicHandler.
	PanicHandler func(v any, stack []byte)

	// KillInterval is the time between two rounds in which idle workers are killed,
	// KillDelay the time for which a worker must have been spared. A pool with the
	// ability Shrinks should follow them: one that knows a single time takes the one
	// that fits better.
	KillInterval time.Duration
	KillDelay    time.Duration

	MinWorkers        int // workers that shrinking leaves; needs Minimum
	MaxTasksPerWorker int // tasks until a worker is replaced; needs Recycles
}

// An Ability is a feature that some pools have and others do not.
type Ability string

// The abilities. The text completes the sentence "the pool has no ...".
const (
	Shutdown     Ability = "shutdown that waits for the tasks"
	Deadline     Ability = "shutdown with a deadline" // in addition to Shutdown
	PanicHandler Ability = "panic handler"
	Shrinks      Ability = "idle workers that go away by themselves"
	Minimum      Ability = "minimum number of workers"
	Reuses       Ability = "reuse of goroutines"
	Recycles     Ability = "maximum number of tasks per worker"
	TaskCounts   Ability = "count of tasks"
	WorkerCount  Ability = "count of workers"
	FullCounts   Ability = "full statistics" // in addition to TaskCounts and WorkerCount
	RunsAlways   Ability = "replacement for the go statement"
	Calls        Ability = "call on the stack of a worker"
	Groups       Ability = "group of tasks that can fail"
)

// A Subject is a kind of pool and how to examine it.
type Subject struct {
	Name    string
	Package string // import path of the pool, to find goroutines that an import started

	// New makes a pool. It may panic if it cannot.
	New func(Settings) Pool

	Abilities []Ability

	// Waived names the clauses that the pool's documentation never promised or
	// excludes, each with the reason. They are examined like the others, but
	// their failure counts for nothing.
	Waived map[string]string
}

func (s Subject) can(a Ability) bool { return slices.Contains(s.Abilities, a) }
