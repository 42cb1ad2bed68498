package race

import (
	"context"
	"errors"
	"runtime"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

// attempts is how often saturate measures a load. The median counts.
const attempts = 5

// saturate returns, for each kind of task of the loads with a rate, how many of
// them the baseline manages in a second.
func (r *Race) saturate(ctx context.Context) (map[load.Load]float64, error) {
	full := map[load.Load]float64{}
	for _, l := range r.Loads {
		at := l.Saturating()
		if l.Rate == 0 || full[at] > 0 {
			continue
		}
		var rates []float64
		for range attempts {
			s := r.measure(ctx, at, runner.All()[0])
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if s.Failed != "" {
				return nil, errors.New(s.Failed)
			}
			rate, _ := report.Rate(s)
			rates = append(rates, rate)
		}
		median, _ := figures.Summarize(rates)
		full[at] = median.Median
		r.report.Saturations = append(r.report.Saturations, report.Saturation{
			Load: l.Name, Procs: runtime.GOMAXPROCS(0), PerSecond: full[at],
		})
	}
	return full, nil
}
