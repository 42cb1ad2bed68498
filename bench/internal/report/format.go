package report

import (
	"fmt"

	"example.com/hemlock/internal/figures"
)

func orNothing(text string, ok bool) string {
	if !ok {
		return nothing
	}
	return text
}

func ratio(v float64, ok bool) string { return orNothing(figures.Decimal(v), ok) }

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
