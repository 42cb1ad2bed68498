package race

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
	"example.com/hemlock/bench/internal/usage"
)

// lingering is how long goroutines that have ended their work may take to
// disappear before they count as left behind.
const lingering = 20 * time.Millisecond

// patience bounds a measurement that repeats a load at fresh pools: all of it may
// take patience times its duration. A load on a cold pool is short beside the
// collections before it and the closing after it, which some runners do slowly.
const patience = 5

// measure runs the load at a fresh pool. A load that runs only once at a pool is
// repeated at further pools until the time is up.
func (r *Race) measure(ctx context.Context, l load.Load, c runner.Runner) report.Sample {
	var s report.Sample
	start := time.Now()
	for s.Failed == "" && s.Elapsed < r.Settings.Duration && ctx.Err() == nil {
		if s.Elapsed > 0 && (!l.Once() || time.Since(start) > patience*r.Settings.Duration) {
			break
		}
		if err := r.once(ctx, l, c, &s); err != nil {
			s.Failed = err.Error()
		}
	}
	return s
}

// once adds the measurement of one fresh pool to the sample.
func (r *Race) once(ctx context.Context, l load.Load, c runner.Runner, s *report.Sample) error {
	ctx, cancel := r.limit(ctx)
	defer cancel()
	r.clean()
	goroutines, stacks := runtime.NumGoroutine(), stackBytes()
	pool := c.New()
	err := r.work(ctx, l, pool, s)
	s.Goroutines = runtime.NumGoroutine() - goroutines
	s.Stacks = stackBytes() - stacks
	runtime.GC()
	s.StacksGC = stackBytes() - stacks
	start := time.Now()
	part(pool, err)
	s.Closing = time.Since(start)
	s.Leftover = max(0, waitFor(lingering, goroutines)-goroutines)
	return err
}

// part closes the pool, unless callers are stuck in it.
func part(pool runner.Pool, err error) {
	if !errors.Is(err, load.ErrAbandoned) {
		pool.Close()
	}
}

func (r *Race) work(ctx context.Context, l load.Load, pool runner.Pool, s *report.Sample) error {
	work := l.At(pool.Bind)
	if err := r.warmUp(ctx, l, pool, work); err != nil {
		return err
	}
	before := read()
	tasks, elapsed, err := work.Run(ctx, r.Settings.Duration)
	after := read()
	s.Tasks += tasks
	s.Elapsed += elapsed
	s.CPU += after.cpu - before.cpu
	s.Mallocs += after.Mallocs - before.Mallocs
	s.Bytes += after.TotalAlloc - before.TotalAlloc
	s.GCs += after.NumGC - before.NumGC
	if w, ok := work.(load.Watched); ok && err == nil {
		delay, start := w.Delays()
		s.Delay, s.StartDelay = delays(delay), delays(start)
	}
	return err
}

// delays reads the figures off the histogram, if there is one.
func delays(h *hdrhistogram.Histogram) report.Delays {
	if h == nil {
		return report.Delays{}
	}
	at := func(percent float64) time.Duration { return time.Duration(h.ValueAtQuantile(percent)) }
	return report.Delays{
		Count: int(h.TotalCount()), P50: at(50), P99: at(99), P999: at(99.9), Max: time.Duration(h.Max()),
	}
}

// warmUp runs the spike and a part of the load, unless the load needs a cold
// pool.
func (r *Race) warmUp(ctx context.Context, l load.Load, pool runner.Pool, work load.Work) error {
	if l.Once() {
		return nil
	}
	if err := l.Surge(ctx, pool.Bind); err != nil {
		return err
	}
	_, _, err := work.Run(ctx, r.Settings.Warmup)
	return err
}

// limit bounds one measurement.
func (r *Race) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := r.Settings.Limit
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("given up after %v", limit))
}

// counters are what is read before and after a measurement.
type counters struct {
	runtime.MemStats
	cpu time.Duration
}

func read() *counters {
	c := new(counters)
	c.cpu = usage.Process()
	runtime.ReadMemStats(&c.MemStats)
	return c
}

// clean makes the measurements independent of each other. It lets the goroutines
// of the last one end, but does not wait for those that were there before.
//
// It collects twice, because a sync.Pool keeps what it has for one collection. The
// second collection also makes the runtime forget the last runner's deep stacks,
// by which it chooses the size of a new goroutine's stack.
func (r *Race) clean() {
	r.goroutines = waitFor(lingering, r.goroutines)
	runtime.GC()
	runtime.GC()
}

func stackBytes() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// waitFor waits until there are no more than that many goroutines, or until the
// limit has passed, and returns how many there are.
func waitFor(limit time.Duration, goroutines int) int {
	deadline := time.Now().Add(limit)
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		if n := runtime.NumGoroutine(); n <= goroutines || time.Now().After(deadline) {
			return n
		}
		time.Sleep(pause)
	}
}
