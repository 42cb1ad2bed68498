package page

import (
	"time"

	"example.com/hemlock"
)

// Over makes a page over a function instead of a pool: the tests give every
// count a value of its own, and count the calls.
func Over(name string, o *Options, stats func() hemlock.Stats) *Page {
	p := &Page{program: "program", epoch: time.Now()}
	p.add(name, stats, o)
	return p
}

// Look takes one sample, as each round of Sample does.
func (p *Page) Look() { p.look() }

// SetProgram names the program on pictures: a test binary has no good name.
func (p *Page) SetProgram(name string) { p.program = name }

// Foresee returns the forecast of the only pool: in how many seconds it has shrunk, and to
// how many workers.
func (p *Page) Foresee() (total float64, floor int64) {
	views, _ := p.views()
	f := foresee(*views[0].options, views[0].samples)
	return f.total, f.floor
}

// Says returns the sentence of the only pool.
func (p *Page) Says() string { return p.report().Pools[0].Says }

// Fill takes samples for a whole window at once.
func (p *Page) Fill() {
	p.epoch = p.epoch.Add(-window)
	for i := range int(window / step) {
		for _, s := range p.sources {
			s.past.record(sample{at: time.Duration(i) * step, Stats: s.stats()})
		}
	}
}
