package main

import (
	"errors"
	"flag"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

// folder is where the whole comparison is written, relative to the root of the
// repository.
const folder = "bench/results"

// budget is the default of -budget with -quick.
const budget = 45 * time.Second

// options are what the flags say.
type options struct {
	settings report.Settings
	runners  []runner.Runner
	loads    []load.Load

	out    string // folder for the files; empty: none is written
	render string // a report to render again; empty: measure
}

// parse reads the flags.
func parse(args []string, handling flag.ErrorHandling) (options, error) {
	o := options{settings: report.Settings{Procs: []int{runtime.GOMAXPROCS(0)}}}
	s := &o.settings
	var quick bool
	var runners, loads regexp.Regexp
	set := flag.NewFlagSet("bench", handling)
	set.BoolVar(&quick, "quick", false, "end in under a minute: few and short rounds, no waiting for pools to shrink")
	set.Func("procs", "values of GOMAXPROCS, a comma-separated `list` (default: as set)", func(text string) (err error) {
		s.Procs, err = processors(text)
		return err
	})
	set.DurationVar(&s.Budget, "budget", 0, "leave out rounds, and do not wait for pools to shrink, to end within the `duration`; 0: no bound")
	set.IntVar(&s.Rounds, "rounds", 9, "rounds of each load")
	set.DurationVar(&s.Duration, "duration", 100*time.Millisecond, "time of each measurement")
	set.DurationVar(&s.Warmup, "warmup", 20*time.Millisecond, "time of the warm-up before it")
	set.IntVar(&s.Passes, "passes", 3, "passes of the latency measurement")
	set.IntVar(&s.Latencies, "latencies", 50_000, "tasks in each pass of the latency measurement")
	set.DurationVar(&s.Limit, "limit", 10*time.Second, "time limit of a measurement; a runner that exceeds it fails at the load")
	set.DurationVar(&s.ShrinkLimit, "shrink", 45*time.Second, "how long to wait for a pool to shrink; 0: not at all")
	set.TextVar(&runners, "runners", regexp.MustCompile(""), "measure only runners that match the `regexp`, and go")
	set.TextVar(&loads, "loads", regexp.MustCompile(""), "measure only loads whose name or group matches the `regexp`")
	set.StringVar(&o.out, "out", "", "write the files to the `folder` (default bench/results for the whole comparison, else none)")
	set.StringVar(&o.render, "render", "", "make the tables and plots of the `file` results.json.gz again, beside it or in -out")
	if err := set.Parse(args); err != nil {
		return options{}, err
	}
	if set.NArg() > 0 {
		return options{}, fmt.Errorf("bench: unexpected argument %q", set.Arg(0))
	}
	given := map[string]bool{}
	set.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if quick {
		hurry(set, given)
	}
	if s.Budget > 0 && !given["shrink"] {
		s.ShrinkLimit = 0
	}
	part := quick || given["procs"] || given["runners"] || given["loads"] || s.Budget > 0
	if !part && o.out == "" && o.render == "" {
		o.out = folder
	}
	o.choose(&runners, &loads, quick)
	return o, o.check()
}

// choose picks the runners and loads. The baseline always takes part.
func (o *options) choose(runners, loads *regexp.Regexp, quick bool) {
	o.runners = slices.DeleteFunc(runner.All(), func(r runner.Runner) bool {
		return r.Name != runner.Baseline && !runners.MatchString(r.Name)
	})
	o.loads = slices.DeleteFunc(load.All(), func(l load.Load) bool {
		named := loads.MatchString(l.Name) || loads.MatchString(string(l.Group))
		return !named || quick && !load.Quick(l)
	})
}

// hurry shortens what no flag has set. On a busy machine the budget shortens it
// further.
func hurry(set *flag.FlagSet, given map[string]bool) {
	short := map[string]string{
		"rounds": "3", "duration": "8ms", "warmup": "2ms",
		"passes": "1", "latencies": "2000", "shrink": "0", "budget": budget.String(),
	}
	for name, value := range short {
		if !given[name] {
			_ = set.Set(name, value) // the values above are well formed
		}
	}
}

// processors reads a list of values of GOMAXPROCS.
func processors(text string) (all []int, err error) {
	for text := range strings.SplitSeq(text, ",") {
		procs, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || procs < 1 {
			return nil, fmt.Errorf("%q is not a number of processors", text)
		}
		all = append(all, procs)
	}
	return all, nil
}

func (o *options) check() error {
	s := o.settings
	switch {
	case s.Rounds < 1:
		return errors.New("bench: -rounds must be at least 1")
	case s.Duration <= 0 || s.Warmup <= 0 || s.Limit <= 0:
		return errors.New("bench: -duration, -warmup and -limit must be above 0")
	case s.Passes < 0 || s.Latencies < 1 || s.ShrinkLimit < 0 || s.Budget < 0:
		return errors.New("bench: -passes, -shrink and -budget must not be negative, and -latencies at least 1")
	case len(o.loads) == 0:
		return errors.New("bench: no load matches -loads")
	}
	return nil
}
