package main

import (
	"fmt"
	"math"
	"strings"
)

// The answers.
const (
	yes     = "yes"
	no      = "no"
	unknown = "unknown"
)

// words of the sentence that an answer begins with.
var words = map[string]string{yes: "yes", no: "no", unknown: "not from this profile"}

// answer decides, and says why in one sentence.
func (v *survey) answer(f forecast) (what, because string) {
	best, with := f.run, "Run"
	if f.do.likely > f.run.likely {
		best, with = f.do, "Do"
	}
	switch {
	case v.ticks < fewest:
		return unknown, fmt.Sprintf("%s are too few to tell, and at least %d are needed; take it under load, or for longer with -seconds", plural(v.ticks, "sample"), fewest)
	case best.low >= worthIt:
		return yes, v.advice(with, best)
	case v.share(v.orphans) >= worthIt:
		return unknown, fmt.Sprintf("%s of the processor time goes to growing stacks of unknown goroutines", v.show(v.orphans))
	case best.high < worthIt:
		return no, v.refusal(f, best)
	}
	return unknown, fmt.Sprintf("%s would give back %s of the processor time, too close to %.0f %% to tell; take a longer one with -seconds, or try it and measure", with, span(best), worthIt*100)
}

// advice names the place that pays most.
func (v *survey) advice(with string, g gain) string {
	at, handler := v.payer(with)
	switch {
	case at == nil:
		return fmt.Sprintf("%s would give back %s of the processor time", with, span(g))
	case with == "Do":
		return fmt.Sprintf("Do around %s (%s) would give back %s of the processor time; %s starts the goroutines",
			short(handler.name), near(handler.begins()), span(g), packageOf(at.entry.name))
	}
	start := "what starts " + short(at.entry.name) + " (" + near(at.entry.begins()) + ")"
	if started := at.statements.top(1); len(started) > 0 {
		start = "the go statement at " + near(started[0].at())
	}
	return fmt.Sprintf("Run in place of %s would give back %s of the processor time, most of it in %s (%s)",
		start, span(g), short(handler.name), near(handler.begins()))
}

// near returns a place with the last folder of its path alone, for a sentence.
func near(at string) string {
	elements := strings.Split(at, "/")
	return strings.Join(elements[max(0, len(elements)-2):], "/")
}

// payer returns the site that grows most among those that the change is for, and
// its first handler.
func (v *survey) payer(with string) (*site, frame) {
	for _, at := range v.sites {
		if at.kept != "" || v.changeable(at) != (with == "Run") {
			continue
		}
		if handlers := at.handlers.top(1); len(handlers) > 0 {
			return at, handlers[0]
		}
	}
	return nil, frame{}
}

// refusal says where the time goes that a pool would not give back.
func (v *survey) refusal(f forecast, best gain) string {
	all := v.show(v.spent[growing]+v.spent[starting]) + " of the processor time goes to growing stacks and starting goroutines"
	switch {
	case f.inLibrary >= worthIt:
		at := v.libraryPayer()
		text := fmt.Sprintf("%s, but %.1f %% grow in %s, outside the functions of yours that Do could be put around",
			all, percent(f.inLibrary), packageOf(at.entry.name))
		if inGRPC(at.entry) {
			text += "; its own workers (grpc.NumStreamWorkers) can help"
		}
		return text
	case f.kept > 0 && f.kept >= best.likely:
		return fmt.Sprintf("%s, and the goroutines that do most of it are kept already (%s)", all, v.keptBy())
	case f.regrown > best.likely:
		return all + ", and most of it grows again what garbage collections shrank, which a pool does not change"
	}
	return fmt.Sprintf("%s, and a pool would give back less than %.0f %%", all, worthIt*100)
}

func (v *survey) libraryPayer() *site {
	var worst *site
	for _, at := range v.sites {
		if at.kept == "" && !v.changeable(at) && (worst == nil || at.growing-at.handled > worst.growing-worst.handled) {
			worst = at
		}
	}
	return worst
}

func (v *survey) keptBy() string {
	for _, at := range v.sites {
		if at.kept != "" {
			return at.kept
		}
	}
	return ""
}

func (v *survey) show(ticks int64) string { return fmt.Sprintf("%.1f %%", v.percent(ticks)) }

// span writes the range of a gain in whole percents.
func span(g gain) string {
	low, high := math.Round(100*g.low)+0, math.Round(100*g.high)+0 // + 0: no minus before a zero
	if low < 0 {
		return fmt.Sprintf("between %.0f and %.0f %%", low, high)
	}
	return fmt.Sprintf("%.0f to %.0f %%", low, high)
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// packageOf returns the path of the function's package.
func packageOf(function string) string {
	slash := strings.LastIndex(function, "/") + 1
	name, _, _ := strings.Cut(function[slash:], ".")
	return function[:slash] + name
}

func (o origin) String() string {
	return map[origin]string{yours: "yours", library: "library", standard: "standard library"}[o]
}

// options lists what can be done. Doing nothing is always there.
func (v *survey) options(f forecast) []option {
	var list []option
	if f.run.growing > 0 {
		list = append(list, option{"Run", percent(f.run.low), percent(f.run.high), fmt.Sprintf(
			"in place of your go statements: growing, %.1f %%, and starting, %.1f %%, are not needed on a worker that is kept; %s",
			percent(f.run.growing), percent(f.run.starting), errorNote)})
	}
	if f.do.growing > 0 {
		list = append(list, option{"Do", percent(f.do.low), percent(f.do.high), fmt.Sprintf(
			"inside goroutines that a library starts: growing below your functions, %.1f %%, is not needed on a stack that is kept, and two switches cost about what starting does, %.1f %%; a library that lets you start its goroutines gives back more, with Run; %s",
			percent(f.do.growing), -percent(f.do.starting), errorNote)})
	}
	return append(list, option{"nothing", 0, 0, "the go statements stay as they are"})
}

// errorNote is what a range adds to its middle.
const errorNote = "the range goes a quarter below that and a tenth above it, as measurements of real servers do, and adds the error of counting samples"

// notes say what the figures do not.
func (v *survey) notes(f forecast) []string {
	list := []string{
		"A stack in a CPU profile ends at the function with which its goroutine began. Which go statement started it is known where that is caught at work and the function is written inside it.",
		"The ranges were checked on 2 processors. With more of them other costs come in, which no profile foretells: measure on your own machine.",
		"A kept stack takes memory while it is idle, and the profile does not show that.",
	}
	if f.regrown > 0 {
		list = append(list, fmt.Sprintf("%.1f %% were taken off: stacks that collections shrank and that grow again, estimated as %d times the shrinking.", percent(f.regrown), regrowth))
	}
	if v.orphans > 0 {
		list = append(list, fmt.Sprintf("%s grows on stacks whose goroutines are unknown, because they are deeper than the %d frames that a profile keeps, or are freed by the collector.", v.show(v.orphans), maxDepth))
	}
	if v.took > 0 && float64(v.nanos) < 0.1*float64(v.took) {
		list = append(list, fmt.Sprintf("The program was nearly idle: %.1f %% of one processor. What it gives back is a share of that.", 100*float64(v.nanos)/float64(v.took)))
	}
	return list
}
