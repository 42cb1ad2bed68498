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

// SetProgram names the program on pictures: that of a test has no good name.
func (p *Page) SetProgram(name string) { p.program = name }
