package figures

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"
	"gonum.org/v1/gonum/stat"
)

// A Spread is what the rounds say about one figure.
type Spread struct {
	Median, Min, Max float64
	N                int
}

// Median, Least and Most pick a number of a spread.
func Median(s Spread) float64 { return s.Median }
func Least(s Spread) float64  { return s.Min }
func Most(s Spread) float64   { return s.Max }

// Summarize returns the spread of the values, or false if there is none. The median of an
// even number of values is the mean of the middle two.
func Summarize(values []float64) (Spread, bool) {
	if len(values) == 0 {
		return Spread{}, false
	}
	s := benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
	median := benchmath.AssumeNothing.Summary(s, 0.95).Center
	return Spread{Median: median, Min: s.Values[0], Max: s.Values[len(values)-1], N: len(values)}, true
}

// Rounds are the values of a figure by round.
type Rounds map[int]float64

// Spread summarizes the rounds, or returns false if there is none.
func (r Rounds) Spread() (Spread, bool) { return Summarize(slices.Collect(maps.Values(r))) }

// Over summarizes the ratios to the base of the same round. A round in which the base is
// missing, or 0, has none.
func (r Rounds) Over(base Rounds) (Spread, bool) {
	ratios := Rounds{}
	for round, v := range r {
		if b := base[round]; b != 0 {
			ratios[round] = v / b
		}
	}
	return ratios.Spread()
}

// Quantiles returns the given quantiles of the durations: each is the smallest value that
// is not below the given share of all. Without durations all are 0.
func Quantiles(durations []time.Duration, quantiles ...float64) []time.Duration {
	result := make([]time.Duration, len(quantiles))
	if len(durations) == 0 {
		return result
	}
	sorted := make([]float64, len(durations))
	for i, d := range durations {
		sorted[i] = float64(d)
	}
	slices.Sort(sorted)
	for i, q := range quantiles {
		result[i] = time.Duration(stat.Quantile(q, stat.Empirical, sorted, nil))
	}
	return result
}

// Decimal writes a ratio.
func Decimal(v float64) string { return fmt.Sprintf("%.2f", v) }

// Whole writes a number without decimals.
func Whole(v float64) string { return fmt.Sprintf("%.0f", v) }

// Kibibytes writes bytes in KiB.
func Kibibytes(v float64) string { return fmt.Sprintf("%.0f KiB", v/(1<<10)) }

// Nanoseconds writes a duration with three digits or so.
func Nanoseconds(v float64) string {
	d := time.Duration(v)
	switch {
	case d < time.Microsecond:
		return d.String()
	case d < 100*time.Microsecond:
		return d.Round(100 * time.Nanosecond).String()
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(100 * time.Microsecond).String()
	}
}
