package report

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"example.com/hemlock/bench/internal/runner"
)

// bars is the plot of the ratio by load: a bar for the subject, one for the
// best peer, and a dot for each of the others.
type bars struct {
	names  []string // of the loads, from the bottom up
	own    []Spread
	best   []Spread
	labels []string // of the best peers
	others plotter.XYs
}

func (r *Report) bars(procs int) bars {
	var b bars
	for i := len(r.Loads) - 1; i >= 0; i-- {
		load := r.Loads[i].Name
		own, ok := r.Ratio(procs, load, runner.Subject, Rate)
		best, peer := r.Best(procs, load, r.Peers())
		if !ok || best == "" {
			continue
		}
		row := float64(len(b.names))
		b.names = append(b.names, load)
		b.own = append(b.own, own)
		b.best = append(b.best, peer)
		b.labels = append(b.labels, best)
		for _, name := range r.Peers() {
			if s, ok := r.Ratio(procs, load, name, Rate); ok && name != best {
				b.others = append(b.others, plotter.XY{X: s.Median, Y: row})
			}
		}
	}
	return b
}

// RatioPlot returns the ratio by load as SVG, or nil if there is nothing to
// compare.
func (r *Report) RatioPlot(procs int) ([]byte, error) {
	b := r.bars(procs)
	if len(b.names) == 0 {
		return nil, nil
	}
	p := newPlot(fmt.Sprintf("Tasks per second relative to a bare go statement (GOMAXPROCS %d, higher is better)", procs))
	p.X.Label.Text = fmt.Sprintf("median of %d rounds; thin lines: smallest to largest", r.Settings.Rounds)
	p.NominalY(b.names...)
	p.Add(grid(true, false))
	if err := b.add(p); err != nil {
		return nil, err
	}
	p.X.Min, p.X.Max = 0, b.reach()
	p.Y.Min, p.Y.Max = -0.6, float64(len(b.names))-0.4
	p.Legend.Top = true // the first loads have the shortest bars
	height := vg.Points(90) + vg.Length(len(b.names))*vg.Points(28)
	return render([][]*plot.Plot{{p}}, height, r.caption())
}

// add puts everything into the plot.
func (b bars) add(p *plot.Plot) error {
	const offset = 5
	if err := addBars(p, b.own, vg.Points(offset), blue, runner.Subject); err != nil {
		return err
	}
	if err := addBars(p, b.best, vg.Points(-offset), orange, "best peer"); err != nil {
		return err
	}
	if err := b.addOthers(p); err != nil {
		return err
	}
	if err := b.addLabels(p, vg.Points(-offset)); err != nil {
		return err
	}
	one, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.6}, {X: 1, Y: float64(len(b.names)) - 0.4}})
	if err != nil {
		return err
	}
	one.LineStyle = draw.LineStyle{Color: black, Width: vg.Points(1.2), Dashes: []vg.Length{vg.Points(4), vg.Points(2)}}
	p.Add(one)
	p.Legend.Add("a bare go statement", one)
	return nil
}

func addBars(p *plot.Plot, spreads []Spread, offset vg.Length, fill colour, name string) error {
	values := make(plotter.Values, len(spreads))
	for i, s := range spreads {
		values[i] = s.Median
	}
	chart, err := plotter.NewBarChart(values, vg.Points(9))
	if err != nil {
		return err
	}
	chart.Horizontal = true
	chart.Offset = offset
	chart.Color = fill
	chart.LineStyle.Width = 0
	p.Add(chart, whiskers{spreads: spreads, offset: offset})
	p.Legend.Add(name, chart)
	return nil
}

func (b bars) addOthers(p *plot.Plot) error {
	if len(b.others) == 0 {
		return nil
	}
	dots, err := plotter.NewScatter(b.others)
	if err != nil {
		return err
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: black, Radius: vg.Points(1.8), Shape: draw.RingGlyph{}}
	p.Add(dots)
	p.Legend.Add("the other peers", dots)
	return nil
}

// addLabels names the best peer beside its bar.
func (b bars) addLabels(p *plot.Plot, offset vg.Length) error {
	at := plotter.XYLabels{}
	for i, s := range b.best {
		at.XYs = append(at.XYs, plotter.XY{X: min(s.Max, b.reach()*0.85), Y: float64(i)})
		at.Labels = append(at.Labels, fmt.Sprintf("%s %.2f", b.labels[i], s.Median))
	}
	labels, err := plotter.NewLabels(at)
	if err != nil {
		return err
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i].Font = sans(7.5)
		labels.TextStyle[i].Color = black
		labels.TextStyle[i].YAlign = draw.YCenter
	}
	labels.Offset = vg.Point{X: vg.Points(5), Y: offset}
	p.Add(labels)
	return nil
}

// reach is how far the axis goes. The medians decide: one disturbed round must
// not flatten all bars.
func (b bars) reach() float64 {
	largest := 1.0
	for i := range b.own {
		largest = max(largest, b.own[i].Median, b.best[i].Median)
	}
	return 1.3 * largest
}

// whiskers draws a thin line from the smallest to the largest value of each
// bar, as far as the axis goes. The error bars of the plotter package cannot be
// moved off the middle of their group.
type whiskers struct {
	spreads []Spread
	offset  vg.Length
}

func (w whiskers) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.LineStyle{Color: black, Width: vg.Points(0.7)}
	for i, s := range w.spreads {
		at := y(float64(i)) + w.offset
		c.StrokeLine2(style, x(s.Min), at, x(min(s.Max, p.X.Max)), at)
	}
}
