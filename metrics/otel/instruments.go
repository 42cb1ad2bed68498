package hemlockotel

import (
	"example.com/hemlock"
	"go.opentelemetry.io/otel/metric"
)

const (
	worker = "{worker}"
	task   = "{task}"
)

// An instrument describes one that Register makes, and what it observes.
type instrument struct {
	name     string
	unit     string
	help     string
	create   func(m metric.Meter, name, unit, help string) (metric.Int64Observable, error)
	readings []reading
}

// A reading takes one value from a snapshot.
type reading struct {
	state string // of the workers that are counted; empty if the reading is not about one state
	value func(hemlock.Stats) int64
}

var instruments = []instrument{
	{
		"hemlock.worker.count", worker, "Workers of the pool, by whether they are idle or running a task.", upDownCounter,
		[]reading{
			{"idle", func(s hemlock.Stats) int64 { return s.Idle }},
			{"running", func(s hemlock.Stats) int64 { return s.Running }},
		},
	},
	// A gauge: the peak of two pools together is not the sum of their peaks.
	{
		"hemlock.worker.peak", worker, "Largest number of workers that the pool ever had.", gauge,
		one(func(s hemlock.Stats) int64 { return s.PeakWorkers }),
	},
	{
		"hemlock.worker.spawned", worker, "Workers that were started because none was idle.", counter,
		one(func(s hemlock.Stats) int64 { return s.Spawned }),
	},
	{
		"hemlock.worker.killed", worker, "Idle workers that the killer has killed.", counter,
		one(func(s hemlock.Stats) int64 { return s.Killed }),
	},
	{
		"hemlock.worker.recycled", worker, "Workers that were replaced by a fresh one after their last task.", counter,
		one(func(s hemlock.Stats) int64 { return s.Recycled }),
	},
	{
		"hemlock.task.submitted", task, "Tasks that the pool has accepted.", counter,
		one(func(s hemlock.Stats) int64 { return s.Submitted }),
	},
	{
		"hemlock.task.completed", task, "Tasks that have ended, those that panicked included.", counter,
		one(func(s hemlock.Stats) int64 { return s.Completed }),
	},
	{
		"hemlock.task.waiting", task, "Tasks accepted that wait for a processor.", upDownCounter,
		one(func(s hemlock.Stats) int64 { return s.Waiting }),
	},
	{
		"hemlock.task.panicked", task, "Tasks whose panic went to the panic handler.", counter,
		one(func(s hemlock.Stats) int64 { return s.Panicked }),
	},
}

func one(value func(hemlock.Stats) int64) []reading {
	return []reading{{value: value}}
}

func counter(m metric.Meter, name, unit, help string) (metric.Int64Observable, error) {
	return m.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(help))
}

func upDownCounter(m metric.Meter, name, unit, help string) (metric.Int64Observable, error) {
	return m.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(help))
}

func gauge(m metric.Meter, name, unit, help string) (metric.Int64Observable, error) {
	return m.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(help))
}
