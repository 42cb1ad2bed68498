package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"

	"example.com/hemlock/bench/servers/internal/report"
	"example.com/hemlock/bench/servers/internal/target"
)

func machine() report.Machine {
	return report.Machine{
		Go:      runtime.Version(),
		OS:      runtime.GOOS,
		Arch:    runtime.GOARCH,
		CPU:     cpuid.CPU.BrandName,
		CPUs:    runtime.NumCPU(),
		Procs:   runtime.GOMAXPROCS(0),
		Date:    time.Now().UTC().Truncate(time.Second),
		Command: strings.Join(append([]string{"go run ./bench/servers"}, os.Args[1:]...), " "),
	}
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
