package race

import (
	"context"
	"runtime"
	"time"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

// shrinkLoad is the load after which the pools shrink.
var shrinkLoad = load.Load{Name: "8 KiB, 64 callers", Callers: 64, Batch: 1, Stack: 8}

// shrinks measures, once for each runner, how long a pool with nothing to do
// takes until it is back at its minimum.
func (r *Race) shrinks(ctx context.Context) error {
	if r.Settings.ShrinkLimit == 0 {
		return nil
	}
	for _, c := range r.Runners {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.logf("waiting for %s to shrink, at most %v", c.Name, r.Settings.ShrinkLimit)
		s := report.Shrink{Load: shrinkLoad.Name, Runner: c.Name, Minimum: c.Minimum}
		if err := r.shrink(ctx, c, &s); err != nil {
			s.Failed = err.Error()
		}
		r.report.Shrinks = append(r.report.Shrinks, s)
	}
	return nil
}

// shrink counts goroutines, since few pools say how many workers they have. The
// goroutines that a fresh pool starts are part of its minimum.
func (r *Race) shrink(ctx context.Context, c runner.Runner, s *report.Shrink) (err error) {
	ctx, cancel := r.limit(ctx)
	defer cancel()
	r.clean()
	stacks := stackBytes()
	pool := c.New()
	defer func() { part(pool, err) }()
	minimum := runtime.NumGoroutine() + c.Minimum
	_, _, err = shrinkLoad.At(pool.Bind).Run(ctx, r.Settings.Duration)
	start := time.Now()
	s.Surplus = max(0, waitFor(lingering, minimum)-minimum)
	s.Stacks = stackBytes() - stacks
	if err != nil {
		return err
	}
	s.Left = max(0, waitFor(r.Settings.ShrinkLimit, minimum)-minimum)
	s.Elapsed = time.Since(start)
	s.StacksEnd = stackBytes() - stacks
	return nil
}
