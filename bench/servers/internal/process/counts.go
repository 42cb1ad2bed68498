package process

import (
	"encoding/json"
	"runtime/metrics"
	"time"

	"example.com/hemlock/bench/internal/usage"
)

// Counts are a snapshot of a server's process. Those whose comment ends in "so far"
// are totals since its start.
type Counts struct {
	CPU         time.Duration `json:"cpu_ns"`        // processor time so far
	MutexWait   time.Duration `json:"mutex_wait_ns"` // time that goroutines waited for locks so far
	Collections uint64        `json:"collections"`   // garbage collections so far
	Created     uint64        `json:"created"`       // goroutines created so far

	Goroutines uint64 `json:"goroutines"`
	Stacks     uint64 `json:"stacks_bytes"`      // memory of all stacks, free ones of the runtime included
	StartStack uint64 `json:"start_stack_bytes"` // what a new goroutine starts with
	Heap       uint64 `json:"heap_bytes"`        // objects, dead ones not yet swept included

	// Pool is the mode's own snapshot; nil if it has none.
	Pool json.RawMessage `json:"pool,omitempty"`
}

// Workers are the counts of a pool that are shown. A mode's snapshot that lacks
// a name leaves it 0.
type Workers struct {
	Workers int64 `json:"workers"`
	Peak    int64 `json:"peak_workers"`
	Spawned int64 `json:"spawned"`
	Killed  int64 `json:"killed"`
}

// Workers returns the counts of the mode's pool, or false if it has none.
func (c Counts) Workers() (w Workers, ok bool) {
	ok = len(c.Pool) > 0 && json.Unmarshal(c.Pool, &w) == nil
	return w, ok
}

// The names of package runtime/metrics.
const (
	mutexWait   = "/sync/mutex/wait/total:seconds"
	collections = "/gc/cycles/total:gc-cycles"
	created     = "/sched/goroutines-created:goroutines"
	goroutines  = "/sched/goroutines:goroutines"
	stacks      = "/memory/classes/heap/stacks:bytes"
	startStack  = "/gc/stack/starting-size:bytes"
	heap        = "/memory/classes/heap/objects:bytes"
)

// count takes a snapshot. The stats may be nil.
func count(stats func() any) (Counts, error) {
	samples := []metrics.Sample{
		{Name: mutexWait},
		{Name: collections},
		{Name: created},
		{Name: goroutines},
		{Name: stacks},
		{Name: startStack},
		{Name: heap},
	}
	metrics.Read(samples)
	c := Counts{CPU: usage.Process()}
	for _, s := range samples {
		c.set(s.Name, s.Value)
	}
	if stats == nil {
		return c, nil
	}
	pool, err := json.Marshal(stats())
	c.Pool = pool
	return c, err
}

// set stores one value. A metric that the runtime does not know stays 0.
func (c *Counts) set(name string, value metrics.Value) {
	switch value.Kind() {
	case metrics.KindFloat64:
		if name == mutexWait {
			c.MutexWait = time.Duration(value.Float64() * float64(time.Second))
		}
	case metrics.KindUint64:
		fields := map[string]*uint64{
			collections: &c.Collections,
			created:     &c.Created,
			goroutines:  &c.Goroutines,
			stacks:      &c.Stacks,
			startStack:  &c.StartStack,
			heap:        &c.Heap,
		}
		*fields[name] = value.Uint64()
	}
}
