// Package compare runs the comparison: every server in every mode, in turn.
package compare

import (
	"fmt"
	"io"
	"slices"
	"time"

	"example.com/hemlock/bench/servers/internal/mode"
	"example.com/hemlock/bench/servers/internal/report"
	"example.com/hemlock/bench/servers/internal/target"
)

// overhead is what a measurement takes beside its warm-up and its duration, for
// a first guess: a process starts, callers connect and the last calls end.
const overhead = 200 * time.Millisecond

// least is the shortest duration that a budget may lead to.
const least = 20 * time.Millisecond

// A Plan says what is measured.
type Plan struct {
	Targets   []target.Target
	Modes     []string // for all targets; none: those of each target
	Stacks    []int    // KiB
	Ballasts  []int    // MiB
	Callers   []int
	Settings  report.Settings
	ProfileTo string    // folder for profiles; empty: none are made
	Log       io.Writer // progress

	end time.Time // of the budget, while it runs; zero: none
}

// A contest is one cell and the modes that are measured at it.
type contest struct {
	cell   report.Cell
	target target.Target
	modes  []string
}

// contests returns the cells, in order. A cell without a load comes before the same
// cell with loads, which are percentages of what was measured at it.
func (p Plan) contests() []contest {
	var all []contest
	for _, t := range p.Targets {
		for _, stack := range p.Stacks {
			for _, ballast := range p.Ballasts {
				for _, callers := range p.Callers {
					for _, load := range append([]int{0}, p.Settings.Rates...) {
						cell := report.Cell{Target: t.Name, Stack: stack, Ballast: ballast, Callers: callers, Load: load}
						all = append(all, contest{cell: cell, target: t, modes: p.modesOf(t)})
					}
				}
			}
		}
	}
	return all
}

// modesOf returns the modes of a target, those that it can be run in. The baseline
// always takes part, and comes first.
func (p Plan) modesOf(t target.Target) []string {
	modes := slices.Clone(p.Modes)
	if len(modes) == 0 {
		modes = slices.Clone(t.Modes)
	}
	modes = slices.DeleteFunc(modes, func(name string) bool {
		m, err := mode.Find(name)
		return name == mode.Baseline || err == nil && m.Within != t.Within // an unknown one is reported when it is run
	})
	return append([]string{mode.Baseline}, modes...)
}

// turns returns the modes in the order of a round. It begins with another mode
// than the round before, so that no mode always has the best place.
func (c contest) turns(round int) []string {
	first := round % len(c.modes)
	return append(slices.Clone(c.modes[first:]), c.modes[:first]...)
}

// measurements returns how many there are in a round.
func measurements(all []contest) (n int) {
	for _, c := range all {
		n += len(c.modes)
	}
	return n
}

// fit shortens the settings until the rounds fit in the budget, by a guess of what
// else a measurement takes. It reduces the rounds. If one is still too long, it
// shortens the measurements and says so.
func fit(s *report.Settings, measurements int) string {
	if s.Budget <= 0 {
		return ""
	}
	each := s.Budget / time.Duration(measurements)
	if rounds := int(each / (s.Warmup + s.Duration + overhead)); rounds >= 1 {
		s.Rounds = min(s.Rounds, rounds)
		return ""
	}
	share := float64(max(each-overhead, 0)) / float64(s.Warmup+s.Duration)
	was := s.Duration
	s.Rounds = 1
	s.Warmup = max(time.Duration(float64(s.Warmup)*share), least/4)
	s.Duration = max(time.Duration(float64(s.Duration)*share), least)
	return fmt.Sprintf("time of each measurement: %v instead of %v", s.Duration, was)
}
