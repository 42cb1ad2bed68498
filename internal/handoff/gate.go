package handoff

import "go.uber.org/atomic"

// shut is the bit of the gate's word that refuses; the number of accepted
// tasks lies above it.
const shut = 1

// gate accepts tasks until it is shut, and counts them with the same
// instruction that accepts them. There is no moment at which a task is counted
// and may still be refused, so the count never has to be taken back.
type gate struct {
	// Written by every accept, and once by shut. One word, because a count
	// beside a flag could be read between the two.
	word atomic.Uint64

	// final is the count at the moment the gate was shut: refused tasks go on
	// adding to word. Invariant: it is written before the bit that makes
	// anyone read it.
	final uint64
}

// accept counts a task in and reports true, or reports false once the gate is
// shut.
func (g *gate) accept() bool {
	return g.word.Add(shut<<1)&shut == 0
}

// accepted returns how many tasks passed the gate.
func (g *gate) accepted() uint64 {
	if word := g.word.Load(); word&shut == 0 {
		return word >> 1
	}
	return g.final
}

// close shuts the gate. It must be called once.
func (g *gate) close() {
	for {
		word := g.word.Load()
		g.final = word >> 1
		if g.word.CompareAndSwap(word, word|shut) {
			return
		}
	}
}
