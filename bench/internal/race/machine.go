package race

import (
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
)

func machine() report.Machine {
	return report.Machine{
		Go:      runtime.Version(),
		OS:      runtime.GOOS,
		Arch:    runtime.GOARCH,
		CPU:     cpuid.CPU.BrandName,
		CPUs:    runtime.NumCPU(),
		Date:    time.Now().UTC().Truncate(time.Second),
		Command: strings.Join(append([]string{"go run ./bench"}, os.Args[1:]...), " "),
		Clock:   clockCost(),
		Pace:    load.Pace(),
	}
}

// clockCost returns what one reading of the clock costs: the best of several
// attempts, because the others were interrupted.
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
