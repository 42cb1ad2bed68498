package conformance

import (
	"slices"
	"time"
)

// A Clause is one promise of the contract, and the trial that shows whether a
// pool keeps it.
type Clause struct {
	Name    string // a few words with hyphens, unique
	Promise string // one sentence

	needs  []Ability
	ground ground
	check  func(*trial)
	judge  func(ending) string // what is wrong with how the process ended; nil: byVerdict
}

// ground is where a trial takes place.
type ground int

const (
	inBubble   ground = iota // a synctest bubble: fake time
	inRealTime               // the plain process
)

// limit is how long the process of one clause may run, in real time. A healthy
// pool needs some seconds at most; the rest is for slow machines.
const limit = 2 * time.Minute

// Clauses returns the clauses of the contract, in the order in which they are
// examined.
func Clauses() []Clause {
	return slices.Concat(
		handingOver, panicking, leftovers, killing, recycling,
		shuttingDown, counting, citizenship, doing,
	)
}

func find(name string) (Clause, bool) {
	all := Clauses()
	i := slices.IndexFunc(all, func(c Clause) bool { return c.Name == name })
	if i < 0 {
		return Clause{}, false
	}
	return all[i], true
}
