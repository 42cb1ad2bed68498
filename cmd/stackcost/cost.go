package main

import (
	"path"
	"slices"
	"strings"
)

// A cost is what the processor was busy with, as far as it matters here.
type cost int

const (
	other     cost = iota
	growing        // a stack was too small and is replaced
	shrinking      // a collection gives half of a stack back
	starting       // a goroutine is made, or its remains are put away
	waking         // a processor is woken for a new goroutine
)

// classify says what the stack's time was spent on. The frames before upTo are those of
// the program: the last of them needed the stack, or has the go statement. Without any,
// the owner of the time is unknown.
//
// It goes by the names of the runtime's functions. They are those of Go 1.25 to 1.27; a
// test with real profiles notices when they change.
func classify(frames []frame) (what cost, upTo int) {
	for i, f := range frames {
		inner := frames[i:]
		switch f.name {
		case "runtime.newstack", "runtime.morestack", "runtime.morestack_noctxt":
			return grows(inner), i
		case "runtime.shrinkstack":
			return shrinking, 0
		case "runtime.newproc":
			if calls(inner, "runtime.wakep") {
				return waking, i
			}
			return starting, i
		case "runtime.gdestroy", "runtime.goexit1":
			return starting, 0
		case "runtime.goexit0":
			// What follows gdestroy in there is the scheduler.
			if len(inner) == 1 || calls(inner, "runtime.gdestroy") {
				return starting, 0
			}
			return other, 0
		case "runtime.stackalloc", "runtime.stackfree", "runtime.freeStackSpans":
			return growing, 0
		}
	}
	return other, 0
}

// grows tells apart why the runtime looks at a stack: it does so to preempt a
// goroutine, too, and then the stack may shrink.
func grows(inner []frame) cost {
	switch {
	case calls(inner, "runtime.shrinkstack"):
		return shrinking
	case calls(inner, "runtime.gopreempt_m"), calls(inner, "runtime.preemptPark"):
		return other
	}
	return growing
}

func calls(frames []frame, name string) bool {
	return slices.ContainsFunc(frames, func(f frame) bool { return f.name == name })
}

// An origin says whose code a function is.
type origin int

const (
	yours    origin = iota
	library         // a module that is not the program's own
	standard        // the standard library
)

// origins tells them apart by the names of files: the module cache puts a version
// into each path, and the standard library lies where the runtime does.
type origins struct{ root string }

func findOrigins(stacks []stack) origins {
	for _, s := range stacks {
		for _, f := range s.frames {
			// Some functions of this name have their files elsewhere.
			if dir, found := strings.CutSuffix(path.Dir(f.file), "/runtime"); found && strings.HasPrefix(f.name, "runtime.") {
				return origins{dir + "/"}
			}
		}
	}
	return origins{}
}

func (o origins) of(f frame) origin {
	switch {
	case strings.Contains(f.file, "@v"), strings.Contains(f.file, "/vendor/"):
		return library
	case o.root != "" && strings.HasPrefix(f.file, o.root):
		return standard
	case o.root == "" && !strings.HasPrefix(f.name, "main.") && !strings.Contains(firstElement(f.name), "."):
		return standard // built with -trimpath
	}
	return yours
}

// firstElement returns what a function's package path begins with. In the
// standard library, and only there as a rule, it has no dot.
func firstElement(function string) string {
	first, _, _ := strings.Cut(packageOf(function), "/")
	return first
}
