package handoff

import (
	"unsafe"

	"go.uber.org/atomic"
)

// seatsPerStation bounds how many idle workers wait at one station. More
// makes every worker's turn come later, and its stack and caches colder; fewer
// sends workers to the reserve that are needed again at once.
const seatsPerStation = 8

// stride keeps two stations off the same cache line, and off the pair of lines
// that a processor fetches together. It is a multiple of 8 on every platform,
// which keeps the 64-bit counters of a []Station aligned on 32-bit ones.
// BenchmarkRun pays for it.
const stride = 128

// A Station is what one processor shares with no other while the load is
// even: a few seats on which idle workers wait, and the counts of the tasks
// that came and went there.
type Station struct {
	station
	_ [stride - unsafe.Sizeof(station{})]byte
}

type station struct {
	gate      gate
	completed atomic.Uint64 // written by the worker that ran the task

	// seated counts the taken seats. A worker takes one before it waits;
	// whoever hands it a task or a pill frees it, so that the seat is free
	// while the worker is on its way to a processor. An atomic because both
	// sides write it.
	// Invariant: waiting workers <= seated.
	seated atomic.Int32

	index int // position among the stations; immutable
	seats chan delivery
}

// Accept counts one more task and reports true, or reports false once the
// handoff has been shut. A caller told true must see to it that the task runs.
func (s *station) Accept() bool { return s.gate.accept() }

// Complete counts a task that has ended.
func (s *station) Complete() { s.completed.Add(1) }

// offer hands the task to a worker that waits on a seat, if there is one. The
// count is looked at first: it is cheaper than a send that fails.
func (s *station) offer(d delivery) bool {
	if s.seated.Load() > 0 && trySend(s.seats, d) {
		s.seated.Sub(1)
		return true
	}
	return false
}

// sit takes a seat and reports true, or reports false when all are taken.
func (s *station) sit() bool {
	if s.seated.Add(1) <= seatsPerStation {
		return true
	}
	s.seated.Sub(1)
	return false
}
