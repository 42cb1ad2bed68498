// Package load holds the loads: what a task does, which goroutine submits it, and
// when a caller waits.
package load

import (
	"math/rand/v2"
	"runtime"
	"time"

	"example.com/hemlock/bench/internal/usage"
)

// PerProcessor as the number of callers of a load means as many as GOMAXPROCS.
const PerProcessor = 0

// Never as the batch of a load means that its callers submit without a pause
// until the time is up, and only then wait for what is left.
const Never = -1

// A Load says what is submitted to a pool, and by how many callers.
type Load struct {
	Name    string `json:"name"`
	Group   Group  `json:"group,omitempty"`
	Callers int    `json:"callers"` // or PerProcessor

	// Batch is how many tasks a caller submits before it waits for them, or
	// Never.
	Batch int `json:"batch"`

	// What a task does, in this order. The zero value does nothing.
	Garbage int           `json:"garbage_bytes"` // what it allocates and drops
	Stack   int           `json:"stack_kib"`     // how deep it goes
	Shallow bool          `json:"shallow"`       // it calls one function, whose frame has 1,000 bytes
	Work    time.Duration `json:"work_ns"`       // the processor time for which it computes
	Block   time.Duration `json:"block_ns"`      // how long it sleeps

	// If BlockEvery is above 1, only one task in BlockEvery blocks.
	BlockEvery int `json:"block_every"`

	// Heap is how much live memory there is beside the pool, in MiB.
	Heap int `json:"heap_mib"`

	// Spike is how many tasks run at once before the load begins.
	Spike int `json:"spike"`

	// Storm is how many tasks a caller submits that wait for each other and for
	// those of the other callers. If it is set, Batch is not used.
	Storm int `json:"storm"`

	// Cold is set if the load is one batch at a fresh pool, which has run
	// nothing before.
	Cold bool `json:"cold"`

	// Reader is set if one goroutine submits the tasks of all callers, as the
	// reader of a connection does. Batch is 1 then.
	Reader bool `json:"reader"`

	// Mixed is set if one task in ten works ten times as long, and one in a
	// hundred a hundred times.
	Mixed bool `json:"mixed,omitempty"`

	// Bystander is what is measured beside bursts of Batch tasks.
	Bystander Bystander `json:"bystander,omitempty"`

	// Rate is in percent of what the baseline manages of such tasks. If it is set,
	// tasks are due at random times, and Batch is Never.
	Rate    int           `json:"rate_percent,omitempty"`
	Wait    Wait          `json:"wait,omitempty"`    // how the submitter waits for the next
	Long    time.Duration `json:"long_ns,omitempty"` // the work of a few tasks; if set, only these are measured
	Process bool          `json:"process,omitempty"` // another process takes a processor now and then

	// For one measurement: tasks per second, and what the random times depend
	// on.
	PerSecond float64 `json:"-"`
	Seed      uint64  `json:"-"`

	rounds int // of burn that make up Work; see At
}

// Watched reports whether the figures of the load are delays, which are taken
// while it runs.
func (l *Load) Watched() bool { return l.Bystander != "" || l.Rate > 0 }

// crowd returns the number of callers.
func (l *Load) crowd() int {
	if l.Callers == PerProcessor {
		return runtime.GOMAXPROCS(0)
	}
	return l.Callers
}

// Once reports whether the load runs only once at a pool, whatever the time: it needs
// a pool that has run nothing before.
func (l *Load) Once() bool { return l.Cold || l.Storm > 0 }

// spend is what one task does.
func (l *Load) spend() {
	times := 1
	if l.Mixed {
		times = draw(rand.Float64())
	}
	l.do(times)
}

// draw returns how many times the usual work a task of a mixed load does.
func draw(x float64) int {
	switch {
	case x < 0.01:
		return 100
	case x < 0.11:
		return 10
	default:
		return 1
	}
}

// Ballast returns the live heap of the load. The caller keeps it alive.
func (l Load) Ballast() any { return usage.Ballast(l.Heap) }

// do is a task that does the work of the load the given number of times.
func (l *Load) do(times int) {
	if l.Garbage > 0 {
		runtime.KeepAlive(&usage.Litter(l.Garbage)[0])
	}
	if l.Stack > 0 {
		usage.Dig(l.Stack)
	}
	if l.Shallow {
		usage.Paddle(1)
	}
	if l.rounds > 0 {
		_ = burn(times * l.rounds)
	}
	if l.Block > 0 {
		time.Sleep(l.Block)
	}
}
