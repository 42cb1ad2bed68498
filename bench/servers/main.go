// Servers compares real servers that run their requests on a go statement and on
// a pool. README.md says how to read the result.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/servers/internal/process"
	"example.com/hemlock/bench/servers/internal/report"
	"example.com/hemlock/bench/servers/internal/target"
)

func main() {
	process.BecomeServer()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run does what the arguments say. What was measured before an error is
// published all the same.
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
		return figures.Publish(result, o.out, out)
	}
	if o.stop > 0 {
		return o.plan.Stall(ctx, o.stop, out)
	}
	if o.plan.ProfileTo != "" {
		if err := os.MkdirAll(o.plan.ProfileTo, 0o755); err != nil {
			return err
		}
	}
	here := figures.Here("go run ./bench/servers")
	here.Procs = runtime.GOMAXPROCS(0)
	result, err := o.plan.Run(ctx)
	result.Machine, result.Modules = here, modules()
	return errors.Join(err, verdict(result), figures.Publish(result, o.out, out))
}

// verdict returns an error if a call had no answer or a wrong one: the figures
// of a server that does not work say nothing.
func verdict(result *report.Report) error {
	if failed := result.Failed(); failed > 0 {
		return fmt.Errorf("servers: %d calls failed", failed)
	}
	return nil
}

// modules returns the libraries of the servers with the versions that are built
// in.
func modules() []report.Module {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	versions := map[string]string{}
	for _, d := range info.Deps {
		versions[d.Path] = d.Version
	}
	var all []report.Module
	for _, t := range target.All() {
		if t.Module != "" {
			all = append(all, report.Module{Path: t.Module, Version: versions[t.Module]})
		}
	}
	return all
}
