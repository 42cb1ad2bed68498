// Package mode holds the ways of starting a request that are compared.
package mode

import (
	"fmt"
	"strings"

	"github.com/alitto/pond"

	"example.com/hemlock"
)

// Baseline is the name of the mode that all ratios refer to.
const Baseline = "go"

// Library is the name of the mode in which a library starts its requests by
// itself.
const Library = "lib"

// The size of pond in its mode. rpcx, which offers it, names none.
const (
	pondWorkers = 64
	pondQueue   = 100_000
)

// A Start is what starts each task: it returns at once, or, for a pool with a
// bound, when there is room. It is nil where the library starts its requests by
// itself.
type Start = func(task func())

// A Mode is a way of starting tasks.
type Mode struct {
	Name string

	// New makes a fresh one. Stats returns a snapshot of its counts, encoded as
	// JSON in the report; it is nil where there is nothing to count. What has
	// the fields of [hemlock.Stats] is shown in the tables too.
	New func() (start Start, stats func() any)
}

// All returns the modes in the order in which they are reported. One more is a
// line here and, for a package of its own, a line in go.mod.
func All() []Mode {
	return []Mode{
		{Baseline, func() (Start, func() any) { return func(task func()) { go task() }, nil }},
		{"pool", func() (Start, func() any) { p := hemlock.New(); return p.Run, func() any { return p.Stats() } }},
		{"pond", func() (Start, func() any) { return pond.New(pondWorkers, pondQueue).Submit, nil }},
		{Library, func() (Start, func() any) { return nil, nil }},
	}
}

// Find returns the mode of that name.
func Find(name string) (Mode, error) {
	var names []string
	for _, m := range All() {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Mode{}, fmt.Errorf("no mode %q: want %s", name, strings.Join(names, ", "))
}
