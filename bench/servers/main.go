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

	"example.com/hemlock/bench/servers/internal/process"
	"example.com/hemlock/bench/servers/internal/report"
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
		result, err := report.Read(o.render)
		if err != nil {
			return err
		}
		return publish(result, o.out, out)
	}
	if o.stop > 0 {
		return o.plan.Stall(ctx, o.stop, out)
	}
	if o.plan.ProfileTo != "" {
		if err := os.MkdirAll(o.plan.ProfileTo, 0o755); err != nil {
			return err
		}
	}
	here := machine()
	result, err := o.plan.Run(ctx)
	result.Machine, result.Modules = here, modules()
	return errors.Join(err, verdict(result), publish(result, o.out, out))
}

// verdict returns an error if a call had no answer or a wrong one: the figures
// of a server that does not work say nothing.
func verdict(result *report.Report) error {
	if failed := result.Failed(); failed > 0 {
		return fmt.Errorf("servers: %d calls failed", failed)
	}
	return nil
}

// publish prints the tables, and writes the files if there is a folder for them.
func publish(result *report.Report, folder string, out io.Writer) error {
	if err := result.WriteTables(out); err != nil || folder == "" {
		return err
	}
	names, err := result.Write(folder)
	for _, name := range names {
		fmt.Fprintln(os.Stderr, "wrote", name)
	}
	return err
}
