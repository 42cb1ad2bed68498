package page

import (
	"fmt"
	"math"
	"slices"
	"time"

	"example.com/hemlock"
)

// The heights of plots, in pixels. The first is as high as the other two
// together, with what lies between them.
const (
	axisHeight   = 22
	workersBand  = 314
	waitingBand  = 76
	tasksBand    = 60
	turnoverBand = 36 // one for spawns, and one below for kills
	bandSpace    = 24
	topSpace     = 14 // for the letters of the uppermost tick
)

// gauge returns a count of each sample.
func gauge(name string, samples []sample, of func(hemlock.Stats) int64) series {
	s := series{name: name, sign: 1, whole: true}
	for _, each := range samples {
		s.values = append(s.values, float64(of(each.Stats)))
	}
	return s
}

// rate returns by how much a total rose each second between each sample and the
// one before, NaN where that is not known or long ago.
func rate(name string, samples []sample, of func(hemlock.Stats) int64) series {
	s := series{name: name, sign: 1}
	for i := range samples {
		v := math.NaN()
		if i > 0 {
			rise := of(samples[i].Stats) - of(samples[i-1].Stats)
			if elapsed := samples[i].at - samples[i-1].at; elapsed > 0 && elapsed < gap {
				v = float64(rise) / elapsed.Seconds()
			}
		}
		s.values = append(s.values, v)
	}
	return s
}

// columns are the series of the page.
type columns struct{ running, idle, waiting, tasks, spawns, kills series }

func columnsOf(list []sample) columns {
	return columns{
		running: gauge("running", list, func(s hemlock.Stats) int64 { return s.Running }),
		idle:    gauge("idle", list, func(s hemlock.Stats) int64 { return s.Idle }),
		waiting: gauge("waiting", list, func(s hemlock.Stats) int64 { return s.Waiting }),
		tasks:   rate("tasks", list, func(s hemlock.Stats) int64 { return s.Completed }),
		spawns:  rate("spawned", list, func(s hemlock.Stats) int64 { return s.Spawned }),
		kills:   rate("killed", list, func(s hemlock.Stats) int64 { return s.Killed }),
	}
}

// uneventful reports whether the plots would be empty.
func (c columns) uneventful() bool {
	return c.running.quiet() && c.idle.quiet() && c.waiting.quiet() && c.tasks.quiet()
}

func (s series) quiet() bool {
	return !slices.ContainsFunc(s.values, func(v float64) bool { return v > 0 })
}

// plots returns those of one pool. The prefix makes their names unique.
func plots(prefix string, samples []sample, c columns) []plot {
	t := newTimeline(samples)
	all := []plot{t.workers(c), t.waiting(c), t.rates(c)}
	for i := range all {
		p := &all[i]
		p.ID = fmt.Sprintf("%s-%d", prefix, i)
		p.Span, p.Span10, p.Times = t.words(), int64(t.span/(time.Second/10)), t.ticks()
		first, last := p.Bands[0], p.Bands[len(p.Bands)-1]
		p.EmptyY = first.Y + first.Height/2 + 4
		p.Bottom = last.Y + last.Height
		p.Height = p.Bottom + axisHeight
		p.AxisY = p.Height - 4
		if len(samples) < 2 {
			p.Empty = "The plot begins now"
		}
	}
	return all
}

// workers stacks the idle ones on those that run: the height is the size of the
// pool.
func (t timeline) workers(c columns) plot {
	below, above := c.running, c.idle
	above.on = below.values
	return plot{
		Title:  "Workers",
		Bands:  []band{t.draw(topSpace, workersBand, 4, below, above)},
		Points: t.points(below, above),
	}
}

func (t timeline) waiting(c columns) plot {
	s := c.waiting
	s.sparse = true
	p := plot{
		Title:  "Waiting for a processor",
		Bands:  []band{t.draw(topSpace, waitingBand, 2, s)},
		Points: t.points(s),
	}
	if s.quiet() {
		p.Empty = "No task was seen waiting"
	}
	return p
}

// rates has spawns above its lower line and kills below it, each on a scale of its own:
// a gentle killer takes fewer workers than a spike spawns.
func (t timeline) rates(c columns) plot {
	done, up, down := c.tasks, c.spawns, c.kills
	up.sparse, down.sparse, down.sign = true, true, -1
	return plot{
		Title: "Per second",
		Bands: []band{
			t.draw(topSpace, tasksBand, 2, done),
			t.draw(topSpace+tasksBand+bandSpace, turnoverBand, 1, up),
			t.draw(topSpace+tasksBand+bandSpace+turnoverBand, turnoverBand, 1, down),
		},
		Points: t.points(done, up, down),
	}
}
