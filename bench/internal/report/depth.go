package report

import (
	"cmp"
	"fmt"
	"slices"
)

// depthCallers is the number of callers at which stack depths are compared.
const depthCallers = 64

// A Depth is a runner's ratio of throughput at one stack depth.
type Depth struct {
	KiB   int
	Ratio float64
}

// Depths returns the runner's ratios by stack depth, the shallowest first, from
// the loads that differ in nothing else.
func (r *Report) Depths(procs int, name string) []Depth {
	var depths []Depth
	for _, l := range r.Loads {
		if l.Callers != depthCallers || l.Batch != 1 || l.Garbage+l.Heap+l.Spike+l.Storm > 0 || l.Block+l.Work > 0 || l.Reader {
			continue
		}
		if s, ok := r.Ratio(procs, l.Name, name, Rate); ok {
			depths = append(depths, Depth{l.Stack, s.Median})
		}
	}
	slices.SortFunc(depths, func(a, b Depth) int { return cmp.Compare(a.KiB, b.KiB) })
	return depths
}

// BreakEven returns the stack depth in KiB from which on the runner is at least
// as fast as the baseline, interpolated between the two depths beside it, or the
// first depth if the runner is as fast at every one. It returns false if the runner
// is slower at the deepest.
func BreakEven(depths []Depth) (kib float64, ok bool) {
	slower := -1
	for i, d := range depths {
		if d.Ratio < 1 {
			slower = i
		}
	}
	switch {
	case slower == len(depths)-1:
		return 0, false
	case slower < 0:
		return float64(depths[0].KiB), true
	}
	below, above := depths[slower], depths[slower+1]
	share := (1 - below.Ratio) / (above.Ratio - below.Ratio)
	return float64(below.KiB) + share*float64(above.KiB-below.KiB), true
}

// breakEven words the result of BreakEven for a table.
func breakEven(depths []Depth) string {
	kib, ok := BreakEven(depths)
	switch {
	case len(depths) == 0:
		return "not measured"
	case !ok:
		return fmt.Sprintf("above %d KiB", depths[len(depths)-1].KiB)
	case kib == 0:
		return "faster at every depth"
	default:
		return fmt.Sprintf("%.1f KiB", kib)
	}
}
