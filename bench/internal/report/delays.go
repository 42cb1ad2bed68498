package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/runner"
	"example.com/hemlock/internal/figures"
)

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

// writeDelays writes the delays of the loads that measure them.
func (r *Report) writeDelays(b *strings.Builder, procs int) {
	if !slices.ContainsFunc(r.Loads, func(l load.Load) bool { return l.Watched() }) {
		return
	}
	for _, p := range append(slices.Clone(percentiles), percentile{name: "largest", of: Max}) {
		r.writeDelay(b, procs, "Delay, "+p.name, "Of the bystander of a burst; at a fixed rate from when a task was due to its end.", Delayed(p.of))
		r.writeDelay(b, procs, "Delay to the start, "+p.name, "From when a task was due to its first instruction.", StartDelayed(p.of))
	}
}

// writeDelay writes one figure of the delays: the time, and at fixed rates, where all
// runners have the same arrivals, the ratio.
func (r *Report) writeDelay(b *strings.Builder, procs int, title, text string, figure Figure) {
	r.section(b, title+r.at(procs), text+" Medians of the rounds.", r.heads(), func(l load.Load) table.Row {
		return r.row(l, func(name string) (string, bool) {
			s, ok := r.Absolute(procs, l.Name, name, figure)
			return figures.Nanoseconds(s.Median), ok
		})
	})
	r.section(b, title+", ratio"+r.at(procs), "The same relative to a bare `go` statement in the same round, medians.",
		r.heads(), func(l load.Load) table.Row {
			if l.Group != load.FixedRate {
				return nil
			}
			return r.row(l, func(name string) (string, bool) {
				s, ok := r.Ratio(procs, l.Name, name, figure)
				return figures.Decimal(s.Median), ok
			})
		})
}

// NeighboursPlot returns the delays of all bystanders of one burst as SVG, a panel
// for each, or nil if none was measured.
func (r *Report) NeighboursPlot(procs int) ([]byte, error) {
	var panels []*plot.Plot
	shown := r.shown()
	for _, l := range r.Loads {
		if l.Bystander == "" || !strings.HasPrefix(l.Name, shown) {
			continue
		}
		p, err := r.spans(procs, l.Name, l.Name)
		if err != nil {
			return nil, err
		}
		if p != nil {
			panels = append(panels, p)
		}
	}
	rows := tile(panels)
	return r.tiled(rows, vg.Length(len(rows))*r.spansHeight())
}

// burst begins the names of the loads that the documentation shows.
const burst = "4,000 x 50 us from 1:"

// shown begins the names of the loads that are plotted: those of burst, or of the first
// burst that was measured.
func (r *Report) shown() string {
	first := ""
	for _, l := range r.Loads {
		switch {
		case strings.HasPrefix(l.Name, burst):
			return burst
		case first == "" && l.Bystander != "":
			first = strings.TrimSuffix(l.Name, string(l.Bystander))
		}
	}
	return first
}

// RatePlot returns the 99th percentile of the delay by rate as SVG, a panel for
// each kind of load of which two rates were measured, or nil if there is none.
func (r *Report) RatePlot(procs int) ([]byte, error) {
	kinds := map[string]int{}
	var order []string
	for _, l := range r.Loads {
		if _, measured := r.Percentile(procs, l.Name, runner.Baseline, P99); measured && l.Group == load.FixedRate {
			if kinds[kind(l)]++; kinds[kind(l)] == 2 {
				order = append(order, kind(l))
			}
		}
	}
	var panels []*plot.Plot
	for i, kind := range order {
		p, err := r.byRate(procs, kind, i == 0)
		if err != nil {
			return nil, err
		}
		panels = append(panels, p)
	}
	rows := tile(panels)
	return r.tiled(rows, vg.Length(len(rows))*vg.Points(220))
}

// kind is the name of a load without its rate.
func kind(l load.Load) string { return strings.TrimSuffix(l.Name, fmt.Sprintf(", %d %%", l.Rate)) }

func (r *Report) byRate(procs int, of string, legend bool) (*plot.Plot, error) {
	p := newPlot(of)
	p.X.Label.Text = "percent of what go manages"
	p.Y.Label.Text = "p99 from due to end"
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker = plot.TickerFunc(durationTicks)
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.TextStyle.Font = sans(8)
	p.Add(grid(false, true))
	var ticks plot.ConstantTicks
	for _, rate := range load.Rates {
		ticks = append(ticks, plot.Tick{Value: float64(rate), Label: strconv.Itoa(rate)})
	}
	p.X.Tick.Marker = ticks
	for _, c := range slices.Backward(r.Runners) {
		var points plotter.XYs
		for _, l := range r.Loads {
			if d, ok := r.Percentile(procs, l.Name, c.Name, P99); ok && l.Group == load.FixedRate && kind(l) == of {
				points = append(points, plotter.XY{X: float64(l.Rate), Y: float64(max(d, 1))})
			}
		}
		if err := r.addLine(p, c.Name, points, legend); err != nil {
			return nil, err
		}
	}
	p.Y.Min = math.Pow(10, math.Floor(math.Log10(p.Y.Min)))
	p.Y.Max = math.Pow(10, math.Ceil(math.Log10(p.Y.Max)))
	return p, nil
}
