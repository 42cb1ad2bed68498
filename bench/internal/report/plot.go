package report

import (
	"bytes"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/runner"
)

// width of every plot: that of a README's text.
const width = 830 * vg.Inch / 96

var (
	black  = color.Gray{Y: 0x20}
	grey   = color.Gray{Y: 0x9a}
	pale   = color.Gray{Y: 0xdd}
	blue   = color.RGBA{R: 0x00, G: 0x5a, B: 0xb5, A: 0xff}
	orange = color.RGBA{R: 0xe6, G: 0x8a, B: 0x00, A: 0xff}
)

// thin is a line of the grid.
var thin = draw.LineStyle{Color: pale, Width: vg.Points(0.5)}

// hues tell the peers apart, in their order.
var hues = []color.Color{
	orange,
	color.RGBA{R: 0xc0, G: 0x3a, B: 0x2b, A: 0xff},
	color.RGBA{R: 0x2e, G: 0x8b, B: 0x57, A: 0xff},
	color.RGBA{R: 0x8e, G: 0x44, B: 0xad, A: 0xff},
	color.RGBA{R: 0x16, G: 0xa0, B: 0xb0, A: 0xff},
	color.RGBA{R: 0xb0, G: 0x60, B: 0x20, A: 0xff},
	color.RGBA{R: 0xd8, G: 0x5f, B: 0xa0, A: 0xff},
	color.RGBA{R: 0x6b, G: 0x7a, B: 0x1e, A: 0xff},
	color.RGBA{R: 0x60, G: 0x70, B: 0x90, A: 0xff},
}

// line returns how a runner is drawn in a plot of lines.
func (r *Report) line(name string) draw.LineStyle {
	switch name {
	case runner.Baseline:
		return draw.LineStyle{Color: black, Width: vg.Points(1.5)}
	case runner.Subject:
		return draw.LineStyle{Color: blue, Width: vg.Points(3)}
	}
	i := slices.Index(r.Peers(), name)
	style := draw.LineStyle{Color: hues[max(i, 0)%len(hues)], Width: vg.Points(1.2)}
	if i%2 == 1 {
		style.Dashes = []vg.Length{vg.Points(5), vg.Points(2)}
	}
	return style
}

// A mark is drawn in a plot and in its legend. Marks and texts are made without the
// constructors of package plotter: these refuse what is not finite, which no ratio and no
// delay is.
type mark interface {
	plot.Plotter
	plot.Thumbnailer
}

// addNamed draws the mark and names it in the legend.
func addNamed(p *plot.Plot, name string, m mark) {
	p.Add(m)
	p.Legend.Add(name, m)
}

// newPlot returns an empty plot in the style of all.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle.Font = sans(12)
	p.Title.Padding = vg.Points(6)
	p.Legend.TextStyle.Font = sans(9.5)
	p.Legend.ThumbnailWidth = vg.Points(22)
	p.Legend.Padding = vg.Points(2)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = sans(10)
		axis.Tick.Label.Font = sans(10)
		axis.LineStyle.Color = grey
		axis.Tick.LineStyle.Color = grey
	}
	return p
}

func sans(points float64) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(points)}
}

// render draws plots side by side over the caption and returns the SVG.
func render(row []*plot.Plot, height vg.Length, caption string) []byte {
	canvas := vgsvg.New(width, height)
	all := draw.New(canvas)
	all.SetColor(color.White)
	all.Fill(all.Rectangle.Path())
	style := row[0].Title.TextStyle
	style.Font = sans(7.5)
	style.Color = grey
	style.XAlign, style.YAlign = draw.XCenter, draw.YBottom
	all.FillText(style, vg.Point{X: width / 2, Y: vg.Points(3)}, caption)

	tiles := draw.Tiles{
		Rows: 1, Cols: len(row),
		PadTop: vg.Points(6), PadBottom: vg.Points(18), PadLeft: vg.Points(6), PadRight: vg.Points(12),
		PadX: vg.Points(14), PadY: vg.Points(14),
	}
	canvases := plot.Align([][]*plot.Plot{row}, tiles, all)
	for i, p := range row {
		p.Draw(canvases[0][i])
	}
	var b bytes.Buffer
	_, _ = canvas.WriteTo(&b) // to write to a buffer does not fail
	return portable(b.Bytes())
}

// portable adds fonts of the same widths to the one that the plots are laid out
// with, which few browsers have.
func portable(svg []byte) []byte {
	return bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
}

// dark replaces the colours of the page, of texts, of lines and of the subject. A text
// without a colour is black.
var dark = strings.NewReplacer(
	"#FFFFFF", "#0D1117", "#202020", "#E6EDF3", "#DDDDDD", "#30363D", "#005AB5", "#58A6FF",
	"#8E44AD", "#BC8CFF", "#6B7A1E", "#A3B545", "#C03A2B", "#F47067",
	`viewBox=`, `fill="#E6EDF3" viewBox=`,
)

// Plots returns the plots that documents show: of a run at one number of processors,
// and with peers.
func (r *Report) Plots() []figures.File {
	if len(r.Settings.Procs) != 1 || len(r.Peers()) == 0 {
		return nil
	}
	var files []figures.File
	for _, p := range []struct {
		name string
		draw func(procs int) []byte
	}{{"ratio", r.RatioPlot}, {"depth", r.DepthPlot}, {"latency", r.LatencyPlot}} {
		svg := p.draw(r.Settings.Procs[0])
		if svg == nil {
			continue
		}
		files = append(files, figures.File{Name: p.name + ".svg", Data: svg})
		if p.name == "depth" { // for pages with a dark background too
			files = append(files, figures.File{Name: "depth-dark.svg", Data: []byte(dark.Replace(string(svg)))})
		}
	}
	return files
}
