package load

import (
	"sync"
	"time"
)

// batch submits several tasks before it waits for all of them.
type batch struct {
	load *Load
	rest *Load // what most tasks do if only a few of a batch block
	bind Bind

	submit func() // a task as most are
	block  func() // one that blocks, if only a few do

	// Made when the first probe is asked for. There are thousands in some
	// loads, and memory that only the latencies need would make collections
	// rarer when throughput is measured.
	probed    []func()
	probes    []probe
	latencies []time.Duration

	_    [cacheLines]byte
	done sync.WaitGroup // written by every task
	_    [cacheLines]byte
}

func newBatch(l *Load, bind Bind) *batch {
	rest := *l
	if l.BlockEvery > 1 {
		rest.Block = 0
	}
	b := &batch{load: l, rest: &rest, bind: bind}
	b.submit = bind(b.task(&rest))
	b.block = bind(b.task(l))
	return b
}

// task returns a task that does what the load says.
func (b *batch) task(l *Load) func() {
	return func() {
		l.spend()
		b.done.Done()
	}
}

// blocks reports whether the task with the index is one of the few that block.
func (b *batch) blocks(i int) bool {
	return b.load.BlockEvery > 1 && i%b.load.BlockEvery == 0
}

func (b *batch) turn(*flag) int {
	n := b.load.Batch
	b.done.Add(n)
	for i := range n {
		if b.blocks(i) {
			b.block()
		} else {
			b.submit()
		}
	}
	b.done.Wait()
	return n
}

func (b *batch) probe() []time.Duration {
	if b.probes == nil {
		b.arm()
	}
	b.done.Add(len(b.probes))
	for i := range b.probes {
		b.probes[i].submitted = now()
		b.probed[i]()
	}
	b.done.Wait()
	for i := range b.probes {
		b.latencies[i] = b.probes[i].latency
	}
	return b.latencies
}

// arm makes a task for each probe.
func (b *batch) arm() {
	n := b.load.Batch
	b.probes, b.probed, b.latencies = make([]probe, n), make([]func(), n), make([]time.Duration, n)
	for i := range b.probes {
		l := b.rest
		if b.blocks(i) {
			l = b.load
		}
		task := b.task(l)
		b.probed[i] = b.bind(func() {
			b.probes[i].started()
			task()
		})
	}
}
