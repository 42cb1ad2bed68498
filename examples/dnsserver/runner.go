package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"example.com/hemlock"
)

// A runner starts the task of each query.
type runner interface {
	// Run starts the task and returns at once. It is not called once Shutdown
	// has been.
	Run(task func())

	// Shutdown waits until all tasks have ended or ctx has.
	Shutdown(ctx context.Context) error

	// Counts returns what the runner knows about itself now.
	Counts() counts

	// Level returns how many of its goroutines there are now and were at most,
	// and what they are called.
	Level() (now, peak int64, noun string)
}

// counts are shown to people and written to the log.
type counts interface {
	fmt.Stringer
	slog.LogValuer
}

// The names of the runners, as given to -runner.
const (
	poolRunner = "pool"
	goRunner   = "go"
)

func newRunner(name string, interval, delay time.Duration, log *slog.Logger) (runner, error) {
	switch name {
	case poolRunner:
		return pooled{hemlock.New(
			hemlock.WithKillInterval(interval),
			hemlock.WithKillDelay(delay),
			hemlock.WithPanicHandler(func(v any, stack []byte) {
				log.Error("query panicked", "panic", v, "stack", string(stack))
			}),
		)}, nil
	case goRunner:
		return new(spawner), nil
	}
	return nil, fmt.Errorf("unknown -runner %q: want %s or %s", name, poolRunner, goRunner)
}

// pooled runs tasks on a pool. Everything but the names of the counts is the
// pool's own.
type pooled struct{ *hemlock.Pool }

func (p pooled) Counts() counts { return p.Stats() }

func (p pooled) Level() (now, peak int64, noun string) {
	stats := p.Stats()
	return stats.Workers, stats.PeakWorkers, "workers"
}

// A spawner runs each task on a goroutine of its own, for comparison. A task
// that panics ends the process: a go statement has no handler.
type spawner struct {
	tasks     sync.WaitGroup
	running   atomic.Int64
	peak      atomic.Int64
	submitted atomic.Int64
}

func (s *spawner) Run(task func()) {
	s.submitted.Add(1)
	s.raisePeak(s.running.Add(1))
	s.tasks.Add(1)
	go func() {
		defer s.tasks.Done()
		defer s.running.Add(-1)
		task()
	}()
}

func (s *spawner) raisePeak(now int64) {
	for old := s.peak.Load(); now > old; old = s.peak.Load() {
		if s.peak.CompareAndSwap(old, now) {
			return
		}
	}
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
		return fmt.Errorf("%d queries still running: %w", s.running.Load(), context.Cause(ctx))
	}
}

func (s *spawner) Counts() counts {
	return spawned{s.running.Load(), s.peak.Load(), s.submitted.Load()}
}

func (s *spawner) Level() (now, peak int64, noun string) {
	return s.running.Load(), s.peak.Load(), "goroutines"
}

// spawned are the counts of a spawner. There are no idle goroutines to count.
type spawned struct{ running, peak, submitted int64 }

func (s spawned) String() string {
	return fmt.Sprintf("running=%d peak=%d submitted=%d", s.running, s.peak, s.submitted)
}

func (s spawned) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Int64("running", s.running),
		slog.Int64("peak", s.peak),
		slog.Int64("submitted", s.submitted),
	)
}
