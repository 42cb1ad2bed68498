// Package race runs the loads at the runners and writes down what it sees.
package race

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"time"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

// A Race is one run of the comparison.
type Race struct {
	Settings report.Settings
	Runners  []runner.Runner
	Loads    []load.Load
	Log      io.Writer // gets a line for each step

	report *report.Report
	failed map[entry]bool

	goroutines int // there were before the last measurement

	deadline time.Time // of the load's rounds, if there is a budget
}

// An entry is a runner at a load.
type entry struct{ load, runner string }

// Run measures everything and returns the report. A runner that cannot do a
// load is written down as failed and left out of that load from then on.
func (r *Race) Run(ctx context.Context) (*report.Report, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r.failed = map[entry]bool{}
	r.goroutines = runtime.NumGoroutine()
	r.report = &report.Report{
		Machine: machine(), Settings: r.Settings, Runners: describe(r.Runners), Loads: r.Loads,
	}
	start := time.Now()
	for j, procs := range r.Settings.Procs {
		runtime.GOMAXPROCS(procs)
		for i, l := range r.Loads {
			r.share(start, j*len(r.Loads)+i+1)
			r.logf("%d of %d at GOMAXPROCS %d: %s", i+1, len(r.Loads), procs, l.Name)
			if err := r.race(ctx, l); err != nil {
				return nil, err
			}
		}
	}
	return r.report, r.shrinks(ctx)
}

func describe(runners []runner.Runner) []report.Runner {
	described := make([]report.Runner, len(runners))
	for i, c := range runners {
		described[i] = report.Runner{Name: c.Name, Module: c.Module, Version: c.Version(), Settings: c.Settings}
	}
	return described
}

// race runs one load: the rounds, then the passes of the latency measurement.
func (r *Race) race(ctx context.Context, l load.Load) error {
	ballast := l.Ballast()
	defer runtime.KeepAlive(ballast)
	if len(r.Runners) > 0 {
		r.measure(ctx, l, r.Runners[0]) // the first measurement pays for the growth of the process
	}
	for round := range r.Settings.Rounds {
		if round > 0 && r.late() {
			break
		}
		for turn, c := range shuffled(r.Runners) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.turn(ctx, l, c, round, turn)
		}
	}
	for pass := range r.Settings.Passes {
		for _, c := range shuffled(r.Runners) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.latency(ctx, l, c, pass)
		}
	}
	return nil
}

// share gives a load its part of the budget, which is divided evenly. What one
// load does not use the next one may.
func (r *Race) share(start time.Time, loads int) {
	all := len(r.Loads) * len(r.Settings.Procs)
	r.deadline = start.Add(r.Settings.Budget * time.Duration(loads) / time.Duration(all))
}

// late reports whether the load has used up its part of the budget.
func (r *Race) late() bool {
	return r.Settings.Budget > 0 && time.Now().After(r.deadline)
}

func (r *Race) turn(ctx context.Context, l load.Load, c runner.Runner, round, turn int) {
	if r.failed[entry{l.Name, c.Name}] {
		return
	}
	s := r.measure(ctx, l, c)
	s.Load, s.Runner, s.Procs, s.Round, s.Turn = l.Name, c.Name, runtime.GOMAXPROCS(0), round, turn
	r.report.Samples = append(r.report.Samples, s)
	r.note(l, c, s.Failed)
}

// note remembers that the runner cannot do the load.
func (r *Race) note(l load.Load, c runner.Runner, reason string) {
	if reason != "" {
		r.failed[entry{l.Name, c.Name}] = true
		r.logf("%s cannot do %q: %s", c.Name, l.Name, reason)
	}
}

func (r *Race) logf(format string, args ...any) {
	fmt.Fprintf(r.Log, format+"\n", args...)
}

// shuffled returns the runners in a new order: nobody always follows the same
// neighbour, or always comes first.
func shuffled(runners []runner.Runner) []runner.Runner {
	order := make([]runner.Runner, len(runners))
	for i, j := range rand.Perm(len(runners)) {
		order[i] = runners[j]
	}
	return order
}
