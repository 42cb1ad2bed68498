// Package profile says where a server's processor time went, as far as it
// explains what a mode costs.
package profile

import (
	"bytes"
	"slices"

	"github.com/google/pprof/profile"
)

// A part is a name and the functions of the runtime that it stands for. A sample
// belongs to a part if one of the functions is on its stack, so parts may overlap.
type part struct {
	Name      string
	functions []string
}

// parts are in the order in which they are reported. A stack grows in newstack,
// by copystack. newstack also preempts a goroutine, which is rare.
var parts = []part{
	{"newstack", []string{"runtime.newstack"}},
	{"copystack", []string{"runtime.copystack"}},
	{"shrinkstack", []string{"runtime.shrinkstack"}},
	{"all three", []string{"runtime.newstack", "runtime.copystack", "runtime.shrinkstack"}},
	{"collector", []string{"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep"}},
	{"scheduler", []string{"runtime.schedule", "runtime.goready", "runtime.newproc"}},
	{"locks", []string{"runtime.lock2", "runtime.unlock2"}},
	{"system calls", []string{"internal/runtime/syscall.Syscall6", "internal/runtime/syscall/linux.Syscall6"}},
}

// Parts returns the names of the parts in the order in which they are reported.
func Parts() []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.Name
	}
	return names
}

// Shares returns the share of the processor time of each part, from 0 to 1. The
// data is a processor profile as package runtime/pprof writes it. Without a
// sample there is no share.
func Shares(data []byte) (map[string]float64, error) {
	parsed, err := profile.Parse(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var all int64
	spent := map[string]int64{}
	for _, sample := range parsed.Sample {
		value := sample.Value[len(sample.Value)-1] // nanoseconds; the first counts samples
		all += value
		for _, p := range parts {
			if p.has(sample) {
				spent[p.Name] += value
			}
		}
	}
	if all == 0 {
		return nil, nil
	}
	shares := map[string]float64{}
	for _, p := range parts {
		shares[p.Name] = float64(spent[p.Name]) / float64(all)
	}
	return shares, nil
}

func (p part) has(sample *profile.Sample) bool {
	return slices.ContainsFunc(sample.Location, func(at *profile.Location) bool {
		return slices.ContainsFunc(at.Line, func(line profile.Line) bool { // more than one where functions are inlined
			return line.Function != nil && slices.Contains(p.functions, line.Function.Name)
		})
	})
}
