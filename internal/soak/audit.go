package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"example.com/hemlock"
	"example.com/hemlock/internal/pooltest"
)

// watch looks at the counts of a pool at work until ctx ends.
func (l *load) watch(ctx context.Context) error {
	var last hemlock.Stats
	for ctx.Err() == nil {
		s := l.pool.Stats()
		if err := pooltest.CheckBounds(last, s); err != nil {
			return err
		}
		last = s
		runtime.Gosched()
	}
	return nil
}

// audit compares the load's counts with the pool's counts when the pool has
// ended.
func (l *load) audit() error {
	// Shutdown does not wait for tasks that Run started after it.
	if err := l.eventually("all tasks have ended", func() bool {
		return l.ended.Load() >= l.accepted.Load()+l.loose.Load()
	}); err != nil {
		return fmt.Errorf("%d tasks accepted, %d ran: %w", l.accepted.Load()+l.loose.Load(), l.ran.Load(), err)
	}
	s := l.pool.Stats()
	started := l.accepted.Load() + l.loose.Load()
	return errors.Join(
		expect("tasks run", l.ran.Load(), started, started),
		expect("tasks submitted", s.Submitted, l.lowest(started), started),
		expect("tasks completed", s.Completed, s.Submitted, s.Submitted),
		expect("tasks panicked", s.Panicked, l.lowest(l.panicked.Load()), l.panicked.Load()),
		expect("panics handled", l.handled.Load(), s.Panicked, l.panicked.Load()),
		expect("groups with a wrong error", l.misled.Load(), 0, 0),
		expect("tasks waiting", s.Waiting, 0, 0),
		expect("workers left", s.Workers, 0, 0),
		expect("workers killed or replaced", s.Killed, 0, s.Spawned),
	)
}

// lowest returns what a count of tasks is at least, if it is at most n. How many tasks
// Run has started after Shutdown is not known.
func (l *load) lowest(n int64) int64 {
	if l.ending == closedMidway {
		return 0
	}
	return n
}

func expect(what string, got, least, most int64) error {
	if least <= got && got <= most {
		return nil
	}
	return fmt.Errorf("%s: %d, which should be from %d to %d", what, got, least, most)
}
