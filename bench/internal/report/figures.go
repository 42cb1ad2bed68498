package report

import (
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"example.com/hemlock/bench/internal/runner"
	"example.com/hemlock/internal/figures"
)

// Percentiles returns the given quantiles of the durations: each is the smallest
// value that is not below the given share of all.
func Percentiles(durations []time.Duration, quantiles ...float64) []time.Duration {
	sorted := make([]float64, len(durations))
	for i, d := range durations {
		sorted[i] = float64(d)
	}
	slices.Sort(sorted)
	result := make([]time.Duration, len(quantiles))
	for i, q := range quantiles {
		result[i] = time.Duration(stat.Quantile(q, stat.Empirical, sorted, nil))
	}
	return result
}

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

// samples returns what the runner did at the load, round by round.
func (r *Report) samples(procs int, load, name string) []Sample {
	var found []Sample
	for _, s := range r.Samples {
		if s.Procs == procs && s.Load == load && s.Runner == name {
			found = append(found, s)
		}
	}
	return found
}

// Absolute returns the spread of a figure, or false if there is none.
func (r *Report) Absolute(procs int, load, name string, figure Figure) (figures.Spread, bool) {
	var values []float64
	for _, s := range r.samples(procs, load, name) {
		if v, ok := figure(s); ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return figures.Spread{}, false
	}
	return figures.Summarize(values), true
}

// Ratio returns the spread of a figure divided by that of the baseline in the
// same round. A runner that failed in any round has none: the other rounds alone
// would flatter it.
func (r *Report) Ratio(procs int, load, name string, figure Figure) (figures.Spread, bool) {
	base := map[int]float64{}
	for _, s := range r.samples(procs, load, runner.Baseline) {
		if v, ok := figure(s); ok {
			base[s.Round] = v
		}
	}
	var values []float64
	for _, s := range r.samples(procs, load, name) {
		v, ok := figure(s)
		if !ok {
			return figures.Spread{}, false
		}
		if b, ok := base[s.Round]; ok {
			values = append(values, v/b)
		}
	}
	if len(values) == 0 {
		return figures.Spread{}, false
	}
	return figures.Summarize(values), true
}

// Failure returns why the runner has no figure at the load, or "".
func (r *Report) Failure(procs int, load, name string) string {
	for _, s := range r.samples(procs, load, name) {
		if s.Failed != "" {
			return s.Failed
		}
	}
	return ""
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
	if len(values) == 0 {
		s, ok := r.Absolute(procs, load, name, Delayed(of))
		return time.Duration(s.Median), ok
	}
	return time.Duration(figures.Summarize(values).Median), true
}
