// Package load holds the loads: what a task does, who submits it, and how long
// a caller waits.
package load

import (
	"fmt"
	"runtime"
	"time"
)

// A Load says what is submitted to a pool, and by how many callers.
type Load struct {
	Name    string `json:"name"`
	Callers int    `json:"callers"`

	// Batch is how many tasks a caller submits before it waits for them.
	Batch int `json:"batch"`

	// What a task does, in this order. The zero value does nothing.
	Garbage int           `json:"garbage_bytes"` // it allocates and drops so much
	Stack   int           `json:"stack_kib"`     // it goes so deep
	Block   time.Duration `json:"block_ns"`      // it sleeps so long

	// Heap is how much live memory there is beside the pool, in MiB.
	Heap int `json:"heap_mib"`

	// Spike is how many tasks ran at once before the load began.
	Spike int `json:"spike"`

	// Storm is how many tasks a caller submits that all wait for each other
	// and for those of the other callers. Where it is set Batch is not used.
	Storm int `json:"storm"`
}

// All returns the loads in the order in which they are reported.
func All() []Load {
	loads := []Load{
		{Name: "empty, waits every 64 tasks, 1 caller", Callers: 1, Batch: 64},
		{Name: "empty, 1 caller", Callers: 1},
		{Name: "empty, 64 callers", Callers: 64},
		{Name: "empty, 512 callers", Callers: 512},
	}
	for _, kib := range []int{2, 4, 8, 16, 30, 60} {
		loads = append(loads, stack(kib, 64))
	}
	loads = append(loads,
		stack(8, 512),
		server("30 KiB, GC, 64 callers", 64, 0),
		server("the same after a spike, 8 callers", 8, 512),
		server("the same after a spike, 64 callers", 64, 512),
		Load{
			Name: "4 KiB, blocks for 1 ms, 2,000 callers", Callers: 2000,
			Stack: 4, Block: time.Millisecond,
		},
		Load{Name: "spawn storm, 10 × 1,000 tasks", Callers: 10, Storm: 1000},
	)
	for i := range loads {
		loads[i].Batch = max(loads[i].Batch, 1)
	}
	return loads
}

// Scaling returns the names of the loads that are measured at several numbers
// of processors.
func Scaling() []string {
	return []string{
		"empty, 64 callers",
		"8 KiB, 64 callers",
		"8 KiB, 512 callers",
		"30 KiB, GC, 64 callers",
	}
}

func stack(kib, callers int) Load {
	return Load{
		Name: fmt.Sprintf("%d KiB, %d callers", kib, callers), Callers: callers, Stack: kib,
	}
}

// server is the load of a server: deep stacks, garbage, and a heap that the
// collector has to walk.
func server(name string, callers, spike int) Load {
	return Load{
		Name: name, Callers: callers, Spike: spike,
		Stack: 30, Garbage: 2 << 10, Heap: 32,
	}
}

// spend is what one task does.
func (l *Load) spend() {
	if l.Garbage > 0 {
		runtime.KeepAlive(&litter(l.Garbage)[0])
	}
	if l.Stack > 0 {
		dig(l.Stack)
	}
	if l.Block > 0 {
		time.Sleep(l.Block)
	}
}
