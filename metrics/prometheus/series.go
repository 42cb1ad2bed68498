package hemlockprom

import (
	"example.com/hemlock"
	"github.com/prometheus/client_golang/prometheus"
)

// A series is what Prometheus keeps for a name and its labels.
type series struct {
	name  string
	help  string
	kind  prometheus.ValueType
	value func(hemlock.Stats) int64
	state string // the label of a count of workers; empty in every other series
}

// exported is what a collector exports, by name. A scrape encodes it in that order
// too. Both states are there even when one has no worker: a series that comes and
// goes has gaps, and a sum over it is wrong.
var exported = []series{
	counter("hemlock_tasks_completed_total",
		"Tasks that have ended, those that panicked included.",
		func(s hemlock.Stats) int64 { return s.Completed }),
	counter("hemlock_tasks_panicked_total",
		"Tasks whose panic went to the panic handler.",
		func(s hemlock.Stats) int64 { return s.Panicked }),
	counter("hemlock_tasks_submitted_total",
		"Tasks that the pool has accepted.",
		func(s hemlock.Stats) int64 { return s.Submitted }),
	gauge("hemlock_tasks_waiting",
		"Tasks accepted that wait for a processor.",
		func(s hemlock.Stats) int64 { return s.Waiting }),
	workers("idle", func(s hemlock.Stats) int64 { return s.Idle }),
	workers("running", func(s hemlock.Stats) int64 { return s.Running }),
	counter("hemlock_workers_killed_total",
		"Idle workers that the killer has killed.",
		func(s hemlock.Stats) int64 { return s.Killed }),
	gauge("hemlock_workers_peak",
		"Largest number of workers that the pool ever had.",
		func(s hemlock.Stats) int64 { return s.PeakWorkers }),
	counter("hemlock_workers_recycled_total",
		"Workers that were replaced by a fresh one after their last task.",
		func(s hemlock.Stats) int64 { return s.Recycled }),
	counter("hemlock_workers_spawned_total",
		"Workers that were started because none was idle.",
		func(s hemlock.Stats) int64 { return s.Spawned }),
}

func counter(name, help string, value func(hemlock.Stats) int64) series {
	return series{name: name, help: help, kind: prometheus.CounterValue, value: value}
}

func gauge(name, help string, value func(hemlock.Stats) int64) series {
	return series{name: name, help: help, kind: prometheus.GaugeValue, value: value}
}

func workers(state string, value func(hemlock.Stats) int64) series {
	s := gauge("hemlock_workers", "Workers of the pool, by whether they are idle or running a task.", value)
	s.state = state
	return s
}
