package hemlockprom

import (
	"example.com/hemlock"
	"github.com/prometheus/client_golang/prometheus"
)

// A family is what Prometheus calls a metric: a name, and a sample for each
// combination of label values.
type family struct {
	name    string
	help    string
	kind    prometheus.ValueType
	labels  []string
	samples func(hemlock.Stats) []sample
}

type sample struct {
	value  int64
	labels []string // one for each of the family's labels
}

// families is what a collector exports, by name. A scrape encodes them in that
// order too.
var families = []family{
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
	{
		name:    "hemlock_workers",
		help:    "Workers of the pool, by whether they are idle or running a task.",
		kind:    prometheus.GaugeValue,
		labels:  []string{"state"},
		samples: byState,
	},
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

func counter(name, help string, value func(hemlock.Stats) int64) family {
	return single(prometheus.CounterValue, name, help, value)
}

func gauge(name, help string, value func(hemlock.Stats) int64) family {
	return single(prometheus.GaugeValue, name, help, value)
}

func single(kind prometheus.ValueType, name, help string, value func(hemlock.Stats) int64) family {
	return family{
		name:    name,
		help:    help,
		kind:    kind,
		samples: func(s hemlock.Stats) []sample { return []sample{{value: value(s)}} },
	}
}

// byState returns both states even when one has no worker: a series that comes
// and goes has gaps, and a sum over it is wrong.
func byState(s hemlock.Stats) []sample {
	return []sample{
		{value: s.Idle, labels: []string{"idle"}},
		{value: s.Running, labels: []string{"running"}},
	}
}
