package race

import (
	"context"
	"runtime"
	"time"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

// slack bounds a pass of the latency measurement, in durations of a measurement of
// throughput. A slow runner gets fewer samples.
const slack = 2

// latency measures how long tasks take to start. It is a pass of its own, because
// to read the clock twice can cost as much as a task.
func (r *Race) latency(ctx context.Context, l load.Load, c runner.Runner, pass int) {
	if r.failed[entry{l.Name, c.Name}] {
		return
	}
	result := report.Latency{Load: l.Name, Runner: c.Name, Procs: runtime.GOMAXPROCS(0), Pass: pass}
	if err := r.probe(ctx, l, c, &result); err != nil {
		result.Failed = err.Error()
	}
	r.report.Latencies = append(r.report.Latencies, result)
	r.note(l, c, result.Failed)
}

func (r *Race) probe(ctx context.Context, l load.Load, c runner.Runner, result *report.Latency) (err error) {
	ctx, cancel := r.limit(ctx)
	defer cancel()
	r.clean()
	pool := c.New()
	defer func() { part(pool, err) }()
	work := l.At(pool.Bind)
	if err := r.warmUp(ctx, l, pool, work); err != nil {
		return err
	}
	latencies, err := work.Latencies(ctx, r.Settings.Latencies, slack*r.Settings.Duration)
	if err != nil || len(latencies) == 0 {
		return err
	}
	p := figures.Quantiles(latencies, 0.5, 0.99, 0.999, 1)
	result.Count = len(latencies)
	result.P50, result.P99, result.P999, result.Max = p[0], p[1], p[2], p[3]
	return nil
}

// clockCost returns what one reading of the clock costs: the best of several
// attempts, because some may be interrupted.
func clockCost() time.Duration {
	const readings = 10_000
	epoch := time.Now()
	best := time.Hour
	for range 9 {
		start := time.Now()
		for range readings {
			_ = time.Since(epoch)
		}
		best = min(best, time.Since(start)/readings)
	}
	return best
}
