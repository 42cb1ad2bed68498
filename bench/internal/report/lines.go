package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"example.com/hemlock/bench/internal/runner"
)

// byDepth is the scale of stack depths: even steps for doublings, and with
// room for 0.
func byDepth(kib float64) float64 { return math.Log2(1 + kib) }

// DepthPlot returns the ratio by stack depth as SVG, with the break-even
// marked, or nil if fewer than two depths were measured.
func (r *Report) DepthPlot(procs int) []byte {
	depths := r.Depths(procs, runner.Subject)
	if len(depths) < 2 {
		return nil
	}
	p := newPlot(fmt.Sprintf("Tasks per second relative to a bare go statement, by stack depth (GOMAXPROCS %d, %d callers)", procs, depthCallers))
	p.X.Label.Text = "KiB of stack that a task uses"
	p.Y.Label.Text = fmt.Sprintf("ratio, median of %d rounds", r.Settings.Rounds)
	p.X.Tick.Marker = depthTicks(depths)
	p.Y.Min = 0
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs = vg.Points(8)
	p.Add(&plotter.Grid{Horizontal: thin})
	for _, c := range slices.Backward(r.Runners) {
		r.addDepths(p, procs, c.Name)
	}
	addBreakEven(p, depths)
	return render([]*plot.Plot{p}, vg.Points(340), r.Machine.Place())
}

func depthTicks(depths []Depth) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, d := range depths {
		ticks = append(ticks, plot.Tick{Value: byDepth(float64(d.KiB)), Label: strconv.Itoa(d.KiB)})
	}
	return ticks
}

// addDepths draws one runner. The points between two depths lie on a straight
// line in KiB, which is a curve on this scale: the same line that the
// break-even is interpolated on.
func (r *Report) addDepths(p *plot.Plot, procs int, name string) {
	const steps = 16
	depths := r.Depths(procs, name)
	var line plotter.XYs
	for i := 1; i < len(depths); i++ {
		a, b := depths[i-1], depths[i]
		for step := range steps + 1 {
			share := float64(step) / steps
			kib := float64(a.KiB) + share*float64(b.KiB-a.KiB)
			line = append(line, plotter.XY{X: byDepth(kib), Y: a.Ratio + share*(b.Ratio-a.Ratio)})
		}
	}
	if len(line) > 0 {
		addNamed(p, name, &plotter.Line{XYs: line, LineStyle: r.line(name)})
	}
}

// addBreakEven marks where the subject becomes faster than the baseline.
func addBreakEven(p *plot.Plot, depths []Depth) {
	kib, ok := BreakEven(depths)
	if !ok || kib == 0 {
		return
	}
	foot := plotter.XY{X: byDepth(kib), Y: 0}
	p.Add(&plotter.Line{
		XYs:       plotter.XYs{foot, {X: foot.X, Y: 1}},
		LineStyle: draw.LineStyle{Color: blue, Width: vg.Points(1.5), Dashes: []vg.Length{vg.Points(2), vg.Points(2)}},
	}, &plotter.Labels{
		XYs:       plotter.XYs{foot},
		Labels:    []string{fmt.Sprintf("%s breaks even with go at %.1f KiB", runner.Subject, kib)},
		TextStyle: []draw.TextStyle{{Font: sans(9.5), Color: blue, Handler: plot.DefaultTextHandler}},
		Offset:    vg.Point{X: vg.Points(6), Y: vg.Points(5)},
	})
}
