package main

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
)

// BenchmarkRun and BenchmarkGo differ only in what starts the task. Each caller
// waits for its task before it starts the next, as the connections of a server
// do. Compare them within one run, and in turns: make benchmark. Pitfall 6: where
// go is faster, the README says so.
func BenchmarkRun(b *testing.B) {
	benchmarkStarter(b, func(b *testing.B) func(func()) {
		return pooltest.New(b).Run
	})
}

func BenchmarkGo(b *testing.B) {
	benchmarkStarter(b, func(*testing.B) func(func()) {
		return func(task func()) { go task() }
	})
}

// BenchmarkDo is for goroutines that a library starts: each task has a fresh one,
// as in BenchmarkGo, and borrows a stack.
func BenchmarkDo(b *testing.B) {
	benchmarkStarter(b, func(b *testing.B) func(func()) {
		p := pooltest.New(b)
		return func(task func()) { go p.Do(task) }
	})
}

func benchmarkStarter(b *testing.B, starter func(*testing.B) func(func())) {
	for _, kib := range []int{0, 2, 8, 30} {
		for _, callers := range []int{1, 64, 512} {
			b.Run(fmt.Sprintf("stack=%dKiB/callers=%d", kib, callers), func(b *testing.B) {
				b.ReportAllocs()
				start := starter(b)
				var all sync.WaitGroup
				for caller := range callers {
					all.Go(func() {
						call(start, kib, (b.N+caller)/callers)
					})
				}
				all.Wait()
			})
		}
	}
}

// call starts n tasks, one after the other.
func call(start func(func()), kib, n int) {
	done := make(chan struct{}, 1) // so that no task waits for its caller
	task := func() {
		spendStack(kib)
		done <- struct{}{}
	}
	for range n {
		start(task)
		<-done
	}
}

// BenchmarkSubmit has one submitter, which waits after every 64 tasks. Do was never
// called on one of its pools, and the other has idle workers of Do. A program that
// does not use Do must not pay for it.
func BenchmarkSubmit(b *testing.B) {
	for name, workersOfDo := range map[string]int{"Do=unused": 0, "Do=used": 64} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			p := pooltest.New(b, hemlock.WithKillInterval(0))
			pooltest.GrowDo(p, workersOfDo)
			var batch sync.WaitGroup
			task := batch.Done
			for b.Loop() {
				batch.Add(64)
				for range 64 {
					_ = p.Submit(task)
				}
				batch.Wait()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/task")
		})
	}
}

// BenchmarkSpawn is the cost of a new worker, which a task pays when none is idle.
func BenchmarkSpawn(b *testing.B) {
	b.ReportAllocs()
	p := pooltest.New(b)
	for b.Loop() {
		p.Run(runtime.Goexit)
	}
}

func BenchmarkStats(b *testing.B) {
	b.ReportAllocs()
	p := pooltest.New(b)
	pooltest.Grow(b, p, 100)
	for b.Loop() {
		_ = p.Stats()
	}
}

// BenchmarkIdleWorker reports the memory of an idle worker that ran shallow tasks,
// stack and heap together.
func BenchmarkIdleWorker(b *testing.B) {
	const workers = 10_000
	var most float64 // later rounds reuse memory that the runtime has kept
	for b.Loop() {
		p := hemlock.New(hemlock.WithKillInterval(0))
		before := memoryInUse()
		pooltest.Grow(b, p, workers)
		most = max(most, float64(memoryInUse()-before)/workers)
		require.EqualValues(b, workers, p.Stats().Idle)
		pooltest.Shutdown(b, p)
	}
	b.ReportMetric(most, "bytes/worker")
}

func memoryInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.StackInuse + m.HeapAlloc
}
