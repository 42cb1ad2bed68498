package report

import (
	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/servers/internal/mode"
)

// A Figure returns a number of a measurement, or false if it has none.
type Figure func(Measurement) (float64, bool)

// Rate is calls a second.
func Rate(m Measurement) (float64, bool) { return perSecond(m, float64(m.Calls)) }

// P50 is the median of the calls' times, in nanoseconds.
func P50(m Measurement) (float64, bool) { return float64(m.P50), m.P50 > 0 }

// P99 is the time in nanoseconds in which 99 % of the calls were answered.
func P99(m Measurement) (float64, bool) { return float64(m.P99), m.P99 > 0 }

// P999 is the time in nanoseconds in which 99.9 % of the calls were answered.
func P999(m Measurement) (float64, bool) { return float64(m.P999), m.P999 > 0 }

// Longest is the longest time of a call, in nanoseconds.
func Longest(m Measurement) (float64, bool) { return float64(m.Max), m.Max > 0 }

// Late is how long after they were due 99 % of the calls had begun, in
// nanoseconds.
func Late(m Measurement) (float64, bool) { return float64(m.Late), m.Load > 0 }

// Offered is how many calls were due a second.
func Offered(m Measurement) (float64, bool) { return m.Offered, m.Load > 0 }

// Errors is how many calls had no answer or a wrong one.
func Errors(m Measurement) (float64, bool) { return float64(m.Failed), true }

// CPU is the server's processor time a call, in nanoseconds.
func CPU(m Measurement) (float64, bool) {
	spent := m.After.CPU - m.Before.CPU
	return float64(spent) / float64(m.Calls), m.Calls > 0 && spent > 0
}

// Collections is garbage collections of the server a second.
func Collections(m Measurement) (float64, bool) {
	return perSecond(m, float64(m.After.Collections-m.Before.Collections))
}

// Created is goroutines that the server created, a call.
func Created(m Measurement) (float64, bool) {
	return perCall(m, float64(m.After.Created-m.Before.Created))
}

// MutexWait is the time that goroutines of the server waited for locks, those of
// the runtime included, in nanoseconds a call.
func MutexWait(m Measurement) (float64, bool) {
	return perCall(m, float64(m.After.MutexWait-m.Before.MutexWait))
}

// Goroutines is how many goroutines the server had at the end.
func Goroutines(m Measurement) (float64, bool) { return float64(m.After.Goroutines), true }

// Stacks is the memory of the server's stacks at the end, in bytes.
func Stacks(m Measurement) (float64, bool) { return float64(m.After.Stacks), true }

// StartStack is what a new goroutine of the server started with at the end, in
// bytes.
func StartStack(m Measurement) (float64, bool) { return float64(m.After.StartStack), true }

// Heap is the memory of the server's objects at the end, in bytes.
func Heap(m Measurement) (float64, bool) { return float64(m.After.Heap), true }

// Workers is how many workers the pool had at the end.
func Workers(m Measurement) (float64, bool) {
	w, ok := m.After.Workers()
	return float64(w.Workers), ok
}

// PeakWorkers is how many workers the pool had at most.
func PeakWorkers(m Measurement) (float64, bool) {
	w, ok := m.After.Workers()
	return float64(w.Peak), ok
}

// Spawned is workers spawned a second.
func Spawned(m Measurement) (float64, bool) {
	after, ok := m.After.Workers()
	before, _ := m.Before.Workers()
	if !ok {
		return 0, false
	}
	return perSecond(m, float64(after.Spawned-before.Spawned))
}

// Share is the share of a part of a profile.
func Share(part string) Figure {
	return func(m Measurement) (float64, bool) {
		share, ok := m.Shares[part]
		return share, ok
	}
}

func perSecond(m Measurement, total float64) (float64, bool) {
	return total / m.Elapsed.Seconds(), m.Elapsed > 0
}

func perCall(m Measurement, total float64) (float64, bool) {
	return total / float64(m.Calls), m.Calls > 0
}

// Absolute returns the spread of a figure over the rounds, or false if there is
// none.
func (r *Report) Absolute(cell Cell, name string, figure Figure) (figures.Spread, bool) {
	return r.rounds(cell, name, figure).Spread()
}

// Ratio returns the spread of a figure divided by that of the baseline in the
// same round, or false if there is none.
func (r *Report) Ratio(cell Cell, name string, figure Figure) (figures.Spread, bool) {
	return r.rounds(cell, name, figure).Over(r.rounds(cell, mode.Baseline, figure))
}

// rounds returns a figure by round.
func (r *Report) rounds(cell Cell, name string, figure Figure) figures.Rounds {
	values := figures.Rounds{}
	for _, m := range r.Measurements {
		if m.Cell != cell || m.Mode != name {
			continue
		}
		if v, ok := figure(m); ok {
			values[m.Round] = v
		}
	}
	return values
}
