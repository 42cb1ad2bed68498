package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// A config is what the command line says.
type config struct {
	zone         string
	addr         string
	runner       string
	killInterval time.Duration
	killDelay    time.Duration
	latency      time.Duration
	work         int    // KiB of stack
	http         string // "": off
	metrics      string // "": off
	most         int    // queries at a time; 0: no bound
	headroom     int    // percent of the memory limit
	demo         bool
}

// parseFlags reads the command line. It prints what is wrong with it, as the flag package does.
func parseFlags(args []string, stderr io.Writer) (config, error) {
	var cfg config
	flags := newFlags(&cfg, stderr)
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	if cfg.demo {
		setDemoDefaults(flags)
	}
	err := cfg.check(flags)
	if err != nil {
		fmt.Fprintln(stderr, err)
		flags.Usage()
	}
	return cfg, err
}

func newFlags(cfg *config, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("dnsserver", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&cfg.zone, "zone", "", "zone `file` in the master format of RFC 1035 (default: the shipped zone)")
	flags.StringVar(&cfg.addr, "addr", "127.0.0.1:5353", "`address` to serve on, over UDP and TCP")
	flags.StringVar(&cfg.runner, "runner", poolRunner, "what runs the queries: pool or go")
	flags.DurationVar(&cfg.killInterval, "kill-interval", time.Second, "time between two rounds of the pool's killer; 0: never kill")
	flags.DurationVar(&cfg.killDelay, "kill-delay", 10*time.Second, "time without killing after each spawn")
	flags.DurationVar(&cfg.latency, "latency", 0, "time that a simulated back end takes for each query")
	flags.IntVar(&cfg.work, "work", 0, "`KiB` of stack that a query uses beside its look-up; above 0 it leaves 2 KiB of garbage too")
	flags.IntVar(&cfg.most, "max", 0, "`queries` under way at a time; above it, those over UDP are dropped and those over TCP wait; 0: no bound")
	flags.IntVar(&cfg.headroom, "memory-headroom", 0, "`percent` of GOMEMLIMIT that is left to what the Go runtime does not count")
	flags.StringVar(&cfg.http, "http", "", "`address` to serve metrics, profiles and plots on, over HTTP; without a host it is 127.0.0.1 (default: off)")
	flags.StringVar(&cfg.metrics, "metrics", "", "`address` to serve metrics and /healthz alone on, over HTTP; without a host it is 127.0.0.1 (default: off)")
	flags.BoolVar(&cfg.demo, "demo", false, "serve on a free loopback port, drive the server through a spike, and end; with -http, when interrupted")
	return flags
}

// setDemoDefaults sets what was not given on the command line to values with
// which a pool grows and shrinks within seconds.
func setDemoDefaults(flags *flag.FlagSet) {
	values := map[string]string{"addr": "127.0.0.1:0", "latency": "5ms", "kill-delay": "1s", "kill-interval": "100ms"}
	flags.Visit(func(f *flag.Flag) { delete(values, f.Name) })
	for name, value := range values {
		_ = flags.Set(name, value) // these values parse
	}
}

func (cfg *config) check(flags *flag.FlagSet) (err error) {
	flags.VisitAll(func(f *flag.Flag) {
		if _, text := f.Value.(flag.Getter).Get().(string); !text && strings.HasPrefix(f.Value.String(), "-") {
			err = fmt.Errorf("-%s %v: must not be negative", f.Name, f.Value)
		}
	})
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case cfg.runner != poolRunner && cfg.runner != goRunner:
		return fmt.Errorf("unknown -runner %q: want %s or %s", cfg.runner, poolRunner, goRunner)
	case cfg.work > maxWork:
		return fmt.Errorf("-work %d: must be at most %d", cfg.work, maxWork)
	case cfg.headroom > 90:
		return fmt.Errorf("-memory-headroom %d: must be at most 90", cfg.headroom)
	}
	return err
}
