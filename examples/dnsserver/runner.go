package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"example.com/hemlock"
)

// A runner starts the task of each query. Nothing but newRunner knows whether it is a pool.
type runner interface {
	Run(task func())
	Shutdown(ctx context.Context) error
	Stats() hemlock.Stats
}

// The names of the runners, as given to -runner, and what the demo calls their goroutines.
const (
	poolRunner = "pool"
	goRunner   = "go"
)

var nouns = map[string]string{poolRunner: "workers", goRunner: "goroutines"}

func newRunner(cfg config, log *slog.Logger) runner {
	if cfg.runner == goRunner {
		return new(spawner)
	}
	return hemlock.New(
		hemlock.WithKillInterval(cfg.killInterval),
		hemlock.WithKillDelay(cfg.killDelay),
		hemlock.WithPanicHandler(func(v any, stack []byte) {
			log.Error("query panicked", "panic", v, "stack", string(stack))
		}),
	)
}

// A spawner runs each task on a goroutine of its own, for comparison. A task
// that panics ends the process: a go statement has no handler.
type spawner struct {
	tasks                    sync.WaitGroup
	running, peak, submitted atomic.Int64
}

func (s *spawner) Run(task func()) {
	s.submitted.Add(1)
	now := s.running.Add(1)
	for old := s.peak.Load(); now > old && !s.peak.CompareAndSwap(old, now); old = s.peak.Load() {
	}
	s.tasks.Add(1)
	go func() {
		defer s.tasks.Done()
		defer s.running.Add(-1)
		task()
	}()
}

func (s *spawner) Shutdown(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		s.tasks.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d tasks running: %w", s.running.Load(), context.Cause(ctx))
	}
}

// Stats counts each goroutine as a worker that has a task.
func (s *spawner) Stats() hemlock.Stats {
	running, submitted := s.running.Load(), s.submitted.Load()
	return hemlock.Stats{
		Workers: running, Running: running, PeakWorkers: s.peak.Load(), Submitted: submitted, Completed: submitted - running,
	}
}
