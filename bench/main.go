// Bench compares hemlock with a bare go statement and with other pools, in one
// process and in turn. README.md says how to read the result.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"

	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/race"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

func main() {
	load.Intrude()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run does what the arguments say.
func run(ctx context.Context, args []string) error {
	o, err := parse(args, flag.ExitOnError)
	if err != nil {
		return err
	}
	if o.render != "" {
		return render(o)
	}
	if o.profile != "" {
		file, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	result, err := compete(ctx, o)
	if err != nil {
		return err
	}
	return publish(result, o.out)
}

func compete(ctx context.Context, o options) (*report.Report, error) {
	runner.Hush()
	r := race.Race{Settings: o.settings, Runners: o.runners, Loads: o.loads, Log: os.Stderr}
	return r.Run(ctx)
}

// render renders the report of an earlier run again.
func render(o options) error {
	result, err := report.Read(o.render)
	if err != nil {
		return err
	}
	if o.out == "" {
		o.out = filepath.Dir(o.render)
	}
	return publish(result, o.out)
}

// publish prints the tables, and writes the files unless out is empty.
func publish(result *report.Report, out string) error {
	if err := result.WriteTables(os.Stdout); err != nil {
		return err
	}
	if out == "" {
		fmt.Fprintln(os.Stderr, "not the whole comparison, so no files are written; -out FOLDER writes them")
		return nil
	}
	names, err := result.Write(out)
	for _, name := range names {
		fmt.Fprintln(os.Stderr, "wrote", name)
	}
	return err
}
