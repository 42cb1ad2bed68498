package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/hemlock/bench/servers/internal/compare"
	"example.com/hemlock/bench/servers/internal/mode"
	"example.com/hemlock/bench/servers/internal/target"
)

// options are what the flags say.
type options struct {
	plan compare.Plan
	out  string // folder for the files; empty: none is written

	stop time.Duration // stop the servers for so long, and print when they are back; 0: compare

	render string // a report to render again; empty: measure
}

// parse reads the flags.
func parse(args []string, handling flag.ErrorHandling) (options, error) {
	o := options{plan: compare.Plan{Targets: target.All(), Log: os.Stderr}}
	p, s := &o.plan, &o.plan.Settings
	p.Stacks, p.Ballasts, p.Callers = []int{0, 8, 32}, []int{0}, []int{64, 256}
	set := flag.NewFlagSet("servers", handling)
	set.Func("targets", "measure only these servers, a `list` with commas (default all: "+strings.Join(names(p.Targets), ",")+")", list(&p.Targets, target.Find))
	set.Func("modes", "measure these modes, a `list` of "+strings.Join(mode.Names(), ", ")+" (default those of each server; go always takes part)", list(&p.Modes, known))
	set.Func("depths", "`KiB` of stack that a call uses, a list (default 0,8,32)", list(&p.Stacks, integer(0)))
	set.Func("ballast", "`MiB` of live heap in the server, a list (default 0)", list(&p.Ballasts, integer(0)))
	set.Func("callers", "`number` of callers, each of which waits for its answers, a list (default 64,256)", list(&p.Callers, integer(1)))
	set.Func("rate", "measure also at fixed rates, `percent` of the calls that go answers in the same round, a list such as 30,60,80,90", list(&s.Rates, integer(1)))
	set.IntVar(&s.Rounds, "rounds", 5, "rounds, in which all modes take turns")
	set.DurationVar(&s.Duration, "duration", time.Second, "time of each measurement")
	set.DurationVar(&s.Warmup, "warmup", 300*time.Millisecond, "time of the warm-up before it")
	set.DurationVar(&s.Budget, "budget", 0, "time for everything; rounds, and if need be measurements, are cut evenly; 0: no limit")
	set.IntVar(&s.Garbage, "garbage", 2048, "`bytes` of garbage that a call makes")
	set.IntVar(&s.Connections, "connections", 4, "connections that the callers share, where a library allows it")
	set.StringVar(&s.GOGC, "gogc", "", "GOGC of the servers")
	set.StringVar(&s.GODEBUG, "godebug", "", "GODEBUG of the servers")
	set.StringVar(&p.ProfileTo, "profile", "", "write a processor profile of each server to the `folder`, and show shares of it")
	set.DurationVar(&o.stop, "stop", 0, "print instead how soon a server is back that was stopped for that `time` under a load at the first -rate (default 40)")
	set.StringVar(&o.out, "out", "", "write results.md and results.json.gz to the `folder`")
	set.StringVar(&o.render, "render", "", "make the tables of the `file` results.json.gz again; nothing is measured")
	if err := set.Parse(args); err != nil {
		return options{}, err
	}
	if set.NArg() > 0 {
		return options{}, fmt.Errorf("servers: unexpected argument %q", set.Arg(0))
	}
	return o, check(o)
}

func check(o options) error {
	s := o.plan.Settings
	switch {
	case s.Rounds < 1 || s.Connections < 1:
		return errors.New("servers: -rounds and -connections must be at least 1")
	case s.Duration <= 0 || s.Warmup <= 0:
		return errors.New("servers: -duration and -warmup must be above 0")
	case s.Garbage < 0 || s.Budget < 0 || o.stop < 0:
		return errors.New("servers: -garbage, -budget and -stop must not be negative")
	}
	return nil
}

func names(targets []target.Target) (names []string) {
	for _, t := range targets {
		names = append(names, t.Name)
	}
	return names
}

// list returns what sets a list from a text with commas between its elements.
func list[E any](to *[]E, parse func(string) (E, error)) func(string) error {
	return func(text string) error {
		*to = nil
		for element := range strings.SplitSeq(text, ",") {
			e, err := parse(strings.TrimSpace(element))
			if err != nil {
				return err
			}
			*to = append(*to, e)
		}
		return nil
	}
}

// known returns the name of a mode as it is, if there is such a mode.
func known(name string) (string, error) {
	m, err := mode.Find(name)
	return m.Name, err
}

// integer returns what parses a number that must be at least the given one.
func integer(least int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err == nil && n < least {
			err = fmt.Errorf("%d is below %d", n, least)
		}
		return n, err
	}
}
