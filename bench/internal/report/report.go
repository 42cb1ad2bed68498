// Package report holds what a run has measured, computes the figures, and makes the
// tables and plots.
package report

import (
	"time"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/load"
)

// A Report is everything that a run measured, before any arithmetic. Tables and
// plots are made from it alone.
type Report struct {
	Machine   figures.Machine `json:"machine"`
	Settings  Settings        `json:"settings"`
	Runners   []Runner        `json:"runners"`
	Loads     []load.Load     `json:"loads"`
	Samples   []Sample        `json:"samples"`
	Latencies []Latency       `json:"latencies"`
	Shrinks   []Shrink        `json:"shrinks"`
	Newborns  []Newborn       `json:"newborns,omitempty"`
	LeftOut   []LeftOut       `json:"left_out,omitempty"`

	Saturations []Saturation `json:"saturations,omitempty"`
}

// Settings are what the flags chose.
type Settings struct {
	Procs       []int         `json:"procs"` // values of GOMAXPROCS
	Rounds      int           `json:"rounds"`
	Duration    time.Duration `json:"duration_ns"`     // of one measurement
	Warmup      time.Duration `json:"warmup_ns"`       // before it, at the same pool
	Passes      int           `json:"latency_passes"`  // of the latency measurement
	Latencies   int           `json:"latency_samples"` // in each pass
	Limit       time.Duration `json:"limit_ns"`        // after which a runner is given up at a load
	ShrinkLimit time.Duration `json:"shrink_limit_ns"` // 0: not measured
	Budget      time.Duration `json:"budget_ns"`       // for all of it, by leaving out rounds; 0: none
}

// A Runner describes one runner.
type Runner struct {
	Name     string `json:"name"`
	Package  string `json:"package,omitempty"`
	Version  string `json:"version,omitempty"`
	Settings string `json:"settings"`
}

// A Sample is one measurement: one load at a fresh pool of one runner.
type Sample struct {
	Load   string `json:"load"`
	Runner string `json:"runner"`
	Procs  int    `json:"procs"`
	Round  int    `json:"round"`
	Turn   int    `json:"turn"` // position of the runner in its round

	Tasks   int           `json:"tasks"`
	Elapsed time.Duration `json:"elapsed_ns"`
	CPU     time.Duration `json:"cpu_ns"` // 0 where the platform does not say
	Mallocs uint64        `json:"mallocs"`
	Bytes   uint64        `json:"bytes"`
	GCs     uint32        `json:"gcs"`

	// What the load left behind, beyond what there was before the pool was
	// made: at once, after one collection, and after the pool was closed.
	Stacks     int64         `json:"stack_bytes"`
	StacksGC   int64         `json:"stack_bytes_after_gc"`
	Goroutines int           `json:"goroutines"`
	Leftover   int           `json:"goroutines_after_close"`
	Closing    time.Duration `json:"close_ns"`

	// Only of loads that measure delays: of the bystander, or from when a task was
	// due to its end, and to its start.
	Delay      Delays `json:"delay,omitzero"`
	StartDelay Delays `json:"start_delay,omitzero"`

	Failed string `json:"failed,omitempty"` // why there is no figure
}

// Delays are percentiles of Count times.
type Delays struct {
	Count int           `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p99_9_ns"`
	Max   time.Duration `json:"max_ns"`
}

// A Latency is one pass of the latency measurement: the times from the
// submission of a task to its first instruction.
type Latency struct {
	Load   string `json:"load"`
	Runner string `json:"runner"`
	Procs  int    `json:"procs"`
	Pass   int    `json:"pass"`
	Delays
	Failed string `json:"failed,omitempty"`
}

// A Shrink is how a pool ended its workers after a load.
type Shrink struct {
	Load    string `json:"load"`
	Runner  string `json:"runner"`
	Minimum int    `json:"minimum"` // workers that the pool keeps for good

	Surplus   int           `json:"surplus"` // goroutines above the minimum at the end of the load
	Stacks    int64         `json:"stack_bytes"`
	Elapsed   time.Duration `json:"elapsed_ns"`
	Left      int           `json:"left"` // goroutines above the minimum at the end of the wait
	StacksEnd int64         `json:"stack_bytes_at_end"`
	Failed    string        `json:"failed,omitempty"`
}

// A Newborn is how much of its stack a fresh worker has in use when its first
// task begins.
type Newborn struct {
	Runner string `json:"runner"`
	Used   int    `json:"used_bytes"` // beyond what a go statement uses
	Room   int    `json:"room_bytes"` // what the task can use before the stack grows
	Grown  bool   `json:"grown"`      // it has grown before the task
	Failed string `json:"failed,omitempty"`
}

// A Saturation is what the baseline manages of the tasks of a load, back to back. The
// rates of this load, and of others with the same tasks, are percentages of it.
type Saturation struct {
	Load      string  `json:"load"`
	Procs     int     `json:"procs"`
	PerSecond float64 `json:"per_second"`
}

// A LeftOut is a load that the budget had no time for.
type LeftOut struct {
	Load  string `json:"load"`
	Procs int    `json:"procs"`
	What  string `json:"what"`
}

// several reports whether the run was at several numbers of processors.
func (r *Report) several() bool { return len(r.Settings.Procs) > 1 }
