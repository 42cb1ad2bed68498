package handoff

import "go.uber.org/atomic"

// closed is the bit of the gate's word that says that the gate is closed. The number
// of accepted tasks lies above it.
const closed = 1

// A gate accepts tasks until it is closed, and counts each by the instruction that
// accepts it. There is no moment at which a task is counted and may still be refused,
// so the count never has to be taken back.
type gate struct {
	// Written by every accept, and once by close. One word, because a count
	// beside a flag could be read between the two.
	word atomic.Uint64

	// final is the count when the gate was closed: refused tasks go on adding to word.
	// Invariant: it is written before the bit that makes a reader look at it.
	final uint64
}

// accept counts a task and reports true, or reports false once the gate is closed.
func (g *gate) accept() bool {
	return g.word.Add(closed<<1)&closed == 0
}

// accepted returns how many tasks passed the gate.
func (g *gate) accepted() uint64 {
	if word := g.word.Load(); word&closed == 0 {
		return word >> 1
	}
	return g.final
}

// close closes the gate. It must be called once.
func (g *gate) close() {
	for {
		word := g.word.Load()
		g.final = word >> 1
		if g.word.CompareAndSwap(word, word|closed) {
			return
		}
	}
}
