package page

import (
	"math"
	"strconv"
	"time"
)

const (
	// plotWidth is the width of a plot in its own units; it is drawn as wide as
	// there is room. Heights are pixels, so that letters are not stretched.
	plotWidth = 1000

	// gap is the time between two samples from which the line is broken: what was in
	// between is not known.
	gap = 15 * time.Second
)

// A plot is a diagram over time: bands one above the other, with one time axis.
type plot struct {
	ID     string // unique on the page
	Title  string
	Span   string // of time, in words
	Empty  string // said where there is no line
	EmptyY int    // of what it says
	Bottom int    // where the last band ends
	Height int    // pixels, with the axis
	AxisY  int    // of the letters below
	Bands  []band
	Times  []tick
	Points string // for the script: see points
	Span10 int64  // of time, in tenths of a second
}

// A band is a strip of a plot with one vertical scale.
type band struct {
	Y, Height int // pixels
	Ticks     []tick
	Lines     []line
}

// A line is one series.
type line struct {
	Name string
	Now  string
	Area string // a path to fill, or ""
	Path string // a path to stroke
}

// A tick is a mark on an axis with its letters.
type tick struct {
	Label string
	Y     float64
	X     string
	At    string // text-anchor
}

// A series is a line before it has a scale: a value for each sample, NaN where
// none is known.
type series struct {
	name   string
	values []float64
	on     []float64 // what it is stacked on, or nil
	sign   float64   // -1: drawn downwards
	whole  bool      // a count rather than a rate
	sparse bool      // not drawn where it stays 0
}

// has reports whether there is a value to draw at i.
func (s series) has(i int) bool {
	v := s.values[i]
	if !s.sparse || v != 0 {
		return !math.IsNaN(v)
	}
	return i > 0 && s.values[i-1] > 0 || i+1 < len(s.values) && s.values[i+1] > 0
}

// A timeline says where samples lie on the horizontal axis.
type timeline struct {
	span time.Duration
	x    []float64
	join []bool // whether a line leads to the sample from the one before
}

// newTimeline chooses the shortest span that shows all samples: a page that was
// just opened is not nine tenths empty.
func newTimeline(samples []sample) timeline {
	now, age := samples[len(samples)-1].at, samples[len(samples)-1].at-samples[0].at
	t := timeline{span: window, x: make([]float64, len(samples)), join: make([]bool, len(samples))}
	for _, span := range []time.Duration{5 * time.Minute, 2 * time.Minute, time.Minute} {
		if age <= span {
			t.span = span
		}
	}
	for i, s := range samples {
		t.x[i] = plotWidth * (1 - float64(now-s.at)/float64(t.span))
		t.join[i] = i > 0 && s.at-samples[i-1].at < gap
	}
	return t
}

func (t timeline) words() string {
	if t.span == time.Minute {
		return "last minute"
	}
	return "last " + duration(t.span)
}

func (t timeline) ticks() []tick {
	half := "−" + duration(t.span/2)
	return []tick{
		{Label: "−" + duration(t.span), X: "0", At: "start"},
		{Label: half, X: "50%", At: "middle"},
		{Label: "now", X: "100%", At: "end"},
	}
}

// draw gives the series a common scale within a strip of the plot. Those that are
// drawn downwards have a strip of their own.
func (t timeline) draw(y, height, maxTicks int, all ...series) band {
	b := band{Y: y, Height: height}
	top, width := scale(highest(all), maxTicks)
	low, high := 0.0, top
	if all[0].sign < 0 {
		low, high = -top, 0
	}
	at := func(v float64) float64 { return float64(height) * (high - v) / top }
	for v := low; v <= high+width/2; v += width {
		t := tick{Y: float64(y) + at(v)}
		if v != 0 { // a 0 would lie on the lines, and goes without saying
			t.Label = short(math.Abs(v))
		}
		b.Ticks = append(b.Ticks, t)
	}
	for _, s := range all {
		b.Lines = append(b.Lines, t.line(s, at))
	}
	return b
}

// highest returns the largest value of all series, on top of what they stand on, or 0.
// It does not call max: the larger of a number and NaN is NaN.
func highest(all []series) float64 {
	highest := 0.0
	for _, s := range all {
		for i, v := range s.values {
			if v += base(s.on, i); v > highest {
				highest = v
			}
		}
	}
	return highest
}

// scale returns the top of a scale that holds the value, and the width of its at
// most maxTicks steps: of few figures, and at least 1.
func scale(value float64, maxTicks int) (top, width float64) {
	figures := []float64{1, 2, 5}
	if maxTicks == 1 { // a single step needs no round half
		figures = []float64{1, 1.5, 2, 3, 4, 6, 8}
	}
	for power := 1.0; ; power *= 10 {
		for _, figure := range figures {
			width = figure * power
			if n := max(1, math.Ceil(value/width)); n <= float64(maxTicks) {
				return n * width, width
			}
		}
	}
}

// line builds the paths of a series. A sample without a neighbour becomes a dot:
// a line of no length has round ends.
func (t timeline) line(s series, at func(float64) float64) line {
	l := line{Name: s.name, Now: "–"}
	top := func(i int) float64 { return at(s.sign * (s.values[i] + base(s.on, i))) }
	bottom := func(i int) float64 { return at(s.sign * base(s.on, i)) }
	var path, area []byte
	for from := 0; from < len(s.values); {
		to := from + 1
		if !s.has(from) {
			from = to
			continue
		}
		for to < len(s.values) && t.join[to] && s.has(to) {
			to++
		}
		before := len(path)
		path = appendPoint(path, 'M', t.x[from], top(from))
		for i := from + 1; i < to; i++ {
			path = appendPoint(path, 'L', t.x[i], top(i))
		}
		area = append(area, path[before:]...)
		if to == from+1 {
			path = append(path, "h.01"...)
		}
		for i := to - 1; i >= from; i-- {
			area = appendPoint(area, 'L', t.x[i], bottom(i))
		}
		area = append(area, 'Z')
		from = to
	}
	l.Path, l.Area = string(path), string(area)
	if last := s.values[len(s.values)-1]; s.whole {
		l.Now = comma(int64(last))
	} else if !math.IsNaN(last) {
		l.Now = perSecond(last)
	}
	return l
}

func base(on []float64, i int) float64 {
	if on == nil {
		return 0
	}
	return on[i]
}

func appendPoint(b []byte, command byte, x, y float64) []byte {
	b = append(b, command)
	b = strconv.AppendFloat(b, math.Round(x*10)/10, 'f', -1, 64)
	b = append(b, ' ')
	return strconv.AppendFloat(b, math.Round(y*10)/10, 'f', -1, 64)
}

// points returns the values for the script: for each sample its place and its values,
// separated by spaces. A semicolon separates samples.
func (t timeline) points(all ...series) string {
	var b []byte
	for i, x := range t.x {
		if i > 0 {
			b = append(b, ';')
		}
		b = strconv.AppendFloat(b, math.Round(x*10)/10, 'f', -1, 64)
		for _, s := range all {
			b = append(b, ' ')
			if v := s.values[i]; math.IsNaN(v) {
				b = append(b, '-')
			} else {
				b = strconv.AppendFloat(b, math.Round(v*10)/10, 'f', -1, 64)
			}
		}
	}
	return string(b)
}
