// Package self makes hemlock a subject of the conformance suite.
package self

import (
	"example.com/hemlock"
	"example.com/hemlock/conformance"
	"example.com/hemlock/group"
)

// Subject returns hemlock as the suite examines it: it owes every clause.
func Subject() conformance.Subject {
	return conformance.Subject{
		Name:    "hemlock",
		Package: "example.com/hemlock",
		New:     func(s conformance.Settings) conformance.Pool { return New(s) },
		Abilities: []conformance.Ability{
			conformance.Shutdown, conformance.Deadline, conformance.PanicHandler,
			conformance.Shrinks, conformance.Minimum, conformance.Reuses, conformance.Recycles,
			conformance.TaskCounts, conformance.WorkerCount, conformance.FullCounts,
			conformance.RunsAlways, conformance.Calls, conformance.Groups,
		},
	}
}

// A Pool is a hemlock pool with its counts in the suite's terms.
type Pool struct{ *hemlock.Pool }

// New makes a pool with these settings.
func New(s conformance.Settings) Pool {
	opts := []hemlock.Option{
		hemlock.WithPanicHandler(s.PanicHandler),
		hemlock.WithMinWorkers(s.MinWorkers),
	}
	if s.KillInterval != 0 {
		opts = append(opts, hemlock.WithKillInterval(s.KillInterval))
	}
	if s.KillDelay != 0 {
		opts = append(opts, hemlock.WithKillDelay(s.KillDelay))
	}
	if s.MaxTasksPerWorker != 0 {
		opts = append(opts, hemlock.WithMaxTasksPerWorker(s.MaxTasksPerWorker))
	}
	return Pool{hemlock.New(opts...)}
}

// Stats returns the pool's counts.
func (p Pool) Stats() conformance.Stats {
	s := p.Pool.Stats()
	return conformance.Stats{
		Submitted: s.Submitted, Completed: s.Completed, Running: s.Running, Waiting: s.Waiting,
		Workers: s.Workers, Idle: s.Idle, PeakWorkers: s.PeakWorkers,
		Panicked: s.Panicked, Spawned: s.Spawned, Killed: s.Killed, Recycled: s.Recycled,
	}
}

// Group returns a group of tasks on the pool.
func (p Pool) Group() conformance.Group { return group.New(p.Pool) }
