// Package race runs the loads at the runners and records what it measures.
package race

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"time"

	"example.com/hemlock/bench/internal/figures"
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

	goroutines int // before the last measurement

	// If there is a budget: when it is used up, and until when the load under way
	// may begin another round, and another pass.
	end, rounds, passes time.Time
}

// An entry is a runner at a load.
type entry struct{ load, runner string }

// Run measures everything and returns the report. A runner that cannot do a
// load is recorded as failed and left out of that load from then on.
func (r *Race) Run(ctx context.Context) (*report.Report, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r.failed = map[entry]bool{}
	r.goroutines = runtime.NumGoroutine()
	machine := figures.Here("go run ./bench")
	machine.Clock, machine.Pace = clockCost(), load.Pace()
	r.report = &report.Report{
		Machine: machine, Settings: r.Settings, Runners: describe(r.Runners), Loads: r.Loads,
	}
	r.end = time.Now().Add(r.Settings.Budget)
	if err := r.newborns(ctx); err != nil {
		return nil, err
	}
	left := len(r.Loads) * len(r.Settings.Procs)
	for _, procs := range r.Settings.Procs {
		runtime.GOMAXPROCS(procs)
		full, err := r.saturate(ctx)
		if err != nil {
			return nil, err
		}
		for i, l := range r.Loads {
			r.share(left)
			left--
			r.logf("%d of %d at GOMAXPROCS %d: %s", i+1, len(r.Loads), procs, l.Name)
			l.PerSecond = full[l.Saturating()] * float64(l.Rate) / 100
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
		described[i] = report.Runner{Name: c.Name, Package: c.Package, Version: c.Version(), Settings: c.Settings}
	}
	return described
}

// race runs one load: the rounds, then the passes of the latency measurement.
func (r *Race) race(ctx context.Context, l load.Load) error {
	if r.late(r.end) {
		r.leaveOut(l, "all of it")
		return nil
	}
	ballast := l.Ballast()
	defer runtime.KeepAlive(ballast)
	end, err := l.Intruder()
	if err != nil {
		return err
	}
	defer end()
	if len(r.Runners) > 0 {
		r.measure(ctx, l, r.Runners[0]) // the first measurement pays for the growth of the process
	}
	for round := range r.Settings.Rounds {
		l.Seed = uint64(round) // all runners of a round see the same
		if round > 0 && r.late(r.rounds) {
			break // the tables say how many rounds there were
		}
		for turn, c := range shuffled(r.Runners) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.turn(ctx, l, c, round, turn)
		}
	}
	for pass := range r.passesOf(l) {
		if r.late(r.passes) {
			if pass == 0 {
				r.leaveOut(l, "latencies")
			}
			break
		}
		for _, c := range shuffled(r.Runners) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.latency(ctx, l, c, pass)
		}
	}
	return nil
}

// passesOf returns how many passes of the latency measurement the load has. A
// load that never waits has none, and neither has one whose figures are delays.
func (r *Race) passesOf(l load.Load) int {
	if l.Batch == load.Never || l.Watched() {
		return 0
	}
	return r.Settings.Passes
}

// share divides what is left of the budget evenly among the loads that are left,
// and gives the next one its part. A quarter of the part is for the latencies, if
// there are any.
func (r *Race) share(left int) {
	part := max(0, time.Until(r.end)) / time.Duration(left)
	r.passes = time.Now().Add(part)
	r.rounds = r.passes
	if r.Settings.Passes > 0 {
		r.rounds = r.passes.Add(-part / 4)
	}
}

// late reports whether there is a budget, and the time for something is up.
func (r *Race) late(deadline time.Time) bool {
	return r.Settings.Budget > 0 && time.Now().After(deadline)
}

// leaveOut records what the budget had no time for.
func (r *Race) leaveOut(l load.Load, what string) {
	procs := runtime.GOMAXPROCS(0)
	r.report.LeftOut = append(r.report.LeftOut, report.LeftOut{Load: l.Name, Procs: procs, What: what})
	r.logf("no time is left for %q at GOMAXPROCS %d: %s", l.Name, procs, what)
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

// note remembers that the runner cannot do the load, if there is a reason.
func (r *Race) note(l load.Load, c runner.Runner, reason string) {
	if reason != "" {
		r.failed[entry{l.Name, c.Name}] = true
		r.logf("%s cannot do %q: %s", c.Name, l.Name, reason)
	}
}

func (r *Race) logf(format string, args ...any) {
	fmt.Fprintf(r.Log, format+"\n", args...)
}

// shuffled returns the runners in a random order, so that none always comes first
// or always follows the same one.
func shuffled(runners []runner.Runner) []runner.Runner {
	order := make([]runner.Runner, len(runners))
	for i, j := range rand.Perm(len(runners)) {
		order[i] = runners[j]
	}
	return order
}
