// Command stackcost tells from a CPU profile whether a Go program would gain from
// a goroutine pool: what share of its processor time goes to growing stacks and
// to starting goroutines, which goroutines pay it, and what a change would give
// back.
//
//	stackcost [-seconds 10] [-json] [-html FILE] PROFILE|URL
//
// PROFILE is a file that runtime/pprof wrote, or - for the standard input. URL is
// that of a program that serves net/http/pprof; http://HOST:PORT is enough.
//
// The status is 0 if there is an answer, 1 if the profile cannot be read, and 2
// for a wrong command line.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

const (
	answered   = 0
	unreadable = 1
	misused    = 2
)

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, restore) // a second signal ends the process at once
	c := command{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(c.run(ctx, os.Args[1:]))
}

// A command is one run of the program.
type command struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	seconds int
	json    bool
	html    string // file for the page; "": none
	source  string
}

// run returns the exit status.
func (c *command) run(ctx context.Context, args []string) int {
	switch err := c.parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return answered
	case err != nil:
		return misused
	}
	if err := c.report(ctx); err != nil {
		fmt.Fprintf(c.stderr, "stackcost: %v\n", err)
		return unreadable
	}
	return answered
}

func (c *command) parse(args []string) error {
	flags := flag.NewFlagSet("stackcost", flag.ContinueOnError)
	flags.SetOutput(c.stderr)
	flags.IntVar(&c.seconds, "seconds", 10, "how many `seconds` the profile from a URL takes, if that does not say")
	flags.BoolVar(&c.json, "json", false, "print the report as JSON")
	flags.StringVar(&c.html, "html", "", "write the report as a page to this `file` too")
	flags.Usage = func() {
		fmt.Fprint(c.stderr, "usage: stackcost [-seconds 10] [-json] [-html FILE] PROFILE|URL\n\n"+
			"Tells from a CPU profile whether a program would gain from a goroutine pool.\n"+
			"PROFILE is a file, or - for the standard input; URL may be http://HOST:PORT\n"+
			"of a program that serves net/http/pprof.\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() != 1:
		return c.misuse(flags, fmt.Sprintf("want one profile or URL, and flags before it; got %d", flags.NArg()))
	case c.seconds < 1 || c.seconds > 3600:
		return c.misuse(flags, fmt.Sprintf("-seconds %d: must be between 1 and 3600", c.seconds))
	}
	c.source = flags.Arg(0)
	return nil
}

func (c *command) misuse(flags *flag.FlagSet, reason string) error {
	fmt.Fprintf(c.stderr, "stackcost: %s\n", reason)
	flags.Usage()
	return errors.New(reason)
}

// report reads the profile and writes the answer.
func (c *command) report(ctx context.Context) error {
	data, err := c.read(ctx)
	if err != nil {
		return err
	}
	s, err := parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", c.source, err)
	}
	return c.write(newReport(c.source, count(s)))
}

func (c *command) write(r *report) error {
	if c.html != "" {
		if err := writePage(c.html, r); err != nil {
			return err
		}
	}
	if !c.json {
		return writeText(c.stdout, r)
	}
	enc := json.NewEncoder(c.stdout)
	enc.SetIndent("", "\t")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
