// Command dnsserver is an authoritative DNS server that runs every query as one
// task of a hemlock pool.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// drainTime is how long queries that have been read may take to be answered
// once the server was told to stop.
const drainTime = 5 * time.Second

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run does what the command line says until it is done or ctx ends, and returns the
// exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if err = start(ctx, cfg, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "dnsserver: %v\n", err)
		return 1
	}
	return 0
}

func start(ctx context.Context, cfg config, stdout, stderr io.Writer) error {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	leaveHeadroom(cfg.headroom)
	if cfg.demo {
		return runDemo(ctx, cfg, fullScript, stdout, log)
	}
	s, err := openServer(cfg, log)
	if err != nil {
		return err
	}
	<-ctx.Done()
	log.Info("stopping", "cause", context.Cause(ctx))
	return stop(s, drainTime)
}

// leaveHeadroom lowers the runtime's memory limit, if there is one. That limit counts
// only what the runtime has from the system. The limit of a container counts the
// program's pages and the kernel's buffers too.
func leaveHeadroom(percent int) {
	if all := debug.SetMemoryLimit(-1); percent > 0 && all < math.MaxInt64 {
		debug.SetMemoryLimit(all - all/100*int64(percent))
	}
}

// stop shuts the server down within the time.
func stop(s *server, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return s.shutdown(ctx)
}
