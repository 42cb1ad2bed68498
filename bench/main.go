// Bench compares hemlock with a bare go statement and with other pools, in one
// process and in turn. README.md says how to read the result.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/internal/load"
	"example.com/hemlock/bench/internal/race"
	"example.com/hemlock/bench/internal/report"
	"example.com/hemlock/bench/internal/runner"
)

func main() {
	load.Intrude()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run does what the arguments say.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args, flag.ExitOnError)
	if err != nil {
		return err
	}
	if o.render != "" {
		result, err := figures.Read[report.Report](o.render)
		if err != nil {
			return err
		}
		return figures.Publish(result, cmp.Or(o.out, filepath.Dir(o.render)), out)
	}
	runner.Hush()
	r := race.Race{Settings: o.settings, Runners: o.runners, Loads: o.loads, Log: os.Stderr}
	result, err := r.Run(ctx)
	if err != nil {
		return err
	}
	if o.out == "" {
		fmt.Fprintln(os.Stderr, "not the whole comparison, so no files are written; -out FOLDER writes them")
	}
	return figures.Publish(result, o.out, out)
}
