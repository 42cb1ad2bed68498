package report

import (
	"time"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/runner"
)

// A Figure returns a number of a sample, or false if the sample has none.
type Figure func(Sample) (float64, bool)

// Rate is tasks per second.
func Rate(s Sample) (float64, bool) {
	return float64(s.Tasks) / s.Elapsed.Seconds(), s.Failed == "" && s.Tasks > 0 && s.Elapsed > 0
}

// CPUTime is nanoseconds of processor time per task, of the whole process.
func CPUTime(s Sample) (float64, bool) {
	return float64(s.CPU) / float64(s.Tasks), s.Failed == "" && s.Tasks > 0 && s.CPU > 0
}

// Mallocs is objects allocated per task.
func Mallocs(s Sample) (float64, bool) {
	return float64(s.Mallocs) / float64(s.Tasks), s.Failed == "" && s.Tasks > 0
}

// Bytes is bytes allocated per task.
func Bytes(s Sample) (float64, bool) {
	return float64(s.Bytes) / float64(s.Tasks), s.Failed == "" && s.Tasks > 0
}

// Stacks is the stack memory that the load left, in bytes, after a collection.
func Stacks(s Sample) (float64, bool) { return float64(s.StacksGC), s.Failed == "" }

// StacksAtOnce is the stack memory that the load left, in bytes, before a collection.
func StacksAtOnce(s Sample) (float64, bool) { return float64(s.Stacks), s.Failed == "" }

// Goroutines is how many goroutines the load left.
func Goroutines(s Sample) (float64, bool) { return float64(s.Goroutines), s.Failed == "" }

// Leftover is how many goroutines the closed pool left.
func Leftover(s Sample) (float64, bool) { return float64(s.Leftover), s.Failed == "" }

// P50, P99, P999 and Max pick a percentile.
func P50(d Delays) time.Duration  { return d.P50 }
func P99(d Delays) time.Duration  { return d.P99 }
func P999(d Delays) time.Duration { return d.P999 }
func Max(d Delays) time.Duration  { return d.Max }

// Delayed is a percentile of the delays of a load that measures them.
func Delayed(of func(Delays) time.Duration) Figure {
	return func(s Sample) (float64, bool) { return float64(of(s.Delay)), s.Failed == "" && s.Delay.Count > 0 }
}

// StartDelayed is a percentile of the delays to the start of the tasks.
func StartDelayed(of func(Delays) time.Duration) Figure {
	return func(s Sample) (float64, bool) {
		return float64(of(s.StartDelay)), s.Failed == "" && s.StartDelay.Count > 0
	}
}

// rounds returns a figure of the runner at the load, and whether no round lacks it.
func (r *Report) rounds(procs int, load, name string, figure Figure) (values figures.Rounds, whole bool) {
	values, whole = figures.Rounds{}, true
	for _, s := range r.Samples {
		if s.Procs != procs || s.Load != load || s.Runner != name {
			continue
		}
		if v, ok := figure(s); ok {
			values[s.Round] = v
		} else {
			whole = false
		}
	}
	return values, whole
}

// Absolute returns the spread of a figure, or false if there is none.
func (r *Report) Absolute(procs int, load, name string, figure Figure) (figures.Spread, bool) {
	values, _ := r.rounds(procs, load, name, figure)
	return values.Spread()
}

// Ratio returns the spread of a figure divided by that of the baseline in the
// same round. A runner that failed in any round has none: the other rounds alone
// would flatter it.
func (r *Report) Ratio(procs int, load, name string, figure Figure) (figures.Spread, bool) {
	base, _ := r.rounds(procs, load, runner.Baseline, figure)
	values, whole := r.rounds(procs, load, name, figure)
	s, ok := values.Over(base)
	return s, ok && whole
}

// Peers returns the names of the runners other than the baseline and the
// subject.
func (r *Report) Peers() []string {
	var names []string
	for _, c := range r.Runners {
		if c.Name != runner.Baseline && c.Name != runner.Subject {
			names = append(names, c.Name)
		}
	}
	return names
}

// Best returns the runner with the highest median ratio of rates, or "".
func (r *Report) Best(procs int, load string, names []string) (best string, spread figures.Spread) {
	for _, name := range names {
		if s, ok := r.Ratio(procs, load, name, Rate); ok && (best == "" || s.Median > spread.Median) {
			best, spread = name, s
		}
	}
	return best, spread
}

// Percentile returns the median over the passes of one percentile, or over the
// rounds if the load measures delays.
func (r *Report) Percentile(procs int, load, name string, of func(Delays) time.Duration) (time.Duration, bool) {
	var values []float64
	for _, l := range r.Latencies {
		if l.Procs == procs && l.Load == load && l.Runner == name && l.Failed == "" {
			values = append(values, float64(of(l.Delays)))
		}
	}
	s, ok := figures.Summarize(values)
	if !ok {
		s, ok = r.Absolute(procs, load, name, Delayed(of))
	}
	return time.Duration(s.Median), ok
}
