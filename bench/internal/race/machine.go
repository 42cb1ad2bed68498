package race

import (
	"time"

	"github.com/klauspost/cpuid/v2"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/internal/figures"
)

func machine() report.Machine {
	return report.Machine{
		Machine: figures.Here("go run ./bench", cpuid.CPU.BrandName),
		Clock:   clockCost(),
		Pace:    load.Pace(),
	}
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
