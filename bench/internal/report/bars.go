package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/runner"
)

// leastRatio is where the axis of the ratios begins. Smaller ratios are drawn
// there.
const leastRatio = 1.0 / 16

// bars is the plot of the ratio by load: a bar for the subject, one for the
// best peer, and a dot for each of the others. The loads stand group by group,
// each under a row with the name of the group.
type bars struct {
	rows   []string // from the bottom up; empty where a group's name stands
	groups plotter.XYLabels
	at     []float64 // the rows of the loads
	own    []figures.Spread
	best   []figures.Spread
	labels []string // of the best peers
	others plotter.XYs
}

func (r *Report) bars(procs int) bars {
	var b bars
	for i := len(r.Loads) - 1; i >= 0; i-- {
		l := r.Loads[i]
		if l.Watched() {
			continue // its figures are delays
		}
		r.addRow(&b, procs, l.Name)
		if first := i == 0 || r.Loads[i-1].Group != l.Group; first && l.Group != "" {
			b.heading(string(l.Group))
		}
	}
	return b
}

func (r *Report) addRow(b *bars, procs int, load string) {
	own, ok := r.Ratio(procs, load, runner.Subject, Rate)
	best, peer := r.Best(procs, load, r.Peers())
	if !ok || best == "" {
		return
	}
	row := float64(len(b.rows))
	b.rows = append(b.rows, load)
	b.at = append(b.at, row)
	b.own = append(b.own, own)
	b.best = append(b.best, peer)
	b.labels = append(b.labels, best)
	for _, name := range r.Peers() {
		if s, ok := r.Ratio(procs, load, name, Rate); ok && name != best {
			b.others = append(b.others, plotter.XY{X: max(s.Median, leastRatio), Y: row})
		}
	}
}

// heading adds a row for the name of a group, if the group has rows.
func (b *bars) heading(group string) {
	if n := len(b.rows); n == 0 || b.rows[n-1] == "" {
		return
	}
	b.groups.XYs = append(b.groups.XYs, plotter.XY{X: leastRatio, Y: float64(len(b.rows))})
	b.groups.Labels = append(b.groups.Labels, group)
	b.rows = append(b.rows, "")
}

// RatioPlot returns the ratio by load as SVG, or nil if there is nothing to
// compare.
func (r *Report) RatioPlot(procs int) []byte {
	b := r.bars(procs)
	if len(b.at) == 0 {
		return nil
	}
	// A label of a logarithmic axis would take room at its right end, so the title
	// stands in for it.
	p := newPlot(fmt.Sprintf("Tasks per second relative to a bare go statement (GOMAXPROCS %d, to the right is better)\n"+
		"medians of %d rounds; thin lines: smallest to largest", procs, r.Settings.Rounds))
	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker = plot.TickerFunc(ratioTicks)
	p.NominalY(b.rows...)
	p.Add(&plotter.Grid{Vertical: thin})
	b.add(p)
	p.X.Min, p.X.Max = leastRatio, b.reach()
	// The legend stands above the first load.
	p.Y.Min, p.Y.Max = -0.6, float64(len(b.rows))+1.8
	p.Legend.Top = true
	height := vg.Points(90) + vg.Length(len(b.rows)+2)*vg.Points(22)
	return render([]*plot.Plot{p}, height, r.Machine.Place())
}

// ratioTicks marks the powers of two in the range.
func ratioTicks(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	for v := math.Exp2(math.Ceil(math.Log2(least))); v <= most; v *= 2 {
		label := fmt.Sprintf("%g", v)
		if v < 1 {
			label = fmt.Sprintf("1/%g", 1/v)
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: label})
	}
	return ticks
}

// add puts everything into the plot.
func (b bars) add(p *plot.Plot) {
	const offset = 4.5
	addNamed(p, runner.Subject, ratios{at: b.at, spreads: b.own, offset: vg.Points(offset), fill: blue})
	addNamed(p, "best peer", ratios{at: b.at, spreads: b.best, offset: vg.Points(-offset), fill: orange})
	if len(b.others) > 0 {
		ring := draw.GlyphStyle{Color: black, Radius: vg.Points(1.6), Shape: draw.RingGlyph{}}
		addNamed(p, "the other peers", &plotter.Scatter{XYs: b.others, GlyphStyle: ring})
	}
	b.addLabels(p, vg.Points(-offset))
	b.addGroups(p)
	addNamed(p, "a bare go statement", &plotter.Line{
		XYs:       plotter.XYs{{X: 1, Y: -0.6}, {X: 1, Y: float64(len(b.rows)) - 0.4}},
		LineStyle: draw.LineStyle{Color: black, Width: vg.Points(1.2), Dashes: []vg.Length{vg.Points(4), vg.Points(2)}},
	})
}

