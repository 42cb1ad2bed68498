package report

import (
	"image/color"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// latencyLoads are the loads whose latencies are plotted: a pool at rest and a
// busy one.
var latencyLoads = []string{"empty, 1 caller", "8 KiB, 64 callers"}

// A percentile is a mark on a span.
type percentile struct {
	name  string
	of    func(Delays) time.Duration
	shape draw.GlyphDrawer
	fill  color.Color
}

// percentiles are the marks on a span, from the left to the right.
var percentiles = []percentile{
	{"p50", P50, draw.CircleGlyph{}, blue},
	{"p99", P99, draw.PyramidGlyph{}, orange},
	{"p99.9", P999, draw.BoxGlyph{}, hues[1]},
}

// LatencyPlot returns the latencies as SVG, a panel for each of two loads, or
// nil if none of them was measured.
func (r *Report) LatencyPlot(procs int) []byte {
	var panels []*plot.Plot
	for _, load := range latencyLoads {
		if p := r.spans(procs, load, "From Submit to the task: "+load); p != nil {
			panels = append(panels, p)
		}
	}
	if len(panels) == 0 {
		return nil
	}
	return render(panels, vg.Points(90)+vg.Length(len(r.Runners))*vg.Points(17), r.Machine.Place())
}

// spans returns one panel: for each runner the percentiles, joined by a line.
func (r *Report) spans(procs int, load, title string) *plot.Plot {
	p := newPlot(title)
	p.X.Label.Text = "lower is better"
	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker = plot.TickerFunc(durationTicks)
	p.Legend.TextStyle.Font = sans(8.5)
	p.Legend.Top = true
	p.Add(&plotter.Grid{Vertical: thin})
	var names []string
	marks := make([]plotter.XYs, len(percentiles))
	for _, c := range slices.Backward(r.Runners) {
		span := r.span(procs, load, c.Name, float64(len(names)))
		if span == nil {
			continue
		}
		names = append(names, c.Name)
		for i, at := range span {
			marks[i] = append(marks[i], at)
		}
		p.Add(&plotter.Line{XYs: span, LineStyle: draw.LineStyle{Color: grey, Width: vg.Points(1)}})
	}
	if len(names) == 0 {
		return nil
	}
	p.NominalY(names...)
	p.Y.Min, p.Y.Max = -0.6, float64(len(names))+1.4
	p.X.Min = math.Pow(10, math.Floor(math.Log10(p.X.Min)))
	p.X.Max = math.Pow(10, math.Ceil(math.Log10(p.X.Max)))
	for i, at := range percentiles {
		style := draw.GlyphStyle{Color: at.fill, Radius: vg.Points(3), Shape: at.shape}
		addNamed(p, at.name, &plotter.Scatter{XYs: marks[i], GlyphStyle: style})
	}
	return p
}

func (r *Report) span(procs int, load, name string, row float64) plotter.XYs {
	var span plotter.XYs
	for _, percentile := range percentiles {
		d, ok := r.Percentile(procs, load, name, percentile.of)
		if !ok {
			return nil
		}
		span = append(span, plotter.XY{X: float64(max(d, 1)), Y: row})
	}
	return span
}

// durationTicks marks the powers of ten in the range.
func durationTicks(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	for exponent := math.Floor(math.Log10(least)); exponent <= math.Ceil(math.Log10(most)); exponent++ {
		value := math.Pow(10, exponent)
		ticks = append(ticks, plot.Tick{Value: value, Label: time.Duration(value).String()})
	}
	return ticks
}
