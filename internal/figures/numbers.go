package figures

import (
	"fmt"
	"slices"
	"time"
)

// A Spread is what the rounds say about one figure.
type Spread struct {
	Median, Min, Max float64
	N                int
}

// Summarize returns the spread of the values, of which there must be at least one.
// The median of an even number of values is the mean of the middle two.
func Summarize(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return Spread{
		Median: (sorted[(n-1)/2] + sorted[n/2]) / 2,
		Min:    sorted[0],
		Max:    sorted[n-1],
		N:      n,
	}
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
