package report

import (
	"fmt"
	"time"
)

func orNothing(text string, ok bool) string {
	if !ok {
		return nothing
	}
	return text
}

func ratio(v float64, ok bool) string { return orNothing(decimal(v), ok) }

func decimal(v float64) string { return fmt.Sprintf("%.2f", v) }

func whole(v float64) string { return fmt.Sprintf("%.0f", v) }

func kibibytes(v float64) string { return fmt.Sprintf("%.0f KiB", v/(1<<10)) }

// count writes a large number with three digits or so, in thousands.
func count(v float64) string {
	switch {
	case v >= 10e6:
		return fmt.Sprintf("%.1f M", v/1e6)
	case v >= 1e6:
		return fmt.Sprintf("%.2f M", v/1e6)
	default:
		return fmt.Sprintf("%.0f k", v/1e3)
	}
}

// nanoseconds writes a duration with three digits or so.
func nanoseconds(v float64) string {
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