// addLabels writes the ratio of the subject and of the best peer, and its name,
// beside their bars.
func (b bars) addLabels(p *plot.Plot, offset vg.Length) {
	own, best := plotter.XYLabels{}, plotter.XYLabels{}
	for i, row := range b.at {
		own.XYs = append(own.XYs, plotter.XY{X: b.foot(b.own[i]), Y: row})
		own.Labels = append(own.Labels, figures.Decimal(b.own[i].Median))
		best.XYs = append(best.XYs, plotter.XY{X: b.foot(b.best[i]), Y: row})
		best.Labels = append(best.Labels, b.labels[i]+" "+figures.Decimal(b.best[i].Median))
	}
	addTexts(p, own, -offset, sans(7))
	addTexts(p, best, offset, sans(7))
}

// foot returns where the text beside a bar begins: behind the whisker, or
// behind the line at 1 that a bar to the left starts from.
func (b bars) foot(s figures.Spread) float64 { return min(max(s.Max, 1), b.reach()*0.6) }

// addGroups writes the names of the groups.
func (b bars) addGroups(p *plot.Plot) {
	bold := sans(9.5)
	bold.Weight = xfont.WeightBold
	addTexts(p, b.groups, 0, bold)
}

func addTexts(p *plot.Plot, at plotter.XYLabels, offset vg.Length, face font.Font) {
	style := draw.TextStyle{Font: face, Color: black, YAlign: draw.YCenter, Handler: plot.DefaultTextHandler}
	p.Add(beside{&plotter.Labels{
		XYs: at.XYs, Labels: at.Labels, TextStyle: slices.Repeat([]draw.TextStyle{style}, len(at.Labels)),
		Offset: vg.Point{X: vg.Points(5), Y: offset},
	}})
}

// beside draws texts for which the axis leaves room. The plotter alone would make the
// plot leave as much room again at its side.
type beside struct{ labels *plotter.Labels }

func (b beside) Plot(c draw.Canvas, p *plot.Plot) { b.labels.Plot(c, p) }

// reach is how far the axis goes. The medians decide: one disturbed round must
// not flatten all bars.
func (b bars) reach() float64 {
	largest := 1.0
	for i := range b.own {
		largest = max(largest, b.own[i].Median, b.best[i].Median)
	}
	return 3 * largest
}

// ratios draws bars that begin at 1, to the right of it where a runner is faster
// than the baseline and to the left where it is slower, and over each a thin
// line from the smallest to the largest value. The bars of the plotter package
// begin at 0, which a logarithmic axis does not have.
type ratios struct {
	at      []float64
	spreads []figures.Spread
	offset  vg.Length
	fill    color.Color
}

// thickness is the thickness of a bar.
const thickness = 8

func (s ratios) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	within := func(v float64) vg.Length { return x(min(max(v, leastRatio), p.X.Max)) }
	style := draw.LineStyle{Color: black, Width: vg.Points(0.7)}
	for i, spread := range s.spreads {
		at := y(s.at[i]) + s.offset
		low, high := at-vg.Points(thickness)/2, at+vg.Points(thickness)/2
		left, right := x(1), within(spread.Median)
		c.FillPolygon(s.fill, []vg.Point{{X: left, Y: low}, {X: right, Y: low}, {X: right, Y: high}, {X: left, Y: high}})
		c.StrokeLine2(style, within(spread.Min), at, within(spread.Max), at)
	}
}

// Thumbnail draws the mark of the legend.
func (s ratios) Thumbnail(c *draw.Canvas) {
	c.FillPolygon(s.fill, []vg.Point{
		{X: c.Min.X, Y: c.Min.Y}, {X: c.Max.X, Y: c.Min.Y}, {X: c.Max.X, Y: c.Max.Y}, {X: c.Min.X, Y: c.Max.Y},
	})
}
