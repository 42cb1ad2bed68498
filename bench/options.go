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

// processors are the values of GOMAXPROCS for -scaling, up to the number that the
// machine has.
var processors = []int{1, 2, 4, 8, 16, 32, 64}

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

// flags are the flags as parsed; complete derives the options.
type flags struct {
	options
	quick         bool
	procs         string
	runnerPattern string
	loadPattern   string
}

func parse(args []string, handling flag.ErrorHandling) (options, error) {
	f := flags{}
	set := flag.NewFlagSet("bench", handling)
	f.define(set)
	if err := set.Parse(args); err != nil {
		return options{}, err
	}
	if set.NArg() > 0 {
		return options{}, fmt.Errorf("bench: unexpected argument %q", set.Arg(0))
	}
	given := map[string]bool{}
	set.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if f.quick {
		f.hurry(set, given)
	}
	if f.settings.Budget > 0 && !given["shrink"] {
		f.settings.ShrinkLimit = 0
	}
	return f.complete()
}

func (f *flags) define(set *flag.FlagSet) {
	s := &f.settings
	set.BoolVar(&f.quick, "quick", false, "end in under a minute: few and short rounds, no waiting for pools to shrink")
	set.BoolVar(&s.Scaling, "scaling", false, "compare the throughput of some of the loads at several values of GOMAXPROCS")
	set.StringVar(&f.procs, "procs", "", "values of GOMAXPROCS, a comma-separated `list` (default: as set; with -scaling 1, 2, 4, ...)")
	set.DurationVar(&s.Budget, "budget", 0, "leave out rounds, and do not wait for pools to shrink, to end within the `duration`; 0: no bound")
	set.IntVar(&s.Rounds, "rounds", 9, "rounds of each load")
	set.DurationVar(&s.Duration, "duration", 100*time.Millisecond, "time of each measurement")
	set.DurationVar(&s.Warmup, "warmup", 20*time.Millisecond, "time of the warm-up before it")
	set.IntVar(&s.Passes, "passes", 3, "passes of the latency measurement")
	set.IntVar(&s.Latencies, "latencies", 50_000, "tasks in each pass of the latency measurement")
	set.DurationVar(&s.Limit, "limit", 10*time.Second, "time limit of a measurement; a runner that exceeds it fails at the load")
	set.DurationVar(&s.ShrinkLimit, "shrink", 45*time.Second, "how long to wait for a pool to shrink; 0: not at all")
	set.StringVar(&f.runnerPattern, "runners", "", "measure only runners that match the `regexp`, and go")
	set.StringVar(&f.loadPattern, "loads", "", "measure only loads whose name or group matches the `regexp`")
	set.StringVar(&f.out, "out", "", "write the files to the `folder` (default bench/results for the whole comparison, else none)")
	set.StringVar(&f.render, "render", "", "make the tables and plots of the `file` results.json.gz again, beside it or in -out")
}

// hurry shortens what no flag has set. On a busy machine the budget shortens it
// further.
func (f *flags) hurry(set *flag.FlagSet, given map[string]bool) {
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

// complete checks the flags and derives the other options.
func (f *flags) complete() (options, error) {
	if err := check(f.settings); err != nil {
		return options{}, err
	}
	if err := f.choose(); err != nil {
		return options{}, err
	}
	if f.settings.Scaling {
		f.settings.Passes, f.settings.ShrinkLimit = 0, 0
	}
	if f.whole() && f.out == "" && f.render == "" {
		f.out = folder
	}
	err := f.chooseProcs()
	return f.options, err
}

// whole reports whether the run measures all that the documentation shows.
func (f *flags) whole() bool {
	return !f.quick && f.procs == "" && f.settings.Budget == 0 && f.runnerPattern == "" && f.loadPattern == ""
}

// chooseProcs reads the values of GOMAXPROCS.
func (f *flags) chooseProcs() error {
	switch {
	case f.procs != "":
		for text := range strings.SplitSeq(f.procs, ",") {
			procs, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil || procs < 1 {
				return fmt.Errorf("bench: -procs: %q is not a number of processors", text)
			}
			f.settings.Procs = append(f.settings.Procs, procs)
		}
	case f.settings.Scaling:
		f.settings.Procs = upTo(runtime.NumCPU())
	default:
		f.settings.Procs = []int{runtime.GOMAXPROCS(0)}
	}
	return nil
}

func check(s report.Settings) error {
	switch {
	case s.Rounds < 1:
		return errors.New("bench: -rounds must be at least 1")
	case s.Duration <= 0 || s.Warmup <= 0 || s.Limit <= 0:
		return errors.New("bench: -duration, -warmup and -limit must be above 0")
	case s.Passes < 0 || s.Latencies < 1 || s.ShrinkLimit < 0 || s.Budget < 0:
		return errors.New("bench: -passes, -shrink and -budget must not be negative, and -latencies at least 1")
	}
	return nil
}

// choose picks the runners and loads. The baseline always takes part.
func (f *flags) choose() error {
	runners, err := regexp.Compile(f.runnerPattern)
	if err != nil {
		return fmt.Errorf("bench: -runners: %w", err)
	}
	loads, err := regexp.Compile(f.loadPattern)
	if err != nil {
		return fmt.Errorf("bench: -loads: %w", err)
	}
	f.runners = slices.DeleteFunc(runner.All(), func(r runner.Runner) bool {
		return r.Name != runner.Baseline && !runners.MatchString(r.Name)
	})
	f.loads = slices.DeleteFunc(load.All(), func(l load.Load) bool {
		named := loads.MatchString(l.Name) || loads.MatchString(string(l.Group))
		return !named || f.quick && !load.Quick(l) || f.settings.Scaling && !slices.Contains(load.Scaling(), l.Name)
	})
	if len(f.loads) == 0 {
		return fmt.Errorf("bench: -loads: no load matches %q", f.loadPattern)
	}
	return nil
}

// upTo returns the steps of -scaling on a machine with that many processors.
func upTo(cpus int) []int {
	return slices.DeleteFunc(slices.Clone(processors), func(procs int) bool { return procs > cpus })
}
