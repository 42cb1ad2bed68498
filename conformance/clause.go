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

	needs    needs
	check    func(*trial)
	realTime bool                // the trial takes place in the plain process, not in a synctest bubble
	judge    func(ending) string // what is wrong with how the process ended
}

// needs are the abilities without which a pool does not owe a clause.
type needs []Ability

// clause returns a clause whose trial takes place in a bubble and ends with a verdict.
func clause(name, promise string, needs needs, check func(*trial)) Clause {
	return Clause{Name: name, Promise: promise, needs: needs, check: check, judge: byVerdict}
}

func inRealTime(c Clause) Clause {
	c.realTime = true
	return c
}

func judged(by func(ending) string, c Clause) Clause {
	c.judge = by
	return c
}

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
